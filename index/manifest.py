"""What an index was built from and by; refuses to open what does not fit.

Is: the small JSON file beside every index and the layout of the folder that it lies in. Is not: the check of
every byte (see `verify.py`).

    ROOT/CURRENT                 the name of the generation that readers open; replaced in one step
    ROOT/generations/NAME/       manifest.json  records.sqlite  vectors.npy  lexical/  chroma/
    ROOT/vectors.sqlite          vectors by content hash, kept between builds
    ROOT/writer.lock             held by the one process that builds
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from index.passages import CHUNKER_VERSION
from index.records import DamagedIndex

# Changes when the files of a generation do.
SCHEMA_VERSION = 1


class IndexUnavailable(Exception):
    """There is no index, or it cannot be used as things are; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that the index holds. `size` in bytes, `modified_ns` as the file system says it."""

    path: str
    sha256: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What built a generation. `files` maps relative paths to SHA-256; `sizes` to bytes."""

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
    schema: int = SCHEMA_VERSION
    chunker: int = CHUNKER_VERSION


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
        raise DamagedIndex(f"{generation / 'manifest.json'} cannot be read: the index is damaged") from error


def current_generation(root: Path) -> Path:
    """Return the folder that readers open now. Raises IndexUnavailable if there is none."""
    try:
        name = (root / "CURRENT").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexUnavailable(f"no index in {root}: build one with 'followup index SOURCE --index {root}'") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedIndex(f"{root / 'CURRENT'} cannot be read: the index is damaged") from error
    generation = root / "generations" / name
    if not name or Path(name).name != name or not generation.is_dir():
        raise DamagedIndex(f"{root / 'CURRENT'} names {name!r}, which is not there: the index is damaged")
    return generation


def switch_to(root: Path, name: str) -> None:
    """Make a finished generation the one that readers open, in one step."""
    aside = root / "CURRENT.new"
    with aside.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, root / "CURRENT")
    _sync_folder(root)


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


def check_sizes(manifest: Manifest, generation: Path) -> None:
    """Raise DamagedIndex if a file of the generation is missing or was cut."""
    for name, size in manifest.sizes.items():
        try:
            found = (generation / name).stat().st_size
        except OSError as error:
            raise DamagedIndex(f"{generation / name} is missing: the index is damaged") from error
        # Chroma touches its own SQLite file whenever it opens it.
        if found != size and not name.startswith("chroma/"):
            raise DamagedIndex(f"{generation / name} has {found} bytes, not {size}: the index is damaged")
