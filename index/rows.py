"""What is known of each passage row without opening its record: its document, and what its section offers.

Is: one small array beside the searches, read at every opening. Is not: the records themselves (see `records.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Document
from index.intents import intent_bits, section_intents
from index.passages import Passage

ROWS_FILE = "rows.npy"
# `document` is a position in the index's documents; `intents` are bits (see `index.intents.intent_bits`); `approved` is
# 1 for passages of documents that a clinician has approved.
ROW_TYPE = np.dtype([("document", "<u4"), ("intents", "<u2"), ("approved", "u1")])
Rows = NDArray[Any]


def answered_question(document: Document) -> str:
    """Return the question that a document answers; one that states none answers its title, where that asks."""
    return document.question or (document.title if document.title.strip().endswith("?") else "")


class RowWriter:
    """Collects rows in their order: seven bytes a passage."""

    def __init__(self) -> None:
        self._documents = array("I")
        self._intents = array("H")
        self._approved = array("B")

    def add(self, position: int, document: Document, passages: Sequence[Passage]) -> None:
        """Add the passages of the document that stands at `position`."""
        question = answered_question(document)
        self._documents.extend([position] * len(passages))
        self._intents.extend(intent_bits(section_intents(passage.section, question)) for passage in passages)
        self._approved.extend([document.review_status == "approved"] * len(passages))

    def write(self, generation: Path) -> None:
        """Write all rows into the generation's folder."""
        rows = np.zeros(len(self._documents), ROW_TYPE)
        rows["document"], rows["intents"], rows["approved"] = self._documents, self._intents, self._approved
        np.save(generation / ROWS_FILE, rows)


def read_rows(generation: Path, passages: int) -> Rows:
    """Return the rows, shape (passages,). Raises ValueError if the file does not hold so many."""
    rows: Rows = np.load(generation / ROWS_FILE)
    if rows.dtype != ROW_TYPE or rows.shape != (passages,):
        raise ValueError(f"{generation / ROWS_FILE} does not hold {passages} rows")
    return rows
