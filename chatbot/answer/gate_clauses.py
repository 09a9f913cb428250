"""Reads a sentence into clauses: what each names, whether it denies, how strongly it speaks, under what condition.

Is: the joints of English clauses; pure. Is not: a parser, nor a judgement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from chatbot.answer.gate_force import denials_in, hedges_in, strength_of
from chatbot.answer.gate_quantities import Quantity, find_quantities, with_digits
from chatbot.answer.gate_words import WORD, load_words, plain_names, qualifiers_of
from chatbot.present.drugs import find_drugs
from corpus.citations import strip_markers

ClauseKind = Literal["main", "condition", "reason", "relative"]

_AUXILIARY = r"(?:is|are|was|were|be|been|has|have|had|do|does|did|should|must|may|might|can|could|will|would|shall|cannot|need|needs)"
_IMPERATIVE = (
    r"(?:avoid|use|give|offer|take|start|stop|check|refer|consider|repeat|withhold|continue|reduce|increase|treat|apply|"
    r"monitor|arrange|add|prescribe|seek|send|measure|review|aim|ensure|lower|raise|cure|cause|help|last|never|always|not)s?"
)
_SUBORDINATE = (
    r"(?:only\s+(?:if|when|after|once|where)|even\s+if|if|when|whenever|unless|until|except|provided|(?<!\bat\s)once(?!\s+(?:an?|per|each|every|daily|weekly)\b)|whereas|while|although|"
    r"though|because|since|so\s+that|rather\s+than|instead\s+of|in\s+case|as\s+long\s+as(?!\s+\d)|where|(?:after|before)(?!\s+(?:and|or)\b|\s*[,;]|\s*$)|during|but|as\s+(?:it|they|this|these|he|she)(?=\s))"
)
# "…, or larger than 2% in children": another case of the same claim, which a statement may leave to itself.
_ALTERNATIVE = r"(?:larger|smaller|more|less|to|for|in|with|by|at|over|under)\b"
_OTHER_CASE = re.compile(rf"(?:and|or)\s+{_ALTERNATIVE}", re.IGNORECASE)
_JOINT = re.compile(
    rf"(?<=[a-z\])][.!?])\s+(?=[A-Z])|\s*[;:]\s+|\s+[—–-]\s+|\s*—\s*|[()]\s*"
    rf"|,\s+(?=(?:but|yet|as|with|without|not|even|in|for)\s)"
    rf"|,\s+(?=(?:and|or)\s+{_ALTERNATIVE})|,\s+(?=(?:and\s+)?(?:then|followed\s+by)\s)|,\s+(?=(?:and|or|so)\s+(?:\S+\s+){{0,5}}?(?:{_AUXILIARY}|{_IMPERATIVE})\b)"
    rf"|,?(?<!\bonly)(?<!\beven)\s+(?=\b{_SUBORDINATE}\b)|,\s+(?=(?:which|who|whose)\b)"
    rf"|\s+(?=and\s+(?:{_AUXILIARY}|{_IMPERATIVE}|it|they|this|then)\b)|\s+(?=or\s+{_AUXILIARY}\b)"
    rf"|\s+(?=and\s+(?:an?|the|no|this|these)\s+(?:\S+\s+){{1,3}}{_AUXILIARY}\b)"
    rf"|\s+(?=and\s+(?:\w+ly\s+)?\w+ed\b(?!\s+(?:\w+\s+)?{_AUXILIARY}))",
    re.IGNORECASE,
)
_OPENS_CONDITION = re.compile(
    r"(?:and\s+|but\s+|or\s+)?(?:(?:only\s+)?(?:if|when|whenever|unless|until|except|provided|once|where|after|before|during|in\s+case|"
    r"as\s+long\s+as|in|for|with|without|among|from|at|under|within|to|on|over)(?!-)|even\s+if)\b",
    re.IGNORECASE,
)
_OPENS_REASON = re.compile(
    r"(?:because|since|as|so\s+that|although|though|even\s+though|whereas|while|owing|due)\b(?!\s+(?:well|soon))",
    re.IGNORECASE,
)
_OPENS_RELATIVE = re.compile(r"(?:which|who|whose|that)\b", re.IGNORECASE)
_OPENS_VERBAL = re.compile(
    r"(?:only\s+|even\s+|or\s+|and\s+)*(?:if|when|whenever|unless|once|where|as\s+long\s+as|except|provided)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"and\s+(?:is|are|was|were|has|have|had|does|do|did|cannot|failed)\b", re.IGNORECASE)
# "In pregnancy valproate is not used" claims as much as "Valproate is not used in pregnancy".
_SAYS_ALL = re.compile(
    rf"(?:in|for|with|without|among|from|at|under|within|on|before|after|during)\s(?!.*\b(?:who|which|that|whose|when|if)\b).*\b{_AUXILIARY}\b",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    rf"(?:and|or|but|then|so)\s+(?:{_AUXILIARY}|{_IMPERATIVE}|(?:\w+ly\s+)?\w+ed|not|it|they|this)\b", re.IGNORECASE
)
_INSERTED = re.compile(rf"(?P<what>(?:in|for|with|without|as|at)\b[^,]*),\s+(?P<verb>{_AUXILIARY}\b.*)", re.IGNORECASE)
_SECOND = re.compile(
    rf"(?P<first>(?:(?!\b(?:who|which|that|whose)\b).)*?\b{_AUXILIARY}\b.*?)\s+"
    rf"(?P<second>and\s+(?!{_AUXILIARY}\b)(?:[\w-]+\s+){{1,3}}?{_AUXILIARY}\b.*)",
    re.IGNORECASE,
)
_VERB = re.compile(rf"\b{_AUXILIARY}\b", re.IGNORECASE)
# A leading "In adults with spasticity," ends at its comma.
_LEADING = re.compile(
    r"^\s*(?:only\s+)?(?:if|when|whenever|unless|until|once|where|after|before|during|in|for|with|without|among|from|at|under|within|"
    r"to|because|since|as|although|on|over|following|by)\b(?:[^,;:]|,(?=\d))*,(?=\s)",
    re.IGNORECASE,
)
# What is said with more words than it needs.
_SAID_SHORTER: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        # "Not any faster" and "best avoided" make nothing of more than it is.
        (r"(\bnot|n't)\s+(\w+)\s+any\s*(?:more|longer)\b", r"no longer \2"),
        (r"\bany\s+(more|less|further|\w+er)\b", r"\1"),
        (r"\bwhether\s+or\s+not\s+(?:they|you|there)\s+(?:have|has|is|are)\b", "even without"),
        (r"\s+of\s+(?:any|all|every)\s+ages?\b", ""),
        # "Before they are 6 months old"
        (
            r"\b(before|until|after|once|when)\s+(?:they|he|she|you)\s+(?:is|are|has\s+been|have\s+been)\s+(?=\d)",
            r"\1 ",
        ),
        # "While" without a comma tells when, with one it contrasts.
        (r"(?<![,;])\s+(?:while|whilst)\s", " when "),
        (
            r"\b(settles?|clears?(?:\s+up)?|resolves?|goes?\s+away|disappears?|pass(?:es)?|heals?|recovers?|gets?\s+better|improves?|fades?)"
            r"\s+(?:by\s+(?:itself|themselves)|on\s+(?:its|their)\s+own|spontaneously)\b",
            r"\1 without treatment",
        ),
        (r"\b(before|without|than|if|after|no|not)\s+any\s+", r"\1 "),
        (r"\b(?:each|every)\s+(morning|evening|night|time)\b", r"in the \1"),
        (
            r"\bbest\s+(?=avoided|not|left|to\s+avoid|(?:taken|given|done)\s+(?:within|before|after|at|on|in|with)\b)",
            "",
        ),
        (r"\bun(available|suitable|vaccinated|treated|affected|changed|helpful|tolerated)\b", r"not \1"),
        (r"\b(before|after)\s+([^,;.]{2,40}?)\s+(?:is|are)\s+(?:started|begun|given|taken)(?=[,;.]|$)", r"\1 \2"),
        (
            r"\b(before|after|prior\s+to)\s+(?:start|begin|tak|us|giv|hav|receiv|apply)(?:n|t)?ing\s+(?!when|if|and|or)",
            r"\1 ",
        ),
        (r"\b(before|after)\s+(?:start|begin)(?:n)?ing(?=\s+(?:and|or)\b|[.,;]|$)", r"\1 treatment"),
        (
            r"\b(?:has|have|had)(?:\s+not|n't)\s+(?:yet\s+)?(?:worked|helped|responded|succeeded)\b|\bhas\s+been\s+no\s+(?:success|benefit)\b",
            "failed",
        ),
        (r"\b(works?|working|functions?|functioning|breathes?|eats?|drinks?)\s+normally\b", r"\1 normal"),
        (r"\bstops?\s+(.{3,40}?)\s+from\s+(?:happening|occurring|developing|recurring)\b", r"prevent \1"),
    )
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as compared. `names` are keys of content words; `segment` counts its sentence's claims, `denials`
    the words of denial that no other undoes.

    `subject` is what it speaks of, taken from the clause before where it names none. `leading` says that it opens the sentence and rules all of it.
    """

    text: str
    kind: ClauseKind
    segment: int
    leading: bool
    denials: int
    strength: int
    names: frozenset[str]
    subject: frozenset[str]
    hedges: frozenset[int]
    qualifiers: tuple[frozenset[str], ...]
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence as compared; `drugs` are substances with the offset where each is named in `text`."""

    text: str
    clauses: tuple[Clause, ...]
    names: frozenset[str]
    quantities: tuple[Quantity, ...]
    drugs: tuple[tuple[str, int], ...]
    raised: frozenset[str]

    @property
    def substances(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.drugs)


@lru_cache(8192)
def read(text: str) -> Reading:
    """Read one sentence, or one list item with its lead-in, into clauses."""
    plain = " ".join(with_digits(strip_markers(text)).replace("’", "'").split())
    for pattern, written in _SAID_SHORTER:
        plain = pattern.sub(written, plain)
    clauses: list[Clause] = []
    segment, opened, subject = 0, False, frozenset[str]()
    pieces = _split(plain)
    for place, piece in enumerate(pieces):
        says_all = not place and not plain.startswith(f"{piece},") and _SAYS_ALL.match(piece)
        kind = "main" if says_all else _kind(piece)
        if clauses and kind == "main" and piece.lower().startswith("or "):
            # An alternative belongs to what it is an alternative of.
            kind = clauses[-1].kind
        elif kind == "condition" and clauses and clauses[-1].kind == "relative" and _OTHER_CASE.match(clauses[-1].text):
            # "…, and for moderate pain when other drugs have been tried": the condition of the other case.
            kind = "relative"
        elif kind == "main" and clauses and clauses[-1].kind == "condition" and _goes_on(clauses[-1].text, piece):
            # "… when pain comes from the joint and has not responded"
            kind = "condition"
        leading = place == 0 and kind in ("condition", "reason") and len(pieces) > 1
        if kind == "main":
            if opened and not piece.lower().startswith("or "):
                segment += 1
            opened = True
            if not _NO_SUBJECT.match(piece):
                verb = _VERB.search(piece)
                subject = plain_names(piece[: verb.start()]) if verb else frozenset()
        clauses.append(_clause(piece, kind, segment, leading, subject if kind == "main" else frozenset()))
    drugs = tuple((name, start) for name, start, _ in find_drugs(plain))
    raised = frozenset(
        key for word in WORD.findall(plain.lower()) if word in load_words().raisers for key in plain_names(word)
    )
    return Reading(plain, tuple(clauses), plain_names(plain), find_quantities(plain), drugs, raised)


def _goes_on(condition: str, piece: str) -> bool:
    """Say whether a piece goes on with a condition: one that has a verb, as "before 12 months" has none."""
    verbal = _OPENS_VERBAL.match(condition) or _VERB.search(condition)
    return bool(verbal) and _GOES_ON.match(piece) is not None


def adapted(reading: Reading, pool: frozenset[str]) -> Reading:
    """Return a reading in the words of its sources: "symptomatic" becomes their "symptom", "check" their "screen".

    A stem is another form of one in `pool` when one begins the other and what is left is a short ending.
    """
    forms = {name: form for name in reading.names - pool if (form := _form_in(name, pool) or _near_in(name, pool))}
    if not forms:
        return reading

    def inner(names: frozenset[str]) -> frozenset[str]:
        return frozenset(forms.get(name, name) for name in names)

    clauses = tuple(
        replace(
            clause,
            names=inner(clause.names),
            subject=inner(clause.subject),
            qualifiers=tuple(inner(names) for names in clause.qualifiers),
        )
        for clause in reading.clauses
    )
    return replace(reading, clauses=clauses, names=inner(reading.names))


# Shorter stems begin words of other meaning; longer endings make them.
_LEAST_STEM_CHARS = 5
_LONGEST_ENDING_CHARS = 4
# Words that begin alike for so long, and for so much of the longer one, are forms of one word.
_LEAST_BEGINNING_CHARS = 6
_BEGINNING_SHARE = 0.7
# Endings that make a disease of an organ: thyroid and thyroiditis are two things.
_OTHER_THING = ("it", "os", "om", "ect", "ot", "em")


def _near_in(name: str, pool: frozenset[str]) -> str:
    return next(iter(sorted(load_words().near.get(name, frozenset()) & pool)), "")


def _form_in(name: str, pool: frozenset[str]) -> str:
    if name.startswith(("§", "drug:")):
        return ""
    for other in sorted(pool):
        if other.startswith(("§", "drug:")):
            continue
        short, long = sorted((name, other), key=len)
        ending = long[len(short) :]
        if (
            len(short) >= _LEAST_STEM_CHARS
            and long.startswith(short)
            and len(ending) <= _LONGEST_ENDING_CHARS
            and not ending.startswith(_OTHER_THING)
        ):
            return other
        # "Infectious" and "infectivity": both bend one long beginning.
        begun = next((at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
        if begun >= _LEAST_BEGINNING_CHARS and begun >= _BEGINNING_SHARE * len(long):
            return other
    return ""


def _split(plain: str) -> list[str]:
    rest = plain.rstrip(" .!?")
    pieces = []
    if leading := _LEADING.match(rest):
        pieces.append(leading.group().rstrip(", "))
        rest = rest[leading.end() :]
    pieces += [piece.strip(" ,") for piece in _JOINT.split(rest)]
    pieces = [part for piece in pieces if piece for part in _with_second(piece)]
    for place, piece in enumerate(pieces[:-1]):
        if piece.lower().endswith(" or"):
            # "In pregnancy or | after a loss": the second is an alternative of the first.
            pieces[place], pieces[place + 1] = piece[:-3].rstrip(), f"or {pieces[place + 1]}"
    for place, piece in enumerate(pieces[1:], 1):
        if (inserted := _INSERTED.match(piece)) and not _VERB.search(pieces[place - 1]):
            # "A short course, for no more than a week, may be considered": the verb belongs to what stands before.
            pieces[place - 1] += f" {inserted['verb']}"
            pieces[place] = inserted["what"]
    return pieces


def _with_second(piece: str) -> list[str]:
    """Part "Clear ones are drained | and bloody ones are left": each has its subject and its verb."""
    if _kind(piece) == "main" and (both := _SECOND.match(piece)):
        return [both["first"], both["second"]]
    return [piece]


def _kind(piece: str) -> ClauseKind:
    bare = re.sub(r"^(?:and|but|or|so|then|yet)\s+", "", piece, flags=re.IGNORECASE)
    if _OTHER_CASE.match(piece):
        return "relative"
    if _OPENS_CONDITION.match(piece):
        return "condition"
    if _OPENS_REASON.match(piece):
        return "reason"
    return "relative" if _OPENS_RELATIVE.match(bare) else "main"


def _clause(piece: str, kind: ClauseKind, segment: int, leading: bool, subject: frozenset[str]) -> Clause:
    # Bounds and numbers are compared as such: "within the past 30 days" qualifies by its number alone.
    qualifiers = tuple(names for alternatives in qualifiers_of(piece) for names in alternatives)
    return Clause(
        piece,
        kind,
        segment,
        leading,
        denials_in(piece),
        strength_of(piece),
        plain_names(piece),
        subject,
        hedges_in(piece),
        qualifiers,
        find_quantities(piece),
    )
