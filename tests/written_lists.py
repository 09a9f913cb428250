"""Makes lists and tables of every shape in five formats, and says what each item and row must be read under.

Is: seeded, so that the same number gives the same file. Is not: medical advice; the medicines do not exist.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import docx

FORMATS = ("markdown", "html", "docx", "jats", "plain")

_LEADS = (
    "Do not prescribe:",
    "Avoid the following unless a specialist has agreed:",
    "The following must never be given in porphyria:",
    "If cirrhosis is present, reduce the dose of:",
    "People who take anticoagulants should not have",
    "Only when two other medicines have failed, consider:",
    "Stop these before an operation:",
    "Contraindicated in pregnancy:",
    "Not recommended, except in hospital:",
    "The panel no longer advises any of the following.",
    "During dialysis, do not give the following.",
    "Until the kidneys have recovered, withhold:",
    "In adults over 65, start low with:",
    "There is not enough evidence for these treatments.",
    "Offer one of the following:",
    "Side effects that mean stopping at once include:",
    "Unless the potassium is normal, none of these is safe:",
    "What should not be combined is listed below.",
)
_INNER_LEADS = ("in severe disease, never:", "only with a monitor:", "do not combine with:", "unless pregnant:")
_FORMS = ("tablets of any strength", "drops for the eye", "slow infusion", "gel on the skin", "depot injection")
_CAPTIONS = (
    "Table 1. Doses that must not be used in children",
    "Table 2: Medicines to stop before surgery (adults only)",
    "Unsafe in kidney failure",
    "Table 3. Not for people with liver disease",
)
_HEADERS = (("Drug", "Adults", "Children"), ("Medicine", "Do not use in", "Use instead"), ("Name", "Dose", "Maximum"))
_NOTES = ("* at most 8 weeks", "† not in pregnancy", "* only under a specialist", "a Withdrawn in 2019.")
_GROUPS = ("Normal kidneys", "Dialysis", "Neonates", "Over 80 years")
_SYLLABLES = ("zo", "bex", "ka", "lum", "ri", "tav", "ne", "quo", "pib", "dru", "fam", "gos")


@dataclass
class Item:
    """A list item: its words, the one word that no other item has, and the items inside it."""

    text: str
    key: str
    children: list[Item] = field(default_factory=list)


@dataclass
class Table:
    """A table; `groups` are (name or "", rows)."""

    caption: str
    header: tuple[str, ...]
    groups: list[tuple[str, list[tuple[str, ...]]]]
    notes: tuple[str, ...]


@dataclass
class Written:
    """One article: a heading, a paragraph, then a list under its lead-in or a table.

    `under` is, for each item's or row's own word, what it must be read under.
    """

    title: str
    heading: str
    before: str
    lead: str
    items: list[Item]
    table: Table | None
    after: str
    under: dict[str, list[str]]


def make(number: int, *, with_table: bool) -> Written:
    """Return the article of a number: always the same."""
    rng = Random(number)
    serial = iter(range(1000))
    under: dict[str, list[str]] = {}

    def key() -> str:
        return "".join(rng.choice(_SYLLABLES) for _ in range(2)) + f"x{number}n{next(serial)}"

    heading = rng.choice(("Treatment", "Drugs in special groups", "Critical points", "Before an operation"))
    written = Written(
        title=f"Care of condition {number}",
        heading=heading,
        before=rng.choice(("", "Care is shared with the clinic.", "Most people get better within weeks.")),
        lead="",
        items=[],
        table=None,
        after=rng.choice(("", "See the clinic again after a month.")),
        under=under,
    )
    if with_table:
        header = rng.choice(_HEADERS)
        names = rng.sample(_GROUPS, rng.choice((0, 0, 2))) or [""]
        notes = tuple(rng.sample(_NOTES, rng.choice((0, 1, 2))))
        caption = rng.choice((*_CAPTIONS, ""))
        groups = []
        for name in names:
            rows = []
            for _ in range(rng.randint(1, 4)):
                own = key()
                mark = notes[0][0] if notes and notes[0][0] in "*†" else ""
                rows.append(
                    (own.capitalize(), f"{rng.randint(1, 90)} mg {mark}".strip(), rng.choice(("–", "5 mg", "x")))
                )
                under[own] = [*filter(None, (heading, caption, name)), *header, *notes]
            groups.append((name, rows))
        written.table = Table(caption, header, groups, notes)
        return written
    lead = written.lead = rng.choice(_LEADS)

    def item(depth: int, above: list[str]) -> Item:
        own = key()
        text = f"{own} in {rng.choice(_FORMS)}"
        if depth < 2 and rng.random() < 0.3:
            text = f"{text}, {rng.choice(_INNER_LEADS)}"
            inner = [item(depth + 1, [*above, text]) for _ in range(rng.randint(1, 3))]
        else:
            inner = []
            if rng.random() < 0.3:
                text += rng.choice((".", ", which many people keep at home and take without asking anybody about it."))
        under[own] = [heading, *above]
        return Item(text, own, inner)

    written.items = [item(0, [lead]) for _ in range(rng.choice((2, 3, 5, 8, 30)))]
    return written


def write(written: Written, form: str, path: Path, rng: Random) -> None:
    """Write an article in a format; `rng` chooses among the ways that people write it there."""
    _WRITERS[form](written, path, rng)


def _markdown(w: Written, path: Path, rng: Random) -> None:
    lines = [f"---\nid: {path.stem}\ntitle: {w.title}\nyear: 2024\n---\n", f"## {w.heading}\n"]
    lines += [w.before + "\n"] if w.before else []
    if w.table:
        width = len(w.table.header)
        lines += [rng.choice((f"{w.table.caption}\n", f"**{w.table.caption}**\n"))] if w.table.caption else []
        lines += [" | ".join(("", *w.table.header, "")).strip(), "|" + " --- |" * width]
        for name, rows in w.table.groups:
            lines += ["| **" + name + "** |" + " |" * (width - 1)] if name else []
            lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines += ["", *(note.replace("*", r"\*") + "\n" for note in w.table.notes)]
    else:
        lines.append(rng.choice((w.lead, f"**{w.lead}**", f"Care takes time. {w.lead}")) + rng.choice(("\n", "")))
        mark = rng.choice(("-", "*", "1."))
        lines += [f"{'    ' * depth}{mark} {item.text}" for depth, item in _walk(w.items)]
    path.with_suffix(".md").write_text("\n".join([*lines, "", w.after, ""]), encoding="utf-8")


def _html(w: Written, path: Path, rng: Random) -> None:
    body = f"<h1>{w.title}</h1><h2>{w.heading}</h2>" + (f"<p>{w.before}</p>" if w.before else "")
    if w.table:
        cells = "".join(f"<th>{cell}</th>" for cell in w.table.header)
        rows = ""
        for name, group in w.table.groups:
            rows += f'<tr><th colspan="{len(w.table.header)}">{name}</th></tr>' if name else ""
            rows += "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in group)
        in_table = rng.random() < 0.5
        caption, notes = w.table.caption, w.table.notes
        above = f"<caption>{caption}</caption>" if in_table and caption else ""
        width = len(w.table.header)
        foot = "".join(f'<tr><td colspan="{width}">{note}</td></tr>' for note in notes) if in_table else ""
        body += f"<p>{caption}</p>" if not in_table and caption else ""
        body += f"<table>{above}<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody>"
        body += (f"<tfoot>{foot}</tfoot>" if foot else "") + "</table>"
        body += "" if in_table else "".join(f"<p>{note}</p>" for note in notes)
    else:
        tag = rng.choice(("ul", "ol"))
        lead = html.escape(w.lead)
        body += rng.choice(
            (f"<p>{lead}</p>", f"<p><b>{lead}</b></p>", f"<div>{lead}</div>", f"<p>Care takes time. {lead}</p>")
        )
        body += _nested(w.items, tag)
    body += f"<p>{w.after}</p>" if w.after else ""
    page = f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{w.title}</title></head><body>{body}</body></html>"
    path.with_suffix(".html").write_text(page, encoding="utf-8")


def _nested(items: list[Item], tag: str) -> str:
    inner = "".join(f"<li>{html.escape(item.text)}{_nested(item.children, tag)}</li>" for item in items)
    return f"<{tag}>{inner}</{tag}>" if items else ""


def _docx(w: Written, path: Path, rng: Random) -> None:
    word = docx.Document()
    word.add_heading(w.title, 0)
    word.add_heading(w.heading, 1)
    if w.before:
        word.add_paragraph(w.before)
    if w.table:
        if w.table.caption:
            word.add_paragraph(w.table.caption, style=rng.choice(("Caption", None)))
        grid = word.add_table(rows=1, cols=len(w.table.header))
        for cell, text in zip(grid.rows[0].cells, w.table.header, strict=True):
            cell.text = text
        for name, rows in w.table.groups:
            if name:
                cells = grid.add_row().cells
                cells[0].merge(cells[-1]).text = name
            for row in rows:
                for cell, text in zip(grid.add_row().cells, row, strict=True):
                    cell.text = text
        for note in w.table.notes:
            word.add_paragraph(note)
    else:
        lead = word.add_paragraph()
        lead.add_run(w.lead).bold = rng.random() < 0.3
        style = rng.choice(("List Bullet", "List Number"))
        for depth, item in _walk(w.items):
            word.add_paragraph(item.text, style=style + ("" if not depth else f" {depth + 1}"))
    if w.after:
        word.add_paragraph(w.after)
    word.save(str(path.with_suffix(".docx")))


def _jats(w: Written, path: Path, rng: Random) -> None:
    body = f"<sec><title>{w.heading}</title>" + (f"<p>{w.before}</p>" if w.before else "")
    if w.table:
        head = "".join(f"<th>{cell}</th>" for cell in w.table.header)
        rows = ""
        for name, group in w.table.groups:
            rows += f'<tr><td colspan="{len(w.table.header)}"><bold>{name}</bold></td></tr>' if name else ""
            rows += "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in group)
        label, _, words = w.table.caption.partition(". ")
        caption = f"<label>{label}.</label><caption><p>{words}</p></caption>"
        caption = caption if words else f"<caption><title>{w.table.caption}</title></caption>" if label else ""
        notes = "".join(f"<fn><p>{note}</p></fn>" for note in w.table.notes)
        foot = f"<table-wrap-foot>{notes}</table-wrap-foot>" if notes else ""
        body += f"<table-wrap>{caption}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{foot}</table-wrap>"
    else:
        lead, listed = html.escape(w.lead), _jats_list(w.items)
        body += rng.choice(
            (f"<p>{lead}</p>{listed}", f"<p>{lead}{listed}</p>", f"<p>Care takes time. {lead}{listed}</p>")
        )
    body += (f"<p>{w.after}</p>" if w.after else "") + "</sec>"
    path.with_suffix(".xml").write_text(
        "<article article-type='other'><front><article-meta><title-group>"
        f"<article-title>{w.title}</article-title></title-group></article-meta></front><body>{body}</body></article>",
        encoding="utf-8",
    )


def _jats_list(items: list[Item]) -> str:
    inner = "".join(f"<list-item><p>{html.escape(i.text)}</p>{_jats_list(i.children)}</list-item>" for i in items)
    return f'<list list-type="bullet">{inner}</list>' if items else ""


def _plain(w: Written, path: Path, rng: Random) -> None:
    lines = [w.title, "", w.heading, ""]
    lines += [w.before, ""] if w.before else []
    lines += [rng.choice((w.lead, f"Care takes time. {w.lead}"))] + ([""] if rng.random() < 0.5 else [])
    width = rng.choice((72, 10_000))
    marks = rng.choice((("-", "-", "-"), ("•", "o", "-"), ("*", "*", "*"), ("1.", "a)", "-")))
    count = [0, 0, 0]
    for depth, item in _walk(w.items):
        count[depth + 1 :] = [0] * len(count[depth + 1 :])
        count[depth] += 1
        mark = {"1.": f"{count[0]}.", "a)": f"{chr(96 + count[1] % 26)})"}.get(marks[depth], marks[depth])
        pad = "    " * depth
        text = item.text if mark != "o" else item.text.capitalize()
        lines += textwrap.wrap(f"{mark} {text}", width, initial_indent=pad, subsequent_indent=pad + "  ")
    path.with_suffix(".txt").write_text("\n".join([*lines, "", w.after, ""]), encoding="utf-8")


def _walk(items: list[Item], depth: int = 0) -> Iterator[tuple[int, Item]]:
    for item in items:
        yield depth, item
        yield from _walk(item.children, depth + 1)


_WRITERS = {"markdown": _markdown, "html": _html, "docx": _docx, "jats": _jats, "plain": _plain}
