"""Masks personal data in a reply object before it is stored.

Is: what happens to the copies of a question inside its reply. Is not: the recogniser (see `understand/privacy.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatbot.understand.privacy import find_personal_data, mask

# Fields of a reply that hold the user's own words, or words made from them.
_USER_FIELDS = ("question", "standalone_question", "clarifying_question", "choices", "reason", "understood")
# Fields that hold the corpus's words: verbatim, or they would be no quotes.
_CORPUS_FIELDS = ("statements", "passages", "also_retrieved", "related_questions")


def masked_reply(question: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reply object with the personal data of its question masked wherever it was copied.

    What the corpus says stays to the letter, or it would be no quote.
    """
    said = {question[found.start : found.end].casefold(): f"[{found.kind}]" for found in find_personal_data(question)}
    literal = re.compile(
        "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(said, key=len, reverse=True)), re.IGNORECASE
    )

    def hide(value: Any, recognise: bool) -> Any:
        if isinstance(value, str):
            # First the very words that the question gave away: a rewritten question may have lost the "Mrs"
            # that a recogniser needs.
            text = literal.sub(lambda match: said.get(match[0].casefold(), "[personal data]"), value) if said else value
            return mask(text) if recognise else text
        if isinstance(value, Mapping):
            return {key: hide(entry, recognise) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [hide(entry, recognise) for entry in value]
        return value

    return {
        key: value if key in _CORPUS_FIELDS else hide(value, recognise=key in _USER_FIELDS)
        for key, value in reply.items()
    }


def storable(text: str) -> str:
    """Return `text` without what databases refuse: half surrogate pairs and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
