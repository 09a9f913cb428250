"""Chooses what to quote: whole sentences and list items that answer, each with its context and its citation.

Is: extraction; every statement is verbatim from its passage. Is not: a writer, and not a judge of whether the
passages answer at all (see `confidence.py`).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

import numpy as np

from chatbot.answer.evidence import Evidence
from chatbot.answer.injection import is_instruction
from chatbot.replies import CitedPassage, Statement
from chatbot.understand.followup import Resolution
from chatbot.understand.polarity import polarity_bonus, statement_polarity
from corpus.citations import strip_markers
from corpus.documents import Document
from index.embedding import Embedder, Vectors
from index.lexical import content_terms, terms_of
from index.opened import OpenIndex
from index.passages import Passage, Unit

# A passage is quoted from only if it scores at least this share of the best one.
_PASSAGE_SHARE = 0.8
# Where those hold nothing that suits the question, others are tried down to this share of the best one.
_FURTHER_SHARE = 0.6
# A unit is quoted only if it scores at least this share of the best unit.
_UNIT_SHARE = 0.72
# Units whose meaning is compared with the question's; those that share fewest words with it are left out before.
_COMPARED_UNITS = 12
# Added to the other items of the list that answers best: an exception alone, without the step that it excepts from, misleads.
_SAME_LIST_BONUS = 0.04
# Two statements that share this much of their meaning or words say the same.
_SAME_MEANING = 0.92
_SAME_WORDS = 0.75
# What a unit's score is made of. The passage was found by more evidence than one sentence holds.
# Of 220 medquad answers 87 % cited a relevant document when the passage weighed .3, 94 % at this weight.
_PASSAGE_WEIGHT = 0.70
_MEANING_WEIGHT = 0.25
_WORDS_WEIGHT = 0.15
# Added when a unit speaks for or against as the question asks; scaled from -1..1.
POLARITY_WEIGHT = 0.15
# Added to a unit that holds what a dose question asks for: a number with a unit.
_AMOUNT_BONUS = 0.12
_MAXIMUM_BONUS = 0.08
_AMOUNT = re.compile(
    r"\d\s*(?:mg|mcg|micrograms?|milligrams?|grams?|g|ml|mL|litres?|units?|IU|mmol|%|tablets?|puffs?|drops?)\b",
    re.IGNORECASE,
)
_MAXIMUM = re.compile(
    r"\b(?:max(?:imum)?|up to|at most|no more than|not (?:to )?exceed|limit|ceiling)\b", re.IGNORECASE
)
# A unit of fewer words says nothing alone; under a lead-in it may.
_MIN_WORDS = 4


# Says whether a text with its context may be shown for this question.
Suits = Callable[[str, tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit that may be quoted. `hit` is a position in the evidence; `score` rises with how well it answers."""

    hit: int
    unit: Unit
    text: str
    context: tuple[str, ...]
    score: float
    vector: Vectors
    terms: frozenset[str]


class UnitVectors:
    """Vectors of units by their text, the last used kept: a conversation returns to the same passages.

    Safe to share between threads.
    """

    def __init__(self, embedder: Embedder, capacity: int = 20_000) -> None:
        self._embedder = embedder
        self._capacity = capacity
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension)."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._embedder.embed(missing), strict=True))
        with self._lock:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return np.array([known[text] for text in texts], dtype=np.float32)


def compose(
    resolution: Resolution,
    evidence: Evidence,
    opened: OpenIndex,
    vectors: UnitVectors,
    *,
    max_statements: int,
    suits: Suits = lambda text, context: True,
) -> tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]:
    """Return statements, passage by passage in the evidence's order, and the passages that they cite, numbered.

    Within a passage statements keep their source's order. `suits(text, context)` may refuse a unit, e.g. an adult
    dose for a question about a child. Both are empty if nothing can be quoted.
    """
    chosen = _choose(_candidates(resolution, evidence, opened, vectors, suits), max_statements)
    statements: list[Statement] = []
    passages: list[CitedPassage] = []
    for position in dict.fromkeys(candidate.hit for candidate in chosen):
        passage = evidence.hits[position].passage
        document = opened.records.document(passage.document_id)
        quoted = sorted((c for c in chosen if c.hit == position), key=lambda c: c.unit.start)
        number = len(passages) + 1
        statements += [
            Statement(c.text, (number,), c.context, c.unit.start, c.unit.end, statement_polarity(c.text, c.context))
            for c in quoted
        ]
        passages.append(cite(number, passage, document, [c.unit for c in quoted]))
    return tuple(statements), tuple(passages)


def cite(number: int, passage: Passage, document: Document, units: Iterable[Unit]) -> CitedPassage:
    """Return a passage as it is shown, with the references that the quoted units themselves cite."""
    cited = dict.fromkeys(n for unit in units for n in document.cited_numbers(unit.start, unit.end))
    return CitedPassage(
        number=number,
        passage_id=passage.id,
        document_id=document.id,
        title=document.title,
        kind=document.kind,
        year=document.year,
        section=passage.section,
        text=passage.text,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        url=document.url,
        review_status=document.review_status,
        references=tuple(entry for n in cited if (entry := document.reference(n))),
        source=document.source,
        last_updated=document.last_updated,
        superseded_by=document.superseded_by,
        flags=(*document.flags, *(("check_numbers",) if passage.uncertain else ())),
        audience=document.audience,
    )


def unit_context(document: Document, passage: Passage, unit: Unit) -> tuple[str, ...]:
    """Return what a unit must be read under: headings, then lead-ins, then the notes that qualify it."""
    lead_ins = tuple(document.text[start:end] for start, end in unit.lead_ins)
    notes = tuple(document.text[start:end] for start, end in unit.notes)
    return (*passage.section, *(strip_markers(text) for text in lead_ins), *notes)


def _candidates(
    resolution: Resolution, evidence: Evidence, opened: OpenIndex, vectors: UnitVectors, suits: Suits
) -> list[Candidate]:
    wanted = frozenset(content_terms(resolution.standalone_question))
    titles = [hit.passage.title for hit in evidence.hits]
    found: list[_Row] = []
    left = sorted(range(len(evidence.hits)), key=lambda position: -evidence.hits[position].score)
    top = best = evidence.hits[left[0]].score if left else 0.0
    # The best passage may hold nothing for the medicine or the people that are asked about; then the next counts.
    while left and not found and (best := evidence.hits[left[0]].score) >= _FURTHER_SHARE * top:
        near = [p for p in left if p == left[0] or evidence.hits[p].score >= _PASSAGE_SHARE * best]
        left = left[len(near) :]
        rows = _rows(evidence, opened, wanted, near)
        # A sentence that gives orders to a language model is no advice to a reader.
        suited = (row for row in rows if suits(row[3], (titles[row[1]], *row[4])) and not is_instruction(row[3]))
        found = list(islice(_about_topic(suited, resolution.focus.topic, titles), _COMPARED_UNITS))
    if not found:
        return []
    made = _stored_vectors([(position, unit) for _, position, unit, *_ in found], evidence, opened)
    if made is None:
        made = vectors.of([" ".join((*context, text)) for _, _, _, text, context, _ in found])
    meanings = made @ evidence.vector
    return [
        Candidate(
            position,
            unit,
            text,
            context,
            _MEANING_WEIGHT * float(meaning)
            + _WORDS_WEIGHT * shared
            + _PASSAGE_WEIGHT * evidence.hits[position].score / best
            + _bonus(resolution, text, context),
            vector,
            terms,
        )
        for (shared, position, unit, text, context, terms), meaning, vector in zip(found, meanings, made, strict=True)
    ]


def _about_topic(rows: Iterable[_Row], topic: str, titles: Sequence[str]) -> list[_Row]:
    """Return the rows without those of lists that name the topic in another item alone.

    Of "causes of calf pain" only the item on rhabdomyolysis is about rhabdomyolysis.
    """
    wanted = set(content_terms(topic))
    kept = list(rows)

    def names(row: _Row) -> bool:
        return bool(wanted & row[5]) or bool(wanted & set(terms_of(titles[row[1]])))

    named = {(row[1], row[2].lead_ins) for row in kept if names(row)}
    return [row for row in kept if not row[2].lead_ins or names(row) or (row[1], row[2].lead_ins) not in named]


_Row = tuple[float, int, Unit, str, tuple[str, ...], frozenset[str]]


def _rows(evidence: Evidence, opened: OpenIndex, wanted: frozenset[str], positions: Sequence[int]) -> list[_Row]:
    """Return the quotable units of the hits at `positions`, those that share most words with the question first."""
    rows: list[_Row] = []
    for position in sorted(positions):
        hit = evidence.hits[position]
        document = opened.records.document(hit.passage.document_id)
        openers = {start for unit in hit.passage.units for start, _ in unit.lead_ins}
        for unit in hit.passage.units:
            # "Do not do the following." is no statement without what follows.
            if unit.kind == "paragraph" and any(unit.start <= start < unit.end for start in openers):
                continue
            text = document.text[unit.start : unit.end]
            context = unit_context(document, hit.passage, unit)
            if not _quotable(text, unit, context):
                continue
            terms = frozenset(terms_of(" ".join((text, *context))))
            shared = len(wanted & terms) / max(1, len(wanted))
            rows.append((shared, position, unit, text, context, terms))
    # Words first, then meaning: comparing every sentence of eight passages would cost more than the search.
    rows.sort(key=lambda row: (-row[0] * 0.5 - evidence.hits[row[1]].score, row[1], row[2].start))
    return rows


def _stored_vectors(units: Sequence[tuple[int, Unit]], evidence: Evidence, opened: OpenIndex) -> Vectors | None:
    """Return the vectors of (hit, unit) as they were made at build time, None if the index holds none."""
    rows = []
    for position, unit in units:
        hit = evidence.hits[position]
        vector = opened.unit_vectors(hit.row, [hit.passage.units.index(unit)])
        if vector is None:
            return None
        rows.append(vector[0])
    return np.array(rows, dtype=np.float32)


def _bonus(resolution: Resolution, text: str, context: tuple[str, ...]) -> float:
    question = resolution.standalone_question
    bonus = POLARITY_WEIGHT * polarity_bonus(question, text, context)
    if "dose" in resolution.asked and _AMOUNT.search(text):
        bonus += _AMOUNT_BONUS
        if _MAXIMUM.search(question) and _MAXIMUM.search(text):
            bonus += _MAXIMUM_BONUS
    return bonus


def _quotable(text: str, unit: Unit, context: tuple[str, ...]) -> bool:
    """Say whether a unit can stand as a statement: it asks nothing, points at nothing and introduces nothing."""
    # A mark that points at a footnote stands after the full stop.
    bare = strip_markers(text).rstrip(" *†‡§¶")
    if unit.leans or bare.endswith(("?", ":")) or not any(char.isalpha() for char in bare):
        return False
    if unit.kind == "paragraph" and not bare.endswith((".", "!", ")", "]", '"', "”", "’", ";")):
        # A paragraph without an end is a heading that its format lost, or a sentence that was cut.
        return False
    return len(bare.split()) >= _MIN_WORDS or bool(unit.lead_ins) or unit.kind == "row"


def _choose(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    """Return the best units, no two of which say the same, at most `limit`."""
    chosen: list[Candidate] = []
    ranked = _with_its_list(sorted(candidates, key=_by_score))
    for candidate in ranked:
        if len(chosen) == limit or candidate.score < _UNIT_SHARE * ranked[0].score:
            break
        if not any(_same(candidate, other) for other in chosen):
            chosen.append(candidate)
    return chosen


def _by_score(candidate: Candidate) -> tuple[float, int, int]:
    return -candidate.score, candidate.hit, candidate.unit.start


def _with_its_list(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates, best first, with the items of the best one's list moved up a little."""
    if not ranked or not ranked[0].unit.lead_ins:
        return list(ranked)
    best = ranked[0]
    moved = [
        replace(c, score=min(best.score, c.score + _SAME_LIST_BONUS))
        if c.hit == best.hit and c.unit.lead_ins == best.unit.lead_ins
        else c
        for c in ranked
    ]
    return sorted(moved, key=_by_score)


def _same(one: Candidate, other: Candidate) -> bool:
    if one.hit == other.hit and one.unit.lead_ins and one.unit.lead_ins == other.unit.lead_ins:
        # Neighbours in a list are alike by their lead-in; only equal words make them the same.
        return one.text == other.text
    if not one.unit.lead_ins and not other.unit.lead_ins and (one.text in other.text or other.text in one.text):
        return True
    shared = len(one.terms & other.terms) / max(1, min(len(one.terms), len(other.terms)))
    return float(one.vector @ other.vector) > _SAME_MEANING or (
        shared > _SAME_WORDS and one.text[:40] == other.text[:40]
    )
