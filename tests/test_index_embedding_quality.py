"""The fast twin ranks real questions as well as its reference does."""

import gzip
import json
import math
import os
import warnings

import pytest

from index.build import build
from index.embedding import SentenceTransformerEmbedder
from index.opened import OpenIndex
from index.search import Query
from index.weights import find_model

# How many questions are asked, on the documents that they need and all others on the same topics; the long run
# (torch embeds for some minutes):
#   FOLLOWUP_TWIN_QUESTIONS=300 pytest -s tests/test_index_embedding_quality.py
COUNT = int(os.environ.get("FOLLOWUP_TWIN_QUESTIONS", "12"))
# The twin may lose .005 nDCG@10; of few questions, what one document that falls from the first place to the second
# costs.
TOLERANCE = max(0.005, 0.4 / COUNT)


def ndcg_at_10(ranked, relevant):
    """Return nDCG@10 with gains 2^grade - 1. Source: Järvelin & Kekäläinen, ACM TOIS 2002;20:422-46."""
    gains = [2 ** relevant.get(name, 0) - 1 for name in ranked[:10]]
    best = sorted((2**grade - 1 for grade in relevant.values()), reverse=True)[:10]
    dcg, ideal = (sum(gain / math.log2(place + 2) for place, gain in enumerate(row)) for row in (gains, best))
    return dcg / ideal


def quality(root, embedder, questions):
    opened = OpenIndex(root, embedder)
    queries = [Query(row["question"]) for row in questions]
    total = 0.0
    for row, ranked in zip(questions, opened.rank(queries, 50), strict=True):
        names = list(dict.fromkeys(opened.document_id(int(place)) for place in ranked.rows))
        total += ndcg_at_10(names, row["relevant"])
    opened.close()
    return total / len(questions)


def test_ndcg_by_hand():
    """One relevant document in second place: 1 / log2(3)."""
    assert ndcg_at_10(["a", "b"], {"b": 1}) == pytest.approx(1 / math.log2(3))
    assert ndcg_at_10(["b"], {"b": 1}) == 1.0 and ndcg_at_10(["a"], {"b": 1}) == 0.0


@pytest.mark.shared
def test_twin_ranks_real_questions_as_well(shared, minilm, tmp_path):
    """On the same questions and passages the int8 twin loses at most .005 nDCG@10 against sentence-transformers."""
    with (shared / "data" / "medquad" / "conversations.jsonl").open(encoding="utf-8") as lines:
        questions = [row for line in lines if (row := json.loads(line))["relevant"] and not row["history"]][:COUNT]
    topics = {name.rpartition("-")[0] for row in questions for name in row["relevant"]}
    with gzip.open(shared / "data" / "medquad" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        kept = [line for line in lines if json.loads(line)["_id"].rpartition("-")[0] in topics]
    (tmp_path / "corpus.jsonl").write_text("".join(kept), "utf-8")
    found = []
    for name, embedder in (("twin", minilm), ("reference", SentenceTransformerEmbedder(find_model()))):
        with warnings.catch_warnings():
            # torch and transformers warn about themselves while they are imported.
            warnings.simplefilter("ignore")
            build([tmp_path / "corpus.jsonl"], tmp_path / name, embedder, model=name)
        found.append(quality(tmp_path / name, embedder, questions))
    print(f"nDCG@10 of {len(questions)} questions: twin {found[0]:.4f}, reference {found[1]:.4f}")
    assert found[0] >= found[1] - TOLERANCE, found
    assert found[0] > 0.5
