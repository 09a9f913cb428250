"""Two runs over the same questions, side by side.

Is: paired bootstrap intervals of the difference, measure by measure. Is not: a test of significance over many
measures at once; with twenty measures one in twenty intervals misses zero by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chatbot.evaluation.measures import GROUPS, RETRIEVAL, Rating
from chatbot.evaluation.summary import auroc, round_value

# Enough that the 2.5 % and 97.5 % points stand still in the third decimal (Efron & Tibshirani 1993, ch. 13).
RESAMPLES = 10_000
# The same runs must give the same interval.
_SEED = 20_240_229
# Resamples drawn at a time, so that 10,000 questions need tens of megabytes, not gigabytes.
_CHUNK = 500


def compare_ratings(ours: Sequence[Rating], theirs: Sequence[Rating]) -> dict[str, Any]:
    """Return measure -> {"ours", "theirs", "difference", "low", "high", "n"}, and the same by tag for retrieval.

    Only questions that both runs have count, and per measure only those to which it applies in both. `low` and
    `high` bound the 95 % percentile interval of the mean difference (ours − theirs) over paired resamples of
    the questions.
    """
    other = {rating.id: rating for rating in theirs}
    pairs = [(rating, other[rating.id]) for rating in ours if rating.id in other]
    names = [name for group in GROUPS.values() for name in group]
    tags = sorted({tag for rating, _ in pairs for tag in rating.tags})
    measures = _compare_measures(pairs, names)
    if area := _compare_auroc(pairs):
        measures["AUROC"] = area
    return {
        "questions": len(pairs),
        "resamples": RESAMPLES,
        "interval": 0.95,
        "measures": measures,
        "by_tag": {tag: _compare_measures([row for row in pairs if tag in row[0].tags], RETRIEVAL[:1]) for tag in tags},
    }


def bootstrap_interval(differences: np.ndarray, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of `differences`, resampled with replacement.

    subtle: a resample's mean depends only on how often each distinct value was drawn, so the counts of distinct
    values are drawn (multinomially) in place of the questions; most differences of two runs are equal.
    Source: Efron & Tibshirani 1993, section 13.3; Sakai 2006 for its use in retrieval.
    """
    values, counts = np.unique(differences, return_counts=True)
    if len(values) == 1:
        return float(values[0]), float(values[0])
    size = len(differences)
    generator = np.random.default_rng(_SEED)
    drawn = [
        generator.multinomial(size, counts / size, size=min(_CHUNK, resamples - start)) @ values / size
        for start in range(0, resamples, _CHUNK)
    ]
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
    return float(low), float(high)


def bootstrap_auroc(
    ours: np.ndarray, theirs: np.ndarray, positive: np.ndarray, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the difference of two AUROCs over the same questions.

    Positives and negatives are resampled apart, so that every resample has both (a stratified bootstrap).
    """
    gain = _wins(ours, positive) - _wins(theirs, positive)
    n_positive, n_negative = gain.shape
    generator = np.random.default_rng(_SEED)
    drawn = []
    for start in range(0, resamples, _CHUNK):
        rows = min(_CHUNK, resamples - start)
        weights = _resample_counts(generator, rows, n_positive) @ gain
        counts = _resample_counts(generator, rows, n_negative)
        drawn.append((weights * counts).sum(axis=1) / (n_positive * n_negative))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5])
    return float(low), float(high)


def _compare_measures(pairs: Sequence[tuple[Rating, Rating]], names: Sequence[str]) -> dict[str, Any]:
    result = {}
    for name in names:
        both = [(a.values[name], b.values[name]) for a, b in pairs if name in a.values and name in b.values]
        if not both:
            continue
        table = np.array(both)
        # Rounding makes equal what only differs by the order of additions, so that distinct values stay few.
        low, high = bootstrap_interval(np.round(table[:, 0] - table[:, 1], 9))
        result[name] = _row(table[:, 0].mean(), table[:, 1].mean(), low, high, len(both))
    return result


def _compare_auroc(pairs: Sequence[tuple[Rating, Rating]]) -> dict[str, Any]:
    known = [
        (a.confidence, b.confidence, a.answerable)
        for a, b in pairs
        if a.answerable is not None and a.confidence is not None and b.confidence is not None
    ]
    positive = np.array([row[2] for row in known], dtype=bool)
    if not positive.any() or positive.all():
        return {}
    ours = np.array([row[0] for row in known], dtype=float)
    theirs = np.array([row[1] for row in known], dtype=float)
    low, high = bootstrap_auroc(ours, theirs, positive)
    return _row(auroc(ours, positive), auroc(theirs, positive), low, high, len(known))


def _row(ours: float, theirs: float, low: float, high: float, n: int) -> dict[str, Any]:
    return {
        "ours": round_value(ours),
        "theirs": round_value(theirs),
        "difference": round_value(ours - theirs),
        "low": round_value(low),
        "high": round_value(high),
        "n": n,
    }


def _wins(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    # (n_positive, n_negative) float32: 1 where the positive is above the negative, ½ where they are level.
    above = scores[positive][:, None] - scores[~positive][None, :]
    return ((np.sign(above) + 1) / 2).astype(np.float32)


def _resample_counts(generator: np.random.Generator, rows: int, size: int) -> np.ndarray:
    # (rows, size) float32: how often each of `size` things was drawn in each resample.
    drawn = generator.integers(size, size=(rows, size)) + np.arange(rows)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float32)
