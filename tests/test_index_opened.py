"""The open index, of each store: all ways to search agree, masks hold, and what belongs together is found together."""

from contextlib import closing

import numpy as np
import pytest
from conftest import TinyEmbedder, article, write_articles

import index.local_store
import index.opened
import index.verify
from index.build import build
from index.local_store import faults_in
from index.manifest import current_generation, read_manifest
from index.opened import OpenIndex
from index.records import Records
from index.search import Query
from index.verify import verify


@pytest.fixture(scope="module")
def root(tmp_path_factory, store_uri):
    """Return the folder of an index of thirty articles."""
    folder = tmp_path_factory.mktemp("opened")
    words = "baclofen quinine magnesium stretch water heat statin iron".split()
    texts = {
        f"n{n:02}": article(
            f"n{n:02}", words=f"Give {words[n % 8]} and then {words[n % 5]} on day {n}.", title=f"Case {n}"
        )
        for n in range(30)
    }
    texts["dvt"] = article(
        "dvt", words="Suspect deep vein thrombosis (DVT). DVT is urgent.", title="Deep vein thrombosis"
    )
    sources = write_articles(folder / "sources", texts)
    build([sources], folder / "ix", TinyEmbedder(), model="tiny", store=store_uri)
    return folder / "ix"


@pytest.fixture
def opened(root, store_uri):
    """Open that index."""
    found = OpenIndex(root, TinyEmbedder(), store_uri)
    yield found
    found.close()


@pytest.fixture(scope="module")
def large_root(root, tmp_path_factory):
    """Return a copy of that index that was built as if it were too large for any scan."""
    folder = tmp_path_factory.mktemp("large") / "ix"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index.local_store, "EXACT_LIMIT", 10)
        patch.setattr(index.local_store, "SIGNS_LIMIT", 20)
        build([root.parent / "sources"], folder, TinyEmbedder(), model="tiny")
    return folder


@pytest.fixture
def by_graph(large_root, monkeypatch):
    """Open it as if it were too large for any scan, by Chroma's graph."""
    monkeypatch.setattr(index.opened, "EXACT_LIMIT", 10)
    monkeypatch.setattr(index.opened, "SIGNS_LIMIT", 10)
    monkeypatch.setattr(index.local_store, "SIGNS_LIMIT", 10)
    found = OpenIndex(large_root, TinyEmbedder())
    yield found
    found.close()


@pytest.fixture
def by_signs(large_root, monkeypatch):
    """Open it by the scan of the signs."""
    monkeypatch.setattr(index.opened, "EXACT_LIMIT", 10)
    found = OpenIndex(large_root, TinyEmbedder())
    yield found
    found.close()


QUESTIONS = ("quinine", "give baclofen on day 8", "What is the treatment?", "deep vein thrombosis", "zzz")


@pytest.mark.parametrize("question", QUESTIONS)
def test_graph_and_scans_agree(opened, by_graph, by_signs, question):
    """The graph and the signs find the passages that the exact scan finds, with the same scores."""
    exact = [(hit.passage.id, pytest.approx(hit.score, abs=1e-5)) for hit in opened.search(Query(question), 5)]
    for other in (by_graph, by_signs):
        assert [(hit.passage.id, hit.score) for hit in other.search(Query(question), 5)] == exact


@pytest.mark.parametrize("how", ["by_graph", "by_signs"])
def test_large_index_takes_masks_boosts_and_many_queries(how, opened, request):
    """Filters, boosts and several queries at once find in a large index what the exact scan finds."""
    large = request.getfixturevalue(how)
    allowed = large.rows_of_documents(["n03", "n04"])
    queries = [Query(question, allowed=allowed, boosts=((6, 0.5),)) for question in QUESTIONS]
    ranked = large.rank(queries, 3)
    assert [found.rows.tolist() for found in ranked] == [found.rows.tolist() for found in opened.rank(queries, 3)]
    assert {large.document_id(int(row)) for found in ranked for row in found.rows} <= {"n03", "n04"}


def test_index_opened_by_graph_is_still_sound(large_root, by_graph, monkeypatch):
    """Chroma writes to what it opens; a large index that readers have opened is checked by what it holds."""
    by_graph.search(Query("quinine"), 3)
    monkeypatch.setattr(index.verify, "SIGNS_LIMIT", 10)
    assert verify(large_root).faults == ()


def test_index_that_is_scanned_by_signs_has_no_graph(root, tmp_path, monkeypatch):
    """Between small and very large nothing reads Chroma's files: none stay, and the signs are checked."""
    monkeypatch.setattr(index.local_store, "EXACT_LIMIT", 10)
    build([root.parent / "sources"], tmp_path / "ix", TinyEmbedder(), model="tiny")
    generation = current_generation(tmp_path / "ix")
    assert (generation / "signs.npy").exists() and not (generation / "chroma").exists()
    assert verify(tmp_path / "ix").faults == ()
    signs = np.load(generation / "signs.npy")
    signs[0, 3] ^= 1
    np.save(generation / "signs.npy", signs)
    with closing(Records(generation / "records.sqlite")) as records:
        assert any(
            "signs of the vectors" in fault for fault in faults_in(generation, read_manifest(generation), records)
        )


def test_more_is_asked_than_there_is(opened, by_graph):
    """A limit beyond the number of passages returns what there is."""
    assert len(opened.search(Query("quinine"), 1000)) == len(opened.records.passage_ids()) == 62
    assert len(by_graph.search(Query("quinine"), 1000)) == 62


def test_masked_rows_never_come_back(opened):
    """Only rows of allowed documents are ranked, however few they are; none, if none is allowed."""
    hits = opened.search(Query("quinine", allowed=opened.rows_of_documents(["n07"])), 10)
    assert {hit.passage.document_id for hit in hits} == {"n07"} and len(hits) == 2
    assert opened.search(Query("quinine", allowed=opened.rows_of_documents([])), 10) == []


def test_rank_in_company_equals_rank_alone(opened):
    """Queries that are ranked together find what each finds alone."""
    queries = [Query(question) for question in QUESTIONS]
    together = [found.rows.tolist() for found in opened.rank(queries, 5)]
    assert together == [opened.rank([query], 5)[0].rows.tolist() for query in queries]
    assert opened.rank([], 5) == [] and opened.query_vectors([]).shape == (0, 32)


def test_context_moves_the_query(opened):
    """The vector of a query leans towards its context, and has length 1."""
    plain, leaning = opened.query_vectors([Query("quinine"), Query("quinine", context=(("baclofen", 1.0),))])
    baclofen = TinyEmbedder().embed(["baclofen"])[0]
    assert leaning @ baclofen > plain @ baclofen
    assert np.linalg.norm(leaning) == pytest.approx(1, abs=1e-6)


def test_abbreviations_are_those_of_the_corpus(opened):
    """What the documents explain is known to the open index."""
    assert opened.abbreviations == {"DVT": "deep vein thrombosis"}


def test_rows_and_documents_fit(opened):
    """Rows name the documents whose passages they are."""
    for row, passage in enumerate(opened.records.passages()):
        assert opened.document_id(row) == passage.document_id
        assert row in opened.records.rows_of_document(passage.document_id)
    assert opened.records.rows_of(["no such id"]) == []
    assert "dvt" in opened.records and "nope" not in opened.records
    with pytest.raises(KeyError):
        opened.records.document("nope")


def test_together_needs_both(opened):
    """A phrase and a topic stand together only if some passage holds both."""
    assert opened.together("urgent", "deep vein thrombosis")
    assert not opened.together("baclofen", "deep vein thrombosis")
    assert not opened.together("", "thrombosis") and not opened.together("urgent", "the")


def test_titles_are_found_within_a_question(opened):
    """A title that stands in a question is found whatever its form."""
    assert opened.titles.within("is DEEP vein thrombosis painful?") == "Deep vein thrombosis"
    assert opened.titles.within("what is gout?") == ""
    assert opened.titles.is_topic("vein thrombosis") and not opened.titles.is_topic("gout")
