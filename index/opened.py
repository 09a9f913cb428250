"""An index that is open for reading: the passages, both searches, and what was learnt at build time.

Is: where a query meets the files of one generation. Is not: a writer, nor a ranking (see `search.py`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder, Vectors
from index.intents import section_intents
from index.lexical import LexicalIndex, content_terms
from index.manifest import check_fits, check_sizes, current_generation, read_manifest
from index.records import DamagedIndex, Records
from index.search import Hit, Query, Ranked, fuse, lexical_hits
from index.titles import Titles
from index.vectors import EXACT_LIMIT, ChromaVectors, FlatVectors

# How many neighbours the graph is asked for when the collection is too large to be scanned.
_GRAPH_DEPTH = 400
# One passage that speaks of both is enough.
_TOGETHER_DEPTH = 1


class OpenIndex:
    """One generation, open. Safe to share between threads; `is_current` tells when to open the next one."""

    def __init__(self, root: Path, embedder: Embedder) -> None:
        """Open what is current in `root`.

        Raises:
            IndexUnavailable: there is none, or it was built by another model or layout.
            DamagedIndex: a file is missing, cut or unreadable.
        """
        self.root = root
        self.embedder = embedder
        generation = current_generation(root)
        self.generation = generation
        self.manifest = read_manifest(generation)
        check_fits(self.manifest, root, embedder.identity)
        check_sizes(self.manifest, generation)
        try:
            self.records = Records(generation / "records.sqlite")
            self.lexical = LexicalIndex(generation / "lexical")
            self.vectors = FlatVectors(generation / "vectors.npy")
            self.abbreviations: dict[str, str] = json.loads((generation / "abbreviations.json").read_text("utf-8"))
            self._documents_of_rows = self.records.document_positions()
            self._intents = [
                section_intents(path, question) for path, question in self.records.sections_and_questions()
            ]
        except (sqlite3.Error, OSError, ValueError) as error:
            raise DamagedIndex(f"{generation} cannot be opened ({error}): the index is damaged") from error
        if not len(self.vectors) == len(self.lexical) == len(self._intents) == self.manifest.passages:
            raise DamagedIndex(f"{generation} holds parts of different builds: the index is damaged")
        self._graph: ChromaVectors | None = None

    @property
    def version(self) -> str:
        """Return the index version that every reply names."""
        return self.manifest.index_version

    def is_current(self) -> bool:
        """Say whether readers that open now would open this generation."""
        return current_generation(self.root) == self.generation

    def document_id(self, row: int) -> str:
        """Return the id of the document that a passage row belongs to."""
        return self.records.document_ids[self._documents_of_rows[row]]

    def rows_of_documents(self, document_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return a mask over rows, true for the passages of these documents."""
        wanted = {position for position, name in enumerate(self.records.document_ids) if name in set(document_ids)}
        return np.array([position in wanted for position in self._documents_of_rows], dtype=bool)

    @cached_property
    def titles(self) -> Titles:
        """Return the titles, for finding them in questions."""
        return Titles(self.records.titles().values())

    def together(self, phrase: str, topic: str) -> bool:
        """Say whether a passage that holds all terms of `phrase` is among those found by the terms of `topic`."""
        wanted, about = content_terms(phrase), content_terms(topic)
        if not wanted or not about:
            return False
        found = self.lexical.search(dict.fromkeys(about, 1.0), _TOGETHER_DEPTH, required=wanted, any_of=about)
        return bool(found)

    def query_vectors(self, queries: Sequence[Query]) -> Vectors:
        """Return one unit vector a query, shape (n, dimension): the question's, leaning towards its context."""
        texts = list(dict.fromkeys(t for q in queries for t in (q.text, *(text for text, _ in q.context))))
        places = {text: position for position, text in enumerate(texts)}
        made = self.embedder.embed(texts)
        mixed = np.array(
            [made[places[q.text]] + sum((w * made[places[t]] for t, w in q.context), np.float32(0)) for q in queries],
            dtype=np.float32,
        )
        lengths: Vectors = np.linalg.norm(mixed, axis=1, keepdims=True)
        return mixed / np.maximum(lengths, np.float32(1e-9))

    def rank(self, queries: Sequence[Query], limit: int, vectors: Vectors | None = None) -> list[Ranked]:
        """Return the best `limit` rows for each query, best first; the queries are embedded together."""
        if not queries:
            return []
        if vectors is None:
            vectors = self.query_vectors(queries)
        if self.manifest.passages <= EXACT_LIMIT:
            dense = self.vectors.similarities(vectors)
            return [
                fuse(row, lexical_hits(self.lexical, query), query, self._intents, limit)
                for row, query in zip(dense, queries, strict=True)
            ]
        return [self._rank_by_graph(query, vector, limit) for query, vector in zip(queries, vectors, strict=True)]

    def search(self, query: Query, limit: int, vector: Vectors | None = None) -> list[Hit]:
        """Return the best passages for a query, best first."""
        ranked = self.rank([query], limit, None if vector is None else vector[None, :])[0]
        return self.hits(ranked)

    def hits(self, ranked: Ranked) -> list[Hit]:
        """Return the passages of ranked rows. Raises DamagedIndex if one is not what was indexed."""
        return [
            Hit(int(row), self.records.passage(int(row)), float(score), float(dense), float(lexical), bool(intent))
            for row, score, dense, lexical, intent in zip(
                ranked.rows, ranked.scores, ranked.dense, ranked.lexical, ranked.intent, strict=True
            )
        ]

    def _rank_by_graph(self, query: Query, vector: Vectors, limit: int) -> Ranked:
        if self._graph is None:
            self._graph = ChromaVectors(self.generation / "chroma")
        near = self._graph.nearest(vector[None, :], max(_GRAPH_DEPTH, limit))[0]
        rows = set(self.records.rows_of([name for name, _ in near]))
        lexical = lexical_hits(self.lexical, query)
        rows |= {row for row, _ in lexical} | {row for row, _ in query.boosts}
        listed = sorted(rows)
        cosines = self.vectors.similarities_of(vector, listed)
        return fuse(dict(zip(listed, cosines.tolist(), strict=True)), lexical, query, self._intents, limit)

    def close(self) -> None:
        """Let go of the files."""
        self.records.close()
        if self._graph is not None:
            self._graph.close()
