"""Reads which groups of people a text is about: named in clinical or lay words, by an age, a value or a medicine.

Is: eight groups, without those that a text denies ("not pregnant", "eGFR above 90", "came off warfarin"). Is not: a
judgement of what a group may take (see `populations.py`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, get_args

from chatbot.present.drugs import find_drugs
from chatbot.present.population_ages import stages_in
from chatbot.present.population_words import OTHER, find_words
from corpus.documents import Span

Population = Literal["pregnancy", "breast-feeding", "child", "older", "kidney", "liver", "allergy", "anticoagulant"]
POPULATIONS: tuple[Population, ...] = get_args(Population)

# Source: KDIGO 2024: kidney function is decreased below 60 mL/min per 1.73 m².
_NORMAL_GFR = 60
_GFR = re.compile(r"^(?:e?gfr|cr\.?cl|creat(?:inine)?\s+clearance)$", re.IGNORECASE)
_GFR_VALUE = re.compile(r"^\s*(?:is|was|of|=|:|>|≥|above|over|\s)*(?P<value>\d{2,3})\b", re.IGNORECASE)

# Source: usual reference range of serum creatinine in adults, in micromol per litre.
_NORMAL_CREATININE = range(45, 111)
_CREATININE = re.compile(r"^creat(?:inine)?\s+(?:is\s+|of\s+|was\s+)?(?P<value>\d+)$")

# What may stand between a denial and what it denies.
_FILLER = (
    r"(?:(?:other|currently|yet|now|actually|be|been|being|a|an|any|the|on|taking|had|have|has|got|known|history\s+of|"
    r"personal|family|evidence\s+of|signs?\s+of|drug|underlying|pre-existing|trouble\s+with|problems?\s+with)\s+)*"
)
# Right before a hit, these say that the text is not about the group; "not pregnant or nursing" denies both.
_DENIED_BEFORE = re.compile(
    rf"(?:\bnon-?|\b(?:not|never|neither|nor|no|without|denies|negative\s+for|excluding|free\s+of|nil|"
    r"(?:can(?:no|n')?t|couldn'?t|cannot)(?:\s+possibly)?(?=\s+be\b)|"
    r"(?:do|does|did|have|has|had)n['’]t\s+(?:have|had|got|take|use)|"
    r"(?:i|he|she|we|they|who|wife|woman|patient)\s+(?:is|are|was|were)n['’]t|"
    rf"(?:is|are|was|were)n['’]t(?=\s+(?:on|taking|currently|yet|been)\b))\s+{_FILLER}"
    rf"(?:(?!i\b|my\b|sure\b|only\b|just\b|but\b)[\w-]+\s+(?:or|nor)\s+{_FILLER})?|"
    rf"\b(?:normal|healthy|adequate|good|intact|adult|grown(?:-up)?)\s+{_FILLER}|"
    r"\b(?:(?:came|come|taken|now|been)\s+off|"
    rf"no\s+longer\s+(?:on|taking|using)|used\s+to\s+(?:take|be\s+on))\s+{_FILLER})$",
    re.IGNORECASE,
)
# A child is denied by fewer words, so that none is taken for an adult: "isn't the child's dose 10 mg/kg?" is about one.
_CHILD_DENIED_BEFORE = re.compile(
    r"(?:\bnon-?|\b(?:not|no)\s+(?:(?:longer|currently|yet|now|actually|an?|been|be)\s+)*|"
    r"\b(?:adult|grown(?:-up)?)\s+)$",
    re.IGNORECASE,
)
# A baby that is expected, carried or nursed: the text is about its mother.
_NURSED = re.compile(
    r"\b(?:expecting|breast[\s-]?feed\w*|milk\s+for|nursing|trying\s+for|feed(?:s|ing)?|"
    r"carrying|having|had|unborn)\s+(?:an?|my|our|the|her)?\s*$",
    re.IGNORECASE,
)
# Said after a hit: a finding that is over, and was none.
_DENIED_AFTER = re.compile(
    r"^\s*(?:(?:(?:and|n|&|or|/)\s*\w+\s*)|"
    r"(?:tests?|functions?|enzymes|disease|problems?|trouble|status|ultrasound|"
    r"scans?|bloods?|panels?|profiles?|results?|biopsy)\s*)?"
    r"(?:(?:was|were|is|are|has\s+been|have\s+been|came\s+back|come\s+back|all)\s+|[:=-]\s*|\s)?"
    r"(?:all\s+|quite\s+|both\s+|perfectly\s+)?"
    r"(?<=[\s:=-])(?:excluded|ruled\s+out|negative|neg\b|normal|absent|fine|healthy|nil|none|"
    r"unremarkable|nad|nkda|spot\s+on|good|ok\b|okay|great|perfect|in\s+range|within\s+normal)\b"
)
# Over long since: "I had gestational diabetes twelve years ago", "weaned my youngest back in 2016".
_LONG_AGO = re.compile(
    r"^(?![^.?!;]{0,60}\b(?:now|still|currently|(?:pregnant|expecting)\s+again)\b)[^.?!;]{0,50}?\b"
    r"(?:(?:years?|yrs|decades?)\s+(?:ago|back|on\b)|"
    r"last\s+year|back\s+in|in\s+(?:19|20)\d\d|long\s+ago)\b"
)
_STATES = ("pregnancy", "breast-feeding", "child", "older")
# A scan or a child that is fine is none the less there.
_EXCLUDED_AFTER = re.compile(
    r"^\s*(?:(?:tests?|status)\s*)?(?:(?:was|were|is|are|has\s+been|came\s+back)\s+|[:=-]\s*|\s)"
    r"(?:excluded|ruled\s+out|negative|neg\b|absent|nil|none)\b"
)
_BABY = re.compile(r"bab|child|infant|newborn|kid|boy|girl|toddler|little|wee")
_ENDED = re.compile(r"\b(?:stopped|finished|gave\s+up|given\s+up|quit)\s+$")
_CLEARED = re.compile(r"^[^.?!;]{0,40}?\b(?<!not )(?:cleared|fully\s+recovered|got\s+over\s+it|resolved)\b")
_REACHED = re.compile(
    r"\b(?:harm|hurt|affect|reach|get\s+to|pass(?:es|ed)?\s+(?:on\s+|over\s+)?to|damage|"
    r"bad\s+for|(?:safe|okay|ok)\s+for|risk\s+to)s?\s+"
    r"(?:the\s+|my\s+|our\s+|her\s+)?$"
)
_REACTED = re.compile(
    r"\b(?:wheez\w+|itch\w+|reactions?|blister\w*|collapsed|swollen|swelled|hives|blotch\w+|sensitive)\s+"
    r"(?:up\s+|all\s+over\s+|badly\s+)?"
    r"(?:after|from|to|whenever|every\s+time|each\s+time)\b"
)
_DRUG_CHARS = 25
# A sign of two groups, which the other group explains: a failing liver raises the INR, pre-eclampsia the protein.
_EXPLAINED = (("liver", "anticoagulant", "inr"), ("pregnancy", "kidney", "protein"))
_RUPEES = re.compile(r"(?:\d,\d{3}|\b(?:costs?|paid|pays?|pay|fee|price|worth|charg\w+)\b[^.?!]{0,20}\d)\s*$")
_DECLINED = re.compile(
    r"\b(?:declin(?:ed|es|ing)|refus(?:ed|es|ing)|turned\s+down)\s+(?:the\s+|to\s+(?:take|start)\s+)?$"
)
# Somebody else's story, before the one who asks: "my mum takes warfarin but it's me asking".
_ASKER = re.compile(
    r"^[^.?!]{0,120}?\b(?:but|though)\s+(?:it'?s|this\s+is|that'?s)\s+"
    r"(?:not\s+(?:for|about)\s+(?:him|her|them)|(?:for\s+)?(?:me|myself|i)\b)",
    re.IGNORECASE,
)
_PLAIN = str.maketrans("’‘`´–—‑‐\u00a0", "''''---- ")
# How far before a hit its denial may stand, in characters.
_DENIAL_CHARS = 60
_AFTER_CHARS = 80
_OTHER_CHARS = 200


# Quotes are read several times for one reply, and a conversation's messages with each of its turns.
@lru_cache(4096)
def populations_in(text: str) -> frozenset[Population]:
    """Return the groups of people that `text` is about; what it denies ("not pregnant") is left out.

    "Avoid in pregnancy" is about pregnancy: it says something to the person who asks.

    Example:
        >>> sorted(populations_in("A pregnant woman with normal kidney function, on apixaban"))
        ['anticoagulant', 'pregnancy']
    """
    # Quotation marks and dashes of one kind; one character for one, so that places stay where they are.
    text = _ASKER.sub("", text.translate(_PLAIN))
    lower = text.lower()
    if len(lower) != len(text):
        text = lower
    hits = tuple(find_words(text, lower))
    others = sorted((start, end) for group, start, end in hits if group == OTHER)
    found = {
        name
        for name, start, end in hits
        if name != OTHER and not _inside(start, end, others) and _affirmed(name, (start, end), lower)
    }
    if "allergy" not in found and _reacts_to_drug(text, lower):
        found.add("allergy")
    if (
        "child" in found
        and found & {"pregnancy", "breast-feeding"}
        and all(
            _REACHED.search(lower[max(0, start - _DENIAL_CHARS) : start])
            for name, start, _ in hits
            if name == "child" and not _inside(start, start + 1, others)
        )
    ):
        # What reaches "the baby" reaches it through its mother.
        found.discard("child")
    for group, explained, sign in _EXPLAINED:
        if group in found and all(lower[start:end].startswith(sign) for name, start, end in hits if name == explained):
            found.discard(explained)
    return frozenset(name for name in POPULATIONS if name in found) | stages_in(text, lower)


def _reacts_to_drug(text: str, lower: str) -> bool:
    """Say whether a reaction is told of a medicine: "wheezy after one ibuprofen", "a reaction to sulfa"."""
    return any(
        any(start < _DRUG_CHARS for _, start, _ in find_drugs(text[match.end() : match.end() + 2 * _DRUG_CHARS]))
        and not _DENIED_BEFORE.search(lower[max(0, match.start() - _DENIAL_CHARS) : match.start()])
        for match in _REACTED.finditer(lower)
    )


def _inside(start: int, end: int, others: Sequence[Span]) -> bool:
    """Say whether a span lies within one of `others`, which are sorted and reach no further than `_OTHER_CHARS`."""
    for first, last in others[bisect_left(others, (start - _OTHER_CHARS, 0)) :]:
        if first > start:
            return False
        if end <= last:
            return True
    return False


def _affirmed(name: str, span: Span, text: str) -> bool:
    """Say whether a mention is about the group: not denied, not normal, not over, and no other thing of that name."""
    start, end = span
    before, after = text[max(0, start - _DENIAL_CHARS) : start], text[end : end + _AFTER_CHARS]
    if name == "child" and _BABY.match(text[start:end]) and _NURSED.search(before):
        return False
    if name == "kidney" and _normal_value(text[start:end], after):
        return False
    if text[start:end] == "inr" and _RUPEES.search(before):
        return False
    if _is_over(name, before, after):
        return False
    denied = (_CHILD_DENIED_BEFORE if name == "child" else _DENIED_BEFORE).search(before)
    return not denied and not (_EXCLUDED_AFTER if name in _STATES else _DENIED_AFTER).match(after)


def _is_over(name: str, before: str, after: str) -> bool:
    """Say whether what is told was long ago, has ended, healed, or was never taken."""
    if name == "anticoagulant":
        return bool(_DECLINED.search(before))
    if name == "liver":
        return bool(_CLEARED.match(after))
    if name == "breast-feeding" and _ENDED.search(before):
        return True
    return name in ("pregnancy", "breast-feeding") and bool(_LONG_AGO.match(after))


def _normal_value(hit: str, after: str) -> bool:
    """Say whether a value of kidney function is a normal one."""
    if _GFR.match(hit):
        value = _GFR_VALUE.match(after)
        return value is not None and int(value["value"]) >= _NORMAL_GFR
    creatinine = _CREATININE.match(hit)
    return creatinine is not None and int(creatinine["value"]) in _NORMAL_CREATININE
