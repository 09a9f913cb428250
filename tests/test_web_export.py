"""Exports follow their formats to the letter and carry nothing that runs or fetches."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.conversations import Conversation, StoredTurn
from chatbot.replies import CitedPassage
from chatbot.web.citations_formats import as_bibtex, as_ris, source_of, sources_of, vancouver
from chatbot.web.export import FORMATS, copy_text, export
from corpus.documents import Reference

ALLEN = {
    "number": 1,
    "kind": "research",
    "title": "Nocturnal leg cramps",
    "source": "American Family Physician",
    "year": 2012,
    "url": "https://pubmed.ncbi.nlm.nih.gov/22963024/",
    "authors": ["Allen RE", "Kirby KA"],
    "pmid": "22963024",
    "doi": None,
}
MHRA = {
    "number": 10,
    "kind": "guideline",
    "title": "Quinine: not to be used routinely for nocturnal leg cramps",
    "source": "MHRA Drug Safety Update",
    "year": 2010,
    "url": "https://pubmed.ncbi.nlm.nih.gov/?term=Quinine%5BTitle%5D",
    "authors": [],
}
PASSAGE = {
    "number": 1,
    "passage_id": "p1",
    "document_id": "quinine-safety",
    "title": "Is quinine safe?",
    "kind": "review",
    "year": 2025,
    "section": ["Medicines", "Quinine"],
    "text": "Do not prescribe quinine. [10]",
    "page": None,
    "url": "",
    "review_status": "under_review",
    "last_updated": "2025-03-01",
    "references": [MHRA, ALLEN],
    "flags": [],
}
REPLY = {
    "question": "and quinine?",
    "standalone_question": "Is quinine used for leg cramps?",
    "outcome": "answer",
    "statements": [
        {
            "text": "quinine as routine treatment [10]",
            "citations": [1],
            "context": ["What not to do", "Do not prescribe:"],
            "cautions": ["Check this in the source."],
        }
    ],
    "passages": [PASSAGE],
    "notices": [{"code": "pending_review", "text": "No clinician has yet approved the article behind [1]."}],
    "disclaimer": "This is software, not a clinician.",
    "index_version": "1b35",
}


def conversation(*replies, title="Quinine & cramps?"):
    turns = (
        StoredTurn(number, reply["question"], reply, "nurse", "2026-11-23T01:45:00.000000+00:00")
        for number, reply in enumerate(replies, 1)
    )
    return Conversation("c1", title, None, tuple(turns), "2026-11-23T01:44:00+00:00", "2026-11-23T01:45:00+00:00")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        # Source: the order and stops of ICMJE's sample references; what is not known is left out.
        (ALLEN, "Allen RE, Kirby KA. Nocturnal leg cramps. American Family Physician. 2012. PMID: 22963024."),
        (MHRA, "Quinine: not to be used routinely for nocturnal leg cramps. MHRA Drug Safety Update; 2010."),
        (
            {**ALLEN, "title": "Does it work?", "doi": "10.1000/x", "authors": [f"Author {c}" for c in "ABCDEFG"]},
            "Author A, Author B, Author C, Author D, Author E, Author F, et al. Does it work? "
            "American Family Physician. 2012. doi:10.1000/x. PMID: 22963024.",
        ),
        ({"kind": "other", "title": "Only a title"}, "Only a title."),
        (
            PASSAGE,
            "Is quinine safe? 2025 [updated 2025-03-01]. Under review, not yet approved; Article quinine-safety.",
        ),
        (
            {**PASSAGE, "url": "https://a.example/q?x=1", "source": "Trust", "review_status": None},
            "Is quinine safe? Trust [Internet]. 2025 [updated 2025-03-01]. Available from: https://a.example/q?x=1",
        ),
        (
            {**PASSAGE, "kind": "guideline", "url": "https://a.example/q", "source": "Trust", "flags": ["retracted"]},
            "Is quinine safe? [Internet]. Trust; 2025 [updated 2025-03-01]. Under review, not yet approved; Retracted. "
            "Available from: https://a.example/q",
        ),
    ],
)
def test_vancouver(entry, line):
    """Authors, title, place, year, identifiers: in this order, each ended once."""
    assert vancouver(entry) == line


def test_records_and_their_json_form_are_cited_alike():
    """The page has JSON, the program records; a reader sees one line."""
    record = Reference(1, "Nocturnal leg cramps", "research", "AFP", 2012, ("Allen RE",), pmid="22963024")
    row = {"title": record.title, "kind": "research", "source": "AFP", "year": 2012, "authors": ["Allen RE"]}
    assert vancouver(record) == vancouver({**row, "pmid": "22963024"})
    values = {**{name: PASSAGE.get(name) for name in ("number", "title", "kind", "year", "text", "page", "url")}}
    passage = CitedPassage(
        **values,
        passage_id="p1",
        document_id="quinine-safety",
        section=("Medicines",),
        start=0,
        end=5,
        review_status="under_review",
        last_updated="2025-03-01",
    )
    assert vancouver(passage) == vancouver(PASSAGE)


def test_ris_is_what_reference_managers_read():
    """Each record runs from TY to ER, one tag a line, names inverted, lines ended with CR LF."""
    text = as_ris([source_of(ALLEN), source_of(MHRA)])
    assert text == (
        "TY  - JOUR\r\nAU  - Allen, R. E.\r\nAU  - Kirby, K. A.\r\nTI  - Nocturnal leg cramps\r\n"
        "T2  - American Family Physician\r\nPY  - 2012\r\nAN  - 22963024\r\nDB  - PubMed\r\n"
        "UR  - https://pubmed.ncbi.nlm.nih.gov/22963024/\r\nER  - \r\n\r\n"
        "TY  - RPRT\r\nTI  - Quinine: not to be used routinely for nocturnal leg cramps\r\n"
        "PB  - MHRA Drug Safety Update\r\nPY  - 2010\r\nER  - \r\n"
    )


@given(title=st.text(min_size=1), author=st.text(max_size=20), source=st.text(max_size=20))
def test_no_text_breaks_out_of_its_line_in_ris(title, author, source):
    """A title with line breaks, or with "ER  - " in it, stays one field of one record."""
    text = as_ris([source_of({**ALLEN, "title": title + "\r\nER  - \nTY  - X", "authors": [author], "source": source})])
    lines = text.split("\r\n")
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines if line)
    assert [line for line in lines if line.startswith(("TY", "ER"))][1:] == ["ER  - "]


@pytest.mark.parametrize(
    ("author", "written"),
    [
        ("Allen RE", "Allen, R. E."),
        ("van der Schans CP", "van der Schans, C. P."),
        ("Dugré N", "Dugré, N."),
        ("Smith AB Jr", "Smith, Jr, A. B."),
        ("World Health Organization and Partners", "{World Health Organization and Partners}"),
        ("NICE", "{NICE}"),
        ("Müller-Lüdenscheidt Ö", "Müller-Lüdenscheidt, Ö."),
    ],
)
def test_bibtex_knows_people_from_bodies(author, written):
    """A body in braces is not cut at its "and", nor at its last word."""
    assert f"author = {{{written}}}," in as_bibtex([source_of({**ALLEN, "authors": [author]})])


def test_bibtex_escapes_what_tex_would_read():
    """Each special character of TeX stands for itself."""
    text = as_bibtex([source_of({**ALLEN, "title": r"50% of A & B: #1_x $5 {a} ~ ^ \input{x}"})])
    wanted = r"50\% of A \& B: \#1\_x \$5 \{a\} \textasciitilde{} \textasciicircum{} \textbackslash{}input\{x\}"
    assert f"title = {{{{{wanted}}}}}," in text


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=30))
def test_braces_balance_in_bibtex_whatever_a_source_holds(authors, title):
    """An unbalanced brace would swallow every entry after it."""
    text = as_bibtex([source_of({**ALLEN, "authors": authors, "title": title or "x", "doi": "10.1/{}}{"})] * 2)
    bare = re.sub(r"\\[{}]", "", text)
    depths, depth = [], 0
    for char in bare:
        depth += (char == "{") - (char == "}")
        depths.append(depth)
    assert min(depths) == 0 == depth


def test_bibtex_keys_are_ascii_and_unique():
    """Three works of one author and year get three keys."""
    text = as_bibtex([source_of({**ALLEN, "authors": ["Öztürk A"], "pmid": str(n)}) for n in (1, 2, 3)])
    assert re.findall(r"@article\{([^,]+),", text) == ["ozturk2012", "ozturk2012-2", "ozturk2012-3"]


def test_each_source_is_listed_once_documents_first():
    """Two passages of one article, both citing one trial: two sources."""
    reply = {"passages": [PASSAGE, {**PASSAGE, "number": 2, "passage_id": "p2"}]}
    assert [source.title for source in sources_of(reply)] == [PASSAGE["title"], MHRA["title"], ALLEN["title"]]


def test_copied_text_says_what_the_quote_stood_under_and_where_it_is_from():
    """The whole text, as it lands in a letter or a record."""
    assert copy_text(REPLY) == (
        "Question: and quinine?\n"
        "Understood as: Is quinine used for leg cramps?\n"
        "\n"
        "No clinician has yet approved the article behind (source 1).\n"
        "\n"
        "What not to do › Do not prescribe:\n"
        "“quinine as routine treatment [10]” (source 1)\n"
        "Check this in the source.\n"
        "\n"
        "Sources\n"
        "1. Is quinine safe? 2025 [updated 2025-03-01]. Under review, not yet approved; Article quinine-safety. "
        "Section: Medicines › Quinine.\n"
        "   [10] Quinine: not to be used routinely for nocturnal leg cramps. MHRA Drug Safety Update; 2010.\n"
        "   [1] Allen RE, Kirby KA. Nocturnal leg cramps. American Family Physician. 2012. PMID: 22963024.\n"
        "\n"
        "This is software, not a clinician.\n"
    )


def test_an_emergency_and_an_abstention_are_copied_with_their_words():
    """Card, actions, reason and disclaimer are never left out."""
    card = {"title": "Call 999 now", "text": "It may be a clot.", "actions": ["Do not drive."]}
    text = copy_text({"question": "q", "emergency": card, "reason": "Nothing is said.", "disclaimer": "Software."})
    assert text == "Question: q\n\nCall 999 now\nIt may be a clot.\nDo not drive.\n\nNothing is said.\n\nSoftware.\n"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_a_safe_name_and_its_type(format):
    """Names hold nothing that a header or a file system reads."""
    name, mime, body = export(conversation(REPLY, title='../Ünsafe "name"\r\n: x'), format)
    assert re.fullmatch(r"unsafe-name-x-2026-11-23\.(md|html|json|ris|bib)", name)
    assert body.decode("utf-8") and "/" in mime


def test_an_unknown_format_is_refused_in_words():
    """The words name the formats that there are."""
    with pytest.raises(ValueError, match="choose markdown, html, json, ris, bibtex"):
        export(conversation(REPLY), "pdf")


def test_json_holds_the_reply_as_it_was():
    """What comes out can be read by another program, whole."""
    row = json.loads(export(conversation(REPLY), "json")[2])
    assert row["turns"][0]["reply"] == REPLY and row["turns"][0]["position"] == 1


def test_a_conversations_bibliography_lists_each_source_once():
    """Two turns that cite the same article: one record each."""
    text = export(conversation(REPLY, REPLY), "ris")[2].decode()
    assert text.count("TY  - ") == 3 == text.count("ER  - ")


# Ways to fetch or run something from a text, as far as one line can hold them.
HOSTILE = [
    "![x](http://evil.example/1.png)",
    "[x](javascript:alert(1))",
    "<img src=http://evil.example/2.png onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "<style>@import 'http://evil.example/3.css'</style>",
    "![x][r]\n\n[r]: http://evil.example/4.png",
    "</title></style><iframe src=http://evil.example>",
    "`<b>`",
    "<!-- x --><audio src=http://evil.example/5.mp3 autoplay>",
    "# heading\n- item\n1. one",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_an_export_runs_or_fetches(hostile):
    """Planted everywhere a question or a document can put it, it comes out as text."""
    passage = {**PASSAGE, "title": hostile, "section": [hostile], "source": hostile, "references": [{**MHRA}]}
    passage["references"][0] |= {"title": hostile, "authors": [hostile]}
    statement = {"text": hostile, "citations": [1], "context": [hostile], "cautions": [hostile]}
    card = {"title": hostile, "text": hostile, "actions": [hostile]}
    reply = {**REPLY, "question": hostile, "statements": [statement], "passages": [passage], "emergency": card}
    kept = conversation({**reply, "reason": hostile, "disclaimer": hostile}, title=hostile)
    assert _live(export(kept, "html")[2].decode()) == []
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark").enable("table").render(export(kept, "markdown")[2].decode())
    assert _live(rendered) == []
    assert set(re.findall(r"<(\w+)", rendered)) <= set("h1 h2 h3 p em strong blockquote ol ul li br".split())


def _live(page):
    """Return the elements of a page that run or fetch, and attributes that do."""
    from html.parser import HTMLParser

    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag in ("script", "img", "svg", "iframe", "audio", "video", "link", "object", "embed", "a", "form"):
                found.append(tag)
            found.extend(name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "srcset"))

        def handle_data(self, data):
            if self.cdata_elem == "style" and "import" in data:
                found.append("style")

    Reader().feed(page)
    return found


@given(st.text(max_size=60))
def test_markdown_shows_a_text_to_the_letter(text):
    """What a Markdown reader shows of a quote is the quote, white space aside."""
    from html import unescape

    from markdown_it import MarkdownIt

    statement = {"text": text, "citations": [1], "context": []}
    kept = conversation({**REPLY, "statements": [statement], "passages": [], "notices": []}, title="t")
    page = MarkdownIt("commonmark").render(export(kept, "markdown")[2].decode())
    quote = "".join(re.findall(r"<blockquote>\n(.*?)</blockquote>", page, re.DOTALL))
    shown = unescape(re.sub(r"<[^>]+>", "", quote))
    visible = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    assert "".join(shown.split()) == "".join(f"{visible} (source 1)".split())
