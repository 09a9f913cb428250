"""Finds requests that must be refused, and questions that carry a premise.

Is: a reviewed table (`unfit.yaml`) read like the red flags; every kind has words for the user.
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

# Asks for a verdict on a claim.
_VERDICT = (
    r"\b(?:is|was|are) (?:it|this|that) (?:really |actually |still |indeed |just )?"
    r"(?:true|correct|right|so|a fact|a myth|the case|possible that|proven|known)\b"
    r"|\b(?:am i right|i am right|i'm right|am i wrong|is that so|is this so|correct me if)\b"
    r"|\b(?:any|some|much|a grain of) truth (?:in|to|behind)\b|\b(?:has|have|had) (?:it|this|that) (?:ever )?been (?:proven|proved|shown)\b"
    r"|\bdo you (?:agree|think|believe)\b|\b(?:does|do|did|has|have) (?:s?he|they|it) (?:\w+ )?(?:have )?a point\b"
    r"|^(?:please |just |can you |could you |so )*confirm\b|\byes or no\b|\btrue or false\b|\b(?:fact or fiction|fact or myth|myth or fact)\b"
    r"|\b(?:right|correct|wrong|mistaken) (?:in|to) (?:think|say|believ|assum|suppos)\w*|\bwould you say\b|\bprove me wrong\b"
    r"|[.!?,:] *(?:true|correct|right|agreed|yes|yeah|really)\s*\?+\s*$|\btrue\s*\?\s*$|\bit'?s true\b"
)
# "…, don't they?", "…, right?", "… or not?": a claim with a question at its end.
_TAG = (
    r", ?(?:right|correct|true|yes|yeah|yep|no|ok|okay|or not|innit|huh|eh|isn'?t that so)\s*\?*\s*$"
    r"|, ?(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|must|may|might|ca|wo|need)(?:n'?t)? "
    r"(?:it|he|she|they|you|we|i|that|this|there|one|those|these)\s*\?*\s*$"
)
# A claim of somebody's, or of one's own. A guideline's recommendation is no hearsay.
_HEARSAY = (
    r"\bi (?:have |had )?(?:always |once |also |just )?(?:heard|read|learned|learnt|thought|understood|assumed|believed)\b"
    r"|\b(?:i|we) (?:was|were|have been|'?ve been|had been) (?:told|taught|led to believe|under the impression)\b|\bi'?ve (?:heard|read|been told|seen)\b|\bi saw (?:that|on|in|online|somewhere)\b"
    r"|\b(?:everyone|everybody|people|they|some|many|most people|all|others|folks?|doctors|experts) (?:always |all |often )?(?:say|claim|think|believe|know|swear|insist|reckon)s?\b"
    r"|\b(?!(?:guideline|guidelines|nice|who|source|sources|article|evidence|passage|quote)\b)[\w'.-]+ (?:always |once |has |just |also )?"
    r"(?:says|said|claimed|insists|insisted|swears|swore|reckons|reckoned|maintains|wrote|writes|believes|thinks|"
    r"argues|argued|stated|warned|promised|told (?:me|us|him|her|them))\b"
    r"|\b(?:i|we) (?:gather|take it that|assume|suppose|hear|understand)\b(?! (?:how|why|what|when|if|whether))|\b(?:is|was|am|are|'m|'s) (?:convinced|certain|adamant|positive|persuaded) (?:that|it)\b"
    r"|\b(?:theory|idea|view|opinion|claim|rumou?r|belief|advice|word|fact) (?:is|was|goes) (?:that\b|you\b)|\ba fact that\b"
    r"|\b(?:were|was|are|is|been|keeps?) (?:saying|claiming|telling (?:me|us|people))\b"
    r"|\baccording to (?!(?:the )?(?:guideline|nice|who|evidence|trial|stud|recommend|bnf|label|latest|current|new))"
    r"|\b(?:internet|google|chatgpt|wikipedia|facebook|tiktok|youtube|instagram|reddit|news|leaflet|label|advert) (?:says|told|claims|states)\b"
    r"|\bit (?:is|'s) (?:said|a myth|(?:well |widely |generally )?known|common knowledge|obvious|clear) that\b|\bit(?: is|'s) a myth\b|\bas (?:we|everyone|everybody|is) (?:all )?knows?n?\b"
    r"|\b(?:(?<!in )apparently|supposedly|allegedly|surely|obviously|of course|studies show|research shows|rumou?r)\b"
)
# Something is taken as given before the question is put.
_GIVEN = (
    r"^(?:so |but |and |well,? )?(?:since|given(?: that)?|because|seeing(?: that| as)?|as|now that|considering(?: that)?) .{3,200}?, ?"
    r"(?:what|which|how|why|can|could|should|do|does|is|are|when|where|who|will|would)\b"
    r"|^if .{3,200}?, ?(?:why|how come)\b|\bhow come\b"
    r"|\bwhy (?:is|are) (?!.{0,60}\b(?:not|no longer|never|less)\b).{2,80}\b(?:best|recommended|preferred|first choice|first line|safe|safer|better|dangerous|"
    r"banned|useless|effective|ineffective|harmful|harmless)\b"
    r"|\bwhy (?:do|does|did|can|should|must|would) (?:.{0,60}\b(?:all|always|never|every|everyone|nobody|only)\b|.{2,60}\b(?:make|cause|cure|heal|"
    r"prevent|kill|weaken|damage|destroy|ruin|trigger|lead to)\b)"
    r"|\bsince when\b|\bwhat makes .{2,60} (?:the|so|such|better|worse)\b|\bwhy would (?:any|some|every|you|one|a|they|people)"
    r"|^so,? (?:it|that|this)(?:'s| is) (?:fine|ok|okay|safe|true|right|possible|enough|best)\b"
    r"|\bhow long (?:has|have) .{2,60}\bbeen (?:the|a|an|considered|known|recommended|used as)\b"
)
# A question that begins with "isn't" or "doesn't" has its answer in mind.
_NEGATED_START = (
    r"^(?:so |but |and )?(?:is|are|does|do|was|were|has|have|ca|can|wo|will|should|would|did|could|must|had)n'?t\b"
)
_PREMISE = re.compile("|".join((_VERDICT, _TAG, _HEARSAY, _GIVEN, _NEGATED_START)), re.IGNORECASE)
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


def earlier_crisis(turns: Sequence[Turn], *, locale: str | None = None) -> EmergencyCard | None:
    """Return the crisis card of a request refused within the user's last `STICKY_TURNS` turns, or None.

    Like the card of a reported emergency it stays, whatever is asked next.
    """
    rules = load_unfit_rules()
    said = [turn.content for turn in turns if turn.role == "user"][-STICKY_TURNS:]
    if any((kind := _kind(text, rules)) and kind.crisis for text in said):
        return replace(crisis_card(locale), sticky=True)
    return None


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
