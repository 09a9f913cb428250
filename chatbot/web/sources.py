"""Turns cited passages and references into escaped HTML: cards with the quoted words marked, facts, lists.

Is: what stands behind an answer's numbers, and the small marks that other parts of the page share. Is not: the
answer itself (see `render.py`). `Markup.format` escapes whatever is put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from corpus.citations import find_markers
from corpus.documents import web_link

# Words that turn a sentence around, or that narrow it; a hasty reader must not miss them.
_NEGATION = re.compile(
    r"\b(?:not|no|never|nor|neither|none|without|cannot|avoid(?:s|ed|ing|ance)?|contraindicat\w+|unless|except"
    r"|only (?:if|when|after|until|once|for|in)|ineffective|insufficient|lack(?:s|ing)?|fail(?:s|ed)?|refrain\w*)\b|\w+n['’]t\b",
    re.IGNORECASE,
)

KINDS: Mapping[str, str] = {
    "guideline": "Guideline",
    "research": "Research",
    "review": "Review",
    "patient-information": "Patient information",
    "other": "Other source",
}
STATUSES: Mapping[str | None, str] = {
    "submitted": "Submitted, not yet reviewed",
    "under_review": "Under review",
    "approved": "Approved",
    None: "No review status",
}
FEEDBACK_KINDS: tuple[tuple[str, str], ...] = (
    ("helpful", "Helpful"),
    ("wrong_passage", "Wrong passage"),
    ("outdated", "Outdated"),
    ("unsafe", "Unsafe"),
)


def join(parts: Iterable[Markup | str]) -> Markup:
    """Return the parts as one; those that are not markup are escaped."""
    return Markup("").join(parts)


def emphasised(text: str, *, references: frozenset[int] = frozenset()) -> Markup:
    """Return text with its negations emphasised and the source's own reference marks set apart.

    The text itself is unchanged: without the tags it is what was given.
    """
    parts, last = [], 0
    for mark in find_markers(text):
        parts.append(negations(text[last : mark.start]))
        known = references & set(mark.numbers)
        cites = " ".join(str(number) for number in mark.numbers if number in known)
        parts.append(
            Markup(
                '<span class="own-marker" data-cites="{}" title="Reference mark of the source itself">{}</span>'
            ).format(cites, text[mark.start : mark.end])
        )
        last = mark.end
    return join([*parts, negations(text[last:])])


def negations(text: str) -> Markup:
    """Return text with its negations emphasised."""
    parts, last = [], 0
    for match in _NEGATION.finditer(text):
        parts += [escape(text[last : match.start()]), Markup('<em class="negation">{}</em>').format(match.group())]
        last = match.end()
    return join([*parts, escape(text[last:])])


def passages(reply: Mapping[str, Any], position: int) -> Markup:
    """Return the cited passages as cards with their quotes marked; `position` is that of the turn."""
    return join(_passage(passage, reply["statements"], position) for passage in reply["passages"])


def kind_badge(kind: str) -> Markup:
    """Return the mark of a document's or a reference's kind."""
    return Markup('<span class="badge kind" data-kind="{}">{}</span>').format(kind, KINDS.get(kind, kind))


def web_anchor(link: str, words: str) -> Markup:
    """Return a link to another site; `link` has gone through `web_link`."""
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(link, words)


def facts(row: Mapping[str, Any]) -> Markup:
    """Return kind, year, page and review status of a passage as short marks."""
    marks = [
        kind_badge(row["kind"]),
        escape(row["year"] or "No date"),
        *([escape(f"page {row['page']}")] if row.get("page") else []),
        Markup('<span class="status" data-status="{}">{}</span>').format(
            row["review_status"] or "none", STATUSES.get(row["review_status"], row["review_status"])
        ),
        *(Markup('<span class="badge flag">{}</span>').format(flag.replace("_", " ")) for flag in row.get("flags", ())),
    ]
    return Markup(' <span class="dot" aria-hidden="true">·</span> ').join(marks)


def _passage(passage: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], position: int) -> Markup:
    link = web_link(passage["url"] or "")
    return Markup(
        '<article class="passage" data-passage="{}" data-number="{}" tabindex="-1" aria-label="Source {}">'
        '<header><span class="number" aria-hidden="true">{}</span><h3>{}</h3><p class="facts">{}</p>{}</header>'
        '<div class="passage-text">{}</div>{}<footer><button type="button" class="link open-article" '
        'data-document="{}" data-start="{}" data-end="{}">Open in the article</button>{}{}</footer></article>'
    ).format(
        passage["passage_id"],
        passage["number"],
        passage["number"],
        passage["number"],
        passage["title"],
        facts(passage),
        Markup('<p class="path">{}</p>').format(" › ".join(passage["section"])) if passage["section"] else "",
        _quoted_text(passage, statements),
        references(passage["references"], "The quoted words cite"),
        passage["document_id"],
        passage["start"],
        passage["end"],
        web_anchor(link, "Source on the web") if link else "",
        feedback_form(position, passage["number"]),
    )


def _quoted_text(passage: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the passage line by line, the words of each statement that cites it marked."""
    text, known = passage["text"], frozenset(entry["number"] for entry in passage["references"])
    quotes = sorted(
        (*place, number)
        for number, row in enumerate(statements)
        if passage["number"] in row["citations"] and (place := quote_place(row, passage))
    )
    lines, start = [], 0
    for line in text.split("\n"):
        end, at, parts = start + len(line), start, []
        for begin, stop, number in quotes:
            begin, stop = max(begin, at), min(stop, end)
            if begin < stop:
                parts += [
                    emphasised(text[at:begin], references=known),
                    Markup('<mark class="quote" data-statement="{}">{}</mark>').format(
                        number, emphasised(text[begin:stop], references=known)
                    ),
                ]
                at = stop
        parts.append(emphasised(text[at:end], references=known))
        if line.strip():
            lines.append(Markup("<p>{}</p>").format(join(parts)))
        start = end + 1
    return join(lines)


def quote_place(statement: Mapping[str, Any], passage: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return where a statement's words stand in a passage's text, half-open, or None if they do not.

    Its offsets count only if the words there are the same; the words are looked for otherwise.
    """
    text, words = passage["text"], statement["text"]
    begin = statement.get("start", 0) - passage["start"]
    if words and begin >= 0 and text[begin : begin + len(words)] == words:
        return begin, begin + len(words)
    found = text.find(words) if words else -1
    return (found, found + len(words)) if found >= 0 else None


def references(rows: Sequence[Mapping[str, Any]], heading: str) -> Markup:
    """Return a numbered list of references with type badges and links."""
    if not rows:
        return Markup("")
    return Markup('<section class="cited"><h4>{}</h4><ul class="references">{}</ul></section>').format(
        heading, join(reference(row) for row in rows)
    )


def reference(row: Mapping[str, Any]) -> Markup:
    """Return one reference as a list item; its number is that of its own article."""
    authors = ", ".join(row.get("authors") or ())
    details = ". ".join(part for part in (authors, row["source"], str(row["year"] or "")) if part)
    link = web_link(row["url"] or "")
    title = web_anchor(link, row["title"]) if link else escape(row["title"])
    return Markup(
        '<li class="reference" data-reference="{0}"><span class="reference-number">{0}</span>{1} {2} '
        '<span class="details">{3}</span></li>'
    ).format(row["number"], kind_badge(row["kind"]), title, details)


def feedback_form(position: int, citation: int | None) -> Markup:
    """Return a fold with the form for feedback on an answer, or on one of its citations."""
    kinds = join(
        Markup('<label><input type="radio" name="kind" value="{}" required> {}</label>').format(value, words)
        for value, words in FEEDBACK_KINDS
    )
    about = "this answer" if citation is None else f"source {citation}"
    return Markup(
        '<details class="feedback"><summary>Feedback<span class="visually-hidden"> on {0}</span></summary>'
        '<form class="feedback-form" data-position="{1}" data-citation="{2}"><fieldset><legend>Is {0} right?</legend>'
        '{3}</fieldset><label class="comment">Comment <textarea name="comment" rows="2" maxlength="2000"></textarea>'
        '</label><button type="submit" class="small">Send feedback</button><span class="sent" role="status"></span>'
        "</form></details>"
    ).format(about, position, "" if citation is None else citation, kinds)
