"""Captions above a table, marked notes below it, and sentences that point at a list are read with what they qualify."""

from __future__ import annotations

import pytest

from corpus.documents import Document
from corpus.load import load


def shown(folder, body):
    """Return kind, words, lead-ins and notes of every block of a Markdown article."""
    (folder / "a.md").write_text(f"---\ntitle: T\n---\n\n{body}\n", encoding="utf-8")
    (document,) = load([folder])
    assert isinstance(document, Document), document

    def words(spans):
        return [document.text[start:end] for start, end in spans]

    return [
        (block.kind, document.text[block.start : block.end], words(block.lead_ins), words(block.notes))
        for block in document.blocks
    ]


TABLE = "| Drug | Dose |\n| --- | --- |\n| A | 5 mg* |\n| B | 6 mg |\n"


@pytest.mark.parametrize(
    "note", [r"\* at most 8 weeks", "* at most 8 weeks", "Note: at most 8 weeks", "† at most 8 weeks"]
)
def test_a_marked_note_below_a_table_is_its_rows_note(tmp_path, note):
    """Also where Markdown takes the star for a bullet; a row in a blank line's stead as well."""
    blocks = shown(tmp_path, f"{TABLE}\n{note}")
    rows = [block for block in blocks if block[0] == "row"]
    assert len(rows) == 2 and all("at most 8 weeks" in row[3][0] for row in rows)
    assert blocks[-1][0] == "note"


def test_a_note_in_the_last_row_is_no_row(tmp_path):
    """A last row of one marked cell is a note."""
    blocks = shown(tmp_path, TABLE + "| \\* at most 8 weeks | |\n")
    assert [block[0] for block in blocks] == ["caption", "row", "row", "note"]
    assert blocks[1][3] == ["* at most 8 weeks"]


@pytest.mark.parametrize(
    ("above", "lead_in"),
    [
        ("Table 2. Not in children", "Table 2. Not in children"),
        ("**Unsafe in kidney failure**", "Unsafe in kidney failure"),
        ("Doses differ. Do not use the following.", "Do not use the following."),
    ],
)
def test_what_names_a_table_is_read_with_each_row(tmp_path, above, lead_in):
    """A caption, a bold line or a sentence that points at the table is a lead-in of its rows."""
    rows = [block for block in shown(tmp_path, f"{above}\n\n{TABLE}") if block[0] == "row"]
    assert all(row[2] == [lead_in, "Drug | Dose"] for row in rows)


def test_a_finished_sentence_above_a_table_is_no_lead_in(tmp_path):
    """ "Quinine is not advised." says nothing of the table after it."""
    rows = [block for block in shown(tmp_path, f"Quinine is not advised.\n\n{TABLE}") if block[0] == "row"]
    assert all(row[2] == ["Drug | Dose"] for row in rows)


def test_a_note_qualifies_the_sentence_that_bears_its_mark(tmp_path):
    """A dagger after a sentence and before a note belong together; other sentences are left alone."""
    blocks = shown(tmp_path, "Use it daily.†\n\nRest well.\n\n† Not in pregnancy.")
    assert [(block[1], block[3]) for block in blocks[:2]] == [
        ("Use it daily.†", ["† Not in pregnancy."]),
        ("Rest well.", []),
    ]


def test_a_mark_without_its_like_stays_a_paragraph(tmp_path):
    """A paragraph that begins with a star and qualifies nothing is text."""
    assert [block[0] for block in shown(tmp_path, "Rest well.\n\n\\*Ask a nurse.")] == ["paragraph", "paragraph"]


def test_lettered_lines_are_a_list(tmp_path):
    """Markdown knows no "a)": the lines are items under their lead-in, and a plain paragraph stays whole."""
    blocks = shown(tmp_path, "Do not\nuse:\n\na) cold baths\nb) alcohol **rubs** [1]")
    assert [(block[0], block[1], block[2]) for block in blocks] == [
        ("paragraph", "Do not use:", []),
        ("item", "cold baths", ["Do not use:"]),
        ("item", "alcohol rubs [1]", ["Do not use:"]),
    ]
    (tmp_path / "a.md").unlink()
    assert [block[0] for block in shown(tmp_path, "one line\na) only one bullet")] == ["paragraph"]
