"""Masks personal data in what is stored of a reply, or sent to a language model.

Is: what happens to the copies of a question. Is not: the recogniser (see `understand/privacy.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from chatbot.understand.privacy import find_personal_data, mask

# Fields of a reply that hold the user's own words, or words made from them. All others hold words of the corpus,
# which must stay to the letter, or ours, among them the telephone numbers of emergency services.
_USER_FIELDS = ("question", "standalone_question", "clarifying_question", "choices", "reason", "understood")


def masker(*messages: str) -> Callable[[str], str]:
    """Return a function that masks personal data in a text, and whatever `messages` gave away, wherever it stands.

    A question that was rewritten may have lost the "Mrs" that a recogniser needs.

    Example:
        >>> masker("Mrs Pemberton has cramps")("What helps Pemberton?")
        'What helps [name]?'
    """
    said: dict[str, str] = {}
    for message in messages:
        for found in find_personal_data(message):
            text = message[found.start : found.end].casefold()
            # A full name comes back in parts, e.g. in "the articles say nothing about “Jane”, “Smith”".
            parts = re.findall(r"[^\s\d,.;()]{2,}", text) if found.kind == "name" else ()
            said |= dict.fromkeys((text, *parts), f"[{found.kind}]")
    if not said:
        return mask
    literal = re.compile(
        "|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(said, key=len, reverse=True)), re.IGNORECASE
    )
    return lambda text: mask(literal.sub(lambda match: said.get(match[0].casefold(), "[personal data]"), text))


def masked_reply(question: str, reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reply object with the personal data of its question masked wherever it was copied.

    Quotes stay to the letter.
    """
    masked = masker(question)

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            return masked(value)
        if isinstance(value, Mapping):
            return {key: hide(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [hide(entry) for entry in value]
        return value

    return {key: hide(value) if key in _USER_FIELDS else value for key, value in reply.items()}


def storable(text: str) -> str:
    """Return `text` without what databases refuse: half surrogate pairs and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
