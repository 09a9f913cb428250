"""Reads what reference lists and front matter say of a source: identifiers, years, kinds.

Is: cleaning of DOI, PMID and dates that people typed. Is not: a look-up of anything.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

# Source: Crossref, "DOIs and matching regular expressions" (2015), widened to upper case.
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>{}|\\^`]+")
# PubMed identifiers have 1 to 8 digits.
_PMID = re.compile(r"\d{1,8}")
_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_YEAR = re.compile(r"(?<!\d)(?:1[89]\d\d|20\d\d)(?!\d)")


def clean_doi(value: Any) -> str | None:
    """Return the bare DOI in a text such as "https://doi.org/10.1/x.", or None.

    Example:
        >>> clean_doi("doi: 10.1000/ab.c(1)."), clean_doi("n/a")
        ('10.1000/ab.c(1)', None)
    """
    match = _DOI.search(str(value or ""))
    if not match:
        return None
    doi = match.group().rstrip(".,;:'’”")
    while doi.endswith((")", "]")) and doi.count(")") + doi.count("]") > doi.count("(") + doi.count("["):
        doi = doi[:-1].rstrip(".,;")
    return doi


def clean_pmid(value: Any) -> str | None:
    """Return a PubMed identifier's digits, or None for anything else."""
    match = _PMID.fullmatch(re.sub(r"(?i)^\s*pmid\s*:?\s*|\s+$", "", str(value or "")).lstrip("0"))
    return match.group() if match else None


def clean_date(value: Any) -> str | None:
    """Return a date as ISO 8601, as exact as it was given, or None.

    Example:
        >>> clean_date(2024), clean_date("2024-02"), clean_date("2024-02-31"), clean_date("soon")
        ('2024', '2024-02', '2024-02', None)
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    match = _ISO_DATE.match(str(value or "").strip())
    if not match or not _YEAR.fullmatch(match.group(1)):
        return None
    year, month, day = match.groups()
    if not month or not 1 <= int(month) <= 12:
        return year
    try:
        return date(int(year), int(month), int(day)).isoformat() if day else f"{year}-{month}"
    except ValueError:
        return f"{year}-{month}"


def find_year(text: str) -> int | None:
    """Return the last plausible year in a text, or None: reference lists put it near their end."""
    years = _YEAR.findall(text)
    return int(years[-1]) if years else None
