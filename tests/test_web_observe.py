"""Health, meters and logs tell how it does and never what was asked."""

from __future__ import annotations

import io
import json
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from chatbot.web import observe

REPLY = {
    "question": "Does quixotine help Mrs Smith?",
    "standalone_question": "Does quixotine help?",
    "outcome": "answer",
    "statements": [{"text": "quixotine helps", "citations": [1]}],
    "passages": [{"number": 1, "title": "quixotine"}],
    "confidence": 0.5,
    "mode": "extractive",
    "index_version": "v7",
}


def bot(index):
    """Return what the routes read of a chatbot."""
    records = SimpleNamespace(documents=2)
    return SimpleNamespace(settings=SimpleNamespace(index=index), opened=SimpleNamespace(version="v7", records=records))


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Return a client of an application with fresh meters."""
    monkeypatch.setattr(observe, "_instruments", None)
    app = FastAPI()
    observe.add_routes(app, bot(tmp_path))
    return TestClient(app)


@pytest.fixture
def log():
    """Return the stream that the program logs to."""
    stream = io.StringIO()
    handler = observe.start_logging(stream)
    yield stream
    for name in ("followup", "uvicorn"):
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True


def test_health_names_the_index(client):
    """A monitor sees that questions can be answered, and from which index."""
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "index_version": "v7", "documents": 2}


def test_health_fails_without_an_index_on_disk():
    """An index that was taken away is a 503, before the next build finds nothing."""
    app = FastAPI()
    observe.add_routes(app, bot(Path("/nonexistent/index")))
    assert TestClient(app).get("/healthz").status_code == 503


def test_meters_count_replies_by_outcome_and_their_time(client):
    """Prometheus reads replies by outcome, a histogram of seconds and the version of the index."""
    for outcome, seconds in (("answer", 0.04), ("answer", 0.4), ("abstention", 0.01), ("<odd>", 9.0)):
        observe.record({**REPLY, "outcome": outcome}, seconds)
    text = client.get("/metrics").text
    for line in (
        'followup_replies_total{outcome="answer"} 2.0',
        'followup_replies_total{outcome="abstention"} 1.0',
        'followup_replies_total{outcome="emergency"} 0.0',
        'followup_replies_total{outcome="other"} 1.0',
        'followup_reply_seconds_bucket{le="0.05"} 2.0',
        "followup_reply_seconds_count 4.0",
        'followup_index_info{version="v7"} 1.0',
    ):
        assert line in text
    assert "quixotine" not in text


def test_a_reply_is_logged_without_a_word_of_it(log):
    """Length and a keyed hash of the question, counts and times; no text of question, answer or title."""
    observe.record(REPLY, 0.0414159, "nurse")
    (line,) = log.getvalue().splitlines()
    row = json.loads(line)
    assert not re.search(r"quixotine|smith|helps", line, re.IGNORECASE)
    assert row["question_chars"] == 30 and re.fullmatch(r"[0-9a-f]{16}", row["question_hash"])
    assert (row["event"], row["outcome"], row["statements"], row["seconds"]) == ("reply", "answer", 1, 0.0414)


def test_the_hash_tells_equal_questions_and_needs_its_key():
    """Equal up to case and blanks gives equal hashes; under another key, another hash."""
    assert observe.question_hash("And  IN pregnancy?") == observe.question_hash("and in pregnancy?")
    assert observe.question_hash("a") != observe.question_hash("b")
    assert observe.question_hash("a", b"k" * 32) != observe.question_hash("a")


def test_fields_that_are_not_named_are_dropped(log):
    """A later change cannot let a question in under a new name."""
    logging.getLogger("followup.x").info("event", extra={"question": "quixotine", "topic": "quixotine", "status": 3})
    row = json.loads(log.getvalue())
    assert row["status"] == 3 and "quixotine" not in log.getvalue()


def test_an_error_is_told_by_its_kind_and_place(log):
    """Its message may quote what was asked and is dropped; the web server's errors too."""
    for name in ("followup.web", "uvicorn.error"):
        try:
            raise ValueError("the question was quixotine")
        except ValueError:
            logging.getLogger(name).exception("Exception in ASGI application\n")
    for line in log.getvalue().splitlines():
        row = json.loads(line)
        assert row["error"] == "ValueError" and row["at"][-1].startswith("test_web_observe.py:")
        assert row["event"] == "Exception in ASGI application"
    assert "quixotine" not in log.getvalue()


def test_what_is_filled_into_a_message_is_dropped(log):
    """Only the constant part of a message is written."""
    logging.getLogger("followup.x").warning("asked for %s", "quixotine")
    assert json.loads(log.getvalue())["event"] == "asked for %s"


def test_a_line_is_one_line(log):
    """No text can begin a log line of its own."""
    observe.record({**REPLY, "mode": 'x\n{"event": "forged"}', "index_version": "\u2028"}, 0.1)
    assert len(log.getvalue().splitlines()) == 1
