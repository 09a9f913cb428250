"""Reads the reference list of a JATS article.

Is: one Reference for every <ref>, and the table that turns a citation's `rid` into its number. Is not: a parser
of printed entries (see `bibliography.py`), which it asks where a list is not marked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corpus.bibliography import clean_doi, clean_pmid, find_year, parse_reference
from corpus.documents import Reference, ReferenceKind
from corpus.readers.jats_inline import name_of, plain_text

_CITATIONS = ("element-citation", "mixed-citation", "nlm-citation", "citation", "note")
_TITLES = ("article-title", "chapter-title", "data-title", "part-title", "trans-title")
_GUIDELINE_WORDS = ("guideline", "guidance", "recommendation", "consensus", "position statement")
_MAX_TITLE_CHARS = 500


def read_references(root: Any) -> tuple[tuple[Reference, ...], dict[str, int]]:
    """Return the references in the order of their list, and the number of each `id`."""
    nodes = list(root.iter("{*}ref"))
    labels = [_words(node.find("{*}label")).strip("[]().") for node in nodes]
    is_numbered = all(label.isdigit() and int(label) > 0 for label in labels) and len(set(labels)) == len(labels)
    references, numbers = [], {}
    for position, (node, label) in enumerate(zip(nodes, labels, strict=True), start=1):
        # The printed number is what the text says; it is the position in all but damaged lists.
        number = int(label) if is_numbered else position
        references.append(_reference(node, number, label))
        for marked in node.iter():
            if isinstance(marked.tag, str) and marked.get("id"):
                numbers[marked.get("id")] = number
    return tuple(sorted(references, key=lambda entry: entry.number)), numbers


def _reference(node: Any, number: int, label: str) -> Reference:
    entry = next((child for child in node.iter() if name_of(child) in _CITATIONS), node)
    text = _words(entry)
    title = next((words for name in _TITLES if (words := _words(_first(entry, name)))), "")
    source = _words(_first(entry, "source"))
    year = find_year(_words(_first(entry, "year")))
    if not title and not source:
        parsed = parse_reference(number, text)
        title, source, year = parsed.title, parsed.source, year or parsed.year
    elif not title:
        # A book or a report is its own title; who published it is its source.
        title, source = source, _words(_first(entry, "publisher-name"))
    kind: ReferenceKind = "other"
    if any(word in title.lower() for word in _GUIDELINE_WORDS):
        kind = "guideline"
    elif _first(entry, "article-title") is not None and _first(entry, "source") is not None:
        kind = "research"
    ids = {child.get("pub-id-type"): _words(child) for child in entry.iter("{*}pub-id")}
    links = [value for child in entry.iter("{*}ext-link") for key, value in child.attrib.items() if "href" in key]
    return Reference(
        number=number,
        title=title[:_MAX_TITLE_CHARS],
        kind=kind,
        source=source,
        year=year,
        authors=tuple(_authors(entry)),
        pmid=clean_pmid(ids.get("pmid")) or next((pmid for link in links if (pmid := _linked_pmid(link))), None),
        doi=clean_doi(ids.get("doi")) or clean_doi(text) or next((d for link in links if (d := clean_doi(link))), None),
        label=label if label != str(number) else "",
    )


def _linked_pmid(link: str) -> str | None:
    head, _, tail = link.rpartition("/")
    return clean_pmid(tail) if "pubmed" in head else None


def _authors(entry: Any) -> Iterator[str]:
    """Yield the authors, not the editors: "Ito K" as reference lists print them."""
    groups = [group for group in entry.iter("{*}person-group") if group.get("person-group-type") in (None, "author")]
    for holder in groups or [entry]:
        for child in holder.iter():
            match name_of(child):
                case "name" | "string-name":
                    surname, given = _words(child.find("{*}surname")), _words(child.find("{*}given-names"))
                    initials = given if given.isupper() and len(given) < 5 else "".join(w[0] for w in given.split())
                    full = f"{surname} {initials}".strip() or _words(child)
                    yield full
                case "collab":
                    yield _words(child)


def _first(entry: Any, name: str) -> Any:
    return next(entry.iter(f"{{*}}{name}"), None)


def _words(node: Any) -> str:
    return "" if node is None else " ".join("".join(plain_text(node)).split())
