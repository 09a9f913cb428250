"""Flipped and cut bytes anywhere in an index: found by `verify` or at opening, and never quoted."""

import os
import random
import shutil
import sqlite3

import pytest
from conftest import TinyEmbedder, article, write_articles

from index.build import build
from index.manifest import IndexUnavailable, current_generation, switch_to
from index.opened import OpenIndex
from index.records import DamagedIndex
from index.search import Query
from index.verify import verify

# How many bytes are changed: few in the common run, FOLLOWUP_FLIPS=200 in the long one:
#   FOLLOWUP_FLIPS=200 pytest tests/test_index_damage.py -k anywhere
FLIPS = int(os.environ.get("FOLLOWUP_FLIPS", "40"))
QUESTIONS = ("maximum dose of baclofen", "do not prescribe quinine", "stretch the calf", "rest the leg")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return an index that was built twice, so that it holds all that an index can hold."""
    folder = tmp_path_factory.mktemp("damage")
    texts = {f"n{number}": article(f"n{number}", words=f"Rest the leg for {number} days.") for number in range(20)}
    texts["baclofen"] = article("baclofen", words="The maximum dose of baclofen is 80 mg a day.")
    write_articles(folder / "sources", texts)
    build([folder / "sources"], folder / "ix", TinyEmbedder(), model="tiny")
    texts["n0"] = article("n0", words="Do not rest the leg.")
    write_articles(folder / "sources", texts)
    build([folder / "sources"], folder / "ix", TinyEmbedder(), model="tiny")
    return folder / "ix"


def quotes(root):
    """Return all that an answer could be made of: passages, their units with lead-ins, and their documents' facts."""
    opened = OpenIndex(root, TinyEmbedder())
    try:
        found = {}
        for question in QUESTIONS:
            for hit in opened.search(Query(question), 50):
                document = opened.records.document(hit.passage.document_id)
                units = [
                    (
                        document.text[unit.start : unit.end],
                        [document.text[a:b] for a, b in (*unit.lead_ins, *unit.notes)],
                    )
                    for unit in hit.passage.units
                ]
                found[hit.passage.id] = (hit.passage, units, document)
        return found
    finally:
        opened.close()


def damage(root, noise):
    """Flip one bit, or cut a file short, somewhere in the index; return what was done, in words."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.stat().st_size]
    # Half of the time by size, as a failing disk would; half by file, so that small ones are hit as well.
    sizes = [path.stat().st_size if noise.random() < 0.5 else 1 for path in files]
    (path,) = noise.choices(files, sizes)
    raw = bytearray(path.read_bytes())
    place = noise.randrange(len(raw))
    if noise.random() < 0.2:
        path.write_bytes(raw[:place])
        return f"{path.relative_to(root)} cut at {place}"
    raw[place] ^= 1 << noise.randrange(8)
    path.write_bytes(raw)
    return f"{path.relative_to(root)} flipped at {place}"


def test_damage_anywhere_is_found_and_never_quoted(sound, tmp_path):
    """Of random flips and cuts, at least 199 in 200 are found; no reader ever gets a text that was not indexed."""
    noise, right, missed = random.Random(11), quotes(sound), []
    for number in range(FLIPS):
        root = tmp_path / f"copy{number}"
        shutil.copytree(sound, root)
        done = damage(root, noise)
        try:
            found = quotes(root)
        except (DamagedIndex, IndexUnavailable):
            shutil.rmtree(root)
            continue
        assert all(right.get(name, quote) == quote for name, quote in found.items()), done
        assert set(found) <= {passage.id for passage in all_passages(sound)}, done
        try:
            if not verify(root).faults:
                missed.append(done)
        except IndexUnavailable:
            pass
        shutil.rmtree(root)
    assert len(missed) <= FLIPS // 200, missed


def all_passages(root):
    opened = OpenIndex(root, TinyEmbedder())
    try:
        return list(opened.records.passages())
    finally:
        opened.close()


def edit_rows(root, statement):
    path = current_generation(root) / "records.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def copied(sound, tmp_path):
    """Return a copy of the sound index, to be damaged."""
    return shutil.copytree(sound, tmp_path / "ix")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE passages SET text = replace(text, '80 mg', '90 mg')",
        "UPDATE passages SET units = replace(units, '0', '1')",
        "UPDATE passages SET lead_ins = '[\"Prescribe:\"]'",
        "UPDATE passages SET uncertain = 1",
        "UPDATE passages SET section = '[\"Other\"]'",
        'UPDATE passages SET "end" = "end" - 1',
        "UPDATE documents SET title = 'Other'",
        "UPDATE documents SET body = substr(body, 2)",
        "UPDATE passages SET document = 0 WHERE document = 1",
        "DELETE FROM passages WHERE row = 3",
    ],
)
def test_changed_rows_are_refused(copied, statement):
    """A row that says something else than what was indexed is never handed out, whatever the file's size."""
    edit_rows(copied, statement)
    with pytest.raises(DamagedIndex, match="the index is damaged, build it anew with 'followup index SOURCE'"):
        quotes(copied)
    assert verify(copied).faults


@pytest.mark.parametrize(
    "name",
    [
        "records.sqlite",
        "titles.sqlite",
        "vectors.npy",
        "abbreviations.json",
        "manifest.json",
        "lexical/meta.json",
        "chroma/chroma.sqlite3",
    ],
)
@pytest.mark.parametrize("how", ["missing", "empty", "rubbish"])
def test_file_that_is_no_file_of_ours_is_refused_at_opening(copied, name, how):
    """A file of the index that is gone, empty or something else is found when the index is opened."""
    path = current_generation(copied) / name
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "empty" else b"rubbish" * 5000)
    with pytest.raises(DamagedIndex):
        OpenIndex(copied, TinyEmbedder())
    assert verify(copied).faults


def test_same_size_rubbish_in_the_vectors_is_refused_at_opening(copied):
    """The header of the flat copy must be the one that belongs there."""
    path = current_generation(copied) / "vectors.npy"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(DamagedIndex):
        OpenIndex(copied, TinyEmbedder())


@pytest.mark.parametrize("text", ["", "000001\n", "../../etc\n", "000009 " + "0" * 64 + "\n", "\xff"])
def test_pointer_that_points_nowhere_is_damage(copied, text):
    """CURRENT is read strictly: anything but a name with its hash is damage, not another index."""
    (copied / "CURRENT").write_text(text, "latin-1")
    with pytest.raises(DamagedIndex, match="CURRENT"):
        OpenIndex(copied, TinyEmbedder())


def test_pointer_to_the_generation_before_is_refused(copied):
    """One flipped digit in CURRENT must not bring back the older index."""
    text = (copied / "CURRENT").read_text()
    (copied / "CURRENT").write_text(text.replace("000002", "000001", 1) if text.startswith("000002") else "")
    with pytest.raises(DamagedIndex):
        OpenIndex(copied, TinyEmbedder())


def test_pointer_that_is_gone_is_damage(copied):
    """Generations without a pointer are no index, and the user hears that it is damaged."""
    (copied / "CURRENT").unlink()
    with pytest.raises(DamagedIndex, match="CURRENT is missing"):
        current_generation(copied)


def test_no_index_names_the_command(tmp_path):
    """Where nothing was ever built, the message says how to build it."""
    with pytest.raises(IndexUnavailable, match="build one with 'followup index SOURCE --index"):
        OpenIndex(tmp_path, TinyEmbedder())


def test_index_of_another_model_is_refused(copied):
    """An index whose vectors come from another model is refused with the command that mends it."""
    with pytest.raises(IndexUnavailable, match=r"built with the model tiny .*build it anew with 'followup index"):
        OpenIndex(copied, TinyEmbedder("tiny:other"))


def test_index_of_another_layout_is_refused(copied):
    """An index of an older program is refused with the command that mends it."""
    generation = current_generation(copied)
    path = generation / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"schema": ', '"schema": 9'), "utf-8")
    switch_to(copied, generation.name)
    with pytest.raises(IndexUnavailable, match=r"layout 9\d+\.\d+, this program reads"):
        OpenIndex(copied, TinyEmbedder())
    assert "build it anew" in verify(copied).faults[0]


def test_foreign_file_in_a_generation_is_a_fault(copied):
    """What does not belong to the index is named."""
    (current_generation(copied) / "lexical" / "stray").write_text("x")
    assert any("does not belong" in fault for fault in verify(copied).faults)


def test_sound_index_has_no_faults(sound):
    """An index as it was built is sound, also when it was read from in between."""
    quotes(sound)
    found = verify(sound)
    assert found.faults == () and found.documents == 21 and found.passages == 42
