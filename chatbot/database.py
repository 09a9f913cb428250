"""Opens the database that the page keeps things in: a SQLite file, or a PostgreSQL server that processes share.

Is: engines, transactions, and what goes wrong with them in words. Is not: tables (see `conversations.py` and
`web/shared.py`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

# How long a writer waits for another before it gives up.
_BUSY_SECONDS = 15.0
_CONNECT_SECONDS = 5
# Two processes that make the same new tables at once fail in PostgreSQL even with IF NOT EXISTS; who holds this lock
# makes them, the other looks. Any number serves that nobody else uses.
_MAKING_TABLES = 0x666F6C6C6F777570
_POSTGRESQL = ("postgresql", "postgres")


class DatabaseFault(ValueError):
    """The setting names no database that can be used; the message says what to give instead."""


class DatabaseUnavailable(Exception):
    """The database's server does not answer; the message says which, and what to do."""


class Database:
    """One database, opened at first use; safe to use from any thread."""

    def __init__(self, uri: str) -> None:
        """Name the database.

        Raises:
            DatabaseFault: `uri` names no database, or one in memory, which threads could not share.
        """
        try:
            self._url = sa.make_url(uri)
        except sa.exc.ArgumentError as error:
            raise DatabaseFault(
                f"database {uri!r}: give a URI such as sqlite:////path/to/conversations.sqlite"
            ) from error
        if self._url.drivername in _POSTGRESQL:
            self._url = self._url.set(drivername="postgresql+psycopg")
        if self.is_sqlite and self._url.database in (None, "", ":memory:"):
            raise DatabaseFault(f"database {uri!r} is in memory: name a file, e.g. sqlite:///conversations.sqlite")
        self._engine: sa.Engine | None = None
        self._made: set[int] = set()
        self._opening = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file on this machine."""
        return self._url.get_backend_name() == "sqlite"

    def exists(self) -> bool:
        """Say whether the database is there already, as far as that can be told without opening it."""
        return not self.is_sqlite or Path(str(self._url.database)).exists()

    def engine(self, tables: sa.MetaData) -> sa.Engine:
        """Return the engine; open the database and make these tables at first use.

        Raises:
            DatabaseFault: its driver is not installed.
            DatabaseUnavailable: its server does not answer.
        """
        with self._opening:
            if self._engine is None:
                self._engine = self._open()
            if id(tables) not in self._made:
                with self._faults_said(), self._engine.begin() as connection:
                    if connection.dialect.name == "postgresql":
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING_TABLES)))
                    # Not `create_all`, which looks first and fails when another process is as quick.
                    for table in tables.sorted_tables:
                        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
                        for key in table.indexes:
                            connection.execute(sa.schema.CreateIndex(key, if_not_exists=True))
                self._made.add(id(tables))
            return self._engine

    @contextmanager
    def reading(self, tables: sa.MetaData) -> Iterator[sa.Connection]:
        """Yield a connection. Raises as `engine` does."""
        with self._faults_said(), self.engine(tables).connect() as connection:
            yield connection

    @contextmanager
    def writing(self, tables: sa.MetaData) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction, kept if the block ends well and undone otherwise."""
        with self._faults_said(), self.engine(tables).begin() as connection:
            yield connection

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine, self._made = None, set()

    def _open(self) -> sa.Engine:
        # An error's message would quote what was asked.
        options: dict[str, Any] = {"hide_parameters": True}
        if not self.is_sqlite:
            options |= {"pool_pre_ping": True}
        if self._url.get_driver_name() == "psycopg":
            options |= {"connect_args": {"connect_timeout": _CONNECT_SECONDS}}
        try:
            engine = sa.create_engine(self._url, **options)
        except ModuleNotFoundError as error:
            what = "'followup[postgresql]'" if error.name == "psycopg" else error.name
            raise DatabaseFault(f"the database needs {error.name}: pip install {what}") from error
        if self.is_sqlite:
            _make_private(Path(str(self._url.database)))
            sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine

    @contextmanager
    def _faults_said(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            if self.is_sqlite:
                raise
            # The first line: what follows may quote a row.
            lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [""]
            shown = self._url.render_as_string(hide_password=True)
            raise DatabaseUnavailable(
                f"the database {shown} does not answer ({' '.join(lines[0].split())}): see that it runs, "
                "and that FOLLOWUP_CONVERSATIONS names it"
            ) from error


def _make_private(path: Path) -> None:
    """Make the file, readable by its owner alone; SQLite gives its side files the same rights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _write_ahead(cursor: Any) -> None:
    """Switch a file to its write-ahead log; SQLite does not wait by itself while another process does the same."""
    patience = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.02)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(1000 * _BUSY_SECONDS)}")
    # Readers do not wait for the writer; a crash of the machine loses at most the last turn, never the file.
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    # What is deleted is overwritten with zeros.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
