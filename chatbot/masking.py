"""Masks personal data in a reply object before it is stored.

Is: what happens to the copies of a question inside its reply. Is not: the recogniser (see `understand/privacy.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatbot.understand.privacy import find_personal_data, mask

# Fields of a reply that hold the user's own words, or words made from them. All others hold words of the corpus,
# which must stay to the letter, or ours, among them the telephone numbers of emergency services.
_USER_FIELDS = ("question", "standalone_question", "clarifying_question", "choices", "reason", "understood")


def masked_reply(question: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reply object with the personal data of its question masked wherever it was copied.

    Quotes stay to the letter.
    """
    said: dict[str, str] = {}
    for found in find_personal_data(question):
        text = question[found.start : found.end].casefold()
        # A full name comes back in parts, e.g. in "the articles say nothing about “Jane”, “Smith”".
        parts = re.findall(r"[^\W\d_]{2,}", text) if found.kind == "name" else ()
        said |= dict.fromkeys((text, *parts), f"[{found.kind}]")
    literal = re.compile(
        "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(said, key=len, reverse=True)), re.IGNORECASE
    )

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            # First the very words that the question gave away: a rewritten question may have lost the "Mrs"
            # that a recogniser needs.
            text = literal.sub(lambda match: said.get(match[0].casefold(), "[personal data]"), value) if said else value
            return mask(text)
        if isinstance(value, Mapping):
            return {key: hide(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [hide(entry) for entry in value]
        return value

    return {key: hide(value) if key in _USER_FIELDS else value for key, value in reply.items()}


def storable(text: str) -> str:
    """Return `text` without what databases refuse: half surrogate pairs and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
