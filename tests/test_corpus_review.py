"""A review's status is bound to a text, moves one step at a time, and leaves a trace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Document, UnreadableSource
from corpus.front_matter import set_key, split_front_matter
from corpus.load import load
from corpus.review import LOG_NAME, ReviewError, find, read_log, set_status, state, states

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARTICLE = """---
id: cramp
title: "Cramp: what helps?"  # a comment that stays
review:
  status: submitted
references:
  - title: One
---
Rest helps. [1]
"""


def article(folder: Path, text: str = ARTICLE) -> Path:
    """Write an article, bytes as given."""
    path = folder / "cramp.md"
    path.write_bytes(text.encode())
    return path


def decide(path: Path, *steps: str) -> None:
    """Take decisions in order."""
    for step in steps:
        set_status(path, step, reviewer="Dr Ito", now=NOW)


def test_a_decision_changes_the_review_and_nothing_else(tmp_path: Path) -> None:
    """Comments, quotes and order of the front matter stay byte for byte."""
    path = article(tmp_path)
    decide(path, "under_review")
    head, rest = ARTICLE.split("review:\n  status: submitted\n")
    edited = path.read_bytes().decode()
    assert edited.startswith(head + 'review:\n  status: "under_review"\n  reviewer: "Dr Ito"\n')
    assert edited.endswith(rest)
    assert state(path).decided_at == "2026-11-23T09:30:00+00:00"


def test_the_way_goes_forward_by_one_step(tmp_path: Path) -> None:
    """Nothing is approved that was not under review; the way back is open."""
    path = article(tmp_path)
    with pytest.raises(ReviewError, match="has to be under_review before"):
        decide(path, "approved")
    decide(path, "under_review", "approved")
    assert state(path).status == "approved"
    decide(path, "submitted")
    assert state(path).status == "submitted"


def test_an_edit_takes_the_approval_back(tmp_path: Path) -> None:
    """The file still says approved; what holds is submitted, for readers too."""
    path = article(tmp_path)
    decide(path, "under_review", "approved")
    assert [d.review_status for d in load([path]) if isinstance(d, Document)] == ["approved"]
    path.write_text(path.read_text().replace("Rest helps", "Running helps"))
    assert (state(path).status, state(path).stated, state(path).is_outdated) == ("submitted", "approved", True)
    assert [d.review_status for d in load([path]) if isinstance(d, Document)] == ["submitted"]


def test_an_edited_reference_takes_the_approval_back(tmp_path: Path) -> None:
    """The front matter is part of what was reviewed."""
    path = article(tmp_path)
    decide(path, "under_review", "approved")
    path.write_text(path.read_text().replace("title: One", "title: Two"))
    assert state(path).status == "submitted"


def test_every_decision_is_logged_with_who_and_when(tmp_path: Path) -> None:
    """The log grows by a line and chains them."""
    path = article(tmp_path)
    decide(path, "under_review", "approved")
    first, second = read_log(tmp_path / LOG_NAME)
    assert (first.article, first.old, first.new, first.reviewer, first.at) == (
        "cramp", "submitted", "under_review", "Dr Ito", "2026-11-23T09:30:00+00:00",
    )  # fmt: skip
    assert (second.old, second.new) == ("under_review", "approved")


def test_a_changed_log_is_noticed(tmp_path: Path) -> None:
    """A line that was rewritten breaks the chain, and no decision is added to it."""
    path = article(tmp_path)
    decide(path, "under_review", "approved")
    log = tmp_path / LOG_NAME
    log.write_text(log.read_text().replace("Dr Ito", "Dr No", 1))
    with pytest.raises(ReviewError, match="line 2: does not follow"):
        read_log(log)
    with pytest.raises(ReviewError, match="the log was changed"):
        decide(path, "submitted")
    assert state(path).status == "approved"


@pytest.mark.parametrize(
    ("status", "reviewer"), [("fine", "Dr Ito"), ("under_review", " "), ("under_review", "\u200b")]
)
def test_a_decision_needs_a_known_status_and_a_name(tmp_path: Path, status: str, reviewer: str) -> None:
    """Both are refused before anything is written."""
    path = article(tmp_path)
    with pytest.raises(ReviewError):
        set_status(path, status, reviewer=reviewer, now=NOW)
    assert path.read_bytes().decode() == ARTICLE
    assert not (tmp_path / LOG_NAME).exists()


def test_articles_are_listed_and_found_by_id(tmp_path: Path) -> None:
    """Broken files are left out of the list."""
    path = article(tmp_path)
    (tmp_path / "broken.md").write_text("---\nreview: nonsense\n---\n")
    assert [(s.id, s.title, s.status) for s in states([tmp_path])] == [("cramp", "Cramp: what helps?", "submitted")]
    assert find([tmp_path], "cramp") == path
    with pytest.raises(ReviewError, match="no such article"):
        find([tmp_path], "other")


@pytest.mark.parametrize(
    "text",
    [
        "Rest.\n",
        "\ufeffRest.\n",
        "---\nid: a\nreview: {status: submitted}\n---\nRest.",
        "---\nreview:\n  status: submitted\n\n  reviewer: x\nid: a\n---\nRest.",
        ARTICLE.replace("\n", "\r\n"),
        "\ufeff" + ARTICLE,
        "---\n---\nRest.",
    ],
)
def test_front_matter_of_any_shape_can_be_edited(text: str) -> None:
    """The body stays, line ends stay, and the new facts are read back."""
    edited = set_key(text, "review", {"status": "approved", "reviewer": 'Dr "A" \\ B: #1'})
    front, body = split_front_matter(edited)
    assert front["review"] == {"status": "approved", "reviewer": 'Dr "A" \\ B: #1'}
    assert body == split_front_matter(text)[1].removeprefix("\ufeff")
    assert ("\r\n" in text) == ("\r\n" in edited)


def test_front_matter_on_one_line_is_refused_rather_than_damaged() -> None:
    """A flow mapping has no line of its own for the key."""
    with pytest.raises(UnreadableSource, match="front matter"):
        set_key("---\n{id: a, review: {status: submitted}}\n---\nRest.", "review", {"status": "approved"})


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30))
def test_any_name_comes_back_as_written(name: str) -> None:
    """Names are quoted so that YAML reads them unchanged."""
    edited = set_key("---\nid: a\n---\n", "review", {"reviewer": name})
    assert split_front_matter(edited)[0]["review"] == {"reviewer": name}
