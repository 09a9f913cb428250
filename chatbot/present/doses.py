"""Checks quotes that hold a dose: what they leave unsaid, and what in them is easily misread.

Is: notices that stand beside a quote, which itself is never changed. Is not: a calculator; nothing is computed,
converted or fitted to a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chatbot.present.amounts import Amount, find_amounts
from chatbot.present.drugs import answers_for_named_drug, find_drugs, load_lexicon, named_drugs
from chatbot.present.population_mentions import populations_in
from chatbot.replies import Audience, CitedPassage, Notice, Statement
from corpus.sentences import split_sentences

__all__ = [
    "DoseFields",
    "Notation",
    "answers_for_named_drug",
    "asks_personal_calculation",
    "calculation_notice",
    "dose_fields",
    "dose_notices",
    "find_notations",
    "is_dose_statement",
    "named_drugs",
    "notation_notes",
    "statement_cautions",
]

_NOTATIONS_FILE = Path(__file__).with_name("dose_notation.yaml")

_ROUTE = re.compile(
    r"\b(?:by\s+mouth|oral(?:ly)?|p\.?o\b\.?|per\s+os|i\.?v\b\.?|intravenous(?:ly)?|(?:by|into\s+a)\s+vein|i\.?m\b\.?|"
    r"intramuscular(?:ly)?|into\s+(?:the|a)\s+(?:muscle|thigh|vein|skin|nose|eye|ear|joint)|subcutaneous(?:ly)?|s\.?c\b\.?|"
    r"sub-?q|sq|under\s+the\s+(?:skin|tongue)|sublingual(?:ly)?|s\.?l\b\.?|buccal(?:ly)?|topical(?:ly)?|on\s+the\s+skin|"
    r"transdermal(?:ly)?|patch(?:es)?|inhal(?:es?|ed|er|ers|ation)|spacers?|nebuli[sz](?:ed|er)|intranasal(?:ly)?|nasal(?:ly)?|"
    r"rectal(?:ly)?|per\s+rectum|p\.?r\b\.|suppositor(?:y|ies)|vaginal(?:ly)?|pessar(?:y|ies)|intrathecal(?:ly)?|epidural(?:ly)?|"
    r"intra-?articular(?:ly)?|intraosseous(?:ly)?|intravitreal|intradermal(?:ly)?|ophthalmic|otic|"
    r"(?:in|to|into)\s+(?:each|the|both|one|the\s+affected)\s+(?:eyes?|ears?|nostrils?)|eye\s?drops?|ear\s?drops?|"
    r"swallow(?:ed)?|chew(?:ed|able)?|mouthwash|enema)(?!\w)",
    re.IGNORECASE,
)
_COUNT = r"(?:once|twice|thrice|one|two|three|four|five|six|\d+)"
_INTERVAL = re.compile(
    rf"\b(?:(?:{_COUNT}(?:\s*(?:-|–|to|or)\s*{_COUNT})?(?:\s+times)?|times)\s*(?:,\s*)?(?:a|per|each|every|in|/)?\s*"
    r"(?:day|daily|week|weekly|month|monthly|night|nightly|24\s*h(?:ours?)?)\b"
    rf"|every\s+(?:other\s+|second\s+|third\s+)?(?:{_COUNT}(?:\s*(?:-|–|to|or)\s*{_COUNT})?\s*)?"
    r"(?:hours?|hrs?|h|minutes?|min|days?|weeks?|months?|mornings?|nights?|evenings?|years?)\b"
    r"|(?:an?|per|each)\s+(?:day|week|month|night|hour)\b|(?:on\s+)?alternate\s+(?:days?|nights?)\b|daily\b|weekly\b|monthly\b|nightly\b|hourly\b"
    r"|at\s+(?:bed\s?time|night|noon)\b|before\s+bed\b|in\s+the\s+(?:morning|evening)\b|each\s+(?:morning|evening)\b"
    r"|(?:as|when|if|where)\s+(?:needed|required|necessary)\b|p\.?r\.?n\b|q\.?\s?\d+\s?h|q\.?[doh]?\.?[dhs]\b"
    r"|b\.?i\.?d\b|t\.?i\.?d\b|q\.?i\.?d\b|b\.?d\b|t\.?d\.?s\b|q\.?d\.?s\b|o\.?d\b|o\.?n\b(?=\.)|mane\b|nocte\b|t\.?i\.?w\b"
    r"|once\b|single\s+(?:\w+\s+)?dose\b|one[\s-]off\b|stat\b|repeat(?:ed)?\s+(?:after|every|in|once)\b|with\s+(?:each\s+)?meals\b)"
    r"|/\s*(?:day|d|week|wk|h|hr|hour|24\s*h|min(?:ute)?|month)\b",
    re.IGNORECASE,
)
_MAXIMUM = re.compile(
    r"\b(?:max(?:imum|imal)?|at\s+most|up\s+to|(?:not|never|n['’]t)\s+(?:to\s+)?exceed(?:ing)?|no(?:t)?\s+more\s+than|"
    r"upper\s+limit|limit\s+of|limited\s+to|ceiling|not\s+above|never\s+above)\b|[≤]",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\b(?:adults?|grown-?ups?|in-?patients?|out-?patients?|(?:in|for|to)\s+(?:most\s+|all\s+|the\s+)?(?:patients?|people|women|men|persons?)|"
    r"(?:patients?|people|persons?|those|women|men)\s+(?:with|who|on|ages?|aged|between|over|under|without)|women|men|aged\s+\d+)\b",
    re.IGNORECASE,
)
# Words that make an amount a dose even where no medicine is named beside it.
_GIVEN = re.compile(
    r"\b(?:dos(?:e|es|age|ing)|give|given|giving|take|taken|taking|inject\w*|infus\w*|administer\w*|appl(?:y|ied)|"
    r"titrat\w*|start(?:ed|ing)?|increas\w*|raised?|reduced?|taper\w*|receiv\w*|prescrib\w*|tablets?|capsules?|puffs?|drops?)\b",
    re.IGNORECASE,
)
# What is weighed or measured but is no medicine: food, drink, the body and what it makes.
_NOT_MEDICINE = re.compile(
    r"\b(?:alcohol|fib(?:re|er)|salt|sugars?|proteins?|fats?|carbohydrates?|calor\w+|fruit|vegetables?|meat|fish|"
    r"weigh\w*|weight|tumou?r|urine|urinary\s+output|stools?|blood\s+loss|birth\s?weight|haemoglobin|hemoglobin|"
    r"sodium|cholesterol|diet(?:ary)?|eat|consum\w+|intake|food|baseline|"
    r"water|fluid\s+intake|drinks?|coffee|tea)\b",
    re.IGNORECASE,
)
_CLEARANCE = re.compile(r"\b(?:clearance|filtration\s+rate|e?gfr|crcl)\b[^.;]{0,60}$", re.IGNORECASE)
# Amounts that a body, a blood test or a device has: never a dose by themselves.
_BIG_SCALES = frozenset({"kg"})


@dataclass(frozen=True, slots=True)
class DoseFields:
    """What a dose statement says, each in its own words; "" where it and its headings do not say it."""

    drug: str = ""
    amount: str = ""
    unit: str = ""
    route: str = ""
    interval: str = ""
    maximum: str = ""
    population: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the names of the empty fields, in their order."""
        return tuple(name for name in self.__dataclass_fields__ if not getattr(self, name))


@dataclass(frozen=True, slots=True)
class Notation:
    """An error-prone notation in a quote; `start` and `end` are half-open code-point offsets into it."""

    id: str
    start: int
    end: int
    note: str


def is_dose_statement(text: str, context: Sequence[str] = ()) -> bool:
    """Say whether `text` tells how much of a medicine to give; a laboratory value or a diet does not.

    Example:
        >>> is_dose_statement("Baclofen 5 mg three times a day."), is_dose_statement("Potassium is 3 mmol/L.")
        (True, False)
    """
    amounts = _medicine_amounts(text)
    if not amounts:
        return False
    drugs = {name for name, _, _ in find_drugs(text)}
    # "Albumin in urine" is a test and "vitamin D in food" a diet; any other medicine makes its amount a dose.
    if drugs - load_lexicon().in_body or (drugs and not _NOT_MEDICINE.search(text)):
        return True
    if _NOT_MEDICINE.search(text):
        return False
    # A volume by the hour or minute is as often a pump's or the body's own.
    often = _INTERVAL.search(text) and any(amount.scale != "ml" for amount in amounts)
    if often or _GIVEN.search(text) or _ROUTE.search(text):
        return True
    return any(find_drugs(line) for line in context)


def dose_fields(text: str, context: Sequence[str] = ()) -> DoseFields:
    """Return what a dose statement says, in its own words and those of the headings it stands under."""
    amounts = _medicine_amounts(text)
    # The innermost heading is the closest.
    lines = [text, *reversed(context)]
    return DoseFields(
        drug=_first(lines, lambda line: next((name for name, _, _ in find_drugs(line)), "")),
        amount=amounts[0].text if amounts else "",
        unit=amounts[0].unit if amounts else "",
        route=_first(lines, lambda line: _hit(_ROUTE, line)),
        interval=_hit(_INTERVAL, text) or _first(lines[1:], lambda line: _hit(_INTERVAL, line)),
        maximum=_first(lines, lambda line: _hit(_MAXIMUM, line)),
        population=_first(lines, _population),
    )


# The fields in plain words, for those who do not write prescriptions.
_PLAIN_NAMES = {
    "drug": "which drug",
    "amount": "how much",
    "unit": "the unit",
    "route": "how to take it",
    "interval": "how often",
    "maximum": "the most to take",
    "population": "who it is for",
}


def dose_notices(
    statement: Statement,
    passage: CitedPassage | None = None,
    *,
    audience: Audience = "physician",
    beside: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return sentences on what a dose statement does not say; none if it is complete or is no dose.

    Its own words, its headings and lead-ins, and the passage's section and title count. What another sentence of its
    section says for the same medicine and people is quoted with it, unless that sentence is shown already: `beside`.
    """
    # A dose that a quote warns against is none to give.
    if statement.polarity == "against" or not is_dose_statement(statement.text, statement.context):
        return ()
    above: tuple[str, ...] = statement.context
    if passage:
        above = (passage.title, *passage.section, *above)
    missing = dose_fields(statement.text, above).missing
    carried = _carried(statement, passage, missing, above) if passage else {}
    missing = tuple(name for name in missing if name not in carried)
    shown = _PLAIN_NAMES if audience == "patient" else {name: name for name in _PLAIN_NAMES}
    quotes = dict.fromkeys(sentence for sentence in carried.values() if sentence not in beside)
    notices = [f"The same section says: “{sentence}”" for sentence in quotes]
    if missing:
        notices.append(f"The quote does not say: {', '.join(shown[name] for name in missing)}.")
    return tuple(notices)


# What one sentence may say for another: an amount, a unit or a medicine belongs to its own sentence.
_CARRIED = ("route", "interval", "maximum", "population")


def _carried(
    statement: Statement, passage: CitedPassage, missing: Sequence[str], above: tuple[str, ...]
) -> dict[str, str]:
    """Return, for each missing field that a sentence of the same passage gives, that sentence, verbatim.

    Only sentences count that name the same medicine or none, and the same people or none; a list's item and a table's
    row speak for themselves alone.
    """
    drug = {dose_fields(statement.text, above).drug}
    if len(named_drugs(passage.text)) > 1:
        return {}
    lines = ((line, start, end) for line in passage.text.split("\n") for start, end in split_sentences(line))
    sentences = [line[start:end] for line, start, end in lines]
    ours = _people(statement.text)
    groups = {people for sentence in sentences if any(people := _people(sentence))}
    found: dict[str, str] = {}
    for sentence in sentences:
        if sentence in statement.text or statement.text in sentence or not sentence.endswith((".", "]")):
            continue
        theirs = _people(sentence)
        # Where one group of people alone is spoken of, a sentence that names nobody is about them too.
        fits = theirs == ours or not any(theirs) or (not any(ours) and len(groups) == 1)
        if named_drugs(sentence) - drug or not fits:
            continue
        said = dose_fields(sentence)
        for name in _CARRIED:
            if name in missing and name not in found and getattr(said, name):
                found[name] = sentence
    return found


def _people(text: str) -> tuple[frozenset[str], bool]:
    return frozenset(populations_in(text)), bool(_GROWN.search(text))


_GROWN = re.compile(r"\badults?\b", re.IGNORECASE)


def statement_cautions(
    statement: Statement,
    passage: CitedPassage | None = None,
    *,
    audience: Audience = "physician",
    beside: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return all sentences that must stand beside one quote: what a dose leaves out, and what is easily misread."""
    from chatbot.present.audience import prescribed_sentence

    cautions = dose_notices(statement, passage, audience=audience, beside=beside) + notation_notes(statement.text)
    if audience == "patient" and is_dose_statement(statement.text, statement.context):
        cautions += (prescribed_sentence(),)
    return cautions


@cache
def _load_notations() -> tuple[tuple[str, re.Pattern[str], bool, str], ...]:
    import yaml

    rows = yaml.load(_NOTATIONS_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return tuple((row["id"], re.compile(row["pattern"]), row.get("beside_amount", False), row["note"]) for row in rows)


def find_notations(text: str) -> tuple[Notation, ...]:
    """Return the error-prone notations in `text`, in order of place; each kind once."""
    found: list[Notation] = []
    taken: list[tuple[int, int]] = []
    for name, pattern, beside_amount, note in _load_notations():
        match = pattern.search(text)
        if match and beside_amount and not find_amounts(text):
            continue
        if match and all(match.end() <= start or end <= match.start() for start, end in taken):
            taken.append(match.span())
            found.append(Notation(name, *match.span(), f"“{match.group().strip()}” {note}"))
    return tuple(sorted(found, key=lambda notation: notation.start))


def notation_notes(text: str) -> tuple[str, ...]:
    """Return a sentence for each error-prone notation in a quote.

    Example:
        >>> notation_notes("Insulin 10 U at once.")
        ('“U” is short for units. It can be misread as a zero or a four.',)
    """
    return tuple(notation.note for notation in find_notations(text))


_OWN_MEASURE = re.compile(
    r"\b(?:(?:i|he|she|they|child|son|daughter|baby|boy|girl|toddler|mother|mum|mom|father|dad|patient)\s+(?:now\s+)?"
    r"(?:weighs?|is|am)\s+(?:about\s+|around\s+|only\s+)?\d+(?:\.\d+)?\s*(?:kgs?|kilos?|kilograms?|lbs?|pounds?|st(?:one)?)\b"
    r"|(?:my|his|her|their)\s+(?:body\s+)?weight\s+(?:is|was|=|:)"
    r"|i\s+weigh\b|weighs\s+\d|\b(?:wt|wgt|weight)\W{1,3}\d+(?:\.\d+)?\s*(?:kg|lb)"
    r"|\b(?:s?he|it|they)['’]?(?:s|re)?\s+(?:is\s+|now\s+|about\s+|only\s+)*\d+(?:\.\d+)?\s*(?:kgs?|kilos?|kilograms?|lbs?|pounds?|stone)\b"
    r"|\bfor\s+(?:an?\s+)?\d+(?:\.\d+)?[\s-]*(?:kgs?|kilos?|kilograms?|lbs?|pounds?)\b|\bweighing\s+(?:\w+\s+)?\d"
    r"|(?<!over )(?<!under )(?<!above )(?<!below )(?<!than )(?<!least )(?<!per )(?<![/\d.])\d+(?:\.\d+)?\s*(?:kgs?|kilos?|lbs?)\b"
    r"[^?\n/]{0,40}\b(?:mls?|mg|dose|how\s+(?:much|many)|spoons?|teaspoons?)\b"
    r"|\d+(?:\.\d+)?[\s-]*(?:kgs?|kilos?|lbs?|pounds?)\s+(?:\w+\s+)?(?:child|boy|girl|baby|toddler|infant|man|woman|adult|"
    r"patient|person|kid|son|daughter|teenager)\b|for\s+an?\s+\d+[\s-]*(?:kg|lb)\b"
    r"|(?:my|his|her)\s+(?:egfr|creatinine|gfr|height|bmi|crcl|potassium|inr)\s+(?:is|was|of|=|:)?\s*\d"
    r"|(?:with|given)\s+(?:an?\s+)?(?:egfr|creatinine|crcl|gfr)\s+(?:of\s+)?\d)",
    re.IGNORECASE,
)
_SOMEONE = re.compile(
    r"\b(?:my|our|his|her|for\s+an?|i\s+am|i['’]m)\b.{0,30}?(?:\d+[\s-]*(?:years?|yrs?|months?|weeks?|days?|mo|yo|y)\b|\bbaby\b|"
    r"\btoddler\b|\binfant\b)|\bshould\s+i\s+give\s+(?:my|him|her|the)\b",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    r"\b(?:how\s+(?:much|many)|what(?:['’]?s)?\s+(?:\w+\s+){0,4}dos(?:e|age)|dos(?:e|age)\b|how\s+big)\b", re.IGNORECASE
)
_ARITHMETIC = re.compile(
    r"\b(?:calculat\w+|work(?:ing)?\s+out|comput\w+|convert\w*|conversion|add\s+up|figure\s+out)\b.*?"
    r"\b(?:dos(?:e|es|age)|mg|ml|mcg|micrograms?|milligrams?|units?|tablets?|drops?|amount|rate|infusion|teaspoons?)\b"
    r"|\d\s*mg/kg\b.{0,20}\b(?:comes?|amounts?)\s+to\b|\d[^?\n]{0,30}=\s*\?"
    r"|\b(?:turn|change|put)\s+\d[\w.,\s]{0,30}?\s?(?:in)?to\s+(?:mg|mcg|g|grams?|ml|units?|milli\w+|micro\w+)\b"
    r"|\bis\s+\d[^?\n]{0,40}\b(?:same|equal|equivalent)\b"
    r"|\b(?:egfr|gfr|creatinine(?:\s+clearance)?|crcl|bmi|inr)\W{1,3}(?:(?:is|of|was|at)\s+)?\d[^?\n]{0,60}\b(?:dos(?:e|es|age)|adjust|how\s+(?:much|many))\b"
    r"|\bhow\s+many\s+(?:mg|ml|mcg|milligrams?|millilit\w+|micrograms?|units?|tablets?|drops?|teaspoons?)\s+(?:is|are(?!\s+(?:in|there)\b)|in|for\s+(?:my|an?))\b",
    re.IGNORECASE,
)


def asks_personal_calculation(question: str) -> bool:
    """Say whether a question asks for a dose to be worked out for one person, or for a conversion.

    Example:
        >>> asks_personal_calculation("My child weighs 14 kg"), asks_personal_calculation("Dose in children?")
        (True, False)
    """
    if _ARITHMETIC.search(question) or _OWN_MEASURE.search(question):
        return True
    return bool(_HOW_MUCH.search(question) and _SOMEONE.search(question))


def calculation_notice(question: str) -> Notice | None:
    """Return the notice that nothing is worked out for one person, if the question asks for that."""
    if not asks_personal_calculation(question):
        return None
    return Notice(
        "no_calculation",
        "This program does not work out a dose for one person. It shows what the source says. "
        "Ask a doctor or a pharmacist for the right amount.",
    )


def _medicine_amounts(text: str) -> tuple[Amount, ...]:
    # A weight in kilograms is a person's, as in "over 50 kg", and a clearance is a kidney's.
    return tuple(
        amount
        for amount in find_amounts(text)
        if amount.unit.lower().rstrip("s") not in _BIG_SCALES
        and not ("minute" in amount.per and _CLEARANCE.search(text[: amount.start]))
    )


def _population(line: str) -> str:
    return _hit(_PEOPLE, line) or next(iter(sorted(populations_in(line) - {"allergy", "anticoagulant"})), "")


def _hit(pattern: re.Pattern[str], line: str) -> str:
    match = pattern.search(line)
    return match.group() if match else ""


def _first(lines: Iterable[str], read: Callable[[str], str]) -> str:
    return next((value for line in lines if (value := read(line))), "")
