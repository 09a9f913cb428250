"""Questions that lead on, each of which the index can answer: checked by searching, before any is shown.

Is: related questions of the sources, and the questions that near documents answer. Is not: a generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from chatbot.answer.confidence import probability
from chatbot.answer.evidence import DEPTH, TOPIC_WEIGHT, Evidence, weigh
from chatbot.understand.synonyms import expand
from chatbot.understand.topic import topic_of
from corpus.documents import Document
from index.lexical import content_terms
from index.opened import OpenIndex
from index.search import Query

SHOWN = 3
# How many candidates are checked at most; each costs a search.
_CHECKED = 8


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
        related = _fresh((question for document in documents for question in document.related_questions), asked)
        known = self.answerable(related[:_CHECKED])
        led_to = [question for question, answers in zip(related[:_CHECKED], known, strict=True) if answers]
        if len(led_to) < SHOWN:
            led_to = _fresh([*led_to, *self._questions_near(evidence)], asked)
        return tuple(led_to[:SHOWN])

    def instead(self, evidence: Evidence, asked: Sequence[str]) -> tuple[str, ...]:
        """Return the nearest questions that the index can answer, for one that it cannot."""
        return tuple(_fresh(self._questions_near(evidence), asked)[:SHOWN])

    def answerable(self, questions: Sequence[str]) -> list[bool]:
        """Say for each question whether the index answers it, by the same measure as for a user's question."""
        with self._lock:
            unknown = [question for question in dict.fromkeys(questions) if question not in self._known]
        if unknown:
            topics = [topic_of(question) for question in unknown]
            queries = [
                Query(question, expansions=((topic, TOPIC_WEIGHT), *expand(question, self._opened.abbreviations)))
                for question, topic in zip(unknown, topics, strict=True)
            ]
            for question, topic, ranked in zip(unknown, topics, self._opened.rank(queries, DEPTH), strict=True):
                hits = self._opened.hits(ranked)
                seen = weigh(question, topic or question, hits, self._opened)
                with self._lock:
                    self._known[question] = probability(seen) >= self._threshold
        with self._lock:
            return [self._known[question] for question in questions]

    def _questions_near(self, evidence: Evidence) -> list[str]:
        """Return the questions that documents answer which are near by title or by content.

        A document of the index answers its own question, so that these need no search.
        """
        near = [hit.passage.document_id for hit in evidence.hits]
        titled = self._opened.records.documents_titled(evidence.hits[0].passage.title) if near else []
        documents = (self._opened.records.document(name) for name in dict.fromkeys((*near, *titled)))
        return [question for document in documents if (question := own_question(document))]


def _fresh(candidates: Iterable[str], asked: Sequence[str]) -> list[str]:
    """Return the candidates that ask what nobody asked yet, each once."""
    taken = {_gist(question) for question in asked}
    fresh: list[str] = []
    for question in candidates:
        gist = _gist(question)
        if gist and gist not in taken:
            taken.add(gist)
            fresh.append(question)
    return fresh


def own_question(document: Document) -> str:
    """Return the question that a document answers: its own, its title if that asks, else one made of its title."""
    if document.question.rstrip().endswith("?"):
        return " ".join(document.question.replace(" ?", "?").split())
    if document.title.rstrip().endswith("?"):
        return document.title
    return f"What does “{document.title}” say?" if document.title else ""


def _gist(question: str) -> frozenset[str]:
    return frozenset(content_terms(question))
