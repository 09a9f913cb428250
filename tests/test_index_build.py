"""Building, into each store: what a run reports, and that any way to a set of sources ends in the same index."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from conftest import TinyEmbedder, article, write_articles
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.documents import UnreadableSource
from index import build as build_module
from index.build import NothingToIndex, build
from index.lexical import content_terms
from index.manifest import current_generation, read_manifest, switch_to
from index.opened import OpenIndex
from index.search import Query
from index.stores import LOCAL
from index.verify import verify

# How many sequences of edits are tried: few in the common run, FOLLOWUP_SEQUENCES=500 (8 minutes) in the long one:
#   FOLLOWUP_SEQUENCES=500 pytest tests/test_index_build.py -k sequence
SEQUENCES = int(os.environ.get("FOLLOWUP_SEQUENCES", "8"))


# Which store the tests of this module use; each is its turn.
KEPT = {"in": LOCAL}


@pytest.fixture(scope="module", autouse=True)
def each_store(store_uri):
    """Run every test on each store."""
    KEPT["in"] = store_uri


def run(source, root, embedder=None):
    return build([source], root, embedder or TinyEmbedder(), model="tiny", store=KEPT["in"])


def open_index(root):
    return OpenIndex(root, TinyEmbedder(), KEPT["in"])


def checked(root):
    return verify(root, KEPT["in"])


def cosines(opened):
    """Return the cosine of each passage's text to every vector that the index keeps."""
    made = TinyEmbedder().embed([passage.embedded_text for passage in opened.records.passages()])
    return made, np.array([opened.store.cosines(vector, range(len(made))) for vector in made])


def content(root):
    """Return everything that a reader could see of an index."""
    opened = open_index(root)
    try:
        passages = list(opened.records.passages())
        documents = [opened.records.document(name).to_dict() for name in opened.records.document_ids]
        terms = dict.fromkeys(term for passage in passages for term in content_terms(passage.text))
        words = {term: opened.store.search({term: 1.0}, 100) for term in terms}
        return passages, documents, cosines(opened)[1].tolist(), words, opened.abbreviations, opened.version
    finally:
        opened.close()


def test_first_build_counts_what_it_added(articles, tmp_path):
    """A first build reports every document as added, and passages."""
    report = run(articles, tmp_path / "ix")
    assert (report.documents, report.added, report.changed, report.removed, report.unchanged) == (3, 3, 0, 0, 0)
    assert report.passages == 6 and report.rejected == ()


def test_unchanged_run_does_nothing(articles, tmp_path):
    """A second run over the same sources embeds and writes nothing and returns the same version."""
    first = run(articles, tmp_path / "ix")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in (tmp_path / "ix").rglob("*"))
    embedder = TinyEmbedder()
    second = run(articles, tmp_path / "ix", embedder)
    assert (second.unchanged, second.added, second.changed, second.removed) == (3, 0, 0, 0)
    assert second.index_version == first.index_version and embedder.embedded == 0
    assert sorted((str(path), path.stat().st_mtime_ns) for path in (tmp_path / "ix").rglob("*")) == before


def test_changed_added_removed_are_counted(articles, tmp_path):
    """An edit, a new file and a deleted file are told apart."""
    run(articles, tmp_path / "ix")
    (articles / "cramp.md").unlink()
    (articles / "quinine.md").write_text(article("quinine", words="Changed words."), "utf-8")
    (articles / "new.md").write_text(article("new"), "utf-8")
    report = run(articles, tmp_path / "ix")
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 1)


def test_unchanged_passages_are_not_embedded_again(articles, tmp_path):
    """After an edit of one article only its changed passages are embedded."""
    run(articles, tmp_path / "ix")
    (articles / "quinine.md").write_text(article("quinine", words="Changed words.", title="Quinine"), "utf-8")
    embedder = TinyEmbedder()
    run(articles, tmp_path / "ix", embedder)
    assert embedder.embedded == 1


def test_touched_file_changes_nothing(articles, tmp_path):
    """A file with a new date and the old content is no change."""
    first = run(articles, tmp_path / "ix")
    os.utime(articles / "cramp.md")
    assert run(articles, tmp_path / "ix").index_version == first.index_version


def test_edit_that_keeps_size_and_date_is_seen(articles, tmp_path):
    """An edit is seen even if a tool sets the date of the file back and its size is the same."""
    run(articles, tmp_path / "ix")
    path = articles / "baclofen.md"
    before = path.stat()
    path.write_text(path.read_text("utf-8").replace("80 mg", "60 mg"), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run(articles, tmp_path / "ix").changed == 1


def test_version_is_the_same_on_every_machine(articles, tmp_path):
    """Equal sources in another place, indexed into another place, give an equal version."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(articles, elsewhere)
    assert run(articles, tmp_path / "a").index_version == run(elsewhere, tmp_path / "b").index_version


def test_another_model_builds_anew(articles, tmp_path):
    """With another embedder the same sources are embedded again, under another version."""
    first = run(articles, tmp_path / "ix")
    other = TinyEmbedder("tiny:other")
    assert run(articles, tmp_path / "ix", other).index_version != first.index_version
    assert other.embedded == 6


def test_rejected_files_do_not_stop_the_rest(articles, tmp_path):
    """A line that is not JSON is listed with its place; the other lines and files are indexed."""
    good = {"_id": "good", "title": "Good", "text": "Drink water in the heat.", "metadata": {}}
    (articles / "corpus.jsonl").write_text(json.dumps(good) + "\n{not json\n", "utf-8")
    report = run(articles, tmp_path / "ix")
    assert report.documents == 4
    (rejected,) = report.rejected
    assert rejected.path == "corpus.jsonl:2" and "JSON" in rejected.reason


def test_two_documents_with_one_id(articles, tmp_path):
    """Of two documents with one id the first stands and the second is listed."""
    (articles / "z.md").write_text(article("cramp", words="An impostor."), "utf-8")
    report = run(articles, tmp_path / "ix")
    assert report.documents == 3
    (rejected,) = report.rejected
    assert rejected.path == "z.md" and "'cramp'" in rejected.reason


def test_file_that_cannot_be_read_is_rejected(articles, tmp_path, monkeypatch):
    """A file whose bytes cannot be read is left out with its reason; the rest is indexed."""
    real = Path.open

    def refuse(path, *args, **kwargs):
        if path.name == "cramp.md":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    report = run(articles, tmp_path / "ix")
    assert report.documents == 2
    assert [entry.path for entry in report.rejected] == ["cramp.md"]


def test_nothing_to_index_leaves_the_old_index(articles, tmp_path):
    """Sources without a document are refused, and the index that stood there still stands."""
    version = run(articles, tmp_path / "ix").index_version
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NothingToIndex):
        run(empty, tmp_path / "ix")
    assert checked(tmp_path / "ix").index_version == version
    assert checked(tmp_path / "ix").faults == ()


def test_missing_source_leaves_the_old_index(articles, tmp_path):
    """A source that does not exist is refused, and the index that stood there still stands."""
    version = run(articles, tmp_path / "ix").index_version
    with pytest.raises(UnreadableSource):
        build([articles, tmp_path / "nowhere"], tmp_path / "ix", TinyEmbedder(), model="tiny", store=KEPT["in"])
    assert checked(tmp_path / "ix").index_version == version


def test_no_more_than_two_generations_stay(articles, tmp_path):
    """Old generations are removed, but for the one that readers may still hold."""
    for number in range(5):
        (articles / "cramp.md").write_text(article("cramp", words=f"Version {number} of it."), "utf-8")
        run(articles, tmp_path / "ix")
    assert len(list((tmp_path / "ix" / "generations").iterdir())) == 2


def test_unused_vectors_go_when_there_are_many(articles, tmp_path):
    """The cache of vectors does not grow without end."""
    for number in range(30):
        for name in ("cramp", "quinine", "baclofen"):
            (articles / f"{name}.md").write_text(article(name, words=f"Round {number} {name}."), "utf-8")
        run(articles, tmp_path / "ix")
    assert (tmp_path / "ix" / "vectors.sqlite").stat().st_size < 100_000


def test_damaged_index_is_built_anew_by_the_same_command(articles, tmp_path):
    """The remedy that a message names works: indexing the same sources mends a changed byte."""
    version = run(articles, tmp_path / "ix").index_version
    path = current_generation(tmp_path / "ix") / "records.sqlite"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    assert checked(tmp_path / "ix").faults
    assert run(articles, tmp_path / "ix").index_version == version
    assert checked(tmp_path / "ix").faults == ()


def test_damaged_cache_is_made_again(articles, tmp_path):
    """A cache of vectors that is no database costs time, not the build."""
    run(articles, tmp_path / "ix")
    (tmp_path / "ix" / "vectors.sqlite").write_bytes(b"no database" * 1000)
    (articles / "new.md").write_text(article("new"), "utf-8")
    assert run(articles, tmp_path / "ix").documents == 4
    assert checked(tmp_path / "ix").faults == ()


def test_progress_is_told_by_phase(articles, tmp_path):
    """Each phase tells how far it is and ends at its total."""
    told = []
    build(
        [articles],
        tmp_path / "ix",
        TinyEmbedder(),
        model="tiny",
        store=KEPT["in"],
        on_progress=lambda *progress: told.append(progress),
    )
    # A database is written to when all is ready: one step more.
    stored = [] if KEPT["in"] == LOCAL else ["storing"]
    phases = ["reading", "embedding", "writing", *stored, "verifying"]
    assert list(dict.fromkeys(phase for phase, _, _ in told)) == phases
    assert {("embedding", 6, 6), ("writing", 6, 6), ("verifying", 6, 6)} <= set(told)


def test_vectors_are_those_of_the_embedder(articles, tmp_path):
    """Row i of the store is the vector of passage i, whatever came from the cache."""
    run(articles, tmp_path / "ix")
    (articles / "aaa.md").write_text(article("aaa"), "utf-8")
    run(articles, tmp_path / "ix")
    opened = open_index(tmp_path / "ix")
    made, kept = cosines(opened)
    assert kept == pytest.approx(made @ made.T, abs=1e-6)
    if KEPT["in"] == LOCAL:
        assert np.array_equal(np.array(opened.store.vectors.rows), made)


def test_manifest_names_sources_and_files(articles, tmp_path):
    """The manifest holds the hash of each source and of each file of the index."""
    run(articles, tmp_path / "ix")
    manifest = read_manifest(current_generation(tmp_path / "ix"))
    assert [source.path for source in manifest.sources] == ["baclofen.md", "cramp.md", "quinine.md"]
    assert {"records.sqlite", "titles.sqlite", "abbreviations.json"} <= set(manifest.files)
    assert ("vectors.npy" in manifest.files) == (KEPT["in"] == LOCAL)
    assert all(len(digest) == 64 for digest in manifest.files.values())


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
WORDS = st.sampled_from(["Rest the leg.", "Give 5 mg. Then stop.", "Deep vein thrombosis (DVT) is urgent."])
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, WORDS),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("rename"), NAMES, NAMES),
        st.tuples(st.just("index")),
    ),
    min_size=2,
    max_size=12,
)


def edit(folder, step):
    """Carry out one edit; an id stays with its text when its file is renamed."""
    match step:
        case ("put", name, words):
            (folder / f"{name}.md").write_text(article(f"id-{name}", words=words), "utf-8")
        case ("delete", name):
            (folder / f"{name}.md").unlink(missing_ok=True)
        case ("rename", name, other) if (folder / f"{name}.md").exists():
            (folder / f"{name}.md").replace(folder / f"{other}.md")


@settings(max_examples=SEQUENCES, deadline=None, derandomize=SEQUENCES < 100)
@given(EDITS)
def test_any_sequence_of_edits_equals_a_fresh_build(steps):
    """However the sources came to be what they are, the index is the one that a fresh build makes of them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, root = Path(scratch) / "sources", Path(scratch) / "ix"
        folder.mkdir()
        (folder / "always.md").write_text(article("always"), "utf-8")
        for step in steps:
            edit(folder, step)
            if step == ("index",):
                run(folder, root)
        version = run(folder, root).index_version
        assert run(folder, Path(scratch) / "fresh").index_version == version
        assert content(root) == content(Path(scratch) / "fresh")
        assert checked(root).faults == ()


def test_long_batches_are_cut_at_the_batch_size(tmp_path, monkeypatch):
    """Passages beyond one batch are all embedded, in their order."""
    monkeypatch.setattr(build_module, "_EMBED_BATCH", 4)
    folder = write_articles(tmp_path / "many", {f"n{number}": article(f"n{number}") for number in range(5)})
    assert run(folder, tmp_path / "ix").passages == 10
    opened = open_index(tmp_path / "ix")
    (hit,) = opened.search(Query("muscle relaxants for n3"), 1)
    assert hit.passage.document_id == "n3"


def test_index_of_another_layout_is_built_anew(articles, tmp_path):
    """After the program's layout has changed, the same sources are not "unchanged": what they were made into is."""
    run(articles, tmp_path / "ix")
    generation = current_generation(tmp_path / "ix")
    path = generation / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"schema": ', '"schema": 9'), "utf-8")
    switch_to(tmp_path / "ix", generation.name)
    run(articles, tmp_path / "ix")
    assert current_generation(tmp_path / "ix") != generation
    assert open_index(tmp_path / "ix").records.documents == 3
