"""Confidence and suggestions: features with names, one probability, and questions that can be answered."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.answer.confidence import Features, default_threshold, look_closer, probability
from chatbot.answer.suggest import SHOWN, Suggester, own_question
from chatbot.replies import to_dict
from corpus.documents import Document
from index.search import Query

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


@pytest.mark.parametrize(
    ("question", "stated"),
    [
        ("What is the dose of cilostazol?", "Cilostazol: adults, 100 mg by mouth twice daily"),
        ("Who should not take naftidrofuryl?", "Naftidrofuryl to people with hyperoxaluria"),
        ("What are the side effects of pentoxifylline?", "Stomach upset is the commonest unwanted effect"),
    ],
)
def test_one_item_of_an_article_on_something_else_is_enough(shipped_bot, question, stated):
    """The article's vector is that of its disease; an item on the medicine answers all the same."""
    reply = to_dict(shipped_bot.reply(question))
    assert reply["outcome"] == "answer"
    assert any(stated in statement["text"].replace("**", "") for statement in reply["statements"])


@pytest.mark.parametrize(
    "question",
    [
        # The articles do not name it.
        "What is the dose of metformin?",
        # They name it beside a medicine whose dose they give, or say other things of it.
        "What is the dose of clarithromycin?",
        "What is the dose of verapamil?",
        "What are the side effects of ezetimibe?",
    ],
)
def test_a_name_in_passing_is_not_enough(shipped_bot, question):
    """A statement that names the medicine and says nothing on what is asked brings no answer."""
    assert to_dict(shipped_bot.reply(question))["outcome"] == "abstention"


def test_a_closer_look_takes_nothing_away_and_needs_the_whole_topic(shipped_bot):
    """Nearer passages count on; an item that holds one of two words of the topic is not read."""
    opened = shipped_bot.opened
    hits = opened.search(Query("cilostazol dose"), 5)
    near, far = Features(0.9, 1, 1, 0, 0), Features(0.1, 1, 1, 0, 0)
    assert look_closer(near, "What is the dose of cilostazol?", ["cilostazol"], hits, opened) == near
    assert look_closer(far, "What is the dose of cilostazol?", ["cilostazol"], hits, opened).similarity > 0.6
    assert look_closer(far, "What is the dose of cilostazol?", ["cilostazol zirconium"], hits, opened) == far
    assert look_closer(far, "What is it?", [""], hits, opened) == far
