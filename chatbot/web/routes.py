"""What the page's script asks this server: answers, articles, conversations, feedback, exports.

Is: HTTP in, escaped HTML pieces or short JSON out; every conversation is looked up under its owner. Is not: the
API for other programs (see `page.py`) nor security headers (see `security.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict

from chatbot.conversations import Conversation, ConversationStore
from chatbot.database import DatabaseUnavailable
from chatbot.present.disclaimer import disclaimer
from chatbot.replies import Audience, CitedPassage, Statement, Turn, to_dict
from chatbot.reply import Chatbot, QuestionFault
from chatbot.web.export import copy_text, export
from chatbot.web.library import Library
from chatbot.web.page import ASSETS, UNREACHABLE, do_not_record
from chatbot.web.render import checked, statement, turn, turn_end, turn_shell
from index.manifest import IndexUnavailable

_LOG = logging.getLogger("followup.web")
# Replies that are made at once: a reply keeps about one core busy.
_AT_ONCE = 4
# How long a question waits for its turn before it is told that the server is busy.
_PATIENCE_SECONDS = 20.0
# Questions that are read again to understand a follow-up; the pipeline itself looks at fewer.
_REMEMBERED_TURNS = 30

Tell = Callable[[Statement, Sequence[CitedPassage]], None]
ExportFormat = Literal["markdown", "html", "json", "ris", "bibtex"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Asked(_Body):
    """A question from the page; `conversation` is empty for a new one."""

    question: str
    conversation: str | None = None
    article: str | None = None
    audience: Audience = "physician"


class Renamed(_Body):
    """A new title."""

    title: str


class Said(_Body):
    """Feedback on an answer, or on its citation number `citation`."""

    position: int
    kind: str
    comment: str = ""
    citation: int | None = None


def add_page_routes(
    app: FastAPI,
    bot: Chatbot,
    store: ConversationStore,
    owner_of: Callable[[Request], str],
    record: Callable[[dict[str, Any], float, str], None] = do_not_record,
) -> None:
    """Add the routes under /page; `record` is told of every reply and how long it took, in seconds."""
    library, free = Library(bot), asyncio.Semaphore(_AT_ONCE)
    app.mount("/page/assets", StaticFiles(directory=ASSETS), name="page-assets")

    @app.exception_handler(QuestionFault)
    async def refuse(_: Request, error: QuestionFault) -> JSONResponse:
        return JSONResponse({"error": f"{str(error)[:1].upper()}{str(error)[1:]}."}, status_code=400)

    @app.exception_handler(DatabaseUnavailable)
    @app.exception_handler(IndexUnavailable)
    async def be_patient(_: Request, error: Exception) -> JSONResponse:
        _LOG.error("a server that this page needs does not answer", exc_info=error)
        return JSONResponse({"error": UNREACHABLE}, status_code=503)

    @app.get("/page/library")
    def list_articles(find: str = "") -> dict[str, Any]:
        return library.listing(find)

    @app.get("/page/article")
    def open_article(id: str) -> dict[str, Any]:
        found = library.article(id)
        if found is None:
            raise HTTPException(404, "There is no such article in the library.")
        return found

    @app.post("/page/ask")
    async def ask(request: Request, asked: Asked) -> Response:
        bot.check_question(asked.question)
        owner = owner_of(request)
        before = await run_in_threadpool(_load, store, owner, asked.conversation) if asked.conversation else None
        try:
            await asyncio.wait_for(free.acquire(), _PATIENCE_SECONDS)
        except TimeoutError:
            raise HTTPException(503, "The server is busy. Please try again in a moment.") from None
        started = time.perf_counter()
        told: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(statement: Statement, passages: Sequence[CitedPassage]) -> None:
            html = checked(statement.to_dict(), list(dict.fromkeys(passage.title for passage in passages)))
            loop.call_soon_threadsafe(told.put_nowait, _line("checked", html))

        making = asyncio.ensure_future(run_in_threadpool(_reply, bot, asked, before, tell if bot.wording else None))
        # Not when the reader has gone: the work goes on until it is done.
        making.add_done_callback(lambda _: free.release())

        async def whole() -> AsyncIterator[str]:
            reply = await making
            record(reply, time.perf_counter() - started, asked.audience)
            kept = await run_in_threadpool(_keep, store, owner, asked, reply)
            async for piece in _pieces(reply, asked, kept, bot.opened.version):
                yield piece

        async def as_it_comes(first: str) -> AsyncIterator[str]:
            yield first
            async for line in _until(making, told):
                yield line
            try:
                async for piece in whole():
                    yield piece
            except HTTPException as error:
                yield _line("failed", "", words=str(error.detail))

        async for line in _until(making, told):
            return _streamed(as_it_comes(line))
        # Nothing was told before the reply was whole: what went wrong still has its status.
        await making
        if await request.is_disconnected():
            # Stopped: what nobody saw is not kept.
            record(making.result(), time.perf_counter() - started, asked.audience)
            return Response(status_code=204)
        pieces = [piece async for piece in whole()]
        return _streamed(_each(pieces))

    @app.get("/page/conversations")
    def list_conversations(request: Request, find: str = "") -> dict[str, Any]:
        return {
            "conversations": [
                {"id": head.id, "title": head.title, "updated_at": head.updated_at, "turns": head.turns}
                for head in store.list(owner_of(request), find)
            ]
        }

    @app.get("/page/conversations/{conversation_id}")
    def load_conversation(request: Request, conversation_id: str) -> dict[str, Any]:
        kept, version = _load(store, owner_of(request), conversation_id), bot.opened.version
        return {
            "id": kept.id,
            "title": kept.title,
            "article": kept.article_id if kept.article_id in bot.opened.records else None,
            "html": "".join(
                turn(
                    entry.reply,
                    entry.question,
                    entry.position,
                    entry.audience,
                    current_version=version,
                    copied=copy_text(dict(entry.reply)),
                )
                for entry in kept.turns
            ),
        }

    @app.post("/page/conversations/{conversation_id}/title")
    def rename(request: Request, conversation_id: str, renamed: Renamed) -> dict[str, str]:
        try:
            store.rename(owner_of(request), conversation_id, renamed.title)
        except KeyError:
            raise _unknown() from None
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return {"title": _load(store, owner_of(request), conversation_id).title}

    @app.post("/page/conversations/{conversation_id}/delete")
    def delete(request: Request, conversation_id: str) -> dict[str, bool]:
        try:
            store.delete(owner_of(request), conversation_id)
        except KeyError:
            raise _unknown() from None
        return {"deleted": True}

    @app.get("/page/conversations/{conversation_id}/export")
    def export_conversation(request: Request, conversation_id: str, format: ExportFormat) -> Response:
        name, mime, body = export(_load(store, owner_of(request), conversation_id), format)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(body, media_type=mime, headers=headers)

    @app.post("/page/conversations/{conversation_id}/feedback")
    def feedback(request: Request, conversation_id: str, said: Said) -> dict[str, bool]:
        try:
            store.add_feedback(
                owner_of(request), conversation_id, said.position, said.kind, said.comment, said.citation
            )
        except KeyError:
            raise _unknown() from None
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return {"kept": True}

    @app.get("/page/reader")
    def reader(audience: Audience) -> dict[str, Any]:
        return {"disclaimer": disclaimer(audience), "login": bot.settings.passwords is not None}


def turns_of(conversation: Conversation) -> tuple[Turn, ...]:
    """Return what the pipeline needs of a kept conversation, oldest first."""
    turns: list[Turn] = []
    for entry in conversation.turns[-_REMEMBERED_TURNS:]:
        reply = entry.reply
        said = [row["text"] for row in reply["statements"]]
        said += [reply[key] for key in ("reason", "clarifying_question") if reply.get(key)]
        cited = tuple(passage["passage_id"] for passage in reply["passages"])
        turns += [
            Turn("user", entry.question, reply["standalone_question"]),
            Turn("assistant", "\n".join(said), reply["standalone_question"], cited),
        ]
    return tuple(turns)


def _reply(bot: Chatbot, asked: Asked, before: Conversation | None, tell: Tell | None) -> dict[str, Any]:
    bot.refresh()
    turns = turns_of(before) if before else ()
    return to_dict(bot.reply(asked.question, turns, article=asked.article, audience=asked.audience, tell=tell))


def _keep(store: ConversationStore, owner: str, asked: Asked, reply: dict[str, Any]) -> dict[str, Any]:
    """Keep the turn; return the conversation's id, the turn's position, and the title of a new conversation."""
    conversation = asked.conversation or store.create(owner, asked.question, asked.article)
    try:
        position = store.append(owner, conversation, asked.question, reply, asked.audience)
        title = None if asked.conversation else store.load(owner, conversation).title
        return {"conversation": conversation, "position": position, "title": title}
    except KeyError:
        # Deleted in another tab while the answer was made.
        raise _unknown() from None


async def _pieces(reply: dict[str, Any], asked: Asked, kept: dict[str, Any], version: str) -> AsyncIterator[str]:
    """Yield JSON lines: the turn without its quotes, each quote, then what stands below."""
    position = kept["position"]
    yield _line("start", turn_shell(reply, asked.question, position), **kept)
    for place in range(len(reply["statements"])):
        yield _line("statement", statement(reply, place, asked.audience))
    end = turn_end(reply, position, current_version=version, copied=copy_text(reply))
    yield _line("end", end, disclaimer=reply["disclaimer"], outcome=reply["outcome"])


async def _until(making: asyncio.Future[Any], told: asyncio.Queue[str]) -> AsyncIterator[str]:
    """Yield what is told until the reply is whole; raises nothing of what making it raised."""
    while not making.done() or not told.empty():
        waiting = asyncio.ensure_future(told.get())
        await asyncio.wait({making, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        yield waiting.result()


async def _each(pieces: Sequence[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


def _streamed(pieces: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(pieces, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


def _line(event: str, html: str, **values: Any) -> str:
    return json.dumps({"event": event, "html": html, **values}, ensure_ascii=False) + "\n"


def _load(store: ConversationStore, owner: str, conversation_id: str) -> Conversation:
    try:
        return store.load(owner, conversation_id)
    except KeyError:
        raise _unknown() from None


def _unknown() -> HTTPException:
    return HTTPException(404, "This conversation is not here any more.")
