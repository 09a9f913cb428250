"""What happens to an index, in each store, when a build is killed, stopped, or runs out of disk, and readers look on."""

import errno
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TinyEmbedder, article, write_articles

from index.build import build
from index.manifest import IndexUnavailable, current_generation
from index.opened import OpenIndex
from index.search import Query
from index.stores import LOCAL
from index.vectors import ChromaVectors
from index.verify import verify

# How many builds are killed, and of how many passages: few in the common run, in the long one (20 minutes):
#   FOLLOWUP_KILLS=200 FOLLOWUP_KILL_PASSAGES=5000 pytest tests/test_index_durability.py -k kill
KILLS = int(os.environ.get("FOLLOWUP_KILLS", "4"))
KILL_PASSAGES = int(os.environ.get("FOLLOWUP_KILL_PASSAGES", "400"))
# After so many kills a build is let run.
KILLS_A_BUILD = 4
# Readers ask this often while the index is rebuilt so often:
#   FOLLOWUP_REBUILDS=20 FOLLOWUP_QUERIES=1000 pytest tests/test_index_durability.py -k readers
REBUILDS = int(os.environ.get("FOLLOWUP_REBUILDS", "6"))
QUERIES = int(os.environ.get("FOLLOWUP_QUERIES", "200"))

# A process that builds; what it prints tells its parent where it is.
BUILDER = """
import sys
from pathlib import Path
from conftest import TinyEmbedder
from index.build import build
print("ready", flush=True)
report = build([Path(sys.argv[1])], Path(sys.argv[2]), TinyEmbedder(), model="tiny", store=sys.argv[3],
               # One write a line: stages tell from threads of their own.
               on_progress=lambda phase, done, total: print(f"{phase} {done}\\n", end="", flush=True))
print("done", report.index_version, flush=True)
"""


# Which store the tests of this module use; each is its turn.
KEPT = {"in": LOCAL}


@pytest.fixture(scope="module", autouse=True)
def each_store(store_uri):
    """Run every test on each store."""
    KEPT["in"] = store_uri


@pytest.fixture
def only_local():
    """Leave out stores that are another program's files."""
    if KEPT["in"] != LOCAL:
        pytest.skip("this is about the files of the local store")


def run(source, root):
    return build([source], root, TinyEmbedder(), model="tiny", store=KEPT["in"])


def open_index(root):
    return OpenIndex(root, TinyEmbedder(), KEPT["in"])


def checked(root):
    return verify(root, KEPT["in"])


def start_builder(source, root):
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(source), str(root), KEPT["in"]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )


def wait_for(process, start):
    """Read the process's output until a line begins with `start`."""
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise AssertionError(f"it ended before {start!r}: {process.stderr.read()}")


def passages_file(folder, count, *, edition):
    """Write a corpus of `count` passages, each of words of its own, as JSON Lines."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = random.Random(edition)
    lines = []
    for number in range(count):
        words = " ".join(f"w{noise.randrange(10**6)}" for _ in range(12))
        lines.append(f'{{"_id": "d{number}", "title": "Number {number}", "text": "Passage {edition} says {words}."}}')
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def assert_whole(root, count):
    """Nothing lost, nothing doubled, every passage finds itself."""
    assert checked(root).faults == ()
    opened = open_index(root)
    ids = opened.records.passage_ids()
    assert len(ids) == len(set(ids)) == count
    opened.close()


def test_killed_builds_lose_and_double_nothing(tmp_path):
    """Kill -9 at random points, also of builds that resume killed ones: the old index stands after each.

    A build that is let run after some kills is whole and is the fresh one.
    """
    noise, source, root = random.Random(7), tmp_path / "source", tmp_path / "ix"
    passages_file(source, KILL_PASSAGES, edition=0)
    started = time.monotonic()
    version = run(source, root).index_version
    length = max(0.5, time.monotonic() - started)
    versions = set()
    for kill in range(KILLS):
        if kill % KILLS_A_BUILD == 0:
            passages_file(source, KILL_PASSAGES, edition=kill + 1)
        process = start_builder(source, root)
        wait_for(process, "ready")
        time.sleep(noise.uniform(0, length))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        opened = open_index(root)
        assert len(set(opened.records.passage_ids())) == KILL_PASSAGES
        versions.add(opened.version)
        opened.close()
        if kill % KILLS_A_BUILD == KILLS_A_BUILD - 1 or kill == KILLS - 1:
            assert checked(root).faults == ()
            resumed = run(source, root)
            assert_whole(root, KILL_PASSAGES)
            # Killed in the moment after the switch, the new index stands; else the old one.
            assert versions <= {version, resumed.index_version}
            version, versions = resumed.index_version, set()
    with tempfile.TemporaryDirectory() as fresh:
        assert run(source, Path(fresh)).index_version == version


def test_killed_first_build_leaves_no_index(tmp_path):
    """Before the first build ends there is no index, and the message says how to make one."""
    passages_file(tmp_path / "source", 300, edition=0)
    process = start_builder(tmp_path / "source", tmp_path / "ix")
    wait_for(process, "writing")
    process.kill()
    process.communicate()
    with pytest.raises(IndexUnavailable, match="followup index SOURCE"):
        open_index(tmp_path / "ix")
    run(tmp_path / "source", tmp_path / "ix")
    assert_whole(tmp_path / "ix", 300)
    assert len(list((tmp_path / "ix" / "generations").iterdir())) == 1


def test_killed_build_is_resumed_from_its_vectors(tmp_path):
    """What was embedded before the kill is not embedded again."""
    passages_file(tmp_path / "source", 300, edition=0)
    process = start_builder(tmp_path / "source", tmp_path / "ix")
    # Stages run side by side: what is told as embedded is kept, whatever the others have done by then.
    done = int(wait_for(process, "embedding").split()[1])
    process.kill()
    process.communicate()
    embedder = TinyEmbedder()
    build([tmp_path / "source"], tmp_path / "ix", embedder, model="tiny", store=KEPT["in"])
    assert done >= 128 and embedder.embedded <= 300 - done


def test_second_writer_is_refused_within_a_second(tmp_path):
    """While one process builds another is told so, in plain words and at once."""
    passages_file(tmp_path / "source", 2000, edition=0)
    process = start_builder(tmp_path / "source", tmp_path / "ix")
    wait_for(process, "embedding")
    started = time.monotonic()
    with pytest.raises(IndexUnavailable, match="another process is building the index"):
        run(tmp_path / "source", tmp_path / "ix")
    assert time.monotonic() - started < 1.0
    process.communicate()
    assert process.returncode == 0


def test_interrupt_leaves_the_old_index(articles, tmp_path):
    """Ctrl-C in the middle of a build: the old index stands, and nothing of the new one lies about."""
    root = tmp_path / "ix"
    version = run(articles, root).index_version
    passages_file(articles, 3000, edition=0)
    process = start_builder(articles, root)
    wait_for(process, "embedding")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert checked(root).index_version == version and checked(root).faults == ()
    assert len(list((root / "generations").iterdir())) == 1


@pytest.mark.parametrize("phase", ["reading", "embedding", "writing"])
def test_full_disk_leaves_the_old_index(articles, tmp_path, phase):
    """A disk that fills up in any phase ends the build with an error, and the old index stands."""
    root = tmp_path / "ix"
    version = run(articles, root).index_version
    write_articles(articles, {"new": article("new")})

    def full(now, done, total):
        if now == phase:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build([articles], root, TinyEmbedder(), model="tiny", store=KEPT["in"], on_progress=full)
    assert checked(root).index_version == version and checked(root).faults == ()
    assert len(list((root / "generations").iterdir())) == 1


LIMITED = """
import resource, signal, sys
from pathlib import Path
from conftest import TinyEmbedder
from index.build import build
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import chromadb  # what it writes while it is imported is no part of the test
size = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    build([Path(sys.argv[1])], Path(sys.argv[2]), TinyEmbedder(), model="tiny")
except Exception as error:
    print(type(error).__name__, error)
    raise SystemExit(3)
"""


@pytest.mark.parametrize("size", [5_000, 60_000, 200_000, 350_000])
def test_files_that_cannot_grow_end_in_an_error(tmp_path, size, only_local):
    """Where the operating system refuses to let a file grow, the build ends by an exception, not by a signal."""
    source, root = tmp_path / "source", tmp_path / "ix"
    passages_file(source, 10, edition=0)
    version = run(source, root).index_version
    passages_file(source, 1500, edition=1)
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), str(root), str(size)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3, (done.returncode, done.stdout, done.stderr)
    assert checked(root).index_version == version and checked(root).faults == ()


def test_readers_never_mix_old_and_new(tmp_path):
    """Readers that ask during rebuilds get every answer from one edition, and see the new one when they reopen."""
    source, root = tmp_path / "source", tmp_path / "ix"

    def write(edition):
        texts = {f"n{n}": article(f"n{n}", words=f"edition{edition} says rest the leg.") for n in range(6)}
        write_articles(source, texts)

    write(0)
    run(source, root)
    editions, failures, stop = set(), [], threading.Event()

    def read():
        opened = open_index(root)
        asked, last = 0, False
        while asked < QUERIES // 2 or not last:
            # One more look after the last build, so that its edition is seen.
            last = stop.is_set()
            if not opened.is_current():
                opened.close()
                opened = open_index(root)
            hits = opened.search(Query("says rest the leg"), 6)
            found = {hit.passage.text.split()[0] for hit in hits if "says" in hit.passage.text}
            quoted = {opened.records.document(hit.passage.document_id).text.count(next(iter(found))) for hit in hits}
            if len(found) != 1 or quoted != {1}:
                failures.append((found, quoted))
            editions.update(found)
            asked += 1
        opened.close()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for edition in range(1, REBUILDS + 1):
        write(edition)
        run(source, root)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert f"edition{REBUILDS}" in editions and len(editions) > 1


def test_reader_keeps_what_it_opened(articles, tmp_path):
    """An index that was opened goes on answering from its own edition while newer ones replace it.

    Files that are open stay for as long as they are; a database keeps the edition before the current one.
    """
    root = tmp_path / "ix"
    run(articles, root)
    opened = open_index(root)
    for number in range(3 if KEPT["in"] == LOCAL else 1):
        write_articles(articles, {"other": article("other", words=f"Other words {number}.")})
        run(articles, root)
    assert not opened.is_current()
    hits = opened.search(Query("maximum dose of baclofen"), 1)
    assert "80 mg" in hits[0].passage.text
    assert opened.records.document("quinine").title == "Quinine"
    opened.close()


def test_vectors_are_verified_before_the_switch(articles, tmp_path, monkeypatch, only_local):
    """A store that silently loses vectors is found out before readers see it."""
    root = tmp_path / "ix"
    version = run(articles, root).index_version
    real = ChromaVectors.add

    def forgetful(self, ids, vectors, *, on_progress=None):
        real(self, ids, np.roll(vectors, 1, axis=0), on_progress=on_progress)

    monkeypatch.setattr(ChromaVectors, "add", forgetful)
    write_articles(articles, {"new": article("new", words="Entirely other words here."), "cramp": article("cramp")})
    with pytest.raises(Exception, match="lost passages"):
        run(articles, root)
    assert checked(root).index_version == version
    assert current_generation(root).name == "000001"
