"""Serves `ask` and `search` as MCP tools at `/mcp` (streamable HTTP, stateless, plain JSON).

Is: two tools that return the same objects as the command line. Is not: Gradio's own MCP server, which answers each
call by a second request to itself over the network: that one would arrive without the caller's login, under a host
name the caller chose, and its tools take files.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatbot.reply import Chatbot

PATH = "/mcp"
_INSTRUCTIONS = (
    "Answers clinical questions with verbatim quotes from indexed guideline articles, or says that it has none. "
    "Show the quotes as they are, with their context, citations, notices and disclaimer; it is no medical advice."
)
# Passages that one search may ask for.
_MOST_HITS = 100


def add_mcp(
    app: FastAPI, bot: Chatbot, record: Callable[[dict[str, Any], float], None] = lambda reply, seconds: None
) -> None:
    """Add the tools to an application; call it before the page is mounted at "/".

    `record` is told of every reply and how long it took, in seconds.
    """
    import anyio
    from mcp.server.fastmcp import FastMCP
    from mcp.server.fastmcp.exceptions import ToolError
    from mcp.server.fastmcp.server import StreamableHTTPASGIApp
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.routing import Route

    from chatbot import ask as asking
    from chatbot.replies import Turn, to_dict
    from chatbot.reply import QuestionFault
    from chatbot.web.page import UNREACHABLE
    from index.manifest import IndexUnavailable

    server = FastMCP("followup", instructions=_INSTRUCTIONS, log_level="WARNING")

    @server.tool(name="ask", structured_output=True)
    async def ask(
        question: str,
        history: list[dict[Literal["role", "content"], str]] | None = None,
        article: str | None = None,
        audience: Literal["patient", "student", "nurse", "physician"] = "physician",
    ) -> dict[str, Any]:
        """Answer a clinical question with verbatim, cited quotes from the indexed articles, or say why not.

        Args:
            question: The question, at most 4,000 characters.
            history: Earlier messages, oldest first: {"role": "user" or "assistant", "content": text}.
            article: Id of the article that the conversation stands on, or null for all.
            audience: Who reads the answer.
        """
        rows = history or []
        if not all(row.get("role") in ("user", "assistant") and "content" in row for row in rows):
            raise ToolError('history must be a list of {"role": "user" or "assistant", "content": text}')
        turns = tuple(Turn("user" if row["role"] == "user" else "assistant", row["content"]) for row in rows)

        def work() -> dict[str, Any]:
            started = time.perf_counter()
            bot.refresh()
            reply = to_dict(bot.reply(question, turns, article=article, audience=audience))
            record(reply, time.perf_counter() - started)
            return reply

        try:
            return await anyio.to_thread.run_sync(work)
        except QuestionFault as error:
            raise ToolError(str(error)) from error
        except IndexUnavailable as error:
            raise ToolError(UNREACHABLE) from error

    @server.tool(name="search", structured_output=True)
    async def search(question: str, limit: int = 10) -> dict[str, Any]:
        """Find the passages of the indexed articles that a clinical question is about, best first.

        Args:
            question: The question, at most 4,000 characters.
            limit: How many passages, 1 to 100.
        """

        def work() -> dict[str, Any]:
            bot.refresh()
            return asking.search(bot, question, (), max(1, min(_MOST_HITS, limit)))

        try:
            return await anyio.to_thread.run_sync(work)
        except QuestionFault as error:
            raise ToolError(str(error)) from error
        except IndexUnavailable as error:
            raise ToolError(UNREACHABLE) from error

    # Stateless: nothing of one call is kept for the next, so no session can be taken over. Host and Origin are
    # checked by the guard around the whole application.
    sessions = StreamableHTTPSessionManager(server._mcp_server, json_response=True, stateless=True)
    app.router.routes.append(Route(PATH, StreamableHTTPASGIApp(sessions), methods=["POST"]))
    around = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(running: Any) -> AsyncIterator[Any]:
        async with sessions.run(), around(running) as state:
            yield state

    app.router.lifespan_context = lifespan
