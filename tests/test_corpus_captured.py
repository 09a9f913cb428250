"""A copied article page: its article, its references, its facts, and nothing of its furniture."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.documents import Document
from corpus.load import load
from corpus.readers import captured

PAGE = """How is a sprained ankle managed?

Medical Advisory BoardAll articles are reviewed for accuracy by our Medical Advisory Board
Educational purpose only • Exercise caution as content is pending human review
Article Review Status
Submitted
Under Review
Approved

Last updated: March 2, 2025View editorial policy

Personalize

Help us tailor your experience

Which best describes you? Your choice helps us use language that's most understandable for you.

Care of the Sprained Ankle

Most sprains heal within six weeks. 1

First Days

Protect the joint and lift the leg. 1, 2 Cold packs ease pain. Rest for up to 2 days 1

  • Use crutches if walking hurts 2–3
  • Ibuprofen 400 mg at most 3
  • Avoid heat during the first week 1
  • Refer sprains of grade 3

Do not give:

  • Steroid injections 4

References

Guideline

Ankle Injuries in Adults

An Imaginary Handbook, 2024

Research

Cold for sprains: a trial.

Journal of Invented Results, 2011

Drug Label

Ibuprofen tablets

Related Questions

When may sport begin again?
Is an X-ray needed?

Professional Medical Disclaimer

This information is for professionals.

Have a follow-up question?

Ask anything."""


def read(folder: Path, text: str = PAGE) -> Document:
    """Write and read one page through the loader, which has to recognise it."""
    (folder / "ankle.txt").write_text(text, encoding="utf-8")
    (document,) = load([folder])
    assert isinstance(document, Document)
    return document


def test_the_article_is_all_that_can_be_quoted(tmp_path: Path) -> None:
    """Furniture, references, questions and disclaimers are no blocks; numbers become bracketed marks."""
    d = read(tmp_path)
    assert [
        (d.sections[b.section].path[-1], d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins])
        for b in d.blocks
    ] == [
        ("Care of the Sprained Ankle", "Most sprains heal within six weeks. [1]", []),
        ("First Days",
         "Protect the joint and lift the leg. [1, 2] Cold packs ease pain. Rest for up to 2 days [1]", []),
        ("First Days", "Use crutches if walking hurts [2–3]", []),
        ("First Days", "Ibuprofen 400 mg at most 3", []),
        ("First Days", "Avoid heat during the first week [1]", []),
        ("First Days", "Refer sprains of grade 3", []),
        ("First Days", "Do not give:", []),
        ("First Days", "Steroid injections [4]", ["Do not give:"]),
    ]  # fmt: skip


def test_marks_are_numbered_and_dangling_ones_kept(tmp_path: Path) -> None:
    """A mark beyond the list is a mark all the same."""
    d = read(tmp_path)
    assert [m.numbers for m in d.markers] == [(1,), (1, 2), (1,), (2, 3), (1,), (4,)]
    assert d.reference(4) is None


def test_references_keep_their_type_source_and_year(tmp_path: Path) -> None:
    """An entry without a source keeps its place in the list."""
    assert [(r.number, r.kind, r.title, r.source, r.year) for r in read(tmp_path).references] == [
        (1, "guideline", "Ankle Injuries in Adults", "An Imaginary Handbook", 2024),
        (2, "research", "Cold for sprains: a trial.", "Journal of Invented Results", 2011),
        (3, "other", "Ibuprofen tablets", "", None),
    ]


def test_the_pages_facts_are_kept(tmp_path: Path) -> None:
    """Title, date and related questions; a status that only colour told is the least one."""
    d = read(tmp_path)
    assert (d.id, d.title, d.question, d.last_updated, d.review_status) == (
        "ankle", "How is a sprained ankle managed?", "How is a sprained ankle managed?", "2025-03-02", "submitted",
    )  # fmt: skip
    assert d.related_questions == ("When may sport begin again?", "Is an X-ray needed?")


def test_a_single_stated_status_holds(tmp_path: Path) -> None:
    """A page that names one step and is not pending stands there."""
    text = PAGE.replace("Submitted\nUnder Review\nApproved", "Approved")
    assert read(tmp_path, text).review_status == "submitted"
    text = text.replace("Exercise caution as content is pending human review", "Read with care")
    assert read(tmp_path, text).review_status == "approved"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Rest until pain stops. 1, 3", "Rest until pain stops. [1, 3]"),
        ("Pain stops. 2 Walking is next.", "Pain stops. [2] Walking is next."),
        ("Give it for 4 weeks 1", "Give it for 4 weeks [1]"),
        ("Begin on day 3", "Begin on day 3"),
        ("Repeat at most 2", "Repeat at most 2"),
        ("Give 5 mg. 30 patients fell.", "Give 5 mg. 30 patients fell."),
        ("The range is 2 to 3", "The range is 2 to 3"),
        ("A trial of 2012. 87 People took part.", "A trial of 2012. 87 People took part."),
        ("Raised by vitamin 5", "Raised by vitamin 5"),
    ],
)
def test_values_are_not_taken_for_citations(line: str, expected: str) -> None:
    """A number after a word that takes one, before a small letter, or far beyond the list stays a number."""
    assert captured._raise_numbers(line, 9) == expected


def test_ordinary_text_is_no_page(tmp_path: Path) -> None:
    """A text with one such word is read as plain text."""
    assert not captured.matches(b"Ankle\n\nRest.\n\nReferences\n\n1. A source.", ".txt")


@pytest.mark.shared
def test_a_real_page() -> None:
    """Seven references, eleven questions, and every sentence that cites keeps its numbers."""
    path = Path(__file__).parents[2] / "shared/seed/article-page.txt"
    if not path.exists():
        pytest.skip("the captured page is not here")
    (d,) = load([path])
    assert isinstance(d, Document)
    assert (len(d.references), len(d.related_questions), d.last_updated) == (7, 11, "2026-01-05")
    assert {n for m in d.markers for n in m.numbers} == set(range(1, 9))
    assert not any(word in d.text for word in ("Advisory Board", "Personalize", "Disclaimer", "follow-up question"))


def test_blank_lines_do_not_matter(tmp_path: Path) -> None:
    """Some browsers copy a page without them."""
    whole = read(tmp_path)
    bare = read(tmp_path, "\n".join(line for line in PAGE.split("\n") if line.strip()))
    assert bare == whole
