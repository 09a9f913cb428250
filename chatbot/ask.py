"""Questions in, contract JSON out, one at a time or in batches: what the command line and evaluation share.

Is: thin. Is not: the pipeline (see `reply.py`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from chatbot.answer.evidence import DEPTH, LOOKED_AT, IndexLookup, judge, look_again, make_query
from chatbot.replies import Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.understand.followup import resolve
from index.rerank import RERANKED
from index.search import Hit

# Documents in a ranking, and passages looked at so that as many distinct documents remain.
_RANKED_DOCUMENTS = 100
_RANKED_PASSAGES = 400
_SEARCH_HITS = 10


def search(bot: Chatbot, question: str, turns: Sequence[Turn], limit: int) -> dict[str, Any]:
    """Return the reply object of `followup search`. Raises QuestionFault as `Chatbot.reply` does."""
    bot.check_question(question)
    bot = bot.fixed()
    resolution = resolve(question, turns, IndexLookup(bot.opened))
    query = make_query(resolution, turns, bot.opened, allowed=bot.allowed)
    found = bot.opened.search(query, max(limit, RERANKED if bot.reranker else LOOKED_AT))
    hits = look_again(query.text, found, bot.reranker)[:limit]
    return {
        "question": question,
        "standalone_question": resolution.standalone_question,
        "hits": [hit_row(hit) for hit in hits],
        "index_version": bot.opened.version,
    }


def hit_row(hit: Hit) -> dict[str, Any]:
    """Return the JSON form of a hit."""
    passage = hit.passage
    return {
        "passage_id": passage.id,
        "document_id": passage.document_id,
        "score": round(hit.score, 6),
        "title": passage.title,
        "section": list(passage.section),
        "lead_ins": list(passage.lead_ins),
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "page": passage.page,
    }


class BatchAnswerer:
    """What an evaluation asks; see `chatbot.evaluation.run.Answerer`."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        self.index_version = bot.opened.version
        self.settings_fingerprint = bot.settings.fingerprint

    def ask(self, question: str, history: list[dict[str, str]]) -> dict[str, Any]:
        """Return a reply object with "ranking" added."""
        turns = _turns(history)
        # As the page asks, statement by statement: that is when a reader sees the first.
        tell = (lambda statement, passages: None) if self._bot.wording else None
        reply = to_dict(self._bot.reply(question, turns, tell=tell))
        return {**reply, "ranking": self._search([(question, turns)])[0]["ranking"]}

    def search(self, batch: Sequence[tuple[str, list[dict[str, str]]]]) -> list[dict[str, Any]]:
        """Return one search object for each question, embedded together."""
        return self._search([(question, _turns(history)) for question, history in batch])

    def _search(self, batch: Sequence[tuple[str, Sequence[Turn]]]) -> list[dict[str, Any]]:
        opened, started = self._bot.opened, time.perf_counter()
        lookup = IndexLookup(opened)
        resolved = [resolve(question, turns, lookup) for question, turns in batch]
        queries = [
            make_query(resolution, turns, opened, allowed=self._bot.allowed)
            for resolution, (_, turns) in zip(resolved, batch, strict=True)
        ]
        vectors = opened.query_vectors(queries)
        rows = []
        for resolution, vector, ranked in zip(
            resolved, vectors, opened.rank(queries, _RANKED_PASSAGES, vectors), strict=True
        ):
            depth = RERANKED if self._bot.reranker else LOOKED_AT
            top = look_again(resolution.standalone_question, opened.hits(ranked.first(depth)), self._bot.reranker)
            ranking: dict[str, float] = {}
            for hit in top:
                ranking.setdefault(hit.passage.document_id, round(hit.score, 6))
            lowest = min(ranking.values(), default=0.0)
            for row, score in zip(ranked.rows.tolist(), ranked.scores.tolist(), strict=True):
                ranking.setdefault(opened.document_id(row), min(lowest, round(score, 6)))
            evidence = judge(resolution, top[:DEPTH], vector, opened)
            rows.append(
                {
                    "question": resolution.question,
                    "standalone_question": resolution.standalone_question,
                    "hits": [hit_row(hit) for hit in top[:_SEARCH_HITS]],
                    "ranking": list(ranking.items())[:_RANKED_DOCUMENTS],
                    "confidence": evidence.confidence,
                    "outcome": "answer" if self._bot.answers(resolution, evidence) else "abstention",
                    "understood": {"how": resolution.how, "topic": resolution.focus.topic},
                    "index_version": opened.version,
                }
            )
        spent = round(1000 * (time.perf_counter() - started) / max(1, len(batch)), 2)
        return [{**row, "timings_ms": {"total": spent}} for row in rows]


def _turns(history: Sequence[dict[str, str]]) -> tuple[Turn, ...]:
    return tuple(Turn("user" if row["role"] == "user" else "assistant", row["content"]) for row in history)
