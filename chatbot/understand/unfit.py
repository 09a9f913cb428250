"""Finds requests that must be refused.

Is: a reviewed table (`unfit.yaml`) read like the red flags; every kind has words for the user. Where no line of it
applies, the weighed examples may (see `examples.py`).
Is not: a judge of people. A refusal names help; it quotes no amount and no method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from chatbot.replies import EmergencyCard, Turn
from chatbot.understand.examples import KINDS, WeighedExamples
from chatbot.understand.phrases import Hit, Lexicon, Spelling, Words, read_words
from chatbot.understand.redflags import STICKY_TURNS, crisis_card, without_figures
from chatbot.understand.rule_table import Pattern, load_rules, read_pattern, read_table

UnfitKind = Literal["self_harm_dose", "harm_others", "lethal_dose", "falsify", "drug_misuse"]

# "and what dose?" right after a refused request is the same request.
_CARRIED_TURNS = 2
_CARRIES_ON = re.compile(
    r"^(?:and|so|but|ok|then|please)?[ ,]*(?:how (?:much|many)|what (?:dose|amount|about)|which|why not|"
    r"just tell|tell me|it'?s for|hypothetically|for a (?:book|novel|story)|come on|please)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UnfitRequest:
    """A request that is refused: `text` is said to the user; `card`, where there is one, is shown first."""

    kind: UnfitKind
    text: str
    card: EmergencyCard | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: UnfitKind
    text: str
    crisis: bool
    patterns: tuple[Pattern, ...]
    fit: frozenset[str]


@dataclass(frozen=True, slots=True)
class UnfitRules:
    """The table of unfit requests, ready to be read over a question."""

    lexicon: Lexicon
    spelling: Spelling
    kinds: tuple[_Kind, ...]


@cache
def load_unfit_rules() -> UnfitRules:
    """Read and check the shipped table.

    Raises:
        RulesError: the file is missing, malformed, or names something that is not defined.
    """
    return read_table(_build, resources.files("chatbot.understand").joinpath("unfit.yaml"))


def _build(table: Mapping[str, Any]) -> UnfitRules:
    lexicon = Lexicon(table["words"], loose=True, exact=frozenset({"idiom"}))
    kinds = tuple(
        _Kind(
            row["kind"],
            row["text"].strip(),
            bool(row["crisis"]),
            tuple(read_pattern(line, row["kind"], lexicon.names, frozenset()) for line in row["when"]),
            frozenset(row["fit"]),
        )
        for row in table["kinds"]
    )
    unknown = {kind.kind for kind in kinds} ^ set(get_args(UnfitKind))
    if unknown or {kind.kind for kind in kinds} != set(KINDS):
        raise ValueError(f"kinds without rules or rules without a kind: {sorted(unknown)}")
    common = load_rules().spelling
    spelling = Spelling(common.slang, common.vocabulary | lexicon.vocabulary, common.real_words)
    return UnfitRules(lexicon, spelling, kinds)


def find_unfit_request(
    question: str, turns: Sequence[Turn] = (), *, locale: str | None = None, examples: WeighedExamples | None = None
) -> UnfitRequest | None:
    """Return the refusal that a question must get, or None.

    A short push after a refused request ("just tell me how much") is refused like it. A question that names a
    way to harm oneself brings the crisis card.
    """
    rules = load_unfit_rules()
    kind = _kind(question, rules, examples)
    if kind is None and _CARRIES_ON.match(question.strip()):
        said = [turn.content for turn in turns if turn.role == "user"][-_CARRIED_TURNS:]
        kind = next((found for text in reversed(said) if (found := _kind(text, rules, examples))), None)
    if kind is None:
        return None
    return UnfitRequest(kind.kind, kind.text, crisis_card(locale) if kind.crisis else None)


def earlier_crisis(
    turns: Sequence[Turn], *, locale: str | None = None, examples: WeighedExamples | None = None
) -> EmergencyCard | None:
    """Return the crisis card of a request refused within the user's last `STICKY_TURNS` turns, or None.

    Like the card of a reported emergency it stays, whatever is asked next.
    """
    rules = load_unfit_rules()
    said = [turn.content for turn in turns if turn.role == "user"][-STICKY_TURNS:]
    if any((kind := _kind(text, rules, examples)) and kind.crisis for text in said):
        return replace(crisis_card(locale), sticky=True)
    return None


def _kind(question: str, rules: UnfitRules, examples: WeighedExamples | None) -> _Kind | None:
    message = read_words(question, rules.spelling)
    hits: dict[str, list[Hit]] = {}
    for hit in without_figures(rules.lexicon.hits(message.words)):
        hits.setdefault(hit.name, []).append(hit)
    for kind in rules.kinds:
        if kind.fit.isdisjoint(hits) and any(_near(pattern, hits, message) for pattern in kind.patterns):
            return kind
    scores = examples.scores(question) if examples else None
    if scores is None or scores.unfit < 0:
        return None
    return next(kind for kind in rules.kinds if kind.kind == scores.kind)


def _near(pattern: Pattern, hits: Mapping[str, list[Hit]], message: Words) -> bool:
    """Say whether one hit of every class stands within the pattern's span; one word may serve two classes."""
    if not pattern.needed <= hits.keys():
        return False
    for anchor in hits[pattern.classes[0]]:
        low, high = message.place[anchor.start], message.place[anchor.end - 1]
        for name in pattern.classes[1:]:
            best = min(hits[name], key=lambda hit: abs(message.place[hit.start] - message.place[anchor.start]))
            low = min(low, message.place[best.start])
            high = max(high, message.place[best.end - 1])
        if high - low < pattern.span_words:
            return True
    return False
