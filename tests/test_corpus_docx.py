"""Word documents, written by the tests themselves: structure, footnotes, numbers, what an editor hid or deleted."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor

from corpus.documents import Document, Rejected
from corpus.load import load

W = nsdecls("w")


def read(folder: Path, write: Callable[[Any], None]) -> Document:
    """Let `write` fill a new Word document, and read it."""
    word = docx.Document()
    write(word)
    word.save(str(folder / "a.docx"))
    (document,) = load([folder])
    assert isinstance(document, Document), document
    return document


def shown(d: Document) -> list[Any]:
    """Return (section path, kind, words, lead-ins) of every block."""
    return [
        (d.sections[b.section].path, b.kind, d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins])
        for b in d.blocks
    ]


def with_notes(path: Path, notes: dict[int, str]) -> None:
    """Add a footnotes part to a saved file; its text calls them by id."""
    body = "".join(
        f'<w:footnote w:id="{n}"><w:p><w:r><w:t>{t}</w:t></w:r></w:p></w:footnote>' for n, t in notes.items()
    )
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(
            "word/footnotes.xml", f'<w:footnotes {W}><w:footnote w:id="-1" w:type="separator"/>{body}</w:footnotes>'
        )


def call_note(paragraph: Any, number: int) -> None:
    """Call a footnote at the end of a paragraph."""
    paragraph._p.append(parse_xml(f'<w:r {W}><w:footnoteReference w:id="{number}"/></w:r>'))


def test_headings_lists_and_tables(tmp_path: Path) -> None:
    """Styles decide; the title is no section; nested items keep their parents."""

    def write(word: Any) -> None:
        word.add_heading("Leg cramp", 0)
        word.add_paragraph("Rest helps.")
        word.add_heading("Drugs", 1)
        word.add_paragraph("Avoid:")
        word.add_paragraph("quinine", style="List Bullet")
        word.add_paragraph("in any dose", style="List Bullet 2")
        word.add_paragraph("alcohol", style="List Bullet")
        word.add_paragraph("Doses", style="Caption")
        table = word.add_table(2, 3)
        for cell, text in zip(table._cells, ("Drug", "Adults", "Children", "A", "", "5 mg"), strict=True):
            cell.text = text

    d = read(tmp_path, write)
    assert (d.id, d.title) == ("a", "Leg cramp")
    assert shown(d) == [
        ((), "paragraph", "Rest helps.", []),
        (("Drugs",), "paragraph", "Avoid:", []),
        (("Drugs",), "item", "quinine", ["Avoid:"]),
        (("Drugs",), "item", "in any dose", ["Avoid:", "quinine"]),
        (("Drugs",), "item", "alcohol", ["Avoid:"]),
        (("Drugs",), "caption", "Doses", []),
        (("Drugs",), "caption", "Drug | Adults | Children", []),
        (("Drugs",), "row", "A | – | 5 mg", ["Doses", "Drug | Adults | Children"]),
    ]


def test_merged_cells_keep_their_columns(tmp_path: Path) -> None:
    """Across and down."""

    def write(word: Any) -> None:
        table = word.add_table(4, 3)
        for cell, text in zip(
            table._cells, ("Drug", "Adults", "Children", "", "", "", "A", "", "5 mg", "", "9 mg", ""), strict=True
        ):
            cell.text = text
        table.cell(1, 0).merge(table.cell(1, 2)).text = "Tablets"
        table.cell(2, 0).merge(table.cell(3, 0))

    rows = [(words, lead_ins[-1]) for _, kind, words, lead_ins in shown(read(tmp_path, write)) if kind == "row"]
    assert rows == [
        ("Tablets", "Drug | Adults | Children"), ("A | – | 5 mg", "Tablets"), ("A | 9 mg | –", "Tablets"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "raised", "after", "text"),
    [
        ("10", "9", "/L", "10⁹/L"),
        ("2", "1", " tablets", "2¹ tablets"),
        ("Ca", "2+", "", "Ca²⁺"),
        ("the 1", "st", " day", "the 1st day"),
    ],
)
def test_raised_characters_stay_apart(tmp_path: Path, before: str, raised: str, after: str, text: str) -> None:
    """By superscript or by a raised position."""

    def write(word: Any) -> None:
        for by_hand in (False, True):
            paragraph = word.add_paragraph(before)
            run = paragraph.add_run(raised)
            if by_hand:
                run._r.get_or_add_rPr().append(parse_xml(f'<w:position {W} w:val="6"/>'))
            else:
                run.font.superscript = True
            paragraph.add_run(after)

    assert [words for _, _, words, _ in shown(read(tmp_path, write))] == [text, text]


def test_symbol_characters_are_what_they_show(tmp_path: Path) -> None:
    """≥ and µ from the Symbol font; one that is not known makes its block uncertain."""

    def write(word: Any) -> None:
        for code in ("F0B3", "F06D", "F0FF"):
            run = word.add_paragraph("x ").add_run()
            run._r.append(parse_xml(f'<w:sym {W} w:font="Symbol" w:char="{code}"/>'))

    d = read(tmp_path, write)
    assert [(words, b.uncertain) for b, (_, _, words, _) in zip(d.blocks, shown(d), strict=True)] == [
        ("x ≥", False), ("x µ", False), ("x \ufffd", True),
    ]  # fmt: skip


def _deleted(run: Any) -> None:
    parent = run._r.getparent()
    wrapper = OxmlElement("w:del")
    parent.replace(run._r, wrapper)
    wrapper.append(run._r)


@pytest.mark.parametrize(
    "hide",
    [
        lambda run: setattr(run.font, "hidden", True),
        lambda run: setattr(run.font, "strike", True),
        lambda run: setattr(run.font.color, "rgb", RGBColor(255, 255, 255)),
        lambda run: setattr(run.font, "size", Pt(1)),
        _deleted,
    ],
)
def test_hidden_and_deleted_text_is_never_quoted(tmp_path: Path, hide: Callable[[Any], None]) -> None:
    """Vanished, struck, white, tiny, deleted in a revision."""

    def write(word: Any) -> None:
        paragraph = word.add_paragraph("Rest.")
        hide(paragraph.add_run(" Secret."))
        inserted = parse_xml(f'<w:ins {W}><w:r><w:t xml:space="preserve"> Go.</w:t></w:r></w:ins>')
        paragraph._p.append(inserted)

    assert read(tmp_path, write).text == "Rest. Go."


def test_white_text_on_a_shaded_cell_is_seen(tmp_path: Path) -> None:
    """A table's head is often white on blue."""

    def write(word: Any) -> None:
        table = word.add_table(2, 2)
        for cell, text in zip(table._cells, ("Drug", "Dose", "A", "5 mg"), strict=True):
            cell.paragraphs[0].add_run(text).font.color.rgb = RGBColor(255, 255, 255)
            cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {W} w:val="clear" w:fill="003366"/>'))

    assert shown(read(tmp_path, write))[-1][2:] == ("A | 5 mg", ["Drug | Dose"])


def test_footnotes_travel_with_their_paragraph(tmp_path: Path) -> None:
    """A note that limits a dose is named by the paragraph that calls it, and parts no list from its lead-in."""
    word = docx.Document()
    call_note(word.add_paragraph("Take 2"), 1)
    call_note(word.add_paragraph("Avoid:"), 2)
    word.add_paragraph("quinine", style="List Bullet")
    word.save(str(tmp_path / "a.docx"))
    with_notes(tmp_path / "a.docx", {1: "At most 8 weeks.", 2: "In adults."})
    (d,) = load([tmp_path])
    assert isinstance(d, Document)
    assert [(d.text[b.start : b.end], b.kind, [d.text[s:e] for s, e in b.notes]) for b in d.blocks] == [
        ("Take 2¹", "paragraph", ["At most 8 weeks."]),
        ("At most 8 weeks.", "note", []),
        ("Avoid:²", "paragraph", ["In adults."]),
        ("In adults.", "note", []),
        ("quinine", "item", []),
    ]
    assert shown(d)[-1][3] == ["Avoid:²"]


def test_footnotes_that_are_sources_become_the_reference_list(tmp_path: Path) -> None:
    """Their marks become citations."""
    word = docx.Document()
    call_note(word.add_paragraph("Rest helps."), 1)
    call_note(word.add_paragraph("Ice helps."), 2)
    word.save(str(tmp_path / "a.docx"))
    with_notes(tmp_path / "a.docx", {1: "Ito K. Rest. J Rest. 2001;1:2.", 2: "Lund P. Ice. J Ice. 2002;1:2."})
    (d,) = load([tmp_path])
    assert isinstance(d, Document)
    assert (d.text, [m.numbers for m in d.markers]) == ("Rest helps. [1]\nIce helps. [2]", [(1,), (2,)])
    assert [(r.number, r.title) for r in d.references] == [(1, "Rest"), (2, "Ice")]


def test_a_printed_list_is_cited_by_superscripts(tmp_path: Path) -> None:
    """A reference heading, numbered entries, raised numbers after a full stop; a power is no citation."""

    def write(word: Any) -> None:
        paragraph = word.add_paragraph("Rest helps.")
        paragraph.add_run("1,2").font.superscript = True
        paragraph.add_run(" Counts fell below 10")
        paragraph.add_run("2").font.superscript = True
        word.add_heading("References", 1)
        word.add_paragraph("1. Ito K. Rest. J Rest. 2001;1:2.")
        word.add_paragraph("2. Lund P. Ice. J Ice. 2002;1:2.")

    d = read(tmp_path, write)
    assert (d.text, [m.numbers for m in d.markers]) == ("Rest helps. [1,2] Counts fell below 10²", [(1, 2)])


def test_bold_lines_are_headings_where_no_style_says_so(tmp_path: Path) -> None:
    """Many guidelines are typed that way."""

    def write(word: Any) -> None:
        word.add_paragraph("Rest.")
        word.add_paragraph().add_run("Drugs").bold = True
        word.add_paragraph("None.")

    assert [(path, words) for path, _, words, _ in shown(read(tmp_path, write))] == [
        ((), "Rest."),
        (("Drugs",), "None."),
    ]


def test_encrypted_and_damaged_files_are_refused(tmp_path: Path) -> None:
    """Each with its reason, the rest is read."""
    (tmp_path / "a.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    (tmp_path / "b.docx").write_bytes(b"PK\x03\x04nonsense")
    with zipfile.ZipFile(tmp_path / "c.docx", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b" " * 50_000_000)
    reasons = {entry.path: entry.reason for entry in load([tmp_path]) if isinstance(entry, Rejected)}
    assert reasons["a.docx"] == "encrypted, or an old .doc file: save it as .docx without a password"
    assert reasons["b.docx"].startswith("damaged Word file")
    assert reasons["c.docx"] == "unpacks to more than 20 MiB"
