"""Judged answers become a question set that an evaluation can read."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from chatbot.conversations import ConversationStore
from chatbot.evaluation.questions import read_questions
from chatbot.feedback import export_feedback, export_questions


def reply(question, *documents, outcome="answer", **more):
    return {
        "question": question,
        "standalone_question": f"{question} (standalone)",
        "outcome": outcome,
        "statements": [{"text": f"quote {n}", "citations": [n]} for n, _ in enumerate(documents, 1)],
        "passages": [{"number": n, "document_id": name} for n, name in enumerate(documents, 1)],
        "index_version": "v1",
        **more,
    }


@pytest.fixture
def uri(tmp_path):
    """Return the URI of a new database."""
    return f"sqlite:///{tmp_path / 'c.sqlite'}"


@pytest.fixture
def store(uri):
    """Return an empty store."""
    store = ConversationStore(uri)
    yield store
    store.close()


def judged(store, *said, documents=("cramp", "cramp", "quinine"), outcome="answer"):
    """Return the row of one answer with these (kind, citation)."""
    kept = store.create("a", "t")
    store.append("a", kept, "q", reply("q", *documents, outcome=outcome), "nurse")
    for kind, citation in said:
        store.add_feedback("a", kept, 1, kind, "", citation)
    (row,) = export_questions(store)
    return row


@pytest.mark.parametrize(
    ("said", "relevant"),
    [
        ([("helpful", None)], {"cramp": 1, "quinine": 1}),
        ([("helpful", 3)], {"quinine": 1}),
        ([("wrong_passage", 3)], {"quinine": 0}),
        ([("wrong_passage", 1)], None),  # the other passage of the same document stands
        ([("wrong_passage", 1), ("wrong_passage", 2)], {"cramp": 0}),
        ([("helpful", None), ("wrong_passage", 3)], {"cramp": 1, "quinine": 0}),
        ([("helpful", 1), ("wrong_passage", 2)], {"cramp": 1}),
        ([("wrong_passage", None)], None),
        ([("outdated", 1)], None),
        ([("unsafe", None)], None),
        ([("helpful", None), ("outdated", 3)], {"cramp": 1}),
    ],
)
def test_each_kind_of_feedback_becomes_the_judgement_that_it_allows(store, said, relevant):
    """Only what a reader has said becomes a grade; nothing is inferred from a complaint."""
    row = judged(store, *said)
    assert row.get("relevant") == relevant
    assert row["tags"] == ["feedback", *sorted({kind for kind, _ in said})]


@pytest.mark.parametrize(
    ("outcome", "answerable"), [("answer", True), ("abstention", False), ("emergency", None), ("clarification", None)]
)
def test_a_helpful_reply_is_expected_again(store, outcome, answerable):
    """Its outcome is what the same question should get; an abstention that helped was right to abstain."""
    row = judged(store, ("helpful", None), documents=(), outcome=outcome)
    assert row["expect"] == outcome
    assert row.get("answerable") is answerable


def test_a_complaint_expects_nothing(store):
    """Nobody has said what should have come instead."""
    row = judged(store, ("unsafe", None))
    assert "expect" not in row and "answerable" not in row


def test_a_follow_up_carries_the_turns_before_it(store):
    """The history is what was asked and said, oldest first, without what came after."""
    kept = store.create("a", "t")
    store.append("a", kept, "first", reply("first", "cramp"), "nurse")
    refused = reply("second", outcome="abstention", reason="Nothing is said.")
    store.append("a", kept, "second", refused, "nurse")
    store.append("a", kept, "third", reply("third", "quinine"), "nurse")
    store.append("a", kept, "fourth", reply("fourth", "quinine"), "nurse")
    store.add_feedback("a", kept, 3, "helpful", "", None)
    (row,) = export_questions(store)
    assert row["history"] == [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "quote 1"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": "Nothing is said."},
    ]
    assert row["id"] == f"feedback-{kept[:12]}-3"


def test_the_file_is_a_question_set_that_evaluation_reads(store, uri, tmp_path):
    """The strict reader of question sets takes every line, and no line names an owner."""
    for owner in ("owner-a", "owner-b"):
        kept = store.create(owner, "t")
        store.append(owner, kept, "Mrs Smith has cramp; what now?", reply("q", "cramp"), "nurse")
        store.add_feedback(owner, kept, 1, "helpful", "good — for Mr Jones", 1)
    assert export_feedback(uri, tmp_path / "questions.jsonl") == 2
    first, second = read_questions([tmp_path / "questions.jsonl"])
    assert first.question == "Mrs [name] has cramp; what now?"
    assert first.relevant == (("cramp", 1),) and first.id != second.id
    text = (tmp_path / "questions.jsonl").read_text(encoding="utf-8")
    assert "owner-" not in text and "Jones" not in text
    assert json.loads(text.splitlines()[0])["comments"][0]["comment"] == "good — for Mr [name]"


def test_the_command_writes_the_file(store, uri, tmp_path):
    """`followup feedback export --out FILE` says how many answers were judged."""
    from chatbot.cli import app

    judged(store, ("helpful", None))
    out = tmp_path / "out.jsonl"
    result = CliRunner().invoke(app, ["feedback", "export", "--out", str(out), "--conversations", uri])
    assert (result.exit_code, result.output) == (0, f"1 judged answers written to {out}\n")
    assert len(read_questions([out])) == 1


def test_a_database_that_is_not_there_is_an_error_in_words(tmp_path):
    """A mistyped path is said, not made into an empty database."""
    with pytest.raises(ValueError, match="no conversations"):
        export_feedback(f"sqlite:///{tmp_path / 'typo.sqlite'}", tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error_in_words(store, uri, tmp_path):
    """The answer is a line that says what to do, not a traceback."""
    judged(store, ("helpful", None))
    with pytest.raises(ValueError, match="make it first"):
        export_feedback(uri, tmp_path / "missing" / "out.jsonl")
