"""Embedding on Ray: the same vectors as here, shard by shard, resumed after a kill; and what it says when it cannot."""

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from conftest import ROOT, article, write_articles

from index.build import build
from index.embedding import load_embedder
from index.manifest import current_generation
from index.ray_engine import EngineUnavailable, embed_on_ray, is_ray
from index.weights import DEFAULT_MODEL

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra [scale])")
# Started in a process of its own: Ray leaves threads and sockets behind, and one process connects once.
PROGRAM = "from chatbot.cli import main; main()"


def index_on_ray(sources, root, environment, engine="ray"):
    command = [sys.executable, "-c", PROGRAM, "index", str(sources), "--index", str(root), "--engine", engine]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def kept(root):
    try:
        with closing(sqlite3.connect(f"file:{root / 'vectors.sqlite'}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.fixture
def many(tmp_path):
    """Return a folder of 120 articles: 240 passages, two shards."""
    texts = {f"n{n:03}": article(f"n{n:03}", words=f"Rest the leg for {n} days and then walk.") for n in range(120)}
    return write_articles(tmp_path / "many", texts)


@needs_ray
def test_killed_run_goes_on_and_gives_the_local_index(many, environment, model_cache, tmp_path):
    """A run killed after its first shard goes on with the rest; vectors and index version are those of a local run."""
    root, local = tmp_path / "ray", tmp_path / "local"
    first = index_on_ray(many, root, environment)
    while not kept(root) and first.poll() is None:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    before = kept(root)
    assert before
    again = index_on_ray(many, root, environment)
    output, errors = again.communicate()
    assert again.returncode == 0, errors
    report = build([many], local, load_embedder(cache=model_cache), model=DEFAULT_MODEL)
    assert kept(root) == kept(local) >= before and f"index {report.index_version}" in output
    for name in ("vectors.npy", "units.npy", "unit_starts.npy"):
        assert (current_generation(root) / name).read_bytes() == (current_generation(local) / name).read_bytes()


@needs_ray
@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "ray://no-such-host.invalid:10001", "ray://:x"])
def test_cluster_that_does_not_answer_is_named(address, articles, tmp_path, minilm):
    """A wrong address is refused at once, with how to start a cluster."""
    with pytest.raises(EngineUnavailable, match=f"no Ray cluster answers at {address} .*ray start --head"):
        embed_on_ray(
            [articles], tmp_path / "ix", minilm, address=address, model=DEFAULT_MODEL, cache=tmp_path, engine="auto"
        )


def test_without_ray_the_extra_is_named(articles, environment, tmp_path):
    """Where Ray is not installed one line says what to install; nothing is written but the lock."""
    blocked = tmp_path / "blocked"
    (blocked / "ray").mkdir(parents=True)
    (blocked / "ray" / "__init__.py").write_text("raise ImportError('blocked')")
    environment["PYTHONPATH"] = f"{blocked}{os.pathsep}{environment['PYTHONPATH']}"
    process = index_on_ray(articles, tmp_path / "ix", environment)
    output, errors = process.communicate()
    assert (process.returncode, output) == (1, "")
    assert errors == "followup: the engine 'ray' needs Ray: pip install 'followup[scale]'\n"


def test_engines_are_told_apart():
    """Only "ray" and addresses of its own scheme go to Ray."""
    assert is_ray("ray") and is_ray("ray://host:10001")
    assert not is_ray("onnx") and not is_ray("rays") and not is_ray("auto")
