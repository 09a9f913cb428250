"""The page's frame, as Gradio Blocks: the places that the script and the routes fill, and the API endpoints.

Is: static markup and the functions that other programs call. Is not: what is shown of a reply (see `render.py`)
nor how the parts move (see `assets/page.js`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from chatbot.present.disclaimer import disclaimer
from chatbot.replies import Turn, to_dict
from chatbot.web.sources import join
from index.manifest import IndexUnavailable

if TYPE_CHECKING:
    import gradio

    from chatbot.reply import Chatbot

ASSETS = Path(__file__).parent / "assets"
TITLE = "Follow-up questions on clinical articles"
AUDIENCES: tuple[tuple[str, str], ...] = (
    ("patient", "Patient or carer"),
    ("student", "Student"),
    ("nurse", "Nurse or allied professional"),
    ("physician", "Physician"),
)
# Which server does not answer is for the one who runs it; its address is nobody else's business.
UNREACHABLE = "The server cannot reach what it answers from. Please try again in a moment."
# Calls of the endpoints that run at once, and those that wait; more are told that the server is busy.
_AT_ONCE, _WAITING = 4, 256

# The own style sheet and script come from this server, so that the Content-Security-Policy needs no other host.
HEAD = (
    '<link rel="stylesheet" href="/page/assets/page.css"><script defer src="/page/assets/page.js"></script>'
    '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">'
)


def do_not_record(reply: dict[str, Any], seconds: float, audience: str) -> None:
    """Stand in for a recorder where nobody measures."""


class HistoryFault(ValueError):
    """What came as history is none; the message says what it must be."""


def build_page(bot: Chatbot, record: Callable[[dict[str, Any], float, str], None] = do_not_record) -> gradio.Blocks:
    """Return the page; mount it with `chatbot.web.serve.create_app`.

    `record` is told of every reply, how long it took in seconds, and for whom it was.
    """
    import gradio

    def ask(
        question: str, history: list[Any] | None = None, article: str | None = None, audience: str = "physician"
    ) -> dict[str, Any]:
        """Answer a clinical question with verbatim, cited quotes from the indexed articles, or say why not.

        Args:
            question: The question, at most 4,000 characters.
            history: Earlier messages, oldest first: {"role": "user" or "assistant", "content": text}.
            article: Id of the article that the conversation stands on, or null for all.
            audience: patient, student, nurse or physician.
        """
        started = time.perf_counter()
        reply = answer_call(bot, question, history, article, audience)
        record(reply, time.perf_counter() - started, audience)
        return reply

    def search(question: str, limit: int = 10) -> dict[str, Any]:
        """Find the passages of the indexed articles that a clinical question is about, best first.

        Args:
            question: The question, at most 4,000 characters.
            limit: How many passages, 1 to 100.
        """
        return search_call(bot, question, limit)

    with gradio.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gradio.HTML(
            str(frame(bot.wording.banner if bot.wording else "")),
            elem_id="page",
            padding=False,
            apply_default_css=False,
            js_on_load=None,
        )
        gradio.api(ask, api_name="ask")
        gradio.api(search, api_name="search")
    page.queue(default_concurrency_limit=_AT_ONCE, max_size=_WAITING)
    return page


def answer_call(bot: Chatbot, question: str, history: Any, article: str | None, audience: str) -> dict[str, Any]:
    """Return the reply object; what cannot be taken becomes an error that says why."""
    import gradio

    from chatbot.reply import QuestionFault

    if audience not in dict(AUDIENCES):
        raise gradio.Error(f"no audience {audience!r}: choose {', '.join(dict(AUDIENCES))}", print_exception=False)
    try:
        bot.refresh()
        reply = bot.reply(question, turns_of_messages(history), article=article or None, audience=audience)  # type: ignore[arg-type]
    except (QuestionFault, HistoryFault) as error:
        raise gradio.Error(str(error), print_exception=False) from error
    except IndexUnavailable as error:
        raise gradio.Error(UNREACHABLE, print_exception=False) from error
    except Exception:
        raise _fault_of_ours() from None
    return to_dict(reply)


def search_call(bot: Chatbot, question: str, limit: int) -> dict[str, Any]:
    """Return the object of `followup search`; `limit` is brought within 1 to 100."""
    import gradio

    from chatbot.ask import search
    from chatbot.reply import QuestionFault

    try:
        bot.refresh()
        return search(bot, question, (), max(1, min(100, int(limit))))
    except QuestionFault as error:
        raise gradio.Error(str(error), print_exception=False) from error
    except IndexUnavailable as error:
        raise gradio.Error(UNREACHABLE, print_exception=False) from error
    except Exception:
        raise _fault_of_ours() from None


def _fault_of_ours() -> Exception:
    """Log the exception being handled by its kind and place, and return what the caller is told.

    Gradio would print it with its message, which may hold the question.
    """
    import logging

    import gradio

    logging.getLogger("followup.web").exception("a call failed")
    return gradio.Error("This question could not be answered: a fault of this program.", print_exception=False)


def turns_of_messages(history: Any) -> tuple[Turn, ...]:
    """Return the turns of a list of {role, content}, where content is a text or Gradio's list of blocks.

    Raises:
        HistoryFault: it is anything else.
    """
    if history is None:
        return ()
    wanted = 'history must be a list of {"role": "user" or "assistant", "content": text}'
    if not isinstance(history, list):
        raise HistoryFault(wanted)
    turns = []
    for row in history:
        if not isinstance(row, dict) or row.get("role") not in ("user", "assistant"):
            raise HistoryFault(wanted)
        content = row.get("content")
        if isinstance(content, list):
            content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        if not isinstance(content, str):
            raise HistoryFault(wanted)
        turns.append(Turn(row["role"], content))
    return tuple(turns)


def frame(leaves: str = "") -> Markup:
    """Return the page's fixed markup; the script fills it.

    `leaves` says what leaves this machine, and for where; it stands above the box before the first question.
    """
    options = join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == "physician" else "", words
        )
        for value, words in AUDIENCES
    )
    text = (ASSETS / "frame.html").read_text(encoding="utf-8")
    banner = Markup('<p id="leaves" role="note">{}</p>').format(leaves) if leaves else ""
    return Markup(text).format(options=options, leaves=banner, disclaimer=disclaimer("physician"))
