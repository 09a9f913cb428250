"""Reads the text of an article page as a browser's "select all, copy" gives it.

Is: title, body, references, related questions, status and date of a page whose superscript citation numbers fell
down into the text ("… resolve. 1, 2"). Is not: a reader of any text file (see `plain.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.bibliography import clean_doi, find_date, find_year
from corpus.citations import find_markers
from corpus.documents import (
    Document,
    Reference,
    ReferenceKind,
    Rejected,
    Review,
    ReviewStatus,
    UnreadableSource,
    check_document,
)
from corpus.hidden import remove_hidden
from corpus.outline import outline
from corpus.readers.limits import decode, read_bytes
from corpus.readers.printed import document_id

# What stands around an article on its page and is no part of it: the steps of its review, its date, the
# questions to its reader. Whole lines, so that an article may use the same words.
_FURNITURE = re.compile(
    r"article review status|submitted|under review|approved|reviewed|personali[sz]e|view editorial policy|share|print|"
    r"save|copy|listen|sign (?:in|up)|log ?in|menu|home|back|table of contents|advertisement|"
    r"(?:last )?(?:updated|reviewed)(?: on)?\s*:.*|published(?: on)?\s*:.*|"
    r"medical(?:ly)? (?:advisory board|reviewed).*|"
    r"educational purposes? only.*|.*\bpending human review\b.*|help us tailor your experience.*|"
    r"which best describes you\b.*|all articles are reviewed\b.*",
    re.IGNORECASE,
)
_STATUS_HEADING = re.compile(r"article review status", re.I)
_STATUSES: dict[str, ReviewStatus] = {"submitted": "submitted", "under review": "under_review", "approved": "approved"}
_UPDATED = re.compile(r"(?:last )?(?:updated|reviewed)(?: on)?\s*:\s*(?P<date>.*)", re.I)
_PUBLISHED = re.compile(r"published(?: on)?\s*:\s*(?P<date>.*)", re.I)
_REFERENCES = re.compile(r"references|sources|citations", re.I)
_RELATED = re.compile(r"related questions|people also ask|related articles", re.I)
# The end of all that is of use: what follows is the page's own words.
_CLOSING = re.compile(
    r"(?:professional )?(?:medical )?disclaimer|have a follow[- ]up question\??.*|ask (?:a|any) follow[- ]up.*|"
    r"about (?:us|this site)|terms of (?:use|service)|privacy policy|©.*",
    re.I,
)
_REFERENCE_KINDS: dict[str, ReferenceKind] = {
    "guideline": "guideline",
    "guidelines": "guideline",
    "clinical guideline": "guideline",
    "research": "research",
    "study": "research",
    "systematic review": "research",
    "meta-analysis": "research",
    "clinical trial": "research",
    "review": "other",
    "drug label": "other",
    "label": "other",
    "other": "other",
    "book": "other",
    "website": "other",
    "praxis": "other",
}
_NUMBERS = r"\d{1,3}(?:(?:\s?,\s?|\s?[-–]\s?)\d{1,3})*"
# After the end of a sentence, before the next sentence, the end of the line, or a bracket.
_AFTER_STOP = re.compile(rf"(?<=[.!?)\]”\"’]) (?P<numbers>{_NUMBERS})(?=[ \t]+[A-Z“\"(]|[ \t]*$)")
# At the very end of a line that has no full stop: an item's last word, then its numbers.
_AT_LINE_END = re.compile(rf"(?<=[\w)\]%”\"’]) (?P<numbers>{_NUMBERS})[ \t]*$")
# Before a number these make it a value or a name, not a citation: "stage 3", "at least 2", "on day 3". A unit that
# is counted already takes no further number: "for 4 weeks 1", "during the first month 1".
_TAKES_NUMBER = re.compile(
    r"(?:\b(?:stages?|grades?|types?|class|classes|phases?|ages?|aged|levels?|steps?|scores?|groups?|parts?|tables?|"
    r"figures?|fig|sections?|chapters?|no|number|category|factor|vitamin|line|version|of|to|than|at|by|in|for|from|over|"
    r"under|above|below|every|least|most|about|around|approximately|only|or|and|between|until|after|before|times|is|are|"
    r"was|were|be|equals?|exceeds?|within|per|nearly|up|reach|reaches|covid|omega|il|cox|sars|cov)"
    r"|(?<!\d )(?<!\d-)(?<!first )(?<!second )(?<!third )(?<!last )(?<!next )(?<!per )(?<!each )(?<!every )(?<!a )"
    r"(?<!the )(?<!one )(?<!few )(?<!several )(?<!many )(?<!two )(?<!three )(?<!four )(?<!six )"
    r"\b(?:days?|weeks?|months?|years?|hours?|minutes?|doses?|cycles?|courses?)"
    r"|[<>≤≥=±×+/–-]|\d)[ -]*$",
    re.IGNORECASE,
)
# A list of a page has some ten entries; a number far beyond its end counts something else.
_BEYOND_THE_LIST = 5


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    before: tuple[str, ...]
    body: tuple[str, ...]
    references: tuple[str, ...]
    related: tuple[str, ...]


def matches(head: bytes, suffix: str) -> bool:
    """Say whether a text file is a captured article page: two signs of its furniture, or its typed references."""
    if suffix not in (".txt", ".text", ""):
        return False
    lines = [line.strip() for line in head.decode("utf-8", "replace").splitlines()]
    signs = (
        any(_STATUS_HEADING.fullmatch(line) for line in lines),
        any(_UPDATED.match(line) for line in lines),
        any(re.match(r"educational purposes? only", line, re.I) for line in lines),
        any(re.match(r"which best describes you\b|help us tailor your", line, re.I) for line in lines),
        any(_RELATED.fullmatch(line) for line in lines),
        any(_starts_references(lines, position) for position in range(len(lines))),
    )
    return sum(signs) >= 2 or signs[-1]


def read(path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield the article of a captured page; the numbers that were superscripts become "[1, 2]".

    Raises UnreadableSource if the page has no article.
    """
    page = _split(remove_hidden(decode(read_bytes(path)).replace("\r\n", "\n").replace("\r", "\n")))
    references = _references(page.references)
    highest = len(references) + _BEYOND_THE_LIST
    # A copied page has one line for each paragraph, heading and bullet, with or without blank lines between them.
    text = "\n\n".join(_raise_numbers(line.rstrip(), highest) for line in page.body if line.strip()).strip()
    if not text:
        raise UnreadableSource("no article text found on the captured page")
    sections, blocks = outline(text)
    inside = [(block.start, block.end) for block in blocks]
    yield check_document(
        Document(
            id=document_id(name),
            title=page.title,
            text=text,
            kind="review",
            question=page.title if page.title.endswith("?") else "",
            sections=sections,
            blocks=blocks,
            references=references,
            markers=tuple(m for m in find_markers(text) if any(a <= m.start < b for a, b in inside)),
            review=Review(_status(page.before)),
            published=_date(page.before, _PUBLISHED),
            last_updated=_date(page.before, _UPDATED),
            related_questions=page.related,
            path=name,
        )
    )


def _split(text: str) -> _Page:
    """Take a page apart into its title, its furniture, its body, its references and its related questions."""
    lines = text.split("\n")
    shown = [line.strip() for line in lines]
    first = next((i for i, line in enumerate(shown) if line and not _FURNITURE.fullmatch(line)), 0)
    references = next((i for i in range(len(lines)) if _starts_references(shown, i)), len(lines))
    if references == len(lines):
        references = next((i for i, line in enumerate(shown) if _REFERENCES.fullmatch(line)), len(lines))
    related = next((i for i, line in enumerate(shown) if i > first and _RELATED.fullmatch(line)), len(lines))
    closing = next((i for i, line in enumerate(shown) if i > first and _CLOSING.fullmatch(line)), len(lines))
    body_end = min(references, related, closing)
    # The page's own lines stand between the title and the article; the last of them is where the article begins.
    furniture = [i for i in range(first + 1, body_end) if _FURNITURE.fullmatch(shown[i])]
    leading = [i for i in furniture if not _is_prose(shown[first + 1 : i])]
    begin = leading[-1] + 1 if leading else first + 1
    return _Page(
        title=shown[first] if shown else "",
        before=tuple(shown[:begin]),
        body=tuple(line for line in lines[begin:body_end] if not _FURNITURE.fullmatch(line.strip())),
        references=tuple(
            line for line in shown[references + 1 : _next(references, related, closing, len(lines))] if line
        ),
        related=tuple(line for line in shown[related + 1 : _next(related, references, closing, len(lines))] if line),
    )


def _next(start: int, *ends: int) -> int:
    return min(end for end in ends if end > start or end == max(ends))


def _is_prose(lines: Sequence[str]) -> bool:
    """Say whether lines hold a sentence of an article: one that cites, or a bullet."""
    return any(
        not _FURNITURE.fullmatch(line) and (line.startswith(("•", "- ")) or bool(_AFTER_STOP.search(line)))
        for line in lines
    )


def _starts_references(lines: Sequence[str], position: int) -> bool:
    """Say whether a typed reference list starts at a line: its heading, and a type as the next line with words."""
    if not _REFERENCES.fullmatch(lines[position]):
        return False
    following = next((line for line in lines[position + 1 :] if line), "")
    return following.lower() in _REFERENCE_KINDS


def _raise_numbers(line: str, highest: int) -> str:
    """Put the citation numbers of a line into brackets.

    Example:
        >>> _raise_numbers("Rest until pain stops. 1, 3 Ice may help in stage 2", 9)
        'Rest until pain stops. [1, 3] Ice may help in stage 2'
    """

    def bracket(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match.group("numbers"))]
        is_value = match.re is _AT_LINE_END and _TAKES_NUMBER.search(line_now[: match.start()])
        if is_value or not numbers or not 0 < min(numbers) <= max(numbers) <= highest:
            return match.group()
        return f" [{match.group('numbers')}]"

    line_now = line
    line_now = _AFTER_STOP.sub(bracket, line_now)
    return _AT_LINE_END.sub(bracket, line_now)


def _references(lines: Sequence[str]) -> tuple[Reference, ...]:
    """Return the entries of a list of three lines each: type, title, source and year."""
    entries: list[list[str]] = []
    for line in lines:
        if line.lower() in _REFERENCE_KINDS:
            entries.append([line])
        elif entries:
            entries[-1].append(line)
        else:
            entries.append(["other", line])
    references = []
    for number, (kind, *rest) in enumerate(entries, start=1):
        where = " ".join(rest[1:])
        year = find_year(where)
        source = re.sub(rf",?\s*\(?{year}\)?[a-z]?\.?\s*$", "", where).strip(" ,.") if year else where
        references.append(
            Reference(
                number=number,
                title=rest[0] if rest else "",
                kind=_REFERENCE_KINDS[kind.lower()],
                source=source,
                year=year,
                doi=clean_doi(where),
            )
        )
    return tuple(references)


def _status(lines: Sequence[str]) -> ReviewStatus:
    """Return the review status that a page states, the least where it does not say which one holds.

    A page that shows all three steps marks the current one by colour, which a copied text has lost.
    """
    stated = {_STATUSES[line.lower()] for line in lines if line.lower() in _STATUSES}
    is_pending = any("pending human review" in line.lower() for line in lines)
    return stated.pop() if len(stated) == 1 and not is_pending else "submitted"


def _date(lines: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    found = (match.group("date") for line in lines if (match := pattern.match(line)))
    return next((date for text in found if (date := find_date(text))), None)
