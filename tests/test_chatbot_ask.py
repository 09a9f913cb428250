"""What the command line and an evaluation share: search and batches; and a thousand real questions."""

import gzip
import json
import os
from pathlib import Path

import pytest
from test_chatbot_reply import QUESTIONS, assert_sound

from chatbot.ask import BatchAnswerer, search
from chatbot.replies import Turn, to_dict
from chatbot.reply import Chatbot
from chatbot.settings import Settings
from index.build import build

# How many questions of the evaluation data are asked: some in the common run, on the documents that they need; in
# the long one (8 minutes with an index at hand) as many as are wished, on any index of the whole corpus:
#   FOLLOWUP_QUESTIONS=1000 FOLLOWUP_MEDQUAD=INDEX pytest tests/test_chatbot_ask.py -k real
COUNT = int(os.environ.get("FOLLOWUP_QUESTIONS", "100"))
WHOLE_INDEX = os.environ.get("FOLLOWUP_MEDQUAD", "")


@pytest.fixture(scope="module")
def answerer(shipped_bot):
    """Return what an evaluation asks, on the shipped articles."""
    return BatchAnswerer(shipped_bot)


def test_search_object_has_the_contract_s_fields(shipped_bot):
    """A search finds as many hits as are asked for, best first, each verbatim in its document."""
    found = search(shipped_bot, "maximum dose of baclofen", (), 7)
    assert len(found["hits"]) == 7 and found["index_version"] == shipped_bot.opened.version
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    for hit in found["hits"]:
        document = shipped_bot.opened.records.document(hit["document_id"])
        assert document.text[hit["start"] : hit["end"]] == hit["text"]


def test_asking_in_a_batch_changes_nothing(answerer):
    """Questions that are searched together rank as each does alone."""
    batch = [(question, []) for question in QUESTIONS]
    together = answerer.search(batch)
    for question, row in zip(QUESTIONS, together, strict=True):
        (alone,) = answerer.search([(question, [])])
        assert [name for name, _ in alone["ranking"]] == [name for name, _ in row["ranking"]]
        assert [hit["passage_id"] for hit in alone["hits"]] == [hit["passage_id"] for hit in row["hits"]]
        assert alone["outcome"] == row["outcome"]
    assert answerer.search([]) == []


def test_ranking_holds_each_document_once(answerer):
    """A ranking is of documents, each once, by falling score."""
    for row in answerer.search([(question, []) for question in QUESTIONS]):
        names = [name for name, _ in row["ranking"]]
        scores = [score for _, score in row["ranking"]]
        assert len(names) == len(set(names)) <= 100 and scores == sorted(scores, reverse=True)


def test_ask_is_the_reply_with_its_ranking(answerer, shipped_bot):
    """An evaluation's reply is the one that a user gets, and the ranking beside it."""
    row = answerer.ask("What is the maximum dose of baclofen?", [])
    plain = to_dict(shipped_bot.reply("What is the maximum dose of baclofen?"))
    ranking = row.pop("ranking")
    for reply in (row, plain):
        reply.pop("timings_ms")
    assert row == plain and ranking[0][0] == "baclofen-safety-and-withdrawal"


def conversations(folder, count):
    with (folder / "data" / "medquad" / "conversations.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


@pytest.fixture(scope="module")
def real_bot(tmp_path_factory, minilm):
    """Return a chatbot on real documents: the whole corpus if an index of it is at hand, else those that are needed."""
    from conftest import SHARED

    if WHOLE_INDEX:
        return Chatbot(Settings(index=Path(WHOLE_INDEX)), minilm)
    if not SHARED.is_dir():
        pytest.skip("the evaluation data does not lie beside the project")
    wanted = {name for row in conversations(SHARED, COUNT) for name in row["relevant"]}
    folder = tmp_path_factory.mktemp("real")
    with gzip.open(SHARED / "data" / "medquad" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        kept = [line for line in lines if json.loads(line)["_id"] in wanted]
    (folder / "corpus.jsonl").write_text("".join(kept), "utf-8")
    build([folder / "corpus.jsonl"], folder / "ix", minilm, model="all-MiniLM-L6-v2")
    return Chatbot(Settings(index=folder / "ix"), minilm)


@pytest.mark.shared
def test_real_questions_get_sound_replies_twice(real_bot, shared):
    """Every statement verbatim, every citation resolving, a disclaimer on each, the same on a second run."""
    outcomes = {}
    for row in conversations(shared, COUNT):
        turns = tuple(Turn(turn["role"], turn["content"]) for turn in row["history"])
        reply = real_bot.reply(row["question"], turns)
        found = assert_sound(reply, real_bot.opened)
        outcomes[found["outcome"]] = outcomes.get(found["outcome"], 0) + 1
        again = json.loads(json.dumps(to_dict(real_bot.reply(row["question"], turns))))
        assert {**found, "timings_ms": None} == {**again, "timings_ms": None}
    assert sum(outcomes.values()) == COUNT
    assert outcomes["answer"] >= COUNT // 2, outcomes
