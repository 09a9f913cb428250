"""Lets the one who runs it see how it does: `/healthz`, `/metrics`, and logs of one JSON object a line.

Is: counts, times, lengths and keyed hashes. Is not: a record of what anybody asked; no question text, answer text,
title or owner ever comes here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatbot.reply import Chatbot

_LOG = logging.getLogger("followup.replies")
# Drawn at each start and kept nowhere: equal questions can be told in the log of one run, and nobody, with the log
# alone, can find out which they were by hashing guesses.
_HASH_KEY = secrets.token_bytes(32)
# Hexadecimal digits kept of a hash: enough to tell the questions of a day apart.
_HASH_DIGITS = 16
# From what nobody notices to what nobody waits for.
_LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# The only fields that a log line may have, besides time, level and event. What is not named here is dropped,
# so that no later change can let a question in by accident.
_LOGGED = (
    "outcome reason_code question_chars question_hash statements citations confidence mode audience index_version "
    "seconds status method"
).split()
# Loggers whose messages are constants of their programs.
_CONSTANT = ("followup", "uvicorn")
_TRACED_CALLS = 8
_OUTCOMES = frozenset({"answer", "abstention", "emergency", "clarification"})


class _Instruments:
    """The meters of one process, in a registry of their own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, Info

        self.registry = CollectorRegistry()
        self.replies = Counter("followup_replies", "Replies given, by outcome.", ["outcome"], registry=self.registry)
        self.latency = Histogram(
            "followup_reply_seconds",
            "Seconds from question to reply.",
            buckets=_LATENCY_SECONDS,
            registry=self.registry,
        )
        self.serving = Info("followup_index", "The index that is being served.", registry=self.registry)
        for outcome in sorted(_OUTCOMES):
            self.replies.labels(outcome)


_instruments: _Instruments | None = None


def instruments() -> _Instruments:
    """Return the meters of this process; made at first use, as importing does nothing."""
    global _instruments
    if _instruments is None:
        _instruments = _Instruments()
    return _instruments


def add_routes(app: FastAPI, bot: Chatbot) -> None:
    """Add `/healthz` and `/metrics`; call it before the page is mounted at "/"."""
    from fastapi import Response
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        """Say whether questions can be answered: 200, or 503 when the index on disk has vanished."""
        ready = bot.settings.index.exists()
        row = {
            "status": "ok" if ready else "index missing",
            "index_version": bot.opened.version,
            "documents": bot.opened.records.documents,
        }
        return Response(json.dumps(row), media_type="application/json", status_code=200 if ready else 503)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        """Show the meters in the text format of Prometheus."""
        meters = instruments()
        meters.serving.info({"version": bot.opened.version})
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


def record(reply: Mapping[str, Any], seconds: float, audience: str = "") -> None:
    """Count a reply object and log its outline: lengths and a keyed hash, no words."""
    outcome = str(reply.get("outcome"))
    outcome = outcome if outcome in _OUTCOMES else "other"
    meters = instruments()
    meters.replies.labels(outcome).inc()
    meters.latency.observe(seconds)
    question = str(reply.get("question", ""))
    _LOG.info(
        "reply",
        extra={
            "outcome": outcome,
            "reason_code": reply.get("reason_code"),
            "question_chars": len(question),
            "question_hash": question_hash(question),
            "statements": len(reply.get("statements", ())),
            "citations": len(reply.get("passages", ())),
            "confidence": reply.get("confidence"),
            "mode": reply.get("mode"),
            "audience": audience or None,
            "index_version": reply.get("index_version"),
            "seconds": round(seconds, 4),
        },
    )


def question_hash(question: str, key: bytes = _HASH_KEY) -> str:
    """Return a hash of a question that says nothing without the key."""
    folded = " ".join(question.casefold().split()).encode("utf-8", "surrogatepass")
    return hmac.new(key, folded, hashlib.sha256).hexdigest()[:_HASH_DIGITS]


class JsonLines(logging.Formatter):
    """One JSON object a line, of named fields alone.

    An exception is named by its type and place; its message is dropped, as it may quote what was asked.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        row: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # The constant part of a message; what would be filled in may be anything.
            "event": str(record.msg).strip() if record.name.startswith(_CONSTANT) else "message",
        }
        row |= {name: value for name in _LOGGED if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            row["error"] = record.exc_info[0].__name__
            row["at"] = _places(record.exc_info[2])
        return json.dumps(row, ensure_ascii=True)


def start_logging(stream: TextIO | None = None) -> logging.Handler:
    """Send the program's log, and the web server's, to `stream` (standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("followup", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    return handler


def _places(traceback: Any) -> list[str]:
    """Return "module.py:line" of the innermost calls that an exception passed through."""
    places = []
    while traceback is not None:
        places.append(f"{traceback.tb_frame.f_code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places[-_TRACED_CALLS:]
