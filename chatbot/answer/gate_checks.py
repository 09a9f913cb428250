"""The rules of the gate for one claim against one unit of a source, each with its name.

Is: pure comparisons of two readings. Is not: the choice of the unit, nor what happens to a statement that falls
(see `verify.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from chatbot.answer.gate_quantities import Quantity, find_quantities
from chatbot.answer.gate_records import Failure, Source, SourceUnit, Thresholds
from chatbot.answer.gate_words import CONSIDER, MUST, Clause, Reading, load_words, names_in, qualifiers_of, read
from chatbot.present.drugs import find_drugs
from chatbot.present.populations import populations_in
from chatbot.understand.polarity import statement_polarity


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a sentence: its clauses, with what rules the whole sentence."""

    clauses: tuple[Clause, ...]
    names: frozenset[str]
    quantities: tuple[Quantity, ...]


def claims_of(sentence: Reading) -> list[Claim]:
    leading = tuple(clause for clause in sentence.clauses if clause.leading)
    numbers = dict.fromkeys(clause.segment for clause in sentence.clauses)
    claims = []
    for number in numbers:
        own = tuple(clause for clause in sentence.clauses if clause.segment == number and not clause.leading)
        parts = (*leading, *own) if number == 0 or not own else own
        claims.append(
            Claim(
                parts,
                frozenset().union(*(clause.names for clause in parts)),
                tuple(quantity for clause in parts for quantity in clause.quantities),
            )
        )
    return claims


def check_claim(
    text: str, sentence: Reading, claim: Claim, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    ground = read(unit.whole)
    for check in (_drugs, _quantities, _words, _sides):
        if failure := check(sentence, claim, ground, unit, source, thresholds):
            return failure
    if failure := _clauses(sentence, claim, ground, thresholds):
        return failure
    if (whom := _WHOM.match(ground.text)) and _lacking(names_in(whom["what"]), sentence, thresholds):
        return Failure("population", _surface(sorted(names_in(whom["what"]) - sentence.names)[0]))
    around = "\n".join((source.title, *unit.context, *(other.text for other in source.units)))
    if populations_in(text) - populations_in(around):
        return Failure("population", ", ".join(sorted(populations_in(text) - populations_in(around))))
    return _against(text, unit)


def _quantities(
    sentence: Reading, claim: Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
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
    sentence: Reading, claim: Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    named = frozenset(name.removeprefix("drug:") for name in claim.names if name.startswith("drug:"))
    beyond = {name for name in named - ground.substances if not _spelt(name, ground.text)}
    if not beyond:
        return None
    # A unit that names no medicine of its own goes on about the one before it, or the one in its heading.
    carried: set[str] = set()
    if not ground.substances:
        for line in (source.title, *unit.context):
            carried |= read(line).substances
        topic: set[str] = set()
        for earlier in source.units:
            if earlier == unit:
                break
            carried = set(read(earlier.whole).substances) or carried
            topic = topic or carried
        carried |= topic
    else:
        for line in (source.title, *unit.context):
            carried |= read(line).substances
    if _LEANS.search(unit.text):
        # "Do not take trimethoprim with it": with what was named before.
        for earlier in source.units[: source.units.index(unit)]:
            carried |= read(earlier.whole).substances
    # "In someone on warfarin": a circumstance that the passage named before.
    around = {drug for other in source.units for drug in read(other.whole).substances}
    carried |= {name for name, start in sentence.drugs if name in around and _ALREADY.search(sentence.text[:start])}
    return Failure("drug", sorted(beyond - carried)[0]) if beyond - carried else None


_LEANS = re.compile(
    r"\b(?:it|them|they|another|other|both|(?:the|this|that|these|those)\s+(?:drug|medicine|tablet|treatment|infusion|dose|course)s?)\b",
    re.IGNORECASE,
)


def _spelt(name: str, text: str) -> bool:
    """Say whether a text names a medicine as a class ("tetracyclines") or by its parts ("amoxicillin and clavulanic acid")."""
    parts = load_words().combined.get(name, ())
    lowered = text.lower()
    return name + "s" in lowered or (bool(parts) and all(part in lowered for part in parts))


_ALREADY = re.compile(r"\b(?:on|taking|takes?|receiving|using|instead\s+of)\s+$", re.IGNORECASE)


def _words(
    sentence: Reading, claim: Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    near = ground.names.union(
        *(names_in(line) for line in (source.title, *unit.context)), _carried(unit, source), _topic(source)
    )
    near |= ground.raised
    if any(clause.kind == "reason" for clause in ground.clauses) or _BECAUSE.search(ground.text):
        near |= names_in("cause")
    if near & names_in("pregnant"):
        near |= names_in("women")
    # Medicines were checked before: one that a sentence calls "it" is as good as named.
    near |= frozenset(name for name in claim.names if name.startswith("drug:"))
    if raised := (sentence.raised & claim.names) - near:
        return Failure("overstated", _surface(sorted(raised)[0]))
    everywhere = near.union(*(read(other.whole).names for other in source.units))
    lexicon = load_words()
    new = claim.names - everywhere
    if claim.names & names_in("breast-feeding"):
        new -= names_in("women")
    if hard := new - lexicon.general:
        return Failure("new_word", _surface(sorted(hard)[0]))
    for word in sorted(new - lexicon.light):
        if lexicon.against.get(word, frozenset()) & ground.names:
            return Failure("opposite", _surface(word))
    if elsewhere := (claim.names & everywhere) - near - lexicon.general:
        return Failure("scattered", _surface(sorted(elsewhere)[0]))
    if claim.names and len(claim.names & near) / len(claim.names) < thresholds.direct:
        return Failure("scattered")
    return None


# A reason may be worded as a cause: "because of seizures", "as it can cause seizures".
_BECAUSE = re.compile(r"\b(?:because|due\s+to|owing\s+to|so\s+that|can\s+follow|follows?)\b", re.IGNORECASE)


@lru_cache(512)
def _topic(source: Source) -> frozenset[str]:
    """Return the words that more than one unit of a passage holds: what it is about."""
    held = Counter(name for unit in source.units for name in read(unit.whole).names)
    # A passage says at its beginning what it is about.
    opening = read(source.units[0].whole).names if source.units else frozenset()
    return frozenset(
        name for name, count in held.items() if (count > 1 or name in opening) and not name.startswith("drug:")
    )


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
    sentence: Reading, claim: Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    for one, other in load_words().opposite:
        first, second = names_in(one), names_in(other)
        for ours, theirs in ((first, second), (second, first)):
            if ours and theirs and ours <= claim.names and theirs <= ground.names and not ours <= ground.names:
                return Failure("opposite", one)
    return None


def _clauses(sentence: Reading, claim: Claim, ground: Reading, thresholds: Thresholds) -> Failure | None:
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
        last = {f"drug:{name}" for name, _, _ in find_drugs(clause.text)[-1:]}
        things = {name for name in own - load_words().general if not name.startswith("drug:")}
        if _said_otherwise((last | things) - match.names, clause, ground):
            # "Reverses dabigatran and has no effect on apixaban": each thing with its own verb.
            return Failure("polarity")
        segments.add(match.segment)
        if failure := _strength(sentence, clause, match):
            return failure
        if match.kind == "main":
            said = [any(q.said_by(own) for own in sentence.quantities) for q in match.quantities]
            kept, asked = len(match.names & sentence.names) + sum(said), len(match.names) + len(said)
            if asked and kept / asked < thresholds.overlap:
                return Failure("overlap")
    return _conditions(sentence, ground, segments, thresholds)


def _said_otherwise(apart: set[str], clause: Clause, ground: Reading) -> bool:
    """Say whether the source names one of these things only in claims that deny where the statement does not, or the reverse."""
    for name in apart:
        others = [
            other
            for other in ground.clauses
            if other.kind == "main"
            and name in other.names
            and (name.startswith("drug:") or other.text.lower().startswith(("but ", "yet ")))
        ]
        if others and all(other.denials != clause.denials for other in others):
            return True
    return False


def _same_denials(claim: Claim, match: Clause, ground: Reading) -> bool:
    """Say whether two claims deny as often in all, where their clauses are cut in different places."""
    theirs = [c for c in ground.clauses if c.segment == match.segment or c.leading]
    if any(
        c.denials and c.subject and not c.text.lower().startswith(_GOES_ON) and not c.names & claim.names
        for c in theirs
    ):
        # "… and bloody ones are left alone": said of something else.
        return False
    ours = sum(clause.denials for clause in claim.clauses)
    # One clause against one is compared as it is.
    return len(claim.clauses) != len(theirs) and ours > 0 and ours == sum(c.denials for c in theirs)


_GOES_ON = tuple(
    f"{word} {verb}" for word in ("and", "or", "but") for verb in ("is", "are", "should", "must", "may", "can")
)


def _nearest(clause: Clause, clauses: Sequence[Clause]) -> Clause | None:
    """Return the clause of the source that shares most; of equals the one of the same kind and the same side."""
    # The medicine named last is the one that something is said of doing to.
    drugs = [f"drug:{name}" for name, _, _ in find_drugs(clause.text)]
    object_ = drugs[-1] if len(drugs) > 1 else None
    best: tuple[float, bool, bool, float] | None = None
    chosen: Clause | None = None
    for other in clauses:
        own = clause.names & other.names
        shared = len(own) + len(((clause.names | clause.subject) & (other.names | other.subject)) - own) / 2
        shared += sum(any(q.said_by(o) for o in other.quantities) for q in clause.quantities)
        shared += sum(name.startswith("drug:") for name in own) + 2 * (object_ in other.names)
        if not shared:
            continue
        rank = (shared, clause.kind == other.kind, clause.denials == other.denials, -len(other.names))
        if best is None or rank > best:
            best, chosen = rank, other
    return chosen


def _strength(sentence: Reading, clause: Clause, match: Clause) -> Failure | None:
    if clause.strength > match.strength and (match.strength <= CONSIDER or clause.strength == MUST):
        return Failure("strength")
    if match.kind == "main" and match.strength - clause.strength > 1 and (match.strength == MUST or match.denials):
        # "Can be used" for what should be used takes something away and claims nothing; for a ban it does.
        return Failure("strength")
    said = frozenset().union(*(other.hedges for other in sentence.clauses))
    return None if match.hedges <= said else Failure("hedge")


def _conditions(sentence: Reading, ground: Reading, segments: set[int], thresholds: Thresholds) -> Failure | None:
    """Ask for every condition under which the source makes the claim; of alternatives for one."""
    missing: Failure | None = None
    said = frozenset().union(*(own.hedges for own in sentence.clauses))
    for clause in ground.clauses:
        if not (clause.leading or clause.segment in segments):
            continue
        if clause.kind != "relative" and not clause.hedges <= said:
            return Failure("hedge")
        if clause.kind in ("main", "condition") and (who := _left_out(clause.names, sentence.names, ground.names)):
            return Failure("population", _surface(who))
        alternative = clause.text.lower().startswith("or ")
        if missing and not alternative:
            return missing
        if clause.kind == "condition" and not (alternative and missing is None):
            missing = _unmet(clause.text, sentence, thresholds)
        elif clause.kind == "main":
            for alternatives in qualifiers_of(clause.text):
                failures = [_lacking(names, sentence, thresholds) for names in alternatives]
                if None not in failures:
                    return failures[0]
    return missing or _limits(sentence, ground, thresholds)


# "If A or B" holds for A; "unless A or B" does not hold for A alone.
_OR = re.compile(
    r",?\s+or\s+(?!more|less|fewer|above|below|over|under|lower|higher|older|younger|later|longer|greater)", re.I
)
_ALL_OF = re.compile(r"\s*(?:unless|until|except|without)\b", re.IGNORECASE)


def _unmet(condition: str, sentence: Reading, thresholds: Thresholds) -> Failure | None:
    parts = [condition] if _ALL_OF.match(condition) else _OR.split(condition)
    failures = [_unmet_part(part, sentence, thresholds) for part in parts]
    return None if None in failures else failures[0]


def _unmet_part(part: str, sentence: Reading, thresholds: Thresholds) -> Failure | None:
    for quantity in find_quantities(part):
        if not any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities):
            return Failure("condition", quantity.written[:40])
    return _lacking(names_in(part), sentence, thresholds)


def _lacking(names: frozenset[str], sentence: Reading, thresholds: Thresholds) -> Failure | None:
    """Return the failure of a condition of which too few words are kept, or not all that name a thing."""
    names = names - load_words().light or names
    if not names:
        return None
    share = len(names & sentence.names) / len(names)
    things = names - load_words().general
    if share >= thresholds.condition or (things and things <= sentence.names and share > 1 / 2):
        return None
    return Failure("condition", _surface(sorted(things - sentence.names or names - sentence.names)[0]))


# "In the first 3 months of pregnancy", "within 24 hours of the rash": what is kept of it must keep its number.
_OF_WHAT = re.compile(r"\s+of\s+(?:the\s+|an?\s+)?(?P<what>[^\W\d_]+)")
# Who is meant: "people allergic to penicillin", "drivers who fainted while sitting".
_WHOM = re.compile(
    r"\s*(?:people|persons?|adults|women|men|children|patients|those|drivers|smokers|infants|babies|users|residents|wearers|someone|"
    r"anyone|everyone|girls|boys|adolescents)\s+(?:who|whose|that|taking|allergic|intolerant|having|living)\s+(?P<what>[^.;:,]+?)"
    r"(?=\s+(?:should|must|may|might|can|could|needs?|are|is|takes?|receives?|has|have|will|requires?)\b|[.;:,]|$)",
    re.IGNORECASE,
)


def _limits(sentence: Reading, ground: Reading, thresholds: Thresholds) -> Failure | None:
    """Ask for the numbers and descriptions that bound what a statement goes on to name."""
    for quantity in ground.quantities:
        of = _OF_WHAT.match(ground.text, quantity.end)
        kept = any(quantity.said_by(own) or own.said_by(quantity) for own in sentence.quantities)
        if kept:
            continue
        if of and quantity.unit in ("hour", "month") and names_in(of["what"]) & sentence.names - load_words().general:
            return Failure("condition", quantity.written[:40])
        if _AGE.search(ground.text[: quantity.start]) or (quantity.direction and _ON.match(ground.text, quantity.end)):
            return Failure("population", quantity.written[:40])
    for match in _RESTRICTS.finditer(ground.text):
        if names_in(match["what"]) & sentence.names and _lacking(names_in(match["how"]), sentence, thresholds):
            return Failure("condition", _surface(sorted(names_in(match["how"]) - sentence.names)[0]))
    return None


# An age that says whom: "anyone younger than 12 years", "from 55 years on".
_AGE = re.compile(
    r"\b(?:people|persons?|adults|women|men|children|child|infants|babies|patients|those|someone|anyone|everyone|girls|boys)\s+"
    r"(?:who\s+are\s+)?(?:aged\s+)?(?:younger\s+than|older\s+than|over|under|below|above|from|aged?)\s*$",
    re.IGNORECASE,
)
_ON = re.compile(r"\s+on(?:wards?)?\s*(?:[.,;]|$)", re.IGNORECASE)
# "Eczema that has not responded to strong steroids": no other eczema is meant.
_RESTRICTS = re.compile(
    r"\b(?P<what>[^\W\d_]+)\s+(?:that|who|which|whose)\s+(?P<how>(?:failed|has|have|had|did|does|do|is|are|was|were|cannot)\b[^,;.:]*)",
    re.IGNORECASE,
)


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
