"""Reads Markdown articles with their facts in front matter (YAML between "---" lines).

Is: CommonMark with tables and struck-out text. Is not: a renderer; raw HTML, images and link targets are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from corpus.bibliography import clean_date, clean_doi, clean_pmid
from corpus.builder import DocumentBuilder, Inline, join_runs
from corpus.citations import find_markers
from corpus.documents import (
    DOCUMENT_KINDS,
    Document,
    Reference,
    ReferenceKind,
    Rejected,
    Span,
    UnreadableSource,
    web_link,
)
from corpus.front_matter import split_front_matter
from corpus.hidden import remove_hidden
from corpus.readers.limits import decode, read_bytes
from corpus.readers.printed import REFERENCES_HEADING, document_id, read_entries
from corpus.readers.scripts import lowered, raised
from corpus.review import read_review

if TYPE_CHECKING:
    from markdown_it.token import Token

SUFFIXES = (".md", ".markdown", ".mdown")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])|\bhidden\b", re.I
)
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<rest>[^>]*)>")
_NEVER_SHOWN = frozenset(("script", "style", "template", "title", "noscript"))


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file with this beginning and suffix is Markdown."""
    return suffix in SUFFIXES


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the one document of a Markdown file.

    Raises UnreadableSource with the line if the front matter is no valid YAML or states impossible facts.
    """
    front, body = split_front_matter(decode(read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n"))
    builder = DocumentBuilder()
    title = _one_line(front.get("title"))
    tokens, printed = _printed_references(_parse(body))
    first_heading = _write_body(builder, tokens, title)
    title = title or first_heading or Path(name).stem
    kind = front.get("kind")
    if kind is not None and kind not in DOCUMENT_KINDS:
        raise UnreadableSource(f"kind {kind!r} is none of {', '.join(DOCUMENT_KINDS)}")
    yield builder.build(
        id=_one_line(front.get("id")) or document_id(name),
        title=title,
        kind=kind or "guideline",
        question=_one_line(front.get("question")) or (title if title.endswith("?") else ""),
        topic=_one_line(front.get("topic")),
        references=_references(front.get("references")) or printed,
        review=read_review(front, body),
        published=clean_date(front.get("published") or front.get("year")),
        last_updated=clean_date(front.get("last_updated")),
        licence=_one_line(front.get("licence") or front.get("license")),
        url=web_link(_one_line(front.get("url"))),
        source=_one_line(front.get("source")),
        audience=_one_line(front.get("audience")),
        pmid=clean_pmid(front.get("pmid")),
        doi=clean_doi(front.get("doi")),
        superseded_by=_one_line(front.get("superseded_by")) or None,
        flags=_lines(front.get("flags")),
        keywords=_lines(front.get("keywords")),
        related_questions=_lines(front.get("related_questions")),
        path=name,
    )


def _references(entries: Any) -> tuple[Reference, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise UnreadableSource("front matter: `references` is not a list")
    return tuple(_reference(number, entry) for number, entry in enumerate(entries, start=1))


def _reference(number: int, entry: Any) -> Reference:
    if isinstance(entry, str):
        entry = {"title": entry}
    if not isinstance(entry, Mapping) or not _one_line(entry.get("title")):
        raise UnreadableSource(f"front matter: reference {number} has no title")
    kind: ReferenceKind = entry.get("kind", "other")
    if kind not in get_args(ReferenceKind):
        raise UnreadableSource(
            f"front matter: kind {kind!r} of reference {number} is none of {', '.join(get_args(ReferenceKind))}"
        )
    year = clean_date(entry.get("year"))
    return Reference(
        number=number,
        title=_one_line(entry.get("title")),
        kind=kind,
        source=_one_line(entry.get("source")),
        year=int(year[:4]) if year else None,
        authors=_lines(entry.get("authors")),
        pmid=clean_pmid(entry.get("pmid")),
        doi=clean_doi(entry.get("doi")),
    )


def _parse(body: str) -> list[Token]:
    """Return the body's tokens, less those between tags of raw HTML that hide them."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["table", "strikethrough"])
    kept: list[Token] = []
    hidden_in = ""
    for token in parser.parse(body):
        if token.type == "html_block":
            if hidden_in and re.search(rf"</{hidden_in}\s*>", token.content, re.I):
                hidden_in = ""
            opened = [tag for tag in _TAG.finditer(token.content) if _HIDING.search(tag.group("rest"))]
            if opened and f"</{opened[-1].group('name')}" not in token.content[opened[-1].end() :]:
                hidden_in = opened[-1].group("name")
        elif not hidden_in:
            kept.append(token)
    return kept


def _printed_references(tokens: list[Token]) -> tuple[list[Token], tuple[Reference, ...]]:
    """Return the tokens without the reference list at the end of the text, and its entries.

    A section of that name whose entries name no year and no identifier is text.
    """
    for start, token in enumerate(tokens):
        if token.type != "heading_open" or not REFERENCES_HEADING.fullmatch(_words(tokens[start + 1])):
            continue
        level = token.tag
        later = (
            n for n in range(start + 3, len(tokens)) if tokens[n].type == "heading_open" and tokens[n].tag <= level
        )
        stop = next(later, len(tokens))
        entries: list[str] = []
        number = ""
        for inner in tokens[start + 3 : stop]:
            if inner.type == "list_item_open":
                number = f"{inner.info}. " if inner.info else ""
            elif inner.type == "inline":
                entries += [number + line for line in _words(inner).split("\n")]
                number = ""
        if references := read_entries(entries):
            return tokens[:start] + tokens[stop:], references
    return tokens, ()


def _words(token: Token) -> str:
    """Return the words of an inline token, a line break as such."""
    return "".join(
        "\n" if child.type in ("softbreak", "hardbreak") else child.content for child in token.children or ()
    )


def _write_body(builder: DocumentBuilder, tokens: Sequence[Token], title: str) -> str:
    """Write the body's blocks; return its first heading of the first level."""
    first_heading = ""
    depth, item_is_new, is_heading = -1, False, 0
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type == "list_item_open":
            item_is_new = True
        elif token.type == "heading_open":
            is_heading = int(token.tag[1:])
        elif token.type == "table_open":
            stop = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
            _write_table(builder, tokens[position:stop])
            position = stop
        elif token.type in ("inline", "fence", "code_block"):
            run = _inline(token.children) if token.children is not None else Inline(token.content)
            if is_heading:
                # An article that repeats its title above its text has no section of that name.
                if is_heading == 1 and not first_heading:
                    first_heading = run.normalized().text
                if not (is_heading == 1 and run.normalized().text == (title or first_heading)):
                    builder.heading(run, level=is_heading)
                is_heading = 0
            elif depth >= 0:
                # A further paragraph of an item stands under the item.
                builder.item(run, depth=depth * 2 if item_is_new else depth * 2 + 1)
                item_is_new = False
            else:
                _write_paragraph(builder, token.children or (), run)
        position += 1
    return first_heading


# Markdown knows no lettered lists and no round bullets; people write them all the same, a line each.
_LINE_BULLET = re.compile(r"(?:\(?[a-z]\)|[•●▪◦])\s+(?=\S)")


def _write_paragraph(builder: DocumentBuilder, children: Sequence[Token], run: Inline) -> None:
    """Write a paragraph; lines of it that begin with a bullet of their own are the items of a list."""
    lines: list[list[Token]] = [[]]
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            lines.append([])
        else:
            lines[-1].append(child)
    bullets = [bool(line) and bool(_LINE_BULLET.match(line[0].content)) for line in lines]
    if sum(bullets) < 2 or not all(bullets[bullets.index(True) :]):
        builder.paragraph(run)
        return
    first = bullets.index(True)
    if first:
        builder.paragraph(join_runs([_inline(line) for line in lines[:first]], " "))
    for line in lines[first:]:
        inline = _inline(line)
        mark = _LINE_BULLET.match(inline.text)
        builder.item(_without_mark(inline, mark.end() if mark else 0))


def _without_mark(run: Inline, size: int) -> Inline:
    return Inline(
        run.text[size:],
        tuple((max(0, start - size), end - size) for start, end in run.bold if end > size),
        find_markers(run.text[size:]),
    )


def _write_table(builder: DocumentBuilder, tokens: Sequence[Token]) -> None:
    header: list[Inline] = []
    rows: list[list[Inline]] = []
    in_head = False
    for token in tokens:
        if token.type == "thead_open":
            in_head = True
        elif token.type == "tbody_open":
            in_head = False
        elif token.type == "tr_open" and not in_head:
            rows.append([])
        elif token.type == "inline":
            (header if in_head else rows[-1]).append(_inline(token.children or ()))
    builder.table(header, [_group_or_row(row) for row in rows])


def _group_or_row(row: list[Inline]) -> list[Inline]:
    """Return a row as one cell if that is all that it holds, in bold: it names a group of the rows below it."""
    first = row[0].text.strip() if row else ""
    is_bold = bool(first) and sum(end - start for start, end in row[0].bold) * 2 > len(first)
    return row[:1] if is_bold and not any(cell.text.strip() for cell in row[1:]) else row


@dataclass(slots=True)
class _Run:
    """The visible words of one run of inline tokens."""

    parts: list[str] = field(default_factory=list)
    size: int = 0
    bold: list[Span] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)


def _inline(tokens: Sequence[Token]) -> Inline:
    run = _Run()
    bold_from: list[int] = []
    struck = 0
    hidden: list[str] = []
    script = ""
    for token in tokens:
        if token.type == "html_inline":
            tag = _TAG.match(token.content)
            name = tag.group("name").lower() if tag else ""
            if tag and name in ("sup", "sub"):
                script = "" if tag.group("close") else name
            elif tag and name == "br":
                run.add(" ")
            elif tag and tag.group("close") and name in hidden:
                hidden.pop()
            elif tag and (name in hidden or name in _NEVER_SHOWN or _HIDING.search(tag.group("rest"))):
                hidden.append(name)
        elif token.type in ("s_open", "s_close"):
            struck += token.nesting
        elif token.type == "strong_open":
            bold_from.append(run.size)
        elif token.type == "strong_close" and bold_from:
            begin = bold_from.pop()
            if begin < run.size:
                run.bold.append((begin, run.size))
        elif token.type in ("softbreak", "hardbreak"):
            run.add(" ")
        elif token.type in ("text", "text_special", "code_inline") and not struck and not hidden:
            run.add({"sup": raised, "sub": lowered}.get(script, str)(token.content))
    text = "".join(run.parts)
    squeezed = Inline(text, tuple(run.bold)).normalized()
    return Inline(squeezed.text, squeezed.bold, find_markers(squeezed.text))


def _one_line(value: Any) -> str:
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    return " ".join(remove_hidden(str(value)).split())


def _lines(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(line for entry in values if (line := _one_line(entry)))
