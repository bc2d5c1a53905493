"""Starts: what the benchmark says of a command, and that it measures no failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measures.start import compared, installed


def test_a_start_is_compared_with_an_import_in_the_same_run(tmp_path: Path) -> None:
    ((what, figure, against, ratio),) = compared(["--version"], installed(tmp_path), range(1))

    assert what == "baton --version"
    assert figure.endswith(" s of processor")
    assert against.startswith("python -c 'import sqlmodel': ")
    assert float(ratio) > 0


def test_a_command_that_fails_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="leads show 1 ended with 1: There is no lead 1."):
        list(compared(["leads show 1"], installed(tmp_path), range(1)))


def test_the_environment_of_a_start_names_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert not {"PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE"} & set(installed(tmp_path))
