"""Which way a relation points: that A causes B is not that B causes A, and the signs of A are no A that is a sign.

Is: causes and "a sign of" as read from clauses; pure. Is not: a parser; what has no such word points nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from chatbot.answer.gate_clauses import Clause
from chatbot.answer.gate_words import load_words, plain_names

_PASSIVE = re.compile(
    r"\b(?:(?:caused|brought\s+on|triggered|provoked|induced|produced)\s+by|(?:due|owing)\s+to|result(?:s|ed|ing)?\s+from)\b",
    re.IGNORECASE,
)
_ACTIVE = re.compile(
    r"\b(?:causes?(?!\s*[,;]|\s+(?:of|is|are|was|were|may|can)\b)|causing|(?:leads?|leading|led)\s+to|result(?:s|ed|ing)?\s+in|br(?:ings?|ought)\s+on|triggers?|provokes?|"
    r"induces?|produces?)\b(?!\s+by\b)",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"(?P<is>\b(?:is|are|was|were|be)\s+(?:an?|the|one|another)\s+(?:\w+\s+){0,2}?)?"
    r"\b(?P<noun>sign|symptom|cause|complication|effect|treatment|form|type|risk\s+factor|stage)s?\s+of\s+(?P<what>(?:\S+\s*){1,5})",
    re.IGNORECASE,
)

_SAME = {"symptom": "sign"}


@dataclass(frozen=True, slots=True)
class _Pointing:
    relation: str
    start: frozenset[str]
    end: frozenset[str]


def is_reversed(claim: Iterable[Clause], ground: Iterable[Clause]) -> bool:
    """Say whether a claim turns round every relation of its kind that a source tells.

    What stands on the other side must be more than what stands on its own.
    """
    told = [found for clause in ground for found in _pointings(clause)]
    for ours in (found for clause in claim for found in _pointings(clause) if found.start):
        theirs = [other for other in told if other.relation == ours.relation]
        if theirs and all(_crossed(ours, other) for other in theirs):
            return True
    return False


def _crossed(ours: _Pointing, theirs: _Pointing) -> bool:
    straight = len(ours.start & theirs.start) + len(ours.end & theirs.end)
    return len(ours.start & theirs.end) + len(ours.end & theirs.start) > straight


def _pointings(clause: Clause) -> list[_Pointing]:
    found = []
    for pattern, turned in ((_PASSIVE, True), (_ACTIVE, False)):
        if match := pattern.search(clause.text):
            left = _things(clause.text[: match.start()]) or clause.subject
            sides = (left, _things(clause.text[match.end() :]))
            found.append(_Pointing("cause", *(reversed(sides) if turned else sides)))
    for match in _NOUN.finditer(clause.text):
        left = _things(clause.text[: match.start()]) or clause.subject if match["is"] else frozenset[str]()
        noun = match["noun"].lower()
        found.append(_Pointing(_SAME.get(noun, noun), left, _things(match["what"])))
    return found


def _things(text: str) -> frozenset[str]:
    return plain_names(text) - load_words().light
