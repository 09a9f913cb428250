"""Conversations are kept under their owner, exactly as answered, masked, and deleted for good."""

from __future__ import annotations

import datetime
import json
import os
import secrets
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot.conversations import MAX_COMMENT_CHARS, ConversationStore
from chatbot.database import DatabaseUnavailable
from chatbot.masking import masked_reply

REPLY = {
    "question": "How is cramp treated?",
    "standalone_question": "How is cramp treated?",
    "outcome": "answer",
    "statements": [{"text": "Stretch Mrs Smith's calf — 10⁹/L.", "citations": [1], "context": ["Treatment"]}],
    "passages": [{"number": 1, "passage_id": "p1", "document_id": "cramp", "title": "Cramp", "text": "Stretch."}],
    "notices": [],
    "related_questions": [],
    "disclaimer": "This is software. Call 0800 123 4567.",
    "confidence": 0.7123456789012345,
    "index_version": "1b35be3d004a",
    "timings_ms": {"total": 41.07},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request, tmp_path):
    """Return the URI of a new database: a file, and one of a real server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kept' / 'conversations.sqlite'}"
    return request.getfixturevalue("postgres").database(f"conversations-{secrets.token_hex(4)}")


@pytest.fixture
def store(uri):
    """Return an empty store in each kind of database."""
    store = ConversationStore(uri)
    yield store
    store.close()


@pytest.fixture
def in_a_file(tmp_path):
    """Return an empty store in a file."""
    store = ConversationStore(f"sqlite:///{tmp_path / 'kept' / 'conversations.sqlite'}")
    yield store
    store.close()


def files_of(tmp_path):
    return b"".join(path.read_bytes() for path in (tmp_path / "kept").iterdir())


def written_by(store, tmp_path):
    """Return all that was written: the files' bytes, or the rows of every table."""
    if (tmp_path / "kept").is_dir():
        return files_of(tmp_path)
    with store._reading() as connection:
        tables = ("conversations", "turns", "feedback")
        rows = [connection.exec_driver_sql(f"SELECT t::text FROM {table} t").scalars().all() for table in tables]
    return "".join(row for found in rows for row in found).encode()


def test_a_reply_reloads_exactly_as_it_was_given(store):
    """What is loaded equals what was answered, with its index version, whatever the index is by then."""
    kept = store.create("a", "Cramp", "cramp")
    assert store.append("a", kept, "How is cramp treated?", REPLY, "nurse") == 1
    conversation = store.load("a", kept)
    assert (conversation.title, conversation.article_id) == ("Cramp", "cramp")
    (turn,) = conversation.turns
    assert dict(turn.reply) == REPLY
    assert (turn.position, turn.question, turn.audience) == (1, "How is cramp treated?", "nurse")
    assert turn.index_version == "1b35be3d004a"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept_uri(request, tmp_path_factory):
    """Return the URI of a database that many examples share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.getbasetemp() / 'round-trip.sqlite'}"
    return request.getfixturevalue("postgres").database("round-trip")


@given(
    quote=st.text(),
    values=st.dictionaries(
        st.sampled_from(("also_retrieved", "notices", "timings_ms", "statements")),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=8,
        ),
    ),
)
def test_no_character_of_what_the_corpus_said_is_lost_on_the_way(kept_uri, quote, values):
    """Any quote and any value survives the trip through the database."""
    reply = {**REPLY, **values, "passages": [{"number": 1, "text": quote}]}
    reply["statements"] = []
    store = ConversationStore(kept_uri)
    try:
        kept = store.create("a", "t")
        store.append("a", kept, "q", reply, "student")
        assert dict(store.load("a", kept).turns[0].reply) == reply
    finally:
        store.close()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda store, kept: store.load("b", kept),
        lambda store, kept: store.append("b", kept, "q", REPLY, "nurse"),
        lambda store, kept: store.rename("b", kept, "mine now"),
        lambda store, kept: store.delete("b", kept),
        lambda store, kept: store.feedback("b", kept),
        lambda store, kept: store.add_feedback("b", kept, 1, "helpful", "", None),
        lambda store, kept: store.load("a", kept + "'--"),
        lambda store, kept: store.load("", kept),
    ],
    ids="load append rename delete feedback add_feedback quoted_id no_owner".split(),
)
def test_what_is_not_the_owners_does_not_exist(store, attempt):
    """Every method refuses another owner, and leaves the conversation as it was."""
    kept = store.create("a", "Cramp")
    store.append("a", kept, "q", REPLY, "nurse")
    before = store.load("a", kept)
    with pytest.raises(KeyError):
        attempt(store, kept)
    assert store.load("a", kept) == before
    assert store.feedback("a", kept) == ()
    assert store.list("b") == []


def test_personal_data_is_masked_before_it_is_written(store, tmp_path):
    """Nothing in the database holds the name, the number or the date that a question gave away."""
    question = "Mrs Jane Quillfeather, DOB 12/03/1951, mail jane.q@example.org: what for a cold pale leg?"
    reply = {
        **REPLY,
        "question": question,
        "standalone_question": "Jane Quillfeather cold pale leg",
        "reason": "The indexed articles say nothing about “Jane”, “Quillfeather”.",
        "choices": ["How is Quillfeather treated?"],
        "clarifying_question": "Which Quillfeather?",
        "understood": {"topic": "quillfeather leg", "asked": ["jane.q@example.org"]},
    }
    kept = store.create("a", question, None)
    store.append("a", kept, question, reply, "nurse")
    store.add_feedback("a", kept, 1, "unsafe", "Mrs Quillfeather rang", None)
    written = written_by(store, tmp_path).lower()
    assert b"[name]" in written
    for secret in (b"quillfeather", b"12/03/1951", b"jane.q@example.org", b"jane"):
        assert secret not in written
    loaded = store.load("a", kept)
    assert "[name]" in loaded.title and "[e-mail]" in loaded.turns[0].question
    assert store.feedback("a", kept)[0].comment == "Mrs [name] rang"


def test_quotes_and_telephone_numbers_of_ours_are_not_masked():
    """Only the user's own words are masked: a masked quote would be no quote, a masked helpline no help."""
    kept = masked_reply("Mrs Smith has cramp", {**REPLY, "emergency": {"text": "Call 0800 123 4567"}})
    assert kept["statements"] == REPLY["statements"]
    assert kept["disclaimer"] == REPLY["disclaimer"]
    assert kept["emergency"] == {"text": "Call 0800 123 4567"}


def test_what_is_deleted_is_nowhere_any_more(store, tmp_path):
    """After deletion no file of SQLite, its log included, and no row of a server holds any word of it."""
    kept, other = store.create("a", "zanzibarred title"), store.create("a", "other")
    for _ in range(50):
        store.append("a", kept, "zanzibarred question", {**REPLY, "disclaimer": "zanzibarred " * 300}, "nurse")
    store.append("a", other, "stays", REPLY, "nurse")
    store.add_feedback("a", kept, 1, "unsafe", "zanzibarred comment", 1)
    assert b"zanzibarred" in written_by(store, tmp_path)
    store.delete("a", kept)
    assert b"zanzibarred" not in written_by(store, tmp_path)
    assert [head.id for head in store.list("a")] == [other]
    assert list(store.judged()) == []


def test_the_list_is_newest_first_and_found_by_every_word(uri):
    """A search looks in titles, questions and quotes, without case, and takes % and _ to the letter."""
    clock = iter(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=n) for n in range(99))
    store = ConversationStore(uri, now=lambda: next(clock))
    first, second = store.create("a", "Überbein 100%"), store.create("a", "Cramp")
    store.append("a", second, "What about MAGNESIUM?", REPLY, "nurse")
    assert [head.title for head in store.list("a")] == ["Cramp", "Überbein 100%"]
    store.append("a", first, "And then?", {**REPLY, "statements": []}, "nurse")
    assert [(head.title, head.turns) for head in store.list("a")] == [("Überbein 100%", 1), ("Cramp", 1)]
    found = {words: [head.id for head in store.list("a", words)] for words in ("überbein", "magnesium cramp", "0%")}
    assert found == {"überbein": [first], "magnesium cramp": [second], "0%": [first]}
    assert [head.id for head in store.list("a", "STRETCH calf")] == [second]
    assert store.list("a", "_") == [] == store.list("a", "%cramp")
    store.close()


def test_tabs_that_write_at_once_never_share_a_position(store):
    """8 threads append 25 turns each: positions 1 to 200, each once."""
    kept, positions = store.create("a", "t"), []

    def write():
        positions.extend(store.append("a", kept, "q", REPLY, "nurse") for _ in range(25))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(positions) == list(range(1, 201))
    assert [turn.position for turn in store.load("a", kept).turns] == list(range(1, 201))


# A process in which eight threads each append so many turns to a conversation of all and to one of their own.
APPENDER = """
import sys, threading
from chatbot.conversations import ConversationStore
from test_chatbot_conversations import REPLY
uri, shared, name, count = sys.argv[1:4] + [int(sys.argv[4])]
store = ConversationStore(uri)
own = {number: store.create("a", f"{name}-{number}") for number in range(8)}

def write(number):
    for turn in range(count):
        for kept in (shared, own[number]):
            store.append("a", kept, f"{name} {number} {turn}", REPLY, "nurse")

threads = [threading.Thread(target=write, args=(number,)) for number in own]
print("ready", flush=True)
sys.stdin.readline()
[thread.start() for thread in threads]
[thread.join() for thread in threads]
store.close()
"""


def test_processes_that_write_at_once_lose_and_double_nothing(uri, store):
    """Two processes of 8 threads, 10 turns each to one conversation and to their own: each turn once, in a row."""
    shared = store.create("a", "of all")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"), *sys.path))}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, uri, shared, name, "10"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for name in ("one", "two")
    ]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 2
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate(timeout=120) and writer.returncode for writer in writers] == [0, 0]
    turns = store.load("a", shared).turns
    assert [turn.position for turn in turns] == list(range(1, 161))
    said = [(name, number, turn) for name in ("one", "two") for number in range(8) for turn in range(10)]
    assert sorted(turn.question for turn in turns) == sorted(f"{name} {number} {turn}" for name, number, turn in said)
    for head in store.list("a"):
        if head.id != shared:
            name, _, number = head.title.partition("-")
            kept = store.load("a", head.id).turns
            assert [(turn.position, turn.question) for turn in kept] == [
                (place, f"{name} {number} {place - 1}") for place in range(1, 11)
            ]
    assert len(store.list("a")) == 17


def test_feedback_and_deletion_at_once_leave_no_orphan(uri, store):
    """Whoever comes first: a conversation that is deleted leaves no word of feedback behind."""
    other = ConversationStore(uri)
    for _ in range(15):
        kept = store.create("a", "t")
        store.append("a", kept, "q", REPLY, "nurse")
        both = threading.Barrier(2)

        def say(kept=kept, both=both):
            both.wait()
            with suppress(KeyError):
                other.add_feedback("a", kept, 1, "helpful")

        thread = threading.Thread(target=say)
        thread.start()
        both.wait()
        store.delete("a", kept)
        thread.join()
    with store._reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM feedback").scalar_one() == 0
    other.close()


def test_stores_that_open_the_same_new_database_at_once_all_work(uri):
    """Processes may be started together; none fails for a table that another has just made."""
    faults = []

    def begin():
        store = ConversationStore(uri)
        try:
            store.create("a", "t")
        except Exception as error:
            faults.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=begin) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_file_is_readable_by_its_owner_alone(in_a_file, tmp_path):
    """Nobody else on the machine can read what was asked."""
    in_a_file.create("a", "t")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "kept").iterdir()} == {0o600}


def test_a_later_word_replaces_an_earlier_one(store):
    """Feedback on the same answer or citation is a change of mind; on another it is added."""
    kept = store.create("a", "t")
    store.append("a", kept, "q", REPLY, "nurse")
    store.add_feedback("a", kept, 1, "helpful", "", None)
    store.add_feedback("a", kept, 1, "wrong_passage", " not this ", 1)
    store.add_feedback("a", kept, 1, "unsafe", "no", None)
    said = [(entry.kind, entry.comment, entry.citation) for entry in store.feedback("a", kept)]
    assert said == [("wrong_passage", "not this", 1), ("unsafe", "no", None)]


@pytest.mark.parametrize(
    ("kind", "comment", "citation", "fault"),
    [
        ("great", "", None, "choose helpful, wrong_passage, outdated, unsafe"),
        ("helpful", "x" * (MAX_COMMENT_CHARS + 1), None, "2,001 characters"),
        ("helpful", "", 2, "no citation 2"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused(store, kind, comment, citation, fault):
    """The words say what is wrong, and nothing is kept."""
    kept = store.create("a", "t")
    store.append("a", kept, "q", REPLY, "nurse")
    with pytest.raises(ValueError, match=fault):
        store.add_feedback("a", kept, 1, kind, comment, citation)
    assert store.feedback("a", kept) == ()


def test_refused_feedback_leaves_what_was_said_before(store):
    """A refusal undoes the whole change."""
    kept = store.create("a", "t")
    store.append("a", kept, "q", REPLY, "nurse")
    store.add_feedback("a", kept, 1, "helpful", "", None)
    with pytest.raises(KeyError):
        store.add_feedback("a", kept, 2, "unsafe", "", None)
    assert [entry.kind for entry in store.feedback("a", kept)] == ["helpful"]


@pytest.mark.parametrize(
    ("title", "kept_as"),
    [("  two\n lines ", "two lines"), ("x" * 300, "x" * 199 + "…"), ("half \ud800 pair \x00", "half ? pair \ufffd")],
)
def test_titles_become_one_short_storable_line(store, title, kept_as):
    """Whatever a page sends as a title can be kept and shown."""
    kept = store.create("a", title)
    assert store.load("a", kept).title == kept_as


def test_an_empty_title_is_refused(store):
    """A conversation can always be told from others."""
    kept = store.create("a", "t")
    with pytest.raises(ValueError, match="empty"):
        store.rename("a", kept, " \n ")


def test_half_a_surrogate_pair_in_a_question_is_kept_as_a_mark(store):
    """A text that UTF-8 cannot hold does not lose the turn."""
    kept = store.create("a", "t")
    store.append("a", kept, "odd \udce9 text", {**REPLY, "question": "odd \udce9 text"}, "nurse")
    assert store.load("a", kept).turns[0].question == "odd ? text"


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "no uri at all"])
def test_a_database_that_threads_cannot_share_is_refused(uri):
    """The words say what to give instead."""
    with pytest.raises(ValueError, match="sqlite:///"):
        ConversationStore(uri)


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", r"needs psycopg: pip install 'followup\[postgresql\]'"),
        ("mysql+pymysql://nobody@127.0.0.1:1/none", "needs pymysql: pip install pymysql"),
    ],
)
def test_a_missing_driver_is_named(monkeypatch, uri, fault):
    """A server needs a package that SQLite does not; the words say which."""
    for name in ("psycopg", "pymysql"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=fault):
        ConversationStore(uri).list("a")


def test_a_server_that_is_down_is_said_and_met_again_when_it_is_up(postgres):
    """While the server is down, the words name it without its password; once it is back, the same store works."""
    from postgres_server import installed, running_server

    with running_server(installed()[0]) as server:
        store = ConversationStore(server.uri.replace("followup@", "followup:hush@"))
        kept = store.create("a", "t")
        server.stop()
        for attempt in (lambda: store.list("a"), lambda: store.append("a", kept, "q", REPLY, "nurse")):
            with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1.*see that it runs") as raised:
                attempt()
            assert "hush" not in str(raised.value)
        server.start()
        assert store.append("a", kept, "q", REPLY, "nurse") == 1
        store.close()


def test_a_damaged_file_is_no_empty_one(tmp_path):
    """A database that cannot be read raises; it is not silently begun anew."""
    (tmp_path / "c.sqlite").write_bytes(b"this is no database " * 100)
    store = ConversationStore(f"sqlite:///{tmp_path / 'c.sqlite'}")
    with pytest.raises(Exception, match="not a database"):
        store.list("a")
    store.close()


def test_an_error_of_the_database_does_not_quote_what_was_asked(store):
    """Errors end in logs, and logs hold no question."""
    store.create("a", "t")
    kept = store.create("a", "t2")
    with store._writing() as connection:
        connection.exec_driver_sql("DROP TABLE turns")
    with pytest.raises(Exception, match=r"no such table|does not exist") as raised:
        store.append("a", kept, "secret-question", REPLY, "nurse")
    assert "secret-question" not in str(raised.value)


def test_replies_are_stored_as_plain_json(in_a_file, tmp_path):
    """Another program can read the database without ours."""
    import sqlite3

    kept = in_a_file.create("a", "t")
    in_a_file.append("a", kept, "q", REPLY, "nurse")
    connection = sqlite3.connect(tmp_path / "kept" / "conversations.sqlite")
    (text,) = connection.execute("SELECT reply FROM turns").fetchone()
    connection.close()
    assert json.loads(text) == REPLY
