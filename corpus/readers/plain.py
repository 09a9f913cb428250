"""Reads plain text files: paragraphs, bullets, headings, a list of references at the end.

Is: the last resort for text that nothing else claims. Is not: a reader of programs, tables or logs; only files
that are named as text come here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from corpus.citations import find_markers
from corpus.documents import Document, Reference, Rejected, UnreadableSource, check_document
from corpus.hidden import remove_hidden
from corpus.outline import outline
from corpus.readers.limits import decode, read_bytes
from corpus.readers.printed import REFERENCES_HEADING, document_id, read_entries

SUFFIXES = (".txt", ".text")
# A line of at least this length was broken by the width of a page; a shorter one ended by itself.
_WRAPPED_CHARS = 55
_STARTS_BLOCK = re.compile(r"\s*(?:[-–*•●▪◦‣·]\s|o\s+[A-Z]|\(?\d{1,2}[.)]\s|\(?[a-z]\)\s|#{1,6}\s)")
_BROKEN_RANGE = re.compile(r"\d\s?[-–]\n\d|\d\n[-–]\s?\d")
_MAX_TITLE_CHARS = 150


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file is text: named so, or without any suffix and without a byte that text does not hold."""
    return bool(head.strip()) and (suffix in SUFFIXES or (not suffix and b"\0" not in head))


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the one document of a text file. Raises UnreadableSource if it holds no words."""
    text = remove_hidden(decode(read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))
    if not any(char.isalnum() for char in text):
        raise UnreadableSource("holds no words")
    title, body, references = _parts(text)
    body = unwrap(body).strip()
    sections, blocks = outline(body)
    inside = [(block.start, block.end) for block in blocks]
    marks = find_markers(body) if references else ()
    yield check_document(
        Document(
            id=document_id(name),
            title=title or Path(name).stem,
            text=body,
            question=title if title.endswith("?") else "",
            sections=sections,
            blocks=blocks,
            references=references,
            markers=tuple(mark for mark in marks if any(a <= mark.start < b for a, b in inside)),
            path=name,
        )
    )


def unwrap(text: str) -> str:
    """Return text whose lines were broken at a page's width with each paragraph and item in one line.

    A range or a word that was broken at a hyphen comes together again.

    Example:
        >>> print(unwrap("Adults take 5–\\n10 mg at bedtime, with some water, every day of the\\nweek.\\n- rest"))
        Adults take 5–10 mg at bedtime, with some water, every day of the week.
        - rest
    """
    lines: list[str] = []
    for line in text.split("\n"):
        shown = line.rstrip()
        last = lines[-1] if lines else ""
        if not last or not shown:
            lines.append(shown)
        elif _BROKEN_RANGE.search(f"{last[-9:]}\n{shown[:30].lstrip()}"):
            lines[-1] = f"{last}{'' if last[-1] in '-–' else ' '}{shown.lstrip()}"
        elif _STARTS_BLOCK.match(shown):
            lines.append(shown)
        elif len(last) >= _WRAPPED_CHARS or shown.lstrip()[0].islower():
            lines[-1] = f"{last} {shown.lstrip()}"
        else:
            lines.append(shown)
    return "\n".join(lines)


def _parts(text: str) -> tuple[str, str, tuple[Reference, ...]]:
    """Return a text's title, its body and the references at its end."""
    lines = text.split("\n")
    position = next((i for i in range(len(lines) - 1, 0, -1) if REFERENCES_HEADING.fullmatch(lines[i].strip())), None)
    references: tuple[Reference, ...] = ()
    if position is not None:
        references = read_entries(lines[position + 1 :])
        if references:
            lines = lines[:position]
    first = next(i for i, line in enumerate(lines) if line.strip()) if any(line.strip() for line in lines) else 0
    candidate = lines[first].strip().lstrip("# ")
    is_title = (
        0 < len(candidate) <= _MAX_TITLE_CHARS
        and candidate[-1] not in ".:;,"
        and not _STARTS_BLOCK.match(candidate)
        and first + 1 < len(lines)
        and not lines[first + 1].strip()
    )
    if not is_title:
        return "", "\n".join(lines), references
    return " ".join(candidate.split()), "\n".join(lines[first + 1 :]), references
