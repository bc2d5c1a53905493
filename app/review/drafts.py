"""Drafts: an agreement's own text with the changes of a proposal, as the next version. Comments and layout stay."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from agreements.checks import problems_of
from agreements.clauses import defaults
from agreements.errors import InvalidAgreement
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.review.proposal import Change, Proposal
from app.review.entry_removal import without
from app.review.report import Review

#: No line of an agreement is wrapped again.
_WIDE = 100_000


def draft(text: str, proposal: Proposal, *, version: int, effective: date, origin: str) -> tuple[str, Agreement] | None:
    """Return the changed text as this version, and the agreement that it says; None where `check` would refuse it.

    text: of the present version. effective: its first day. origin: where it comes from, as the first line.
    """
    if not proposal.changes:
        return None
    kept = _without(text.removeprefix("\ufeff"), proposal.changes)
    if kept is None:
        return None
    yaml = _yaml()
    whole = yaml.load(kept)
    whole["version"], whole["effective"]["from"] = version, effective
    whole["effective"].pop("until", None)
    if not all(_changed(whole, one) for one in proposal.changes if one.value is not None):
        return None
    written = io.StringIO()
    yaml.dump(whole, written)
    changed = "".join(f"# {line}\n" for line in (origin, proposal.what, *proposal.grounds)) + written.getvalue()
    try:
        agreement = read_agreement(changed)
    except InvalidAgreement:
        return None
    return None if problems_of(agreement) else (changed, agreement)


def _without(text: str, changes: Sequence[Change]) -> str | None:
    """Return the text without what the changes take out; None where that is not possible."""
    kept: str | None = text
    for one in changes:
        if one.value is None and kept is not None:
            kept = without(kept, one.path)
    return kept


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, _WIDE
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    return yaml


def _changed(whole: Any, change: Change) -> bool:
    """Make one change. Returns whether there was a place for it."""
    *way, last = change.path
    _write_usual_clock(whole, change)
    at = whole
    for place in way:
        at = _under(at, place)
        if at is None:
            return False
    at[last] = _value(change.value)
    return True


def _write_usual_clock(whole: Any, change: Change) -> None:
    """Write out the clock that is changed, where the text leaves it as usual: a clock is written whole or not at all."""
    first, name = change.path[:2]
    if first == "clocks" and name in defaults.CLOCKS and name not in whole.setdefault("clocks", {}):
        whole["clocks"][name] = deepcopy(defaults.CLOCKS[str(name)])


def _under(at: Any, place: str | int) -> Any:
    """Return what is there; a key that the text leaves out begins with nothing in it. None where a list has no such place."""
    if isinstance(place, int):
        return at[place] if isinstance(at, list) and place < len(at) else None
    if place not in at:
        at[place] = {}
    return at[place] if isinstance(at[place], dict | list) else None


def _value(value: int | str | dict[str, str] | None) -> Any:
    if not isinstance(value, dict):
        return value
    flow = CommentedMap(value)
    flow.fa.set_flow_style()
    return flow


def file_name(number: int) -> str:
    """Return the name of the file with the draft of this proposal; the first is 1."""
    return f"proposal-{number}.yaml"


def write_drafts(found: Review, folder: Path) -> Sequence[str]:
    """Write each draft into the folder, and return the names of the files. Drafts of an earlier review there are taken away."""
    for old in folder.glob("proposal-[0-9].yaml"):
        old.unlink()
    names = []
    for number, one in enumerate(found.proposals or (), 1):
        if one.draft:
            names.append(file_name(number))
            (folder / names[-1]).write_text(one.draft, encoding="utf-8")
    return names
