"""Reads every number of a sentence with its unit, how often it counts and which way it bounds.

Is: a reading on which two sentences can be compared: "twice daily" is "2 times a day", "no more than 6 mg" is "up to
6 mg". Is not: a converter; 1 g and 1,000 mg are the same only where both are amounts of one scale.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

# "Over 3 months" is how long or how much longer: "over".
Direction = Literal["up", "down", "over", ""]

_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
    if word != "one"  # "in one course" counts nothing
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90"}
# "One" and "first" are more often words than numbers; a count in words stands before a thing that is counted.
_COUNTED = (
    r"times?|days?|weeks?|months?|years?|hours?|minutes?|tablets?|capsules?|puffs?|drops?|doses?|courses?|sprays?|"
    r"patches|sachets?|teaspoons?|working|specialists?|trials?|sessions?|visits?|injections?|attempts?|episodes?|attacks?|cycles?|treatments?|meals?|cups?|units?|stages?|people|women|men|"
    r"children|pregnancies|births?|litres?|grams?|kilograms?|percent|points?|applications?|nights?|seconds?|others?|or\s+more|or\s+fewer|or\s+less|to\s+(?:\w+)\s+\w+|neighbouring|earlier"
)
_WORD_NUMBER = re.compile(
    rf"\b(?P<word>{'|'.join(_NUMBER_WORDS)})(?=(?:[\s-]+(?:\w+[\s-]+)?(?:{_COUNTED})\b))"
    rf"|(?<=\bage of )(?P<age>{'|'.join(_NUMBER_WORDS)})\b",
    re.IGNORECASE,
)
_TIMES = {"once": "1 times", "twice": "2 times", "thrice": "3 times"}
_NUMBER = r"(?:\d{1,3}(?:[,\u202f\u00a0\u2009]\d{3})+(?:\.\d+)?|\d*\.\d+|\d+)"
# Unit as written -> one spelling. What is not listed is no unit: the next word of the sentence.
_UNITS: dict[str, str] = {
    **dict.fromkeys(("mg", "mgs", "milligram", "milligrams", "milligramme", "milligrammes"), "mg"),
    **dict.fromkeys(("g", "gm", "gram", "grams", "gramme", "grammes"), "g"),
    **dict.fromkeys(("kg", "kilogram", "kilograms", "kilo", "kilos"), "kg"),
    **dict.fromkeys(("mcg", "µg", "μg", "ug", "microgram", "micrograms"), "mcg"),
    **dict.fromkeys(("ng", "nanogram", "nanograms"), "ng"),
    **dict.fromkeys(("ml", "millilitre", "millilitres", "milliliter", "milliliters", "cc"), "ml"),
    **dict.fromkeys(("l", "litre", "litres", "liter", "liters"), "l"),
    **dict.fromkeys(("dl", "decilitre"), "dl"),
    **dict.fromkeys(("unit", "units", "u", "iu"), "unit"),
    **dict.fromkeys(("mmol", "millimole", "millimoles"), "mmol"),
    **dict.fromkeys(("µmol", "μmol", "umol", "micromol", "micromole", "micromoles"), "umol"),
    **dict.fromkeys(
        ("mol", "nmol", "pmol", "meq", "mosm", "mmhg", "kpa", "cmh2o", "db", "hz", "khz", "kcal", "kj"), ""
    ),
    **dict.fromkeys(("%", "percent"), "%"),
    **dict.fromkeys(("°c", "°f", "c", "f", "degrees"), ""),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days", "night", "nights"), "day"),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "year"),
    **dict.fromkeys(("mm", "cm", "m", "m2", "mm2", "cm2", "inch", "inches", "feet", "ft"), ""),
    **dict.fromkeys(("tablet", "tablets", "tab", "tabs"), "tablet"),
    **dict.fromkeys(("capsule", "capsules"), "capsule"),
    **dict.fromkeys(("puff", "puffs"), "puff"),
    **dict.fromkeys(("drop", "drops"), "drop"),
    **dict.fromkeys(("dose", "doses"), "dose"),
    **dict.fromkeys(("time", "times"), "times"),
    **dict.fromkeys(("beat", "beats", "breath", "breaths", "cell", "cells", "point", "points"), ""),
}
_UNIT_WORD = "|".join(sorted((re.escape(unit) for unit in _UNITS), key=len, reverse=True))
_PER = r"(?:\s*/\s*|\s+per\s+|\s+(?:a|an|each)\s+|\s+every\s+)"
_PERS = rf"(?:{_PER}(?:{_UNIT_WORD})(?!\w))*"
# "2 mg of iron a day", "2 mg/kg of iron daily": what it is an amount of stands between the number and its rate.
_OF_WHAT = rf"(?:\s+of\s+(?:[^\W\d]+\s+){{0,2}}?[^\W\d]+(?={_PER}(?:day|week|month|night)\b|\s+(?:daily|weekly|monthly|nightly)\b))?"
# "Three previous doses" are three doses.
_EARLIER = r"(?:(?:previous|earlier|prior|past|separate|further|additional|other|consecutive|more)\s+)?"
_FIGURE = re.compile(
    rf"(?<![\w.])(?P<low>{_NUMBER})(?![\d.]*\w*-\w*dimer)"
    rf"(?:\s*(?P<lowunit>{_UNIT_WORD})?\s*(?:-|–|—|‑|\bto\b|\band\b(?=\s*[\d.]+\s*(?:{_UNIT_WORD})\b)|\bor\b)\s*(?P<high>{_NUMBER}))?"
    rf"[\s-]*(?:{_EARLIER}(?P<unit>{_UNIT_WORD})(?![\w°]))?(?P<per>{_PERS}){_OF_WHAT}(?P<rate>{_PERS})",
    re.IGNORECASE,
)
_ALONE = re.compile(r"\b(?P<how>daily|weekly|monthly|hourly|nightly|yearly)\b", re.IGNORECASE)
_OFTEN = {"daily": "day", "nightly": "day", "weekly": "week", "monthly": "month", "hourly": "hour", "yearly": "year"}
_RATES = frozenset(_OFTEN.values())
_EVERY = re.compile(r"\bevery\s+$|\bat\s+intervals\s+of\s+$|\bevery\s+(?:at\s+least\s+)?$", re.IGNORECASE)
# How a number bounds: looked for right before and right after it.
_UP_BEFORE = re.compile(
    r"(?:\b(?:above|over|more than|greater than|higher than|longer than|older than|(?:larg|bigg|heavi|wid|deep)er than|"
    r"exceed(?:s|ed|ing)?|at least|faster than|minimum(?: of)?|beyond|later than|from(?: the)? ages?(?: of)?|aged?(?= \d+ (?:years? )?"
    r"and (?:over|above|older)))|[>≥])\s*(?:an?\s+|the\s+)?(?:\w+\s+of\s+)?$",
    re.IGNORECASE,
)
_DOWN_BEFORE = re.compile(
    r"(?:\b(?:below|under|less than|fewer than|lower than|shorter than|younger than|at most|up to|within|maximum(?: of)?|until|before|"
    r"(?:small|thinn|light|narrow)er than|as long as|as much as|as many as|(?:up )?to(?: the)? ages?(?: of)?|limited to|limit of|within the (?:last|past)|no later than|"
    r"(?:limit|maximum|ceiling)\b[^.,;]{0,40}?\bis)|[<≤])\s*(?:an?\s+|the\s+)?(?:\w+\s+of\s+)?$",
    re.IGNORECASE,
)
_UP_AFTER = re.compile(
    r"\s*(?:or|and)\s+(?:more|over|above|older|higher|greater|longer|later)\b|\s*\+(?!\d)|\s+on\b(?!\s+\w)", re.I
)
_DOWN_AFTER = re.compile(r"\s*(?:or|and)\s+(?:less|lower|under|below|younger|fewer|shorter)\b", re.IGNORECASE)
_OVER = re.compile(r"(?<!not )\bover\s+(?:the\s+(?:first|last|next)\s+)?$", re.IGNORECASE)
_OF_AGE = re.compile(r"\s*(?:of\s+age|old)\b", re.IGNORECASE)
_UNTIL = re.compile(r"\buntil\s+$", re.IGNORECASE)
_FROM_ON = re.compile(r"\bfrom(?:\s+the)?\s+ages?(?:\s+of)?\s+$", re.IGNORECASE)
_TO = re.compile(r"\s+(?:(?:up\s+)?to|until|till)\b", re.IGNORECASE)
_AGE_OF = re.compile(r"\b(?:the\s+age\s+of|aged)\s+$", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\s+$", re.IGNORECASE)
_INTERVALS = re.compile(r"[\s-]+intervals?\b", re.IGNORECASE)
_IN = re.compile(r"\b(?:in|during)\s+(?:the\s+)?(?:(?:first|last|past|next)\s+)?$", re.IGNORECASE)
_DURATIONS = frozenset("second minute hour day week month".split())
_FLIPS = re.compile(
    r"\b(?:no|not|never|n['’]t)\s+(?:\w+\s+){0,2}?(?=(?:above|over|more than|greater than|higher than|longer than|older than|exceed\w*|"
    r"faster than|below|under|less than|fewer than|beyond|later than)\s*(?:a\s+)?$)",
    re.IGNORECASE,
)
# Scales on which amounts are compared. Litres and grams are never mixed with counts.
_SCALES = {"kg": ("mg", 1e6), "g": ("mg", 1e3), "mg": ("mg", 1.0), "mcg": ("mg", 1e-3), "ng": ("mg", 1e-6),
           "l": ("ml", 1e3), "dl": ("ml", 1e2), "ml": ("ml", 1.0),
           # A month is no number of days.
           "second": ("hour", 1 / 3600), "minute": ("hour", 1 / 60), "hour": ("hour", 1.0), "day": ("hour", 24.0),
           "week": ("hour", 168.0), "month": ("month", 1.0), "year": ("month", 12.0)}  # fmt: skip
# Units that may be left unsaid, because a test has one ("eGFR below 30"); a dose's never.
_DOSE_UNITS = frozenset("mg ml unit tablet capsule puff drop dose times".split())


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as compared: `value` on the scale of `unit`; `direction` says which way it bounds.

    `per` is what it counts by ("l" in mmol/L). `start` and `end` are half-open code-point offsets; `written` is
    the text between them.
    """

    value: float
    unit: str
    per: tuple[str, ...]
    direction: Direction
    start: int
    end: int
    written: str

    def same(self, other: Quantity) -> bool:
        """Say whether both are one quantity, wherever they stand."""
        return (self.value, self.unit, self.per, self.direction) == (
            other.value,
            other.unit,
            other.per,
            other.direction,
        )

    def said_by(self, other: Quantity) -> bool:
        """Say whether `other`, in a source, is this number with this unit and this bound."""
        if {self.unit, other.unit} == {"month", ""} and self.direction == other.direction != "":
            # "Under 2" of a child is under 2 years.
            years = self.value / 12 == other.value if self.unit else self.value == other.value / 12
            if years and "year" in (self if self.unit else other).written.lower():
                return True
        if abs(self.value - other.value) > 1e-9 * max(1.0, abs(other.value)):
            return False
        unsaid = not self.unit and not self.per and other.unit not in _DOSE_UNITS | _TIME_UNITS
        if not unsaid and (self.unit, self.per) != (other.unit, other.per):
            return False
        return self.direction == other.direction or any(
            one.direction == "over" and another.direction in ("up", "")
            for one, another in ((self, other), (other, self))
        )


_TIME_UNITS = frozenset(("hour", "month"))


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Return every number of `text` in order; a range gives two.

    Example:
        >>> [(q.value, q.unit, q.direction) for q in find_quantities("no more than 6 mg, 2 times a day")]
        [(6.0, 'mg', 'down'), (2.0, 'times', '')]
    """
    plain = with_digits(text)
    found: list[Quantity] = []
    for match in _FIGURE.finditer(plain):
        unit = _unit(match["unit"])
        lowunit = _unit(match["lowunit"]) or unit
        pers = match["per"] + match["rate"]
        per = tuple(_unit(part) for part in re.split(_PER, pers, flags=re.IGNORECASE) if part.strip())
        if _EVERY.search(plain[: match.start()]):
            per = (*per, "every")
        direction = _direction(plain, match.start(), match.end())
        if _INTERVALS.match(plain, match.end()) and "every" not in per:
            per = (*per, "every")
        of_age = bool(_OF_AGE.match(plain, match.end()))
        if direction == "up" and _FROM_ON.search(plain[: match.start()]) and _TO.match(plain, match.end()):
            # "From the age of 4 weeks until 12 months" begins with no bound of its own.
            direction = ""
        if (of_age or unit == "year") and not direction and not match["high"] and _FROM.search(plain[: match.start()]):
            # "From 5 years": an age has no end where none is said.
            direction = "up"
        if unit in _DURATIONS and not of_age and _OVER.search(plain[: match.start()]):
            # "Over 3 months" may be how long, "over 12 years" is how old.
            direction = "over"
        elif unit in _DURATIONS and not direction and _IN.search(plain[: match.start()]):
            # "After three episodes in 6 months" is within them.
            direction = "down"
        for number, its_unit in ((match["low"], lowunit), (match["high"], unit)):
            if number is None:
                continue
            if not its_unit and not per and _AGE_OF.search(plain[: match.start()]):
                its_unit = "year"
            scale, factor = _SCALES.get(its_unit, (its_unit, 1.0))
            value = float(re.sub(r"[^\d.]", "", number)) * factor
            found.append(Quantity(value, scale, per, direction, match.start(), match.end(), match.group().strip()))
    for match in _ALONE.finditer(plain):
        # "75 mg daily" counts by the day as "75 mg a day" does; "twice daily" was read above.
        by = _OFTEN[match["how"].lower()]
        before = [q for q in found if 0 <= match.start() - q.end <= 1 and not _RATES.intersection(q.per)]
        if before:
            at = before[-1].start
            found = [replace(q, per=(*q.per, by)) if q.start == at else q for q in found]
        elif not any(q.start <= match.start() < q.end for q in found):
            # "Is used daily" is once a day.
            found.append(Quantity(1.0, "times", (by,), "", match.start(), match.end(), match.group()))
    found.sort(key=lambda q: q.start)
    return tuple(_once(_with_units(found, plain)))


# "Review below 45 mL/min and stop below 30."
_BARE = re.compile(r"\s*(?:[.,;)]|$|(?:and|or|but)\b)")


def _with_units(found: list[Quantity], plain: str) -> list[Quantity]:
    """Give a bound without a unit that of the bound before it in the sentence."""
    whole: list[Quantity] = []
    for quantity in found:
        if not quantity.unit and not quantity.per and quantity.direction and _BARE.match(plain, quantity.end):
            before = [q for q in whole if q.direction and _is_measure(q)]
            if before:
                quantity = replace(quantity, unit=before[-1].unit, per=before[-1].per)
        whole.append(quantity)
    return whole


def _is_measure(quantity: Quantity) -> bool:
    """Say whether a number is a test's result whose unit is written on the scale that it is compared on."""
    written = {float(re.sub(r"[^\d.]", "", number)) for number in re.findall(_NUMBER, quantity.written)}
    return quantity.value in written and (bool(quantity.per) or quantity.unit not in ("", *_DOSE_UNITS, *_TIME_UNITS))


def _once(found: list[Quantity]) -> list[Quantity]:
    """Read "200 mg is taken once a day" as "200 mg a day"."""
    for place, quantity in enumerate(found):
        if (quantity.value, quantity.unit, len(quantity.per)) == (1.0, "times", 1):
            before = [q for q in found[:place] if q.unit in _DOSE_UNITS - {"times"} and not q.per]
            if before:
                at = before[-1].start
                merged = [replace(q, per=quantity.per) if q.start == at else q for q in found]
                return merged[:place] + merged[place + 1 :]
    return found


def missing_quantities(statement: str, sources: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
    """Return the numbers of a statement that its sources do not hold with the same unit and bound."""
    return tuple(q for q in find_quantities(statement) if not any(q.said_by(other) for other in sources))


def with_digits(text: str) -> str:
    """Write number words as digits; lengths change, so that offsets are those of the returned text."""
    for pattern, written in _IN_WORDS:
        text = pattern.sub(written, text)
    text = re.sub(
        rf"\b(once|twice|thrice)\b(?=\s+(?:(?:an?|per|each|every)\s+{_SPAN}|daily|weekly|monthly|nightly)\b)",
        _counted,
        text,
        flags=re.I,
    )
    text = re.sub(
        r"\btimes\s+(daily|weekly|monthly|nightly)\b", lambda m: f"times a {_OFTEN[m[1].lower()]}", text, flags=re.I
    )
    text = _WORD_NUMBER.sub(lambda m: _NUMBER_WORDS[(m["word"] or m["age"]).lower()], text)
    # "75 mg once a day" is "75 mg a day"; "once a day" by itself counts.
    return re.sub(
        rf"(\b(?:{_UNIT_WORD})),?\s+1 times (?=(?:a|per|each) (?:day|week|month)\b)", r"\1 ", text, flags=re.I
    )


# A number that is said without a figure: "half an hour", "once-weekly", "under 12s", "within a week".
_SPAN = r"(?:second|minute|hour|day|week|fortnight|month|year)"
_IN_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        (r"\b(?:the\s+)?first\s+trimester(?:\s+of\s+pregnancy)?\b", "the first 3 months of pregnancy"),
        (r"\b(?:every|each)\s+day\b", "daily"),
        (r"\b(?:every|each)\s+(week|month)\b", r"\1ly"),
        (r"\bhalf\s+an\s+hour\b|\ba\s+half[\s-]hour\b", "30 minutes"),
        (r"\ba\s+fortnight\b|\bone\s+fortnight\b", "2 weeks"),
        (r"\b(once|twice|thrice)-(daily|weekly|monthly|nightly)\b", r"\1 \2"),
        (r"\b(under|over)[\s-](\d{1,2})s\b", r"\1 \2 years"),
        (rf"\bone[\s-](?={_SPAN}s?\b)", "1 "),
        (rf"\bone(?=\s+(?:to|or)\s+(?:two|three|four|[2-9])\s+{_SPAN}s\b)", "1"),
        (rf"(?<=\bwithin )an?\s+(?={_SPAN}\b)|(?<=\bafter )an?\s+(?={_SPAN}\b)|(?<=\bfor )an?\s+(?={_SPAN}\b)", "1 "),
        (rf"(?<=\bthan )an?\s+(?={_SPAN}\b)|(?<=\bleast )an?\s+(?={_SPAN}\b)|(?<=\bup to )an?\s+(?={_SPAN}\b)", "1 "),
        (rf"(?<=\bover )an?\s+(?={_SPAN}\b)|(?<=\bunder )an?\s+(?={_SPAN}\b)|(?<=\blast )an?\s+(?={_SPAN}\b)", "1 "),
        (r"\b(\d+|two|three|four|six|eight|twelve)[\s-]weekly\b", r"every \1 weeks"),
        (r"\b(\d+|two|three|four|six|eight|twelve)[\s-]hourly\b", r"every \1 hours"),
        (r"\b(\d+|two|three|four|six|twelve)[\s-]monthly\b", r"every \1 months"),
    )
)


def _counted(match: re.Match[str]) -> str:
    return _TIMES[match[1].lower()]


def _unit(written: str | None) -> str:
    if not written:
        return ""
    name = written.lower().strip()
    return _UNITS.get(name, "") or name


def _direction(text: str, start: int, end: int) -> Direction:
    before = text[max(0, start - 40) : start]
    if _UNTIL.search(before) and _UP_AFTER.match(text, end):
        # "Until three months or more after the last dose"
        return "up"
    flipped = bool(_FLIPS.search(before))
    if _UP_BEFORE.search(before):
        return "down" if flipped else "up"
    if _DOWN_BEFORE.search(before):
        return "up" if flipped else "down"
    if _UP_AFTER.match(text, end):
        return "up"
    return "down" if _DOWN_AFTER.match(text, end) else ""
