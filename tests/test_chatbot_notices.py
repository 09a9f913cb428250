"""Our own sentences beside the quotes: what they say, and how easily they read."""

from __future__ import annotations

import datetime
from typing import get_args

import pytest

from chatbot.present.audience import reading_grade
from chatbot.present.notices import ABSTENTIONS, answer_notices, question_notices
from chatbot.replies import AbstentionReason, CitedPassage, Statement
from corpus.builder import DocumentBuilder, Inline
from corpus.citations import find_markers
from corpus.documents import Document, Reference

TODAY = datetime.date(2026, 11, 23)


def document(text: str, references: int = 1) -> Document:
    builder = DocumentBuilder()
    builder.paragraph(Inline(text, markers=find_markers(text)))
    listed = tuple(Reference(number, f"Title {number}") for number in range(1, references + 1))
    return builder.build(id="d", title="Cramp", references=listed, published="2025")


def passage(status: str | None = None, flags: tuple[str, ...] = ()) -> CitedPassage:
    return CitedPassage(
        number=1, passage_id="p", document_id="d", title="Cramp", kind="review", year=2025, section=(), text="",
        start=0, end=0, page=None, url="", review_status=status, flags=flags,
    )  # fmt: skip


def codes(statements, passages, documents, populations=frozenset()) -> list[str]:
    found = answer_notices(statements, passages, documents, populations, today=TODAY, max_age_years=10)
    return [notice.code for notice in found]


def test_every_reason_to_abstain_has_words() -> None:
    """A new reason cannot reach the page without a sentence."""
    assert set(ABSTENTIONS) == set(get_args(AbstentionReason))


@pytest.mark.parametrize("reason", sorted(ABSTENTIONS))
def test_a_plain_no_is_plain(reason: AbstentionReason) -> None:
    """Grade 6 or less by Flesch-Kincaid, for every reader."""
    assert reading_grade(ABSTENTIONS[reason].format(terms="this")) <= 6


def test_an_unreviewed_source_is_said_and_an_approved_one_is_not() -> None:
    """The review status travels with every answer."""
    text = "Stretch the calf."
    quote = Statement(text, (1,), end=len(text))
    assert "pending_review" in codes([quote], [passage("submitted")], [document(text)])
    assert "pending_review" not in codes([quote], [passage("approved")], [document(text)])


def test_a_quote_that_cites_a_missing_source_is_named() -> None:
    """A mark [8] in an article with seven references leads nowhere, and the reader is told."""
    text = "Stretching does not prevent cramps. [8]"
    quote = Statement(text, (1,), end=len(text))
    assert "dangling_citation" in codes([quote], [passage()], [document(text, references=7)])
    assert "dangling_citation" not in codes([quote], [passage()], [document(text, references=8)])


def test_quotes_of_both_sides_are_marked() -> None:
    """A reader must not miss the "not"."""
    both = [
        Statement("Stretch.", (1,), polarity="for"),
        Statement("Do not stretch.", (1,), polarity="against"),
    ]
    assert "both_sides" in codes(both, [passage()], [document("Stretch.")])


def test_unsure_numbers_are_marked() -> None:
    """What a file did not show clearly must be checked in the source."""
    quote = Statement("Give 2 tablets.", (1,))
    assert "check_numbers" in codes([quote], [passage(flags=("check_numbers",))], [document("Give 2 tablets.")])


def test_no_quotes_need_no_notices() -> None:
    """An abstention has said already that nothing was found."""
    assert codes([], [], [], frozenset({"pregnancy"})) == []


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("My name is John Smith, born 3 May 1961. Is quinine safe?", "personal_data"),
        ("Is it true that quinine is safe?", "premise"),
        ("How much baclofen for my child who weighs 14 kg?", "calculation"),
    ],
)
def test_questions_are_answered_with_what_they_need(question: str, code: str) -> None:
    """Personal data, a premise and a wish for arithmetic are each named, once."""
    found = [notice.code for notice in question_notices(question)]
    assert len([name for name in found if code in name]) == 1, found
