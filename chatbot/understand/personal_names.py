"""Finds people's names in a message.

Is: cues ("my name is", "Mrs", "my son") and given names, read together. Is not: a list of surnames, and not a
language model: a name without any cue is found only if its given name is well known.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_NAMES_FILE = Path(__file__).with_name("given_names.yaml")

# Polish, Czech, Turkish and other letters come in pairs, large and small in turn.
_EXTENDED = [chr(code) for code in range(0x100, 0x180)]
_LOWER = "a-zß-öø-ÿ" + "".join(char for char in _EXTENDED if char.islower())
_UPPER = "A-ZÀ-ÖØ-Þ" + "".join(char for char in _EXTENDED if char.isupper())
# "Maria", "O'Connor", "McDonald", "Jean-Luc", "J."; every part starts with another letter class, so it is read once.
_CAP = rf"[{_UPPER}](?:[{_LOWER}]+(?:['’-][{_UPPER}]?[{_LOWER}]+|[{_UPPER}][{_LOWER}]+)*|['’][{_UPPER}][{_LOWER}]+|\.)"
_ANY = r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*\.?"
_PARTICLE = r"(?:al-|el-|de|da|dos|van|von|der|den|del|della|di|bin|ibn|la|le)"
# Up to four words, particles between them ("Juan de la Cruz", "Fatima al-Sayed").
_CAP_NAME = rf"{_CAP}(?:[ \t]+(?:{_PARTICLE}[ \t]*)*{_CAP}){{0,3}}"
_ANY_NAME = rf"{_ANY}(?:[ \t]+{_ANY}){{0,3}}"
_RELATION = (
    "son|daughter|child|baby|boy|girl|husband|wife|partner|spouse|fianc[eé]e?|mother|mum|mom|mam|mummy|mommy|"
    "father|dad|daddy|brother|sister|twin|uncle|aunt|auntie|nephew|niece|cousin|grand(?:son|daughter|child|mother|"
    "father|ma|pa|dad|mum)|gran|granny|nan|nana|friend|flatmate|roommate|girlfriend|boyfriend|neighbou?r|"
    "colleague|boss|mate|pal|bestie|buddy|fella|missus|hubby|ex|step(?:son|daughter|mother|father|mum|mom|dad)|god(?:son|daughter|mother|father)|"
    "workmate|classmate|teammate|housemate|landlord|coach|trainer|physio|teacher|carer|patient|client|resident|toddler|teen|in-law"
)
_PERSON = rf"(?:{_RELATION}|man|woman|lady|gentleman|person|pt|guy|teenager|infant|newborn|adult)"
# What a sentence about a person goes on with; "Emily has", never "Wilson disease".
_PERSON_VERB = (
    "has|had|is|was|takes|took|needs|weighs|wants|feels|felt|says|said|told|asks|asked|can|cannot|can't|came|"
    "presents|presented|complains|reports|reported|suffers|fell|collapsed|lives|called|prescribed|suggested|does"
)
# A word that follows a name only when the name is an eponym or an institution.
_EPONYM_NOUN = re.compile(
    r"['’]?s?(?:[ -]+[\w-]+){0,1}[ -]+(?:disease|syndrome|sign|test|score|scale|criteria|criterion|palsy|cysts?|"
    r"lymphoma|sarcoma|tumou?r|fractures?|splint|catheter|tears?|virus|contracture|phenomenon|thyroiditis|"
    r"anomaly|murmur|law|rules?|class|stage|classification|index|index|formula|equation|manoeuvre|maneuver|"
    r"procedure|surgery|operation|repair|reflex|bodies|body|dementia|encephalitis|solution|lactate|wort|"
    r"hospital|institute|university|college|foundation|clinic|trust|cent(?:er|re)|school|society|library|"
    r"questionnaire|inventory|method|technique|position|triad|ulcers?|nodes?|nodules?|muscle|gland|tubes?|"
    r"canal|ligament|chorea|ataxia|nephropathy|oesophagus|esophagus|et al|guideline|study|trial)\b",
    re.IGNORECASE,
)
# Words that end a name which was written in lower case, or that are no name after a cue.
_STOP_WORDS = (
    "a about again am an and any are as at aware back because before but by called can confused currently "
    "diabetic do does dose during every for from get going had has have having he her here hi his how i if im i'm "
    "in is it its just later like living looking me my need needs no not now of old on only or our pain patient "
    "please pregnant quite she since so sorry still suffering taking that the their then there they this to today "
    "tomorrow tonight trying type very wait was we weeks what when where which while who why with would years "
    "you your first last surname name dob date mrn"
)
_STOP = frozenset(_STOP_WORDS.split())
# Capitalised after a cue, yet nobody's name.
_NO_NAME_WORDS = (
    "health information global international name impression advice google no none unknown anonymous english "
    "british american asian african european indian chinese jewish muslim christian catholic hindu black white "
    "caucasian hispanic type stage grade class group monday tuesday wednesday thursday friday saturday sunday "
    "january february march july august september october november december internet "
    "rh negative positive practitioner specialist doctor nurse patient "
    "history complaint diagnosis reported outcome safety education version the this his her my and then contin"
)
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_NAME_LABEL_OF_THING = re.compile(
    r"\b(?:drug|brand|generic|trade|product|file|test|condition|disease|medicines?|medication|common|chemical|"
    r"user|domain|gene|scientific|hospital|bug)[\s-]*$",
    re.IGNORECASE,
)
# After "ms" in lower case, which more often is multiple sclerosis or milliseconds.
_MS_WORDS = (
    "patient patients relapse relapses diagnosis disease nurse lesions treatment spasticity symptoms drugs attack "
    "flare hug type care fatigue pain delay interval contin is has was can"
)
_MS_DISEASE = frozenset(_MS_WORDS.split())
_ILLNESS = re.compile(
    r"(?i:lupus|asthma|diabet|cancer|covid|autis|leuk|lymphom|parkins|alzheim|crohn|celiac|coeliac|hiv|flu\b|measles|malaria)"
)
_MR_SCANS = frozenset(
    ("ANGIOGRAPHY", "SCAN", "SCANS", "IMAGING", "VENOGRAPHY", "ENTEROGRAPHY", "IS", "WAS", "AND", "HAS")
)


@cache
def _given_names() -> tuple[frozenset[str], frozenset[str]]:
    import yaml

    rows = yaml.load(_NAMES_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return frozenset(rows["plain"].split()), frozenset(rows["words"].split())


_CUED = re.compile(
    r"(?:\b(?i:my|his|her|their|our|whose|[^\W\d_]+['’]s) (?i:(?:full |first |last )?(?:name|naem|nmae|nam|anme|namee|mane)(?:['’]?s| is| was))"
    r"|(?:^|[.,;!?]\s*)(?i:name['’]?s)"
    r"|\b(?i:i am called|i['’]?m called|call me|calls me|i go by|signed(?: by)?(?=[ \t:]+(?-i:[A-ZÀ-Þ]))|myself(?=\s+[A-Z])"
    r")"
    r"|\b(?i:soy|je suis|ich bin|sono|sou)(?=\s+[A-Z]))[ \t]*[:=-]?[ \t]+"
    rf"({_ANY_NAME})"
)
_THINGS_NAME = re.compile(
    r"(?i:drug|medicines?|medication|tablet|pill|condition|disease|illness|syndrome|test|guideline|trial|brand|it)['’]s"
)
_LABELLED = re.compile(
    r"\b(?i:(?:full |patient(?:['’]s)? |first |last |family |given |middle |sur|fore)?name|patient|pt|re|client|"
    rf"resident)[ \t]*[:=][ \t]*(?=({_ANY}(?:,?[ \t]+(?:{_PARTICLE})?{_ANY}){{0,3}}))"
)
# "Will we miss" in a title is no title before a name, and "the Sister" no "Sister".
_NO_VERB = r"(?<![Ww]e )(?<![Yy]ou )(?<![Tt]o )(?<![Nn]ot )(?<![Ii] )(?<!n't )"
_TITLED = re.compile(
    rf"(?<!our )(?<!the )(?<!a )(?<!ny )\b(?:Mrs?|Ms|{_NO_VERB}Miss|Mx|Dr|Doctor|Prof|Professor|Nurse|Sister|Midwife|"
    rf"Herr|Frau|Mme|Señora?)\b\.?[ \t]+({_CAP_NAME})"
)
_TITLED_CAPS = re.compile(r"\b(MR|MRS|MISS|MX)\b\.?[ \t]+([A-Z][A-Z'’-]+)")
_TITLED_LOWER = re.compile(r"\b(mr|mrs|ms|miss|dr)\b\.?[ \t]+([a-z][a-z'’-]+)(?=(?:[ \t]+(\w+))?)")
_RELATED = re.compile(
    rf"\b(?i:my|his|her|our|their|the|your)[ \t]+(?i:(?:\w+[ -])?(?:{_RELATION}))[ \t]*,?[ \t]+({_CAP_NAME})"
)
# "Grandma Edith", "uncle bob": a kin word that stands before a name like a title.
_KIN = re.compile(
    r"\b(?i:grandma|grandpa|grandad|granny|nana|uncle|aunt(?:ie|y)?|cousin)[ \t]+"
    rf"({_CAP_NAME}|[a-z]+)"
)
_RELATED_LOWER = re.compile(rf"\b(?i:my|his|her|our|their)[ \t]+(?i:{_RELATION})[ \t]+([a-z]+)(?:[ \t]+[a-z]+)?")
_NAMED = re.compile(rf"\b(?i:{_PERSON})\b,?[ \t]+(?i:who is )?(?i:named|called|by the name of)[ \t]+({_CAP_NAME})")
_PATIENT = re.compile(rf"\b(?i:patient|pt|client|resident)\b\.?[ \t]+({_CAP_NAME})")
_I_AM = re.compile(rf"\b(?i:i am|i['’]?m|this is|it['’]?s|it is)[ \t]+({_ANY_NAME})")
_HERE = re.compile(rf"({_CAP_NAME})[ \t]+here\b")
_HERE_LOWER = re.compile(
    rf"(?:^|[,.!?;:]|\b(?:hi|hello|hey|hiya|dear|doctor|doc|dr|there))[ \t,]*({_ANY}(?:[ \t]+{_ANY})?)[ \t]+here\b",
    re.IGNORECASE,
)
# "Hiya, it's Bronwyn Pugh": a greeting, then two capitals.
_GREETED = re.compile(
    rf"(?:^|[.!?\n][ \t]*)(?:(?i:hi|hello|hey|hiya|morning|good (?:morning|afternoon|evening)|dear all)\b[ \t,!.]*(?:(?i:there|doctor|doc|all|everyone|again)\b[ \t,!.]*)?)?"
    rf"(?i:it['’]?s|this is|it is|i['’]?m|i am)[ \t]+({_CAP}[ \t]+(?:{_PARTICLE}[ \t]*)*{_CAP})(?![\w-])"
)
_CAPITALS_LAST_FIRST = re.compile(
    r"\b([A-Z][A-Z'’-]+,[ \t]+[A-Z][A-Z'’-]+)(?=[ \t,;(]+(?:\d{1,4}[./-]\d{1,2}[./-]\d|DOB|MRN|NHS|\d{1,3}[ -]?(?:yo|y/o|[MF])\b))"
)
_SIGN_OFF = re.compile(
    r"(?i:regards|sincerely|faithfully|thanks|thank you|best wishes|cheers|signed|yours)\s*[,.!\n-]\s*"
    rf"({_CAP_NAME})\s*\.?\s*$"
)
_CAP_PAIR = re.compile(rf"\b({_CAP})[ \t]+((?:{_PARTICLE}[ \t]*)*{_CAP}(?:[ \t]+{_CAP})?)")
# Two capitals before an age, a birth date or a record number are a name, known or not.
_PAIR_AND_BIRTH = re.compile(
    rf"({_CAP}[ \t]+(?:{_PARTICLE}[ \t]*)*{_CAP})(?![\w-])[ \t]*[,(]?[ \t]*(?:"
    r"(?i:dob|d\.o\.b|date of birth|born|mrn|nhs|aged|age[ \t]*:?[ \t]*\d+)\b"
    r"|\d{1,3}[ -]?(?:(?i:yo|y/o|years?)\b|[MF]\b))"
)
_LAST_FIRST = re.compile(rf"\b({_CAP},[ \t]+{_CAP}),?[ \t]+(?=\d{{1,3}}[ -]?(?:(?i:yo|y/o|years?)\b|[MF]\b))")
_LOWER_AND_BIRTH = re.compile(
    r"\b([a-z]{2,}[ \t]+[a-z][a-z'’-]+)[ \t]*[,(]?[ \t]*(?=(?:dob|d\.o\.b|date of birth|mrn|nhs)\b)", re.IGNORECASE
)
_ALONE = re.compile(
    rf"\b({_CAP})(?=['’]s[ \t]+(?:leg|calf|pain|dose|doctor|son|blood|test)|[ \t]+(?:{_PERSON_VERB}|from)\b|"
    r"[ \t]*[,(][ \t]*\d{1,3}\b(?!\s*%|\.\d))"
)


def find_names(text: str) -> list[tuple[int, int]]:
    """Return half-open spans of people's names in `text`; they may overlap.

    Example:
        >>> find_names("Mrs Smith has a Baker cyst.")
        [(4, 9)]
    """
    spans = [*_after_cues(text), *_after_titles(text), *_after_relations(text), *_known_given_names(text)]
    return [span for span in spans if span[0] < span[1]]


def _after_cues(text: str) -> list[tuple[int, int]]:
    # "The drug's name is" and "the condition's name is" name no person.
    cued = (m for m in _CUED.finditer(text) if not _THINGS_NAME.match(m.group()) and not _is_ordinary(m.group(1)))
    spans = [_until_stop(text, *match.span(1)) for match in cued]
    for match in _LABELLED.finditer(text):
        if not _NAME_LABEL_OF_THING.search(text[: match.start()]):
            label_names_person = "name" in match.group()[: match.start(1) - match.start()].lower()
            if label_names_person or _has_given_name(match.group(1)):
                spans.append(_until_stop(text, *match.span(1)))
    for match in _SIGN_OFF.finditer(text):
        if not _is_ordinary(match.group(1)):
            spans.append(match.span(1))
    for match in _I_AM.finditer(text):
        first = match.group(1).split()[0]
        if not _knows(first, ambiguous=False):
            # "I am Xanthe Quill": two capitals are a name unless they are an illness or a people.
            own = match.group()[0] in "Ii" and "t" not in match.group()[:3].lower()
            if (
                own
                and first[0].isupper()
                and text[match.start(1) + len(first) :][:1] == ","
                and _is_unknown_name(first)
            ):
                spans.append((match.start(1), match.start(1) + len(first)))
            pair = re.fullmatch(rf"{_CAP}[ \t]+{_CAP}", " ".join(match.group(1).split()[:2]))
            if pair and own and _may_be_name(pair.group()):
                spans.append(_until_lower(text, *match.span(1)))
            continue
        if first[0].isupper():
            spans.append(_until_lower(text, *match.span(1)))
        elif second := re.match(r"\s+[a-z'’-]{3,}(?=\s*(?:[,.;!?]|$|and\b))", text[match.start(1) + len(first) :]):
            spans.append((match.start(1), match.start(1) + len(first) + second.end()))
        elif re.match(r"\s*(?:[,.;!?]|$|and\b|from\b|here\b|again\b)", text[match.start(1) + len(first) :]):
            spans.append((match.start(1), match.start(1) + len(first.rstrip("."))))
    for match in _HERE.finditer(text):
        if _has_given_name(match.group(1)):
            spans.append(match.span(1))
    for match in _HERE_LOWER.finditer(text):
        if _knows(match.group(1).split()[0], ambiguous=False):
            spans.append(match.span(1))
    for match in _GREETED.finditer(text):
        if _may_be_name(match.group(1)) and not _eponym(text, match.end()):
            spans.append(match.span(1))
    spans += [match.span(1) for match in _CAPITALS_LAST_FIRST.finditer(text)]
    return spans


def _after_titles(text: str) -> list[tuple[int, int]]:
    spans = [m.span(1) for m in _TITLED.finditer(text) if not _is_ordinary(m.group(1)) and not _eponym(text, m.end())]
    for match in _TITLED_CAPS.finditer(text):
        # Only in a message that shouts throughout is "MR" a title rather than a scan.
        if match.group(1) != "MR" or (text.isupper() and match.group(2) not in _MR_SCANS):
            spans.append(match.span(2))
    for match in _TITLED_LOWER.finditer(text):
        title, name, following = match.group(1), match.group(2), match.group(3) or ""
        if name in _STOP or name in _MS_DISEASE or re.fullmatch(_PERSON_VERB, name):
            continue
        if title in ("mr", "mrs") or re.fullmatch(_PERSON_VERB, following.lower()):
            spans.append(match.span(2))
    return spans


def _after_relations(text: str) -> list[tuple[int, int]]:
    spans = []
    for pattern in (_RELATED, _NAMED):
        for match in pattern.finditer(text):
            if not _is_ordinary(match.group(1)) and not _eponym(text, match.end()) and not _is_medical(match.group(1)):
                spans.append(match.span(1))
    for match in _KIN.finditer(text):
        name = match.group(1)
        if name[0].isupper() and not _is_ordinary(name) and not _is_medical(name):
            spans.append(match.span(1))
        elif _knows(name.split()[0], ambiguous=True):
            spans.append((match.start(1), match.start(1) + len(name.split()[0])))
    for match in _RELATED_LOWER.finditer(text):
        if _knows(match.group(1), ambiguous=False):
            spans.append(match.span(1))
    for match in _PATIENT.finditer(text):
        if _has_given_name(match.group(1)) and not _eponym(text, match.end()):
            spans.append(match.span(1))
    return spans


def _known_given_names(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _CAP_PAIR.finditer(text):
        first = match.group(1)
        if (
            _knows(first, ambiguous=False)
            # "Todd's Paralysis" is an eponym; nobody is called "Todd's".
            and not first.endswith(("'s", "’s"))
            and not _is_ordinary(match.group(2))
            and not _eponym(text, match.end())
            and not _eponym(text, match.end(1))
        ):
            spans.append(match.span())
    for match in _PAIR_AND_BIRTH.finditer(text):
        if _may_be_name(match.group(1)):
            spans.append(match.span(1))
    for match in _LAST_FIRST.finditer(text):
        if _may_be_name(match.group(1).replace(",", "")):
            spans.append(match.span(1))
    for match in _LOWER_AND_BIRTH.finditer(text):
        if _knows(match.group(1).split()[0], ambiguous=True):
            spans.append(match.span(1))
    for match in _ALONE.finditer(text):
        if _knows(match.group(1), ambiguous=False) and not _eponym(text, match.end()):
            spans.append(match.span(1))
    return spans


def _until_stop(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a span before the first word that is no part of a name; empty if that is its first."""
    kept = start
    for word in re.finditer(r"[^\s,]+", text[start:end]):
        if word.group().lower().strip(".") in _STOP:
            break
        kept = start + word.end()
        # "Marcus Webb. Calf pain": a full stop ends a name, but for an initial's.
        if word.group().endswith(".") and len(word.group()) > 2:
            return start, kept - 1
    return start, kept


def _until_lower(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a span before the first word in lower case."""
    kept = start
    for word in re.finditer(r"\S+", text[start:end]):
        if not word.group()[0].isupper() or word.group().lower() in _STOP:
            break
        kept = start + word.end()
    return start, kept


def _knows(word: str, *, ambiguous: bool) -> bool:
    plain, words = _given_names()
    name = re.sub(r"['’]s$", "", word.lower()).strip(".")
    return (name in plain and name not in words) or (ambiguous and name in words)


def _has_given_name(name: str) -> bool:
    return any(_knows(word, ambiguous=True) for word in re.split(r"[\s,]+", name) if word)


def _is_ordinary(name: str) -> bool:
    first = name.split()[0].lower().strip(".,")
    return first in _NO_NAME or first in _STOP


def _eponym(text: str, end: int) -> bool:
    return bool(_EPONYM_NOUN.match(text, end))


def _is_unknown_name(word: str) -> bool:
    """Say whether a capitalised word after "I'm" may be a name: no people, belief, trade or illness."""
    return len(word) > 2 and not word.isupper() and not _PEOPLE.search(word) and _may_be_name(word)


_PEOPLE = re.compile(r"(?:ian|ish|ese|can|ic|ist|eaf|ean|lim|ndu|wiss|utch|rench|reek)$")


def _may_be_name(pair: str) -> bool:
    words = [word.lower().strip(".,") for word in pair.split()]
    return not any(word in _NO_NAME or word in _STOP for word in words) and not any(
        map(_is_medical, (pair, *pair.split()))
    )


def _is_medical(name: str) -> bool:
    """Say whether a capitalised word after "my wife" is a medicine or an illness rather than her name."""
    from chatbot.present.drugs import named_drugs
    from chatbot.present.glossary import explain_terms

    return bool(_ILLNESS.match(name) or named_drugs(name) or explain_terms(name, 1))
