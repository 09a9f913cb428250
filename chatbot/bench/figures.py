"""What a benchmark measures, and the arithmetic on it: percentiles, ratios with their spread, regressions.

Is: pure functions from numbers to numbers, each measure named and defined once. Is not: a clock (see `run.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Better = Literal["more", "less"]
# One side's measures of one run; a measure that does not apply is not there.
Figures = Mapping[str, float]
# Timings of one machine differ by some per cent from one run to the next: less than this is no regression.
_SLACK = 0.10
# nDCG@10 does not depend on the machine; what the project calls no loss is a difference of less than this.
_QUALITY_SLACK = 0.005


class BenchFault(Exception):
    """A benchmark cannot be run or read as asked; the message is one line with the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured; `title` is for people, `words` are enough to measure it again."""

    name: str
    title: str
    unit: str
    better: Better
    words: str

    @property
    def is_quality(self) -> bool:
        """Say whether it is a measure of quality, which does not depend on the machine."""
        return self.name.startswith("nDCG")


MEASURES = (
    Measure("passages_per_second", "indexing", "/s", "more", "passages of the side's own cutting, over the seconds from the first "
            "file read to the finished index; starting the process and importing is not in it"),
    Measure("words_per_second", "indexing, words", "/s", "more", "words of the corpus over the same seconds: sides cut passages of "
            "different lengths"),
    Measure("index_seconds", "index, whole", "s", "less", "the whole process that makes the index, start to end"),
    Measure("index_peak_mib", "index memory", "MiB", "less", "the most memory that this process held"),
    Measure("index_mib", "index size", "MiB", "less", "files that stand on the disk when it has ended, caches for the next build apart"),
    Measure("search_p50_ms", "search p50", "ms", "less", "one question to its ten best passages in a process that has answered before; median"),
    Measure("search_p95_ms", "search p95", "ms", "less", "the same, 95th percentile"),
    Measure("ask_p50_ms", "ask p50", "ms", "less", "one question to its answer in a process that has answered before; median"),
    Measure("ask_p95_ms", "ask p95", "ms", "less", "the same, 95th percentile"),
    Measure("warm_peak_mib", "warm memory", "MiB", "less", "the most memory that this process held"),
    Measure("cold_ask_seconds", "cold ask", "s", "less", "a process that answers one question, start to end; median of its repeats"),
    Measure("cold_ask_peak_mib", "cold memory", "MiB", "less", "the most memory that one of these processes held"),
    Measure("nDCG@10", "nDCG@10", "", "more", "of the ten best documents, over the questions with judgements that were asked first"),
    Measure("nDCG@10 follow-up", "nDCG follow-ups", "", "more", "the same over the questions with turns before them"),
)  # fmt: skip
BY_NAME = {measure.name: measure for measure in MEASURES}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed, between two by their distance.

    Example:
        >>> percentile([1.0, 2.0, 3.0, 4.0], 50), percentile([1.0, 2.0, 3.0], 95)
        (2.5, 2.9)
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 9)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median of some runs, the smallest and the largest."""
    return {"median": median(values), "low": min(values), "high": max(values)}


def by_measure(runs: Sequence[Figures]) -> dict[str, dict[str, float]]:
    """Return measure -> spread over the runs that have it, in the order of `MEASURES`."""
    return {
        measure.name: spread(found)
        for measure in MEASURES
        if (found := [run[measure.name] for run in runs if measure.name in run])
    }


def ratios(ours: Sequence[Figures], theirs: Sequence[Figures]) -> dict[str, dict[str, float]]:
    """Return measure -> spread of how many times better we are, run by run: above 1 is in our favour.

    Runs are compared in pairs that were taken one after the other, so that what slowed the machine slowed both.
    """
    result: dict[str, dict[str, float]] = {}
    for measure in MEASURES:
        pairs = [
            (a[measure.name], b[measure.name])
            for a, b in zip(ours, theirs, strict=True)
            if a.get(measure.name) and b.get(measure.name)
        ]
        if pairs:
            result[measure.name] = spread([a / b if measure.better == "more" else b / a for a, b in pairs])
    return result


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each measure of each side that both benchmarks have, the worst change first.

    `old` and `new` are what `metrics.json` holds. `times_better` is above 1 where the new one is better. It is a
    `regression` where the new median is worse by more than 10 % and the runs of the two do not overlap; for nDCG
    where the median is lower by more than .005. Timings compare only on one machine; `against` rows compare the
    ratios to the other side, which hold across machines.
    """
    rows = []
    for side, figures in new["sides"].items():
        rows += _changes(side, old["sides"].get(side, {}), figures)
    for side, found in new.get("ratios", {}).items():
        rows += _changes(f"against {side}", old.get("ratios", {}).get(side, {}), found, is_ratio=True)
    return sorted(rows, key=lambda row: (not row["regression"], row["times_better"]))


def _changes(
    side: str, old: Mapping[str, Any], new: Mapping[str, Any], *, is_ratio: bool = False
) -> list[dict[str, Any]]:
    rows = []
    for name, now in new.items():
        before, measure = old.get(name), BY_NAME[name]
        if before is None or not before["median"] or not now["median"]:
            continue
        more = is_ratio or measure.better == "more"
        times = now["median"] / before["median"] if more else before["median"] / now["median"]
        if measure.is_quality and not is_ratio:
            worse = before["median"] - now["median"] > _QUALITY_SLACK
        else:
            apart = now["high"] < before["low"] if more else now["low"] > before["high"]
            worse = apart and times < 1 / (1 + _SLACK)
        rows.append(
            {
                "side": side,
                "measure": name,
                "old": before,
                "new": dict(now),
                "times_better": round(times, 4),
                "regression": worse,
            }
        )
    return rows
