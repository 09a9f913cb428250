"""Compares which one of a ranked or numbered kind is meant: first-degree is not third-degree, type 1 not type 2.

Is: pure reading of words. Is not: a comparison of amounts (see `gate_quantities.py`).
"""

from __future__ import annotations

import re

_WRITTEN = (
    ("1", "first 1st i"),
    ("2", "second 2nd ii"),
    ("3", "third 3rd iii"),
    ("4", "fourth 4th iv"),
    ("5", "fifth 5th v"),
    ("6", "sixth 6th vi"),
)
_RANKS = {word: rank for rank, words in _WRITTEN for word in words.split()}
# "first-degree heart block", "the second trimester"
_BEFORE = re.compile(r"\b(first|second|third|fourth|fifth|sixth|[1-6](?:st|nd|rd|th))[\s-]+([a-z]{3,})", re.IGNORECASE)
# "type 2 diabetes", "stage III", "class C"
_AFTER = re.compile(
    r"\b(type|stage|grade|class|phase|group|category|level|tier|step|degree)s?\s+(\d|[ivx]{1,3}|[a-d])\b", re.IGNORECASE
)


def ranks_in(text: str) -> frozenset[tuple[str, str]]:
    """Return (kind, rank) for each member of a ranked kind that a text names.

    Example: "second-degree block in stage III" -> {("degree", "2"), ("stage", "3")}
    """
    found = {(kind, rank) for rank, kind in _BEFORE.findall(text)} | set(_AFTER.findall(text))
    return frozenset((kind.lower().removesuffix("s"), _RANKS.get(rank.lower(), rank.lower())) for kind, rank in found)


def mistaken_rank(text: str, ground: str) -> str:
    """Return the kind of which `text` names another member than `ground` does, "" if there is none."""
    theirs = ranks_in(ground)
    kinds = {kind for kind, _ in theirs}
    return next((kind for kind, rank in sorted(ranks_in(text) - theirs) if kind in kinds), "")
