"""How a clause is said: how often it denies, how strongly it speaks, how it hedges.

Is: word lists of English; pure. Is not: a comparison of two clauses (see `gate_claims.py`).
"""

from __future__ import annotations

import re

from chatbot.answer.gate_words import WORD, load_words

# How strongly a clause speaks. Source: NICE, Developing NICE guidelines: the manual, chapter 9 (must; should and
# offer; consider); below them what is only possible.
MUST, SHOULD, CONSIDER, MAY = 4, 3, 2, 1

# What a bound says about a number denies nothing: it is read with the number.
_BOUND = re.compile(
    r"\b(?:no|not|never|n['’]t)\s+(?:\w+\s+){0,2}?(?=(?:more|less|fewer|longer|faster|later|greater|higher|lower|older)\s+than\b|exceed\w*\s+\d)"
    r"|\b(?:no|not|never|n['’]t)\s+(?:(?:be|rise|go|get|fall|drop)\s+){0,2}(?=(?:above|over|below|under)\s+\d)|\bno\s+later\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no|never|cannot|without|neither|nor|none|nothing|avoid(?:s|ed|ing)?|contra-?indicated|contra-?indications?|refrain\w*|discourag\w+|"
    r"forbidden|prohibited|unable|absent|absence|against|rather\s+than|instead\s+of|free\s+of|un(?:needed|necessary|proven)|"
    r"in(?:effective|sufficient)|poorly|left\s+alone|leave\s+(?:\w+\s+)?alone|isn['’]?t)\b|n['’]t\b",
    re.IGNORECASE,
)
# Two denials that undo each other, and one that is said in two words.
_CANCELLED = re.compile(
    r"(?:\bnot|\bnever|\bno|n['’]t|\bcannot)\s+(?:be\s+|an?\s+|to\s+)?(?:avoid\w*|contra-?indicat\w+|unnecessary|without)\b|\bnor\b"
    r"|\b(?:vaccin\w+|immuni[sz]\w+|protect\w*|prophyla\w+|guard\w*|cover\w*|active|boosters?|jabs?|shots?|antibod(?:y|ies))\s+against\b",
    re.IGNORECASE,
)
_MAY = re.compile(
    r"\b(?:may|might|can(?!['’]?t|not)|could|(?<!soon as )(?<!far as )(?<!where )possibl[ey]|perhaps|an?\s+option|options|optionally|appears?\s+to|seems?\s+to)\b",
    re.IGNORECASE,
)
_CONSIDER = re.compile(r"\b(?:alternatives?|consider(?:ed|ing)?|suggest(?:s|ed)?|worth\s+trying)\b", re.IGNORECASE)
_MUST = re.compile(
    r"\b(?:must|have\s+to|has\s+to|mandatory|obligatory|essential|vital|never|always|contra-?indicated|forbidden|prohibited|"
    r"under\s+no\s+circumstances)\b",
    re.IGNORECASE,
)
_MUST_MODAL = re.compile(r"\b(?:must|ha(?:ve|s)\s+to|always)\b", re.IGNORECASE)
# What a source reports as somebody's belief is no fact: "is thought to cause", "researchers believe that".
_HELD = r"(?:thought|believed|considered|assumed|presumed|suspected|supposed|hypothesi[sz]ed|theori[sz]ed|postulated|speculated|reported|said|felt)"
_BELIEVED = re.compile(
    rf"(?<!\bbe\s){_HELD}\s+(?:to|that)\b|\bpresum(?:ably|ed\s+cause)\b|\b(?:supposed|reported|apparent|conceivab)ly\b"
    r"|\b(?:researchers?|scientists?|experts?|doctors?|investigators?|clinicians?|specialists?|many|some|they|we)\s+(?:\w+ly\s+)?"
    r"(?:think|believe|assume|suspect|suppose|hypothesi[sz]e|theori[sz]e|speculate)s?\b",
    re.IGNORECASE,
)
# Words that keep a belief one. "Can" does not: it says that a thing does happen.
_UNSURE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|probabl[ey]|likely|potential(?:ly)?|appears?|seems?|suggests?)\b",
    re.IGNORECASE,
)


def is_belief(piece: str) -> bool:
    """Say whether a clause reports a belief.

    Example:
        >>> is_belief("The virus is thought to cause most cases."), is_belief("Sepsis is suspected.")
        (True, False)
    """
    return _BELIEVED.search(piece) is not None


def is_unsure(text: str) -> bool:
    """Say whether a statement leaves open whether it is so."""
    return is_belief(text) or _UNSURE.search(text) is not None


def denials_in(piece: str) -> int:
    """Return how many words of denial stand that no other undoes; a bound on a number denies nothing."""
    return len(_DENIES.findall(_CANCELLED.sub(" ", _BOUND.sub(" ", piece))))


# Denials of what is beside the claim: "in people without symptoms", "for those who cannot swallow".
_BESIDE = re.compile(
    r"\b(?:(?:without|with\s+no)\b|(?:who|which|that)\s+(?:\w+\s*)??(?:cannot\b|can['’]t\b|not\b|never\b|no\b|n['’]t\b)|unable\s+to\b"
    r"|(?:people|adults|women|men|children|patients|those)\s+not\b)[^,;]*?"
    r"(?=,|;|$|\b(?:is|are|was|were|should|must|may|might|can|could|do|does|has|needs?|receives?)\b)",
    re.IGNORECASE,
)


def claim_denials_in(piece: str) -> int:
    """Return how many denials bear on what a clause claims, not on whom or what it speaks of."""
    return denials_in(_BESIDE.sub(" ", piece))


def strength_of(piece: str) -> int:
    """Return MUST, SHOULD, CONSIDER or MAY; what asserts speaks as strongly as what recommends."""
    piece = _BOUND.sub(" ", piece)
    if _MUST_MODAL.search(piece):
        # "Must be considered", "must be an option"
        return MUST
    if _MAY.search(piece):
        return MAY
    if _CONSIDER.search(piece):
        return CONSIDER
    return MUST if _MUST.search(piece) else SHOULD


def hedges_in(piece: str) -> frozenset[int]:
    """Return the rows of hedges that a clause holds (`hedges` in `gate_words.yaml`)."""
    lexicon = load_words()
    lowered = piece.lower()
    words = [word.lower() for word in WORD.findall(piece)]
    if "as possible" in lowered and "possible" in words:
        words.remove("possible")
    for word in ("about", "around"):
        # "Ask about falls", "all around the wound"
        if word in words and not re.search(rf"\b{word}\s+(?:\d|half|an?\b|one\b)", lowered):
            words.remove(word)
    hedges = {lexicon.hedges[word] for word in words if word in lexicon.hedges}
    return frozenset(
        hedges | {number for phrase, number in lexicon.hedges.items() if " " in phrase and phrase in lowered}
    )
