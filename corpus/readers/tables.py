"""Lays table cells that span rows and columns onto a grid, so that no value slides under another's heading.

Is: the geometry of HTML and JATS tables. Is not: a guess at what a table means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.builder import Inline, join_runs

# No table on a page is wider; a colspan of a million would fill the memory.
MAX_COLUMNS = 100
MAX_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as its format gives it."""

    run: Inline
    columns: int = 1
    rows: int = 1
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A header row (empty if there is none) and rows; a row of one cell in a wider table names a group."""

    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]


def lay_out(head: Sequence[Sequence[Cell]], body: Sequence[Sequence[Cell]]) -> Grid:
    """Return the grid of a table; a spanning cell's words stand in every place that it covers.

    Without a head, leading rows of nothing but header cells are one. Several header rows become one, their words
    joined from top to bottom: "Dose: adults".
    """
    head, body = list(head), list(body)
    while not head and len(body) > 1 and body[0] and all(cell.is_header for cell in body[0]):
        head = [body.pop(0)]
        while len(body) > 1 and body[0] and all(cell.is_header for cell in body[0]) and not _is_whole(body[0]):
            head.append(body.pop(0))
    head_rows, _ = _place(head)
    body_rows, origins = _place(body)
    width = max((len(row) for row in (*head_rows, *body_rows)), default=0)
    header = tuple(_stack([row[column] for row in head_rows if column < len(row)]) for column in range(width))
    rows = []
    for row, origin in zip(body_rows, origins, strict=True):
        is_spanned = len(row) == width and len(set(origin)) == 1
        rows.append((row[0],) if width > 1 and (is_spanned or _is_caption(row)) else tuple(row))
    return Grid(header if head_rows else (), tuple(rows))


def _is_whole(row: Sequence[Cell]) -> bool:
    """Say whether a row is one cell, which names a group below the header rather than columns."""
    return len(row) == 1


def _is_caption(row: Sequence[Inline]) -> bool:
    """Say whether a row is one cell, mostly bold, and nothing else: a group's name that its table left unspanned."""
    if not row:
        return False
    first = row[0].normalized()
    is_bold = bool(first.text) and sum(end - start for start, end in first.bold) * 2 > len(first.text)
    return is_bold and not any(cell.text.strip() for cell in row[1:])


def _place(rows: Sequence[Sequence[Cell]]) -> tuple[list[list[Inline]], list[list[int]]]:
    """Return each row's words by column, and which cell each place came from."""
    grid: list[list[Inline]] = []
    origins: list[list[int]] = []
    # Cells that reach down from the rows above: column -> (rows left, words, which cell).
    hanging: dict[int, tuple[int, Inline, int]] = {}
    serial = 0
    for row in rows[:MAX_ROWS]:
        words: list[Inline] = []
        places: list[int] = []
        above, hanging = hanging, {}
        cells = list(reversed(row))
        while len(words) < MAX_COLUMNS and (cells or any(column >= len(words) for column in above)):
            column = len(words)
            if column in above:
                left, run, origin = above[column]
                spanned = 1
            elif cells:
                cell = cells.pop()
                serial += 1
                left, run, origin, spanned = cell.rows, cell.run, serial, cell.columns
            else:
                # The row is too short to reach a cell from above.
                left, run, origin, spanned = 1, Inline(""), -1, 1
            for place in range(column, min(column + max(1, spanned), MAX_COLUMNS)):
                if place > column and place in above:
                    break
                if left > 1:
                    hanging[place] = (left - 1, run, origin)
                words.append(run)
                places.append(origin)
        grid.append(words)
        origins.append(places)
    return grid, origins


def _stack(runs: Sequence[Inline]) -> Inline:
    """Return one header cell from those above each other, each text once."""
    kept: list[Inline] = []
    for run in runs:
        if run.text.strip() and (not kept or kept[-1].text != run.text):
            kept.append(run)
    return join_runs(kept, ": ")
