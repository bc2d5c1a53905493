"""A gate before a receiver, over real sockets: it passes on, refuses, says that it is busy, or loses the answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from benchmarks.chaos.gate import OPEN, Gate
from benchmarks.chaos.plan import BUSY, LOSE_ANSWERS, SHUT
from tests.patience import PATIENCE_SECONDS


@dataclass
class Receiver:
    """Takes one line a connection and says that it has. got: what it took."""

    got: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                talk, _ = self.listener.accept()
            except OSError:
                return
            with talk, talk.makefile("rb") as words:
                if line := words.readline():
                    self.got.append(line.strip())
                    talk.sendall(b"250 taken\r\n")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.listener.close()


@pytest.fixture
def gate(receiver: Receiver) -> Iterator[Gate]:
    with Gate(receiver.port, busy=b"421 later\r\n", taken=b"250") as made:
        yield made


def say(gate: Gate, word: bytes) -> bytes:
    """Says one word through the gate; what is answered, nothing where the connection breaks."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE_SECONDS) as talk:
        try:
            talk.sendall(word + b"\r\n")
            return talk.makefile("rb").readline().strip()
        except ConnectionError:
            return b""


def test_an_open_gate_passes_everything_on(gate: Gate, receiver: Receiver) -> None:
    assert say(gate, b"hello") == b"250 taken"
    assert receiver.got == [b"hello"]


def test_a_shut_gate_refuses_and_opens_again_on_the_same_port(gate: Gate, receiver: Receiver) -> None:
    port = gate.port
    gate.become(SHUT)
    with pytest.raises(ConnectionRefusedError):
        say(gate, b"hello")

    gate.become(OPEN)

    assert gate.port == port
    assert say(gate, b"again") == b"250 taken"
    assert receiver.got == [b"again"]


def test_a_busy_gate_says_so_and_passes_nothing_on(gate: Gate, receiver: Receiver) -> None:
    gate.become(BUSY)

    assert say(gate, b"hello") in (b"421 later", b"")
    assert receiver.got == []
    assert gate.refused == 1


def test_a_gate_that_loses_answers_lets_the_message_through(gate: Gate, receiver: Receiver) -> None:
    """The worst of all faults: it has arrived, and the sender cannot know."""
    gate.become(LOSE_ANSWERS)

    assert say(gate, b"hello") == b""
    assert receiver.got == [b"hello"]
    assert gate.lost == 1
