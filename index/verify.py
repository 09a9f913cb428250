"""Checks an index byte by byte, and that every passage finds itself.

Is: slow and thorough, for a person who wants to know. Is not: run at every opening, which checks names and sizes
only; a quote is checked against its id whenever it is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from index.manifest import (
    CHUNKER_VERSION,
    SCHEMA_VERSION,
    Manifest,
    current_generation,
    generation_before,
    read_manifest,
)
from index.passages import cut
from index.records import DamagedIndex, Records
from index.stores import LOCAL, store_faults
from index.vector_cache import cache_fault
from index.vectors import CHROMA_FOLDER, SIGNS_LIMIT
from index.weights import sha256_of

# More faults of one kind say nothing new.
_FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what is wrong; sound if `faults` is empty."""

    index_version: str
    documents: int
    passages: int
    files: int
    faults: tuple[str, ...]


def verify(root: Path, store: str = LOCAL) -> Verification:
    """Check the index that is current in `root`, and what the store that `store` names holds of it.

    Raises:
        IndexUnavailable: there is none, or its store does not answer.
    """
    try:
        generation = current_generation(root)
        manifest = read_manifest(generation)
    except DamagedIndex as error:
        return Verification("", 0, 0, 0, (str(error),))
    faults = [*_faults(generation, manifest, store), *_faults_beside(root)]
    return Verification(
        manifest.index_version,
        manifest.documents,
        manifest.passages,
        len(manifest.files),
        tuple(faults[:_FAULTS_SHOWN]),
    )


def _faults(generation: Path, manifest: Manifest, store: str) -> Iterator[str]:
    if (manifest.schema, manifest.chunker) != (SCHEMA_VERSION, CHUNKER_VERSION):
        yield f"the index has layout {manifest.schema}.{manifest.chunker}: build it anew"
        return
    changed = list(changed_files(generation, manifest))
    yield from changed
    try:
        with closing(Records(generation / "records.sqlite")) as records:
            yield from _record_faults(records, manifest)
            if not changed:
                yield from store_faults(store, generation, manifest, records)
    except (DamagedIndex, sqlite3.Error, ValueError) as error:
        yield f"{generation.name}: {error}"


def changed_files(generation: Path, manifest: Manifest) -> Iterator[str]:
    """Yield a line for each file of a generation that is not, byte by byte, what was built."""
    opened_in_place = manifest.passages > SIGNS_LIMIT
    for name, digest in manifest.files.items():
        try:
            found = sha256_of(generation / name)
        except OSError as error:
            yield f"{generation.name}/{name} cannot be read: {error.strerror or error}"
            continue
        if found != digest and not (opened_in_place and name.startswith(CHROMA_FOLDER)):
            yield f"{generation.name}/{name} was changed since the index was built"
    extra = {path.relative_to(generation).as_posix() for path in generation.rglob("*") if path.is_file()}
    for name in sorted(extra - set(manifest.files) - {"manifest.json"}):
        if not name.endswith(".lock") and not (opened_in_place and name.startswith(CHROMA_FOLDER)):
            yield f"{generation.name}/{name} does not belong to the index"


def _faults_beside(root: Path) -> Iterator[str]:
    """Yield what is wrong with the generation that readers may still hold, and with the cache of vectors."""
    if before := generation_before(root):
        generation, is_whole = before
        remedy = "index again, which removes it"
        try:
            faults = [*changed_files(generation, read_manifest(generation))] if is_whole else ["manifest.json"]
        except DamagedIndex:
            faults = ["manifest.json"]
        if faults:
            yield f"{generation.name}, the index before this one, was changed ({faults[0]}): {remedy}"
    if fault := cache_fault(root / "vectors.sqlite"):
        yield fault


def _record_faults(records: Records, manifest: Manifest) -> Iterator[str]:
    if records.documents != manifest.documents:
        yield f"records.sqlite holds {records.documents} documents, the manifest says {manifest.documents}"
    count = 0
    stored = records.passages()
    for name in records.document_ids:
        for wanted in cut(records.document(name)):
            found = next(stored, None)
            count += 1
            if found != wanted:
                yield f"passage {wanted.id} of {name} is not what its document says"
                return
    if next(stored, None) is not None or count != manifest.passages:
        yield f"records.sqlite does not hold the {manifest.passages} passages that the manifest counts"
