"""Where vectors live: a Chroma collection, and a flat copy that is scanned exactly while it is small.

Is: the only module that knows chromadb. Is not: a maker of vectors (see `embedding.py`).
Chroma's distance becomes a similarity here and nowhere else: cosine similarity = 1 - cosine distance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors

# Up to here an exact scan of the flat copy (0.15 ms per thousand passages) beats opening Chroma (a second of
# imports) and searching its graph; above, the graph wins. The scan also takes any filter for nothing.
EXACT_LIMIT = 50_000
_COLLECTION = "passages"
# Chroma 1.5.9 refuses batches of more than 5,461.
_BATCH = 2_000


class FlatVectors:
    """The flat copy, mapped into memory: row i is the vector of passage i."""

    def __init__(self, path: Path) -> None:
        self.rows: Vectors = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    def similarities(self, queries: Vectors) -> Vectors:
        """Return cosine similarities of shape (n_queries, n_passages)."""
        scores: Vectors = queries @ self.rows.T
        return scores

    def similarities_of(self, query: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the cosine similarity of one query, shape (dimension,), to some rows."""
        found: NDArray[np.float32] = self.rows[np.asarray(rows, dtype=np.int64)] @ query
        return found


class ChromaVectors:
    """A Chroma collection of passage vectors in cosine space; the adapter gives and takes plain arrays."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        client = _open_client(folder)
        if create:
            self._collection = client.create_collection(
                _COLLECTION, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        else:
            self._collection = client.get_collection(_COLLECTION, embedding_function=None)
        self._client = client

    def add(self, ids: Sequence[str], vectors: Vectors, *, on_progress: Callable[[int], None] | None = None) -> None:
        """Store vectors under their passages' ids; an id that is there already is overwritten, not doubled."""
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part])
            if on_progress:
                on_progress(len(ids[part]))

    def nearest(self, queries: Vectors, limit: int) -> list[list[tuple[str, float]]]:
        """Return for each query (passage id, cosine similarity), best first."""
        found = self._collection.query(query_embeddings=queries, n_results=limit, include=["distances"])
        return [
            [(name, 1.0 - float(distance)) for name, distance in zip(ids, distances, strict=True)]
            for ids, distances in zip(found["ids"], found["distances"] or [], strict=True)
        ]

    def __len__(self) -> int:
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files, so that another process sees them whole."""
        from chromadb.api.shared_system_client import SharedSystemClient

        self._client._system.stop()
        SharedSystemClient.clear_system_cache()


def _open_client(folder: Path) -> Any:
    # Chroma reads this once, at import; its settings below say it again for this client.
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))


def missing_from(
    store: ChromaVectors, ids: Sequence[str], vectors: Vectors, *, batch: int = 500, tolerance: float = 1e-4
) -> list[str]:
    """Return the ids of passages that do not find themselves: the nearest to their vector is not at distance 0.

    A twin with the same text may come first; its similarity is then 1 as well, and the passage itself must be
    among the nearest few.
    """
    lost: list[str] = []
    for start in range(0, len(ids), batch):
        part = slice(start, start + batch)
        for name, found in zip(ids[part], store.nearest(vectors[part], 1), strict=True):
            if not found or (found[0][0] != name and found[0][1] < 1.0 - tolerance):
                lost.append(name)
    return lost
