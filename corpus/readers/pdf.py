"""Reads PDF files: pages kept, headings by their size, two columns in order, running heads dropped.

Is: what a page's geometry tells. Is not: certain; tables, scans, and numbers that could be two things are marked
uncertain, and the statement that quotes them says so. It runs in a process of its own (see `contained.py`).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpus.bibliography import clean_doi
from corpus.documents import Document, Rejected, UnreadableSource
from corpus.readers.assemble import assemble
from corpus.readers.limits import MAX_FILE_BYTES, MEBIBYTE
from corpus.readers.pdf_blocks import HEADING_FACTOR, Style, read_blocks
from corpus.readers.pdf_columns import RuledTable, in_order, with_dots
from corpus.readers.pdf_glyphs import read_page
from corpus.readers.pdf_lines import Line, read_segments
from corpus.readers.pdf_tables import ruled_tables
from corpus.readers.printed import document_id

# The longest guidelines have some 800 pages.
_MAX_PAGES = 2000
# Reading one takes about 20 ms a page; what takes longer than this is made to take long.
_MAX_SECONDS = 25.0
# Running heads and page numbers stand in this part of the page, top and bottom; what is set larger than the text is
# one only at the very edge, since every page of a form may begin with the same heading.
_MARGIN_SHARE, _LARGE_MARGIN_SHARE = 0.12, 0.06
# A line is a running head if it stands on so many pages and this part of them.
_LEAST_REPEATS, _REPEAT_SHARE = 2, 0.3
_PAGE_NUMBER = re.compile(
    r"(?:page|p\.?|seite)?\s*[-–—|]?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:(?:of|/|von)\s*\d{1,4})?\s*[-–—|]?", re.I
)
_DOI_LABEL = re.compile(r"doi(?:\.org/|:?\s*)\s*(10\.\S+)", re.I)


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file is a PDF: its mark may stand a little after the start."""
    return b"%PDF-" in head[:1024]


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the one document of a PDF. Raises UnreadableSource if it is encrypted, damaged, too large or a picture."""
    import pypdfium2

    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnreadableSource(f"larger than {MAX_FILE_BYTES // MEBIBYTE} MiB")
    started = time.monotonic()
    try:
        pdf = pypdfium2.PdfDocument(path)
        lines, heights, is_scan = _read_pages(pdf, started)
        contents = _contents(pdf)
    except pypdfium2.PdfiumError as error:
        is_locked = "password" in str(error).lower() or "security" in str(error).lower()
        raise UnreadableSource("encrypted: no password was given" if is_locked else f"damaged PDF: {error}") from error
    if not any(lines):
        raise UnreadableSource("no text in this PDF: its pages are pictures")
    first_page = " ".join(line.text for line in lines[0] if isinstance(line, Line))
    kept = [line for page in _without_running_heads(lines, heights) for line in page]
    if not any(isinstance(line, Line) for line in kept):
        raise UnreadableSource("no text in this PDF but page heads")
    text_lines = [line for line in kept if isinstance(line, Line)]
    title, events = read_blocks(kept, Style.of(text_lines, contents), is_scan=is_scan)
    doi = _DOI_LABEL.search(first_page)
    yield assemble(
        events,
        id=document_id(name),
        title=title or Path(name).stem,
        path=name,
        doi=clean_doi(doi.group(1)) if doi else None,
    )


def _read_pages(pdf: Any, started: float) -> tuple[list[list[Line | RuledTable]], list[float], bool]:
    """Return the lines of every page, the pages' heights, and whether any of them is a scan."""
    if len(pdf) > _MAX_PAGES:
        raise UnreadableSource(f"more than {_MAX_PAGES} pages")
    lines: list[list[Line | RuledTable]] = []
    heights: list[float] = []
    is_scan = False
    for number in range(1, len(pdf) + 1):
        if time.monotonic() - started > _MAX_SECONDS:
            raise UnreadableSource(f"not read within {_MAX_SECONDS:.0f} s (page {number} of {len(pdf)})")
        page = pdf[number - 1]
        try:
            glyphs = read_page(page)
        except ValueError as error:
            raise UnreadableSource(str(error)) from error
        finally:
            page.close()
        tables, rest = ruled_tables(read_segments(glyphs), glyphs.rules, number)
        lines.append(with_dots(in_order([*rest, *tables], glyphs.rules, number), glyphs.dots))
        heights.append(glyphs.height)
        is_scan |= glyphs.is_scan and bool(glyphs.glyphs)
    return lines, heights, is_scan


def _contents(pdf: Any) -> dict[str, int]:
    """Return the levels of the headings that the file's own table of contents names, from 1."""
    found: dict[str, int] = {}
    for position, entry in enumerate(pdf.get_toc(max_depth=6)):
        if position > 5000:
            # No table of contents is longer, and a cyclic one has no end.
            break
        title = " ".join((entry.get_title() or "").split()).casefold()
        if title:
            found.setdefault(title, entry.level + 1)
    return found


def _without_running_heads(
    pages: Sequence[Sequence[Line | RuledTable]], heights: Sequence[float]
) -> Iterator[list[Line | RuledTable]]:
    """Yield each page's lines less page numbers and what many pages repeat at their edges."""

    sizes = sorted(line.size for page in pages for line in page if isinstance(line, Line) for _ in line.text)
    text_size = sizes[len(sizes) // 2] if sizes else 0.0

    def is_edge(line: Line | RuledTable, height: float) -> bool:
        if isinstance(line, RuledTable):
            return False
        share = _LARGE_MARGIN_SHARE if line.size > text_size * HEADING_FACTOR else _MARGIN_SHARE
        return line.base > height * (1 - share) or line.base < height * share

    def key(line: Line) -> tuple[str, int]:
        # Page numbers within a head differ from page to page; so may left and right pages.
        return re.sub(r"\d+", "#", line.text).casefold(), round(line.base / 10)

    counts: Counter[tuple[str, int]] = Counter()
    for page, height in zip(pages, heights, strict=True):
        counts.update({key(line) for line in page if isinstance(line, Line) and is_edge(line, height)})
    least = max(_LEAST_REPEATS, round(len(pages) * _REPEAT_SHARE))
    for page, height in zip(pages, heights, strict=True):
        yield [
            line
            for line in page
            if isinstance(line, RuledTable)
            or not (is_edge(line, height) and (counts[key(line)] >= least or _PAGE_NUMBER.fullmatch(line.text)))
        ]
