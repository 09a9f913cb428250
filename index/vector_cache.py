"""Vectors of passages and of their units by content hash, kept between builds.

Is: what makes a second build quick and a killed one resumable. Is not: searched.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.embedding import Vectors
from index.unit_vectors import Packed, packed_type
from index.weights import sha256_of

# SQLite's codes for a file whose content makes no sense, as opposed to a disk that is full or cannot be read.
_DAMAGED = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_IOERR_SHORT_READ}
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one passage: its vector, shape (dimension,), and the packed vectors of its units."""

    vector: Vectors
    units: Packed


class VectorCache:
    """One SQLite file; `identity` names the embedder whose vectors are asked for.

    A file that is damaged is thrown away: the vectors in it can be made again.
    """

    def __init__(self, path: Path, identity: str, dimension: int) -> None:
        self._path = path
        self._dimension = dimension
        self._identity = identity
        _seal_of(path).unlink(missing_ok=True)
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError as error:
            self._start_anew(error)

    def get(self, keys: Sequence[str]) -> dict[str, Kept]:
        """Return what is known; one whose bytes changed on the disk counts as unknown."""
        named = {self._name(key): key for key in keys}
        marks = ",".join("?" * len(named))
        try:
            found = self._connection.execute(
                f"SELECT key, vector, check_sum FROM vectors WHERE key IN ({marks})", list(named)
            ).fetchall()
        except sqlite3.DatabaseError as error:
            self._start_anew(error)
            return {}
        return {
            named[name]: self._unpacked(raw)
            for name, raw, check_sum in found
            if isinstance(raw, bytes) and _check_sum(name, raw) == check_sum
        }

    def put(self, vectors: dict[str, Kept]) -> None:
        """Keep vectors; the batch is on the disk when this returns, or none of it is."""
        rows = [
            (self._name(key), kept.vector.astype(np.float32).tobytes() + kept.units.tobytes())
            for key, kept in vectors.items()
        ]
        sealed = [(name, raw, _check_sum(name, raw)) for name, raw in rows]
        try:
            self._write(sealed)
        except sqlite3.DatabaseError as error:
            self._start_anew(error)
            self._write(sealed)

    def _write(self, rows: Sequence[tuple[str, bytes, int]]) -> None:
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def keep_only(self, keys: Iterator[str]) -> None:
        """Drop every vector but those of `keys`."""
        self._connection.execute("CREATE TEMP TABLE wanted (key TEXT PRIMARY KEY)")
        self._connection.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((self._name(k),) for k in keys))
        self._connection.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM wanted)")
        self._connection.execute("DROP TABLE wanted")

    def __len__(self) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM vectors").fetchone()
        return int(count)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def seal(self) -> None:
        """Close it and note its hash, so that `cache_fault` can tell later whether a byte was changed."""
        self.close()
        _seal_of(self._path).write_text(sha256_of(self._path) + "\n", encoding="ascii")

    def _start_anew(self, error: sqlite3.DatabaseError) -> None:
        """Begin an empty file. Raises `error` if it does not speak of damage."""
        # The lower byte is the primary code.
        if not {error.sqlite_errorcode, error.sqlite_errorcode & 0xFF} & _DAMAGED:
            raise error
        if hasattr(self, "_connection"):
            self._connection.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._connection = _open(self._path)

    def _unpacked(self, raw: bytes) -> Kept:
        vector = np.frombuffer(raw, np.float32, self._dimension)
        return Kept(vector, np.frombuffer(raw, packed_type(self._dimension), offset=vector.nbytes))

    def _name(self, key: str) -> str:
        return f"{self._identity}:{key}"


def cache_fault(path: Path) -> str:
    """Say in words what is wrong with a cache that lies there; "" if nothing is, or if it cannot be known.

    A build that is at work, or was killed at it, leaves no seal: then SQLite's own check has to do.
    """
    remedy = "delete it, it is made again by the next build"
    if not path.is_file():
        return f"{_seal_of(path).name} stands beside no cache" if _seal_of(path).exists() else ""
    try:
        sealed = _seal_of(path).read_bytes()
    except FileNotFoundError:
        return "" if _is_sound(path) else f"{path.name} is damaged: {remedy}"
    if sealed == f"{sha256_of(path)}\n".encode() or not _seal_of(path).exists():
        return ""
    return f"{path.name} or its seal was changed since the index was built: {remedy}"


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        return False


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors "
            "(key TEXT PRIMARY KEY, vector BLOB NOT NULL, check_sum INTEGER NOT NULL)"
        )
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _seal_of(path: Path) -> Path:
    return path.with_name(path.name + ".sealed")


def _check_sum(name: str, raw: bytes) -> int:
    return zlib.crc32(raw, zlib.crc32(name.encode()))
