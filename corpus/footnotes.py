"""Gives marked notes ("* at most 8 weeks", "† not in pregnancy") to the rows and sentences that they qualify.

Is: marks at the beginning of a paragraph, and the same mark or a table above it. Is not: numbered notes; those are
links or raised numbers, and each format's reader knows its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.documents import Block, Span

# What a note begins with; under a table also a raised or bracketed letter, and the words that say it is a note.
_MARK = re.compile(r"(?P<mark>[*†‡§¶]{1,3})\s*\S")
_TABLE_NOTE = re.compile(
    rf"{_MARK.pattern}|[¹²³⁴⁵⁶⁷⁸⁹]+\s*\S|[ᵃᵇᶜᵈᵉᶠ]\s*\S|[\[(]?[a-h][\])]?\s+(?=[A-Z])"
    r"|(?i:(?:foot)?notes?\s*[:.]|abbreviations?\s*[:.]|n\.?b\.?\s*[:.]|key\s*:|legend\s*:)"
)


def is_table_note(text: str) -> bool:
    """Say whether a text under a table, or in its last row, begins as a note of it does.

    Example:
        >>> is_table_note("* at most 8 weeks"), is_table_note("a Withdrawn."), is_table_note("Aspirin")
        (True, True, False)
    """
    return bool(_TABLE_NOTE.match(text))


def attach_notes(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return blocks in which marked paragraphs are notes of the table above, or of what bears their mark.

    Only blocks before the note and in its section are looked at.
    """
    found = list(blocks)
    for position, block in enumerate(found):
        words = text[block.start : block.end]
        if block.kind not in ("paragraph", "item") or not is_table_note(words):
            continue
        owners = _rows_above(found, position)
        if not owners and (match := _MARK.match(words)):
            owners = _marked(text, found, position, match["mark"])
        if owners:
            found[position] = replace(block, kind="note", lead_ins=())
            span: Span = (block.start, block.end)
            for owner in owners:
                found[owner] = replace(found[owner], notes=(*found[owner].notes, span))
    return tuple(found)


def _rows_above(blocks: Sequence[Block], position: int) -> list[int]:
    """Return the positions of the rows of the table that stands right above a block, its notes aside."""
    section = blocks[position].section
    rows: list[int] = []
    for place in range(position - 1, -1, -1):
        block = blocks[place]
        if block.section != section or block.kind not in ("row", "note") or (rows and block.kind == "note"):
            break
        if block.kind == "row":
            rows.append(place)
    return rows


def _marked(text: str, blocks: Sequence[Block], position: int, mark: str) -> list[int]:
    """Return the positions of blocks that bear a mark right after a word or its stop."""
    bears = re.compile(rf"[^\s*]{re.escape(mark)}(?![\w*])")
    section = blocks[position].section
    return [
        place
        for place in range(position)
        if blocks[place].section == section
        and blocks[place].kind != "note"
        and bears.search(text, blocks[place].start, blocks[place].end)
    ]
