"""PubMed records: abstracts as documents, notices as flags, memory flat."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from corpus.documents import Document, Rejected
from corpus.load import load

HEAD = '<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "pubmed.dtd">\n'
RECORD = """<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><Journal><JournalIssue>
<PubDate>{date}</PubDate></JournalIssue><Title>Journal of Cramp</Title></Journal>
<ArticleTitle>Ice for <i>cramp</i>.</ArticleTitle><ELocationID EIdType="doi" ValidYN="Y">10.1000/{pmid}</ELocationID>
{abstract}<PublicationTypeList><PublicationType>Journal Article</PublicationType>{type}</PublicationTypeList></Article>
{notice}<MeshHeadingList><MeshHeading><DescriptorName>Muscle Cramp</DescriptorName></MeshHeading></MeshHeadingList>
</MedlineCitation><PubmedData><ArticleIdList/></PubmedData></PubmedArticle>"""
ABSTRACT = """<Abstract><AbstractText Label="AIM" NlmCategory="OBJECTIVE">To cool.</AbstractText>
<AbstractText Label="UNLABELLED">Counts were 10<sup>9</sup>/L.</AbstractText></Abstract>"""


def record(pmid: int = 1, **parts: str) -> str:
    """Return one record as XML."""
    values = {"date": "<Year>2011</Year><Month>Feb</Month>", "abstract": ABSTRACT, "type": "", "notice": ""} | parts
    return RECORD.format(pmid=pmid, **values)


def read(folder: Path, *records: str) -> list[Document | Rejected]:
    """Write records as one gzipped file and read it."""
    text = f"{HEAD}<PubmedArticleSet>{''.join(records)}</PubmedArticleSet>"
    (folder / "p.xml.gz").write_bytes(gzip.compress(text.encode()))
    return list(load([folder]))


def test_a_record_becomes_a_document(tmp_path: Path) -> None:
    """Structured abstract, identifiers, date, subject headings."""
    (d,) = read(tmp_path, record(42))
    assert isinstance(d, Document)
    assert (d.id, d.pmid, d.doi, d.title, d.kind, d.published, d.source, d.keywords, d.url) == (
        "42", "42", "10.1000/42", "Ice for cramp.", "research", "2011-02", "Journal of Cramp", ("Muscle Cramp",),
        "https://pubmed.ncbi.nlm.nih.gov/42/",
    )  # fmt: skip
    assert [(d.sections[b.section].path, d.text[b.start : b.end]) for b in d.blocks] == [
        (("AIM",), "To cool."), (("AIM",), "Counts were 10⁹/L."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "published"),
    [
        ("<Year>2011</Year><Month>11</Month><Day>5</Day>", "2011-11-05"),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "1998"),
        ("<Year>2011</Year><Season>Spring</Season>", "2011"),
        ("", None),
    ],
)
def test_dates_come_in_many_forms(tmp_path: Path, date: str, published: str | None) -> None:
    """As exact as the record says."""
    (d,) = read(tmp_path, record(date=date))
    assert isinstance(d, Document)
    assert d.published == published


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Practice Guideline", "guideline"), ("Meta-Analysis", "review"), ("Randomized Controlled Trial", "research")],
)
def test_publication_types_become_the_kind(tmp_path: Path, kind: str, expected: str) -> None:
    """The most telling type decides."""
    (d,) = read(tmp_path, record(type=f"<PublicationType>{kind}</PublicationType>"))
    assert isinstance(d, Document)
    assert d.kind == expected


@pytest.mark.parametrize(
    ("notice", "flags"),
    [("RetractionIn", ("retracted",)), ("ErratumIn", ("erratum",)), ("CommentIn", ()), ("ErratumFor", ())],
)
def test_notices_become_flags(tmp_path: Path, notice: str, flags: tuple[str, ...]) -> None:
    """Only those that say something about this record."""
    xml = f'<CommentsCorrectionsList><CommentsCorrections RefType="{notice}"/></CommentsCorrectionsList>'
    (d,) = read(tmp_path, record(notice=xml))
    assert isinstance(d, Document)
    assert d.flags == flags


def test_a_retracted_publication_type_is_a_flag(tmp_path: Path) -> None:
    """Older records say it by type alone."""
    (d,) = read(tmp_path, record(type="<PublicationType>Retracted Publication</PublicationType>"))
    assert isinstance(d, Document)
    assert d.flags == ("retracted",)


def test_records_without_an_abstract_are_counted(tmp_path: Path) -> None:
    """One line for all of them."""
    found = read(tmp_path, record(1), record(2, abstract=""), record(3, abstract=""))
    assert [entry.id for entry in found if isinstance(entry, Document)] == ["1"]
    assert found[-1] == Rejected("p.xml.gz", "2 of 3 records have no abstract, e.g. PMID 2, 3")


def test_records_before_a_break_are_kept(tmp_path: Path) -> None:
    """The reason says how far it went."""
    text = f"{HEAD}<PubmedArticleSet>{record(1)}{record(2)}<PubmedArticle><oops>"
    (tmp_path / "p.xml").write_text(text)
    *found, last = load([tmp_path])
    assert [entry.id for entry in found if isinstance(entry, Document)] == ["1", "2"]
    assert isinstance(last, Rejected) and "after 2 records" in last.reason


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten times the records, the same peak: nothing of a record stays behind."""

    def peak(records: int) -> int:
        path = tmp_path / f"{records}.xml"
        path.write_text(f"{HEAD}<PubmedArticleSet>{''.join(record(n) for n in range(records))}</PubmedArticleSet>")
        from corpus.readers import medline

        tracemalloc.start()
        for _ in medline.read(path, name="x"):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(2000) < peak(200) * 1.5 + 100_000
