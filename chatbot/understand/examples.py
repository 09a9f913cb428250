"""Finds the reviewed example messages that a message is nearest to in meaning.

Is: exact nearest neighbours by cosine among the case files of tests/safety, whose vectors ship beside this module
(`warning_examples.npz`, made by tests/benchmarks/fit_warning_words.py); the example that decided can be named.
Is not: a rule, and no part of the rules: it may add a card where they and the word points show none (see
`word_score.py`), and where the embedder is another one or fails, it says nothing.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder

_FILE = "warning_examples.npz"
# What an example is of; an example of self-harm is an emergency, too.
ORDINARY, EMERGENCY, SELF_HARM = 0, 1, 2
_log = logging.getLogger(__name__)


class Nearness(NamedTuple):
    """The cosine (-1 to 1) to the nearest example of each kind, and that example's words."""

    ordinary: float
    emergency: float
    self_harm: float
    nearest_ordinary: str
    nearest_emergency: str

    @property
    def speaks_of_self_harm(self) -> bool:
        """Say whether the nearest emergency is one of self-harm."""
        return self.self_harm >= self.emergency


@dataclass(frozen=True, slots=True)
class Examples:
    """Example messages with their vectors, of shape (n, dimension) and length 1, and their kinds, of shape (n,)."""

    identity: str
    vectors: NDArray[np.float32]
    kinds: NDArray[np.int8]
    texts: tuple[str, ...]

    def nearness(self, vector: NDArray[np.float32]) -> Nearness:
        """Return how near a message's vector, of shape (dimension,) and length 1, is to each kind."""
        cosines = self.vectors @ vector
        ordinary = int(np.argmax(np.where(self.kinds == ORDINARY, cosines, -np.inf)))
        emergency = int(np.argmax(np.where(self.kinds != ORDINARY, cosines, -np.inf)))
        return Nearness(
            float(cosines[ordinary]),
            float(cosines[emergency]),
            float(np.max(cosines[self.kinds == SELF_HARM])),
            self.texts[ordinary],
            self.texts[emergency],
        )


@cache
def load_examples() -> Examples | None:
    """Return the shipped examples, or None if they cannot be read."""
    with resources.as_file(resources.files("chatbot.understand").joinpath(_FILE)) as path:
        try:
            return read_examples(path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            _log.warning("no examples of emergencies: %s cannot be read (%s); reinstall the program", _FILE, error)
            return None


class NearestExamples:
    """The shipped examples with the embedder that made their vectors; read when first needed: few messages need them."""

    def __init__(self, embedder: Embedder, read: Callable[[], Examples | None] = load_examples) -> None:
        self._embedder = embedder
        self._read = read

    def nearness(self, text: str) -> Nearness | None:
        """Return how near a message is to the examples.

        None where they cannot be read, another embedder made their vectors, or this one fails.
        """
        examples = self._read()
        if examples is None or examples.identity != self._embedder.identity:
            return None
        try:
            vector = self._embedder.embed([text])[0]
        except Exception as error:
            # Whatever ails the embedder: the rules have spoken without it, and it must not take their word away.
            _log.warning("no example was compared: the embedder failed (%s)", type(error).__name__)
            return None
        return examples.nearness(vector)


def read_examples(path: Path) -> Examples:
    """Read a file that `write_examples` wrote.

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: it is missing or malformed.
    """
    with np.load(path, allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(np.float32)
        kinds = stored["kinds"]
        texts = tuple(stored["texts"].tobytes().decode("utf-8").split("\n"))
        identity = stored["identity"].tobytes().decode("utf-8")
    if vectors.ndim != 2 or not len(vectors) == len(kinds) == len(texts):
        raise ValueError(f"{len(texts)} texts, {len(kinds)} kinds and vectors of shape {vectors.shape} do not fit")
    if set(np.unique(kinds)) != {ORDINARY, EMERGENCY, SELF_HARM}:
        raise ValueError("it must hold examples of every kind")
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
    return Examples(identity, vectors, kinds, texts)


def write_examples(
    path: Path, identity: str, vectors: NDArray[np.float32], kinds: Sequence[int], texts: Sequence[str]
) -> None:
    """Write examples with their vectors, of shape (n, dimension), as 8-bit numbers scaled row by row."""
    scaled = np.round(127 * vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9))
    plain = "\n".join(" ".join(text.split()) for text in texts)
    with path.open("wb") as file:
        np.savez(
            file,
            vectors=scaled.astype(np.int8),
            kinds=np.array(kinds, dtype=np.int8),
            texts=np.frombuffer(plain.encode("utf-8"), dtype=np.uint8),
            identity=np.frombuffer(identity.encode("utf-8"), dtype=np.uint8),
        )
