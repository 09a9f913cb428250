"""Puts the page, its routes and its guard together, and listens.

Is: wiring and the start of the server. Is not: any of the parts.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

from chatbot.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatbot.conversations import ConversationStore
    from chatbot.reply import Chatbot

# What the first visitor would wait for otherwise: the model's first run, and the words of the safety rules.
_WARM_UP = "How are leg cramps treated?"
# Requests in progress when the server is told to stop get this long.
_GRACE_SECONDS = 5


def create_app(bot: Chatbot, store: ConversationStore, *, host: str, port: int, mcp: bool = False) -> FastAPI:
    """Return the application: routes of the page, Gradio's page and API, the guard around both."""
    import gradio
    from fastapi import FastAPI

    from chatbot.web import login, observe
    from chatbot.web.mcp import add_mcp
    from chatbot.web.page import HEAD, build_page
    from chatbot.web.routes import add_page_routes
    from chatbot.web.security import owner_of, secure

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    observe.add_routes(app, bot)
    add_page_routes(app, bot, store, owner_of, observe.record)
    if mcp:
        add_mcp(app, bot, observe.record)
    passwords = bot.settings.passwords
    gate = login.Login(passwords, **_shared(bot.settings, store)) if passwords else None
    if gate:
        login.add_routes(app, gate)
    app = gradio.mount_gradio_app(
        app,
        build_page(bot, observe.record),
        path="/",
        server_name=host,
        server_port=port,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        # Ours is in `mcp.py`, which says why.
        mcp_server=False,
        show_error=True,
        head=HEAD,
    )
    secure(app, host=host, port=port, hosts=bot.settings.hosts, login=gate)
    return app


def serve(settings: Settings, host: str, port: int, *, mcp: bool = False) -> None:
    """Open the index, listen and serve until stopped.

    Raises:
        SystemExit: with one line, when the address cannot be listened on.
        IndexUnavailable, DamagedIndex: there is no index to serve.
        DatabaseFault, DatabaseUnavailable, SecretFault: conversations or logins cannot be kept as is set.
    """
    listener = _listen(host, port)
    try:
        bot, store = _open(settings)
        app = create_app(bot, store, host=host, port=port, mcp=mcp)
        _run(app, listener, host, port)
    finally:
        listener.close()


def _shared(settings: Settings, store: ConversationStore) -> dict[str, Any]:
    """Return what logins are shared by, if they are; raises SecretFault."""
    if settings.secret is None:
        return {}
    from chatbot.web.shared import SharedLogins, read_secret

    return {"secret": read_secret(settings.secret), "state": SharedLogins(store.database)}


def _open(settings: Settings) -> tuple[Chatbot, ConversationStore]:
    from chatbot.conversations import ConversationStore
    from chatbot.reply import Chatbot
    from index.embedding import load_embedder

    store = ConversationStore(settings.conversations)
    if not store.database.is_sqlite:
        # A server that is down or misnamed is said now, not to the first visitor.
        store.open()
    bot = Chatbot(settings, load_embedder(settings.model, cache=settings.cache, engine=settings.engine))
    bot.reply(_WARM_UP)
    return bot, store


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket, before anything slow is done."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        raise SystemExit(
            f"followup: cannot listen on {host}:{port} ({error.strerror or error}): choose another with --port"
        ) from None
    return listener


def _run(app: Any, listener: socket.socket, host: str, port: int) -> None:
    import uvicorn

    from chatbot.web.observe import start_logging

    start_logging()
    shown = f"[{host}]" if ":" in host else host
    print(f"followup: serving http://{shown}:{port} (stop with Ctrl+C)", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        app,
        # The log is set up by `start_logging`, whose lines hold no question.
        log_config=None,
        # Questions of a conversation search would stand in it.
        access_log=False,
        # Anybody can write an X-Forwarded-For header; rates go by the address that really called.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
