"""An index that is open for reading: the passages, both searches, and what was learnt at build time.

Is: where a query meets the files of one generation. Is not: a writer, nor a ranking (see `search.py`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder, Vectors, available_cores
from index.intents import intent_bits, intents_digest, section_intents
from index.lexical import content_terms
from index.manifest import (
    IndexUnavailable,
    check_fits,
    check_sizes,
    current_generation,
    current_name,
    read_manifest,
)
from index.records import DamagedIndex, Records
from index.rows import read_rows
from index.search import LEXICAL_DEPTH, Hit, Query, Ranked, fuse, lexical_hits
from index.stores import LOCAL, open_store
from index.titles import Titles
from index.unit_vectors import StoredUnitVectors
from index.vectors import CHROMA_FOLDER, EXACT_LIMIT, SIGNS_LIMIT, StoreFault

# How many neighbours the store is asked for when the collection is too large to be scanned.
_NEAREST_DEPTH = 400
# A filter leaves fewer of the lexical list; so deep is it followed at most.
_LEXICAL_DEEPEST = 3_000
# Scores that agree so far are ties: what is left is noise of the arithmetic.
_EQUAL_DIGITS = 4
# Which kind of document stands first among equals; never more than that.
_EVIDENCE = ("guideline", "review", "patient-information", "research")
# One passage that speaks of both is enough.
_TOGETHER_DEPTH = 1
# How often the newest generation is opened anew when a build replaces it meanwhile.
_OPEN_ATTEMPTS = 5


class OpenIndex:
    """One generation, open. Safe to share between threads; `is_current` tells when to open the next one."""

    def __init__(self, root: Path, embedder: Embedder, store: str = LOCAL) -> None:
        """Open what is current in `root`, its vectors and words in the store that `store` names.

        Raises:
            IndexUnavailable: there is none, it was built by another model or layout, or its store does not answer.
            DamagedIndex: a file is missing, cut or unreadable.
        """
        self.root = root
        self.embedder = embedder
        self._uri = store
        # Where an index is large, words are looked up while vectors are: each takes milliseconds, and holds no lock.
        self._beside = ThreadPoolExecutor(available_cores(), thread_name_prefix="words")
        for _ in range(_OPEN_ATTEMPTS):
            generation = current_generation(root)
            try:
                self._open(generation)
                return
            except (DamagedIndex, IndexUnavailable):
                # Two builds may have ended since the name was read; then the folder is rightly gone.
                if current_name(root) == generation.name:
                    raise
        raise IndexUnavailable(f"the index in {root} is replaced again and again: try later")

    def _open(self, generation: Path) -> None:
        self.generation = generation
        self.manifest = manifest = read_manifest(generation)
        check_fits(manifest, self.root, self.embedder.identity)
        check_sizes(manifest, generation, may_grow=CHROMA_FOLDER if manifest.passages > SIGNS_LIMIT else "")
        try:
            self.records = Records(generation / "records.sqlite")
            self.store = open_store(
                self._uri, generation, manifest, self.records, is_large=manifest.passages > EXACT_LIMIT
            )
            self.abbreviations: dict[str, str] = json.loads((generation / "abbreviations.json").read_text("utf-8"))
            self.titles = Titles(generation / "titles.sqlite")
            self._rows = read_rows(generation, manifest.passages)
            self._intents = self._section_intents()
            self._units = StoredUnitVectors(generation, manifest.passages, manifest.dimension)
            fits = len(self.store) == manifest.passages
        except (sqlite3.Error, OSError, ValueError, StoreFault) as error:
            raise DamagedIndex(f"{generation} cannot be opened ({error})") from error
        if not fits:
            raise DamagedIndex(f"{generation} holds parts of different builds")

    def _section_intents(self) -> NDArray[np.uint16]:
        """Return what each row's section offers, read anew if this program reads headings by other words."""
        if self.manifest.intents == intents_digest():
            return np.ascontiguousarray(self._rows["intents"])
        read = (intent_bits(section_intents(*row)) for row in self.records.sections_and_questions())
        return np.fromiter(read, np.uint16, self.manifest.passages)

    @property
    def version(self) -> str:
        """Return the index version that every reply names."""
        return self.manifest.index_version

    def is_current(self) -> bool:
        """Say whether readers that open now would open this generation."""
        return current_name(self.root) == self.generation.name

    def document_id(self, row: int) -> str:
        """Return the id of the document that a passage row belongs to."""
        return self.records.document_id(int(self._rows["document"][row]))

    def rows_of_documents(self, document_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return a mask over rows, true for the passages of these documents."""
        known = [self.records.position(name) for name in dict.fromkeys(document_ids) if name in self.records]
        return np.isin(self._rows["document"], known)

    def approved_rows(self) -> NDArray[np.bool_]:
        """Return a mask over rows, true for the passages of documents that a clinician has approved."""
        return np.asarray(self._rows["approved"] == 1)

    def together(self, phrase: str, topic: str) -> bool:
        """Say whether a passage that holds all terms of `phrase` is among those found by the terms of `topic`."""
        wanted, about = content_terms(phrase), content_terms(topic)
        if not wanted or not about:
            return False
        found = self.store.search(dict.fromkeys(about, 1.0), _TOGETHER_DEPTH, required=wanted, any_of=about)
        return bool(found)

    def unit_vectors(self, row: int, units: Sequence[int]) -> Vectors | None:
        """Return the vectors of some units of a passage, by their places in it, shape (len(units), dimension).

        None if the index holds none: its model does not give them.
        """
        return self._units.of(row, units) if len(self._units) else None

    def query_vectors(self, queries: Sequence[Query]) -> Vectors:
        """Return one unit vector a query, shape (n, dimension): the question's, leaning towards its context."""
        if not queries:
            return np.zeros((0, self.manifest.dimension), np.float32)
        texts = list(dict.fromkeys(t for q in queries for t in (q.text, *(text for text, _ in q.context))))
        places = {text: position for position, text in enumerate(texts)}
        made = self.embedder.embed(texts)
        mixed = np.array(
            [made[places[q.text]] + sum((w * made[places[t]] for t, w in q.context), np.float32(0)) for q in queries],
            dtype=np.float32,
        )
        lengths = np.linalg.norm(mixed, axis=1, keepdims=True).astype(np.float32)
        unit: Vectors = mixed / np.maximum(lengths, np.float32(1e-9))
        return unit

    def rank(self, queries: Sequence[Query], limit: int, vectors: Vectors | None = None) -> list[Ranked]:
        """Return the best `limit` rows for each query, best first; the queries are embedded together."""
        if not queries:
            return []
        if vectors is None:
            vectors = self.query_vectors(queries)
        if self.store.scans:
            dense = self.store.similarities(vectors)
            return [
                fuse(row, lexical_hits(self.store, query), query, self._intents, limit)
                for row, query in zip(dense, queries, strict=True)
            ]
        return [self._rank_nearest(query, vector, limit) for query, vector in zip(queries, vectors, strict=True)]

    def search(self, query: Query, limit: int, vector: Vectors | None = None) -> list[Hit]:
        """Return the best passages for a query, best first."""
        ranked = self.rank([query], limit, None if vector is None else vector[None, :])[0]
        return self.hits(ranked)

    def hits(self, ranked: Ranked) -> list[Hit]:
        """Return the passages of ranked rows; equal scores stand by kind of evidence, then the newer first.

        Raises DamagedIndex if a passage is not what was indexed.
        """
        found = [
            Hit(int(row), self.records.passage(int(row)), float(score), float(dense), float(lexical), bool(intent))
            for row, score, dense, lexical, intent in zip(
                ranked.rows, ranked.scores, ranked.dense, ranked.lexical, ranked.intent, strict=True
            )
        ]
        ordered: list[Hit] = []
        for _, equal in groupby(found, key=lambda hit: round(hit.score, _EQUAL_DIGITS)):
            tied = list(equal)
            ordered += sorted(tied, key=self._evidence_order) if len(tied) > 1 else tied
        return [replace(hit, score=given.score) for hit, given in zip(ordered, found, strict=True)]

    def _evidence_order(self, hit: Hit) -> tuple[int, int, int]:
        document = self.records.document(hit.passage.document_id)
        return _EVIDENCE.index(document.kind), -(document.year or 0), hit.row

    def _rank_nearest(self, query: Query, vector: Vectors, limit: int) -> Ranked:
        """Rank the nearest passages and those that words or boosts name, instead of all."""
        depth = LEXICAL_DEPTH
        if query.allowed is not None:
            share = max(int(np.count_nonzero(query.allowed)), 1) / self.manifest.passages
            depth = min(int(LEXICAL_DEPTH / share), _LEXICAL_DEEPEST)
        words = self._beside.submit(lexical_hits, self.store, query, depth)
        (near,) = self.store.nearest(vector[None, :], max(_NEAREST_DEPTH, limit), query.allowed)
        cosines, lexical = dict(near), words.result()
        if query.allowed is not None:
            # The first stays whatever it is: all others are measured by its score.
            lexical = [hit for place, hit in enumerate(lexical) if not place or query.allowed[hit[0]]]
        others = sorted({row for row, _ in (*lexical, *query.boosts)} - set(cosines))
        cosines |= zip(others, self.store.cosines(vector, others).tolist(), strict=True)
        return fuse(cosines, lexical, query, self._intents, limit)

    def close(self) -> None:
        """Let go of the files."""
        self._beside.shutdown()
        self.records.close()
        self.titles.close()
        self.store.close()
