"""Keeps raised and lowered characters apart from what they stand on: 10<sup>9</sup> is 10⁹ and never 109.

Is: superscript and subscript as Unicode characters, or with "^" and "_" where Unicode has none. Is not: a
judge of which raised numbers are citations (the readers know that from their format).
"""

from __future__ import annotations

_RAISED = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")
_RAISED_FROM = frozenset(chr(code) for code in _RAISED)
_LOWERED_FROM = frozenset(chr(code) for code in _LOWERED)
# Marks that are raised by nature, and letters after a number ("1st", "Smith Jr™").
_STANDS_ALREADY_HIGH = frozenset("*†‡§¶‖#™®©°ªº'\"′″")
_ORDINALS = frozenset(("st", "nd", "rd", "th"))


def raised(text: str) -> str:
    """Return a superscript as plain text.

    Example:
        >>> raised("9"), raised("-1"), raised("a"), raised("th"), raised("2+")
        ('⁹', '⁻¹', '^a', 'th', '²⁺')
    """
    bare = text.strip()
    if not bare or bare in _ORDINALS or all(char in _STANDS_ALREADY_HIGH for char in bare):
        return bare
    if all(char in _RAISED_FROM for char in bare):
        return bare.translate(_RAISED)
    return f"^{bare}" if len(bare) == 1 or bare.isalnum() else f"^({bare})"


def lowered(text: str) -> str:
    """Return a subscript as plain text.

    Example:
        >>> lowered("2"), lowered("1c"), lowered("max")
        ('₂', '1c', 'max')
    """
    bare = text.strip()
    if bare and all(char in _LOWERED_FROM for char in bare):
        return bare.translate(_LOWERED)
    # Letters below the line are read the same on it ("Cmax", "HbA1c"); nothing is lost.
    return bare
