"""A small real model behind a real client: it invents freely, and nothing that it invents is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatbot.answer.gate_quantities import find_quantities
from chatbot.replies import Answer, Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.settings import Settings

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from small_model import SmallModel, missing, serve

pytestmark = [pytest.mark.real_model, pytest.mark.skipif(bool(missing()), reason=missing() or "installed")]

QUESTIONS = (
    ("What is the maximum dose of baclofen?", ()),
    ("How is hypokalaemia treated?", ()),
    ("Why is quinine not recommended for leg cramps?", ()),
    ("How are pressure ulcers prevented?", ()),
    (
        "and in pregnancy?",
        (Turn("user", "What is the treatment for nocturnal leg cramps?"), Turn("assistant", "Stretch.")),
    ),
)


@pytest.fixture(scope="module")
def bot(shipped_index, minilm) -> Iterator[Chatbot]:
    """Return a chatbot on the shipped articles whose answers a small model on loopback words."""
    pytest.importorskip("langchain_openai", reason="the extra [openai] is not installed")
    server = serve(SmallModel())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "none-is-needed")
        settings = Settings(
            index=shipped_index,
            llm="openai:smollm2",
            llm_base_url=f"http://127.0.0.1:{server.server_port}/v1",
            llm_timeout_seconds=300,
            llm_max_tokens=150,
            llm_passages=2,
        )
        yield Chatbot(settings, minilm)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("question", "turns"), QUESTIONS)
def test_nothing_that_it_invents_is_shown(bot: Chatbot, question: str, turns: tuple[Turn, ...]) -> None:
    """Every number shown stands in a passage that its statement cites, every citation resolves, a disclaimer is there."""
    told: list[str] = []
    reply = bot.reply(question, turns, tell=lambda statement, passages: told.append(statement.text))
    assert isinstance(reply, Answer) and reply.statements and reply.disclaimer
    passages = {passage.number: passage for passage in reply.passages}
    for statement in reply.statements:
        assert statement.citations and set(statement.citations) <= passages.keys()
        around = "\n".join(
            "\n".join((passages[number].title, *passages[number].section, passages[number].text))
            for number in statement.citations
        )
        known = find_quantities(around)
        assert all(any(said.said_by(other) for other in known) for said in find_quantities(statement.text))
    row = to_dict(reply)["verification"]
    assert row["host"].startswith("127.0.0.1:") and row["tokens"]["read"] > 0
    if reply.mode == "llm":
        assert told == [statement.text for statement in reply.statements]
    else:
        assert row["fault"] and any(notice.code == "language_model" for notice in reply.notices)
