"""Runs the stages of a build side by side: each is an iterator that works some items ahead of the next.

Is: one thread a stage and a bounded queue between two, so that memory stays flat whatever the corpus. Is not: a
scheduler; items keep their order.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

T = TypeVar("T")


class _End:
    """What a stage puts last; `error` is what ended it, if anything did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(stage: Callable[[], Iterator[T]], depth: int) -> Generator[T, None, None]:
    """Yield what `stage()` yields, made in a thread of its own, at most `depth` items ahead.

    The stage is begun, run and closed in that thread. What it raises is raised here; if the consumer stops early, the
    stage is closed before this returns.

    Example:
        >>> list(ahead(lambda: iter("abc"), 2))
        ['a', 'b', 'c']
    """
    made: queue.Queue[T | _End] = queue.Queue(depth)
    stopped = threading.Event()

    def hand_over(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                made.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        error: BaseException | None = None
        items: Iterator[T] | None = None
        try:
            items = stage()
            for item in items:
                if not hand_over(item):
                    break
        except BaseException as raised:
            error = raised
        finally:
            if close := getattr(items, "close", None):
                try:
                    close()
                except BaseException as raised:
                    error = error or raised
        hand_over(_End(error))

    thread = threading.Thread(target=work, name="stage", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()
