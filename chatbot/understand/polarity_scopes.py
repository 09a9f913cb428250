"""Finds the spans of a sentence that do not carry its advice: conditions, reasons, and what it excludes.

Is: the English of "if …", "who cannot …", "rather than …". Is not: cues (see `polarity_cues.py`).
"""

from __future__ import annotations

import re

from corpus.documents import Span

# Conditions, concessions and settings that open a sentence: "If aspirin is not tolerated, …".
_LEADING = re.compile(
    r"^[\s\"'(\[•*–-]*(?:if|when|whenever|where|once|while|unless|except|although|though|despite|"
    r"even\s+(?:if|when|though|after|in|where|with|among|before)|after|before|until|during|contrary|unlike|in|for|"
    r"among|with|as|because|since|formerly|on|at|to|apart)\b(?!\s*:)[^,;:]*,(?=(?:\s+[\w'-]+){2})"
)
# … or that close it: "… unless the kidneys fail".
_CONDITION = re.compile(
    r"\b(?:unless|except(?:\s+(?:in|for|when|under))?|until|provided|"
    r"(?:only\s+)?(?:if(?!\s+(?:ever|any|at\s+all)\b)|when|once(?!\s+(?:an?|daily|weekly|monthly|every|per|or|"
    r"thought)\b))|although|though|(?<=known\s)(?:how|why)|(?<=clear\s)(?:how|why)|(?<=uncertain\s)(?:how|why)|"
    r"in\s+case|as\s+long\s+as|whether|where)\b(?<!^if)[^,;]*"
)
# "… after a heart attack": a setting, up to the verb that goes with the subject before it.
_AFTER = re.compile(r"\bafter\b(?:(?!\s(?:is|are|was|were|should|must|may|can|do|does|did|has|have|not)\b)[^,;])*")
# "people who cannot take …": the reader of the advice, not the advice.
_WHO = re.compile(
    r"\b(?:who|whom|that)\s+(?:(?:have|has|had|do|does|did|can|could|are|is|were|was|will|not|never|cannot|can't|don't|"
    r"doesn't|didn't|haven't|hasn't|isn't|aren't|may|already|been|still)\s+)+[\w-]+(?:\s+to\b)?|\bwho\s+[\w-]+"
)
# Remarks between commas, and reasons.
_RELATIVE = re.compile(r",\s+(?:which|who|where|whose|once)\b[^,;]*,")
_REASON = re.compile(
    r"\b(?:because|since|as\s+(?=it|they|this|the|evidence|trials?|there)|for\s+fear|due\s+to|owing\s+to)\b[^;]*"
)
# What a sentence sets aside for something else: "… rather than ibuprofen", "…, but not in pregnancy".
_EXCLUDED = re.compile(
    r"\b(?:rather\s+than|instead\s+of|as\s+opposed\s+to|in\s+place\s+of|in\s+preference\s+to)\b.*?(?=,|;|$|"
    r"\s(?:is|are|should|may|can|for|in|when|if|patients|people)\b|[.!?]\s*$)"
    r"|(?<=,)\s+(?:but\s+|and\s+)?not\s+(?:a|an|the|by|in|for|on|with|from|as|during|at|to|merely|after|before)\b[^,;]*"
    r"|\bbut\s+not\s+(?:in|for|by|on|with|during|at|after|before|to)\b[^,;]*"
)
_EXCLUDES = ("rather", "instead", "opposed", "in place", "in preference", "not ")


def set_aside(folded: str, start: int, end: int) -> tuple[tuple[Span, ...], tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans of a sentence that do not carry its advice: conditions, reasons, and what it excludes."""
    sentence = folded[start:end].lstrip()
    start = end - len(sentence)

    def spans(pattern: re.Pattern[str]) -> tuple[Span, ...]:
        return tuple((start + m.start(), start + m.end()) for m in pattern.finditer(sentence))

    asides = spans(_LEADING) + spans(_CONDITION)
    # A word looked for costs less than its pattern.
    if "after" in sentence:
        asides += spans(_AFTER)
    if ", " in sentence:
        asides += spans(_RELATIVE)
    if "who" in sentence or "that" in sentence:
        asides += spans(_WHO)
    excludes = any(word in sentence for word in _EXCLUDES)
    return asides, spans(_REASON), spans(_EXCLUDED) if excludes else ()
