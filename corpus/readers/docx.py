"""Reads Word documents (.docx): headings, lists, tables, footnotes, as the last editor left them.

Is: the document's own XML, under limits. Is not: a layout; deleted and hidden text and text boxes are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from corpus.bibliography import parse_reference
from corpus.documents import Document, Rejected, UnreadableSource
from corpus.readers.assemble import Event, Piece, RichCell, TableEvent, assemble
from corpus.readers.docx_package import OLE_MAGIC, elements, read_parts, root_of
from corpus.readers.docx_styles import Styles, attribute, is_on, local_name, value_of
from corpus.readers.printed import REFERENCES_HEADING, document_id
from corpus.readers.scripts import lowered, raised

# A bold line of its own below this length, without a full stop, is a heading that its author did not mark.
_MAX_FAKE_HEADING_CHARS = 80
_FAKE_HEADING_LEVEL = 10
# Text of a point or two is there to be found by machines, not read.
_LEAST_HALF_POINTS = 5
# The Symbol font's codes of characters that change what a dose says. Source: Adobe, Symbol encoding vector.
_SYMBOLS = {
    0xA3: "≤", 0xB3: "≥", 0xB1: "±", 0xB4: "×", 0xB8: "÷", 0xB0: "°", 0x6D: "µ", 0x61: "α", 0x62: "β", 0x67: "γ",
    0x64: "δ", 0x44: "Δ", 0x63: "χ", 0x6C: "λ", 0x70: "π", 0x73: "σ", 0x53: "Σ", 0xB9: "≠", 0xBB: "≈", 0xA5: "∞",
    0xB7: "•", 0xAE: "→", 0xAD: "↑", 0xAF: "↓", 0x2D: "−", 0x3C: "<", 0x3E: ">", 0x3D: "=", 0x2B: "+", 0x20: " ",
}  # fmt: skip
_UNKNOWN = "\ufffd"
_DROPPED = frozenset(
    "del moveFrom instrText delText delInstrText Fallback pict object drawing rPr pPr tblPr tblGrid sectPr trPr tcPr "
    "annotationRef footnoteRef endnoteRef".split()
)
_Script = Literal["", "sup", "sub"]


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file that begins so is a Word document, or claims to be one and cannot be read."""
    if head.startswith(b"PK\x03\x04"):
        return suffix in (".docx", ".docm", ".dotx") or b"word/" in head
    return head.startswith(OLE_MAGIC) and suffix in (".docx", ".docm", ".doc")


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the one document of a Word file. Raises UnreadableSource if it is no sound one, or encrypted."""
    parts = read_parts(path)
    notes = {
        f"{kind}-{attribute(node, 'id')}": node
        for kind in ("footnote", "endnote")
        for node in elements(parts, f"word/{kind}s.xml", kind)
        # Separators between text and notes are stored as notes of a special type.
        if not attribute(node, "type") or attribute(node, "type") == "normal"
    }
    body = root_of(parts, "word/document.xml")
    if body is None:
        raise UnreadableSource("a Word file without a document part")
    reader = _Reader(Styles.read(root_of(parts, "word/styles.xml")), notes)
    reader.children(body)
    events = reader.with_references()
    if not any(event.kind in ("paragraph", "item", "table") for event in events):
        raise UnreadableSource("holds no text")
    title = reader.title
    if not title and events[0].kind != "heading":
        stated = ("".join(node.itertext()) for node in elements(parts, "docProps/core.xml", "title"))
        title = next((" ".join(words.split()) for words in stated if words.strip()), Path(name).stem)
    yield assemble(events, id=document_id(name), title=title, path=name)


@dataclass(slots=True)
class _Reader:
    """Walks the document's body and collects its blocks."""

    styles: Styles
    notes: dict[str, Any]
    title: str = ""
    events: list[Event] = field(default_factory=list)
    # Notes in the order in which the text calls them.
    called: list[str] = field(default_factory=list)
    is_uncertain: bool = False

    def children(self, node: Any) -> None:
        """Read the paragraphs and tables of an element, also inside content controls and revisions."""
        for child in node:
            match local_name(child):
                case "p":
                    self.paragraph(child)
                case "tbl":
                    self.table(child)
                case name if name and name not in _DROPPED:
                    self.children(child)

    def paragraph(self, node: Any) -> None:
        """Read one paragraph as a heading, an item, a caption or plain text."""
        if is_on(value_of(node, "pPr", "rPr", "vanish")) and not self._has_visible_run(node):
            return
        first_call = len(self.called)
        self.is_uncertain = False
        pieces = tuple(self.runs(node))
        text = " ".join("".join(piece.text for piece in pieces).split())
        if not any(char.isalnum() for char in text):
            return
        notes = tuple(tuple(self.note(key)) for key in self.called[first_call:])
        level, depth = self.styles.heading_level(node), self.styles.list_level(node)
        if self.styles.is_named(node, "title") and not self.title:
            self.title = text
            event = Event("heading", pieces, 1)
        elif level:
            event = Event("heading", pieces, level)
        elif depth is not None:
            event = Event("item", pieces, depth, is_uncertain=self.is_uncertain, notes=notes)
        elif self.styles.is_named(node, "caption"):
            event = Event("caption", pieces, is_uncertain=self.is_uncertain, notes=notes)
        elif _is_bold_line(pieces, text):
            event = Event("heading", pieces, _FAKE_HEADING_LEVEL)
        else:
            event = Event("paragraph", pieces, is_uncertain=self.is_uncertain, notes=notes)
        self.events.append(event)

    def _has_visible_run(self, node: Any) -> bool:
        return any(not is_on(self.styles.run_property(run, "vanish")) for run in node.iter("{*}r"))

    def runs(self, node: Any) -> Iterator[Piece]:
        """Yield the visible text of a paragraph, run by run."""
        for child in node:
            match local_name(child):
                case "r":
                    yield from self.run(child)
                case "oMath" | "oMathPara":
                    yield Piece(_math_text(child))
                case name if name and name not in _DROPPED:
                    yield from self.runs(child)

    def run(self, run: Any) -> Iterator[Piece]:
        if self._is_hidden(run):
            return
        align = self.styles.run_property(run, "vertAlign") or ""
        script: _Script = "sup" if align == "superscript" else "sub" if align == "subscript" else ""
        if not script and (position := self.styles.run_property(run, "position") or "").lstrip("-").isdigit():
            # Raised or lowered by hand, in half points.
            script = "sup" if int(position) >= 4 else "sub" if int(position) <= -4 else ""
        is_bold = is_on(self.styles.run_property(run, "b"))
        fonts = run.find("{*}rPr/{*}rFonts")
        is_symbol = fonts is not None and attribute(fonts, "ascii").lower() == "symbol"
        for child in run:
            match local_name(child):
                case "t":
                    words = child.text or ""
                    yield Piece(self.symbols(map(ord, words)) if is_symbol else words, is_bold, script)
                case "sym":
                    code = attribute(child, "char")
                    is_known = attribute(child, "font").lower() == "symbol" and re.fullmatch(r"[0-9A-Fa-f]{1,6}", code)
                    yield Piece(self.symbols([int(code, 16)] if is_known else [0]), is_bold, script)
                case "tab" | "br" | "cr" | "ptab":
                    yield Piece(" ")
                case "noBreakHyphen":
                    yield Piece("-", is_bold, script)
                case "footnoteReference" | "endnoteReference" as kind:
                    key = f"{kind.removesuffix('Reference')}-{attribute(child, 'id')}"
                    if key in self.notes:
                        self.called.append(key)
                        yield Piece(str(self.number(key)), script="sup", target=key)
                case "AlternateContent":
                    yield from self.runs(child)

    def number(self, key: str) -> int:
        """Return the number that a note is printed with."""
        return list(dict.fromkeys(self.called)).index(key) + 1

    def _is_hidden(self, run: Any) -> bool:
        if is_on(self.styles.run_property(run, "vanish")):
            return True
        if is_on(self.styles.run_property(run, "strike")) or is_on(self.styles.run_property(run, "dstrike")):
            # Struck out: its author took it back.
            return True
        size = self.styles.run_property(run, "sz") or ""
        if size.isdigit() and int(size) < _LEAST_HALF_POINTS:
            return True
        if (self.styles.run_property(run, "color") or "").upper() not in ("FFFFFF", "FEFEFE"):
            return False
        # White text is hidden unless it stands on a colour of its run, its paragraph or its cell.
        holders = (run, *run.iterancestors())
        shades = [part.find(path) for part in holders for path in ("{*}rPr/{*}shd", "{*}pPr/{*}shd", "{*}tcPr/{*}shd")]
        fills = {attribute(shade, "fill").upper() for shade in shades if shade is not None}
        is_marked = is_on(self.styles.run_property(run, "highlight"))
        return not (is_marked or fills - {"", "AUTO", "FFFFFF"} or any(local_name(part) == "tbl" for part in holders))

    def symbols(self, codes: Any) -> str:
        """Return characters of the Symbol font as what they show; unknown ones make the block uncertain."""
        text = "".join(_SYMBOLS.get(code & 0xFF, chr(code) if 0x30 <= code <= 0x39 else _UNKNOWN) for code in codes)
        self.is_uncertain |= _UNKNOWN in text
        return text

    def note(self, key: str) -> Iterator[Piece]:
        """Yield the words of a footnote or endnote."""
        for position, paragraph in enumerate(self.notes[key].iter("{*}p")):
            if position:
                yield Piece(" ")
            yield from self.runs(paragraph)

    def table(self, node: Any) -> None:
        """Read a table; cells merged downwards repeat their words in every row that they cover."""
        head: list[tuple[RichCell, ...]] = []
        body: list[tuple[RichCell, ...]] = []
        above: dict[int, RichCell] = {}
        look = node.find("{*}tblPr/{*}tblLook")
        has_first_row = look is None or _marks_first_row(look)
        self.is_uncertain = False
        first_call = len(self.called)
        for row in node.findall("{*}tr"):
            cells: list[RichCell] = []
            column = 0
            for cell in row.iter("{*}tc"):
                if next(cell.iterancestors("{*}tr"), None) is not row:
                    continue
                span = value_of(cell, "tcPr", "gridSpan") or "1"
                columns = min(int(span), 100) if span.isdigit() else 1
                merge = value_of(cell, "tcPr", "vMerge")
                pieces = self.cell(cell)
                if merge is not None and merge != "restart" and column in above:
                    pieces = above[column].pieces
                cells.append(RichCell(pieces, columns))
                above[column] = cells[-1]
                column += columns
            is_head = is_on(value_of(row, "trPr", "tblHeader"))
            if is_head and not body:
                head.append(tuple(cells))
            else:
                body.append(tuple(cells))
        if not head and has_first_row and len(body) > 1:
            head.append(body.pop(0))
        if len(head) + len(body) == 1 or all(len(row) < 2 for row in (*head, *body)):
            # One row or one column lays out text and compares nothing.
            self._lay_out(node)
            return
        caption: tuple[Piece, ...] = ()
        if self.events and self.events[-1].kind == "caption":
            caption = self.events.pop().pieces
        notes = tuple(tuple(self.note(key)) for key in self.called[first_call:])
        table = TableEvent(tuple(head), tuple(body), caption, notes)
        self.events.append(Event("table", table=table, is_uncertain=self.is_uncertain))

    def _lay_out(self, table: Any) -> None:
        for row in table.findall("{*}tr"):
            for cell in row.iter("{*}tc"):
                if next(cell.iterancestors("{*}tr"), None) is row:
                    self.children(cell)

    def cell(self, cell: Any) -> tuple[Piece, ...]:
        """Return all words of a cell as one run."""
        pieces: list[Piece] = []
        for paragraph in cell.iter("{*}p"):
            pieces += [Piece(" "), *self.runs(paragraph)] if pieces else self.runs(paragraph)
        return tuple(pieces)

    def with_references(self) -> list[Event]:
        """Return the events; notes that are sources become the reference list where the document has no other."""
        keys = list(dict.fromkeys(self.called))
        sources = [parse_reference(1, "".join(piece.text for piece in self.note(key))) for key in keys]
        named = sum(bool(source.year or source.doi or source.pmid) and bool(source.source) for source in sources)
        has_list = any(event.kind == "heading" and REFERENCES_HEADING.fullmatch(event.text) for event in self.events)
        if not keys or has_list or named * 2 <= len(sources):
            return self.events
        entries = [Event("paragraph", tuple(self.note(key)), anchors=(key,)) for key in keys]
        bare = [_without_notes(event) for event in self.events]
        return [*bare, Event("heading", (Piece("References"),), 1), *entries]


def _without_notes(event: Event) -> Event:
    return Event(event.kind, event.pieces, event.level, event.table, event.page, event.is_uncertain, event.anchors)


def _marks_first_row(look: Any) -> bool:
    """Say whether a table's look sets off its first row; older files say so by a bit of one number."""
    if stated := attribute(look, "firstRow"):
        return is_on(stated)
    value = attribute(look, "val")
    return not re.fullmatch(r"[0-9A-Fa-f]{1,8}", value) or bool(int(value, 16) & 0x20)


def _is_bold_line(pieces: tuple[Piece, ...], text: str) -> bool:
    """Say whether a paragraph is a heading in all but name: short, all bold, without a full stop."""
    is_bold = all(piece.is_bold or not piece.text.strip() for piece in pieces)
    return is_bold and len(text) <= _MAX_FAKE_HEADING_CHARS and text[-1] not in ".:;,!"


def _math_text(node: Any) -> str:
    """Return an Office formula in one line, with powers raised and fractions in brackets."""

    def part(name: str) -> str:
        child = node.find(f"{{*}}{name}")
        return "" if child is None else _math_text(child)

    match local_name(node):
        case "t":
            return node.text or ""
        case "sSup":
            return part("e") + raised(part("sup"))
        case "sSub":
            return part("e") + lowered(part("sub"))
        case "sSubSup":
            return part("e") + lowered(part("sub")) + raised(part("sup"))
        case "f":
            return f"({part('num')})/({part('den')})"
        case "rad":
            return f"√({part('e')})"
        case _:
            return "".join(_math_text(child) for child in node if isinstance(child.tag, str))
