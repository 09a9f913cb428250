"""Fits a reply to who reads it: reading grade, order among equals, the sentence after a patient's dose.

Is: measures and choices. Is not: a rewriter; quotes stay as their sources wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from chatbot.replies import Audience

Item = TypeVar("Item")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d[\d.,]*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|[:;](?=\s*\n)|\n+")
_VOWELS = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]+")
# Vowels written together that are spoken apart, and endings whose vowels are not spoken.
_SPOKEN_APART = re.compile(
    r"i[aou]|eo(?!p)|ua(?!r)|iet|yi|[aeou]ing$|[^aeiou]ea(?=s?$)|ism$|[^l]lier|eum|uid|oa(?=ct|gul)|dnt$"
)
_ONE_SOUND = re.compile(r"[cstgx]i(?:ou|al|an|on|en|a(?=[lnr]|$))|geo|qu|gua|gue|[aeiou]y[aeiou]")
# The "e" that closes the word inside a longer one: "movement", "likely", "sometimes".
_SILENT_INSIDE = re.compile(r"(?<=[aeiouy][^aeiouyw])e(?=(?:ments?|ly|ty|ness|less|ful(?:ly)?|times?|thing)$)")
_SILENT_END = re.compile(r"(?<![aeiouy])(?:e|es|ed)$")
_SPOKEN_END = re.compile(r"(?:[^aeiouy]le|[^aeiouy]les|[td]ed|[csxz]es|[cs]hes|ges)$")


def count_syllables(word: str) -> int:
    """Return about how many syllables an English word has, from 1.

    Example:
        >>> [count_syllables(word) for word in ("leg", "doctor", "medicine", "taken", "baclofen")]
        [1, 2, 3, 2, 3]
    """
    bare = re.sub(r"['’]s?$|['’]", "", word.lower())
    if not bare or bare[0].isdigit():
        return 1
    count = len(_VOWELS.findall(bare))
    count += len(_SPOKEN_APART.findall(bare)) - sum(1 for hit in _ONE_SOUND.findall(bare) if _SPOKEN_APART.search(hit))
    if _SILENT_END.search(bare) and not _SPOKEN_END.search(bare):
        count -= 1
    if _SILENT_INSIDE.search(bare):
        count -= 1
    return max(1, count)


def reading_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of `text`: the years of school that reading it takes; 0.0 for no words.

    Own syllable rules, because textstat takes two seconds to import and fetches a dictionary from the network
    for English.

    Source: Kincaid, Fishburne, Rogers, Chissom 1975, Research Branch Report 8-75.
    """
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part))
    syllables = sum(count_syllables(word) for word in words)
    return 0.39 * len(words) / max(1, sentences) + 11.8 * syllables / len(words) - 15.59


def prefer_for(
    audience: Audience, items: Sequence[Item], *, text: Callable[[Item], str], rank: Callable[[Item], float]
) -> tuple[Item, ...]:
    """Return `items`, those of the higher `rank` first; for patients, easier texts first among about equals.

    Equal means within `EQUAL_RANK` of the best of the group, so that ease never outweighs a better answer.
    """
    ordered = sorted(items, key=rank, reverse=True)
    if audience != "patient":
        return tuple(ordered)
    grouped: list[list[Item]] = []
    for item in ordered:
        if grouped and rank(grouped[-1][0]) - rank(item) <= EQUAL_RANK:
            grouped[-1].append(item)
        else:
            grouped.append([item])
    return tuple(item for group in grouped for item in sorted(group, key=lambda item: reading_grade(text(item))))


# Similarities are between 0 and 1, and differences below this are not worth a harder text.
EQUAL_RANK = 0.02


def suits_audience(audience: Audience, passage_audience: str, kind: str) -> bool:
    """Say whether a passage was written for such a reader; unknown ones suit everybody."""
    for_patients = kind == "patient-information" or "patient" in passage_audience.lower()
    return for_patients if audience == "patient" and (passage_audience or kind == "patient-information") else True


def prescribed_sentence() -> str:
    """Return the sentence that stands after a dose which a patient reads."""
    return "Take medicines only as prescribed for you."
