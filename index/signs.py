"""The signs of every vector's numbers, 1 bit each: a scan that finds candidates among millions.

Is: a coarse first look into the nearest cells (see `cells.py`), 48 bytes a passage of 384 numbers. Is not: a ranking;
what it finds is ranked by the exact cosines of the flat copy (see `vectors.py`).

Two unit vectors at the angle α differ in the sign of about α/π of their numbers, where these are about independent of
each other, so that the passages with the fewest differing signs are those with the largest cosines, give or take.
Source: Charikar 2002, "Similarity estimation techniques from rounding algorithms" (hyperplane hashing; here the
hyperplanes are the axes).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.cells import learn_cells, read_cells, write_cells
from index.embedding import Vectors

_WORD_BITS = 64
# The share of all passages that a search compares: those of the cells nearest to the question.
_SHARE = 1 / 8
# Fewer are not worth leaving out; of the rows that a filter allows so many are compared, too.
_LEAST = 20_000
# Up to so many allowed rows are looked up one by one, whatever their cells.
_LOOKED_UP = 4 * _LEAST
# Rows of the flat copy whose signs are read at once while the file is written.
_ROWS_READ = 16_384
_CELLS_SUFFIX = ".cells.npz"


class SignVectors:
    """The signs, held in memory in the order of the cells; safe to share between threads."""

    def __init__(self, path: Path, count: int, dimension: int) -> None:
        """Open what `write_signs` wrote. Raises ValueError if it does not hold `count` of them."""
        # Read whole, 48 MB per million: in pieces of a mapped file a scan takes half as long again.
        self._words: NDArray[np.uint64] = np.load(path)
        wanted = (_words_of(dimension), count)
        if self._words.shape != wanted or self._words.dtype != np.uint64:
            raise ValueError(f"{path} does not hold the signs of {count} vectors of {dimension} numbers")
        self._cells = read_cells(_cells_beside(path), count, dimension)
        self._count, self._dimension = count, dimension
        self._place = np.empty(count, np.int32)
        self._place[self._cells.rows] = np.arange(count, dtype=np.int32)

    def nearest(self, query: Vectors, depth: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return the rows with the fewest signs that differ from those of `query`, in ascending order.

        They are `depth` rows of the cells that are looked into, and those that differ in as many signs as the last of
        them; all allowed rows where there are no more. `query` has the shape (dimension,).
        """
        rows, words = self._candidates(query, depth, allowed)
        if len(rows) > depth:
            distances = _distances(words, _signs(query[None, :])[:, 0])
            rows = rows[_nearest(distances, depth, self._dimension)]
        return np.sort(rows).astype(np.int64)

    def _candidates(
        self, query: Vectors, depth: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64] | NDArray[np.int32], NDArray[np.uint64]]:
        """Return rows (n,) and their signs (words, n): those of the nearest cells, or all that are allowed if few."""
        if allowed is not None and np.count_nonzero(allowed) <= max(_LOOKED_UP, depth):
            few = np.flatnonzero(allowed)
            return few, self._words[:, self._place[few]]
        cells = self._cells.by_distance(query)
        held = np.cumsum(self._cells.sizes[cells])
        visited = int(np.searchsorted(held, max(int(self._count * _SHARE), _LEAST, depth))) + 1
        while True:
            spans = self._cells.spans(cells[:visited])
            rows = np.concatenate([self._cells.rows[span] for span in spans])
            kept = None if allowed is None else allowed[rows]
            if kept is None or visited >= len(cells) or np.count_nonzero(kept) >= max(_LEAST, depth):
                break
            # The allowed rows lie elsewhere.
            visited *= 2
        words = np.concatenate([self._words[:, span] for span in spans], axis=1)
        return (rows, words) if kept is None else (rows[kept], words[:, kept])

    def are_of(self, vectors: Vectors) -> bool:
        """Say whether these are the signs of `vectors`, shape (n, dimension), each of them."""
        rows = self._cells.rows
        if len(vectors) != self._count or not np.array_equal(np.sort(rows), np.arange(self._count)):
            return False
        parts = (slice(start, start + _ROWS_READ) for start in range(0, self._count, _ROWS_READ))
        return all(np.array_equal(self._words[:, part], _signs(vectors[rows[part]])) for part in parts)


def _distances(words: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return in how many signs each column of `words`, shape (words, n), differs from `asked`, shape (words,)."""
    distances = np.zeros(words.shape[1], np.uint16)
    for word, wanted in zip(words, asked, strict=True):
        distances += np.bitwise_count(word ^ wanted)
    return distances


def _nearest(distances: NDArray[np.uint16], depth: int, furthest: int) -> NDArray[np.int64]:
    """Return the places of the `depth` smallest distances and of those that equal the largest of them.

    None is further than `furthest`.
    """
    counts = np.cumsum(np.bincount(distances, minlength=furthest + 1))
    return np.flatnonzero(distances <= int(np.searchsorted(counts, depth)))


def write_signs(path: Path, vectors: Vectors) -> None:
    """Write the cells and the signs of `vectors`, shape (n, dimension).

    The signs are a NumPy file of the shape (words, n) uint64, cell by cell; the cells lie beside it.
    """
    cells = learn_cells(vectors)
    count, dimension = vectors.shape
    signs = np.empty((_words_of(dimension), count), np.uint64)
    for start in range(0, count, _ROWS_READ):
        part = slice(start, start + _ROWS_READ)
        signs[:, part] = _signs(vectors[cells.rows[part]])
    # Written, not stored into a mapped file: there a full disk would end the process by a signal.
    with path.open("wb") as file:
        np.lib.format.write_array(file, signs, allow_pickle=False)
    write_cells(_cells_beside(path), cells)


def _cells_beside(path: Path) -> Path:
    return path.with_name(path.stem + _CELLS_SUFFIX)


def _words_of(dimension: int) -> int:
    return -(-dimension // _WORD_BITS)


def _signs(vectors: Vectors) -> NDArray[np.uint64]:
    """Return the signs of rows as words, shape (words, n); the last word is filled with zeros."""
    packed = np.packbits(vectors > 0, axis=1)
    padded = np.zeros((len(vectors), _words_of(vectors.shape[1]) * _WORD_BITS // 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    words: NDArray[np.uint64] = padded.view(np.uint64).T
    return words
