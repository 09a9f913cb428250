"""Finds the cue words of polarity in a text: negations, advice, findings.

Is: `polarity.yaml` compiled to one pattern. Is not: a reading of what the cues mean together (see
`polarity_clauses.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NEGATORS = frozenset(("negation", "short_negation", "prohibition"))
_NOT_WORDS = tuple(
    "don't doesn't didn't isn't aren't wasn't weren't hasn't haven't won't wouldn't couldn't can't".split()
)


@dataclass(frozen=True, slots=True)
class Cue:
    kind: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return the text in lower case with plain apostrophes, every character at its own place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # "İ" becomes two characters
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.replace("’", "'").replace("ʼ", "'")


def find_cues(folded: str, headings: bool = False) -> list[Cue]:
    pattern, kinds = _lexicon(headings)
    return [
        Cue(kind, match.start(), match.end())
        for match in pattern.finditer(folded)
        if (kind := kinds[match.lastindex or 0]) != "neither"
    ]


@cache
def abruptly_pattern() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(_phrase(p) for p in _phrases()["abruptly"]) + r")(?!\w)")


@cache
def _phrases() -> dict[str, list[str]]:
    import yaml

    with Path(__file__).with_name("polarity.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, list[str]] = yaml.safe_load(file)
    return loaded


@cache
def _lexicon(headings: bool) -> tuple[re.Pattern[str], dict[int, str]]:
    """Return one pattern for all phrases, and the kind of each of its groups.

    Phrases are gathered under their first letters, so that a word is tried against a few of them.
    """
    entries: list[tuple[str, str]] = []
    for kind, phrases in _phrases().items():
        if kind == "abruptly" or (kind.startswith("heading") and not headings):
            continue
        entries += [(variant, kind) for phrase in phrases for variant in _first_words(phrase)]
    # The longest phrase first; among equals, the order of the file.
    entries.sort(key=lambda entry: (-_length(entry[0]), -len(entry[0].partition(" ")[0])))
    tree: dict[str, dict[str, list[str]]] = {}
    kinds: dict[int, str] = {}
    for phrase, _ in entries:
        stem = _stem(phrase)
        tree.setdefault(stem[0], {}).setdefault(stem, []).append(phrase)
    named = dict(reversed(entries))
    letters = []
    for letter, stems in tree.items():
        branches = []
        for stem, phrases in stems.items():
            tails = []
            for phrase in phrases:
                kinds[len(kinds) + 1] = named[phrase]
                tails.append(f"({_phrase(phrase)[len(stem) :]})")
            branches.append(stem[1:] + "(?:" + "|".join(tails) + ")")
        letters.append(letter + "(?:" + "|".join(branches) + ")")
    return re.compile(r"\b(?:" + "|".join(letters) + r")(?![\w'])"), kinds


def _length(phrase: str) -> int:
    return sum(not slot.startswith("(") and slot != ".." for slot in phrase.split())


def _stem(phrase: str) -> str:
    return phrase.partition(" ")[0].rstrip("*")[:3]


def _first_words(phrase: str) -> list[str]:
    """Return a phrase once for each word that it may begin with."""
    head, _, rest = phrase.partition(" ")
    if head.startswith("("):
        return [*_first_words(rest), *_first_words(f"{head.strip('()')} {rest}")]
    return [f"{word} {rest}".strip() for word in _alternatives(head)]


def _alternatives(slot: str) -> list[str]:
    return [word for part in slot.split("/") for word in (_NOT_WORDS if part == "n't" else (part,))]


def _phrase(phrase: str) -> str:
    """Return the notation of `polarity.yaml` as a regular expression."""
    pattern = ""
    for slot in phrase.split():
        gap = r"[\s-]+" if pattern else ""
        if slot == "..":
            pattern += r"(?:[\s-]+[\w'-]+){0,3}?"
            continue
        words = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in _alternatives(slot.strip("()")))
        group = f"(?:{words})" if "|" in words else words
        pattern += f"(?:{gap}{group})?" if slot.startswith("(") else gap + group
    return pattern
