"""Runs the sides of a benchmark, each step in a process of its own, one side after the other, run after run.

Is: where processes are started and measured: A B A B. Is not: what a side does (see `side.py` for what each must
understand), nor arithmetic (see `figures.py`).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.bench.figures import MEASURES, BenchFault, by_measure, percentile, ratios
from chatbot.bench.sources import Asked, prepare
from chatbot.evaluation.measures import rate_rankings
from chatbot.evaluation.questions import Question

OURS = "followup"
_FORMAT = 1
# How often a cold process is started in one run; its median counts.
_COLD_STARTS = 3
_MIB = 1 << 20
# The vectors kept for the next build are no part of what is searched.
_NOT_INDEX = ("vectors.sqlite", "vectors.sqlite.sealed", "writer.lock")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Side:
    """One of those that are compared: its name, and the commands of its three steps, without their last argument."""

    name: str
    index: tuple[str, ...]
    search: tuple[str, ...]
    ask: tuple[str, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Done:
    """A process that has ended: its output, wall seconds, and the most memory that it held."""

    output: str
    seconds: float
    peak_mib: float


def run_bench(
    sources: Sequence[Path],
    questions: Sequence[Question],
    out: Path,
    *,
    against: Sequence[Path] = (),
    model_folder: Path,
    runs: int = 3,
    sample: int | None = None,
    tell: Tell = lambda line: None,
) -> Iterator[dict[str, Any]]:
    """Measure our side and each program of `against`; yield after each run what `metrics.json` holds so far.

    `sample` is how many documents are taken, evenly spread, and with them the questions about them.

    Raises:
        BenchFault: a program fails, or there is nothing to index or to ask.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="stores-") as scratch:
        work = Path(scratch)
        tell("reading the corpus")
        asked = prepare(sources, questions, work, sample)
        sides = [_ours(asked), *(_program(path, asked, model_folder) for path in against)]
        _run([sys.executable, "-m", "chatbot.bench.side", "ready"], OURS)
        found: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
        counts: dict[str, dict[str, int]] = {}
        for number in range(runs):
            for side in sides:
                tell(f"run {number + 1} of {runs}: {side.name}")
                figures, counts[side.name] = _measure(side, asked, work)
                found[side.name].append(figures)
            yield {
                "format": _FORMAT,
                "machine": _machine(),
                "corpus": {"documents": asked.documents, "words": asked.words, "sampled": sample},
                "questions": {"timed": len(asked.timed), "judged": len(asked.judged)},
                "runs": number + 1,
                "what": {side.name: side.words for side in sides if side.words},
                "counts": counts,
                "each_run": found,
                "sides": {name: by_measure(rows) for name, rows in found.items()},
                "ratios": {name: ratios(found[OURS], rows) for name, rows in found.items() if name != OURS},
                "definitions": {measure.name: measure.words for measure in MEASURES},
            }


def _ours(asked: Asked) -> Side:
    module = (sys.executable, "-m", "chatbot.bench.side")
    followup = (sys.executable, "-c", "from chatbot.cli import main; main()", "ask", "--json", "--index", "STORE", "--")
    return Side(
        OURS,
        (*module, "index", "--store", "STORE", "--sources", *map(str, asked.sources)),
        (*module, "search", "--store", "STORE", "--questions", str(asked.questions)),
        followup,
        "the whole answer: understood, found, judged, quoted, with its notices",
    )


def _program(path: Path, asked: Asked, model_folder: Path) -> Side:
    if not path.is_file():
        raise BenchFault(f"--against {path}: no such program; see chatbot/bench/side.py for what it must understand")
    common = ("--model", str(model_folder), "--store", "STORE")
    program = (sys.executable, str(path.resolve()))
    words = _run([*program, "--version"], path.name).output.strip()
    return Side(
        path.stem,
        (*program, "index", *common, "--corpus", str(asked.corpus)),
        (*program, "search", *common, "--questions", str(asked.questions)),
        (*program, "ask", *common, "--question"),
        words,
    )


def _measure(side: Side, asked: Asked, work: Path) -> tuple[dict[str, float], dict[str, int]]:
    """Return one side's figures of one run, and how many passages it made of how many documents."""
    store = work / f"store-{side.name}"
    try:
        indexed = _run(_with(side.index, store), side.name)
        made = _json(indexed.output, side.name, ("passages", "documents", "seconds"))
        figures = {
            "passages_per_second": made["passages"] / max(made["seconds"], 1e-9),
            "words_per_second": asked.words / max(made["seconds"], 1e-9),
            "index_seconds": indexed.seconds,
            "index_peak_mib": indexed.peak_mib,
            "index_mib": _size_mib(store),
        }
        warm = _run(_with(side.search, store), side.name)
        answered = _json(warm.output, side.name, ("search_ms", "ask_ms", "ranking"))
        for name in ("search", "ask"):
            times = answered[f"{name}_ms"]
            figures |= {f"{name}_p50_ms": percentile(times, 50), f"{name}_p95_ms": percentile(times, 95)}
        figures["warm_peak_mib"] = warm.peak_mib
        cold = [_run([*_with(side.ask, store), text], side.name) for text in asked.cold[:_COLD_STARTS]]
        figures["cold_ask_seconds"] = percentile([done.seconds for done in cold], 50)
        figures["cold_ask_peak_mib"] = max(done.peak_mib for done in cold)
        figures |= _quality(asked.judged, answered["ranking"])
    finally:
        shutil.rmtree(store, ignore_errors=True)
    return {name: round(value, 4) for name, value in figures.items()}, {
        name: int(made[name]) for name in ("passages", "documents")
    }


def _quality(judged: Sequence[Question], ranking: dict[str, list[list[Any]]]) -> dict[str, float]:
    run = {name: {document: float(score) for document, score in rows} for name, rows in ranking.items()}
    values = rate_rankings(judged, run)
    result = {}
    for name, depth in (("nDCG@10", False), ("nDCG@10 follow-up", True)):
        found = [values[q.id]["nDCG@10"] for q in judged if q.id in values and bool(q.depth) == depth]
        if found:
            result[name] = sum(found) / len(found)
    return result


def _with(command: Sequence[str], store: Path) -> list[str]:
    return [str(store) if part == "STORE" else part for part in command]


def _run(command: Sequence[str], name: str) -> _Done:
    """Run a process to its end. Raises BenchFault if it fails."""
    # The project's own folder comes first, wherever this was started from.
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with _captured() as (output, errors):
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment)
        peak = _wait(process)
        seconds = time.perf_counter() - started
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            last = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
            raise BenchFault(f"{name}: {' '.join(command[:4])} … ended with {process.returncode}: {last[0]}")
        return _Done(output.read().decode("utf-8", "replace"), seconds, peak)


@contextmanager
def _captured() -> Iterator[tuple[Any, Any]]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        yield output, errors


def _wait(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; return the most memory in MiB that it held, 0 where the system does not say."""
    if not hasattr(os, "wait4"):
        process.wait()
        return 0.0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes.
    return float(usage.ru_maxrss) / (_MIB if sys.platform == "darwin" else 1024)


def _json(output: str, name: str, keys: Sequence[str]) -> dict[str, Any]:
    try:
        found = json.loads(output.strip().splitlines()[-1])
        return {key: found[key] for key in keys}
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise BenchFault(
            f"{name}: must print a JSON object with {', '.join(keys)}; printed {output[-80:]!r}"
        ) from error


def _size_mib(store: Path) -> float:
    files = [path for path in store.rglob("*") if path.is_file() and path.name not in _NOT_INDEX]
    return sum(path.stat().st_size for path in files) / _MIB


def _machine() -> dict[str, Any]:
    from index.embedding import available_cores

    return {
        "cores": available_cores(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
