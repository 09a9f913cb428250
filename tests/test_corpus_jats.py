"""JATS articles: structure, citations and facts, on a small article of our own and on real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpus.documents import Document, Rejected
from corpus.load import load

ARTICLE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Publishing DTD v1.2//EN" "JATS-journalpublishing1.dtd">
<article article-type="{kind}" xmlns:xlink="http://www.w3.org/1999/xlink">
<front><journal-meta><journal-title-group><journal-title>Journal of Cramp</journal-title></journal-title-group>
</journal-meta><article-meta>
<article-id pub-id-type="pmid">123</article-id><article-id pub-id-type="doi">10.1000/cramp</article-id>
<article-id pub-id-type="pmc">77</article-id>
<article-categories><subj-group><subject>Practice Guideline</subject></subj-group></article-categories>
<title-group><article-title>Leg <italic>cramp</italic> in adults</article-title></title-group>
<pub-date pub-type="ppub"><year>2020</year></pub-date>
<pub-date pub-type="epub"><day>3</day><month>4</month><year>2020</year></pub-date>
<permissions><license xlink:href="https://creativecommons.org/licenses/by/4.0/"><license-p>Open.</license-p></license>
</permissions>{related}
<abstract><sec><title>Aim</title><p>To help.</p></sec></abstract>
<kwd-group><kwd>cramp</kwd></kwd-group>
</article-meta></front>
<body>{body}</body>
<back><ack><p>Thanks.</p></ack><ref-list><title>References</title>
<ref id="r1"><label>1</label><element-citation publication-type="journal"><person-group person-group-type="author">
<name><surname>Ito</surname><given-names>Ken A</given-names></name></person-group>
<article-title>Rest</article-title><source>J Rest</source><year>2001</year><pub-id pub-id-type="pmid">11</pub-id>
<pub-id pub-id-type="doi">10.1000/r1</pub-id></element-citation></ref>
<ref id="r2"><label>2</label><mixed-citation>Lund P. Clinical guideline for ice. Ice J. 2002;3:4.</mixed-citation></ref>
<ref id="r3"><label>3</label><element-citation publication-type="book"><source>The Book of Legs</source>
<publisher-name>Leg Press</publisher-name><year>1999</year></element-citation></ref>
<ref id="r4"><label>4</label><mixed-citation><article-title>Fourth</article-title></mixed-citation></ref>
</ref-list></back></article>"""


def read(folder: Path, body: str, kind: str = "research-article", related: str = "") -> Document:
    """Write and read an article with this body."""
    (folder / "a.nxml").write_text(ARTICLE.format(body=body, kind=kind, related=related), encoding="utf-8")
    (document,) = load([folder])
    assert isinstance(document, Document), document
    return document


def shown(d: Document) -> list[Any]:
    """Return (section path, kind, words, lead-ins) of the blocks after the abstract's."""
    return [
        (d.sections[b.section].path, b.kind, d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins])
        for b in d.blocks[1:]
    ]


def marks(d: Document) -> list[tuple[str, tuple[int, ...]]]:
    """Return the words and numbers of every marker."""
    return [(d.text[m.start : m.end], m.numbers) for m in d.markers]


def test_the_front_matter_becomes_facts(tmp_path: Path) -> None:
    """Identifiers, date, licence, journal, keywords."""
    d = read(tmp_path, "<p>Rest.</p>", kind="other")
    assert (d.id, d.title, d.kind, d.published, d.licence, d.source, d.pmid, d.doi, d.url, d.keywords) == (
        "PMC77", "Leg cramp in adults", "guideline", "2020-04-03", "CC-BY-4.0", "Journal of Cramp", "123",
        "10.1000/cramp", "https://doi.org/10.1000/cramp", ("cramp",),
    )  # fmt: skip


def test_references_keep_what_a_reader_needs(tmp_path: Path) -> None:
    """Marked-up, printed and book entries."""
    refs = read(tmp_path, "<p>Rest.</p>").references
    assert [(r.number, r.kind, r.title, r.source, r.year, r.authors, r.pmid, r.doi) for r in refs] == [
        (1, "research", "Rest", "J Rest", 2001, ("Ito KA",), "11", "10.1000/r1"),
        (2, "guideline", "Clinical guideline for ice", "Ice J", 2002, (), None, None),
        (3, "other", "The Book of Legs", "Leg Press", 1999, (), None, None),
        (4, "other", "Fourth", "", None, (), None, None),
    ]


def test_sections_nest_and_boxes_do_not_swallow_what_follows(tmp_path: Path) -> None:
    """Text after a box is back in its section; an untitled section ends the one before it."""
    body = """<sec><title>Care</title><p>One.</p><boxed-text><caption><title>Box 1</title></caption><p>Two.</p>
    </boxed-text><p>Three.</p><sec><title>Drugs</title><p>Four.</p></sec></sec><sec><p>Five.</p></sec>"""
    d = read(tmp_path, body)
    assert [(path, words) for path, _, words, _ in shown(d)] == [
        (("Care",), "One."), (("Care", "Box 1"), "Two."), (("Care",), "Three."), (("Care", "Drugs"), "Four."),
        ((), "Five."),
    ]  # fmt: skip
    assert d.sections[d.blocks[0].section].path == ("Abstract", "Aim")


def test_lists_inside_paragraphs_keep_their_lead_in(tmp_path: Path) -> None:
    """Nested lists and further paragraphs of an item stand under the item."""
    body = """<p>Do not give:<list><list-item><p>quinine</p><p>It bleeds.</p></list-item>
    <list-item><p>others:<list><list-item><p>carisoprodol</p></list-item></list></p></list-item></list>Rest instead.</p>
    <def-list><def-item><term>DVT</term><def><p>deep vein thrombosis</p></def></def-item></def-list>"""
    assert [(words, lead_ins) for _, _, words, lead_ins in shown(read(tmp_path, body))] == [
        ("Do not give:", []),
        ("quinine", ["Do not give:"]),
        ("It bleeds.", ["Do not give:", "quinine"]),
        ("others:", ["Do not give:"]),
        ("carisoprodol", ["Do not give:", "others:"]),
        ("Rest instead.", []),
        ("DVT: deep vein thrombosis", []),
    ]


X = '<xref ref-type="bibr" rid="r{0}">{1}</xref>'


@pytest.mark.parametrize(
    ("body", "text", "expected"),
    [
        (f"Rest {X.format(1, '[1]')}.", "Rest [1].", [("[1]", (1,))]),
        (f"Rest [{X.format(1, '1')}, {X.format(3, '3')}].", "Rest [1, 3].", [("[1, 3]", (1, 3))]),
        (f"Rest {X.format(1, '[1]')}–{X.format(4, '[4]')}.", "Rest [1]–[4].", [("[1]–[4]", (1, 2, 3, 4))]),
        (f"Rest.<sup>{X.format(1, '1')}–{X.format(3, '3')}</sup> Go.", "Rest. [1–3] Go.", [("[1–3]", (1, 2, 3))]),
        (f"Rest.{X.format(2, '<sup>2</sup>')} Go.", "Rest. [2] Go.", [("[2]", (2,))]),
        (f"{X.format(1, 'Ito 2001')} rested.", "Ito 2001 rested.", [("Ito 2001", (1,))]),
        (f"Rest ({X.format('1 r2', '1,2')}).", "Rest (1,2).", [("(1,2)", (1, 2))]),
        (f"Rest {X.format(9, '[9]')}.", "Rest [9].", []),
    ],
)
def test_citations_resolve_in_every_style(
    tmp_path: Path, body: str, text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    """Brackets, ranges, superscripts, author and year; the link decides, not the printed number."""
    d = read(tmp_path, f"<p>{body}</p>")
    assert (shown(d)[0][2], marks(d)) == (text, expected)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Platelets 150 × 10<sup>9</sup>/L", "Platelets 150 × 10⁹/L"),
        ("Take 2<sup>1</sup> tablets", "Take 2¹ tablets"),
        ('Take 2<xref ref-type="fn" rid="f">1</xref> tablets', "Take 2¹ tablets"),
        ("p = 10<sup>−4</sup>", "p = 10⁻⁴"),
        ("CO<sub>2</sub> and 5 &#181;g &#8805; 3 &ge; 2", "CO₂ and 5 µg ≥ 3 ≥ 2"),
        ('<inline-formula><mml:math xmlns:mml="m"><mml:msup><mml:mn>10</mml:mn><mml:mn>9</mml:mn></mml:msup>'
         '<mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac></mml:math></inline-formula>', "10⁹(1)/(2)"),
        ("Give <strike>10</strike> 5 mg", "Give 5 mg"),
        ("1<bold>&#189;</bold> tablets", "1½ tablets"),
    ],
)  # fmt: skip
def test_numbers_survive(tmp_path: Path, body: str, text: str) -> None:
    """Nothing raised or lowered falls into the number before it."""
    d = read(tmp_path, f"<p>{body}</p>")
    assert (shown(d)[0][2], d.blocks[1].uncertain) == (text, False)


def test_a_formula_that_is_only_a_picture_makes_its_paragraph_uncertain(tmp_path: Path) -> None:
    """The reader must look at the source."""
    d = read(tmp_path, "<p>Give <inline-formula><inline-graphic/></inline-formula> mg.</p>")
    assert (shown(d)[0][2], d.blocks[1].uncertain) == ("Give [formula] mg.", True)


def test_tables_keep_every_value_under_its_header(tmp_path: Path) -> None:
    """Spans, an empty cell, groups, and footnotes that travel with every row."""
    body = """<table-wrap><label>Table 1</label><caption><title>Doses</title><p>For adults.</p></caption><table>
    <thead><tr><th rowspan="2">Drug</th><th colspan="2">Dose</th></tr><tr><th>Adults</th><th>Children</th></tr></thead>
    <tbody><tr><td colspan="3">Tablets</td></tr>
    <tr><td rowspan="2">A</td><td></td><td>5 mg</td></tr><tr><td>10 mg</td><td>–</td></tr>
    <tr><td>B</td><td>20 mg</td></tr></tbody></table>
    <table-wrap-foot><fn><p><sup>a</sup>At most 8 weeks.</p></fn></table-wrap-foot></table-wrap>"""
    d = read(tmp_path, body)
    head = ["Table 1. Doses. For adults.", "Drug | Dose: Adults | Dose: Children"]
    assert [(kind, words, lead_ins) for _, kind, words, lead_ins in shown(d)] == [
        ("caption", head[0], []),
        ("caption", head[1], []),
        ("row", "Tablets", head),
        ("row", "A | – | 5 mg", [*head, "Tablets"]),
        ("row", "A | 10 mg | –", [*head, "Tablets"]),
        ("row", "B | 20 mg", [*head, "Tablets"]),
        ("note", "^aAt most 8 weeks.", []),
    ]
    rows = [b for b in d.blocks if b.kind == "row"]
    assert all([d.text[s:e] for s, e in b.notes] == ["^aAt most 8 weeks."] for b in rows)
    assert [b.uncertain for b in rows] == [False, False, False, True]


def test_footnotes_travel_with_their_paragraph(tmp_path: Path) -> None:
    """Wherever the note stands, the paragraph that it qualifies names it."""
    body = """<p>Take 2<xref ref-type="fn" rid="n1">*</xref> tablets.</p><p>Rest.</p>
    <fn-group><fn id="n1"><label>*</label><p>At most 8 weeks.</p></fn></fn-group>"""
    d = read(tmp_path, body)
    assert [(d.text[b.start : b.end], [d.text[s:e] for s, e in b.notes]) for b in d.blocks[1:]] == [
        ("Take 2* tablets.", ["At most 8 weeks."]), ("At most 8 weeks.", []), ("Rest.", []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("related", "kind", "flags"),
    [
        ('<related-article related-article-type="retraction-forward"/>', "research-article", ("retracted",)),
        ('<related-article related-article-type="correction-forward"/>', "research-article", ("erratum",)),
        ("", "retraction", ("retraction notice",)),
        ("", "research-article", ()),
    ],
)
def test_retractions_and_corrections_become_flags(
    tmp_path: Path, related: str, kind: str, flags: tuple[str, ...]
) -> None:
    """They travel with every quote."""
    assert read(tmp_path, "<p>Rest.</p>", kind=kind, related=related).flags == flags


def test_entities_of_its_own_are_refused(tmp_path: Path) -> None:
    """They may unfold to gigabytes or name files of this machine."""
    text = ARTICLE.format(body="<p>&x;</p>", kind="other", related="")
    text = text.replace("<article ", '<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]><article ', 1)
    (tmp_path / "a.xml").write_text(text.split("\n", 1)[1].split("\n", 1)[1])
    (rejected,) = load([tmp_path])
    assert rejected == Rejected("a.xml", "declares XML entities of its own, which are not expanded")


@pytest.mark.parametrize("cut", [300, 1500, -20])
def test_a_cut_file_is_refused_with_the_place(tmp_path: Path, cut: int) -> None:
    """Half an article is none."""
    (tmp_path / "a.xml").write_text(ARTICLE.format(body="<p>Rest.</p>", kind="other", related="")[:cut])
    (rejected,) = load([tmp_path])
    assert isinstance(rejected, Rejected)
    assert "line" in rejected.reason


@pytest.mark.shared
def test_real_articles_lose_no_section_and_no_reference() -> None:
    """Against the XML itself: section titles, reference counts, every citation that is linked."""
    from lxml import etree

    folder = Path(__file__).parents[2] / "shared/data/jats"
    if not folder.is_dir():
        pytest.skip("the articles are not here")
    for path in sorted(folder.glob("*.xml")):
        (d,) = load([path])
        assert isinstance(d, Document)
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(no_network=True))
        titles = [" ".join("".join(node.itertext()).split()) for node in root.iterfind(".//body//sec/title")]
        found = [section.path[-1] for section in d.sections if section.path]
        assert [title for title in titles if title and title not in found] == []
        assert len(d.references) == len(root.findall(".//ref"))
        links = [node for node in root.iterfind(".//body//xref") if node.get("ref-type") == "bibr"]
        numbers = [number for mark in d.markers for number in mark.numbers]
        assert len(numbers) >= len(links)
        assert all(d.reference(number) for number in numbers)
