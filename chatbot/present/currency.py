"""Says how current the quoted sources are: replaced, retracted, undated, old.

Is: facts that the documents state about themselves, against a date that is passed in. Is not: a search for newer
editions.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Literal

from chatbot.replies import CitedPassage, Notice

CurrencyMark = Literal["retracted", "superseded", "expression of concern", "corrected", "undated", "old"]

# Most guideline bodies review within five years.
# Source: AGREE II, item 14; Shekelle et al. 2001, JAMA 286:1461.
MAX_AGE_YEARS = 5

# What a document's own flags say, by what they begin with.
_FLAGS: tuple[tuple[str, CurrencyMark], ...] = (
    ("retract", "retracted"),
    ("withdraw", "retracted"),
    ("supersed", "superseded"),
    ("replaced", "superseded"),
    ("outdated", "superseded"),
    ("obsolete", "superseded"),
    ("expression", "expression of concern"),
    ("concern", "expression of concern"),
    ("errat", "corrected"),
    ("correct", "corrected"),
)
_ORDER: tuple[CurrencyMark, ...] = (
    "retracted",
    "superseded",
    "expression of concern",
    "corrected",
    "undated",
    "old",
)


def issued_year(passage: CitedPassage) -> int | None:
    """Return the year that a passage speaks for: its last update if it has one, else its issue."""
    updated = (passage.last_updated or "")[:4]
    years = [year for year in (passage.year, int(updated) if updated.isdigit() else None) if year]
    return max(years) if years else None


def currency_marks(
    passage: CitedPassage, today: datetime.date, *, max_age_years: int = MAX_AGE_YEARS
) -> tuple[CurrencyMark, ...]:
    """Return what stands against a passage's currency, gravest first; empty if nothing does."""
    marks: set[CurrencyMark] = set()
    for flag in passage.flags:
        marks.update(mark for start, mark in _FLAGS if flag.lower().replace("_", " ").startswith(start))
    if passage.superseded_by:
        marks.add("superseded")
    year = issued_year(passage)
    if year is None:
        marks.add("undated")
    elif today.year - year > max_age_years:
        marks.add("old")
    return tuple(mark for mark in _ORDER if mark in marks)


def status_words(passage: CitedPassage, today: datetime.date, *, max_age_years: int = MAX_AGE_YEARS) -> str:
    """Return the date and state that stand beside a quote, e.g. "2012 · old · retracted"; never empty."""
    year = issued_year(passage)
    marks = currency_marks(passage, today, max_age_years=max_age_years)
    words = [str(year)] if year else []
    words += [f"older than {max_age_years} years" if mark == "old" else mark for mark in marks]
    return " · ".join(words)


def currency_notices(
    passages: Iterable[CitedPassage], today: datetime.date, *, max_age_years: int = MAX_AGE_YEARS
) -> tuple[Notice, ...]:
    """Return one notice for each mark that any quoted passage has, with the passages' numbers; gravest first."""
    marked: dict[CurrencyMark, list[CitedPassage]] = {}
    for passage in passages:
        for mark in currency_marks(passage, today, max_age_years=max_age_years):
            marked.setdefault(mark, []).append(passage)
    return tuple(
        Notice(mark.replace(" ", "_"), _sentence(mark, marked[mark], max_age_years))
        for mark in _ORDER
        if mark in marked
    )


def _sentence(mark: CurrencyMark, passages: Sequence[CitedPassage], max_age_years: int) -> str:
    which = " ".join(f"[{passage.number}]" for passage in passages)
    one = len(passages) == 1
    source, has, it = ("Source", "has", "it") if one else ("Sources", "have", "them")
    match mark:
        case "retracted":
            return f"{source} {which} {has} been withdrawn. Do not rely on {it}."
        case "superseded":
            newer = dict.fromkeys(passage.superseded_by for passage in passages if passage.superseded_by)
            named = f" See: {'; '.join(newer)}." if newer else ""
            return f"{source} {which} {has} been replaced by a newer one.{named}"
        case "expression of concern":
            return f"There are doubts about {source.lower()} {which}. Read {it} with care."
        case "corrected":
            return f"{source} {which} {has} been corrected since. Check the corrected text."
        case "undated":
            return f"{source} {which} {has} no date. The advice may be out of date."
        case "old":
            return (
                f"{source} {which} {'is' if one else 'are'} more than {max_age_years} years old. Look for newer advice."
            )


def is_withdrawn(passage: CitedPassage) -> bool:
    """Say whether a passage's document was retracted or withdrawn."""
    # Any date does: this mark does not depend on it.
    return "retracted" in currency_marks(passage, datetime.date.min)


def succeeds(newer: CitedPassage, older: CitedPassage) -> bool:
    """Say whether a passage's document is the one that replaced another's, by its id or its title."""
    named = (older.superseded_by or "").casefold().strip()
    return bool(named) and named in (newer.document_id.casefold(), newer.title.casefold().strip())
