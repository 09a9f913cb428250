"""Reads the stages of life that the ages in a text stand for: "4-year-old", "aged 72", "my son is 9", "born in 1938".

Is: a number with what stands before and after it. Is not: a bound that says no one's age ("over 12 years").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Literal

from chatbot.present.population_words import NUMBER_WORD, NUMBERS

Stage = Literal["child", "older"]

# Source: UN Convention on the Rights of the Child, article 1: a child is below 18.
_ADULT_YEARS = 18
# Source: WHO and most labels speak of older adults from 65 (some from 60).
_OLDER_YEARS = 65
# Nobody was older: what is more is no age.
_OLDEST_YEARS = 120

_NUMBER = re.compile(rf"\b(?=[\dotfsen])(?<![\w.])(?<!\d,)(?:\d{{1,3}}(?!\d|[.,]\d)|(?:{NUMBER_WORD})(?![a-z]))")
# How much of a text around a number is read.
_AROUND_CHARS = 44

_UNIT = r"(?P<unit>y(?:ea)?rs?|y|mo(?:nth)?s?|m|weeks?|wks?|days?)"
_OLD = re.compile(
    rf"(?:\s+and\s+a\s+half)?[\s-]*(?:{_UNIT}[\s-]*(?:olds?|o|of\s+age)\b|old\b|yo[mf]?\b|y/o\b|y\.o\.|"
    r"(?:years\s+)?young\b|-?something\b)|\s?y(?:ear)?s?\s+of\s+age\b"
)
_MEASURE_AFTER = (
    r"\s*(?:mg|mcg|g|kg|st\b|lbs?\b|kilos?|stones?\b|pounds|cm|mm|ml|%|mmol|units?|times|percent|/|\+|°|degrees)"
)
_NO_AGE_AFTER = re.compile(rf"{_MEASURE_AFTER}|\s*(?:weeks?|wks?|months?|days?|of\b|to\b|hours?|h\b|min)|\.\d")
_NO_BOUND_AFTER = re.compile(r"\s*(?:mg|g\b|kg|ml|%|mmol|to\s+\d+\s*m|weeks?|days?|hours?|min|bpm)")
# "eGFR above 90", "pulse over 100": a value, and no age.
_MEASURED = re.compile(
    r"\b(?:e?gfr|cr\.?cl|clearance|bp|pressure|systolic|diastolic|rate|pulse|sat(?:uration)?s?|hr|glucose|sugar|inr|"
    r"bmi|weigh\w*|score|temp(?:erature)?|creatinine|urea|sodium|potassium|count|level|platelets|h[ab]a1c|spo2|"
    r"age\s+at|na|hb|\d)\s*(?:is|was|of|are|now|still|down|up)?\s*(?:over|above|at|at\s+least|from|older\s+than|≥|>=?)\s*$"
)
_OWN = re.compile(r"\b(?:aged?|turn(?:ed|s|ing)|(?:i|he|she|we|mum|mom|dad|who)\s+hit)\s+$")
_AGE_OF = re.compile(r"\bage\s+of\s+$")
_BOUND = re.compile(r"(?:(?<!\d )\b(?:over|above|older\s+than|at\s+least|from)\s+|(?:≥|>=?)\s*)$")
_BELOW = re.compile(
    r"(?<!for )(?<!expectancy )(?<!expectancy of )(?<!survival )(?<!lasting )\b"
    r"(?:(?:under|below|younger\s+than)(?:\s+(?:the\s+)?age\s+of)?|(?:less\s+than|before)\s+(?:the\s+)?age\s+of)[\s-]+$"
)
_YOUNG_UNIT = re.compile(
    r"[\s-]+(?:(?:years?|yrs?|y)\b(?!\s+(?:of\s+(?!age)|ago|after|later|follow|from))|"
    r"(?:months?|weeks?)(?=\s+(?:of\s+age|old|with\s+(?:an?\s+)?(?:fever|temp\w*))))"
)
_RELATIVES = (
    "mum mom mother dad father aunt uncle husband wife partner son daughter brother sister lad lass boy girl child "
    "grandson granddaughter niece nephew stepson stepdaughter stepfather stepmother cousin neighbour neighbor friend "
    "gran grandma grandad grandpa grandmother grandfather nan baby patient pt man woman lady gentleman"
).split()
_SOMEBODY = re.compile(
    rf"\b(?:(?:{'|'.join(_RELATIVES)}|little\s+one)(?:,|'?s\b|\s+is|\s+aged|\s+turned|\s*\()|"
    r"(?:i|he|she|who)(?:'m|'s|\s+am|\s+is|\s+(?:(?:has|have)\s+)?(?:just\s+)?turned)|retired\s+(?:\w+\s+){1,3}?)"
    r"\s*(?:(?:only|just|nearly|almost|now|already|going\s+on|coming\s+up\s+to)\s+)?$|"
    r"\b(?:pushing|approaching|nearing|rising)\s+$"
)
_BARE_SOMEBODY = re.compile(r"\b(?:man|woman|lady|gentleman|patient|pt)\s+$")
_YOUNG_SOMEBODY = re.compile(
    r"\b(?:he|she|baby|little\s+one|son|daughter|boy|girl)(?:'s|\s+is)\s+(?:(?:only|just|nearly|almost|now)\s+)?$"
)
_YOUNG_WEEKS = re.compile(r"\s*-?(?:weeks?|wks?|months?|mths?|days?)\s*(?:[,.;:?!)]|and\b|but\b|with\b|$)")
_LEADS = frozenset(
    "age aged turn turned turns turning hit of over above than least from under below before only just nearly almost "
    "now already is am pushing approaching nearing rising on to who at one".split()
) | frozenset(_RELATIVES)
_LEAD_SIGNS = tuple(",:(≥>=-")
_OF_YEARS = re.compile(r"\b(?:son|daughter|boy|girl|child|baby|lad|man|woman|lady|gentleman|patient)\s+of\s+$")
_UNIT_AFTER = re.compile(rf"[\s-]*{_UNIT}\b")
_SEX = re.compile(r"\s?/?\s?[MF]\b(?!\s+(?:people|patients|doses|catheter|sheath|tube|drain|cannula|Foley))")
# "Fontan, thirteen, on warfarin": a bare number between commas, beside words and not beside other numbers.
# Numbers in brackets are citations and places in a list as well.
_COMMA_BEFORE = re.compile(r"[a-z)]\s*,\s*$")
_COMMA_AFTER = re.compile(r"\s*,\s*(?!and\b|or\b)[a-z]")
_STOP_AFTER = re.compile(r"\s*(?:[,;:?!)]|\.(?!\d)|$)")
_GOES_ON_AFTER = re.compile(r"\s*(?:[,;:?!)]|\.(?!\d)|$|(?:years?|yrs?|y|and|who|has|is|on|with|was)\b)")
_LIFE_YEARS = re.compile(r"\s*(?:years|yrs|y)\s*(?:[,.;:?!)]|$)")
_ORDINAL = re.compile(
    r"\b(?:(?P<d>\d{1,3})(?:st|nd|rd|th)|(?P<w>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth))"
    r"(?:\s+birthday\b|(?<=0th|5th)(?=\s+(?:is|was|party|next|last|coming)\b))"
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_BORN = re.compile(
    r"\b(?:born\b(?!\s+(?:after|before|between|since|from)\b)|d\.?o\.?b\b)[^?!;]{0,25}?\b(?P<year>(?:19|20)\d\d)\b"
)


def stages_in(text: str, lower: str) -> frozenset[Stage]:
    """Return the stages of life that the ages in `text` stand for; `lower` is the same text in plain lower case."""
    return frozenset(
        stage for years, sure in _ages(text, lower) if (stage := _stage(years)) and (sure or stage == "older")
    )


def _stage(years: float) -> Stage | None:
    if years < _ADULT_YEARS:
        return "child"
    return "older" if _OLDER_YEARS <= years < _OLDEST_YEARS else None


def _ages(text: str, lower: str) -> Iterator[tuple[float, bool]]:
    """Yield each age in years, and whether it is somebody's own: a bound from below makes no text a child's."""
    for match in _NUMBER.finditer(lower):
        start, end = match.span()
        written = match.group()
        number = int(written) if written.isdigit() else NUMBERS[re.sub(r"\s", "-", written)]
        before, after = lower[max(0, start - _AROUND_CHARS) : start], lower[end : end + _AROUND_CHARS]
        found = _read(number, before, after)
        if found is None and written.isdigit() and before[-1:] not in (".", ":", "/", "-") and _SEX.match(text, end):
            found = number, True
        if found:
            yield found
    if "th" in lower or "birthday" in lower:
        for match in _ORDINAL.finditer(lower):
            yield (int(match["d"]) if match["d"] else _ORDINALS.index(match["w"]) + 1), True
    if "born" in lower or "dob" in lower or "d.o.b" in lower:
        for match in _BORN.finditer(lower):
            if (years := date.today().year - int(match["year"])) >= 0:
                yield years, True


def _read(number: int, before: str, after: str) -> tuple[float, bool] | None:
    """Return the age that a number between two pieces of text is, and whether it is somebody's own."""
    if old := _OLD.match(after):
        if "something" in old.group() and number < _ADULT_YEARS:
            return None
        return _years(number, old["unit"]), not re.search(r"(?:≥|>=?)\s*$", before)
    # What may stand right before an age, so that most numbers are passed over without a look at the rest.
    last = (before.split() or [""])[-1]
    if not (last in _LEADS or last[-1:] in _LEAD_SIGNS or last.endswith(("'s", "'m")) or "retired" in before):
        return None
    if _OWN.search(before) and not _NO_BOUND_AFTER.match(after):
        return _years(number, _unit(after)), True
    if (_AGE_OF.search(before) or _BELOW.search(before)) and not _NO_BOUND_AFTER.match(after):
        if _BELOW.search(before) and (_YOUNG_UNIT.match(after) or "age" in before[-12:]):
            return number - 1, number <= _ADULT_YEARS
        return (number, False) if _AGE_OF.search(before) else None
    if _BOUND.search(before):
        stop = not before.rstrip().endswith("from") or _STOP_AFTER.match(after) or _LIFE_YEARS.match(after)
        return (number, False) if stop and not _NO_BOUND_AFTER.match(after) and not _MEASURED.search(before) else None
    if _OF_YEARS.search(before) and not re.match(_MEASURE_AFTER, after):
        return _years(number, _unit(after)), True
    if _BARE_SOMEBODY.search(before) and _STOP_AFTER.match(after):
        return number, True
    if _SOMEBODY.search(before) and not _NO_AGE_AFTER.match(after):
        if last.endswith(",") and not _GOES_ON_AFTER.match(after):
            return None
        return number, True
    if _YOUNG_SOMEBODY.search(before) and _YOUNG_WEEKS.match(after):
        return 0, True
    if _COMMA_BEFORE.search(before) and _COMMA_AFTER.match(after):
        return number, number > 1
    if re.search(r"[a-z)]\s+at\s+$", before) and _STOP_AFTER.match(after) and not _MEASURED.search(before):
        return number, False
    if re.search(r",\s*$", before) and _LIFE_YEARS.match(after):
        return number, False
    return None


def _years(number: int, unit: str | None) -> float:
    return 0 if unit and unit[0] in "mwd" else number


def _unit(after: str) -> str | None:
    unit = _UNIT_AFTER.match(after)
    return unit["unit"] if unit else None
