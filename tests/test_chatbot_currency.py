"""Currency: replaced, withdrawn, undated and old sources are marked."""

import datetime
from dataclasses import replace

import pytest

from chatbot.present.audience import reading_grade
from chatbot.present.currency import currency_marks, currency_notices, issued_year, status_words
from chatbot.replies import CitedPassage

TODAY = datetime.date(2026, 11, 23)
CURRENT = CitedPassage(1, "p", "d", "Cramps", "guideline", 2025, (), "", 0, 0, None, "", None)


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, ()),
        ({"year": 2021}, ()),
        ({"year": 2020}, ("old",)),
        ({"year": None}, ("undated",)),
        ({"year": 2010, "last_updated": "2024-05"}, ()),
        ({"superseded_by": "NG100 (2025)"}, ("superseded",)),
        ({"flags": ("retracted",)}, ("retracted",)),
        ({"flags": ("erratum",)}, ("corrected",)),
        ({"flags": ("expression_of_concern",)}, ("expression of concern",)),
        ({"flags": ("Retraction in 2019",), "year": 2005, "superseded_by": "x"}, ("retracted", "superseded", "old")),
    ],
)
def test_marks_follow_from_what_the_document_says(changes: dict, marks: tuple[str, ...]) -> None:
    """Dates, flags and successors give their marks, gravest first."""
    assert currency_marks(replace(CURRENT, **changes), TODAY) == marks


def test_the_age_limit_is_a_setting() -> None:
    """What counts as old is passed in."""
    passage = replace(CURRENT, year=2023)
    assert currency_marks(passage, TODAY, max_age_years=2) == ("old",)
    assert currency_marks(passage, TODAY, max_age_years=3) == ()


def test_notices_name_the_passages() -> None:
    """One sentence for each mark, with the numbers of the passages that it is about."""
    passages = [
        replace(CURRENT, number=1, year=2010),
        replace(CURRENT, number=2, superseded_by="NG100"),
        replace(CURRENT, number=3, year=2011),
    ]
    assert [(n.code, n.text) for n in currency_notices(passages, TODAY)] == [
        ("superseded", "Source [2] has been replaced by a newer one. See: NG100."),
        ("old", "Sources [1] [3] are more than 5 years old. Look for newer advice."),
    ]


def test_notices_are_easy_to_read() -> None:
    """Every notice reads at grade 6 or less."""
    passages = [
        replace(CURRENT, flags=("retracted", "erratum", "expression of concern"), superseded_by="x"),
        replace(CURRENT, year=None),
        replace(CURRENT, year=1990),
    ]
    notices = currency_notices(passages, TODAY)
    assert len(notices) == 6
    assert all(reading_grade(notice.text) <= 6 for notice in notices)


def test_a_current_passage_has_no_notice() -> None:
    """Nothing is said about a source that is current."""
    assert currency_notices([CURRENT], TODAY) == ()


def test_status_words_stand_beside_a_quote() -> None:
    """The date and the state are told in a few words."""
    assert status_words(CURRENT, TODAY) == "2025"
    assert (
        status_words(replace(CURRENT, year=2012, flags=("retracted",)), TODAY)
        == "2012 · retracted · older than 5 years"
    )
    assert status_words(replace(CURRENT, year=None), TODAY) == "undated"


def test_an_update_counts_as_the_year() -> None:
    """A last update later than the issue is the year that the passage speaks for."""
    assert issued_year(replace(CURRENT, year=2010, last_updated="2024-05-01")) == 2024
