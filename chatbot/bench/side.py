"""Our side of a benchmark, as programs of its own: `python -m chatbot.bench.side index|search …`.

Is: what the product does, with a clock around it. Is not: the one who compares (see `run.py`). What another side must
understand and print is the same; `tests/benchmarks/plain_pipeline.py` is one:

    PROGRAM index  --model FOLDER --store DIR --corpus FILE.jsonl     -> {"passages", "documents", "seconds"}
    PROGRAM search --model FOLDER --store DIR --questions FILE.jsonl  -> {"search_ms", "ask_ms", "ranking"}
    PROGRAM ask    --model FOLDER --store DIR --question TEXT         -> an answer, as text

Each prints one JSON object on standard output and nothing else there (`ask`: any text). `ranking` is question id ->
[[document id, score], …], ten documents, best first. A row of questions is {"id", "question", "history", "timed",
"judged"}: only those to be timed are timed, only those with judgements are ranked.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Documents in a ranking, as deep as nDCG@10 looks.
_RANKED = 10
_HITS = 10
# Questions embedded together where no time is taken.
_BATCH = 64
# Asked before the clock starts, so that what opens at the first question is open.
_WARM_UP = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step and print its figures."""
    parser = argparse.ArgumentParser(prog="chatbot.bench.side")
    parser.add_argument("step", choices=("ready", "index", "search"))
    parser.add_argument("--store", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--sources", type=Path, nargs="*", default=[])
    given = parser.parse_args(arguments)
    from chatbot.quiet import quiet_libraries

    quiet_libraries()
    if given.step == "ready":
        found: dict[str, Any] = ready()
    elif given.step == "index":
        found = make_index(given.sources, given.store)
    else:
        rows = [json.loads(line) for line in given.questions.read_text(encoding="utf-8").splitlines()]
        found = answer_questions(rows, given.store)
    sys.stdout.write(json.dumps(found) + "\n")


def ready() -> dict[str, Any]:
    """Export the model if this machine has not yet done so: that happens once, and is not what is measured."""
    _, embedder = _opened()
    return {"dimension": int(embedder.embed(["ready"]).shape[1])}


def _opened(**given: Any) -> tuple[Any, Any]:
    """Return the settings, as the environment has them, and their embedder."""
    from chatbot.settings import Settings
    from index.embedding import load_embedder

    settings = Settings(**given)
    return settings, load_embedder(settings.model, cache=settings.cache, engine=settings.engine)


def make_index(sources: Sequence[Path], store: Path) -> dict[str, Any]:
    """Build an index of `sources` in `store`."""
    from index.build import build

    settings, embedder = _opened(index=store)
    report = build(sources, store, embedder, model=settings.model, store=settings.store)
    return {"passages": report.passages, "documents": report.documents, "seconds": report.seconds}


def answer_questions(rows: Sequence[dict[str, Any]], store: Path) -> dict[str, Any]:
    """Time `search` and `ask` on the rows to be timed, and rank documents for the rows with judgements."""
    from chatbot.ask import BatchAnswerer, search
    from chatbot.replies import Turn, to_dict
    from chatbot.reply import Chatbot

    settings, embedder = _opened(index=store)
    bot = Chatbot(settings, embedder)
    timed = [
        (row["question"], tuple(Turn(turn["role"], turn["content"]) for turn in row["history"]))
        for row in rows
        if row["timed"]
    ]
    for question, turns in timed[:_WARM_UP]:
        to_dict(bot.reply(question, turns))
    search_ms, ask_ms = [], []
    for question, turns in timed:
        started = time.perf_counter()
        search(bot, question, turns, _HITS)
        search_ms.append(1000 * (time.perf_counter() - started))
    for question, turns in timed:
        started = time.perf_counter()
        to_dict(bot.reply(question, turns))
        ask_ms.append(1000 * (time.perf_counter() - started))
    judged = [row for row in rows if row["judged"]]
    answerer = BatchAnswerer(bot)
    ranking: dict[str, list[Any]] = {}
    for start in range(0, len(judged), _BATCH):
        batch = judged[start : start + _BATCH]
        found = answerer.search([(row["question"], row["history"]) for row in batch])
        ranking |= {row["id"]: answer["ranking"][:_RANKED] for row, answer in zip(batch, found, strict=True)}
    return {"search_ms": search_ms, "ask_ms": ask_ms, "ranking": ranking}


if __name__ == "__main__":
    main()
