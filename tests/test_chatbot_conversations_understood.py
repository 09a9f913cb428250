"""Whole conversations, turn by turn, against what each message must be understood as."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chatbot.answer.evidence import IndexLookup
from chatbot.replies import Turn
from chatbot.understand.followup import resolve

CONVERSATIONS = yaml.safe_load((Path(__file__).parent / "conversations/followups.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("messages", CONVERSATIONS, ids=lambda messages: messages[0]["ask"][:40])
def test_every_follow_up_is_understood(messages, shipped_bot) -> None:
    """Each message is resolved by the rule, and to the words, that its case names."""
    turns: list[Turn] = []
    for message in messages:
        found = resolve(message["ask"], tuple(turns), IndexLookup(shipped_bot.opened))
        understood = found.standalone_question.lower()
        assert found.how == message.get("how", found.how), understood
        assert not [words for words in message.get("has", []) if words.lower() not in understood], understood
        assert len(found.choices) == message.get("choices", 0), understood
        turns += [Turn("user", message["ask"]), Turn("assistant", "Some answer.")]


def test_turn_fifteen_is_resolved_from_the_last_few() -> None:
    """What was said long ago is not read: a late turn costs what an early one costs."""

    class Counting:
        asked = 0

        def title_within(self, question: str) -> str:
            Counting.asked += 1
            return ""

        def is_topic(self, phrase: str) -> bool:
            return False

        def together(self, phrase: str, topic: str) -> bool:
            return False

    def cost(turns: int) -> int:
        Counting.asked = 0
        said = tuple(Turn("user", f"How is condition{number} treated?") for number in range(turns))
        resolve("Is it painful?", said, Counting())
        return Counting.asked

    assert cost(40) == cost(15)


def test_a_question_that_stands_alone_is_searched_as_if_it_were_the_first(shipped_bot) -> None:
    """Nothing of the turns before gets into its ranking."""
    question = "How is restless legs syndrome treated?"
    before = (Turn("user", "What is the maximum dose of baclofen?"), Turn("assistant", "80 mg a day."))
    first = shipped_bot.reply(question)
    later = shipped_bot.reply(question, before)
    assert [s.text for s in later.statements] == [s.text for s in first.statements]
    assert later.confidence == first.confidence
