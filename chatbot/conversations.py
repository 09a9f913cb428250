"""Keeps conversations and feedback in a database, each under its owner.

Is: a store of what was asked and exactly what was answered, personal data masked before it is written; SQLite in
a file by default, PostgreSQL by its URI. Is not: the memory of the running page, and not a medical record.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa

from chatbot.database import Database
from chatbot.masking import masked_reply, storable
from chatbot.understand.privacy import mask

FeedbackKind = Literal["helpful", "wrong_passage", "outdated", "unsafe"]
FEEDBACK_KINDS: tuple[FeedbackKind, ...] = get_args(FeedbackKind)

# A title is one line of a list; a comment is a remark, not a document.
MAX_TITLE_CHARS = 200
MAX_COMMENT_CHARS = 2_000
# Conversations in one list; older ones are found by searching.
LIST_LIMIT = 200
# 128 random bits: an id that nobody guesses, although every query asks for the owner too.
_ID_BYTES = 16

_TABLES = sa.MetaData()
_CONVERSATIONS = sa.Table(
    "conversations",
    _TABLES,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(128), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("article_id", sa.Text),
    sa.Column("created_at", sa.String(40), nullable=False),
    sa.Column("updated_at", sa.String(40), nullable=False),
    sa.Column("turns", sa.Integer, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
)
_TURNS = sa.Table(
    "turns",
    _TABLES,
    sa.Column("conversation_id", sa.String(64), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("reply", sa.Text, nullable=False),
    sa.Column("audience", sa.String(32), nullable=False),
    sa.Column("asked_at", sa.String(40), nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
)
_FEEDBACK = sa.Table(
    "feedback",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("conversation_id", sa.String(64), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("owner", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("citation", sa.Integer),
    sa.Column("given_at", sa.String(40), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ConversationHead:
    """A line in the list of conversations; `updated_at` is ISO 8601 in UTC, `turns` a count."""

    id: str
    title: str
    updated_at: str
    turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One question and the reply object as it was given; `position` counts from 1."""

    position: int
    question: str
    reply: Mapping[str, Any]
    audience: str
    asked_at: str

    @property
    def index_version(self) -> str:
        """Return the version of the index that this was answered with."""
        return str(self.reply.get("index_version", ""))


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it was held; `article_id` is the page it stood on."""

    id: str
    title: str
    article_id: str | None
    turns: tuple[StoredTurn, ...]
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader said of one answer, or of its citation number `citation`."""

    position: int
    kind: FeedbackKind
    comment: str
    citation: int | None
    given_at: str


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class ConversationStore:
    """Conversations of many owners in one database; safe to use from any thread.

    An id that is not the owner's is the same as one that does not exist: KeyError.

    Example:
        >>> store = ConversationStore("sqlite:////home/me/conversations.sqlite")  # doctest: +SKIP
    """

    def __init__(self, uri: str, *, now: Callable[[], datetime.datetime] = _utc_now) -> None:
        """Name the database; it is opened, and its tables made, at first use.

        Raises:
            DatabaseFault: `uri` names no database, or one in memory, which threads could not share.
        """
        self.database = Database(uri)
        self._now = now

    def create(self, owner: str, title: str, article_id: str | None = None) -> str:
        """Begin a conversation and return its id."""
        title = _title(title)
        conversation_id, stamp = secrets.token_hex(_ID_BYTES), self._stamp()
        with self._writing() as connection:
            connection.execute(
                sa.insert(_CONVERSATIONS).values(
                    id=conversation_id,
                    owner=_owner(owner),
                    title=title,
                    article_id=article_id,
                    created_at=stamp,
                    updated_at=stamp,
                    turns=0,
                    folded=title.casefold(),
                )
            )
        return conversation_id

    def append(self, owner: str, conversation_id: str, question: str, reply: Mapping[str, Any], audience: str) -> int:
        """Add a turn and return its position, from 1. Personal data in it is masked first."""
        kept = masked_reply(question, reply)
        masked, stamp = mask(storable(question)), self._stamp()
        with self._writing() as connection:
            # One statement counts and locks the row, so that two tabs never write the same position.
            position = connection.execute(
                sa.update(_CONVERSATIONS)
                .where(_is(_CONVERSATIONS, owner, conversation_id))
                .values(turns=_CONVERSATIONS.c.turns + 1, updated_at=stamp)
                .returning(_CONVERSATIONS.c.turns)
            ).scalar_one_or_none()
            if position is None:
                raise KeyError(conversation_id)
            connection.execute(
                sa.insert(_TURNS).values(
                    conversation_id=conversation_id,
                    position=position,
                    owner=owner,
                    question=masked,
                    reply=json.dumps(kept),
                    audience=audience,
                    asked_at=stamp,
                    folded=_folded(masked, kept),
                )
            )
        return int(position)

    def list(self, owner: str, search: str = "") -> Sequence[ConversationHead]:
        """Return the owner's conversations, last used first: all, or those that hold the words of `search`."""
        heads = sa.select(
            _CONVERSATIONS.c.id, _CONVERSATIONS.c.title, _CONVERSATIONS.c.updated_at, _CONVERSATIONS.c.turns
        ).where(_CONVERSATIONS.c.owner == owner)
        for word in storable(search).casefold().split():
            said = sa.select(_TURNS.c.conversation_id).where(
                _TURNS.c.owner == owner, _TURNS.c.folded.contains(word, autoescape=True)
            )
            heads = heads.where(_CONVERSATIONS.c.folded.contains(word, autoescape=True) | _CONVERSATIONS.c.id.in_(said))
        newest = heads.order_by(_CONVERSATIONS.c.updated_at.desc(), _CONVERSATIONS.c.id).limit(LIST_LIMIT)
        with self._reading() as connection:
            return [ConversationHead(*row) for row in connection.execute(newest)]

    def load(self, owner: str, conversation_id: str) -> Conversation:
        """Return a conversation with every reply as it was given."""
        columns = _CONVERSATIONS.c
        wanted = (columns.id, columns.title, columns.article_id, columns.created_at, columns.updated_at)
        with self._reading() as connection:
            head = connection.execute(sa.select(*wanted).where(_is(_CONVERSATIONS, owner, conversation_id))).first()
            if head is None:
                raise KeyError(conversation_id)
            rows = connection.execute(
                sa.select(_TURNS.c.position, _TURNS.c.question, _TURNS.c.reply, _TURNS.c.audience, _TURNS.c.asked_at)
                .where(_TURNS.c.owner == owner, _TURNS.c.conversation_id == conversation_id)
                .order_by(_TURNS.c.position)
            ).all()
        turns = tuple(StoredTurn(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in rows)
        return Conversation(head.id, head.title, head.article_id, turns, head.created_at, head.updated_at)

    def rename(self, owner: str, conversation_id: str, title: str) -> None:
        """Give a conversation another title."""
        title = _title(title)
        with self._writing() as connection:
            done = connection.execute(
                sa.update(_CONVERSATIONS)
                .where(_is(_CONVERSATIONS, owner, conversation_id))
                .values(title=title, folded=title.casefold())
            )
            if not done.rowcount:
                raise KeyError(conversation_id)

    def delete(self, owner: str, conversation_id: str) -> None:
        """Delete a conversation, its turns and its feedback for good.

        No page of a SQLite file holds them after; a PostgreSQL server overwrites them when it has vacuumed.
        """
        with self._writing() as connection:
            gone = connection.execute(sa.delete(_CONVERSATIONS).where(_is(_CONVERSATIONS, owner, conversation_id)))
            if not gone.rowcount:
                raise KeyError(conversation_id)
            for table in (_TURNS, _FEEDBACK):
                connection.execute(
                    sa.delete(table).where(table.c.owner == owner, table.c.conversation_id == conversation_id)
                )
        if self.database.is_sqlite:
            # The write-ahead log still holds what was deleted until it is emptied.
            with self._reading() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def add_feedback(
        self,
        owner: str,
        conversation_id: str,
        position: int,
        kind: str,
        comment: str = "",
        citation: int | None = None,
    ) -> None:
        """Keep what a reader says of an answer or of one of its citations; a later word replaces an earlier one.

        Raises:
            KeyError: the owner has no such turn.
            ValueError: the kind is unknown, the comment too long, or the answer has no such citation.
        """
        if kind not in FEEDBACK_KINDS:
            raise ValueError(f"feedback {kind!r}: choose {', '.join(FEEDBACK_KINDS)}")
        if len(comment) > MAX_COMMENT_CHARS:
            raise ValueError(f"the comment has {len(comment):,} characters, the most is {MAX_COMMENT_CHARS:,}")
        its = (_TURNS.c.owner == owner, _TURNS.c.conversation_id == conversation_id, _TURNS.c.position == position)
        with self._writing() as connection:
            # Writing comes first: it locks, so that no other tab deletes the turn between look and insert. SQLite locks
            # the file, PostgreSQL the row that is looked at.
            connection.execute(
                sa.delete(_FEEDBACK).where(
                    _FEEDBACK.c.owner == owner,
                    _FEEDBACK.c.conversation_id == conversation_id,
                    _FEEDBACK.c.position == position,
                    _FEEDBACK.c.citation.is_not_distinct_from(citation),
                )
            )
            reply = connection.execute(sa.select(_TURNS.c.reply).where(*its).with_for_update()).scalar_one_or_none()
            if reply is None:
                raise KeyError(f"{conversation_id}:{position}")
            cited = [passage.get("number") for passage in json.loads(reply).get("passages", [])]
            if citation is not None and citation not in cited:
                raise ValueError(f"the answer has no citation {citation}")
            connection.execute(
                sa.insert(_FEEDBACK).values(
                    conversation_id=conversation_id,
                    position=position,
                    owner=owner,
                    kind=kind,
                    comment=mask(storable(comment.strip())),
                    citation=citation,
                    given_at=self._stamp(),
                )
            )

    def feedback(self, owner: str, conversation_id: str) -> tuple[Feedback, ...]:
        """Return what was said of a conversation's answers, in their order."""
        with self._reading() as connection:
            if (
                connection.execute(
                    sa.select(_CONVERSATIONS.c.id).where(_is(_CONVERSATIONS, owner, conversation_id))
                ).first()
                is None
            ):
                raise KeyError(conversation_id)
            rows = connection.execute(
                sa.select(*(_FEEDBACK.c[name] for name in ("position", "kind", "comment", "citation", "given_at")))
                .where(_FEEDBACK.c.owner == owner, _FEEDBACK.c.conversation_id == conversation_id)
                .order_by(_FEEDBACK.c.position, _FEEDBACK.c.id)
            ).all()
        return tuple(Feedback(*row) for row in rows)

    def judged(self) -> Iterator[tuple[Conversation, tuple[Feedback, ...]]]:
        """Yield every conversation with feedback, of all owners: for the one who runs it, never for a page."""
        with self._reading() as connection:
            pairs = connection.execute(
                sa.select(_FEEDBACK.c.owner, _FEEDBACK.c.conversation_id)
                .group_by(_FEEDBACK.c.owner, _FEEDBACK.c.conversation_id)
                .order_by(sa.func.min(_FEEDBACK.c.id))
            ).all()
        for owner, conversation_id in pairs:
            yield self.load(owner, conversation_id), self.feedback(owner, conversation_id)

    def exists(self) -> bool:
        """Say whether the database is there already, as far as that can be told without opening it."""
        return self.database.exists()

    def open(self) -> None:
        """Open the database now. Raises DatabaseFault or DatabaseUnavailable."""
        self.database.engine(_TABLES)

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self.database.reading(_TABLES)

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return self.database.writing(_TABLES)

    def _stamp(self) -> str:
        return self._now().astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _is(table: sa.Table, owner: str, conversation_id: str) -> sa.ColumnElement[bool]:
    return (table.c.id == conversation_id) & (table.c.owner == owner)


def _owner(owner: str) -> str:
    if not owner:
        raise ValueError("a conversation needs an owner")
    return owner


def _title(title: str) -> str:
    words = mask(" ".join(storable(title).split()))
    if not words:
        raise ValueError("the title is empty: type one")
    return words if len(words) <= MAX_TITLE_CHARS else words[: MAX_TITLE_CHARS - 1].rstrip() + "…"


def _folded(question: str, reply: Mapping[str, Any]) -> str:
    """Return what a search looks in: the question as asked and as understood, and the quotes."""
    texts = [question, str(reply.get("standalone_question", ""))]
    texts += [str(statement.get("text", "")) for statement in reply.get("statements", [])]
    return storable("\n".join(texts)).casefold()
