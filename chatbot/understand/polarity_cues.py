"""Finds the cue words of polarity in a text: negations, advice, findings.

Is: `polarity.yaml` compiled to one pattern for each three letters that a phrase begins with. Is not: a reading of what
the cues mean together (see `polarity_weights.py`).
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
# A phrase is looked up by so many letters of its first word; a phrase that is all wildcard after fewer would be missed.
_STEM_LETTERS = 3
_WORD_BEGINS = re.compile(rf"\b[\w']{{1,{_STEM_LETTERS}}}")


@dataclass(frozen=True, slots=True)
class Cue:
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Phrases:
    """The phrases that begin with the same letters: a group for each in `pattern`, and the kind of each group."""

    pattern: str
    kinds: tuple[str, ...]


def fold(text: str) -> str:
    """Return the text in lower case with plain apostrophes, every character at its own place."""
    lowered = text.lower()
    if len(lowered) != len(text):  # "İ" becomes two characters
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lowered.replace("’", "'").replace("ʼ", "'")


def find_cues(folded: str, headings: bool = False) -> list[Cue]:
    """Return the cues of a folded text in order, none inside another; those of headings only if asked for."""
    lexicon = _lexicon(headings)
    cues: list[Cue] = []
    end = 0
    for begins in _WORD_BEGINS.finditer(folded):
        # Most words begin no phrase: looking three letters up is quicker than trying one pattern of all phrases.
        phrases = lexicon.get(begins.group())
        if phrases is None or (start := begins.start()) < end:
            continue
        if match := _compiled(phrases.pattern).match(folded, start):
            end = match.end()
            kind = phrases.kinds[(match.lastindex or 1) - 1]
            if kind != "neither":
                cues.append(Cue(kind, start, end))
    return cues


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # When it is first tried: one question meets a few of the patterns, and all of them take a third of a second.
    return re.compile(pattern)


@cache
def abruptly_pattern() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(_phrase(p) for p in _phrases()["abruptly"]) + r")(?!\w)")


@cache
def _phrases() -> dict[str, list[str]]:
    import yaml

    with Path(__file__).with_name("polarity.yaml").open(encoding="utf-8") as file:
        loaded: dict[str, list[str]] = yaml.load(file, Loader=yaml.CSafeLoader)
    return loaded


@cache
def _lexicon(headings: bool) -> dict[str, _Phrases]:
    """Return the phrases by the letters that their first word begins with."""
    entries: list[tuple[str, str]] = []
    for kind, phrases in _phrases().items():
        if kind == "abruptly" or (kind.startswith("heading") and not headings):
            continue
        entries += [(variant, kind) for phrase in phrases for variant in _first_words(phrase)]
    # The longest phrase first; among equals, the order of the file.
    entries.sort(key=lambda entry: (-_length(entry[0]), -len(entry[0].partition(" ")[0])))
    named = dict(reversed(entries))
    by_stem: dict[str, list[str]] = {}
    for phrase, _ in entries:
        by_stem.setdefault(_stem(phrase), []).append(phrase)
    return {
        stem: _Phrases(
            "(?:" + "|".join(f"({_phrase(phrase)})" for phrase in phrases) + r")(?![\w'])",
            tuple(named[phrase] for phrase in phrases),
        )
        for stem, phrases in by_stem.items()
    }


def _length(phrase: str) -> int:
    return sum(not slot.startswith("(") and slot != ".." for slot in phrase.split())


def _stem(phrase: str) -> str:
    return phrase.partition(" ")[0].rstrip("*")[:_STEM_LETTERS]


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
