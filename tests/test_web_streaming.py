"""The page shows what a language model writes one statement after the other, each once it has passed the gate."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import TinyEmbedder
from fastapi import FastAPI
from fastapi.testclient import TestClient

from chatbot.answer.compose import UnitVectors
from chatbot.answer.llm import Chunk
from chatbot.answer.wording import Wording
from chatbot.conversations import ConversationStore
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web.routes import add_page_routes
from index.build import build

QUESTION = "What is the maximum dose of baclofen?"
# Longer than any pause that the test makes: a model that is waited for ends the test, not the run.
WAIT_SECONDS = 20.0


class Pausing:
    """Writes one statement that its passage says, waits to be let on, then writes one that it does not say."""

    name = "scripted:model"
    host = "model.example"

    def __init__(self) -> None:
        self.let_on = threading.Event()
        self.was_let_on = False
        self.text = ""

    def write(self, prompt, schema, *, stream) -> Iterator[Chunk]:
        if schema.__name__ != "WrittenAnswer":
            yield Chunk("{}")
            return
        yield Chunk('{"statements": [' + json.dumps({"text": self.text, "citations": [1]}))
        self.was_let_on = self.let_on.wait(WAIT_SECONDS)
        yield Chunk("," + json.dumps({"text": "Baclofen is safe at 800 mg a day.", "citations": [1]}) + "]}")


@pytest.fixture
def bot(articles: Path, tmp_path: Path) -> Iterator[tuple[Chatbot, Pausing]]:
    """Return a chatbot on three small articles, with a model that repeats its first quote."""
    embedder = TinyEmbedder()
    build([articles], tmp_path / "index", embedder, model="tiny")
    settings = Settings(
        index=tmp_path / "index", threshold=0.0, llm="scripted:model", llm_timeout_seconds=2 * WAIT_SECONDS
    )
    bot = Chatbot(settings.model_copy(update={"llm": None}), embedder)
    model = Pausing()
    model.text = bot.reply(QUESTION).statements[0].text
    bot.wording = Wording(settings, UnitVectors(embedder), model)
    yield bot, model
    model.let_on.set()


def page(bot: Chatbot, tmp_path: Path) -> tuple[FastAPI, ConversationStore]:
    """Return the page's routes over a chatbot."""
    app, store = FastAPI(), ConversationStore(f"sqlite:///{tmp_path / 'kept.sqlite'}")
    add_page_routes(app, bot, store, lambda request: "me")
    return app, store


def ask(app: FastAPI, model: Pausing, question: str) -> list[dict[str, Any]]:
    """Return the lines of an answer; the model is let on only when its first statement has been received."""
    lines: list[dict[str, Any]] = []
    body = json.dumps({"question": question}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/page/ask",
        "raw_path": b"/page/ask",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.sleep(WAIT_SECONDS)
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        for line in message.get("body", b"").decode().splitlines():
            lines.append(json.loads(line))
            if lines[-1]["event"] == "checked":
                model.let_on.set()

    asyncio.run(app(scope, receive, send))
    return lines


def test_a_statement_is_shown_while_the_model_still_writes(bot: tuple[Chatbot, Pausing], tmp_path: Path) -> None:
    """The first statement arrives before the second is written; the second, which nothing says, is never shown."""
    chatbot, model = bot
    app, store = page(chatbot, tmp_path)
    lines = ask(app, model, QUESTION)
    store.close()
    assert model.was_let_on
    events = [line["event"] for line in lines]
    assert events[0] == "checked" and events[-1] == "end" and "start" in events
    assert "80 mg a day" in lines[0]["html"]
    assert not any("800 mg" in line["html"] for line in lines)


def test_what_was_shown_stands_in_the_whole(bot: tuple[Chatbot, Pausing], tmp_path: Path) -> None:
    """The turn that replaces the statements holds them, with their sources, and is kept."""
    chatbot, model = bot
    app, store = page(chatbot, tmp_path)
    lines = ask(app, model, QUESTION)
    shown = next(line for line in lines if line["event"] == "statement")
    assert "80 mg a day" in shown["html"] and 'class="citation"' in shown["html"]
    start = next(line for line in lines if line["event"] == "start")
    assert len(store.load("me", start["conversation"]).turns) == 1
    store.close()


def test_nothing_is_shown_before_an_emergency_card(bot: tuple[Chatbot, Pausing], tmp_path: Path) -> None:
    """What sounds like an emergency is answered by the card first, whatever the model has written by then."""
    chatbot, model = bot
    model.let_on.set()
    app, store = page(chatbot, tmp_path)
    with TestClient(app) as client:
        response = client.post(
            "/page/ask", json={"question": f"I have crushing chest pain and cannot breathe. {QUESTION}"}
        )
    store.close()
    events = [json.loads(line)["event"] for line in response.text.splitlines()]
    assert events[0] == "start" and "checked" not in events
    assert 'class="emergency"' in response.text.replace('\\"', '"')


def test_a_question_that_cannot_be_taken_still_has_its_status(bot: tuple[Chatbot, Pausing], tmp_path: Path) -> None:
    """An unknown article or conversation is refused before anything is streamed."""
    chatbot, model = bot
    model.let_on.set()
    app, store = page(chatbot, tmp_path)
    with TestClient(app) as client:
        assert client.post("/page/ask", json={"question": QUESTION, "article": "nobody"}).status_code == 400
        assert client.post("/page/ask", json={"question": QUESTION, "conversation": "nobody"}).status_code == 404
    store.close()
