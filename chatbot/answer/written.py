"""Reads what a language model wrote: statements with citations out of JSON, of broken JSON, or of plain lines.

Is: tolerant, incremental and bounded. Is not: trusting; whatever it reads goes through the gate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chatbot.answer.verify import Draft
from corpus.sentences import split_sentences

# More than this is a stream that does not end, not an answer.
MAX_WRITTEN_CHARS = 20_000
# Statements beyond these are not read.
MAX_DRAFTS = 16
# What a model is asked to keep to; servers that hold a model to the schema then end what would not end.
_ASKED_CHARS, _ASKED_CITATIONS, _ASKED_STATEMENTS = 300, 4, 8
_TEXT_KEYS = ("text", "statement", "sentence", "claim", "content")
_CITATION_KEYS = ("citations", "citation", "cites", "sources", "source", "passages", "passage", "references")
_MARK = re.compile(r"\[(?:\s*(?:passage\s*)?\d+\s*[,;]?)+\]", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


class WrittenStatement(BaseModel):
    """One short sentence and the numbers of the passages that say it."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=_ASKED_CHARS, description="One sentence, close to the words of the passage.")
    citations: list[int] = Field(max_length=_ASKED_CITATIONS, description="Numbers of the passages that say it.")


class WrittenAnswer(BaseModel):
    """The statements of an answer, the most useful first."""

    model_config = ConfigDict(extra="forbid")
    statements: list[WrittenStatement] = Field(max_length=_ASKED_STATEMENTS)


class WrittenQuestion(BaseModel):
    """A question that stands alone."""

    model_config = ConfigDict(extra="forbid")
    question: str


class WrittenQuestions(BaseModel):
    """Questions to go on with."""

    model_config = ConfigDict(extra="forbid")
    questions: list[str]


class DraftScanner:
    """Takes text as it arrives and returns each statement once its JSON object is closed."""

    def __init__(self) -> None:
        self.text = ""
        self._at = 0
        self._open: list[int] = []
        self._in_string = self._escaped = False
        self._count = 0

    @property
    def overflowed(self) -> bool:
        """Say whether more was written than any answer needs."""
        return len(self.text) > MAX_WRITTEN_CHARS

    def feed(self, chunk: str) -> Iterator[Draft]:
        """Yield the statements that this chunk completes."""
        self.text += chunk[: MAX_WRITTEN_CHARS + 1 - len(self.text)]
        while self._at < len(self.text):
            char = self.text[self._at]
            self._at += 1
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif char == "\\":
                    self._escaped = True
                elif char == '"':
                    self._in_string = False
            elif char == '"' and self._open:
                self._in_string = True
            elif char == "{":
                self._open.append(self._at - 1)
            elif char == "}" and self._open:
                for draft in _as_drafts(self.text[self._open.pop() : self._at]):
                    if self._count < MAX_DRAFTS:
                        self._count += 1
                        yield draft

    def finish(self) -> Iterator[Draft]:
        """Yield what can be read of a text that holds no JSON: its lines that carry a citation mark."""
        if self._count:
            return
        for line in self.text.splitlines():
            if line.lstrip().startswith(("{", "[", '"')):
                continue  # broken JSON is not prose
            numbers = tuple(int(n) for mark in _MARK.findall(line) for n in re.findall(r"\d+", mark))
            text = _BULLET.sub("", _MARK.sub("", line)).strip()
            text = re.sub(r"\s+([.!?])", r"\1", text)
            if numbers and text and self._count < MAX_DRAFTS:
                self._count += 1
                yield Draft(text, numbers)


def find_object(text: str) -> dict[str, Any]:
    """Return the first JSON object in a text, {} if it holds none."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", text[:MAX_WRITTEN_CHARS]):
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _as_drafts(written: str) -> tuple[Draft, ...]:
    """Return the statements of one JSON object: its sentences, each with all that it cites."""
    try:
        found = json.loads(written, strict=False)
    except (json.JSONDecodeError, RecursionError):
        return ()
    if not isinstance(found, dict):
        return ()
    text = next((found[key] for key in _TEXT_KEYS if isinstance(found.get(key), str)), "")
    cited: object = next((found[key] for key in _CITATION_KEYS if key in found), [])
    numbers = _numbers(cited) + tuple(int(n) for mark in _MARK.findall(text) for n in re.findall(r"\d+", mark))
    text = re.sub(r"\s+([.!?])", r"\1", _MARK.sub("", text)).strip()
    # One statement is one sentence: of a paragraph each sentence stands or falls alone. A list number is none of its words.
    sentences = (_BULLET.sub("", text[start:end]).strip() for start, end in split_sentences(text))
    return tuple(Draft(sentence, tuple(dict.fromkeys(numbers))) for sentence in sentences if sentence)


def _numbers(cited: object) -> tuple[int, ...]:
    if isinstance(cited, bool) or cited is None:
        return ()
    if isinstance(cited, int):
        return (cited,)
    if isinstance(cited, str):
        return tuple(int(n) for n in re.findall(r"\b\d{1,4}\b", cited))
    if isinstance(cited, list):
        return tuple(number for part in cited[:20] for number in _numbers(part))
    return ()
