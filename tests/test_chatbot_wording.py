"""The pipeline with a language model: what it adds, and what stands when it fails."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace as _replace

import pytest

from chatbot.answer import prompts
from chatbot.answer.compose import UnitVectors
from chatbot.answer.llm import Chunk, ModelFault
from chatbot.answer.wording import Wording
from chatbot.replies import Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.settings import Settings

QUESTION = "What is the maximum dose of baclofen?"


class Model:
    """Answers by what it is asked for; a value may be an exception or seconds to wait."""

    name = "scripted:model"
    host = "model.example"

    def __init__(self, *, answer: object = "{}", question: object = "{}", questions: object = "{}") -> None:
        self.says = {
            prompts.RESOLVE_SYSTEM: question,
            prompts.SUGGEST_SYSTEM: questions,
        }
        self.answer = answer
        self.asked: list[str] = []

    def write(self, prompt, schema, *, stream) -> Iterator[Chunk]:
        self.asked.append(prompt.user)
        said = self.says.get(prompt.system, self.answer)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, float):
            time.sleep(said)
            said = "{}"
        yield Chunk(said)


@pytest.fixture
def bot_with(shipped_index, minilm):
    """Return a chatbot on the shipped articles that is given a model."""

    def make(model: Model, **settings) -> Chatbot:
        given = Settings(index=shipped_index, llm="scripted:model", llm_timeout_seconds=5.0, **settings)
        bot = Chatbot(given.model_copy(update={"llm": None}), minilm)
        bot.wording = Wording(given, UnitVectors(minilm), model)
        return bot

    return make


def statements(*rows: tuple[str, list[int]]) -> str:
    return json.dumps({"statements": [{"text": text, "citations": numbers} for text, numbers in rows]})


def test_a_supported_statement_stands_in_the_models_words(bot_with, shipped_bot) -> None:
    """What the passage says may be said in other order; the reply says that a model worded it."""
    quote = shipped_bot.reply(QUESTION).statements[0].text
    supported = quote[quote.index("adults start") :].split(" [")[0].replace("adults start", "Adults start")
    reply = bot_with(Model(answer=statements((supported, [1])))).reply(QUESTION)
    assert reply.mode == "llm"
    assert [s.text for s in reply.statements] == [supported]
    assert to_dict(reply)["verification"]["host"] == "model.example"


def test_a_changed_dose_never_stands(bot_with) -> None:
    """The model says 800 mg; no number that the passages lack is shown."""
    reply = bot_with(Model(answer=statements(("Adults take at most 800 mg of baclofen a day.", [1])))).reply(QUESTION)
    assert reply.statements and "800" not in json.dumps(to_dict(reply)["statements"])


@pytest.mark.parametrize(
    "fault", [ModelFault("timeout"), ModelFault("bad_key"), RuntimeError("secret-key-123"), "", "no json", "{"]
)
def test_every_fault_leaves_the_quotes_and_a_notice(bot_with, shipped_bot, fault) -> None:
    """The extractive answer is always there beneath."""
    reply = bot_with(Model(answer=fault, question=RuntimeError(), questions=RuntimeError())).reply(QUESTION)
    assert [s.text for s in reply.statements] == [s.text for s in shipped_bot.reply(QUESTION).statements]
    assert reply.mode == "extractive"
    assert any("quotes" in notice.text for notice in reply.notices)
    assert "secret-key-123" not in json.dumps(to_dict(reply))


def test_both_readings_of_a_follow_up_are_shown_when_they_differ(bot_with) -> None:
    """The search keeps to the rules' reading; the reader sees the model's beside it."""
    turns = (Turn("user", "How is baclofen stopped?"), Turn("assistant", "Slowly."))
    model = Model(question=json.dumps({"question": "How is baclofen stopped in kidney disease?"}))
    reply = bot_with(model).reply("and in kidney disease?", turns)
    plain = _replace(reply, notices=())
    assert "kidney disease" in plain.standalone_question
    assert "two_readings" in [notice.code for notice in reply.notices] or (
        reply.standalone_question.rstrip("?") == "How is baclofen stopped in kidney disease"
    )


def test_what_leaves_is_masked(bot_with) -> None:
    """A phone number in the question is not sent."""
    model = Model()
    bot_with(model).reply(QUESTION + " My phone is +44 20 7946 0958.")
    assert model.asked and all("7946" not in said for said in model.asked)


def test_a_slow_reading_is_not_waited_for(bot_with) -> None:
    """The answer is shown when it is ready, with the rules' own suggestions."""
    model = Model(question=3.0, questions=3.0)
    turns = (Turn("user", QUESTION), Turn("assistant", "80 mg."))
    reply = bot_with(model).reply("and in cirrhosis?", turns)
    assert reply.statements and reply.related_questions
    assert "two_readings" not in [notice.code for notice in reply.notices]
