"""Reads what headings and lead-ins make of the text under them.

Is: the side that the innermost telling line takes, whether it binds whole sentences, and the headings under which
nothing advises (methods, glossaries, open questions). Is not: a reading of the text itself (see `polarity_clauses.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from chatbot.understand.polarity_clauses import FORBIDDING, decide_parts, read_clauses
from chatbot.understand.polarity_cues import abruptly_pattern, find_cues, fold
from chatbot.understand.polarity_weights import ADVICE

# Headings under which whatever stands is rebutted, or done wrong.
_MYTH = re.compile(r"\b(?:myths?|misconceptions?)\b")
# "Myths and facts": what stands under it may be either.
_FACT = re.compile(r"\b(?:facts?|truths?|reality)\b")
_ERROR = re.compile(r"\b(?:errors?|mistakes?|blunders?)\b")
# Headings under which whole sentences, advice too, are what is no longer held.
_REVOKED = re.compile(
    r"\b(?:rejected|deleted|outdated|obsolete|superseded|withdrawn|revoked|discarded|no\s+longer|used\s+to|"
    r"former(?:ly)?|choosing\s+wisely)\b"
)
# Headings under which nothing advises, as the whole line or as its head noun.
_SILENT = re.compile(
    r"^(?:[\d.]+\s+)?(?:(?:methods?|glossary|abbreviations|definitions?|references|bibliography|acknowledg\w+|"
    r"contributors|authors|appendix(?:\s+\w+)?|search\s+strategy|literature\s+search|baseline\s+characteristics|"
    r"pros\s+and\s+cons|disclosures?|conflicts?\s+of\s+interest|funding|implications\s+for\s+research|"
    r"future\s+research|(?:recommendation|guideline|expert|consensus)\s+(?:panel|group|committee))\s*:?$"
    r"|.*\b(?:inclusion\s+criteria|research\s+recommendations?|recommendations?\s+for\s+(?:further\s+)?research|"
    r"open\s+questions?|unanswered\s+questions|gaps\s+in\s+(?:the\s+)?(?:evidence|knowledge)|"
    r"how\s+to\s+(?:read|use)\s+this\s+(?:guid\w+|document|leaflet|book|summary)|"
    r"strength\s+of\s+(?:the\s+)?recommendations?|grad(?:es|ing)\s+of\s+(?:the\s+)?(?:recommendations?|evidence)|"
    r"changes?\s+(?:since|(?:from|to)\s+the\s+(?:previous|last|earlier|guideline))|no\s+consensus|no\s+agreement|"
    r"for\s+(?:or|and|nor)\s+against|undecided|what\s+the\s+\w+\s+looks?\s+like|(?:further|more)\s+research)\b)"
)
_METHODS = re.compile(r"\b(?:methods?|trials?|study|studies|reviews?|participants|inclusion)\b")
_EXCLUSION = re.compile(r"\bexclusion\s+criteria\b")
# Headings that only say what stands under them: there a bare item is advised.
_DO = re.compile(r"^(?:do|dos|do's|always|recommended)\s*[:.]?$")
_FORBIDDING_KINDS = frozenset(("heading_against", "prohibition", "advice_against"))
# "How it is stopped" heads what is to be left off, and forbids nothing.
_ENDS = re.compile(r"\b(?:stop\w*|discontinu\w+|withdraw\w*|deprescrib\w+|taper\w*|postpone\w*)\b")
# What stands under a line that speaks against it and is itself a leaving off, is asked for.
_LEAVES_OFF = re.compile(
    r"^[\s\"'(\[•*–-]*(?:\d+[.)]\s+)?(?:the\s+)?(?:omitting|withholding|forgetting(?:\s+to)?|failing\s+to|failure\s+to|"
    r"delay(?:s|ing)?|skipping|neglecting|missing|denying|refusing|postponing|overlooking|underestimating|"
    r"under-?treat\w+|under-?dos\w+|under-?us\w+|not\s+\w+ing|(?:stopping|discontinuing|interrupting|"
    r"withdrawing)(?!\s+smoking))\b"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a heading or lead-in makes of the text under it: `value` above 0 for, below 0 against, 0 nothing.

    `binding` lines speak of whole sentences too; `mixed` ones head facts beside myths, `revoked` ones advice that no
    longer holds; what `forbids` turns a leaving off into its opposite; under a `silent` line nothing takes a side.
    """

    value: int = 0
    binding: bool = False
    myth: bool = False
    mixed: bool = False
    error: bool = False
    revoked: bool = False
    forbids: bool = False
    silent: bool = False


def leaves_off(folded: str) -> bool:
    """Return whether a folded item names a leaving off, so that a line against it asks for what is left off.

    Example:
        >>> leaves_off("withholding fluids from a child"), leaves_off("stopping clonidine abruptly")
        (True, False)
    """
    return bool(_LEAVES_OFF.match(folded)) and not abruptly_pattern().search(folded)


@lru_cache(4096)
def read_frame(context: tuple[str, ...]) -> Frame:
    """Return what the innermost heading or lead-in that takes a side, or forbids taking one, makes of its text."""
    for at in range(len(context) - 1, -1, -1):
        folded = fold(context[at].strip())
        if _SILENT.match(folded):
            return Frame(silent=True)
        if _EXCLUSION.search(folded) and any(_METHODS.search(fold(line)) for line in context[:at]):
            return Frame(silent=True)
        kinds = {cue.kind for cue in find_cues(folded, headings=True)}
        value = decide_parts(read_clauses(context[at]))
        if kinds & {"heading_against", "rebuttal"} or (not value and kinds & {"prohibition", "no_good"}):
            value = -ADVICE
        elif ("heading_for" in kinds and value >= 0) or _DO.match(folded):
            value = ADVICE
        elif not value and FORBIDDING.match(folded):
            value = -ADVICE
        if value:
            lead_in = folded.endswith(":")
            binding = lead_in or bool(FORBIDDING.search(folded))
            revoked = value < 0 and bool(_REVOKED.search(folded))
            forbids = value < 0 and bool(kinds & _FORBIDDING_KINDS or binding) and not _ENDS.search(folded)
            myth = bool(_MYTH.search(folded))
            return Frame(
                value,
                binding,
                myth=myth,
                mixed=myth and bool(_FACT.search(folded)),
                error=bool(_ERROR.search(folded)),
                revoked=revoked,
                forbids=forbids,
            )
    return Frame()
