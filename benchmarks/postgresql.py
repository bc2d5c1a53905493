"""A PostgreSQL server in a temporary folder, started when a test or benchmark needs it and removed afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

PATIENCE_SECONDS = 60
#: The server listens on one port of this machine, and on no socket file.
LISTENS = "-c unix_socket_directories= -c listen_addresses=127.0.0.1"
#: Fast, but not durable: for data that does not have to outlive a test.
FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. url: of its database `postgres`, as the superuser `baton`. pid: of the server's root process."""

    url: str
    pid: int

    def database(self, name: str, *, user: str = "baton") -> str:
        """Return the URL of that database for that user."""
        host = self.url.partition("@")[2].rpartition("/")[0]
        return f"postgresql://{user}@{host}/{name}"


def installed() -> Path | None:
    """Return the folder with the programs of the newest installed PostgreSQL, None for none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()], default=None)


@contextmanager
def cluster(programs: Path, *, options: str = FORGETFUL) -> Iterator[Cluster]:
    """Start a server with an empty cluster on a free port. Stop and remove it when the block ends. options: further `-c name=value`."""
    folder = Path(tempfile.mkdtemp(prefix="baton-postgresql-"))
    data, log = folder / "data", folder / "log"
    try:
        if as_root():
            shutil.chown(folder, "postgres")
        _call(folder, [programs / "initdb", "-D", data, "-U", "baton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
        port = _free_port()
        _call(folder, [programs / "pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", f"{LISTENS} {options} -c port={port}"])
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            yield Cluster(f"postgresql://baton@127.0.0.1:{port}/postgres", pid)
        finally:
            _call(folder, [programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Create an empty database on that server, and drop it when the block ends."""
    name = f"baton_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def as_root() -> bool:
    """Return whether this process runs as root. PostgreSQL refuses to run as root."""
    return os.geteuid() == 0


def _call(folder: Path, command: Sequence[object]) -> None:
    words = [str(word) for word in command]
    if as_root():
        words = ["runuser", "-u", "postgres", "--", *words]
    told = folder / "told"
    with told.open("wb") as sink:  # a file, because the server would inherit a pipe and keep it open
        done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{told.read_text(errors='replace')}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
