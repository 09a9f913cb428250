"""Markdown articles: facts from the front matter, structure from the body."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.documents import Document, UnreadableSource
from corpus.readers import markdown
from corpus.review import content_hash

ARTICLE = """---
id: cramp
title: What helps against cramp?
kind: review
topic: Muscles
audience: professional
published: 2026-11-23
licence: CC-BY-4.0
review:
  status: submitted
related_questions:
  - "What about pregnancy?"
references:
  - kind: guideline
    title: "Cramp: a guide"
    source: A Journal
    year: 2012
    authors: [Ito K, Lund P]
    pmid: "123"
    doi: https://doi.org/10.1000/xyz
  - title: Second source
---
# What helps against cramp?

Rest *helps*. [1]

## Medicines [2]

Avoid [more](https://example.org) of these:

- **Quinine**: no longer
  advised. [1, 2]

  Bleeding has followed.
- Relaxants:
  1. `orphenadrine`
  2. ~~baclofen~~ others <span style="display:none">and more</span>

| Drug | Adults | Children |
|---|---|---|
| **A** | 10 mg | |
"""


def read(folder: Path, text: str, name: str = "x.md") -> Document:
    """Write and read one file."""
    (folder / "x.md").write_text(text, encoding="utf-8")
    (document,) = markdown.read(folder / "x.md", name=name)
    assert isinstance(document, Document)
    return document


def test_front_matter_becomes_the_documents_facts(tmp_path: Path) -> None:
    """Dates, review, questions and references arrive typed."""
    d = read(tmp_path, ARTICLE)
    assert (d.id, d.title, d.question, d.kind, d.topic) == (
        "cramp", "What helps against cramp?", "What helps against cramp?", "review", "Muscles",
    )  # fmt: skip
    assert (d.published, d.review_status, d.related_questions) == (
        "2026-11-23", "submitted", ("What about pregnancy?",),
    )  # fmt: skip
    first, second = d.references
    assert (first.number, first.kind, first.title, first.year, first.authors, first.pmid, first.doi) == (
        1, "guideline", "Cramp: a guide", 2012, ("Ito K", "Lund P"), "123", "10.1000/xyz",
    )  # fmt: skip
    assert (second.number, second.kind, second.title) == (2, "other", "Second source")


def test_the_body_keeps_headings_lists_and_tables(tmp_path: Path) -> None:
    """Every item stands under its lead-in and its parent, every row under its header; the title is no section."""
    d = read(tmp_path, ARTICLE)
    assert [
        (d.sections[b.section].path, b.kind, d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins])
        for b in d.blocks
    ] == [
        ((), "paragraph", "Rest helps. [1]", []),
        (("Medicines",), "paragraph", "Avoid more of these:", []),
        (("Medicines",), "item", "Quinine: no longer advised. [1, 2]", ["Avoid more of these:"]),
        (("Medicines",), "item", "Bleeding has followed.",
         ["Avoid more of these:", "Quinine: no longer advised. [1, 2]"]),
        (("Medicines",), "item", "Relaxants:", ["Avoid more of these:"]),
        (("Medicines",), "item", "orphenadrine", ["Avoid more of these:", "Relaxants:"]),
        (("Medicines",), "item", "others", ["Avoid more of these:", "Relaxants:"]),
        (("Medicines",), "caption", "Drug | Adults | Children", []),
        (("Medicines",), "row", "A | 10 mg | –", ["Drug | Adults | Children"]),
    ]  # fmt: skip


def test_markers_and_bold_stay_on_their_words(tmp_path: Path) -> None:
    """Their offsets are those of the final text."""
    d = read(tmp_path, ARTICLE)
    assert [(d.text[m.start : m.end], m.numbers) for m in d.markers] == [
        ("[1]", (1,)),
        ("[2]", (2,)),
        ("[1, 2]", (1, 2)),
    ]
    assert [d.text[s:e] for s, e in d.bold] == ["Quinine", "A"]


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("title: [a", "front matter, line 3"),
        ("title: a: b", "front matter, line 2"),
        ("- a\n- b", "name: value"),
        ("kind: blog", "kind 'blog' is none of"),
        ("references: none", "`references` is not a list"),
        ("references:\n  - year: 2012", "reference 1 has no title"),
        ("review:\n  status: fine", "review status 'fine' is none of"),
        ("a: &x [1]\nb: *x", "line 3: YAML aliases"),
        ("a: " + "[" * 5000, "front matter"),
    ],
)
def test_bad_front_matter_is_refused_with_its_place(tmp_path: Path, front: str, reason: str) -> None:
    """Half-read facts would be worse than none."""
    with pytest.raises(UnreadableSource) as refused:
        read(tmp_path, f"---\n{front}\n---\nRest.")
    assert reason in str(refused.value)


def test_a_file_without_front_matter_is_named_by_its_heading_and_path(tmp_path: Path) -> None:
    """The first heading is the title, the path without its suffix the id."""
    d = read(tmp_path, "# Angina\n\nRest.\n\n## Drugs\n\nNone.", name="heart/angina.md")
    assert (d.id, d.title, [s.path for s in d.sections]) == ("heart-angina", "Angina", [(), ("Drugs",)])


def test_raised_and_lowered_digits_stay_apart(tmp_path: Path) -> None:
    """A count of 10⁹ never becomes 109."""
    d = read(tmp_path, "Platelets < 10<sup>9</sup>/L, 2<sup>1</sup> tablets, CO<sub>2</sub>, n <10 and >5.")
    assert d.text == "Platelets < 10⁹/L, 2¹ tablets, CO₂, n <10 and >5."


def test_a_printed_reference_list_is_no_text(tmp_path: Path) -> None:
    """Where the front matter names no references, the list at the end is taken apart."""
    text = """# Cramp\n\nRest. [2]\n\n## References\n\n1. Ito K. Ice. J Ice. 2001;1:2.\n2. Lund P. Rest. J Rest. 2002;1:2.\n
## After\n\nMore."""
    d = read(tmp_path, text)
    assert [(r.number, r.title, r.year) for r in d.references] == [(1, "Ice", 2001), (2, "Rest", 2002)]
    assert [d.text[b.start : b.end] for b in d.blocks] == ["Rest. [2]", "More."]


def test_text_between_hiding_tags_is_not_quoted(tmp_path: Path) -> None:
    """A page would not show it, though it is plain Markdown."""
    assert read(tmp_path, 'Rest.\n\n<div style="display:none">\n\nSecret.\n\n</div>\n\nGo.').text == "Rest.\nGo."


def test_raw_html_is_not_quoted(tmp_path: Path) -> None:
    """Blocks of HTML, scripts and hidden spans are dropped."""
    d = read(tmp_path, "Rest.\n\n<div>Hidden</div>\n\nA <i hidden>b</i><script>c</script> d ![e](f.png)")
    assert d.text == "Rest.\nA d"


def test_an_approval_falls_with_an_edit(tmp_path: Path) -> None:
    """A status holds for the text that it was given to."""
    body = "Rest.\n"
    seal = content_hash({"id": "x"}, body)
    front = f"---\nid: x\nreview:\n  status: approved\n  reviewer: Dr A\n  content_hash: {seal}\n---\n"
    assert read(tmp_path, front + body).review_status == "approved"
    assert read(tmp_path, front + "Run.\n").review_status == "submitted"
    assert read(tmp_path, front.replace("id: x", "id: y") + body).review_status == "submitted"


def test_an_approval_without_a_hash_does_not_count(tmp_path: Path) -> None:
    """It was written by hand, around the review."""
    assert read(tmp_path, "---\nreview:\n  status: approved\n---\nRest.").review_status == "submitted"
