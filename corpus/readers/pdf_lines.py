"""Puts a PDF page's characters into stretches of text: raised characters kept apart, double printing undone.

Is: geometry of neighbouring characters. Is not: aware of columns (see `pdf_columns.py`) or of what a line says.
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
# Stretches that a file writes apart, but so close, are one.
_JOIN_GAP = 0.5
# A character of less than this part of its line's size, this far off its base line, is raised or lowered.
_SMALL = 0.85
_RAISED, _LOWERED = 0.15, -0.06
# How far from the base line a superscript's or subscript's own base may be, and from the letter beside it.
_REACH_UP, _REACH_DOWN, _REACH_ASIDE = 0.75, 0.4, 0.6
_MAX_MARK_CHARS = 5
# Base lines that differ by less are one.
SAME_LINE = 0.18
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a line without a wide gap; `is_uncertain` says that its numbers may not be what they seem.

    `blank` is the widest distance between two of its words.
    """

    pieces: tuple[Piece, ...]
    x0: float
    x1: float
    base: float
    size: float
    is_bold: bool
    is_uncertain: bool = False
    blank: float = 0.0

    @property
    def text(self) -> str:
        """Return its words."""
        return "".join(piece.text for piece in self.pieces).strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one column: a segment, or several where wide gaps part them as in a table's row.

    `left` and `right` are its column's edges; `has_dot` says that a bullet is drawn before it.
    """

    segments: tuple[Segment, ...]
    page: int
    left: float
    right: float
    has_dot: bool = False

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


def read_segments(page: PageGlyphs) -> list[Segment]:
    """Return a page's stretches of text without wide gaps, in no useful order.

    A file's own order of characters decides what belongs together, since it never jumps between columns within a
    line; places decide only where stretches touch, and where a raised number was written apart.
    """
    runs = _join_marks(_join_touching(_written_runs(page.glyphs)))
    return [_segment(run, page.is_scan) for run in runs]


def _written_runs(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return characters that were written one after another on one line."""
    runs: list[list[Glyph]] = []
    for glyph in glyphs:
        if not glyph.char.strip():
            continue
        run = runs[-1] if runs else None
        if run and _follows(run, glyph):
            if not _is_double(run[-1], glyph):
                run.append(glyph)
        else:
            runs.append([glyph])
    return runs


def _follows(run: Sequence[Glyph], glyph: Glyph) -> bool:
    last, largest = run[-1], max(run[-12:], key=lambda g: g.size)
    size = max(largest.size, glyph.size)
    gap = glyph.x0 - last.x1
    if not -0.9 * size < gap < _CELL_GAP * size or glyph.x0 < run[0].x0 - 0.1 * size:
        return False
    offset = glyph.base - largest.base
    if abs(offset) <= SAME_LINE * size:
        return True
    # A raised or lowered number, or the line's own text after one that began it.
    is_raised = glyph.size < _SMALL * largest.size and -_REACH_DOWN * size <= offset <= _REACH_UP * size
    is_back = largest.size < _SMALL * glyph.size and -_REACH_UP * size <= offset <= _REACH_DOWN * size
    return gap < _REACH_ASIDE * size and (is_raised or is_back)


def _is_double(last: Glyph, glyph: Glyph) -> bool:
    """Say whether a character is printed twice in one place, as some programs do for bold."""
    return glyph.char == last.char and abs(glyph.x0 - last.x0) < 0.3 * max(last.x1 - last.x0, 0.1)


def _join_touching(runs: list[list[Glyph]]) -> list[list[Glyph]]:
    """Return runs with those as one that stand on one line and all but touch, or lie over each other."""
    joined: list[list[Glyph]] = []
    rows: dict[int, list[list[Glyph]]] = {}
    for run in sorted(runs, key=lambda r: r[0].x0):
        home = max(run, key=lambda g: g.size)
        near = [other for key in (-1, 0, 1) for other in rows.get(round(home.base / 2) + key, ())]
        for other in near:
            last = max(other, key=lambda g: g.x1)
            size = max(home.size, last.size)
            is_same_line = abs(max(other, key=lambda g: g.size).base - home.base) <= SAME_LINE * size
            if is_same_line and run[0].x0 - last.x1 < _JOIN_GAP * size:
                for glyph in run:
                    if not any(_is_double(placed, glyph) for placed in other):
                        other.append(glyph)
                other.sort(key=lambda g: g.x0)
                break
        else:
            joined.append(run)
            rows.setdefault(round(home.base / 2), []).append(run)
    return joined


def _join_marks(runs: list[list[Glyph]]) -> list[list[Glyph]]:
    """Return runs with small ones, written apart, put beside the letter that they are raised or lowered from."""
    kept = list(runs)
    for mark in runs:
        if len(mark) > 4 * _MAX_MARK_CHARS:
            continue
        home = next((run for run in kept if run is not mark and _belongs(mark, run)), None)
        if home is not None:
            kept.remove(mark)
            home.extend(mark)
            home.sort(key=lambda g: g.x0)
    return kept


def _belongs(mark: Sequence[Glyph], run: Sequence[Glyph]) -> bool:
    """Say whether a short run is raised or lowered beside a letter of another."""
    largest = max(run, key=lambda g: g.size)
    size, offset = largest.size, mark[0].base - largest.base
    if max(glyph.size for glyph in mark) < _SMALL * size:
        is_near = -_REACH_DOWN * size <= offset <= _REACH_UP * size
    else:
        # Some programs raise a footnote's number without making it smaller.
        is_mark = len(mark) <= _MAX_MARK_CHARS and not any(glyph.char.isalpha() for glyph in mark)
        is_near = is_mark and len(run) > len(mark) and 2 * _RAISED * size <= offset <= _REACH_UP * size
    left, right, reach = mark[0].x0, mark[-1].x1, _REACH_ASIDE * size
    return is_near and any(
        -reach < left - glyph.x1 < reach or -reach < glyph.x0 - right < reach for glyph in run if glyph.size == size
    )


def _segment(glyphs: Sequence[Glyph], is_uncertain: bool) -> Segment:
    counts = Counter(round(glyph.size * 2) / 2 for glyph in glyphs)
    # Of two sizes equally frequent the larger is the line's: "2" and its footnote mark "1".
    size = max(counts, key=lambda value: (counts[value] * (1 + value / 100), value))
    full = [glyph for glyph in glyphs if glyph.size >= _SMALL * size]
    base = median(glyph.base for glyph in full or glyphs)
    pieces: list[Piece] = []
    last: Glyph | None = None
    blank = 0.0
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
                blank = max(blank, gap)
        char = glyph.char.translate(_LIGATURES)
        if pieces and pieces[-1].script == script and pieces[-1].is_bold == glyph.is_bold and pieces[-1].text != " ":
            pieces[-1] = replace(pieces[-1], text=pieces[-1].text + char)
        else:
            pieces.append(Piece(char, glyph.is_bold, script))
        last = glyph
    is_bold = all(glyph.is_bold for glyph in full or glyphs)
    return Segment(tuple(pieces), glyphs[0].x0, max(g.x1 for g in glyphs), base, size, is_bold, is_uncertain, blank)
