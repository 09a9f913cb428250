"""Finds articles by title and topic, and opens them, for the page's reading side.

Is: lists over the open index, made anew when a build replaces it. Is not: the search for answers.
"""

from __future__ import annotations

from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from chatbot.web.article import article, review_strip
from chatbot.web.sources import join, kind_badge

if TYPE_CHECKING:
    from chatbot.reply import Chatbot
    from corpus.documents import Document
    from index.opened import OpenIndex

# Beyond so many, a list is no help and opening each document for its topic takes seconds: titles only, by search.
_LISTED_BY_TOPIC = 500
# Lines of a list that somebody scrolls.
_SHOWN = 200


class Library:
    """The articles of the chatbot's open index."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        self._made_of: OpenIndex | None = None
        self._rows: list[tuple[str, str, str, str]] = []
        self._by_question: dict[str, str] = {}
        self._summary = Markup("")
        self._lock = Lock()

    def listing(self, find: str = "") -> dict[str, Any]:
        """Return the articles whose title or topic holds every word of `find`, by topic, as HTML with a count."""
        self._refresh()
        words = find.casefold().split()
        found = [row for row in self._rows if all(word in f"{row[1]} {row[0]}".casefold() for word in words)]
        # A badge that every line has says nothing.
        mixed = len({row[3] for row in self._rows}) > 1
        topics = join(
            Markup('<section class="topic">{}<ul>{}</ul></section>').format(
                Markup("<h3>{}</h3>").format(topic) if topic else "",
                join(
                    Markup(
                        '<li><button type="button" class="open-article title" data-document="{}"><span>{}</span>'
                        "{}</button></li>"
                    ).format(document_id, title, kind_badge(kind) if mixed else "")
                    for _, title, document_id, kind in rows
                ),
            )
            for topic, rows in groupby(found[:_SHOWN], key=lambda row: row[0])
        )
        more = len(found) - _SHOWN
        if more > 0:
            topics += Markup('<p class="more">and {} more: type to narrow the list</p>').format(more)
        if not found:
            topics = Markup('<p class="more">No title or topic holds these words.</p>')
        return {"html": topics, "count": len(found), "status": self._summary}

    def article(self, document_id: str) -> dict[str, Any] | None:
        """Return an article as HTML with its status strip, or None if the index does not hold it."""
        self._refresh()
        opened = self._bot.opened
        if document_id not in opened.records:
            return None
        document = opened.records.document(document_id)
        opens = {
            question: self._by_question[_key(question)]
            for question in document.related_questions
            if _key(question) in self._by_question
        }
        return {
            "id": document_id,
            "title": document.title,
            "html": article(document, opens),
            "status": review_strip(document),
        }

    def _refresh(self) -> None:
        with self._lock:
            self._bot.refresh()
            opened = self._bot.opened
            if opened is self._made_of:
                return
            names = opened.records.document_ids
            self._by_question = {_key(title): name for name, title in opened.records.titles().items()}
            if len(names) > _LISTED_BY_TOPIC:
                self._rows = [("", title or name, name, "") for name, title in opened.records.titles().items()]
                self._summary = Markup("<p>{:,} articles</p>").format(len(names))
            else:
                documents = [opened.records.document(name) for name in names]
                self._rows = sorted(
                    ((d.topic or "Other", d.title or d.id, d.id, d.kind) for d in documents),
                    key=lambda row: (row[0] == "Other", row[0].casefold(), row[1].casefold()),
                )
                self._by_question |= {_key(d.question): d.id for d in documents if d.question}
                self._summary = _summary(documents)
            self._made_of = opened


def _key(question: str) -> str:
    return " ".join(question.replace("?", " ").casefold().split())


def _summary(documents: list[Document]) -> Markup:
    """Return how many articles a clinician has approved: what a reader must know before the first one."""
    approved = sum(document.review_status == "approved" for document in documents)
    pending = sum(document.review_status in ("submitted", "under_review") for document in documents)
    words = [f"{len(documents)} articles", f"{approved} approved"]
    if pending:
        words.append(f"{pending} pending human review")
    return Markup("<p>{}</p>").format(" · ".join(words))
