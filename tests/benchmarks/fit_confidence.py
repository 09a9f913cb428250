"""Fit the coefficients in chatbot/answer/confidence.json; run by hand when a feature changes.

    python tests/benchmarks/fit_confidence.py DATA_FOLDER WORK_FOLDER [--write]

Positives: medquad conversations on the medquad corpus, PubMedQA questions on theirs, the shipped articles' related
questions on the shipped articles. Negatives: medquad's unanswerable questions on all three corpora, and each data
set's questions on the other's corpus (a few of which it does answer). Every set weighs the same within its side.
The weights are fitted to what whole passages show, since a closer look (see `look_closer`) is taken only where that is
too little. The threshold is the lowest at which, after that look, at most 8 % of medquad's unanswerable questions would
be answered.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np
import platformdirs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from chatbot.answer import confidence
from chatbot.answer.confidence import Features, features, look_closer
from chatbot.answer.evidence import DEPTH, LOOKED_AT, IndexLookup, look_again, make_query
from chatbot.replies import Turn
from chatbot.understand.followup import resolve
from chatbot.understand.synonyms import find_synonyms, reworded
from corpus.load import shipped_articles
from index.build import build
from index.embedding import load_embedder
from index.opened import OpenIndex
from index.weights import DEFAULT_MODEL

_BATCH = 64
_ANSWERED_SHARE = 0.08
_SAMPLE = 1200


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def measure(opened: OpenIndex, questions: list[dict]) -> np.ndarray:
    """Return features of whole passages and those after a closer look, shape (n_questions, 2, n_features)."""
    lookup, rows = IndexLookup(opened), []
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        turns = [tuple(Turn(t["role"], t["content"]) for t in row.get("history", ())) for row in batch]
        resolved = [resolve(row["question"], said, lookup) for row, said in zip(batch, turns, strict=True)]
        queries = [make_query(r, said, opened) for r, said in zip(resolved, turns, strict=True)]
        for resolution, ranked in zip(resolved, opened.rank(queries, LOOKED_AT), strict=True):
            text = resolution.standalone_question
            # The passages in the order in which a reply weighs them.
            hits = look_again(text, opened.hits(ranked))[:DEPTH]
            synonyms = find_synonyms(text, opened.abbreviations)
            topics = reworded(resolution.focus.topic or text, synonyms)
            seen = features(reworded(text, synonyms), topics, hits, opened)
            rows.append((astuple(seen), astuple(look_closer(seen, text, topics, hits, opened))))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    random.seed(0)
    embedder = load_embedder(cache=platformdirs.user_cache_path("followup"))
    sources = {
        "medquad": given.data / "medquad/corpus.jsonl.gz",
        "pubmedqa": given.data / "pubmedqa/corpus.jsonl.gz",
        "shipped": shipped_articles(),
    }
    opened = {}
    for name, source in sources.items():
        build([source], given.work / name, embedder, model=DEFAULT_MODEL)
        opened[name] = OpenIndex(given.work / name, embedder)
    conversations = read(given.data / "medquad/conversations.jsonl")
    unanswerable = read(given.data / "medquad/unanswerable.jsonl")
    research = read(given.data / "pubmedqa/questions.jsonl")
    first = [row for row in conversations if not row["history"]]
    documents = [opened["shipped"].records.document(name) for name in opened["shipped"].records.document_ids]
    own = [{"question": q} for document in documents for q in (document.title, *document.related_questions)]
    positives = {
        "medquad": measure(opened["medquad"], random.sample(conversations, _SAMPLE)),
        "pubmedqa": measure(opened["pubmedqa"], research),
        "shipped": measure(opened["shipped"], own),
    }
    negatives = {
        "unanswerable on medquad": measure(opened["medquad"], unanswerable),
        "unanswerable on pubmedqa": measure(opened["pubmedqa"], unanswerable),
        "unanswerable on shipped": measure(opened["shipped"], unanswerable),
        "pubmedqa on medquad": measure(opened["medquad"], research[:300]),
        "medquad on pubmedqa": measure(opened["pubmedqa"], random.sample(first, 300)),
    }
    sets = [*positives.values(), *negatives.values()]
    labels = np.repeat([True] * len(positives) + [False] * len(negatives), [len(rows) for rows in sets])
    sides = [len(positives)] * len(positives) + [len(negatives)] * len(negatives)
    weights = np.concatenate([np.full(len(rows), 1 / len(rows) / side) for rows, side in zip(sets, sides, strict=True)])
    shown = np.vstack(sets)[:, 0]
    model = LogisticRegression(C=1.0, max_iter=2000).fit(shown, labels, sample_weight=weights * len(labels))

    def chance(rows: np.ndarray) -> np.ndarray:
        return model.predict_proba(rows[:, 1])[:, 1]

    hard = chance(negatives["unanswerable on medquad"])
    threshold = float(np.ceil(np.quantile(hard, 1 - _ANSWERED_SHARE) * 100) / 100)
    names = [field.name for field in fields(Features)]
    fitted = {
        "made_by": "python tests/benchmarks/fit_confidence.py (see its first lines for the sets)",
        "weights": {name: round(float(value), 2) for name, value in zip(names, model.coef_[0], strict=True)},
        "intercept": round(float(model.intercept_[0]), 2),
        "threshold": threshold,
    }
    print(json.dumps(fitted, indent=1))
    for kind, named in (("answered", positives), ("answered wrongly", negatives)):
        for name, rows in named.items():
            print(f"{kind:17} {name:26} {len(rows):5} {(chance(rows) >= threshold).mean():.3f}")
    for name, bad in (("medquad", "unanswerable on medquad"), ("pubmedqa", "unanswerable on pubmedqa")):
        both = np.concatenate([chance(positives[name]), chance(negatives[bad])])
        truth = np.repeat([1, 0], [len(positives[name]), len(negatives[bad])])
        print(f"AUROC {name}: {roc_auc_score(truth, both):.4f}")
    if given.write:
        path = Path(confidence.__file__).with_name("confidence.json")
        path.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
