"""What a benchmark is run on: the documents, all or a sample, in the forms that the sides read, and the questions.

Is: files written once before the first run. Is not: timed.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from chatbot.bench.figures import BenchFault
from chatbot.evaluation.questions import Question
from corpus.documents import Document
from corpus.load import load, walk

# Enough for a 95th percentile that stands still; more would only take longer.
_TIMED = 200
_JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Asked:
    """What all sides are given.

    `sources` are the files as they came, for the side that reads them; `corpus` holds the same documents as JSON
    Lines {"_id", "title", "text"}, for a side that reads nothing else. `questions` is the file of all questions;
    `timed` and `judged` are those that are timed and ranked; `cold` texts that a cold process is asked.
    """

    sources: tuple[Path, ...]
    corpus: Path
    questions: Path
    documents: int
    words: int
    timed: tuple[Question, ...]
    judged: tuple[Question, ...]
    cold: tuple[str, ...]


def prepare(sources: Sequence[Path], questions: Sequence[Question], work: Path, sample: int | None = None) -> Asked:
    """Write what the sides read into `work`.

    Without questions, the questions and titles of the documents are asked, and nothing is judged.

    Raises:
        BenchFault: there is nothing to index or to ask.
    """
    taken = tuple(path.resolve() for path in sources)
    if sample is not None:
        taken = (write_sample(taken, work / "sample", sample),)
    corpus, words = work / "corpus.jsonl", 0
    names: dict[str, str] = {}
    with corpus.open("w", encoding="utf-8") as file:
        for entry in load(taken):
            if isinstance(entry, Document):
                names[entry.id] = entry.question or entry.title
                words += len(entry.text.split())
                row = {"_id": entry.id, "title": entry.title, "text": entry.text}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if not names:
        raise BenchFault("no document can be read from the corpus: name files or folders that 'followup index' reads")
    if questions:
        asked = [q for q in questions if sample is None or q.relevant_ids <= set(names)]
    else:
        asked = [Question(name, text) for name, text in names.items() if text]
    if not asked:
        raise BenchFault("no question to ask: give --questions, or documents that have titles")
    timed = spread_over(asked, _TIMED)
    judged = tuple(question for question in asked if question.relevant_ids)
    path = work / "questions.jsonl"
    _write_questions(path, timed, judged)
    first = [question.question for question in timed if not question.depth] or [question.question for question in timed]
    return Asked(taken, corpus, path, len(names), words, timed, judged, spread_over(first, 10))


def spread_over(rows: Sequence[Row], count: int) -> tuple[Row, ...]:
    """Return `count` of the rows, evenly spread, in their order; all of them where there are no more.

    Example:
        >>> spread_over("abcdefg", 3)
        ('a', 'd', 'g')
    """
    if len(rows) <= count:
        return tuple(rows)
    if count == 1:
        return (rows[0],)
    return tuple(rows[round(place * (len(rows) - 1) / (count - 1))] for place in range(count))


def write_sample(sources: Sequence[Path], folder: Path, count: int) -> Path:
    """Write `count` documents of the sources, evenly spread, into `folder` and return it.

    A line of a JSON Lines file is a document, any other file is one (or several, e.g. of PubMed XML, which come
    whole).
    """
    if count < 1:
        raise BenchFault(f"--sample {count}: at least one document is needed")
    places = list(_documents(sources))
    folder.mkdir(parents=True)
    for number, (path, line) in enumerate(spread_over(places, count)):
        if line is None:
            shutil.copyfile(path, folder / f"{number:07d}-{path.name}")
        else:
            with (folder / "sample.jsonl").open("ab") as file:
                file.write(line.rstrip(b"\n") + b"\n")
    return folder


def _documents(sources: Sequence[Path]) -> Iterator[tuple[Path, bytes | None]]:
    for path, _ in walk(sources):
        if path.name.endswith(_JSON_LINES):
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
                yield from ((path, line) for line in lines if line.strip())
        else:
            yield path, None


def _write_questions(path: Path, timed: Sequence[Question], judged: Sequence[Question]) -> None:
    wanted = {question.id: question for question in (*timed, *judged)}
    is_timed, is_judged = {q.id for q in timed}, {q.id for q in judged}
    with path.open("w", encoding="utf-8") as file:
        for name, question in wanted.items():
            row = {
                "id": name,
                "question": question.question,
                "history": question.history_rows(),
                "timed": name in is_timed,
                "judged": name in is_judged,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
