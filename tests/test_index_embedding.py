"""Embedding: the fast twin is faithful to its reference, and a text's vector depends on nothing but the text."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from index.build import build
from index.embedding import SentenceTransformerEmbedder, load_embedder
from index.fastpath import EXPORT_VERSION, exported_model
from index.manifest import IndexUnavailable
from index.opened import OpenIndex
from index.search import Query
from index.verify import verify
from index.weights import ModelUnavailable, find_model

# Of the lengths and kinds that are embedded: questions, sentences, list items, passages with title and headings.
TEXTS = (
    "What is the maximum dose of baclofen?",
    "and in pregnancy?",
    "quinine",
    "Do not prescribe muscle relaxants for nocturnal leg cramps.",
    "Stretch the calf during an acute cramp until the pain stops. [1, 2]",
    "Deep vein thrombosis must not be missed.",
    "Give 5 mg by mouth three times a day, at most 80 mg a day.",
    "Signs of acute limb ischaemia: pain, pallor, pulselessness, paraesthesia, paralysis, perishing cold.",
    "Serum potassium below 2.5 mmol/L needs treatment in hospital.",
    "Is magnesium useful for cramps in pregnancy?",
    "how do i know if it is a blood clot",
    "Restless legs syndrome is an urge to move the legs, worse at rest and in the evening.",
    "Stop the statin if creatine kinase is more than ten times the upper limit of normal.",
    "A mid-thigh ultrasound scan is repeated after one week if it is negative and suspicion stays.",
    "Œdema, naïve, µg, ≥ 3 cm, 10⁹/L",
    "Emergency contraception may be used more than once in a cycle.",
    "Vestibular schwannoma: MRI of the internal auditory canals.",
    "Compression is contraindicated when the ankle-brachial index is below 0.5.",
    "Withdraw baclofen over one to two weeks; sudden withdrawal may cause seizures.",
    "Cool first, transport second.",
)
SENTENCES = (
    *TEXTS,
    *(
        f"About calf cramp\nTreatment › Drugs\n{text} {other}"
        for text, other in zip(TEXTS, reversed(TEXTS), strict=True)
    ),
)


@pytest.fixture(scope="module")
def reference():
    """Return the default model on torch."""
    embedder = SentenceTransformerEmbedder(find_model())
    with warnings.catch_warnings():
        # torch and transformers warn about themselves while they are imported.
        warnings.simplefilter("ignore")
        embedder.embed(["warm up"])
    return embedder


def test_twin_is_close_to_its_reference(minilm, reference):
    """The mean cosine between the int8 twin and sentence-transformers is at least .99 over 40 texts."""
    cosines = (minilm.embed(SENTENCES) * reference.embed(SENTENCES)).sum(axis=1)
    assert len(cosines) == 40
    assert cosines.mean() >= 0.99 and cosines.min() >= 0.97


def test_twin_ranks_like_its_reference(minilm, reference):
    """The nearest neighbour among the texts is the same one, or one as near within what int8 rounds away."""
    fast, exact = minilm.embed(SENTENCES), reference.embed(SENTENCES)
    own = np.eye(len(SENTENCES), dtype=np.float32) * 2
    nearest, wanted = (fast @ fast.T - own).argmax(axis=1), exact @ exact.T - own
    rows = np.arange(len(SENTENCES))
    assert (wanted.max(axis=1) - wanted[rows, nearest] < 0.05).all()


def test_vector_does_not_depend_on_its_batch(minilm):
    """Alone, in any company and in any order a text gets, bit for bit, the same vector."""
    alone = np.concatenate([minilm.embed([text]) for text in SENTENCES])
    together = minilm.embed(SENTENCES)
    backwards = minilm.embed(SENTENCES[::-1])[::-1]
    assert np.array_equal(alone, together) and np.array_equal(alone, backwards)


def test_threads_may_share_an_embedder(minilm):
    """Several threads at once get the vectors that one gets."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: minilm.embed([text])[0], SENTENCES))
    assert np.array_equal(np.array(found), minilm.embed(SENTENCES))


def test_vectors_have_length_one(minilm):
    """Rows have length 1, whatever the text: empty, long, or in no language."""
    rows = minilm.embed(["", " ", "word " * 5000, "🩺" * 50, "\x00"])
    assert rows.shape == (5, 384) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-3)


def test_no_texts_give_no_rows(minilm, reference):
    """Nothing in, nothing out, in the right shape."""
    assert minilm.embed([]).shape == (0, 384) and reference.embed([]).shape == (0, 384)


def test_long_text_is_cut_at_256_tokens(minilm):
    """Beyond the model's length a text's end does not count."""
    start = "calf " * 300
    assert np.array_equal(*(minilm.embed([start + end]) for end in ("alpha", "omega " * 50)))


def test_identities_tell_weights_and_arithmetic(minilm, reference):
    """The twin and its reference have different identities: their vectors must not meet in one index."""
    assert minilm.identity != reference.identity
    assert minilm.identity.split(":")[0] == reference.identity.split(":")[0]


def test_export_is_checked_by_hash(model_cache, tmp_path, monkeypatch):
    """A changed export is not used: it is made again."""
    model = find_model(check=False)
    good = exported_model(model, model_cache).parent
    copy = tmp_path / good.name
    copy.mkdir()
    for path in good.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    made = []
    monkeypatch.setattr("index.fastpath._export", lambda model, folder: made.append(folder))
    assert exported_model(model, tmp_path) == copy / "model.int8.onnx" and made == []
    raw = bytearray((copy / "model.int8.onnx").read_bytes())
    raw[1000] ^= 1
    (copy / "model.int8.onnx").write_bytes(raw)
    exported_model(model, tmp_path)
    assert len(made) == 1


@pytest.mark.parametrize("stamp", ["", "{}", "[]", '{"weights": "other"}', '"x"', "\xff"])
def test_export_of_unknown_origin_is_made_again(tmp_path, stamp, monkeypatch):
    """An entry of the cache whose stamp does not name these weights is not used."""
    model = find_model(check=False)
    entry = tmp_path / f"onnx-{model.digest[:16]}-v{EXPORT_VERSION}"
    entry.mkdir()
    (entry / "made-from.json").write_text(stamp, "latin-1")
    (entry / "model.int8.onnx").write_bytes(b"x")
    made = []
    monkeypatch.setattr("index.fastpath._export", lambda model, folder: made.append(folder))
    exported_model(model, tmp_path)
    assert len(made) == 1


@pytest.fixture(scope="module")
def own_model(tmp_path_factory):
    """Return a sentence-transformers model made here: a BERT of two tiny random layers, saved as safetensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from sentence_transformers import SentenceTransformer, models
        from transformers import BertConfig, BertModel, BertTokenizerFast

        words = "[PAD] [UNK] [CLS] [SEP] [MASK] the calf cramp stretch rest leg baclofen dose of mg is a day".split()
        raw, folder = tmp_path_factory.mktemp("bert"), tmp_path_factory.mktemp("own") / "model"
        (raw / "vocab.txt").write_text("\n".join(words))
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
        )
        BertModel(config).save_pretrained(raw)
        BertTokenizerFast(vocab_file=str(raw / "vocab.txt")).save_pretrained(raw)
        transformer = models.Transformer(str(raw), max_seq_length=64)
        pooling = models.Pooling(16)
        SentenceTransformer(modules=[transformer, pooling], device="cpu").save(str(folder))
    return folder


def test_model_from_a_folder_works_end_to_end(own_model, articles, tmp_path):
    """Any sentence-transformers model is named by its folder: index, verify, search."""
    embedder = load_embedder(str(own_model), cache=tmp_path / "cache")
    assert embedder.dimension == 16
    report = build([articles], tmp_path / "ix", embedder, model=str(own_model))
    assert report.documents == 3 and verify(tmp_path / "ix").faults == ()
    opened = OpenIndex(tmp_path / "ix", load_embedder(str(own_model), cache=tmp_path / "cache"))
    hits = opened.search(Query("baclofen dose"), 1)
    assert "80 mg" in hits[0].passage.text
    assert not (tmp_path / "cache").exists()


def test_index_of_one_model_refuses_another(own_model, articles, tmp_path, minilm):
    """An index that a folder's model built is not opened with the default one."""
    build([articles], tmp_path / "ix", load_embedder(str(own_model), cache=tmp_path), model=str(own_model))
    with pytest.raises(IndexUnavailable, match="set that model, or build it anew"):
        OpenIndex(tmp_path / "ix", minilm)


def test_broken_model_is_one_clear_error(own_model, tmp_path):
    """A model whose configuration makes no sense is refused in words when it is first used."""
    import shutil

    broken = shutil.copytree(own_model, tmp_path / "broken")
    for path in broken.rglob("config.json"):
        path.write_text(json.dumps({"model_type": "no-such-model"}))
    with pytest.raises(ModelUnavailable, match="broken cannot be loaded"):
        load_embedder(str(broken), cache=tmp_path).embed(["x"])
