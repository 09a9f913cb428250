"""Abbreviations that the corpus itself explains: "deep vein thrombosis (DVT)" -> DVT means deep vein thrombosis.

Is: Schwartz & Hearst's algorithm, run over every document at build time. Is not: a dictionary.
Source: Schwartz AS, Hearst MA. A simple algorithm for identifying abbreviation definitions in biomedical text.
Pac Symp Biocomput 2003:451-62.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

# "long form (SF)": the short form has 2 to 10 characters, at most two words, at least one letter.
_IN_BRACKETS = re.compile(r"\(([^()]{2,40})\)")
_SHORT_FORM = re.compile(r"[A-Za-z0-9][\w/.-]{1,9}")
_PLURAL = re.compile(r"(?<=[A-Z])s$")


def find_abbreviations(text: str) -> list[tuple[str, str]]:
    """Return (short form, long form) pairs that a text explains, in its order.

    Example:
        >>> find_abbreviations("Suspect deep vein thrombosis (DVT) early.")
        [('DVT', 'deep vein thrombosis')]
    """
    pairs = []
    for match in _IN_BRACKETS.finditer(text):
        short = re.split(r"[,;]", match.group(1))[0].strip()
        if not _SHORT_FORM.fullmatch(short) or sum(char.isupper() for char in short) < 2:
            continue
        short = _PLURAL.sub("", short)
        # At most min(|A| + 5, 2|A|) words before the bracket can be the long form.
        words = text[max(0, match.start() - 200) : match.start()].split()
        before = " ".join(words[-min(len(short) + 5, 2 * len(short)) :])
        if long := _long_form(short, before):
            pairs.append((short, long))
    return pairs


def _long_form(short: str, before: str) -> str:
    """Match the short form's letters from right to left; its first letter must begin a word."""
    at = len(before) - 1
    for position in range(len(short) - 1, -1, -1):
        char = short[position].lower()
        if not char.isalnum():
            continue
        while at >= 0 and (before[at].lower() != char or (position == 0 and at > 0 and before[at - 1].isalnum())):
            at -= 1
        if at < 0:
            return ""
        at -= 1
    start = before.rfind(" ", 0, at + 1) + 1
    long = before[start:].strip(" ,;:-–")
    if len(long) <= len(short) or not re.match(r"\w", long) or re.search(r"[.:;?!]\s", long):
        return ""
    return long


class AbbreviationCounter:
    """Collects pairs over a corpus and keeps, for each short form, the long form seen most."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[str]] = defaultdict(Counter)

    def read(self, text: str) -> None:
        """Count the pairs of one document, each once."""
        for short, long in set(find_abbreviations(text)):
            self._seen[short][long.lower()] += 1

    def learnt(self) -> dict[str, str]:
        """Return short form -> long form; ties go to the shorter, then the alphabetically first."""
        return {
            short: min(longs, key=lambda long: (-longs[long], len(long), long))
            for short, longs in sorted(self._seen.items())
        }
