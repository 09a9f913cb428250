"""The stores one by one: vectors in Chroma and flat, words in tantivy, the cache, the fusion."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.intents import intent_bits
from index.lexical import LexicalEntry, LexicalIndex, LexicalWriter, content_terms, terms_of
from index.search import DENSE_WEIGHT, INTENT_BONUS, Query, fuse
from index.unit_vectors import pack
from index.vector_cache import Kept, VectorCache, cache_fault
from index.vectors import ChromaVectors, FlatVectors, StoreFault, VectorWriter, missing_from


def unit(*rows):
    found = np.array(rows, np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def write(path, *batches):
    writer = VectorWriter(path, batches[0].shape[1])
    for batch in batches:
        writer.add(batch)
    writer.close()


ROWS = unit([1, 0, 0], [0, 1, 0], [1, 1, 0])
KEPT = {name: Kept(ROWS[row], pack(ROWS[: row + 1])) for row, name in enumerate(("one", "two"))}


def test_chroma_gives_cosine_similarities(tmp_path):
    """Chroma's distance becomes a similarity: 1 for the same direction, 0 for a right angle."""
    store = ChromaVectors(tmp_path / "chroma", create=True)
    store.add(["x", "y", "xy"], ROWS)
    (found,) = store.nearest(unit([5, 0, 0]), 3)
    assert found == [
        ("x", pytest.approx(1)),
        ("xy", pytest.approx(0.7071, abs=1e-4)),
        ("y", pytest.approx(0, abs=1e-6)),
    ]
    store.close()


def test_chroma_overwrites_and_never_doubles(tmp_path):
    """An id that is added again has the new vector, once."""
    store = ChromaVectors(tmp_path / "chroma", create=True)
    store.add(["x", "y"], ROWS[:2])
    store.add(["x"], ROWS[1:2])
    assert len(store) == 2 and store.holds("x", ROWS[1]) and not store.holds("x", ROWS[0])
    assert not store.holds("nobody", ROWS[0])
    store.close()


def test_stores_in_one_process_do_not_disturb_each_other(tmp_path):
    """Closing one store leaves another that is open at work."""
    one, other = (ChromaVectors(tmp_path / name, create=True) for name in ("one", "other"))
    one.add(["x"], ROWS[:1])
    other.add(["y"], ROWS[1:2])
    one.close()
    assert other.nearest(ROWS[1:2], 1)[0][0][0] == "y"
    other.close()


def test_missing_is_what_does_not_find_itself(tmp_path):
    """A passage whose stored vector is another's, or that is not there, is missing; a twin is not."""
    store = ChromaVectors(tmp_path / "chroma", create=True)
    store.add(["x", "twin", "wrong"], ROWS[[0, 0, 1]])
    assert missing_from(store, ["x", "twin"], ROWS[[0, 0]]) == []
    assert missing_from(store, ["x", "twin", "wrong", "gone"], ROWS[[0, 0, 2, 2]]) == ["wrong", "gone"]
    assert missing_from(store, ["gone"], ROWS[[0]]) == ["gone"]
    store.close()


def test_store_that_is_no_store_is_a_fault(tmp_path):
    """Rubbish where Chroma's file should be is reported as a fault of the store."""
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreFault):
        ChromaVectors(tmp_path / "chroma")


def test_flat_vectors_are_a_numpy_file(tmp_path):
    """What is written batch by batch is read back whole, also by NumPy itself."""
    write(tmp_path / "v.npy", ROWS[:2], ROWS[2:])
    flat = FlatVectors(tmp_path / "v.npy", 3, 3)
    assert len(flat) == 3 and np.array_equal(flat.rows, ROWS) and np.array_equal(np.load(tmp_path / "v.npy"), ROWS)
    assert flat.similarities(ROWS).tolist() == (ROWS @ ROWS.T).tolist()
    assert flat.similarities_of(ROWS[0], [2, 0]).tolist() == pytest.approx([0.7071, 1.0], abs=1e-4)


@pytest.mark.parametrize(("count", "dimension"), [(2, 3), (3, 4), (9, 1)])
def test_flat_vectors_of_another_shape_are_refused(tmp_path, count, dimension):
    """A file of another shape than the manifest says is refused."""
    write(tmp_path / "v.npy", ROWS)
    with pytest.raises(ValueError, match=f"does not hold {count} vectors of {dimension} numbers"):
        FlatVectors(tmp_path / "v.npy", count, dimension)


@pytest.fixture
def words(tmp_path):
    """Return a lexical index of four passages."""
    entries = [
        LexicalEntry(0, "Baclofen", "Dosing", "", "At most 80 mg a day."),
        LexicalEntry(
            1, "Calf cramp", "Treatment", "How is calf cramp treated?", "Stretching helps. Baclofen does not."
        ),
        LexicalEntry(2, "Œdema", "Signs", "", "Naïve patients with oedema of the calves."),
        LexicalEntry(3, "", "", "", "Nothing of the kind."),
    ]
    writer = LexicalWriter(tmp_path / "words")
    writer.add(entries)
    writer.close()
    return LexicalIndex(tmp_path / "words")


def search(words, text, limit=10, **more):
    return [row for row, _ in words.search(dict.fromkeys(content_terms(text), 1.0), limit, **more)]


def test_title_counts_more_than_body(words):
    """A word in the title ranks before the same word in the body."""
    assert search(words, "baclofen") == [0, 1]


def test_words_are_stemmed_and_folded(words):
    """Plural, accent and ligature do not matter."""
    assert search(words, "CALVES") == search(words, "calf") or search(words, "calves") == [2]
    assert search(words, "œdema") == search(words, "oedema") == [2]
    assert search(words, "naive stretches") == [2, 1] or set(search(words, "naive stretches")) == {1, 2}


@pytest.mark.parametrize("text", ['" OR *', "body:mg", "(", "a AND b", "-", "~^", "[1 TO 2]", "\\", "‮"])
def test_no_text_is_a_query_language(words, text):
    """Operators of a query language are words or nothing, never operators and never an error."""
    search(words, text)
    assert words.search({}, 10) == []


def test_required_terms_must_stand_there(words):
    """A required term excludes what lacks it; half of the terms of a topic are enough."""
    assert search(words, "baclofen", required=content_terms("stretching")) == [1]
    assert search(words, "baclofen", any_of=content_terms("calf cramp day")) == [1]


def test_frequency_counts_passages(words):
    """The frequency of a term is in passages of its most frequent field."""
    assert [words.document_frequency(term) for term in ("baclofen", "noth", "absent")] == [1, 1, 0]
    assert len(words) == 4


@given(st.text(max_size=200))
def test_terms_of_any_text(text):
    """Any text has terms, and those that name something are among them."""
    if text == text.encode("utf-8", "replace").decode("utf-8"):
        assert set(content_terms(text)) <= {*terms_of(text)} | {t for w in text.split() for t in content_terms(w)}


def test_cache_returns_what_it_was_given(tmp_path):
    """Vectors come back bit for bit, to the identity that put them there."""
    cache = VectorCache(tmp_path / "c.sqlite", "model-a", 3)
    cache.put(KEPT)
    assert set(cache.get(["one", "two", "three"])) == {"one", "two"}
    found = cache.get(["two"])["two"]
    assert np.array_equal(found.vector, ROWS[1]) and np.array_equal(found.units, KEPT["two"].units)
    cache.close()
    other = VectorCache(tmp_path / "c.sqlite", "model-b", 3)
    assert other.get(["one"]) == {} and len(other) == 2
    other.close()


def test_cache_forgets_what_is_not_kept(tmp_path):
    """Only the vectors of the named keys stay."""
    cache = VectorCache(tmp_path / "c.sqlite", "m", 3)
    cache.put(KEPT)
    cache.keep_only(iter(["two"]))
    assert len(cache) == 1 and set(cache.get(["one", "two"])) == {"two"}
    cache.close()


def test_changed_vector_counts_as_unknown(tmp_path):
    """A vector whose bytes changed on the disk is made again, never used."""
    cache = VectorCache(tmp_path / "c.sqlite", "m", 3)
    cache.put({"one": KEPT["one"]})
    cache.close()
    with sqlite3.connect(tmp_path / "c.sqlite") as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(12)")
    connection.close()
    cache = VectorCache(tmp_path / "c.sqlite", "m", 3)
    assert cache.get(["one"]) == {}
    cache.close()


def test_seal_tells_a_changed_byte(tmp_path):
    """A sealed cache that was changed is a fault; one that is being written is none."""
    path = tmp_path / "c.sqlite"
    assert cache_fault(path) == ""
    cache = VectorCache(path, "m", 3)
    cache.put({"one": KEPT["one"]})
    assert cache_fault(path) == ""
    cache.seal()
    assert cache_fault(path) == ""
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert "was changed since the index was built" in cache_fault(path)


@pytest.mark.parametrize("content", [b"no database at all" * 500, b"", b"SQLite format 3\x00" + b"\x07" * 9000])
def test_damaged_cache_begins_anew(tmp_path, content):
    """A file that is no database is replaced by an empty cache."""
    (tmp_path / "c.sqlite").write_bytes(content)
    cache = VectorCache(tmp_path / "c.sqlite", "m", 3)
    assert cache.get(["one"]) == {}
    cache.put({"one": KEPT["one"]})
    assert set(cache.get(["one"])) == {"one"}
    cache.close()


NONE = np.zeros(3, np.uint16)


def test_fusion_by_hand():
    """Fused score = dense share times cosine plus the rest times BM25 over the query's best."""
    ranked = fuse(np.array([0.5, 0.4, 0.0], np.float32), [(1, 8.0), (2, 4.0)], Query("x", intents=frozenset()), NONE, 3)
    lexical = 1 - DENSE_WEIGHT
    assert dict(zip(ranked.rows.tolist(), ranked.scores.tolist(), strict=True)) == pytest.approx(
        {0: 0.5 * DENSE_WEIGHT, 1: 0.4 * DENSE_WEIGHT + lexical, 2: 0.5 * lexical}
    )
    assert ranked.rows.tolist()[0] == 1


def test_section_of_the_asked_kind_is_lifted():
    """A section of the kind that is asked for gets the bonus."""
    intents = np.array([intent_bits(offered) for offered in ((), ("dose",), ("outlook",))], np.uint16)
    query = Query("x", intents=frozenset({"dose"}))
    ranked = fuse(np.array([0.5, 0.5, 0.5], np.float32), [], query, intents, 3)
    assert ranked.rows.tolist() == [1, 0, 2]
    assert ranked.scores[0] - ranked.scores[1] == pytest.approx(INTENT_BONUS)


def test_ties_go_to_the_earlier_row():
    """Equal scores keep the order of the index."""
    query = Query("x", intents=frozenset())
    assert fuse(np.zeros(3, np.float32), [], query, NONE, 3).rows.tolist() == [0, 1, 2]


@given(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), st.integers(1, 5))
def test_some_rows_rank_as_all_rows_do(cosines, limit):
    """Ranking a part of the rows (the graph's) gives the order that ranking all gives."""
    query = Query("x", intents=frozenset())
    lexical = [(2, 3.0)]
    whole = fuse(np.array(cosines, np.float32), lexical, query, NONE, limit)
    part = fuse(dict(enumerate(cosines)), lexical, query, NONE, limit)
    assert whole.rows.tolist() == part.rows.tolist() and len(whole.rows) == min(3, limit)
