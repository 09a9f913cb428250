"""Adds up what a report's words speak for, where no rule names the picture.

Is: points for words, word classes and findings (`warning_words.yaml`), fitted to the case files in tests/safety by
tests/benchmarks/fit_warning_words.py; the same message gives the same sum, and every point can be read.
Is not: a rule (see `redflags.yaml`) or a diagnosis. It reads reports only, never a question about an illness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from chatbot.understand.phrases import Hit, Words, stem
from chatbot.understand.telling import Telling

# A pasted page is read in pieces of whole sentences: points add up over what is told together.
_PIECE_WORDS = 50
# A longer text that speaks of nobody in particular is a page about an illness, not a report.
_NOBODY_WORDS = 25
# So many points of a report weigh as much as one margin of the examples (see `examples.py`).
POINTS_PER_MARGIN = 50


@dataclass(frozen=True, slots=True)
class WordScore:
    """Points (tenths of a log-odds) for each sign; from `threshold` on a message counts."""

    threshold: int
    base: int
    points: Mapping[str, int]

    def add_up(self, signs: Set[str]) -> int:
        """Return the sum of the points; above 0 these signs speak for more than against."""
        return self.base + sum(self.points.get(sign, 0) for sign in signs)


@dataclass(frozen=True, slots=True)
class WordScores:
    """The score of any emergency, and the one of self-harm."""

    emergency: WordScore
    self_harm: WordScore

    def card(self, signs: Set[str]) -> str | None:
        """Return the card that the signs of a report call for, or None.

        Example: {"drip", "putty", ".pallor_", …} -> "urgent_signs"
        """
        harm = self.self_harm.add_up(signs)
        if harm >= self.self_harm.threshold:
            return "self_harm"
        if self.emergency.add_up(signs) >= self.emergency.threshold:
            return "self_harm" if harm > 0 else "urgent_signs"
        return None


@cache
def load_word_scores() -> WordScores:
    """Read the shipped points.

    Raises:
        RulesError: the file is missing or malformed.
    """
    from chatbot.understand.rule_table import read_table

    return read_table(build_word_scores, resources.files("chatbot.understand").joinpath("warning_words.yaml"))


def build_word_scores(table: Mapping[str, Any]) -> WordScores:
    """Make the parsed file ready: it lists the signs under their points."""

    def score(row: Mapping[str, Any]) -> WordScore:
        points = {sign: int(value) for value, signs in row["points"].items() for sign in signs.split()}
        return WordScore(int(row["threshold"]), int(row["base"]), points)

    return WordScores(score(table["emergency"]), score(table["self_harm"]))


def read_signs(message: Words, told: Telling, hits: Sequence[Hit], findings: Set[str]) -> Iterator[frozenset[str]]:
    """Yield the signs of each piece of a message that is told as a report.

    A sign is a word's stem ("drip"; "!drip" where it is denied) or a word class (".pallor_") that is neither past nor
    only feared, or a finding of the whole message ("=sweat"). Numbers count as "#".
    """
    if not any(told.person) and len(message.words) > _NOBODY_WORDS:
        return
    found = {f"={name}" for name in findings}
    real = [not (unreal or past) for unreal, past in zip(told.unreal, told.past, strict=True)]
    classes: dict[int, list[str]] = {}
    for hit in hits:
        at = hit.start
        if real[at] and not told.mild[at] and (hit.name[0] == "@" or not told.denied[at]):
            classes.setdefault(at, []).append(f".{hit.name}")
    signs: set[str] = set()
    length, sentence = 0, -1
    for at, (word, number) in enumerate(zip(message.words, message.sentence, strict=True)):
        if number != sentence and length >= _PIECE_WORDS:
            yield frozenset(signs | found)
            signs, length = set(), 0
        sentence = number
        if told.report[number]:
            signs.update(classes.get(at, ()))
            length += 1
            if real[at]:
                signs.add("!" * told.denied[at] + ("#" if word[0].isdigit() else stem(word)))
    if length:
        yield frozenset(signs | found)
