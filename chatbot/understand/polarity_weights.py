"""Reads what one clause says by its cues: for or against, advice or finding, and what a negation turns.

Is: the weight of each kind of cue, the reach of a negation inside its clause, and which words of advice only tell.
Is not: where clauses begin and end (see `polarity_clauses.py`).
"""

from __future__ import annotations

import re

from chatbot.understand.polarity_cues import NEGATORS, Cue, abruptly_pattern

# A recommendation counts more than a finding: "effective, but should not be used" advises against.
ADVICE, FINDING = 2, 1
# How far a negation reaches within its clause, in characters: about ten words, five for a second negation, three for
# "without". Source: NegEx reaches five words; recommendations put long subjects between ("No … should ever be …").
_REACH_CHARS, _DOUBLE_REACH_CHARS, _SHORT_REACH_CHARS = 80, 45, 28

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

# What may stand before an instruction at the start of a clause.
_OPENING = re.compile(
    r"[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:(?:and|but|or|then|also|always|so|please|instead|just|otherwise|therefore|"
    r"routinely|regularly|promptly|gently|immediately|if so|clinicians|do)[\s,]+)*"
)
# "Do not …" forbids; "patients do not …" tells.
_DO = re.compile(r"[\s\"'(\[•*–-]*(?:(?:and|but|or|then|so|please|also|therefore|important)[\s,]+)*do\s+")
# "… with no heart problem": the "no" reaches its noun only.
_WITH_NO = re.compile(r"\b(?:with|and|or|has|have|had|is|are|was|were)\s+no$")
_NEVER = re.compile(r"don't|never")
# "Use is not justified" begins with a noun.
_NOUN = re.compile(r"\s+(?:is|are|was|were|of|in|may|should|must|can|has|have)\b")
# "Does not stop / prevent pain" denies a benefit.
_STOP = re.compile(r"(?:stop|prevent)\b")
# Kinds of cue that count only after a form of "be", and what stands between the two.
_NEEDS_IS = frozenset(("act", "advice_if_is", "advice_against_if_is", "no_good_if_is"))
_IS = re.compile(r"\b(?:is|are|be|been|being|not|which|what|who)\s+(?:[a-z-]+\s+){0,3}$")
_AND = re.compile(r"\band\s+$")
_IS_JUST = re.compile(
    r"\b(?:is|are|be|been|being|not|it|them|which|what|who|considered)\s+(?:(?:[a-z]+ly|also|both|very|quite|most|more|"
    r"too|now|not|even|so|thus|therefore)\s+)*$|\band\s+is\s+$"
)
# "May be used" is advice, "is used" may only tell.
_MAY_BE = re.compile(r"\b(?:may|can|could|might)\s+(?:[a-z]+\s+)?be\s+(?:[a-z]+\s+)?$")
# "Is monitored by the laboratory" tells who does it.
_BY_AGENT = re.compile(
    r"\s+by\s+(?:(?:means|a|an|the|some|most|many|our|local)\b|[a-z]+(?:ists|ians|ers|wives|nurses|teams)\b)"
)
# "Do not hesitate to stop it".
_TO_END = re.compile(r"\s+to\s+(?:stop|discontinue|withdraw|withhold|omit|avoid|refuse|halt|pause|cut)\b(?!\s+smoking)")
# "Should be postponed" advises against; "is skipped" does too, "is missed" and "was delayed" tell.
_LEFT_OFF = re.compile(r"(?:skipped|postponed|deferred|withheld|omitted|left\s+o(?:ut|ff))$")
_STOPPED = re.compile(r"(?:delayed|stopped|restricted|reserved|interrupted|denied|refused|turned\s+(?:down|away))$")
_NOW_IS = re.compile(r"\b(?:be|is|are)\s+(?:[a-z]+ly\s+|then\s+|always\s+)?$")
_SHOULD_BE = re.compile(r"\b(?:should|must|to|shall)\s+(?:[a-z]+\s+)?be\s+(?:[a-z]+ly\s+|then\s+|always\s+)?$")
# Makes an instruction of a verb inside a clause: "should limit", "advises stopping".
_SHOULD = re.compile(
    r"\b(?:should|must|(?:needs?|ha(?:s|ve)|ought|advised|told|best|important|practice)\s+to|please|consider(?:s|ed)?|"
    r"advis(?:es?|ed)|recommend(?:s|ed)?|suggest(?:s|ed)?)\s+(?:[a-z]+ly\s+)?$"
)
# "Helps to avoid falls" is a benefit, "needs to avoid alcohol" advice, and any other "to avoid" a purpose.
_HELPS_AVOID = re.compile(r"\b(?:(?:helps?|lets?|allows?|may|might|can|could)\s+(?:\w+\s+){0,2}?(?:to\s+)?)$")
_TO_AVOID = re.compile(
    r"\b(?:needs?|ha(?:s|ve)|ought|important|best|advised|advisable|tr(?:y|ies)|aims?|wise|told|prudent|necessary|"
    r"recommended|encouraged|reminded|sensible|is|are|what|how|things?|foods?|drugs?|medic\w+|mistakes?|pitfalls?|"
    r"errors?|tests?|treatments?|combinations?|interventions?|practices?)\s+to\s$|^\s*to\s$"
)
# Less of a bad thing is no bad thing.
_LESSENS = re.compile(
    r"reduc|lower|prevent|protect|lessen|decreas|spare|suppress|fewer|shorten|reliev|eas|treat|without|no\b"
)


def weigh_clause(folded: str, left: int, right: int, cues: list[Cue]) -> int:
    """Return what one clause says: above 0 for, below 0 against, ±2 advice, ±1 a finding, 0 nothing.

    `cues` are those that begin in folded[left:right], in order.
    """
    said: list[tuple[str, int]] = []
    negator: Cue | None = None
    modal = left - _REACH_CHARS  # where the last modal word ends
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
            if (
                cue.kind == "act"
                and not governed
                and cue.start - modal > _DOUBLE_REACH_CHARS
                and _BY_AGENT.match(folded, cue.end)
            ):
                continue
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
            if negator is None and not _STOP.match(folded, cue.start):
                return -ADVICE if _says_to_leave_off(folded, cue) else 0
            # "Does not prevent falls" denies a benefit; "must not prevent morphine" asks for it.
            does_good = _STOP.match(folded, cue.start) and (negator is None or negator.kind != "prohibition")
            weight = FINDING if does_good else -ADVICE
            if negator is not None and _TO_END.match(folded, cue.end):
                return -ADVICE
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


def _says_to_leave_off(folded: str, cue: Cue) -> bool:
    """Say whether a leaving off that nothing denies is asked for: "should be postponed", "precludes"."""
    if folded.startswith("precludes", cue.start):
        return True
    if _LEFT_OFF.search(folded, cue.start, cue.end):
        return bool(_NOW_IS.search(folded, 0, cue.start))
    return bool(_STOPPED.search(folded, cue.start, cue.end) and _SHOULD_BE.search(folded, 0, cue.start))


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
