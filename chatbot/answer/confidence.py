"""How likely the passages found answer the question: one calibrated probability from features with names.

Is: a logistic regression whose few coefficients lie in `confidence.json` with how they were made, and a closer look
at single statements where whole passages say too little. Is not: a judge of whether the passages are right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.citations import strip_markers
from index.lexical import content_terms, terms_of
from index.opened import OpenIndex
from index.search import Hit

# How many of the best passages are looked at; the answer is quoted from these.
_DEPTH = 5
# How many statements are read by themselves, where that is done at all; up to six change nothing.
_READ_ALONE = 3
# What such a statement may lend at most: a short text that repeats a short question's words is nearer to it than any
# passage. The lower quartile of passages that answer is .69 on MedQuAD, .72 on PubMedQA.
_LENT_AT_MOST = 0.70


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for an answer; each from 0 to 1.

    `similarity`: cosine of the best passage, or of a statement (see `look_closer`). `coverage`: share of the
    question's words, weighted by rarity, that one passage with its title holds; `focus`: the same for the words of
    the topic; `title`: share of the topic's words in one title or heading (in its text, for a document without a
    title); `unknown`: share of the topic's words, weighted by rarity, that no passage of the index holds.
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


def look_closer(
    values: Features, question: str, topics: Sequence[str], hits: Sequence[Hit], opened: OpenIndex
) -> Features:
    """Return the features with the similarity of a statement that names one of the topics (twins) in full.

    Of the first `_READ_ALONE` such statements, in the order of the passages, the nearest counts.

    A passage that lists the medicines for a disease is not near a question on one of them: its vector is that of the
    disease. The item itself is near, read under its lead-in but without its neighbours. One that holds a part of the
    topic's words is about something else, however near it is. Nothing falls: passages that are nearer count on.
    """
    wanted = [terms for topic in topics if (terms := frozenset(content_terms(topic)))]
    texts = list(islice((text for hit in hits[:_DEPTH] for text in _naming(wanted, hit, opened)), _READ_ALONE))
    if not texts:
        return values
    asked, *read = opened.embedder.embed([question, *texts])
    lent = min(_LENT_AT_MOST, max(float(asked @ one) for one in read))
    return replace(values, similarity=max(values.similarity, lent))


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


def _naming(wanted: Sequence[frozenset[str]], hit: Hit, opened: OpenIndex) -> Iterator[str]:
    """Yield the statements of a passage, each under its lead-ins, that hold all terms of one of the topics."""
    text = opened.records.document(hit.passage.document_id).text
    for unit in hit.passage.units:
        parts = [text[start:end] for start, end in (*unit.lead_ins, (unit.start, unit.end))]
        stated = " ".join(strip_markers(part) for part in parts)
        # "Do not prescribe:" says nothing before its items do.
        if not stated.endswith(":") and any(terms.issubset(terms_of(stated)) for terms in wanted):
            yield stated


def _rarity(term: str, opened: OpenIndex) -> float:
    """Return the inverse document frequency that BM25 uses; a term that stands nowhere is the rarest."""
    size, found = len(opened.store), opened.store.document_frequency(term)
    return math.log(1.0 + (size - found + 0.5) / (found + 0.5))


def _share(wanted: Sequence[str], held: set[str], rarity: dict[str, float]) -> float:
    total = sum(rarity[term] for term in wanted)
    return sum(rarity[term] for term in wanted if term in held) / total if total else 0.0
