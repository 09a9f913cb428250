"""Makes headings, paragraphs, items, tables and references out of a PDF's lines.

Is: rules of size, indentation and distance. Is not: aware of characters or columns (see `pdf_lines.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from corpus.readers.assemble import Event, EventKind, Piece
from corpus.readers.pdf_columns import RuledTable
from corpus.readers.pdf_lines import Line
from corpus.readers.pdf_tables import spaced_table, spaced_table_end
from corpus.readers.printed import REFERENCES_HEADING

# Headings are set larger than text by at least this factor.
HEADING_FACTOR = 1.1
_MAX_HEADING_CHARS = 140
_MAX_BOLD_HEADING_CHARS = 90
# Levels: sizes above the text's take the first ones; bold lines of the text's own size come after.
_BOLD_LEVEL = 7
# In parts of the font size: more than this between two lines, beyond their usual distance, parts paragraphs.
_PARAGRAPH_GAP = 0.45
_INDENT = 0.8
# A line that ends before this part of its column has ended by itself.
_FULL_SHARE = 0.85
# A page of one paragraph has some sixty lines; the longest tables run over a few pages.
_MAX_BLOCK_LINES = 400
_BULLET = re.compile(r"(?P<mark>[•●▪◦‣·–—-]|[o](?=\s+[A-Z])|\(?\d{1,2}[.)]|\(?[a-z][.)]|\(?[ivx]{1,4}\))\s+(?=\S)")
_DRAWN = re.compile("")
_GLYPH_BULLET = re.compile(r"[•●▪◦‣]\s*(?=\S)")
_ENTRY = re.compile(r"\[\d{1,3}\]\s*|\d{1,3}[.)]\s+|\d{1,3}\s+(?=[A-Z])")
_ENDS_SENTENCE = re.compile(r"[.!?:][\"”’)\]\d,\s]*$")
_WORD = re.compile(r"[^\W\d_]+")
_TABLE_CAPTION = re.compile(r"(?:table|figure|fig\.|box|exhibit|appendix)\s+\w{1,4}[.:\s]", re.I)


@dataclass(frozen=True, slots=True)
class Style:
    """How a document is set: the size of its text, the usual distance of its lines, its heading sizes."""

    size: float
    pitch: float
    heading_sizes: tuple[float, ...]
    words: frozenset[str]
    contents: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Sequence[Line], contents: Mapping[str, int]) -> Style:
        """Measure a document."""
        sizes: Counter[float] = Counter()
        for line in lines:
            sizes[_rounded(line.size)] += len(line.text)
        size = sizes.most_common(1)[0][0]
        pitches = [
            a.base - b.base
            for a, b in pairwise(lines)
            if a.page == b.page and _rounded(a.size) == _rounded(b.size) == size and 0 < a.base - b.base < 3 * size
        ]
        larger = sorted({value for value in sizes if value >= size * HEADING_FACTOR}, reverse=True)
        words = frozenset(word for line in lines for word in _WORD.findall(line.text.casefold()))
        return cls(size, median(pitches) if pitches else size * 1.2, tuple(larger[: _BOLD_LEVEL - 1]), words, contents)

    def heading_level(self, line: Line) -> int:
        """Return 1 and up for a line that looks like a heading, 0 for text."""
        text = line.text
        if listed := self.contents.get(text.casefold()):
            return listed
        if len(line.segments) > 1 or not any(char.isalpha() for char in text) or len(text) > _MAX_HEADING_CHARS:
            return 0
        size = _rounded(line.size)
        if size >= self.size * HEADING_FACTOR:
            # Sizes below the largest few share the last level.
            return next((i for i, value in enumerate(self.heading_sizes, 1) if size >= value), _BOLD_LEVEL - 1)
        is_short = len(text) <= _MAX_BOLD_HEADING_CHARS and text[-1] not in ".:;,"
        if is_short and line.is_bold and size >= self.size * 0.95 and not _GLYPH_BULLET.match(text):
            return _BOLD_LEVEL
        is_capitals = text.isupper() and len(_WORD.findall(text)) > 0 and sum(map(len, _WORD.findall(text))) > 5
        return (
            _BOLD_LEVEL
            if is_short and is_capitals and line.x1 < line.left + _FULL_SHARE * (line.right - line.left)
            else 0
        )


def read_blocks(lines: Sequence[Line | RuledTable], style: Style, *, is_scan: bool = False) -> tuple[str, list[Event]]:
    """Return the title, the largest line of the first page, and the blocks in order."""
    title = _title([line for line in lines if isinstance(line, Line)], style)
    events: list[Event] = []
    in_references = 0
    opener: Line | None = None
    position = 0
    while position < len(lines):
        line = lines[position]
        if isinstance(line, RuledTable):
            table = replace(line.event, caption=_caption(events))
            events.append(Event("table", table=table, page=line.page, is_uncertain=line.is_uncertain))
            position += 1
            continue
        stretch = _lines_from(lines, position)
        level = style.heading_level(line)
        if level:
            size = _heading_end(stretch, style, level)
            heading = Event("heading", tuple(_joined(stretch[:size], style)), level, page=line.page)
            in_references = level if REFERENCES_HEADING.fullmatch(heading.text) else 0
            events.append(heading)
        elif in_references:
            size = _entry_end(stretch, style)
            events.append(Event("paragraph", tuple(_joined(stretch[:size], style)), page=line.page))
        elif size := spaced_table_end(stretch, 0):
            events.append(spaced_table(stretch[:size], _caption(events)))
        else:
            size = _paragraph_end(stretch, style)
            event = _text_event(stretch[:size], style)
            if opener and event.kind == "paragraph" and _hangs_under(line, opener, style):
                event = replace(event, kind="item")
            events.append(event)
            # What stands indented below a sentence that ends in a colon is its list, with or without bullets.
            opener = line if event.kind == "paragraph" and event.text.endswith(":") else opener
            opener = opener if event.kind == "item" or event.text.endswith(":") else None
        position += size
    if is_scan:
        events = [replace(event, is_uncertain=True) for event in events]
    return title, events


def _hangs_under(line: Line, opener: Line, style: Style) -> bool:
    is_same_column = line.page == opener.page and abs(line.left - opener.left) < 1 and line.base < opener.base
    return is_same_column and line.x0 > opener.x0 + _INDENT * style.size


def _lines_from(lines: Sequence[Line | RuledTable], start: int) -> list[Line]:
    """Return the lines from here to the next drawn table, no more of them than one block has."""
    found = []
    for line in lines[start : start + _MAX_BLOCK_LINES]:
        if isinstance(line, RuledTable):
            break
        found.append(line)
    return found


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _title(lines: Sequence[Line], style: Style) -> str:
    first = [line for line in lines if line.page == lines[0].page]
    largest = max(_rounded(line.size) for line in first)
    if largest < style.size * HEADING_FACTOR:
        return ""
    start = next(i for i, line in enumerate(first) if _rounded(line.size) == largest)
    stop = start
    while stop < len(first) and _rounded(first[stop].size) == largest:
        stop += 1
    return " ".join("".join(piece.text for piece in _joined(first[start:stop], style)).split())


def _heading_end(lines: Sequence[Line], style: Style, level: int) -> int:
    """Return how many lines the heading that comes first has."""
    stop = 1
    while (
        stop < len(lines)
        and lines[stop].page == lines[0].page
        and style.heading_level(lines[stop]) == level
        and lines[stop].text.casefold() not in style.contents
        and 0 < lines[stop - 1].base - lines[stop].base < 1.6 * lines[0].size
        and abs(lines[stop].size - lines[0].size) < 0.5
        # A line that ended early was not broken.
        and lines[stop - 1].x1 > lines[stop - 1].left + 0.5 * (lines[stop - 1].right - lines[stop - 1].left)
    ):
        stop += 1
    return stop


def _paragraph_end(lines: Sequence[Line], style: Style) -> int:
    """Return how many lines the paragraph or item that comes first has."""
    stop = 1
    while stop < len(lines) and _goes_on(lines, stop, style):
        stop += 1
    return stop


def _goes_on(lines: Sequence[Line], position: int, style: Style) -> bool:
    """Say whether a line goes on with the paragraph or item that the first one begins."""
    first, last, line = lines[0], lines[position - 1], lines[position]
    if style.heading_level(line) or abs(line.size - last.size) > 0.12 * style.size:
        return False
    if spaced_table_end(lines, position):
        return False
    if _bullet(line):
        return False
    is_open = not _ENDS_SENTENCE.search(last.text)
    gap = last.base - line.base
    if line.page != last.page or gap <= 0:
        # Over the end of a column or page, only a sentence that was not finished goes on.
        return is_open and (line.text[0].islower() or line.text[0].isdigit() or last.text[-1] in ",-–")
    if gap > style.pitch + _PARAGRAPH_GAP * style.size:
        return False
    if bullet := _bullet(first):
        # The lines of an item hang under its text, or are at least broken in mid-sentence.
        return line.x0 > first.x0 + 0.3 * style.size or (is_open and bullet is not None and line.text[0].islower())
    is_indented = line.x0 > last.x0 + _INDENT * style.size and line.x0 > line.left + _INDENT * style.size
    ended_early = last.x1 < last.left + _FULL_SHARE * (last.right - last.left)
    return not (is_indented and not is_open) and not (ended_early and not is_open)


def _bullet(line: Line) -> re.Match[str] | None:
    """Return the bullet that a line begins with, an empty match for one that is drawn."""
    found = _BULLET.match(line.text) or _GLYPH_BULLET.match(line.text)
    return found or (_DRAWN.match(line.text) if line.has_dot else None)


def _text_event(lines: Sequence[Line], style: Style) -> Event:
    first = lines[0]
    is_uncertain = any(segment.is_uncertain for line in lines for segment in line.segments)
    pieces = list(_joined(lines, style))
    # A number at the end of one line and another at the start of the next: one number, or two?
    is_uncertain |= any(re.search(r"\d[.,]?$", a.text) and re.match(r"\d", b.text) for a, b in pairwise(lines))
    bullet = _bullet(first)
    if bullet:
        depth = max(0, round((first.x0 - first.left) / (1.5 * style.size)))
        return Event("item", tuple(_cut(pieces, bullet.end())), depth, page=first.page, is_uncertain=is_uncertain)
    kind: EventKind = "caption" if _TABLE_CAPTION.match(first.text) and len(lines) < 6 else "paragraph"
    return Event(kind, tuple(pieces), page=first.page, is_uncertain=is_uncertain)


def _cut(pieces: Sequence[Piece], size: int) -> Iterator[Piece]:
    for piece in pieces:
        if size < len(piece.text):
            yield replace(piece, text=piece.text[size:])
        size = max(0, size - len(piece.text))


def _joined(lines: Sequence[Line], style: Style) -> Iterator[Piece]:
    """Yield the pieces of lines as one run; a word that was broken at a hyphen comes together."""
    for position, line in enumerate(lines):
        pieces = [
            piece
            for n, segment in enumerate(line.segments)
            for piece in ([Piece(" ")] if n else []) + list(segment.pieces)
        ]
        following = lines[position + 1].text if position + 1 < len(lines) else ""
        ending = line.text
        if following and ending.endswith(("-", "‐", "‑")) and _is_broken_word(ending, following, style):
            yield from _cut_end(pieces)
        else:
            yield from pieces
            is_range = re.search(r"\d\s?[-–]$", ending) and following[:1].isdigit()
            if following and not is_range and not ending.endswith(("-", "‐", "‑", "/")):
                yield Piece(" ")


def _is_broken_word(ending: str, following: str, style: Style) -> bool:
    """Say whether a hyphen at the end of a line is only there for the line: the whole word occurs elsewhere."""
    head, tail = re.search(r"([^\W\d_]+)[-‐‑]$", ending), re.match(r"[^\W\d_]+", following)
    if not head or not tail or not tail.group()[0].islower():
        return False
    whole = (head.group(1) + tail.group()).casefold()
    parts_known = head.group(1).casefold() in style.words and tail.group().casefold() in style.words
    return whole in style.words or not parts_known


def _cut_end(pieces: Sequence[Piece]) -> list[Piece]:
    last = pieces[-1]
    return [*pieces[:-1], replace(last, text=last.text[:-1])]


def _entry_end(lines: Sequence[Line], style: Style) -> int:
    """Return how many lines an entry of the reference list has: up to the next number, or the next that hangs out."""
    is_numbered = bool(_ENTRY.match(lines[0].text))
    stop = 1
    while stop < len(lines) and not style.heading_level(lines[stop]):
        line, last = lines[stop], lines[stop - 1]
        if is_numbered and _ENTRY.match(line.text) and line.x0 <= lines[0].x0 + style.size:
            break
        hangs_out = line.x0 < last.x0 - 0.5 * style.size or (stop == 1 and abs(line.x0 - last.x0) < 1)
        is_apart = last.base - line.base > style.pitch + _PARAGRAPH_GAP * style.size
        if (
            not is_numbered
            and line.page == last.page
            and (is_apart or (hangs_out and _ENDS_SENTENCE.search(last.text)))
        ):
            break
        stop += 1
    return stop


def _caption(events: list[Event]) -> tuple[Piece, ...]:
    """Take the caption that was written last, if it was, away from the events."""
    return events.pop().pieces if events and events[-1].kind == "caption" else ()
