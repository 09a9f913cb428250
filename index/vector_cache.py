"""Vectors by content hash, kept between builds.

Is: what makes a second build quick and a killed one resumable. Is not: searched.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index.embedding import Vectors


class VectorCache:
    """One SQLite file; `identity` names the embedder whose vectors are asked for."""

    def __init__(self, path: Path, identity: str) -> None:
        self._identity = identity
        try:
            self._connection = self._open(path)
        except sqlite3.DatabaseError:
            # A damaged cache is worth nothing; the vectors in it can be made again.
            path.unlink(missing_ok=True)
            self._connection = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL, check_sum INTEGER NOT NULL)"
        )
        return connection

    def get(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors that are known; one whose bytes changed on the disk counts as unknown."""
        named = {self._name(key): key for key in keys}
        marks = ",".join("?" * len(named))
        found = self._connection.execute(
            f"SELECT key, vector, check_sum FROM vectors WHERE key IN ({marks})", list(named)
        )
        return {
            named[name]: np.frombuffer(raw, dtype=np.float32)
            for name, raw, check_sum in found
            if _check_sum(name, raw) == check_sum
        }

    def put(self, vectors: dict[str, Vectors]) -> None:
        """Keep vectors; the batch is on the disk when this returns, or none of it is."""
        rows = [(self._name(key), vector.astype(np.float32).tobytes()) for key, vector in vectors.items()]
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            [(name, raw, _check_sum(name, raw)) for name, raw in rows],
        )
        self._connection.execute("COMMIT")

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

    def _name(self, key: str) -> str:
        return f"{self._identity}:{key}"


def _check_sum(name: str, raw: bytes) -> int:
    return zlib.crc32(raw, zlib.crc32(name.encode()))
