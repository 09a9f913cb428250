"""How long answers take in a warm process: alone, for many users at once, and late in a conversation.

    python tests/benchmarks/users.py DATA_FOLDER INDEX_FOLDER [--questions 1000] [--users 16]

DATA_FOLDER holds medquad's conversations.jsonl; INDEX_FOLDER is an index of medquad's corpus. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chatbot.quiet import quiet_libraries

quiet_libraries()

from chatbot.replies import Turn, to_dict  # noqa: E402
from chatbot.reply import Chatbot  # noqa: E402
from chatbot.settings import Settings  # noqa: E402
from index.embedding import load_embedder  # noqa: E402
from index.opened import OpenIndex  # noqa: E402
from index.search import Query  # noqa: E402

_TURNS = 20
_CONVERSATIONS = 30
Asked = tuple[str, tuple[Turn, ...]]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def timed(work: Callable[[], object]) -> float:
    """Return milliseconds."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def show(name: str, values: Sequence[float]) -> None:
    """Print one line of a table."""
    print(f"| {name} | {percentile(values, 0.5):.1f} | {percentile(values, 0.95):.1f} |")


def read(path: Path, count: int) -> list[Asked]:
    """Return questions with the turns before them, shuffled by a fixed seed."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    random.Random(20).shuffle(rows)
    return [
        (row["question"], tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history", ())))
        for row in rows[:count]
    ]


def alone(bot: Chatbot, opened: OpenIndex, asked: Sequence[Asked]) -> None:
    """Print percentiles of searching, of answering, and of each stage of an answer."""
    show("search", [timed(lambda q=question: opened.search(Query(q), 10)) for question, _ in asked])
    stages: dict[str, list[float]] = {}
    whole = []
    for question, turns in asked:
        started = time.perf_counter()
        reply = bot.reply(question, turns)
        whole.append(1000 * (time.perf_counter() - started))
        for stage, spent in reply.timings_ms.items():
            stages.setdefault(stage, []).append(spent)
    show("ask", whole)
    for stage in ("understand", "search", "compose", "notices", "suggest"):
        show(f"ask: {stage}", stages[stage])


def together(bot: Chatbot, asked: Sequence[Asked], users: int) -> None:
    """Print answers a second when `users` ask at once, each the next question as soon as it has an answer."""
    waits: list[float] = []
    lock = threading.Lock()

    def ask(row: Asked) -> None:
        spent = timed(lambda: to_dict(bot.reply(*row)))
        with lock:
            waits.append(spent)

    started = time.perf_counter()
    with ThreadPoolExecutor(users) as pool:
        list(pool.map(ask, asked))
    print(f"| {users} users at once: {len(asked) / (time.perf_counter() - started):.0f} answers/s | "
          f"{percentile(waits, 0.5):.1f} | {percentile(waits, 0.95):.1f} |")  # fmt: skip


def late(bot: Chatbot, asked: Sequence[Asked]) -> None:
    """Print how long the same question takes as turn 2 and as turn 20 of conversations."""
    firsts = [question for question, turns in asked if not turns]
    follow_ups = ("How is it treated?", "and in pregnancy?", "What causes it?", "Is it dangerous?", "why?")
    spent: dict[int, list[float]] = {2: [], _TURNS: []}
    for start in range(_CONVERSATIONS):
        turns: list[Turn] = []
        for number in range(1, _TURNS + 1):
            # The same follow-up is asked in turn 2 and in turn 20.
            question = firsts[start % len(firsts)] if number == 1 else follow_ups[(number - 2) % 3]
            begun = time.perf_counter()
            reply = bot.reply(question, turns)
            took = 1000 * (time.perf_counter() - begun)
            if number in spent:
                spent[number].append(took)
            said = " ".join(statement.text for statement in getattr(reply, "statements", ()))
            turns += [Turn("user", question, reply.standalone_question), Turn("assistant", said)]
    for number, took in spent.items():
        show(f"turn {number}", took)
    print(f"turn {_TURNS} / turn 2: {percentile(spent[_TURNS], 0.5) / percentile(spent[2], 0.5):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--users", type=int, default=16)
    given = parser.parse_args()
    settings = Settings(index=given.index)
    bot = Chatbot(settings, load_embedder(cache=settings.cache))
    asked = read(given.data / "conversations.jsonl", given.questions)
    for row in asked[:10]:
        bot.reply(*row)
    print("| what | p50 ms | p95 ms |\n| --- | ---: | ---: |")
    alone(bot, bot.opened, asked)
    together(bot, asked, given.users)
    late(bot, asked)


if __name__ == "__main__":
    main()
