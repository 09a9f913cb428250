"""An optional login: a form, a signed cookie, and brakes on guessing.

Is: who is logged in. Is not: the passwords (see `passwords.py`), nor the guard that asks here first (`security.py`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs

from chatbot.web.passwords import PasswordHash, check_password, read_passwords
from chatbot.web.rates import Buckets, Rate
from chatbot.web.security import cookie

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOG = logging.getLogger("followup.login")

SESSION_COOKIE = "followup_session"
# A working day.
SESSION_SECONDS = 12 * 3600
# Attempts from one address, and at one name from anywhere: a person mistypes, a program guesses.
_ADDRESS_RATE = Rate(burst=10, per_second=1 / 20)
_USER_RATE = Rate(burst=20, per_second=1 / 60)
# Password checks at once: each takes 32 MiB and a core.
_CHECKS_AT_ONCE = 2
_SECRET_BYTES = 32


class LoginState(Protocol):
    """What must be remembered of sessions and attempts, by one process or by several together."""

    def end(self, signature: str, until: float, now: float) -> None:
        """Note that a session has ended; until then it would have been valid."""
        ...

    def has_ended(self, signature: str) -> bool:
        """Say whether a session has ended."""
        ...

    def take(self, kind: str, key: str, rate: Rate, now: float) -> float:
        """Count an attempt; return 0.0, or the seconds until there may be one."""
        ...


class OwnState:
    """Remembers in this process alone."""

    def __init__(self) -> None:
        self._ended: dict[str, float] = {}
        self._now = 0.0
        self._buckets: dict[str, Buckets] = {}

    def end(self, signature: str, until: float, now: float) -> None:
        self._ended = {old: last for old, last in self._ended.items() if last > now}
        self._ended[signature] = until

    def has_ended(self, signature: str) -> bool:
        return signature in self._ended

    def take(self, kind: str, key: str, rate: Rate, now: float) -> float:
        self._now = now
        return self._buckets.setdefault(kind, Buckets(rate, lambda: self._now)).take(key)


class Login:
    """Knows the users of a password file and who has logged in.

    Sessions are signed with a secret. One that is drawn at each start is this process's alone: a restart logs
    everybody out. A changed password or a removed line (the file is read again when it changes) ends one user's.
    """

    def __init__(
        self,
        path: Path,
        *,
        secret: bytes | None = None,
        state: LoginState | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read the password file; with a `secret` and a `state` that others have too, they know the same sessions.

        Raises:
            ValueError: see `read_passwords`.
        """
        self._path = path
        self._now = now
        self._secret = secret or secrets.token_bytes(_SECRET_BYTES)
        self._state = state or OwnState()
        self._checks = threading.Semaphore(_CHECKS_AT_ONCE)
        self._stamp = self._file_stamp()
        self._users: dict[str, PasswordHash] = read_passwords(path)

    def user_of(self, cookies: Mapping[str, str]) -> str | None:
        """Return who is logged in by these cookies, or None."""
        token = cookies.get(SESSION_COOKIE, "")
        encoded, _, rest = token.partition(".")
        expires, _, signature = rest.partition(".")
        try:
            user = base64.urlsafe_b64decode(encoded.encode()).decode()
            until = int(expires)
        except ValueError:
            return None
        users = self._current_users()
        known = users.get(user)
        right = hmac.compare_digest(signature.encode(), self._sign(user, until, known).encode())
        if not (right and known and self._now() < until) or self._state.has_ended(signature):
            return None
        return user

    def wait_seconds(self, address: str, user: str) -> int:
        """Count an attempt; return 0, or how long to wait before the next."""
        now = self._now()
        by_address = self._state.take("address", address, _ADDRESS_RATE, now)
        return math.ceil(max(by_address, self._state.take("name", user, _USER_RATE, now)))

    def check(self, user: str, password: str) -> bool:
        """Say whether this is the user's password."""
        with self._checks:
            return check_password(self._current_users(), user, password)

    def begin(self, user: str) -> str:
        """Return the value of a new session's cookie."""
        until = int(self._now()) + SESSION_SECONDS
        encoded = base64.urlsafe_b64encode(user.encode()).decode()
        return f"{encoded}.{until}.{self._sign(user, until, self._current_users().get(user))}"

    def end(self, token: str) -> None:
        """End a session; its cookie opens nothing any more."""
        now = self._now()
        # By its signature: the rest of a cookie can be written in more than one way.
        self._state.end(token.rpartition(".")[2], now + SESSION_SECONDS, now)

    def _sign(self, user: str, until: int, known: PasswordHash | None) -> str:
        # The password's hash is part of what is signed: a new password ends the sessions of the old one.
        message = f"{user}\n{until}\n{known}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def _current_users(self) -> dict[str, PasswordHash]:
        stamp = self._file_stamp()
        if stamp != self._stamp:
            try:
                self._users = read_passwords(self._path)
            except ValueError:
                # A file that cannot be read lets nobody in.
                self._users = {}
                _LOG.error("password file unreadable")
            self._stamp = stamp
        return self._users

    def _file_stamp(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def add_routes(app: FastAPI, login: Login) -> None:
    """Add `/sign-in` and `/sign-out`; call it before the page is mounted at "/"."""
    from fastapi import Request
    from fastapi.responses import HTMLResponse, RedirectResponse, Response
    from starlette.concurrency import run_in_threadpool

    @app.get("/sign-in", include_in_schema=False)
    def form() -> Response:
        return HTMLResponse(_page(""))

    async def sign_in(request: Request) -> Response:
        fields = _fields(await request.body())
        user, password = fields.get("user", ""), fields.get("password", "")
        address = request.client.host if request.client else "unknown"
        if wait := await run_in_threadpool(login.wait_seconds, address, user[:64]):
            return HTMLResponse(
                _page(f"Too many attempts. Please wait {wait} seconds."), 429, {"Retry-After": str(wait)}
            )
        if not await run_in_threadpool(login.check, user, password):
            _LOG.warning("login refused")
            return HTMLResponse(_page("The name or the password is not right."), 401)
        response = RedirectResponse("/", 303)
        response.headers["set-cookie"] = cookie(SESSION_COOKIE, login.begin(user), request.scope, SESSION_SECONDS)
        return response

    async def sign_out(request: Request) -> Response:
        await run_in_threadpool(login.end, request.cookies.get(SESSION_COOKIE, ""))
        response = RedirectResponse("/sign-in", 303)
        response.headers["set-cookie"] = cookie(SESSION_COOKIE, "", request.scope, 0)
        return response

    # Added by hand: with postponed annotations FastAPI cannot see names that only this function knows.
    app.add_route("/sign-in", sign_in, methods=["POST"], include_in_schema=False)
    app.add_route("/sign-out", sign_out, methods=["POST"], include_in_schema=False)


def _fields(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def _page(message: str) -> str:
    # The policy of all other pages, no-referrer, makes browsers post a form with "Origin: null", which the guard
    # takes for another site; same-origin tells other sites as little.
    said = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<title>Log in</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ display: grid; place-items: center; min-height: 90vh; margin: 1rem }}
form {{ display: grid; gap: .75rem; width: min(20rem, 100%) }}
input, button {{ font: inherit; padding: .5rem; width: 100%; box-sizing: border-box }}
</style>
<form method="post" action="sign-in">
<h1>Log in</h1>
{said}
<label>Name <input name="user" autocomplete="username" required autofocus maxlength="64"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
</html>"""
