"""Writes an index's vectors and BM25 weights into PostgreSQL, in one transaction.

Is: the other half of `postgres_store.py`; a build that fails or is killed leaves nothing behind, and readers of the
index before notice nothing. Is not: a maker of vectors.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from index.bm25 import TermStatistics, count_terms, document_weights
from index.embedding import Vectors
from index.lexical import LexicalEntry
from index.manifest import Manifest
from index.postgres import (
    BLOCK,
    ENGINE,
    LISTED,
    NAME,
    PREFIX,
    about,
    check_pgvector,
    combined,
    connect,
    digests,
    faults_said,
    rows_of,
    sparse_text,
    vector_text,
)
from index.records import DamagedIndex
from index.stores import Entries, Progress

# Names the schema of a generation as long as its folder stands.
_NOTE = "store.json"
# The graph: pgvector's own number of links, and twice its own care in finding them.
_LINKS, _CARE = 16, 128


class PostgresWriter:
    """Keeps generations in a PostgreSQL server; see `StoreWriter`."""

    keeps_files = False

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._engine = connect(uri, keep=False)

    def holds(self, manifest: Manifest) -> bool:
        if manifest.store.get("engine") != ENGINE:
            return False
        with faults_said(self._uri), self._engine.connect() as connection:
            statement = "SELECT to_regnamespace(%(name)s) IS NOT NULL"
            return bool(connection.exec_driver_sql(statement, {"name": manifest.store["schema"]}).scalar_one())

    def begin(self, generation: Path) -> _Begun:
        return _Begun()

    def finish(
        self,
        generation: Path,
        index_version: str,
        ids: Sequence[str],
        vectors: Vectors,
        entries: Entries,
        on_progress: Progress,
    ) -> Mapping[str, str]:
        name = f"{PREFIX}{index_version}_{secrets.token_hex(4)}"
        (generation / _NOTE).write_text(json.dumps({"engine": ENGINE, "schema": name}), encoding="utf-8")
        on_progress("storing", 0, len(ids))
        statistics = count_terms(entries())
        with (
            faults_said(self._uri),
            self._engine.execution_options(isolation_level="READ COMMITTED").begin() as connection,
        ):
            if rows_of(connection, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
                connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
            check_pgvector(connection, self._uri)
            written = _Writing(connection, name, statistics, int(vectors.shape[1]))
            written.make_tables()
            sent = {
                "passages": written.copy_vectors(vectors, on_progress),
                "words": written.copy_words(entries()),
            }
            written.list_terms()
            written.make_graph()
            on_progress("verifying", 0, len(ids))
            found = {
                table: digests(connection, name, table, column)
                for table, column in (("passages", "row"), ("words", "row"), ("terms", "id"))
            }
            if statistics.passages != len(ids) or any(found[table] != sent[table] for table in sent):
                raise DamagedIndex(f"the store lost or changed passages while {name} was written")
            written.describe(about(index_version, len(ids), int(vectors.shape[1])))
            on_progress("verifying", len(ids), len(ids))
        return {
            "engine": ENGINE,
            "schema": name,
            "terms_count": str(written.terms_count),
            **{table: combined(blocks) for table, blocks in found.items()},
        }

    def discard(self, generation: Path) -> None:
        try:
            name = json.loads((generation / _NOTE).read_text(encoding="utf-8"))["schema"]
        except (OSError, ValueError, KeyError, TypeError):
            # Of another store, or killed before anything was kept.
            return
        if not NAME.fullmatch(str(name)):
            return
        with faults_said(self._uri), self._engine.connect() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")


class _Begun:
    """Waits: what a term weighs is known only when all passages are. Vectors and records lie in the folder by then."""

    def add(self, ids: Sequence[str], vectors: Vectors, entries: Iterable[LexicalEntry]) -> None:
        """Do nothing yet."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class _Writing:
    """One schema on its way, within one transaction."""

    def __init__(self, connection: Any, name: str, statistics: TermStatistics, dimension: int) -> None:
        self._connection = connection
        self._raw = connection.connection.driver_connection
        self._name, self._statistics, self._dimension = name, statistics, dimension
        self._numbers = {term: number for number, term in enumerate(statistics.terms(), 1)}
        # A sparse vector has one dimension at least.
        self.terms_count = max(1, len(self._numbers))

    def make_tables(self) -> None:
        """Make the tables, and one that vanishes with the transaction."""
        for statement in (
            f"CREATE SCHEMA {self._name}",
            f"CREATE TABLE {self._name}.passages (row int PRIMARY KEY, embedding vector({self._dimension}) NOT NULL)",
            f"CREATE TABLE {self._name}.words (row int PRIMARY KEY, words sparsevec({self.terms_count}) NOT NULL)",
            f"CREATE TABLE {self._name}.terms (id int PRIMARY KEY, term text NOT NULL UNIQUE, passages int NOT NULL, "
            "whole boolean NOT NULL, rows int[] NOT NULL, weights real[] NOT NULL)",
            "CREATE TEMPORARY TABLE vocabulary (id int, term text, passages int) ON COMMIT DROP",
        ):
            self._connection.exec_driver_sql(statement)

    def copy_vectors(self, vectors: Vectors, on_progress: Progress) -> list[str]:
        """Copy the vectors of all passages; return the SHA-256 of each block as it was sent."""
        sent: list[str] = []
        # One copy for all: each would leave pages half empty at its end.
        with self._copying("passages (row, embedding)") as copy:
            for start in range(0, len(vectors), BLOCK):
                block = vectors[start : start + BLOCK]
                for row, vector in enumerate(block, start):
                    copy.write_row((row, vector_text(vector)))
                sent.append(_digest(map(_vector_bytes, block)))
                on_progress("storing", start + len(block), len(vectors))
        return sent

    def copy_words(self, entries: Iterator[LexicalEntry]) -> list[str]:
        """Copy what each term of each passage weighs; return as `copy_vectors` does."""
        sent: list[str] = []
        with self._copying("words (row, words)") as copy:
            while block := list(islice(entries, BLOCK)):
                weighed = [self._weighed(entry) for entry in block]
                for entry, weights in zip(block, weighed, strict=True):
                    copy.write_row((entry.row, sparse_text(weights, self.terms_count)))
                sent.append(_digest(_sparse_bytes(weights, self.terms_count) for weights in weighed))
        return sent

    def _weighed(self, entry: LexicalEntry) -> dict[int, str]:
        weights = document_weights(entry, self._statistics)
        # Nine digits are a float32, whole.
        return {self._numbers[term]: f"{weight:.9g}" for term, weight in weights.items()}

    def list_terms(self) -> None:
        """Turn the weights of passages into lists of passages, one a term."""
        with self._copying("vocabulary (id, term, passages)") as copy:
            for term, number in self._numbers.items():
                copy.write_row((number, term, self._statistics.frequency(term)))
        self._connection.exec_driver_sql(
            f"INSERT INTO {self._name}.terms (id, term, passages, whole, rows, weights) "
            f"SELECT id, term, passages, held <= {LISTED}, rows, weights FROM vocabulary JOIN ("
            f"SELECT id, max(place) AS held, array_agg(row ORDER BY place) FILTER (WHERE place <= {LISTED}) AS rows, "
            f"array_agg(weight ORDER BY place) FILTER (WHERE place <= {LISTED}) AS weights FROM ("
            "SELECT id, row, weight, row_number() OVER (PARTITION BY id ORDER BY weight DESC, row) AS place FROM ("
            # A sparse vector is taken apart by its text, {1:2.5,7:1}/9; nothing else opens it.
            "SELECT split_part(part, ':', 1)::int AS id, row, split_part(part, ':', 2)::real AS weight "
            f"FROM {self._name}.words, string_to_table(split_part(ltrim(words::text, '{{'), '}}', 1), ',') AS part "
            "WHERE part <> '') AS parts) AS placed GROUP BY id) AS lists USING (id)"
        )

    def make_graph(self) -> None:
        """Make the graph of neighbours, and tell the planner what there is."""
        half = f"halfvec({self._dimension})"
        self._connection.exec_driver_sql(
            f"CREATE INDEX ON {self._name}.passages USING hnsw ((embedding::{half}) halfvec_cosine_ops) "
            f"WITH (m = {_LINKS}, ef_construction = {_CARE})"
        )
        for table in ("passages", "words", "terms"):
            self._connection.exec_driver_sql(f"ANALYZE {self._name}.{table}")

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Let the schema say what it holds."""
        from psycopg import sql

        self._raw.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(self._name), sql.Literal(json.dumps(facts)))
        )

    @contextmanager
    def _copying(self, columns: str) -> Iterator[Any]:
        table = columns if columns.startswith("vocabulary") else f"{self._name}.{columns}"
        with self._raw.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            yield copy


def _digest(parts: Iterator[bytes]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _vector_bytes(vector: Vectors) -> bytes:
    """Return what pgvector's `vector_send` gives. Source: pgvector 0.8, src/vector.c."""
    return struct.pack(">hh", len(vector), 0) + np.asarray(vector).astype(">f4").tobytes()


def _sparse_bytes(weights: Mapping[int, str], dimension: int) -> bytes:
    """Return what pgvector's `sparsevec_send` gives; there indices count from 0. Source: 0.8, src/sparsevec.c."""
    numbers = sorted(weights)
    places = np.array(numbers, ">i4") - 1
    values = np.array([float(weights[number]) for number in numbers]).astype(">f4")
    return struct.pack(">iii", dimension, len(numbers), 0) + places.astype(">i4").tobytes() + values.tobytes()
