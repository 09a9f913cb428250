"""Reads which sentences take no side although they hold words that do.

Is: questions, what a document says of itself and of its evidence, where a drug goes in the body, and two sides in even
balance. Is not: a reading of advice (see `polarity_clauses.py`).
"""

from __future__ import annotations

import re

# A sentence about recommendations, not one of them.
_OF_RECOMMENDATIONS = re.compile(
    r"\brecommendations?\s+(?:is|are|was|were)\s+(?:worded|graded|rated|labelled|numbered|listed|marked|based|grouped|"
    r"classified|made\s+by)\b"
    r"|\b(?:this|these|the\s+new)\s+(?:recommendations?|guidelines?|versions?|statements?|chapters?)\s+(?:replaces?|"
    r"updates?|covers?|follows?|appl\w+)\b"
    r"|\b(?:strength|grade|grading|wording|number)\s+of\s+(?:a|the|each|every|all)?\s*recommendations?\b"
)
_RECOMMENDATIONS = ("recommendation", "guideline", "version", "statement", "chapter")
_OF_WORDS = re.compile(r"\W*the\s+(?:word|term|phrase|expression|abbreviation)\b")
_QUOTED = re.compile(r"['\"](?:should|may|must|consider|offer)(?:\s+not)?['\"]")
_DEPENDS = re.compile(
    r"\b(?:choice|decision)\s+(?:between\b[^.;]*\b)?(?:depends?|rests?\s+with)\b|\bwith\s+equal\s+(?:force|justice)\b"
    r"|\b(?:came|comes|entered)\s+into\s+(?:force|effect)\b"
)
_KINETIC_WORDS = ("%", "half-life", "bioavail", "plasma", "excreted", "metaboli", "eliminated", "exert", "due to")
# Where a drug goes and how it works: "the kidney clears 80 % of a dose".
_KINETICS = re.compile(
    r"%\s+of\s+(?:an?|the|each)\s+(?:\w+\s+)?dose\b|\bhalf-life\b|\bbioavailability\b|"
    r"\bplasma\s+(?:levels?|concentrations?)\b"
    r"|\b(?:excreted|metaboli[sz]ed|eliminated)\s+(?:by|in|through)\b|\b(?:exerts?|due\s+to)\s+(?:its|their)\b"
)
# Both sides, and none heavier.
_EVEN = re.compile(
    r"\b(?:to\s+the\s+same\s+(?:degree|extent)|equally\s+(?:many|often|well\s+and)|offset\s+(?:exactly\s+)?by|"
    r"on\s+the\s+one\s+hand|cancel(?:led)?\s+(?:each\s+other\s+)?out|swings\s+and\s+roundabouts|evenly\s+balanced|"
    r"finely\s+balanced|pros\s+and\s+cons|split\s+(?:evenly|down\s+the\s+middle)|"
    r"opinions?\s+(?:is|are|was|were)\s+divided|neither\s+(?:answer|choice|option)\s+is)\b"
)
_OWN_CHOICE = re.compile(
    r"\b(?:should|may|must|can|to)\s+(?:decide|choose)\s+(?:for\s+(?:her|him|them|your)sel\w+|which|between|whether)\b"
)


def takes_no_side(sentence: str) -> bool:
    """Return whether a folded sentence takes no side whatever its words.

    Example:
        >>> takes_no_side("should doctors recommend e-cigarettes?")
        True
        >>> takes_no_side("doctors should recommend walking.")
        False
    """
    if sentence.rstrip(" \"')]\n\t").endswith("?"):
        return True
    if any(word in sentence for word in _RECOMMENDATIONS) and _OF_RECOMMENDATIONS.search(sentence):
        return True
    if ("'" in sentence or '"' in sentence) and _QUOTED.search(sentence):
        return True
    return bool(_OF_WORDS.match(sentence) or _DEPENDS.search(sentence) or _OWN_CHOICE.search(sentence))


def finds_for_neither(sentence: str) -> bool:
    """Return whether a folded sentence tells facts for neither side; advice beside them still counts."""
    kinetic = any(word in sentence for word in _KINETIC_WORDS) and _KINETICS.search(sentence)
    return bool(kinetic or _EVEN.search(sentence))
