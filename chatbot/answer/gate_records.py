"""What goes through the gate: sources, drafts, thresholds, and what became of each draft.

Is: frozen records. Is not: a check (see `gate_checks.py`, `verify.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from corpus.hidden import remove_hidden

Check = Literal[
    "no_citation",
    "empty",
    "fragment",
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
    "reversed",
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
    """What the gate asks for, each a share from 0 to 1: what `gate_fit.py` chooses on `tests/gate/pairs_fit.yaml` alone
    (`entailment`, which no pair measures, is even odds).

    `direct` of a claim's words stand in the sentence itself, the rest in the passage around it. `condition` of
    the words of each condition in the source are kept, and `overlap` of those of the source's own clause.
    """

    direct: float = 0.8
    condition: float = 1.0
    overlap: float = 0.5
    similarity: float = 0.6
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


def tidy(text: str) -> str:
    """Return a statement on one line, without characters that a reader cannot see."""
    return " ".join(remove_hidden(text).split())
