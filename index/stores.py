"""What a search asks of an index's vectors and words, wherever they are kept: in its folder, or in a database.

Is: the two halves of the protocol, reading and writing, and the door to what fulfils them. Is not: either of the
stores (see `local_store.py` and `postgres_store.py`), nor the records, which lie in the index's folder in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors
from index.lexical import LexicalEntry
from index.manifest import IndexUnavailable, Manifest

if TYPE_CHECKING:
    from index.records import Records

# The value of the setting that keeps everything in the index's folder.
LOCAL = "local"

Progress = Callable[[str, int, int], None]
# Yields every passage in row order, anew at each call.
Entries = Callable[[], Iterator[LexicalEntry]]


class Store(Protocol):
    """Vectors and words of one generation, open for reading; rows are positions of passages, from 0.

    Safe to share between threads. Raises IndexUnavailable or DamagedIndex if the store cannot answer.
    """

    @property
    def scans(self) -> bool:
        """Whether the similarities of all rows cost next to nothing, so that `nearest` need not be asked."""
        ...

    def __len__(self) -> int: ...

    def similarities(self, queries: Vectors) -> Vectors:
        """Return cosine similarities to all rows, shape (n_queries, n_passages); only if `scans`."""
        ...

    def nearest(
        self, queries: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[list[tuple[int, float]]]:
        """Return for each query (row, cosine similarity) of its nearest rows, best first.

        `allowed` masks rows: as many as are wanted come back if so many are allowed.
        """
        ...

    def cosines(self, query: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return the cosine similarity of one query, shape (dimension,), to these rows, in their order."""
        ...

    def search(
        self, terms: Mapping[str, float], limit: int, *, required: Iterable[str] = (), any_of: Iterable[str] = ()
    ) -> list[tuple[int, float]]:
        """Return (row, BM25 score) of the best rows for weighted stemmed terms; see `LexicalIndex.search`."""
        ...

    def document_frequency(self, term: str) -> int:
        """Return how many passages hold a stemmed term in any field; the largest of the fields' counts."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Begun(Protocol):
    """A generation on its way into a store."""

    def add(self, ids: Sequence[str], vectors: Vectors, entries: Iterable[LexicalEntry]) -> None:
        """Take the next passages, in row order."""
        ...

    def close(self) -> None:
        """Write what was taken to the disk."""
        ...


class StoreWriter(Protocol):
    """Keeps the vectors and words of a generation that is being built, aside from those that readers have open.

    Raises IndexUnavailable, StoreFault or OSError if the store cannot be written.
    """

    @property
    def keeps_files(self) -> bool:
        """Whether readers need the generation's `vectors.npy`."""
        ...

    def holds(self, manifest: Manifest) -> bool:
        """Say whether what this manifest describes is kept here. Raises IndexUnavailable if that cannot be told."""
        ...

    def begin(self, generation: Path) -> Begun:
        """Return what takes passages while they are made; a store may as well wait for `finish`."""
        ...

    def finish(
        self,
        generation: Path,
        index_version: str,
        ids: Sequence[str],
        vectors: Vectors,
        entries: Entries,
        on_progress: Progress,
    ) -> Mapping[str, str]:
        """Check that all passages are kept, and return what the manifest must say to find them.

        Raises:
            DamagedIndex: something was lost on the way.
        """
        ...

    def discard(self, generation: Path) -> None:
        """Remove what was kept outside of a generation's folder, before the folder goes."""
        ...


def check_store(uri: str) -> str:
    """Return the setting as it is.

    Raises:
        IndexUnavailable: it names no store that there is.
    """
    if uri != LOCAL and not uri.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        raise IndexUnavailable(
            f"the store {_without_password(uri)!r} is not known: set FOLLOWUP_STORE to 'local', "
            "or to a database as in 'postgresql://user@host/name'"
        )
    return uri


def open_store(uri: str, generation: Path, manifest: Manifest, records: Records, *, is_large: bool) -> Store:
    """Open the store that a generation was built into; `is_large` if it is too large to be scanned exactly.

    Raises:
        IndexUnavailable: the setting names another store, or the store does not answer or does not hold it.
    """
    if _engine_of(uri, manifest) == LOCAL:
        from index.local_store import LocalStore

        return LocalStore(generation, manifest, records, is_large=is_large)
    from index.postgres_store import PostgresStore

    return PostgresStore(uri, manifest)


def open_writer(uri: str) -> StoreWriter:
    """Return what keeps new generations; a database is asked for nothing yet. Raises IndexUnavailable."""
    if check_store(uri) == LOCAL:
        from index.local_store import LocalWriter

        return LocalWriter()
    from index.postgres_writer import PostgresWriter

    return PostgresWriter(uri)


def store_faults(uri: str, generation: Path, manifest: Manifest, records: Records) -> Iterator[str]:
    """Yield what is wrong with what a store holds of a generation. Raises IndexUnavailable if it does not answer."""
    if _engine_of(uri, manifest) == LOCAL:
        from index.local_store import faults_in

        yield from faults_in(generation, manifest, records)
        return
    from index.postgres_store import PostgresStore

    with closing(PostgresStore(uri, manifest)) as store:
        yield from store.faults()


def _engine_of(uri: str, manifest: Manifest) -> str:
    """Return what keeps an index. Raises IndexUnavailable if the setting names something else."""
    kept_in, is_set = manifest.store.get("engine", LOCAL), check_store(uri)
    if kept_in != LOCAL and is_set == LOCAL:
        raise IndexUnavailable(
            f"this index keeps its vectors and words in {kept_in}: set FOLLOWUP_STORE to its database, "
            "or build the index anew with 'followup index SOURCE'"
        )
    if kept_in == LOCAL and is_set != LOCAL:
        raise IndexUnavailable(
            "this index keeps its vectors and words in its folder: set FOLLOWUP_STORE=local, "
            "or build it into the database with 'followup index SOURCE'"
        )
    return kept_in


def _without_password(uri: str) -> str:
    head, at, tail = uri.rpartition("@")
    scheme, _, _ = head.partition("://")
    return f"{scheme}://…@{tail}" if at else uri
