"""Cuts a sentence into claims and compares each, clause with clause, with what a unit of a source claims.

Is: pure comparisons of denial, strength, hedges and how much is kept. Is not: the conditions of a claim
(see `gate_conditions.py`), nor its words and numbers (see `gate_checks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.answer.gate_clauses import Clause, Reading
from chatbot.answer.gate_conditions import check_conditions, is_made_certain
from chatbot.answer.gate_force import CONSIDER, MUST, claim_denials_in
from chatbot.answer.gate_quantities import Quantity
from chatbot.answer.gate_records import Failure, Thresholds
from chatbot.answer.gate_words import load_words
from chatbot.present.drugs import find_drugs


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


def check_clauses(sentence: Reading, claim: Claim, ground: Reading, thresholds: Thresholds) -> Failure | None:
    """Compare clause with clause: denial, strength and hedges of those that say the same; then what was left out."""
    segments: set[int] = set()
    for clause in claim.clauses:
        match = _nearest(clause, ground.clauses)
        own = clause.names
        held = any(q.said_by(other) for q in clause.quantities for other in ground.quantities)
        if clause.kind == "main" and own and not held and (match is None or not own & ground.names):
            return Failure("scattered")
        if match is None:
            if clause.kind == "main" and bool(clause.denials) != _denies(ground):
                # "You do not need treatment" names nothing that could be found, and yet it denies.
                return Failure("polarity")
            continue
        told = clause.kind == "reason" or (clause.kind == "relative" and match.kind != "main")
        if told and match.kind != "condition" and (failure := _strength(sentence, clause, match)):
            # "As it may slow the heart": what a reason says is claimed as well.
            return failure
        if clause.kind != "main" and match.kind == "main":
            # What the source says of a condition as its claim: "during pregnancy" beside "contraindicated in pregnancy".
            if clause.denials > sum(other.denials for other in ground.clauses):
                return Failure("polarity")
            continue
        if clause.kind == match.kind == "main" and _claims_otherwise(clause, match):
            again = _said_again(clause, ground.clauses)
            if again is None:
                return Failure("polarity")
            match = again
        if clause.denials != match.denials and not _same_denials(claim, match, ground):
            return Failure("polarity")
        if clause.kind != "main":
            continue
        last = {f"drug:{name}" for name, _, _ in find_drugs(clause.text)[-1:]} - match.subject
        things = {name for name in own - match.subject - load_words().light if not name.startswith("drug:")}
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
    return check_conditions(sentence, ground, segments, thresholds)


def _denies(ground: Reading) -> bool:
    return any(clause.denials for clause in ground.clauses if clause.kind == "main")


def _said_otherwise(apart: set[str], clause: Clause, ground: Reading) -> bool:
    """Say whether the source names one of these things only in claims that deny where the statement does not, or the reverse."""
    for name in apart:
        others = [
            other
            for other in ground.clauses
            if other.kind == "main"
            and name in other.names
            and (name.startswith("drug:") or other.text.lower().startswith(("but ", "yet ", "and ")))
        ]
        if others and all(other.denials != clause.denials for other in others):
            return True
    return False


def _claims_otherwise(clause: Clause, match: Clause) -> bool:
    return bool(claim_denials_in(clause.text)) != bool(claim_denials_in(match.text))


def _said_again(clause: Clause, clauses: Sequence[Clause]) -> Clause | None:
    """Return the claim that says just this of its subject: "X may harm and is avoided" beside "X is avoided"."""
    for other in clauses:
        covers = other.kind == "main" and other.names <= clause.names <= other.names | other.subject
        if covers and not _claims_otherwise(clause, other):
            return other
    return None


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
    return None if match.hedges <= said and not is_made_certain(match, sentence) else Failure("hedge")
