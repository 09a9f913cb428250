"""The login lets in who knows the password, in constant time, and lets nobody guess."""

from __future__ import annotations

import os
import time
from http.cookies import SimpleCookie

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from chatbot.web import passwords
from chatbot.web.login import SESSION_COOKIE, SESSION_SECONDS, Login, add_routes
from chatbot.web.passwords import check_password, hash_password, read_passwords, set_password
from chatbot.web.security import owner_of, secure

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """Make scrypt cheap: its cost is tested by itself."""
    monkeypatch.setattr(passwords, "_LOG2_N", 10)
    monkeypatch.setattr(passwords, "_NOBODY", passwords.PasswordHash(10, 8, 3, bytes(16), bytes(32)))


@pytest.fixture
def path(tmp_path):
    """Return a password file with two users."""
    for user in ("ana", "ben"):
        set_password(tmp_path / "passwords", user, RIGHT)
    return tmp_path / "passwords"


@pytest.fixture
def clock():
    """Return a clock that stands until it is set."""
    return [1_000_000.0]


@pytest.fixture
def login(path, clock):
    """Return a login on that file and that clock."""
    return Login(path, now=lambda: clock[0])


@pytest.fixture
def client(login):
    """Return a client of an application that asks for a login."""
    app = FastAPI()
    add_routes(app, login)

    @app.get("/")
    def page(request: Request):
        return owner_of(request)

    @app.get("/healthz")
    def healthz():
        return "ok"

    secure(app, host="127.0.0.1", port=7860, login=login)
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


def sign_in(client, user="ana", password=RIGHT):
    return client.post("/sign-in", data={"user": user, "password": password})


def test_nothing_is_shown_before_the_login(client):
    """A person is led to the form, a program is told; health stays open."""
    person = client.get("/", headers={"accept": "text/html"})
    assert (person.status_code, person.headers["location"]) == (303, "/sign-in")
    program = client.post("/page/ask", json={"question": "q"})
    assert (program.status_code, program.json()["detail"]) == (401, "Please log in first.")
    assert client.get("/assets/index.js").status_code == 401
    assert client.get("/healthz").text == '"ok"'
    assert "<form" in client.get("/sign-in").text


def test_the_right_password_opens_the_users_own_conversations(client):
    """The owner is the user, in every browser; the cookie is out of reach of scripts and other sites."""
    response = sign_in(client)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = SimpleCookie(response.headers["set-cookie"])[SESSION_COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert client.get("/").json() == "user-ana"


@pytest.mark.parametrize(
    ("user", "password"),
    [("ana", "wrong password"), ("ana", ""), ("", RIGHT), ("nobody", RIGHT), ("ANA", RIGHT), ("ana", RIGHT + " ")],
)
def test_anything_else_is_refused_in_the_same_words(client, user, password):
    """Nobody learns which of the two was wrong."""
    response = sign_in(client, user, password)
    assert response.status_code == 401
    assert "The name or the password is not right." in response.text
    assert "set-cookie" not in response.headers


def test_guessing_is_braked_for_an_address_and_for_a_name(login, clock):
    """10 attempts from one address, 20 at one name from anywhere; both come back with time."""
    waits = [login.wait_seconds("10.0.0.1", f"user{n}") for n in range(11)]
    assert waits == [0] * 10 + [20]
    waits = [login.wait_seconds(f"10.0.1.{n}", "ana") for n in range(21)]
    assert waits == [0] * 20 + [60]
    clock[0] += 60
    assert login.wait_seconds("10.0.0.1", "ana") == 0


def test_the_right_password_does_not_pass_the_brake(client):
    """Who guessed too often waits, even with the right one at last."""
    for _ in range(10):
        assert sign_in(client, password="wrong password").status_code == 401
    response = sign_in(client)
    assert response.status_code == 429 and "Please wait 20 seconds" in response.text


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: token.replace(token.split(".")[0], "YmVu"),  # ben
        lambda token: ".".join([token.split(".")[0], str(int(token.split(".")[1]) + 1), token.split(".")[2]]),
        lambda token: token.rpartition(".")[0],
        lambda token: "..",
        lambda token: "\xff.9999999999.x",
        lambda token: "",
    ],
    ids="signature user expiry unsigned dots bytes empty".split(),
)
def test_a_changed_cookie_opens_nothing(login, change):
    """User, time and signature hold each other."""
    token = login.begin("ana")
    assert login.user_of({SESSION_COOKIE: token}) == "ana"
    assert login.user_of({SESSION_COOKIE: change(token)}) is None


def test_a_session_ends_with_the_day_and_with_the_sign_out(client, login, clock):
    """After 12 hours, or once signed out, the same cookie opens nothing."""
    token = login.begin("ana")
    clock[0] += SESSION_SECONDS
    assert login.user_of({SESSION_COOKIE: token}) is None
    sign_in(client)
    cookie = client.cookies[SESSION_COOKIE]
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert client.cookies.get(SESSION_COOKIE) is None
    assert login.user_of({SESSION_COOKIE: cookie}) is None


def test_a_session_of_another_process_is_not_valid_here(path, login):
    """The secret is drawn at each start."""
    assert Login(path).user_of({SESSION_COOKIE: login.begin("ana")}) is None


def test_a_changed_password_or_a_removed_user_ends_the_sessions(path, login):
    """The file is read again when it changes, without a restart."""
    ana, ben = login.begin("ana"), login.begin("ben")
    set_password(path, "ana", "another password")
    assert login.user_of({SESSION_COOKIE: ana}) is None
    assert login.user_of({SESSION_COOKIE: ben}) == "ben"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("ben")))
    assert login.user_of({SESSION_COOKIE: ben}) is None


def test_a_file_that_became_unreadable_lets_nobody_in(path, login):
    """It fails closed."""
    token = login.begin("ana")
    path.write_text("rubbish")
    assert login.user_of({SESSION_COOKIE: token}) is None
    assert not login.check("ana", RIGHT)


def test_passwords_are_stored_salted_and_hashed(path):
    """Equal passwords look different; the file is its owner's alone and holds no password."""
    text = path.read_text()
    first, second = text.splitlines()
    assert first.split(":")[1] != second.split(":")[1]
    assert RIGHT not in text and text.count("scrypt$10$8$3$") == 2
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_unknown_name_takes_as_long_as_a_wrong_password(path, monkeypatch):
    """Both cost one scrypt: the number of checks is equal, whatever the clock says."""
    calls = []
    real = passwords._scrypt
    monkeypatch.setattr(passwords, "_scrypt", lambda *args: calls.append(1) or real(*args))
    users = read_passwords(path)
    assert not check_password(users, "ana", "wrong password") and not check_password(users, "nobody", RIGHT)
    assert len(calls) == 2


def test_the_shipped_cost_slows_guessing():
    """One check with the shipped cost takes at least 20 ms of a core."""
    started = time.process_time()
    passwords.PasswordHash(15, 8, 3, bytes(16), bytes(32)).matches("x")
    assert time.process_time() - started > 0.02


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "holds no user"),
        ("ana:secret", "line 1: not of the form"),
        ("# users\nana:scrypt$99$8$3$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==", "line 2: scrypt's cost"),
        ("ana:scrypt$15$8$3$AA==$AAAA", "line 1: the salt"),
        ("a b:scrypt$15$8$3$AA==$AAAA", "line 1: user 'a b'"),
        ("ana:scrypt$15$8$3$*$*", "line 1"),
    ],
)
def test_a_damaged_file_is_refused_with_the_line(tmp_path, text, fault):
    """The server does not start with a login that would let nobody, or anybody, in."""
    (tmp_path / "p").write_text(text)
    with pytest.raises(ValueError, match=fault):
        read_passwords(tmp_path / "p")
    with pytest.raises(ValueError, match="cannot be read"):
        Login(tmp_path / "missing")


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_passwords_have_a_length(password):
    """8 to 256 characters."""
    with pytest.raises(ValueError, match="8 to 256"):
        hash_password(password)


def test_the_command_sets_a_password(tmp_path):
    """`followup passwd` asks twice and never shows it."""
    from chatbot.cli import app

    path = tmp_path / "p"
    result = CliRunner().invoke(app, ["passwd", "ana", "--passwords", str(path)], input=f"{RIGHT}\n{RIGHT}\n")
    assert result.exit_code == 0 and RIGHT not in result.output
    assert check_password(read_passwords(path), "ana", RIGHT)


def test_the_form_shows_no_markup_of_what_was_typed(client):
    """What was typed is not written back."""
    response = sign_in(client, user="<script>alert(1)</script>")
    assert "<script" not in response.text and response.status_code == 401


def test_a_form_of_too_many_fields_is_no_login(client):
    """Odd bodies are a refusal, not an error."""
    response = client.post("/sign-in", content="&".join(f"f{n}=1" for n in range(50)))
    assert response.status_code == 401
