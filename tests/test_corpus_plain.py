"""Plain text files: wrapped lines come together, references at the end are taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.documents import Document, Rejected
from corpus.load import load
from corpus.readers.plain import unwrap
from corpus.readers.printed import read_entries

TEXT = """Cramp in adults

Cramp is common in older people and is often treated with quinine, although this
is not advised [1]. Adults take 5–
10 mg at night.

Avoid:
  - quinine, which is known for its bleeding and for arrhythmia in
    older people [2]
  - alcohol

References

1. Ito K, Lund P. Calf cramp. J Muscle. 2012;3:4-5. doi:10.1000/x
2. Smith J. Quinine in the elderly. BMJ 2010;
   1:2.
"""


def test_a_text_file_becomes_a_document(tmp_path: Path) -> None:
    """Title, wrapped paragraphs, list and references."""
    (tmp_path / "cramp.txt").write_text(TEXT, encoding="utf-8")
    (d,) = load([tmp_path])
    assert isinstance(d, Document)
    assert (d.id, d.title) == ("cramp", "Cramp in adults")
    assert [(d.text[b.start : b.end], [d.text[s:e] for s, e in b.lead_ins]) for b in d.blocks] == [
        ("Cramp is common in older people and is often treated with quinine, although this is not advised [1]. "
         "Adults take 5–10 mg at night.", []),
        ("Avoid:", []),
        ("quinine, which is known for its bleeding and for arrhythmia in older people [2]", ["Avoid:"]),
        ("alcohol", ["Avoid:"]),
    ]  # fmt: skip
    assert [(r.number, r.title, r.year) for r in d.references] == [
        (1, "Calf cramp", 2012), (2, "Quinine in the elderly", 2010),
    ]  # fmt: skip
    assert [m.numbers for m in d.markers] == [(1,), (2,)]


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("Take 5–\n10 mg.", "Take 5–10 mg."),
        ("Take 10\n- 20 mg.", "Take 10 - 20 mg."),
        ("Rest.\n- ice\n- heat", "Rest.\n- ice\n- heat"),
        ("Rest\nfor a while.", "Rest for a while."),
        ("Rest.\nThen walk.", "Rest.\nThen walk."),
    ],
)
def test_lines_come_together_where_they_were_broken(broken: str, whole: str) -> None:
    """Ranges, sentences in mid-flow; bullets and finished lines stay."""
    assert unwrap(broken) == whole


def test_printed_numbers_are_kept_where_an_entry_is_missing() -> None:
    """A lost entry must not shift the others by one."""
    entries = read_entries(["1. Ito K. One. BMJ 2001;1:2.", "3. Ito K. Three. BMJ 2003;1:2."])
    assert [entry.number for entry in entries] == [1, 3]


def test_prose_after_a_heading_is_no_list() -> None:
    """Sources that name no year and no identifier are text."""
    assert read_entries(["Iron comes from meat.", "", "Zinc comes from nuts."]) == ()


def test_a_file_without_words_is_refused(tmp_path: Path) -> None:
    """Its reason is said."""
    (tmp_path / "a.txt").write_text("--- *** ---")
    assert list(load([tmp_path])) == [Rejected("a.txt", "holds no words")]


def test_windows_line_ends_and_encoding(tmp_path: Path) -> None:
    """µ in Windows-1252 and CRLF are read."""
    (tmp_path / "a.txt").write_bytes(b"Give 5 \xb5g.\r\n\r\nRest.\r\n")
    (d,) = load([tmp_path])
    assert isinstance(d, Document)
    assert [d.text[b.start : b.end] for b in d.blocks] == ["Give 5 µg.", "Rest."]
