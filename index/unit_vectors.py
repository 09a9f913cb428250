"""Vectors of the units of each passage, made at build time, so that no sentence waits for the model at question time.

Is: rows of signed bytes with a scale, and where each passage's rows begin. Is not: searched; whole passages are
found by their own vectors (see `vectors.py`).

A unit's vector is the mean of its tokens as the model reads them in their passage, title and headings included: the
passage is read once for both. Source: late chunking, Günther et al. 2024, arXiv:2409.04701. On 150 PubMedQA questions
it picks sentences as near to the expert's conclusion (ROUGE-1 .310) as vectors of the sentences alone do (.309).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors
from index.vectors import npy_header

UNITS_FILE = "units.npy"
STARTS_FILE = "unit_starts.npy"
# One row of `units.npy` and of a cached vector: a quarter of the bytes, cosines off by less than .005.
Packed = NDArray[Any]


def packed_type(dimension: int) -> np.dtype[Any]:
    """Return the type of one packed vector: a scale and signed bytes."""
    return np.dtype([("scale", "<f4"), ("values", "i1", (dimension,))])


def pack(vectors: Vectors) -> Packed:
    """Return vectors of shape (n, dimension) as n packed rows."""
    packed = np.zeros(len(vectors), packed_type(vectors.shape[1]))
    scales = np.abs(vectors).max(axis=1, initial=0.0) / 127
    packed["scale"] = scales
    packed["values"] = np.rint(vectors / np.maximum(scales, 1e-12)[:, None])
    return packed


def unpack(packed: Packed) -> Vectors:
    """Return packed rows as vectors of length 1, shape (n, dimension)."""
    rows: Vectors = packed["values"].astype(np.float32) * packed["scale"][:, None]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
    unit: Vectors = rows / np.maximum(lengths, np.float32(1e-9))
    return unit


class UnitVectorWriter:
    """Writes packed rows passage by passage, in the order of the passages' rows.

    Bytes are written, not stored into a mapped file: there a full disk would end the process by a signal.
    """

    def __init__(self, generation: Path, dimension: int) -> None:
        self._generation = generation
        self._type = packed_type(dimension)
        self._starts = [0]
        self._file: BinaryIO = (generation / UNITS_FILE).open("wb")
        self._file.write(npy_header(self._type, (0,)))

    def add(self, passages: Iterable[Packed]) -> None:
        """Write the units of the next passages."""
        for units in passages:
            self._starts.append(self._starts[-1] + len(units))
            self._file.write(units.tobytes())

    def close(self) -> None:
        """Write how many there are, and where each passage's begin."""
        self._file.seek(0)
        self._file.write(npy_header(self._type, (self._starts[-1],)))
        self._file.close()
        np.save(self._generation / STARTS_FILE, np.array(self._starts, np.int64))


class StoredUnitVectors:
    """Reads what `UnitVectorWriter` wrote; the rows are mapped into memory."""

    def __init__(self, generation: Path, passages: int, dimension: int) -> None:
        """Open the files. Raises ValueError if they do not hold the units of `passages` passages."""
        self._starts: NDArray[np.int64] = np.load(generation / STARTS_FILE, mmap_mode="r")
        self._type = packed_type(dimension)
        path = generation / UNITS_FILE
        if self._starts.shape != (passages + 1,) or self._starts.dtype != np.int64:
            raise ValueError(f"{generation / STARTS_FILE} does not hold where the units of {passages} passages begin")
        count = int(self._starts[-1])
        header = npy_header(self._type, (count,))
        with path.open("rb") as file:
            if file.read(len(header)) != header:
                raise ValueError(f"{path} does not hold {count} packed vectors of {dimension} numbers")
        self._rows: Packed = (
            np.memmap(path, self._type, "r", len(header), (count,)) if count else np.zeros(0, self._type)
        )

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, row: int, units: Sequence[int]) -> Vectors:
        """Return the vectors of some units of a passage by their places in it, shape (len(units), dimension)."""
        return unpack(self._rows[int(self._starts[row]) + np.asarray(units, dtype=np.int64)])
