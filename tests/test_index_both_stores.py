"""Each store alike: the same questions to the index's folder and to PostgreSQL, the same answers and the same care."""

import json
import threading

import numpy as np
import pytest
from conftest import TinyEmbedder, article, write_articles

import index.postgres
import index.postgres_store
import index.postgres_writer
from index.bm25 import count_terms, document_weights, kept_length
from index.build import build
from index.lexical import LexicalEntry, LexicalIndex, LexicalWriter, content_terms
from index.manifest import IndexUnavailable, current_generation, read_manifest
from index.opened import OpenIndex
from index.records import DamagedIndex
from index.search import Query
from index.stores import check_store
from index.verify import verify

WORDS = "baclofen quinine magnesium stretch water heat statin iron".split()


def texts(count=30, edition=0):
    return {
        f"n{n:02}": article(
            f"n{n:02}", words=f"Give {WORDS[n % 8]} and {WORDS[n % 5]} on day {n + edition}.", title=f"Case {n}"
        )
        for n in range(count)
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory, store_uri):
    """Return the folder of an index of thirty articles, built into the store."""
    folder = tmp_path_factory.mktemp("both")
    sources = write_articles(folder / "sources", texts() | {"twin": texts()["n03"].replace("id: n03", "id: twin")})
    build([sources], folder / "ix", TinyEmbedder(), model="tiny", store=store_uri)
    return folder / "ix"


@pytest.fixture
def opened(root, store_uri):
    """Open that index."""
    found = OpenIndex(root, TinyEmbedder(), store_uri)
    yield found
    found.close()


@pytest.fixture
def store(opened):
    """Return the store of that index."""
    return opened.store


@pytest.fixture
def vectors(opened):
    """Return what the embedder makes of every passage."""
    return TinyEmbedder().embed([passage.embedded_text for passage in opened.records.passages()])


def test_nearest_are_those_of_an_exact_scan(store, vectors):
    """For every passage's own vector: the rows and cosines that NumPy finds, best first."""
    for query, found in zip(vectors, store.nearest(vectors, 10), strict=True):
        exact = vectors @ query
        assert [cosine for _, cosine in found] == pytest.approx(sorted(exact, reverse=True)[:10], abs=1e-5)
        assert [cosine for _, cosine in found] == pytest.approx([exact[row] for row, _ in found], abs=1e-5)


def test_nearest_keeps_to_the_mask(store, vectors):
    """Only allowed rows come back, as many as are wanted or allowed; all allowed is as no mask."""
    few, none, every = np.zeros(len(store), bool), np.zeros(len(store), bool), np.ones(len(store), bool)
    few[[5, 9, 40]] = True
    assert {row for row, _ in store.nearest(vectors[:1], 10, few)[0]} == {5, 9, 40}
    assert store.nearest(vectors[:1], 10, none) == [[]]
    unmasked, masked = store.nearest(vectors[:1], 10)[0], store.nearest(vectors[:1], 10, every)[0]
    assert [cosine for _, cosine in masked] == pytest.approx([cosine for _, cosine in unmasked], abs=1e-5)


def test_more_neighbours_than_passages(store, vectors):
    """All rows come back, each once."""
    (found,) = store.nearest(vectors[:1], 1000)
    assert sorted(row for row, _ in found) == list(range(len(store)))


def test_cosines_of_given_rows(store, vectors):
    """In the order that was asked for, bit for bit what the vectors say but for the last digits."""
    rows = [7, 0, 31, 7]
    assert store.cosines(vectors[2], rows) == pytest.approx(vectors[rows] @ vectors[2], abs=1e-6)
    assert store.cosines(vectors[2], []).shape == (0,)


def test_words_add_up(store, opened):
    """Two terms score what each scores alone, together, by their weights."""
    one, other = dict(store.search({"quinin": 1.0}, 99)), dict(store.search({"magnesium": 1.0}, 99))
    both = dict(store.search({"quinin": 0.5, "magnesium": 2.0}, 99))
    assert both == {
        row: pytest.approx(0.5 * one.get(row, 0.0) + 2 * other.get(row, 0.0), rel=1e-5) for row in {*one, *other}
    }
    scores = [score for _, score in store.search({"quinin": 1.0}, 99)]
    assert scores == sorted(scores, reverse=True) and len(scores) > 5


def test_twins_tie_and_the_earlier_row_stands_first(store, opened):
    """The same words in two documents score the same, to the last digit."""
    (score, row), (other_score, other_row) = sorted(
        (score, row)
        for row, score in store.search({"case": 1.0, "3": 1.0, "magnesium": 1.0}, 99)
        if opened.document_id(row) in ("n03", "twin") and "Give" in opened.records.passage(row).text
    )
    assert score == other_score and row < other_row


def test_required_and_any_of(store, opened):
    """What is required stands in every passage found; two of any_of do, or its only one."""
    found = store.search({"day": 1.0}, 99, required=["quinin", "day"])
    assert found and all("quinine" in opened.records.passage(row).text for row, _ in found)
    some = store.search({"day": 1.0}, 99, any_of=["heat", "water", "absent"])
    assert some and all({"heat", "water"} <= set(opened.records.passage(row).text.split()) for row, _ in some)
    assert store.search({"day": 1.0}, 99, any_of=["iron"])
    assert store.search({"day": 1.0}, 99, required=["absent"]) == []
    assert store.search({"day": 1.0}, 99, any_of=["absent"]) == []


@pytest.mark.parametrize("terms", [{}, {"quinin": 0.0}, {"absent": 1.0}, {"a'b\"; --": 1.0, "%": 1.0, "\\": 1.0}])
def test_nothing_to_look_for_finds_nothing(store, terms):
    """No term, no weight, or no passage that holds it; and no text is a query language."""
    assert store.search(terms, 10) == []
    assert store.search({"quinin": 1.0}, 0) == []


def test_frequencies_are_counted_in_passages(store):
    """A term of every passage, of some, of none; the most frequent field counts."""
    assert [store.document_frequency(term) for term in ("treatment", "iron", "absent", "n03")] == [
        31,
        3,
        0,
        2,
    ]  # its own pitfalls and its twin's
    assert len(store) == 62


def test_both_stores_rank_alike(root, store_uri, opened, tmp_path):
    """Whatever the store, the hits and their scores are those of a local index of the same sources."""
    build([root.parent / "sources"], tmp_path / "ix", TinyEmbedder(), model="tiny")
    local = OpenIndex(tmp_path / "ix", TinyEmbedder())
    assert local.version == opened.version
    for question in ("quinine", "give baclofen on day 8", "What is the treatment?", "case 3 magnesium", "zzz"):
        expected = [(hit.passage.id, pytest.approx(hit.score, abs=2e-5)) for hit in local.search(Query(question), 10)]
        assert [(hit.passage.id, hit.score) for hit in opened.search(Query(question), 10)] == expected
    local.close()


def test_many_threads_share_one_store(opened):
    """24 threads at once find what one finds alone."""
    alone, faults = [opened.rank([Query(word)], 5)[0].rows.tolist() for word in WORDS], []

    def ask():
        for _ in range(4):
            if [opened.rank([Query(word)], 5)[0].rows.tolist() for word in WORDS] != alone:
                faults.append("another ranking")

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_built_index_is_sound(root, store_uri):
    """Every table and file is as it was written, and every passage finds itself."""
    assert verify(root, store_uri).faults == ()


def run(sources, root, uri):
    return build([sources], root, TinyEmbedder(), model="tiny", store=uri)


def found_by(root, uri, question="magnesium"):
    opened = OpenIndex(root, TinyEmbedder(), uri)
    try:
        return [hit.passage.id for hit in opened.search(Query(question), 5)]
    finally:
        opened.close()


def test_an_unchanged_run_does_nothing(tmp_path, store_uri):
    """Nothing is embedded or written again, and the version stays."""
    sources = write_articles(tmp_path / "sources", texts(4))
    version = run(sources, tmp_path / "ix", store_uri).index_version
    embedder = TinyEmbedder()
    report = build([sources], tmp_path / "ix", embedder, model="tiny", store=store_uri)
    assert (report.index_version, report.unchanged, embedder.embedded) == (version, 4, 0)
    assert len(list((tmp_path / "ix" / "generations").iterdir())) == 1


def test_readers_keep_their_generation_until_they_open_the_next(tmp_path, store_uri):
    """While and after an index is built anew, who has the old one open reads it; a new reader reads the new one."""
    sources = write_articles(tmp_path / "sources", texts(4))
    run(sources, tmp_path / "ix", store_uri)
    before = OpenIndex(tmp_path / "ix", TinyEmbedder(), store_uri)
    ids = [hit.passage.id for hit in before.search(Query("magnesium"), 5)]
    write_articles(sources, texts(4, edition=50))
    run(sources, tmp_path / "ix", store_uri)
    assert not before.is_current()
    assert [hit.passage.id for hit in before.search(Query("magnesium"), 5)] == ids
    assert found_by(tmp_path / "ix", store_uri) != ids
    before.close()


def test_a_build_that_fails_leaves_the_old_index_and_nothing_else(tmp_path, store_uri):
    """Whatever stops a build, the old index answers as before, and the next build mends all."""
    sources = write_articles(tmp_path / "sources", texts(4))
    version = run(sources, tmp_path / "ix", store_uri).index_version
    ids = found_by(tmp_path / "ix", store_uri)
    write_articles(sources, texts(4, edition=50))

    def stop(phase, done, total):
        if phase == "verifying" and done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([sources], tmp_path / "ix", TinyEmbedder(), model="tiny", store=store_uri, on_progress=stop)
    assert found_by(tmp_path / "ix", store_uri) == ids
    assert verify(tmp_path / "ix", store_uri).faults == ()
    assert run(sources, tmp_path / "ix", store_uri).index_version != version
    assert verify(tmp_path / "ix", store_uri).faults == ()


def test_the_store_of_an_index_can_be_changed(tmp_path, pgvector):
    """The same command with another store moves the index there, without embedding anything again."""
    uri = pgvector.database("moved")
    sources = write_articles(tmp_path / "sources", texts(4))
    run(sources, tmp_path / "ix", "local")
    ids = found_by(tmp_path / "ix", "local")
    for there in (uri, "local"):
        embedder = TinyEmbedder()
        build([sources], tmp_path / "ix", embedder, model="tiny", store=there)
        assert embedder.embedded == 0
        assert found_by(tmp_path / "ix", there) == ids
        assert (current_generation(tmp_path / "ix") / "vectors.npy").exists() == (there == "local")


# What follows is PostgreSQL's alone.


@pytest.fixture
def database(pgvector, tmp_path):
    """Return an empty database, and an index of four articles in it."""
    uri = pgvector.database(f"own-{tmp_path.name}")
    run(write_articles(tmp_path / "sources", texts(4)), tmp_path / "ix", uri)
    return uri


def execute(uri, statement):
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def schemas(uri):
    return sorted(name for (name,) in execute(uri, "SELECT nspname FROM pg_namespace WHERE nspname ~ '^followup_'"))


def schema_of(root):
    return read_manifest(current_generation(root)).store["schema"]


def test_no_more_than_two_schemas_stay(database, tmp_path):
    """Old generations go from the database as from the folder; a schema is named by the index's version."""
    names = [schema_of(tmp_path / "ix")]
    for edition in (10, 20, 30):
        write_articles(tmp_path / "sources", texts(4, edition=edition))
        version = run(tmp_path / "sources", tmp_path / "ix", database).index_version
        names.append(schema_of(tmp_path / "ix"))
        assert names[-1].startswith(f"followup_{version}_")
        assert schemas(database) == sorted(names[-2:])


def test_what_a_killed_build_left_goes_with_the_next(database, tmp_path):
    """Killed between the database's commit and the switch, a build leaves a schema that nobody reads."""
    orphan, kept = "followup_0123456789ab_01234567", schema_of(tmp_path / "ix")
    execute(database, f"CREATE SCHEMA {orphan}")
    left = tmp_path / "ix" / "generations" / "000777"
    left.mkdir()
    (left / "store.json").write_text(json.dumps({"engine": "postgresql", "schema": orphan}), "utf-8")
    run(tmp_path / "sources", tmp_path / "ix", database)
    assert schemas(database) == [kept] and not left.exists()


@pytest.mark.parametrize("name", ["public", "followup_x; DROP SCHEMA public", 7, None])
def test_no_other_schema_is_ever_dropped(database, tmp_path, name):
    """A changed note cannot name a schema that is not an index."""
    left = tmp_path / "ix" / "generations" / "000777"
    left.mkdir()
    (left / "store.json").write_text(json.dumps({"schema": name}), "utf-8")
    run(tmp_path / "sources", tmp_path / "ix", database)
    assert execute(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'public'") == [(1,)]
    assert verify(tmp_path / "ix", database).faults == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE {}.terms SET weights = array_append(weights[2:], 0.5::real) WHERE term = 'quinin'", "terms"),
        ("UPDATE {}.words SET words = (SELECT words FROM {}.words WHERE row = 1) WHERE row = 2", "words"),
        ("DELETE FROM {}.passages WHERE row = 3", "passages"),
        ("UPDATE {0}.passages SET embedding = (SELECT embedding FROM {0}.passages WHERE row = 1) WHERE row = 2", "pas"),
    ],
)
def test_a_changed_row_is_found(database, tmp_path, change, fault):
    """Verification names the table; the remedy that it names mends it."""
    name = schema_of(tmp_path / "ix")
    execute(database, change.format(name, name))
    faults = verify(tmp_path / "ix", database).faults
    assert any(f"{name}.{fault}" in line and "was changed" in line for line in faults)


def test_a_row_that_is_gone_is_no_answer(database, tmp_path):
    """A passage whose vector was deleted is reported as damage, not ranked as far away."""
    execute(database, f"DELETE FROM {schema_of(tmp_path / 'ix')}.passages WHERE row = 0")
    opened = OpenIndex(tmp_path / "ix", TinyEmbedder(), database)
    with pytest.raises(DamagedIndex, match="lacks passage 0"):
        opened.store.cosines(TinyEmbedder().embed(["x"])[0], [0])
    opened.close()


def test_a_store_that_does_not_hold_the_index_says_what_it_holds(database, tmp_path, pgvector):
    """A dropped schema, another database, and a schema of another version: one line each, and a remedy."""
    name = schema_of(tmp_path / "ix")
    with pytest.raises(IndexUnavailable, match=rf"does not hold index \w+ \({name}\): set FOLLOWUP_STORE to"):
        OpenIndex(tmp_path / "ix", TinyEmbedder(), pgvector.database(f"empty-{tmp_path.name}"))
    execute(database, f'COMMENT ON SCHEMA {name} IS \'{{"index_version": "other", "layout": 1}}\'')
    with pytest.raises(IndexUnavailable, match=r"is of another index \(other, layout 1\): build it anew"):
        OpenIndex(tmp_path / "ix", TinyEmbedder(), database)
    execute(database, f"DROP SCHEMA {name} CASCADE")
    with pytest.raises(IndexUnavailable, match="build it anew with 'followup index SOURCE'"):
        OpenIndex(tmp_path / "ix", TinyEmbedder(), database)
    run(tmp_path / "sources", tmp_path / "ix", database)
    assert verify(tmp_path / "ix", database).faults == ()


def test_a_setting_that_does_not_fit_the_index_is_said(database, tmp_path):
    """An index in a database opened as local, and the other way round."""
    with pytest.raises(IndexUnavailable, match="keeps its vectors and words in postgresql: set FOLLOWUP_STORE"):
        OpenIndex(tmp_path / "ix", TinyEmbedder())
    run(tmp_path / "sources", tmp_path / "other", "local")
    with pytest.raises(IndexUnavailable, match="in its folder: set FOLLOWUP_STORE=local"):
        OpenIndex(tmp_path / "other", TinyEmbedder(), database)


@pytest.mark.parametrize("uri", ["", "Local", "sqlite:///x", "milvus.example:19530", "http://me:secret@host/db"])
def test_a_store_that_nobody_knows_is_refused(uri):
    """The words name the two kinds that there are, and no password."""
    with pytest.raises(IndexUnavailable, match="set FOLLOWUP_STORE to 'local'") as raised:
        check_store(uri)
    assert "secret" not in str(raised.value)


def test_a_server_that_is_down_is_said_and_met_again_when_it_is_up(pgvector, tmp_path):
    """While the server is down every way in says so, without the password; after it is back, an open index answers."""
    from postgres_server import installed, running_server

    with running_server(installed()[0]) as server:
        sources = write_articles(tmp_path / "sources", texts(4))
        uri = server.uri.replace("followup@", "followup:hush@")
        run(sources, tmp_path / "ix", uri)
        opened = OpenIndex(tmp_path / "ix", TinyEmbedder(), uri)
        ids = [hit.passage.id for hit in opened.search(Query("magnesium"), 5)]
        server.stop()
        for attempt in (
            lambda: opened.search(Query("quinine"), 5),
            lambda: OpenIndex(tmp_path / "ix", TinyEmbedder(), uri),
            lambda: verify(tmp_path / "ix", uri),
            lambda: run(sources, tmp_path / "ix", uri),
        ):
            with pytest.raises(IndexUnavailable, match=r"does not answer as it should.*see that it runs") as raised:
                attempt()
            assert "hush" not in str(raised.value) and "\n" not in str(raised.value)
        server.start()
        assert [hit.passage.id for hit in opened.search(Query("magnesium"), 5)] == ids
        opened.close()


def test_a_server_without_pgvector_is_said(postgres, tmp_path):
    """The words name the package; nothing is left in the database."""
    from postgres_server import has_pgvector, installed, running_server

    plain = [folder for folder in installed() if not has_pgvector(folder)]
    if not plain:
        pytest.skip("every PostgreSQL server that is installed here has pgvector")
    with running_server(plain[0]) as server:
        with pytest.raises(IndexUnavailable, match=r"has no pgvector: install version 0\.8 or newer on the server"):
            run(write_articles(tmp_path / "sources", texts(4)), tmp_path / "ix", server.uri)
        assert schemas(server.uri) == [] and not list((tmp_path / "ix" / "generations").iterdir())


def test_long_lists_are_cut_and_their_passages_scored_in_full(tmp_path, pgvector, monkeypatch):
    """With lists cut far below the corpus, the best passages stay those of the whole lists."""
    uri = pgvector.database("cut-lists")
    sources = write_articles(tmp_path / "sources", texts(30))
    run(sources, tmp_path / "whole", uri)
    monkeypatch.setattr(index.postgres_writer, "LISTED", 12)
    run(sources, tmp_path / "cut", uri)
    whole, cut = (OpenIndex(tmp_path / name, TinyEmbedder(), uri) for name in ("whole", "cut"))
    longest = execute(
        uri, f"SELECT max(array_length(rows, 1)), bool_and(whole) FROM {schema_of(tmp_path / 'cut')}.terms"
    )
    assert longest == [(12, False)]
    for question in ("quinine treatment", "give baclofen on day 8", "case magnesium stretch"):
        terms = dict.fromkeys(content_terms(question), 1.0)
        expected = [(row, pytest.approx(score, rel=1e-5)) for row, score in whole.store.search(terms, 3)]
        assert cut.store.search(terms, 3) == expected
    assert cut.store.document_frequency("treatment") == whole.store.document_frequency("treatment") == 30
    whole.close(), cut.close()


def test_blocks_lose_nothing_at_their_ends(tmp_path, pgvector, monkeypatch):
    """Passages are copied in blocks; each is kept in its own row, also beside the end of a block."""
    monkeypatch.setattr(index.postgres_writer, "BLOCK", 7)
    monkeypatch.setattr(index.postgres, "BLOCK", 7)
    monkeypatch.setattr(index.postgres_store, "BLOCK", 7)
    uri = pgvector.database("blocks")
    run(write_articles(tmp_path / "sources", texts(11)), tmp_path / "ix", uri)
    assert verify(tmp_path / "ix", uri).faults == ()
    opened = OpenIndex(tmp_path / "ix", TinyEmbedder(), uri)
    vectors = TinyEmbedder().embed([passage.embedded_text for passage in opened.records.passages()])
    assert [opened.store.cosines(vector, [row])[0] for row, vector in enumerate(vectors)] == pytest.approx([1.0] * 22)
    opened.close()


def test_large_masks_go_through_the_graph(database, tmp_path, monkeypatch):
    """A mask of more rows than are scanned is kept to as well."""
    monkeypatch.setattr(index.postgres_store, "_SCANNED", 2)
    opened = OpenIndex(tmp_path / "ix", TinyEmbedder(), database)
    allowed = np.arange(len(opened.store)) % 2 == 1
    for graph in ("off", "on"):
        with opened.store._engine.connect() as connection:
            connection.exec_driver_sql(f"SET enable_seqscan = {graph}")
        (found,) = opened.store.nearest(TinyEmbedder().embed(["quinine"]), 99, allowed)
        assert sorted(row for row, _ in found) == np.flatnonzero(allowed).tolist()
    opened.close()


ENTRIES = [
    LexicalEntry(0, "Baclofen", "Dosing", "", "At most 80 mg a day. " + "Baclofen tablets are small. " * 30),
    LexicalEntry(1, "Calf cramp", "Treatment", "How is calf cramp treated?", "Stretching helps. Baclofen does not."),
    LexicalEntry(2, "Œdema", "Signs", "", "Naïve patients with oedema of the calves." * 9),
    LexicalEntry(3, "", "", "", "Nothing of the kind."),
]


def test_weights_add_up_to_the_scores_of_tantivy(tmp_path):
    """For every term of four passages, long ones among them, the weight is the score that tantivy gives."""
    writer = LexicalWriter(tmp_path / "words")
    writer.add(ENTRIES)
    writer.close()
    words, statistics = LexicalIndex(tmp_path / "words"), count_terms(ENTRIES)
    weights = [document_weights(entry, statistics) for entry in ENTRIES]
    for term in statistics.terms():
        mine = {row: held[term] for row, held in enumerate(weights) if term in held}
        assert dict(words.search({term: 1.0}, 10)) == {
            row: pytest.approx(score, rel=1e-6) for row, score in mine.items()
        }
        assert words.document_frequency(term) == statistics.frequency(term)
    assert [kept_length(length) for length in (0, 24, 41, 57, 61, 300)] == [0, 24, 40, 56, 60, 280]
