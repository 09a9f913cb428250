"""The corpus of the scale benchmark: as many passages as asked for, each with the vector that was prepared for it."""

import gzip
import json

import numpy as np
import pytest
from conftest import ROOT, TinyEmbedder

from index.build import build
from index.opened import OpenIndex
from index.search import Query

TEXTS = (
    "Calf cramp is a sudden pain in the calf muscle at night. It lasts for some minutes and then goes away by itself.",
    "Magnesium does not prevent cramps in older adults who live at home. Stretching before sleep may help some people.",
    "Baclofen lowers the tone of muscles after an injury of the spinal cord. It must never be stopped from one day on.",
    "Quinine can harm the heart and the blood of people who take it. Regulators advise against its use for leg cramps.",
)


@pytest.fixture
def scale_corpus(monkeypatch):
    """Import the benchmark's module; benchmarks are no package."""
    monkeypatch.syspath_prepend(str(ROOT / "tests/benchmarks"))
    import scale_corpus

    return scale_corpus


@pytest.fixture
def data(tmp_path):
    """Return a folder as that of the evaluation data, with four documents."""
    for name, texts in (("medquad", TEXTS[:3]), ("pubmedqa", TEXTS[3:])):
        (tmp_path / "data" / name).mkdir(parents=True)
        with gzip.open(tmp_path / "data" / name / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
            for number, text in enumerate(texts):
                record = {"_id": f"{name}-{number}", "title": f"About {name} {number}", "text": text}
                file.write(json.dumps(record) + "\n")
    (tmp_path / "data" / "jats").mkdir()
    return tmp_path / "data"


def test_recombined_corpus_has_prepared_vectors(scale_corpus, data, tmp_path):
    """An index of real and recombined passages is built without asking the model for one of their vectors."""
    tiny = TinyEmbedder()
    pieces = scale_corpus.prepare(data, tmp_path, tiny)
    assert len(pieces) == 12 and np.load(tmp_path / "real.npy").shape == (12, 32)
    sources = scale_corpus.write_corpus(data, tmp_path / "corpus-40", pieces, 40)
    embedder = scale_corpus.PreparedEmbedder(
        tiny, pieces, np.load(tmp_path / "real.npy"), tmp_path / "corpus-40-recipes.npz"
    )
    report = build(sources, tmp_path / "ix", embedder, model="tiny")
    assert (report.passages, embedder.made) == (40, 0)
    opened = OpenIndex(tmp_path / "ix", tiny)
    # A recombined passage lies near the mean of what it is made of, at length 1.
    assert np.linalg.norm(opened.store.vectors.rows, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert "Baclofen" in opened.search(Query("baclofen"), 5)[0].passage.text
    opened.close()


def test_same_corpus_on_every_machine(scale_corpus, data, tmp_path):
    """What is written depends on the data and the size alone."""
    pieces = scale_corpus.real_pieces(data)
    for name in ("one", "other"):
        scale_corpus.write_corpus(data, tmp_path / name, pieces, 30)
    one, other = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("one", "other"))
    assert one == other and len(one) == 2
