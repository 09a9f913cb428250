"""Reads amounts of medicine in a text: "20–40 g/week", "5 mg/kg", "two puffs".

Is: numbers with a dosing unit, where they stand, and one common scale to compare them on. Is not: a converter for
people (what is read here is never shown), and not laboratory values ("3.5 mmol/L", "70 mg/dL").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Unit -> (common unit, factor). Plural and full stops are stripped before the look-up.
_UNITS = {
    "kg": ("mg", 1e6),
    "g": ("mg", 1e3),
    "gram": ("mg", 1e3),
    "gramme": ("mg", 1e3),
    "gm": ("mg", 1e3),
    "mg": ("mg", 1.0),
    "milligram": ("mg", 1.0),
    "mcg": ("mg", 1e-3),
    "microgram": ("mg", 1e-3),
    "µg": ("mg", 1e-3),
    "μg": ("mg", 1e-3),
    "ug": ("mg", 1e-3),
    "ng": ("mg", 1e-6),
    "nanogram": ("mg", 1e-6),
    "unit": ("unit", 1.0),
    "u": ("unit", 1.0),
    "iu": ("unit", 1.0),
    "i.u": ("unit", 1.0),
    "international unit": ("unit", 1.0),
    "megaunit": ("unit", 1e6),
    "million unit": ("unit", 1e6),
    "mmol": ("mmol", 1.0),
    "millimole": ("mmol", 1.0),
    "meq": ("meq", 1.0),
    "l": ("ml", 1e3),
    "litre": ("ml", 1e3),
    "liter": ("ml", 1e3),
    "ml": ("ml", 1.0),
    "millilitre": ("ml", 1.0),
    "milliliter": ("ml", 1.0),
    "cc": ("ml", 1.0),
}
_FORMS = (
    "tablet|tab|capsule|cap|caplet|puff|inhalation|drop|spray|patch|sachet|suppositor|lozenge|ampoule|vial|teaspoon|"
    "tablespoon|application|pill"
)
_UNIT = (
    r"(?:international\s+units?|million\s+units?|megaunits?|milligram(?:me)?s?|micrograms?|nanograms?|gram(?:me)?s?|"
    r"millimoles?|millilit(?:re|er)s?|lit(?:re|er)s?|mmol|mEq|mcg|mg|[µμu]g|ng|gm|g|kg|units?|I\.?U\b\.?|U|mL|cc|L|"
    rf"(?:{_FORMS})(?:s|es|ies|y)?)"
)
_NUMBER = r"(?:\d{1,3}(?:[,\u202f\u00a0\u2009 ]\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)"
_WORDS = {"half": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
_AMOUNT = re.compile(
    rf"(?<![\w.,/-])(?P<low>{_NUMBER}|\b(?:{'|'.join(_WORDS)})(?=\s+(?:{_FORMS})))"
    rf"(?:\s*(?:{_UNIT})?\s*(?:-|–|—|‑|\bto\b|\bor\b)\s*(?P<high>{_NUMBER}))?[\s-]*(?P<unit>{_UNIT})(?![\w²³])"
    r"(?P<per>(?:\s*(?:/|\bper\b)\s*(?:kg(?:\s+body\s*weight)?|m2|m²|(?:24\s*)?h(?:r|our)?s?|min(?:ute)?|day|d|week|wk|"
    r"month|dose|puff|tablet|capsule|kilogram)\b)*)",
    re.IGNORECASE,
)
# A concentration or a rate of the body: a laboratory value, not a dose.
_CONCENTRATION = re.compile(
    r"\s*(?:/|\bper\b)\s*(?:\d*\s*d?L\b|mL\b|lit(?:re|er)|µ?l\b|mol\b|mm|min(?:ute)?\s*(?:/|per)\s*1\.73|h?pf)",
    re.IGNORECASE,
)
# A medicine is measured out in capitals or small letters, but "G" and "L" alone mostly name something else.
_LETTER_UNITS = {"G", "u", "l"}


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as it stands in a text; `start` and `end` are half-open code-point offsets.

    `low` and `high` are on the scale of `scale` ("mg", "unit", "ml", "tablet", ...); equal if there is no range.
    `per` holds what it is counted by, e.g. ("kg", "day").
    """

    text: str
    start: int
    end: int
    unit: str
    scale: str
    low: float
    high: float
    per: tuple[str, ...] = ()


def find_amounts(text: str) -> tuple[Amount, ...]:
    """Return the amounts of medicine in `text`, in order; laboratory values are left out.

    Example:
        >>> [(a.text, a.low, a.scale, a.per) for a in find_amounts("Give 1,000 mg/day; sodium 130 mmol/L.")]
        [('1,000 mg/day', 1000.0, 'mg', ('day',))]
    """
    found = []
    for match in _AMOUNT.finditer(text):
        written = match["unit"]
        if written in _LETTER_UNITS or _CONCENTRATION.match(text, match.end("unit")):
            continue
        scale, factor = _scale(written)
        low = _value(match["low"]) * factor
        high = _value(match["high"]) * factor if match["high"] else low
        per = tuple(_PER.get(part, part) for part in re.split(r"/|\bper\b|\s+", match["per"].lower()) if part)
        found.append(Amount(match.group().strip(), match.start(), match.end(), written, scale, low, high, per))
    return tuple(found)


_PER = {
    "d": "day",
    "24": "",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "hours": "hour",
    "min": "minute",
    "mins": "minute",
    "wk": "week",
    "kilogram": "kg",
    "m²": "m2",
}


def _scale(written: str) -> tuple[str, float]:
    name = re.sub(r"\s+", " ", written.lower()).rstrip(".")
    for candidate in (name, name.removesuffix("s")):
        if candidate in _UNITS:
            return _UNITS[candidate]
    form = re.match(_FORMS, name)
    return (form.group() if form else name), 1.0


def _value(number: str) -> float:
    word = _WORDS.get(number.lower())
    return word if word is not None else float(re.sub(r"[^\d.]", "", number))
