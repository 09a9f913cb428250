"""Finds what sounds like an emergency in a message and the turns before it.

Is: the reviewed table `redflags.yaml` (words, findings, rules), read over what the user wrote. The same message
gives the same card; nothing here depends on retrieval, on a language model, or on what an assistant said.
Is not: triage or a diagnosis. No card never means "no emergency".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple, TypeVar

from chatbot.replies import EmergencyCard, Turn
from chatbot.understand.phrases import Hit, Lexicon, Spelling, Words, read_words
from chatbot.understand.telling import Telling, read_telling
from chatbot.understand.vitals import VITAL_NAMES, read_vitals

T = TypeVar("T")

# How many of the user's next turns a card stays on top of.
STICKY_TURNS = 5
# What was said so many user turns ago still completes a picture ("my calf hurts" … "now it is swollen").
_MEMORY_TURNS = 6
# The word class whose phrases hide the words inside them.
_FIGURES = "idiom"
# Words between the first and the last word of a finding when its line names no number.
_DEFAULT_SPAN_WORDS = 8
# Nearest hits tried for each further word class; keeps a pasted page from taking long.
_NEAREST = 4


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One symptom, sign or trait, by any of its patterns; for the flags see the head of `redflags.yaml`."""

    name: str
    patterns: tuple[Pattern, ...]
    mild_too: bool = False
    named: bool = False
    context: bool = False
    anyone: bool = False
    ever: bool = False


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


class _Seen(NamedTuple):
    """What one text holds: findings that are told as happening, and traits."""

    acute: frozenset[str]
    traits: frozenset[str]


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
    lexicon = Lexicon(table["words"])
    grammar = Lexicon(telling["lists"])
    slang = {str(key): " ".join(read_words(str(plain or "")).words) for key, plain in telling["slang"].items()}
    negators = frozenset(table["negators"])
    known = lexicon.names | {f"@{name}" for name in VITAL_NAMES}
    findings = tuple(_finding(name, row, known, negators) for name, row in table["findings"].items())
    names = frozenset(finding.name for finding in findings)
    rules = tuple(_rule(row, names, table["cards"]) for row in table["rules"])
    score = _score(table["warning_score"], names, table["cards"])
    if not rules:
        raise RulesError("the table of emergency rules is empty")
    spelling = Spelling(slang, lexicon.vocabulary | grammar.vocabulary, frozenset(real_words["words"].split()))
    return Rules(lexicon, grammar, spelling, findings, rules, score, lines)


def _finding(name: str, row: Any, known: frozenset[str], negators: frozenset[str]) -> Finding:
    flags = {} if isinstance(row, list) else {key: bool(row[key]) for key in row if key != "any"}
    lines = row if isinstance(row, list) else row["any"]
    return Finding(name, tuple(read_pattern(line, name, known, negators) for line in lines), **flags)


def read_pattern(line: str, name: str, known: frozenset[str], negators: frozenset[str]) -> Pattern:
    """Read one line of classes ("a b > c /6"); `name` is what it belongs to, for the error.

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
    return Pattern(
        tuple(classes), tuple(ordered), span, not negators.isdisjoint(classes), frozenset(classes)
    )


def _rule(row: Mapping[str, Any], findings: frozenset[str], cards: Mapping[str, Any]) -> Rule:
    name = row["id"]
    chains = tuple(
        tuple(frozenset(part.strip().split("|")) for part in line.split("+")) for line in row["when"]
    )
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
    return WarningScore(
        int(row["threshold"]), signs, Rule("urgent_signs", "urgent_signs", (), frozenset(), shown)
    )


def find_red_flag(
    question: str,
    turns: Sequence[Turn] = (),
    *,
    standalone_question: str = "",
    rules: Rules | None = None,
    locale: str | None = None,
) -> EmergencyCard | None:
    """Return the card that must be shown first, or None.

    Reads the question, what it was resolved to, and the user's own turns before it. A card that an earlier turn
    raised stays for the user's next `STICKY_TURNS` turns. `locale` ("gb", "us", …) names emergency numbers;
    without one, or with one that is not in the table, the card names none.
    """
    rules = rules or load_rules()
    said = [turn.content for turn in turns if turn.role == "user"]
    seen = [_see(text, rules) for text in said[-(STICKY_TURNS + _MEMORY_TURNS) :]]
    now = _see(question, rules)
    if standalone_question and standalone_question != question:
        resolved = _see(standalone_question, rules)
        now = _Seen(now.acute | resolved.acute, now.traits | resolved.traits)
    if rule := _first_rule(now, seen[-_MEMORY_TURNS:], rules):
        return with_lines(rule.card, rules.lines, locale)
    for back in range(1, min(STICKY_TURNS, len(seen)) + 1):
        at = len(seen) - back
        if rule := _first_rule(seen[at], seen[max(0, at - _MEMORY_TURNS) : at], rules):
            return with_lines(rule.card, rules.lines, locale, sticky=True)
    return None


def find_rule(question: str, turns: Sequence[Turn] = (), rules: Rules | None = None) -> Rule | None:
    """Return the rule that this message itself fires (for reviewing the table)."""
    rules = rules or load_rules()
    seen = [_see(turn.content, rules) for turn in turns if turn.role == "user"][-_MEMORY_TURNS:]
    return _first_rule(_see(question, rules), seen, rules)


def find_findings(text: str, rules: Rules | None = None) -> tuple[str, ...]:
    """Return the names of the findings and traits in one text, sorted (for reviewing the table)."""
    seen = _see(text, rules or load_rules())
    return tuple(sorted(seen.acute | seen.traits))


def crisis_card(locale: str | None = None, rules: Rules | None = None) -> EmergencyCard:
    """Return the card for thoughts of self-harm, for requests that are refused because of them."""
    rules = rules or load_rules()
    card = next(rule.card for rule in rules.rules if rule.id == "self_harm")
    return with_lines(card, rules.lines, locale)


def with_lines(
    card: EmergencyCard, lines: Mapping[str, Any], locale: str | None, *, sticky: bool = False
) -> EmergencyCard:
    """Return the card with a country's numbers, where a known country is set and its table has them."""
    actions = card.actions
    if locale and (numbers := lines["locales"].get(locale.lower())):
        kinds = lines["cards"].get(card.presentation, lines["cards"]["default"])
        said = tuple(
            lines["sentences"][kind].format(number=numbers[kind]) for kind in kinds if numbers.get(kind)
        )
        actions = said + actions
    return EmergencyCard(card.presentation, card.title, card.text, actions, sticky)


def _first_rule(now: _Seen, before: Sequence[_Seen], rules: Rules) -> Rule | None:
    fresh = now.acute
    if not fresh:
        return None
    everything = fresh | now.traits
    for seen in before:
        everything |= seen.acute | seen.traits
    for rule in rules.rules:
        # What was said before may complete a picture, but it silences no rule that this message fills by itself.
        if _fills(rule, fresh | now.traits, fresh) or _fills(rule, everything, fresh):
            return rule
    return rules.score.rule if rules.score.fires(fresh) else None


def _fills(rule: Rule, available: frozenset[str], fresh: frozenset[str]) -> bool:
    """Say whether findings fill a rule, at least one of them from the message itself."""
    return rule.unless.isdisjoint(available) and any(
        all(not choice.isdisjoint(available) for choice in chain)
        and any(not choice.isdisjoint(fresh) for choice in chain)
        for chain in rule.when
    )


def _see(text: str, rules: Rules) -> _Seen:
    message = read_words(text, rules.spelling)
    if not message.words:
        return _Seen(frozenset(), frozenset())
    told = read_telling(message, rules.grammar)
    by_sentence: dict[int, dict[str, list[Hit]]] = {}
    for hit in (*without_figures(rules.lexicon.hits(message.words)), *read_vitals(message)):
        if message.sentence[hit.start] == message.sentence[hit.end - 1]:
            by_sentence.setdefault(message.sentence[hit.start], {}).setdefault(hit.name, []).append(hit)
    everywhere = set().union(*by_sentence.values())
    # Most of the table has no word in a given message: cut it down once, before going sentence by sentence.
    possible = [
        (finding, patterns)
        for finding in rules.findings
        if (patterns := [pattern for pattern in finding.patterns if pattern.needed <= everywhere])
    ]
    acute: set[str] = set()
    traits: set[str] = set()
    for number, hits in by_sentence.items():
        for finding, patterns in possible:
            into = traits if finding.context else acute
            if finding.name in into or not _allowed(finding, told, number):
                continue
            if any(
                pattern.needed <= hits.keys() and _matches(pattern, finding, hits, message, told)
                for pattern in patterns
            ):
                into.add(finding.name)
    return _Seen(frozenset(acute), frozenset(traits))


def without_figures(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits less those that stand inside a longer figure of speech ("out of the blue")."""
    figures = [hit for hit in hits if hit.name == _FIGURES]
    return [
        hit
        for hit in hits
        if not any(
            figure.start <= hit.start and hit.end <= figure.end and hit.end - hit.start < figure.end - figure.start
            for figure in figures
        )
    ]


def _allowed(finding: Finding, told: Telling, number: int) -> bool:
    """Say whether a sentence, as it is told, can hold this finding at all."""
    if finding.context or finding.anyone:
        return True
    return told.report[number] and (told.person[number] or not finding.named)


def _matches(
    pattern: Pattern, finding: Finding, hits: Mapping[str, list[Hit]], message: Words, told: Telling
) -> bool:
    def counts(hit: Hit) -> bool:
        if told.unreal[hit.start] and not finding.anyone and not finding.context:
            return False
        if told.denied[hit.start] and not pattern.negating:
            return False
        if finding.named and not told.happening[hit.start]:
            return False
        return finding.mild_too or finding.context or not told.mild[hit.start]

    pools = [[hit for hit in hits[name] if counts(hit)] for name in pattern.classes]
    if not all(pools):
        return False
    return any(_extend((anchor,), 1, pattern, pools, message, told, finding) for anchor in pools[0])


def _extend(
    chosen: tuple[Hit, ...],
    at: int,
    pattern: Pattern,
    pools: Sequence[Sequence[Hit]],
    message: Words,
    told: Telling,
    finding: Finding,
) -> bool:
    """Choose a hit for every further class, near the ones chosen, none used twice."""
    place = message.place
    low = min(place[hit.start] for hit in chosen)
    high = max(place[hit.end - 1] for hit in chosen)
    if high - low + 1 > pattern.span_words and len(chosen) > 1:
        return False
    if at == len(pools):
        return _timely(chosen, told, finding)
    near = sorted(pools[at], key=lambda hit: abs(place[hit.start] - low))[: _NEAREST * 2]
    for hit in near:
        if any(hit.start < other.end and other.start < hit.end for other in chosen):
            continue
        if pattern.ordered[at] and hit.start < chosen[-1].end:
            continue
        if _extend((*chosen, hit), at + 1, pattern, pools, message, told, finding):
            return True
    return False


def _timely(chosen: Sequence[Hit], told: Telling, finding: Finding) -> bool:
    if finding.ever or finding.context:
        return True
    if all(told.past[hit.start] for hit in chosen):
        return False
    return finding.mild_too or not all(told.chronic[hit.start] for hit in chosen)
