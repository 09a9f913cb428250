"""Identifiers, dates and printed reference entries are read as people type them."""

from __future__ import annotations

import pytest

from corpus.bibliography import clean_date, clean_doi, clean_pmid, find_date, parse_reference


@pytest.mark.parametrize(
    ("typed", "doi"),
    [
        ("https://doi.org/10.1000/abc.", "10.1000/abc"),
        ("doi:10.1016/S0140-6736(05)66379-9", "10.1016/S0140-6736(05)66379-9"),
        ("(10.1000/x)", "10.1000/x"),
        (None, None),
        ("10.12/x", None),
    ],
)
def test_dois(typed: str | None, doi: str | None) -> None:
    """Links, brackets and full stops around a DOI are not part of it."""
    assert clean_doi(typed) == doi


@pytest.mark.parametrize(
    ("typed", "pmid"), [("PMID: 123", "123"), (22963024, "22963024"), ("0", None), ("12a", None), ("123456789", None)]
)
def test_pmids(typed: object, pmid: str | None) -> None:
    """One to eight digits."""
    assert clean_pmid(typed) == pmid


@pytest.mark.parametrize(
    ("typed", "date"),
    [(2024, "2024"), ("2024-02", "2024-02"), ("2024-02-31", "2024-02"), ("soon", None), ("1024", None), (True, None)],
)
def test_dates(typed: object, date: str | None) -> None:
    """As exact as possible, and nothing invented."""
    assert clean_date(typed) == date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Last updated: January 5, 2026View", "2026-01-05"),
        ("12th Sept. 2020", "2020-09-12"),
        ("June 2019", "2019-06"),
        ("on 2025-03-01", "2025-03-01"),
        ("03/04/2025", None),
    ],
)
def test_written_dates(text: str, date: str | None) -> None:
    """Month names in both orders; a date that means two days means none."""
    assert find_date(text) == date


@pytest.mark.parametrize(
    ("entry", "title", "source", "year", "authors"),
    [
        ("1. Ito K, Lund P. Calf cramp. J Muscle. 2012;3:4-5.", "Calf cramp", "J Muscle", 2012, ("Ito K", "Lund P")),
        ("Smith, J. B., & Jones, C. (2012). Old age. Journal of Aging, 12(3), 44.", "Old age", "Journal of Aging", 2012,
         ("Smith JB", "Jones C")),
        ("[7] van der Berg A, de Groot B, et al. Is it safe? BMJ 2001;322:1999-2003.", "Is it safe?", "BMJ", 2001,
         ("van der Berg A", "de Groot B")),
        ("World Health Organization. Guidelines for fever. Geneva: WHO; 2023.", "Guidelines for fever", "Geneva: WHO",
         2023, ("World Health Organization",)),
        ("something without any order", "something without any order", "", None, ()),
    ],
)  # fmt: skip
def test_printed_entries(entry: str, title: str, source: str, year: int | None, authors: tuple[str, ...]) -> None:
    """Vancouver and author–year styles; what cannot be taken apart is all title."""
    reference = parse_reference(1, entry)
    assert (reference.title, reference.source, reference.year, reference.authors) == (title, source, year, authors)


@pytest.mark.parametrize("piece", ["Aa B, ", "A", "Aa ", "van de ", "(", "10.1234/"])
def test_long_nonsense_is_read_in_no_time(piece: str) -> None:
    """No entry makes the patterns run away; the suite's time would show it."""
    assert parse_reference(1, piece * 50_000).number == 1
