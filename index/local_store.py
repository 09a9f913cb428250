"""The store in the index's own folder: flat vectors, their signs above a size, Chroma above another, and tantivy.

Is: the default; needs no server, and nothing but files. Is not: for an index that several machines share.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors
from index.lexical import LexicalEntry, LexicalIndex, LexicalWriter
from index.manifest import Manifest
from index.records import DamagedIndex, Records
from index.signs import SignVectors, write_signs
from index.stores import Entries, Progress
from index.vectors import (
    CHROMA_FOLDER,
    EXACT_LIMIT,
    SIGNS_LIMIT,
    ChromaVectors,
    FlatVectors,
    StoreFault,
    missing_from,
)

SIGNS_FILE = "signs.npy"
# How many candidates the scan of the signs hands on to exact cosines: of a million passages they hold 99.5 % of
# the nearest ten of 100 questions, and 97 % of the nearest hundred.
_SIGN_DEPTH = 1_000
# Of a very large index so many passages, evenly spread, are looked for after it was written; `followup verify` looks
# for all. A loss of one passage in 5,000 is found with a chance of 98 %; the losses that were ever seen were 12 in 100.
_LOOKED_FOR = 20_000
# Rows that are fewer than this share of all are copied together and then multiplied; more are cheaper in their place.
_COPIED_SHARE = 1 / 8


class LocalStore:
    """Reads what `LocalWriter` wrote; see `Store`."""

    def __init__(self, generation: Path, manifest: Manifest, records: Records, *, is_large: bool) -> None:
        """Open the files; if it `is_large`, also those of the approximate searches: later they may be gone.

        Raises ValueError, OSError, StoreFault or DamagedIndex if they cannot be opened.
        """
        self.lexical = LexicalIndex(generation / "lexical")
        self.vectors = FlatVectors(generation / "vectors.npy", manifest.passages, manifest.dimension)
        if len(self.lexical) != len(self.vectors):
            raise DamagedIndex(f"{generation} holds parts of different builds")
        self._records = records
        self._folder = generation / CHROMA_FOLDER
        self._signs = SignVectors(generation / SIGNS_FILE, manifest.passages, manifest.dimension) if is_large else None
        self._graph = ChromaVectors(self._folder) if is_large and manifest.passages > SIGNS_LIMIT else None

    @property
    def scans(self) -> bool:
        return self._signs is None

    def __len__(self) -> int:
        return len(self.vectors)

    def similarities(self, queries: Vectors) -> Vectors:
        return self.vectors.similarities(queries)

    def nearest(
        self, queries: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[list[tuple[int, float]]]:
        if self._signs is None:
            return [self._scan(query, limit, allowed) for query in queries]
        if self._graph is None or allowed is not None:
            # The graph knows no mask; a scan takes any.
            depth = max(_SIGN_DEPTH, limit)
            return [self._best_of(query, self._signs.nearest(query, depth, allowed), limit) for query in queries]
        try:
            found = self._graph.nearest(queries, min(limit, len(self)))
        except StoreFault as error:
            raise DamagedIndex(f"{self._folder} cannot be read ({error})") from error
        return [
            self._best_of(query, np.array(self._records.rows_of([name for name, _ in near]), np.int64), limit)
            for query, near in zip(queries, found, strict=True)
        ]

    def cosines(self, query: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
        return self.vectors.similarities_of(query, rows)

    def search(
        self, terms: Mapping[str, float], limit: int, *, required: Iterable[str] = (), any_of: Iterable[str] = ()
    ) -> list[tuple[int, float]]:
        return self.lexical.search(terms, limit, required=required, any_of=any_of)

    def document_frequency(self, term: str) -> int:
        return self.lexical.document_frequency(term)

    def close(self) -> None:
        if self._graph is not None:
            self._graph.close()

    def _scan(self, query: Vectors, limit: int, allowed: NDArray[np.bool_] | None) -> list[tuple[int, float]]:
        rows = np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)
        if len(rows) < len(self) * _COPIED_SHARE:
            return self._best_of(query, rows, limit)
        return _best(self.vectors.similarities(query[None, :])[0][rows], rows, limit)

    def _best_of(self, query: Vectors, rows: NDArray[np.int64], limit: int) -> list[tuple[int, float]]:
        return _best(self.vectors.similarities_of(query, rows), rows, limit)


def _best(cosines: NDArray[np.float32], rows: NDArray[np.int64], limit: int) -> list[tuple[int, float]]:
    """Return (row, cosine) of the best, best first, ties by row."""
    if limit < len(rows):
        kept = np.flatnonzero(cosines >= np.partition(cosines, -limit)[-limit])
        rows, cosines = rows[kept], cosines[kept]
    order = np.lexsort((rows, -cosines))[:limit]
    return list(zip(rows[order].tolist(), cosines[order].tolist(), strict=True))


class LocalWriter:
    """Writes into the generation's folder; see `StoreWriter`."""

    keeps_files = True

    def holds(self, manifest: Manifest) -> bool:
        return not manifest.store

    def begin(self, generation: Path) -> _Begun:
        return _Begun(generation)

    def finish(
        self,
        generation: Path,
        index_version: str,
        ids: Sequence[str],
        vectors: Vectors,
        entries: Entries,
        on_progress: Progress,
    ) -> Mapping[str, str]:
        if len(ids) > EXACT_LIMIT:
            write_signs(generation / SIGNS_FILE, vectors)
        if len(ids) > SIGNS_LIMIT:
            with closing(ChromaVectors(generation / CHROMA_FOLDER, create=True)) as store:
                store.add(ids, vectors)
        on_progress("verifying", 0, len(ids))
        if _has_graph(len(ids)):
            looked_for = np.linspace(0, len(ids) - 1, min(len(ids), _LOOKED_FOR)).astype(int)
            with closing(ChromaVectors(generation / CHROMA_FOLDER)) as store:
                lost = missing_from(store, [ids[row] for row in looked_for.tolist()], vectors[looked_for])
                if len(store) != len(ids) or lost:
                    # Never seen with one writer; two of them lose vectors silently.
                    raise DamagedIndex(f"the vector store lost passages while they were written, e.g. {lost[:1]}")
        on_progress("verifying", len(ids), len(ids))
        return {}

    def discard(self, generation: Path) -> None:
        """Do nothing: all is in the folder."""


def _has_graph(passages: int) -> bool:
    """Say whether an index of so many passages has a Chroma collection.

    A small one has, for whoever wants to open it by other means; it costs little. A large one needs it. Between them
    nothing reads it, and its graph would take most of the build's time: hours for a million passages.
    """
    return not EXACT_LIMIT < passages <= SIGNS_LIMIT


class _Begun:
    """Takes passages into both searches while others are still being made.

    How many there will be is not known: Chroma takes them until they are too many for a small index. Should they
    turn out to be too many for the signs as well, it is given all of them in the end.
    """

    def __init__(self, generation: Path) -> None:
        self._words = LexicalWriter(generation / "lexical")
        self._folder = generation / CHROMA_FOLDER
        self._graph: ChromaVectors | None = ChromaVectors(self._folder, create=True)
        self._count = 0

    def add(self, ids: Sequence[str], vectors: Vectors, entries: Iterable[LexicalEntry]) -> None:
        self._words.add(entries)
        self._count += len(ids)
        if self._graph is not None and self._count > EXACT_LIMIT:
            self._graph.close()
            self._graph = None
            shutil.rmtree(self._folder)
        if self._graph is not None:
            self._graph.add(ids, vectors)

    def close(self) -> None:
        with closing(self._graph) if self._graph is not None else nullcontext():
            self._words.close()


def faults_in(generation: Path, manifest: Manifest, records: Records) -> Iterator[str]:
    """Yield what the searches of a generation do not hold, though its files are whole."""
    ids = records.passage_ids()
    vectors = FlatVectors(generation / "vectors.npy", manifest.passages, manifest.dimension).rows
    if len(vectors) != len(ids) or len(LexicalIndex(generation / "lexical")) != len(ids):
        yield "the searches do not hold as many passages as the records"
        return
    if len(ids) > EXACT_LIMIT and not SignVectors(generation / SIGNS_FILE, len(ids), manifest.dimension).are_of(
        vectors
    ):
        yield f"{SIGNS_FILE} does not hold the signs of the vectors"
    if not _has_graph(len(ids)):
        return
    # A copy is opened, because Chroma writes to what it opens.
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        copy = Path(shutil.copytree(generation / CHROMA_FOLDER, Path(scratch) / "chroma"))
        try:
            with closing(ChromaVectors(copy)) as store:
                if len(store) != len(ids):
                    yield f"the vector store holds {len(store)} passages, not {len(ids)}"
                for name in missing_from(store, ids, vectors):
                    yield f"passage {name} does not find itself in the vector store"
        except (StoreFault, ValueError) as error:
            yield f"the vector store cannot be read ({error})"
