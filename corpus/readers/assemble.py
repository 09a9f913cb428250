"""Puts a page's headings, paragraphs, lists and tables together into a document, references apart.

Is: what HTML, DOCX and PDF have in common once they are taken apart: which part is the reference list, which
raised numbers are citations. Is not: a parser of any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from corpus.builder import DocumentBuilder, Inline
from corpus.citations import find_markers, read_numbers
from corpus.documents import Document, Marker, Reference, Span
from corpus.readers.printed import REFERENCES_HEADING, parse_entries
from corpus.readers.scripts import lowered, raised
from corpus.readers.tables import Cell, lay_out

_RELATED_HEADING = re.compile(r"related questions|people also ask|frequently asked next", re.IGNORECASE)
_RAISED_NUMBERS = re.compile(r"\[?\s*\d{1,3}(?:\s*[,;–—-]\s*\d{1,3})*\s*,?\s*\]?")
# A raised 2 or 3 after one of these is a square or a cube, a charge or an isotope, never a source.
_UNITS = frozenset("m cm mm km µm nm kg g mg s h l ml dl min sec in ft r i p n x y z chi ca mg na fe zn cd".split())

EventKind = Literal["heading", "paragraph", "item", "table", "caption"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text with one look; `target` is the fragment that it links to within its own page."""

    text: str
    is_bold: bool = False
    script: Literal["", "sup", "sub"] = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class TableEvent:
    """The cells of a table, row by row, as its format gives them."""

    head: tuple[tuple[RichCell, ...], ...]
    body: tuple[tuple[RichCell, ...], ...]
    caption: tuple[Piece, ...] = ()
    notes: tuple[tuple[Piece, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class RichCell:
    """One cell of a table."""

    pieces: tuple[Piece, ...]
    columns: int = 1
    rows: int = 1
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One block of a page in reading order. `level` is that of a heading or the depth of an item.

    `anchors` are the names that links on the same page may point at. `notes` are its footnotes.
    """

    kind: EventKind
    pieces: tuple[Piece, ...] = ()
    level: int = 0
    table: TableEvent | None = None
    page: int | None = None
    is_uncertain: bool = False
    anchors: tuple[str, ...] = ()
    notes: tuple[tuple[Piece, ...], ...] = ()

    @property
    def text(self) -> str:
        """Return the words alone."""
        return " ".join("".join(piece.text for piece in self.pieces).split())


def assemble(events: Sequence[Event], **fields: Any) -> Document:
    """Return the document; `fields` are its facts. An empty `title` is taken from a heading that comes before all else.

    A heading that repeats the title opens no section.
    """
    body, references, cites, questions = _parts(events)
    builder = DocumentBuilder()
    title = " ".join(str(fields.get("title") or "").split())
    if not title and body and body[0].kind == "heading":
        title = body[0].text
    for event in body:
        if event.page:
            builder.page(event.page)
        if not (event.kind == "heading" and event.text.casefold() == title.casefold()):
            _write(builder, event, cites, len(references))
    return builder.build(
        **{
            **fields,
            "title": title or str(fields.get("id", "")),
            "question": title if title.endswith("?") else "",
            "references": references,
            "related_questions": questions,
        }
    )


def to_inline(pieces: Iterable[Piece], cites: Mapping[str, int], highest: int) -> Inline:
    """Return pieces as one run: raised digits stay raised, those that cite become "[1, 2]" with a marker.

    `cites` says which reference each anchor is; `highest` is the last number of the list.
    """
    text = ""
    bold: list[Span] = []
    linked: list[Marker] = []
    for piece in _join_raised(pieces):
        words = piece.text
        number = cites.get(piece.target)
        if piece.script == "sup":
            numbers = read_numbers(words.strip(" []")) if _RAISED_NUMBERS.fullmatch(words) else ()
            # A link to anything but the list is a footnote of another kind.
            if numbers and (number or (not piece.target and _cites(text, numbers, highest))):
                words = f" [{words.strip(' [],')}]"
            else:
                words, number = raised(words), None
        elif piece.script == "sub":
            words = lowered(words)
        start = len(text)
        text += words
        if piece.is_bold and words.strip():
            bold.append((start, len(text)))
        if number and not find_markers(words) and not words.strip().isdigit():
            # "Ito 2001" as a link: no brackets tell that it cites.
            begin = start + len(words) - len(words.lstrip())
            linked.append(Marker(begin, start + len(words.rstrip()), (number,)))
    plain = Inline(text, tuple(bold), tuple(linked)).normalized()
    marks = [*find_markers(plain.text), *plain.markers]
    return replace(plain, markers=tuple(sorted(marks, key=lambda mark: mark.start)))


def _join_raised(pieces: Iterable[Piece]) -> list[Piece]:
    """Return pieces with neighbouring superscripts as one, so that "1", ",", "2" is read as a list."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and piece.script == last.script == "sup":
            joined[-1] = replace(last, text=last.text + piece.text, target=last.target or piece.target)
        else:
            joined.append(piece)
    return joined


def _cites(before: str, numbers: Sequence[int], highest: int) -> bool:
    """Say whether raised numbers after this text are citations: after a word or a stop, within the list."""
    if not numbers or not 0 < min(numbers) <= max(numbers) <= highest:
        return False
    bare = before.rstrip()
    if not bare or bare[-1].isdigit():
        return False
    if bare[-1] in '.,;:!?)]”"’%':
        return True
    word = re.search(r"[^\W\d_]+$", bare)
    return bool(word and word.group().lower() not in _UNITS and len(word.group()) > 1)


def _parts(
    events: Sequence[Event],
) -> tuple[list[Event], tuple[Reference, ...], dict[str, int], tuple[str, ...]]:
    """Return the body's events, the references, the number of each anchor in their list, the related questions."""
    body: list[Event] = []
    entries: list[Event] = []
    questions: list[str] = []
    inside: tuple[Literal["references", "questions"], int] | None = None
    for event in events:
        if event.kind == "heading":
            if inside and event.level > inside[1]:
                continue
            inside = None
            if REFERENCES_HEADING.fullmatch(event.text):
                inside = ("references", event.level)
            elif _RELATED_HEADING.fullmatch(event.text):
                inside = ("questions", event.level)
        if inside is None:
            body.append(event)
        elif event.kind in ("paragraph", "item") and event.text:
            if inside[0] == "references":
                entries.append(event)
            else:
                questions.append(event.text)
    references = parse_entries([entry.text for entry in entries])
    if entries and not references:
        return [event for event in events if event.text not in questions], (), {}, tuple(questions)
    cites = {
        anchor: reference.number
        for event, reference in zip(entries, references, strict=True)
        for anchor in event.anchors
    }
    return body, references, cites, tuple(questions)


def _write(builder: DocumentBuilder, event: Event, cites: Mapping[str, int], highest: int) -> None:
    def inline(pieces: Iterable[Piece]) -> Inline:
        return to_inline(pieces, cites, highest)

    match event.kind:
        case "heading":
            builder.heading(inline(event.pieces), level=event.level)
        case "item":
            builder.item(inline(event.pieces), depth=event.level, uncertain=event.is_uncertain)
        case "paragraph":
            builder.paragraph(inline(event.pieces), uncertain=event.is_uncertain)
        case "caption":
            builder.paragraph(inline(event.pieces), kind="caption", uncertain=event.is_uncertain)
        case "table" if event.table:
            _write_table(builder, event.table, inline, event.is_uncertain)
    for note in event.notes:
        builder.note(inline(note))


def _write_table(
    builder: DocumentBuilder, table: TableEvent, inline: Callable[[Iterable[Piece]], Inline], is_uncertain: bool
) -> None:
    def cells(rows: Sequence[Sequence[RichCell]]) -> list[list[Cell]]:
        return [[Cell(inline(cell.pieces), cell.columns, cell.rows, cell.is_header) for cell in row] for row in rows]

    grid = lay_out(cells(table.head), cells(table.body))
    builder.table(
        grid.header,
        grid.rows,
        caption=inline(table.caption),
        notes=[inline(note) for note in table.notes],
        uncertain=is_uncertain,
    )
