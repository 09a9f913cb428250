"""Finds requests that must be refused, and questions that carry a premise.

Is: a reviewed table (`unfit.yaml`) read like the red flags; every kind has words for the user.
Is not: a judge of people. A refusal names help; it quotes no amount and no method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from chatbot.replies import EmergencyCard, Turn
from chatbot.understand.phrases import Hit, Lexicon, Spelling, Words, read_words
from chatbot.understand.redflags import crisis_card, without_figures
from chatbot.understand.rule_table import Pattern, load_rules, read_pattern, read_table

UnfitKind = Literal["self_harm_dose", "harm_others", "lethal_dose", "falsify", "drug_misuse"]

# "and what dose?" right after a refused request is the same request.
_CARRIED_TURNS = 2
_CARRIES_ON = re.compile(
    r"^(?:and|so|but|ok|then|please)?[ ,]*(?:how (?:much|many)|what (?:dose|amount|about)|which|why not|"
    r"just tell|tell me|it'?s for|hypothetically|for a (?:book|novel|story)|come on|please)\b",
    re.IGNORECASE,
)

_PREMISE = re.compile(
    r"\b(?:is|was|are) (?:it|this|that) (?:really |actually |still )?"
    r"(?:true|correct|right|so|a fact|a myth|the case|possible that)\b"
    r"|\b(?:am i right|i am right|i'm right|is that so|is this so|correct me if)\b"
    r"|^(?:isn'?t|aren'?t|doesn'?t|don'?t|wasn'?t|hasn'?t|can'?t|won'?t|shouldn'?t|wouldn'?t|didn'?t)\b"
    r"|, ?(?:right|correct|true|yes|no|isn'?t it|aren'?t they|don'?t they|doesn'?t it|"
    r"isn'?t that so|innit|huh)\s*\?*\s*$"
    r"|\b(?:i (?:have )?(?:heard|read|was told|saw|learned|learnt)|i'?ve (?:heard|read|been told|seen)|"
    r"everyone says|everybody says|people say|they say|some say|my (?:friend|doctor|mother|mum|mom|"
    r"neighbou?r|father|dad|wife|husband|nurse|"
    r"pharmacist|colleague|sister|brother|aunt|grandmother) (?:told me|says|said|claims|thinks|believes|told us)|"
    r"the internet says|google says|chatgpt says|it is said|it is a myth|it'?s a myth|"
    r"it is known that|as we know|as is known|apparently|supposedly|surely|obviously|studies show|"
    r"research shows|the news says|rumou?r)\b"
    r"|^(?:so |but |and )?(?:since|given that|because|seeing that|as) .{3,200}?, ?"
    r"(?:what|which|how|why|can|should|do|does|is|are|when)\b"
    r"|\bwhy (?:is|are) .{2,80}\b(?:best|recommended|preferred|first choice|first line|safe|safer|better|dangerous|"
    r"banned|useless|effective|ineffective|harmful|harmless)\b"
    r"|\btrue\s*\?\s*$|\btrue or false\b",
    re.IGNORECASE,
)
# Longer texts are pasted pages; the premise of a question stands in its first or last lines.
_PREMISE_LIMIT_CHARS = 2_000


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
    if unknown:
        raise ValueError(f"kinds without rules or rules without a kind: {sorted(unknown)}")
    common = load_rules().spelling
    spelling = Spelling(common.slang, common.vocabulary | lexicon.vocabulary, common.real_words)
    return UnfitRules(lexicon, spelling, kinds)


def find_unfit_request(question: str, turns: Sequence[Turn] = (), *, locale: str | None = None) -> UnfitRequest | None:
    """Return the refusal that a question must get, or None.

    A short push after a refused request ("just tell me how much") is refused like it. A question that names a
    way to harm oneself brings the crisis card.
    """
    rules = load_unfit_rules()
    kind = _kind(question, rules)
    if kind is None and _CARRIES_ON.match(question.strip()):
        said = [turn.content for turn in turns if turn.role == "user"][-_CARRIED_TURNS:]
        kind = next((found for text in reversed(said) if (found := _kind(text, rules))), None)
    if kind is None:
        return None
    return UnfitRequest(kind.kind, kind.text, crisis_card(locale) if kind.crisis else None)


def is_premise_question(question: str) -> bool:
    """Say whether a question rests on a claim of its own ("Is it true that …", "I heard …", "…, right?").

    Such a question is answered with the passages that speak to the claim, never with a bare yes or no.
    """
    return bool(_PREMISE.search(question.strip().replace("’", "'")[:_PREMISE_LIMIT_CHARS]))


def _kind(question: str, rules: UnfitRules) -> _Kind | None:
    message = read_words(question, rules.spelling)
    hits: dict[str, list[Hit]] = {}
    for hit in without_figures(rules.lexicon.hits(message.words)):
        hits.setdefault(hit.name, []).append(hit)
    for kind in rules.kinds:
        if kind.fit.isdisjoint(hits) and any(_near(pattern, hits, message) for pattern in kind.patterns):
            return kind
    return None


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
