"""The table of words that name groups of people, read from `population_words.yaml`, and where a text holds one.

Is: the loading of the table and its search. Is not: a judgement whether a name counts (see `population_mentions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chatbot.present.drugs import load_lexicon

OTHER = "other"

_FILE = Path(__file__).with_name("population_words.yaml")
_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate((*_ONES, *_TEENS), start=1)} | {
    tens + (f"-{one}" if one else ""): 10 * ten + at
    for ten, tens in enumerate(_TENS, start=2)
    for at, one in enumerate(("", *_ONES))
}
NUMBER_WORD = "|".join(word.replace("-", r"[\s-]") for word in sorted(NUMBERS, key=len, reverse=True))
_SHORTHAND = {
    "<n>": rf"(?:\d{{1,3}}|{NUMBER_WORD})",
    "<part>": r"(?:throats?|lips?|tongue|mouth|face|airways?)",
    "<rash>": r"(?:hives?|w(?:h)?eals?|welts|rash\w*|itch\w*|swell\w*|swollen|angio-?o?edema|wheez\w*|anaphyl\w*|"
    r"stridor|blister\w*)",
    "~": r"[\s-]?",
    "'?": "'?",
    "'": "'?",
    " ?": r"\s*",
    " ": r"\s+",
}
_SHORTHAND_RE = re.compile("|".join(map(re.escape, _SHORTHAND)))
# Source: INN stems of factor Xa and thrombin inhibitors, heparins and coumarins (WHO, The use of stems in INNs).
_ANTICOAGULANT = re.compile(r"(?:xaban|gatran|parin|parinux|coumon|coumarol)\b|^(?:warfarin|argatroban|bivalirudin)$")
_ANTICOAGULANT_STEM = re.compile(r"\w{3,}(?:xaban|gatran|parin|parinux|coumon|coumarol)\b")
_START = re.compile(r"(?<![^\W_])[^\W_]")
_CAPITALS = re.compile(r"\b[A-Z][A-Z0-9]")
_BEHIND = re.compile(r"(?:\(\?<[!=][^)]*\))*")
_KEY_CHARS = 2
_LONG_KEY_CHARS = 3
_DIGIT_KEY = "#"


class PopulationWordsError(ValueError):
    """A line of the table cannot be searched for."""


@dataclass(frozen=True, slots=True)
class Words:
    """(group, pattern) by the first letters of what they match; `written` are searched for in the letters' own case."""

    by_start: Mapping[str, tuple[tuple[str, str], ...]]
    written: Mapping[str, tuple[tuple[str, str], ...]]


@cache
def load_words() -> Words:
    """Read `population_words.yaml`. Raises OSError, yaml.YAMLError, or PopulationWordsError that names a bad line."""
    import yaml

    table = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    written = table.pop("written")
    lines: dict[str, dict[str, list[str]]] = {}
    for group, rows in table.items():
        for row in rows:
            for line in _choices(row):
                for key in _keys(line):
                    lines.setdefault(key, {}).setdefault(group, []).append(_pattern(line))
    for name, drug in load_lexicon().canonical.items():
        if _ANTICOAGULANT.search(drug):
            lines.setdefault(name[:_LONG_KEY_CHARS], {}).setdefault("anticoagulant", []).append(_pattern(name))
    capitals: dict[str, dict[str, list[str]]] = {}
    for group, rows in written.items():
        for row in rows:
            for key in _keys(row):
                capitals.setdefault(key, {}).setdefault(group, []).append(row)
    return Words(_joined(lines), _joined(capitals))


def _joined(lines: Mapping[str, Mapping[str, list[str]]]) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        key: tuple((group, rf"(?:{'|'.join(rows)})(?!\w)") for group, rows in groups.items())
        for key, groups in lines.items()
    }


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # When it is first tried: one question meets a few of the 1,200, and all of them take a third of a second.
    return re.compile(pattern)


def find_words(text: str, lower: str) -> Iterator[tuple[str, int, int]]:
    """Yield (group, start, end) of each name of a group in `text`; `lower` is the same text in plain lower case.

    What means something else is yielded as `OTHER`. Only the lines that begin with a word's first letters are
    tried on it, so that a text without names costs little more than finding its words.
    """
    words = load_words()
    by_start = words.by_start
    for match in _START.finditer(lower):
        start = match.start()
        key = lower[start : start + _LONG_KEY_CHARS]
        if key[0].isdigit():
            key = _DIGIT_KEY
        for group, pattern in (
            line for part in dict.fromkeys((key, key[:_KEY_CHARS])) for line in by_start.get(part, ())
        ):
            if hit := _compiled(pattern).match(lower, start):
                yield group, start, hit.end()
    for match in _CAPITALS.finditer(text):
        for group, pattern in words.written.get(match.group(), ()):
            if hit := _compiled(pattern).match(text, match.start()):
                yield group, hit.start(), hit.end()
    if any(stem in lower for stem in ("xaban", "gatran", "parin", "coumon", "coumarol")):
        yield from (("anticoagulant", *match.span()) for match in _ANTICOAGULANT_STEM.finditer(lower))


def _choices(row: str) -> Iterator[str]:
    """Yield a row once for each choice in its first braces, which only a lookbehind may precede."""
    start = _BEHIND.match(row).end()  # type: ignore[union-attr]
    if row[start : start + 1] != "{":
        yield row
        return
    depth = 0
    choices = [""]
    for at in range(start, len(row)):
        depth += (row[at] in "{([") - (row[at] in "})]")
        if not depth:
            yield from (row[:start] + choice.removeprefix("{") + row[at + 1 :] for choice in choices)
            return
        if row[at] == "," and depth == 1:
            choices.append("")
        else:
            choices[-1] += row[at]
    raise PopulationWordsError(f"{_FILE.name}: the braces of {row!r} do not close; write {{a,b}}.")


def _keys(line: str) -> tuple[str, ...]:
    """Return the first letters of what a line matches. Raises PopulationWordsError when they are not fixed."""
    bare = _BEHIND.sub("", line, count=1)
    if bare.startswith("<n>"):
        return (_DIGIT_KEY, *{word[:_LONG_KEY_CHARS] for word in NUMBERS})
    if re.match(r"\\d|\d|\[[\d-]+\]", bare):
        return (_DIGIT_KEY,)
    if re.match(r"[a-zA-Z](?:\\d|\[\d-\d\])", bare):
        return tuple(f"{bare[0]}{digit}" for digit in range(10))
    key = bare[:_KEY_CHARS]
    if not re.match(r"[^\W_][\w' -]$", key) or re.match(r"..[?*]", bare):
        raise PopulationWordsError(f"{_FILE.name}: {line!r} must begin with two letters, or <n>.")
    # Three letters where they are as fixed, since fewer lines are tried on each word then.
    return (bare[:_LONG_KEY_CHARS] if re.match(r"[a-z]{3}(?![?*{])", bare) else key,)


def _pattern(line: str) -> str:
    # Inside a class of characters a space stays a space, and an apostrophe is no option.
    parts = re.split(r"(\[[^\]]*\])", line)
    for at, part in enumerate(parts):
        if not part.startswith("["):
            parts[at] = _SHORTHAND_RE.sub(lambda match: _SHORTHAND[match.group()], part)
    return "".join(parts)
