"""Finds the tables of a PDF page whose cells are drawn, and tables of lines whose cells stand apart.

Is: a grid of rules, or the places where cells begin. Is not: certain of the second kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from corpus.readers.assemble import Event, Piece, RichCell, TableEvent
from corpus.readers.pdf_columns import RuledTable
from corpus.readers.pdf_glyphs import Rule
from corpus.readers.pdf_lines import Line, Segment

# In points: rules that end this close to each other meet.
_REACH = 3.0
_MAX_RULES = 3000


def ruled_tables(
    segments: Sequence[Segment], rules: Sequence[Rule], page: int
) -> tuple[list[RuledTable], list[Segment]]:
    """Return the tables with drawn cells, and the stretches of text outside of them."""
    tables: list[RuledTable] = []
    left = list(segments)
    for group in _groups(rules[:_MAX_RULES]):
        xs = _places([(r.x0 + r.x1) / 2 for r in group if not r.is_level])
        ys = _places([(r.y0 + r.y1) / 2 for r in group if r.is_level])
        if len(xs) < 3 or len(ys) < 3:
            continue
        inside = [s for s in left if xs[0] - _REACH < s.x0 and s.x1 < xs[-1] + _REACH and ys[0] < s.base < ys[-1]]
        if len(inside) > 1 and (table := _table(inside, group, xs, ys, page)):
            tables.append(table)
            taken = {id(segment) for segment in inside}
            left = [segment for segment in left if id(segment) not in taken]
    return tables, left


def _groups(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Yield the rules that meet each other, directly or through others."""
    rest = list(rules)
    while rest:
        group, rest = [rest[0]], rest[1:]
        position = 0
        while position < len(group):
            one = group[position]
            met = [r for r in rest if _meet(one, r)]
            if met:
                taken = {id(rule) for rule in met}
                rest = [rule for rule in rest if id(rule) not in taken]
                group += met
            position += 1
        if len(group) > 4:
            yield group


def _meet(a: Rule, b: Rule) -> bool:
    return a.x0 - _REACH <= b.x1 and b.x0 - _REACH <= a.x1 and a.y0 - _REACH <= b.y1 and b.y0 - _REACH <= a.y1


def _places(values: Sequence[float]) -> list[float]:
    """Return values with those as one that are as good as equal."""
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > _REACH:
            places.append(value)
    return places


def _table(
    segments: Sequence[Segment], rules: Sequence[Rule], xs: Sequence[float], ys: Sequence[float], page: int
) -> RuledTable | None:
    """Return the table of a grid; cells that no rule parts are one."""
    upright = [rule for rule in rules if not rule.is_level]
    level = [rule for rule in rules if rule.is_level]
    is_uncertain = False
    rows: list[list[RichCell]] = []
    # The row of the grid in which the cell above each column began.
    for bottom, top in reversed(list(pairwise(ys))):
        middle = (bottom + top) / 2
        edges = [x for x in xs if any(abs((r.x0 + r.x1) / 2 - x) <= _REACH and r.y0 <= middle <= r.y1 for r in upright)]
        if len(edges) < 2:
            continue
        cells: list[RichCell] = []
        for begin, end in pairwise(edges):
            words = [
                s for s in segments if bottom <= s.base < top and begin - _REACH < (s.x0 + s.x1) / 2 < end + _REACH
            ]
            words = [s for s in words if begin <= (s.x0 + s.x1) / 2 < end]
            is_uncertain |= any(s.x0 < begin - _REACH or s.x1 > end + _REACH or s.is_uncertain for s in words)
            columns = sum(begin - _REACH < x < end - _REACH for x in xs)
            is_open = rows and not any(abs(r.y0 - top) <= _REACH and r.x0 <= (begin + end) / 2 <= r.x1 for r in level)
            pieces = tuple(_words(words))
            if is_open and not pieces:
                # No rule above: the cell of the row before reaches down to here.
                pieces = _cell_at(rows[-1], sum(cell.columns for cell in cells))
            elif is_open:
                is_uncertain = True
            cells.append(RichCell(pieces, max(1, columns)))
        rows.append(cells)
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return None
    event = TableEvent((tuple(rows[0]),), tuple(tuple(row) for row in rows[1:]))
    return RuledTable(event, xs[0], xs[-1], ys[-1], ys[0], page, is_uncertain)


def _cell_at(row: Sequence[RichCell], column: int) -> tuple[Piece, ...]:
    for cell in row:
        if column < cell.columns:
            return cell.pieces
        column -= cell.columns
    return ()


def _words(segments: Sequence[Segment]) -> Iterator[Piece]:
    """Yield the words of one cell, line by line."""
    for position, segment in enumerate(sorted(segments, key=lambda s: (-round(s.base), s.x0))):
        if position:
            yield Piece(" ")
        yield from segment.pieces


def spaced_table_end(lines: Sequence[Line | RuledTable], start: int) -> int:
    """Return where a table that begins here ends, 0 if none does: two lines in a row with cells apart."""
    first = lines[start]
    if not isinstance(first, Line) or len(first.segments) < 2:
        return 0
    table: list[Line] = []
    rows = 0
    for line in lines[start:]:
        if not isinstance(line, Line) or line.page != first.page:
            break
        gap = table[-1].base - line.base if table else 0.0
        if gap < 0 or gap > 3.5 * line.size:
            break
        if len(line.segments) > 1:
            rows += 1
        elif not _continues_cell(table, line):
            break
        table.append(line)
    while len(table) > 1 and len(table[-1].segments) < 2 and table[-1].x0 < first.x0 + 1:
        table.pop()
    return start + len(table) if rows > 1 else 0


def _continues_cell(table: Sequence[Line], line: Line) -> bool:
    """Say whether a lone stretch stands under one of a table's cells rather than being text after it."""
    starts = [segment.x0 for row in table for segment in row.segments]
    is_aligned = any(abs(line.x0 - start) < line.size for start in starts)
    is_narrow = line.x1 - line.x0 < 0.6 * (line.right - line.left)
    return is_aligned and is_narrow and table[-1].base - line.base < 1.6 * line.size


def spaced_table(lines: Sequence[Line], caption: tuple[Piece, ...]) -> Event:
    """Return a table; its cells go into the columns that their places say, and all of it is uncertain."""
    columns = _column_places([segment for line in lines for segment in line.segments])
    rows: list[list[list[Piece]]] = []
    for line in lines:
        cells: list[list[Piece]] = [[] for _ in columns]
        for segment in line.segments:
            cell = cells[_column_of(segment, columns)]
            cell += [*([Piece(" ")] if cell else []), *segment.pieces]
        # A line that leaves the first column empty goes on with the cells of the row above.
        goes_on = rows and not cells[0] and any(cell and rows[-1][n] for n, cell in enumerate(cells))
        if goes_on and len(line.segments) < len(columns) - 1:
            for n, cell in enumerate(cells):
                rows[-1][n] += [Piece(" "), *cell] if cell else []
        else:
            rows.append(cells)
    table = [tuple(RichCell(tuple(cell)) for cell in row) for row in rows]
    event = Event("table", table=TableEvent((table[0],), tuple(table[1:]), caption), page=lines[0].page)
    return replace(event, is_uncertain=True)


def _column_places(segments: Sequence[Segment]) -> list[tuple[float, float]]:
    """Return the columns of a table as ranges: cells that lie above each other are one column."""
    places: list[tuple[float, float]] = []
    # Narrow cells first: a head over two columns must not make them one.
    for segment in sorted(segments, key=lambda s: s.x1 - s.x0):
        touching = [place for place in places if segment.x0 < place[1] and place[0] < segment.x1]
        if not touching:
            places.append((segment.x0, segment.x1))
        elif len(touching) == 1:
            places[places.index(touching[0])] = (min(segment.x0, touching[0][0]), max(segment.x1, touching[0][1]))
    return sorted(places)


def _column_of(segment: Segment, columns: Sequence[tuple[float, float]]) -> int:
    """Return the column that a cell overlaps most, the nearest if it overlaps none."""
    overlaps = [min(segment.x1, high) - max(segment.x0, low) for low, high in columns]
    return max(range(len(columns)), key=lambda n: overlaps[n])
