"""Writes references the way other programs and journals read them: Vancouver, RIS, BibTeX.

Is: the formats, from the JSON form of a cited passage or of one of its references. Is not: a look-up; what a source
did not say (volume, pages) is left out, never made up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from corpus.documents import web_link

SourceType = Literal["article", "report", "web", "other"]

# Source: ICMJE recommendations, sample references, and NLM's Citing Medicine: six authors, then "et al".
_MAX_AUTHORS = 6
_REVIEW_NOTES = {
    "submitted": "Not yet reviewed by a clinician",
    "under_review": "Under review, not yet approved",
    "approved": "Approved by review",
}
_SUFFIXES = {"Jr", "Sr", "II", "III", "IV"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a bibliography says of one document or reference; a text that is not known is "".

    `published_in` is a journal, a publisher or a site. `note` is a remark such as the review status.
    """

    type: SourceType
    title: str
    authors: tuple[str, ...] = ()
    published_in: str = ""
    year: str = ""
    updated: str = ""
    doi: str = ""
    pmid: str = ""
    url: str = ""
    note: str = ""

    @property
    def key(self) -> str:
        """Return what two descriptions of the same source have in common."""
        if self.doi or self.pmid:
            return (f"doi:{self.doi}" if self.doi else f"pmid:{self.pmid}").casefold()
        return f"{_line(self.title)} {self.year} {_line(self.published_in)}".casefold()


def source_of(entry: Any) -> Source:
    """Return the source that a passage, or a reference of one, stands for; `entry` is its JSON form or its record."""
    facts = entry if isinstance(entry, Mapping) else _facts(entry)
    return _document(facts) if "passage_id" in facts else _reference(facts)


def sources_of(reply: Mapping[str, Any]) -> list[Source]:
    """Return the documents that a reply cites, then what their quoted words cite, each once."""
    passages = reply.get("passages") or []
    found = [source_of(passage) for passage in passages]
    found += [source_of(entry) for passage in passages for entry in passage.get("references") or []]
    return list({source.key: source for source in reversed(found)}.values())[::-1]


def vancouver(entry: Any) -> str:
    """Return one line in Vancouver style.

    Example:
        >>> vancouver({"title": "Nocturnal leg cramps", "kind": "research", "source": "Am Fam Physician",
        ...            "year": 2012, "authors": ["Allen RE", "Kirby KA"], "pmid": "22963024"})
        'Allen RE, Kirby KA. Nocturnal leg cramps. Am Fam Physician. 2012. PMID: 22963024.'
    """
    source = entry if isinstance(entry, Source) else source_of(entry)
    authors = ", ".join(source.authors[:_MAX_AUTHORS]) + (", et al" if len(source.authors) > _MAX_AUTHORS else "")
    # An address is given where no identifier leads to the source.
    on_line = bool(source.url) and not (source.doi or source.pmid)
    place = _line(source.published_in)
    if on_line and place and source.type == "article":
        place += " [Internet]"
    # A journal ends in a stop before its year, a publisher in a semicolon.
    imprint = (". " if source.type == "article" else "; ").join(part for part in (place, source.year) if part)
    if source.updated and source.updated != source.year:
        imprint = f"{imprint} [updated {source.updated}]".strip()
    parts = [
        authors,
        _line(source.title) + (" [Internet]" if on_line and not place.endswith("[Internet]") else ""),
        imprint,
        source.note,
        f"doi:{source.doi}" if source.doi else "",
        f"PMID: {source.pmid}" if source.pmid else "",
    ]
    # A question's title keeps its own mark.
    ended = [part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part]
    # Nothing may follow an address that is not part of it.
    return " ".join([*ended, *([f"Available from: {source.url}"] if on_line else [])])


def as_ris(sources: Iterable[Source]) -> str:
    """Return the sources in RIS, lines ended with CR LF.

    Source: RIS format specification (2012): two letters, two blanks, a hyphen, a blank; TY first, ER last.
    """
    types = {"article": "JOUR", "report": "RPRT", "web": "ELEC", "other": "GEN"}
    lines: list[str] = []
    for source in sources:
        lines.append(f"TY  - {types[source.type]}")
        fields = [("AU", _inverted(author, ris=True)) for author in source.authors]
        fields += [
            ("TI", source.title),
            ("T2" if source.type == "article" else "PB", source.published_in),
            ("PY", source.year),
            ("DA", source.updated.replace("-", "/")),
            ("DO", source.doi),
            ("AN", source.pmid),
            ("DB", "PubMed" if source.pmid else ""),
            ("UR", source.url),
            ("N1", source.note),
        ]
        # A value is one line: a line break in a title would begin a field of its own.
        lines += [f"{tag}  - {_line(value)}" for tag, value in fields if _line(value)]
        lines += ["ER  - ", ""]
    return "\r\n".join(lines)


def as_bibtex(sources: Iterable[Source]) -> str:
    """Return the sources in BibTeX, every special character escaped."""
    types = {"article": "article", "report": "techreport", "web": "misc", "other": "misc"}
    places = {"article": "journal", "report": "institution", "web": "howpublished", "other": "howpublished"}
    entries, keys = [], set[str]()
    for source in sources:
        fields = {
            "author": " and ".join(_bibtex_author(author) for author in source.authors),
            # Twice in braces, so that a style does not put "AAN" in lower case.
            "title": f"{{{_tex(source.title)}}}",
            places[source.type]: _tex(source.published_in),
            "year": source.year,
            "doi": _verbatim(source.doi),
            "pmid": source.pmid,
            "url": _verbatim(source.url),
            "note": _tex(source.note),
        }
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
        entries.append(f"@{types[source.type]}{{{_bibtex_key(source, keys)},\n{body}}}\n")
    return "\n".join(entries)


def _facts(entry: Any) -> dict[str, Any]:
    names = (
        "passage_id document_id title kind year source url authors pmid doi last_updated review_status "
        "superseded_by flags"
    )
    return {name: getattr(entry, name) for name in names.split() if hasattr(entry, name)}


def _document(facts: Mapping[str, Any]) -> Source:
    url = web_link(str(facts.get("url") or ""))
    kind = facts.get("kind")
    notes = [_REVIEW_NOTES.get(str(facts.get("review_status") or ""), "")]
    notes += ["Retracted" if "retracted" in (facts.get("flags") or ()) else ""]
    notes += [f"Superseded by {facts['superseded_by']}" if facts.get("superseded_by") else ""]
    # Without an address, its id is the way to find it again.
    notes += ["" if url else f"Article {facts['document_id']}"]
    published_in = str(facts.get("source") or "")
    is_article = kind in ("research", "review") and bool(published_in)
    return Source(
        type="article" if is_article else "report" if kind == "guideline" and not url else "web" if url else "other",
        title=str(facts.get("title") or "Untitled"),
        published_in=published_in,
        year=str(facts.get("year") or ""),
        updated=str(facts.get("last_updated") or ""),
        url=url,
        note="; ".join(note for note in notes if note),
    )


def _reference(facts: Mapping[str, Any]) -> Source:
    kind, published_in = facts.get("kind"), str(facts.get("source") or "")
    authors = tuple(_line(str(author)) for author in facts.get("authors") or () if _line(str(author)))
    is_report = kind == "guideline" and not authors
    # Without an identifier, a reference's address is a search for its title, which belongs in no bibliography.
    is_found = facts.get("doi") or facts.get("pmid")
    return Source(
        type="report" if is_report else "article" if published_in else "other",
        title=str(facts.get("title") or "Untitled"),
        authors=authors,
        published_in=published_in,
        year=str(facts.get("year") or ""),
        doi=str(facts.get("doi") or ""),
        pmid=str(facts.get("pmid") or ""),
        url=web_link(str(facts.get("url") or "")) if is_found else "",
    )


def _line(text: str) -> str:
    """Return `text` on one line, without control characters."""
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in text).split())


def _parts(author: str) -> tuple[str, str, str] | None:
    """Return family name, initials and suffix of "van der Schans CP Jr", or None for a body such as "NICE"."""
    words = _line(author).split()
    suffix = words.pop() if len(words) > 2 and words[-1].rstrip(".") in _SUFFIXES else ""
    if len(words) < 2 or not re.fullmatch(r"[^\W\d_a-zß-ÿ]{1,4}(?:-[^\W\d_])?", words[-1]):
        return None
    initials = " ".join(f"{letter}." for letter in words[-1].replace("-", ""))
    return " ".join(words[:-1]), initials, suffix


def _inverted(author: str, *, ris: bool) -> str:
    """Return "Schans, C. P." of "Schans CP"; a body stays as it is."""
    parts = _parts(author)
    if parts is None:
        return _line(author)
    family, initials, suffix = parts
    named = (family, initials, suffix) if ris else (family, suffix, initials)
    return ", ".join(part for part in named if part)


def _bibtex_author(author: str) -> str:
    # Braces keep a body whole: its "and" would part it in two.
    return _tex(_inverted(author, ris=False)) if _parts(author) else f"{{{_tex(author)}}}"


_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{char: f"\\{char}" for char in "&%$#_"},
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in _line(text))


def _verbatim(text: str) -> str:
    """Return an address or DOI for a field that BibTeX reads to the letter, where braces alone must balance."""
    return re.sub(r"[{}\\\s]", lambda match: f"%{ord(match[0]):02X}", text)


def _bibtex_key(source: Source, taken: set[str]) -> str:
    first = _parts(source.authors[0]) if source.authors else None
    name = first[0] if first else next(iter(re.findall(r"\w{4,}", source.title)), "source")
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    base = (re.sub(r"[^A-Za-z0-9]", "", ascii_name) or "source").lower() + source.year
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    taken.add(key)
    return key
