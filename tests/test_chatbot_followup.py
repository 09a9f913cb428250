"""Follow-ups become standalone questions by rules over the words of the conversation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.replies import Turn
from chatbot.understand.followup import resolve
from chatbot.understand.topic import topic_of


class Corpus:
    """A corpus that holds these titles."""

    def __init__(self, *titles):
        self.titles = titles

    def title_within(self, question):
        return max((t for t in self.titles if t.lower() in question.lower()), key=len, default="")

    def is_topic(self, phrase):
        return any(phrase.lower() == title.lower() for title in self.titles)

    def together(self, phrase, topic):
        return True


CORPUS = Corpus("baclofen", "quinine", "calf cramp", "deep vein thrombosis", "restless legs syndrome")


def after(question, *said):
    turns = [Turn("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said)]
    return resolve(question, turns, CORPUS)


@pytest.mark.parametrize(
    ("question", "before", "named"),
    [
        ("what is the maximum dose?", "What is baclofen used for?", "baclofen"),
        ("and in pregnancy?", "Is baclofen safe?", "baclofen"),
        ("is it safe in children?", "Tell me about quinine", "quinine"),
        ("what are its side effects?", "Tell me about quinine", "quinine"),
        ("how is it diagnosed?", "What causes deep vein thrombosis?", "deep vein thrombosis"),
        ("why?", "Should quinine be avoided?", "quinine"),
        ("what about baclofen instead?", "Is quinine safe in pregnancy?", "baclofen"),
        ("same question for baclofen", "Is quinine safe in pregnancy?", "baclofen"),
        ("are you sure? my doctor said otherwise", "Is quinine safe?", "quinine"),
    ],
)
def test_follow_up_names_its_topic(question, before, named):
    """The standalone question names what the conversation is about."""
    found = after(question, before, "An answer.")
    assert found.is_followup and named in found.standalone_question.lower(), found


def test_going_back_to_the_first_topic():
    """ "Go back to the first" takes up the first topic again."""
    found = after("go back to the first question", "What is baclofen?", "A.", "What is quinine?", "B.")
    assert "baclofen" in found.standalone_question.lower()


@pytest.mark.parametrize(
    "question",
    [
        "How is deep vein thrombosis treated?",
        "What is the maximum dose of baclofen?",
        "Which drugs worsen restless legs syndrome?",
    ],
)
def test_standalone_question_stays_as_it_is(question):
    """A question that names its topic is not touched by the turns before."""
    found = after(question, "Is quinine safe in pregnancy?", "No.")
    assert found.standalone_question == question and not found.is_followup


def test_first_question_stays_as_it_is():
    """Without turns before there is nothing to resolve."""
    assert after("what is the maximum dose?").standalone_question == "what is the maximum dose?"


@pytest.mark.parametrize("question", ["thanks", "hello!", "Thank you very much", "ok", "who are you?"])
def test_small_talk_is_recognised(question):
    """Thanks and greetings are no questions."""
    assert after(question, "What is quinine?", "A drug.").how == "small_talk"


def test_two_readings_are_asked_back():
    """Of two drugs set side by side "it" may be either: the choices are standalone questions."""
    found = after("what is the dose of the other one?", "Quinine or baclofen for calf cramp?", "Neither.")
    assert "baclofen" in (found.standalone_question + " ".join(found.choices)).lower()


def test_open_article_is_the_topic():
    """On an article's page a bare question is about the article."""
    assert "baclofen" in resolve("what is the maximum dose?", (), CORPUS, article="baclofen").standalone_question


def test_corrected_understanding_is_kept():
    """What the user corrected in an earlier turn is what the conversation is about."""
    turns = [Turn("user", "what about it?", standalone_question="What is quinine?"), Turn("assistant", "A drug.")]
    assert "quinine" in resolve("is it safe?", turns, CORPUS).standalone_question.lower()


MESSAGES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "why?",
            "and in pregnancy?",
            "it",
            "the second one",
            "what about quinine?",
            "no, I meant baclofen",
            "and if that fails?",
            "quinine or baclofen?",
            "which dose?",
            "thanks, that is all",
            "?",
            "",
        ]
    ),
)


@given(MESSAGES, st.lists(MESSAGES, max_size=6))
def test_nothing_breaks_it(question, said):
    """Any message after any conversation is understood somehow, the same way each time."""
    found = after(question, *said)
    assert found.question == question and found == after(question, *said)
    assert all(choice.strip() for choice in found.choices)


def test_long_conversations_cost_no_more():
    """Turn 200 is resolved like turn 20: only the last turns are read."""
    said = ["Tell me about quinine", "It is a drug."] * 100
    found = after("is it safe?", *said)
    assert found == after("is it safe?", *said[-60:])


@pytest.mark.parametrize(
    "text",
    [
        "it " * 1300,
        "what about " * 350,
        "the other " * 400,
        "(" * 4000,
        "a" * 4000,
        "and " * 1000,
        "thank you " * 399 + "x",
        "ok that is " * 350,
        "what if " + "a " * 1900,
        "how much " + "a-" * 1900,
    ],
)
def test_no_message_takes_long(text):
    """No message of the longest length makes a pattern run wild."""
    started = time.monotonic()
    after(text, text, "x", text, "x")
    topic_of(text)
    # Measured below 0.2 s; a pattern that runs wild takes minutes.
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("How is spasticity treated?", "spasticity"),
        ("What is the maximum dose of baclofen?", "baclofen"),
        ("What are the symptoms of restless legs syndrome?", "restless legs syndrome"),
        ("Tell me about deep vein thrombosis", "deep vein thrombosis"),
        ("why?", ""),
    ],
)
def test_topic_is_the_question_less_what_asks(question, topic):
    """The topic is what is left when the words that only ask are gone."""
    assert topic_of(question).lower() == topic


@given(
    st.lists(st.sampled_from("what is the dose of quinine in leg cramps at night treated safely".split()), max_size=12)
)
def test_topic_is_made_of_the_question_s_words(words):
    """A topic is words of the question, in their order."""
    rest = iter(words)
    assert all(word in rest for word in topic_of(" ".join(words)).split())


def test_what_about_keeps_what_was_asked():
    """ "What about baclofen?" after the maximum dose of quinine asks for the maximum dose of baclofen."""
    found = after("what about baclofen?", "What is the maximum dose of quinine?", "None.")
    assert found.standalone_question == "What is the maximum dose of baclofen?"


def test_a_plain_no_lists_nothing():
    """ "The second one" after a plain no is none of its words."""
    no = "The indexed articles do not answer this question. No answer was made up."
    found = after("what are the side effects of the second one?", "what about quinine?", no)
    assert "answer" not in found.standalone_question


@pytest.mark.parametrize(
    ("question", "asked"),
    [("how is it stopped?", set()), ("is it safe?", {"safety"}), ("quinine?", {"dose"})],
)
def test_a_question_of_its_own_inherits_no_kind(question, asked):
    """What the last question asked for goes on only where the follow-up has no words of its own that ask."""
    found = after(question, "What is the maximum dose of baclofen?", "80 mg a day.")
    assert found.asked - {"definition"} == asked
