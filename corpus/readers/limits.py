"""Opens files under limits, so that no file can take the machine with it.

Is: bounded reading, bounded unpacking, decoding to text. Is not: a judge of formats (see `load.py`).
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from corpus.documents import UnreadableSource

MEBIBYTE = 1 << 20
# One article, guideline or book as one file; the largest guideline PDFs are below 60 MB.
MAX_FILE_BYTES = 128 * MEBIBYTE
# Text formats are held in memory as a whole, several times over (bytes, text, tree): a 20 MB article has some
# 3 million words.
MAX_TEXT_BYTES = 20 * MEBIBYTE
# A yearly MEDLINE file unpacks to about 200 MB; streamed formats hold one record at a time.
MAX_STREAM_BYTES = 4096 * MEBIBYTE
# Plain text packs 3 to 10 times, XML up to 30; a gzip bomb packs 1,000 times.
MAX_PACKING_RATIO = 200
# Below this an unpacked file harms nobody, however well it packs.
ALWAYS_ALLOWED_BYTES = 16 * MEBIBYTE

# How the reason begins for a file whose damage no reader foresaw.
UNFORESEEN = "damaged in a way that its reader does not know"

_GZIP_MAGIC = b"\x1f\x8b"


class _Bounded(io.RawIOBase):
    """A reading end that stops with a reason once too much has come out of it."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self._inner, self._limit, self._seen = inner, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            chunk = self._inner.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableSource(f"damaged gzip data: {error}") from error
        self._seen += len(chunk)
        if self._seen > self._limit:
            raise UnreadableSource(f"more than {self._limit // MEBIBYTE} MiB of content")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def is_gzip(head: bytes) -> bool:
    """Say whether a file that begins with `head` is a gzip file."""
    return head.startswith(_GZIP_MAGIC)


def read_head(path: Path, size: int = 4096) -> bytes:
    """Return the first bytes of a file, unpacked if it is a gzip file; damaged gzip data counts as none."""
    with path.open("rb") as file:
        head = file.read(size)
        if not is_gzip(head):
            return head
        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, size)
        except zlib.error:
            return b""


@contextmanager
def open_stream(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of records for one pass, unpacking gzip.

    Raises UnreadableSource while reading when it unpacks to more than its size can honestly hold.
    """
    packed_bytes = path.stat().st_size
    with path.open("rb") as file:
        packed = is_gzip(file.read(2))
        file.seek(0)
        limit = MAX_STREAM_BYTES
        if packed:
            limit = min(limit, max(ALWAYS_ALLOWED_BYTES, packed_bytes * MAX_PACKING_RATIO))
        inner: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file
        yield io.BufferedReader(_Bounded(inner, limit), buffer_size=MEBIBYTE)


def read_bytes(path: Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Return a file's content, unpacked if it is gzip. Raises UnreadableSource if it is empty or too large."""
    if path.stat().st_size > limit:
        raise UnreadableSource(f"larger than {limit // MEBIBYTE} MiB")
    with open_stream(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise UnreadableSource(f"unpacks to more than {limit // MEBIBYTE} MiB")
    if not data.strip():
        raise UnreadableSource("empty file")
    return data


def decode(data: bytes) -> str:
    """Return bytes as text: by their byte-order mark, as UTF-8, or as Windows-1252 where that is certain.

    Raises UnreadableSource rather than guess: a wrong guess turns µ and ≥ into other characters.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding)
    if b"\0" in data:
        raise UnreadableSource("holds NUL bytes: not a text file, or UTF-16 without a byte-order mark")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # Some valid UTF-8 beside broken bytes is a damaged UTF-8 file, not a Windows one.
        if re.search(r"[\u0080-\ud7ff\ue000-\U0010ffff]", data.decode("utf-8", "surrogateescape")):
            line = data.count(b"\n", 0, error.start) + 1
            raise UnreadableSource(f"broken UTF-8 in line {line}") from error
    return _strict(data, "cp1252")


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"not valid {encoding} text at byte {error.start}") from error
