"""Texts in, unit vectors out.

Is: one small protocol with two adapters, the fast twin of the default model and sentence-transformers for any
model. Is not: a cache of vectors (see `build.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from index.fastpath import EXPORT_VERSION, exported_model, open_session
from index.weights import DEFAULT_MODEL, ModelFiles, ModelUnavailable, find_model

Vectors = NDArray[np.float32]
Engine = Literal["auto", "onnx", "torch"]
# all-MiniLM-L6-v2 was trained on at most this many tokens. Source: its model card.
_DEFAULT_MAX_TOKENS = 256


class Embedder(Protocol):
    """Turns texts into vectors of length 1.

    `identity` names the weights and the arithmetic: two embedders with equal identities give vectors that may
    be compared.
    """

    @property
    def identity(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length 1."""
        ...


def load_embedder(name: str = DEFAULT_MODEL, *, cache: Path, engine: Engine = "auto") -> Embedder:
    """Return the embedder of a model: the fast twin where there is one, else sentence-transformers.

    Raises:
        ModelUnavailable: see `find_model`.
    """
    # The twin in the cache names the hash of the weights that it was made from; they are hashed to make it.
    model = find_model(name, check=engine == "torch")
    if engine == "onnx" and not model.is_default:
        raise ModelUnavailable(f"the engine 'onnx' runs {DEFAULT_MODEL} only, not {name!r}: set the engine 'auto'")
    if engine != "torch" and model.is_default:
        return OnnxEmbedder(model, cache)
    return SentenceTransformerEmbedder(model)


class OnnxEmbedder:
    """The default model's int8 twin.

    One text per run of the session, runs side by side on all cores: no padding is computed, and a text's vector
    does not depend on its neighbours (int8 scales are set per run), so that every build gives equal vectors.
    """

    def __init__(self, model: ModelFiles, cache: Path) -> None:
        self._model = model
        self._cache = cache
        self._session: Any = None
        self._tokenizer: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._opening = Lock()

    @property
    def identity(self) -> str:
        return f"{self._model.digest[:16]}:onnx-int8-v{EXPORT_VERSION}"

    @property
    def dimension(self) -> int:
        return 384

    def embed(self, texts: Sequence[str]) -> Vectors:
        self._open()
        encoded = self._tokenizer.encode_batch(list(texts))
        if len(encoded) <= 1:
            rows: Iterable[Vectors] = map(self._run, encoded)
        else:
            assert self._pool is not None
            rows = self._pool.map(self._run, encoded)
        return np.array(list(rows), dtype=np.float32).reshape(len(texts), self.dimension)

    def _run(self, encoding: Any) -> Vectors:
        ids = np.array([encoding.ids], dtype=np.int64)
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        row: Vectors = vectors[0]
        return row

    def _open(self) -> None:
        with self._opening:
            if self._pool is None:
                self._open_parts()

    def _open_parts(self) -> None:
        from tokenizers import Tokenizer

        path = exported_model(self._model, self._cache)
        tokenizer = Tokenizer.from_file(str(self._model.folder / "tokenizer.json"))
        tokenizer.enable_truncation(_DEFAULT_MAX_TOKENS)
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._session = open_session(path, threads=1)
        self._pool = ThreadPoolExecutor(max_workers=available_cores(), thread_name_prefix="embed")


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, on torch; the reference for the fast twin."""

    def __init__(self, model: ModelFiles) -> None:
        self._files = model
        self._model: Any = None
        self._opening = Lock()

    @property
    def identity(self) -> str:
        return f"{self._files.digest[:16]}:torch"

    @property
    def dimension(self) -> int:
        size = self._open().get_embedding_dimension()
        assert size is not None, f"{self._files.name} does not say its dimension"
        return int(size)

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = self._open().encode(
            list(texts),
            batch_size=8,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def _open(self) -> Any:
        with self._opening:
            if self._model is None:
                self._model = self._loaded()
        return self._model

    def _loaded(self) -> Any:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            model = SentenceTransformer(
                str(self._files.folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelUnavailable(f"{self._files.name} cannot be loaded: {reason}") from error
        if self._files.is_default:
            model.max_seq_length = _DEFAULT_MAX_TOKENS
        return model


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        return os.cpu_count() or 1
