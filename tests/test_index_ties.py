"""What stands first among passages that score the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.build import build
from index.opened import OpenIndex
from index.search import Query

TEXT = "Stretch the calf slowly until the cramp has gone."


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"kind": "research", "year": 2025}, {"kind": "guideline", "year": 2012}),
        ({"kind": "guideline", "year": 2012}, {"kind": "guideline", "year": 2025}),
    ],
)
def test_equal_passages_stand_by_evidence_then_by_year(tmp_path: Path, tiny, first: dict, second: dict) -> None:
    """A guideline stands before research, the newer before the older; whichever was indexed first."""
    rows = [
        {"_id": name, "title": "Cramp", "text": TEXT, "metadata": metadata}
        for name, metadata in (("a", first), ("b", second))
    ]
    source = tmp_path / "corpus.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    build([source], tmp_path / "index", tiny, model="tiny")
    hits = OpenIndex(tmp_path / "index", tiny).search(Query("stretch calf cramp"), 2)
    assert [hit.passage.document_id for hit in hits] == ["b", "a"]
    assert hits[0].score >= hits[1].score
