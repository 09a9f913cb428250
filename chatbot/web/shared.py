"""What several processes that serve one page must know together: the secret that signs logins, which sessions have
ended, and how often somebody has tried to log in.

Is: a secret in a file, the rest in the conversations' database. Is not: needed by a single process, which keeps all
three to itself (see `login.py`).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from chatbot.database import Database
from chatbot.web.rates import Rate, left_after

# Source: RFC 2104, section 3: a key of the hash's length, here SHA-256.
SECRET_BYTES = 32
# Tokens that a bucket holds again after so long, whatever its rate; older rows say nothing.
_FULL_AGAIN_SECONDS = 24 * 3600

_TABLES = sa.MetaData()
_ENDED = sa.Table(
    "ended_sessions",
    _TABLES,
    sa.Column("session", sa.String(64), primary_key=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
)
_ATTEMPTS = sa.Table(
    "login_attempts",
    _TABLES,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("tokens", sa.Float, nullable=False),
    sa.Column("since", sa.Float, nullable=False, index=True),
)


class SecretFault(ValueError):
    """The secret file cannot be used; the message says why and what to do."""


class SharedLogins:
    """Ended sessions and login attempts in a database; see `login.LoginState`. Times are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def end(self, signature: str, until: float, now: float) -> None:
        """Note that a session has ended; what would have run out by now is forgotten."""
        with self._database.writing(_TABLES) as connection:
            connection.execute(sa.delete(_ENDED).where(_ENDED.c.until < now))
            statement = self._insert(connection, _ENDED).values(session=_digest(signature), until=until)
            connection.execute(statement.on_conflict_do_nothing(index_elements=["session"]))

    def has_ended(self, signature: str) -> bool:
        """Say whether a session has ended, here or in another process."""
        with self._database.reading(_TABLES) as connection:
            found = connection.execute(sa.select(_ENDED.c.until).where(_ENDED.c.session == _digest(signature)))
            return found.first() is not None

    def take(self, kind: str, key: str, rate: Rate, now: float) -> float:
        """Count an attempt; return 0.0, or the seconds until there may be one; see `Buckets.take`."""
        name = _digest(f"{kind}\n{key}")
        with self._database.writing(_TABLES) as connection:
            connection.execute(sa.delete(_ATTEMPTS).where(_ATTEMPTS.c.since < now - _FULL_AGAIN_SECONDS))
            # Writing comes first: it locks the row, so that no two attempts take the same token.
            insert = self._insert(connection, _ATTEMPTS).values(key=name, tokens=float(rate.burst), since=now)
            held = insert.on_conflict_do_update(index_elements=["key"], set_={"key": name})
            row = connection.execute(held.returning(_ATTEMPTS.c.tokens, _ATTEMPTS.c.since)).one()
            # Clocks of two machines differ by a little.
            tokens, wait = left_after(rate, row.tokens, max(0.0, now - row.since))
            connection.execute(
                sa.update(_ATTEMPTS).where(_ATTEMPTS.c.key == name).values(tokens=tokens, since=max(now, row.since))
            )
        return wait

    @staticmethod
    def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def read_secret(path: Path) -> bytes:
    """Return the secret in a file, which is made (readable by its owner alone) if it is missing.

    Processes that start together on one file get one secret.

    Raises:
        SecretFault: the file cannot be read or made, is too short, or others can read it.
    """
    try:
        if not path.exists():
            _make(path)
        secret, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise SecretFault(
            f"secret file {path}: {error.strerror or error}; choose another FOLLOWUP_SECRET, or make its folder"
        ) from error
    if len(secret) < SECRET_BYTES:
        raise SecretFault(
            f"secret file {path} has {len(secret)} bytes, at least {SECRET_BYTES} are needed: "
            "remove it, and a new one is made"
        )
    if os.name == "posix" and mode & 0o077:
        raise SecretFault(f"secret file {path} can be read by others: chmod 600 {path}")
    return secret


def _make(path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        # Not `replace`: of two that make it at once, the first one's stands, whole.
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink(missing_ok=True)


def _digest(text: str) -> str:
    # Names and addresses do not stand in the database.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
