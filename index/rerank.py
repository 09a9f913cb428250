"""An optional second look: a cross-encoder reads the question with each of the best passages.

Is: off unless a model is named in a setting. Is not: needed; the shipped defaults do without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from index.search import Hit
from index.weights import ModelFiles, find_model

# How many of the fused ranking's best are read again; each costs a run of the model.
RERANKED = 30


class Reranker:
    """A sentence-transformers CrossEncoder, by folder or pinned hub name."""

    def __init__(self, name: str) -> None:
        """Find and check the model's files; it is loaded at the first question.

        Raises:
            ModelUnavailable: see `find_model`.
        """
        self._files: ModelFiles = find_model(name)
        self._model: Any = None

    @property
    def identity(self) -> str:
        """Return a hash of the model's weights."""
        return self._files.digest[:16]

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits with the best `RERANKED` in the model's order, ties and the rest in the order given.

        A reranked hit's score is its place's score of the given ranking, so that scores still fall and stay
        comparable with those of questions that were not reranked.
        """
        first, rest = list(hits[:RERANKED]), list(hits[RERANKED:])
        if len(first) < 2:
            return [*first, *rest]
        pairs = [(question, hit.passage.embedded_text) for hit in first]
        scores = [float(score) for score in self._open().predict(pairs, show_progress_bar=False)]
        order = sorted(range(len(first)), key=lambda place: (-scores[place], place))
        ranked = [replace(first[place], score=given.score) for place, given in zip(order, first, strict=True)]
        return [*ranked, *rest]

    def _open(self) -> Any:
        if self._model is None:
            from sentence_transformers import CrossEncoder

            self._model = CrossEncoder(
                str(self._files.folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        return self._model
