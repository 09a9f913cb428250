"""The signs of every vector's numbers, 1 bit each: a scan that finds candidates among millions.

Is: a coarse first look, 48 bytes a passage of 384 numbers, whose time depends on no filter. Is not: a ranking; what it
finds is ranked by the exact cosines of the flat copy (see `vectors.py`).

Two unit vectors at the angle α differ in the sign of about α/π of their numbers, where these are about independent of
each other, so that the passages with the fewest differing signs are those with the largest cosines, give or take.
Source: Charikar 2002, "Similarity estimation techniques from rounding algorithms" (hyperplane hashing; here the
hyperplanes are the axes).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors, available_cores

_WORD_BITS = 64
# Passages compared at once: what is worked on stays in a core's cache.
_BLOCK = 32_768
# Fewer passages are not worth a thread: they take 1.6 ms.
_MIN_PART = 8 * _BLOCK
# So many words' counts, 64 at most each, add up in one byte.
_WORDS_ADDED = 3
# Distances looked at to tell how far the nearest go.
_SAMPLED = 65_536
# Rows of the flat copy whose signs are read at once while the file is written.
_ROWS_READ = 16_384


class SignVectors:
    """The signs, mapped into memory; safe to share between threads."""

    def __init__(self, path: Path, count: int, dimension: int) -> None:
        """Open a file that `write_signs` wrote. Raises ValueError if it does not hold `count` of them."""
        self._words: NDArray[np.uint64] = np.load(path, mmap_mode="r")
        wanted = (_words_of(dimension), count)
        if self._words.shape != wanted or self._words.dtype != np.uint64:
            raise ValueError(f"{path} does not hold the signs of {count} vectors of {dimension} numbers")
        self._count, self._dimension = count, dimension
        self._pool: ThreadPoolExecutor | None = None
        self._starting = Lock()

    def nearest(self, query: Vectors, depth: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return the rows with the fewest signs that differ from those of `query`, in the order of the index.

        They are `depth` rows, and those that differ in as many signs as the last of them; all allowed rows where
        there are no more. `query` has the shape (dimension,).
        """
        if allowed is not None:
            rows = np.flatnonzero(allowed)
            if len(rows) <= depth:
                return rows
        distances = self._distances(query)
        if allowed is not None:
            distances[~allowed] = self._dimension + 1
        return _nearest(distances, depth, self._dimension)

    def _distances(self, query: Vectors) -> NDArray[np.uint16]:
        asked = _signs(query[None, :])[:, 0]
        distances = np.empty(self._count, np.uint16)
        cores = available_cores()
        # Whole blocks for each core; a part that is not worth a thread is done here.
        size = max(_MIN_PART, -(-self._count // (cores * _BLOCK)) * _BLOCK)
        parts = [(start, min(start + size, self._count)) for start in range(0, self._count, size)]
        if len(parts) > 1:
            with self._starting:
                self._pool = self._pool or ThreadPoolExecutor(cores, thread_name_prefix="signs")
            list(self._pool.map(lambda part: self._count_part(asked, distances, *part), parts))
        else:
            self._count_part(asked, distances, 0, self._count)
        return distances

    def _count_part(self, asked: NDArray[np.uint64], distances: NDArray[np.uint16], start: int, end: int) -> None:
        """Write how many signs differ from those of `asked` for the rows from `start` to `end`."""
        differing = np.empty(_BLOCK, np.uint64)
        counted, added = np.empty(_BLOCK, np.uint8), np.empty(_BLOCK, np.uint8)
        for first in range(start, end, _BLOCK):
            block = distances[first : min(first + _BLOCK, end)]
            size = len(block)
            block[:] = 0
            for group in range(0, len(asked), _WORDS_ADDED):
                added[:size] = 0
                words = self._words[group : group + _WORDS_ADDED, first : first + size]
                for word, wanted in zip(words, asked[group : group + _WORDS_ADDED], strict=True):
                    np.bitwise_xor(word, wanted, out=differing[:size])
                    np.bitwise_count(differing[:size], out=counted[:size])
                    added[:size] += counted[:size]
                block += added[:size]

    def are_of(self, vectors: Vectors) -> bool:
        """Say whether these are the signs of `vectors`, shape (n, dimension), each of them."""
        parts = (slice(start, start + _ROWS_READ) for start in range(0, self._count, _ROWS_READ))
        return len(vectors) == self._count and all(
            np.array_equal(self._words[:, part], _signs(vectors[part])) for part in parts
        )

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _nearest(distances: NDArray[np.uint16], depth: int, furthest: int) -> NDArray[np.int64]:
    """Return the rows of the `depth` smallest distances and of those that equal the largest of them.

    None is further than `furthest`. A sample says how far to look, so that not all distances are sorted or counted.
    """
    sample = distances[:: max(1, len(distances) // _SAMPLED)]
    place = min(len(sample) - 1, -(-depth * len(sample) // len(distances)))
    limit = min(int(np.partition(sample, place)[place]), furthest)
    rows = np.flatnonzero(distances <= limit)
    while len(rows) < depth and limit < furthest:
        limit += 1
        rows = np.flatnonzero(distances <= limit)
    near = distances[rows]
    counts = np.cumsum(np.bincount(near, minlength=1))
    return rows[near <= int(np.searchsorted(counts, depth))]


def write_signs(path: Path, vectors: Vectors) -> None:
    """Write the signs of `vectors`, shape (n, dimension), word by word: shape (words, n) uint64, as a NumPy file."""
    count, dimension = vectors.shape
    signs = np.empty((_words_of(dimension), count), np.uint64)
    for start in range(0, count, _ROWS_READ):
        part = slice(start, start + _ROWS_READ)
        signs[:, part] = _signs(vectors[part])
    # Written, not stored into a mapped file: there a full disk would end the process by a signal.
    with path.open("wb") as file:
        np.lib.format.write_array(file, signs, allow_pickle=False)


def _words_of(dimension: int) -> int:
    return -(-dimension // _WORD_BITS)


def _signs(vectors: Vectors) -> NDArray[np.uint64]:
    """Return the signs of rows as words, shape (words, n); the last word is filled with zeros."""
    packed = np.packbits(vectors > 0, axis=1)
    padded = np.zeros((len(vectors), _words_of(vectors.shape[1]) * _WORD_BITS // 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    words: NDArray[np.uint64] = padded.view(np.uint64).T
    return words
