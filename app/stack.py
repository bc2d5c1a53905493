"""The embedded stack: runs Prefect server, worker and web pages as processes of one folder, watches and restarts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app import prefect_log_in

START_SECONDS = 120
#: Settings with which a Prefect server on SQLite keeps up, found by measuring; the environment may override each one.
PREFECT_SETTINGS = {
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "DO_NOT_TRACK": "1",
}


def prefect_on_sqlite() -> bool:
    """Return whether this environment's Prefect server keeps its runs in SQLite: yes, unless another database is set."""
    return not os.environ.get("PREFECT_SERVER_DATABASE_CONNECTION_URL", "").startswith("postgresql")


def talking_to(prefect_url: str, log_in: str = "") -> AbstractContextManager[object]:
    """Within it, this process' Prefect clients talk to that server. log_in: `name:password` of its API, empty for none."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    return temporary_settings({PREFECT_API_URL: f"{prefect_url}/api", PREFECT_API_AUTH_STRING: log_in or None})


def end_on_sigterm() -> None:
    """Make SIGTERM end this process as Ctrl-C does, so that the parts end too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def free_port() -> int:
    """Return a port of this machine that nobody listens on just now, and that the kernel gives to nobody else for a minute.

    A connection that this side ended keeps the port so long from whoever asks for any port. A server that names it gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_connection(probe.getsockname()):
        probe.accept()[0].close()
        return int(probe.getsockname()[1])


@dataclass
class Part:
    """One process of the stack: its command, its log file, and the question whether it is up."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str]
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    restarts: int = -1

    def start(self) -> None:
        """Start the process and append its output to the log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(self.environment),
                start_new_session=True,
            )
        self.restarts += 1

    @property
    def is_running(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self, *, seconds: float = 10) -> None:
        """Ask the process and what it started to end; kill it after so many seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        group = os.getpgid(self.process.pid)
        os.killpg(group, signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            self.process.wait()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""


class StackError(Exception):
    """A part of the stack did not come up."""


@dataclass
class Stack:
    """The running parts and their addresses."""

    folder: Path
    environment: dict[str, str]
    prefect_url: str
    web_url: str
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def log_in(self) -> str:
        """Return `name:password` of the Prefect API and its UI."""
        return self.environment["PREFECT_API_AUTH_STRING"]

    def in_reach(self) -> AbstractContextManager[object]:
        """Within it, this process' Prefect clients talk to this stack's server."""
        return talking_to(self.prefect_url, self.log_in)

    def wait_until_ready(self, name: str, *, tell: Callable[[str], None] = lambda text: None) -> None:
        """Wait until the part answers. Raises StackError with the end of its log when it does not."""
        part, until = self.parts[name], time.monotonic() + START_SECONDS
        while not part.ready():
            if not part.is_running or time.monotonic() > until:
                raise StackError(f"{name} did not come up; the end of {part.log}:\n{part.last_lines()}")
            time.sleep(0.2)
        tell(f"{name} is up")

    def watch(self) -> list[str]:
        """Start dead parts again; return their names."""
        dead = [part for part in self.parts.values() if not part.is_running]
        for part in dead:
            part.start()
        return [part.name for part in dead]

    def stop(self) -> None:
        """End every part, the server last."""
        for part in reversed(list(self.parts.values())):
            part.stop()


def answers(url: str) -> Callable[[], bool]:
    """Return a function that asks whether this address answers with 200."""
    import httpx

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    return ask


def environment_for(folder: Path, *, prefect_port: int, web_port: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for all parts of this folder's stack.

    The Prefect API asks every part and every person for one log-in, and refuses calls from pages of other addresses.
    """
    address = f"http://127.0.0.1:{prefect_port}"
    log_in = prefect_log_in.of(folder)
    own = {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_API_AUTH_STRING": log_in,
        "PREFECT_SERVER_API_AUTH_STRING": log_in,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{address},http://localhost:{prefect_port}",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_PROFILES_PATH": str(folder / "prefect" / "profiles.toml"),
        "BATON_HOME": str(folder),
        "BATON_WEB_PORT": str(web_port),
        "PYTHONUNBUFFERED": "1",
    }
    if not os.environ.get("BATON_WEB_URL"):  # the pages are for this machine only, so Prefect's window is as well
        own["BATON_PREFECT_UI_URL"] = os.environ.get("BATON_PREFECT_UI_URL", address)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PREFECT_") or name.startswith("PREFECT_SERVER_") or name in PREFECT_SETTINGS
    }
    return {**PREFECT_SETTINGS, **kept, **own, **(more or {})}


def baton(*words: str) -> list[str]:
    """Return the command that runs Baton's command line in this environment."""
    return [sys.executable, "-m", "app.cli", *words]


@contextmanager
def running(
    folder: Path,
    *,
    prefect_port: int,
    web_port: int,
    more: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
    prepare: Callable[[Stack], None] = lambda stack: None,
    worker: Sequence[str] = (),
) -> Iterator[Stack]:
    """Run the whole stack, ready when the block begins and ended when it ends.

    prepare runs when the Prefect server is up and before any other part starts: migrations and deployments belong there.
    worker: the worker's command, if it is not `baton worker`.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    environment = environment_for(folder, prefect_port=prefect_port, web_port=web_port, more=more)
    prefect_url, web_url = f"http://127.0.0.1:{prefect_port}", f"http://127.0.0.1:{web_port}"
    stack = Stack(folder, environment, prefect_url, web_url)

    def add(name: str, command: list[str], ready: Callable[[], bool] = lambda: True) -> None:
        stack.parts[name] = Part(name, command, logs / f"{name}.log", environment, ready)
        stack.parts[name].start()

    with ExitStack() as ending:
        ending.callback(stack.stop)
        server = [sys.executable, "-m", "app.prefect_server", "--host", "127.0.0.1", "--port", str(prefect_port)]
        add("server", server, answers(f"{prefect_url}/api/health"))
        stack.wait_until_ready("server", tell=tell)
        prepare(stack)
        add("web", baton("web"), answers(f"{web_url}/healthz"))
        add("worker", list(worker) or baton("worker"))
        stack.wait_until_ready("web", tell=tell)
        tell("worker is up")
        yield stack
