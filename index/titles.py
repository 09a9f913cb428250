"""Finds document titles in running text.

Is: a small SQLite file of stemmed titles, written with the index and asked by key, so that a question costs the same
however many titles there are. Is not: a search; a title counts whole or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index.intents import question_intents
from index.lexical import content_terms, terms_of
from index.records import DamagedIndex

# A title of more words is a sentence; nobody repeats it within another one.
_MAX_TITLE_TERMS = 12
# A title is about a phrase when the phrase makes up this share of what it names.
_TOPIC_SHARE = 0.5
# How far a term's titles are counted to find the rarest one.
_COUNTED = 1_000
# Keys in one look-up; SQLite takes some 32,000.
_KEYS = 1_000
_SCHEMA = """
CREATE TABLE titles (number INTEGER PRIMARY KEY, terms TEXT NOT NULL UNIQUE, title TEXT NOT NULL);
CREATE TABLE words (term TEXT NOT NULL, size INTEGER NOT NULL, title INTEGER NOT NULL,
    PRIMARY KEY (term, size, title)) WITHOUT ROWID;
"""


def write_titles(path: Path, titles: Iterable[str]) -> None:
    """Write the titles that name something; of two with the same stemmed words the first stands.

    `size` of a title is how many words it names something by. Raises sqlite3.Error, e.g. when the disk is full.
    """
    asks: dict[str, bool] = {}

    def is_asking(term: str) -> bool:
        # Words that only ask ("How is … treated?") are not what a title names.
        if term not in asks:
            asks[term] = bool(question_intents(term))
        return asks[term]

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        connection.execute("BEGIN")
        for title in filter(None, titles):
            if not (named := content_terms(title)):
                continue
            row = connection.execute(
                "INSERT OR IGNORE INTO titles (terms, title) VALUES (?, ?)", (_key(terms_of(title)), title)
            )
            if row.rowcount:
                size = max(1, sum(not is_asking(term) for term in named))
                connection.executemany(
                    "INSERT INTO words VALUES (?, ?, ?)", [(term, size, row.lastrowid) for term in named]
                )
        connection.execute("COMMIT")


class Titles:
    """The titles of an index; safe to share between threads. Every method raises DamagedIndex."""

    def __init__(self, path: Path) -> None:
        """Open what `write_titles` wrote."""
        self._path = path
        with self._damage_shown():
            # immutable: nothing writes here any more, so no lock and no journal is needed.
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.execute("SELECT 1 FROM titles, words LIMIT 1").fetchone()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def within(self, text: str) -> str:
        """Return the longest title that stands in `text` word for word (stemmed), "" if none does."""
        words = terms_of(text)
        keys = [
            _key(words[start : start + size])
            for size in range(min(len(words), _MAX_TITLE_TERMS), 0, -1)
            for start in range(len(words) - size + 1)
        ]
        for start in range(0, len(keys), _KEYS):
            part = keys[start : start + _KEYS]
            marks = ",".join("?" * len(part))
            with self._damage_shown():
                found = dict(
                    self._connection.execute(f"SELECT terms, title FROM titles WHERE terms IN ({marks})", part)
                )
            if found:
                return str(next(found[key] for key in part if key in found))
        return ""

    def is_topic(self, phrase: str) -> bool:
        """Say whether a title names this phrase and little else."""
        wanted = content_terms(phrase)
        if not wanted:
            return False
        largest = int(len(wanted) / _TOPIC_SHARE)
        with self._damage_shown():
            counts = {term: self._count(term, largest) for term in wanted}
            rarest, *others = sorted(wanted, key=counts.__getitem__)
            also = "".join(
                " AND EXISTS (SELECT 1 FROM words o WHERE o.term = ? AND o.size = w.size AND o.title = w.title)"
                for _ in others
            )
            statement = f"SELECT 1 FROM words w WHERE w.term = ? AND w.size <= ?{also} LIMIT 1"
            return self._connection.execute(statement, (rarest, largest, *others)).fetchone() is not None

    def _count(self, term: str, largest: int) -> int:
        statement = "SELECT count(*) FROM (SELECT 1 FROM words WHERE term = ? AND size <= ? LIMIT ?)"
        (count,) = self._connection.execute(statement, (term, largest, _COUNTED)).fetchone()
        return int(count)

    @contextmanager
    def _damage_shown(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, TypeError) as error:
            raise DamagedIndex(f"{self._path} cannot be read ({error})") from error


def _key(terms: Iterable[str]) -> str:
    return " ".join(terms)
