"""Turns what readers said of answers into a question set for `followup eval`.

Is: one JSON Lines row for each answer that was judged. Is not: a verdict; a person reads the comments first.

What each kind becomes:

- helpful, of the answer: every document that it cites is relevant (grade 1), and the same outcome is expected.
- helpful, of one citation: that passage's document is relevant.
- wrong passage, of one citation: its document is judged not relevant (grade 0), unless another passage of the same
  document stands in the answer without complaint: then the passage was wrong, not the document.
- wrong passage, of the answer; outdated; unsafe: no judgement that a measure could use, as nobody has said what
  should have come instead. The question is kept, with its tag, for a person to complete.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from chatbot.conversations import Conversation, ConversationStore, Feedback, StoredTurn


def export_questions(store: ConversationStore) -> Iterator[dict[str, Any]]:
    """Yield one row of a question set for each judged answer, in the order of first judgement.

    Questions are masked already. An owner never appears; ids are the conversations' own, cut short.
    """
    for conversation, said in store.judged():
        for turn in conversation.turns:
            about = [entry for entry in said if entry.position == turn.position]
            if about:
                yield _row(conversation, turn, about)


def export_feedback(uri: str, out: Path) -> int:
    """Write the question set of a database to `out` and return how many questions it has.

    `out` is replaced at once or not at all.

    Raises:
        ValueError: there is no such database, it cannot be read, or there is no folder to write into.
    """
    if not out.parent.is_dir():
        raise ValueError(f"no folder {out.parent}: make it first, or choose another --out")
    store = ConversationStore(uri)
    if not store.exists():
        raise ValueError(f"no conversations in {uri}: the page makes the database at the first question")
    try:
        rows = list(export_questions(store))
    except SQLAlchemyError as error:
        raise ValueError(f"the conversations cannot be read: {getattr(error, 'orig', error)}") from error
    finally:
        store.close()
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=out.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        os.replace(name, out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(rows)


def _row(conversation: Conversation, turn: StoredTurn, said: Sequence[Feedback]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": f"feedback-{conversation.id[:12]}-{turn.position}",
        "question": turn.question,
        "history": _history(conversation, turn.position),
    }
    if relevant := _relevant(turn.reply, said):
        row["relevant"] = relevant
    if any(entry.kind == "helpful" and entry.citation is None for entry in said):
        row["expect"] = turn.reply["outcome"]
        # An emergency card may come without a quote, so its outcome says nothing of the corpus.
        if turn.reply["outcome"] in ("answer", "abstention"):
            row["answerable"] = turn.reply["outcome"] == "answer"
    row["standalone"] = turn.reply.get("standalone_question", "")
    row["tags"] = ["feedback", *sorted({entry.kind for entry in said})]
    row["comments"] = [
        {"kind": entry.kind, "citation": entry.citation, "comment": entry.comment} for entry in said if entry.comment
    ]
    row["index_version"] = turn.index_version
    return row


def _relevant(reply: Mapping[str, Any], said: Sequence[Feedback]) -> dict[str, int]:
    kinds = {entry.citation: entry.kind for entry in said}
    cited = [(passage["number"], passage["document_id"]) for passage in reply.get("passages", [])]
    grades: dict[str, int] = {}
    for number, document_id in cited:
        of_this = kinds.get(number)
        if of_this == "helpful" or (kinds.get(None) == "helpful" and of_this is None):
            grades[document_id] = 1
    for number, document_id in cited:
        uncontested = any(other == document_id and kinds.get(place) != "wrong_passage" for place, other in cited)
        if kinds.get(number) == "wrong_passage" and not uncontested:
            grades[document_id] = 0
    return grades


def _history(conversation: Conversation, position: int) -> list[dict[str, str]]:
    rows = []
    for turn in conversation.turns:
        if turn.position < position:
            rows.append({"role": "user", "content": turn.question})
            rows.append({"role": "assistant", "content": spoken(turn.reply)})
    return rows


def spoken(reply: Mapping[str, Any]) -> str:
    """Return what a reply said as one plain text, as a history holds it."""
    card = reply.get("emergency") or {}
    said = [card.get("title"), card.get("text"), reply.get("clarifying_question"), reply.get("reason")]
    said += [statement["text"] for statement in reply.get("statements", [])]
    return "\n".join(text for text in said if text)
