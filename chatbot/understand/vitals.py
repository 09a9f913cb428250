"""Reads temperatures, pressures, ages and other numbers that make a message urgent.

Is: a few patterns over evened-out words, giving hits that stand beside the listed phrases. The limits decide
only whether a card is shown; no number is ever repeated, converted or put into words.
Is not: arithmetic for doses or scores.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from chatbot.understand.phrases import Hit, Words

VITAL_NAMES = (
    "temp_high bp_high bp_crisis bp_mid bp_low hr_high rr_high spo2_low gcs_low sugar_high sugar_low sugar_very_low ketones_high "
    "ketones_number ck_high tbsa young_baby pregnant_weeks many_pills"
).split()

_NUMBER = r"(\d+(?:[.,]\d+)?)"
# Source: NICE NG143 (fever in under 5s), 38 °C; upper end keeps out other numbers.
_TEMPERATURE = re.compile(
    rf"\b(?:fever|febrile|temp|temperature|t|hot|degrees|body|rigors?)\b"
    rf"(?: \w+){{0,4}}? {_NUMBER}\b"
)
_BARE_TEMPERATURE = re.compile(r"\b((?:3[89]|4[01])[.,]\d) ?(?:c|degrees)?\b")
# Source: NICE NG133 (hypertension in pregnancy): severe from 160/110; NG136 (hypertension): 180/120; NG253 (sepsis): systolic 90 or below.
_PRESSURE = re.compile(r"\b(\d{2,3})(?:/| over | / )(\d{2,3})\b")
# Source: NICE NG253 (sepsis, NEWS2): heart rate, breathing rate, saturation, consciousness.
_HEART_RATE = re.compile(r"\b(?:heart rate|pulse|hr)(?: (?:is|of|at|about|around))* (\d{2,3})\b")
_BREATH_RATE = re.compile(r"\b(?:rr|respiratory rate|resp rate|resps|breathing rate)(?: (?:is|of|at))* (\d{2})\b")
_OXYGEN = re.compile(r"\b(?:spo2|sats|sat|sao2|oxygen|saturation|saturations|o2)(?: \w+){0,3}? (\d{2})\b")
_COMA_SCALE = re.compile(r"\bgcs(?: (?:is|of|now|was))* (\d{1,2})\b")
# Source: Joint British Diabetes Societies (hypoglycaemia 2023: below 4 mmol/L; DKA 2023: ketones 3 mmol/L).
_SUGAR = re.compile(rf"\b(?:sugars?|glucose|bm|bms|cbg|bgl|bg|hypo)(?: (?!ketones)[a-z]+){{0,5}} {_NUMBER}\b")
_KETONES = re.compile(rf"\b(?:ketones?|ketonaemia)(?: [a-z]+){{0,4}} {_NUMBER}\b")
_CREATINE_KINASE = re.compile(r"\b(?:ck|creatine kinase|cpk)(?: (?:of|is|at|level|was))* (\d{1,3},\d{3}|\d{4,6})\b")
_BODY_SURFACE = re.compile(r"\b(\d{1,2}) (?:tbsa|of his body|of her body|body surface|of my body)\b")
_AGE = re.compile(r"\b(\d{1,2}|one) (days?|weeks?|months?|mo|wk)( old| of age)?\b")
_WEEKS = re.compile(
    r"(?:\b(?:i am|she is|am|at|now|about|i was|wife is|sister is|is) (\d{1,2}) (?:weeks|week)\b|"
    r"^(\d{1,2}) (?:weeks|week)\b)"
    r"(?! (?:old|post|after|ago|since|into|of (?!preg)|on|and a))"
)
# From the second trimester on, a bare "35 weeks" is an age of pregnancy more often than a span of time.
_BARE_WEEKS = re.compile(
    r"(?<!for )(?<!last )(?<!past )(?<!in )"
    r"\b(?:1[4-9]|[23]\d|4[0-2]) (?:weeks?|w)\b(?! (?:old|ago|post|after|since|later|of))"
)
_OBSTETRIC = re.compile(r"\b(?:[23]\d|4[0-2])\+[0-6]\b|\b\d{1,2}/40\b|\bg\d+ ?p\d+\b|\b\d{1,2} weeks? gestation\b")
_COUNT = re.compile(
    r"(?<![.\d])(?<!was )(?<!age )(?<!aged )\b(\d{1,3})\b(?![.,/+])"
    r"(?! (?:mg|mcg|ug|ml|g|kg|weeks?|days?|hours?|minutes?|years?|year|units?|"
    r"week|month|months|am|pm|times|percent|mmol|x|th|st|nd|rd|degrees|m|f)\b)"
)
_GRAMS = re.compile(r"\b(\d{1,3}) (?:g|grams|gram) (?:of )?(?:paracetamol|acetaminophen|tylenol|ibuprofen|aspirin)\b")
# From so many tablets at once on, a number speaks of an overdose and not of a dose.
_MANY_TABLETS = 8


def read_vitals(message: Words) -> list[Hit]:
    """Return numbers beyond their limits as hits named "@temp_high", "@bp_low", …"""
    if not any(word[0].isdigit() or word[0] == "g" or word == "one" for word in message.words):
        return []
    starts = [0, *accumulate(len(word) + 1 for word in message.words)]
    text = " ".join(message.words)
    found = []
    for name, start, end in _read(text):
        first = bisect_right(starts, start) - 1
        last = bisect_right(starts, end - 1) - 1
        if message.sentence[first] == message.sentence[last]:
            found.append(Hit(f"@{name}", first, last + 1))
    return found


def _read(text: str) -> Iterator[tuple[str, int, int]]:
    for match in (*_TEMPERATURE.finditer(text), *_BARE_TEMPERATURE.finditer(text)):
        value = _value(match[1])
        if 38 <= value < 43 or 100.4 <= value < 109:
            yield "temp_high", *match.span(1)
    for match in _PRESSURE.finditer(text):
        systolic, diastolic = int(match[1]), int(match[2])
        if 50 <= systolic < 300 and 20 <= diastolic < systolic:
            if systolic >= 160 or diastolic >= 110:
                yield "bp_high", *match.span()
            if systolic >= 140 and diastolic >= 90:
                yield "bp_mid", *match.span()
            if systolic >= 180 or diastolic >= 120:
                yield "bp_crisis", *match.span()
            if systolic <= 90:
                yield "bp_low", *match.span()
    for pattern, name, low, high in (
        (_HEART_RATE, "hr_high", 120, 300),
        (_BREATH_RATE, "rr_high", 25, 99),
        (_OXYGEN, "spo2_low", 50, 91),
        (_COMA_SCALE, "gcs_low", 3, 14),
        (_CREATINE_KINASE, "ck_high", 5_000, 10**6),
        (_BODY_SURFACE, "tbsa", 5, 100),
        (_KETONES, "ketones_high", 1.5, 30),
        (_KETONES, "ketones_number", 3, 30),
        # 20 to 54 is low in mg/dL and high in mmol/L; both are, with a symptom, an emergency.
        (_SUGAR, "sugar_low", 0.5, 3.9),
        (_SUGAR, "sugar_low", 20, 60),
        (_SUGAR, "sugar_very_low", 0.5, 2.5),
        (_SUGAR, "sugar_high", 20, 60),
        (_SUGAR, "sugar_high", 300, 2_000),
        (_GRAMS, "many_pills", 5, 500),
        (_COUNT, "many_pills", _MANY_TABLETS, 500),
    ):
        for match in pattern.finditer(text):
            if low <= _value(match[1]) <= high:
                yield name, *match.span(1)
    for match in (*_OBSTETRIC.finditer(text), *_BARE_WEEKS.finditer(text)):
        yield "pregnant_weeks", *match.span()
    for match in _WEEKS.finditer(text):
        if 4 <= int(match[1] or match[2]) <= 43:
            yield "pregnant_weeks", *match.span()
    yield from _ages(text)


def _ages(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _AGE.finditer(text):
        around = text[max(0, match.start() - 60) : match.end() + 40]
        if re.search(r"\b(?:pregnan|gestation|pregan|ago\b)", around):
            continue
        if not match[3] and not re.search(
            r"\b(?:baby|newborn|infant|neonate|boy|girl|son|daughter|babe|lo|little one|feeds?|nappy|nappies|diapers?|latch|bottle|breast)\b",
            around,
        ):
            continue
        # Source: NICE NG143: fever under 3 months is high risk.
        limit = {"d": 92, "w": 13, "m": 3}[match[2][0]]
        if (1 if match[1] == "one" else int(match[1])) <= limit:
            yield "young_baby", *match.span()


def _value(written: str) -> float:
    if re.fullmatch(r"\d{1,3},\d{3}", written):
        return float(written.replace(",", ""))
    return float(written.replace(",", "."))
