"""Puts the stretches of a PDF page into reading order: across the page, or column by column.

Is: a sweep from top to bottom that looks for a gutter which nothing crosses. Is not: a reader of tables, beyond not
taking one for columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from corpus.readers.assemble import Piece, TableEvent
from corpus.readers.pdf_glyphs import Rule
from corpus.readers.pdf_lines import SAME_LINE, Line, Segment

# In points. Columns of print stand at least this far apart.
_LEAST_GUTTER = 7.0
# A column is no narrower than this part of the text's width, and has at least so many lines beside the other's.
_LEAST_COLUMN_SHARE = 0.2
_LEAST_COLUMN_LINES = 3
# Text fills its column, but for the last lines of paragraphs; the cells of a table do not.
_LEAST_FILL = 0.6
# So many rules that run across a gutter are those of a table.
_TABLE_RULES = 3
# A distance of this many lines between columns and what stands below says that it stands below both.
_BREAK_LINES = 1.8
# The blanks of a justified line differ by less than this factor, and are wider than usual, but not as wide as a table's
# (both in parts of the font size).
_MOST_UNEQUAL, _LEAST_STRETCHED, _MOST_STRETCHED = 1.5, 0.6, 3.5
# In parts of the font size.
_MOST_DOT_GAP = 2.5


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A table whose cells are drawn, as one thing on its page."""

    event: TableEvent
    x0: float
    x1: float
    base: float
    bottom: float
    page: int
    is_uncertain: bool = False


Thing = Segment | RuledTable


def in_order(things: Sequence[Thing], rules: Sequence[Rule], page: int) -> list[Line | RuledTable]:
    """Return a page's lines and ruled tables in the order in which they are read."""
    if not things:
        return []
    ordered: list[Line | RuledTable] = []
    rows = _rows(things)
    edges = min(thing.x0 for thing in things), max(thing.x1 for thing in things)
    position = 0
    while position < len(rows):
        stop, gutter = _run(rows, position, rules)
        run = [thing for row in rows[position:stop] for thing in row]
        if gutter is None:
            ordered += _lines(rows[position:stop], page, *edges)
        else:
            left = [thing for thing in run if thing.x1 <= gutter]
            right = [thing for thing in run if thing.x0 >= gutter]
            # A third column shows once the page is halved.
            ordered += in_order(left, rules, page) + in_order(right, rules, page)
        position = stop
    return ordered


def with_dots(lines: Sequence[Line | RuledTable], dots: Sequence[tuple[float, float]]) -> list[Line | RuledTable]:
    """Return lines, those that a drawn bullet stands before marked so."""

    def has_dot(line: Line) -> bool:
        return any(
            0 <= line.x0 - right < _MOST_DOT_GAP * line.size and 0 < middle - line.base < 0.8 * line.size
            for right, middle in dots
        )

    return [replace(line, has_dot=True) if isinstance(line, Line) and has_dot(line) else line for line in lines]


def _rows(things: Sequence[Thing]) -> list[list[Thing]]:
    """Return things by the line that they stand on, top to bottom, left to right."""
    rows: list[list[Thing]] = []
    for thing in sorted(things, key=lambda t: (-t.base, t.x0)):
        last = rows[-1][0] if rows else None
        size = max(thing.size, last.size) if isinstance(thing, Segment) and isinstance(last, Segment) else 0.0
        if last is not None and last.base - thing.base <= SAME_LINE * size:
            rows[-1].append(thing)
        else:
            rows.append([thing])
    return [sorted(row, key=lambda t: t.x0) for row in rows]


def _run(rows: Sequence[Sequence[Thing]], start: int, rules: Sequence[Rule]) -> tuple[int, float | None]:
    """Return where the run of rows that begins at `start` ends, and the gutter that parts it, if one does.

    Rows that no gutter parts come back one by one, so that columns may begin right below them.
    """
    low = min(thing.x0 for row in rows for thing in row)
    high = max(thing.x1 for row in rows for thing in row)
    margin = _LEAST_COLUMN_SHARE * (high - low)
    free = [(low + margin, high - margin)]
    stop = start
    while stop < len(rows):
        left = _narrowed(free, rows[stop])
        if not left:
            break
        free, stop = left, stop + 1
    if stop == start:
        return start + 1, None
    best: tuple[int, float] | None = None
    for begin, end in sorted(free, key=lambda gap: gap[0] - gap[1]):
        gutter = (begin + end) / 2
        inside = _trimmed(rows[start:stop], gutter, is_last=stop == len(rows))
        if _is_columns([thing for row in inside for thing in row], gutter, rules):
            best = (start + len(inside), gutter)
            break
    return best if best else (start + 1, None)


def _narrowed(free: Sequence[tuple[float, float]], row: Sequence[Thing]) -> list[tuple[float, float]]:
    """Return the ranges that stay free once a row is taken out, those that are wide enough for a gutter."""
    for thing in row:
        parts = []
        for begin, end in free:
            parts += [(begin, min(end, thing.x0)), (max(begin, thing.x1), end)]
        free = [(begin, end) for begin, end in parts if end - begin >= _LEAST_GUTTER]
    return list(free)


def _trimmed(rows: Sequence[Sequence[Thing]], gutter: float, *, is_last: bool) -> Sequence[Sequence[Thing]]:
    """Return rows less those at the end that stand below both columns rather than at the foot of the left one."""
    last_right = max((n for n, row in enumerate(rows) if any(t.x0 >= gutter for t in row)), default=-1)
    pitches = [a[0].base - b[0].base for a, b in pairwise(rows)]
    usual = median(pitches) if pitches else 0.0
    for position in range(last_right + 1, len(rows)):
        if position > 0 and not is_last and pitches[position - 1] > _BREAK_LINES * usual:
            return rows[:position]
    return rows


def _is_columns(things: Sequence[Thing], gutter: float, rules: Sequence[Rule]) -> bool:
    left = [thing for thing in things if thing.x1 <= gutter and isinstance(thing, Segment)]
    right = [thing for thing in things if thing.x0 >= gutter and isinstance(thing, Segment)]
    if min(len(left), len(right)) < _LEAST_COLUMN_LINES:
        return False
    top, bottom = min(left[0].base, right[0].base), max(left[-1].base, right[-1].base)
    beside = [sum(bottom <= thing.base <= top for thing in side) for side in (left, right)]
    if min(beside) < _LEAST_COLUMN_LINES:
        return False
    across = {
        round(rule.y0) for rule in rules if rule.is_level and rule.x0 < gutter < rule.x1 and bottom <= rule.y0 <= top
    }
    if len(across) >= _TABLE_RULES:
        return False
    whole = max(t.x1 for t in right) - min(t.x0 for t in left)
    for side in (left, right):
        width = max(t.x1 for t in side) - min(t.x0 for t in side)
        if width < _LEAST_COLUMN_SHARE * whole or median(t.x1 - t.x0 for t in side) < _LEAST_FILL * width:
            return False
    return True


def _lines(rows: Sequence[Sequence[Thing]], page: int, left: float, right: float) -> list[Line | RuledTable]:
    lines: list[Line | RuledTable] = []
    for row in rows:
        lines += [thing for thing in row if isinstance(thing, RuledTable)]
        if parts := tuple(thing for thing in row if isinstance(thing, Segment)):
            lines.append(Line(_unstretched(parts, left, right), page, left, right))
    return lines


def _unstretched(parts: tuple[Segment, ...], left: float, right: float) -> tuple[Segment, ...]:
    """Return a line's stretches as one where its gaps are those of a line that was justified, not of a table.

    Such a line fills its column, and all its blanks are stretched alike.
    """
    size = parts[0].size
    if len(parts) < 2 or parts[0].x0 > left + 2 * size or parts[-1].x1 < right - size:
        return parts
    gaps = [b.x0 - a.x1 for a, b in pairwise(parts)]
    blanks = [part.blank for part in parts if part.blank]
    least = min([*gaps, *blanks])
    if len(gaps) < 2 and not blanks:
        return parts
    if max(gaps) > min(_MOST_UNEQUAL * least, _MOST_STRETCHED * size) or least < _LEAST_STRETCHED * size:
        return parts
    pieces = [piece for n, part in enumerate(parts) for piece in ([Piece(" ")] if n else []) + list(part.pieces)]
    is_bold, is_uncertain = all(part.is_bold for part in parts), any(part.is_uncertain for part in parts)
    first = parts[0]
    return (Segment(tuple(pieces), first.x0, parts[-1].x1, first.base, size, is_bold, is_uncertain, max(gaps)),)
