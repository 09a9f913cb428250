"""Means over groups of questions: all, by tag, by turn depth, follow-ups, abstention, latency.

Is: pure functions from ratings to the plain values of metrics.json. Is not: where one reply is rated (see
`measures.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from chatbot.evaluation.measures import FOLLOW_UPS, GROUPS, RETRIEVAL, Rating

# Points of the risk–coverage curve that metrics.json keeps; more would not be seen in a plot.
_CURVE_POINTS = 101


def means(ratings: Sequence[Rating], names: Iterable[str]) -> dict[str, Any]:
    """Return name -> mean over the ratings that have it, and under "n" how many those are.

    Example: `{"nDCG@10": 0.91, "n": {"nDCG@10": 120}}`; a measure that applies to no rating is left out.
    """
    row: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for name in names:
        found = [rating.values[name] for rating in ratings if name in rating.values]
        if found:
            row[name] = round_value(sum(found) / len(found))
            counts[name] = len(found)
    return {**row, "n": counts} if row else {}


def summarise(ratings: Sequence[Rating]) -> dict[str, Any]:
    """Return every measure over all questions, by tag, by turn depth, for follow-ups and for abstention."""
    every = tuple(name for names in GROUPS.values() for name in names)
    tags = sorted({tag for rating in ratings for tag in rating.tags})
    depths = sorted({rating.depth for rating in ratings})

    def counted(rows: Sequence[Rating]) -> dict[str, Any]:
        return {"questions": len(rows), **means(rows, every)}

    summary: dict[str, Any] = {name: means(ratings, names) for name, names in GROUPS.items()}
    summary["abstention"] = summarise_abstention(ratings)
    summary["follow_up"] = _summarise_follow_ups(ratings)
    summary["by_tag"] = {tag: counted([row for row in ratings if tag in row.tags]) for tag in tags}
    summary["by_depth"] = {str(depth): counted([row for row in ratings if row.depth == depth]) for depth in depths}
    summary["latency_ms"] = summarise_latency(ratings)
    return summary


def summarise_written_out(ratings: Sequence[Rating], written_out: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Compare each follow-up with the same question written out in full.

    `written_out` is `rate_rankings` of the reference run. Returns "overall", "by_tag" and "by_depth", each
    measure -> {"asked", "written_out", "ratio"} and "n"; the ratio of the means is 1 when nothing was lost.
    """
    paired = [rating for rating in ratings if rating.id in written_out]

    def compare(rows: Sequence[Rating]) -> dict[str, Any]:
        result: dict[str, Any] = {"n": len(rows)}
        for name in RETRIEVAL:
            asked = sum(row.values[name] for row in rows) / len(rows)
            reference = sum(written_out[row.id][name] for row in rows) / len(rows)
            result[name] = {
                "asked": round_value(asked),
                "written_out": round_value(reference),
                "ratio": round_value(asked / reference) if reference else None,
            }
        return result

    if not paired:
        return {}
    tags = sorted({tag for row in paired for tag in row.tags})
    depths = sorted({row.depth for row in paired})
    return {
        "overall": compare(paired),
        "by_tag": {tag: compare([row for row in paired if tag in row.tags]) for tag in tags},
        "by_depth": {str(depth): compare([row for row in paired if row.depth == depth]) for depth in depths},
    }


def summarise_abstention(ratings: Sequence[Rating]) -> dict[str, Any]:
    """Return how well `confidence` tells answerable questions from unanswerable ones.

    Over the ratings with a confidence and a known answerability. Empty when there are none.
    """
    known = [row for row in ratings if row.confidence is not None and row.answerable is not None]
    if not known:
        return {}
    scores = np.array([row.confidence for row in known], dtype=float)
    positive = np.array([row.answerable for row in known], dtype=bool)
    wrong = np.array([not row.answerable or row.values.get("P@1") == 0.0 for row in known], dtype=bool)
    curve, area = risk_coverage(scores, positive, wrong)
    result: dict[str, Any] = {"answerable": int(positive.sum()), "unanswerable": int((~positive).sum())}
    if positive.any() and not positive.all():
        result["AUROC"] = round_value(auroc(scores, positive))
        result["AP"] = round_value(average_precision(scores, positive))
    result["AURC"] = round_value(area)
    result["risk_coverage"] = curve
    answered = np.array([bool(row.answered) for row in known])
    if any(row.answered is not None for row in known):
        result["at_default_threshold"] = {
            "coverage": round_value(answered.mean()),
            "risk": round_value(wrong[answered].mean()) if answered.any() else None,
        }
    return result


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return the area under the ROC curve, ties counted half; both classes must be there.

    Source: Hanley & McNeil 1982, the Mann–Whitney statistic with mid-ranks.
    """
    _, groups, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - (sizes - 1) / 2
    n_positive = int(positive.sum())
    rank_sum = middle[groups][positive].sum()
    pairs = n_positive * (len(scores) - n_positive)
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / pairs)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores, highest first; one positive at least must be there.

    Source: Manning, Raghavan & Schütze 2008, section 8.4, without interpolation; tied scores enter together.
    """
    order, ends = _falling(scores)
    hits = np.cumsum(positive[order])[ends]
    recall_gained = np.diff(hits, prepend=0) / positive.sum()
    return float((recall_gained * hits / (ends + 1)).sum())


def risk_coverage(scores: np.ndarray, positive: np.ndarray, wrong: np.ndarray) -> tuple[list[dict[str, float]], float]:
    """Return the risk–coverage curve, from the strictest threshold down, and the area under it.

    At each threshold the questions with a confidence at or above it are answered; coverage is their share,
    risk the share of them that is wrong: unanswerable, or the first document is not relevant. Questions with
    equal confidence enter together. Source: El-Yaniv & Wiener 2010; Geifman, Uziel & El-Yaniv 2019 (area).
    """
    order, ends = _falling(scores)
    answered = ends + 1
    risk = np.cumsum(wrong[order])[ends] / answered
    area = float((risk * np.diff(answered, prepend=0)).sum() / len(scores))
    hits = np.cumsum(positive[order])[ends]
    n_positive = max(1, int(positive.sum()))
    n_negative = max(1, int((~positive).sum()))
    kept = np.unique(np.linspace(0, len(ends) - 1, min(_CURVE_POINTS, len(ends))).round().astype(int))
    points = [
        {
            "threshold": round_value(scores[order][ends[point]]),
            "coverage": round_value(answered[point] / len(scores)),
            "risk": round_value(risk[point]),
            "answered_answerable": round_value(hits[point] / n_positive),
            "answered_unanswerable": round_value((answered[point] - hits[point]) / n_negative),
        }
        for point in kept
    ]
    return points, area


def _falling(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The order of falling scores, and the last position of each run of equal ones.
    order = np.argsort(-scores, kind="stable")
    changes = np.flatnonzero(np.diff(scores[order])) if len(scores) > 1 else np.array([], dtype=int)
    return order, np.append(changes, len(scores) - 1)


def summarise_latency(ratings: Sequence[Rating]) -> dict[str, dict[str, float]]:
    """Return stage -> p50, p95, p99, max and mean of `timings_ms`, in milliseconds, linearly interpolated."""
    stages = dict.fromkeys(stage for rating in ratings for stage in rating.timings_ms)
    result = {}
    for stage in stages:
        times = [rating.timings_ms[stage] for rating in ratings if stage in rating.timings_ms]
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        row = {"p50": p50, "p95": p95, "p99": p99, "max": max(times), "mean": sum(times) / len(times)}
        result[stage] = {name: round(float(value), 3) for name, value in row.items()}
    return result


def round_value(value: Any) -> float:
    """Return a plain float with six decimals: more would be noise, and machines would differ in them."""
    return round(float(value), 6)


def _summarise_follow_ups(ratings: Sequence[Rating]) -> dict[str, Any]:
    first = means([row for row in ratings if row.depth == 0], (*RETRIEVAL, *FOLLOW_UPS))
    later = means([row for row in ratings if row.depth > 0], (*RETRIEVAL, *FOLLOW_UPS))
    if not later:
        return {}
    ratio = {name: round_value(later[name] / first[name]) for name in RETRIEVAL if first.get(name) and name in later}
    return {"first": first, "later": later, "later_to_first": ratio}
