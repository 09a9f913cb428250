"""Sources are walked in order; what cannot be read is said, and the rest is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from corpus.documents import Document, Rejected, UnreadableSource
from corpus.load import load, shipped_articles


def ids(*sources: Path) -> list[str]:
    """Return the ids of the documents read, in order."""
    return [entry.id for entry in load(sources) if isinstance(entry, Document)]


def refused(*sources: Path) -> list[tuple[str, str]]:
    """Return (path, reason) of what was rejected, in order."""
    return [(entry.path, entry.reason) for entry in load(sources) if isinstance(entry, Rejected)]


def test_folders_are_read_recursively_in_order(tmp_path: Path) -> None:
    """Paths are shown relative to the folder, with forward slashes."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b/two.md").write_text("Two.")
    (tmp_path / "z.md").write_text("Last.")
    (tmp_path / "a.jsonl").write_text(json.dumps({"_id": "one", "text": "One."}))
    found = [entry for entry in load([tmp_path]) if isinstance(entry, Document)]
    assert [(d.id, d.path) for d in found] == [("one", "a.jsonl"), ("b-two", "b/two.md"), ("z", "z.md")]


def test_of_two_documents_with_one_id_the_first_stands(tmp_path: Path) -> None:
    """The second is rejected and both files are named."""
    (tmp_path / "a.jsonl").write_text('{"_id": "x", "text": "One."}\n{"_id": "x", "text": "Two."}')
    (tmp_path / "b.md").write_text("---\nid: x\n---\nThree.")
    assert [d.text for d in load([tmp_path]) if isinstance(d, Document)] == ["One."]
    assert [path for path, _ in refused(tmp_path)] == ["a.jsonl", "b.md"]
    assert all("'x'" in reason and "a.jsonl" in reason for _, reason in refused(tmp_path))


def test_files_that_are_no_documents_are_passed_over(tmp_path: Path) -> None:
    """Pictures, programs and hidden files are not worth a line; unreadable documents are."""
    for name in (".DS_Store", "a.png", "run.py", "~$a.docx", ".hidden.md", "b.xlsx"):
        (tmp_path / name).write_bytes(b"\x89PNG")
    (tmp_path / "a.md").write_text("One.")
    assert [path for path, _ in refused(tmp_path)] == ["b.xlsx"]


def test_a_file_that_was_named_is_never_passed_over(tmp_path: Path) -> None:
    """Whoever names a picture hears why it is not read."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert refused(tmp_path / "a.png") == [("a.png", "no reader for this kind of file")]


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """Neither a file nor a folder outside is touched through a link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("Secret.")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.md").write_text("One.")
    os.symlink(outside / "secret.md", inside / "file.md")
    os.symlink(outside, inside / "folder")
    os.symlink(inside, inside / "loop")
    assert ids(inside) == ["a"]
    reason = "a symbolic link that leads out of its folder"
    assert refused(inside) == [("file.md", reason), ("folder", reason)]


def test_a_pipe_does_not_hang_the_walk(tmp_path: Path) -> None:
    """Only regular files are opened."""
    os.mkfifo(tmp_path / "pipe.md")
    assert refused(tmp_path) == [("pipe.md", "not a regular file")]


def test_a_missing_source_is_said_at_once(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(UnreadableSource, match="nowhere: no such file or folder"):
        list(load([tmp_path / "nowhere"]))


def test_progress_counts_bytes(tmp_path: Path) -> None:
    """It ends where all is done."""
    (tmp_path / "a.md").write_text("One.")
    (tmp_path / "b.md").write_text("Two..")
    seen: list[tuple[str, int, int]] = []
    list(load([tmp_path], on_progress=lambda *facts: seen.append(facts)))
    assert seen == [("a.md", 0, 9), ("b.md", 4, 9), ("", 9, 9)]


def test_broken_encodings_are_refused_with_the_line(tmp_path: Path) -> None:
    """A wrong guess would change µ and ≥."""
    (tmp_path / "a.md").write_bytes("≥ 5 mg\nis \xb5".encode()[:-1] + b"\xff")
    assert refused(tmp_path) == [("a.md", "broken UTF-8 in line 2")]


def test_windows_text_is_read(tmp_path: Path) -> None:
    """Bytes that are nowhere UTF-8 are Windows-1252."""
    (tmp_path / "a.md").write_bytes(b"Give 5 \xb5g.")
    assert [d.text for d in load([tmp_path]) if isinstance(d, Document)] == ["Give 5 µg."]


def test_the_shipped_articles_are_found() -> None:
    """They stand beside the code."""
    assert shipped_articles().is_dir()
