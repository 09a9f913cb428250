"""What goes in and what comes out: turns, statements, cited passages, and the four kinds of reply.

Is: frozen records and their JSON form, which other programs rely on. Is not: words for the page (see `present/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from corpus.documents import Reference, web_link

Role = Literal["user", "assistant"]
Audience = Literal["patient", "student", "nurse", "physician"]
Mode = Literal["extractive", "llm"]
Outcome = Literal["answer", "abstention", "emergency", "clarification"]
AbstentionReason = Literal["nothing_near", "unknown_term", "unfit_request", "off_topic", "small_talk"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far.

    `standalone_question` and `passage_ids` are what an earlier reply of ours understood and cited; they are
    empty when the history came from outside as plain text.
    """

    role: Role
    content: str
    standalone_question: str = ""
    passage_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A quote that answers, with the numbers of the passages that it stands in.

    `context` is the chain of headings and lead-ins that it must be read under, outermost first. `start` and
    `end` are half-open code-point offsets into its document's text (0, 0 when a language model worded it).
    `badges` are short marks shown beside it, e.g. "strong recommendation"; `caution` is a sentence of ours that
    must stand with it, e.g. that its number should be checked in the source. `issued` is the year of its source and
    what stands against that source, e.g. "2012 · superseded".
    """

    text: str
    citations: tuple[int, ...]
    context: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    polarity: Literal["for", "against", "neutral"] = "neutral"
    badges: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    issued: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "text": self.text,
            "citations": list(self.citations),
            "context": list(self.context),
            "start": self.start,
            "end": self.end,
            "polarity": self.polarity,
            "badges": list(self.badges),
            "cautions": list(self.cautions),
            "issued": self.issued,
        }


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A passage as it is shown with a reply; `number` is what `Statement.citations` names, from 1."""

    number: int
    passage_id: str
    document_id: str
    title: str
    kind: str
    year: int | None
    section: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None
    url: str
    review_status: str | None
    references: tuple[Reference, ...] = ()
    source: str = ""
    last_updated: str | None = None
    superseded_by: str | None = None
    flags: tuple[str, ...] = ()
    audience: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        row = {name: getattr(self, name) for name in _PASSAGE_FIELDS}
        row["section"] = list(self.section)
        row["flags"] = list(self.flags)
        row["url"] = web_link(self.url)
        row["references"] = [
            {
                "number": entry.number,
                "kind": entry.kind,
                "title": entry.title,
                "source": entry.source,
                "year": entry.year,
                "url": entry.url,
                "authors": list(entry.authors),
                "pmid": entry.pmid,
                "doi": entry.doi,
            }
            for entry in self.references
        ]
        return row


_PASSAGE_FIELDS = (
    "number passage_id document_id title kind year section text start end page url review_status "
    "source last_updated superseded_by flags audience"
).split()


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of ours that must travel with a reply, e.g. ("pending_review", "No clinician has …")."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class EmergencyCard:
    """What is shown first when a message sounds like an emergency; `presentation` is the rule that fired.

    `sticky` says that an earlier turn raised it, not this message.
    """

    presentation: str
    title: str
    text: str
    actions: tuple[str, ...] = ()
    sticky: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "presentation": self.presentation,
            "title": self.title,
            "text": self.text,
            "actions": list(self.actions),
            "sticky": self.sticky,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every reply has, whatever its outcome."""

    question: str
    standalone_question: str
    disclaimer: str
    index_version: str
    notices: tuple[Notice, ...] = ()
    related_questions: tuple[str, ...] = ()
    confidence: float = 0.0
    mode: Mode = "extractive"
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    # Retrieved but not cited: (document id, title, section path) for the page's fold.
    also_retrieved: tuple[CitedPassage, ...] = ()
    understood: Mapping[str, Any] = field(default_factory=dict)
    # What the gate kept, replaced and dropped of a language model's statements, with reasons; empty without one.
    verification: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Common):
    """Statements with the passages they stand in."""

    statements: tuple[Statement, ...]
    passages: tuple[CitedPassage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention(Common):
    """A plain no: nothing in the index answers; `reason` is our sentence that says so."""

    reason_code: AbstentionReason
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency(Common):
    """A card first; statements may follow."""

    card: EmergencyCard
    statements: tuple[Statement, ...] = ()
    passages: tuple[CitedPassage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarification(Common):
    """One short question back, with the choices; each choice is a standalone question that can be asked."""

    clarifying_question: str
    choices: tuple[str, ...]


Reply = Answer | Abstention | Emergency | Clarification


def to_dict(reply: Reply) -> dict[str, Any]:
    """Return the JSON form that the command line and the page's API promise."""
    statements: Iterable[Statement] = getattr(reply, "statements", ())
    passages: Iterable[CitedPassage] = getattr(reply, "passages", ())
    row: dict[str, Any] = {
        "question": reply.question,
        "standalone_question": reply.standalone_question,
        "outcome": type(reply).__name__.lower(),
        "statements": [statement.to_dict() for statement in statements],
        "passages": [passage.to_dict() for passage in passages],
        "notices": [{"code": notice.code, "text": notice.text} for notice in reply.notices],
        "related_questions": list(reply.related_questions),
        "disclaimer": reply.disclaimer,
        "mode": reply.mode,
        "confidence": reply.confidence,
        "index_version": reply.index_version,
        "timings_ms": dict(reply.timings_ms),
        "also_retrieved": [passage.to_dict() for passage in reply.also_retrieved],
        "understood": dict(reply.understood),
    }
    if reply.verification:
        row["verification"] = dict(reply.verification)
    match reply:
        case Abstention():
            row["reason"] = reply.reason
            row["reason_code"] = reply.reason_code
        case Clarification():
            row["clarifying_question"] = reply.clarifying_question
            row["choices"] = list(reply.choices)
        case Emergency():
            row["emergency"] = reply.card.to_dict()
        case Answer():
            pass
    return row
