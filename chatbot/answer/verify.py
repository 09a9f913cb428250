"""The gate: decides which written statements may stand, against the passages that they cite.

Is: pure; the same for every model; each check is a rule with a name, and a check that cannot decide fails the
statement. Is not: a language model, nor a judge of whether a passage is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from chatbot.answer.gate_checks import check_claim
from chatbot.answer.gate_claims import Claim, claims_of
from chatbot.answer.gate_clauses import adapted, read
from chatbot.answer.gate_records import (
    DEFAULT_THRESHOLDS,
    Draft,
    Entailment,
    Failure,
    Similarity,
    Source,
    SourceUnit,
    Support,
    Thresholds,
    Verdict,
    tidy,
)
from chatbot.answer.gate_words import names_in
from chatbot.answer.injection import holds_markup, is_instruction
from corpus.citations import strip_markers
from corpus.sentences import split_sentences

__all__ = [
    "DEFAULT_THRESHOLDS",
    "GATE_VERSION",
    "Draft",
    "Entailment",
    "Failure",
    "Gate",
    "Similarity",
    "Source",
    "SourceUnit",
    "Support",
    "Thresholds",
    "Verdict",
    "best_quote",
    "check_statement",
    "tidy",
    "verify",
]

# Raised with every rule below, so that two reports can be told apart.
GATE_VERSION = 4
# A longer statement is an essay: nothing that a passage says in one place needs more.
MAX_STATEMENT_CHARS = 500


class Gate:
    """Checks drafts one by one; remembers which quotes it has shown, so that none is shown twice."""

    def __init__(
        self,
        sources: Sequence[Source],
        similarity: Similarity,
        *,
        entailment: Entailment | None = None,
        thresholds: Thresholds = DEFAULT_THRESHOLDS,
    ) -> None:
        self._sources = {source.number: _without_instructions(source) for source in sources}
        self._similarity = similarity
        self._entailment = entailment
        self._thresholds = thresholds
        self._shown: set[str] = set()

    def judge(self, draft: Draft) -> Verdict:
        """Return what becomes of one draft."""
        cited = [self._sources[number] for number in dict.fromkeys(draft.citations) if number in self._sources]
        if not cited:
            return Verdict(draft, "dropped", Failure("no_citation"))
        outcome = check_statement(draft.text, cited, self._similarity, self._thresholds, self._entailment)
        if isinstance(outcome, Failure):
            return self._in_its_place(draft, cited, outcome)
        key = _key(draft.text)
        if key in self._shown:
            return Verdict(draft, "dropped", Failure("repeated"))
        self._shown.add(key)
        return Verdict(draft, "kept", None, outcome)

    def _in_its_place(self, draft: Draft, cited: Sequence[Source], failure: Failure) -> Verdict:
        quote = best_quote(draft.text, cited)
        if quote is None or failure.check in ("empty", "instruction", "markup"):
            return Verdict(draft, "dropped", failure)
        key = _key(quote.unit.text)
        if key in self._shown:
            return Verdict(draft, "dropped", failure)
        self._shown.add(key)
        return Verdict(draft, "replaced", failure, (quote,))


def verify(drafts: Iterable[Draft], gate: Gate) -> tuple[Verdict, ...]:
    """Return a verdict for each draft, in order."""
    return tuple(gate.judge(draft) for draft in drafts)


def check_statement(
    text: str,
    sources: Sequence[Source],
    similarity: Similarity,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    entailment: Entailment | None = None,
) -> tuple[Support, ...] | Failure:
    """Return the units that a statement stands on, or why it may not stand.

    Every sentence of it, and every claim of a sentence, must stand on one unit of one source.
    """
    text = tidy(text)
    if failure := _form(text):
        return failure
    for source in sources:
        for unit in source.units:
            if _key(unit.text) == _key(text) and not unit.lead_in:
                return (Support(source.number, unit),)
    sources = [_by_sentence(source) for source in sources]
    supports: list[Support] = []
    for start, end in split_sentences(text):
        found = _check_sentence(text[start:end], sources, similarity, thresholds, entailment)
        if isinstance(found, Failure):
            return found
        supports += found
    return tuple(dict.fromkeys(supports))


def _key(text: str) -> str:
    """Return what makes two texts the same to a reader: their words, without the source's citation marks."""
    return tidy(strip_markers(text)).lower()


@lru_cache(512)
def _by_sentence(source: Source) -> Source:
    """Return a source whose units are single sentences; each keeps the place of the unit that it came from."""
    units = tuple(
        replace(unit, text=part)
        for unit in source.units
        for start, end in split_sentences(unit.text)
        for part in _parts(unit.text[start:end])
    )
    return Source(source.number, source.title, units)


# "If …, …; …": what comes after the semicolon is not under the condition; "In adults, …; …" goes on about adults.
_CONDITION_THEN_MORE = re.compile(r"\s*(?:if|when|once|unless|until|after|before)\b[^;]*;(?=\s)", re.IGNORECASE)


def _parts(sentence: str) -> tuple[str, ...]:
    first = _CONDITION_THEN_MORE.match(sentence)
    return (first.group(), sentence[first.end() :].strip()) if first else (sentence,)


def best_quote(text: str, sources: Sequence[Source]) -> Support | None:
    """Return the quotable unit that shares most with a statement; None if none shares a third of its words."""
    names = read(tidy(text)[:MAX_STATEMENT_CHARS]).names
    best: tuple[float, Support] | None = None
    for source in sources:
        for unit in source.units:
            if not unit.quotable or holds_markup(unit.text):
                continue
            score = len(names & read(unit.whole).names) / max(1, len(names))
            if score >= _QUOTE_SHARE and (best is None or score > best[0]):
                best = (score, Support(source.number, unit))
    return best[1] if best else None


# A quote that shares less with what the model wrote answers something else.
_QUOTE_SHARE = 1 / 3


def _without_instructions(source: Source) -> Source:
    """Leave out sentences that speak to a model: they are no evidence, and are never quoted."""
    return Source(source.number, source.title, tuple(unit for unit in source.units if not is_instruction(unit.text)))


# A sentence ends as one, or has a verb that shows that it is one; a title, a question or a line that was cut off says nothing.
_ENDS = re.compile(r"[.!][)\]”\"'’]*$")
_CUT_OFF = re.compile(
    r"(?:\.\.\.|…|[?,;:(–—-]|\b(?i:such|such as|as|of|the|an?|and|or|with|to|in|for|by|from|that|which|than|is|are)\.?|(?<!\w)[b-z])$"
)
_SAYS = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|should|must|may|might|can|could|will|would|shall|cannot|needs?|"
    r"avoid|use|give|offer|take|start|stop|check|refer|consider)\b",
    re.IGNORECASE,
)


# A model that has lost its way says the same few words again and again.
_ROUND_WORDS, _ROUND_TIMES = 3, 3


def _goes_round(text: str) -> bool:
    words = text.lower().split()
    runs = Counter(tuple(words[at : at + _ROUND_WORDS]) for at in range(len(words) - _ROUND_WORDS + 1))
    return max(runs.values(), default=0) >= _ROUND_TIMES


def _form(text: str) -> Failure | None:
    if not any(char.isalpha() for char in text):
        return Failure("empty")
    if len(text) > MAX_STATEMENT_CHARS:
        return Failure("too_long")
    if _CUT_OFF.search(text) or text.count("(") != text.count(")") or not (_ENDS.search(text) or _SAYS.search(text)):
        return Failure("fragment")
    if _goes_round(text):
        return Failure("repeated")
    if holds_markup(text):
        return Failure("markup")
    if is_instruction(text):
        return Failure("instruction")
    if any(char.isalpha() and ord(char) > 0x24F and not 0x370 <= ord(char) < 0x400 for char in text):
        # Latin and Greek letters are what a guideline is written in; others look like them and are not.
        return Failure("script")
    return None


def _check_sentence(
    text: str,
    sources: Sequence[Source],
    similarity: Similarity,
    thresholds: Thresholds,
    entailment: Entailment | None,
) -> list[Support] | Failure:
    for source in sources:
        for unit in source.units:
            if _key(unit.text) == _key(text) and not unit.lead_in:
                return [Support(source.number, unit)]
    known = (line for source in sources for unit in source.units for line in (source.title, *unit.context, unit.text))
    sentence = adapted(read(text), frozenset().union(*(names_in(line) for line in known)))
    supports: list[Support] = []
    for place, claim in enumerate(claims_of(sentence)):
        failure: Failure | None = None
        for support, source in _candidates(claim, sources):
            # What another unit says in the statement's word, this one may say in a word alike.
            near = adapted(sentence, read(support.unit.whole).names)
            found = check_claim(text, near, claims_of(near)[place], support.unit, source, thresholds)
            if found is None:
                supports.append(support)
                failure = None
                break
            if failure is None and found.check in _SAYS_OTHERWISE:
                # Where the nearest sentence tells the contrary, one that shares fewer words supports nothing.
                return found
            failure = failure or found
        else:
            return failure or Failure("scattered")
    wholes = [support.unit.whole for support in supports]
    if not supports or max(similarity(text, [*wholes, " ".join(wholes)])) < thresholds.similarity:
        return Failure("similarity")
    if entailment and max(entailment(whole, text) for whole in [*wholes, " ".join(wholes)]) < thresholds.entailment:
        return Failure("entailment")
    return supports


# Checks by which a sentence tells the contrary of a claim.
_SAYS_OTHERWISE = ("polarity", "opposite", "reversed")
# Units that are tried for one claim, the nearest first.
_TRIED = 3


def _candidates(claim: Claim, sources: Sequence[Source]) -> list[tuple[Support, Source]]:
    # A word that many units hold says little about which of them is meant.
    held_by = Counter(name for source in sources for unit in source.units for name in read(unit.whole).names)
    ranked = []
    for source in sources:
        for place, unit in enumerate(source.units):
            reading = read(unit.whole)
            shared = sum(1 / held_by[name] for name in claim.names & reading.names)
            held = sum(any(q.said_by(other) for other in reading.quantities) for q in claim.quantities)
            if shared + held:
                ranked.append((-(shared + held), len(reading.names), source.number, place, unit, source))
    ranked.sort(key=lambda row: row[:4])
    return [(Support(row[2], row[4]), row[5]) for row in ranked[:_TRIED]]
