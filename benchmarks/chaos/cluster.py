"""A PostgreSQL server that can be crashed and started again, with a database for Baton and one for Prefect."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.stack import free_port

PATIENCE_SECONDS = 60
#: Nothing has to outlive the machine. What was committed has to outlive a crash of the server, so commits stay synchronous.
OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=300 -c unix_socket_directories= -c listen_addresses=127.0.0.1"
DATABASES = ("baton", "prefect")


class Cluster:
    """The server in its folder. Its port stays the same from start to start."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._data, self._log = folder / "data", folder / "log"
        self.port = free_port()

    def make(self) -> None:
        """Makes the cluster and both databases, and starts it."""
        if os.geteuid() == 0:  # as root PostgreSQL refuses to run
            shutil.chown(self._folder, "postgres")
        self._call("initdb", "-D", self._data, "-U", "baton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()
        for name in DATABASES:
            self._call("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "baton", name)

    def start(self) -> None:
        """Starts the server; returns when it takes connections."""
        self._call("pg_ctl", "start", "-w", "-D", self._data, "-l", self._log, "-o", f"{OPTIONS} -c port={self.port}")

    def crash(self) -> None:
        """Ends every process of the server at once, without a checkpoint: the next start has to recover."""
        self._call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._data)

    def stop(self) -> None:
        """Ends the server in order; connections are cut."""
        self._call("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """The URL of one of the databases."""
        return f"{scheme}://baton@127.0.0.1:{self.port}/{database}"

    def _call(self, program: str, *words: object) -> None:
        command = [str(self._programs / program), *map(str, words)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        _run(command, self._folder)


def _run(command: Sequence[str], folder: Path) -> None:
    told = folder / "told"
    with told.open("wb") as sink:  # a pipe would stay open as long as the server it was handed on to
        quiet = {"stdin": subprocess.DEVNULL, "stdout": sink, "stderr": sink}
        done = subprocess.run(command, cwd=folder, timeout=PATIENCE_SECONDS, check=False, **quiet)  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{told.read_text(errors='replace')}")


def installed() -> Path | None:
    """The folder with the programs of the newest PostgreSQL that is installed, None for none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()], default=None)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new cluster with both databases, running; stopped and removed when the block ends."""
    programs = installed()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed; --sqlite runs without it")
    folder = Path(tempfile.mkdtemp(prefix="baton-chaos-postgresql-"))
    made = Cluster(programs, folder)
    try:
        made.make()
        yield made
        made.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
