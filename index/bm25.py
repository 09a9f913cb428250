"""The document half of the weighted BM25, passage by passage, for stores that add weights up themselves.

Is: the formula and the statistics that `lexical.py` leaves to tantivy, to the same scores: a search is then the sum,
over a query's terms, of their weight in the query times their weight in the passage. Is not: a search.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from index.lexical import FIELD_WEIGHTS, LexicalEntry, terms_of

# Source: tantivy 0.27, src/query/bm25.rs: the constants of Robertson and Zaragoza (2009), "The Probabilistic
# Relevance Framework: BM25 and Beyond", section 3.5.
_K1, _B = 1.2, 0.75
# Lengths up to here are kept as they are, longer ones in four significant bits.
# Source: tantivy 0.27, src/fieldnorm/code.rs.
_EXACT_LENGTH = 24


@dataclass(slots=True)
class TermStatistics:
    """What BM25 needs to know of all passages: how many hold a term in a field, and how long fields are."""

    passages: int = 0
    holding: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FIELD_WEIGHTS})
    terms_in: Counter[str] = field(default_factory=Counter)

    def frequency(self, term: str) -> int:
        """Return in how many passages a term stands, in the field where it is most frequent."""
        return max(counts[term] for counts in self.holding.values())

    def terms(self) -> list[str]:
        """Return every term, sorted."""
        return sorted(set().union(*self.holding.values()))

    def inverse_frequency(self, name: str, term: str) -> float:
        """Return how much a match of a term in a field says."""
        held = self.holding[name][term]
        return math.log(1 + (self.passages - held + 0.5) / (held + 0.5))


def count_terms(entries: Iterable[LexicalEntry]) -> TermStatistics:
    """Return the statistics of all passages."""
    found = TermStatistics()
    for entry in entries:
        found.passages += 1
        for name, counts in found.holding.items():
            terms = _terms(entry, name)
            counts.update(set(terms))
            found.terms_in[name] += len(terms)
    return found


def document_weights(entry: LexicalEntry, statistics: TermStatistics) -> dict[str, float]:
    """Return what each term of a passage adds to its score when a query holds it with weight 1.

    Example:
        >>> entry = LexicalEntry(0, "Cramp", "", "", "")
        >>> document_weights(entry, count_terms([entry]))  # 2 (title) · ln(4/3) (in 1 of 1) · 2.2 / 2.2 (length 1 of 1)
        {'cramp': 0.5753641449035617}
    """
    weights: dict[str, float] = {}
    for name, field_weight in FIELD_WEIGHTS.items():
        terms = _terms(entry, name)
        if not terms:
            continue
        mean = statistics.terms_in[name] / statistics.passages
        slowness = _K1 * (1 - _B + _B * kept_length(len(terms)) / mean)
        for term, count in Counter(terms).items():
            share = count * (_K1 + 1) / (count + slowness)
            weights[term] = weights.get(term, 0.0) + field_weight * statistics.inverse_frequency(name, term) * share
    return weights


def kept_length(length: int) -> int:
    """Return a field's length as tantivy keeps it in one byte: rounded down, four significant bits above 24.

    Example:
        >>> [kept_length(length) for length in (7, 40, 41, 57, 61, 300)]
        [7, 40, 40, 56, 60, 280]
    """
    over = length - _EXACT_LENGTH
    dropped = max(0, over.bit_length() - 4) if over > 0 else 0
    return (over >> dropped << dropped) + _EXACT_LENGTH


def _terms(entry: LexicalEntry, name: str) -> list[str]:
    text = getattr(entry, name)
    return terms_of(text) if text else []
