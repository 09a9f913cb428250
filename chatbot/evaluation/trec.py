"""TREC run files: one ranked document a line, best first.

Is: the text form that every retrieval tool reads, with ids that survive it. Is not: a measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from urllib.parse import quote, unquote

import numpy as np

# As deep as the deepest measure (R@100) looks.
DEPTH = 100
_DOWN = np.float32(-np.inf)
_LARGEST = float(np.finfo(np.float32).max)
# White space would end the field, and a "%" before two hex digits would be read back as an escape.
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff]|%(?=[0-9A-Fa-f]{2})")


def encode_id(name: str) -> str:
    """Return an id fit for a run file: white space, control characters and a doubtful "%" percent-encoded.

    Example:
        >>> encode_id("leg cramps 50%.md"), encode_id("NHLBI_0000098-1")
        ('leg%20cramps%2050%.md', 'NHLBI_0000098-1')
    """
    return _UNSAFE.sub(lambda match: quote(match.group(), safe=""), name)


def decode_id(field: str) -> str:
    """Return the id that `encode_id` was given."""
    return unquote(field)


def run_lines(question_id: str, ranking: Sequence[tuple[str, float]], tag: str) -> list[str]:
    """Return the lines `qid Q0 docid rank score tag` of one question, at most 100.

    Each document is kept once, where it first stands. Scores are made to fall strictly, by the smallest step
    of a 32-bit float where they do not: trec_eval sorts by score in 32 bits and breaks ties by document id,
    which would put its order in place of ours.

    Raises:
        ValueError: a score is not a number that 32 bits hold.
    """
    scores: dict[str, float] = {}
    for document_id, score in ranking:
        scores.setdefault(document_id, float(score))
    lines = []
    last = np.float32(np.inf)
    for rank, (document_id, score) in enumerate(islice(scores.items(), DEPTH), start=1):
        if not abs(score) <= _LARGEST:
            raise ValueError(f"question {question_id}: document {document_id} has the score {score}")
        last = min(np.float32(score), np.nextafter(last, _DOWN))
        # Nine significant digits give a 32-bit float back exactly (IEEE 754).
        lines.append(f"{encode_id(question_id)} Q0 {encode_id(document_id)} {rank} {last:.9g} {tag}\n")
    return lines


def read_run(lines: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return question id -> document id -> score, ids decoded, in the order of the lines."""
    run: dict[str, dict[str, float]] = {}
    for line in lines:
        question_id, _, document_id, _, score, _ = line.rstrip("\n").split(" ")
        run.setdefault(decode_id(question_id), {})[decode_id(document_id)] = float(score)
    return run
