"""Finds quotes of different documents that disagree, so that they are shown side by side.

Is: opposite advice, and different numbers, on the same medicine (or the same thing), condition, purpose and group.
Is not: a judge of who is right, and no reader between the lines: what it finds is a reason to read both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from chatbot.present.amounts import Amount, find_amounts
from chatbot.present.drugs import named_drugs
from chatbot.present.population_mentions import populations_in
from chatbot.replies import CitedPassage, Notice, Statement

_Purpose = Literal["prevention", "acute", "diagnosis", "ongoing", "short"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two quotes that disagree: positions in the statements, what on, and about what.

    `said` are the words that differ, verbatim: two amounts, or the two quotes.
    """

    kind: Literal["polarity", "number"]
    first: int
    second: int
    about: str
    said: tuple[str, str]


def find_conflicts(statements: Sequence[Statement], passages: Sequence[CitedPassage]) -> tuple[Conflict, ...]:
    """Return the pairs of statements from different documents that disagree, in order of the statements."""
    by_number = {passage.number: passage for passage in passages}
    read = [_read(statement, by_number) for statement in statements]
    found: dict[tuple[str, str, frozenset[str]], Conflict] = {}
    for (i, one), (j, two) in combinations(enumerate(read), 2):
        if not one.documents or not two.documents or one.documents & two.documents:
            continue
        conflict = _opposite(i, j, one, two) if _comparable(one, two, own=True) else None
        if conflict := conflict or (_other_number(i, j, one, two) if _comparable(one, two) else None):
            # One pair of documents that disagree on one thing is told once.
            found.setdefault((conflict.kind, conflict.about or str((i, j)), one.documents | two.documents), conflict)
    return tuple(found.values())


def conflict_notices(
    conflicts: Sequence[Conflict], statements: Sequence[Statement], passages: Sequence[CitedPassage]
) -> tuple[Notice, ...]:
    """Return a sentence for each conflict: both sides, with number, kind, body and year."""
    by_number = {passage.number: passage for passage in passages}

    def side(position: int, said: str) -> str:
        number = next(iter(statements[position].citations), 0)
        passage = by_number.get(number)
        about = ", ".join(str(part) for part in (passage.kind, passage.source, passage.year) if part) if passage else ""
        return f"[{number}]{f' ({about})' if about else ''} says “{said}”"

    notices = []
    for conflict in conflicts:
        first, second = side(conflict.first, conflict.said[0]), side(conflict.second, conflict.said[1])
        topic = f" on {conflict.about}" if conflict.about else ""
        notices.append(Notice(f"conflict_{conflict.kind}", f"The sources differ{topic}. {first}. {second}. Read both."))
    return tuple(notices)


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    polarity: str
    documents: frozenset[str]
    # Medicines of the quote itself, and of its headings where it has none.
    named: frozenset[str]
    drugs: frozenset[str]
    things: frozenset[str]
    title: frozenset[str]
    # Of the titles and headings alone, and of these with the quote.
    headed: frozenset[str]
    condition: frozenset[str]
    purposes: frozenset[_Purpose]
    populations: frozenset[str]
    # The groups that the quote and its lead-ins name, without the titles.
    groups: frozenset[str]
    routes: frozenset[str]
    doses: tuple[Amount, ...]
    roles: tuple[str, ...]
    times: tuple[str, ...]


# Words that say nothing about what a text is on; the rest of a title is taken as its condition.
_COMMON = frozenset(
    """the and for with from that this are was were has have had not nor but its their them who whom which what when
    where how why into onto over under than then there here also any all each every both may might must should would
    could can will been being between during after before without within about against treatment treatments treating
    treated treat management managing guideline guidelines recommendations recommended recommend advised advice
    considered options option patient patients people adult adults child children care use used using given give take
    taken dose doses daily twice once three times day days week weeks weekly month mouth oral starting start maximum
    most more least effective helpful best first line therapy drug drugs medicine medicines acute chronic prevent
    prevents preventing prevention does avoid avoided stop longer low high mild severe long term cause causes help
    helps is be of in to on at by or as an a it no do if so up per after
    relief control what injuries injury choice tried likely safety
    withdrawal regimens normal function usual medication work review question evidence dosing doses special situations
    limits other others same including such""".split()
)
# The same condition in clinical and lay words.
_SAME_CONDITION = (
    ("hypertens", "blood pressur"),
    ("venous", "dvt", "thromb", "clot"),
    ("myocard", "heart attack", "infarct"),
    ("stroke", "cerebrovasc"),
    ("cramp", "spasm"),
    ("renal", "kidney"),
    ("hepat", "liver", "cirrh"),
    ("hypokal", "potassium"),
    ("hyponat", "sodium"),
    ("anaphyl", "allerg"),
    ("arthr", "joint"),
    ("cephal", "headache", "migrain"),
    ("diabet", "glucose"),
    ("pneumon", "chest infect"),
    ("urin", "uti", "cystit"),
    ("peripheral arter", "claudic", "pad"),
    ("restless", "rls"),
    ("fasciit", "heel"),
)
_PURPOSES: tuple[tuple[_Purpose, re.Pattern[str]], ...] = (
    ("prevention", re.compile(r"\bprevent\w*|\bprophyla\w*|\bto\s+avoid\s+recurren\w*", re.IGNORECASE)),
    (
        "acute",
        re.compile(r"\bacute(?:ly)?\b|\bflares?\b|\battacks?\b|\bemergenc\w+|\bduring\s+(?:a|an|the)\b", re.IGNORECASE),
    ),
    ("diagnosis", re.compile(r"\bdiagnos\w*|\bscreen\w*|\btest(?:s|ing)?\b|\bscan\w*", re.IGNORECASE)),
    ("short", re.compile(r"\bshort[\s-]term\b|\bshort[\s-]lived\b", re.IGNORECASE)),
    ("ongoing", re.compile(r"\blong[\s-]term\b|\bmaintenance\b|\bongoing\b", re.IGNORECASE)),
)
_ROUTES = (
    ("mouth", re.compile(r"\boral(?:ly)?\b|\bby\s+mouth\b|\btablets?\b|\bp\.?o\b", re.IGNORECASE)),
    ("vein", re.compile(r"\bintravenous\w*|\bi\.?v\b|\bby\s+vein\b|\binfus\w+", re.IGNORECASE)),
    ("injection", re.compile(r"\binject\w*|\bsubcutaneous\w*|\bintramuscular\w*|\bi\.?m\b|\bs\.?c\b", re.IGNORECASE)),
    ("spine", re.compile(r"\bintrathecal\w*|\bepidural\w*", re.IGNORECASE)),
    ("local", re.compile(r"\btopical\w*|\binhal\w*|\bnasal\w*|\bdrops?\b|\bpatch\w*|\brectal\w*", re.IGNORECASE)),
)
_MAXIMUM_BEFORE = re.compile(
    r"(?:max(?:imum|imal)?|at\s+most|up\s+to|exceed|(?:not|no)\s+more\s+than|most)\W+(?:\w+\W+){0,3}$", re.IGNORECASE
)
_MAXIMUM_AFTER = re.compile(r"\W*(?:\w+\W+){0,2}(?:max(?:imum)?|at\s+most)\b", re.IGNORECASE)
_START_BEFORE = re.compile(r"\b(?:start\w*|initial\w*|begin\w*|first)\b[^.;]{0,40}$", re.IGNORECASE)
_TIME_AFTER = re.compile(
    r"^[^.;,]{0,45}?\b(?P<times>once|twice|(?:three|four|five|six|\d+)\s+times|every\s+\d+(?:\s*(?:-|–|to)\s*\d+)?\s*h\w*|"
    r"daily|nightly|weekly|(?:a|per)\s+(?:day|week|night))\b",
    re.IGNORECASE,
)
_STAGE = re.compile(
    r"\b(?:for\s+the\s+first|first\s+(?:\d+|week|day)|after\s+the\s+first|thereafter|then|loading|from\s+day)\b",
    re.IGNORECASE,
)


def _read(statement: Statement, by_number: dict[int, CitedPassage]) -> _Read:
    cited = [by_number[number] for number in statement.citations if number in by_number]
    headings = [*statement.context, *(line for passage in cited for line in (passage.title, *passage.section))]
    everything = "\n".join((statement.text, *headings))
    own = "\n".join((statement.text, *statement.context))
    named = named_drugs(statement.text)
    drugs = named or named_drugs("\n".join(headings))
    doses = find_amounts(statement.text)
    return _Read(
        text=statement.text,
        polarity=statement.polarity,
        documents=frozenset(passage.document_id for passage in cited),
        named=named,
        drugs=drugs,
        things=_content(statement.text),
        title=_content(" ".join(passage.title for passage in cited)),
        headed=_condition("\n".join(headings), drugs),
        condition=_condition("\n".join(headings) + "\n" + statement.text, drugs),
        purposes=_purposes(own),
        populations=frozenset(populations_in(everything)) | _adults(own),
        groups=frozenset(populations_in(own)) | _adults(own),
        routes=frozenset(name for name, pattern in _ROUTES if pattern.search(own)),
        doses=doses,
        roles=tuple(_role(statement.text, dose) for dose in doses),
        times=tuple(_times(statement.text, dose) for dose in doses),
    )


def _comparable(one: _Read, two: _Read, *, own: bool = False) -> bool:
    """Say whether two quotes are on the same condition, purpose and group of people, as far as they say.

    With `own`, a group that only a title names does not part them: "Infant colic" has no adult twin. Doses do differ
    by age, so for numbers it does.
    """
    ours, theirs = one.populations - {"adult"}, two.populations - {"adult"}
    if ours != theirs and not (own and one.groups == two.groups and (not ours or not theirs)):
        return False
    if bool(one.purposes) and bool(two.purposes) and not one.purposes & two.purposes:
        return False
    # A title names a condition; a quote also says much else, so two quotes' words alone make no common condition.
    if not one.headed or not two.headed:
        return True
    return bool(one.headed & two.condition or two.headed & one.condition)


def _opposite(i: int, j: int, one: _Read, two: _Read) -> Conflict | None:
    if one.routes and two.routes and not one.routes & two.routes:
        return None
    if {one.polarity, two.polarity} != {"for", "against"} or _NO_ADVICE.search(one.text) or _NO_ADVICE.search(two.text):
        return None
    # A medicine in a heading alone does not make a list of warning signs advice on it, and "X with Y" is not "X".
    if one.named or two.named:
        same_drugs = one.named == two.named
        return Conflict("polarity", i, j, ", ".join(sorted(one.named)), (one.text, two.text)) if same_drugs else None
    # What the titles say is the condition; the thing advised on must be shared beyond it.
    ours, theirs = one.things - (one.title | two.title), two.things - (one.title | two.title)
    if not ours or not theirs:
        ours, theirs = one.things, two.things
    if not ours & theirs or len(ours & theirs) / len(ours | theirs) < _SAME_THING:
        return None
    return Conflict("polarity", i, j, "", (one.text, two.text))


# Without a medicine, quotes must speak of the same thing in much the same words: this share of all their own words.
_SAME_THING = 0.4
# The opening of a list says nothing by itself, and "stop at once" is about an event, not about the medicine.
_NO_ADVICE = re.compile(
    r":\s*$|\bstop\w*\b[^.;]{0,30}\b(?:at\s+once|immediately|straight\s+away)|\bmeans\s+stopping\b", re.IGNORECASE
)


def _other_number(i: int, j: int, one: _Read, two: _Read) -> Conflict | None:
    shared = one.drugs & two.drugs
    if not shared or (one.routes and two.routes and not one.routes & two.routes):
        return None
    if _STAGE.search(one.text) or _STAGE.search(two.text):
        return None
    ours, theirs = _keyed(one), _keyed(two)
    for key in ours.keys() & theirs.keys():
        a, b = ours[key], theirs[key]
        if {(dose.low, dose.high) for dose in a}.isdisjoint((dose.low, dose.high) for dose in b) and _apart(a, b):
            return Conflict("number", i, j, ", ".join(sorted(shared)), (a[0].text, b[0].text))
    return None


def _apart(ours: Sequence[Amount], theirs: Sequence[Amount]) -> bool:
    # Subtle: 0.1 + 0.2 style noise of unit factors must not look like another number.
    def close(a: float, b: float) -> bool:
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))

    low_a, high_a = min(dose.low for dose in ours), max(dose.high for dose in ours)
    low_b, high_b = min(dose.low for dose in theirs), max(dose.high for dose in theirs)
    return not (close(low_a, low_b) and close(high_a, high_b))


def _keyed(read: _Read) -> dict[tuple[str, ...], list[Amount]]:
    """Group a quote's amounts by what makes them comparable: scale, per what, how often, and role."""
    keyed: dict[tuple[str, ...], list[Amount]] = {}
    for dose, role, times in zip(read.doses, read.roles, read.times, strict=True):
        per = tuple(sorted(part for part in dose.per if part not in ("day", "")))
        keyed.setdefault((dose.scale, role, times, *per), []).append(dose)
    return keyed


def _role(text: str, dose: Amount) -> str:
    before = text[max(0, dose.start - 60) : dose.start]
    if _MAXIMUM_BEFORE.search(before) or _MAXIMUM_AFTER.match(text[dose.end : dose.end + 30]):
        return "maximum"
    return "start" if _START_BEFORE.search(before) else "dose"


def _times(text: str, dose: Amount) -> str:
    if "day" in dose.per:
        return "daily"
    match = _TIME_AFTER.match(text[dose.end : dose.end + 70])
    words = re.sub(r"\s+", " ", match["times"].lower()) if match else ""
    return "daily" if words in ("once", "nightly", "a day", "per day", "a night", "per night") else words


def _content(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]{3,}", text.lower())
    return frozenset(word[:6] for word in words if word not in _COMMON)


def _condition(text: str, drugs: frozenset[str]) -> frozenset[str]:
    # A medicine in a title is not a condition; its stem would make every two texts on it alike.
    lowered = text.lower()
    stems = _content(lowered) - frozenset(word[:6] for drug in drugs for word in drug.split())
    groups = {f"#{number}" for number, words in enumerate(_SAME_CONDITION) if any(word in lowered for word in words)}
    return frozenset(stems | groups)


def _purposes(text: str) -> frozenset[_Purpose]:
    found: frozenset[_Purpose] = frozenset(name for name, pattern in _PURPOSES if pattern.search(text))
    # "Prevents attacks" is about prevention, though it names the attack.
    return frozenset({"prevention"}) if "prevention" in found else found


def _adults(text: str) -> frozenset[str]:
    return frozenset({"adult"}) if re.search(r"\badults?\b", text, re.IGNORECASE) else frozenset()
