"""The words that the gate compares: which stand for each other, which name a thing, what a text names and is qualified by.

Is: word lists (`gate_words.yaml`, `gate_general.yaml`) and keys of words; pure. Is not: a reading of sentences (see `gate_clauses.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from chatbot.answer.gate_quantities import find_quantities, with_digits
from chatbot.present.drugs import find_drugs
from index.lexical import terms_of

_TABLE = Path(__file__).with_name("gate_words.yaml")
_GENERAL = Path(__file__).with_name("gate_general.yaml")
_LAY_TERMS = Path(__file__).parents[1] / "understand" / "lay_terms.yaml"

WORD = re.compile(r"§\d+|[^\W_]+(?:['’-][^\W_]+)*")
# Words of denial are compared as denial, not as things that are named.
_DENIAL_WORDS = frozenset(
    "not no never cannot without neither nor none nothing avoid avoids avoided avoiding contraindicated contraindication "
    "contraindications refrain forbidden prohibited unable absent absence against rather instead longer".split()
)
_QUALIFIER = re.compile(
    r"\b(?:(?:(?:in|for|among)\s+)?(?:people|adults|women|men|children|patients|those|someone|anyone)\s+(?:on|taking|using|receiving)|in(?!\s+(?:place|stead|addition|case|total|all)\b)|for|with|without|under|among|during|after|before|within|at(?!\s+(?:first|least|most|once|all)\b)|near|over|from|unless|if|when)\s+(?!\s*(?:is|are|was|were|should|must|may|might|can|could|has|have)\b)(?P<what>[^,;:.()]+?)"
    r"(?=\s+(?:in|for|with|without|by|on|to|during|after|before|within|at|from|and|or|unless|if|when|is|are|was|were|has|have|"
    r"should|must|may|might|can|could|will|does|do|needs?|warrants?)\b|[,;:.()]|$)",
    re.IGNORECASE,
)
# What bounds a number is compared with the number (`Quantity.direction`), not as words.
_BOUNDING = re.compile(
    r"\b(?:above|over|below|under|(?:more|less|fewer|greater|higher|lower|older|younger|longer|shorter|faster|later|larger|smaller|bigger|heavier|wider)\s+than|at\s+least|"
    r"at\s+most|up\s+to|as\s+(?:long|much|many)\s+as|within|exceed(?:s|ed|ing)?|go(?:es|ing)?\s+above|(?:minimum|maximum)(?:\s+of)?|beyond|"
    r"(?:from|until|to|up\s+to|at|by)\s+(?:the\s+)?ages?(?:\s+of)?|between|from|in|during|aged?|every(?:\s+at\s+least)?|at\s+least\s+every)\s+(?:an?\s+|the\s+)?(?:(?:last|past|first|next)\s+)?(?:half\s+)?(?=[\d.])"
    r"|(?<=\d)\s+(?:or|and)\s+(?:more|less|fewer|over|above|under|below|older|younger|higher|lower|greater)\b"
    r"|(?<=[\d\w%])\s+or\s+(?:more|less|fewer|lower|higher|older|younger|over|above|below)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(r"\b1 times (?:an?|per|each) (?:day|week|month|year)\b", re.IGNORECASE)
# "2 mg/kg of iron a day": what it is an amount of is a word of the sentence.
_OF_WHAT = re.compile(
    r"\sof\s+(?P<what>[^\W\d][\w\s]*?)(?=\s+(?:a|an|each|per|every|daily|weekly|monthly|nightly)\b|\s*/)", re.IGNORECASE
)
_OLD = re.compile(r"[\s-]+(?:old|of\s+age)\b", re.IGNORECASE)
_TEMPORAL = frozenset("daily weekly monthly nightly hourly twice thrice time times".split())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`same` maps a stem to the name of its row; `phrases` finds those of several words.

    `general` are keys that name nothing of medicine: a statement may word what its source says with a few of them.
    `against` maps a key to the keys of its opposites, `near` one of a statement to those of
    its source that it may stand for; `understood` are keys that a condition may leave unsaid.
    """

    same: Mapping[str, str]
    phrases: re.Pattern[str]
    phrase_rows: Mapping[str, str]
    opposite: tuple[tuple[str, str], ...]
    frame: frozenset[str]
    hedges: Mapping[str, int]
    raisers: frozenset[str]
    general: frozenset[str]
    against: Mapping[str, frozenset[str]]
    light: frozenset[str]
    things: frozenset[str]
    near: Mapping[str, frozenset[str]]
    understood: frozenset[str]
    combined: Mapping[str, tuple[str, ...]]


@cache
def load_words() -> Lexicon:
    """Read the word lists. Raises OSError or yaml.YAMLError when they cannot be read."""
    import yaml

    rows = yaml.load(_TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    lay = yaml.load(_LAY_TERMS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    same: dict[str, str] = {}
    phrase_rows: dict[str, str] = {}
    for number, row in enumerate((*rows["same"], *lay)):
        for member in row:
            if " " in member:
                phrase_rows.setdefault(member.lower(), f"§{number}")
            else:
                for stem in _member_stem(member):
                    same.setdefault(stem, f"§{number}")
    for number, row in enumerate((*rows["same"], *lay)):
        # A row whose one-word member stands in an earlier row joins it.
        target = next((same[s] for m in row if " " not in m for s in _member_stem(m) if s in same), f"§{number}")
        for member in row:
            if phrase_rows.get(member.lower()) == f"§{number}":
                phrase_rows[member.lower()] = target
    hedges: dict[str, int] = {}
    for number, row in enumerate(rows["hedges"]):
        hedges |= dict.fromkeys((word.lower() for word in row), number)
    hedges["only"] = len(rows["hedges"])
    longest = sorted(phrase_rows, key=len, reverse=True)
    return Lexicon(
        same,
        re.compile(r"\b(?P<phrase>" + "|".join(map(_plural, longest)) + r")\b", re.IGNORECASE),
        phrase_rows,
        tuple((one, other) for one, other in rows["opposite"]),
        frozenset(rows["frame"].split()),
        hedges,
        frozenset(rows["raisers"].split()),
        *_general(same, rows["firm"], rows["light"]),
        _near(rows["near"], same),
        frozenset(same.get(stem, stem) for word in rows["understood"].split() for stem in terms_of(word)[-1:]),
        {name: tuple(parts) for name, parts in rows["combined"].items()},
    )


def _member_stem(member: str) -> list[str]:
    """Return the stem of one word; "short-term" and "long-term" are two words, not two of "term"."""
    return terms_of(member.replace("-", ""))[-1:]


def _general(
    same: Mapping[str, str], firm: str, light: str
) -> tuple[frozenset[str], Mapping[str, frozenset[str]], frozenset[str], frozenset[str]]:
    """Return general keys, but for those that carry a claim; key -> keys of its opposites; light keys; words of things."""
    import yaml

    listed = yaml.load(_GENERAL.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    stems = frozenset(listed["general"].split())
    rows: dict[str, list[str]] = {}
    for stem, row in same.items():
        rows.setdefault(row, []).append(stem)
    carrying = {same.get(stem, stem) for word in firm.split() for stem in terms_of(word)[-1:]}
    bare = {same.get(stem, stem) for word in light.split() for stem in terms_of(word)[-1:]}
    general = {stem for stem in stems if stem not in same}
    general |= {row for row, members in rows.items() if stems.issuperset(members)}
    against: dict[str, set[str]] = {}
    for pair in listed["opposite"].split():
        one, other = (same.get(stem, stem) for stem in pair.split("/"))
        if one != other:
            against.setdefault(one, set()).add(other)
            against.setdefault(other, set()).add(one)
    return (
        frozenset((general - carrying) | bare),
        {key: frozenset(others) for key, others in against.items()},
        frozenset(bare),
        frozenset(listed["things"].split()),
    )


def _near(listed: str, same: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """Return for each key that a statement may say the keys that its source may hold instead."""
    found: dict[str, frozenset[str]] = {}
    for pair in listed.split():
        said, held = (same.get(stem, stem) for word in re.split("[=>]", pair) for stem in terms_of(word)[-1:])
        found[said] = found.get(said, frozenset()) | {held}
        if "=" in pair:
            found[held] = found.get(held, frozenset()) | {said}
    return found


def names_in(text: str) -> frozenset[str]:
    """Return the keys of what a text names: stems, or the row of words that stand for each other.

    Example:
        >>> names_in("Renal disease") == names_in("kidney disease")
        True
    """
    return plain_names(with_digits(text))


def _blank(plain: str) -> str:
    """Return a text with its numbers, their units and bounds as spaces: they are compared by themselves."""
    plain = _ONCE.sub(lambda match: " " * len(match.group()), plain)
    blanked = list(_BOUNDING.sub(lambda match: " " * len(match.group()), plain))
    for quantity in find_quantities(plain):
        end = age.end() if (age := _OLD.match(plain, quantity.end)) else quantity.end
        of = _OF_WHAT.search(plain, quantity.start, end)
        for at in range(quantity.start, end):
            if of is None or not of.start("what") <= at < of.end("what"):
                blanked[at] = " "
    return "".join(blanked)


def _plural(phrase: str) -> str:
    # The name of a thing in three words or more has no other meaning in the plural.
    return re.escape(phrase) + ("s?" if phrase.count(" ") > 1 else "")


def _row_of(phrase: str, lexicon: Lexicon) -> str:
    return lexicon.phrase_rows.get(phrase) or lexicon.phrase_rows[phrase.removesuffix("s")]


@lru_cache(8192)
def plain_names(plain: str) -> frozenset[str]:
    """Return the keys of what a text names whose number words are figures already."""
    lexicon = load_words()
    blanked = list(_blank(plain))
    drugs = find_drugs(plain)
    for _, start, end in drugs:
        blanked[start:end] = " " * (end - start)
    replaced = lexicon.phrases.sub(lambda match: f" {_row_of(match['phrase'].lower(), lexicon)} ", "".join(blanked))
    found = set()
    for word in WORD.findall(replaced):
        if word.startswith("§"):
            found.add(word)
            continue
        lowered = word.lower().replace("’", "'").removesuffix("'s")
        if lowered.endswith("n't") or lowered in _DENIAL_WORDS or lowered in _TEMPORAL:
            continue
        if {lowered, lowered.removesuffix("s")} & lexicon.frame and lowered not in lexicon.raisers:
            continue
        parts = [lowered] if "-" not in lowered else [lowered.replace("-", ""), *lowered.split("-")]
        keys = [lexicon.same.get(stem, stem) for part in parts for stem in terms_of(part)]
        if lowered in lexicon.things or lowered.removesuffix("s") in lexicon.things:
            # "Stockings" are worn; "stock" is held.
            keys = [lexicon.same.get(lowered, lowered.removesuffix("s"))]
        whole = keys[0] if keys else ""
        if len(parts) > 1 and whole not in lexicon.same.values():
            keys = [
                k
                for p in parts[1:]
                if p not in lexicon.frame and not p.isdigit()
                for s in terms_of(p)
                for k in (lexicon.same.get(s, s),)
            ]
        else:
            keys = keys[:1]
        found.update(key for key in keys if not key.isdigit() and len(key) > 1)
    found.update(f"drug:{name}" for name, _, _ in drugs)
    return frozenset(found)


# "In pregnancy or after loss of consciousness": either will do.
_OR_QUALIFIER = re.compile(r"\s+or\s+(?=(?:in|for|with|after|before|during|at|under|among)\s)", re.IGNORECASE)


@lru_cache(8192)
def qualifiers_of(piece: str) -> tuple[tuple[frozenset[str], ...], ...]:
    """Return what qualifies a clause, each as its alternatives: "in A or after B" is one of two."""
    found: list[tuple[frozenset[str], ...]] = []
    for place, part in enumerate(_OR_QUALIFIER.split(_blank(piece))):
        for nth, match in enumerate(_QUALIFIER.finditer(part)):
            if not (names := plain_names(_qualified(match))):
                continue
            if place and not nth and found:
                found[-1] = (*found[-1], names)
            else:
                found.append((names,))
    return tuple(found)


def _qualified(match: re.Match[str]) -> str:
    """Return what a qualifier names; "without symptoms" is one thing."""
    return match.group() if match.group().lower().startswith("without") else match["what"]


def surface(key: str) -> str:
    """Return a key as it may be shown: a stem, and "" for a row of words."""
    return key if not key.startswith("§") else ""
