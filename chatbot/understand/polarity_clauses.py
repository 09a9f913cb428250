"""Reads which clauses of a text speak for something and which against it.

Is: the scopes of the cues: what a negation reaches, what a condition, a reason or an exception sets aside, what a
later clause says of the same subject. Is not: what headings make of a text (see `polarity.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from chatbot.understand.polarity_constructions import side_of_construction
from chatbot.understand.polarity_cues import NEGATORS, Cue, abruptly_pattern, find_cues, fold
from chatbot.understand.polarity_scopes import set_aside
from corpus.documents import Span

# A recommendation counts more than a finding: "effective, but should not be used" advises against.
ADVICE, FINDING = 2, 1
# How far a negation reaches within its clause, in characters: about ten words, five for a second negation, three for
# "without". Source: NegEx reaches five words; recommendations put long subjects between ("No … should ever be …").
_REACH_CHARS, _DOUBLE_REACH_CHARS, _SHORT_REACH_CHARS = 80, 45, 28
# Of a text that speaks on both sides, the side that says this many times more is its polarity.
_MAJORITY = 3.0
# Longer units are read to here; no quote is near it.
MAX_CHARS = 4_000

_WEIGHTS = {
    "advice_against": -ADVICE,
    "advice_against_if_is": -ADVICE,
    "no_good": -FINDING,
    "no_good_if_is": -FINDING,
    "harm_if_denied": -FINDING,
    "advice_for": ADVICE,
    "advice_if_is": ADVICE,
    "act": FINDING,
    "if_denied": FINDING,
    "benefit": FINDING,
}
_BAD = frozenset(("advice_against", "advice_against_if_is", "no_good", "no_good_if_is", "harm_if_denied"))

# A sentence or a line; a full stop inside "e.g." or "1.5" ends none.
_SENTENCE = re.compile(
    r"[^\n]+?(?:[.!?](?=[\s\"'\]\d)]*(?:\s+[\w\"'(\[•*-]|\n|$))(?<!e\.g\.)(?<!i\.e\.)(?<!vs\.)|(?=\n|$))"
)
# A bullet or a number that opens a line.
_LIST_LINE = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s")
# Where a clause may end; pieces that say nothing are joined to their neighbours again.
_CLAUSE_END = re.compile(
    r"[;:]\s|\s[—–-]\s|\s*—|,\s+(?:and|or|so|then|but)\s+|,\s+|\s(?:but|however|whereas|yet|while)\s+(?:is\s+|are\s+)?(?=\w)"
    r"|\sand\s+(?=(?:is|are|should|must|may|can|has|have|do|does|did|was|were|it|they|never|avoid|use|give|offer|take|not)\b)"
)
# "X is suitable; Y is not."
_ELLIPSIS = re.compile(r"\b(?:(?:is|are|was|were|do|does|did|should|must|may|can)\s+not|\w+n't|cannot)\s*[.!]?\s*$")
# A clause that begins so goes on about the subject of the one before.
_NO_SUBJECT = re.compile(
    r"\s*(?:(?:and|but|or|so|yet|nor)\s+)*(?:is|are|was|were|has|have|had|do|does|did|should|must|may|can|cannot|it|they|"
    r"this|these|its|their|not|never|no|remains?|carr\w+|caus\w+|improv\w+|reduc\w+|worsen\w*|harm\w*|lack\w*|fail\w*|"
    r"also|often|rarely|long-term|as|because|of)\b"
)
# What may stand before an instruction at the start of a clause.
_OPENING = re.compile(
    r"[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:(?:and|but|or|then|also|always|so|please|instead|just|otherwise|therefore|routinely|"
    r"regularly|promptly|gently|immediately|if so|clinicians|do)[\s,]+)*"
)
# "Do not …" forbids; "patients do not …" tells.
_DO = re.compile(r"[\s\"'(\[•*–-]*(?:(?:and|but|or|then|so|please|also|therefore|important)[\s,]+)*do\s+")
# "… with no heart problem": the "no" reaches its noun only.
_WITH_NO = re.compile(r"\b(?:with|and|or|has|have|had|is|are|was|were)\s+no$")
_NEVER = re.compile(r"don't|never")
_FORBIDS = re.compile(r"\b(?:not|never|don't|\w+n't)\b")
# "Use is not justified" begins with a noun.
_NOUN = re.compile(r"\s+(?:is|are|was|were|of|in|may|should|must|can|has|have)\b")
# "Does not stop / prevent pain" denies a benefit.
_STOP = re.compile(r"(?:stop|prevent)\b")
# Kinds of cue that count only after a form of "be", and what stands between the two.
_NEEDS_IS = frozenset(("act", "advice_if_is", "advice_against_if_is", "no_good_if_is"))
_IS = re.compile(r"\b(?:is|are|be|been|being|not|which|what|who)\s+(?:[a-z-]+\s+){0,3}$")
_AND = re.compile(r"\band\s+$")
_IS_JUST = re.compile(
    r"\b(?:is|are|be|been|being|not|it|them|which|what|who|considered)\s+(?:(?:[a-z]+ly|also|both|very|quite|most|more|too|"
    r"now|not|even|so|thus|therefore)\s+)*$|\band\s+is\s+$"
)
# "May be used" is advice, "is used" may only tell.
_MAY_BE = re.compile(r"\b(?:may|can|could|might)\s+(?:[a-z]+\s+)?be\s+(?:[a-z]+\s+)?$")
# Makes an instruction of a verb inside a clause: "should limit", "advises stopping".
_SHOULD = re.compile(
    r"\b(?:should|must|(?:needs?|ha(?:s|ve)|ought|advised|told|best|important)\s+to|please|advis(?:es?|ed)|"
    r"recommend(?:s|ed)?|suggest(?:s|ed)?)\s+(?:[a-z]+ly\s+)?$"
)
# "Helps to avoid falls" is a benefit, "needs to avoid alcohol" advice, and any other "to avoid" a purpose.
_HELPS_AVOID = re.compile(r"\b(?:(?:helps?|lets?|allows?|may|might|can|could)\s+(?:\w+\s+){0,2}?(?:to\s+)?)$")
_TO_AVOID = re.compile(
    r"\b(?:needs?|ha(?:s|ve)|ought|important|best|advised|advisable|tr(?:y|ies)|aims?|wise|told|prudent|necessary|recommended|"
    r"encouraged|reminded|sensible|is|are|what|how|things?|foods?|drugs?|medic\w+|mistakes?|pitfalls?|errors?|tests?|treatments?|"
    r"combinations?|interventions?|practices?)\s+to\s$|^\s*to\s$"
)
# Less of a bad thing is no bad thing.
_LESSENS = re.compile(
    r"reduc|lower|prevent|protect|lessen|decreas|spare|suppress|fewer|shorten|reliev|eas|treat|without|no\b"
)
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
    if side := side_of_construction(folded[start:end]):
        return [Part(start, end, side * ADVICE, number)]
    if not cues:
        return []
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
        value = _clause_value(folded, left, right, inside) if inside else 0
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


def _clause_value(folded: str, left: int, right: int, cues: list[Cue]) -> int:
    """Return what one clause says: above 0 for, below 0 against, ±2 advice, ±1 a finding, 0 nothing."""
    said: list[tuple[str, int]] = []
    negator: Cue | None = None
    modal = -MAX_CHARS
    advised = 0
    lessening = spent = False
    for cue in cues:
        opens = bool(_OPENING.fullmatch(folded, left, cue.start))
        if cue.kind == "modal":
            modal = cue.end
        elif cue.kind in NEGATORS:
            forbids = _DO.fullmatch(folded, left, cue.start) or (opens and _NEVER.fullmatch(folded, cue.start, cue.end))
            if cue.kind == "negation" and (forbids or cue.start - modal < _DOUBLE_REACH_CHARS):
                cue = Cue("prohibition", cue.start, cue.end)
            elif _WITH_NO.search(folded, left, cue.end):
                cue = Cue("short_negation", cue.start, cue.end)  # "adults with no heart problem are treated"
            negator, spent = cue, False
        else:
            governed = negator is not None and _reaches(folded, negator, cue)
            if spent and cue.kind in (*_BAD, "undone"):
                governed = False  # "is not used to prevent harm"
            if (
                not governed
                and cue.kind in _NEEDS_IS
                and not (opens and cue.kind.startswith("advice"))
                and not (cue.kind == "act" and said and _AND.search(folded, left, cue.start))
                and not (_IS_JUST if cue.kind == "no_good_if_is" else _IS).search(folded, left, cue.start)
            ):
                continue  # "patients given the drug", "harmful fumes"
            if cue.kind == "advice_against" and not governed and _is_purpose(folded, left, cue):
                continue
            weight = _weight(folded, cue, negator if governed else None, opens, right)
            if not weight or (weight < 0 and lessening and not governed and cue.kind.startswith("no_good")):
                continue  # "prevents harm"
            if weight > 0 and not governed and said and said[-1][1] < 0 and cue.kind not in ("modal", "instruction"):
                continue  # "avoid drugs that help"
            if cue.start - modal < _DOUBLE_REACH_CHARS:
                weight = ADVICE if weight > 0 else -ADVICE
            if (
                weight < 0
                and said
                and said[-1][0] in ("advice_for", "advice_if_is")
                and cue.start - advised < _SHORT_REACH_CHARS
            ):
                said.pop()  # "recommends avoiding"
            said.append((cue.kind, weight))
            advised = cue.end
            lessening = weight > 0 and bool(_LESSENS.match(folded, cue.start))
            if governed and cue.kind in (*_BAD, "undone"):
                negator = None
            spent = governed and negator is not None and cue.kind != "if_denied"
    if not said:
        if negator is not None and negator.kind == "prohibition":
            return -ADVICE
        if modal < left:
            return 0
        return -ADVICE if negator is not None and negator.kind == "negation" else ADVICE
    # An act that is merely told yields to what is said of it: "vitamin C given after the start has no effect".
    told = [weight for kind, weight in said if kind != "act" or weight < 0] or [weight for _, weight in said]
    strongest = max(abs(weight) for weight in told)
    total = sum(weight for weight in told if abs(weight) == strongest)
    return (strongest if total > 0 else -strongest) if total else 0


def _weight(folded: str, cue: Cue, negator: Cue | None, opens: bool, right: int) -> int:
    """Return what one cue says, turned by the negation that governs it."""
    match cue.kind:
        case "instruction" | "instruction_against":
            forbidden = negator is not None and negator.kind == "prohibition"
            against = cue.kind == "instruction_against"
            if negator is not None and not forbidden and _STOP.match(folded, cue.start):
                return -FINDING  # "does not stop the pain" denies a benefit
            if _NOUN.match(folded, cue.end):
                return 0
            opens = opens and not folded.endswith("ing", cue.start, cue.end)  # "Stopping smoking helps"
            if not (opens or forbidden or (against and _SHOULD.search(folded, 0, cue.start))):
                return 0
            weight = -ADVICE if against else ADVICE
        case "act" if negator is None and _MAY_BE.search(folded, 0, cue.start):
            weight = ADVICE
        case "undone":
            # "Does not prevent falls" denies a benefit; "must not prevent morphine" asks for it.
            does_good = _STOP.match(folded, cue.start) and (negator is None or negator.kind != "prohibition")
            weight = FINDING if does_good else -ADVICE if negator is not None else 0
        case "if_denied" | "harm_if_denied" if negator is None:
            weight = 0
        case _:
            weight = _WEIGHTS.get(cue.kind, 0)
    if negator is None:
        return weight
    if cue.kind == "advice_against" and folded.endswith("against", cue.start, cue.end):
        return weight  # "not recommended against clots"
    if weight < 0 and negator.kind != "short_negation" and abruptly_pattern().search(folded, cue.end, right):
        return weight
    if negator.kind == "prohibition":
        weight = ADVICE if weight > 0 else -ADVICE if weight < 0 else 0
    return -weight


def _is_purpose(folded: str, left: int, cue: Cue) -> bool:
    """Say whether "to avoid" tells what for ("take it with food to avoid nausea") and not what to leave off."""
    if not folded.startswith("avoid", cue.start):
        return False
    before = folded[left : cue.start]
    return (before.endswith("to ") and not _TO_AVOID.search(before)) or bool(_HELPS_AVOID.search(before))


def _reaches(folded: str, negator: Cue, cue: Cue) -> bool:
    """Say whether a negation governs a cue that comes after it in the same clause."""
    distance = cue.start - negator.end
    if negator.kind == "short_negation":
        # "Pain without warning signs should be …": the advice is not what is missing.
        told = cue.kind.startswith(("advice", "instruction")) or cue.kind in ("act", "if_denied")
        return distance < _SHORT_REACH_CHARS and not told
    if cue.kind in _BAD or cue.kind == "undone":
        return distance < _DOUBLE_REACH_CHARS and " and " not in folded[negator.end : cue.start]
    if cue.kind == "instruction_against" and re.search(r"\b(?:and|or)\b", folded[negator.end : cue.start]):
        return False
    return distance < _REACH_CHARS
