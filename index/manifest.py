"""What an index was built from and by; refuses to open what does not fit.

Is: the small JSON file beside every index and the layout of the folder that it lies in. Is not: the check of
every byte (see `verify.py`).

    ROOT/CURRENT                 the generation that readers open, and the one before it, each with its
                                 manifest's SHA-256; replaced in one step
    ROOT/generations/NAME/       manifest.json  records.sqlite  titles.sqlite  rows.npy  vectors.npy  units.npy
                                 unit_starts.npy  abbreviations.json  lexical/  chroma/; of more than 50,000
                                 passages signs.npy and signs.cells.npz, and chroma/ only of more than 4 million
    ROOT/vectors.sqlite          vectors by content hash, kept between builds; `.sealed` beside it holds its SHA-256
    ROOT/writer.lock             held by the one process that builds
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from index.passages import CHUNKER_VERSION
from index.records import DamagedIndex

# Changes when the files of a generation do.
SCHEMA_VERSION = 6
# One line of CURRENT. Nothing looser is read: a flipped bit must not lead to another generation.
_POINTER = r"(?P<name>\d{6,}) (?P<digest>[0-9a-f]{64})\n"
_POINTERS = re.compile(rf"(?:{_POINTER.replace('?P<name>', '?:').replace('?P<digest>', '?:')}){{1,2}}")


class IndexUnavailable(Exception):
    """There is no index, or it cannot be used as things are; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that the index holds. `size` in bytes; the times of the last change of its content, and of anything
    about it, as the file system says them. `sha256` is empty if the file could not be read.
    """

    path: str
    sha256: str
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What built a generation. `files` maps relative paths to SHA-256; `sizes` to bytes; `intents` names the cue
    words that its sections were read by; `store` says where vectors and words are kept, if not in the folder: the
    engine, and what it needs to find them.
    """

    index_version: str
    embedder: str
    model: str
    dimension: int
    documents: int
    passages: int
    sources: tuple[Source, ...]
    rejected: tuple[tuple[str, str], ...]
    files: Mapping[str, str]
    sizes: Mapping[str, int]
    intents: str
    schema: int = SCHEMA_VERSION
    chunker: int = CHUNKER_VERSION
    store: Mapping[str, str] = field(default_factory=dict)


def write_manifest(manifest: Manifest, generation: Path) -> None:
    """Write the manifest into its generation's folder and flush it to the disk."""
    with (generation / "manifest.json").open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(generation: Path) -> Manifest:
    """Return a generation's manifest. Raises DamagedIndex if it cannot be read."""
    try:
        values = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))
        values["sources"] = tuple(Source(**row) for row in values["sources"])
        values["rejected"] = tuple((path, reason) for path, reason in values["rejected"])
        return Manifest(**values)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DamagedIndex(f"{generation / 'manifest.json'} cannot be read") from error


def current_generation(root: Path) -> Path:
    """Return the folder that readers open now.

    Raises:
        IndexUnavailable: there is none.
        DamagedIndex: it is not there, or its manifest is not the one that was switched to.
    """
    name, digest = _pointers(root)[0]
    generation = root / "generations" / name
    if not generation.is_dir():
        raise DamagedIndex(f"{root / 'CURRENT'} names {name}, which is not there")
    if _digest_of_manifest(generation) != digest:
        raise DamagedIndex(f"{generation / 'manifest.json'} was changed since")
    return generation


def current_name(root: Path) -> str:
    """Return the name of the generation that readers open now; raises as `current_generation` does."""
    return _pointers(root)[0][0]


def generation_before(root: Path) -> tuple[Path, bool] | None:
    """Return the folder that was current before, and whether its manifest is whole; None if it is gone."""
    for name, digest in _pointers(root)[1:]:
        generation = root / "generations" / name
        if generation.is_dir():
            return generation, _digest_of_manifest(generation) == digest
    return None


def switch_to(root: Path, name: str) -> None:
    """Make a finished generation the one that readers open, in one step."""
    try:
        before = _pointers(root)[:1]
    except (IndexUnavailable, DamagedIndex):
        before = []
    lines = [(name, _digest_of_manifest(root / "generations" / name)), *before]
    aside = root / "CURRENT.new"
    with aside.open("w", encoding="ascii", newline="\n") as file:
        file.write("".join(f"{name} {digest}\n" for name, digest in lines))
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, root / "CURRENT")
    _sync_folder(root)


def _pointers(root: Path) -> list[tuple[str, str]]:
    """Return (name, SHA-256 of its manifest) of the current generation and of the one before it, if any."""
    try:
        text = (root / "CURRENT").read_bytes().decode("ascii")
    except (FileNotFoundError, NotADirectoryError) as error:
        if any((root / "generations").glob("*/manifest.json")):
            raise DamagedIndex(f"{root / 'CURRENT'} is missing") from error
        raise IndexUnavailable(f"no index in {root}: build one with 'followup index SOURCE --index {root}'") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedIndex(f"{root / 'CURRENT'} cannot be read") from error
    if not _POINTERS.fullmatch(text):
        raise DamagedIndex(f"{root / 'CURRENT'} was changed")
    return [(match["name"], match["digest"]) for match in re.finditer(_POINTER, text)]


def _digest_of_manifest(generation: Path) -> str:
    try:
        return hashlib.sha256((generation / "manifest.json").read_bytes()).hexdigest()
    except OSError:
        return ""


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_fits(manifest: Manifest, root: Path, embedder: str) -> None:
    """Raise IndexUnavailable, naming the command that mends it, if this program cannot use the index."""
    remedy = f"build it anew with 'followup index SOURCE --index {root}'"
    if manifest.schema != SCHEMA_VERSION or manifest.chunker != CHUNKER_VERSION:
        raise IndexUnavailable(
            f"the index in {root} has layout {manifest.schema}.{manifest.chunker}, this program reads "
            f"{SCHEMA_VERSION}.{CHUNKER_VERSION}: {remedy}"
        )
    if manifest.embedder != embedder:
        raise IndexUnavailable(
            f"the index in {root} was built with the model {manifest.model} ({manifest.embedder}), not with the "
            f"one that is set ({embedder}): set that model, or {remedy}"
        )


def check_sizes(manifest: Manifest, generation: Path, *, may_grow: str = "") -> None:
    """Raise DamagedIndex if a file of the generation is missing or was cut.

    Files whose path begins with `may_grow` need only be there.
    """
    for name, size in manifest.sizes.items():
        try:
            found = (generation / name).stat().st_size
        except OSError as error:
            raise DamagedIndex(f"{generation / name} is missing") from error
        if found != size and not (may_grow and name.startswith(may_grow)):
            raise DamagedIndex(f"{generation / name} has {found} bytes, not {size}")
