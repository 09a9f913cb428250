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
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.documents import Document, Rejected
from corpus.load import load, walk
from index.abbreviations import AbbreviationCounter
from index.embedding import Embedder, Vectors
from index.lexical import LexicalEntry, build_lexical
from index.manifest import (
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
from index.signs import write_signs
from index.titles import write_titles
from index.vector_cache import VectorCache
from index.vectors import EXACT_LIMIT, ChromaVectors, FlatVectors, missing_from, write_vectors
from index.verify import changed_files
from index.weights import sha256_of

# Vectors written to the cache at once: what a kill can lose, and what one progress step is.
_EMBED_BATCH = 128
# The cache may hold this many times the vectors that the index needs before the unused ones go.
_CACHE_SLACK = 3
_LOCK_SECONDS = 0.5
# Of a large index so many passages, evenly spread, are looked for after it was written; `followup verify` looks for
# all. A loss of one passage in 5,000 is found with a chance of 98 %; the losses that were ever seen were 12 in 100.
_LOOKED_FOR = 20_000

Progress = Callable[[str, int, int], None]


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
    on_progress: Progress = lambda phase, done, total: None,
) -> BuildReport:
    """Make the index in `root` hold exactly the documents of `sources`.

    `on_progress(phase, done, total)` is told how far it is; a total of 0 means that it is not known.

    Raises:
        IndexUnavailable: another process is building.
        NothingToIndex: no document could be read; the index that stood there still stands.
        UnreadableSource: a source does not exist.
        OSError, sqlite3.Error, StoreFault: the disk is full or cannot be written; likewise.
    """
    started = time.perf_counter()
    with _writer_lock(root):
        before = manifest_before(root)
        if before or not (root / "CURRENT").exists():
            # What killed builds left, and the generation before the current one: out of use since the last build.
            _remove_all_but(root, {before[0].name} if before else set())
        found = _sources(sources, before)
        is_whole = before is not None and not any(changed_files(*before))
        if before and is_whole and _same(before[1], found, embedder):
            return _unchanged(before[1], time.perf_counter() - started)
        generation = _new_generation(root)
        try:
            report = _build_aside(sources, found, root, generation, embedder, model, before, on_progress)
        except BaseException:
            shutil.rmtree(generation, ignore_errors=True)
            raise
        switch_to(root, generation.name)
        # The generation before stays where it is, if it is sound: readers may still hold it.
        _remove_all_but(root, {generation.name, *([before[0].name] if before and is_whole else [])})
    return BuildReport(**{**report, "seconds": round(time.perf_counter() - started, 2)})


def _build_aside(
    sources: Sequence[Path],
    found: tuple[Source, ...],
    root: Path,
    generation: Path,
    embedder: Embedder,
    model: str,
    before: tuple[Path, Manifest] | None,
    on_progress: Progress,
) -> dict[str, Any]:
    rejected = _write_records(sources, generation, on_progress)
    with closing(Records(generation / "records.sqlite")) as records:
        if not records.document_ids:
            raise NothingToIndex("none of the sources holds a document that can be read", rejected)
        ids = records.passage_ids()
        if not ids:
            raise NothingToIndex("the documents of the sources hold no text", rejected)
        vectors = _embed(records, len(ids), root, generation, embedder, on_progress)
        on_progress("writing", 0, len(ids))
        write_titles(generation / "titles.sqlite", records.titles().values())
        if len(ids) > EXACT_LIMIT:
            write_signs(generation / "signs.npy", vectors.rows)
        build_lexical(generation / "lexical", _lexical_entries(records))
        _write_chroma(generation, ids, vectors.rows, on_progress)
        digests = records.digests()
    files, sizes = _hashes(generation)
    version = _version(embedder, digests, ids)
    write_manifest(
        Manifest(
            index_version=version,
            embedder=embedder.identity,
            model=model,
            dimension=int(vectors.rows.shape[1]),
            documents=len(digests),
            passages=len(ids),
            sources=found,
            rejected=tuple((entry.path, entry.reason) for entry in rejected),
            files=files,
            sizes=sizes,
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
        "rejected": tuple(rejected),
        "index_version": version,
    }


def _write_records(sources: Sequence[Path], generation: Path, on_progress: Progress) -> list[Rejected]:
    rejected: list[Rejected] = []
    abbreviations = AbbreviationCounter()
    with closing(RecordWriter(generation / "records.sqlite")) as writer:
        for entry in load(sources):
            if isinstance(entry, Rejected):
                rejected.append(entry)
                continue
            abbreviations.read(entry.text)
            writer.add(entry, document_digest(entry), cut(entry))
            on_progress("reading", writer.documents, 0)
        writer.commit()
    (generation / "abbreviations.json").write_text(
        json.dumps(abbreviations.learnt(), ensure_ascii=False, sort_keys=True, indent=0), encoding="utf-8"
    )
    return rejected


def _embed(
    records: Records, count: int, root: Path, generation: Path, embedder: Embedder, on_progress: Progress
) -> FlatVectors:
    """Write vectors.npy batch by batch from the cache, embedding what the cache lacks; return it, open."""
    path = generation / "vectors.npy"
    dimension = embedder.dimension
    with closing(VectorCache(root / "vectors.sqlite", embedder.identity)) as cache:

        def batches() -> Iterator[Vectors]:
            for start, batch in _batches(records.passages(), _EMBED_BATCH):
                yield _vectors_of(batch, cache, embedder)
                on_progress("embedding", start + len(batch), count)

        write_vectors(path, batches(), count, dimension)
        if len(cache) > _CACHE_SLACK * count:
            cache.keep_only(passage.embedding_key for passage in records.passages())
        cache.seal()
    return FlatVectors(path, count, dimension)


def _vectors_of(batch: Sequence[Passage], cache: VectorCache, embedder: Embedder) -> Vectors:
    keys = [passage.embedding_key for passage in batch]
    known = cache.get(keys)
    missing = {key: passage for key, passage in zip(keys, batch, strict=True) if key not in known}
    if missing:
        made = embedder.embed([passage.embedded_text for passage in missing.values()])
        cache.put(dict(zip(missing, made, strict=True)))
        known.update(zip(missing, made, strict=True))
    return np.array([known[key] for key in keys], dtype=np.float32)


def _write_chroma(generation: Path, ids: Sequence[str], vectors: Vectors, on_progress: Progress) -> None:
    with closing(ChromaVectors(generation / "chroma", create=True)) as store:
        written = 0

        def count(more: int) -> None:
            nonlocal written
            written += more
            on_progress("writing", written, len(ids))

        store.add(ids, vectors, on_progress=count)
        on_progress("verifying", 0, len(ids))
        looked_for = np.unique(
            np.linspace(0, len(ids) - 1, len(ids) if len(ids) <= EXACT_LIMIT else _LOOKED_FOR).astype(int)
        )
        lost = missing_from(store, [ids[row] for row in looked_for], vectors[looked_for])
        if len(store) != len(ids) or lost:
            # Never seen with one writer; two of them lose vectors silently.
            raise DamagedIndex(f"the vector store lost passages while they were written, e.g. {lost[:1]}")
        on_progress("verifying", len(ids), len(ids))


def _lexical_entries(records: Records) -> Iterator[LexicalEntry]:
    for row, passage in enumerate(records.passages()):
        question = records.document(passage.document_id).question
        section = " ".join((*passage.section, *passage.lead_ins))
        yield LexicalEntry(row, passage.title, section, question, passage.text)


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

    fits = manifest.embedder == embedder.identity and manifest.chunker == CHUNKER_VERSION
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


def _remove_all_but(root: Path, kept: set[str]) -> None:
    folder = root / "generations"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in kept:
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
def _writer_lock(root: Path) -> Iterator[None]:
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


def _batches(passages: Iterator[Passage], size: int) -> Iterator[tuple[int, list[Passage]]]:
    start, batch = 0, []
    for passage in passages:
        batch.append(passage)
        if len(batch) == size:
            yield start, batch
            start, batch = start + size, []
    if batch:
        yield start, batch
