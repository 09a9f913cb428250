"""Reads which clauses of a text speak for something and which against it.

Is: how sentences fall into clauses, what a condition, a reason or an exception sets aside, what a later clause says of
the same subject. Is not: what one clause says (see `polarity_weights.py`), nor what headings make of a text (see
`polarity_headings.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from chatbot.understand.polarity_constructions import side_of_construction
from chatbot.understand.polarity_cues import NEGATORS, Cue, find_cues, fold
from chatbot.understand.polarity_outcomes import side_of_outcome
from chatbot.understand.polarity_scopes import set_aside
from chatbot.understand.polarity_told import finds_for_neither, takes_no_side
from chatbot.understand.polarity_weights import ADVICE, FINDING, weigh_clause
from corpus.documents import Span

# Of a text that speaks on both sides, the side that says this many times more is its polarity.
_MAJORITY = 3.0
# Longer units are read to here; no quote is near it.
MAX_CHARS = 4_000

# A sentence or a line; a full stop inside "e.g." or "1.5" ends none.
_SENTENCE = re.compile(
    r"[^\n]+?(?:[.!?](?=[\s\"'\]\d)]*(?:\s+[\w\"'(\[•*-]|\n|$))(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)|(?=\n|$))"
)
# A bullet or a number that opens a line.
_LIST_LINE = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s")
# Where a clause may end; pieces that say nothing are joined to their neighbours again.
_CLAUSE_END = re.compile(
    r"[;:]\s|\s[—–-]\s|\s*—|,\s+(?:and|or|so|then|but)\s+|,\s+|\s(?:but|however|whereas|yet|while)\s+(?:is\s+|"
    r"are\s+)?(?=\w)"
    r"|\sand\s+(?=(?:is|are|should|must|may|can|has|have|do|does|did|was|were|it|they|never|avoid|use|give|offer|take|"
    r"not)\b)"
)
# "X is suitable; Y is not."
_ELLIPSIS = re.compile(r"\b(?:(?:is|are|was|were|do|does|did|should|must|may|can)\s+not|\w+n't|cannot)\s*[.!]?\s*$")
# A clause that begins so goes on about the subject of the one before.
_NO_SUBJECT = re.compile(
    r"\s*(?:(?:and|but|or|so|yet|nor)\s+)*(?:is|are|was|were|has|have|had|do|does|did|should|must|may|can|cannot|it|"
    r"they|this|these|its|their|not|never|no|remains?|carr\w+|caus\w+|increas\w+|rais\w+|doubl\w+|prov\w+|made|mak\w+|"
    r"brought|led|lead\w*|improv\w+|reduc\w+|worsen\w*|harm\w*|lack\w*|fail\w*|also|often|rarely|long-term|as|because|"
    r"of)\b"
)
# A clause that forbids.
_FORBIDS = re.compile(r"\b(?:not|never|don't|\w+n't)\b")
# A rebuttal that ends so is followed by what it rebuts.
_THAT = re.compile(r"\b(?:that|think|believe|thought|believed|assumed?|claim(?:ed)?)$")
# A line that forbids what stands under it.
FORBIDDING = re.compile(
    r".*\b(?:not\s+to(?:\s+do)?|do\s+not|don't|don'ts|never|must\s+not|should\s+not)\b\s*(?:\w+\s*){0,3}[:.]?\s*$"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A clause that speaks for (`value` > 0) or against (< 0); offsets into the whole text, half-open.

    `carried` says that it has no subject of its own. `excluded` are the spans that it sets aside for another
    choice ("rather than ibuprofen").
    """

    start: int
    end: int
    value: int
    sentence: int
    carried: bool = False
    excluded: tuple[Span, ...] = ()


@lru_cache(65536)
def read_clauses(text: str) -> tuple[Part, ...]:
    """Return the clauses of a text that take a side, in order."""
    folded = fold(text[:MAX_CHARS])
    cues = find_cues(folded)
    parts: list[Part] = []
    under = 0  # what a line that ends in ":" makes of the list below it
    for number, match in enumerate(_SENTENCE.finditer(folded)):
        start, end = match.span()
        inside = [cue for cue in cues if start <= cue.start < end]
        read = _read_sentence(folded, start, end, inside, number)
        listed = bool(_LIST_LINE.match(folded, start))
        if under < 0 and listed:
            read = [Part(start, end, -ADVICE, number)]
        elif not listed:
            under = 0
        if folded[start:end].rstrip().endswith(":"):
            under = decide_parts(read)
            if FORBIDDING.match(folded, start):
                under = -ADVICE
        parts += read
    return tuple(parts)


def decide(favour: float, against: float) -> int:
    """Return the side that a text is on: one that has at least `_MAJORITY` times the other's weight, else 0."""
    if favour > against * _MAJORITY:
        return 1
    return -1 if against > favour * _MAJORITY else 0


def decide_parts(parts: Sequence[Part]) -> int:
    return decide(sum(p.value for p in parts if p.value > 0), -sum(p.value for p in parts if p.value < 0))


def _read_sentence(folded: str, start: int, end: int, cues: list[Cue], number: int) -> list[Part]:
    """Return the clauses of one sentence that take a side; asides only where nothing else does."""
    sentence = folded[start:end]
    if takes_no_side(sentence):
        return []
    if side := side_of_construction(sentence):
        return [Part(start, end, side * ADVICE, number)]
    read = _read_cues(folded, start, end, cues, number) if cues else []
    if any(abs(part.value) >= ADVICE for part in read):
        return read
    if finds_for_neither(sentence):
        return []
    # A named outcome says more than the words beside it: "suppressed extrasystoles, but increased mortality".
    side = side_of_outcome(sentence)
    return [Part(start, end, side * FINDING, number)] if side else read


def _read_cues(folded: str, start: int, end: int, cues: list[Cue], number: int) -> list[Part]:
    asides, reasons, excluded = set_aside(folded, start, end)
    rebuttal = next((cue for cue in cues if cue.kind == "rebuttal"), None)
    if rebuttal:
        value = -ADVICE
        if _THAT.search(folded, rebuttal.start, rebuttal.end):
            close = min((at for mark in ",;" if (at := folded.find(mark, rebuttal.end, end)) > 0), default=end)
            told = [cue for cue in cues if rebuttal.end <= cue.start < close]
            inner = split_clauses(folded, rebuttal.end, close, told, number)
            value = ADVICE if inner and inner[0].value < 0 else -ADVICE
        return [Part(start, end, value, number)]
    away = (*asides, *reasons, *excluded)
    kept = [cue for cue in cues if not any(a <= cue.start < b for a, b in away)]
    read = split_clauses(folded, start, end, kept, number)
    if not read:
        kept = [cue for cue in cues if any(a <= cue.start < b for a, b in reasons)]
        read = split_clauses(folded, start, end, kept, number)
    if excluded and read:
        read = [Part(p.start, p.end, p.value, number, p.carried, excluded) for p in read]
    return _settle(folded, read)


def _settle(folded: str, parts: list[Part]) -> list[Part]:
    """Let the later clause win where both speak of one subject: "effective, but dangerous"."""
    if len({p.value > 0 for p in parts}) < 2:
        return parts
    settled: list[Part] = []
    for part in parts:
        same = settled and part.carried and part.sentence == settled[-1].sentence
        if same and settled[-1].value * part.value < 0 and abs(settled[-1].value) <= abs(part.value):
            previous = settled.pop()
            part = Part(previous.start, part.end, part.value, part.sentence, previous.carried, part.excluded)
        settled.append(part)
    return settled


def split_clauses(folded: str, start: int, end: int, cues: list[Cue], number: int) -> list[Part]:
    """Split a sentence into clauses and return those that take a side; the others belong to their neighbours."""
    breaks = [(m.end(), m.group()) for m in _CLAUSE_END.finditer(folded, start, end) if m.end() < end]
    parts: list[Part] = []
    opened = left = start
    joint = ""
    for right, next_joint in (*breaks, (end, "")):
        inside = [cue for cue in cues if left <= cue.start < right]
        value = weigh_clause(folded, left, right, inside) if inside else 0
        if parts and parts[-1].value < 0 and _goes_on(folded, left, joint, inside, parts[-1]):
            value = parts[-1].value
        elif not value and parts and any(cue.kind in NEGATORS for cue in inside):
            value = -parts[-1].value if _ELLIPSIS.search(folded, left, right) else 0
        if value:
            carried = opened == left and bool(parts) and bool(_NO_SUBJECT.match(folded, left))
            parts.append(Part(opened, right, value, number, carried))
            opened = right
        elif parts and opened == left:
            last = parts[-1]
            parts[-1] = Part(last.start, right, last.value, number, last.carried)
            opened = right
        left, joint = right, next_joint
    return parts


def _goes_on(folded: str, left: int, joint: str, cues: list[Cue], before: Part) -> bool:
    """Say whether a clause is still forbidden by the one before: "… nor is B", "do not cut it, suck it or tie it"."""
    if folded.startswith("nor ", left):
        return True
    acts = bool(cues) and all(cue.kind in ("instruction", "act") for cue in cues)
    forbidden = bool(_FORBIDS.search(folded, before.start, before.end))
    return acts and forbidden and joint.strip() in (",", ", or", "or") and "instead" not in folded[left:]
