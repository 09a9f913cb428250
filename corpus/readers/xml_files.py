"""Opens XML under safe settings: no network, no document types, no entities of a file's own, bounded depth.

Is: the one place where an XML parser is configured. Is not: a reader of any format.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import etree

from corpus.documents import UnreadableSource
from corpus.readers.limits import read_bytes

# An entity may unfold to gigabytes or name a file of this machine. No publisher's article declares any.
DECLARES_ENTITY = re.compile(rb"<!ENTITY", re.I)


def reason(error: etree.XMLSyntaxError | ValueError) -> str:
    """Return what is wrong with an XML file, in words for the person who brought it."""
    text = " ".join(str(error).split())
    if "Excessive depth" in text:
        return "elements nested more than 256 deep"
    if "XML_PARSE_HUGE" in text:
        return "more text in one element than any article has"
    return f"not sound XML: {text.removesuffix(' (<string>, line 0)')}"


def safe_parser() -> etree.XMLParser:
    """Return a parser that touches nothing but the bytes it is given; libxml2 bounds the depth at 256."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def parse_xml(path: Path) -> Any:
    """Return the root element of an XML file. Raises UnreadableSource with the line of the first fault."""
    data = read_bytes(path)
    if DECLARES_ENTITY.search(data):
        raise UnreadableSource("declares XML entities of its own, which are not expanded")
    try:
        root = etree.fromstring(data, safe_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableSource(reason(error)) from error
    if root is None:
        raise UnreadableSource("XML without a root element")
    return root
