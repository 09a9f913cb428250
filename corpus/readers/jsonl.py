"""Reads JSON Lines: one document a line, in the form of a BEIR `corpus.jsonl`, also gzipped.

Is: a stream of records whose `text` stays as it came, but for characters that nobody can see. Is not: a judge
of the text (its paragraphs, lists and headings are found by `outline.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from corpus.bibliography import clean_date, clean_doi, clean_pmid
from corpus.documents import (
    DOCUMENT_KINDS,
    REVIEW_STATUSES,
    Document,
    Rejected,
    Review,
    check_document,
    web_link,
)
from corpus.hidden import remove_hidden
from corpus.outline import outline
from corpus.readers.limits import MEBIBYTE, open_stream

SUFFIXES = (".jsonl", ".ndjson")
# One record is one article; a longer line is a damaged file without line ends.
_MAX_LINE_BYTES = 16 * MEBIBYTE
_MAX_ID_CHARS = 512


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file with this beginning and suffix holds JSON Lines."""
    if suffix in SUFFIXES:
        return True
    return bool(re.match(rb'(?:\xef\xbb\xbf)?\s*\{[^\n]*"_id"\s*:', head))


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield a document, or a rejection named "file.jsonl:12", for every line that is not blank."""
    with open_stream(path) as stream:
        number = 0
        while line := stream.readline(_MAX_LINE_BYTES + 1):
            number += 1
            where = f"{name}:{number}"
            if len(line) > _MAX_LINE_BYTES:
                yield Rejected(where, f"a line of more than {_MAX_LINE_BYTES // MEBIBYTE} MiB")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(_MAX_LINE_BYTES)
                continue
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield _read_line(line, where, name)


def _read_line(line: bytes, where: str, name: str) -> Document | Rejected:
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return Rejected(where, "not UTF-8")
    except (ValueError, RecursionError) as error:
        return Rejected(where, f"not JSON: {error}")
    if not isinstance(record, dict):
        return Rejected(where, "not a JSON object")
    identifier = _one_line(record.get("_id"))
    if not identifier or len(identifier) > _MAX_ID_CHARS:
        return Rejected(where, f"_id is missing, empty or longer than {_MAX_ID_CHARS} characters")
    text = record.get("text")
    if not isinstance(text, str):
        return Rejected(where, f"{identifier}: text is missing or not a string")
    text = remove_hidden(text)
    if not text.strip():
        return Rejected(where, f"{identifier}: text is empty")
    metadata = record.get("metadata")
    return _document(
        identifier, _one_line(record.get("title")), text, metadata if isinstance(metadata, dict) else {}, name
    )


def _document(identifier: str, title: str, text: str, metadata: Mapping[str, Any], name: str) -> Document:
    section = _one_line(metadata.get("section"))
    sections, blocks = outline(text, under=(section,) if section else ())
    kind, status = metadata.get("kind"), metadata.get("review_status")
    return check_document(
        Document(
            id=identifier,
            title=title,
            text=text,
            kind=kind if kind in DOCUMENT_KINDS else "guideline",
            question=_one_line(metadata.get("question")),
            topic=_one_line(metadata.get("topic")),
            sections=sections,
            blocks=blocks,
            review=Review(status) if status in REVIEW_STATUSES else None,
            published=clean_date(metadata.get("published")) or clean_date(metadata.get("year")),
            last_updated=clean_date(metadata.get("last_updated")),
            licence=_one_line(metadata.get("licence") or metadata.get("license")),
            url=web_link(_one_line(metadata.get("url"))),
            source=_one_line(metadata.get("source")),
            audience=_one_line(metadata.get("audience")),
            pmid=clean_pmid(metadata.get("pmid")),
            doi=clean_doi(metadata.get("doi")),
            superseded_by=_one_line(metadata.get("superseded_by")) or None,
            flags=_lines(metadata.get("flags")),
            keywords=_lines(metadata.get("keywords") or metadata.get("meshes")),
            related_questions=_lines(metadata.get("related_questions")),
            path=name,
        )
    )


def _one_line(value: Any) -> str:
    """Return a string or number as one clean line; anything else is not there."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(remove_hidden(str(value)).split())


def _lines(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(line for entry in values if (line := _one_line(entry)))
