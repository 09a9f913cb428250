"""Reads which medicines a text names, and whether a quote answers for the one that was asked about.

Is: exact words from a lexicon, INN endings, and pairs that are mistaken for each other. Is not: a spelling
corrector (a guess between quinine and quinidine is the harm that it exists to prevent), and no drug database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LEXICON_FILE = Path(__file__).with_name("drugs.yaml")
_LOOK_ALIKES_FILE = Path(__file__).with_name("look_alikes.yaml")

# A word of a name: letters, and digits, hyphens or apostrophes inside it.
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’-](?=[^\W_]))*")
# What the body makes, or food holds, is a medicine only where nothing says otherwise: "insulin resistance".
_IN_BODY_AFTER = re.compile(
    r"[\s-]+(?:resistan\w+|receptors?|levels?|deficien\w+|concentrations?|sensitivity|secretion|production|transporters?|"
    r"like|depend\w+|independent|status|excretion|synthesis|release|binding|ratio|system|pathway|positive|negative|rich|"
    r"containing|metabolism|homeostasis|imbalance|loss|stores|insufficiency|intake|gradient|abuse|addiction|use|users?)\b",
    re.IGNORECASE,
)
_IN_BODY_BEFORE = re.compile(
    r"\b(?:serum|plasma|urinary|urine|blood|low|high|endogenous|circulating|total|lack\s+of|too\s+(?:much|little)|"
    r"makes?|producing|produces?|your|body['’]s)\s+$",
    re.IGNORECASE,
)
# Shorter words with a stem's ending are ordinary words more often than medicines ("april", "alpine").
_LEAST_STEM_LETTERS = 7


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Names in lower case; `canonical` reads a name or brand as its substance."""

    canonical: Mapping[str, str]
    several: Mapping[str, tuple[str, ...]]
    stems: tuple[str, ...]
    prefixes: tuple[str, ...]
    not_drugs: frozenset[str]
    in_body: frozenset[str]


@cache
def load_lexicon() -> Lexicon:
    """Read `drugs.yaml`. Raises OSError or yaml.YAMLError when it cannot be read."""
    import yaml

    rows = yaml.load(_LEXICON_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    canonical = {name: name for name in (*rows["single"].split(), *rows["several"])}
    for names in rows["same"]:
        canonical |= dict.fromkeys(names, names[0])
    for substance, brands in rows["brands"].items():
        canonical |= dict.fromkeys(brands.split(), canonical.get(substance, substance))
    several: dict[str, list[str]] = {}
    for name in canonical:
        if " " in name:
            several.setdefault(name.split()[0], []).append(name)
    return Lexicon(
        canonical,
        {first: tuple(sorted(names, key=len, reverse=True)) for first, names in several.items()},
        tuple(rows["stems"].split()),
        tuple(rows["prefixes"].split()),
        frozenset(rows["not_drugs"].split()),
        frozenset(rows["in_body"]),
    )


@cache
def load_look_alikes() -> Mapping[str, frozenset[str]]:
    """Read `look_alikes.yaml`: each substance with those that its name is confused with."""
    import yaml

    canonical = load_lexicon().canonical
    alike: dict[str, set[str]] = {}
    for row in yaml.load(_LOOK_ALIKES_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        names = {canonical.get(name, name) for name in row}
        for name in names:
            alike.setdefault(name, set()).update(names - {name})
    return {name: frozenset(others) for name, others in alike.items()}


def find_drugs(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return (substance, start, end) of each medicine named in `text`, in order; offsets are half-open.

    Example:
        >>> find_drugs("Tylenol or quinine?")
        (('paracetamol', 0, 7), ('quinine', 11, 18))
    """
    lexicon = load_lexicon()
    found: list[tuple[str, int, int]] = []
    done = 0
    for match in _WORD.finditer(text):
        if match.start() < done:
            continue
        word = match.group().lower().replace("’", "'")
        name, end = _read_several(text, match.start(), lexicon.several.get(word, ())), match.end()
        if name:
            end = match.start() + len(name)
        else:
            name, end = _read_single(word, match.start(), match.end(), lexicon)
        if name in lexicon.in_body and (
            _IN_BODY_AFTER.match(text, end) or _IN_BODY_BEFORE.search(text[: match.start()])
        ):
            done = end
        elif name:
            found.append((lexicon.canonical.get(name, name), match.start(), end))
            done = end
    return tuple(found)


def named_drugs(text: str) -> frozenset[str]:
    """Return the substances that `text` names; a brand is read as its substance, "adrenaline" as "epinephrine"."""
    return frozenset(name for name, _, _ in find_drugs(text))


def look_alikes(drug: str) -> frozenset[str]:
    """Return the substances whose names are confused with `drug`'s."""
    return load_look_alikes().get(drug, frozenset())


# A medicine that stands in the question as a circumstance: what the person takes already, or wants another than.
_BACKGROUND = re.compile(
    r"\b(?:(?:\bon|receiving|receives|maintained\s+on|allergic\s+to|allergy\s+to|intoleran(?:t|ce)\s+(?:of|to)"
    r"|(?:who|that|patient|man|woman|already|currently|also|regularly|mother|father|mum|mom|dad|wife|husband|he|she|i)\s+"
    r"(?:takes?|took|uses?)"
    r"|(?:am|is|are|was|been|who|while|when|patient|man|woman|people|already|currently|also|i['’]m)\s+(?:taking|using)"
    r"|alternatives?\s+to|replac(?:es?|ed|ing)|replacements?\s+(?:for|of)|substitutes?\s+for|instead\s+of|other\s+than|rather\s+than|apart\s+from|besides|without|despite|failed|stopping"
    r"|after|added\s+to|with|caused\s+by|due\s+to|induced\s+by)\s+(?:[\w-]+\s+){0,2})$",
    re.IGNORECASE,
)
# "What else helps if baclofen fails?"
_FAILED_AFTER = re.compile(
    r"^\s+(?:fails?|failed|has\s+failed|stops?\s+working|(?:does|did|do)(?:\s+not|n['’]t)\s+(?:work|help|suit)|"
    r"(?:is|was)(?:\s+not|n['’]t)\s+(?:\w+\s+)?(?:enough|tolerated|working|effective|suitable|available|helping|an\s+option)|"
    r"(?:can\s?not|can['’]t)\s+be\s+(?:used|taken|given|tolerated))\b",
    re.IGNORECASE,
)
# "Can I take quinine?" is about quinine, though "I take" stands before it.
_ASKED_TO_TAKE = re.compile(
    r"\b(?:can|could|should|may|might|must|do|does|will|shall|if)\s+(?:i|he|she|we|they|you|patients?|people)\s+(?:\w+\s+)?"
    r"(?:takes?|uses?)\s+(?:(?!with|without|instead|besides|while|after|on|of)[\w-]+\s+){0,2}$",
    re.IGNORECASE,
)
# What is asked about a condition, not about a medicine: then a quote need not name what the person takes.
_ASKS_FOR_CARE = re.compile(
    r"\b(?:treat(?:ment|ed|ing)?s?|manag(?:e|ement|ed|ing)|options?|alternatives?|course of action|approach|work-?up|"
    r"causes?|diagnos\w+|instead|replac\w+|substitut\w+|what to (?:give|take|use|do|try)|"
    r"what else|what (?:next|now|then|comes next)|what (?:can|should|could) (?:i|we|he|she|they) (?:take|use|do|give|try)|"
    r"what (?:drugs?|medicines?|medications?) |which (?:drugs?|medicines?|medications?)|best|recommended)\b",
    re.IGNORECASE,
)
_ASKS_ABOUT_DRUG = re.compile(
    r"\b(?:dos(?:e|es|age|ing)|how much|how many|maximum|max|side effects?|adverse|"
    r"how (?:do|does|should) (?:i|it|you) (?:take|use|give|stop|work)|"
    r"contraindicat\w+|interact\w*|stop(?:ping)?|safe|safely|overdose|monitor\w*|work|effective)\b",
    re.IGNORECASE,
)


def asked_drugs(question: str) -> frozenset[str]:
    """Return the substances that the question is about, not those that it only mentions as circumstances.

    A quote must name one of them to answer. All are returned when the question asks for a dose, a harm or an
    effect, or when it is unclear: then none is taken for a mere circumstance.

    Example:
        >>> asked_drugs("How do I treat cramps in a patient on warfarin?"), asked_drugs("Max dose of warfarin?")
        (frozenset(), frozenset({'warfarin'}))
    """
    found = find_drugs(question)
    subjects = frozenset(
        name
        for name, start, end in found
        if not _is_background(question[:start]) and not _FAILED_AFTER.match(question[end:])
    )
    if subjects:
        return subjects
    if _ASKS_FOR_CARE.search(question) and not _ASKS_ABOUT_DRUG.search(question):
        return frozenset()
    return frozenset(name for name, _, _ in found)


def _is_background(before: str) -> bool:
    return bool(_BACKGROUND.search(before)) and not _ASKED_TO_TAKE.search(before)


def answers_for_named_drug(question: str, text: str, context: Iterable[str] = ()) -> bool:
    """Say whether a quote may answer a question that names a medicine: that exact medicine stands in it.

    `context` holds the headings, lead-ins and title that the quote is read under. They count, unless the quote
    itself names a look-alike instead. True for a question that is about no medicine.

    Example:
        >>> answers_for_named_drug("Is quinine safe?", "Quinidine is effective.", ["Quinine"])
        False
    """
    asked = asked_drugs(question)
    named = named_drugs(text)
    if not asked or asked & named:
        return True
    if any(look_alikes(drug) & named for drug in asked):
        return False
    above = tuple(context)
    if named:
        # Imported here: doses read medicines as well. Another medicine's dose answers for none but itself.
        from chatbot.present.doses import is_dose_statement

        if is_dose_statement(text, above):
            return False
    return any(asked & named_drugs(line) for line in above)


def _read_several(text: str, start: int, names: Iterable[str]) -> str:
    for name in names:
        end = start + len(name)
        if text[start:end].lower().replace("’", "'") == name and not text[end : end + 1].isalnum():
            return name
    return ""


def _read_single(word: str, start: int, end: int, lexicon: Lexicon) -> tuple[str, int]:
    """Return the medicine that a word is, and where its name ends; "" if it is none."""
    if word in lexicon.canonical:
        return word, end
    bare = word.removesuffix("'s")
    # "baclofen-treated" and "quinine's" name the medicine; "non-aspirin" and "co-codamol" stay whole.
    for part in (bare, bare.split("-")[0]):
        if part in lexicon.canonical:
            return part, start + len(part)
    head, _, tail = bare.rpartition("-")
    if tail in lexicon.canonical and head in ("l", "s", "r", "d", "n", "on", "of", "anti", "intrathecal", "oral", "iv"):
        return tail, end
    if len(bare) >= _LEAST_STEM_LETTERS and "-" not in bare and bare not in lexicon.not_drugs:
        if bare.endswith(lexicon.stems):
            return bare, start + len(bare)
        if bare.startswith(lexicon.prefixes) and bare.endswith(("e", "l", "n", "m", "r", "d")):
            return bare, start + len(bare)
    return "", end
