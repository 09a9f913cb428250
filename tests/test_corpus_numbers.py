"""Numbers survive every format: 81 small files made here, each with a number that a careless reader would change.

A footnote mark must not become a digit of the dose, a power not a factor, a child's dose not an adult's.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from written_pdf import Page, pdf

from corpus.documents import Document
from corpus.load import load
from corpus.readers import pdf as pdf_reader

# A text as its look: (words, "" | "sup" | "sub" | "break", which ends a line where the format has lines).
Look = Sequence[tuple[str, str]]

TEXTS: dict[str, tuple[Look, str]] = {
    "footnote mark on a dose": ((("Take 2", ""), ("1", "sup"), (" tablets daily.", "")), "Take 2¹ tablets daily."),
    "power": ((("Platelets fell below 150 x 10", ""), ("9", "sup"), ("/L.", "")), "Platelets fell below 150 x 10⁹/L."),
    "negative power": ((("It is 5 x 10", ""), ("-3", "sup"), (" mol.", "")), "It is 5 x 10⁻³ mol."),
    "index": ((("Give PGE", ""), ("2", "sub"), (" 3 mg.", "")), "Give PGE₂ 3 mg."),
    "square": ((("Give 75 mg/m", ""), ("2", "sup"), (" weekly.", "")), "Give 75 mg/m² weekly."),
    "comparisons": ((("Stop at ≥ 5 or ≤ 3 mmol/L.", ""),), "Stop at ≥ 5 or ≤ 3 mmol/L."),
    "micro": ((("Give 25 µg, not 25 mg.", ""),), "Give 25 µg, not 25 mg."),
    "fraction": ((("Give ½ tablet and 1¼ later.", ""),), "Give ½ tablet and 1¼ later."),
    "broken range": ((("Adults take a single dose of 5–", ""), ("", "break"), ("10 mg.", "")), "Adults take a single dose of 5–10 mg."),
    "plus or minus": ((("It was 5 ± 2 mg (−3 °C).", ""),), "It was 5 ± 2 mg (−3 °C)."),
}  # fmt: skip
PDF_ONLY_ASCII = {"≥": "\xb3", "≤": "\xa3", "−": "\x2d"}


def write_jats(path: Path, look: Look) -> None:
    """One paragraph of an article."""
    path.with_suffix(".xml").write_text(
        f'<article article-type="other"><front/><body><p>{_tagged(look)}</p></body></article>', encoding="utf-8"
    )


def write_medline(path: Path, look: Look) -> None:
    """One abstract."""
    path.with_suffix(".xml").write_text(
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>T</ArticleTitle>"
        f"<Abstract><AbstractText>{_tagged(look)}</AbstractText></Abstract></Article></MedlineCitation>"
        "</PubmedArticle></PubmedArticleSet>",
        encoding="utf-8",
    )


def write_html(path: Path, look: Look) -> None:
    """One page."""
    page = f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><p>{_tagged(look)}</p></body></html>"
    path.with_suffix(".html").write_text(page, encoding="utf-8")


def write_markdown(path: Path, look: Look) -> None:
    """One article, tags and all."""
    path.with_suffix(".md").write_text(f"---\ntitle: T\n---\n{_tagged(look)}\n", encoding="utf-8")


def write_docx(path: Path, look: Look) -> None:
    """One paragraph in Word."""
    word = docx.Document()
    paragraph = word.add_paragraph()
    for words, kind in look:
        run = paragraph.add_run(words)
        if kind in ("sup", "sub"):
            setattr(run.font, {"sup": "superscript", "sub": "subscript"}[kind], True)
    word.save(str(path.with_suffix(".docx")))


def write_plain(path: Path, look: Look) -> None:
    """One text, raised characters as Unicode has them."""
    raised = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
    lowered = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    change = {"sup": raised, "sub": lowered, "": {}, "break": {}}
    text = "".join("\n" if kind == "break" else words.translate(change[kind]) for words, kind in look)
    path.with_suffix(".txt").write_text(text, encoding="utf-8")


def write_pdf(path: Path, look: Look) -> None:
    """One page in a font of equal widths, so that every character's place is known."""
    page = Page()
    x, y = 50.0, 700.0
    for words, kind in look:
        if kind == "break":
            x, y = 50.0, y - 12
        size, rise = {"sup": (6.0, 4.0), "sub": (6.0, -2.0)}.get(kind, (10.0, 0.0))
        for char in words:
            symbol = PDF_ONLY_ASCII.get(char)
            page.text(x, y + rise, symbol or char, size, "symbol" if symbol else "mono")
            x += 0.6 * size
    path.with_suffix(".pdf").write_bytes(pdf(page))


def _tagged(look: Look) -> str:
    return "".join(
        f"<{kind}>{html.escape(words)}</{kind}>" if kind in ("sup", "sub") else html.escape(words)
        for words, kind in look
        if kind != "break"
    )


WRITERS: dict[str, Callable[[Path, Look], None]] = {
    "jats": write_jats,
    "medline": write_medline,
    "html": write_html,
    "markdown": write_markdown,
    "docx": write_docx,
    "plain": write_plain,
    "pdf": write_pdf,
}


def read(folder: Path) -> Document:
    """Read the one file of a folder; a PDF in this process, which is faster."""
    (path,) = folder.iterdir()
    (document,) = pdf_reader.read(path, name=path.name) if path.suffix == ".pdf" else load([folder])
    assert isinstance(document, Document), document
    return document


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("form", WRITERS)
def test_a_number_survives(tmp_path: Path, form: str, kind: str) -> None:
    """In every format, whatever raises, lowers or breaks it."""
    look, expected = TEXTS[kind]
    WRITERS[form](tmp_path / "a", look)
    assert read(tmp_path).text == expected


HEAD, ROWS = ("Drug", "Adults", "Children"), (("A", "", "5 mg"), ("B", "10 mg", ""))


def table_jats(path: Path) -> None:
    """A table in an article."""
    cells = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in ROWS)
    head = "".join(f"<th>{c}</th>" for c in HEAD)
    table = f"<table-wrap><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table></table-wrap>"
    path.with_suffix(".xml").write_text(f'<article article-type="other"><front/><body>{table}</body></article>')


def table_html(path: Path) -> None:
    """A table on a page."""
    cells = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in (HEAD, *ROWS))
    cells = cells.replace("<td>", "<th>", 3).replace("</td>", "</th>", 3)
    path.with_suffix(".html").write_text(f"<!DOCTYPE html><html><body><table>{cells}</table></body></html>")


def table_markdown(path: Path) -> None:
    """A table in Markdown."""
    rows = "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("---",) * 3, *ROWS))
    path.with_suffix(".md").write_text(rows)


def table_docx(path: Path) -> None:
    """A table in Word."""
    word = docx.Document()
    table = word.add_table(3, 3)
    for cell, text in zip(table._cells, [c for row in (HEAD, *ROWS) for c in row], strict=True):
        cell.text = text
    word.save(str(path.with_suffix(".docx")))


def table_pdf(path: Path) -> None:
    """A table without a line drawn."""
    page = Page()
    for n, row in enumerate((HEAD, *ROWS)):
        for x, cell in zip((50, 200, 350), row, strict=True):
            page.text(x, 700 - 14 * n, cell)
    path.with_suffix(".pdf").write_bytes(pdf(page))


@pytest.mark.parametrize("write", [table_jats, table_html, table_markdown, table_docx, table_pdf])
def test_a_childs_dose_stays_under_children(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """An empty cell keeps its place, and every row stands under the header."""
    write(tmp_path / "a")
    d = read(tmp_path)
    rows = [b for b in d.blocks if b.kind == "row"]
    assert [d.text[b.start : b.end] for b in rows] == ["A | – | 5 mg", "B | 10 mg | –"]
    assert all([d.text[s:e] for s, e in b.lead_ins] == ["Drug | Adults | Children"] for b in rows)
    assert all(b.uncertain for b in rows) == (write is table_pdf)


def doubtful_pdf_scan(path: Path) -> None:
    """Text that a machine put behind a picture."""
    path.write_bytes(pdf(Page().box(0, 0, 595, 842, "0.9 0.9 0.9").text(50, 700, "Give 5 mg.", mode=3)))


def doubtful_pdf_flat_mark(path: Path) -> None:
    """A small digit on the base line."""
    path.write_bytes(
        pdf(Page().text(50, 700, "Give 2", font="mono").text(86, 700, "1", 6, "mono").text(95, 700, "tablets"))
    )


def doubtful_pdf_broken_number(path: Path) -> None:
    """A number over two lines."""
    page = Page()
    page.lines(50, 700, "The whole dose that was given came to about 1\n000 mg.")
    path.write_bytes(pdf(page))


def doubtful_docx_symbol(path: Path) -> None:
    """A character of a symbol font that nobody can name."""
    word = docx.Document()
    word.add_paragraph("Give ").add_run()._r.append(
        parse_xml(f'<w:sym {nsdecls("w")} w:font="Wingdings" w:char="F04A"/>')
    )
    word.save(str(path))


def doubtful_jats_picture(path: Path) -> None:
    """A formula that is only a picture."""
    body = "<p>Give <inline-formula><inline-graphic/></inline-formula> mg.</p>"
    path.write_text(f'<article article-type="other"><front/><body>{body}</body></article>')


def doubtful_jats_row(path: Path) -> None:
    """A row with a cell too few: its dose may belong to the next column."""
    rows = "<tr><th>Drug</th><th>Adults</th><th>Children</th></tr><tr><td>A</td><td>5 mg</td></tr>"
    body = f"<table-wrap><table>{rows}</table></table-wrap>"
    path.write_text(f'<article article-type="other"><front/><body>{body}</body></article>')


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (doubtful_pdf_scan, "a.pdf"),
        (doubtful_pdf_flat_mark, "a.pdf"),
        (doubtful_pdf_broken_number, "a.pdf"),
        (doubtful_docx_symbol, "a.docx"),
        (doubtful_jats_picture, "a.xml"),
        (doubtful_jats_row, "a.xml"),
    ],
)
def test_what_cannot_be_known_is_marked(tmp_path: Path, write: Callable[[Path], None], name: str) -> None:
    """The statement that quotes it says that the number should be checked in the source."""
    write(tmp_path / name)
    d: Any = read(tmp_path)
    assert d.blocks[-1].uncertain
