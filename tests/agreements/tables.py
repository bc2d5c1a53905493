"""Example tables that a sales lead can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML


def cases(name: str) -> list[Any]:
    """The rows of that table, each a test under its own name."""
    rows = YAML(typ="safe", pure=True).load(Path(__file__).with_name(name))
    assert len({row["name"] for row in rows}) == len(rows), f"two rows of {name} have one name"
    return [pytest.param(row, id=row["name"]) for row in rows]
