"""Decides what may pass, from a request's method, path and headers alone; its body is not read for it.

Is: pure checks, each a refusal or None. Is not: the middleware that asks them (see `security.py`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the gate: an HTTP status and plain words."""

    status: int
    words: str
    retry_after_seconds: int | None = None


# Everything that changes or computes something goes through one of these; uploads do not.
_OPEN_POSTS = re.compile(
    r"/gradio_api/(?:queue/join|call/(?:v2/)?[\w-]+|run/[\w-]+|api/[\w-]+|component_server|cancel|reset)/?"
    r"|/page/ask|/page/conversations/[\w-]+/(?:title|delete|feedback)|/sign-in|/sign-out|/mcp/?"
    r"|/page/ask|/page/conversations/[0-9a-f]+/(?:title|delete|feedback)"
)
# Of Gradio's own reading routes, what its page and its client use. Closed by that: files and proxies
# (`file=`, `proxy=`, `stream/`), run history, monitoring, profiling, deep links and the vibe editor.
_OPEN_GRADIO_GETS = re.compile(
    r"/gradio_api/(?:info|openapi\.json|config|app_id|startup-events|queue/(?:data|status)|heartbeat/[\w-]+"
    r"|call/(?:v2/)?[\w-]+/[\w-]+|user|token|login_check)/?"
)
_CLOSED_GETS = re.compile(r"/(?:monitoring|dev|custom_component|login|logout|docs|redoc)(?:/|$)|/(?:file|proxy)[=/]")
# Posts that make the pipeline work, or may; these are what rates are for.
_ASKING = re.compile(r"/gradio_api/(?:queue/join|call/|run/|api/|component_server)|/mcp|/page/ask$")
_CLOSED = "This part of the server is closed."


def is_asking(method: str, path: str) -> bool:
    """Say whether a request may make the chatbot work."""
    return method == "POST" and bool(_ASKING.match(path))


def check_route(method: str, path: str) -> Refusal | None:
    """Refuse methods and paths that the page does not need; uploads above all.

    Source: Gradio 6.31, `routes.py`; its upload route takes files even when no component does.
    """
    if method == "POST":
        return None if _OPEN_POSTS.fullmatch(path) else Refusal(403, _CLOSED)
    if method not in ("GET", "HEAD"):
        return Refusal(405, "This server reads and asks; it knows no other method.")
    if path.startswith("/gradio_api"):
        return None if _OPEN_GRADIO_GETS.fullmatch(path) else Refusal(403, _CLOSED)
    return Refusal(403, _CLOSED) if _CLOSED_GETS.match(path) else None


def allowed_names(host: str, more: Collection[str]) -> frozenset[str]:
    """Return the host names, without port, that the server answers to when it listens on `host`."""
    return frozenset({"localhost", _name_of(host), *(name.lower() for name in more)} - {"", "0.0.0.0", "::"})


def check_host(header: str | None, names: Collection[str]) -> Refusal | None:
    """Refuse a Host that is not this server's.

    A page elsewhere can make its own name point at this machine (DNS rebinding) and then read our replies; its
    requests carry that name. An IP address is no name, so it cannot be made to point anywhere.
    """
    name = _name_of(header or "")
    if name in names or _is_address(name):
        return None
    return Refusal(
        400, "The server does not know the name it was called by. Its operator can allow it with FOLLOWUP_HOSTS."
    )


def check_origin(method: str, headers: Mapping[str, str]) -> Refusal | None:
    """Refuse what a page of another origin sends, and what it embeds; a plain link to us is fine."""
    refusal = Refusal(403, "Requests from other sites are refused.")
    origin = headers.get("origin")
    if origin is not None and (origin == "null" or urlsplit(origin).netloc.lower() != headers.get("host", "").lower()):
        return refusal
    if headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return None
    return None if _is_link(method, headers) else refusal


def comes_by_link(method: str, headers: Mapping[str, str]) -> bool:
    """Say whether a browser came by a link from another site, and so sent none of our strict cookies."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and _is_link(method, headers)


def check_length(headers: Mapping[str, str], most_bytes: int) -> Refusal | None:
    """Refuse a body that says it is too long; one that does not say is counted while it is read."""
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"\d{1,18}", length):
        return Refusal(400, "The request's length is no number.")
    return too_long(most_bytes) if int(length) > most_bytes else None


def too_long(most_bytes: int) -> Refusal:
    """Return the refusal of a body of more than `most_bytes`."""
    return Refusal(413, f"The message is too long: a request has at most {most_bytes // 1024} KiB.")


def _is_link(method: str, headers: Mapping[str, str]) -> bool:
    return (
        method in ("GET", "HEAD")
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _name_of(host: str) -> str:
    """Return the host of "host:port", in lower case, without brackets; "" if it cannot be one."""
    if re.search(r"[\s/@\\?#,]", host):
        return ""
    if _is_address(host):
        return host.lower()
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises when it is no port
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
