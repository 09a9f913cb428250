"""Reads article pages in HTML: the article's own words, no navigation, nothing that a visitor cannot see.

Is: headings, paragraphs, lists, tables and citations of the part of a page that holds its text. Is not: a browser;
no script runs, and only simple style rules are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from corpus.bibliography import clean_date, clean_doi, clean_pmid, find_date
from corpus.documents import Document, Rejected, UnreadableSource, web_link
from corpus.readers.assemble import assemble
from corpus.readers.html_walk import Walker, is_invisible_style, size_of
from corpus.readers.limits import decode, read_bytes
from corpus.readers.printed import document_id

# Deeper pages are made to break readers; hand-written ones stay below 60.
_MAX_DEPTH = 250
# Paragraphs and items need no closing tag: a page of them is long, not deep.
_NESTING_TAG = re.compile(
    r"<(/?)(?:div|span|b|i|em|strong|u|section|article|main|ul|ol|blockquote|table|font|sup|sub|a|small|center)\b", re.I
)
_STYLE_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?([.#])([\w-]+)", re.I)
# What is hidden on paper is seen on a screen.
_PRINT_ONLY = re.compile(
    r"@media[^{]{0,200}\bprint\b[^{]{0,200}\{(?:[^{}]{0,2000}\{[^{}]{0,2000}\}){0,200}[^{}]{0,2000}\}"
)
_CONTENT_PATHS = (
    ".//*[@itemprop='articleBody']",
    ".//article",
    ".//main",
    ".//*[@role='main']",
    ".//*[@id='content' or @id='main-content' or @id='main' or @id='article']",
)
_MAX_CANDIDATES = 20
# A container is the article if it holds most of the page's words.
_LEAST_SHARE = 0.4


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file that begins so is HTML."""
    start = re.sub(rb"\A(?:\xef\xbb\xbf|\s|<!--.*?-->|<\?xml[^>]*\?>)+", b"", head[:8192], flags=re.DOTALL).lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return True
    return suffix in (".html", ".htm", ".xhtml") and start.startswith(b"<")


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the one article of a page. Raises UnreadableSource if the page has no words of its own."""
    root = _parse(read_bytes(path))
    hidden = _hidden_selectors(root)
    body = root.find(".//body")
    content = _content(body if body is not None else root)
    walker = Walker(hidden)
    walker.blocks(content)
    walker.flush()
    facts = _facts(root)
    if not any(event.kind in ("paragraph", "item", "table") for event in walker.events):
        raise UnreadableSource("no article text found on the page")
    yield assemble(walker.events, id=document_id(name), path=name, **facts)


def _parse(data: bytes) -> Any:
    # The text is decoded here, so that a page without a declared encoding keeps its µ and ≥.
    declared = re.search(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", data[:4096], re.I)
    text = ""
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8"):
        try:
            text = data.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            text = ""
    text = text or decode(data)
    if not text.strip():
        raise UnreadableSource("empty page")
    depth = _depth(text)
    if depth > _MAX_DEPTH:
        raise UnreadableSource(f"elements nested more than {_MAX_DEPTH} deep")
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableSource(f"not readable as HTML: {error}") from error
    if root is None:
        raise UnreadableSource("no elements found")
    return root


def _depth(text: str) -> int:
    """Return how deep those elements are nested that have to be closed."""
    depth = deepest = 0
    for match in _NESTING_TAG.finditer(text):
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _hidden_selectors(root: Any) -> frozenset[str]:
    """Return the classes and ids (".x", "#y") that the page's own style sheets hide."""
    hidden = set()
    for sheet in root.iter("style"):
        for selectors, rules in _STYLE_RULE.findall(_PRINT_ONLY.sub("", sheet.text or "")):
            if is_invisible_style(rules):
                for selector in selectors.split(","):
                    if match := _SIMPLE_SELECTOR.fullmatch(selector.strip()):
                        hidden.add(match.group(1) + match.group(2))
    return frozenset(hidden)


def _content(body: Any) -> Any:
    """Return the element that holds the article: a named container with most of the words, else the body."""
    whole = size_of(body)
    for path in _CONTENT_PATHS:
        found = max(body.xpath(path)[:_MAX_CANDIDATES], key=size_of, default=None)
        if found is not None and size_of(found) >= whole * _LEAST_SHARE:
            return found
    return body


def _facts(root: Any) -> dict[str, Any]:
    """Return what the page's head says of the article."""
    metas: dict[str, str] = {}
    for node in root.iter("meta"):
        key = (node.get("name") or node.get("property") or node.get("itemprop") or "").lower()
        if key and node.get("content"):
            metas.setdefault(key, " ".join(node.get("content").split()))

    def first(*names: str) -> str:
        return next((metas[name] for name in names if metas.get(name)), "")

    heading = next((text for node in root.iter("h1") if (text := " ".join("".join(node.itertext()).split()))), "")
    page_title = (
        " ".join("".join(root.find(".//title").itertext()).split()) if root.find(".//title") is not None else ""
    )
    dates = first(
        "article:published_time", "citation_publication_date", "citation_date", "dc.date", "dcterms.issued", "date"
    )
    updated = first("article:modified_time", "last-modified", "dcterms.modified", "og:updated_time")
    links = {
        (node.get("rel") or "").lower(): node.get("href") or "" for node in root.iter("link", "a") if node.get("rel")
    }
    title = first("citation_title") or heading or first("og:title") or page_title
    return {
        "title": title,
        "published": clean_date(dates.replace("/", "-")) or find_date(dates),
        "last_updated": clean_date(updated) or find_date(updated),
        "doi": clean_doi(first("citation_doi", "dc.identifier", "prism.doi")),
        "pmid": clean_pmid(first("citation_pmid")),
        "source": first("citation_journal_title", "og:site_name", "dc.publisher"),
        "url": web_link(links.get("canonical", "") or first("og:url")),
        "licence": links.get("license", ""),
        "flags": ("retracted",) if re.match(r"\W*(?:retracted|withdrawn)\b", title, re.I) else (),
    }
