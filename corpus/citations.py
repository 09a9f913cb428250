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
# "[IQR 2, 5]" hold letters and so never match.
_BRACKETED = re.compile(rf"\[\s*({_LIST})\s*\](?!\()")
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
    return tuple(dict.fromkeys(numbers)) if 0 < len(numbers) <= _MAX_NUMBERS else ()


def find_markers(text: str) -> tuple[Marker, ...]:
    """Return the bracketed numeric marks of `text` in order; offsets are code points into it."""
    found = ((match, read_numbers(match.group(1))) for match in _BRACKETED.finditer(text))
    return tuple(Marker(match.start(), match.end(), numbers) for match, numbers in found if numbers)


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
