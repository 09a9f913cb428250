"""Reads which groups of people a text is about, and says when no quote is about the one that was asked for.

Is: eight groups, in clinical and lay words, without those that a text denies. Is not: a judgement that something is
safe or unsafe for anyone: silence in the sources is told as silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Literal, get_args

from chatbot.replies import CitedPassage, Notice, Statement

Population = Literal["pregnancy", "breast-feeding", "child", "older", "kidney", "liver", "allergy", "anticoagulant"]
POPULATIONS: tuple[Population, ...] = get_args(Population)

_PATTERNS: dict[Population, re.Pattern[str]] = {
    "pregnancy": re.compile(
        r"\b(?:pregnan\w*|gestation\w*|(?:first|second|third|1st|2nd|3rd|last)\s+trimester|trimesters?|"
        r"ante-?natal\w*|pre-?natal\w*|obstetric\w*|expecting\s+(?:a\s+(?:baby|child|boy|girl)|twins|our|my|in|next|soon)|"
        r"(?:i['’]?m|i\s+am|we['’]?re|she['’]?s|she\s+is|wife\s+is|who\s+is)\s+expecting|in\s+the\s+family\s+way|morning\s+sickness|"
        r"in\s+labou?r|ivf|embryos?|miscarr\w+|baby\s+(?:is\s+)?due|due\s+in\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|baby\s+bump|"
        r"mums?-to-be|mothers?-to-be|\d{1,2}\s*(?:weeks?|wks?|months?)\s+(?:gone|along|pregnant)|preggers|preggo|up\s+the\s+duff|bun\s+in\s+the\s+oven|knocked\s+up|"
        r"with\s+child|carrying\s+(?:a\s+baby|twins)|unborn|f(?:o)?etus|f(?:o)?etal|teratogen\w*|gravid\w*|"
        r"conceiv(?:e|ing)|trying\s+for\s+a\s+baby|having\s+(?:a\s+baby|twins|our\s+(?:first|second|third))|g\d+\s?p\d+|"
        r"\d{1,2}\s?/\s?40|(?:due|delivery)\s+date)\b",
        re.IGNORECASE,
    ),
    "breast-feeding": re.compile(
        r"\b(?:breast[\s-]?f(?:ee|e)d\w*|breast[\s-]?milk|lactat(?:ion\w*|ing)|nursing\s+(?:mothers?|mums?|moms?|women|"
        r"(?:a|an|my|her|our|the)\b)|(?:into|in|through)\s+(?:my|her|the|breast)\s+milk|(?:my|her)\s+milk|human\s+milk|(?:express|pump)(?:ed|ing)?\s+(?:breast\s+)?milk|wean(?:ed|ing)?\b|milk\s+supply|(?:on|off)\s+the\s+breast|"
        r"latch(?:es|ing)?\s+on|chest[\s-]?f(?:ee|e)d\w*|nurse\s+(?:my|our|the|her)\s+(?:baby|infant|newborn|twins))\b",
        re.IGNORECASE,
    ),
    "child": re.compile(
        r"\b(?:child(?:ren)?(?:['’]s)?|kids?|infants?|bab(?:y|ies)|newborns?|neonat\w*|toddlers?|adolescen\w*|"
        r"teen(?:age(?:r|rs|d)?|s)?|p(?:a)?ediatr\w*|p(?:a)?eds|school-?age\w*|youngsters?|kiddos?|bairns?|tots?|lads?|lass(?:es)?|"
        r"(?:wee|little|young)\s+ones?|pre-?term|preemies?|prematur(?:e|ity)\s+(?:bab\w+|infants?)|"
        r"(?:primary|elementary|nursery|infant|middle|secondary)[\s-]school\w*|kindergart\w+|day\s?care|pre-?schoolers?|juvenile|"
        r"(?:my|our|his|her|the|a)\s+(?:little\s+|young\s+)?(?:son|daughter|boy|girl|grandson|granddaughter)"
        r"(?=\s*[(,]|\s+(?:is|aged?|who|weighs))(?!\s*(?:\(|,|is|aged)\s*(?:1[89]|[2-9]\d)\b(?!\s*(?:months?|weeks?|days?)))|boys|girls|"
        r"pupils?|school(?:child|children|kids?|boys?|girls?)|nursery|under[\s-](?:ones|twos|threes|fours|fives|sixes|tens|twelves|1[0-8]s|\ds)|"
        r"under[\s-](?:the\s+age\s+of\s+)?(?:\d|1[0-8])\s+years?)\b",
        re.IGNORECASE,
    ),
    "older": re.compile(
        r"\b(?:elderly|geriatric\w*|older\s+(?:adults?|people|persons?|patients?|age|men|women)|old\s+age|frail\w*|"
        r"seniors?|aged\s+people|advanced\s+age|(?:nursing|care|residential|retirement|rest|old\s+people['’]?s)\s+homes?|"
        r"care\s+facilit(?:y|ies)|assisted\s+living|sheltered\s+housing|oaps?|(?<![\d-])(?<!years )(?<!year )old\s+(?:man|lady|woman|gentleman|folks?|people)|"
        r"getting\s+on\s+in\s+years|in\s+(?:his|her|their)\s+(?:seventies|eighties|nineties|70s|80s|90s)|"
        r"(?:grand(?:mother|father|ma|pa|dad|mum)|gran|granny|nan|nana)|pensioners?|"
        r"(?:sexa|septua|octo|nona)genarians?|centenarians?|(?:over|above)(?:-(?:6[05]|7[05]|8[05]|90)s?|\s(?:6[05]|7[05]|8[05]|90)s))\b",
        re.IGNORECASE,
    ),
    "kidney": re.compile(
        r"\b(?:kidneys?|renal\w*|nephr\w+|dialys(?:ed|ing)|ckd|esrd|esrf|aki|h(?:a)?emodialysis|dialysis|egfr|gfr|"
        r"creatinine(?:\s+clearance|\s+(?:is\s+|of\s+)?\d+)|cr\.?cl|ur(?:a)?emi[ac])\b",
        re.IGNORECASE,
    ),
    "liver": re.compile(
        r"\b(?:livers?|hepatic\w*|hepatitis|hepato\w+|cirrho\w+|child[\s-](?:turcotte[\s-])?pugh|jaundice\w*|"
        r"nafld|nash|masld|lfts?|transaminases|bilirubin)\b",
        re.IGNORECASE,
    ),
    "allergy": re.compile(
        r"\b(?:allerg(?:y|ies|ic)(?!\s+(?:rhinitis|rhino\w*|conjunctivitis|asthma|(?:contact\s+)?dermatitis|eczema|"
        r"bronchopulmonary|alveolitis))|hypersensitiv\w*|anaphyla\w+|intoleran(?:t|ce)\s+(?:to|of)|(?:bad|severe|serious|awful|nasty)\s+reactions?\s+to|"
        r"(?:hives|rash\w*|welts|swelling|swells?\s+up|swelled\s+up|anaphyl\w+)\s+(?:with|from|after|to)|react(?:s|ed|ing)?\s+(?:badly\s+)?to|epi-?pens?|"
        r"(?:throat|lips?|face|tongue|mouth)\s+(?:to\s+)?(?:swells?|swelled|closes?|itch(?:es)?|tingles?)|"
        r"(?:drug|aspirin|penicillin|nsaid|latex|egg|nuts?|peanut|gluten|lactose|sulfa|iodine|contrast)[\s-](?:sensitiv\w+|intoleran\w+)|"
        r"(?:come|comes|came|break|breaks|broke)\s+out\s+in\s+(?:hives|spots|a\s+rash|welts))\b",
        re.IGNORECASE,
    ),
    "anticoagulant": re.compile(
        r"\b(?:anti-?coagula\w*|blood[\s-]?thinn\w*|warfarin|coumadin|apixaban|eliquis|rivaroxaban|xarelto|edoxaban|"
        r"dabigatran|pradaxa|acenocoumarol|phenprocoumon|heparins?|enoxaparin|dalteparin|tinzaparin|fondaparinux|"
        r"clexane|lovenox|fragmin|innohep|lixiana|savaysa|arixtra|marcumar|sintrom|jantoven|phenindione|warfarini[sz]ed|vkas?|inr|(?:factor\s+)?xa\s+inhibitors?|mechanical\s+(?:heart\s+)?valve|"
        r"thin(?:s|ning)?\s+(?:my|the|his|her|your)\s+blood|doacs?|noacs?|vitamin\s+k\s+antagonists?)\b",
        re.IGNORECASE,
    ),
}
_WRITTEN = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_NUMBERS = {word: number for number, word in enumerate(_WRITTEN.split(), start=1)}
_NUMBER_WORD = "|".join(_NUMBERS)
# An age, in a question or a passage: "4-year-old", "aged 72", "my son is 9", "over 65".
_AGE = re.compile(
    rf"\b(?P<n>\d{{1,3}}|{_NUMBER_WORD})[\s-]*(?P<unit>y(?:ea)?rs?|y|mo(?:nth)?s?|m|weeks?|wks?|days?)?[\s-]*(?:old|o)\b"
    r"|\b(?:aged?|(?<!\d )over|above|older\s+than|at\s+least)\s+(?P<a>\d{1,3})"
    r"(?:\s*(?:years?|yrs?|months?))?\b(?!\s*(?:mg|g|mL|%))"
    r"|\b(?:mum|mom|mother|dad|father|aunt|uncle|husband|wife|partner|son|daughter|brother|sister|lad|lass|boy|girl|child)"
    r"(?:,|['’]?s\b|\s+is|\s+aged|\s+turned)\s*(?P<r>\d{1,3})\b(?!\s*(?:weeks?|months?|mg|kg|st\b|lb|cm))"
    r"|\b(?P<c>\d{1,3})\s*(?:yo|y/o|yom|yof)\b",
    re.IGNORECASE,
)
# Source: UN Convention on the Rights of the Child, article 1: a child is below 18.
_ADULT_YEARS = 18
# Source: WHO and most labels speak of older adults from 65 (some from 60).
_OLDER_YEARS = 65

# Right before a hit, these say that the text is not about the group.
_DENIED_BEFORE = re.compile(
    r"(?:\bnon-?|\bnot\s+(?:(?:currently|yet|now|actually|be|been|a|an|on\s+(?:any|an|a)?|taking\s+(?:any|an|a)?)\s*)*|"
    r"\b(?:isn['’]?t|aren['’]?t|wasn['’]?t|never|neither|nor)\s+(?:(?:currently|been|on\s+(?:any|an|a)?)\s*)*|"
    r"\bno\s+(?:(?:known|history\s+of|personal|family|evidence\s+of|signs?\s+of|drug|any|underlying|pre-existing)\s+)*|"
    r"\b(?:without|denies|negative\s+for|excluding|normal|healthy|adequate|good|intact|cod[\s-])\s+"
    r"(?:(?:any|a|known|history\s+of)\s+)*)$",
    re.IGNORECASE,
)
# A baby that is expected, carried or nursed: the text is about its mother.
_NURSED = re.compile(
    r"\b(?:expecting|breast[\s-]?feed\w*|milk\s+for|nursing|trying\s+for|feeding|carrying|having|had)\s+(?:an?|my|our|the|her)?\s*$",
    re.IGNORECASE,
)
# Said after a hit: a finding that is over, and was none.
_DENIED_AFTER = re.compile(
    r"^\s*(?:(?:test|tests|function|functions|enzymes|disease|problems?|status)\s+)?(?:was|were|is|are|has\s+been)\s+"
    r"(?:excluded|ruled\s+out|negative|normal|absent|fine)\b",
    re.IGNORECASE,
)
# A word for the group that means something else there.
_OTHER_MEANING = re.compile(
    r"^(?:child(?=-?\s?(?:birth|bearing|hood|pugh|-turcotte))|older(?=\s+(?:anti|drug|stud|guide))|"
    r"kidneys?(?=\s+(?:beans?|stones?))|seniors?(?=\s+(?:doctor|nurse|author|staff|house)))",
    re.IGNORECASE,
)
# "Child-Pugh" is a liver score, and "nephropathic" parts of the body are no people; "with child" is old-fashioned.
_CHILD_PUGH = re.compile(r"^child[\s-](?:turcotte|pugh|birth|bearing)", re.IGNORECASE)


# Quotes are read several times for one reply, and a conversation's messages with each of its turns.
@lru_cache(4096)
def populations_in(text: str) -> frozenset[Population]:
    """Return the groups of people that `text` is about; what it denies ("not pregnant") is left out.

    "Avoid in pregnancy" is about pregnancy: it says something to the person who asks.

    Example:
        >>> sorted(populations_in("A pregnant woman with normal kidney function, on apixaban"))
        ['anticoagulant', 'pregnancy']
    """
    found: set[Population] = {name for name, pattern in _PATTERNS.items() if _affirmed(name, pattern, text)}
    return frozenset(found | _ages(text))


def populations_asked(question: str, earlier: Iterable[str], *, is_followup: bool) -> frozenset[Population]:
    """Return the groups that a question is about, with those that earlier messages named and that still hold.

    What a message says of a person ("I am pregnant", "my son is 4") holds for the rest of the conversation; a group
    that was only asked about ("and in pregnancy?") holds for follow-ups. Another stage of life replaces the one before.

    Example:
        >>> sorted(populations_asked("What is the dose of ibuprofen?", ["My son is 4."], is_followup=False))
        ['child']
    """
    groups: frozenset[Population] = frozenset()
    for text in earlier:
        if is_followup or _OF_A_PERSON.search(text):
            groups = _joined(groups, text)
    return _joined(groups, question)


def _joined(before: frozenset[Population], text: str) -> frozenset[Population]:
    """Return the groups of a text with those before it that still hold beside them."""
    now = populations_in(text)
    if now & {"child", "older", "pregnancy", "breast-feeding"} or _GROWN.search(text):
        before -= {"child", "older"}
    if "child" in now:
        before -= {"pregnancy", "breast-feeding"}
    return before | now


# Said of somebody, not asked in general.
_OF_A_PERSON = re.compile(
    r"\b(?:i|i['’]?m|i['’]?ve|im|we|we['’]?re|my|our|his|her|he|she|he['’]?s|she['’]?s|me|patient|pt)\b", re.IGNORECASE
)


def population_notices(
    asked: AbstractSet[Population], statements: Sequence[Statement], passages: Sequence[CitedPassage]
) -> tuple[Notice, ...]:
    """Return one notice for each group that was asked about and that no quote is about.

    A quote is about a group when its own words, its headings and lead-ins, or the title or section of its
    passage name it. No statements, no notices: an abstention says already that nothing was found.
    """
    if not statements:
        return ()
    covered: set[Population] = set()
    by_number = {passage.number: passage for passage in passages}
    for statement in statements:
        cited = (by_number[number] for number in statement.citations if number in by_number)
        lines = [statement.text, *statement.context]
        for passage in cited:
            lines += [passage.title, *passage.section]
        covered |= populations_in("\n".join(lines))
    missing = [name for name in POPULATIONS if name in asked and name not in covered]
    return tuple(Notice(f"population_{name.replace('-', '_')}", _NONE_IS_ABOUT[name]) for name in missing)


# Grade 6 or less, for every reader: silence is told as silence, never as safety.
_SILENCE = "That does not mean that it is safe. Ask a doctor or a pharmacist."
_NONE_IS_ABOUT: dict[Population, str] = {
    "pregnancy": f"None of the quotes is about pregnancy. {_SILENCE}",
    "breast-feeding": f"None of the quotes is about breast-feeding. {_SILENCE}",
    "child": f"None of the quotes is about children. {_SILENCE}",
    "older": f"None of the quotes is about older people. {_SILENCE}",
    "kidney": f"None of the quotes is about kidney disease. {_SILENCE}",
    "liver": f"None of the quotes is about liver disease. {_SILENCE}",
    "allergy": f"None of the quotes is about allergy. {_SILENCE}",
    "anticoagulant": f"None of the quotes is about people who take blood thinners. {_SILENCE}",
}


def suits_population(asked: AbstractSet[Population], text: str, context: Iterable[str] = ()) -> bool:
    """Say whether a quote may be shown to a question about `asked`.

    A dose is shown for a child only where its words or its headings say that it is a child's: a dose that names
    nobody is an adult's. A child's dose is not shown for a question about pregnancy or older age. Anything that
    is no dose suits everybody.
    """
    # Imported here: doses read populations as well.
    from chatbot.present.amounts import find_amounts
    from chatbot.present.doses import is_dose_statement

    above = tuple(context)
    lines = [text, *above]
    about = populations_in("\n".join(lines))
    if "child" in asked:
        group = _age_group((text, *reversed(above)))
        # An amount under a heading for adults is an adult's, even where it is no medicine's dose.
        return group == "child" or not (is_dose_statement(text, above) or (group == "adult" and find_amounts(text)))
    if asked & {"pregnancy", "breast-feeding", "older"} and "child" in about and not asked & about:
        return any(_GROWN.search(line) for line in lines) or not is_dose_statement(text, above)
    return True


_GROWN = re.compile(r"\b(?:adults?|women|men|elderly|older\s+people|pregnan\w*)\b", re.IGNORECASE)
# Said of every medicine, and no word on who it is for.
_KEEP_AWAY = re.compile(r"\bkeep\w*\s+[^.;]{0,40}?\b(?:from|of)\s+[^.;]{0,30}?children\b", re.IGNORECASE)


def _age_group(lines: Iterable[str]) -> Literal["child", "adult"] | None:
    """Return whose a dose is: the innermost of its lines that names an age group decides."""
    for line in lines:
        grown = _GROWN.search(line)
        if "child" in populations_in(_KEEP_AWAY.sub("", line)):
            # "Adolescents and adults" share an adult's dose.
            shared = grown and not populations_in(_ADOLESCENT.sub("", _KEEP_AWAY.sub("", line))) & {"child"}
            return "adult" if shared else "child"
        if grown:
            return "adult"
    return None


_ADOLESCENT = re.compile(r"\b(?:adolescen\w*|teen\w*|(?:over|aged|from)\s+1[2-7]\b[^.;]{0,20})", re.IGNORECASE)


def _affirmed(name: Population, pattern: re.Pattern[str], text: str) -> bool:
    for match in pattern.finditer(text):
        before = text[max(0, match.start() - 45) : match.start()]
        if _CHILD_PUGH.match(text[match.start() :]) and not match.group().lower().endswith("pugh"):
            continue
        if name == "child" and _NURSED.search(before):
            continue
        other = _OTHER_MEANING.match(text[match.start() :]) and name != "liver"
        if not other and not _DENIED_BEFORE.search(before) and not _DENIED_AFTER.match(text[match.end() :]):
            return True
    return False


def _ages(text: str) -> set[Population]:
    found: set[Population] = set()
    for match in _AGE.finditer(text):
        written = next(value for value in (match["n"], match["a"], match["r"], match["c"]) if value).lower()
        number = _NUMBERS[written] if written in _NUMBERS else int(written)
        unit = (match["unit"] or "y").lower()
        if match["n"] and not match["unit"] and "old" not in match.group().lower():
            continue
        if unit[0] in "mwd" or number < _ADULT_YEARS:
            # "over 12 years" bounds an age from below; only a child's own age makes it about a child.
            if not (match["a"] and not re.match(r"aged?", match.group(), re.IGNORECASE)):
                found.add("child")
        elif number >= _OLDER_YEARS and number < 120:
            found.add("older")
    return found
