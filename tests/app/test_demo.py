"""The demo from beginning to end, as a newcomer starts it, judged by its own report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.demo.waiting import KINDS
from storage.leases import LEASE_SECONDS
from tests.examples import only_at_night
from tests.patience import until

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.timeout(1800)]
ZERO = ("unaccounted", "messages_repeated", "changes_by_scanner", "tracebacks", "server_errors")
SOME = (
    "accepted",
    "accepted_then_withdrawn",
    "reassigned",
    "unanswered",
    "nurturing",
    "came_back",
    "opportunities",
    "screened_out",
)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Starts the demo in a folder of its own."""
    command = [sys.executable, "-m", "app.cli", "demo", "--exit", "--home", str(folder / "demo"), "--report", str(folder / "out.json")]
    return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(demo: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    """Waits for the end, which must be a good one; the report."""
    output, _ = demo.communicate(timeout=1500)
    assert demo.returncode == 0, output[-3000:] + tracebacks_in(folder)
    report: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return report


def tracebacks_in(folder: Path) -> str:
    """What the demo's parts wrote of faults, each with what came after it."""
    logs = (log.read_text(errors="replace") for log in sorted((folder / "demo" / "logs").glob("*.log")))
    return "".join(f"\n{begun[:3000]}" for log in logs for begun in log.split("Traceback (most recent call last)")[1:])


def test_the_demo_accounts_for_every_lead_and_no_scanner_changes_anything(tmp_path: Path) -> None:
    """Everything that must be nothing is nothing, everything that must happen happens, and nothing stands still for long."""
    report = end(start(tmp_path, "--scanners"), tmp_path)

    assert {name: report[name] for name in ZERO} == dict.fromkeys(ZERO, 0)
    assert all(report[name] > 0 for name in SOME), report
    assert sum(report["rejected"].values()) > 0
    assert report["scanner_requests"] > report["messages_received"]
    assert list(report["waiting"]) == list(KINDS), "what is left for the visitor"
    assert report["longest_stall_s"] < LEASE_SECONDS, "so long stands what waits for a lease to end, or for a lost wake"


@only_at_night()
def test_a_worker_killed_in_the_middle_of_the_demo_loses_no_lead_and_repeats_no_message(tmp_path: Path) -> None:
    """SIGKILL, three times in the short demo; the stack starts the worker again, and the numbers still add up."""
    demo = start(tmp_path, "--quick")

    def ten_more_mails(before: int) -> bool:
        return mails_in(tmp_path) >= before + 10 and bool(workers_of(demo.pid))

    for _ in range(3):
        before = mails_in(tmp_path)
        until(partial(ten_more_mails, before))
        for pid in workers_of(demo.pid):
            os.kill(pid, signal.SIGKILL)

    report = end(demo, tmp_path)

    assert report["restarted"].count("worker") >= 2
    assert (report["unaccounted"], report["messages_repeated"], report["server_errors"]) == (0, 0, 0)
    assert report["opportunities"] > 0


def mails_in(folder: Path) -> int:
    """How many mails the demo has sent."""
    return len(list((folder / "demo").rglob("*.eml")))


def workers_of(parent: int) -> list[int]:
    """The process ids of the workers that this demo started."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            continue
        if b"worker" in words and b"app.cli" in words and int(stat[1]) == parent:
            found.append(int(folder.name))
    return found
