"""The hybrid search: a query's meaning and its words, fused; pure, given its two ranked lists.

Is: a weighted sum of normalised dense and lexical scores, and a bonus for sections of the kind that is asked for.
Is not: an understanding of follow-ups; it is given standalone questions and weighted evidence (see `Query`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.intents import Intent, intent_bits, question_intents
from index.lexical import content_terms, terms_of
from index.passages import Passage

# The dense share of the fused score. Fitted on 2,000 consumer and research questions: .5 to .7 differ by less
# than a point of nDCG@10 (see CONTRIBUTING, "Tried and dropped").
DENSE_WEIGHT = 0.6
# Added when a passage's section is of the kind that the question asks for ("how is it treated?" -> Treatment).
INTENT_BONUS = 0.15
# How deep the lexical list goes; deeper ones changed nothing.
LEXICAL_DEPTH = 300
# How many of the fused scores are looked at for the section bonus, per hit that is wanted.
_BONUS_DEPTH = 400


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for.

    `text` stands alone. `context` are texts from the turns before with their weights, mixed into both halves of
    the search; `intents` are the kinds of section that are asked for (None: as the text says). `boosts` are
    added to the fused scores of rows, e.g. passages cited in the last turn. `allowed` masks rows, e.g. those of
    approved documents.
    """

    text: str
    context: tuple[tuple[str, float], ...] = ()
    intents: frozenset[Intent] | None = None
    boosts: tuple[tuple[int, float], ...] = ()
    expansions: tuple[tuple[str, float], ...] = ()
    allowed: NDArray[np.bool_] | None = None

    @property
    def asked(self) -> frozenset[Intent]:
        """Return the kinds of section that it asks for."""
        return question_intents(self.text) if self.intents is None else self.intents

    def weighted_terms(self) -> dict[str, float]:
        """Return stemmed terms with their weights: those of the question count 1, others what their text counts."""
        terms = dict.fromkeys(content_terms(self.text) or terms_of(self.text), 1.0)
        for text, weight in (*self.context, *self.expansions):
            for term in content_terms(text):
                terms[term] = max(terms.get(term, 0.0), weight)
        return terms


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its scores: `score` is the fused one that ranks, the others are what it was made from.

    `dense` is a cosine similarity; `lexical` is BM25 divided by the best of its query, 0 to 1.
    """

    row: int
    passage: Passage
    score: float
    dense: float
    lexical: float
    intent: bool


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows with their scores, best first; arrays of shape (n,)."""

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    dense: NDArray[np.float64]
    lexical: NDArray[np.float64]
    intent: NDArray[np.bool_]

    def first(self, count: int) -> Ranked:
        """Return the best `count` rows."""
        part = slice(0, count)
        return Ranked(self.rows[part], self.scores[part], self.dense[part], self.lexical[part], self.intent[part])


def fuse(
    dense: Mapping[int, float] | NDArray[np.float32],
    lexical: Sequence[tuple[int, float]],
    query: Query,
    section_intents: NDArray[np.uint16],
    limit: int,
) -> Ranked:
    """Rank rows by the weighted sum of both lists, best first, ties by row.

    `dense` holds a cosine for every row (an array), or for some (a mapping: the rest is not ranked). `lexical`
    is (row, BM25 score), best first. `section_intents` are the bits (see `intent_bits`) of every row.
    """
    if isinstance(dense, np.ndarray):
        rows = np.arange(len(dense))
        cosines = dense.astype(np.float64)
    else:
        rows = np.fromiter(sorted(dense), dtype=np.int64, count=len(dense))
        cosines = np.array([dense[int(row)] for row in rows])
    words = np.zeros(len(rows))
    if lexical:
        best = lexical[0][1] or 1.0
        at = np.searchsorted(rows, [row for row, _ in lexical])
        words[at] = [score / best for _, score in lexical]
    fused = DENSE_WEIGHT * cosines + (1 - DENSE_WEIGHT) * words
    for row, boost in query.boosts:
        fused[np.searchsorted(rows, row)] += boost
    if query.allowed is not None:
        fused[~query.allowed[rows]] = -np.inf
    depth = min(len(rows), max(_BONUS_DEPTH, 2 * limit))
    top = np.argpartition(-fused, depth - 1)[:depth] if depth < len(rows) else np.arange(len(rows))
    matches = (section_intents[rows[top]] & intent_bits(query.asked)) != 0
    fused = fused[top] + INTENT_BONUS * matches
    order = np.lexsort((rows[top], -fused))
    order = order[np.isfinite(fused[order])][:limit]
    kept = top[order]
    return Ranked(rows[kept], fused[order], cosines[kept], words[kept], matches[order])


class Words(Protocol):
    """What finds passages by their words; see `LexicalIndex.search`."""

    def search(self, terms: Mapping[str, float], limit: int) -> list[tuple[int, float]]: ...


def lexical_hits(words: Words, query: Query, depth: int = LEXICAL_DEPTH) -> list[tuple[int, float]]:
    """Return (row, BM25 score) for a query's weighted terms, best first."""
    return words.search(query.weighted_terms(), depth)
