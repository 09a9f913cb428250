"""Weighs a message against the reviewed examples: of emergencies, self-harm, unfit requests, and questions with a claim.

Is: a kernel machine (Cortes & Vapnik 1995, Machine Learning 20:273-97) whose support vectors are messages of the case
files in tests/safety, each with its weight (`warning_examples.npz`, made by
tests/benchmarks/fit_examples.py). What counts is likeness in meaning, by the cosine of the sentence encoder, and in
wording, by words and pairs of words. The same message gives the same scores. Is not: a rule, and no part of the rules:
it adds a card, a refusal or a notice where they show none, and takes away nothing but the general card that points
alone raised. Where the embedder is another one or fails, it says nothing.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder

_FILE = "warning_examples.npz"
TASKS = ("emergency", "self_harm", "unfit", "premise")
# Kinds of unfit requests (see `unfit.py`). One machine knows each of them; what the best of them gives adds to the task's.
KINDS = ("self_harm_dose", "harm_others", "lethal_dose", "falsify", "drug_misuse")
_MACHINES = (*TASKS, *KINDS)
# exp(-GAMMA * |a - b|²) of two vectors of length 1.
GAMMA = 1.0
_WORD = re.compile(r"[\w']+")
# A longer message is a pasted page; its first part is compared.
_LIMIT_CHARS = 2_000
# The encoder reads 256 tokens; so much text has fewer.
_READ_WHOLE_CHARS = 800
# Scores of messages that stay known: those of a conversation's earlier turns.
_KNOWN = 1_024
# What reading a cut or changed archive raises.
DAMAGED = (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
_log = logging.getLogger(__name__)


class Scores(NamedTuple):
    """How far a message is beyond the threshold of each of `TASKS`; below 0 the task does not hold.

    That of an emergency counts together with the points of the message (see `word_score.py`). `kind` is what a request
    would be of if it is unfit. `is_ordinary` says that a message, read to its end, is far from emergencies and from
    self-harm both (see `ORDINARY` in tests/benchmarks/fit_examples.py for how many of those are).
    """

    emergency: float
    self_harm: float
    unfit: float
    premise: float
    kind: str
    is_ordinary: bool


def word_terms(text: str) -> Counter[str]:
    """Return the words and pairs of neighbouring words of a text, in lower case, with how often each occurs.

    Example:
        >>> sorted(word_terms("No pain, no gain"))
        ['gain', 'no', 'no gain', 'no pain', 'pain', 'pain no']
    """
    words = _WORD.findall(text[:_LIMIT_CHARS].lower().replace("’", "'"))
    return Counter([*words, *(f"{first} {second}" for first, second in pairwise(words))])


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples and what each counts for each machine: those of `TASKS`, then those of `KINDS`.

    `vectors` (n, dimension) have length 1; `weights` is (n, machines): above 0 speaks for what the machine knows. `terms`
    names the rows of `term_weights` (m, 1 + machines): the inverse document frequency, then what the term counts for
    each machine. `bases` (machines,) are added to the sums; those of tasks hold the threshold, too. A message whose
    margins of emergency and self-harm are both below `ordinary` (2,) is an ordinary one.
    """

    identity: str
    vectors: NDArray[np.float32]
    weights: NDArray[np.float32]
    terms: Mapping[str, int]
    term_weights: NDArray[np.float32]
    bases: NDArray[np.float32]
    ordinary: NDArray[np.float32]

    def scores(self, text: str, vector: NDArray[np.float32]) -> Scores:
        """Return the scores of a message and its vector, of shape (dimension,) and length 1."""
        likeness = np.exp(np.float32(2 * GAMMA) * (self.vectors @ vector - np.float32(1)))
        sums = likeness @ self.weights + self._wording(text) + self.bases
        kinds = sums[len(TASKS) :]
        sums[TASKS.index("unfit")] += kinds.max()
        emergency, self_harm, unfit, premise = sums[: len(TASKS)].tolist()
        is_far = emergency < self.ordinary[0] and self_harm < self.ordinary[1]
        kind = KINDS[int(kinds.argmax())]
        return Scores(emergency, self_harm, unfit, premise, kind, bool(is_far) and len(text) <= _READ_WHOLE_CHARS)

    def _wording(self, text: str) -> NDArray[np.float32]:
        found = {
            place: count for term, count in word_terms(text).items() if (place := self.terms.get(term)) is not None
        }
        if not found:
            return np.zeros(len(_MACHINES), np.float32)
        rows = self.term_weights[list(found)]
        strength = rows[:, 0] * np.array([1 + math.log(count) for count in found.values()], np.float32)
        unit: NDArray[np.float32] = (strength / np.linalg.norm(strength)) @ rows[:, 1:]
        return unit


@cache
def load_examples() -> Examples | None:
    """Return the shipped examples, or None if they cannot be read."""
    with resources.as_file(resources.files("chatbot.understand").joinpath(_FILE)) as path:
        try:
            return read_examples(path)
        except DAMAGED as error:
            _log.warning(
                "no message is weighed by examples: %s cannot be read (%s); reinstall the program", _FILE, error
            )
            return None


class WeighedExamples:
    """The shipped examples with the embedder that made their vectors; both are opened when first needed."""

    def __init__(self, embedder: Embedder, read: Callable[[], Examples | None] = load_examples) -> None:
        self._embedder = embedder
        self._read = read
        # By a hash of the message: what a user wrote is not kept.
        self._known: dict[bytes, Scores] = {}
        self._writing = Lock()

    def scores(self, text: str) -> Scores | None:
        """Return the scores of a message.

        None where the examples cannot be read, another embedder made their vectors, or this one fails.
        """
        examples = self._read()
        if examples is None or examples.identity != self._embedder.identity:
            return None
        text = text[:_LIMIT_CHARS]
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if (known := self._known.get(key)) is not None:
            return known
        try:
            vector = self._embedder.embed([text])[0]
        except Exception as error:
            # Whatever ails the embedder: the rules have spoken without it, and it must not take their word away.
            _log.warning("no example was compared: the embedder failed (%s)", type(error).__name__)
            return None
        found = examples.scores(text, vector)
        with self._writing:
            while len(self._known) >= _KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found


def read_examples(path: Path) -> Examples:
    """Read a file that `write_examples` wrote.

    Raises:
        one of `DAMAGED`: it is missing or malformed.
    """
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        scaled = stored["vectors"].astype(np.float32)
        weights, term_weights, bases, ordinary = (
            stored[name].astype(np.float32) for name in ("weights", "term_weights", "bases", "ordinary")
        )
        identity, terms = (stored[name].tobytes().decode("utf-8").split("\n") for name in ("identity", "terms"))
    machines = len(_MACHINES)
    fits = (
        scaled.ndim == 2
        and weights.shape == (len(scaled), machines)
        and term_weights.shape == (len(terms), 1 + machines)
        and bases.shape == (machines,)
        and ordinary.shape == (2,)
    )
    if not fits:
        raise ValueError(
            f"{len(terms)} terms, vectors of shape {scaled.shape} and weights of {weights.shape} do not fit"
        )
    vectors = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), np.float32(1e-9))
    places = {term: place for place, term in enumerate(terms)}
    return Examples(identity[0], vectors, weights, places, term_weights, bases, ordinary)


def write_examples(path: Path, examples: Examples) -> None:
    """Write examples; the numbers of a vector as 8-bit ones scaled row by row, the weights in half precision."""
    scaled = np.round(127 * examples.vectors / np.maximum(np.abs(examples.vectors).max(axis=1, keepdims=True), 1e-9))

    def lines(values: Iterable[str]) -> NDArray[np.uint8]:
        return np.frombuffer("\n".join(values).encode("utf-8"), dtype=np.uint8)

    with path.open("wb") as file:
        np.savez(
            file,
            identity=lines([examples.identity]),
            terms=lines(sorted(examples.terms, key=examples.terms.__getitem__)),
            vectors=scaled.astype(np.int8),
            weights=examples.weights.astype(np.float16),
            term_weights=examples.term_weights.astype(np.float16),
            bases=examples.bases,
            ordinary=examples.ordinary,
        )
