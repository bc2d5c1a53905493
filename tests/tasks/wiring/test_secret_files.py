"""Secrets and everything else in the home folder are for the owner's eyes, from the first byte."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tasks.wiring import secret_files
from tasks.wiring.settings import Settings
from tests.patience import PATIENCE_SECONDS


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_closed(tmp_path: Path) -> None:
    first = secret_files.kept(tmp_path, "key", prefix="name:")

    assert secret_files.kept(tmp_path, "key") == first
    assert first.startswith("name:")
    assert len(first) > 40
    assert mode_of(tmp_path / "key") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_many_who_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    found: list[str] = []
    many = [threading.Thread(target=lambda: found.append(secret_files.kept(tmp_path, "key"))) for _ in range(8)]
    for one in many:
        one.start()
    for one in many:
        one.join(PATIENCE_SECONDS)

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_is_never_open_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask is, and whatever was there under that name."""
    before = os.umask(0)
    try:
        (tmp_path / "key").write_text("open")
        secret_files.write(tmp_path / "key", "closed")
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "key") == 0o600
    assert (tmp_path / "key").read_text() == "closed"


def test_a_new_home_is_closed(tmp_path: Path) -> None:
    assert mode_of(Settings(home=tmp_path / "home").folder) == 0o700


def test_a_home_that_others_can_read_is_closed_and_that_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)

    assert str(home) in secret_files.close(home)
    assert mode_of(home) == 0o700
    assert secret_files.close(home) == ""


def test_what_a_command_makes_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "BATON_HOME": str(home)}
    command = [sys.executable, "-m", "app.cli", "keys", "create", "form"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, preexec_fn=lambda: os.umask(0)
    )

    assert done.returncode == 0, done.stderr
    assert {path.name: oct(mode_of(path)) for path in home.rglob("*") if mode_of(path) & 0o077} == {}
