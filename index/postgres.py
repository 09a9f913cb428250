"""How an index lies in a PostgreSQL server with pgvector, and how to get there.

Is: the layout, the connection, and what goes wrong with either in words. Is not: a search (see `postgres_store.py`) nor
a build (see `postgres_writer.py`).

Each index has a schema of its own, named by its version, so that a build stands aside until it is whole:

    followup_<version>_<random>.passages    row, embedding; a graph over half-precision copies of the embeddings
    followup_<version>_<random>.words       row, BM25 weight of each of its terms (a sparse vector)
    followup_<version>_<random>.terms       id, term, passages that hold it, and of these the `LISTED` where it
                                            weighs most, with its weight there
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from index.embedding import Vectors
from index.manifest import IndexUnavailable

if TYPE_CHECKING:
    import sqlalchemy as sa

ENGINE = "postgresql"
PREFIX = "followup_"
# What a schema of ours is called; nothing else is ever read, written or dropped.
NAME = re.compile(PREFIX + r"[0-9a-f]{12}_[0-9a-f]{8}")
# Changes when the tables of a schema do.
LAYOUT = 1
# Passages in a term's list. Adding up lists costs about 1 ms per thousand entries, so that what a search costs is
# bounded however large the corpus; passages found by a frequent term only, and below its first so many, are left
# out ("champion lists"; Manning, Raghavan, Schütze, Introduction to Information Retrieval, 7.1.3).
LISTED = 10_000
# Rows that a digest covers; what `faults` can name.
BLOCK = 1_000
# half precision and sparse vectors came with pgvector 0.7, filtered searches of the graph with 0.8.
_PGVECTOR = (0, 8)
_CONNECT_SECONDS = 5
# A page answers four questions at once, the API four more; each asks the store one thing at a time.
_CONNECTIONS, _MORE_CONNECTIONS = 4, 12
# Plans are made for the values at hand: a plan for any LIMIT would not use the graph. What a search of the graph
# looks at: enough for the 400 neighbours that are wanted (of 8,189 passages it finds .998 of them).
_SESSION = (
    "SET plan_cache_mode = force_custom_plan; SET jit = off; SET hnsw.ef_search = 512; "
    "SET hnsw.iterative_scan = strict_order; SET hnsw.max_scan_tuples = 200000"
)


def connect(uri: str, *, keep: bool = True) -> sa.Engine:
    """Return what connects to a server, which is not asked for anything yet; `keep` connections for the next use.

    Raises:
        IndexUnavailable: the URI is none, or the driver is not installed.
    """
    import sqlalchemy as sa

    try:
        url = sa.make_url(uri).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            **({"pool_size": _CONNECTIONS, "max_overflow": _MORE_CONNECTIONS, "pool_pre_ping": True} if keep else {}),
            **({} if keep else {"poolclass": sa.NullPool}),
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT_SECONDS},
        )
    except (sa.exc.ArgumentError, ValueError) as error:
        raise IndexUnavailable("FOLLOWUP_STORE is no URI of a database: postgresql://user@host/name") from error
    except ModuleNotFoundError as error:
        raise IndexUnavailable(
            f"a store in PostgreSQL needs {error.name}: pip install 'followup[postgresql]'"
        ) from error

    def prepare(connection: Any, _: Any) -> None:
        connection.execute(_SESSION)
        connection.commit()

    sa.event.listen(engine, "connect", prepare)
    return engine


def check_pgvector(connection: sa.Connection, uri: str) -> None:
    """Raise IndexUnavailable if the database has no pgvector, or one that is too old."""
    found = rows_of(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    version = tuple(int(part) for part in found[0][0].split(".")[:2]) if found else ()
    if version < _PGVECTOR:
        has = f"has pgvector {found[0][0]}" if found else "has no pgvector"
        raise IndexUnavailable(
            f"the store {shown(uri)} {has}: install version {'.'.join(map(str, _PGVECTOR))} or newer on the server "
            "(Debian: postgresql-NN-pgvector) and run 'CREATE EXTENSION vector' or 'ALTER EXTENSION vector UPDATE'"
        )


@contextmanager
def faults_said(uri: str) -> Iterator[None]:
    """Turn what the server or the way there reports into IndexUnavailable, in one line that says what to do."""
    import sqlalchemy as sa

    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise IndexUnavailable(
            f"the store {shown(uri)} does not answer as it should ({reason}): see that it runs and has room, "
            "and that FOLLOWUP_STORE names it"
        ) from error


def shown(uri: str) -> str:
    """Return a URI without its password."""
    import sqlalchemy as sa

    return sa.make_url(uri).render_as_string(hide_password=True)


def about(index_version: str, passages: int, dimension: int) -> dict[str, Any]:
    """Return what a schema says of itself."""
    return {"layout": LAYOUT, "index_version": index_version, "passages": passages, "dimension": dimension}


def vector_text(vector: Vectors) -> str:
    """Return a vector as pgvector reads it; the numbers come back bit for bit."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"


def sparse_text(weights: Mapping[int, str], dimension: int) -> str:
    """Return a sparse vector as pgvector reads it; indices count from 1."""
    return "{" + ",".join(f"{number}:{weight}" for number, weight in sorted(weights.items())) + f"}}/{dimension}"


# What a row of each table is, in bytes that do not depend on settings.
_IN_BYTES = {
    "passages": "vector_send(embedding)",
    "words": "sparsevec_send(words)",
    "terms": "convert_to(term, 'UTF8') || int4send(passages) || array_send(rows) || array_send(weights)",
}


def digests(connection: sa.Connection, name: str, table: str, column: str) -> list[str]:
    """Return the SHA-256 of every `BLOCK` rows of a table, as the server computes it."""
    return [
        digest
        for _, digest in rows_of(
            connection,
            f"SELECT {column} / {BLOCK} AS block, "
            f"encode(sha256(string_agg({_IN_BYTES[table]}, ''::bytea ORDER BY {column})), 'hex') "
            f"FROM {name}.{table} GROUP BY block ORDER BY block",
        )
    ]


def combined(found: Sequence[str]) -> str:
    """Return one digest of many."""
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def rows_of(connection: sa.Connection, statement: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """Return what a statement finds."""
    return list(connection.exec_driver_sql(statement, dict(values or {})).fetchall())
