"""What trials are tried on: a small agreement that can be changed, and files of leads."""

from __future__ import annotations

import io
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from agreements.loading import read_agreement
from agreements.model import Agreement
from app.backtest.files import LeadFile, read_past
from app.backtest.past import PastLeads
from app.csv_import.lead_map import LeadMap

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EXAMPLE = (Path(__file__).resolve().parents[3] / "agreements/examples/b2b-saas.yaml").read_text(encoding="utf-8")
RULES: dict[str, Any] = {
    "fast_lane": ["demo_requested"],
    "mql": {"total": 50},
    "fit": [{"when": {"industry": "software"}, "points": 30}, {"when": {"employees": {"at_least": 100}}, "points": 20}],
    "engagement": [{"activity": "form_submitted", "points": 20, "half_life": "30 days"}],
}


def an_agreement(version: int = 1, *, qualification: dict[str, Any] | None = None, **clauses: Any) -> Agreement:
    """The small agreement with these rules and clauses instead."""
    return _read(a_text(version, qualification=qualification, **clauses))


@lru_cache(maxsize=32)
def _read(text: str) -> Agreement:
    """The agreement of this text, read once."""
    return read_agreement(text)


def a_text(version: int = 1, *, qualification: dict[str, Any] | None = None, **clauses: Any) -> str:
    """The text of the small agreement with these rules and clauses instead."""
    fields = {"industry": {"type": "choice"}, "employees": {"type": "number"}}
    small = {"version": version, "personas": [], "screen": [], "fields": fields, "qualification": {**RULES, **(qualification or {})}}
    return example_with(**{**small, **clauses})


def example_with(**clauses: Any) -> str:
    """The text of the shipped example with these clauses instead."""
    key = repr(clauses)
    if key not in _WRITTEN:
        text = io.StringIO()
        YAML(typ="safe", pure=True).dump({**_example(), **deepcopy(clauses)}, text)
        _WRITTEN[key] = text.getvalue()
    return _WRITTEN[key]


#: The texts that were asked for, by their clauses: writing YAML takes longer than most tests.
_WRITTEN: dict[str, str] = {}


@cache
def _example() -> dict[str, Any]:
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(io.StringIO(EXAMPLE))
    return tree


def example(clause: str) -> Any:
    """What the shipped example says under this key."""
    return deepcopy(_example()[clause])


def a_file(folder: Path, *lines: str, name: str = "leads.csv") -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def past_of(path: Path, *agreements: Agreement, mapping: dict[str, Any] | None = None, **more: Any) -> PastLeads:
    """The past leads of this file."""
    lead_map = LeadMap.model_validate(mapping) if mapping else None
    return read_past(LeadFile(path, lead_map, **more), agreements or [an_agreement()], now=NOW)
