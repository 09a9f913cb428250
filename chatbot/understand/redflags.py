"""Finds what sounds like an emergency in a message and the turns before it.

Is: the table `redflags.yaml` (words, findings, rules), read over what the user wrote, and behind it the points of
`warning_words.yaml`, which stand alone; where they show no card, the weighed examples may add one (see `examples.py`). The
same message gives the same card; nothing here depends on retrieval, on a language model, or on what an assistant said.
Is not: triage or a diagnosis. No card never means "no emergency".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from chatbot.replies import EmergencyCard, Turn
from chatbot.understand.examples import WeighedExamples
from chatbot.understand.phrases import Hit, Words, read_words
from chatbot.understand.rule_table import Finding, Pattern, Rule, Rules, load_rules
from chatbot.understand.telling import Telling, read_telling
from chatbot.understand.vitals import read_vitals
from chatbot.understand.word_score import POINTS_PER_MARGIN, load_word_scores, read_signs

# How many of the user's next turns a card stays on top of.
STICKY_TURNS = 5
# What was said so many user turns ago still completes a picture ("my calf hurts" … "now it is swollen").
_MEMORY_TURNS = 6
# The word class whose phrases hide the words inside them.
_FIGURES = "idiom"
_SELF_HARM = "self_harm"
# Nearest hits tried for each further word class; keeps a pasted page from taking long.
_NEAREST = 4
# "And if it is one-sided and warm?" asks about the thing that was spoken of, "what if one calf is swollen?" about
# somebody; what it is said to be counts as reported.
_IF = r"\W*(?:(?:and|but|so|or|ok|okay|then|also|what|even)\W+)*(?:if|when) "
_BE = (
    r"(?:['’]s\b| (?:is|was|gets?|got|becomes?|became|comes?|came|stays?|stayed|keeps?|goes|went|turns?|turned|feels?|felt|"
    r"looks?|seems?|has|also|only|just|suddenly|starts?|swells?|hurts?|am|are|were|have)\b)"
)
_GOES_ON = re.compile(r"\W*(?:and|but|so|or|ok|okay|then|also)\b", re.IGNORECASE)
_SUPPOSED_IT = re.compile(rf"{_IF}(?:it|this|that){_BE}", re.IGNORECASE)
_SUPPOSED_SOMEBODY = re.compile(
    rf"{_IF}(?:i|he|she|they|(?:my|his|her|their|the|a|one|both|only one|just one)(?: \w+){{1,3}}?){_BE}", re.IGNORECASE
)
# "If the calf is swollen, which test comes first?" asks about the case in general.
_ASKS_ON = re.compile(
    r",\s*(?:what|which|how|who|when|where|why|should|do|does|is|are|can|could|must|would|will)\b", re.IGNORECASE
)


class _Seen(NamedTuple):
    """What one text holds: findings that are told as happening, and traits."""

    acute: frozenset[str]
    traits: frozenset[str]
    # The card that the words alone call for ("urgent_signs", "self_harm"), or "".
    by_words: str = ""
    # Whether any of it is told, not just asked about.
    told: bool = False


def find_red_flag(
    question: str,
    turns: Sequence[Turn] = (),
    *,
    standalone_question: str = "",
    standalone: Callable[[str, Sequence[Turn]], str] | None = None,
    title: str = "",
    rules: Rules | None = None,
    locale: str | None = None,
    examples: WeighedExamples | None = None,
) -> EmergencyCard | None:
    """Return the card that must be shown first, or None.

    Reads the question, what it was resolved to, and the user's own turns before it. A card that an earlier turn
    raised stays for the user's next `STICKY_TURNS` turns. `standalone` tells what an earlier question was resolved to,
    from its words and the turns before it; `title` is that of the page it stands on. `locale` ("gb", "us", …) names
    emergency numbers; without one, or with one that is not in the table, the card names none. `examples` may add a
    card where the rules and the word points show none; a card that a rule raised they never take away.
    """
    rules = rules or load_rules()
    at = [number for number, turn in enumerate(turns) if turn.role == "user"]
    said = [turns[number].content for number in at]
    seen = [_see(text, rules) for text in said[-(STICKY_TURNS + _MEMORY_TURNS) :]]
    now = _with_topic(_see(question, rules), question, standalone_question, [title, *said], rules)
    if rule := _first_rule(now, seen[-_MEMORY_TURNS:], rules) or _general_rule(now, question, examples, rules):
        return with_lines(rule.card, rules.lines, locale)
    for back in range(1, min(STICKY_TURNS, len(seen)) + 1):
        place = len(seen) - back
        then = seen[place]
        if standalone and _is_supposed(said[-back]):
            resolved = standalone(said[-back], turns[: at[-back]])
            then = _with_topic(then, said[-back], resolved, [title, *said[:-back]], rules)
        before = seen[max(0, place - _MEMORY_TURNS) : place]
        if rule := _first_rule(then, before, rules) or _general_rule(then, said[-back], examples, rules):
            return with_lines(rule.card, rules.lines, locale, sticky=True)
    for back, text in enumerate([question, *reversed(said[-STICKY_TURNS:])] if examples else ()):
        if rule := _rule_by_examples(text, examples, rules):
            return with_lines(rule.card, rules.lines, locale, sticky=back > 0)
    return None


def _general_rule(now: _Seen, text: str, examples: WeighedExamples | None, rules: Rules) -> Rule | None:
    """Return the rule of the general card, or that of self-harm, where what a message holds adds up to it.

    Ordinary messages hold such words, too: the examples tell which of the two it is, and may say that it is neither.
    """
    if now.by_words:
        rule = _rule_of(now.by_words, rules)
    elif rules.score.fires(now.acute):
        rule = rules.score.rule
    else:
        return None
    scores = examples.scores(text) if examples else None
    if scores is None:
        return rule
    if scores.self_harm >= 0:
        return _rule_of(_SELF_HARM, rules)
    return None if scores.is_ordinary else rule


def _rule_by_examples(text: str, examples: WeighedExamples | None, rules: Rules) -> Rule | None:
    """Return the rule of the card that the weighed examples call for, or None.

    A question about self-harm may be meant ("how high must a bridge be?"). Any other emergency must be reported: what
    its words speak for counts on top of its likeness to the examples.
    """
    scores = examples.scores(text) if examples else None
    if scores is None:
        return None
    if scores.self_harm >= 0:
        return _rule_of(_SELF_HARM, rules)
    points = max((load_word_scores().emergency.add_up(signs) for signs in find_signs(text, rules)), default=None)
    if points is not None and scores.emergency + points / POINTS_PER_MARGIN >= 0:
        return rules.score.rule
    return None


def _rule_of(card: str, rules: Rules) -> Rule:
    return next((rule for rule in rules.rules if rule.id == card), rules.score.rule)


def _with_topic(now: _Seen, question: str, resolved_question: str, known: Sequence[str], rules: Rules) -> _Seen:
    """Return what a question holds together with what it was resolved to.

    `known` was said or shown before it. What the topic brings along from there is no news, however it was told: it
    raises no card by itself ("can I drive with it?" after a page on heat stroke) and makes none stay longer.
    """
    supposed = _is_supposed(question)
    if supposed and (len(known) > 1 or _GOES_ON.match(question)):
        # "And if one calf is swollen and warm?", after other questions or beside an article: the picture is of somebody.
        own = _see(question, rules, reported=True)
        stale = frozenset().union(*(_mentioned(text, rules) for text in known))
        now = now._replace(acute=now.acute | (own.acute - stale), traits=now.traits | own.traits)
    if not resolved_question or resolved_question == question or not (supposed or now.told):
        return now
    resolved = _see(resolved_question, rules, reported=supposed)
    if not resolved.acute <= now.acute:
        stale = frozenset().union(*(_mentioned(text, rules) for text in known)) & resolved.acute
        completes = stale if supposed else frozenset()
        resolved = _Seen(resolved.acute - stale, resolved.traits | completes)
    return now._replace(acute=now.acute | resolved.acute, traits=now.traits | resolved.traits)


def _is_supposed(question: str) -> bool:
    somebody = _SUPPOSED_SOMEBODY.match(question) and not _ASKS_ON.search(question)
    return bool(somebody or _SUPPOSED_IT.match(question))


def find_rule(question: str, turns: Sequence[Turn] = (), rules: Rules | None = None) -> Rule | None:
    """Return the rule that this message itself fires (for reviewing the table)."""
    rules = rules or load_rules()
    seen = [_see(turn.content, rules) for turn in turns if turn.role == "user"][-_MEMORY_TURNS:]
    now = _see(question, rules)
    return _first_rule(now, seen, rules) or _general_rule(now, question, None, rules)


def find_findings(text: str, rules: Rules | None = None) -> tuple[str, ...]:
    """Return the names of the findings and traits in one text, sorted (for reviewing the table)."""
    seen = _see(text, rules or load_rules())
    return tuple(sorted(seen.acute | seen.traits))


def crisis_card(locale: str | None = None, rules: Rules | None = None) -> EmergencyCard:
    """Return the card for thoughts of self-harm, for requests that are refused because of them."""
    rules = rules or load_rules()
    card = next(rule.card for rule in rules.rules if rule.id == _SELF_HARM)
    return with_lines(card, rules.lines, locale)


def goes_against(card: EmergencyCard | None, text: str, rules: Rules | None = None) -> bool:
    """Say whether a passage speaks of what a card says not to do, so that it must not follow the card.

    Example: the card of a swollen calf, "Massage: firm rubbing of the calf can ease the pain." -> True
    """
    forbidden = (rules or load_rules()).forbids.get(card.presentation) if card else None
    return bool(forbidden and forbidden.search(text))


def with_lines(
    card: EmergencyCard, lines: Mapping[str, Any], locale: str | None, *, sticky: bool = False
) -> EmergencyCard:
    """Return the card with a country's numbers, where a known country is set and its table has them."""
    actions = card.actions
    # "en_GB.UTF-8" and "en-GB" are written for "GB", too.
    country = re.split(r"[-_]", (locale or "").partition(".")[0].strip().lower())[-1]
    if numbers := lines["locales"].get(country):
        kinds = lines["cards"].get(card.presentation, lines["cards"]["default"])
        said = tuple(lines["sentences"][kind].format(number=numbers[kind]) for kind in kinds if numbers.get(kind))
        actions = said + actions
    return EmergencyCard(card.presentation, card.title, card.text, actions, sticky)


def _first_rule(now: _Seen, before: Sequence[_Seen], rules: Rules) -> Rule | None:
    fresh = now.acute
    everything = fresh | now.traits
    for seen in before:
        everything |= seen.acute | seen.traits
    for rule in rules.rules if fresh else ():
        # What was said before may complete a picture, but it silences no rule that this message fills by itself.
        if _fills(rule, fresh | now.traits, fresh) or _fills(rule, everything, fresh):
            return rule
    return None


def _fills(rule: Rule, available: frozenset[str], fresh: frozenset[str]) -> bool:
    """Say whether findings fill a rule, at least one of them from the message itself."""
    return rule.unless.isdisjoint(available) and any(
        all(not choice.isdisjoint(available) for choice in chain)
        and any(not choice.isdisjoint(fresh) for choice in chain)
        for chain in rule.when
    )


def find_signs(text: str, rules: Rules | None = None) -> list[frozenset[str]]:
    """Return the signs of each piece of a text that the word score adds up (for fitting it)."""
    rules = rules or load_rules()
    message, told, hits = _read(text, rules)
    acute, traits = _findings(message, told, hits, rules)
    return list(read_signs(message, told, hits, acute | traits))


def _mentioned(text: str, rules: Rules) -> frozenset[str]:
    """Return the findings that a text speaks of, told or not."""
    message, told, hits = _read(text, rules)
    return _findings(message, told.as_report(all_of_it=True), hits, rules)[0]


def _see(text: str, rules: Rules, *, reported: bool = False) -> _Seen:
    message, told, hits = _read(text, rules)
    if reported:
        told = told.as_report()
    acute, traits = _findings(message, told, hits, rules)
    scores = load_word_scores()
    cards = (scores.card(signs) for signs in read_signs(message, told, hits, acute | traits))
    return _Seen(acute, traits, next(filter(None, cards), ""), any(told.report))


def _read(text: str, rules: Rules) -> tuple[Words, Telling, list[Hit]]:
    message = read_words(text, rules.spelling)
    hits = [*without_figures(rules.lexicon.hits(message.words)), *read_vitals(message)]
    return message, read_telling(message, rules.grammar), hits


def _findings(
    message: Words, told: Telling, hits: Sequence[Hit], rules: Rules
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the findings that are told as happening, and the traits."""
    if not hits:
        return frozenset(), frozenset()
    by_sentence: dict[int, dict[str, list[Hit]]] = {}
    for hit in hits:
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
    for number, here in by_sentence.items():
        for finding, patterns in possible:
            into = traits if finding.context else acute
            if finding.name in into or not _allowed(finding, told, number):
                continue
            if any(
                pattern.needed <= here.keys() and _matches(pattern, finding, here, message, told)
                for pattern in patterns
            ):
                into.add(finding.name)
    return frozenset(acute), frozenset(traits)


def without_figures(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits less those that stand inside a longer figure of speech ("out of the blue")."""
    hidden: dict[int, int] = {}
    for figure in hits:
        if figure.name == _FIGURES:
            for at in range(figure.start, figure.end):
                hidden[at] = max(hidden.get(at, 0), figure.end - figure.start)
    return [
        hit
        for hit in hits
        if hit.end - hit.start >= hidden.get(hit.start, 0) or hit.end - hit.start >= hidden.get(hit.end - 1, 0)
    ]


def _allowed(finding: Finding, told: Telling, number: int) -> bool:
    """Say whether a sentence, as it is told, can hold this finding at all."""
    if finding.context or finding.anyone:
        return True
    return told.report[number] and (told.person[number] or not finding.named)


def _matches(pattern: Pattern, finding: Finding, hits: Mapping[str, list[Hit]], message: Words, told: Telling) -> bool:
    def counts(hit: Hit) -> bool:
        if told.unreal[hit.start] and not finding.anyone and not finding.context:
            return False
        # A number stands for itself: "no movements at 30 weeks" denies no week.
        if told.denied[hit.start] and not pattern.negating and not hit.name.startswith("@"):
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
        if (
            pattern.close
            and pattern.close[at]
            and place[hit.start] - place[chosen[-1].end - 1] > hit.start - (chosen[-1].end - 1)
        ):
            continue
        if _extend((*chosen, hit), at + 1, pattern, pools, message, told, finding):
            return True
    return False


def _timely(chosen: Sequence[Hit], told: Telling, finding: Finding) -> bool:
    if finding.context:
        return True
    if all(told.past[hit.start] for hit in chosen):
        return False
    return finding.mild_too or not all(told.chronic[hit.start] for hit in chosen)
