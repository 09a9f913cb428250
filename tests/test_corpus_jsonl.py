"""JSON Lines: one document a line, its text untouched, its faults named by line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from corpus.documents import Document, Rejected
from corpus.readers import jsonl


def written(folder: Path, *lines: object, name: str = "corpus.jsonl") -> Path:
    """Write lines (objects as JSON, strings as they are) and return the file."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_a_record_becomes_a_document_with_its_metadata(tmp_path: Path) -> None:
    """Every key that means something arrives, dates as ISO 8601."""
    record = {
        "_id": "a/1", "title": "Cramp", "text": "Rest.\n\nStretch.",
        "metadata": {
            "kind": "patient-information", "section": "treatment", "question": "What helps?", "year": "2019",
            "url": "https://example.org/a", "source": "NIH", "pmid": "0123", "doi": "doi:10.1000/x",
            "review_status": "approved", "superseded_by": "a/2", "audience": "patient",
        },
    }  # fmt: skip
    (document,) = jsonl.read(written(tmp_path, record), name="corpus.jsonl")
    assert isinstance(document, Document)
    assert (document.id, document.title, document.text) == ("a/1", "Cramp", "Rest.\n\nStretch.")
    assert (document.kind, document.sections[0].path, document.question) == (
        "patient-information", ("treatment",), "What helps?",
    )  # fmt: skip
    assert (document.published, document.year, document.url) == ("2019", 2019, "https://example.org/a")
    assert (document.pmid, document.doi, document.review_status) == ("123", "10.1000/x", "approved")
    assert (document.superseded_by, document.audience, document.path) == ("a/2", "patient", "corpus.jsonl")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"title": "x", "text": "y"}, "_id is missing"),
        ({"_id": "  ", "text": "y"}, "_id is missing"),
        ({"_id": "x"}, "text is missing"),
        ({"_id": "x", "text": 5}, "text is missing"),
        ({"_id": "x", "text": " \u200b\n"}, "text is empty"),
        ('{"_id":' + "[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_line_is_rejected_by_its_number_and_the_rest_goes_on(tmp_path: Path, line: object, reason: str) -> None:
    """The line number counts blank lines too."""
    path = written(tmp_path, {"_id": "1", "text": "One."}, "", line, {"_id": "2", "text": "Two."})
    first, bad, last = jsonl.read(path, name="c.jsonl")
    assert isinstance(bad, Rejected)
    assert bad.path == "c.jsonl:3"
    assert reason in bad.reason
    assert [getattr(d, "id", None) for d in (first, last)] == ["1", "2"]


def test_unknown_metadata_harms_nothing(tmp_path: Path) -> None:
    """An unknown kind falls back to guideline, impossible values to none."""
    record = {"_id": 7, "text": "Rest.", "metadata": {"kind": "blog", "year": "soon", "url": "javascript:x", "doi": 3}}
    (document,) = jsonl.read(written(tmp_path, record), name="c")
    assert isinstance(document, Document)
    assert (document.id, document.kind, document.year, document.url, document.doi) == ("7", "guideline", None, "", None)


def test_only_hidden_characters_leave_the_text(tmp_path: Path) -> None:
    """Odd blanks and line ends stay, so that offsets hold outside."""
    (document,) = jsonl.read(written(tmp_path, {"_id": "1", "text": " Give\u200b 5\u00a0mg. \r\n\n- x  "}), name="c")
    assert isinstance(document, Document)
    assert document.text == " Give 5\u00a0mg. \r\n\n- x  "


def test_gzip_is_read_as_it_is(tmp_path: Path) -> None:
    """Packing changes nothing."""
    path = written(tmp_path, {"_id": "1", "text": "One."}, name="corpus.jsonl.gz")
    assert [getattr(d, "text", None) for d in jsonl.read(path, name="c")] == ["One."]


@pytest.mark.shared
def test_every_answer_of_a_real_collection_is_read_unchanged() -> None:
    """4,786 answers, none rejected, and flattened lists found in more than a thousand."""
    path = Path(__file__).parents[2] / "shared/data/medquad/corpus.jsonl.gz"
    if not path.exists():
        pytest.skip("the evaluation data is not here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    documents = list(jsonl.read(path, name="corpus.jsonl.gz"))
    assert len(documents) == 4786
    assert all(isinstance(d, Document) and d.text == text for d, text in zip(documents, texts, strict=True))
    assert sum(any(b.lead_ins for b in d.blocks) for d in documents if isinstance(d, Document)) > 1000
