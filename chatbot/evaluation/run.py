"""Run an evaluation: ask every question, keep every reply, measure, report.

Is: batching, resuming and the files of the output folder. Is not: how an answer is found (see `Answerer`, which
the command line fills in).
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from chatbot.evaluation.compare import compare_ratings
from chatbot.evaluation.exports import write_rows
from chatbot.evaluation.measures import DEFINITIONS, Rating, rate, rate_rankings
from chatbot.evaluation.questions import EvaluationFault, Question, fingerprint
from chatbot.evaluation.report import report
from chatbot.evaluation.summary import summarise, summarise_written_out
from chatbot.evaluation.trec import decode_id, read_run, run_lines
from chatbot.evaluation.wording import summarise_wording

# Questions that are searched together: enough to fill the embedder's batches many times over, few enough that
# progress moves every second or two and an interruption costs little.
BATCH_SIZE = 64
# A change of what these files hold: an older folder is then not resumed.
_FORMAT = 1
_REPLIES, _RUN, _WRITTEN_OUT, _MANIFEST = "replies.jsonl", "run.trec", "standalone.trec", "manifest.json"
_RESULTS = ("metrics.json", "report.html", "report.md", "ragas.jsonl", "deepeval.jsonl")

Progress = Callable[[int, int], None]


class Answerer(Protocol):
    """What is evaluated. Both methods are deterministic: the same batch gives the same replies.

    `ask` returns the reply object of `followup ask`; `search` takes (question, history) pairs and returns one
    `followup search` object each, with `confidence` and `timings_ms`, and with `outcome` where it is known. Both
    add "ranking": (document id, score) pairs, best first, up to 100.
    """

    index_version: str
    settings_fingerprint: str

    def ask(self, question: str, history: list[dict[str, str]]) -> dict[str, Any]: ...

    def search(self, batch: Sequence[tuple[str, list[dict[str, str]]]]) -> list[dict[str, Any]]: ...


def evaluate(
    questions: Sequence[Question],
    *,
    answerer: Answerer,
    out: Path,
    search_only: bool = False,
    resume: bool = False,
    compare: Path | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Ask `questions`, write all files into `out`, and return what metrics.json holds.

    With `resume`, replies that `out` already holds are kept and the rest is asked; the files are then the same
    as those of one run, times aside. Without it a run that stands in `out` is replaced. `compare` is the folder
    of another run over the same questions. Questions that carry `standalone` are also searched written out
    (`standalone.trec`). `progress` is told how many searches are done and how many there are.

    Raises:
        EvaluationFault: `out` cannot be resumed or `compare` is no finished run.
    """
    other = _read_other(questions, compare, out) if compare is not None else ()
    written_out = [question for question in questions if question.standalone]
    total = len(questions) + len(written_out)
    tell = progress or (lambda done, total: None)
    manifest = {
        "format": _FORMAT,
        "questions": fingerprint(questions),
        "index_version": answerer.index_version,
        "settings_fingerprint": answerer.settings_fingerprint,
        "mode": "search" if search_only else "ask",
    }
    step = BATCH_SIZE if search_only else 1
    done, seconds = _open_folder(out, manifest, questions, step, resume)
    tell(done, total)
    with (
        (out / _RUN).open("a", encoding="utf-8", newline="\n") as run,
        (out / _REPLIES).open("a", encoding="utf-8", newline="\n") as replies,
    ):
        for first in range(done, len(questions), step):
            batch = questions[first : first + step]
            started = clock()
            answers = _search(batch, answerer) if search_only else [_ask(batch[0], answerer)]
            seconds += clock() - started
            for question, answer in zip(batch, answers, strict=True):
                _keep(question, answer, run, replies)
            _write_whole(out / _MANIFEST, json.dumps({**manifest, "seconds": round(seconds, 3)}) + "\n")
            tell(first + len(batch), total)
    if written_out and not (out / _WRITTEN_OUT).exists():
        _search_written_out(written_out, answerer, out, lambda count: tell(len(questions) + count, total))
    ratings = read_ratings(questions, out)
    metrics: dict[str, Any] = {
        "questions": len(questions),
        **{name: manifest[name] for name in ("mode", "index_version", "settings_fingerprint")},
        "seconds": round(seconds, 3),
        "questions_per_second": round(len(questions) / seconds, 3) if seconds else None,
        "outcomes": dict(sorted(Counter(row.outcome for row in ratings if row.outcome).items())),
        **summarise(ratings),
    }
    if written_out:
        reference = rate_rankings(written_out, _read_run(out / _WRITTEN_OUT))
        metrics["standalone_reference"] = summarise_written_out(ratings, reference)
    if other:
        metrics["compare"] = compare_ratings(ratings, other)
    if worded := summarise_wording(read_replies(out)):
        metrics["wording"] = worded
        if compare is not None:
            # Side by side on the same questions only.
            both = frozenset(row.id for row in ratings) & frozenset(row.id for row in other)
            metrics["compare"]["wording"] = {
                "ours": summarise_wording(read_replies(out), both),
                "theirs": summarise_wording(read_replies(compare), both),
            }
    metrics["definitions"] = DEFINITIONS
    _write_whole(out / "metrics.json", json.dumps(metrics, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    page, short = report(metrics, questions, ratings, read_replies(out))
    _write_whole(out / "report.html", page)
    _write_whole(out / "report.md", short)
    write_rows(questions, read_replies(out), out)
    return metrics


def read_replies(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the replies of a run in order, without the last line if it was cut off."""
    with (folder / _REPLIES).open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)


def read_ratings(questions: Sequence[Question], folder: Path) -> tuple[Rating, ...]:
    """Rate what a run's folder holds of `questions`, from its files alone."""
    return rate(questions, read_replies(folder), _read_run(folder / _RUN))


@contextmanager
def terminal_progress() -> Iterator[Progress | None]:
    """Show a bar with the time left on standard error while the block runs; None if that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("questions", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _search(batch: Sequence[Question], answerer: Answerer) -> list[dict[str, Any]]:
    return answerer.search([(question.question, question.history_rows()) for question in batch])


def _ask(question: Question, answerer: Answerer) -> dict[str, Any]:
    return answerer.ask(question.question, question.history_rows())


def _search_written_out(
    questions: Sequence[Question], answerer: Answerer, out: Path, tell: Callable[[int], None]
) -> None:
    # Written at its end in one piece: that the file exists says that it is whole.
    lines: list[str] = []
    for first in range(0, len(questions), BATCH_SIZE):
        batch = questions[first : first + BATCH_SIZE]
        found = answerer.search([(question.standalone, []) for question in batch])
        for question, reply in zip(batch, found, strict=True):
            lines += run_lines(question.id, reply["ranking"], "standalone")
        tell(first + len(batch))
    _write_whole(out / _WRITTEN_OUT, "".join(lines))


def _keep(question: Question, reply: dict[str, Any], run: IO[str], replies: IO[str]) -> None:
    # The ranking first: a reply that stands in its file is then known to have its ranking in the other.
    run.write("".join(run_lines(question.id, reply["ranking"], "followup")))
    run.flush()
    row = {"id": question.id, **{name: value for name, value in reply.items() if name != "ranking"}}
    replies.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    replies.flush()


def _open_folder(
    out: Path, manifest: dict[str, Any], questions: Sequence[Question], step: int, resume: bool
) -> tuple[int, float]:
    """Make `out` ready to be appended to; return how many questions are done, and the seconds they took."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationFault(f"{out}: cannot be made ({error.strerror}); give another --out") from None
    if resume and (out / _MANIFEST).exists():
        seconds = _check_manifest(out, manifest)
        return _trim(out, questions, step), seconds
    for name in (_MANIFEST, _REPLIES, _RUN, _WRITTEN_OUT, *_RESULTS):
        (out / name).unlink(missing_ok=True)
    _write_whole(out / _MANIFEST, json.dumps({**manifest, "seconds": 0.0}) + "\n")
    return 0, 0.0


_DIFFERENCES = {
    "format": "was written by another version of the program",
    "questions": "was run on other questions",
    "index_version": "was run on another index",
    "settings_fingerprint": "was run with other settings",
    "mode": "was run in the other mode (--search-only or not)",
}


def _check_manifest(out: Path, manifest: dict[str, Any]) -> float:
    remedy = "leave out --resume to start afresh, or give another --out"
    try:
        found = json.loads((out / _MANIFEST).read_text(encoding="utf-8"))
        seconds = float(found["seconds"])
    except (ValueError, KeyError, TypeError):
        raise EvaluationFault(f"{out}: manifest.json cannot be read; {remedy}") from None
    for name, difference in _DIFFERENCES.items():
        if found.get(name) != manifest[name]:
            raise EvaluationFault(f"{out}: this run {difference}; {remedy}")
    return seconds


def _trim(out: Path, questions: Sequence[Question], step: int) -> int:
    # Cut both files back to whole batches: a batch that is searched again in other company may differ in the
    # last bits of its scores, and the result must be that of one run.
    ends = _reply_ends(out / _REPLIES, questions)
    done = len(ends) if len(ends) == len(questions) else len(ends) - len(ends) % step
    with (out / _REPLIES).open("ab") as replies:
        replies.truncate(ends[done - 1] if done else 0)
    kept = {question.id for question in questions[:done]}
    with (out / _RUN).open("a+", encoding="utf-8", newline="\n") as run:
        run.seek(0)
        lines = [line for line in run if line.endswith("\n") and decode_id(line.split(" ", 1)[0]) in kept]
    _write_whole(out / _RUN, "".join(lines))
    return done


def _reply_ends(path: Path, questions: Sequence[Question]) -> list[int]:
    # The byte offset after each reply that is whole and stands where it should.
    ends: list[int] = []
    content = path.read_bytes() if path.exists() else b""
    for question, line in zip(questions, content.splitlines(keepends=True), strict=False):
        try:
            whole = line.endswith(b"\n") and json.loads(line)["id"] == question.id
        except (ValueError, KeyError, TypeError):
            break
        if not whole:
            break
        ends.append((ends[-1] if ends else 0) + len(line))
    return ends


def _read_other(questions: Sequence[Question], compare: Path, out: Path) -> tuple[Rating, ...]:
    # Read before anything is asked: a wrong folder should be found out at once, not after an hour.
    if compare.resolve() == out.resolve():
        raise EvaluationFault(f"{compare}: --compare and --out are the same folder; give another --out")
    remedy = "give --compare the --out of an earlier run"
    for name in (_REPLIES, _RUN):
        if not (compare / name).is_file():
            raise EvaluationFault(f"{compare}: holds no {name}; {remedy}")
    try:
        ratings = read_ratings(questions, compare)
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationFault(f"{compare}: its replies or rankings cannot be read ({error}); {remedy}") from None
    if not ratings:
        raise EvaluationFault(f"{compare}: has none of these questions; {remedy} over the same questions")
    return ratings


def _read_run(path: Path) -> dict[str, dict[str, float]]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        return read_run(lines)


def _write_whole(path: Path, text: str) -> None:
    # Aside, then renamed: a reader finds the old file or the new one, never half of it.
    aside = path.with_name(path.name + ".part")
    aside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(aside, path)
