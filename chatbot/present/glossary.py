"""Explains clinical terms in place, in everyday words.

Is: a fixed list of terms with our own short explanations, found in a quote and shown beside it. Is not: a
translation; the quote stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_GLOSSARY_FILE = Path(__file__).with_name("glossary.yaml")
# More than this many explanations beside one quote are not read.
EXPLAINED_AT_MOST = 5

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A term as it stands in a text, and what it means; `start` and `end` are half-open code-point offsets."""

    term: str
    explanation: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Glossary:
    """`explanations` by term; `starts` lists, by a term's first word, its terms as words, longest first."""

    explanations: Mapping[str, str]
    starts: Mapping[str, tuple[tuple[str, ...], ...]]


@cache
def load_glossary() -> Glossary:
    """Read `glossary.yaml`. Raises OSError or yaml.YAMLError when it cannot be read."""
    import yaml

    rows = yaml.load(_GLOSSARY_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    explanations: dict[str, str] = {}
    starts: dict[str, list[tuple[str, ...]]] = {}
    for names, explanation in rows.items():
        for name in names.split(" | "):
            explanations[_key(name)] = explanation
            words = tuple(_WORD.findall(_key(name)))
            starts.setdefault(words[0], []).append(words)
    ordered = {first: tuple(sorted(terms, key=len, reverse=True)) for first, terms in starts.items()}
    return Glossary(explanations, ordered)


def explain_terms(text: str, limit: int = EXPLAINED_AT_MOST) -> tuple[ExplainedTerm, ...]:
    """Return the first `limit` clinical terms in `text` with their explanations, each term once, in order.

    The longest term at a place wins ("deep vein thrombosis" over "vein"); plurals count. A term whose
    explanation stands in the text anyway ("hypertension (high blood pressure)") is left out.

    Example:
        >>> [(t.term, t.explanation) for t in explain_terms("Claudication?")]
        [('Claudication', 'leg pain brought on by walking and eased by rest')]
    """
    if limit <= 0:
        return ()
    glossary = load_glossary()
    words = list(_WORD.finditer(text))
    lowered, folded = text.lower(), [_key(match.group()) for match in words]
    found: list[ExplainedTerm] = []
    told: set[str] = set()
    place = 0
    while place < len(words) and len(found) < limit:
        term = _longest(glossary, folded, place)
        if not term:
            place += 1
            continue
        explanation = glossary.explanations[term]
        size = len(_WORD.findall(term))
        start, end = words[place].start(), words[place + size - 1].end()
        place += size
        if explanation not in told and explanation.lower() not in lowered:
            told.add(explanation)
            found.append(ExplainedTerm(text[start:end], explanation, start, end))
    return tuple(found)


def _key(name: str) -> str:
    # An abbreviation is matched as written: "CT" is a scan, "RCT" a trial, and neither is an ordinary word.
    return " ".join(
        word if len(word) > 1 and sum(char.isupper() for char in word) > 1 else word.lower()
        for word in name.replace("’", "'").split()
    )


def _longest(glossary: Glossary, words: list[str], place: int) -> str:
    """Return the longest term that begins at a word, in the singular or plural; "" if there is none."""
    for first in _singulars(words[place]):
        for term in glossary.starts.get(first, ()):
            rest = words[place + 1 : place + len(term)]
            if len(term) == 1 and first == term[0]:
                return term[0]
            if (
                len(rest) == len(term) - 1
                and rest[:-1] == list(term[1:-1])
                and rest
                and term[-1] in _singulars(rest[-1])
            ):
                return " ".join(term)
    return ""


def _singulars(word: str) -> tuple[str, ...]:
    """Return what a word may be the plural of, itself first.

    Example:
        >>> _singulars("arteries"), _singulars("diagnoses")
        (('arteries', 'artery', 'arterie'), ('diagnoses', 'diagnosis', 'diagnose'))
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return (word,)
    if word.endswith("ies"):
        return word, word[:-3] + "y", word[:-1]
    if word.endswith("es") and not word.endswith("ses"):
        return word, word[:-1], word[:-2]
    if word.endswith("ses"):
        return word, word[:-2] + "is", word[:-1]
    return word, word[:-1]
