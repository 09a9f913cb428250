"""Puts a PDF page's characters into lines in reading order: raised characters kept apart, columns one after another.

Is: geometry on one page. Is not: a judge of what a line is (see `pdf.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from corpus.readers.assemble import Piece
from corpus.readers.pdf_glyphs import Glyph, PageGlyphs

# In parts of the font size. Blanks are a fifth of it and more, gaps between letters a tenth and less; justified lines
# stretch blanks to one, and cells and columns are further apart than that.
_WORD_GAP = 0.15
_CELL_GAP = 1.4
# A character of less than this part of its line's size, this far off its base line, is raised or lowered.
_SMALL = 0.85
_RAISED, _LOWERED = 0.15, -0.06
# How far from the base line a superscript's or subscript's own base may be, and from the letter beside it.
_REACH_UP, _REACH_DOWN, _REACH_ASIDE = 0.75, 0.4, 0.6
_MAX_MARK_CHARS = 5
# Base lines that differ by less are one.
_SAME_LINE = 0.18
# A gutter is at least this wide (points) and crossed by at most this part of the lines.
_LEAST_GUTTER, _MOST_CROSSING = 9.0, 0.2
# Text fills its column; the cells of a table do not.
_LEAST_FILL = 0.55
_LEAST_COLUMN_LINES = 4
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a line without a wide gap; `is_uncertain` says that its numbers may not be what they seem."""

    pieces: tuple[Piece, ...]
    x0: float
    x1: float
    base: float
    size: float
    is_bold: bool
    is_uncertain: bool = False

    @property
    def text(self) -> str:
        """Return its words."""
        return "".join(piece.text for piece in self.pieces).strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one column: a segment, or several where wide gaps part them as in a table's row."""

    segments: tuple[Segment, ...]
    page: int
    left: float
    right: float

    @property
    def text(self) -> str:
        """Return its words, wide gaps as one blank."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def base(self) -> float:
        """Return its distance from the page's lower edge, in points."""
        return self.segments[0].base

    @property
    def size(self) -> float:
        """Return the size of most of its characters, in points."""
        return max(self.segments, key=lambda segment: len(segment.text)).size

    @property
    def x0(self) -> float:
        """Return where it begins."""
        return self.segments[0].x0

    @property
    def x1(self) -> float:
        """Return where it ends."""
        return self.segments[-1].x1

    @property
    def is_bold(self) -> bool:
        """Say whether all of it is bold."""
        return all(segment.is_bold for segment in self.segments)


def page_lines(page: PageGlyphs, number: int) -> list[Line]:
    """Return a page's lines in reading order; `number` is the page's, from 1."""
    segments = [segment for row in _rows(page.glyphs) for segment in _segments(row, page.is_scan)]
    return [line for column in _columns(segments, number) for line in column]


def _rows(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return characters by the line that they stand on, top to bottom; small ones join the line that they touch."""
    rows: list[list[Glyph]] = []
    for glyph in sorted((g for g in glyphs if g.char.strip()), key=lambda g: (-g.base, g.x0)):
        row = rows[-1] if rows else None
        if row and row[0].base - glyph.base <= _SAME_LINE * max(row[0].size, glyph.size):
            row.append(glyph)
        else:
            rows.append([glyph])
    rows = [sorted(row, key=lambda g: g.x0) for row in rows]
    sizes = [median(glyph.size for glyph in row) for row in rows]
    added: list[list[Glyph]] = [[] for _ in rows]
    for position, row in enumerate(rows):
        kept: list[Glyph] = []
        for cluster in _clusters(row):
            near = [n for n in range(max(0, position - 3), min(len(rows), position + 4)) if n != position]
            home = next((n for n in near if _belongs(cluster, rows[n], sizes[n])), None)
            (kept if home is None else added[home]).extend(cluster)
        rows[position] = kept
    joined = [sorted([*row, *extra], key=lambda g: g.x0) for row, extra in zip(rows, added, strict=True)]
    return [row for row in joined if row]


def _clusters(row: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return the runs of a row that stand together and have one size."""
    runs: list[list[Glyph]] = []
    for glyph in row:
        last = runs[-1][-1] if runs else None
        if last and glyph.x0 - last.x1 < _REACH_ASIDE * glyph.size and abs(glyph.size - last.size) < 0.1 * last.size:
            runs[-1].append(glyph)
        else:
            runs.append([glyph])
    return runs


def _belongs(cluster: Sequence[Glyph], row: Sequence[Glyph], size: float) -> bool:
    """Say whether a run of small characters is raised or lowered beside a letter of a row."""
    if not row:
        return False
    offset = cluster[0].base - median(glyph.base for glyph in row)
    is_small = cluster[0].size < _SMALL * size
    # Some programs raise a footnote's number without making it smaller.
    is_mark = len(cluster) <= _MAX_MARK_CHARS and not any(glyph.char.isalpha() for glyph in cluster)
    if is_small:
        is_near = -_REACH_DOWN * size <= offset <= _REACH_UP * size
    else:
        is_near = is_mark and 2 * _RAISED * size <= offset <= _REACH_UP * size
    left, right, reach = cluster[0].x0, cluster[-1].x1, _REACH_ASIDE * size
    return is_near and any(
        (glyph.size > cluster[0].size or not is_small)
        and (-reach < left - glyph.x1 < reach or -reach < glyph.x0 - right < reach)
        for glyph in row
    )


def _segments(row: Sequence[Glyph], is_uncertain: bool) -> list[Segment]:
    """Return a row's stretches between wide gaps."""
    parts: list[list[Glyph]] = []
    for glyph in row:
        last = parts[-1][-1] if parts else None
        if last and _is_double(last, glyph):
            continue
        if last and glyph.x0 - max(g.x1 for g in parts[-1][-4:]) < _CELL_GAP * max(last.size, glyph.size):
            parts[-1].append(glyph)
        else:
            parts.append([glyph])
    return [_segment(part, is_uncertain) for part in parts]


def _is_double(last: Glyph, glyph: Glyph) -> bool:
    """Say whether a character is printed twice in one place, as some programs do for bold."""
    width = max(last.x1 - last.x0, 0.1)
    return glyph.char == last.char and abs(glyph.x0 - last.x0) < 0.3 * width


def _segment(glyphs: Sequence[Glyph], is_uncertain: bool) -> Segment:
    counts = Counter(round(glyph.size * 2) / 2 for glyph in glyphs)
    # Of two sizes equally frequent the larger is the line's: "2" and its footnote mark "1".
    size = max(counts, key=lambda value: (counts[value] * (1 + value / 100), value))
    full = [glyph for glyph in glyphs if glyph.size >= _SMALL * size]
    base = median(glyph.base for glyph in full or glyphs)
    pieces: list[Piece] = []
    last: Glyph | None = None
    for glyph in glyphs:
        offset = (glyph.base - base) / size
        is_small = glyph.size < _SMALL * size
        script: Literal["", "sup", "sub"] = ""
        if offset >= (_RAISED if is_small else 2 * _RAISED):
            script = "sup"
        elif is_small and offset <= _LOWERED:
            script = "sub"
        # A small digit on the base line beside a digit: part of the number, or a mark that lost its height?
        beside = (
            last is not None and last.char.isdigit() and glyph.char.isdigit() and glyph.x0 - last.x1 < _WORD_GAP * size
        )
        is_uncertain |= not glyph.is_certain or (is_small and not script and beside)
        if last is not None:
            gap = glyph.x0 - last.x1
            # Different characters printed over each other.
            is_uncertain |= gap < -0.6 * min(glyph.x1 - glyph.x0, last.x1 - last.x0) and not (script or is_small)
            if gap > _WORD_GAP * min(size, max(glyph.size, last.size)):
                pieces.append(Piece(" "))
        char = glyph.char.translate(_LIGATURES)
        if pieces and pieces[-1].script == script and pieces[-1].is_bold == glyph.is_bold and pieces[-1].text != " ":
            pieces[-1] = replace(pieces[-1], text=pieces[-1].text + char)
        else:
            pieces.append(Piece(char, glyph.is_bold, script))
        last = glyph
    is_bold = all(glyph.is_bold for glyph in full or glyphs)
    return Segment(tuple(pieces), glyphs[0].x0, max(g.x1 for g in glyphs), base, size, is_bold, is_uncertain)


def _columns(segments: Sequence[Segment], page: int) -> list[list[Line]]:
    """Return lines column by column; what crosses the gutter parts the page into bands."""
    if not segments:
        return []
    gutter = _gutter(segments)
    if gutter is None:
        return [_lines(segments, page)]
    wide = _tabular(segments, gutter)
    columns: list[list[Line]] = []
    left: list[Segment] = []
    right: list[Segment] = []
    across: list[Segment] = []

    def close_columns() -> None:
        for side in (left, right):
            if side:
                # A third column shows once the page is halved.
                columns.extend(_columns(side, page) if len(side) >= 2 * _LEAST_COLUMN_LINES else [_lines(side, page)])
                side.clear()

    for segment in sorted(segments, key=lambda s: (-s.base, s.x0)):
        is_across = segment.x0 < gutter < segment.x1 or segment in wide
        if is_across:
            close_columns()
            across.append(segment)
            continue
        if across:
            columns.append(_lines(across, page))
            across = []
        (left if segment.x1 <= gutter else right).append(segment)
    close_columns()
    if across:
        columns.append(_lines(across, page))
    return columns


def _gutter(segments: Sequence[Segment]) -> float | None:
    """Return the middle of the gutter between two columns of text, None if there is one column."""
    if len(segments) < 2 * _LEAST_COLUMN_LINES:
        return None
    low, high = min(s.x0 for s in segments), max(s.x1 for s in segments)
    rows = len({round(s.base) for s in segments})
    best: tuple[float, float] | None = None
    start: float | None = None
    x = low + 0.2 * (high - low)
    while x < low + 0.8 * (high - low):
        crossing = sum(s.x0 < x < s.x1 for s in segments)
        if crossing <= _MOST_CROSSING * rows:
            start = x if start is None else start
            if best is None or x - start > best[1] - best[0]:
                best = (start, x)
        else:
            start = None
        x += 1.5
    if best is None or best[1] - best[0] < _LEAST_GUTTER:
        return None
    gutter = (best[0] + best[1]) / 2
    left = [s for s in segments if s.x1 <= gutter]
    right = [s for s in segments if s.x0 >= gutter]
    for side in (left, right):
        if len(side) < _LEAST_COLUMN_LINES:
            return None
        width = max(s.x1 for s in side) - min(s.x0 for s in side)
        if median(s.x1 - s.x0 for s in side) < _LEAST_FILL * width:
            return None
    return gutter


def _tabular(segments: Sequence[Segment], gutter: float) -> set[Segment]:
    """Return the segments of rows with more cells than the page has columns: a table across both."""
    rows: dict[int, list[Segment]] = {}
    for segment in segments:
        rows.setdefault(round(segment.base), []).append(segment)
    bases = sorted(rows, reverse=True)
    many = {base for base in bases if len(rows[base]) > 2}
    tabular: set[Segment] = set()
    for position, base in enumerate(bases):
        neighbours = {*bases[max(0, position - 1) : position], *bases[position + 1 : position + 2]}
        if base in many and neighbours & many:
            tabular |= set(rows[base])
    return tabular


def _lines(segments: Sequence[Segment], page: int) -> list[Line]:
    """Return segments as lines from top to bottom."""
    left, right = min(s.x0 for s in segments), max(s.x1 for s in segments)
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (-s.base, s.x0)):
        if rows and rows[-1][0].base - segment.base <= _SAME_LINE * max(rows[-1][0].size, segment.size):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [Line(tuple(sorted(row, key=lambda s: s.x0)), page, left, right) for row in rows]
