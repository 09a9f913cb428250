"""Several page processes as one: logins, sign-outs and guesses are known to all, and so are conversations."""

from __future__ import annotations

import json
import secrets
import stat
import threading

import httpx
import pytest
import sqlalchemy as sa
from browsing import serving
from conftest import article, write_articles
from fastapi import FastAPI
from fastapi.testclient import TestClient

from chatbot.conversations import ConversationStore
from chatbot.database import Database
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from chatbot.web import passwords
from chatbot.web.login import SESSION_COOKIE, Login, add_routes
from chatbot.web.page import UNREACHABLE, answer_call
from chatbot.web.passwords import set_password
from chatbot.web.rates import Rate
from chatbot.web.routes import add_page_routes
from chatbot.web.security import owner_of, secure
from chatbot.web.shared import SECRET_BYTES, SecretFault, SharedLogins, read_secret
from index.build import build

RIGHT = "correct horse battery"
SECRET = bytes(range(32))


@pytest.fixture
def cheap_hashes(monkeypatch):
    """Make scrypt cheap: its cost is tested by itself."""
    monkeypatch.setattr(passwords, "_LOG2_N", 10)
    monkeypatch.setattr(passwords, "_NOBODY", passwords.PasswordHash(10, 8, 3, bytes(16), bytes(32)))


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request, tmp_path):
    """Return one database, opened twice as two processes would open it."""
    if request.param == "sqlite":
        uri = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    else:
        uri = request.getfixturevalue("postgres").database(f"shared-{secrets.token_hex(4)}")
    opened = [Database(uri), Database(uri)]
    yield opened
    for database in opened:
        database.close()


@pytest.fixture
def clock():
    """Return a clock that stands until it is set."""
    return [1_800_000_000.0]


@pytest.fixture
def logins(databases, cheap_hashes, tmp_path, clock):
    """Return two logins on one password file, one secret and one database."""
    set_password(tmp_path / "passwords", "ana", RIGHT)
    return [
        Login(tmp_path / "passwords", secret=SECRET, state=SharedLogins(database), now=lambda: clock[0])
        for database in databases
    ]


def user_of(login, token):
    return login.user_of({SESSION_COOKIE: token})


def test_a_session_of_one_process_is_valid_in_the_other(logins, tmp_path):
    """Signed by the same secret, a cookie opens both; signed by another, neither."""
    one, other = logins
    assert user_of(other, one.begin("ana")) == "ana" == user_of(one, other.begin("ana"))
    stranger = Login(tmp_path / "passwords", secret=bytes(32))
    assert user_of(one, stranger.begin("ana")) is None


def test_who_signs_out_of_one_process_is_out_of_the_other(logins, clock):
    """At once, and for that session alone; what has run out is forgotten by the database."""
    one, other = logins
    token = one.begin("ana")
    clock[0] += 1
    second = one.begin("ana")
    other.end(token)
    assert user_of(one, token) is None and user_of(one, second) == "ana"
    clock[0] += 13 * 3600
    one.end("another")
    assert not one._state.has_ended(token.rpartition(".")[2])


def test_guesses_count_together(logins, clock):
    """Ten attempts from one address, wherever they go; then the wait is the same everywhere."""
    one, other = logins
    waits = [(one, other)[number % 2].wait_seconds("192.0.2.7", f"user{number}") for number in range(12)]
    assert waits == [0] * 10 + [20, 20]
    assert one.wait_seconds("192.0.2.8", "somebody") == 0
    clock[0] += 20
    assert [other.wait_seconds("192.0.2.7", "x"), one.wait_seconds("192.0.2.7", "y")] == [0, 20]


def test_attempts_at_once_take_each_token_once(databases):
    """Eight threads on two connections: exactly as many pass as the bucket holds."""
    states, passed = [SharedLogins(database) for database in databases], []

    def guess(number):
        for _ in range(5):
            passed.append(states[number % 2].take("address", "192.0.2.7", Rate(burst=12, per_second=0.001), 1e9) == 0.0)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), sum(passed)) == (40, 12)


def test_no_name_and_no_cookie_stand_in_the_database(logins, databases):
    """Who reads the database learns neither who tried nor a cookie that opens anything."""
    one, _ = logins
    token = one.begin("ana")
    one.wait_seconds("192.0.2.7", "ana")
    one.end(token)
    with databases[0].reading(sa.MetaData()) as connection:
        tables = ("ended_sessions", "login_attempts")
        rows = [connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall() for table in tables]
    assert len(rows[0]) == 1 and len(rows[1]) == 2
    assert not any(word in repr(rows) for word in ("ana", "192.0.2.7", token.rpartition(".")[2]))


def test_a_database_that_is_down_lets_nobody_in(cheap_hashes, tmp_path):
    """A cookie that cannot be checked opens nothing; the words are plain and name no server."""
    set_password(tmp_path / "passwords", "ana", RIGHT)
    pytest.importorskip("psycopg", reason="the extra [postgresql] is not installed")
    state = SharedLogins(Database("postgresql://nobody@127.0.0.1:1/none"))
    login = Login(tmp_path / "passwords", secret=SECRET, state=state)
    app = FastAPI()
    add_routes(app, login)
    secure(app, host="127.0.0.1", port=7860, login=login)
    client = TestClient(app, base_url="http://localhost", follow_redirects=False)
    client.cookies.set(SESSION_COOKIE, login.begin("ana"))
    response = client.get("/")
    assert (response.status_code, "127.0.0.1" in response.text) == (503, False)
    assert "cannot tell who is logged in" in response.json()["error"]


def test_the_secret_is_made_once_and_private(tmp_path):
    """Processes that start together read one secret, which nobody else can read."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(read_secret(tmp_path / "secret"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12 and len(set(found)) == 1 and len(found[0]) == SECRET_BYTES
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [(b"short", 0o600, "has 5 bytes, at least 32"), (bytes(32), 0o644, "can be read by others: chmod 600")],
)
def test_a_secret_that_is_none_is_refused(tmp_path, content, mode, fault):
    """The words say what to do."""
    (tmp_path / "secret").write_bytes(content)
    (tmp_path / "secret").chmod(mode)
    with pytest.raises(SecretFault, match=fault):
        read_secret(tmp_path / "secret")


def test_a_secret_without_a_folder_is_refused(tmp_path):
    """No folder is made for it."""
    with pytest.raises(SecretFault, match="No such file or directory"):
        read_secret(tmp_path / "nowhere" / "secret")


def ask(client, question, conversation=None):
    """Return the first line of the answer to a question from the page: where it is kept, and what is shown."""
    body = {"question": question, "conversation": conversation, "audience": "nurse"}
    response = client.post("/page/ask", json=body)
    assert response.status_code == 200, response.text
    return json.loads(response.text.splitlines()[0])


def version_of(client):
    return client.get("/healthz").json()["index_version"]


def test_a_page_whose_servers_are_down_says_so_and_names_none(pgvector, tiny, articles, tmp_path):
    """Question, conversations and API: plain words, no address; once the server is back, the same page answers."""
    import gradio
    from postgres_server import installed, running_server

    with running_server(installed()[0]) as server:
        build([articles], tmp_path / "ix", tiny, model="tiny", store=server.uri)
        bot = Chatbot(Settings(index=tmp_path / "ix", store=server.uri, threshold=0.0), tiny)
        store, app = ConversationStore(server.uri), FastAPI()
        add_page_routes(app, bot, store, owner_of)
        secure(app, host="127.0.0.1", port=7860)
        with TestClient(app, base_url="http://localhost") as client:
            assert client.post("/page/ask", json={"question": "How is calf cramp treated?"}).status_code == 200
            server.stop()
            for response in (
                client.post("/page/ask", json={"question": "How is calf cramp treated?"}),
                client.get("/page/conversations"),
            ):
                assert (response.status_code, response.json()) == (503, {"error": UNREACHABLE})
            with pytest.raises(gradio.Error, match="cannot reach what it answers from"):
                answer_call(bot, "How is calf cramp treated?", None, None, "nurse")
            server.start()
            assert client.post("/page/ask", json={"question": "How is calf cramp treated?"}).status_code == 200
        store.close()
        bot.opened.close()


def test_two_processes_serve_one_page(pgvector, environment, minilm, tmp_path):
    """Logged in at one process, a conversation goes on at the other; both take up a new index; a sign-out ends both.

    Index, conversations and logins lie in one PostgreSQL server.
    """
    uri = pgvector.database(f"page-{secrets.token_hex(4)}")
    texts = {
        "cramp": article("cramp", words="Stretch the calf slowly and hold it.", title="Calf cramp"),
        "baclofen": article("baclofen", words="The maximum dose of baclofen is 80 mg a day.", title="Baclofen"),
    }
    sources = write_articles(tmp_path / "sources", texts)
    first = build([sources], tmp_path / "ix", minilm, model="all-MiniLM-L6-v2", store=uri).index_version
    set_password(tmp_path / "passwords", "ana", RIGHT)
    shared = {
        **environment,
        "FOLLOWUP_STORE": uri,
        "FOLLOWUP_CONVERSATIONS": uri,
        "FOLLOWUP_PASSWORDS": str(tmp_path / "passwords"),
        "FOLLOWUP_SECRET": str(tmp_path / "secret"),
        "FOLLOWUP_THRESHOLD": "0",
    }
    with (
        serving(shared, tmp_path / "ix", tmp_path / "one") as here,
        serving(shared, tmp_path / "ix", tmp_path / "two") as there,
        httpx.Client(base_url=here, timeout=60) as one,
        httpx.Client(base_url=there, timeout=60) as other,
    ):
        assert one.post("/page/ask", json={"question": "x"}).status_code == 401
        assert one.post("/sign-in", data={"user": "ana", "password": RIGHT}).status_code == 303
        other.cookies.update(one.cookies)
        begun = ask(one, "What is the maximum dose of baclofen?")
        on = ask(other, "and how is calf cramp treated?", begun["conversation"])
        assert (on["conversation"], on["position"]) == (begun["conversation"], 2)
        listed = [client.get("/page/conversations").json()["conversations"] for client in (one, other)]
        assert listed[0] == listed[1] and [head["turns"] for head in listed[0]] == [2]
        shown = one.get(f"/page/conversations/{begun['conversation']}").json()["html"]
        assert "80 mg" in shown and "Stretch the calf" in shown

        texts["cramp"] = article("cramp", words="Walk on the heels until it passes.", title="Calf cramp")
        write_articles(sources, texts)
        second = build([sources], tmp_path / "ix", minilm, model="all-MiniLM-L6-v2", store=uri).index_version
        assert second != first
        for client in (one, other):
            kept = ask(client, "How is calf cramp treated?")["conversation"]
            assert "Walk on the heels" in client.get(f"/page/conversations/{kept}").json()["html"]
            assert version_of(client) == second

        assert other.post("/sign-out").status_code == 303
        assert one.get("/page/conversations").status_code == 401
