"""Citation marks in running text: find them, read their numbers, take them out.

Is: the grammar of numeric marks ("[1, 3–5]"). Is not: the audit of a reference list (see `audit.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from corpus.documents import Marker

_NUMBER = r"\d{1,3}"
_LIST = rf"{_NUMBER}(?:\s*(?:[,;]|[-–—‐‑])\s*{_NUMBER})*"
# Brackets right after a letter or digit without a blank are still marks ("cramps[1]"); "[1H]", "[sic]" and
# "[IQR 2, 5]" hold letters and so never match, a link's "[1](…)" and an isotope's "[18]F" are told by what follows.
_BRACKETED = re.compile(rf"\[\s*({_LIST})\s*\](?!\(|[A-Z][a-z]?(?![A-Za-z]))")
# Bounds of an interval: "95% CI [2, 5]", "IQR: [1–4]", "x = [1, 2]".
_INTERVAL = re.compile(r"(?:\b(?:CI|CrI|IQR|interval|range)\b\s*(?:of|was|is|:|,|=)?|[=∈])\s*$")
_INTERVAL_WORDS = 24
# A mark may list at most this many sources; "[1-250]" is a range of values, not of references.
_MAX_NUMBERS = 40


def read_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a mark lists, ranges filled in, each once.

    Example:
        >>> read_numbers("1, 3–6"), read_numbers("9-7")
        ((1, 3, 4, 5, 6), ())
    """
    numbers: list[int] = []
    for part in re.split(r"[,;]", text):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        if len(ends) == 1:
            numbers += ends
        elif len(ends) == 2 and ends[0] < ends[1] <= ends[0] + _MAX_NUMBERS:
            numbers += range(ends[0], ends[1] + 1)
        else:
            return ()
    # Lists count from 1.
    is_list = 0 < len(numbers) <= _MAX_NUMBERS and min(numbers) > 0
    return tuple(dict.fromkeys(numbers)) if is_list else ()


def find_markers(text: str) -> tuple[Marker, ...]:
    """Return the bracketed numeric marks of `text` in order; offsets are code points into it.

    Example:
        >>> [mark.numbers for mark in find_markers("Rest. [1, 3–5] OR 2.1, 95% CI [1, 4], [18]F and [0, 1].")]
        [(1, 3, 4, 5)]
    """
    found = []
    for match in _BRACKETED.finditer(text):
        numbers = read_numbers(match.group(1))
        before = text[max(0, match.start() - _INTERVAL_WORDS) : match.start()]
        is_interval = len(numbers) > 1 and bool(_INTERVAL.search(before))
        if numbers and not is_interval:
            found.append(Marker(match.start(), match.end(), numbers))
    return tuple(found)


def strip_markers(text: str, markers: Iterable[Marker] | None = None) -> str:
    """Return `text` without its citation marks and the blanks before them.

    Example:
        >>> strip_markers("Stretch the calf. [1, 2]")
        'Stretch the calf.'
    """
    kept, last = [], 0
    for mark in find_markers(text) if markers is None else markers:
        kept.append(text[last : mark.start].rstrip())
        last = mark.end
    return ("".join(kept) + text[last:]).strip()
