"""Opens a Word file's package under limits: the parts that hold text, as XML.

Is: unzipping with a bound, safe parsing. Is not: aware of what the parts say (see `docx.py`).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from corpus.documents import UnreadableSource
from corpus.readers.limits import MAX_FILE_BYTES, MAX_TEXT_BYTES, MEBIBYTE
from corpus.readers.xml_files import DECLARES_ENTITY, reason, safe_parser

# A document has some twenty parts and a few hundred pictures.
_MAX_PARTS = 10_000
# Old Word files and encrypted new ones are OLE containers.
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_parts(path: Path) -> dict[str, bytes]:
    """Return the parts of the package that hold text, each within the limits."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnreadableSource(f"larger than {MAX_FILE_BYTES // MEBIBYTE} MiB")
    with path.open("rb") as file:
        if file.read(8) == OLE_MAGIC:
            raise UnreadableSource("encrypted, or an old .doc file: save it as .docx without a password")
        file.seek(0)
        wanted = re.compile(r"word/(?:document|styles|footnotes|endnotes)\.xml|docProps/core\.xml")
        parts: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(file) as package:
                entries = package.infolist()
                if len(entries) > _MAX_PARTS:
                    raise UnreadableSource(f"more than {_MAX_PARTS} parts in one file")
                for entry in entries:
                    if wanted.fullmatch(entry.filename) and entry.filename not in parts:
                        if entry.flag_bits & 1:
                            raise UnreadableSource("encrypted: no password was given")
                        with package.open(entry) as stream:
                            data = stream.read(MAX_TEXT_BYTES + 1)
                        if len(data) > MAX_TEXT_BYTES:
                            raise UnreadableSource(f"unpacks to more than {MAX_TEXT_BYTES // MEBIBYTE} MiB")
                        parts[entry.filename] = data
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise UnreadableSource(f"damaged Word file: {error}") from error
    return parts


def root_of(parts: dict[str, bytes], name: str) -> Any:
    data = parts.get(name)
    if data is None:
        return None
    if DECLARES_ENTITY.search(data):
        raise UnreadableSource("declares XML entities of its own, which are not expanded")
    try:
        return etree.fromstring(data, safe_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableSource(f"damaged Word file: {name}: {reason(error)}") from error


def elements(parts: dict[str, bytes], name: str, kind: str) -> Iterator[Any]:
    root = root_of(parts, name)
    if root is not None:
        yield from root.iter(f"{{*}}{kind}")
