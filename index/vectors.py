"""Where vectors live: a Chroma collection, and a flat copy that is scanned exactly while it is small.

Is: the only module that knows chromadb. Is not: a maker of vectors (see `embedding.py`).
Chroma's distance becomes a similarity here and nowhere else: cosine similarity = 1 - cosine distance.
"""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors

# Up to here an exact scan of the flat copy (0.15 ms per thousand passages) beats everything else.
EXACT_LIMIT = 50_000
# Up to here a scan of the vectors' signs in the nearest cells (3 ms per million passages), its candidates ranked exactly,
# is quick enough, takes any filter, and spares opening Chroma: a second of imports, and a graph that is read
# into memory whole, some 1.8 GB per million passages.
SIGNS_LIMIT = 4_000_000
_COLLECTION = "passages"
# Chroma writes to the files that it opens. Up to `SIGNS_LIMIT` no reader opens them, and they, where there are any, are
# checked byte by byte; above, by what they hold.
CHROMA_FOLDER = "chroma/"
# Chroma 1.5.9 refuses batches of more than 5,461.
_BATCH = 2_000
# So many passages apart Chroma writes its graph to the disk, and the names of all passages with it: at its default of
# 1,000 that alone is 30 MB every thousand of half a million. What is not written yet is read from its log when it is opened.
_SYNC_EVERY = 10_000
# How many neighbours are asked for when a passage is not its own nearest one.
_SECOND_LOOK = 100
# A graph does not reach every vector that it holds: of 100,000, one or more of 20,000 looked for. More than this share is a
# loss; the losses that were ever seen (two writers at once) were 12 to 22 in 100.
_UNREACHED_SHARE = 0.001
_UNREACHED_AT_LEAST = 3


class FlatVectors:
    """The flat copy, mapped into memory: row i is the vector of passage i."""

    def __init__(self, path: Path, count: int, dimension: int) -> None:
        """Open a file that `VectorWriter` wrote. Raises ValueError if it does not hold `count` of them."""
        header = npy_header(np.dtype("<f4"), (count, dimension))
        with path.open("rb") as file:
            if file.read(len(header)) != header:
                raise ValueError(f"{path} does not hold {count} vectors of {dimension} numbers")
        self.rows: Vectors = np.memmap(path, np.float32, "r", len(header), (count, dimension))

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def similarities(self, queries: Vectors) -> Vectors:
        """Return cosine similarities of shape (n_queries, n_passages)."""
        # One query at a time, and not through BLAS: a matrix product copies all rows first (16 ms for 8,189 instead of
        # .5), its threads wait for one another on a busy machine, and its rounding depends on what is asked together.
        scores: Vectors = np.stack([np.einsum("ij,j->i", self.rows, query) for query in queries])
        return scores

    def similarities_of(self, query: Vectors, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosine similarity of one query, shape (dimension,), to some rows."""
        found: NDArray[np.float32] = np.einsum("ij,j->i", self.rows[np.asarray(rows, dtype=np.int64)], query)
        return found


class VectorWriter:
    """Writes rows batch by batch as a NumPy file; how many there are is known when it is closed.

    Bytes are written, not stored into a mapped file: there a full disk would end the process by a signal.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self._dimension = dimension
        self._file = path.open("wb")
        self._file.write(npy_header(np.dtype("<f4"), (0, dimension)))
        self.count = 0

    def add(self, batch: Vectors) -> None:
        """Write the next rows, shape (n, dimension)."""
        self._file.write(np.ascontiguousarray(batch, dtype=np.float32).tobytes())
        self.count += len(batch)

    def close(self) -> None:
        """Write how many rows there are."""
        self._file.seek(0)
        self._file.write(npy_header(np.dtype("<f4"), (self.count, self._dimension)))
        self._file.close()


def npy_header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header of a NumPy file; of one kind and number of axes all have the same length."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


class StoreFault(Exception):
    """The vector store cannot be read or written: it is damaged, or its disk is full. The message is Chroma's own."""


class ChromaVectors:
    """A Chroma collection of passage vectors in cosine space; the adapter gives and takes plain arrays.

    Every method raises StoreFault if the store cannot do it.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        with _faults_shown():
            self._client = _open_client(folder)
            if create:
                self._collection = self._client.create_collection(
                    _COLLECTION,
                    configuration={"hnsw": {"space": "cosine", "sync_threshold": _SYNC_EVERY}},
                    embedding_function=None,
                )
            else:
                self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)

    def add(self, ids: Sequence[str], vectors: Vectors, *, on_progress: Callable[[int], None] | None = None) -> None:
        """Store vectors under their passages' ids; an id that is there already is overwritten, not doubled."""
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            with _faults_shown():
                self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part])
            if on_progress:
                on_progress(len(ids[part]))

    def nearest(self, queries: Vectors, limit: int) -> list[list[tuple[str, float]]]:
        """Return for each query (passage id, cosine similarity), best first."""
        with _faults_shown():
            found = self._collection.query(query_embeddings=queries, n_results=limit, include=["distances"])
        return [
            [(name, 1.0 - float(distance)) for name, distance in zip(ids, distances, strict=True)]
            for ids, distances in zip(found["ids"], found["distances"] or [], strict=True)
        ]

    def holds(self, name: str, vector: Vectors, tolerance: float = 1e-5) -> bool:
        """Say whether the vector stored under an id is this one, without a search."""
        with _faults_shown():
            found = self._collection.get(ids=[name], include=["embeddings"])["embeddings"]
        return found is not None and len(found) == 1 and bool(np.allclose(found[0], vector, atol=tolerance))

    def __len__(self) -> int:
        with _faults_shown():
            return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files, so that another process sees them whole."""
        self._client.close()


def _open_client(folder: Path) -> Any:
    # Chroma reads this once, at import; its settings below say it again for this client.
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


@contextmanager
def _faults_shown() -> Iterator[None]:
    """Turn what Chroma raises into `StoreFault`.

    Its Rust half reports a full disk as ChromaError, damaged files also as ValueError, or as a panic: a class that
    cannot be imported and is no `Exception`.
    """
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError, sqlite3.Error) as error:
        raise StoreFault(" ".join(str(error).split())) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise StoreFault("panic in the vector store") from error


def missing_from(
    store: ChromaVectors, ids: Sequence[str], vectors: Vectors, *, batch: int = 500, tolerance: float = 1e-4
) -> list[str]:
    """Return the ids of passages that are lost.

    A passage is there if a search for its vector returns it first and at distance 0, or returns a twin (the same
    words in another document) and it is stored beside that. The graph is approximate: what the first search misses is
    looked for once more and deeper; what it does not reach then, but holds under its id, is lost only where that
    happens to more than 1 in 1,000, and to more than three.
    """
    lost: list[str] = []
    unreached: list[str] = []
    for start in range(0, len(ids), batch):
        part = slice(start, start + batch)
        for place, (name, found) in enumerate(zip(ids[part], store.nearest(vectors[part], 1), strict=True), start):
            if found and found[0][0] == name and found[0][1] >= 1.0 - tolerance:
                continue
            if not store.holds(name, vectors[place]):
                lost.append(name)
                continue
            deeper = dict(store.nearest(vectors[place][None, :], min(_SECOND_LOOK, len(store)))[0])
            if name not in deeper and max(deeper.values(), default=0.0) < 1.0 - tolerance:
                unreached.append(name)
    return lost + unreached if len(unreached) > max(_UNREACHED_AT_LEAST, _UNREACHED_SHARE * len(ids)) else lost
