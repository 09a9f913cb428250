"""Measure how cost grows: indexes of 10,000, 100,000 and 1,000,000 passages.

    python tests/benchmarks/scale.py DATA --out OUT [--sizes 10000 100000 1000000] [--plot docs/pictures/scale.svg]

DATA is the folder of medquad, pubmedqa and jats. See `scale_corpus.py` for what the passages and their vectors are; all
else is the product's own `index.build.build` and `OpenIndex`. Each size is built and searched in processes of its own;
what OUT holds already is not measured again (delete `size-N.json` for that). Writes OUT/scale.json and OUT/scale.md.
The time of embedding is not in these figures: vectors are handed out ready made.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from scale_corpus import PreparedEmbedder, prepare, questions, real_pieces, write_corpus
from scale_plot import scale_plot

from chatbot.settings import Settings
from index.build import build
from index.embedding import load_embedder
from index.manifest import current_generation, switch_to
from index.opened import OpenIndex
from index.search import Query, fuse, lexical_hits
from index.weights import DEFAULT_MODEL

SIZES = (10_000, 100_000, 1_000_000)
QUESTIONS = 300
# For comparing with the exact ranking of all passages, which takes long.
_EXACT_QUESTIONS = 100
_HITS = 16
# Shares of the documents that a filter leaves.
_FILTERS = (0.5, 0.1, 0.01, 0.001)
_SEED = 5


def main() -> None:
    """Build, search, and put the figures together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--only", choices=("build", "search"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        measure = _measure_build if given.only == "build" else _measure_search
        found = measure(given.data, given.out, given.sizes[0])
        (given.out / f"{given.only}-{given.sizes[0]}.json").write_text(json.dumps(found, indent=1))
        return
    pieces = prepare(given.data, given.out, load_embedder(cache=Settings().cache))
    for size in given.sizes:
        if not _corpus(given.out, size).is_dir() or not _recipes(given.out, size).exists():
            write_corpus(given.data, _corpus(given.out, size), pieces, size)
        for step in ("build", "search"):
            if not (given.out / f"{step}-{size}.json").exists():
                command = [sys.executable, __file__, str(given.data), "--out", str(given.out)]
                subprocess.run([*command, "--sizes", str(size), "--only", step], check=True)
    rows = []
    for size in given.sizes:
        parts = [json.loads((given.out / f"{step}-{size}.json").read_text()) for step in ("build", "search")]
        rows.append({"asked_for": size, **parts[0], **parts[1]})
    (given.out / "scale.json").write_text(json.dumps(rows, indent=1) + "\n")
    (given.out / "scale.md").write_text(_table(rows))
    print(_table(rows))
    if given.plot:
        given.plot.write_text(scale_plot(rows) + "\n")


def _measure_build(data: Path, out: Path, size: int) -> dict[str, Any]:
    embedder, root = _embedder(data, out, size), out / f"index-{size}"
    shutil.rmtree(root, ignore_errors=True)
    stages = _Stages()
    before = _peak_mib()
    report = build([_corpus(out, size)], root, embedder, model=DEFAULT_MODEL, on_progress=stages)
    generation = current_generation(root)
    return {
        "passages": report.passages,
        "documents": report.documents,
        "rejected": len(report.rejected),
        "not_prepared": embedder.made,
        "build_seconds": report.seconds,
        "stages_until_seconds": stages.until,
        "build_peak_mib": _peak_mib(),
        "before_build_mib": before,
        "index_mib": _size_mib(generation),
        "parts_mib": {path.name: _size_mib(path) for path in sorted(generation.iterdir())},
        "cache_mib": _size_mib(root / "vectors.sqlite"),
    }


def _measure_search(data: Path, out: Path, size: int) -> dict[str, Any]:
    embedder, root = load_embedder(cache=Settings().cache), out / f"index-{size}"
    asked = [Query(text) for text in questions(data, QUESTIONS)]
    embedder.embed([asked[0].text])
    vectors, embedding_ms = [], []
    for query in asked:
        started = time.perf_counter()
        vectors.append(embedder.embed([query.text])[0])
        embedding_ms.append(_ms_since(started))
    _evict(current_generation(root))
    before = _now_mib()
    started = time.perf_counter()
    opened = OpenIndex(root, embedder)
    open_seconds = time.perf_counter() - started
    started = time.perf_counter()
    opened.search(asked[0], _HITS, vectors[0])
    first_ms = _ms_since(started)

    def timed(**more: Any) -> dict[str, float]:
        found, worked = [], []
        for query, vector in zip(asked, vectors, strict=True):
            filtered = Query(query.text, **more)
            started, busy = time.perf_counter(), time.thread_time()
            opened.search(filtered, _HITS, vector)
            worked.append(1000 * (time.thread_time() - busy))
            found.append(_ms_since(started))
        # A search runs in one thread: its processor time is what it takes on a machine that does nothing else.
        cpu = {"cpu_p50": _percentile(worked, 50), "cpu_p95": _percentile(worked, 95)}
        return {"p50": _percentile(found, 50), "p95": _percentile(found, 95), **cpu}

    timed()  # what is measured is a process that has answered before
    result: dict[str, Any] = {
        "open_evicted_seconds": round(open_seconds, 2),
        "first_search_evicted_ms": round(first_ms, 1),
        "query_embedding_ms": {"p50": _percentile(embedding_ms, 50), "p95": _percentile(embedding_ms, 95)},
        "search_ms": timed(),
        "parts_ms": _parts(opened, asked, vectors),
        "filtered_ms": {},
    }
    noise = np.random.default_rng(_SEED)
    for share in _FILTERS:
        names = np.array(list(opened.records.document_ids))
        kept = noise.choice(names, max(1, int(share * len(names))), replace=False)
        result["filtered_ms"][str(share)] = timed(allowed=opened.rows_of_documents(kept.tolist()))
    result["search_mib"] = _now_mib()
    result["search_peak_mib"] = _peak_mib()
    result["before_open_mib"] = before
    result["same_as_exact"] = _agreement(opened, asked[:: QUESTIONS // _EXACT_QUESTIONS], vectors)
    result["titles_ms"] = _percentile([_timed_ms(lambda q=q: opened.titles.within(q.text)) for q in asked], 50)
    result |= _switch(opened, root, asked[0], vectors[0])
    return result


def _parts(opened: OpenIndex, asked: list[Query], vectors: list[Any]) -> dict[str, float]:
    """Return the median time of what a search consists of: its words, its vector, reading the passages."""
    ranked = opened.rank(asked, _HITS, np.array(vectors))
    rows = [found.rows.tolist() for found in ranked]
    opened.records._passage.cache_clear()
    parts = {
        "words": [_timed_ms(lambda q=q: lexical_hits(opened.store, q)) for q in asked],
        "rank": [
            _timed_ms(lambda q=q, v=v: opened.rank([q], _HITS, v[None, :])) for q, v in zip(asked, vectors, strict=True)
        ],
        "read": [_timed_ms(lambda r=r: [opened.records.passage(row) for row in r]) for r in rows],
    }
    return {name: _percentile(values, 50) for name, values in parts.items()}


def _agreement(opened: OpenIndex, asked: list[Query], vectors: list[Any]) -> float:
    """Return the share of the ten best passages of an exact ranking that the search finds, too."""
    step = QUESTIONS // _EXACT_QUESTIONS
    shares = []
    for place, query in enumerate(asked):
        vector = vectors[place * step]
        cosines = opened.store.vectors.similarities(vector[None, :])[0]
        exact = fuse(cosines, lexical_hits(opened.store, query), query, opened._intents, 10).rows.tolist()
        found = opened.rank([query], 10, vector[None, :])[0].rows.tolist()
        shares.append(len(set(exact) & set(found)) / len(exact))
    return round(float(np.mean(shares)), 4)


def _switch(opened: OpenIndex, root: Path, query: Query, vector: Any) -> dict[str, float]:
    """Return how long it takes a reader from the switch to its first answer from the new generation.

    The new generation is the old one under another name (its files linked); it is as large, and opened like any.
    """
    old = current_generation(root)
    new = old.with_name(f"{int(old.name) + 1:06d}")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(old, new, copy_function=os.link)
    started = time.perf_counter()
    switch_to(root, new.name)
    switched = time.perf_counter()
    assert not opened.is_current()
    with closing(OpenIndex(root, opened.embedder)) as next_one:
        next_one.search(query, _HITS, vector)
        seen = time.perf_counter()
    switch_to(root, old.name)
    shutil.rmtree(new)
    return {"switch_ms": round(1000 * (switched - started), 2), "switch_seen_seconds": round(seen - started, 2)}


class _Stages:
    """Seconds from the start until each stage of a build was last heard of; reading to writing run side by side."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}
        self._started = time.perf_counter()

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase not in self.until:
            print(f"{phase} …", file=sys.stderr, flush=True)
        self.until[phase] = round(time.perf_counter() - self._started, 1)


def _table(rows: list[dict[str, Any]]) -> str:
    def cells(name: str, of: Callable[[dict[str, Any]], str]) -> str:
        return f"| {name} | " + " | ".join(of(row) for row in rows) + " |"

    lines = [
        cells("passages", lambda row: f"{row['passages']:,}"),
        "| --- |" + " ---: |" * len(rows),
        cells("build, embedding apart", lambda row: f"{row['build_seconds']:,.0f} s"),
        *(
            cells(f"  {stage} until", lambda row, stage=stage: f"{row['stages_until_seconds'].get(stage, 0):,.0f} s")
            for stage in rows[0]["stages_until_seconds"]
        ),
        cells("memory while building", lambda row: f"{row['build_peak_mib']:,} MiB"),
        cells("index on disk", lambda row: f"{row['index_mib']:,} MiB"),
        cells("cache of vectors beside it", lambda row: f"{row['cache_mib']:,} MiB"),
        cells("open, nothing in the file cache", lambda row: f"{row['open_evicted_seconds']} s"),
        cells("memory while searching", lambda row: f"{row['search_mib']:,} MiB"),
        cells("search p50 / p95", lambda row: _both(row["search_ms"])),
        cells("of it processor time", lambda row: _both(row["search_ms"], "cpu_")),
        cells("and the question's embedding", lambda row: _both(row["query_embedding_ms"])),
        *(
            cells(
                f"search among {float(share):.1%} of the documents",
                lambda row, share=share: _both(row["filtered_ms"][share]),
            )
            for share in rows[0]["filtered_ms"]
        ),
        cells("of the exact ten best found", lambda row: f"{row['same_as_exact']:.1%}"),
        cells("new generation: until it answers", lambda row: f"{row['switch_seen_seconds']} s"),
    ]
    return "\n".join(lines) + "\n"


def _both(times: dict[str, float], kind: str = "") -> str:
    return f"{times[kind + 'p50']} / {times[kind + 'p95']} ms"


def _embedder(data: Path, out: Path, size: int) -> PreparedEmbedder:
    real = np.load(out / "real.npy")
    return PreparedEmbedder(load_embedder(cache=Settings().cache), real_pieces(data), real, _recipes(out, size))


def _corpus(out: Path, size: int) -> Path:
    return out / f"corpus-{size}"


def _recipes(out: Path, size: int) -> Path:
    return out / f"corpus-{size}-recipes.npz"


def _evict(folder: Path) -> None:
    """Ask the system to forget the contents of files, where it can be asked."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _timed_ms(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return _ms_since(started)


def _ms_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _percentile(values: list[float], percent: int) -> float:
    return round(float(np.percentile(values, percent)), 1)


def _size_mib(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 2**20)


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _now_mib() -> int:
    """Return the memory that this process holds, pages of mapped files that it has touched among it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return _peak_mib()


if __name__ == "__main__":
    main()
