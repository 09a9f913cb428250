"""HTML pages: the article's words, its structure and citations, nothing hidden, nothing of the page around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpus.documents import Document, Rejected
from corpus.load import load

REFERENCES = """<h2>References</h2><ol><li id="r1">Ito K. Calf cramp. J Muscle. 2012;3:4.</li>
<li id="r2">Lund P. Quinine and bleeding. BMJ. 2010;1:2.</li><li id="r3">Ito K. Ice. BMJ. 2011;1:2.</li></ol>"""


def read(folder: Path, body: str, head: str = "<title>Cramp</title>", name: str = "page.html") -> Document:
    """Write and read one page."""
    html = f"<!DOCTYPE html><html><head><meta charset='utf-8'>{head}</head><body>{body}</body></html>"
    (folder / name).write_text(html, encoding="utf-8")
    (document,) = load([folder])
    assert isinstance(document, Document), document
    return document


def shown(d: Document) -> list[Any]:
    """Return (section path, kind, words, lead-ins) of every block."""
    return [
        (d.sections[b.section].path, b.kind, d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins])
        for b in d.blocks
    ]


def test_only_the_article_of_a_page_is_read(tmp_path: Path) -> None:
    """Menus, banners, sharing, footers and link lists are not part of it."""
    body = """<nav><a href="/">Home</a></nav><div class="cookie-banner">We use cookies.</div>
    <main><article><header><h1>Cramp</h1></header><p>Rest helps most people with cramp.</p>
    <ul class="share-links"><li><a href="x">Tweet</a></li></ul>
    <ul><li><a href="a">One</a></li><li><a href="b">Two</a></li><li><a href="c">Three</a></li></ul>
    <h2>Drugs</h2><p>None are needed.</p></article><aside class="sidebar"><p>Buy now!</p></aside></main>
    <footer><p>© Us</p></footer>"""
    assert shown(read(tmp_path, body)) == [
        ((), "paragraph", "Rest helps most people with cramp.", []),
        (("Drugs",), "paragraph", "None are needed.", []),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">Secret.</p>',
        '<p style="visibility: hidden">Secret.</p>',
        '<p style="font-size:0">Secret.</p>',
        '<p style="opacity:0.0">Secret.</p>',
        '<p style="color:#fff">Secret.</p>',
        '<p style="color:white; background:#ffffff">Secret.</p>',
        '<p style="color:#0a0;background:#0a0">Secret.</p>',
        '<p style="position:absolute;left:-9999px">Secret.</p>',
        "<p hidden>Secret.</p>",
        '<div aria-hidden="true"><p>Secret.</p></div>',
        '<p class="sr-only">Secret.</p>',
        '<p class="ghost">Secret.</p>',
        '<p id="trap">Secret.</p>',
        "<script>Secret.</script>",
        "<template><p>Secret.</p></template>",
        "<!-- Secret. -->",
        "<del>Secret.</del>",
        "<p>\U000e0053\U000e0065\u200b</p>",
    ],
)
def test_what_a_visitor_cannot_see_is_never_quoted(tmp_path: Path, hidden: str) -> None:
    """Styles, attributes, classes, comments, characters."""
    head = "<style>.ghost{display:none} @media print{.shown{display:none}} h1,#trap{opacity:0}</style>"
    d = read(tmp_path, f'<p>Rest.</p>{hidden}<p class="shown">Go.</p>', head)
    assert [words for _, _, words, _ in shown(d)] == ["Rest.", "Go."]


def test_white_text_on_a_colour_is_seen(tmp_path: Path) -> None:
    """A table's head is often white on blue."""
    body = """<table><tr style="background:#036"><th style="color:#fff">Drug</th><th style="color:white">Dose</th></tr>
    <tr><td>A</td><td>5 mg</td></tr></table>"""
    assert shown(read(tmp_path, body))[-1] == ((), "row", "A | 5 mg", ["Drug | Dose"])


def test_lists_keep_lead_ins_and_parents(tmp_path: Path) -> None:
    """Nested lists, further paragraphs of an item, definition lists, bullets made of line breaks."""
    body = """<p>Avoid:</p><ul><li>quinine<ul><li>in any dose</li></ul></li><li><p>alcohol</p><p>It dries.</p></li></ul>
    <p>Rest.</p><dl><dt>DVT</dt><dd>a clot</dd></dl><p>Do not take:<br>• iron<br>• zinc</p>"""
    assert [(words, lead_ins) for _, _, words, lead_ins in shown(read(tmp_path, body))] == [
        ("Avoid:", []),
        ("quinine", ["Avoid:"]),
        ("in any dose", ["Avoid:", "quinine"]),
        ("alcohol", ["Avoid:"]),
        ("It dries.", ["Avoid:", "alcohol"]),
        ("Rest.", []),
        ("DVT: a clot", []),
        ("Do not take:", []),
        ("iron", ["Do not take:"]),
        ("zinc", ["Do not take:"]),
    ]


@pytest.mark.parametrize(
    ("body", "text", "numbers"),
    [
        ("Rest. [1, 3]", "Rest. [1, 3]", (1, 3)),
        ("Rest.<sup>1,2</sup> Go.", "Rest. [1,2] Go.", (1, 2)),
        ('Rest<sup><a href="#r1">1</a>–<a href="#r3">3</a></sup>.', "Rest [1–3].", (1, 2, 3)),
        ('Rest <a href="#r2">[2]</a>.', "Rest [2].", (2,)),
        ('<a href="#r1">Ito 2012</a> rested.', "Ito 2012 rested.", (1,)),
    ],
)
def test_citations_resolve(tmp_path: Path, body: str, text: str, numbers: tuple[int, ...]) -> None:
    """Brackets, superscripts and links."""
    d = read(tmp_path, f"<p>{body}</p>{REFERENCES}")
    assert (d.text, [m.numbers for m in d.markers]) == (text, [numbers])
    assert [(r.number, r.title, r.year) for r in d.references] == [
        (1, "Calf cramp", 2012), (2, "Quinine and bleeding", 2010), (3, "Ice", 2011),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("150 × 10<sup>9</sup>/L", "150 × 10⁹/L"),
        ("2<sup>1</sup> tablets", "2¹ tablets"),
        ("5 cm<sup>2</sup> and 30 kg/m<sup>2</sup>", "5 cm² and 30 kg/m²"),
        ("CO<sub>2</sub>, Ca<sup>2+</sup>", "CO₂, Ca²⁺"),
        ("&ge; 5 &micro;g &frac12; tablet &le; 3", "≥ 5 µg ½ tablet ≤ 3"),
        ("5&#8209;10&nbsp;mg", "5‑10 mg"),
        ("Give <s>10</s> 5 mg", "Give 5 mg"),
    ],
)
def test_numbers_survive(tmp_path: Path, body: str, text: str) -> None:
    """Powers, footnote marks, units, fractions, entities; with a reference list that a power must not cite."""
    d = read(tmp_path, f"<p>{body}</p>{REFERENCES}")
    assert (d.text, d.markers) == (text, ())


def test_tables_keep_values_under_their_heads(tmp_path: Path) -> None:
    """Spans and empty cells."""
    body = """<table><caption>Doses</caption><thead><tr><th rowspan=2>Drug</th><th colspan=2>Dose</th></tr>
    <tr><th>Adults</th><th>Children</th></tr></thead><tr><td>A</td><td></td><td>5 mg</td></tr></table>"""
    head = ["Doses", "Drug | Dose: Adults | Dose: Children"]
    assert shown(read(tmp_path, body))[-1] == ((), "row", "A | – | 5 mg", head)


def test_the_heads_facts_are_kept(tmp_path: Path) -> None:
    """Identifiers, dates, journal, licence."""
    head = """<title>Site</title><meta name="citation_title" content="RETRACTED: Cramp">
    <meta name="citation_doi" content="10.1000/x"><meta name="citation_pmid" content="7">
    <meta name="citation_publication_date" content="2020/03/01"><meta name="citation_journal_title" content="J">
    <link rel="canonical" href="https://example.org/c"><link rel="license" href="https://example.org/by">"""
    d = read(tmp_path, "<h1>Cramp</h1><p>Rest.</p>", head)
    assert (d.title, d.doi, d.pmid, d.published, d.source, d.url, d.licence, d.flags) == (
        "RETRACTED: Cramp", "10.1000/x", "7", "2020-03-01", "J", "https://example.org/c", "https://example.org/by",
        ("retracted",),
    )  # fmt: skip


def test_other_encodings_and_suffixes(tmp_path: Path) -> None:
    """What the page declares, whatever the file is called."""
    page = "<html><head><meta charset=windows-1252></head><body><p>Give 5 µg.</p></body></html>"
    (tmp_path / "page.txt").write_bytes(page.encode("cp1252"))
    (d,) = load([tmp_path])
    assert isinstance(d, Document)
    assert d.text == "Give 5 µg."


def test_a_page_without_words_is_refused(tmp_path: Path) -> None:
    """Its reason is said."""
    (tmp_path / "a.html").write_text("<html><body><nav><a href='/'>Home</a></nav></body></html>")
    assert list(load([tmp_path])) == [Rejected("a.html", "no article text found on the page")]


def test_a_page_nested_without_end_is_refused(tmp_path: Path) -> None:
    """100,000 open elements."""
    (tmp_path / "a.html").write_text("<html><body>" + "<div>" * 100_000 + "x")
    assert list(load([tmp_path])) == [Rejected("a.html", "elements nested more than 250 deep")]
