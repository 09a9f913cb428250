"""The whole application: sessions never see each other, nothing leaves the machine, closed routes are closed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from chatbot.conversations import ConversationStore
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from index.build import build

SESSIONS, TURNS = 64, 20
# Whatever is asked, each with the session's canary; the second half follows up on it.
QUESTIONS = (
    "How is calf cramp treated with {canary}?",
    "What is the maximum dose of baclofen for {canary}?",
    "Is quinine recommended beside {canary}?",
    "and in pregnancy?",
    "what about {canary} instead?",
)


def canary(session):
    """Return a word that no article and no other session has."""
    first, second = divmod(session, 8)
    return f"zor{'bcdfghjk'[first]}a{'lmnpqrst'[second]}imab"


@pytest.fixture
def bot(articles, tmp_path, tiny):
    """Return a chatbot on three small articles that answers whatever it can."""
    build([articles], tmp_path / "index", tiny, model="tiny")
    return Chatbot(Settings(index=tmp_path / "index", threshold=0.0), tiny)


@pytest.fixture
def store(tmp_path):
    """Return an empty store in a file."""
    store = ConversationStore(f"sqlite:///{tmp_path / 'conversations.sqlite'}")
    yield store
    store.close()


@pytest.fixture
def address(bot, store):
    """Serve the page's routes behind the guard on a free port of the loopback, and return its address."""
    import uvicorn
    from fastapi import FastAPI

    from chatbot.web.observe import record
    from chatbot.web.routes import add_page_routes
    from chatbot.web.security import owner_of, secure

    app = FastAPI()
    add_page_routes(app, bot, store, owner_of, record)
    secure(app, host="127.0.0.1", port=0)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def converse(address, session):
    """Hold one conversation of 20 turns as a browser would; return its id, all that was seen, and the cookie."""
    seen, conversation = [], None
    with httpx.Client(base_url=address, timeout=60) as client:
        for turn in range(TURNS):
            question = QUESTIONS[turn % len(QUESTIONS)].format(canary=canary(session))
            body = {"question": question, "conversation": conversation, "audience": "nurse"}
            response = client.post("/page/ask", json=body)
            assert response.status_code == 200, response.text
            lines = [json.loads(line) for line in response.text.splitlines()]
            conversation = lines[0]["conversation"]
            assert lines[0]["position"] == turn + 1
            seen.append(response.text)
        seen += [client.get("/page/conversations").text, client.get(f"/page/conversations/{conversation}").text]
        seen.append(client.get(f"/page/conversations/{conversation}/export?format=json").text)
        return conversation, "\n".join(seen), dict(client.cookies)


def test_64_simultaneous_sessions_of_20_turns_see_nothing_of_each_other(address, store):
    """A word that only one session says is seen by that session and by no other, nor stored under another."""
    with ThreadPoolExecutor(SESSIONS) as pool:
        held = list(pool.map(lambda session: converse(address, session), range(SESSIONS)))
    canaries = [canary(session) for session in range(SESSIONS)]
    assert len(set(canaries)) == SESSIONS
    for session, (_, seen, _) in enumerate(held):
        assert canaries[session] in seen
        assert [other for other in canaries if other != canaries[session] and other in seen] == []
    with httpx.Client(base_url=address, timeout=60) as stranger:
        for conversation, _, _ in held:
            assert stranger.get(f"/page/conversations/{conversation}").status_code == 404
        assert stranger.get("/page/conversations").json() == {"conversations": []}
    # One's cookie does not open another's conversation, to read, to write, to rename, or to delete.
    (first, _, _), (_, _, cookies) = held[0], held[1]
    with httpx.Client(base_url=address, cookies=cookies, timeout=60) as other:
        path = f"/page/conversations/{first}"
        attempts = [
            other.get(path),
            other.get(f"{path}/export?format=markdown"),
            other.post(f"{path}/title", json={"title": "mine"}),
            other.post(f"{path}/feedback", json={"position": 1, "kind": "unsafe"}),
            other.post("/page/ask", json={"question": "How is cramp treated?", "conversation": first}),
            other.post(f"{path}/delete"),
        ]
    assert [response.status_code for response in attempts] == [404] * 6
    assert all(canaries[0] not in response.text for response in attempts)
    with store._reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*), count(DISTINCT owner) FROM turns").one()
    assert tuple(count) == (SESSIONS * TURNS, SESSIONS)


# Run in a process of its own, as the hook cannot be taken off again. It is told of every attempt to connect, send
# or look up a name that Python makes, whoever makes it.
TRAP = """
import json, sys
tried = []

def trap(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1] if len(args) > 1 else None
        if not isinstance(address, tuple) or address[0] not in ("127.0.0.1", "::1"):
            tried.append(f"{event} {address!r}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"):
        if args[0] not in ("127.0.0.1", "::1", "localhost"):
            tried.append(f"{event} {args[0]!r}")

sys.addaudithook(trap)
from pathlib import Path
from chatbot.quiet import quiet_libraries
quiet_libraries()
from conftest import TinyEmbedder, article, write_articles
folder = Path(sys.argv[1])
write_articles(folder / "articles", {"cramp": article("cramp", title="Calf cramp ![x](http://evil.example/x.png)")})
from index.build import build
build([folder / "articles"], folder / "index", TinyEmbedder(), model="tiny")
from chatbot.conversations import ConversationStore
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web.serve import create_app
from fastapi.testclient import TestClient
uri = f"sqlite:///{folder / 'c.sqlite'}"
bot = Chatbot(Settings(index=folder / "index", conversations=uri, threshold=0.0), TinyEmbedder())
store = ConversationStore(uri)
app = create_app(bot, store, host="127.0.0.1", port=7860, mcp=True)
statuses = {}
with TestClient(app, base_url="http://127.0.0.1:7860") as client:
    def note(name, response):
        statuses[name] = response.status_code
        return response
    page = note("page", client.get("/"))
    asked = note("ask", client.post("/page/ask", json={"question": "How is calf cramp treated?"}))
    conversation = json.loads(asked.text.splitlines()[0])["conversation"]
    for format in ("markdown", "html", "json", "ris", "bibtex"):
        note(format, client.get(f"/page/conversations/{conversation}/export?format={format}"))
    joined = note("call", client.post("/gradio_api/call/ask", json={"data": ["cramp", [], None, "nurse"]}))
    note("result", client.get(f"/gradio_api/call/ask/{joined.json()['event_id']}"))
    note("upload", client.post("/gradio_api/upload", files={"files": ("x.txt", b"x" * 1000)}))
    note("file", client.get("/gradio_api/file=/etc/passwd"))
    note("proxy", client.get("/gradio_api/proxy=https://evil.example/"))
    note("config", client.get("/config"))
    note("info", client.get("/gradio_api/info"))
    note("health", client.get("/healthz"))
    note("metrics", client.get("/metrics"))
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    note("mcp", client.post("/mcp", json=message, headers={"accept": "application/json, text/event-stream"}))
store.close()
tried_before = len(tried)
import socket
try:
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)
except OSError:
    pass
print(json.dumps({"tried": tried[:tried_before], "works": len(tried) > tried_before, "statuses": statuses,
    "policy": page.headers["content-security-policy"], "scripts": page.text.count("<script")}))
"""


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    """Run the whole application once in a process that notes every attempt to reach out."""
    folder, tests = tmp_path_factory.mktemp("trap"), Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAP, str(folder)],
        cwd=tests.parent,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": f"{tests.parent}:{tests}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_server_tries_to_reach_nobody(trapped):
    """Start, page, questions, exports, the API and the tools: no connection and no name looked up outside."""
    assert trapped["works"], "the trap must see a connection that is really tried"
    assert trapped["tried"] == []


def test_the_whole_application_is_open_where_it_should_be_and_closed_elsewhere(trapped):
    """Everything the page needs answers; uploads, files and proxies do not."""
    closed = {name for name, status in trapped["statuses"].items() if status == 403}
    assert closed == {"upload", "file", "proxy"}
    assert {status for name, status in trapped["statuses"].items() if name not in closed} == {200}


def test_the_real_pages_inline_scripts_are_all_named(trapped):
    """Gradio's start page has inline scripts; each is in the policy, which allows no other."""
    assert trapped["policy"].count("'sha256-") >= 3
    assert "script-src 'self' 'unsafe-eval' 'sha256-" in trapped["policy"]
