"""The nouns that everything speaks: a document, its sections, its blocks, its references.

Is: plain frozen records with code-point offsets into one plain text. Is not: a parser (see `readers/`) and not
a search unit (see `index/passages.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote, quote_plus, urlsplit

DocumentKind = Literal["guideline", "research", "review", "patient-information"]
ReferenceKind = Literal["guideline", "research", "other"]
ReviewStatus = Literal["submitted", "under_review", "approved"]
BlockKind = Literal["paragraph", "item", "row", "caption", "note"]

DOCUMENT_KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
REVIEW_STATUSES: tuple[ReviewStatus, ...] = get_args(ReviewStatus)

# A half-open range of code points of `Document.text`.
Span = tuple[int, int]


class UnreadableSource(Exception):
    """A source cannot be read at all; the message is the reason in plain words, without the path."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or one record of a file ("corpus.jsonl:12"), that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of a document's numbered reference list.

    `number` counts from 1 in the order of the list, which is what a marker "[4]" points at. `label` is the mark
    that the source itself printed, where it is not the number.
    """

    number: int
    title: str
    kind: ReferenceKind = "other"
    source: str = ""
    year: int | None = None
    authors: tuple[str, ...] = ()
    pmid: str | None = None
    doi: str | None = None
    label: str = ""

    @property
    def url(self) -> str:
        """Return where a reader finds it: DOI, else PMID, else a PubMed search for its title."""
        if self.doi:
            return "https://doi.org/" + quote(self.doi, safe="/:;()._-")
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{quote(self.pmid)}/"
        return "https://pubmed.ncbi.nlm.nih.gov/?term=" + quote_plus(self.title + "[Title]")


@dataclass(frozen=True, slots=True)
class Review:
    """How far a human review has come. `content_hash` is the text that the status was given to."""

    status: ReviewStatus = "submitted"
    reviewer: str = ""
    decided_at: str | None = None
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text under it, up to the next heading of any level.

    `path` holds the headings from the outermost to its own; `()` is the text before the first heading.
    `start` is where the heading itself begins (where the body begins, if there is none).
    """

    path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """The smallest run of text with one role: a paragraph, a list item, a table row.

    `section` is a position in `Document.sections`. `lead_ins` are the texts it must never be read without,
    outermost first: the sentence that opens its list, the items above it, the header row of its table. `notes`
    are texts that qualify it from elsewhere, e.g. the footnotes of its table. `page` counts from 1. `uncertain`
    says that the reader could not be sure of the numbers in it.
    """

    kind: BlockKind
    start: int
    end: int
    section: int = 0
    lead_ins: tuple[Span, ...] = ()
    notes: tuple[Span, ...] = ()
    page: int | None = None
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation mark in the text, e.g. "[1, 3–5]" -> numbers (1, 3, 4, 5)."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One article, abstract or guideline, as plain text with its structure beside it.

    `text` is what quotes are verbatim of. Dates are ISO 8601, as far as known ("2025", "2025-03", "2025-03-01").
    `topic` groups articles on the page. `flags` are facts that must travel with every quote, e.g.
    "retracted", "erratum"; `superseded_by` is a document id or a title. `path` is relative to its source folder.
    """

    id: str
    title: str
    text: str
    kind: DocumentKind = "guideline"
    question: str = ""
    topic: str = ""
    sections: tuple[Section, ...] = ()
    blocks: tuple[Block, ...] = ()
    references: tuple[Reference, ...] = ()
    markers: tuple[Marker, ...] = ()
    bold: tuple[Span, ...] = ()
    review: Review | None = None
    published: str | None = None
    last_updated: str | None = None
    licence: str = ""
    url: str = ""
    source: str = ""
    audience: str = ""
    pmid: str | None = None
    doi: str | None = None
    superseded_by: str | None = None
    flags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    related_questions: tuple[str, ...] = ()
    path: str = ""

    @property
    def year(self) -> int | None:
        """Return the year that the document speaks for: of its publication, else of its last update."""
        for date in (self.published, self.last_updated):
            if date and (match := re.match(r"\d{4}", date)):
                return int(match.group())
        return None

    @property
    def review_status(self) -> ReviewStatus | None:
        """Return the review status, or None for a document that came without one."""
        return self.review.status if self.review else None

    def reference(self, number: int) -> Reference | None:
        """Return the reference that a marker's `number` points at, or None if the list has no such entry."""
        return next((entry for entry in self.references if entry.number == number), None)

    def cited_numbers(self, start: int, end: int) -> tuple[int, ...]:
        """Return the reference numbers marked within `text[start:end]`, each once, in order of appearance."""
        found = (number for mark in self.markers if start <= mark.start < end for number in mark.numbers)
        return tuple(dict.fromkeys(found))

    def dangling_numbers(self, start: int, end: int) -> tuple[int, ...]:
        """Return the numbers marked within `text[start:end]` that the reference list does not have."""
        return tuple(number for number in self.cited_numbers(start, end) if self.reference(number) is None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; `from_dict` is its inverse."""
        values: dict[str, Any] = _plain(self)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Document:
        """Rebuild a document from `to_dict`'s values, also after a trip through JSON."""
        values = dict(values)
        values["sections"] = tuple(Section(tuple(row["path"]), row["start"], row["end"]) for row in values["sections"])
        values["blocks"] = tuple(
            Block(**{**row, "lead_ins": _spans(row["lead_ins"]), "notes": _spans(row["notes"])})
            for row in values["blocks"]
        )
        values["references"] = tuple(
            Reference(**{**row, "authors": tuple(row["authors"])}) for row in values["references"]
        )
        values["markers"] = tuple(Marker(row["start"], row["end"], tuple(row["numbers"])) for row in values["markers"])
        values["bold"] = _spans(values["bold"])
        values["review"] = Review(**values["review"]) if values["review"] else None
        for name in ("flags", "keywords", "related_questions"):
            values[name] = tuple(values[name])
        return cls(**values)


def _plain(value: Any) -> Any:
    """Do what `dataclasses.asdict` does, without copying what cannot change: in a third of the time."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    names = getattr(type(value), "__dataclass_fields__", None)
    return {name: _plain(getattr(value, name)) for name in names} if names else value


def _spans(rows: Any) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in rows)


def web_link(url: str) -> str:
    """Return `url` if a browser may be sent there (http or https with a host), else ""."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def check_document(document: Document) -> Document:
    """Return the document if its offsets are sound; raise ValueError with the first that is not.

    A law of every reader, checked where documents enter: blocks rise, do not overlap, lie in the text and in
    their section, and start and end on a visible character.
    """
    size, last = len(document.text), 0
    for block in document.blocks:
        quoted = document.text[block.start : block.end]
        if not (last <= block.start < block.end <= size):
            raise ValueError(f"{document.id}: block {block.start}–{block.end} overlaps or leaves 0–{size}")
        if quoted != quoted.strip():
            raise ValueError(f"{document.id}: block {block.start}–{block.end} starts or ends in white space")
        if not 0 <= block.section < len(document.sections):
            raise ValueError(f"{document.id}: block {block.start} names section {block.section}")
        for start, end in (*block.lead_ins, *block.notes):
            if not 0 <= start < end <= size:
                raise ValueError(f"{document.id}: context {start}–{end} of block {block.start} leaves the text")
        last = block.end
    return document
