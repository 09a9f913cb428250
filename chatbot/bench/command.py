"""What `followup bench` does: runs a benchmark into a folder, or compares two that were run.

Is: files in, files out. Is not: the command line (see `cli.py`), nor a clock (see `run.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatbot.bench.figures import BenchFault, compare
from chatbot.bench.report import as_markdown, as_page, as_text, comparison_table, figures_table
from chatbot.bench.run import Tell, run_bench
from chatbot.evaluation.questions import read_questions

_METRICS = "metrics.json"


def bench(
    sources: Sequence[Path],
    out: Path,
    *,
    questions: Sequence[Path],
    against: Sequence[Path],
    model_folder: Path,
    runs: int,
    sample: int | None,
    tell: Tell,
) -> dict[str, Any]:
    """Run a benchmark, write `metrics.json`, `report.md` and `report.html` into `out`, and return the metrics.

    Raises:
        BenchFault, EvaluationFault: it cannot be run as asked.
    """
    asked = read_questions(questions) if questions else ()
    metrics: dict[str, Any] = {}
    for metrics in run_bench(
        sources, asked, out, against=against, model_folder=model_folder, runs=runs, sample=sample, tell=tell
    ):
        # After each run: one that is stopped has not run for nothing.
        _write(metrics, out)
    return metrics


def _write(metrics: dict[str, Any], out: Path) -> None:
    (out / _METRICS).write_text(json.dumps(metrics, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(as_markdown(metrics), encoding="utf-8")
    (out / "report.html").write_text(as_page(metrics), encoding="utf-8")


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return what a benchmark wrote. Raises BenchFault if `folder` holds none."""
    try:
        found = json.loads((folder / _METRICS).read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found["sides"], dict) and isinstance(found["ratios"], dict):
            return found
    except (OSError, ValueError, KeyError):
        pass
    raise BenchFault(
        f"{folder}: holds no {_METRICS} of a benchmark; run one with 'followup bench CORPUS --out {folder}'"
    )


def changes(old: Path, new: Path) -> list[dict[str, Any]]:
    """Return how the benchmark in `new` differs from that in `old`, as `figures.compare` says it.

    Raises BenchFault if either is none, or they share no measure.
    """
    rows = compare(read_metrics(old), read_metrics(new))
    if not rows:
        raise BenchFault(f"{old} and {new} share no measure: run both over the same sides")
    return rows


def shown(metrics: dict[str, Any]) -> str:
    """Return the table of a benchmark for a terminal."""
    return as_text(figures_table(metrics))


def shown_changes(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table of a comparison for a terminal."""
    return as_text(comparison_table(rows))
