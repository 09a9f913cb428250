"""Words for the same thing: what else a question may be searched by.

Is: a curated table of lay and clinical terms and the abbreviations that the corpus itself explains. Is not: a
thesaurus; nothing that is merely related stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from index.lexical import STOPWORDS

# Words that the question did not say count less than those that it did. On consumer questions .3 to .6 are alike.
SYNONYM_WEIGHT = 0.4
# "the circulation in my legs" is "… in the legs".
_OWNERS = re.compile(r"\b(?:my|your|his|her|our|their)\b")
_TABLE = Path(__file__).parent / "lay_terms.yaml"
_LONGEST_PHRASE = 7
# Each twin of a question is compared with the passages; more of them say little new.
MAX_TWINS = 5


@dataclass(frozen=True, slots=True)
class Synonym:
    """A phrase as the question writes it, and another name of the same thing."""

    phrase: str
    other: str


def find_synonyms(question: str, abbreviations: Mapping[str, str]) -> tuple[Synonym, ...]:
    """Return other names for what a question names, in its order.

    `abbreviations` maps short forms, as the corpus writes them, to long ones. A question typed all in small letters
    may write them so.

    Example:
        >>> find_synonyms("Is a heart attack painful?", {})
        (Synonym(phrase='heart attack', other='myocardial infarction'),)
    """
    words = [word.strip(".,;:?!()[]\"'“”‘’") for word in question.split()]
    table, typed_small = _sets(), question == question.lower()
    found: list[Synonym] = []
    at = 0
    while at < len(words):
        for size in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + size])
            named = _OWNERS.sub("the", phrase.lower())
            others = list(table.get(named) or table.get(named.removesuffix("s"), ()))
            short = phrase.upper() if typed_small and phrase not in STOPWORDS else phrase
            if short in abbreviations:
                others.append(abbreviations[short])
            if others:
                found += [Synonym(phrase, other) for other in dict.fromkeys(others)]
                at += size - 1
                break
        at += 1
    return tuple(found)


def expand(question: str, abbreviations: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """Return the other names of what a question names, each with its weight in the search."""
    found = find_synonyms(question, abbreviations)
    return tuple((name, SYNONYM_WEIGHT) for name in dict.fromkeys(synonym.other for synonym in found))


def reworded(text: str, synonyms: Iterable[Synonym]) -> tuple[str, ...]:
    """Return `text` and its twins with one phrase put in other words, at most `MAX_TWINS`."""
    twins = [text]
    for synonym in synonyms:
        if synonym.phrase in text:
            twins.append(text.replace(synonym.phrase, synonym.other))
    return tuple(dict.fromkeys(twins))[:MAX_TWINS]


@cache
def _sets() -> dict[str, tuple[str, ...]]:
    import yaml

    rows = yaml.load(_TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: tuple(other for other in row if other != name) for row in rows for name in row}
