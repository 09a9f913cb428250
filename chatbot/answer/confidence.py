"""How likely the passages found answer the question: one calibrated probability from features with names.

Is: a logistic regression whose few coefficients lie in `confidence.json` with how they were made. Is not: a
judge of whether the passages are right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from index.lexical import content_terms, terms_of
from index.opened import OpenIndex
from index.search import Hit

# How many of the best passages are looked at; the answer is quoted from these.
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for an answer; each from 0 to 1.

    `similarity`: cosine of the best passage. `coverage`: share of the question's words, weighted by rarity, that
    one passage with its title holds; `focus`: the same for the words of the topic; `title`: share of the topic's
    words in one title or heading (in its text, for a document without a title); `unknown`: share of the topic's
    words, weighted by rarity, that no passage of the index holds.
    """

    similarity: float
    coverage: float
    focus: float
    title: float
    unknown: float


def features(questions: Sequence[str], topics: Sequence[str], hits: Sequence[Hit], opened: OpenIndex) -> Features:
    """Return the features of a standalone question and its topic, for what was found, best first.

    Both come with their twins in other words ("heart attack", "myocardial infarction"): what holds for one holds.
    """
    top = hits[:_DEPTH]
    if not top:
        return Features(0, 0, 0, 0, 1)
    asked = [content_terms(question) for question in questions]
    about = [content_terms(topic) for topic in topics]
    about = [terms for terms in about if terms] or asked
    rarity = {term: _rarity(term, opened) for terms in (*asked, *about) for term in terms}
    heads = [set(terms_of(" ".join((hit.passage.title, *hit.passage.section)))) for hit in top]
    texts = [
        head.union(terms_of(" ".join((*hit.passage.lead_ins, hit.passage.text))))
        for head, hit in zip(heads, top, strict=True)
    ]
    held = {term for terms in about for term in terms if opened.store.document_frequency(term)}
    return Features(
        similarity=max(0.0, *(hit.dense for hit in top)),
        coverage=max(_share(terms, text, rarity) for terms in asked for text in texts),
        focus=max(_share(terms, text, rarity) for terms in about for text in texts),
        title=max(
            _share(terms, head if hit.passage.title else text, rarity)
            for terms in about
            for hit, head, text in zip(top, heads, texts, strict=True)
        ),
        unknown=1.0 - max(_share(terms, held, rarity) for terms in about),
    )


def probability(values: Features) -> float:
    """Return the calibrated probability that passages with these features answer, rounded to 4 places."""
    model = _model()
    total = model["intercept"] + sum(model["weights"][name] * value for name, value in asdict(values).items())
    return round(1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total)))), 4)


def default_threshold() -> float:
    """Return the probability below which the product abstains unless it is told otherwise."""
    return float(_model()["threshold"])


@cache
def _model() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((Path(__file__).parent / "confidence.json").read_text("utf-8"))
    assert set(values["weights"]) == {field.name for field in fields(Features)}
    return values


def _rarity(term: str, opened: OpenIndex) -> float:
    """Return the inverse document frequency that BM25 uses; a term that stands nowhere is the rarest."""
    size, found = len(opened.store), opened.store.document_frequency(term)
    return math.log(1.0 + (size - found + 0.5) / (found + 0.5))


def _share(wanted: Sequence[str], held: set[str], rarity: dict[str, float]) -> float:
    total = sum(rarity[term] for term in wanted)
    return sum(rarity[term] for term in wanted if term in held) / total if total else 0.0
