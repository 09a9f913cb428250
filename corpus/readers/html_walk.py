"""Walks the elements of an article in HTML and collects its blocks: what is text, what is furniture, what is unseen.

Is: simple rules of tags, roles, classes and inline styles. Is not: a style engine; a class that only an outside
style sheet hides is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from corpus.readers.assemble import Event, Piece, RichCell, TableEvent

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header "
    "hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul caption".split()
) | frozenset(_HEADINGS)
NEVER_SHOWN = frozenset(
    "script style noscript template svg canvas iframe object embed video audio button input select textarea form nav "
    "head link meta title dialog map img picture source track progress meter datalist option del s strike".split()
)
_FURNITURE_ROLES = frozenset(
    "navigation banner contentinfo complementary search dialog alertdialog menu toolbar".split()
)
_FURNITURE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|cookies?|consent|sidebar|share|sharing|social|newsletter|subscribe|promo|"
    r"adverts?|advertisement|ads?|banner|popup|modal|skip-link|skiplink|pagination|pager|toolbar|masthead|site-header|"
    r"site-footer|page-footer|global-header|global-footer|toc|table-of-contents|comments?|login|signup)(?:$|[\s_-])",
    re.IGNORECASE,
)
_INVISIBLE_NAMES = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader-text|hidden|d-none|hide|invisible)(?:$|\s)"
)
_INVISIBLE_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)|"
    r"font-size\s*:\s*0*(?:\.0+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)|(?:left|top|text-indent)\s*:\s*-\d{3,}|"
    r"clip\s*:\s*rect\(\s*0|(?:max-)?(?:height|width)\s*:\s*0(?:px)?\s*(?:;|!|$)|"
    r"(?<![\w-])color\s*:\s*(?:white|transparent|#fff(?:fff)?(?![\da-f])|rgba?\(\s*255\s*,\s*255\s*,\s*255)",
    re.IGNORECASE,
)
_OWN_COLOUR = re.compile(r"(?<![\w-])color\s*:\s*([#\w]+).{0,200}?background(?:-color)?\s*:\s*([#\w]+)", re.I | re.S)
_BACKGROUND = re.compile(
    r"background(?:-color)?\s*:\s*(?!white|#fff(?:fff)?(?![\da-f])|transparent|none|inherit)", re.I
)
# A block of so many short links and little else is navigation, whatever it is called.
_LEAST_LINKS, _LINK_SHARE, _MAX_LINK_CHARS = 3, 0.8, 60
# A part that is named like furniture and holds less than this is furniture.
_SMALL_CHARS = 200


def size_of(node: Any) -> int:
    """Return how many characters of words an element holds."""
    return sum(
        len((part.text or "").strip()) + (len((part.tail or "").strip()) if part is not node else 0)
        for part in node.iter()
        if isinstance(part.tag, str) and part.tag not in NEVER_SHOWN
    )


def is_invisible_style(style: str, node: Any = None) -> bool:
    """Say whether style rules hide an element; white text is hidden unless it stands on a colour."""
    if (same := _OWN_COLOUR.search(style)) and same.group(1).lower() == same.group(2).lower():
        return True
    match = _INVISIBLE_STYLE.search(style)
    if match and "color" in match.group().lower():
        around = [node, *node.iterancestors()] if node is not None else []
        return not (
            _BACKGROUND.search(style)
            or any(part.get("bgcolor") or _BACKGROUND.search(part.get("style") or "") for part in around)
        )
    return bool(match)


@dataclass(frozen=True, slots=True)
class _Look:
    """How the text inside an element looks."""

    is_bold: bool = False
    script: Literal["", "sup", "sub"] = ""
    target: str = ""


@dataclass(slots=True)
class _Item:
    """The list item that the walk is inside of."""

    depth: int
    is_fresh: bool = True


# Stands for <br>; source text never holds it, since line separators are cleaned away.
_BREAK = "\u2028"
_BREAK_BULLET = re.compile(r"\s*(?:[•●▪◦‣·–-]|\d{1,2}[.)])\s+(?=\S)")


@dataclass(slots=True)
class Walker:
    """Walks an article's elements in order and collects its blocks."""

    hidden: frozenset[str]
    events: list[Event] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)
    lists: int = 0

    def blocks(self, node: Any, look: _Look = _Look()) -> None:
        """Walk what an element holds."""
        self.text(node.text, look)
        for child in node:
            if isinstance(child.tag, str):
                self.element(child, look)
            self.text(child.tail, look)

    def text(self, words: str | None, look: _Look) -> None:
        if words:
            words = words.replace(_BREAK, " ")
            if not (look.target and not words.strip(" ↑↩^")):
                self.pieces.append(Piece(words, look.is_bold, look.script, look.target))

    def element(self, node: Any, look: _Look) -> None:
        """Walk one element, by what it is."""
        tag = node.tag
        if self.is_unseen(node) or _is_furniture(node):
            return
        if tag in _BLOCKS:
            self.flush()
        self.anchors += [name for name in (node.get("id"), node.get("name")) if name]
        match tag:
            case "br":
                self.pieces.append(Piece(_BREAK))
            case "b" | "strong":
                self.blocks(node, replace(look, is_bold=True))
            case "sup" | "sub":
                self.blocks(node, replace(look, script=tag))
            case "a":
                href = node.get("href") or ""
                self.blocks(node, replace(look, target=href[1:] if href.startswith("#") else look.target))
            case "ul" | "ol" | "menu":
                self.lists += 1
                self.blocks(node)
                self.flush()
                self.lists -= 1
            case "li":
                self.items.append(_Item(max(0, self.lists - 1) * 2))
                self.blocks(node)
                self.flush()
                self.items.pop()
            case "dl":
                self.definitions(node)
            case "table" if _is_data(node):
                self.events.append(Event("table", table=self.table(node)))
            case "figcaption" | "caption":
                self.blocks(node)
                self.flush("caption")
            case _ if tag in _HEADINGS:
                self.blocks(node)
                self.flush("heading", _HEADINGS[tag])
            case _ if tag in _BLOCKS:
                self.blocks(node)
                self.flush()
            case _:
                self.blocks(node, look)

    def flush(self, kind: Literal["paragraph", "heading", "caption"] = "paragraph", level: int = 0) -> None:
        """Close the block that the words so far make up."""
        pieces, self.pieces = self.pieces, []
        for line in _lines(pieces):
            words = "".join(piece.text for piece in line)
            if not any(char.isalnum() for char in words):
                continue
            bullet = _BREAK_BULLET.match(words) if len(line) > 0 and kind == "paragraph" else None
            anchors, self.anchors = tuple(self.anchors), []
            if kind == "paragraph" and self.items:
                item = self.items[-1]
                self.events.append(Event("item", tuple(line), item.depth + (not item.is_fresh), anchors=anchors))
                item.is_fresh = False
            elif bullet and any(_BREAK in piece.text for piece in pieces):
                self.events.append(Event("item", tuple(_without(line, bullet.end())), anchors=anchors))
            else:
                self.events.append(Event(kind, tuple(line), level, anchors=anchors))

    def definitions(self, node: Any) -> None:
        """Write a definition list: each meaning with its term."""
        term: list[Piece] = []
        for child in node.iter("dt", "dd"):
            if self.is_unseen(child) or next(child.iterancestors("dl"), None) is not node:
                continue
            words = self.cell(child)
            if child.tag == "dt":
                term = words
            elif any(piece.text.strip() for piece in words):
                self.events.append(Event("item", (*term, Piece(": "), *words) if term else tuple(words)))

    def table(self, node: Any) -> TableEvent:
        """Return a data table's cells."""
        rows = [(row, row.getparent().tag == "thead") for row in node.iter("tr") if not self.is_unseen(row)]
        caption = node.find("caption")
        return TableEvent(
            head=tuple(self.row(row) for row, is_head in rows if is_head),
            body=tuple(self.row(row) for row, is_head in rows if not is_head),
            caption=tuple(self.cell(caption)) if caption is not None else (),
        )

    def row(self, row: Any) -> tuple[RichCell, ...]:
        """Return the cells of one row; a hidden cell keeps its place and is empty."""
        return tuple(
            RichCell(
                () if self.is_unseen(cell) else tuple(self.cell(cell)),
                _count(cell.get("colspan")),
                _count(cell.get("rowspan")),
                cell.tag == "th",
            )
            for cell in row
            if cell.tag in ("td", "th")
        )

    def cell(self, node: Any) -> list[Piece]:
        """Return all words of an element as one run."""
        inner = Walker(self.hidden)
        inner.blocks(node)
        inner.flush()
        pieces: list[Piece] = []
        for event in inner.events:
            pieces += [Piece(" "), *event.pieces] if pieces else event.pieces
        return pieces

    def is_unseen(self, node: Any) -> bool:
        """Say whether a visitor would not see an element, or it holds no text by nature."""
        if node.tag in NEVER_SHOWN or node.get("hidden") is not None or node.get("aria-hidden") == "true":
            return True
        if is_invisible_style(node.get("style") or "", node):
            return True
        classes = node.get("class") or ""
        if classes and _INVISIBLE_NAMES.search(classes):
            return True
        marks = [f".{name}" for name in classes.split()] + ([f"#{node.get('id')}"] if node.get("id") else [])
        return any(mark in self.hidden for mark in marks)


def _is_furniture(node: Any) -> bool:
    """Say whether an element is the page's and not the article's: menus, footers, calls to share."""
    if (node.get("role") or "") in _FURNITURE_ROLES or node.tag == "footer":
        return True
    if node.tag == "header":
        return node.find(".//p") is None and node.find(".//h1") is None
    names = f"{node.get('class') or ''} {node.get('id') or ''}"
    is_named = bool(_FURNITURE_NAMES.search(names))
    if not is_named and node.tag not in ("ul", "ol", "aside"):
        return False
    links = [" ".join("".join(link.itertext()).split()) for link in node.iter("a") if link.get("href")]
    share = sum(map(len, links)) / max(1, size_of(node))
    if is_named:
        return share > _LINK_SHARE / 2 or size_of(node) < _SMALL_CHARS
    is_short = sum(map(len, links)) <= _MAX_LINK_CHARS * max(1, len(links))
    return len(links) >= _LEAST_LINKS and share >= _LINK_SHARE and is_short


def _is_data(table: Any) -> bool:
    """Say whether a table holds data, rather than laying out the page."""
    if table.get("role") in ("presentation", "none") or table.find(".//table") is not None:
        return False
    widths = [sum(1 for cell in row if cell.tag in ("td", "th")) for row in table.iter("tr")]
    return len(widths) > 1 and max(widths) > 1


def _count(value: str | None) -> int:
    return int(value) if value and re.fullmatch(r"\s*\d{1,6}\s*", value) else 1


def _lines(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Yield the paragraphs that two line breaks, or one before a bullet, make out of a run."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.text == _BREAK:
            lines.append([])
        else:
            lines[-1].append(piece)
    open_line: list[Piece] = []
    for line in lines:
        words = "".join(piece.text for piece in line)
        if not words.strip() or _BREAK_BULLET.match(words):
            if open_line:
                yield open_line
            open_line = line
        else:
            open_line = [*open_line, Piece(" "), *line] if open_line else line
    if open_line:
        yield open_line


def _without(line: list[Piece], size: int) -> Iterator[Piece]:
    """Yield pieces less their first `size` characters."""
    for piece in line:
        if size < len(piece.text):
            yield replace(piece, text=piece.text[size:])
        size = max(0, size - len(piece.text))
