"""Laws of the whole project: who may import whom, that importing does nothing, that every outcome has words."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from conftest import ROOT

from chatbot.present.notices import ABSTENTIONS
from chatbot.replies import AbstentionReason

# Left to right: a package imports only itself and what stands to its left.
ORDER = ("corpus", "index", "chatbot", "app")
# Slow to import: from a fifth of a second to ten. Only what uses one imports it, when it does.
HEAVY = (
    "torch", "transformers", "sentence_transformers", "gradio", "chromadb", "langchain", "langchain_core", "nltk",
    "pandas", "matplotlib", "onnxruntime", "onnx", "tantivy", "pypdfium2", "pdfplumber", "psycopg", "sklearn",
)  # fmt: skip


def modules():
    for package in ORDER[:-1]:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "articles" not in path.parts:
                yield path
    yield ROOT / "app.py"


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_to_the_left(path):
    """corpus <- index <- chatbot <- app: data flows one way."""
    place = ORDER.index(name_of(path).split(".")[0])
    to_the_right = set(ORDER[place + 1 :])
    if name_of(path) == "chatbot.cli":
        # `followup serve` is `python app.py`, which holds no logic.
        to_the_right -= {"app"}
    assert {name.split(".")[0] for name in imported(path)} & to_the_right == set()


def test_chroma_is_known_to_one_module():
    """Only one module speaks with the vector store."""
    assert [name_of(path) for path in modules() if any(n.split(".")[0] == "chromadb" for n in imported(path))] == [
        "index.vectors"
    ]


def test_importing_loads_nothing_heavy():
    """No module of ours imports, while it is imported, what takes long; each does where it is used."""
    names = [name_of(path) for path in modules()]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        f"    loaded = [heavy for heavy in {HEAVY!r} if heavy in sys.modules]\n"
        "    assert not loaded, f'importing {name} loads {loaded}'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.splitlines()[-1:]


def test_answering_needs_no_reader():
    """What answers questions loads neither the readers of documents nor their parsers."""
    code = (
        "import sys, chatbot.reply, chatbot.cli, chatbot.ask\n"
        "print([name for name in sys.modules if name.startswith(('corpus.readers', 'lxml', 'sqlalchemy', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_importing_reads_no_environment_and_prints_nothing():
    """Importing everything with a hostile environment prints nothing and asks for no variable of ours."""
    names = [name_of(path) for path in modules()]
    code = (
        "import importlib, os\n"
        "class Watched(type(os.environ)):\n"
        "    def __getitem__(self, key):\n"
        "        assert not str(key).startswith('FOLLOWUP'), key\n"
        "        return super().__getitem__(key)\n"
        "os.environ.__class__ = Watched\n"
        f"[importlib.import_module(name) for name in {names!r}]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_abstention_has_words():
    """Every reason to abstain has its sentence, and no sentence is for a reason that there is not."""
    spoken_elsewhere = {"unfit_request"}  # its text comes with the rule that fired
    assert set(ABSTENTIONS) | spoken_elsewhere == set(get_args(AbstentionReason)) | (
        spoken_elsewhere & set(ABSTENTIONS)
    )
    assert all(text.strip() for text in ABSTENTIONS.values())


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_modules_say_what_they_are(path):
    """Every module opens by saying what it is and what it is not."""
    source = path.read_text("utf-8")
    if source.strip():
        words = ast.get_docstring(ast.parse(source)) or ""
        assert "Is: " in words and "Is not: " in words, "the docstring lacks 'Is: …' or 'Is not: …'"


def test_test_files_have_unique_flat_names():
    """A folder of tests must not shadow a package."""
    assert not [path for path in Path(ROOT / "tests").rglob("__init__.py")]
