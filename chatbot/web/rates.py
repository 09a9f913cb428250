"""Counts how often each client asks: token buckets, bounded in number.

Is: arithmetic on a clock that comes in. Is not: who a client is (see `security.py`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Clients that are remembered; beyond, the longest silent one is forgotten, whose bucket is full again anyway.
MAX_CLIENTS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second after that."""

    burst: int
    per_second: float


class Buckets:
    """A token bucket for each key."""

    def __init__(self, rate: Rate, clock: Callable[[], float], *, max_clients: int = MAX_CLIENTS) -> None:
        self._rate = rate
        self._clock = clock
        self._max_clients = max_clients
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Take one token; return 0.0 if there was one, else the seconds until there is.

        Example:
            >>> now = 0.0
            >>> buckets = Buckets(Rate(burst=1, per_second=0.5), lambda: now)
            >>> buckets.take("a"), buckets.take("a"), buckets.take("b")
            (0.0, 2.0, 0.0)
        """
        with self._lock:
            now = self._clock()
            tokens, since = self._left.pop(key, (float(self._rate.burst), now))
            tokens, wait = left_after(self._rate, tokens, now - since)
            self._left[key] = (tokens, now)
            while len(self._left) > self._max_clients:
                self._left.popitem(last=False)
            return wait


def left_after(rate: Rate, tokens: float, seconds: float) -> tuple[float, float]:
    """Return what a bucket of `tokens`, left alone for `seconds`, holds once one more is asked for, and the wait.

    Example:
        >>> left_after(Rate(burst=2, per_second=0.5), 0.0, 2.0), left_after(Rate(burst=2, per_second=0.5), 0.5, 0.0)
        ((0.0, 0.0), (0.5, 1.0))
    """
    tokens = min(float(rate.burst), tokens + seconds * rate.per_second)
    return (tokens - 1, 0.0) if tokens >= 1 else (tokens, (1 - tokens) / rate.per_second)
