"""Reads which groups of people a text is about: named in clinical or lay words, by an age, a value or a medicine.

Is: eight groups, without those that a text denies ("not pregnant", "eGFR above 90", "came off warfarin"). Is not: a
judgement of what a group may take (see `populations.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, get_args

from chatbot.present.drugs import find_drugs
from corpus.documents import Span

Population = Literal["pregnancy", "breast-feeding", "child", "older", "kidney", "liver", "allergy", "anticoagulant"]
POPULATIONS: tuple[Population, ...] = get_args(Population)

_PATTERNS: dict[Population, re.Pattern[str]] = {
    "pregnancy": re.compile(
        r"\b(?:pregnan\w*|preg|primips?|multips?|nullips?|(?:primi|multi|nulli)(?:gravid|par)\w+|expectant|perinatal|maternal|"
        r"(?:ante|intra)-?partum|in\s+utero|placent\w+|(?:pre-?)?eclampsia|gestation\w*|(?:[1-3]\d|4[0-2])\+[0-6]|two\s+(?:\w+\s+)?lines|"
        r"missed\s+(?:my|her|a)\s+period|(?:(?:i|she|we|wife|who|girlfriend|partner)(?:['’]?s|['’]?m|['’]?re|\s+is|\s+am|\s+are))\s+due\s+(?:in|on|any|next|soon)|"
        r"(?:first|second|third|1st|2nd|3rd|last)\s+trimester|trimesters?|"
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
        r"(?:a|an|my|her|our|the)\b)|(?:while|whilst|when|if|still|am|is|i['’]?m|she['’]?s|and|or|currently|safe\s+(?:in|for|during))\s+nursing"
        r"(?!\s+(?:staff|homes?|care|students?|school|sisters?|teams?|notes|a\s+(?:cold|hangover)))|(?:into|in|through)\s+(?:my|her|the|breast)\s+milk|(?:my|her)\s+milk|human\s+milk|(?:express|pump)(?:ed|ing)?\s+(?:breast\s+)?milk|wean(?:ed|ing)?\b|milk\s+supply|(?:on|off)\s+the\s+breast|"
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
        r"(?:under|below|younger\s+than)[\s-](?:the\s+age\s+of\s+)?(?:\d|1[0-8])\s+years?|weigh(?:s|ing|ed)?\s+(?:(?:only|just|about|around)\s+)?(?:\d|[12]\d)(?:\.\d)?\s*kg)\b",
        re.IGNORECASE,
    ),
    "older": re.compile(
        r"\b(?:elderly|geriatric\w*|older\s+(?:adults?|people|persons?|patients?|age|men|women)|old\s+age|frail\w*|"
        r"seniors?|aged\s+(?:people|parents?|mother|father|relatives?)|the\s+aged|later\s+life|advanced\s+age|(?:nursing|care|residential|retirement|rest|old\s+people['’]?s)\s+homes?|"
        r"care\s+facilit(?:y|ies)|assisted\s+living|sheltered\s+housing|oaps?|(?<![\d-])(?<!years )(?<!year )old\s+(?:man|lady|woman|gentleman|folks?|people)|"
        r"getting\s+on\s+in\s+years|in\s+(?:his|her|their|my)\s+(?:(?:early|mid|late)[\s-]+)?(?:seventies|eighties|nineties|70s|80s|90s)|"
        r"(?:great-?)?(?:grand(?:mother|father|ma|pa|dad|mum)|gran|granny|nan|nana)|pensioners?|"
        r"(?:sexa|septua|octo|nona)genarians?|centenarians?|(?:over|above)(?:-(?:6[05]|7[05]|8[05]|90)s?|\s(?:6[05]|7[05]|8[05]|90)s))\b",
        re.IGNORECASE,
    ),
    "kidney": re.compile(
        r"\b(?:kidneys?|renal\w*|nephr\w+|dialys(?:ed|ing)|ckd(?:\s?g?[1-5][ab]?)?|es[rk][df]|aki|h(?:a)?emo(?:dia\w*|filtration)|dialysis|capd|egfr|gfr|"
        r"creat(?:inine)?(?:\s+clearance|\s+(?:is\s+|of\s+)?\d+)|cr\.?cl|ur(?:a)?emi[ac])\b",
        re.IGNORECASE,
    ),
    "liver": re.compile(
        r"\b(?:(?<!cod )(?<!cod-)livers?|hepatic\w*|hepatitis|hepato\w+|cirrho\w+|ascites|varices|child['’]?s?[\s-](?:turcotte[\s-])?pugh|jaundice\w*|"
        r"nafld|nash|masld|lfts?|transaminases|bilirubin)\b",
        re.IGNORECASE,
    ),
    "allergy": re.compile(
        r"\b(?:allerg(?:y|ies|ic)(?!\s+(?:rhinitis|rhino\w*|conjunctivitis|asthma|(?:contact\s+)?dermatitis|eczema|"
        r"bronchopulmonary|alveolitis))|hypersensitiv\w*|anaphyla\w+|intoleran(?:t|ce)\s+(?:to|of)|(?:bad|severe|serious|awful|nasty)\s+reactions?\s+to|"
        r"(?:hives|rash\w*|welts|swelling|swells?\s+up|swelled\s+up|anaphyl\w+)\s+(?:with|from|after|to)|react(?:s|ed|ing)?\s+(?:badly\s+)?to|(?:i|he|she)\s+(?:swell|swells|swelled)\s+up|"
        r"\w*(?:cillins?|sporins?|mycins?|floxacins?|quinolones?|macrolides?|cyclines?|sulf\w+|caines?)[\s-](?:sensitiv\w+|intoleran\w+|reactions?)|epi-?pens?|"
        r"(?:throat|lips?|face|tongue|mouth)\s+(?:to\s+)?(?:swells?|swelled|closes?|itch(?:es)?|tingles?)|"
        r"(?:drug|aspirin|penicillin|nsaid|latex|egg|nuts?|peanut|gluten|lactose|sulfa|iodine|contrast)[\s-](?:sensitiv\w+|intoleran\w+)|"
        r"(?:come|comes|came|break|breaks|broke)\s+out\s+in\s+(?:hives|spots|a\s+rash|welts))\b",
        re.IGNORECASE,
    ),
    "anticoagulant": re.compile(
        r"\b(?:anti-?coagula\w*|anti-?clotting|blood[\s-]?thinn\w*|marcumar|sintrom|jantoven|phenindione|warfarini[sz]ed|lmwh|vkas?|inr|heparins?|"
        r"(?:factor\s+)?xa\s+inhibitors?|mechanical\s+(?:heart\s+)?valve|thin(?:s|ning)?\s+(?:my|the|his|her|your)\s+blood|"
        r"doacs?|noacs?|vitamin\s+k\s+antagonists?)\b",
        re.IGNORECASE,
    ),
}
# Source: INN stems of factor Xa and thrombin inhibitors, heparins and coumarins (WHO, The use of stems in INNs).
_ANTICOAGULANT = re.compile(r"(?:xaban|gatran|parin|parinux|coumon|coumarol)\b|^(?:warfarin|argatroban|bivalirudin)$")
_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS = {word: number for number, word in enumerate((*_ONES, *_TEENS), start=1)} | {
    tens + (f"-{one}" if one else ""): 10 * ten + at
    for ten, tens in enumerate(_TENS, start=2)
    for at, one in enumerate(("", *_ONES))
}
_NUMBER_WORD = "|".join(word.replace("-", r"[\s-]") for word in sorted(_NUMBERS, key=len, reverse=True))
_NO_AGE_UNIT = (
    r"(?!\s*(?:weeks?|wks?|months?|days?|mg|g|kg|st\b|lb|cm|mm|ml|%|mmol|units?|times|of\b|to\b|percent|/|\+|\.))"
)
# An age, in a question or a passage: "4-year-old", "aged 72", "my son is 9", "over 65", "84M".
_AGE = re.compile(
    rf"\b(?P<n>\d{{1,3}}|{_NUMBER_WORD})[\s-]*(?P<unit>y(?:ea)?rs?|y|mo(?:nth)?s?|m|weeks?|wks?|days?)?[\s-]*(?:old|o)\b"
    rf"|\b(?:(?P<own>aged?)|(?<!\d )over|above|older\s+than|at\s+least|turn(?:ed|s|ing))\s+(?P<a>\d{{1,3}}|{_NUMBER_WORD})"
    r"(?:\s*(?:years?|yrs?|months?))?\b(?!\s*(?:mg|g|kg|mL|%|mmol|to\s+\d+\s*m))"
    r"|\b(?:mum|mom|mother|dad|father|aunt|uncle|husband|wife|partner|son|daughter|brother|sister|lad|lass|boy|girl|child|grandson|granddaughter)"
    rf"(?:,|['’]?s\b|\s+is|\s+aged|\s+turned)\s*(?P<r>\d{{1,3}}|{_NUMBER_WORD})\b{_NO_AGE_UNIT}"
    rf"|\b(?:(?:i|he|she)(?:['’]m|['’]s|\s+am|\s+is|\s+(?:(?:has|have)\s+)?(?:just\s+)?turned))\s+(?:(?:only|just|nearly|almost|now|already)\s+)?"
    rf"(?P<s>\d{{1,3}}|{_NUMBER_WORD})\b{_NO_AGE_UNIT}"
    r"|\b(?P<c>\d{1,3})\s*(?:yo|y/o|yom|yof)\b"
    r"|(?<![\d.:/-])\b(?P<sex>\d{1,3})\s?/?\s?(?-i:[MF])\b(?!\s+(?:people|patients|doses|catheter|sheath|tube|drain|cannula|Foley))"
    r"|(?:≥|>=?)\s*(?P<from>\d{2,3})\s*(?:years|yrs|y)\b",
    re.IGNORECASE,
)
# "eGFR above 90", "pulse over 100": a value, and no age.
_MEASURED = re.compile(
    r"\b(?:e?gfr|cr\.?cl|clearance|bp|pressure|systolic|diastolic|rate|pulse|sat(?:uration)?s?|hr|glucose|sugar|inr|bmi|weigh\w*|score|"
    r"temp(?:erature)?|creatinine|urea|sodium|potassium|count|level|platelets|h[ab]a1c)\s*(?:is|was|of|are)?\s*$",
    re.IGNORECASE,
)
# Source: UN Convention on the Rights of the Child, article 1: a child is below 18.
_ADULT_YEARS = 18
# Source: WHO and most labels speak of older adults from 65 (some from 60).
_OLDER_YEARS = 65
# Nobody was older: what is more is no age.
_OLDEST_YEARS = 120

# Source: KDIGO 2024: kidney function is decreased below 60 mL/min per 1.73 m².
_NORMAL_GFR = 60
_GFR = re.compile(r"^(?:e?gfr|cr\.?cl|creat(?:inine)?\s+clearance)$", re.IGNORECASE)
_GFR_VALUE = re.compile(r"^\s*(?:is|was|of|=|:|>|≥|above|over|\s)*\s*(?P<value>\d{2,3})\b", re.IGNORECASE)

# What may stand between a denial and what it denies.
_FILLER = (
    r"(?:(?:currently|yet|now|actually|be|been|being|a|an|any|the|on|taking|had|have|has|got|known|history\s+of|personal|family|"
    r"evidence\s+of|signs?\s+of|drug|underlying|pre-existing|trouble\s+with|problems?\s+with)\s+)*"
)
# Right before a hit, these say that the text is not about the group; "not pregnant or nursing" denies both.
_DENIED_BEFORE = re.compile(
    rf"(?:\bnon-?|\b(?:not|never|neither|nor|no|without|denies|negative\s+for|excluding|free\s+of|(?:do|does|did|have|has|had)n['’]t\s+(?:have|had|got|take|use)|"
    rf"(?:i|he|she|we|they|who|wife|woman|patient)\s+(?:is|are|was|were)n['’]t|(?:is|are|was|were)n['’]t(?=\s+(?:on|taking|currently|yet|been)\b))\s+{_FILLER}"
    rf"(?:(?!i\b|my\b|sure\b|only\b|just\b|but\b)[\w-]+\s+(?:or|nor)\s+{_FILLER})?|"
    rf"\b(?:normal|healthy|adequate|good|intact|adult|grown(?:-up)?)\s+{_FILLER}|"
    rf"\b(?:(?:came|come|taken|now|been)\s+off|no\s+longer\s+(?:on|taking|using)|used\s+to\s+(?:take|be\s+on))\s+{_FILLER})$",
    re.IGNORECASE,
)
# A child is denied by fewer words, so that none is taken for an adult: "isn't the child's dose 10 mg/kg?" is about one.
_CHILD_DENIED_BEFORE = re.compile(
    r"(?:\bnon-?|\b(?:not|no)\s+(?:(?:longer|currently|yet|now|actually|an?|been|be)\s+)*|\b(?:adult|grown(?:-up)?)\s+)$",
    re.IGNORECASE,
)
# A baby that is expected, carried or nursed: the text is about its mother.
_NURSED = re.compile(
    r"\b(?:expecting|breast[\s-]?feed\w*|milk\s+for|nursing|trying\s+for|feeding|carrying|having|had|unborn)\s+(?:an?|my|our|the|her)?\s*$",
    re.IGNORECASE,
)
# Said after a hit: a finding that is over, and was none.
_DENIED_AFTER = re.compile(
    r"^\s*(?:(?:tests?|functions?|enzymes|disease|problems?|status)\s*)?(?:(?:was|were|is|are|has\s+been|have\s+been)\s+|[:=-]\s*|\s)(?:all\s+|quite\s+|both\s+)?"
    r"(?:excluded|ruled\s+out|negative|normal|absent|fine|healthy|nil|none|unremarkable|nad|nkda)\b",
    re.IGNORECASE,
)
# A word for the group that means something else there.
_OTHER_MEANING = re.compile(
    r"^(?:bab(?:y|ies)(?=\s+(?:aspirin|oil|powder|wipes|shampoo|teeth|blues))|child(?=-?\s?(?:birth|bearing|hood|pugh|-turcotte))|older(?=\s+(?:anti|drug|stud|guide))|"
    r"kidneys?(?=\s+(?:beans?|stones?))|seniors?(?=\s+(?:doctor|nurse|author|staff|house)))",
    re.IGNORECASE,
)
# Said of every medicine, and no word on who it is for.
_KEEP_AWAY = re.compile(r"\bkeep\w*\s+[^.;]{0,40}?\b(?:from|of)\s+[^.;]{0,30}?children\b", re.IGNORECASE)
# How far before a hit its denial may stand, in characters.
_DENIAL_CHARS = 60


# Quotes are read several times for one reply, and a conversation's messages with each of its turns.
@lru_cache(4096)
def populations_in(text: str) -> frozenset[Population]:
    """Return the groups of people that `text` is about; what it denies ("not pregnant") is left out.

    "Avoid in pregnancy" is about pregnancy: it says something to the person who asks.

    Example:
        >>> sorted(populations_in("A pregnant woman with normal kidney function, on apixaban"))
        ['anticoagulant', 'pregnancy']
    """
    text = _KEEP_AWAY.sub("", text)
    found: set[Population] = set()
    for name in POPULATIONS:
        if any(_affirmed(name, span, text) for span in _mentions(name, text)):
            found.add(name)
    return frozenset(found | _ages(text))


def _mentions(name: Population, text: str) -> Iterator[Span]:
    """Yield where a text names a group, in its words or by a medicine that the group takes."""
    yield from (match.span() for match in _PATTERNS[name].finditer(text))
    if name == "anticoagulant":
        yield from ((start, end) for drug, start, end in find_drugs(text) if _ANTICOAGULANT.search(drug))


def _affirmed(name: Population, span: Span, text: str) -> bool:
    """Say whether a mention is about the group: not denied, not normal, and no other thing of that name."""
    start, end = span
    before = text[max(0, start - _DENIAL_CHARS) : start]
    if name == "child" and _NURSED.search(before):
        return False
    if name != "liver" and _OTHER_MEANING.match(text[start:]):
        return False
    if _GFR.match(text[start:end]) and (value := _GFR_VALUE.match(text[end:])) and int(value["value"]) >= _NORMAL_GFR:
        return False
    denied = (_CHILD_DENIED_BEFORE if name == "child" else _DENIED_BEFORE).search(before)
    return not denied and not _DENIED_AFTER.match(text[end:])


def _ages(text: str) -> set[Population]:
    """Return the stages of life that the ages in a text stand for."""
    found: set[Population] = set()
    for match in _AGE.finditer(text):
        written = next(value for key, value in match.groupdict().items() if value and key not in ("unit", "own"))
        number = int(written) if written.isdigit() else _NUMBERS[re.sub(r"\s", "-", written.lower())]
        unit = (match["unit"] or "y").lower()
        if match["n"] and not match["unit"] and "old" not in match.group().lower():
            continue
        if match["a"] and _MEASURED.search(text[: match.start()]):
            continue
        if unit[0] in "mwd" or number < _ADULT_YEARS:
            # "over 12 years" bounds an age from below; only a child's own age makes it about a child.
            if not match["from"] and (not match["a"] or match["own"] or match.group().lower().startswith("turn")):
                found.add("child")
        elif _OLDER_YEARS <= number < _OLDEST_YEARS:
            found.add("older")
    return found
