"""Documents and passages on disk, by id and by row.

Is: one SQLite file, written once and then only read. Is not: a search structure.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpus.documents import Document
from index.passages import Passage, unit_from_row, unit_to_row

_SCHEMA = """
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, question TEXT NOT NULL,
    digest TEXT NOT NULL, body BLOB NOT NULL, check_sum INTEGER NOT NULL);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document INTEGER NOT NULL REFERENCES documents (position),
    section TEXT NOT NULL, text TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    lead_ins TEXT NOT NULL, page INTEGER, uncertain INTEGER NOT NULL, units TEXT NOT NULL,
    check_sum INTEGER NOT NULL);
CREATE INDEX passages_by_document ON passages (document);
CREATE INDEX documents_by_title ON documents (title);
"""
# One answer looks at some ten documents; a conversation returns to the same ones.
_CACHED_DOCUMENTS = 256
_CACHED_PASSAGES = 4096
# An evaluation names a hundred documents a question.
_CACHED_IDS = 65_536


class DamagedIndex(Exception):
    """What is stored is not what was stored; the message says where and how to mend it."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}: the index is damaged, build it anew with 'followup index SOURCE'")


class RecordWriter:
    """Writes documents and their passages in order; rows count from 0."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        self._connection.execute("BEGIN")
        self.documents = 0
        self.passages = 0

    def add(self, document: Document, digest: str, passages: Iterable[Passage]) -> None:
        """Write one document with its passages. Raises sqlite3.Error, e.g. when the disk is full."""
        body = zlib.compress(json.dumps(document.to_dict(), ensure_ascii=False).encode("utf-8", "surrogatepass"))
        row = (self.documents, document.id, document.title, document.question, digest, body)
        self._connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", _sealed(row))
        rows = [
            (
                self.passages + offset,
                passage.id,
                self.documents,
                json.dumps(passage.section),
                passage.text,
                passage.start,
                passage.end,
                json.dumps(passage.lead_ins),
                passage.page,
                int(passage.uncertain),
                json.dumps([unit_to_row(unit) for unit in passage.units]),
            )
            for offset, passage in enumerate(passages)
        ]
        self._connection.executemany(
            "INSERT INTO passages VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", (_sealed(row) for row in rows)
        )
        self.documents += 1
        self.passages += len(rows)

    def commit(self) -> None:
        """Write what was added; without it the file is worth nothing. Raises sqlite3.Error, as `add` does."""
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _sealed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Add a check sum over all values: the id covers what is quoted, this also where a quote begins and ends."""
    return (*row, _check_sum(row))


def _check_sum(row: Sequence[Any]) -> int:
    return zlib.crc32(repr(tuple(row)).encode("utf-8", "surrogatepass"))


class Records:
    """Reads what `RecordWriter` wrote; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        # immutable: nothing writes here any more, so no lock and no journal is needed.
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        (self.documents,) = self._connection.execute("SELECT count(*) FROM documents").fetchone()
        self._id_at = lru_cache(_CACHED_IDS)(self._read_id)
        self._document = lru_cache(_CACHED_DOCUMENTS)(self._read_document)
        self._passage = lru_cache(_CACHED_PASSAGES)(self._read_passage)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __contains__(self, document_id: object) -> bool:
        return isinstance(document_id, str) and self._find(document_id) is not None

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Return the ids of all documents in the index's order; they are read from the disk each time."""
        return tuple(row[0] for row in self._connection.execute("SELECT id FROM documents ORDER BY position"))

    def document_id(self, position: int) -> str:
        """Return the id of the document at a position."""
        return self._id_at(position)

    def position(self, document_id: str) -> int:
        """Return a document's position. Raises KeyError if it is not in the index."""
        found = self._find(document_id)
        if found is None:
            raise KeyError(document_id)
        return found

    def document(self, document_id: str) -> Document:
        """Return a document. Raises KeyError if it is not in the index."""
        return self._document(self.position(document_id))

    def titles(self) -> dict[str, str]:
        """Return document id -> title, in the index's order."""
        return dict(self._connection.execute("SELECT id, title FROM documents ORDER BY position"))

    def documents_titled(self, title: str, limit: int = 20) -> list[str]:
        """Return the ids of documents with exactly this title, in the index's order, at most `limit`."""
        rows = self._connection.execute(
            "SELECT id FROM documents WHERE title = ? ORDER BY position LIMIT ?", (title, limit)
        )
        return [row[0] for row in rows]

    def digests(self) -> dict[str, str]:
        """Return document id -> content hash, in the index's order."""
        return dict(self._connection.execute("SELECT id, digest FROM documents ORDER BY position"))

    def passage(self, row: int) -> Passage:
        """Return the passage in a row. Raises DamagedIndex if its bytes are not those that its id names."""
        return self._passage(row)

    def passages(self) -> Iterator[Passage]:
        """Yield every passage in row order."""
        (count,) = self._connection.execute("SELECT count(*) FROM passages").fetchone()
        for row in range(count):
            yield self._read_passage(row)

    def passage_ids(self) -> tuple[str, ...]:
        """Return the passages' ids in row order."""
        return tuple(row[0] for row in self._connection.execute("SELECT id FROM passages ORDER BY row"))

    def rows_of(self, passage_ids: Sequence[str]) -> list[int]:
        """Return the rows of those passages that are in the index, in the given order."""
        marks = ",".join("?" * len(passage_ids))
        found = dict(self._connection.execute(f"SELECT id, row FROM passages WHERE id IN ({marks})", passage_ids))
        return [found[name] for name in passage_ids if name in found]

    def sections_and_questions(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield for each passage row its section path and the question that its document answers.

        A document that states no question answers its title, where that asks.
        """
        rows = self._connection.execute(
            "SELECT section, CASE WHEN question <> '' THEN question WHEN trim(title) LIKE '%?' THEN title ELSE '' END "
            "FROM passages p JOIN documents d ON d.position = p.document ORDER BY row"
        )
        paths: dict[str, tuple[str, ...]] = {}
        for section, question in rows:
            if section not in paths:
                paths[section] = tuple(json.loads(section))
            yield paths[section], question

    def rows_of_document(self, document_id: str) -> list[int]:
        """Return the rows of a document's passages, in its order. Raises KeyError if it is not in the index."""
        position = self.position(document_id)
        return [
            row[0]
            for row in self._connection.execute("SELECT row FROM passages WHERE document = ? ORDER BY row", (position,))
        ]

    def _find(self, document_id: str) -> int | None:
        row = self._connection.execute("SELECT position FROM documents WHERE id = ?", (document_id,)).fetchone()
        return None if row is None else int(row[0])

    def _read_id(self, position: int) -> str:
        row = self._connection.execute("SELECT id FROM documents WHERE position = ?", (position,)).fetchone()
        if row is None:
            raise DamagedIndex(f"document {position} is not there")
        return str(row[0])

    def _read_document(self, position: int) -> Document:
        try:
            *row, check_sum = self._connection.execute(
                "SELECT * FROM documents WHERE position = ?", (position,)
            ).fetchone()
            if _check_sum(row) == check_sum:
                return Document.from_dict(json.loads(zlib.decompress(row[-1])))
        except (sqlite3.Error, zlib.error, ValueError, TypeError, KeyError) as error:
            raise DamagedIndex(f"document {position} cannot be read") from error
        raise DamagedIndex(f"document {position} was changed since it was indexed")

    def _read_passage(self, row: int) -> Passage:
        try:
            *values, check_sum, document_id, title = self._connection.execute(
                "SELECT p.*, d.id, d.title FROM passages p JOIN documents d ON d.position = p.document WHERE p.row = ?",
                (row,),
            ).fetchone()
            if _check_sum(values) != check_sum:
                raise DamagedIndex(f"passage {row} was changed since it was indexed")
            _, name, _, section, text, start, end, lead_ins, page, uncertain, units = values
            passage = Passage(
                id=name,
                document_id=document_id,
                title=title,
                section=tuple(json.loads(section)),
                text=text,
                start=start,
                end=end,
                lead_ins=tuple(json.loads(lead_ins)),
                page=page,
                uncertain=bool(uncertain),
                units=tuple(unit_from_row(unit) for unit in json.loads(units)),
            )
        except (sqlite3.Error, ValueError, TypeError, IndexError) as error:
            raise DamagedIndex(f"passage {row} cannot be read") from error
        if passage.id != passage.expected_id():
            raise DamagedIndex(f"passage {passage.id} was changed since it was indexed")
        return passage
