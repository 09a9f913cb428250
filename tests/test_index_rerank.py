"""The optional reranker, with a tiny cross-encoder that the test makes itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.passages import Passage
from index.rerank import RERANKED, Reranker
from index.search import Hit
from index.weights import ModelUnavailable


@pytest.fixture(scope="module")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a one-layer BERT with random but fixed weights as a sentence-transformers CrossEncoder."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("cross-encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "calf", "cramp", "quinine", "stretch", "ulcer"]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder / "made", safe_serialization=True)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "made")
    CrossEncoder(str(folder / "made"), device="cpu", local_files_only=True).save_pretrained(str(folder / "model"))
    return folder / "model"


def hit(row: int, text: str, score: float) -> Hit:
    passage = Passage(id=str(row), document_id="d", title="", section=(), text=text, start=0, end=len(text), units=())
    return Hit(row, passage, score, score, score, False)


def test_order_is_the_models_and_scores_still_fall(tiny_cross_encoder: Path) -> None:
    """The best passages stand in the order of the model's own scores; none is lost or doubled."""
    from sentence_transformers import CrossEncoder

    hits = [hit(row, text, 1 - row / 10) for row, text in enumerate(["calf cramp", "quinine", "ulcer", "stretch calf"])]
    found = Reranker(str(tiny_cross_encoder)).rerank("cramp", hits)
    model = CrossEncoder(str(tiny_cross_encoder), device="cpu", local_files_only=True)
    scores = model.predict([("cramp", h.passage.embedded_text) for h in hits], show_progress_bar=False)
    assert [h.row for h in found] == sorted(range(4), key=lambda row: -float(scores[row]))
    assert [h.score for h in found] == [h.score for h in hits]


def test_hits_beyond_the_depth_keep_their_places(tiny_cross_encoder: Path) -> None:
    """Only the best RERANKED hits are read again."""
    hits = [hit(row, "calf", 100 - row) for row in range(RERANKED + 3)]
    found = Reranker(str(tiny_cross_encoder)).rerank("cramp", hits)
    assert [h.row for h in found[RERANKED:]] == [RERANKED, RERANKED + 1, RERANKED + 2]


def test_a_model_without_safetensors_is_refused(tmp_path: Path) -> None:
    """A pickle could run code when it is read."""
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        Reranker(str(tmp_path))
