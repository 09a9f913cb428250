"""Texts in, unit vectors out.

Is: one small protocol with two adapters, the fast twin of the default model and sentence-transformers for any
model. Is not: a cache of vectors (see `build.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.fastpath import EXPORT_VERSION, exported_model, open_session
from index.weights import DEFAULT_MODEL, ModelFiles, ModelUnavailable, find_model

Vectors = NDArray[np.float32]
# Half-open code-point offsets into a text.
Part = tuple[int, int]
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


@runtime_checkable
class PartEmbedder(Protocol):
    """An embedder that gives, from one reading of a text, also a vector for each of its parts."""

    def embed_parts(self, texts: Sequence[str], parts: Sequence[Sequence[Part]]) -> tuple[Vectors, list[Vectors]]:
        """Return `embed(texts)`, and for each text an array of shape (len(parts[i]), dimension), rows of length 1."""
        ...


def load_embedder(
    name: str = DEFAULT_MODEL, *, cache: Path, engine: Engine = "auto", cores: int | None = None
) -> Embedder:
    """Return the embedder of a model: the fast twin where there is one, else sentence-transformers.

    The twin runs on `cores`, None for all that this process may use.

    Raises:
        ModelUnavailable: see `find_model`.
    """
    # The twin in the cache names the hash of the weights that it was made from; they are hashed to make it.
    model = find_model(name, check=engine == "torch")
    if engine == "onnx" and not model.is_default:
        raise ModelUnavailable(f"the engine 'onnx' runs {DEFAULT_MODEL} only, not {name!r}: set the engine 'auto'")
    if engine != "torch" and model.is_default:
        return OnnxEmbedder(model, cache, cores)
    return SentenceTransformerEmbedder(model)


class OnnxEmbedder:
    """The default model's int8 twin.

    One text per run of the session, runs side by side on all cores: no padding is computed, and a text's vector
    does not depend on its neighbours (int8 scales are set per run), so that every build gives equal vectors.
    """

    def __init__(self, model: ModelFiles, cache: Path, cores: int | None = None) -> None:
        self._model = model
        self._cache = cache
        self._cores = cores
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
        rows = self._side_by_side(self._vector, encoded)
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def embed_parts(self, texts: Sequence[str], parts: Sequence[Sequence[Part]]) -> tuple[Vectors, list[Vectors]]:
        """See `PartEmbedder`: a part's vector is the mean of its tokens as they were read in their text.

        A part that begins beyond the model's last token is read alone.
        """
        self._open()
        encoded = self._tokenizer.encode_batch(list(texts))
        found = self._side_by_side(self._with_parts, list(zip(texts, encoded, parts, strict=True)))
        whole = np.array([vector for vector, _ in found], dtype=np.float32).reshape(len(texts), self.dimension)
        return whole, [rows for _, rows in found]

    def _side_by_side(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        assert self._pool is not None
        return [work(item) for item in items] if len(items) <= 1 else list(self._pool.map(work, items))

    def _vector(self, encoding: Any) -> Vectors:
        return self._run(encoding, ["embedding"])[0]

    def _run(self, encoding: Any, outputs: list[str]) -> list[Vectors]:
        found = self._session.run(outputs, {"input_ids": np.array([encoding.ids], dtype=np.int64)})
        return [rows[0] for rows in found]

    def _with_parts(self, item: tuple[str, Any, Sequence[Part]]) -> tuple[Vectors, Vectors]:
        text, encoding, parts = item
        vector, tokens = self._run(encoding, ["embedding", "tokens"])
        # The marks at both ends have no width: they belong to no part.
        starts, ends = np.array(encoding.offsets, dtype=np.int64).T
        rows = np.zeros((len(parts), self.dimension), np.float32)
        for place, (start, end) in enumerate(parts):
            inside = (starts >= start) & (ends <= end) & (ends > starts)
            if inside.any():
                rows[place] = tokens[inside].mean(axis=0)
            else:
                rows[place] = self._vector(self._tokenizer.encode(text[start:end]))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return vector, rows / np.maximum(lengths, np.float32(1e-9))

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
        self._pool = ThreadPoolExecutor(max_workers=self._cores or available_cores(), thread_name_prefix="embed")


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
