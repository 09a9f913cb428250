"""Rows for other evaluation tools: ragas and deepeval.

Is: their row formats, written as JSON Lines. Is not: a dependency on either (each pins versions of other
packages that this project cannot live with).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chatbot.evaluation.questions import Question


def write_rows(questions: Sequence[Question], replies: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write `ragas.jsonl` and `deepeval.jsonl` into `folder`, one row a reply, in the order of the replies."""
    by_id = {question.id: question for question in questions}
    with (
        (folder / "ragas.jsonl").open("w", encoding="utf-8", newline="\n") as ragas,
        (folder / "deepeval.jsonl").open("w", encoding="utf-8", newline="\n") as deepeval,
    ):
        for reply in replies:
            question = by_id[reply["id"]]
            ragas.write(json.dumps(ragas_row(question, reply), ensure_ascii=False) + "\n")
            deepeval.write(json.dumps(deepeval_row(question, reply), ensure_ascii=False) + "\n")


def ragas_row(question: Question, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ragas `SingleTurnSample`.

    `reference` is the first reference answer and is left out when there is none. `reference_contexts` would
    need the texts of the relevant documents, which the questions do not hold; their ids are given.
    """
    passages = _passages(reply)
    row: dict[str, Any] = {
        "user_input": _asked(question),
        "retrieved_contexts": [passage["text"] for passage in passages],
        "retrieved_context_ids": [passage["document_id"] for passage in passages],
        "response": response_text(reply),
    }
    if question.relevant_ids:
        row["reference_context_ids"] = sorted(question.relevant_ids)
    if question.reference_answers:
        row["reference"] = question.reference_answers[0]
    return row


def deepeval_row(question: Question, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deepeval `Golden`; `expected_output` is left out when there is no reference answer."""
    row: dict[str, Any] = {
        "input": _asked(question),
        "actual_output": response_text(reply),
        "retrieval_context": [passage["text"] for passage in _passages(reply)],
    }
    if question.reference_answers:
        row["expected_output"] = question.reference_answers[0]
    return row


def response_text(reply: Mapping[str, Any]) -> str:
    """Return what a reader of the reply is told: its statements, else why there are none; "" for a search.

    The context stands before its statement, because the statement must not be read without it.
    """
    if statements := reply.get("statements"):
        return "\n".join(" – ".join((*row.get("context", ()), row["text"])) for row in statements)
    return reply.get("reason") or reply.get("clarifying_question") or ""


def _asked(question: Question) -> str:
    # Both formats judge a question without its history, so the written-out form is the fair one where it is
    # known. What the program itself understood would hide its own mistakes from the judge.
    return question.standalone or question.question


def _passages(reply: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return reply["passages"] if "passages" in reply else reply.get("hits", ())
