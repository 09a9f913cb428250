"""Confidence and suggestions: features with names, one probability, and questions that can be answered."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.answer.confidence import Features, default_threshold, probability
from chatbot.answer.suggest import SHOWN, Suggester, own_question
from chatbot.replies import to_dict
from corpus.documents import Document

SHARE = st.floats(0, 1)


@given(st.builds(Features, SHARE, SHARE, SHARE, SHARE, SHARE))
def test_probability_is_one(values):
    """Any features give a probability between 0 and 1."""
    assert 0.0 <= probability(values) <= 1.0 and not math.isnan(probability(values))


@given(SHARE, SHARE, SHARE, SHARE)
def test_what_no_passage_holds_speaks_against(similarity, coverage, focus, title):
    """The more of the topic stands nowhere in the index, the less likely is an answer."""
    values = [probability(Features(similarity, coverage, focus, title, unknown)) for unknown in (0.0, 0.5, 1.0)]
    assert values == sorted(values, reverse=True)


def test_threshold_lies_between_the_extremes():
    """The best evidence passes the threshold, none at all does not."""
    assert probability(Features(0, 0, 0, 0, 1)) < default_threshold() < probability(Features(1, 1, 1, 1, 0))


@pytest.mark.parametrize(
    ("document", "question"),
    [
        (Document("a", "Calf cramp", "x", question="How is calf cramp treated ?"), "How is calf cramp treated?"),
        (Document("a", "What is claudication?", "x"), "What is claudication?"),
        (Document("a", "Calf cramp", "x"), "What does “Calf cramp” say?"),
        (Document("a", "", "x"), ""),
    ],
)
def test_question_that_a_document_answers(document, question):
    """Its own question, else its title if that asks, else one made of its title."""
    assert own_question(document) == question


def test_suggestions_are_few_new_and_answerable(shipped_bot):
    """At most three, none that was asked, each above the threshold."""
    suggester = Suggester(shipped_bot.opened, shipped_bot.threshold)
    for question in ("What is the maximum dose of baclofen?", "How do I treat an acute calf cramp?"):
        offered = to_dict(shipped_bot.reply(question))["related_questions"]
        assert len(offered) <= SHOWN and question not in offered and len(set(offered)) == len(offered)
        assert all(suggester.answerable(offered))


def test_what_is_not_in_the_index_is_not_answerable(shipped_bot):
    """A question on something else is not offered."""
    suggester = Suggester(shipped_bot.opened, shipped_bot.threshold)
    assert suggester.answerable(["Who won the world cup in 1998?", "What is the maximum dose of baclofen?"]) == [
        False,
        True,
    ]
    assert suggester.answerable([]) == []
