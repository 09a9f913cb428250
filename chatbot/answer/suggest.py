"""Questions that lead on, each of which the index can answer: checked by searching, before any is shown.

Is: related questions of the sources, and the questions that near documents answer. Is not: a generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from chatbot.answer.confidence import features, probability
from chatbot.answer.evidence import DEPTH, Evidence, expansions
from chatbot.understand.topic import topic_of
from corpus.documents import Document
from index.lexical import content_terms
from index.opened import OpenIndex
from index.search import Query

SHOWN = 3
# How many candidates are checked at most; each costs a search.
_CHECKED = 8
# Passages looked at for documents on the same topic.
_NEAR = 40


class Suggester:
    """Finds questions to go on with; remembers which ones the index can answer."""

    def __init__(self, opened: OpenIndex, threshold: float) -> None:
        self._opened = opened
        self._threshold = threshold
        self._known: dict[str, bool] = {}
        self._lock = Lock()

    def after(self, evidence: Evidence, document_ids: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
        """Return up to three questions after an answer from these documents, none asked before."""
        documents = [self._opened.records.document(name) for name in dict.fromkeys(document_ids)]
        related = [question for document in documents for question in document.related_questions]
        return self._first_answerable([*related, *self._questions_near(evidence)], asked)

    def instead(self, evidence: Evidence, asked: Sequence[str]) -> tuple[str, ...]:
        """Return the nearest questions that the index can answer, for one that it cannot."""
        return self._first_answerable(self._questions_near(evidence), asked)

    def answerable(self, questions: Sequence[str]) -> list[bool]:
        """Say for each question whether the index answers it, by the same measure as for a user's question."""
        with self._lock:
            unknown = [question for question in dict.fromkeys(questions) if question not in self._known]
        if unknown:
            queries = [Query(question, expansions=expansions(question, self._opened)) for question in unknown]
            for question, ranked in zip(unknown, self._opened.rank(queries, DEPTH), strict=True):
                hits = self._opened.hits(ranked)
                seen = features(question, topic_of(question) or question, hits, self._opened)
                with self._lock:
                    self._known[question] = probability(seen) >= self._threshold
        with self._lock:
            return [self._known[question] for question in questions]

    def _questions_near(self, evidence: Evidence) -> list[str]:
        near = [hit.passage.document_id for hit in evidence.hits]
        if near:
            title = self._opened.records.document(near[0]).title
            ranked = self._opened.rank([Query(title, intents=frozenset())], _NEAR)[0] if title else None
            near += [self._opened.document_id(int(row)) for row in ranked.rows] if ranked else []
        documents = (self._opened.records.document(name) for name in dict.fromkeys(near))
        return [question for document in documents if (question := own_question(document))]

    def _first_answerable(self, candidates: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
        taken = {_gist(question) for question in asked}
        fresh: list[str] = []
        for question in candidates:
            if (gist := _gist(question)) not in taken and gist:
                taken.add(gist)
                fresh.append(question)
        fresh = fresh[:_CHECKED]
        known = self.answerable(fresh)
        return tuple(question for question, answers in zip(fresh, known, strict=True) if answers)[:SHOWN]


def own_question(document: Document) -> str:
    """Return the question that a document answers: its own, its title if that asks, else one made of its title."""
    if document.question.rstrip().endswith("?"):
        return " ".join(document.question.replace(" ?", "?").split())
    if document.title.rstrip().endswith("?"):
        return document.title
    return f"What does “{document.title}” say?" if document.title else ""


def _gist(question: str) -> frozenset[str]:
    return frozenset(content_terms(question))
