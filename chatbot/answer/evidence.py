"""From a question as it was understood to passages that may answer it, with how sure that is.

Is: where follow-up, search and confidence meet. Is not: a choice of words to quote (see `compose.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chatbot.answer.confidence import Features, default_threshold, features, look_closer, probability
from chatbot.replies import Turn
from chatbot.understand.followup import Resolution
from chatbot.understand.polarity import polarity_bonus, question_lean
from chatbot.understand.synonyms import expand, find_synonyms, reworded
from index.embedding import Vectors
from index.opened import OpenIndex
from index.rerank import RERANKED, Reranker
from index.search import Hit, Query

# Passages that an answer may be quoted from; the rest of the list is only shown folded.
DEPTH = 8
# Passages whose side (for or against) is read before the best are kept.
LOOKED_AT = 16
# How much a passage's side counts against its fused score. Measured on pairs: .10 to .20 are alike.
SIDE_WEIGHT = 0.15
# An open question ("how is it treated?") leans too little to outweigh what was found.
_PLAIN_LEAN = 0.5
# A nudge for passages that the last turn cited, and for those of the article that the conversation stands on:
# enough to win among near equals, too little to bring in another topic.
_CITED_BOOST = 0.03
_ARTICLE_BOOST = 0.06


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found: hits best first, the vector they were found by, and the probability that they answer."""

    hits: tuple[Hit, ...]
    vector: Vectors
    confidence: float
    features: Features


class IndexLookup:
    """What the rules for follow-ups ask of the corpus, answered by the open index."""

    def __init__(self, opened: OpenIndex) -> None:
        self._opened = opened

    def title_within(self, question: str) -> str:
        return self._opened.titles.within(question)

    def is_topic(self, phrase: str) -> bool:
        return any(self._opened.titles.is_topic(text) for text in (phrase, *self._written_out(phrase)))

    def together(self, phrase: str, topic: str) -> bool:
        return self._opened.together(phrase, topic)

    def _written_out(self, phrase: str) -> list[str]:
        known = self._opened.abbreviations
        return [known[word] for word in phrase.split() if word in known]


def make_query(
    resolution: Resolution,
    turns: Sequence[Turn],
    opened: OpenIndex,
    *,
    article_id: str | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Query:
    """Return the search for a resolved question.

    A question that stands alone is searched as if it were the first: nothing of the turns before gets in.
    """
    boosts: dict[int, float] = {}
    if resolution.is_followup:
        cited = next((turn.passage_ids for turn in reversed(turns) if turn.passage_ids), ())
        boosts |= dict.fromkeys(opened.records.rows_of(cited), _CITED_BOOST)
    if article_id:
        for row in opened.records.rows_of_document(article_id):
            boosts[row] = boosts.get(row, 0.0) + _ARTICLE_BOOST
    question = resolution.standalone_question
    synonyms = find_synonyms(question, opened.abbreviations)
    twins = tuple((twin, TWIN_WEIGHT) for twin in reworded(question, synonyms)[1:2])
    return Query(
        question,
        context=(*(resolution.context if resolution.is_followup else ()), *twins),
        intents=resolution.asked,
        boosts=tuple(sorted(boosts.items())),
        expansions=((resolution.focus.topic, TOPIC_WEIGHT), *expand(question, opened.abbreviations)),
        allowed=allowed,
    )


# How much the question in other words weighs beside its own words: "NPWT" means nothing to an embedding model.
TWIN_WEIGHT = 0.5
# How much the words of the topic weigh where words are searched: "Who should not take naftidrofuryl?" shares "not"
# and "take" with every article.
TOPIC_WEIGHT = 2.0


def judge(resolution: Resolution, hits: Sequence[Hit], vector: Vectors, opened: OpenIndex) -> Evidence:
    """Return hits as evidence, with the probability that they answer the question."""
    question = resolution.standalone_question
    seen = weigh(question, resolution.focus.topic or question, hits, opened)
    return Evidence(tuple(hits), vector, probability(seen), seen)


def weigh(question: str, topic: str, hits: Sequence[Hit], opened: OpenIndex) -> Features:
    """Return the features of a question and its topic, in their own and in other words.

    Single statements are read only where the passages would not do by the shipped threshold: reading three takes as
    long as a search.
    """
    synonyms = find_synonyms(question, opened.abbreviations)
    topics = reworded(topic, synonyms)
    seen = features(reworded(question, synonyms), topics, hits, opened)
    if probability(seen) >= default_threshold():
        return seen
    return look_closer(seen, question, topics, hits, opened)


def gather(
    resolution: Resolution,
    turns: Sequence[Turn],
    opened: OpenIndex,
    *,
    article_id: str | None = None,
    allowed: NDArray[np.bool_] | None = None,
    reranker: Reranker | None = None,
) -> Evidence:
    """Return the best passages for a resolved question and how sure it is that they answer it."""
    query = make_query(resolution, turns, opened, article_id=article_id, allowed=allowed)
    vector = opened.query_vectors([query])[0]
    hits = opened.search(query, RERANKED if reranker else LOOKED_AT, vector)
    return judge(resolution, look_again(query.text, hits, reranker)[:DEPTH], vector, opened)


def look_again(question: str, hits: Sequence[Hit], reranker: Reranker | None = None) -> list[Hit]:
    """Return hits in the order that their sides, and the reranker if there is one, give them.

    A question about what to avoid prefers passages that warn, one about what to use those that do not only warn;
    vectors cannot tell the two apart. Scores still fall.
    """
    ranked = reranker.rerank(question, hits) if reranker else list(hits)
    if abs(question_lean(question)) < _PLAIN_LEAN:
        return ranked
    first, rest = ranked[:LOOKED_AT], ranked[LOOKED_AT:]
    sided = [replace(hit, score=hit.score + SIDE_WEIGHT * _side(question, hit)) for hit in first]
    sided.sort(key=lambda hit: (-hit.score, hit.row))
    # What was not looked at stays behind what was.
    floor = min((hit.score for hit in sided), default=0.0)
    return [*sided, *(replace(hit, score=min(hit.score, floor)) for hit in rest)]


def _side(question: str, hit: Hit) -> float:
    passage = hit.passage
    return polarity_bonus(question, passage.text, (*passage.section, *passage.lead_ins))
