"""Walks sources, picks each file's reader by its content, and yields documents or the reason for their absence.

Is: the only way in; one document at a time, in an order that never changes. Is not: a parser (see `readers/`).
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from corpus.documents import Document, Rejected, UnreadableSource
from corpus.readers import contained
from corpus.readers.limits import UNFORESEEN, read_head

# What is told about progress: the file that is about to be read, bytes done, bytes in all.
Progress = Callable[[str, int, int], None]

# Those that rest on native code run in a process of their own.
_CONTAINED = frozenset(("pdf",))
# Asked in this order. Formats that their first bytes prove come before those that only a suffix suggests.
_READERS = ("pdf", "docx", "medline", "jats", "html", "jsonl", "markdown", "captured", "plain")
# Files of these kinds hold documents that cannot be read here, and their owner should hear of it.
_DOCUMENT_SUFFIXES = frozenset(
    ".pdf .docx .doc .docm .rtf .odt .pages .epub .mobi .html .htm .xhtml .mhtml .xml .nxml .sgml .md "
    ".markdown .txt .text .rst .tex .json .jsonl .ndjson .csv .tsv .xls .xlsx .ppt .pptx .zip .tar .tgz "
    ".gz .bz2 .xz .7z".split()
)


def load(sources: Sequence[Path | str], *, on_progress: Progress | None = None) -> Iterator[Document | Rejected]:
    """Yield every document of the files and folders in `sources`, and what was left out, with the reason.

    Files come sorted by path, source by source. Of two documents with one id the first stands. Within a folder
    only files that are or claim to be documents are reported as rejected; pictures, programs and hidden files
    are passed over.

    Raises UnreadableSource if a source does not exist.
    """
    files = [file for source in sources for file in sorted(_walk(Path(source)), key=_name)]
    done, total = 0, sum(file.size_bytes for file in files)
    first_with: dict[str, str] = {}
    for file in files:
        if on_progress:
            on_progress(file.name, done, total)
        done += file.size_bytes
        for entry in _read(file):
            if isinstance(entry, Document):
                if entry.id in first_with:
                    yield Rejected(
                        file.name,
                        f"its document id {entry.id!r} is taken: the one in {first_with[entry.id]} stands",
                    )
                    continue
                first_with[entry.id] = file.name
            yield entry
    if on_progress:
        on_progress("", total, total)


def walk(sources: Sequence[Path | str]) -> Iterator[tuple[Path, str]]:
    """Yield the files that `load` opens, in its order, each with the name that it is shown by."""
    for source in sources:
        for file in _walk(Path(source)):
            if not file.refused:
                yield file.path, file.name


def shipped_articles() -> Path:
    """Return the folder of the articles that come with the program."""
    return Path(__file__).resolve().parent / "articles"


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a source; `is_named` says that the user named this very file, `refused` why it is not read."""

    name: str
    path: Path
    size_bytes: int = 0
    is_named: bool = False
    refused: str = ""


def _name(file: _File) -> str:
    return file.name


def _walk(source: Path) -> Iterator[_File]:
    if not source.exists():
        raise UnreadableSource(f"{source}: no such file or folder")
    if not source.is_dir():
        yield _file(source.name, source, is_named=True)
        return
    root = source.resolve()
    for folder, folders, names in os.walk(root, followlinks=False):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = here / name
            shown = path.relative_to(root).as_posix()
            if _is_hidden(name):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                yield _File(shown, path, refused="a symbolic link that leads out of its folder")
            elif name not in links:
                # A link to a folder inside is passed over: its files are read where they stand.
                yield _file(shown, path)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name == "__MACOSX"


def _file(name: str, path: Path, *, is_named: bool = False) -> _File:
    try:
        facts = path.stat()
    except OSError as error:
        return _File(name, path, refused=_words(error))
    if not stat.S_ISREG(facts.st_mode):
        # A pipe or device would wait for ever.
        return _File(name, path, refused="not a regular file")
    return _File(name, path, facts.st_size, is_named)


def _read(file: _File) -> Iterator[Document | Rejected]:
    if file.refused:
        yield Rejected(file.name, file.refused)
        return
    suffix = _suffix(file.path)
    try:
        head = read_head(file.path)
        if reader := _reader(head, suffix):
            is_silent = True
            for entry in _entries(reader, file):
                is_silent = False
                yield entry
            if is_silent:
                yield Rejected(file.name, "holds no documents")
        elif file.is_named or suffix in _DOCUMENT_SUFFIXES:
            yield Rejected(file.name, "no reader for this kind of file" if head else "empty file")
    except UnreadableSource as error:
        yield Rejected(file.name, str(error))
    except OSError as error:
        yield Rejected(file.name, _words(error))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError) as error:
        # Damage that a reader did not foresee. One file is left out and named; a run of a thousand files goes on.
        words = " ".join(str(error).split())[:200]
        yield Rejected(file.name, f"{UNFORESEEN}: {type(error).__name__} {words}".rstrip())


def _entries(reader: ModuleType, file: _File) -> Iterator[Document | Rejected]:
    name = reader.__name__.rpartition(".")[2]
    read = (
        contained.read(name, file.path, name=file.name)
        if name in _CONTAINED
        else reader.read(file.path, name=file.name)
    )
    for entry in read:
        if isinstance(entry, Document) and not entry.blocks:
            yield Rejected(file.name, "holds no text that can be quoted")
        else:
            yield entry


def _reader(head: bytes, suffix: str) -> ModuleType | None:
    for name in _READERS:
        module = importlib.import_module(f"corpus.readers.{name}")
        if module.matches(head, suffix):
            return module
    return None


def _suffix(path: Path) -> str:
    """Return the suffix in small letters, that of the content for a gzip file."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"] and len(suffixes) > 1:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def _words(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"
