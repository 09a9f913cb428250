"""Reads journal articles in JATS (the XML of PubMed Central and of most medical publishers).

Is: front matter, abstract, sections, lists, tables, boxes, notes and references of one article a file. Is not: a
validator; elements it does not know are read through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.bibliography import clean_date, clean_doi, clean_pmid
from corpus.builder import DocumentBuilder, Inline, join_runs
from corpus.documents import Document, DocumentKind, Rejected, UnreadableSource
from corpus.readers.jats_inline import RunWriter, name_of, plain_text
from corpus.readers.jats_references import read_references
from corpus.readers.printed import document_id
from corpus.readers.tables import Cell, lay_out
from corpus.readers.xml_files import parse_xml

# The kind of an article by what its publisher calls it; everything else is somebody's view of others' work.
_RESEARCH = frozenset(
    "research-article brief-report case-report rapid-communication clinical-trial data-paper protocol "
    "registered-report replication-study".split()
)
_GUIDELINE = re.compile(r"\b(?:practice )?guidelines?\b|\bguidance\b|\bconsensus (?:statement|conference)\b", re.I)
# Short forms of the abstract for tables of contents and posters say nothing that it does not.
_SKIPPED_ABSTRACTS = frozenset("toc teaser graphical short web-summary key-image video".split())
_RELATIONS = {
    "retraction-forward": "retracted",
    "partial-retraction-forward": "partly retracted",
    "correction-forward": "erratum",
    "concern-forward": "expression of concern",
}
_OWN_TYPES = {"retraction": "retraction notice", "correction": "erratum notice", "expression-of-concern": "concern"}
# Block elements; whatever else stands in a paragraph is part of its sentence.
_BLOCKS = frozenset(
    "sec p list def-list disp-quote boxed-text table-wrap table-wrap-group fig fig-group supplementary-material "
    "statement speech verse-group disp-formula-group preformat code array app glossary notes".split()
)
# A licence text is a paragraph of law; its first words name it.
_MAX_LICENCE_CHARS = 200
_NOTE_MARKS = frozenset(("label",))
_UNREAD_BACK = frozenset("ref-list ack fn-group bio".split())


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file that begins so is a JATS article."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"<") or re.search(rb"<html[\s>]|<!doctype html", start, re.I):
        return False
    is_named = re.search(rb"<!DOCTYPE\s+(?:[\w-]+:)?article\b|(?:JATS|NLM)[^>]{0,40}DTD", start)
    is_article = re.search(rb"<(?:[\w-]+:)?(?:article|pmc-articleset)[\s>]", start)
    return bool(is_article and (is_named or re.search(rb"article-type=|dtd-version=|<(?:[\w-]+:)?front[\s>]", start)))


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the articles of a file, usually one. Raises UnreadableSource if it is no sound XML or holds none."""
    root = parse_xml(path)
    articles = [root] if name_of(root) == "article" else list(root.iter("{*}article"))
    if not articles:
        raise UnreadableSource("XML without an <article>")
    for position, article in enumerate(articles, start=1):
        where = name if len(articles) == 1 else f"{name}:{position}"
        yield _Article(article, where).document()


@dataclass(slots=True)
class _Article:
    root: Any
    name: str
    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    numbers: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def document(self) -> Document:
        references, self.numbers = read_references(self.root)
        self.notes = {node.get("id"): node for node in self.root.iter("{*}fn") if node.get("id")}
        meta = self.root.find("{*}front/{*}article-meta")
        meta = meta if meta is not None else self.root
        for abstract in meta.iter("{*}abstract"):
            if abstract.get("abstract-type") not in _SKIPPED_ABSTRACTS:
                self.heading(abstract, 1, default="Abstract")
                self.blocks(abstract, 1)
        for part in ("body", "floats-group", "floats-wrap", "back"):
            self.builder.close_headings(1)
            for node in self.root.findall(f"{{*}}{part}"):
                self.blocks(node, 0)
        title = self.run(meta.find("{*}title-group/{*}article-title")).normalized().text
        ids = {node.get("pub-id-type"): "".join(plain_text(node)).strip() for node in meta.iter("{*}article-id")}
        doi, pmcid = clean_doi(ids.get("doi")), ids.get("pmcid") or ids.get("pmc") or ""
        if pmcid and not pmcid.upper().startswith("PMC"):
            pmcid = f"PMC{pmcid}"
        return self.builder.build(
            id=pmcid or doi or document_id(self.name),
            title=title or Path(self.name).stem,
            kind=_kind(self.root, meta),
            references=references,
            published=_published(meta),
            licence=_licence(meta),
            url=f"https://doi.org/{doi}" if doi else f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/" if pmcid else "",
            source=_words(self.root.find("{*}front/{*}journal-meta//{*}journal-title")),
            pmid=clean_pmid(ids.get("pmid")),
            doi=doi,
            flags=_flags(self.root, meta),
            keywords=tuple(word for node in meta.iter("{*}kwd") if (word := _words(node))),
            path=self.name,
        )

    def run(self, node: Any, skip: frozenset[str] = frozenset()) -> Inline:
        """Return an element's words, or nothing if there is no element."""
        if node is None:
            return Inline("")
        writer = RunWriter(self.numbers)
        writer.children(node, skip)
        return writer.run()

    def heading(self, node: Any, level: int, default: str = "") -> None:
        """Open a section named by an element's own label and title."""
        title = self.run(node.find("{*}title"))
        if not title.text.strip():
            title = self.run(node.find("{*}caption/{*}title"))
        # A section without a title still ends the one before it.
        self.builder.close_headings(level)
        self.builder.heading(title if title.text.strip() else _words(node.find("{*}label")) or default, level=level)

    def blocks(self, node: Any, level: int, depth: int = 0) -> None:
        """Write the block children of an element, whose own heading has this level."""
        for child in node:
            self.block(child, level, depth)

    def block(self, node: Any, level: int, depth: int = 0) -> None:
        """Write one block element; `depth` is that of the list that it stands in."""
        match name_of(node):
            case "sec" | "app" | "glossary" | "notes":
                self.heading(node, level + 1)
                self.blocks(node, level + 1)
            case "boxed-text":
                place = self.builder.place()
                self.heading(node, level + 1)
                self.blocks(node, level + 1)
                # What follows a box stands under the section that the box interrupts.
                self.builder.resume(place)
            case "p" | "preformat" | "code" | "verse-group" | "attrib":
                self.paragraph(node, level)
            case "list" | "def-list":
                self.listing(node, level, depth)
            case "table-wrap":
                self.table(node)
            case "fig" | "supplementary-material":
                self.builder.paragraph(self.caption(node), kind="caption")
            case "disp-formula":
                writer = RunWriter(self.numbers)
                writer.node(node)
                self.flush(writer)
            case "title" | "label" | "caption" | "" | "object-id" | "graphic" | "alternatives" | "sec-meta":
                pass
            case name if name not in _UNREAD_BACK:
                self.blocks(node, level, depth)

    def paragraph(self, node: Any, level: int) -> None:
        """Write a paragraph; lists, tables and the like inside it become blocks of their own between its parts."""
        for part in self.parts(node):
            if isinstance(part, RunWriter):
                self.flush(part)
            else:
                self.block(part, level)

    def parts(self, node: Any) -> Iterator[Any]:
        """Yield the stretches of running text of an element as RunWriters, and the block elements between them."""
        writer = RunWriter(self.numbers)
        writer.text(node.text)
        for child in node:
            if name_of(child) in _BLOCKS:
                yield writer
                yield child
                writer = RunWriter(self.numbers)
            else:
                writer.node(child)
            writer.text(child.tail)
        yield writer

    def flush(self, writer: RunWriter) -> None:
        """Write running text as a paragraph, if there is any."""
        self.builder.paragraph(writer.run(), uncertain=not writer.is_certain)
        self.footnotes(writer)

    def footnotes(self, writer: RunWriter) -> None:
        """Write the footnotes of the block that was written last."""
        for note in writer.notes:
            node = self.notes.get(note) if isinstance(note, str) else note
            if node is not None:
                self.builder.note(self.run(node, _NOTE_MARKS))

    def listing(self, node: Any, level: int, depth: int) -> None:
        """Write a list and the lists inside it."""
        if name_of(node) == "def-list":
            for entry in node.findall("{*}def-item"):
                term, meaning = self.run(entry.find("{*}term")), self.run(entry.find("{*}def"))
                self.builder.item(join_runs([run for run in (term, meaning) if run.text.strip()], ": "), depth=depth)
            return
        for item in node.findall("{*}list-item"):
            is_first = True
            for child in item:
                # An item's paragraphs may hold lists of their own.
                for part in self.parts(child) if name_of(child) in ("p", "title") else [child]:
                    if isinstance(part, RunWriter):
                        run = part.run()
                        if run.text.strip():
                            at = depth if is_first else depth + 1
                            self.builder.item(run, depth=at, uncertain=not part.is_certain)
                            self.footnotes(part)
                            is_first = False
                    elif name_of(part) == "list":
                        self.listing(part, level, depth + 2)
                    else:
                        self.block(part, level, depth + 2)

    def caption(self, node: Any) -> Inline:
        """Return what a table or figure says of itself: its label, its title, its legend."""
        label = self.run(node.find("{*}label"))
        caption = node.find("{*}caption")
        parts = (
            [self.run(child) for child in caption if name_of(child) in ("title", "p")] if caption is not None else []
        )
        shown = [run for run in (label, *parts) if run.text.strip()]
        joined = Inline("")
        for run in shown:
            is_stopped = joined.text.rstrip()[-1:] in (".", "!", "?", ":", "")
            joined = join_runs([joined, run], " " if is_stopped else ". ") if joined.text else run
        return joined

    def table(self, wrap: Any) -> None:
        """Write a table with its caption and footnotes, or what is left of it where it is only a picture."""
        notes = [self.run(note) for foot in wrap.iter("{*}table-wrap-foot") for note in foot.iter("{*}p")]
        tables = list(wrap.iter("{*}table"))
        if not tables:
            self.builder.table((), (), caption=self.caption(wrap), notes=notes)
        for position, table in enumerate(tables):
            head = [row for part in table.iter("{*}thead") for row in part.findall("{*}tr")]
            body = [row for row in table.iter("{*}tr") if row not in head]
            grid = lay_out([self.cells(row) for row in head], [self.cells(row) for row in body])
            caption = self.caption(wrap) if position == 0 else ""
            self.builder.table(grid.header, grid.rows, caption=caption, notes=notes if table is tables[-1] else ())

    def cells(self, row: Any) -> list[Cell]:
        """Return the cells of a table row."""
        return [
            Cell(self.run(cell), _count(cell.get("colspan")), _count(cell.get("rowspan")), name_of(cell) == "th")
            for cell in row
            if name_of(cell) in ("td", "th")
        ]


def _count(value: str | None) -> int:
    return int(value) if value and re.fullmatch(r"\d{1,6}", value.strip()) else 1


def _words(node: Any) -> str:
    return "" if node is None else Inline("".join(plain_text(node))).normalized().text


def _kind(root: Any, meta: Any) -> DocumentKind:
    kind = root.get("article-type") or ""
    subjects = " ".join(_words(node) for node in meta.iter("{*}subject"))
    title = _words(meta.find("{*}title-group/{*}article-title"))
    if kind not in _RESEARCH and (_GUIDELINE.search(kind.replace("-", " ")) or _GUIDELINE.search(subjects)):
        return "guideline"
    if kind not in _RESEARCH and re.search(r"\bguidelines?\b.{0,60}$|^.{0,40}\bguidelines?\b", title, re.I):
        return "guideline"
    return "research" if kind in _RESEARCH else "review"


def _published(meta: Any) -> str | None:
    """Return the earliest date of publication, as exact as it is given."""
    dates = []
    for node in meta.iter("{*}pub-date"):
        parts = [_words(node.find(f"{{*}}{part}")) for part in ("year", "month", "day")]
        year, month, day = (part if part.isdigit() else "" for part in parts)
        text = year + (f"-{int(month):02d}" if month else "") + (f"-{int(day):02d}" if month and day else "")
        if date := clean_date(text):
            dates.append(date)
    # Of "2005" and "2005-08-30" the exact one says more.
    return min(dates, key=lambda date: (date[:4], -len(date), date), default=None)


def _licence(meta: Any) -> str:
    """Return the licence in short: "CC-BY-4.0" where a link says so, else the first words of its text."""
    for node in meta.iter("{*}license"):
        links = [value for part in node.iter() for key, value in part.attrib.items() if key.endswith("href")]
        text = _words(node)
        found = re.search(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)(?:/(\d\.\d))?", f"{links} {text}")
        if found:
            version = f"-{found.group(3)}" if found.group(3) else ""
            name = "CC0" if found.group(2) == "zero" else f"CC-{found.group(2).upper()}"
            return name + version
        if re.search(r"Creative Commons Attribution (?:License|4\.0|3\.0)", text):
            return "CC-BY"
        return text[:_MAX_LICENCE_CHARS]
    return ""


def _flags(root: Any, meta: Any) -> tuple[str, ...]:
    """Return what a reader must know of the article before its words: that it was retracted or corrected."""
    found = [_RELATIONS.get(node.get("related-article-type") or "", "") for node in meta.iter("{*}related-article")]
    found.append(_OWN_TYPES.get(root.get("article-type") or "", ""))
    title = _words(meta.find("{*}title-group/{*}article-title"))
    if re.match(r"\[?(?:retracted|withdrawn)\b", title, re.I):
        found.append("retracted")
    return tuple(dict.fromkeys(flag for flag in found if flag))
