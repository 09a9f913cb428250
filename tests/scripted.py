"""A language model that says what a test gives it, and passages made of plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel

from chatbot.answer.compose import cite
from chatbot.answer.generate import Generator, SourcePassage, as_source
from chatbot.answer.llm import ChatModel, Chunk
from chatbot.answer.prompts import Prompt
from chatbot.replies import CitedPassage, Statement
from corpus.builder import DocumentBuilder
from index.embedding import Vectors
from index.passages import cut

Extractive = tuple[tuple[Statement, ...], tuple[CitedPassage, ...]]


class ScriptedModel:
    """Says each enqueued text once, an exception by raising it; remembers what it was asked."""

    name = "scripted:model"
    host = "model.example"

    def __init__(self, *texts: str | Exception | Callable[[], Iterator[str]]) -> None:
        self.queue = list(texts)
        self.asked: list[Prompt] = []

    def write(self, prompt: Prompt, schema: type[BaseModel], *, stream: bool) -> Iterator[Chunk]:
        self.asked.append(prompt)
        said = self.queue.pop(0)
        if isinstance(said, Exception):
            raise said
        if callable(said):
            yield from (Chunk(piece) for piece in said())
        elif stream:
            # Three characters at a time, so that every boundary is met.
            yield from (Chunk(said[at : at + 3]) for at in range(0, len(said), 3))
        else:
            yield Chunk(said)


class AlikeVectors:
    """Finds every two texts alike, so that the rules alone decide."""

    def of(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        return np.ones((len(texts), 1), dtype=np.float32)


def answer_json(*statements: tuple[str, list[int]]) -> str:
    """Return what a well-behaved model writes."""
    return json.dumps({"statements": [{"text": text, "citations": cited} for text, cited in statements]})


def sources_of(*texts: str, title: str = "Cramps") -> tuple[SourcePassage, ...]:
    """Return one passage for each text."""
    found = []
    for number, text in enumerate(texts, 1):
        builder = DocumentBuilder()
        builder.paragraph(text)
        document = builder.build(id=f"document-{number}", title=title)
        found.append(as_source(number, next(iter(cut(document))), document))
    return tuple(found)


def quotes_of(sources: Sequence[SourcePassage]) -> Extractive:
    """Return the extractive twin: the first sentence of the first passage that has one, cited."""
    source = next(source for source in sources if source.source.units)
    unit = source.units[0]
    text = source.document.text[unit.start : unit.end]
    quote = Statement(text, (1,), source.passage.section, unit.start, unit.end)
    return (quote,), (cite(1, source.passage, source.document, [unit]),)


def generator(model: ChatModel, *, timeout_seconds: float = 5.0, retries: int = 0) -> Generator:
    """Return a generator that needs no embedding model."""
    return Generator(model, AlikeVectors(), timeout_seconds=timeout_seconds, retries=retries)  # type: ignore[arg-type]
