"""Reads one file in a process of its own, with limits on memory and time.

Is: for readers that rest on native code, where a hostile file may crash or swell the process. Is not: a sandbox; the
process may read files, which its reader does not do.

Run as `python -m corpus.readers.contained READER PATH NAME`; it prints one JSON line for each document.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from corpus.documents import Document, Rejected, UnreadableSource
from corpus.readers.limits import MEBIBYTE, UNFORESEEN

# The interpreter and the libraries take some 120 MiB of it.
_MAX_MEMORY_BYTES = 420 * MEBIBYTE
# The reader itself gives up before; this ends one that hangs in native code.
_MAX_SECONDS = 28.0
_MAX_OUTPUT_BYTES = 256 * MEBIBYTE


def read(reader: str, path: Path, *, name: str) -> Iterator[Document | Rejected]:
    """Yield what `corpus.readers.<reader>` yields for a file.

    Raises UnreadableSource for what the reader raises, and if its process crashed, took too long or too much memory.
    """
    # The project's own folder comes first, wherever it was started from.
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", __name__, reader, str(path.resolve()), name]
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=_MAX_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnreadableSource(f"not read within {_MAX_SECONDS:.0f} s") from error
        output.seek(0)
        last: dict[str, object] = {}
        for line in output:
            last = json.loads(line)
            if "document" in last:
                yield Document.from_dict(last["document"])  # type: ignore[arg-type]
            elif "rejected" in last:
                yield Rejected(**last["rejected"])  # type: ignore[arg-type]
        if "unreadable" in last:
            raise UnreadableSource(str(last["unreadable"]))
        if "done" not in last:
            raise UnreadableSource(f"its reader stopped: out of memory, or a damaged file (exit {done.returncode})")


def main(reader: str, path: str, name: str) -> None:
    """Read the file and print documents, rejections, and at last how it ended."""
    _limit()
    module = importlib.import_module(f"corpus.readers.{reader}")
    try:
        for entry in module.read(Path(path), name=name):
            kind = "document" if isinstance(entry, Document) else "rejected"
            _print({kind: entry.to_dict() if isinstance(entry, Document) else asdict(entry)})
        _print({"done": True})
    except UnreadableSource as error:
        _print({"unreadable": str(error)})
    except MemoryError:
        _print({"unreadable": f"needs more than {_MAX_MEMORY_BYTES // MEBIBYTE} MiB of memory"})
    except OSError as error:
        _print({"unreadable": f"cannot be read: {error.strerror or type(error).__name__}"})
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        # Damaged content that the reader did not foresee; one file is left out, its reason is said.
        _print({"unreadable": f"{UNFORESEEN}: {type(error).__name__} {' '.join(str(error).split())[:200]}".rstrip()})


def _print(row: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(row).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def _limit() -> None:
    """Bound this process's memory, processor time and output, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the time limit of the parent remains.
        return
    for kind, limit in (
        (resource.RLIMIT_AS, _MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, int(_MAX_SECONDS)),
        (resource.RLIMIT_FSIZE, _MAX_OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):
            # A stricter limit is already set, or this system knows none of the kind.
            continue


if __name__ == "__main__":
    main(*sys.argv[1:4])
