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
# Fewer are not worth leaving out.
_LEAST = 20_000
# Rows of the flat copy whose signs are read at once while the file is written.
_ROWS_READ = 16_384
_CELLS_SUFFIX = ".cells.npz"


class SignVectors:
    """The signs, mapped into memory in the order of the cells; safe to share between threads."""

    def __init__(self, path: Path, count: int, dimension: int) -> None:
        """Open what `write_signs` wrote. Raises ValueError if it does not hold `count` of them."""
        self._words: NDArray[np.uint64] = np.load(path, mmap_mode="r")
        wanted = (_words_of(dimension), count)
        if self._words.shape != wanted or self._words.dtype != np.uint64:
            raise ValueError(f"{path} does not hold the signs of {count} vectors of {dimension} numbers")
        self._cells = read_cells(_cells_beside(path), count, dimension)
        self._count, self._dimension = count, dimension

    def nearest(self, query: Vectors, depth: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return the rows with the fewest signs that differ from those of `query`, in ascending order.

        They are `depth` rows of the cells that are looked into, and those that differ in as many signs as the last of
        them; all allowed rows where there are no more. `query` has the shape (dimension,).
        """
        wanted = max(int(self._count * _SHARE), _LEAST, depth)
        rows, starts = self._cells.rows, self._cells.starts
        if allowed is None:
            spans = self._cells.nearest(query, wanted)
            near = np.concatenate([rows[start:end] for start, end in spans])
            words = np.concatenate([self._words[:, start:end] for start, end in spans], axis=1)
        else:
            kept = allowed[rows]
            places = np.flatnonzero(kept)
            if len(places) > wanted:
                counts = np.diff(np.concatenate([[0], np.cumsum(kept)])[starts])
                spans = self._cells.nearest(query, wanted, counts)
                places = np.concatenate([start + np.flatnonzero(kept[start:end]) for start, end in spans])
            near = rows[places]
            if len(near) <= depth:
                return np.sort(near).astype(np.int64)
            words = self._words[:, places]
        found = near[_nearest(_distances(words, _signs(query[None, :])[:, 0]), depth, self._dimension)]
        return np.sort(found).astype(np.int64)

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
