"""Guards every request before it reaches the page, and every response before it leaves.

Is: one ASGI middleware around the whole application: names, origins, routes, sizes, rates, owners, logins, headers.
Is not: escaping (see `render.py`), which must hold without any of this.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import json
import logging
import math
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.concurrency import run_in_threadpool

from chatbot.database import DatabaseUnavailable
from chatbot.web.gate import (
    Refusal,
    allowed_names,
    check_host,
    check_length,
    check_origin,
    check_route,
    comes_by_link,
    is_asking,
    too_long,
)
from chatbot.web.rates import Buckets, Rate

if TYPE_CHECKING:
    from fastapi import FastAPI

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger("followup.web")

OWNER_COOKIE = "followup_owner"
_OWNER_BYTES = 24
_OWNER_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")
_YEAR_SECONDS = 365 * 24 * 3600
# Where our middleware leaves the owner for `owner_of`.
_OWNER_KEY = "followup_owner"
# Whether the owner came with the request, and was not made up for it.
_KNOWN_KEY = "followup_known"

# What Gradio truly needs beyond 'self', and why:
# - script-src: its page starts with four inline scripts (configuration and start-up). They are allowed one by one,
#   by hash, so that no other inline script runs; {hashes} is filled in for each page.
#   'unsafe-eval', because Gradio 6.31 compiles functions from text as it starts; without it the page stays empty.
# - style-src 'unsafe-inline': Svelte sets style attributes, and Gradio adds the page's CSS as a <style> element.
# - img-src data: — icons inside Gradio's style sheets. worker-src and media-src need nothing of ours.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; media-src 'none'; object-src 'none'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-src 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), "
        "screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"
    ),
    "x-permitted-cross-domain-policies": "none",
}
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)


# More than one core answers, so a browser or program that waits for each reply before it asks again stays below it.
_CLIENT_RATE = Rate(burst=240, per_second=25.0)
# Everyone behind one address together: a classroom, or 64 sessions of 20 questions at once.
_ADDRESS_RATE = Rate(burst=2_000, per_second=50.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may send."""

    # A question has 4,000 characters at most; the rest is the conversation that comes with it.
    body_bytes: int = 512 * 1024
    # A body that takes longer to arrive is given up.
    body_seconds: float = 20.0
    client: Rate = _CLIENT_RATE
    address: Rate = _ADDRESS_RATE
    # Asking requests in the works at once; with more, the server says that it is busy.
    at_once: int = 128


class LoginGate(Protocol):
    """What the guard needs of a login (see `login.py`)."""

    def user_of(self, cookies: MutableMapping[str, str]) -> str | None:
        """Return who is logged in by these cookies, or None."""
        ...


def secure(
    app: FastAPI,
    *,
    host: str,
    port: int,
    hosts: Collection[str] = (),
    login: LoginGate | None = None,
    limits: Limits | None = None,
    scripts: Collection[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Put the guard around `app`, which listens on `host`; `hosts` are other names it is reached by.

    `scripts` are the texts of inline scripts that the page adds while it runs (Gradio's `head=`); no other runs.
    `port` is not checked: a container or a proxy may show another one outside.
    """
    app.add_middleware(
        Guard,
        names=allowed_names(host, hosts),
        login=login,
        limits=limits or Limits(),
        hashes="".join(script_hashes(f"<script>{text}</script>".encode()) for text in scripts),
        clock=clock,
    )


def owner_of(request: Any) -> str:
    """Return whose conversations a request may see: of this browser, or of the user who is logged in.

    `request` is Starlette's or Gradio's.

    Raises:
        PermissionError: the request did not come through the guard; nobody owns anything then.
    """
    scope = getattr(getattr(request, "request", None) or request, "scope", None) or {}
    owner = (scope.get("state") or {}).get(_OWNER_KEY)
    if not owner:
        raise PermissionError("the request has no owner: call secure() on the application first")
    return str(owner)


class Guard:
    """The middleware; see the module's first line."""

    def __init__(
        self,
        app: App,
        *,
        names: Collection[str],
        login: LoginGate | None,
        limits: Limits,
        hashes: str,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._hashes = hashes
        self._names = names
        self._login = login
        self._limits = limits
        self._clients = Buckets(limits.client, clock)
        self._addresses = Buckets(limits.address, clock)
        self._in_the_works = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # The page uses no web socket; an open one would pass by every check below.
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._guard(scope, receive, _Outgoing(scope, send, self._hashes))

    async def _guard(self, scope: Scope, receive: Receive, out: _Outgoing) -> None:
        method, path, headers = scope["method"], scope["path"], _headers(scope)
        refusal = (
            check_host(headers.get("host"), self._names)
            or check_origin(method, headers)
            or check_route(method, path)
            or check_length(headers, self._limits.body_bytes)
        )
        if refusal:
            await out.refuse(refusal)
            return
        if comes_by_link(method, headers) and b"from-link" not in scope["query_string"]:
            await out.come_again()
            return
        cookies = _cookies(headers)
        try:
            # A database may be asked, which others wait for as well.
            user = await run_in_threadpool(self._login.user_of, cookies) if self._login else None
        except DatabaseUnavailable:
            await out.refuse(Refusal(503, "The server cannot tell who is logged in. Please try again in a moment.", 5))
            return
        if not self._enter(scope, cookies, headers, user, out):
            await out.send_to_login(method, headers)
            return
        asking, body = is_asking(method, path), b""
        if asking and (refusal := self._too_many(self._addresses, _network(scope)) or self._busy()):
            await out.refuse(refusal)
            return
        if method == "POST":
            try:
                body, receive = await _read_body(receive, self._limits)
            except _BodyRefused as refused:
                await out.refuse(refused.refusal)
                return
        if asking and (refusal := self._too_many(self._clients, _client(scope, body))):
            await out.refuse(refusal)
            return
        self._in_the_works += asking
        try:
            await self._app(_without_encodings(scope) if path == "/" else scope, receive, out)
        finally:
            self._in_the_works -= asking

    def _enter(
        self, scope: Scope, cookies: dict[str, str], headers: dict[str, str], user: str | None, out: _Outgoing
    ) -> bool:
        """Note the owner in the scope; return False if a login is needed first."""
        state = scope.setdefault("state", {})
        if self._login is not None:
            if user is not None:
                state |= {_OWNER_KEY: f"user-{user}", _KNOWN_KEY: True}
            return user is not None or scope["path"] in ("/sign-in", "/healthz", "/metrics")
        secret = cookies.get(OWNER_COOKIE, "")
        state[_KNOWN_KEY] = bool(_OWNER_SHAPE.fullmatch(secret))
        if not state[_KNOWN_KEY]:
            secret = secrets.token_urlsafe(_OWNER_BYTES)
            # Parts of a page come side by side; each would set another cookie.
            if headers.get("sec-fetch-dest", "document") in ("document", "empty"):
                out.cookies.append(cookie(OWNER_COOKIE, secret, scope, _YEAR_SECONDS))
        # The cookie opens the conversations, so the database holds only what it hashes to.
        state[_OWNER_KEY] = "browser-" + hashlib.sha256(secret.encode()).hexdigest()[:32]
        return True

    @staticmethod
    def _too_many(buckets: Buckets, key: str) -> Refusal | None:
        wait = math.ceil(buckets.take(key))
        if not wait:
            return None
        return Refusal(429, f"Too many questions in a short time. Please wait {_seconds(wait)} and ask again.", wait)

    def _busy(self) -> Refusal | None:
        if self._in_the_works < self._limits.at_once:
            return None
        return Refusal(503, "The server is busy with other questions. Please ask again in a few seconds.", 5)


class _Outgoing:
    """The way out: every response gets the security headers, HTML pages the hashes of their scripts."""

    def __init__(self, scope: Scope, send: Send, hashes: str) -> None:
        self._scope = scope
        self._hashes = hashes
        self._send = send
        self._start: Message | None = None
        self._page = bytearray()
        self.cookies: list[str] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _is_html(message):
                self._start = message
                return
            await self._send(self._dressed(message, ""))
        elif message["type"] == "http.response.body" and self._start is not None:
            # A page is held until it is whole: its policy names the hashes of all its scripts.
            self._page += message.get("body", b"")
            if not message.get("more_body"):
                await self._send(self._dressed(self._start, self._hashes + script_hashes(bytes(self._page))))
                await self._send({"type": "http.response.body", "body": bytes(self._page)})
                self._start = None
        else:
            await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal; `detail` is where Gradio's page looks for the words."""
        _LOG.info("refused", extra={"status": refusal.status, "method": self._scope["method"]})
        more = [(b"retry-after", str(refusal.retry_after_seconds).encode())] if refusal.retry_after_seconds else []
        # The body was not read, so the connection cannot be used again.
        await self._answer(
            refusal.status,
            json.dumps({"detail": refusal.words, "error": refusal.words}).encode(),
            b"application/json",
            [*more, (b"connection", b"close")],
        )

    async def come_again(self) -> None:
        """Answer a visit by a link from another site with a page that asks once more, now from our own site.

        Only then does the browser send its strict cookie; without it the visitor would be taken for a new one and
        lose the way to earlier conversations.
        """
        query = self._scope["query_string"].decode("latin-1")
        query = "&".join(
            part for part in (query if re.fullmatch(r"[\w=&%.+~-]*", query) else "", "from-link=1") if part
        )
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8><title>One moment</title>"
            f'<meta http-equiv=refresh content="0;url=?{query.replace("&", "&amp;")}">'
            f'<p><a href="?{query.replace("&", "&amp;")}">Go on</a></p></html>'
        )
        await self._answer(200, page.encode(), b"text/html; charset=utf-8", [])

    async def send_to_login(self, method: str, headers: dict[str, str]) -> None:
        """Answer someone who is not logged in: the login page for a person, plain words for a program."""
        if method == "GET" and "text/html" in headers.get("accept", ""):
            root = self._scope.get("root_path", "").encode("latin-1", "ignore")
            await self._answer(303, b"", b"text/plain", [(b"location", root + b"/sign-in")])
        else:
            await self.refuse(Refusal(401, "Please log in first."))

    async def _answer(self, status: int, body: bytes, kind: bytes, more: list[tuple[bytes, bytes]]) -> None:
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await self._send(self._dressed(start, ""))
        await self._send({"type": "http.response.body", "body": body})

    def _dressed(self, start: Message, hashes: str) -> Message:
        ours = {**_HEADERS, "content-security-policy": _POLICY.format(hashes=hashes)}
        dropped = {name.encode() for name in ours} | {b"server", b"x-powered-by"}
        kept = [
            (name, value)
            for name, value in start.get("headers", [])
            # Gradio offers itself to other origins; here there is but one.
            if name.lower() not in dropped and not name.lower().startswith(b"access-control-")
        ]
        if not self._scope["path"].startswith(("/assets/", "/static/")) and not any(
            name.lower() == b"cache-control" for name, _ in kept
        ):
            # What was asked and answered stays in no cache of a shared computer.
            kept.append((b"cache-control", b"no-store"))
        kept += [(name.encode(), value.encode()) for name, value in ours.items()]
        kept += [(b"set-cookie", entry.encode()) for entry in self.cookies]
        return {**start, "headers": kept}


def script_hashes(page: bytes) -> str:
    """Return the policy's sources for the inline scripts of a page, each with a blank before it.

    Source: Content Security Policy Level 3, section 2.3.1, hash-source.
    """
    digests = (hashlib.sha256(match[1]).digest() for match in _INLINE_SCRIPT.finditer(page) if match[1])
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in dict.fromkeys(digests))


def cookie(name: str, value: str, scope: Scope, max_age_seconds: int) -> str:
    """Return a Set-Cookie value that scripts cannot read and other sites cannot send."""
    secure_too = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure_too}"


class _BodyRefused(Exception):
    """A body was too long, or too slow."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


async def _read_body(receive: Receive, limits: Limits) -> tuple[bytes, Receive]:
    """Read a whole body, at most `limits.body_bytes`; return it and a receive that gives it again."""
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(limits.body_seconds):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    break
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > limits.body_bytes:
                    raise _BodyRefused(too_long(limits.body_bytes))
    except TimeoutError:
        raise _BodyRefused(Refusal(408, "The message took too long to arrive. Please send it again.")) from None
    first = True

    async def again() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": bytes(body), "more_body": False}
        return await receive()

    return bytes(body), again


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; of a doubled one, all values joined, so that none is overlooked."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _cookies(headers: dict[str, str]) -> dict[str, str]:
    # By hand: the standard library drops all cookies when one of them, perhaps of another program on this
    # machine, is not as it likes it.
    pairs = (part.strip().partition("=") for part in re.split("[;,]", headers.get("cookie", "")))
    return {name: value.strip('"') for name, _, value in pairs}


def _network(scope: Scope) -> str:
    """Return whom an address stands for: itself, or all of its IPv6 network, which one machine has to itself."""
    address = str((scope.get("client") or ("unknown", 0))[0])
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def _client(scope: Scope, body: bytes) -> str:
    """Return who asks, as far as that can be told: a program without cookies by the session it names."""
    if scope["state"].get(_KNOWN_KEY):
        return f"{_network(scope)} {scope['state'][_OWNER_KEY]}"
    session = re.search(rb'"session_hash"\s*:\s*"([\w-]{1,64})"', body)
    return f"{_network(scope)} {session[1].decode() if session else ''}"


def _is_html(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", [])}
    # A compressed page cannot be read; `_without_encodings` sees to it that ours is not.
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers


def _without_encodings(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]
    return {**scope, "headers": headers}


def _seconds(count: int) -> str:
    return "a second" if count == 1 else f"{count} seconds"
