"""Reads what reference lists and front matter say of a source: identifiers, years, kinds.

Is: cleaning of DOI, PMID and dates that people typed. Is not: a look-up of anything.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from typing import Any

from corpus.documents import Reference

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


_MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name: number for number, name in enumerate(calendar.month_abbr) if name} | {"Sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN_DATE = re.compile(
    rf"(?P<m1>{_MONTH})\.?\s+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y1>\d{{4}})"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m2>{_MONTH})\.?,?\s+(?P<y2>\d{{4}})"
    rf"|(?P<m3>{_MONTH})\.?\s+(?P<y3>\d{{4}})"
)


def find_date(text: str) -> str | None:
    """Return the first date in a text as ISO 8601, or None. "03/04/2025" is two dates and so none.

    Example:
        >>> find_date("Last updated: January 5, 2026View policy"), find_date("as of 2025-03-01"), find_date("3/4/2025")
        ('2026-01-05', '2025-03-01', None)
    """
    if match := _WRITTEN_DATE.search(text):
        facts = {name[0]: value for name, value in match.groupdict().items() if value}
        parts = [facts["y"], f"{_MONTHS[facts['m']]:02d}", *([f"{int(facts['d']):02d}"] if "d" in facts else [])]
        return clean_date("-".join(parts))
    if match := re.search(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", text):
        return clean_date(match.group())
    return None


# An entry with all its consortium's authors; what is longer is no entry.
_MAX_ENTRY_CHARS = 4000
# "1.", "[1]", "1)" before an entry of a numbered list; "10.1000/x" is no number.
_ENTRY_NUMBER = re.compile(r"\s*(?:\[(\d{1,3})\]|\(?(\d{1,3})[.)](?=\s|[A-Z]))\s*")
# "Allen RE, Kirby KA, et al." and "Smith, J. B., & Jones, C." are names; so is a body that publishes.
_SURNAME = r"(?:(?:van|von|de|der|den|la|le|el|al|di|da|dos|ten|ter)\s){0,3}[A-ZÀ-Þ][\w’'-]{1,40}"
_NAME = rf"{_SURNAME}(?:\s{_SURNAME}){{0,2}},?\s(?:[A-ZÀ-Þ]\.?[ -]?){{1,4}}(?:\s?(?:Jr|Sr|II|III))?"
_NAMES = re.compile(
    rf"{_NAME}(?:,?\s(?:and|&)\s{_NAME}|[,;]\s(?:&\s)?{_NAME})*(?:,?\s(?:et al|and others))?(?=\.|\s\(|:|$)"
)
_BODY = re.compile(
    r"(?:[A-Z]{2,8}|[^.?!]{0,80}\b(?:Organi[sz]ation|Society|Association|College|Institutes?|Ministry|Department|"
    r"Committee|Group|Network|Agency|Cent(?:er|re)s?|Task Force|Council|Foundation|Academy|Federation|Board|Service)\b"
    r"[^.?!]{0,60})(?=\.\s)"
)
_PART = re.compile(r"(?<=[.?!])\s+(?=[A-ZÀ-Þ\d“\"(])")
_GUIDELINE_WORDS = re.compile(
    r"\b(?:guidelines?|guidance|recommendations?|consensus|position statement|practice parameter|statement)\b", re.I
)
_PMID_IN_TEXT = re.compile(r"PMID:?\s*(\d{1,8})\b|pubmed\.ncbi\.nlm\.nih\.gov/(\d{1,8})\b", re.I)
_LINK = re.compile(r"https?://\S+|\bdoi:\s*\S+|\bPMID:?\s*\d+|\bPMCID:?\s*\w+|\b10\.\d{4,9}/\S+", re.I)


def parse_reference(number: int, text: str) -> Reference:
    """Return one entry of a printed reference list, its parts as far as their order and punctuation tell them.

    An entry that cannot be taken apart has all its words as its title and no source, year or identifier.

    Example:
        >>> r = parse_reference(1, "1. Ito K, Lund P. Calf cramp. J Muscle. 2012;3:4-5. doi:10.1000/x")
        >>> r.authors, r.title, r.source, r.year, r.doi
        (('Ito K', 'Lund P'), 'Calf cramp', 'J Muscle', 2012, '10.1000/x')
    """
    text = " ".join(text[:_MAX_ENTRY_CHARS].split())
    label = _ENTRY_NUMBER.match(text)
    bare = text[label.end() :] if label else text
    pmid = _PMID_IN_TEXT.search(bare)
    words = _LINK.sub(" ", bare)
    # "Smith, J. (2012). Title. Source." puts the year in the authors' place.
    words = re.sub(r"\((\d{4})[a-z]?\)\.?", r". \1. ", words)
    words = words.strip(" .")
    names, bodies = _NAMES.match(words), _BODY.match(words)
    authors = _authors(names.group()) if names else (bodies.group().strip(),) if bodies else ()
    if found := names or bodies:
        words = words[found.end() :].lstrip(" .:,")
    parts = [part for piece in _PART.split(words) if (part := piece.strip(" .;,"))]
    year = find_year(re.sub(r"\d+\s?[-–]\s?\d+", " ", bare)) or find_year(bare)
    rest = [part for part in parts if not re.fullmatch(r"\d{4}[a-z]?", part)]
    title = rest[0] if rest else " ".join(bare.split())
    source = _journal(rest[1]) if len(rest) > 1 else ""
    is_guideline = bool(_GUIDELINE_WORDS.search(title))
    return Reference(
        number=number,
        title=title.strip("“”\"' "),
        kind="guideline" if is_guideline else "research" if source and year else "other",
        source=source,
        year=year,
        authors=authors,
        pmid=clean_pmid(pmid.group(1) or pmid.group(2)) if pmid else None,
        doi=clean_doi(bare),
        label=(label.group(1) or label.group(2)) if label else "",
    )


def _authors(names: str) -> tuple[str, ...]:
    """Return the names of "Ito K, Lund P" or "Ito, K., & Lund, P." one by one."""
    parts = [part.strip() for part in re.split(r",\s|;\s|\s(?:and|&)\s", names) if part.strip(" .&")]
    joined: list[str] = []
    for part in parts:
        is_initials = re.fullmatch(r"(?:[A-ZÀ-Þ]\.?[ -]?){1,4}", part)
        if is_initials and joined:
            joined[-1] += " " + part.replace(".", "").replace(" ", "")
        elif not part.lower().startswith("et al"):
            joined.append(part.removeprefix("& ").rstrip("."))
    return tuple(joined)


def _journal(text: str) -> str:
    """Return a source without its volume, pages and year."""
    return re.split(r"[,;.]?\s*(?:\(?(?:1[89]|20)\d\d|\d+\s*\(|vol\b|\d+:)", text, maxsplit=1, flags=re.I)[0].strip(
        " .,;"
    )
