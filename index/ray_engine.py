"""Makes the vectors of a large corpus on Ray: `followup index … --engine ray[://address]`.

Is: a first pass that fills the cache of vectors, shard by shard, with Ray Data; the ordinary build then finds every
vector there, so that ids, vectors and index are those of a local run. Is not: another build, nor another embedder: each
worker runs the model that would run here.

What is in the cache is not made again: a run that was killed goes on with the shards that it lacks. Vectors are equal
byte for byte where the workers' processors have the same instructions as this one (int8 arithmetic differs on others).
Workers of a cluster need this package, installed in the same version; they are asked which model they run.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from corpus.documents import Document
from corpus.load import load
from index.build import writer_lock
from index.embedding import Embedder, Engine, PartEmbedder, load_embedder
from index.passages import Passage, cut
from index.unit_vectors import pack, packed_type
from index.vector_cache import Kept, VectorCache

# Passages in a shard: what one worker takes at a time, and what a kill can lose of its work.
_SHARD = 200
# Shards in one run of Ray Data: so much text and so many vectors (80 MB) are in memory at once.
_WAVE = 40
# A cluster that does not answer by then is not there.
_CONNECT_SECONDS = 5.0
_DEFAULT_PORT = 10001

Tell = Callable[[str, int, int], None]


class EngineUnavailable(Exception):
    """The engine cannot be used; the message says why and what to do."""


def is_ray(engine: str) -> bool:
    """Say whether an engine's name asks for Ray: "ray", or "ray://host:port"."""
    return engine == "ray" or engine.startswith("ray://")


def embed_on_ray(
    sources: Sequence[Path],
    root: Path,
    embedder: Embedder,
    *,
    address: str,
    model: str,
    cache: Path,
    engine: Engine,
    tell: Tell = lambda phase, done, total: None,
) -> int:
    """Make the vectors that the index in `root` will need and its cache lacks; return how many passages had none.

    `address` is "ray" for the cores of this machine, else "ray://host:port" of a running cluster.

    Raises:
        EngineUnavailable: Ray is not installed, the cluster does not answer, or a worker runs another model.
        IndexUnavailable: another process is building.
    """
    made = 0
    with (
        writer_lock(root),
        _connected(address) as ray,
        closing(VectorCache(root / "vectors.sqlite", embedder.identity, embedder.dimension)) as vectors,
    ):
        for wave in _waves(sources, vectors):
            for keys, kept in _embedded(ray, wave, embedder, model, cache, engine):
                vectors.put(dict(zip(keys, kept, strict=True)))
                made += len(keys)
                tell("embedding", made, 0)
    return made


def _waves(sources: Sequence[Path], vectors: VectorCache) -> Iterator[list[list[Passage]]]:
    """Yield lists of shards of passages that have no vector yet, each content once."""
    shards: list[list[Passage]] = []
    for shard in _shards(sources, vectors):
        shards.append(shard)
        if len(shards) == _WAVE:
            yield shards
            shards = []
    if shards:
        yield shards


def _shards(sources: Sequence[Path], vectors: VectorCache) -> Iterator[list[Passage]]:
    waiting: dict[str, Passage] = {}
    for entry in load(sources):
        if isinstance(entry, Document):
            waiting |= {passage.embedding_key: passage for passage in cut(entry)}
        if len(waiting) >= _SHARD:
            if missing := _missing(waiting, vectors):
                yield missing
            waiting = {}
    if missing := _missing(waiting, vectors):
        yield missing


def _missing(waiting: dict[str, Passage], vectors: VectorCache) -> list[Passage]:
    known = vectors.get(list(waiting)) if waiting else {}
    return [passage for key, passage in waiting.items() if key not in known]


def _embedded(
    ray: Any, wave: Sequence[Sequence[Passage]], embedder: Embedder, model: str, cache: Path, engine: Engine
) -> Iterator[tuple[list[str], list[Kept]]]:
    """Yield the keys of each shard with what is to be kept, in the order in which shards are done."""
    rows = [
        {
            "texts": json.dumps([passage.embedded_text for passage in shard]),
            "parts": json.dumps([passage.embedded_units for passage in shard]),
            "keys": json.dumps([passage.embedding_key for passage in shard]),
        }
        for shard in wave
    ]
    done = ray.remote(num_cpus=0)(Wave).remote(rows, model, str(cache), engine)
    while (row := ray.get(done.next.remote())) is not None:
        if row["identity"] != embedder.identity:
            raise EngineUnavailable(
                f"a worker runs the model {row['identity']}, this machine {embedder.identity}: install the same version "
                "of followup and its libraries on all machines"
            )
        yield json.loads(row["keys"]), _unpacked(row, embedder.dimension)


class Wave:
    """Shards on their way through Ray Data; an actor, since Ray Data runs within a cluster, not through a client."""

    def __init__(self, rows: list[dict[str, str]], model: str, cache: str, engine: Engine) -> None:
        import ray
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        workers = max(1, min(len(rows), int(ray.cluster_resources().get("CPU", 1))))
        data = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            ShardEmbedder,
            fn_constructor_args=(model, cache, engine),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        self._done = iter(data.iter_rows())

    def next(self) -> dict[str, Any] | None:
        """Return the next shard that is done, None after the last."""
        return next(self._done, None)


def _unpacked(row: dict[str, Any], dimension: int) -> list[Kept]:
    vectors = np.frombuffer(row["vectors"], np.float32).reshape(-1, dimension)
    units = np.frombuffer(row["units"], packed_type(dimension))
    ends = np.cumsum(json.loads(row["counts"])).tolist()
    return [Kept(vector, units[start:end]) for vector, start, end in zip(vectors, [0, *ends[:-1]], ends, strict=True)]


class ShardEmbedder:
    """What a worker does: one model, shards in, bytes out. One text at a time on one core, as everywhere."""

    def __init__(self, model: str, cache: str, engine: Engine) -> None:
        self._embedder = load_embedder(model, cache=Path(cache), engine=engine, cores=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Return for each row its vectors, packed unit vectors and their counts."""
        found: dict[str, list[Any]] = {name: [] for name in ("identity", "keys", "vectors", "units", "counts")}
        for texts, parts, keys in zip(batch["texts"], batch["parts"], batch["keys"], strict=True):
            vectors, units = self._embed(json.loads(texts), json.loads(parts))
            found["identity"].append(self._embedder.identity)
            found["keys"].append(keys)
            found["vectors"].append(vectors.astype(np.float32).tobytes())
            found["units"].append(b"".join(pack(rows).tobytes() for rows in units))
            found["counts"].append(json.dumps([len(rows) for rows in units]))
        return found

    def _embed(self, texts: list[str], parts: list[list[list[int]]]) -> Any:
        if isinstance(self._embedder, PartEmbedder):
            return self._embedder.embed_parts(texts, [[(start, end) for start, end in spans] for spans in parts])
        return self._embedder.embed(texts), [np.zeros((0, self._embedder.dimension), np.float32)] * len(texts)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Yield Ray, connected; leave it as it was found."""
    # Ray reads these once, at import: no report of use goes out, and nothing but ours is printed.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data  # the part that needs pyarrow
    except ImportError as error:
        raise EngineUnavailable("the engine 'ray' needs Ray: pip install 'followup[scale]'") from error
    if address != "ray":
        _knock(address)
    if ray.is_initialized():
        raise EngineUnavailable("this process is connected to Ray already: run 'followup index' in one of its own")
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        if address == "ray":
            ray.init("local", include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
        else:
            ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(f"{address}: {_first_line(error)} ({_TOKEN}): {_START_ONE}") from error
    try:
        yield ray
    except ray.exceptions.RayError as error:
        raise EngineUnavailable(f"Ray at {address} failed: {_first_line(error)}; run it again, it goes on") from error
    finally:
        ray.shutdown()


_START_ONE = (
    f"start a cluster with 'ray start --head --ray-client-server-port {_DEFAULT_PORT}' and name it as "
    f"ray://HOST:{_DEFAULT_PORT}, or use this machine with --engine ray"
)

_TOKEN = "where the cluster asks for a token, set RAY_AUTH_MODE=token"


def _knock(address: str) -> None:
    """Raise EngineUnavailable if nothing listens there: Ray itself would try for half a minute."""
    try:
        parts = urlsplit(address)
        place = (parts.hostname or "", parts.port or _DEFAULT_PORT)
        socket.create_connection(place, _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"no Ray cluster answers at {address} ({error}): {_START_ONE}") from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
