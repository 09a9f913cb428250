"""Vectors of units: made from one reading of their passage, kept small, read back by row; stages run side by side."""

import threading

import numpy as np
import pytest
from conftest import TinyEmbedder, article, write_articles

import index.opened
from chatbot.answer.compose import UnitVectors, compose
from chatbot.answer.evidence import IndexLookup, gather
from chatbot.understand.followup import resolve
from index.build import build
from index.intents import Intent, intent_bits
from index.opened import OpenIndex
from index.passages import cut
from index.rows import answered_question
from index.stages import ahead
from index.unit_vectors import StoredUnitVectors, UnitVectorWriter, pack, packed_type, unpack
from index.verify import verify

RANDOM = np.random.default_rng(5).normal(size=(50, 384)).astype(np.float32)
RANDOM /= np.linalg.norm(RANDOM, axis=1, keepdims=True)


class TinyPartEmbedder(TinyEmbedder):
    """Gives each part the vector of its own words, and counts how often parts are asked for."""

    def embed_parts(self, texts, parts):
        alone = [
            self.embed([text[start:end] for start, end in spans]) for text, spans in zip(texts, parts, strict=True)
        ]
        return self.embed(texts), alone


def test_packed_vectors_keep_their_direction():
    """A quarter of the bytes costs less than .001 of cosine; a vector of nothing stays nothing."""
    packed = pack(RANDOM)
    assert packed.itemsize == 388 and ((unpack(packed) * RANDOM).sum(axis=1) > 0.999).all()
    assert not unpack(pack(np.zeros((1, 4), np.float32))).any()
    assert pack(np.zeros((0, 4), np.float32)).shape == (0,)


def test_units_are_read_back_by_row(tmp_path):
    """Each passage has its own units, also one that has none."""
    writer = UnitVectorWriter(tmp_path, 384)
    writer.add([pack(RANDOM[:3]), pack(RANDOM[:0])])
    writer.add([pack(RANDOM[3:5])])
    writer.close()
    stored = StoredUnitVectors(tmp_path, 3, 384)
    assert len(stored) == 5
    assert np.array_equal(stored.of(2, [1, 0]), unpack(pack(RANDOM[[4, 3]])))
    assert stored.of(1, []).shape == (0, 384)


@pytest.mark.parametrize(("passages", "dimension"), [(2, 384), (3, 100)])
def test_units_of_another_index_are_refused(tmp_path, passages, dimension):
    """Files of another number of passages, or of another dimension, are refused."""
    writer = UnitVectorWriter(tmp_path, 384)
    writer.add([pack(RANDOM[:1])] * 3)
    writer.close()
    with pytest.raises(ValueError, match="does not hold"):
        StoredUnitVectors(tmp_path, passages, dimension)


def test_units_stand_in_the_embedded_text(articles, tiny, tmp_path):
    """Where a unit is said to stand in what is embedded, its words stand."""
    build([articles], tmp_path / "ix", tiny, model="tiny")
    opened = OpenIndex(tmp_path / "ix", tiny)
    seen = 0
    for name in opened.records.document_ids:
        document = opened.records.document(name)
        for passage in cut(document):
            for unit, (start, end) in zip(passage.units, passage.embedded_units, strict=True):
                assert passage.embedded_text[start:end] == document.text[unit.start : unit.end]
                seen += 1
    assert seen >= 9
    opened.close()


def test_index_keeps_the_units_vectors(articles, tmp_path):
    """Each unit's vector is stored, verified as part of the index, and taken from the cache the second time."""
    embedder = TinyPartEmbedder()
    build([articles], tmp_path / "ix", embedder, model="tiny")
    opened = OpenIndex(tmp_path / "ix", embedder)
    for row, passage in enumerate(opened.records.passages()):
        document = opened.records.document(passage.document_id)
        wanted = embedder.embed([document.text[unit.start : unit.end] for unit in passage.units])
        found = opened.unit_vectors(row, range(len(passage.units)))
        assert np.allclose(found, wanted, atol=0.01)
    opened.close()
    assert verify(tmp_path / "ix").faults == ()
    before = embedder.embedded
    write_articles(
        articles, {path.stem: path.read_text("utf-8") for path in articles.glob("*.md")} | {"x": article("x")}
    )
    build([articles], tmp_path / "ix", embedder, model="tiny")
    assert 0 < embedder.embedded - before <= 8


def test_model_without_parts_stores_none(articles, tiny, tmp_path):
    """An embedder that gives no parts leaves the question of their vectors to the time when it is asked."""
    build([articles], tmp_path / "ix", tiny, model="tiny")
    assert OpenIndex(tmp_path / "ix", tiny).unit_vectors(0, [0]) is None


def test_composing_embeds_nothing_but_the_question(articles, tmp_path):
    """With stored vectors an answer costs one vector, that of the question."""
    embedder = TinyPartEmbedder()
    build([articles], tmp_path / "ix", embedder, model="tiny")
    opened = OpenIndex(tmp_path / "ix", embedder)
    resolution = resolve("What is the maximum dose of baclofen?", (), IndexLookup(opened))
    before = embedder.embedded
    evidence = gather(resolution, (), opened)
    statements, _ = compose(resolution, evidence, opened, UnitVectors(embedder), max_statements=4)
    assert statements[0].text == "The maximum dose of baclofen is 80 mg a day."
    assert embedder.embedded - before == 1
    opened.close()


def test_twin_gives_parts_from_one_reading(minilm):
    """The whole text's vector is that of `embed`; parts have length 1 and are read in their text, or alone past its end."""
    text = "Treatment of calf cramp. Stretch the calf. Avoid quinine." + " word" * 400 + " Baclofen."
    parts = [(0, 24), (25, 42), (43, 57), (len(text) - 9, len(text))]
    whole, (found,) = minilm.embed_parts([text], [parts])
    assert np.array_equal(whole, minilm.embed([text])) and found.shape == (4, 384)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    alone = minilm.embed([text[start:end] for start, end in parts])
    assert np.allclose(found[3], alone[3], atol=1e-6) and not np.allclose(found[1], alone[1], atol=0.01)
    short = "Calf cramp. Stretch the calf slowly for a minute. The drug quinine should be avoided."
    _, (found,) = minilm.embed_parts([short], [[(0, 11), (12, 48), (49, len(short))]])
    asked = minilm.embed(["Which drug should be avoided?", "How long is the calf stretched?"])
    assert (asked @ found.T).argmax(axis=1).tolist() == [2, 1]
    assert minilm.embed_parts([], [])[0].shape == (0, 384)
    assert minilm.embed_parts(["calf"], [[]])[1][0].shape == (0, 384)


def test_twin_gives_equal_parts_in_any_company(minilm):
    """A text's parts do not depend on what is embedded beside it, bit for bit."""
    texts = ["Stretch the calf. Rest.", "Quinine is not advised. Why? Arrhythmia.", "Drink."]
    parts = [[(0, 17), (18, 23)], [(0, 23)], [(0, 6)]]
    _, together = minilm.embed_parts(texts, parts)
    for text, spans, found in zip(texts, parts, together, strict=True):
        assert np.array_equal(minilm.embed_parts([text], [spans])[1][0], found)


def test_intents_are_read_anew_when_their_words_change(articles, tiny, tmp_path, monkeypatch):
    """An index that was read by other cue words is used with those of the program that opens it."""
    build([articles], tmp_path / "ix", tiny, model="tiny")
    usual = OpenIndex(tmp_path / "ix", tiny)
    monkeypatch.setattr(index.opened, "intents_digest", lambda: "another")
    anew = OpenIndex(tmp_path / "ix", tiny)
    assert np.array_equal(usual._intents, anew._intents) and usual._intents.any()
    monkeypatch.setattr(index.opened, "section_intents", lambda path, question: frozenset({"dose"}))
    assert set(OpenIndex(tmp_path / "ix", tiny)._intents.tolist()) == {intent_bits(["dose"])}


def test_each_intent_has_a_bit_of_its_own():
    """Sums of bits tell intents apart, and fit into two bytes."""
    every = Intent.__args__
    assert sorted(intent_bits([intent]) for intent in every) == [1 << place for place in range(len(every))]
    assert intent_bits(every) < 2**16 and intent_bits(["dose", "dose"]) == intent_bits(["dose"])


def test_title_that_asks_is_the_question(articles, tiny, tmp_path):
    """A document without a question of its own answers its title, where that asks; rows and records agree."""
    write_articles(articles, {"q": article("q", title="How is gout treated?"), "p": article("p", title="Gout")})
    build([articles], tmp_path / "ix", tiny, model="tiny")
    records = OpenIndex(tmp_path / "ix", tiny).records
    asked = {name: answered_question(records.document(name)) for name in records.document_ids}
    assert asked == {"q": "How is gout treated?", "p": ""}
    assert {question for _, question in records.sections_and_questions()} == {"How is gout treated?", ""}


def test_stage_keeps_order_and_stays_near():
    """Items come in order, and never more are made ahead than was said."""
    made, most = [], 0
    for item in ahead(lambda: (made.append(n) or n for n in range(200)), 3):
        most = max(most, len(made) - item)
    assert made == list(range(200)) and most <= 6


def test_stage_raises_where_it_is_used():
    """What ends a stage is raised to the one who reads it, after what came before."""

    def broken():
        yield 1
        raise OSError("disk full")

    items = ahead(broken, 2)
    assert next(items) == 1
    with pytest.raises(OSError, match="disk full"):
        next(items)
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda: 1 // 0, 2))


def test_stage_that_nobody_reads_on_is_closed():
    """A consumer that stops early leaves no thread behind, and the stage is closed in its own thread."""
    seen = []

    def stage():
        try:
            yield from range(10**6)
        finally:
            seen.append(threading.current_thread().name)

    threads = threading.active_count()
    items = ahead(stage, 2)
    assert next(items) == 0
    items.close()
    assert seen == ["stage"] and threading.active_count() == threads


def test_packed_type_is_what_readme_counts():
    """A packed unit vector takes its dimension in bytes, and four for the scale."""
    assert packed_type(384).itemsize == 388
