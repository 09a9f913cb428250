"""The gate: decides which written statements may stand, against the passages that they cite.

Is: pure; the same for every model; each check is a rule with a name, and a check that cannot decide fails the
statement. Is not: a language model, nor a judge of whether a passage is right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Literal

from chatbot.answer.gate_quantities import Quantity
from chatbot.answer.gate_words import CONSIDER, MUST, Clause, Reading, adapted, load_words, names_in, read
from chatbot.answer.injection import holds_markup, is_instruction
from chatbot.present.populations import populations_in
from chatbot.understand.polarity import statement_polarity
from corpus.hidden import remove_hidden
from corpus.sentences import split_sentences

# Raised with every rule below, so that two reports can be told apart.
GATE_VERSION = 1
# A longer statement is an essay: nothing that a passage says in one place needs more.
MAX_STATEMENT_CHARS = 500

Check = Literal[
    "no_citation",
    "empty",
    "too_long",
    "markup",
    "instruction",
    "script",
    "quantity",
    "drug",
    "new_word",
    "opposite",
    "scattered",
    "polarity",
    "strength",
    "hedge",
    "overstated",
    "population",
    "condition",
    "overlap",
    "similarity",
    "entailment",
    "repeated",
]
Decision = Literal["kept", "replaced", "dropped"]

# Returns the cosine of one text with each of several, in their order.
Similarity = Callable[[str, Sequence[str]], Sequence[float]]
# Returns the probability that a premise entails a hypothesis.
Entailment = Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the gate asks for, each a share from 0 to 1. Fitted; see `gate_fit.py`.

    `direct` of a claim's words stand in the sentence itself, the rest in the passage around it. `condition` of
    the words of each condition in the source are kept, and `overlap` of those of the source's own clause.
    """

    direct: float = 0.8
    condition: float = 0.6
    overlap: float = 0.5
    similarity: float = 0.5
    entailment: float = 0.5


DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """A sentence or list item that may support a statement; offsets are half-open, into its document's text.

    `lead_in` is the line that it was listed under; `context` all headings and lead-ins, outermost first.
    `quotable` says whether it may itself be shown in place of a statement that fell.
    """

    text: str
    start: int = 0
    end: int = 0
    lead_in: str = ""
    context: tuple[str, ...] = ()
    quotable: bool = True

    @property
    def whole(self) -> str:
        """Return the unit as it reads under its lead-in."""
        return f"{self.lead_in.rstrip(' :')} {self.text}" if self.lead_in else self.text


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as the model was shown it, under the number by which it may be cited."""

    number: int
    title: str
    units: tuple[SourceUnit, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement as a model wrote it, with the numbers that it cites."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """A unit that a statement stands on."""

    number: int
    unit: SourceUnit


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a statement fell: the check, and the one word or number at fault ("" where that could carry markup)."""

    check: Check
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a draft. `supports` are the units that it stands on, or that stand in its place."""

    draft: Draft
    decision: Decision
    failure: Failure | None = None
    supports: tuple[Support, ...] = field(default=())

    @property
    def text(self) -> str:
        """Return what is shown; "" when nothing is."""
        match self.decision:
            case "kept":
                return tidy(self.draft.text)
            case "replaced":
                return self.supports[0].unit.text
        return ""

    @property
    def citations(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(support.number for support in self.supports))


class Gate:
    """Checks drafts one by one; remembers which quotes it has shown, so that none is shown twice."""

    def __init__(
        self,
        sources: Sequence[Source],
        similarity: Similarity,
        *,
        entailment: Entailment | None = None,
        thresholds: Thresholds = DEFAULT_THRESHOLDS,
    ) -> None:
        self._sources = {source.number: _without_instructions(source) for source in sources}
        self._similarity = similarity
        self._entailment = entailment
        self._thresholds = thresholds
        self._shown: set[str] = set()

    def judge(self, draft: Draft) -> Verdict:
        """Return what becomes of one draft."""
        cited = [self._sources[number] for number in dict.fromkeys(draft.citations) if number in self._sources]
        if not cited:
            return Verdict(draft, "dropped", Failure("no_citation"))
        outcome = check_statement(draft.text, cited, self._similarity, self._thresholds, self._entailment)
        if isinstance(outcome, Failure):
            return self._in_its_place(draft, cited, outcome)
        key = tidy(draft.text).lower()
        if key in self._shown:
            return Verdict(draft, "dropped", Failure("repeated"))
        self._shown.add(key)
        return Verdict(draft, "kept", None, outcome)

    def _in_its_place(self, draft: Draft, cited: Sequence[Source], failure: Failure) -> Verdict:
        quote = best_quote(draft.text, cited)
        if quote is None or failure.check in ("empty", "instruction", "markup"):
            return Verdict(draft, "dropped", failure)
        key = tidy(quote.unit.text).lower()
        if key in self._shown:
            return Verdict(draft, "dropped", failure)
        self._shown.add(key)
        return Verdict(draft, "replaced", failure, (quote,))


def verify(drafts: Iterable[Draft], gate: Gate) -> tuple[Verdict, ...]:
    """Return a verdict for each draft, in order."""
    return tuple(gate.judge(draft) for draft in drafts)


def tidy(text: str) -> str:
    """Return a statement on one line, without characters that a reader cannot see."""
    return " ".join(remove_hidden(text).split())


def check_statement(
    text: str,
    sources: Sequence[Source],
    similarity: Similarity,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    entailment: Entailment | None = None,
) -> tuple[Support, ...] | Failure:
    """Return the units that a statement stands on, or why it may not stand.

    Every sentence of it, and every claim of a sentence, must stand on one unit of one source.
    """
    text = tidy(text)
    if failure := _form(text):
        return failure
    for source in sources:
        for unit in source.units:
            if tidy(unit.text) == text and not unit.lead_in:
                return (Support(source.number, unit),)
    sources = [_by_sentence(source) for source in sources]
    supports: list[Support] = []
    for start, end in split_sentences(text):
        found = _check_sentence(text[start:end], sources, similarity, thresholds, entailment)
        if isinstance(found, Failure):
            return found
        supports += found
    return tuple(dict.fromkeys(supports))


@lru_cache(512)
def _by_sentence(source: Source) -> Source:
    """Return a source whose units are single sentences; each keeps the place of the unit that it came from."""
    units = tuple(
        replace(unit, text=part)
        for unit in source.units
        for start, end in split_sentences(unit.text)
        for part in _parts(unit.text[start:end])
    )
    return Source(source.number, source.title, units)


# "If …, …; …": what comes after the semicolon is not under the condition; "In adults, …; …" goes on about adults.
_CONDITION_THEN_MORE = re.compile(r"\s*(?:if|when|once|unless|until|after|before)\b[^;]*;(?=\s)", re.IGNORECASE)


def _parts(sentence: str) -> tuple[str, ...]:
    first = _CONDITION_THEN_MORE.match(sentence)
    return (first.group(), sentence[first.end() :].strip()) if first else (sentence,)


def best_quote(text: str, sources: Sequence[Source]) -> Support | None:
    """Return the quotable unit that shares most with a statement; None if none shares a third of its words."""
    names = read(tidy(text)[:MAX_STATEMENT_CHARS]).names
    best: tuple[float, Support] | None = None
    for source in sources:
        for unit in source.units:
            if not unit.quotable or holds_markup(unit.text):
                continue
            score = len(names & read(unit.whole).names) / max(1, len(names))
            if score >= _QUOTE_SHARE and (best is None or score > best[0]):
                best = (score, Support(source.number, unit))
    return best[1] if best else None


# A quote that shares less with what the model wrote answers something else.
_QUOTE_SHARE = 1 / 3


def _without_instructions(source: Source) -> Source:
    """Leave out sentences that speak to a model: they are no evidence, and are never quoted."""
    return Source(source.number, source.title, tuple(unit for unit in source.units if not is_instruction(unit.text)))


def _form(text: str) -> Failure | None:
    if not any(char.isalpha() for char in text):
        return Failure("empty")
    if len(text) > MAX_STATEMENT_CHARS:
        return Failure("too_long")
    if holds_markup(text):
        return Failure("markup")
    if is_instruction(text):
        return Failure("instruction")
    if any(char.isalpha() and ord(char) > 0x24F and not 0x370 <= ord(char) < 0x400 for char in text):
        # Latin and Greek letters are what a guideline is written in; others look like them and are not.
        return Failure("script")
    return None


@dataclass(frozen=True, slots=True)
class _Claim:
    """One claim of a sentence: its clauses, with what rules the whole sentence."""

    clauses: tuple[Clause, ...]
    names: frozenset[str]
    quantities: tuple[Quantity, ...]


def _claims(sentence: Reading) -> list[_Claim]:
    leading = tuple(clause for clause in sentence.clauses if clause.leading)
    numbers = dict.fromkeys(clause.segment for clause in sentence.clauses)
    claims = []
    for number in numbers:
        own = tuple(clause for clause in sentence.clauses if clause.segment == number and not clause.leading)
        parts = (*leading, *own) if number == 0 or not own else own
        claims.append(
            _Claim(
                parts,
                frozenset().union(*(clause.names for clause in parts)),
                tuple(quantity for clause in parts for quantity in clause.quantities),
            )
        )
    return claims


def _check_sentence(
    text: str,
    sources: Sequence[Source],
    similarity: Similarity,
    thresholds: Thresholds,
    entailment: Entailment | None,
) -> list[Support] | Failure:
    for source in sources:
        for unit in source.units:
            if tidy(unit.text) == text and not unit.lead_in:
                return [Support(source.number, unit)]
    known = (line for source in sources for unit in source.units for line in (source.title, *unit.context, unit.text))
    sentence = adapted(read(text), frozenset().union(*(names_in(line) for line in known)))
    supports: list[Support] = []
    for claim in _claims(sentence):
        failure: Failure | None = None
        for support, source in _candidates(claim, sources):
            found = _check_claim(text, sentence, claim, support.unit, source, thresholds)
            if found is None:
                supports.append(support)
                failure = None
                break
            failure = failure or found
        else:
            return failure or Failure("scattered")
    wholes = [support.unit.whole for support in supports]
    if not supports or max(similarity(text, [*wholes, " ".join(wholes)])) < thresholds.similarity:
        return Failure("similarity")
    if entailment and max(entailment(whole, text) for whole in [*wholes, " ".join(wholes)]) < thresholds.entailment:
        return Failure("entailment")
    return supports


# Units that are tried for one claim, the nearest first.
_TRIED = 3


def _candidates(claim: _Claim, sources: Sequence[Source]) -> list[tuple[Support, Source]]:
    # A word that many units hold says little about which of them is meant.
    held_by = Counter(name for source in sources for unit in source.units for name in read(unit.whole).names)
    ranked = []
    for source in sources:
        for place, unit in enumerate(source.units):
            reading = read(unit.whole)
            shared = sum(1 / held_by[name] for name in claim.names & reading.names)
            held = sum(any(q.said_by(other) for other in reading.quantities) for q in claim.quantities)
            if shared + held:
                ranked.append((-(shared + held), len(reading.names), source.number, place, unit, source))
    ranked.sort(key=lambda row: row[:4])
    return [(Support(row[2], row[4]), row[5]) for row in ranked[:_TRIED]]


def _check_claim(
    text: str, sentence: Reading, claim: _Claim, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    ground = read(unit.whole)
    for check in (_drugs, _quantities, _words, _sides):
        if failure := check(sentence, claim, ground, unit, source, thresholds):
            return failure
    if failure := _clauses(sentence, claim, ground, thresholds):
        return failure
    around = "\n".join((source.title, *unit.context, *(other.text for other in source.units)))
    if populations_in(text) - populations_in(around):
        return Failure("population", ", ".join(sorted(populations_in(text) - populations_in(around))))
    return _against(text, unit)


def _quantities(
    sentence: Reading, claim: _Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    around = (*ground.quantities, *(q for line in unit.context for q in read(line).quantities))
    for quantity in claim.quantities:
        if not any(quantity.said_by(other) for other in around):
            return Failure("quantity", quantity.written[:40])
        ours, theirs = (
            _bound_to(sentence, quantity),
            {drug for other in ground.quantities if quantity.said_by(other) and (drug := _bound_to(ground, other))},
        )
        if ours and theirs and ours not in theirs:
            return Failure("quantity", f"{quantity.written[:40]} of {ours}")
    return None


# What medicines are measured in; any other number belongs to a body, a test or a time.
_AMOUNTS = frozenset("mg ml unit mmol tablet capsule puff drop".split())
# "5 mg of", "1 to 5 mg of".
_OF = re.compile(r"[\d.,]+(?:\s*(?:-|–|to)\s*[\d.,]+)?\s*[^\s\d]+\s+(?:\w+\s+)?of\s+")


def _bound_to(reading: Reading, quantity: Quantity) -> str:
    """Return the medicine that an amount belongs to: the last one named before it, else the first after it."""
    if quantity.unit not in _AMOUNTS:
        return ""
    at = next((q.start for q in reading.quantities if q.same(quantity)), quantity.start)
    for name, start in reading.drugs:
        if _OF.fullmatch(reading.text, at, max(at, start)):
            return name
    before = [name for name, start in reading.drugs if start <= at]
    after = [name for name, start in reading.drugs if start > at]
    return before[-1] if before else after[0] if after else ""


def _drugs(
    sentence: Reading, claim: _Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    named = frozenset(name.removeprefix("drug:") for name in claim.names if name.startswith("drug:"))
    beyond = named - ground.substances
    if not beyond:
        return None
    # A unit that names no medicine of its own goes on about the one before it, or the one in its heading.
    carried: set[str] = set()
    if not ground.substances:
        for line in (source.title, *unit.context):
            carried |= read(line).substances
        for earlier in source.units:
            if earlier == unit:
                break
            carried = set(read(earlier.whole).substances) or carried
    else:
        for line in (source.title, *unit.context):
            carried |= read(line).substances
    # "In someone on warfarin": a circumstance that the passage named before.
    around = {drug for other in source.units for drug in read(other.whole).substances}
    carried |= {name for name, start in sentence.drugs if name in around and _ALREADY.search(sentence.text[:start])}
    return Failure("drug", sorted(beyond - carried)[0]) if beyond - carried else None


_ALREADY = re.compile(r"\b(?:on|taking|takes?|receiving|using|instead\s+of)\s+$", re.IGNORECASE)


def _words(
    sentence: Reading, claim: _Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    near = ground.names.union(
        *(names_in(line) for line in (source.title, *unit.context)), _carried(unit, source), _topic(source)
    )
    # Medicines were checked before: one that a sentence calls "it" is as good as named.
    near |= frozenset(name for name in claim.names if name.startswith("drug:"))
    if raised := (sentence.raised & claim.names) - near:
        return Failure("overstated", _surface(sorted(raised)[0]))
    everywhere = near.union(*(read(other.whole).names for other in source.units))
    new = claim.names - everywhere
    if claim.names & names_in("pregnant breast-feeding"):
        new -= names_in("women")
    if new:
        return Failure("new_word", _surface(sorted(new)[0]))
    if claim.names and len(claim.names & near) / len(claim.names) < thresholds.direct:
        return Failure("scattered")
    return None


@lru_cache(512)
def _topic(source: Source) -> frozenset[str]:
    """Return the words that more than one unit of a passage holds: what it is about."""
    held = Counter(name for unit in source.units for name in read(unit.whole).names)
    return frozenset(name for name, count in held.items() if count > 1 and not name.startswith("drug:"))


def _carried(unit: SourceUnit, source: Source) -> frozenset[str]:
    """Return the words of conditions that earlier units set and that a reader carries on: "In pregnancy, …"."""
    carried: set[str] = set()
    for earlier in source.units:
        if earlier == unit:
            break
        for clause in read(earlier.whole).clauses:
            if clause.leading:
                carried |= clause.names
            elif clause.kind == "main":
                carried = carried.union(clause.subject, *clause.qualifiers)
    return frozenset(carried)


def _surface(key: str) -> str:
    return key if not key.startswith("§") else ""


def _sides(
    sentence: Reading, claim: _Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    for one, other in load_words().opposite:
        first, second = names_in(one), names_in(other)
        for ours, theirs in ((first, second), (second, first)):
            if ours and theirs and ours <= claim.names and theirs <= ground.names and not ours <= ground.names:
                return Failure("opposite", one)
    return None


def _clauses(sentence: Reading, claim: _Claim, ground: Reading, thresholds: Thresholds) -> Failure | None:
    """Compare clause with clause: denial, strength and hedges of those that say the same; then what was left out."""
    segments: set[int] = set()
    for clause in claim.clauses:
        match = _nearest(clause, ground.clauses)
        own = clause.names
        held = any(q.said_by(other) for q in clause.quantities for other in ground.quantities)
        if clause.kind == "main" and own and not held and (match is None or not own & ground.names):
            return Failure("scattered")
        if match is None:
            continue
        if clause.kind != "main" and match.kind == "main":
            # What the source says of a condition as its claim: "during pregnancy" beside "contraindicated in pregnancy".
            continue
        if clause.denials != match.denials and not _same_denials(claim, match, ground):
            return Failure("polarity")
        if clause.kind != "main":
            continue
        segments.add(match.segment)
        if failure := _strength(sentence, clause, match):
            return failure
        if match.kind == "main":
            held = [any(q.said_by(own) for own in sentence.quantities) for q in match.quantities]
            kept, asked = len(match.names & sentence.names) + sum(held), len(match.names) + len(held)
            if asked and kept / asked < thresholds.overlap:
                return Failure("overlap")
    return _conditions(sentence, ground, segments, thresholds)


def _same_denials(claim: _Claim, match: Clause, ground: Reading) -> bool:
    """Say whether two claims deny as often in all, where their clauses are cut in different places."""
    theirs = [c for c in ground.clauses if c.segment == match.segment or c.leading]
    ours = sum(clause.denials for clause in claim.clauses)
    # One clause against one is compared as it is.
    return len(claim.clauses) != len(theirs) and ours > 0 and ours == sum(c.denials for c in theirs)


def _nearest(clause: Clause, clauses: Sequence[Clause]) -> Clause | None:
    """Return the clause of the source that shares most; of equals the one of the same kind and the same side."""
    best: tuple[float, bool, bool, float] | None = None
    chosen: Clause | None = None
    for other in clauses:
        own = clause.names & other.names
        shared = len(own) + len(((clause.names | clause.subject) & (other.names | other.subject)) - own) / 2
        shared += sum(any(q.said_by(o) for o in other.quantities) for q in clause.quantities)
        if not shared:
            continue
        rank = (shared, clause.kind == other.kind, clause.denials == other.denials, -len(other.names))
        if best is None or rank > best:
            best, chosen = rank, other
    return chosen


def _strength(sentence: Reading, clause: Clause, match: Clause) -> Failure | None:
    if clause.strength > match.strength and (match.strength <= CONSIDER or clause.strength == MUST):
        return Failure("strength")
    if match.kind == "main" and match.strength - clause.strength > 1:
        return Failure("strength")
    said = frozenset().union(*(other.hedges for other in sentence.clauses))
    return None if match.hedges <= said else Failure("hedge")


def _conditions(sentence: Reading, ground: Reading, segments: set[int], thresholds: Thresholds) -> Failure | None:
    """Ask for every condition under which the source makes the claim."""
    for clause in ground.clauses:
        rules = clause.leading or clause.segment in segments
        if not rules:
            continue
        said = frozenset().union(*(own.hedges for own in sentence.clauses))
        if clause.kind != "relative" and not clause.hedges <= said:
            return Failure("hedge")
        if clause.kind in ("main", "condition") and (who := _left_out(clause.names, sentence.names, ground.names)):
            return Failure("population", _surface(who))
        if clause.kind == "condition":
            asked: list[frozenset[str]] = [clause.names] if clause.names else []
            for quantity in clause.quantities:
                if not any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities):
                    return Failure("condition", quantity.written[:40])
        elif clause.kind == "main":
            asked = [names for names in clause.qualifiers]
        else:
            continue
        for names in asked:
            if len(names & sentence.names) / len(names) < thresholds.condition:
                return Failure("condition", _surface(sorted(names - sentence.names)[0]))
    return None


def _left_out(theirs: frozenset[str], ours: frozenset[str], anywhere: frozenset[str]) -> str:
    """Return a group that a source speaks of and a statement does not; "" if it names one of several groups."""
    missing = (theirs & _people()) - ours
    groups = names_in("adult woman man child infant adolescent teenager newborn")
    if missing <= groups and anywhere & groups & ours:
        return ""
    return sorted(missing)[0] if missing else ""


@cache
def _people() -> frozenset[str]:
    return names_in("adult woman man child infant older pregnant breast-feeding adolescent teenager newborn")


def _against(text: str, unit: SourceUnit) -> Failure | None:
    """Compare the sides that statement and source take as wholes, the source read under its headings."""
    ours = statement_polarity(text)
    theirs = statement_polarity(unit.text, unit.context)
    alone = statement_polarity(unit.whole)
    if theirs == "against" and alone != "against" and ours != "against":
        # The heading forbids what the line itself only names.
        return Failure("polarity")
    return None
