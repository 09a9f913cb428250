"""Removes characters that a person cannot see: they would let a quote say what its source does not show.

Is: zero-width, bidirectional, tag and control characters. Is not: styling (`display: none` is the readers' work).
"""

from __future__ import annotations

import unicodedata

# Soft hyphens and joiners are format characters (Cf), as are the bidirectional marks and the tag block;
# Source: Unicode Standard, general categories Cc and Cf, and UTS 39 (security mechanisms), section 3.
_VISIBLE_CONTROLS = frozenset("\n\t\r")
# Marks that look like nothing but are not in Cf.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180b\u180c\u180d\u2800")


def is_hidden(char: str) -> bool:
    """Say whether a character shows nothing and is not white space.

    Example:
        >>> is_hidden("\u200b"), is_hidden("\U000e0041"), is_hidden("µ"), is_hidden(" ")
        (True, True, False, False)
    """
    if char.isascii():
        return not (char.isprintable() or char in _VISIBLE_CONTROLS)
    if char in _BLANK_LETTERS or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return True
    return unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co")


def remove_hidden(text: str, *, keep_length: bool = False) -> str:
    """Return `text` without hidden characters; with `keep_length`, NUL stands in the place of each."""
    if text.isascii() and text.isprintable():
        return text
    # A text of a million characters has some hundred different ones.
    hidden = [char for char in set(text) if is_hidden(char)]
    return text.translate(dict.fromkeys(map(ord, hidden), "\0" if keep_length else None)) if hidden else text
