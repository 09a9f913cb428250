import json

from chatbot.evaluation.exports import deepeval_row, ragas_row, response_text, write_rows
from chatbot.evaluation.questions import Question

QUESTION = Question(
    "q1",
    "And at night?",
    history=(("user", "What helps against cramps?"),),
    relevant=(("cramps", 1), ("gout", 0)),
    reference_answers=("Stretching before bed.", "Stretch."),
    standalone="What helps against cramps at night?",
)
REPLY = {
    "id": "q1",
    "statements": [{"text": "Stretch.", "citations": [1], "context": ["Treatment", "At night:"]}],
    "passages": [{"number": 1, "document_id": "cramps", "text": "At night: Stretch."}],
}
SEARCH_REPLY = {"id": "q1", "hits": [{"document_id": "gout", "text": "Allopurinol."}]}


def test_ragas_row():
    """The row has the names of a ragas SingleTurnSample; the question is the written-out one."""
    assert ragas_row(QUESTION, REPLY) == {
        "user_input": "What helps against cramps at night?",
        "retrieved_contexts": ["At night: Stretch."],
        "retrieved_context_ids": ["cramps"],
        "response": "Treatment – At night: – Stretch.",
        "reference_context_ids": ["cramps"],
        "reference": "Stretching before bed.",
    }


def test_deepeval_row():
    """The row has the names of a deepeval Golden."""
    assert deepeval_row(QUESTION, REPLY) == {
        "input": "What helps against cramps at night?",
        "actual_output": "Treatment – At night: – Stretch.",
        "retrieval_context": ["At night: Stretch."],
        "expected_output": "Stretching before bed.",
    }


def test_a_search_reply_has_its_hits_and_no_response():
    """What is not known of the question is left out of the row."""
    assert ragas_row(Question("q1", "Gout?"), SEARCH_REPLY) == {
        "user_input": "Gout?",
        "retrieved_contexts": ["Allopurinol."],
        "retrieved_context_ids": ["gout"],
        "response": "",
    }


def test_what_is_said_in_place_of_an_answer():
    """An abstention's reason and a question asked back are responses, too."""
    assert response_text({"statements": [], "reason": "Nothing here answers it."}) == "Nothing here answers it."
    assert response_text({"statements": [], "clarifying_question": "Which drug?"}) == "Which drug?"


def test_rows_are_written_in_order(tmp_path):
    """One line a reply in each file."""
    second = Question("q2", "Gout?")
    write_rows([second, QUESTION], [REPLY, {**SEARCH_REPLY, "id": "q2"}], tmp_path)
    ragas = [json.loads(line) for line in (tmp_path / "ragas.jsonl").read_text("utf-8").splitlines()]
    deepeval = [json.loads(line) for line in (tmp_path / "deepeval.jsonl").read_text("utf-8").splitlines()]
    assert [row["user_input"] for row in ragas] == ["What helps against cramps at night?", "Gout?"]
    assert [row["input"] for row in deepeval] == [row["user_input"] for row in ragas]
