"""Asks what a claim leaves out: conditions, whom it is for, numbers and descriptions that bound it.

Is: pure comparisons of two readings. Is not: a comparison of what is claimed (see `gate_claims.py`).
"""

from __future__ import annotations

import re
from functools import cache

from chatbot.answer.gate_clauses import Clause, Reading
from chatbot.answer.gate_force import claim_denials_in, denials_in, is_belief, is_unsure
from chatbot.answer.gate_quantities import find_quantities
from chatbot.answer.gate_records import Failure, Thresholds
from chatbot.answer.gate_words import load_words, names_in, qualifiers_of, surface


def check_conditions(sentence: Reading, ground: Reading, segments: set[int], thresholds: Thresholds) -> Failure | None:
    """Ask for every condition under which the source makes the claim; of alternatives for one."""
    missing: Failure | None = None
    if failure := _bound_of_ban(sentence, ground, segments):
        return failure
    said = frozenset().union(*(own.hedges for own in sentence.clauses))
    another = False
    for clause in ground.clauses:
        if not (clause.leading or clause.segment in segments):
            continue
        if clause.kind == "main":
            another = clause.text.lower().startswith("or ") and not clause.names & sentence.names
        if another:
            # "… by mouth, or X if they cannot swallow": the condition of what the statement does not say.
            continue
        if clause.kind != "relative" and not clause.hedges <= said:
            return Failure("hedge")
        if is_made_certain(clause, sentence):
            return Failure("hedge")
        if clause.kind in ("main", "condition") and (who := _left_out(clause.names, sentence.names, ground.names)):
            return Failure("population", surface(who))
        alternative = clause.text.lower().startswith("or ")
        if missing and not alternative:
            return missing
        if clause.kind == "condition" and not (alternative and missing is None):
            missing = _unmet(clause.text, sentence, thresholds)
        elif clause.kind == "main":
            if share := _share_left_out(clause, sentence):
                return Failure("population", share)
            for alternatives in qualifiers_of(clause.text):
                failures = [_lacking(names, sentence, thresholds) for names in alternatives]
                if None not in failures:
                    return failures[0]
    return missing or _limits(sentence, ground, thresholds)


def _bound_of_ban(sentence: Reading, ground: Reading, segments: set[int]) -> Failure | None:
    """Ask for the numbers of a claim that denies: "not for longer than 3 days" is no ban."""
    for clause in ground.clauses:
        if clause.kind == "main" and clause.segment in segments and claim_denials_in(clause.text):
            for quantity in clause.quantities:
                if not any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities):
                    return Failure("condition", quantity.written[:40])
    return None


def is_made_certain(clause: Clause, sentence: Reading) -> bool:
    """Say whether a source reports as a belief what a statement tells as a fact."""
    return clause.kind == "main" and is_belief(clause.text) and not is_unsure(sentence.text)


# Of how many a source speaks: "80 percent of cases", "1 in 3 people", "half of them"; no "2 in 24 hours".
_SHARE = re.compile(
    r"\d[\d.,]*\s*(?:%|per\s?cent)\s+of\b|\b\d[\d,]*\s+(?:in|out\s+of|of)\s+(?:every\s+)?\d[\d,]*\b(?!\s+(?:second|minute|hour|day|week|month|year))"
    r"|\b(?:half|(?:an?|one|two|three|1|2|3)[\s-](?:thirds?|quarters?|fifths?))\s+of\b",
    re.IGNORECASE,
)


def _share_left_out(clause: Clause, sentence: Reading) -> str:
    """Return the share that a claim is made of and a statement does not tell; "" if it says "some" instead."""
    if load_words().hedges["some"] in frozenset().union(*(own.hedges for own in sentence.clauses)):
        return ""
    for match in _SHARE.finditer(clause.text):
        quantities = find_quantities(match.group())
        said = all(any(q.value == own.value and q.unit == own.unit for own in sentence.quantities) for q in quantities)
        if not said or not (quantities or names_in(match.group()) <= sentence.names):
            return match.group()[:40]
    return ""


# "If A or B" holds for A; "unless A or B" does not hold for A alone.
_OR = re.compile(
    r",?\s+or\s+(?!more|less|fewer|above|below|over|under|lower|higher|older|younger|later|longer|greater)", re.I
)
_ALL_OF = re.compile(r"\s*(?:unless|until|except|without)\b", re.IGNORECASE)


def _unmet(condition: str, sentence: Reading, thresholds: Thresholds) -> Failure | None:
    parts = [condition] if _ALL_OF.match(condition) else _OR.split(condition)
    failures = [_unmet_part(part, sentence, thresholds) for part in parts]
    return None if None in failures else failures[0]


def _unmet_part(part: str, sentence: Reading, thresholds: Thresholds) -> Failure | None:
    quantities = find_quantities(part)
    for quantity in quantities:
        if not any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities):
            return Failure("condition", quantity.written[:40])
    names = names_in(part)
    if denials_in(part) and not _denied(names, sentence):
        return Failure("condition", "not")
    if quantities and names <= load_words().light:
        # "After 3 weeks" and "by 3 weeks" are told by their number.
        return None
    return _lacking(names, sentence, thresholds)


def _denied(names: frozenset[str], sentence: Reading) -> bool:
    """Say whether a statement denies what a condition of its source denies, wherever it does so."""
    holding = [clause for clause in sentence.clauses if clause.names & names]
    return any(clause.denials for clause in holding or sentence.clauses)


def _lacking(names: frozenset[str], sentence: Reading, thresholds: Thresholds) -> Failure | None:
    """Return the failure of a condition of which too few words are kept, or not all that name a thing."""
    names = names - load_words().light or names
    names = names - load_words().understood or names
    if not names:
        return None
    share = len(names & sentence.names) / len(names)
    things = names - load_words().general
    if share >= thresholds.condition or (things and things <= sentence.names and share > 1 / 2):
        return None
    return Failure("condition", surface(sorted(things - sentence.names or names - sentence.names)[0]))


# "In the first 3 months of pregnancy", "within 24 hours of the rash": what is kept of it must keep its number.
_OF_WHAT = re.compile(r"\s+of\s+(?:the\s+|an?\s+)?(?P<what>[^\W\d_]+)")
# Who is meant: "people allergic to penicillin", "drivers who fainted while sitting".
_WHOM = re.compile(
    r"\s*(?:people|persons?|adults|women|men|children|patients|those|drivers|smokers|infants|babies|users|residents|wearers|someone|"
    r"anyone|everyone|girls|boys|adolescents)\s+(?:who|whose|that|taking|allergic|intolerant|having|living)\s+(?P<what>[^.;:,]+?)"
    r"(?=\s+(?:should|must|may|might|can|could|needs?|are|is|takes?|receives?|has|have|will|requires?)\b|[.;:,]|$)",
    re.IGNORECASE,
)


def _limits(sentence: Reading, ground: Reading, thresholds: Thresholds) -> Failure | None:
    """Ask for the numbers and descriptions that bound what a statement goes on to name."""
    for quantity in ground.quantities:
        of = _OF_WHAT.match(ground.text, quantity.end)
        kept = any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities)
        if kept:
            continue
        if of and quantity.unit in ("hour", "month") and names_in(of["what"]) & sentence.names - load_words().general:
            return Failure("condition", quantity.written[:40])
        if _AGE.search(ground.text[: quantity.start]) or (quantity.direction and _ON.match(ground.text, quantity.end)):
            return Failure("population", quantity.written[:40])
    for match in _RESTRICTS.finditer(ground.text):
        if names_in(match["what"]) & sentence.names and _lacking(names_in(match["how"]), sentence, thresholds):
            return Failure("condition", surface(sorted(names_in(match["how"]) - sentence.names)[0]))
    return None


# An age that says whom: "anyone younger than 12 years", "from 55 years on".
_AGE = re.compile(
    r"\b(?:people|persons?|adults|women|men|children|child|infants|babies|patients|those|someone|anyone|everyone|girls|boys)\s+"
    r"(?:who\s+are\s+)?(?:aged\s+)?(?:younger\s+than|older\s+than|over|under|below|above|from|aged?)\s*$",
    re.IGNORECASE,
)
_ON = re.compile(r"\s+on(?:wards?)?\s*(?:[.,;]|$)", re.IGNORECASE)
# "Eczema that has not responded to strong steroids": no other eczema is meant.
_RESTRICTS = re.compile(
    r"\b(?P<what>[^\W\d_]+)\s+(?:that|who|which|whose)\s+(?P<how>(?:failed|has|have|had|did|does|do|is|are|was|were|cannot)\b[^,;.:]*)",
    re.IGNORECASE,
)


def _left_out(theirs: frozenset[str], ours: frozenset[str], anywhere: frozenset[str]) -> str:
    """Return a group that a source speaks of and a statement does not; "" if it names one of several groups."""
    missing = (theirs & _people()) - ours
    if ours & names_in("pregnant breast-feeding menopause birth"):
        # No others are pregnant or breast-feed.
        missing -= names_in("woman")
    groups = names_in("adult woman man child infant adolescent teenager newborn")
    if missing <= groups and anywhere & groups & ours:
        return ""
    return sorted(missing)[0] if missing else ""


@cache
def _people() -> frozenset[str]:
    return names_in("adult woman man child infant older pregnant breast-feeding adolescent teenager newborn")


# Who is meant by what they have and where that goes on: "adults with heart failure and an ejection fraction below 40%".
_HAVING = re.compile(
    r"\s*(?:people|persons?|adults|women|men|children|patients|those|someone|anyone|everyone|girls|boys|infants|babies)\s+with\s+"
    r"(?P<what>[^.;:,]+?)(?=\s+(?:should|must|may|might|can|could|needs?|are|is|takes?|receives?|has|have|will|requires?|do|does)\b)",
    re.IGNORECASE,
)
# What is treated: "severe scabies is treated with ivermectin".
_TREATED = re.compile(
    r"\s*(?P<what>[^,;:.]+?)\s+(?:is|are)\s+(?:treated|managed|controlled|prevented)\s+(?:with|by)\b", re.IGNORECASE
)
# Which of them: "preterm infants", "healthy travellers", but not "most children".
_WHICH = re.compile(
    r"\s*(?P<what>(?!(?:in|for|most|many|some|all|any|only|few|other|these|those|the|a|an|every|each|both|if|when|ask|give|offer|treat)\b)[^\W\d_]+)\s+"
    r"(?:people|adults|women|men|children|patients|girls|boys|infants|babies|newborns|travell?ers|smokers)\b",
    re.IGNORECASE,
)


def check_whom(sentence: Reading, ground: Reading, thresholds: Thresholds) -> Failure | None:
    """Ask for whom a source speaks of: "people allergic to penicillin" and "preterm infants" are not all of them."""
    for pattern in (_WHOM, _WHICH, _TREATED):
        if (whom := pattern.match(ground.text)) and _lacking(names_in(whom["what"]), sentence, thresholds):
            return Failure("population", surface(sorted(names_in(whom["what"]) - sentence.names)[0]))
    if (whom := _HAVING.match(ground.text)) and (unmet := _unmet(whom["what"], sentence, thresholds)):
        return Failure("population", unmet.detail)
    return None
