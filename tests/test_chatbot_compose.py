"""Composing: what may be quoted, under what it is shown, and what is never quoted."""

import json
import threading

import numpy as np
import pytest
from conftest import TinyEmbedder

from chatbot.answer.compose import UnitVectors, cite, compose
from chatbot.answer.evidence import IndexLookup, gather
from chatbot.understand.followup import resolve
from index.build import build
from index.opened import OpenIndex

DOCUMENTS = [
    {
        "_id": "cramp",
        "title": "Calf cramp",
        "text": "Stretch the calf during a cramp. It eases within minutes. Is stretching safe? "
        "Quinine is effective. However, quinine is no longer recommended for calf cramp.\n\n"
        "Do not prescribe for calf cramp:\n- quinine\n- muscle relaxants for calf cramp\n- baclofen 5 mg",
    },
    {
        "_id": "twin",
        "title": "Cramp of the calf",
        "text": "Stretch the calf during a cramp. Drink water for calf cramp.",
    },
    {
        "_id": "pains",
        "title": "Pain while walking",
        "text": "Pain while walking has these causes:\n- Claudication: narrowed arteries that ache with each walk.\n"
        "- Gout: crystals that settle within a joint.\n- Blisters: shoes that rub the skin.",
    },
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open an index of two small documents."""
    folder = tmp_path_factory.mktemp("compose")
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({**row, "metadata": {}}) for row in DOCUMENTS))
    build([folder / "corpus.jsonl"], folder / "ix", TinyEmbedder(), model="tiny")
    return OpenIndex(folder / "ix", TinyEmbedder())


def composed(opened, question, **more):
    resolution = resolve(question, (), IndexLookup(opened))
    evidence = gather(resolution, (), opened)
    return compose(resolution, evidence, opened, UnitVectors(TinyEmbedder()), **{"max_statements": 8, **more})


def test_statements_are_verbatim_and_cited(opened):
    """Each statement stands in the passage whose number it cites."""
    statements, passages = composed(opened, "what helps calf cramp?")
    assert statements
    by_number = {passage.number: passage for passage in passages}
    assert list(by_number) == list(range(1, len(passages) + 1))
    assert all(s.text in by_number[number].text for s in statements for number in s.citations)
    assert {number for s in statements for number in s.citations} == set(by_number)


def test_items_are_quoted_under_their_lead_in(opened):
    """An item of "Do not prescribe" never stands without those words."""
    statements, _ = composed(opened, "muscle relaxants for calf cramp")
    items = [s for s in statements if s.text.startswith(("quinine", "muscle", "baclofen"))]
    assert items and all(s.context[-1] == "Do not prescribe for calf cramp:" for s in items)


def test_what_is_taken_back_is_never_quoted_alone(opened):
    """ "Quinine is effective." stands only with the sentence that takes it back."""
    for question in ("is quinine effective for calf cramp?", "quinine calf cramp"):
        for statement in composed(opened, question)[0]:
            assert ("Quinine is effective." in statement.text) <= ("no longer recommended" in statement.text)


def test_questions_and_lead_ins_are_no_statements(opened):
    """A sentence that asks or only introduces is never quoted."""
    statements, _ = composed(opened, "is stretching safe for calf cramp? do not prescribe")
    assert not [s.text for s in statements if s.text.endswith(("?", ":"))]


def test_same_sentence_is_quoted_once(opened):
    """Two documents that say the same are quoted once."""
    statements, _ = composed(opened, "stretch the calf during a cramp")
    assert len([s for s in statements if s.text.startswith("Stretch the calf during a cramp.")]) == 1


def test_number_of_statements_is_limited(opened):
    """No more statements than are wished for."""
    assert len(composed(opened, "calf cramp", max_statements=2)[0]) <= 2


def test_unsuitable_units_are_left_out(opened):
    """What `suits` refuses is not quoted; where it refuses all, nothing is."""
    statements, _ = composed(opened, "calf cramp", suits=lambda text, context: "quinine" not in text.lower())
    assert statements and not [s for s in statements if "quinine" in s.text.lower()]
    assert composed(opened, "calf cramp", suits=lambda text, context: False) == ((), ())


def test_statements_keep_their_source_s_order(opened):
    """Within a passage statements stand as in the source."""
    statements, _ = composed(opened, "calf cramp")
    for number in {s.citations for s in statements}:
        starts = [s.start for s in statements if s.citations == number]
        assert starts == sorted(starts)


def test_cited_passage_carries_only_the_references_of_its_quotes(shipped_bot):
    """References beside a passage are those that the quoted sentences themselves mark."""
    opened = shipped_bot.opened
    passage = next(p for p in opened.records.passages() if len(p.units) > 2)
    document = opened.records.document(passage.document_id)
    for unit in passage.units:
        wanted = document.cited_numbers(unit.start, unit.end)
        assert [entry.number for entry in cite(1, passage, document, [unit]).references] == list(wanted)
    assert cite(1, passage, document, []).references == ()


def test_unit_vectors_are_kept_and_forgotten():
    """A text is embedded once while it is remembered; the least used is forgotten first."""
    embedder = TinyEmbedder()
    vectors = UnitVectors(embedder, capacity=2)
    first = vectors.of(["a", "b", "a"])
    assert first.shape == (3, 32) and embedder.embedded == 2
    assert np.array_equal(vectors.of(["a"])[0], first[0]) and embedder.embedded == 2
    vectors.of(["c"])
    vectors.of(["a"])
    assert embedder.embedded == 3
    vectors.of(["b"])
    assert embedder.embedded == 4


def test_unit_vectors_may_be_shared_between_threads():
    """Threads that ask for many texts at once, beyond the capacity, get what they asked for."""
    vectors, faults = UnitVectors(TinyEmbedder(), capacity=3), []

    def ask(seed):
        for number in range(200):
            texts = [f"text {(number * seed + k) % 9}" for k in range(4)]
            if not np.array_equal(vectors.of(texts), TinyEmbedder().embed(texts)):
                faults.append(texts)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in (1, 2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_of_a_list_only_the_item_on_the_topic_is_quoted(opened):
    """What causes gout is told by the item on gout, not by its neighbours; the list's own subject has them all."""
    statements, _ = composed(opened, "what causes gout?")
    assert [s.text.split(":")[0] for s in statements if "causes:" in " ".join(s.context)] == ["Gout"]
    statements, _ = composed(opened, "what causes pain while walking?")
    assert len([s for s in statements if "causes:" in " ".join(s.context)]) == 3
