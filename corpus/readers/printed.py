"""What printed texts have in common: a reference list under a heading of that name, a path that names the text.

Is: used by the readers of text, Markdown, HTML, Word and PDF. Is not: a reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from corpus.bibliography import parse_reference
from corpus.documents import Reference

REFERENCES_HEADING = re.compile(
    r"(?:\d{1,2}\.?\s+)?(?:references(?: (?:and notes|cited|list))?|bibliography|literature(?: cited)?|works cited|"
    r"sources|reference list|citations)\s*:?",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"\s*(?:\[\d{1,3}\]|\d{1,3}[.)]|[-•*])\s+(?=\S)")


def document_id(name: str) -> str:
    """Return the id of a document that brings none: its path without the suffix.

    Example:
        >>> document_id("heart/angina.md")
        'heart-angina'
    """
    stem = re.sub(r"\.gz$", "", name)
    return re.sub(r"\.[^./]+$", "", stem).replace("/", "-")


def read_entries(lines: Sequence[str]) -> tuple[Reference, ...]:
    """Return the entries of a printed list: each begins with its number or bullet, or after a blank line."""
    entries: list[str] = []
    is_marked = any(_ENTRY.match(line) for line in lines)
    has_blanks = any(not line.strip() for line in "\n".join(lines).strip().split("\n"))
    after_blank = True
    for line in lines:
        if not line.strip():
            after_blank = True
            continue
        begins = bool(_ENTRY.match(line)) if is_marked else after_blank or not has_blanks
        if begins or not entries:
            entries.append(re.sub(r"^\s*[-•*]\s+", "", line))
        else:
            entries[-1] += " " + line.strip()
        after_blank = False
    return parse_entries(entries)


def parse_entries(entries: Sequence[str]) -> tuple[Reference, ...]:
    """Return the references of a list, one for each entry, none if it is no list of references.

    Entries most of which name no year and no identifier are text ("Sources of iron are meat and beans"). Printed
    numbers are kept where they rise, so that a lost entry shifts no other.
    """
    references = [parse_reference(number, entry) for number, entry in enumerate(entries, start=1)]
    if sum(bool(entry.year or entry.doi or entry.pmid) for entry in references) * 2 <= len(references):
        return ()
    labels = [int(entry.label) if entry.label.isdigit() else 0 for entry in references]
    if labels[:1] > [0] and all(a < b for a, b in pairwise(labels)):
        references = [replace(entry, number=label) for entry, label in zip(references, labels, strict=True)]
    return tuple(references)
