"""A PostgreSQL server that can crash and restart, with one database for Baton and one for Prefect."""

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
#: No data has to survive a crash of the machine. Commits have to survive a crash of the server, so they stay synchronous.
OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=300 -c unix_socket_directories= -c listen_addresses=127.0.0.1"
DATABASES = ("baton", "prefect")


class Cluster:
    """The server in its folder. It keeps its port from start to start."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._data, self._log = folder / "data", folder / "log"
        self.port = free_port()

    def make(self) -> None:
        """Create the cluster and both databases, and start the server."""
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres")
        self._call("initdb", "-D", self._data, "-U", "baton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()
        for name in DATABASES:
            self._call("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "baton", name)

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        self._call("pg_ctl", "start", "-w", "-D", self._data, "-l", self._log, "-o", f"{OPTIONS} -c port={self.port}")

    def crash(self) -> None:
        """Kill every process of the server at once, without a checkpoint: the next start has to recover."""
        self._call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._data)

    def stop(self) -> None:
        """Stop the server in order, and cut its connections."""
        self._call("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def url(self, database: str, scheme: str = "postgresql") -> str:
        """Return the URL of one of the databases."""
        return f"{scheme}://baton@127.0.0.1:{self.port}/{database}"

    def _call(self, program: str, *words: object) -> None:
        command = [str(self._programs / program), *map(str, words)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        _run(command, self._folder)


def _run(command: Sequence[str], folder: Path) -> None:
    told = folder / "told"
    with told.open("wb") as sink:  # a file, because the server would inherit a pipe and keep it open
        done = subprocess.run(
            command, cwd=folder, timeout=PATIENCE_SECONDS, check=False, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{told.read_text(errors='replace')}")


def installed() -> Path | None:
    """Return the folder with the programs of the newest installed PostgreSQL, None for none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()], default=None)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a new cluster with both databases. Stop and remove it when the block ends."""
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
