"""Turns an article into escaped HTML: its status, its body with marks that open their reference, its references.

Is: markup for a `Document`. Is not: a parser; what the readers made of a source is what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup, escape

from chatbot.web.sources import join, kind_badge, reference
from corpus.builder import CELL_SEPARATOR
from corpus.documents import Block, Document, Span, web_link

_STEPS = (("submitted", "Submitted"), ("under_review", "Under review"), ("approved", "Approved"))
# Headings below the article's own, which is the second of the page.
_FIRST_HEADING, _LAST_HEADING = 3, 6


def review_strip(document: Document) -> Markup:
    """Return the steps of the human review, how far this article has come, and the caution unless approved."""
    status = document.review_status
    reached = next((place for place, (code, _) in enumerate(_STEPS) if code == status), -1)
    steps = join(
        Markup('<li class="{}"{}>{}</li>').format(
            "reached" if place <= reached else "ahead",
            Markup(' aria-current="step"') if place == reached else "",
            words,
        )
        for place, (_, words) in enumerate(_STEPS)
    )
    updated = (
        Markup('<span class="updated">Last updated <time>{}</time></span>').format(document.last_updated)
        if document.last_updated
        else Markup('<span class="updated">No date of update</span>')
    )
    if status == "approved":
        reviewer = document.review.reviewer if document.review else ""
        caution = Markup('<p class="reviewed">Approved{}.</p>').format(f" by {reviewer}" if reviewer else "")
    elif status is None:
        caution = Markup('<p class="pending">This source came without a review status. Use it with care.</p>')
    else:
        caution = Markup('<p class="pending">Pending human review: no clinician has approved this article yet.</p>')
    return Markup('<ol class="steps" aria-label="Review status">{}</ol>{}{}').format(steps, updated, caution)


def article(document: Document, opens: Mapping[str, str]) -> Markup:
    """Return the whole article; `opens` maps its related questions to the ids of the articles that answer them."""
    return join([_head(document), _body(document), _references(document), _related(document, opens)])


def _head(document: Document) -> Markup:
    link = web_link(document.url)
    facts = [
        kind_badge(document.kind),
        *([escape(document.topic)] if document.topic else []),
        escape(document.published or "No date"),
        *([escape(document.source)] if document.source else []),
        *([escape(f"Licence {document.licence}")] if document.licence else []),
        *(
            [Markup('<a href="{}" target="_blank" rel="noopener noreferrer">On the web</a>').format(link)]
            if link
            else []
        ),
        *(Markup('<span class="badge flag">{}</span>').format(flag.replace("_", " ")) for flag in document.flags),
    ]
    replaced = (
        Markup('<p class="notice">Replaced by a newer source: {}</p>').format(document.superseded_by)
        if document.superseded_by
        else ""
    )
    asked = document.question if document.question and document.question != document.title else ""
    return Markup('<header><h2 tabindex="-1">{}</h2>{}<p class="facts">{}</p>{}</header>').format(
        document.title or document.id,
        Markup('<p class="question">{}</p>').format(asked) if asked else "",
        Markup(' <span class="dot" aria-hidden="true">·</span> ').join(facts),
        replaced,
    )


def _body(document: Document) -> Markup:
    # Sections may hold no block of their own; their headings are shown all the same.
    parts, blocks = [], list(document.blocks)
    items = {(block.start, block.end) for block in blocks if block.kind == "item"}
    headers = {span for block in blocks if block.kind == "row" for span in block.lead_ins[-1:]}
    for place, section in enumerate(document.sections):
        if section.path:
            parts.append(_heading(section.path))
        own = [block for block in blocks if block.section == place and (block.start, block.end) not in headers]
        for (kind, _), run in groupby(own, key=_together):
            match kind:
                case "item":
                    parts.append(_list(document, list(run), items))
                case "row":
                    parts.append(_table(document, list(run)))
                case _:
                    parts += [_paragraph(document, block) for block in run]
    return Markup('<div class="body">{}</div>').format(join(parts))


def _together(block: Block) -> tuple[str, tuple[Span, ...]]:
    """Return what neighbouring blocks must share to stand in one list or table."""
    return block.kind, block.lead_ins if block.kind == "row" else ()


def _heading(path: Sequence[str]) -> Markup:
    level = min(_FIRST_HEADING + len(path) - 1, _LAST_HEADING)
    return Markup("<h{0}>{1}</h{0}>").format(level, path[-1])


def _paragraph(document: Document, block: Block) -> Markup:
    tag = {"caption": "caption-line", "note": "table-note"}.get(block.kind, "")
    return Markup('<p class="block {}"{}>{}</p>').format(tag, _place(block), inline(document, block.start, block.end))


def _list(document: Document, blocks: Sequence[Block], items: set[Span]) -> Markup:
    """Return nested lists; an item's depth is how many items stand above it."""
    out, depth = [Markup("<ul>")], 0
    for position, block in enumerate(blocks):
        wanted = min(sum(span in items for span in block.lead_ins), depth + 1) if position else 0
        if position:
            out.append(Markup("<ul>") if wanted > depth else Markup("</li></ul>") * (depth - wanted) + Markup("</li>"))
        depth = wanted
        out.append(Markup('<li class="block"{}>{}').format(_place(block), inline(document, block.start, block.end)))
    return join([*out, Markup("</li></ul>") * (depth + 1)])


def _table(document: Document, blocks: Sequence[Block]) -> Markup:
    lead_in = blocks[0].lead_ins[-1:] if blocks[0].lead_ins else ()
    header = "".join(document.text[start:end] for start, end in lead_in)
    width = header.count(CELL_SEPARATOR)
    # A cell that holds the separator itself would slide its neighbours under wrong headings.
    if any(document.text[block.start : block.end].count(CELL_SEPARATOR) != width for block in blocks):
        lines = [Markup('<p class="block">{}</p>').format(header)] if header else []
        return join([*lines, *(_paragraph(document, block) for block in blocks)])
    head = join(
        Markup("<tr>{}</tr>").format(
            join(Markup('<th scope="col">{}</th>').format(cell) for cell in _cells(document, start, end))
        )
        for start, end in lead_in
    )
    rows = join(
        Markup('<tr class="block"{}>{}</tr>').format(
            _place(block), join(Markup("<td>{}</td>").format(cell) for cell in _cells(document, block.start, block.end))
        )
        for block in blocks
    )
    return Markup(
        '<div class="table" role="region" aria-label="Table" tabindex="0"><table><thead>{}</thead><tbody>{}</tbody>'
        "</table></div>"
    ).format(head, rows)


def _cells(document: Document, start: int, end: int) -> Iterator[Markup]:
    for cell in document.text[start:end].split(CELL_SEPARATOR):
        yield inline(document, start, start + len(cell))
        start += len(cell) + len(CELL_SEPARATOR)


def _place(block: Block) -> Markup:
    return Markup(' data-start="{}" data-end="{}"').format(block.start, block.end)


def inline(document: Document, start: int, end: int) -> Markup:
    """Return a run of the text with its bold words, and its marks as buttons that open their references."""
    marks = [mark for mark in document.markers if start <= mark.start and mark.end <= end]
    parts, at = [], start
    for mark in marks:
        known = [number for number in mark.numbers if document.reference(number)]
        parts.append(_bold(document, at, mark.start))
        shown = document.text[mark.start : mark.end]
        if known:
            parts.append(
                Markup(
                    '<button type="button" class="marker" data-references="{}" aria-expanded="false" '
                    'aria-label="Show reference {}">{}</button>'
                ).format(" ".join(map(str, known)), ", ".join(map(str, known)), shown)
            )
        else:
            parts.append(Markup('<span class="marker dangling" title="No such reference">{}</span>').format(shown))
        at = mark.end
    return join([*parts, _bold(document, at, end)])


def _bold(document: Document, start: int, end: int) -> Markup:
    parts, at = [], start
    for begin, stop in document.bold:
        begin, stop = max(begin, at), min(stop, end)
        if begin < stop:
            parts += [
                escape(document.text[at:begin]),
                Markup("<strong>{}</strong>").format(document.text[begin:stop]),
            ]
            at = stop
    return join([*parts, escape(document.text[at:end])])


def _references(document: Document) -> Markup:
    if not document.references:
        return Markup("")
    rows = [
        {
            "number": entry.number,
            "kind": entry.kind,
            "title": entry.title,
            "source": entry.source,
            "year": entry.year,
            "url": entry.url,
            "authors": entry.authors,
        }
        for entry in document.references
    ]
    return Markup(
        '<section class="all-references" aria-label="References"><h3>References</h3><ul class="references">{}</ul>'
        "</section>"
    ).format(join(reference(row) for row in rows))


def _related(document: Document, opens: Mapping[str, str]) -> Markup:
    if not document.related_questions:
        return Markup("")
    rows = join(
        Markup('<li><button type="button" class="{}" data-document="{}" data-question="{}">{}</button></li>').format(
            "link open-article" if text in opens else "link ask-this", opens.get(text, ""), text, text
        )
        for text in document.related_questions
    )
    return Markup(
        '<section class="related-articles" aria-label="Related questions"><h3>Related questions</h3><ul>{}</ul>'
        "</section>"
    ).format(rows)
