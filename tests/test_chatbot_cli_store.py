"""The commands on each store that FOLLOWUP_STORE can name, and what they say of one that is not there."""

import json
import sys

import pytest
from conftest import TinyEmbedder

from chatbot import cli
from chatbot.settings import Settings


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command with the tiny embedder: (exit code, output, error lines)."""
    monkeypatch.setenv("FOLLOWUP_INDEX", str(tmp_path / "ix"))
    monkeypatch.setenv("FOLLOWUP_THRESHOLD", "0")
    monkeypatch.setattr(cli, "_embedder", lambda settings: TinyEmbedder())

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["followup", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output, errors = capsys.readouterr()
        return ended.value.code or 0, output, errors.splitlines()

    return call


def asked(run, *arguments):
    code, output, errors = run(*arguments, "--json")
    assert (code, errors) == (0, []), errors
    return json.loads(output)


def test_every_command_works_on_the_store_that_is_set(run, articles, tmp_path, monkeypatch, store_uri):
    """Index, search, ask, eval and verify; a second index run finds nothing to do."""
    monkeypatch.setenv("FOLLOWUP_STORE", store_uri)
    assert asked(run, "index", articles)["added"] == 3
    assert asked(run, "index", articles)["unchanged"] == 3
    hits = asked(run, "search", "maximum dose of baclofen", "-k", 3)["hits"]
    assert hits[0]["document_id"] == "baclofen" and len(hits) == 3
    reply = asked(run, "ask", "What is the maximum dose of baclofen?")
    assert "80 mg" in reply["statements"][0]["text"]
    row = {
        "id": "q",
        "question": "maximum dose of baclofen",
        "history": [],
        "relevant": {"baclofen": 1},
        "answerable": True,
    }
    (tmp_path / "questions.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    measured = asked(run, "eval", tmp_path / "questions.jsonl", "--out", tmp_path / "out")
    assert measured["retrieval"]["nDCG@10"] == 1.0
    assert asked(run, "verify")["sound"] is True


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("postgresql://me:hush@127.0.0.1:1/none", "the store postgresql://me:***@127.0.0.1:1/none does not answer"),
        ("milvus://me:hush@host", "is not known: set FOLLOWUP_STORE to 'local', or to a database as in 'postgresql://"),
        ("postgresql://me:hush@host:port/none", "FOLLOWUP_STORE is no URI of a database: postgresql://user@host/name"),
    ],
)
def test_a_store_that_is_not_there_is_said_in_one_line(run, articles, monkeypatch, store, words):
    """`index` and `ask` end with code 1 and what to do; the password is not shown, and the old index stands."""
    pytest.importorskip("psycopg", reason="the extra [postgresql] is not installed")
    assert run("index", articles)[0] == 0
    monkeypatch.setenv("FOLLOWUP_STORE", store)
    code, output, errors = run("index", articles)
    assert (code, output, len(errors)) == (1, "", 1)
    assert errors[0].startswith("followup: ") and words in errors[0] and "hush" not in errors[0]
    assert run("ask", "quinine")[0] == 1
    monkeypatch.delenv("FOLLOWUP_STORE")
    assert asked(run, "verify")["sound"] is True


def test_a_missing_driver_is_named(run, articles, monkeypatch):
    """Without the extra, the words say which to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("FOLLOWUP_STORE", "postgresql://somebody@127.0.0.1/none")
    code, _, errors = run("index", articles)
    assert (code, errors) == (1, ["followup: a store in PostgreSQL needs psycopg: pip install 'followup[postgresql]'"])


def test_where_things_are_kept_changes_no_fingerprint():
    """The fingerprint of the settings is of what changes replies; a password is no part of it."""
    assert Settings(store="postgresql://me:hush@host/name").fingerprint == Settings().fingerprint
