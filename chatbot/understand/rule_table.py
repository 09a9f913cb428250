"""The table of red flags: what a rule is made of, read from `redflags.yaml` and checked.

Is: the frozen records of the table and its loading; anything undefined in it is an error, never a rule left out.
Is not: the reading of messages (see `redflags.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from chatbot.replies import EmergencyCard
from chatbot.understand.phrases import Lexicon, Spelling, read_words
from chatbot.understand.vitals import VITAL_NAMES

T = TypeVar("T")

# Words between the first and the last word of a finding when its line names no number.
_DEFAULT_SPAN_WORDS = 8


class RulesError(ValueError):
    """The rules cannot be read. There is no bot without them."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Word classes that together make a finding: `ordered[i]` says that it stands after the one before it."""

    classes: tuple[str, ...]
    ordered: tuple[bool, ...]
    span_words: int
    negating: bool
    needed: frozenset[str]
    # Whether each class must follow the one before it with no comma between ("no kicks").
    close: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One symptom, sign or trait, by any of its patterns; for the flags see the head of `redflags.yaml`."""

    name: str
    patterns: tuple[Pattern, ...]
    mild_too: bool = False
    named: bool = False
    context: bool = False
    anyone: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A presentation: any of `when`, each a chain of choices of findings; `card` names what is shown."""

    id: str
    group: str
    when: tuple[tuple[frozenset[str], ...], ...]
    unless: frozenset[str]
    card: EmergencyCard


@dataclass(frozen=True, slots=True)
class WarningScore:
    """Signs with their points, for pictures that no rule names; `rule` is what fires from `threshold` on."""

    threshold: int
    signs: tuple[tuple[int, frozenset[str]], ...]
    rule: Rule

    def fires(self, acute: frozenset[str]) -> bool:
        """Say whether these findings reach the threshold together."""
        return sum(points for points, names in self.signs if not names.isdisjoint(acute)) >= self.threshold


@dataclass(frozen=True, slots=True)
class Rules:
    """The table, ready to be read over a message."""

    lexicon: Lexicon
    grammar: Lexicon
    spelling: Spelling
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    score: WarningScore
    lines: Mapping[str, Mapping[str, str]]
    # Card -> what no statement below it may speak of.
    forbids: Mapping[str, re.Pattern[str]]


@cache
def load_rules() -> Rules:
    """Read and check the shipped rules.

    Raises:
        RulesError: a file is missing, malformed, or names something that is not defined.
    """
    here = resources.files("chatbot.understand")
    present = resources.files("chatbot.present")
    return read_table(
        build_rules,
        here.joinpath("redflags.yaml"),
        here.joinpath("telling.yaml"),
        here.joinpath("real_words.yaml"),
        present.joinpath("emergency_lines.yaml"),
    )


def read_table(build: Callable[..., T], *files: Traversable) -> T:
    """Parse YAML files and build rules from them.

    Raises:
        RulesError: a file is missing or malformed, or `build` finds something undefined in it.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return build(*(yaml.load(file.read_text("utf-8"), Loader=loader) for file in files))
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError) as error:
        names = ", ".join(file.name for file in files)
        raise RulesError(f"the rules in {names} cannot be read: {error}; reinstall the program") from error


def build_rules(
    table: Mapping[str, Any], telling: Mapping[str, Any], real_words: Mapping[str, str], lines: Mapping[str, Any]
) -> Rules:
    """Check a table and make it ready; the arguments are the parsed files.

    Raises:
        RulesError: a rule names no finding, a finding no word class, or a card is missing.
    """
    lexicon = Lexicon(table["words"], loose=True, exact=frozenset({"idiom"}))
    grammar = Lexicon(telling["lists"])
    slang = {str(key): " ".join(read_words(str(plain or "")).words) for key, plain in telling["slang"].items()}
    negators = frozenset(table["negators"])
    near = frozenset(table.get("near_negators", ()))
    known = lexicon.names | {f"@{name}" for name in VITAL_NAMES}
    findings = tuple(_finding(name, row, known, negators, near) for name, row in table["findings"].items())
    names = frozenset(finding.name for finding in findings)
    rules = tuple(_rule(row, names, table["cards"]) for row in table["rules"])
    score = _score(table["warning_score"], names, table["cards"])
    if not rules:
        raise RulesError("the table of emergency rules is empty")
    spelling = Spelling(
        slang, frozenset(lexicon.vocabulary | grammar.vocabulary), frozenset(real_words["words"].split())
    )
    forbids = {
        name: re.compile(rf"\b(?:{'|'.join(map(re.escape, card['forbids'].split(', ')))})", re.IGNORECASE)
        for name, card in table["cards"].items()
        if "forbids" in card
    }
    return Rules(lexicon, grammar, spelling, findings, rules, score, lines, forbids)


def _finding(name: str, row: Any, known: frozenset[str], negators: frozenset[str], near: frozenset[str]) -> Finding:
    flags = {} if isinstance(row, list) else {key: bool(row[key]) for key in row if key != "any"}
    lines = row if isinstance(row, list) else row["any"]
    return Finding(name, tuple(read_pattern(line, name, known, negators, near) for line in lines), **flags)


def read_pattern(
    line: str, name: str, known: frozenset[str], negators: frozenset[str], near: frozenset[str] = frozenset()
) -> Pattern:
    """Read one line of classes ("a b > c /6"); `name` is what it belongs to, for the error.

    `near` names the negators that reach no further than their comma.

    Raises:
        RulesError: a class is not in `known`.
    """
    *parts, last = line.split()
    span = int(last[1:]) if last.startswith("/") else _DEFAULT_SPAN_WORDS
    classes: list[str] = []
    ordered: list[bool] = []
    after = False
    for part in parts if last.startswith("/") else [*parts, last]:
        if part == ">":
            after = True
            continue
        if part not in known:
            raise RulesError(f"{name!r} names the unknown word class {part!r}")
        classes.append(part)
        ordered.append(after)
        after = False
    close = tuple(after and classes[at - 1] in near for at, after in enumerate(ordered))
    return Pattern(tuple(classes), tuple(ordered), span, not negators.isdisjoint(classes), frozenset(classes), close)


def _rule(row: Mapping[str, Any], findings: frozenset[str], cards: Mapping[str, Any]) -> Rule:
    name = row["id"]
    chains = tuple(tuple(frozenset(part.strip().split("|")) for part in line.split("+")) for line in row["when"])
    unless = frozenset(row.get("unless") or ())
    for unknown in (frozenset().union(*(choice for chain in chains for choice in chain)) | unless) - findings:
        raise RulesError(f"rule {name!r} names the unknown finding {unknown!r}")
    card_name = row.get("card", row.get("group", name))
    if card_name not in cards:
        raise RulesError(f"rule {name!r} has no card {card_name!r}")
    card = cards[card_name]
    return Rule(
        id=name,
        group=row.get("group", name),
        when=chains,
        unless=unless,
        card=EmergencyCard(card_name, card["title"], card["text"], tuple(card["actions"])),
    )


def _score(row: Mapping[str, Any], findings: frozenset[str], cards: Mapping[str, Any]) -> WarningScore:
    signs = tuple((int(sign["points"]), frozenset(sign["any"])) for sign in row["signs"])
    for unknown in frozenset().union(*(names for _, names in signs)) - findings:
        raise RulesError(f"the warning score names the unknown finding {unknown!r}")
    card = cards["urgent_signs"]
    shown = EmergencyCard("urgent_signs", card["title"], card["text"], tuple(card["actions"]))
    return WarningScore(int(row["threshold"]), signs, Rule("urgent_signs", "urgent_signs", (), frozenset(), shown))
