"""Builds the index aside, verifies it, and switches to it in one step.

Is: the only writer. Whatever happens on the way (a full disk, a kill, a broken file), readers keep the index
that stood before, and a later build goes on from the vectors made so far. Is not: a reader of file formats.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpus.documents import Document, Rejected
from corpus.load import load, walk
from index.abbreviations import AbbreviationCounter
from index.embedding import Embedder, PartEmbedder, Vectors
from index.intents import intents_digest
from index.lexical import LexicalEntry
from index.manifest import (
    SCHEMA_VERSION,
    IndexUnavailable,
    Manifest,
    Source,
    current_generation,
    read_manifest,
    switch_to,
    write_manifest,
)
from index.passages import CHUNKER_VERSION, Passage, cut
from index.records import DamagedIndex, Records, RecordWriter
from index.rows import RowWriter
from index.stages import ahead
from index.stores import LOCAL, Progress, StoreWriter, open_writer
from index.titles import write_titles
from index.unit_vectors import UnitVectorWriter, pack
from index.vector_cache import Kept, VectorCache
from index.vectors import FlatVectors, VectorWriter
from index.verify import changed_files
from index.weights import sha256_of

# Vectors written to the cache at once: what a kill can lose, and what one progress step is.
_EMBED_BATCH = 128
# Batches that wait between two stages. Reading outruns embedding; so far ahead it tells soon how much there is.
_AHEAD_OF_EMBEDDING = 64
_AHEAD_OF_WRITING = 4
# The cache may hold this many times the vectors that the index needs before the unused ones go.
_CACHE_SLACK = 3
_LOCK_SECONDS = 0.5
_REMOVING_TRIES = 20


class NothingToIndex(Exception):
    """No document could be read from the sources; `rejected` says why for each."""

    def __init__(self, message: str, rejected: Sequence[Rejected]) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did, in documents; `seconds` is wall time."""

    documents: int
    passages: int
    added: int
    changed: int
    removed: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    index_version: str
    seconds: float


def build(
    sources: Sequence[Path],
    root: Path,
    embedder: Embedder,
    *,
    model: str,
    store: str = LOCAL,
    on_progress: Progress = lambda phase, done, total: None,
) -> BuildReport:
    """Make the index in `root` hold exactly the documents of `sources`, vectors and words in the store `store`.

    `on_progress(phase, done, total)` is told how far it is; a total of 0 means that it is not known.

    Raises:
        IndexUnavailable: another process is building, or the store does not answer.
        NothingToIndex: no document could be read; the index that stood there still stands.
        UnreadableSource: a source does not exist.
        OSError, sqlite3.Error, StoreFault: the disk is full or cannot be written; likewise.
    """
    started = time.perf_counter()
    writer = open_writer(store)
    with writer_lock(root):
        before = manifest_before(root)
        if before or not (root / "CURRENT").exists():
            # What killed builds left, and the generation before the current one: out of use since the last build.
            _remove_all_but(root, {before[0].name} if before else set(), writer)
        found = _sources(sources, before)
        is_whole = before is not None and not any(changed_files(*before))
        if before and is_whole and writer.holds(before[1]) and _same(before[1], found, embedder):
            return _unchanged(before[1], time.perf_counter() - started)
        generation = _new_generation(root)
        try:
            report = _build_aside(sources, found, root, generation, embedder, model, before, writer, on_progress)
        except BaseException:
            with suppress(IndexUnavailable):
                writer.discard(generation)
            _remove(generation)
            raise
        switch_to(root, generation.name)
        # The generation before stays where it is, if it is sound: readers may still hold it.
        _remove_all_but(root, {generation.name, *([before[0].name] if before and is_whole else [])}, writer)
    return BuildReport(**{**report, "seconds": round(time.perf_counter() - started, 2)})


def _build_aside(
    sources: Sequence[Path],
    found: tuple[Source, ...],
    root: Path,
    generation: Path,
    embedder: Embedder,
    model: str,
    before: tuple[Path, Manifest] | None,
    writer: StoreWriter,
    on_progress: Progress,
) -> dict[str, Any]:
    stages = _Stages(sources, root, generation, embedder, writer, on_progress)
    count = stages.run()
    with closing(Records(generation / "records.sqlite")) as records:
        if not records.documents:
            raise NothingToIndex("none of the sources holds a document that can be read", stages.rejected)
        if not count:
            raise NothingToIndex("the documents of the sources hold no text", stages.rejected)
        ids = records.passage_ids()
        write_titles(generation / "titles.sqlite", records.titles().values())
        digests = records.digests()
        version = _version(embedder, digests, ids)
        vectors = FlatVectors(generation / "vectors.npy", count, embedder.dimension)
        kept = writer.finish(generation, version, ids, vectors.rows, lambda: _entries_of(records), on_progress)
        del vectors
        _tidy_cache(root, embedder, records, count)
    if not writer.keeps_files:
        (generation / "vectors.npy").unlink()
    files, sizes = _hashes(generation)
    write_manifest(
        Manifest(
            index_version=version,
            embedder=embedder.identity,
            model=model,
            dimension=embedder.dimension,
            documents=len(digests),
            passages=len(ids),
            sources=found,
            rejected=tuple((entry.path, entry.reason) for entry in stages.rejected),
            files=files,
            sizes=sizes,
            intents=intents_digest(),
            store=kept,
        ),
        generation,
    )
    old = _digests_before(before)
    return {
        "documents": len(digests),
        "passages": len(ids),
        "added": sum(name not in old for name in digests),
        "changed": sum(name in old and old[name] != digest for name, digest in digests.items()),
        "removed": sum(name not in digests for name in old),
        "unchanged": sum(old.get(name) == digest for name, digest in digests.items()),
        "rejected": tuple(stages.rejected),
        "index_version": version,
    }


@dataclass(frozen=True, slots=True)
class _Batch:
    """Passages of neighbouring rows, each with the question that its document answers, and later their vectors."""

    passages: tuple[Passage, ...]
    questions: tuple[str, ...]
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @classmethod
    def of(cls, pairs: Sequence[tuple[Passage, str]]) -> _Batch:
        return cls(tuple(passage for passage, _ in pairs), tuple(question for _, question in pairs))


class _Stages:
    """Reading, embedding and writing, side by side: three stages, each some batches ahead of the next."""

    def __init__(
        self,
        sources: Sequence[Path],
        root: Path,
        generation: Path,
        embedder: Embedder,
        writer: StoreWriter,
        on_progress: Progress,
    ) -> None:
        self._sources = sources
        self._root = root
        self._generation = generation
        self._embedder = embedder
        self._writer = writer
        self._tell = on_progress
        self.rejected: list[Rejected] = []
        # Known when all is read.
        self._total = 0

    def run(self) -> int:
        """Write records, vectors and both searches; return how many passages there are."""
        written = 0
        with (
            closing(self._writer.begin(self._generation)) as store,
            closing(ahead(self._embedded, _AHEAD_OF_WRITING)) as batches,
        ):
            for batch in batches:
                ids = [passage.id for passage in batch.passages]
                store.add(ids, batch.vectors, _lexical_entries(batch, written))
                written += len(batch.passages)
                self._tell("writing", written, self._total)
        return written

    def _read(self) -> Iterator[_Batch]:
        """Write records and what is known of each row; yield the passages."""
        abbreviations, rows = AbbreviationCounter(), RowWriter()
        waiting: list[tuple[Passage, str]] = []
        with closing(RecordWriter(self._generation / "records.sqlite")) as writer:
            for entry in load(self._sources):
                if isinstance(entry, Rejected):
                    self.rejected.append(entry)
                    continue
                abbreviations.read(entry.text)
                passages = tuple(cut(entry))
                rows.add(writer.documents, entry, passages)
                writer.add(entry, document_digest(entry), passages)
                self._tell("reading", writer.documents, 0)
                waiting += ((passage, entry.question) for passage in passages)
                while len(waiting) >= _EMBED_BATCH:
                    yield _Batch.of(waiting[:_EMBED_BATCH])
                    del waiting[:_EMBED_BATCH]
            writer.commit()
            self._total = writer.passages
        rows.write(self._generation)
        (self._generation / "abbreviations.json").write_text(
            json.dumps(abbreviations.learnt(), ensure_ascii=False, sort_keys=True, indent=0), encoding="utf-8"
        )
        if waiting:
            yield _Batch.of(waiting)

    def _embedded(self) -> Iterator[_Batch]:
        """Write the vectors of passages and of their units, made now or before; yield the passages with theirs."""
        dimension, done = self._embedder.dimension, 0
        with (
            closing(VectorCache(self._root / "vectors.sqlite", self._embedder.identity, dimension)) as cache,
            closing(VectorWriter(self._generation / "vectors.npy", dimension)) as vectors,
            closing(UnitVectorWriter(self._generation, dimension)) as units,
            closing(ahead(self._read, _AHEAD_OF_EMBEDDING)) as batches,
        ):
            for batch in batches:
                found = _vectors_of(batch.passages, cache, self._embedder)
                rows = np.array([entry.vector for entry in found], dtype=np.float32)
                vectors.add(rows)
                units.add(entry.units for entry in found)
                done += len(found)
                self._tell("embedding", done, self._total)
                yield replace(batch, vectors=rows)


def _vectors_of(batch: Sequence[Passage], cache: VectorCache, embedder: Embedder) -> list[Kept]:
    keys = [passage.embedding_key for passage in batch]
    known = cache.get(keys)
    missing = {key: passage for key, passage in zip(keys, batch, strict=True) if key not in known}
    if missing:
        texts = [passage.embedded_text for passage in missing.values()]
        if isinstance(embedder, PartEmbedder):
            made, parts = embedder.embed_parts(texts, [passage.embedded_units for passage in missing.values()])
        else:
            made, parts = embedder.embed(texts), [np.zeros((0, embedder.dimension), np.float32)] * len(texts)
        fresh = {key: Kept(vector, pack(units)) for key, vector, units in zip(missing, made, parts, strict=True)}
        cache.put(fresh)
        known.update(fresh)
    return [known[key] for key in keys]


def _tidy_cache(root: Path, embedder: Embedder, records: Records, count: int) -> None:
    """Drop vectors that are long out of use, and seal the cache."""
    cache = VectorCache(root / "vectors.sqlite", embedder.identity, embedder.dimension)
    try:
        if len(cache) > _CACHE_SLACK * count:
            cache.keep_only(passage.embedding_key for passage in records.passages())
    finally:
        cache.seal()


def _lexical_entries(batch: _Batch, first_row: int) -> Iterator[LexicalEntry]:
    for row, (passage, question) in enumerate(zip(batch.passages, batch.questions, strict=True), first_row):
        yield _entry(row, passage, question)


def _entries_of(records: Records) -> Iterator[LexicalEntry]:
    for row, passage in enumerate(records.passages()):
        yield _entry(row, passage, records.document(passage.document_id).question)


def _entry(row: int, passage: Passage, question: str) -> LexicalEntry:
    section = " ".join((*passage.section, *passage.lead_ins))
    return LexicalEntry(row, passage.title, section, question, passage.text)


def document_digest(document: Document) -> str:
    """Return a content hash of everything that a document says; where it lay does not count."""
    values = document.to_dict()
    values.pop("path")
    raw = json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()


def _version(embedder: Embedder, digests: dict[str, str], passage_ids: Sequence[str]) -> str:
    # The order of the documents counts: it decides between passages of equal score.
    parts = [embedder.identity, str(CHUNKER_VERSION), *(f"{k}={v}" for k, v in digests.items()), *passage_ids]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _sources(sources: Sequence[Path], before: tuple[Path, Manifest] | None) -> tuple[Source, ...]:
    """List the files of the sources with their hashes; one not touched since the last build is not read again."""
    # The time of the last change of anything about a file cannot be set back, as that of its content can.
    known = {(s.path, s.size, s.modified_ns, s.changed_ns): s.sha256 for s in before[1].sources} if before else {}
    listed = []
    for path, name in walk(sources):
        try:
            stat = path.stat()
            facts = (name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            digest = known.get(facts) or sha256_of(path)
        except OSError:
            # `load` says why it cannot be read; it is asked for again by every run.
            facts, digest = (name, 0, 0, 0), ""
        listed.append(Source(name, digest, *facts[1:]))
    return tuple(listed)


def _same(manifest: Manifest, found: tuple[Source, ...], embedder: Embedder) -> bool:
    def content(sources: Sequence[Source]) -> list[tuple[str, str]]:
        return [(source.path, source.sha256) for source in sources]

    layout = (manifest.schema, manifest.chunker) == (SCHEMA_VERSION, CHUNKER_VERSION)
    fits = layout and manifest.embedder == embedder.identity
    return fits and content(manifest.sources) == content(found)


def _unchanged(manifest: Manifest, seconds: float) -> BuildReport:
    return BuildReport(
        documents=manifest.documents,
        passages=manifest.passages,
        added=0,
        changed=0,
        removed=0,
        unchanged=manifest.documents,
        rejected=tuple(Rejected(path, reason) for path, reason in manifest.rejected),
        index_version=manifest.index_version,
        seconds=round(seconds, 2),
    )


def manifest_before(root: Path) -> tuple[Path, Manifest] | None:
    """Return what stands now, or None if nothing usable does: then everything is built anew."""
    try:
        generation = current_generation(root)
        return generation, read_manifest(generation)
    except (IndexUnavailable, DamagedIndex):
        return None


def _digests_before(before: tuple[Path, Manifest] | None) -> dict[str, str]:
    if before is None:
        return {}
    try:
        with closing(Records(before[0] / "records.sqlite")) as records:
            return records.digests()
    except (sqlite3.Error, DamagedIndex):
        return {}


def _new_generation(root: Path) -> Path:
    folder = root / "generations"
    folder.mkdir(parents=True, exist_ok=True)
    last = max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
    generation = folder / f"{last + 1:06d}"
    generation.mkdir()
    return generation


def _remove(generation: Path) -> None:
    """Remove a generation that was not finished; its stores may still be writing while they end."""
    for _ in range(_REMOVING_TRIES):
        shutil.rmtree(generation, ignore_errors=True)
        if not generation.exists():
            return
        time.sleep(0.1)


def _remove_all_but(root: Path, kept: set[str], writer: StoreWriter) -> None:
    folder = root / "generations"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept:
            writer.discard(path)
            shutil.rmtree(path, ignore_errors=True)


def _hashes(generation: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Return SHA-256 and size of every file; each is on the disk, not only on its way there, when this returns."""
    files = [path for path in sorted(generation.rglob("*")) if path.is_file() and path.suffix != ".lock"]
    names = [path.relative_to(generation).as_posix() for path in files]
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return (
        dict(zip(names, map(sha256_of, files), strict=True)),
        {name: path.stat().st_size for name, path in zip(names, files, strict=True)},
    )


@contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """Hold the lock of the one process that may write in `root`. Raises IndexUnavailable if another holds it."""
    from filelock import FileLock, Timeout

    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / "writer.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise IndexUnavailable(
            f"another process is building the index in {root}: wait until it is done, or name another --index"
        ) from error
    try:
        yield
    finally:
        lock.release()
