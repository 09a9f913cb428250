"""What the page shows of an article: its status, its structure, marks that open references, nothing unescaped."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_web_render import Reader

from chatbot.web.article import article, inline, review_strip
from corpus.builder import DocumentBuilder, Inline
from corpus.citations import find_markers
from corpus.documents import Document, Reference, Review


def marked(text: str) -> Inline:
    return Inline(text, markers=find_markers(text))


def cramps(**fields: Any) -> Document:
    builder = DocumentBuilder()
    builder.paragraph(marked("Cramps are common. [1]"))
    builder.heading("Treatment", level=2)
    builder.paragraph("Do not prescribe:")
    first = "quinine as first treatment [1, 2]"
    builder.item(Inline(first, bold=((0, 7),), markers=find_markers(first)))
    builder.item("in adults", depth=1)
    builder.item("diltiazem")
    builder.heading("Doses", level=3)
    rows = [["magnesium", marked("300 mg [9]")], ["quinine", ""]]
    builder.table(["Drug", "Dose"], rows, caption="Table 1", notes=["by mouth"])
    values: dict[str, Any] = {
        "id": "cramps",
        "title": "How are cramps treated?",
        "references": (
            Reference(1, "A trial", "research", "Journal", 2012, ("Allen RE",), doi="10.1/x"),
            Reference(2, "A guideline", "guideline"),
        ),
        "related_questions": ("What causes cramps?", "Are cramps dangerous?"),
        "review": Review("under_review"),
        "last_updated": "2026-01-02",
        "published": "2025",
    }
    return builder.build(**(values | fields))


def html_of(document: Document, opens: dict[str, str] | None = None) -> str:
    return str(article(document, opens or {}))


def test_all_words_of_the_text_are_shown_in_order() -> None:
    """Nothing of the article is lost, and nothing moves."""
    document = cramps()
    words = Reader(html_of(document)).words
    body = words[: words.index("References")]
    expected = "".join(part for line in document.text.split("\n") for part in line.split(" | "))
    assert body.endswith(expected)


def test_tags_close_in_order() -> None:
    """Nested lists, tables and bold words make sound HTML."""
    page = Reader(html_of(cramps()))
    assert page.balanced and not page.open


def test_deeper_item_stands_inside_its_parent() -> None:
    """An item below another is a list inside it."""
    html = re.sub(r' data-(start|end)="\d+"', "", html_of(cramps()))
    assert '<ul><li class="block">in adults</li></ul></li><li class="block">diltiazem' in html


def test_marker_opens_its_references() -> None:
    """A mark is a button that names the entries of the list, and those are there with their kinds."""
    page = Reader(html_of(cramps()))
    assert [entry["data-references"] for entry in page.of_class("marker") if "data-references" in entry] == ["1", "1 2"]
    assert [entry["data-reference"] for entry in page.of_class("reference")] == ["1", "2"]
    assert [entry["data-kind"] for entry in page.of_class("kind")] == ["guideline", "research", "guideline"]


def test_marker_without_reference_says_so() -> None:
    """A mark that points at nothing is no button."""
    page = Reader(html_of(cramps()))
    assert [entry.get("title") for entry in page.of_class("dangling")] == ["No such reference"]


def test_table_keeps_empty_cells_in_their_columns() -> None:
    """Each row has as many cells as the header, so that no dose slides under another drug."""
    html = html_of(cramps())
    rows = re.findall(r"<tr.*?</tr>", html)
    assert [len(re.findall(r"<t[hd]", row)) for row in rows] == [2, 2, 2]
    assert "<td>–</td>" in rows[2]


def test_table_with_a_separator_in_a_cell_falls_back_to_lines() -> None:
    """A row whose cells cannot be told apart is shown as it stands."""
    builder = DocumentBuilder()
    builder.table(["Drug", "Dose"], [["a | b", "1 mg"]])
    html = html_of(builder.build(id="x", title="x"))
    assert "<table" not in html and "a | b | 1 mg" in html and "Drug | Dose" in html


@pytest.mark.parametrize(
    ("review", "step", "words"),
    [
        (Review("submitted"), "Submitted", "no clinician has approved this article yet"),
        (Review("under_review"), "Under review", "no clinician has approved this article yet"),
        (Review("approved", reviewer="Dr A"), "Approved", "Approved by Dr A"),
    ],
)
def test_strip_shows_how_far_the_review_has_come(review: Review, step: str, words: str) -> None:
    """The current step is marked, and anything but an approval carries its caution."""
    html = str(review_strip(cramps(review=review)))
    current = re.search(r'aria-current="step">(.*?)</li>', html)
    assert current and current[1] == step
    assert words in html and "2026-01-02" in html
    assert ("Pending human review" in html) is (review.status != "approved")


def test_strip_of_a_source_without_status_claims_nothing() -> None:
    """No step is marked as reached."""
    html = str(review_strip(cramps(review=None)))
    assert "aria-current" not in html and "without a review status" in html


def test_related_question_opens_its_article_or_asks() -> None:
    """A question that an article answers opens it; any other is asked."""
    page = Reader(html_of(cramps(), {"What causes cramps?": "causes"}))
    assert [entry["data-document"] for entry in page.of_class("open-article")] == ["causes"]
    assert [entry["data-question"] for entry in page.of_class("ask-this")] == ["Are cramps dangerous?"]


def test_inline_keeps_bold_and_marks_in_place() -> None:
    """Bold words and marks neither overlap nor lose a letter."""
    document = cramps()
    block = document.blocks[2]
    html = str(inline(document, block.start, block.end))
    assert html.startswith("<strong>quinine</strong> as first treatment <button")
    assert Reader(html).words == document.text[block.start : block.end]


def test_markup_in_a_document_is_shown_as_text() -> None:
    """Tags in title, text, headings, cells and references arrive as letters."""
    evil = "<img src=http://evil.example/a onerror=alert(1)><script>1</script>"
    builder = DocumentBuilder()
    builder.heading(evil, level=2)
    builder.paragraph(evil)
    builder.item(evil)
    builder.table([evil], [[evil]], caption=evil)
    document = builder.build(
        id=evil,
        title=evil,
        question=evil,
        topic=evil,
        source=evil,
        licence=evil,
        url="javascript:alert(1)",
        flags=(evil,),
        superseded_by=evil,
        published=evil,
        last_updated=evil,
        references=(Reference(1, evil, source=evil, authors=(evil,)),),
        related_questions=(evil,),
        review=Review("approved", reviewer=evil),
    )
    page = Reader(html_of(document) + str(review_strip(document)))
    assert not {tag for tag, _ in page.tags} & {"img", "script"}
    assert not any(attributes.get("href", "").startswith("javascript") for _, attributes in page.tags)
    assert page.balanced and not page.open
