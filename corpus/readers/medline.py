"""Reads PubMed/MEDLINE XML: one document for every record that has an abstract, streamed, also gzipped.

Is: a yearly baseline file in flat memory. Is not: a reader of full text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from lxml import etree

from corpus.bibliography import clean_date, clean_doi, clean_pmid
from corpus.builder import DocumentBuilder
from corpus.documents import Document, DocumentKind, Rejected, UnreadableSource
from corpus.readers.jats_inline import RunWriter, plain_text
from corpus.readers.limits import open_stream
from corpus.readers.xml_files import DECLARES_ENTITY, reason

_RECORDS = ("PubmedArticle", "MedlineCitation", "PubmedBookArticle", "DeleteCitation")
# What a record is, from what its indexers called it; the first that applies.
_KINDS: tuple[tuple[DocumentKind, frozenset[str]], ...] = (
    (
        "guideline",
        frozenset(
            (
                "guideline",
                "practice guideline",
                "consensus development conference",
                "consensus development conference, nih",
            )
        ),
    ),
    ("review", frozenset(("review", "systematic review", "meta-analysis", "scoping review"))),
    ("patient-information", frozenset(("patient education handout",))),
)
# Notices about a record, and what a reader of its words must be told.
_NOTICES = {
    "RetractionIn": "retracted",
    "PartialRetractionIn": "partly retracted",
    "ExpressionOfConcernIn": "expression of concern",
    "ErratumIn": "erratum",
    "CorrectedandRepublishedIn": "corrected and republished",
    "UpdateIn": "updated since",
}
_TYPES = {"retracted publication": "retracted", "retraction of publication": "retraction notice"}
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a file that begins so holds PubMed records."""
    return bool(
        re.search(
            rb"<(?:PubmedArticleSet|MedlineCitationSet|PubmedArticle|MedlineCitation|PubmedBookArticleSet)\b", head
        )
    )


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield a document for every record with an abstract, and one rejection that counts those without.

    Raises UnreadableSource where the XML breaks; the records before that have been yielded.
    """
    with open_stream(path) as stream:
        head = stream.peek(65536)[:65536]  # type: ignore[attr-defined]
        if DECLARES_ENTITY.search(head):
            raise UnreadableSource("declares XML entities of its own, which are not expanded")
        records = etree.iterparse(
            stream,
            events=("end",),
            tag=_RECORDS,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        number = 0
        bare: list[str] = []
        try:
            for _, node in records:
                if (
                    node.tag == "MedlineCitation"
                    and node.getparent() is not None
                    and node.getparent().tag == "PubmedArticle"
                ):
                    continue
                number += 1
                if node.tag != "DeleteCitation":
                    entry = _record(node, f"{name}:{number}", name)
                    if isinstance(entry, str):
                        bare.append(entry)
                    else:
                        yield entry
                _forget(node)
        except etree.XMLSyntaxError as error:
            raise UnreadableSource(f"after {number} records: {reason(error)}") from error
        if bare:
            yield Rejected(name, f"{len(bare)} of {number} records have no abstract, e.g. PMID {', '.join(bare[:3])}")


def _forget(node: Any) -> None:
    """Free a record and those before it, which keeps the memory flat."""
    node.clear()
    while node.getprevious() is not None:
        del node.getparent()[0]


def _record(node: Any, where: str, name: str) -> Document | Rejected | str:
    """Return a record's document, why there is none, or just its PMID if it has no abstract."""
    citation = node if node.tag == "MedlineCitation" else node.find("MedlineCitation")
    if citation is None:
        citation = node.find("BookDocument")
    if citation is None:
        return Rejected(where, "a record without a citation")
    pmid = clean_pmid(_words(citation.find("PMID")))
    article = citation.find("Article")
    article = citation if article is None else article
    if not pmid:
        return Rejected(where, "a record without a PMID")
    abstract = article.find("Abstract")
    builder = DocumentBuilder()
    if abstract is not None:
        for part in abstract.iterfind("AbstractText"):
            _write_part(builder, part)
    title = _words(article.find("ArticleTitle")).strip("[]").removesuffix("].").removesuffix("]")
    types = tuple(_words(entry) for entry in article.iterfind("PublicationTypeList/PublicationType"))
    journal = article.find("Journal")
    ids = [*article.iterfind("ELocationID"), *node.iterfind("PubmedData/ArticleIdList/ArticleId")]
    doi = next((_words(entry) for entry in ids if "doi" in (entry.get("EIdType"), entry.get("IdType"))), "")
    try:
        document = builder.build(
            id=pmid,
            title=title,
            kind=_kind(types),
            published=_published(journal, node),
            licence=_words(abstract.find("CopyrightInformation")) if abstract is not None else "",
            url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
            source=_words(journal.find("Title")) if journal is not None else "",
            pmid=pmid,
            doi=clean_doi(doi),
            flags=_flags(citation, types),
            keywords=tuple(_keywords(citation)),
            path=name,
        )
    except ValueError as error:
        return Rejected(where, f"PMID {pmid}: {error}")
    return document if document.blocks else pmid


def _write_part(builder: DocumentBuilder, part: Any) -> None:
    label = (part.get("Label") or "").strip()
    if label and label.upper() != "UNLABELLED":
        builder.heading(label, level=1)
    writer = RunWriter({})
    writer.children(part)
    builder.paragraph(writer.run(), uncertain=not writer.is_certain)


def _kind(types: tuple[str, ...]) -> DocumentKind:
    named = {entry.lower() for entry in types}
    return next((kind for kind, names in _KINDS if named & names), "research")


def _published(journal: Any, node: Any) -> str | None:
    """Return the issue's date, else the electronic one, else the year in a free text such as "2001 Nov-Dec"."""
    issued = journal.find("JournalIssue/PubDate") if journal is not None else None
    places = ("MedlineCitation/Article/ArticleDate", "Article/ArticleDate", ".//ContributionDate", ".//PubMedPubDate")
    for date in chain([issued], (node.find(place) for place in places)):
        if date is None:
            continue
        year, month, day = (_words(date.find(part)) for part in ("Year", "Month", "Day"))
        if not year and (match := re.search(r"\d{4}", _words(date.find("MedlineDate")))):
            return clean_date(match.group())
        number = int(month) if month.isdigit() else _MONTHS.get(month[:3].lower(), 0)
        text = year + (f"-{number:02d}" if number else "") + (f"-{int(day):02d}" if number and day.isdigit() else "")
        if found := clean_date(text):
            return found
    return None


def _flags(citation: Any, types: tuple[str, ...]) -> tuple[str, ...]:
    notices = citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    found = [_TYPES.get(entry.lower(), "") for entry in types]
    found += [_NOTICES.get(entry.get("RefType") or "", "") for entry in notices]
    return tuple(dict.fromkeys(flag for flag in found if flag))


def _keywords(citation: Any) -> Iterator[str]:
    for entry in citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName"):
        yield _words(entry)
    for entry in citation.iterfind("KeywordList/Keyword"):
        if words := _words(entry):
            yield words


def _words(node: Any) -> str:
    if node is not None and len(node) == 0:
        return " ".join((node.text or "").split())
    return "" if node is None else " ".join("".join(plain_text(node)).split())
