"""The rules of the gate for one claim against one unit of a source, each with its name.

Is: pure comparisons of two readings. Is not: the choice of the unit, nor what happens to a statement that falls
(see `verify.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from chatbot.answer.gate_claims import Claim, check_clauses
from chatbot.answer.gate_clauses import Reading, read
from chatbot.answer.gate_conditions import check_whom
from chatbot.answer.gate_direction import is_reversed
from chatbot.answer.gate_force import is_belief, is_unsure
from chatbot.answer.gate_quantities import Quantity
from chatbot.answer.gate_ranks import mistaken_rank
from chatbot.answer.gate_records import Failure, Source, SourceUnit, Thresholds
from chatbot.answer.gate_words import load_words, names_in, surface
from chatbot.present.population_mentions import populations_in
from chatbot.understand.polarity import statement_polarity


def check_claim(
    text: str, sentence: Reading, claim: Claim, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    ground = read(unit.whole)
    for check in (_drugs, _quantities, _words, _sides):
        if failure := check(sentence, claim, ground, unit, source, thresholds):
            return failure
    if kind := mistaken_rank(text, unit.whole):
        return Failure("condition", kind)
    if failure := check_clauses(sentence, claim, ground, thresholds):
        return failure
    if is_reversed(claim.clauses, ground.clauses):
        return Failure("reversed")
    if _only_linked(claim, ground) or _believed_elsewhere(sentence, claim, source):
        return Failure("strength")
    if failure := check_whom(sentence, ground, thresholds):
        return failure
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
        return Failure("overstated", surface(sorted(raised)[0]))
    everywhere = near.union(*(read(other.whole).names for other in source.units))
    lexicon = load_words()
    new = claim.names - everywhere
    if claim.names & names_in("breast-feeding"):
        new -= names_in("women")
    if hard := new - lexicon.general:
        return Failure("new_word", surface(sorted(hard)[0]))
    for word in sorted(new - lexicon.light):
        if lexicon.against.get(word, frozenset()) & ground.names:
            return Failure("opposite", surface(word))
    if elsewhere := (claim.names & everywhere) - near - lexicon.general:
        return Failure("scattered", surface(sorted(elsewhere)[0]))
    # Words that name nothing by themselves ("last", "after") need not stand in the source.
    telling = claim.names - lexicon.light or claim.names
    if telling and len(telling & near) / len(telling) < thresholds.direct:
        return Failure("scattered")
    return None


# A reason may be worded as a cause: "because of seizures", "as it can cause seizures".
_BECAUSE = re.compile(r"\b(?:because|due\s+to|owing\s+to|so\s+that|can\s+follow|follows?)\b", re.IGNORECASE)


# "An association between the virus and the disease" says less than that one causes the other.
_LINKS = re.compile(r"\b(?:associat\w+|link(?:s|ed)?|correlat\w+|risk\s+factors?)\b", re.IGNORECASE)
_CAUSES = re.compile(
    r"\b(?:causes(?!\s+of)|caused|causing|(?:can|may|might|could|will|would|to|also|not|often|sometimes|that|which)\s+cause|"
    r"(?:leads?|leading|led|due|owing)\s+to|result(?:s|ed|ing)?\s+(?:in|from)|br(?:ings?|ought)\s+on|trigger\w*|provok\w+|induc\w+|"
    r"produc\w+|because|as\s+a\s+result)\b",
    re.IGNORECASE,
)


def _only_linked(claim: Claim, ground: Reading) -> bool:
    """Say whether a claim of a cause stands on a unit that tells of a link alone."""
    if _LINKS.search(ground.text) is None or _CAUSES.search(ground.text):
        return False
    return any(_CAUSES.search(clause.text) for clause in claim.clauses)


def _believed_elsewhere(sentence: Reading, claim: Claim, source: Source) -> bool:
    """Say whether another unit of the passage tells most of a claim as a belief, and the statement tells it as a fact."""
    if is_unsure(sentence.text):
        return False
    for other in source.units:
        for clause in read(other.whole).clauses:
            shared = len(claim.names & clause.names)
            if clause.kind == "main" and shared > max(1, len(claim.names) / 2) and is_belief(clause.text):
                return True
    return False


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


def _sides(
    sentence: Reading, claim: Claim, ground: Reading, unit: SourceUnit, source: Source, thresholds: Thresholds
) -> Failure | None:
    for one, other in load_words().opposite:
        first, second = names_in(one), names_in(other)
        for ours, theirs in ((first, second), (second, first)):
            if ours and theirs and ours <= claim.names and theirs <= ground.names and not ours <= ground.names:
                return Failure("opposite", one)
    return None


def _against(text: str, unit: SourceUnit) -> Failure | None:
    """Compare the sides that statement and source take as wholes, the source read under its headings."""
    ours = statement_polarity(text)
    theirs = statement_polarity(unit.text, unit.context)
    alone = statement_polarity(unit.whole)
    if theirs == "against" and alone != "against" and ours != "against":
        # The heading forbids what the line itself only names.
        return Failure("polarity")
    return None
