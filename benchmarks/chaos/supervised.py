"""The stack of a chaos run: dead parts are restarted, except those that the killer keeps down."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from app.stack import Part, Stack, answers, baton

#: How the names of web processes begin.
WEB = "web"


@dataclass
class Supervised(Stack):
    """A stack that two threads handle: the director restarts dead parts, the killer keeps parts down or frozen."""

    kept_down: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def over(cls, stack: Stack) -> Supervised:
        """Return a supervised stack of the same parts."""
        return cls(stack.folder, stack.environment, stack.prefect_url, stack.web_url, stack.parts)

    def add_worker(self, name: str) -> None:
        """Start one more worker under this name."""
        part = Part(name, baton("worker"), self.folder / "logs" / f"{name}.log", self.environment)
        self.parts[name] = part
        part.start()

    def add_web(self, name: str, port: int) -> str:
        """Start one more web process on this port, and return its address."""
        url = f"http://127.0.0.1:{port}"
        # Links keep naming the first web process: people know one address.
        environment = {**self.environment, "BATON_WEB_PORT": str(port), "BATON_WEB_URL": self.web_url}
        part = Part(name, baton("web"), self.folder / "logs" / f"{name}.log", environment, answers(f"{url}/healthz"))
        self.parts[name] = part
        part.start()
        return url

    def watch(self) -> list[str]:
        """Restart the dead parts that are not kept down, and return their names."""
        with self.lock:
            dead = [part for part in self.parts.values() if not part.is_running and part.name not in self.kept_down]
            for part in dead:
                part.start()
        return [part.name for part in dead]

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part and to every process that it started."""
        process = self.parts[name].process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def keep_down(self, name: str) -> None:
        """Kill a part as the kernel would, and let nobody start it."""
        with self.lock:
            self.kept_down.add(name)
            self.send(name, signal.SIGKILL)
            process = self.parts[name].process
            if process is not None:
                process.wait()

    def let_up(self, name: str) -> None:
        """Start a part that was kept down."""
        with self.lock:
            self.kept_down.discard(name)
            if not self.parts[name].is_running:
                self.parts[name].start()
