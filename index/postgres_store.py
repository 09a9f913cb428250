"""The store in a PostgreSQL server with pgvector: vectors and BM25 weights together, shared by many machines.

Is: the reading half. Is not: the layout (see `postgres.py`), nor the writing half (see `postgres_writer.py`).
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors
from index.manifest import IndexUnavailable, Manifest
from index.postgres import (
    BLOCK,
    NAME,
    PREFIX,
    about,
    check_pgvector,
    combined,
    connect,
    digests,
    faults_said,
    rows_of,
    shown,
    sparse_text,
    vector_text,
)
from index.records import DamagedIndex

if TYPE_CHECKING:
    import sqlalchemy as sa

# Of passages whose lists were cut short, so many times those that are wanted are added up in full.
_CANDIDATES = 4
# Up to so many allowed rows are scanned exactly; with more, the graph is searched until enough are found. Of 100,000
# passages both cost the same there.
_SCANNED = 10_000
# Terms whose entries are remembered; an index never changes, so they stay true.
_CACHED_TERMS = 50_000


class PostgresStore:
    """Reads what `PostgresWriter` wrote; see `Store`."""

    scans = False

    def __init__(self, uri: str, manifest: Manifest) -> None:
        """Connect and find the schema that the manifest names.

        Raises:
            IndexUnavailable: the server does not answer, or does not hold that index.
        """
        self._uri, self._manifest = uri, manifest
        self._name = manifest.store["schema"]
        if not NAME.fullmatch(self._name):
            raise DamagedIndex(f"the manifest names the schema {self._name!r}, which is none of an index")
        self._engine = connect(uri)
        # The store of an older generation is dropped without a word when its last reader is gone.
        self._disposal = weakref.finalize(self, self._engine.dispose)
        self._known: dict[str, tuple[int, int, bool] | None] = {}
        try:
            with self._asking() as connection:
                self._check(connection)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return self._manifest.passages

    def similarities(self, queries: Vectors) -> Vectors:
        raise AssertionError("a database is not scanned: ask `nearest`")

    def nearest(
        self, queries: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None
    ) -> list[list[tuple[int, float]]]:
        with self._asking() as connection:
            return [self._nearest(connection, query, limit, allowed) for query in queries]

    def cosines(self, query: Vectors, rows: Sequence[int]) -> NDArray[np.float32]:
        if not rows:
            return np.zeros(0, np.float32)
        with self._asking() as connection:
            found = dict(
                rows_of(
                    connection,
                    f"SELECT row, 1 - (embedding <=> %(query)s::vector) FROM {self._name}.passages "
                    "WHERE row = ANY(%(rows)s::int[])",
                    {"query": vector_text(query), "rows": [int(row) for row in rows]},
                )
            )
        if missing := [row for row in rows if row not in found]:
            raise DamagedIndex(f"{self._name} in the store lacks passage {missing[0]}")
        return np.array([found[row] for row in rows], np.float32)

    def search(
        self, terms: Mapping[str, float], limit: int, *, required: Iterable[str] = (), any_of: Iterable[str] = ()
    ) -> list[tuple[int, float]]:
        asked = {term: weight for term, weight in terms.items() if weight > 0}
        must, some = list(required), list(any_of)
        if not asked or limit < 1:
            return []
        with self._asking() as connection:
            known = self._entries(connection, [*asked, *must, *some])
            there = [known[term] for term in some if term in known]
            wanted = min(2, len(some))
            if any(term not in known for term in must) or len(there) < wanted:
                return []
            weights: dict[int, float] = {}
            # As in `LexicalIndex`, what must be there counts like what is asked for.
            for term, weight in (*asked.items(), *((term, 1.0) for term in (*must, *some))):
                if term in known:
                    number = known[term][0]
                    weights[number] = weights.get(number, 0.0) + weight
            whole = all(known[term][2] for term in asked if term in known)
            return self._best(connection, weights, limit, whole, [known[term] for term in must], there, wanted)

    def document_frequency(self, term: str) -> int:
        if term not in self._known:
            with self._asking() as connection:
                self._entries(connection, [term])
        found = self._known.get(term)
        return found[1] if found else 0

    def close(self) -> None:
        self._disposal()

    def faults(self) -> Iterator[str]:
        """Yield what the tables do not hold as they were written, and passages that do not find themselves."""
        with self._asking() as connection:
            for table, column in (("passages", "row"), ("words", "row"), ("terms", "id")):
                found = digests(connection, self._name, table, column)
                if combined(found) != self._manifest.store[table]:
                    yield f"{self._name}.{table} in the store was changed since the index was built"
            (count,) = rows_of(connection, f"SELECT count(*) FROM {self._name}.passages")[0]
            if count != self._manifest.passages:
                yield f"the store holds {count} passages, not {self._manifest.passages}"
            connection.exec_driver_sql("SET enable_seqscan = off")
            try:
                for start in range(0, count, BLOCK):
                    for (row,) in rows_of(connection, self._lost(), {"start": start, "end": start + BLOCK}):
                        yield f"passage {row} does not find itself in the store"
            finally:
                connection.exec_driver_sql("RESET enable_seqscan")

    def _lost(self) -> str:
        half = f"halfvec({self._manifest.dimension})"
        return (
            f"SELECT p.row FROM {self._name}.passages p WHERE p.row >= %(start)s AND p.row < %(end)s AND NOT EXISTS ("
            # A twin, the same words in another document, is as good.
            "SELECT FROM (SELECT n.row, n.embedding "
            f"FROM {self._name}.passages n ORDER BY n.embedding::{half} <=> p.embedding::{half} LIMIT 5) near "
            "WHERE near.row = p.row OR near.embedding = p.embedding) ORDER BY p.row"
        )

    def _nearest(
        self, connection: sa.Connection, query: Vectors, limit: int, allowed: NDArray[np.bool_] | None
    ) -> list[tuple[int, float]]:
        values: dict[str, Any] = {"query": vector_text(query)}
        half = f"halfvec({self._manifest.dimension})"
        where, exact = "", False
        if allowed is not None:
            rows = np.flatnonzero(allowed)
            exact = len(rows) <= _SCANNED
            if exact:
                values["rows"] = rows.tolist()
            elif len(rows) < len(allowed):
                # Not "= 1", which the planner takes for rare, and would then scan all rows.
                where = "WHERE get_bit(%(mask)s::bytea, row) <> 0 "
                values["mask"] = np.packbits(allowed, bitorder="little").tobytes()
        if exact:
            statement = (
                "WITH allowed AS MATERIALIZED "
                f"(SELECT row, embedding FROM {self._name}.passages WHERE row = ANY(%(rows)s::int[])) "
                "SELECT row, 1 - (embedding <=> %(query)s::vector) FROM allowed "
                f"ORDER BY embedding <=> %(query)s::vector, row LIMIT {limit:d}"
            )
        else:
            statement = (
                f"SELECT row, 1 - (embedding <=> %(query)s::vector) FROM {self._name}.passages {where}"
                f"ORDER BY embedding::{half} <=> %(query)s::vector::{half} LIMIT {limit:d}"
            )
        found = rows_of(connection, statement, values)
        return sorted(((row, cosine) for row, cosine in found), key=lambda hit: (-hit[1], hit[0]))

    def _best(
        self,
        connection: sa.Connection,
        weights: Mapping[int, float],
        limit: int,
        whole: bool,
        required: Sequence[tuple[int, int, bool]],
        any_of: Sequence[tuple[int, int, bool]],
        wanted: int,
    ) -> list[tuple[int, float]]:
        """Return (row, score) of the best rows for terms' numbers with their weights.

        Lists that are `whole` are added up. Otherwise, and for rows that must hold something, candidates come from
        lists and are scored by all of their terms.
        """
        values: dict[str, Any] = {"ids": list(weights), "weights": list(weights.values())}
        added_up = (
            "SELECT list.row, sum(list.weight * asked.weight)::real AS score "
            "FROM unnest(%(ids)s::int[], %(weights)s::float8[]) AS asked(id, weight) "
            f"JOIN {self._name}.terms USING (id), unnest(rows, weights) AS list(row, weight) "
            "GROUP BY list.row ORDER BY score DESC, list.row LIMIT {limit:d}"
        )
        if whole and not required and not any_of:
            return [(row, score) for row, score in rows_of(connection, added_up.format(limit=limit), values)]
        dimension = int(self._manifest.store["terms_count"])
        conditions = []
        if required:
            # All must be there, so the shortest of their lists holds every candidate.
            values["listed"] = [min(required, key=lambda entry: entry[1])[0]]
            conditions += [f"words <#> '{{{number}:1}}/{dimension}'::sparsevec < 0" for number, _, _ in required]
        elif any_of:
            values["listed"] = [number for number, _, _ in any_of]
        if any_of:
            held = " + ".join(
                f"(words <#> '{{{number}:1}}/{dimension}'::sparsevec < 0)::int" for number, _, _ in any_of
            )
            conditions.append(f"{held} >= {wanted}")
        candidates = (
            f"SELECT DISTINCT unnest(rows) AS row FROM {self._name}.terms WHERE id = ANY(%(listed)s::int[])"
            if "listed" in values
            else added_up.format(limit=_CANDIDATES * limit)
        )
        values["asked"] = sparse_text({number: str(weight) for number, weight in weights.items()}, dimension)
        statement = (
            f"SELECT row, -(words <#> %(asked)s::sparsevec)::real AS score "
            f"FROM {self._name}.words WHERE row IN (SELECT row FROM ({candidates}) AS candidates) "
            + "".join(f"AND {condition} " for condition in conditions)
            + f"ORDER BY score DESC, row LIMIT {limit:d}"
        )
        return [(row, score) for row, score in rows_of(connection, statement, values)]

    def _entries(self, connection: sa.Connection, terms: Sequence[str]) -> dict[str, tuple[int, int, bool]]:
        """Return (number, passages, whether its list is whole) of those terms that the index holds."""
        unknown = [term for term in dict.fromkeys(terms) if term not in self._known]
        if unknown:
            found = {
                term: (number, passages, whole)
                for term, number, passages, whole in rows_of(
                    connection,
                    f"SELECT term, id, passages, whole FROM {self._name}.terms WHERE term = ANY(%(terms)s::text[])",
                    {"terms": [term.replace("\0", " ") for term in unknown]},
                )
            }
            if len(self._known) > _CACHED_TERMS:
                self._known = {}
            self._known |= {term: found.get(term) for term in unknown}
        return {term: entry for term in terms if (entry := self._known.get(term)) is not None}

    def _check(self, connection: sa.Connection) -> None:
        comments = dict(
            rows_of(
                connection,
                "SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE starts_with(nspname, %(p)s)",
                {"p": PREFIX},
            )
        )
        if self._name not in comments:
            others = f", only {', '.join(sorted(comments))}" if comments else ""
            raise IndexUnavailable(
                f"the store {shown(self._uri)} does not hold index {self._manifest.index_version} "
                f"({self._name}){others}: set FOLLOWUP_STORE to the database that it was built into, "
                "or build it anew with 'followup index SOURCE'"
            )
        check_pgvector(connection, self._uri)
        held = json.loads(comments[self._name] or "{}")
        wanted = about(self._manifest.index_version, self._manifest.passages, self._manifest.dimension)
        if held != wanted:
            raise IndexUnavailable(
                f"{self._name} in the store {shown(self._uri)} is of another index ({held.get('index_version')}, "
                f"layout {held.get('layout')}): build it anew with 'followup index SOURCE'"
            )

    @contextmanager
    def _asking(self) -> Iterator[sa.Connection]:
        with faults_said(self._uri), self._engine.connect() as connection:
            yield connection
