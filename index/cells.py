"""Cells of like vectors: a search looks into the cells that are nearest to its question, and leaves the others shut.

Is: k-means over a sample (scikit-learn), and an order of all rows by cell; about √n cells of √n rows. Is not: a ranking,
nor exact: a near row in a cell that is far as a whole is missed (for how many see `local_store.py`).
Source: the inverted file of Sivic & Zisserman 2003, "Video Google"; Jégou et al. 2011, IEEE TPAMI 33:117-28.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors

# Rows for each cell that the centres are learnt from, and how often they are moved.
_SAMPLED_PER_CELL = 40
_ITERATIONS = 10
_ROWS_READ = 16_384
_SEED = 11


@dataclass(frozen=True, slots=True)
class Cells:
    """Cell c holds `rows[starts[c]:starts[c + 1]]`, ascending, `sizes[c]` of them; `centres` is (cells, dimension)."""

    centres: Vectors
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    sizes: NDArray[np.int64] = field(init=False)
    _squares: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", np.diff(self.starts))
        object.__setattr__(self, "_squares", np.einsum("ij,ij->i", self.centres, self.centres))

    def by_distance(self, query: Vectors) -> NDArray[np.int64]:
        """Return the cells that hold rows, the nearest to `query`, shape (dimension,), first."""
        # |q - c|² without |q|², which is the same for all.
        order = np.argsort(self._squares - 2 * np.einsum("ij,j->i", self.centres, query), kind="stable")
        return order[self.sizes[order] > 0]

    def spans(self, cells: NDArray[np.int64]) -> list[slice]:
        """Return where in `rows` some cells lie, in the order of `rows`."""
        return [slice(int(self.starts[cell]), int(self.starts[cell + 1])) for cell in np.sort(cells)]


def learn_cells(vectors: Vectors) -> Cells:
    """Return the cells of all rows of `vectors`, shape (n, dimension); the same rows give the same cells."""
    import warnings

    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    count = len(vectors)
    cells = max(1, round(count**0.5))
    sample = np.sort(np.random.default_rng(_SEED).choice(count, min(count, cells * _SAMPLED_PER_CELL), replace=False))
    kmeans = KMeans(cells, init="random", n_init=1, max_iter=_ITERATIONS, random_state=_SEED)
    # Threads would add up in another order each time.
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer distinct rows than cells, or centres that still move: both do for this.
        warnings.simplefilter("ignore")
        kmeans.fit(np.ascontiguousarray(vectors[sample]))
        cell_of = np.concatenate([kmeans.predict(part) for part in _parts(vectors)])
    starts = np.concatenate([[0], np.cumsum(np.bincount(cell_of, minlength=cells))])
    rows = np.argsort(cell_of, kind="stable").astype(np.int32)
    return Cells(kmeans.cluster_centers_.astype(np.float32), starts.astype(np.int64), rows)


def _parts(vectors: Vectors) -> Iterator[Vectors]:
    for start in range(0, len(vectors), _ROWS_READ):
        yield np.ascontiguousarray(vectors[start : start + _ROWS_READ])


def write_cells(path: Path, cells: Cells) -> None:
    """Write cells as a NumPy archive."""
    with path.open("wb") as file:
        np.savez(file, centres=cells.centres, starts=cells.starts, rows=cells.rows)


def read_cells(path: Path, count: int, dimension: int) -> Cells:
    """Read what `write_cells` wrote. Raises ValueError if it does not hold the cells of `count` rows, or OSError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            cells = Cells(stored["centres"], stored["starts"], stored["rows"])
    except (KeyError, zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold cells of vectors ({error})") from error
    shapes = (cells.centres.shape[1:], cells.starts.shape, cells.rows.shape)
    fits = shapes == ((dimension,), (len(cells.centres) + 1,), (count,)) and cells.centres.dtype == np.float32
    if not (
        fits
        and cells.starts[0] == 0
        and cells.starts[-1] == count
        and (np.diff(cells.starts) >= 0).all()
        and (np.bincount(cells.rows[(cells.rows >= 0) & (cells.rows < count)], minlength=count) == 1).all()
    ):
        raise ValueError(f"{path} does not hold the cells of {count} vectors of {dimension} numbers")
    return cells
