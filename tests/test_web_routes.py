"""What the page's routes answer: pieces of turns, lists, kept conversations of one owner, refusals in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import TinyEmbedder, article, write_articles
from fastapi import FastAPI
from fastapi.testclient import TestClient

from chatbot.conversations import ConversationStore
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web import routes
from chatbot.web.library import Library
from chatbot.web.page import HistoryFault, turns_of_messages
from chatbot.web.routes import add_page_routes, turns_of
from index.build import build

QUESTION = "What is the maximum dose of baclofen?"


@pytest.fixture
def bot(articles: Path, tmp_path: Path) -> Chatbot:
    """Return a chatbot on three small articles that answers whatever it finds."""
    embedder = TinyEmbedder()
    build([articles], tmp_path / "index", embedder, model="tiny")
    return Chatbot(Settings(index=tmp_path / "index", threshold=0.0), embedder)


@pytest.fixture
def client(bot: Chatbot, tmp_path: Path) -> Iterator[TestClient]:
    """Return a client whose header "who" is its owner."""
    app, store = FastAPI(), ConversationStore(f"sqlite:///{tmp_path / 'kept.sqlite'}")
    add_page_routes(app, bot, store, lambda request: request.headers.get("who", "me"))
    with TestClient(app) as client:
        yield client
    store.close()


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> list[dict[str, Any]]:
    """Return the pieces of an answer."""
    response = client.post("/page/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def test_answer_comes_in_pieces(client: TestClient) -> None:
    """First the turn without quotes, then each quote, then what stands below."""
    pieces = ask(client)
    assert [piece["event"] for piece in pieces][:2] == ["start", "statement"]
    assert pieces[-1]["event"] == "end" and pieces[-1]["disclaimer"]
    assert "80 mg a day" in pieces[1]["html"]


def test_reload_shows_what_the_pieces_made(client: TestClient) -> None:
    """A kept conversation is the same HTML as the pieces, put together."""
    pieces = ask(client)
    head, tail = pieces[0]["html"].split("</ol></article>")
    made = head + "".join(piece["html"] for piece in pieces[1:-1]) + "</ol>" + pieces[-1]["html"] + "</article>" + tail
    assert client.get(f"/page/conversations/{pieces[0]['conversation']}").json()["html"] == made


def test_conversation_belongs_to_its_owner(client: TestClient) -> None:
    """Another owner can neither read, extend, rename, judge, export nor delete it, and does not see it listed."""
    kept = ask(client)[0]["conversation"]
    other, path = {"who": "other"}, f"/page/conversations/{kept}"
    refused = [
        client.get(path, headers=other),
        client.post("/page/ask", json={"question": QUESTION, "conversation": kept}, headers=other),
        client.post(f"{path}/title", json={"title": "mine"}, headers=other),
        client.post(f"{path}/feedback", json={"position": 1, "kind": "helpful"}, headers=other),
        client.get(f"{path}/export?format=json", headers=other),
        client.post(f"{path}/delete", json={}, headers=other),
    ]
    assert [response.status_code for response in refused] == [404] * 6
    assert client.get("/page/conversations", headers=other).json() == {"conversations": []}
    assert client.get(path).status_code == 200


def test_title_of_a_new_conversation_is_masked(client: TestClient) -> None:
    """The first piece names the conversation as it is kept; later ones do not."""
    pieces = ask(client, "My name is John Smith. " + QUESTION)
    assert "Smith" not in pieces[0]["title"] and "baclofen" in pieces[0]["title"]
    assert ask(client, conversation=pieces[0]["conversation"])[0]["title"] is None


def test_followup_is_understood_from_the_kept_turns(client: TestClient) -> None:
    """The server remembers what was asked; the page sends only the new question."""
    kept = ask(client)[0]["conversation"]
    pieces = ask(client, "and for cramp?", conversation=kept)
    assert pieces[0]["position"] == 2
    assert "Understood as" in pieces[0]["html"]


def test_kept_turns_become_what_the_pipeline_reads(client: TestClient, tmp_path: Path) -> None:
    """Question, understood question, quotes and cited passages come back as turns."""
    kept = ask(client)[0]["conversation"]
    store = ConversationStore(f"sqlite:///{tmp_path / 'kept.sqlite'}")
    user, assistant = turns_of(store.load("me", kept))
    store.close()
    assert (user.role, user.content, user.standalone_question) == ("user", QUESTION, QUESTION)
    assert assistant.role == "assistant" and "80 mg a day" in assistant.content and assistant.passage_ids


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"question": "  "}, 400, "empty"),
        ({"question": "x" * 4001}, 400, "4,000"),
        ({"question": "x", "article": "nope"}, 400, "nope"),
        ({"question": "x", "conversation": "nope"}, 404, "not here any more"),
        ({"question": "x", "audience": "king"}, 422, "audience"),
        ({"question": "x", "more": 1}, 422, "more"),
        ({}, 422, "question"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(
    client: TestClient, body: dict[str, Any], status: int, words: str
) -> None:
    """A refusal says why, and keeps nothing."""
    response = client.post("/page/ask", json=body)
    assert response.status_code == status and words in response.text
    assert client.get("/page/conversations").json() == {"conversations": []}


def test_busy_server_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait longer than a server may keep them gets 503 and words."""
    monkeypatch.setattr(routes, "_PATIENCE_SECONDS", -1.0)
    response = client.post("/page/ask", json={"question": QUESTION})
    assert response.status_code == 503 and "busy" in response.json()["detail"]


def test_every_reply_is_recorded(bot: Chatbot, tmp_path: Path) -> None:
    """The recorder is told of the reply, the seconds and the reader."""
    told: list[tuple[str, float, str]] = []
    app, store = FastAPI(), ConversationStore(f"sqlite:///{tmp_path / 'told.sqlite'}")
    add_page_routes(app, bot, store, lambda _: "me", lambda reply, s, who: told.append((reply["outcome"], s, who)))
    with TestClient(app) as client:
        ask(client, audience="nurse")
    store.close()
    assert [(outcome, who) for outcome, _, who in told] == [("answer", "nurse")] and told[0][1] > 0


def test_title_export_feedback_and_deletion(client: TestClient) -> None:
    """What the list of conversations offers does what it says."""
    kept = ask(client)[0]["conversation"]
    path = f"/page/conversations/{kept}"
    assert client.post(f"{path}/title", json={"title": "Doses"}).json() == {"title": "Doses"}
    assert client.post(f"{path}/title", json={"title": " "}).status_code == 400
    exported = client.get(f"{path}/export?format=markdown")
    assert "attachment" in exported.headers["content-disposition"] and "80 mg a day" in exported.text
    assert client.get(f"{path}/export?format=exe").status_code == 422
    said = {"position": 1, "kind": "helpful", "comment": "clear", "citation": 1}
    assert client.post(f"{path}/feedback", json=said).json() == {"kept": True}
    assert client.post(f"{path}/feedback", json={**said, "kind": "rude"}).status_code == 400
    assert [row["title"] for row in client.get("/page/conversations?find=baclofen").json()["conversations"]] == [
        "Doses"
    ]
    assert client.post(f"{path}/delete", json={}).json() == {"deleted": True}
    assert client.get(path).status_code == 404


def test_articles_are_found_by_words_of_their_titles(client: TestClient) -> None:
    """Every word must stand in title or topic, in any case and order; the count is told."""
    assert client.get("/page/library").json()["count"] == 3
    found = client.get("/page/library", params={"find": "CRAMP calf"}).json()
    assert found["count"] == 1 and "Calf cramp" in found["html"]
    assert "No title or topic" in client.get("/page/library", params={"find": "<b>zebra"}).json()["html"]


def test_article_opens_or_is_said_to_be_missing(client: TestClient) -> None:
    """An id that is not in the index is no article."""
    assert "80 mg a day" in client.get("/page/article", params={"id": "baclofen"}).json()["html"]
    assert client.get("/page/article", params={"id": "../../etc/passwd"}).status_code == 404


def test_rebuilt_index_is_served_without_a_restart(client: TestClient, bot: Chatbot, tmp_path: Path) -> None:
    """A new article is listed and opened; an earlier answer says which index it came from."""
    kept, before = ask(client)[0]["conversation"], bot.opened.version
    folder = write_articles(tmp_path / "more", {"gout": article("gout", title="Gout")})
    build([folder], bot.settings.index, TinyEmbedder(), model="tiny")
    assert "Gout" in client.get("/page/library").json()["html"]
    html = client.get(f"/page/conversations/{kept}").json()["html"]
    assert "80 mg a day" in html and "Answered with index of" in html and before in html


def test_large_library_lists_titles_without_opening_them(bot: Chatbot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a size, documents are not read for their topics; titles are still found."""
    monkeypatch.setattr("chatbot.web.library._LISTED_BY_TOPIC", 2)
    monkeypatch.setattr("chatbot.web.library._SHOWN", 2)
    listed = Library(bot).listing()
    assert listed["count"] == 3 and "and 1 more" in listed["html"] and "3 articles" in listed["status"]


def test_reader_route_tells_the_disclaimer(client: TestClient) -> None:
    """Each reader gets the words meant for them."""
    words = client.get("/page/reader", params={"audience": "patient"}).json()
    assert "not a doctor" in words["disclaimer"] and words["login"] is False


def test_history_of_other_programs_is_read() -> None:
    """Text and Gradio's blocks are both taken; the order stays."""
    rows = [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]
    assert [(turn.role, turn.content) for turn in turns_of_messages(rows)] == [("user", "a"), ("assistant", "b")]
    assert turns_of_messages(None) == ()


@pytest.mark.parametrize("history", ["x", [1], [{"role": "system", "content": "x"}], [{"role": "user", "content": 1}]])
def test_anything_else_is_no_history(history: Any) -> None:
    """What cannot be a conversation is refused, not guessed at."""
    with pytest.raises(HistoryFault, match="history must be a list"):
        turns_of_messages(history)
