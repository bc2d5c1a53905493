"""The package that is built holds all code and all templates, so that an installation is what a checkout is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.patience import PATIENCE_SECONDS

FOLDERS = ("agreements", "storage", "notifications", "tasks", "flows", "app")


@pytest.mark.long
def test_a_wheel_holds_every_module_and_template(tmp_path: Path) -> None:
    source = tmp_path / "source"
    leave_out = shutil.ignore_patterns("__pycache__", "README.md")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=leave_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)

    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(tmp_path), "."]
    done = subprocess.run(build, cwd=source, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)

    assert done.returncode == 0, done.stderr
    built = set(zipfile.ZipFile(next(tmp_path.glob("baton-*.whl"))).namelist())
    ours = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert {name for name in ours - built if "__pycache__" not in name and not name.endswith("README.md")} == set()
