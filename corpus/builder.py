"""Writes a document's plain text and its structure in one pass.

Is: the one place where readers turn headings, paragraphs, lists and tables into offsets. Is not: a parser; it
never looks into the words it is given, beyond the sentence that opens a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from corpus.citations import find_markers, strip_markers
from corpus.documents import Block, BlockKind, Document, Marker, Section, Span, check_document
from corpus.footnotes import attach_notes, is_table_note
from corpus.hidden import remove_hidden
from corpus.sentences import split_sentences

# Cells of one table row stand in one line of text. A visible separator, so that an empty cell keeps its place.
CELL_SEPARATOR = " | "
# What an empty cell says; a blank would let the next column slide under the wrong header for a hasty reader.
EMPTY_CELL = "–"
_TABLE_CAPTION = re.compile(r"(?:table|tab\.|box|chart|panel|exhibit)\s*[A-Z]?\d+[a-z]?\b", re.IGNORECASE)
# A finished sentence that points at what comes next: "Do not do the following.", "The steps are listed below."
_POINTS_AHEAD = re.compile(
    r"\b(?:(?:the|any of the|all of the)\s+following\b(?!\s+(?:day|week|month|year|morning|night|surgery))"
    r"|as\s+follows|(?:listed|shown|given|described|named|set\s+out|explained|summari[sz]ed|see|are|is)\s+below)\b"
    r"|\b(?:these|any\s+of\s+these)(?:\s+[\w-]+){0,2}\s*[.!]+\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Inline:
    """A run of text with what its source marked in it; offsets count from the run's own start."""

    text: str
    bold: tuple[Span, ...] = ()
    markers: tuple[Marker, ...] = ()

    def normalized(self) -> Inline:
        """Return it without hidden characters and with every run of white space as one blank."""
        return _squeeze(self)


@dataclass(slots=True)
class DocumentBuilder:
    """Collects blocks; `build` returns the document.

    Example:
        >>> b = DocumentBuilder()
        >>> b.heading("Critical pitfalls", level=2)
        >>> b.paragraph("Do not prescribe:")
        >>> b.item("muscle relaxants [1]")
        >>> [d.text[s:e] for d in [b.build(id="x", title="Cramp")] for s, e in d.blocks[1].lead_ins]
        ['Do not prescribe:']
    """

    _parts: list[str] = field(default_factory=list)
    _size: int = 0
    _path: list[tuple[int, str]] = field(default_factory=list)
    _sections: list[Section] = field(default_factory=list)
    _blocks: list[Block] = field(default_factory=list)
    _markers: list[Marker] = field(default_factory=list)
    _bold: list[Span] = field(default_factory=list)
    # Items that a deeper item would stand under: (depth, span).
    _items: list[tuple[int, Span]] = field(default_factory=list)
    _list_under: tuple[Span, ...] = ()
    _page: int | None = None
    _is_resumed: bool = False
    # The words of the last block that is no footnote.
    _last_text: str = ""
    # Whether the last table has a star in it, which a note below explains.
    _is_starred: bool = False

    def page(self, number: int) -> None:
        """Say that what follows stands on page `number`, counted from 1."""
        self._page = number

    def heading(self, text: str | Inline, *, level: int) -> None:
        """Open a section; a heading of the same or a higher level closes those before it."""
        run = _squeeze(text)
        if not run.text:
            return
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, strip_markers(run.text, run.markers)))
        start = self._write(run)[0]
        self._open_section(start)

    def place(self) -> tuple[tuple[int, str], ...]:
        """Return the headings that text would stand under now, for `resume`."""
        return tuple(self._path)

    def resume(self, place: tuple[tuple[int, str], ...]) -> None:
        """Go back under headings that were open before, e.g. after a box in the middle of a section."""
        if tuple(self._path) != place:
            self._path = list(place)
            self._is_resumed = True

    def close_headings(self, level: int) -> None:
        """Close the headings of this level and below, e.g. where a section begins that has no title."""
        self.resume(tuple(entry for entry in self._path if entry[0] < level))

    def paragraph(self, text: str | Inline, *, kind: BlockKind = "paragraph", uncertain: bool = False) -> None:
        """Add a paragraph (or a caption or note, by `kind`)."""
        self._items.clear()
        self._add(_squeeze(text), kind, uncertain=uncertain)

    def item(self, text: str | Inline, *, depth: int = 0, uncertain: bool = False) -> None:
        """Add a list item, `depth` levels inside its list; it stands under its list's lead-in and its parents."""
        if not depth and self._is_starred and self._blocks[-1].kind in ("row", "note"):
            # "* at most 8 weeks" under a table with stars is its note; Markdown takes the star for a bullet.
            self.paragraph(join_runs((Inline("*"), _squeeze(text)), " "))
            return
        while self._items and self._items[-1][0] >= depth:
            self._items.pop()
        lead_ins = self._list_lead_in() + tuple(span for _, span in self._items)
        span = self._add(_squeeze(text), "item", lead_ins=lead_ins, uncertain=uncertain)
        if span:
            self._items.append((depth, span))

    def table(
        self,
        header: Sequence[str | Inline],
        rows: Iterable[Sequence[str | Inline]],
        *,
        caption: str | Inline = "",
        notes: Iterable[str | Inline] = (),
        uncertain: bool = False,
    ) -> None:
        """Add a table: caption, header row, rows of cells, footnotes. Every row stands under the first two.

        A row of one cell in a table of several columns names a group ("Children"): the rows after it stand under
        it as well. Rows that have more or fewer cells than the header are uncertain.
        """
        self._items.clear()
        lead_ins: tuple[Span, ...] = ()
        if span := self._add(_squeeze(caption), "caption"):
            lead_ins += (span,)
        else:
            lead_ins += self._caption_above()
        if any(_squeeze(cell).text for cell in header) and (span := self._add(_join_cells(header), "caption")):
            lead_ins += (span,)
        rows, marked = _without_notes(list(rows))
        self._is_starred = any("*" in _squeeze(cell).text for row in (header, *rows) for cell in row)
        notes = [*marked, *notes]
        width = len(header) or max((len(row) for row in rows), default=0)
        group: tuple[Span, ...] = ()
        first_row = len(self._blocks)
        for row in rows:
            if not any(_squeeze(cell).text for cell in row):
                continue
            is_group = len(row) == 1 < width
            fits = is_group or len(row) == width
            above = lead_ins if is_group else lead_ins + group
            span = self._add(_join_cells(row), "row", lead_ins=above, uncertain=uncertain or not fits)
            if is_group and span:
                group = (span,)
        after_rows = len(self._blocks)
        footnotes = tuple(span for note in notes if (span := self._add(_squeeze(note), "note")))
        for position in range(first_row, after_rows):
            self._blocks[position] = replace(self._blocks[position], notes=footnotes)

    def note(self, text: str | Inline) -> None:
        """Add a footnote of the last block that is no footnote itself."""
        owner = next((i for i in range(len(self._blocks) - 1, -1, -1) if self._blocks[i].kind != "note"), None)
        if (span := self._add(_squeeze(text), "note")) and owner is not None:
            self._blocks[owner] = replace(self._blocks[owner], notes=(*self._blocks[owner].notes, span))

    def build(self, **fields: Any) -> Document:
        """Return the document; `fields` are the other fields of `Document`. Raises ValueError if unsound."""
        self._close_section()
        text = "".join(self._parts)
        return check_document(
            Document(
                text=text,
                sections=tuple(self._sections),
                blocks=attach_notes(text, self._blocks),
                markers=tuple(self._markers),
                bold=tuple(self._bold),
                **fields,
            )
        )

    def _open_section(self, start: int) -> None:
        self._close_section(start)
        self._is_resumed = False
        self._sections.append(Section(tuple(text for _, text in self._path), start, start))
        self._items.clear()

    def _close_section(self, end: int | None = None) -> None:
        if self._sections:
            last = self._sections[-1]
            self._sections[-1] = Section(last.path, last.start, self._size if end is None else end)

    def _add(
        self, run: Inline, kind: BlockKind, lead_ins: tuple[Span, ...] = (), uncertain: bool = False
    ) -> Span | None:
        if not run.text:
            return None
        start, end = self._write(run)
        if not self._sections or self._is_resumed:
            self._open_section(start)
        section = len(self._sections) - 1
        if kind != "note":
            self._last_text = run.text
        self._blocks.append(Block(kind, start, end, section, lead_ins, (), self._page, uncertain))
        return start, end

    def _write(self, run: Inline) -> Span:
        if self._parts:
            self._parts.append("\n")
            self._size += 1
        start = self._size
        self._parts.append(run.text)
        self._size += len(run.text)
        self._markers += [Marker(m.start + start, m.end + start, m.numbers) for m in run.markers]
        self._bold += [(begin + start, end + start) for begin, end in run.bold]
        return start, self._size

    def _caption_above(self) -> tuple[Span, ...]:
        """Return the paragraph right above a table if it names the table, or the sentence of it that opens one."""
        last = self._blocks[-1] if self._blocks else None
        if last is None or last.section != len(self._sections) - 1 or self._is_resumed:
            return ()
        if last.kind == "caption":
            return ((last.start, last.end),)
        if last.kind == "paragraph" and _TABLE_CAPTION.match(self._last_text):
            # A caption is no statement of its own.
            self._blocks[-1] = replace(last, kind="caption")
            return ((last.start, last.end),)
        return self._opening(last)

    def _opening(self, last: Block) -> tuple[Span, ...]:
        """Return the last sentence of the paragraph just written, if it opens what comes next."""
        if last.kind != "paragraph" or not opens_list(self._last_text):
            return ()
        begin, _ = split_sentences(self._last_text)[-1]
        return ((last.start + begin, last.end),)

    def _list_lead_in(self) -> tuple[Span, ...]:
        """Return the sentence that opens the list which an item belongs to, if its list has one."""
        # Footnotes stand between a sentence and its list without parting them.
        last = next((block for block in reversed(self._blocks) if block.kind != "note"), None)
        is_here = last is not None and last.section == len(self._sections) - 1 and not self._is_resumed
        if last and is_here and last.kind == "item":
            return self._list_under
        self._list_under = self._opening(last) if last and is_here else ()
        return self._list_under


def opens_list(text: str) -> bool:
    """Say whether a paragraph introduces the list after it: it ends in a colon, is left unfinished, or points ahead.

    Example:
        >>> opens_list("Do not prescribe: [1]"), opens_list("Quinine is not advised."), opens_list("Call if")
        (True, False, True)
        >>> opens_list("Do not do the following.")
        True
    """
    bare = strip_markers(text).rstrip(" *_\"'”’")
    # A clause with a citation at its end is a claim that lost its full stop.
    is_cited = any(mark.end == len(text.rstrip()) for mark in find_markers(text))
    if bare and (bare[-1] == ":" or (bare[-1] not in ".!?;)]" and not is_cited)):
        return True
    return any(_POINTS_AHEAD.search(text[start:end]) for start, end in split_sentences(text)[-1:])


def _without_notes(rows: list[Sequence[str | Inline]]) -> tuple[list[Sequence[str | Inline]], list[Inline]]:
    """Take the rows off a table's end that hold nothing but a marked note."""
    notes: list[Inline] = []
    # A table of one column is a list in a frame: nothing tells its notes from its rows.
    while len(rows) > 1 and max(map(len, rows)) > 1:
        words = [run for cell in rows[-1] if (run := _squeeze(cell)).text]
        is_note = len({run.text for run in words}) == 1 and is_table_note(words[0].text)
        if not is_note:
            break
        rows.pop()
        notes.insert(0, words[0])
    return rows, notes


def join_runs(runs: Iterable[Inline], separator: str) -> Inline:
    """Return runs as one, with their bold spans and markers moved along."""
    text = ""
    bold: list[Span] = []
    markers: list[Marker] = []
    for position, run in enumerate(runs):
        text += separator if position else ""
        at = len(text)
        text += run.text
        bold += [(begin + at, end + at) for begin, end in run.bold]
        markers += [Marker(mark.start + at, mark.end + at, mark.numbers) for mark in run.markers]
    return Inline(text, tuple(bold), tuple(markers))


def _join_cells(cells: Sequence[str | Inline]) -> Inline:
    runs = (_squeeze(cell) for cell in cells)
    return join_runs((run if run.text else Inline(EMPTY_CELL) for run in runs), CELL_SEPARATOR)


def _squeeze(run: str | Inline) -> Inline:
    if isinstance(run, str):
        run = Inline(run)
    visible = remove_hidden(run.text)
    if visible == run.text and " ".join(run.text.split()) == run.text:
        return run
    # Map each old offset to its new one, so that bold and markers stay on their words.
    places: list[int] = []
    out: list[str] = []
    for char, kept in zip(run.text, remove_hidden(run.text, keep_length=True), strict=True):
        places.append(len(out))
        if kept == "\0" and char != "\0":
            continue
        if char.isspace():
            if out and out[-1] != " ":
                out.append(" ")
        elif char != "\0":
            out.append(char)
    places.append(len(out))
    text = "".join(out)
    size = len(text.rstrip())
    moved = [(min(places[begin], size), min(places[end], size)) for begin, end in run.bold]
    marks = [Marker(min(places[m.start], size), min(places[m.end], size), m.numbers) for m in run.markers]
    return Inline(
        text[:size],
        tuple((begin, end) for begin, end in moved if begin < end),
        tuple(mark for mark in marks if mark.start < mark.end),
    )
