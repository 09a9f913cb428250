"""The audit finds what is wrong with a document's citations, and leaves sound documents alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from corpus.audit import audit, findings_for, is_claim
from corpus.builder import DocumentBuilder, Inline
from corpus.citations import find_markers
from corpus.documents import Document, DocumentKind, Reference, Rejected
from corpus.load import load, shipped_articles

# One source per subject, in an order that only their numbers tell; invented.
SOURCES = (
    "Iron tablets for restless legs: a crossover study",
    "Quinine and bleeding in older adults",
    "Baclofen for spasm in liver cirrhosis",
    "Calf stretching before bedtime: a randomised trial",
    "Statin intolerance and muscle enzymes",
    "Magnesium supplements in pregnancy",
    "Peripheral artery disease: diagnosis and management",
    "Dehydration and heat illness in athletes",
)
SENTENCES = (
    ("Iron is given when ferritin is low in restless legs.", 1),
    ("Quinine has caused bleeding and death.", 2),
    ("Baclofen was tried in people with cirrhosis.", 3),
    ("Stretching the calf before bedtime had no effect.", 4),
    ("Muscle enzymes rise in some people on statins.", 5),
    ("Magnesium did not help in pregnancy.", 6),
    ("Claudication is pain that stops at rest.", 7),
    ("Athletes lose salt and water in the heat.", 8),
)


def document(
    sentences: Sequence[str], titles: Sequence[str] = SOURCES, kind: DocumentKind = "review", **entry: object
) -> Document:
    """Return a document with one paragraph per sentence and a reference list of these titles."""
    builder = DocumentBuilder()
    for text in sentences:
        builder.paragraph(Inline(text, (), find_markers(text)))
    references = tuple(
        Reference(number, title, source="A Journal", year=2000 + number) for number, title in enumerate(titles, 1)
    )
    return builder.build(id="x", title="X", kind=kind, references=references, **entry)


def cited(shift: int = 0) -> list[str]:
    """Return the sentences with their marks, moved by `shift`."""
    return [f"{text} [{number + shift}]" for text, number in SENTENCES]


def codes(d: Document) -> list[tuple[str, int | None]]:
    """Return (code, number) of every finding."""
    return [(finding.code, finding.number) for finding in findings_for(d)]


def test_a_sound_document_has_no_findings() -> None:
    """Every mark resolves, every source is cited, nothing fits better elsewhere."""
    assert codes(document(cited())) == []


def test_a_mark_beyond_the_list_dangles_and_its_sentence_is_named() -> None:
    """The offsets are those of the sentence."""
    d = document(["Rest helps. [1] Heat does not help. [1, 3]"], SOURCES[:1])
    (first,) = findings_for(d)
    assert (first.code, first.number, first.text) == ("dangling_citation", 3, "Heat does not help. [1, 3]")
    assert d.text[first.start : first.end] == first.text


def test_dangling_numbers_can_be_asked_of_a_span() -> None:
    """An answer asks for the sentence that it quotes."""
    d = document(["Rest helps. [1] Heat does not help. [1, 3]"], SOURCES[:1])
    assert d.dangling_numbers(0, 15) == ()
    assert d.dangling_numbers(16, len(d.text)) == (3,)


@pytest.mark.parametrize("lost", [1, 2, 3, 4, 5])
def test_a_lost_entry_shifts_those_after_it(lost: int) -> None:
    """With an entry missing, later sentences fit the list one place before their number."""
    titles = [title for number, title in enumerate(SOURCES, 1) if number != lost]
    found = [f for f in findings_for(document(cited(), titles)) if f.code == "possible_shift"]
    assert {f.number for f in found} >= set(range(lost + 1, 9)) - {7}
    assert all(f.number is not None and f.number > lost for f in found)
    assert all(f"[{f.number - 1}] better" in f.detail for f in found if f.number)


def test_an_added_entry_shifts_the_other_way() -> None:
    """A source put in front of the list leaves every number one short."""
    d = document(cited(), ["Herbal tea and sleep in general", *SOURCES])
    found = [f for f in findings_for(d) if f.code == "possible_shift"]
    assert len(found) >= 6
    assert all(f"[{f.number + 1}] better" in f.detail for f in found if f.number)


def test_one_mistyped_number_is_no_shift() -> None:
    """A dangling mark alone moves nothing."""
    sentences = [*cited(), "Sleep is good. [9]"]
    assert codes(document(sentences)) == [("dangling_citation", 9)]


def test_two_sources_on_one_subject_are_no_shift() -> None:
    """Neighbours that agree with the same sentence prove nothing."""
    titles = [f"Nocturnal leg cramps: part {number}" for number in range(1, 9)]
    sentences = [f"Leg cramps at night are common. [{number}]" for number in range(1, 9)]
    assert codes(document(sentences, titles)) == []


def test_words_of_two_languages_meet() -> None:
    """A title says renal where its sentence says kidney."""
    titles = ["Ear drops", "Renal failure in adults", "Hepatic coma"]
    sentences = ["The kidney fails slowly. [3]", "The liver may fail. [4]"]
    assert ("possible_shift", 3) in codes(document(sentences, titles))


def test_entries_that_nobody_cites_and_entries_given_twice() -> None:
    """By identifier or by title and year; the first stands."""
    d = document(["Rest. [1, 2]"], ["Calf stretching before bedtime"] * 2)
    same = tuple(Reference(n, d.references[0].title, source="J", year=2001) for n in (1, 2))
    other = Reference(3, "Something else entirely", source="J", year=2001)
    d = Document(**{**{f: getattr(d, f) for f in d.__slots__}, "references": (*same, other)})
    assert codes(d) == [("duplicate_reference", 2), ("uncited_reference", 3)]


def test_an_entry_that_names_nothing_to_look_up() -> None:
    """Neither source nor year nor identifier."""
    d = document(["Rest is good. [1]"], ["x"])
    d = Document(**{**{f: getattr(d, f) for f in d.__slots__}, "references": (Reference(1, "A leaflet"),)})
    assert codes(d) == [("unparsed_reference", 1)]


def test_advice_without_a_source_is_named() -> None:
    """A mark anywhere in its paragraph covers it."""
    d = document(["Give 5 mg at night. It is cheap.", "Give 5 mg at night. It is cheap. [1]"], SOURCES[:1])
    (finding,) = findings_for(d)
    assert (finding.code, finding.number, finding.text) == ("uncited_claim", None, "Give 5 mg at night.")


def test_a_lead_in_with_a_mark_covers_its_items() -> None:
    """Items inherit from the sentence that opens their list."""
    builder = DocumentBuilder()
    for text in ("Avoid: [1]", "These may be used:"):
        builder.paragraph(Inline(text, (), find_markers(text)))
        builder.item("baclofen 10 mg")
    d = builder.build(id="x", title="X", references=(Reference(1, "A", "other", "B"),))
    assert [f.start for f in findings_for(d)] == [d.text.rindex("baclofen")]


def test_a_study_is_its_own_source() -> None:
    """What a trial did needs no reference."""
    assert codes(document(["Patients were given 5 mg."], (), kind="research")) == []


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Adults: baclofen 5 mg three times a day", True),
        ("In pregnancy, avoid quinine.", True),
        ("Quinine is not recommended.", True),
        ("For adults, prescribe rest.", True),
        ("Haemoglobin was 10 g/dL.", False),
        ("Cramp is common at night.", False),
        ("Should quinine be given?", False),
    ],
)
def test_what_counts_as_a_claim(sentence: str, expected: bool) -> None:
    """Advice and doses do; laboratory values, facts and questions do not."""
    assert is_claim(sentence) is expected


def test_the_json_form() -> None:
    """As the command prints it, rejected files beside the documents."""
    d = document(["Rest. [2]"], SOURCES[:1], path="x.md")
    assert audit([d, Rejected("y.pdf", "encrypted")]) == {
        "documents": [
            {
                "path": "x.md", "document_id": "x", "title": "X", "references": 1, "markers": 1,
                "findings": [
                    {"code": "dangling_citation", "number": 2, "text": "Rest. [2]", "start": 0, "end": 9,
                     "detail": "cites [2], but the list has 1 references"},
                    {"code": "uncited_reference", "number": 1, "text": SOURCES[0], "start": 0, "end": 0,
                     "detail": "no sentence cites it"},
                ],
            }
        ],
        "rejected": [{"path": "y.pdf", "reason": "encrypted"}],
    }  # fmt: skip


def test_shipped_articles_raise_no_false_alarm() -> None:
    """Every mark resolves, and no list is taken for a shifted one."""
    articles = [entry for entry in load([shipped_articles()]) if isinstance(entry, Document)]
    serious = ("dangling_citation", "possible_shift", "unparsed_reference", "duplicate_reference")
    assert [(d.id, f) for d in articles for f in findings_for(d) if f.code in serious] == []


@pytest.mark.shared
def test_the_captured_page() -> None:
    """Its dangling mark and both claims that fit their list better one place before are found."""
    path = Path(__file__).parents[2] / "shared/seed/article-page.txt"
    if not path.exists():
        pytest.skip("the captured page is not here")
    (d,) = load([path])
    assert isinstance(d, Document)
    found = [(f.code, f.number, f.text) for f in findings_for(d)]
    assert [(code, number) for code, number, _ in found] == [
        ("possible_shift", 7), ("possible_shift", 7), ("dangling_citation", 8), ("possible_shift", 8),
    ]  # fmt: skip
    assert "stretching" in found[2][2] and found[2][2] == found[3][2]
    assert "ischemia" in found[0][2] and "Claudication" in found[1][2]
