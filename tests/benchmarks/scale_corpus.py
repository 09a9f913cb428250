"""A corpus of any size with vectors ready made: real passages first, then recombinations of their sentences.

Is: what `scale.py` builds its indexes from. Is not: a corpus to judge relevance by; a recombined passage says nothing
that a person wrote in that order.

Real are the passages of medquad, pubmedqa and jats, and, up to `REAL_PASSAGES`, the halves of the longest of them, cut
at a sentence end; these are embedded by the default model. A recombined passage takes its sentences from two real
ones, about 7 of 10 words from the first, so that its words have the frequencies that words have in medical prose. Its
vector is the mean of the two by their shares of the words, moved by noise of a fixed length in a random direction,
and brought back to length 1.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.documents import Document
from corpus.load import load
from corpus.sentences import split_sentences
from index.embedding import Embedder, Part, Vectors
from index.passages import MAX_WORDS, cut

REAL_PASSAGES = 20_000
# Any two of so many words are longer than one passage may be, so that each paragraph becomes a passage.
_WORDS = (MAX_WORDS // 2 + 5, MAX_WORDS - 5)
_SENTENCE_WORDS = (4, 60)
# Passages in a recombined document, and how often; the mean, 1.7, is that of medquad.
_PASSAGES_PER_DOCUMENT = ((1, 0.5), (2, 0.3), (3, 0.2))
_SHARE_OF_FIRST = 0.7
# Length of the noise: the cosine of a recombined passage to the mean that it is made from is about .94.
_NOISE = 0.35
# The same for the units of a passage, from so many noises.
_UNIT_NOISE = 0.6
_NOISES = 4_096
# Vectors in one call of the model.
_BATCH = 256
# A file of JSON Lines holds so many documents: below the limit on one file's size.
_DOCUMENTS_PER_FILE = 50_000
_SOURCES = ("medquad/corpus.jsonl.gz", "pubmedqa/corpus.jsonl.gz", "jats")


@dataclass(frozen=True, slots=True)
class Piece:
    """A real passage, or half of one: what is embedded, and what is recombined."""

    embedded_text: str
    title: str
    question: str
    section: str
    sentences: tuple[str, ...]


def real_pieces(data: Path, count: int = REAL_PASSAGES) -> list[Piece]:
    """Return every real passage in the order of its sources, then halves of the longest, `count` in all."""
    whole: list[Piece] = []
    halves: list[tuple[int, Piece]] = []
    for entry in load([data / name for name in _SOURCES]):
        if not isinstance(entry, Document):
            continue
        for passage in cut(entry):
            sentences = _sentences(passage.text)
            section = passage.section[-1] if passage.section else ""
            whole.append(Piece(passage.embedded_text, passage.title, entry.question, section, sentences))
            middle = len(sentences) // 2
            for part in (sentences[:middle], sentences[middle:]) if middle else ():
                text = "\n".join(filter(None, (passage.title, section, " ".join(part))))
                halves.append((len(text), Piece(text, passage.title, entry.question, section, part)))
    # Longest first; the sort is stable, so that the choice is the same on every machine.
    halves.sort(key=lambda pair: -pair[0])
    return [*whole, *(piece for _, piece in halves)][:count]


def prepare(data: Path, folder: Path, embedder: Embedder) -> list[Piece]:
    """Return the real pieces; their vectors lie in `folder/real.npy`, made now where they do not fit."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = real_pieces(data)
    digest = hashlib.sha256("\0".join([embedder.identity, *(p.embedded_text for p in pieces)]).encode()).hexdigest()
    stamp = folder / "real.sha256"
    if stamp.exists() and stamp.read_text() == digest:
        return pieces
    rows = []
    for start in range(0, len(pieces), _BATCH):
        rows.append(embedder.embed([piece.embedded_text for piece in pieces[start : start + _BATCH]]))
        print(f"\rembedding {start + len(rows[-1])} of {len(pieces)}", end="", flush=True)
    print()
    np.save(folder / "real.npy", np.concatenate(rows))
    stamp.write_text(digest)
    return pieces


def write_corpus(data: Path, folder: Path, pieces: Sequence[Piece], passages: int) -> list[Path]:
    """Write sources that hold `passages` passages, give or take a few, and what their vectors are made from.

    Below the number of real passages they are the first real documents; above, all of them and recombined ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = _write_real(data, folder / "real.jsonl", passages)
    known = _Known()
    number = 0
    while written < passages:
        with (folder / f"recombined-{number:03d}.jsonl").open("w", encoding="utf-8") as file:
            for place in range(_DOCUMENTS_PER_FILE):
                if written >= passages:
                    break
                name = number * _DOCUMENTS_PER_FILE + place
                record, recipes = _recombined(name, pieces, passages - written)
                known.add(recipes)
                written += len(recipes)
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        number += 1
    known.save(folder.with_name(folder.name + "-recipes.npz"))
    return [folder]


def _write_real(data: Path, path: Path, passages: int) -> int:
    """Write real documents as JSON Lines until they hold `passages`; return how many they hold."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for name in _SOURCES[:2]:
            with gzip.open(data / name, "rt", encoding="utf-8") as lines:
                records = {record["_id"]: line for line in lines for record in [json.loads(line)]}
            for entry in load([data / name]):
                if written >= passages:
                    break
                if isinstance(entry, Document):
                    file.write(records[entry.id])
                    written += sum(1 for _ in cut(entry))
    return written


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What the vector of one recombined passage is made from; `name` is the hash of its text."""

    name: int
    first: int
    second: int
    share: float


def _recombined(number: int, pieces: Sequence[Piece], room: int) -> tuple[dict[str, object], list[_Recipe]]:
    random = np.random.default_rng(number)
    counts, chances = zip(*_PASSAGES_PER_DOCUMENT, strict=True)
    count = min(room, int(random.choice(counts, p=chances)))
    first = int(random.integers(len(pieces)))
    paragraphs, recipes = [], []
    for _ in range(count):
        second = int(random.integers(len(pieces)))
        text, share = _paragraph(random, pieces[first], pieces[second], pieces)
        paragraphs.append(text)
        recipes.append(_Recipe(text_hash(text), first, second, share))
    other = pieces[second]
    title = _halves(pieces[first].title, other.title)
    record = {
        "_id": f"recombined-{number}",
        "title": title,
        "text": "\n\n".join(paragraphs),
        "metadata": {
            "question": _halves(pieces[first].question, other.question),
            "section": pieces[first].section,
            "year": int(random.integers(1995, 2026)),
            "kind": "research" if not pieces[first].title else "guideline",
        },
    }
    return record, recipes


def _paragraph(random: np.random.Generator, first: Piece, second: Piece, pieces: Sequence[Piece]) -> tuple[str, float]:
    """Return sentences of both pieces in a new order, in the bounds of `_WORDS`, and the first one's share."""
    target = int(random.integers(*_WORDS))
    ours, theirs = _shuffled(random, first.sentences), _shuffled(random, second.sentences)
    chosen: list[str] = []
    words = of_first = 0
    while words < target:
        if not ours and not theirs:
            # Both are used up: the words of a third fill the paragraph, its vector does not count.
            theirs = _shuffled(random, pieces[int(random.integers(len(pieces)))].sentences)
            continue
        from_first = bool(ours) and (not theirs or random.random() < _SHARE_OF_FIRST)
        sentence = ours.pop() if from_first else theirs.pop()
        size = len(sentence.split())
        if words + size > _WORDS[1]:
            # No sentence has more than `_SENTENCE_WORDS`, so that by now the paragraph is long enough.
            break
        chosen.append(sentence)
        words += size
        of_first += size * from_first
    return " ".join(chosen), of_first / words


def _shuffled(random: np.random.Generator, sentences: Sequence[str]) -> list[str]:
    return [sentences[place] for place in random.permutation(len(sentences))]


def _halves(ours: str, theirs: str) -> str:
    """Return the first half of one text's words before the second half of the other's."""
    left, right = ours.split(), theirs.split()
    return " ".join([*left[: (len(left) + 1) // 2], *right[len(right) // 2 :]])


def _sentences(text: str) -> tuple[str, ...]:
    # Whole sentences of plain prose: what looks like a list would be cut at its items.
    found = (" ".join(text[start:end].split()) for start, end in split_sentences(text))
    return tuple(
        s
        for s in found
        if _SENTENCE_WORDS[0] <= len(s.split()) <= _SENTENCE_WORDS[1] and " - " not in s and s[-1:] in ".?!"
    )


def text_hash(text: str) -> int:
    """Return the 64-bit content hash under which a recombined text is known."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class _Known:
    def __init__(self) -> None:
        self._recipes: list[_Recipe] = []

    def add(self, recipes: Sequence[_Recipe]) -> None:
        self._recipes += recipes

    def save(self, path: Path) -> None:
        recipes = sorted(self._recipes, key=lambda recipe: recipe.name)
        np.savez(
            path,
            name=np.array([recipe.name for recipe in recipes], np.uint64),
            first=np.array([recipe.first for recipe in recipes], np.int32),
            second=np.array([recipe.second for recipe in recipes], np.int32),
            share=np.array([recipe.share for recipe in recipes], np.float32),
        )


class PreparedEmbedder:
    """Hands out the prepared vectors.

    A text that was not foreseen (one or two in a hundred of the recombined ones are cut in another place) gets the
    vector of a real one that its hash names, moved by noise like the rest; `made` counts them.
    """

    def __init__(self, model: Embedder, pieces: Sequence[Piece], real: Vectors, recipes: Path) -> None:
        self._model = model
        self._real = real
        self._places = {text_hash(piece.embedded_text): place for place, piece in enumerate(pieces)}
        self._recipes = {name: values for name, values in np.load(recipes).items()}
        noise = np.random.default_rng(0).standard_normal((_NOISES, model.dimension)).astype(np.float32)
        self._noises = noise * np.float32(_UNIT_NOISE) / np.linalg.norm(noise, axis=1, keepdims=True)
        self.made = 0

    @property
    def identity(self) -> str:
        return self._model.identity

    @property
    def dimension(self) -> int:
        return self._model.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._prepared(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def embed_parts(self, texts: Sequence[str], parts: Sequence[Sequence[Part]]) -> tuple[Vectors, list[Vectors]]:
        """Return the vectors, and for each unit its passage's vector moved by one of a few thousand noises."""
        made = self.embed(texts)
        units = []
        for text, vector, spans in zip(texts, made, parts, strict=True):
            first = text_hash(text) % (_NOISES - len(spans)) if len(spans) < _NOISES else 0
            moved = vector + self._noises[first : first + len(spans)]
            units.append(moved / np.linalg.norm(moved, axis=1, keepdims=True))
        return made, units

    def _prepared(self, text: str) -> Vectors:
        if (place := self._places.get(text_hash(text))) is not None:
            found: Vectors = self._real[place]
            return found
        name = text_hash(text.rpartition("\n")[2])
        names = self._recipes["name"]
        at = int(np.searchsorted(names, np.uint64(name)))
        if at == len(names) or int(names[at]) != name:
            self.made += 1
            mixed = self._real[name % len(self._real)]
        else:
            share = float(self._recipes["share"][at])
            first, second = self._real[self._recipes["first"][at]], self._real[self._recipes["second"][at]]
            mixed = share * first + (1 - share) * second
        mixed = mixed / np.linalg.norm(mixed)
        noise = np.random.default_rng(name).standard_normal(self.dimension).astype(np.float32)
        mixed = mixed + noise * np.float32(_NOISE / np.linalg.norm(noise))
        vector: Vectors = (mixed / np.linalg.norm(mixed)).astype(np.float32)
        return vector


def questions(data: Path, count: int) -> Iterator[str]:
    """Yield `count` first questions of the medquad conversations, spread over all of them."""
    with (data / "medquad/conversations.jsonl").open(encoding="utf-8") as file:
        first = [row["question"] for row in map(json.loads, file) if not row["history"]]
    for place in np.linspace(0, len(first) - 1, count).astype(int):
        yield first[place]
