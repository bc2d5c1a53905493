"""Compares two agreements and says in words what they agree differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from agreements.differences import NAMES, differences_by_part
from agreements.loading import content_hash
from agreements.model import Agreement
from app import terminal
from app.commands.agreement.references import ReferenceOrFile, agreement_of, reference

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def diff(old: ReferenceOrFile, new: ReferenceOrFile, as_json: AsJson = False) -> None:
    """Show how two versions or files differ in what they agree. Comments and spelling variants make no difference."""
    with terminal.told():
        before, after = agreement_of(old), agreement_of(new)
        found = differences_by_part(before, after)
        same_text = _hash_of(old) == _hash_of(new)
    if as_json:
        told = {"old": before.reference, "new": after.reference, "same_text": same_text, "differences": found}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    _print(before, after, found, same_text=same_text)


def _hash_of(ref: str) -> str:
    """Return the hash of a file's text, or that of a published version."""
    if Path(ref).is_file():
        return content_hash(Path(ref).read_text(encoding="utf-8"))
    from storage import contracts
    from tasks.wiring import toolbox

    return toolbox.current().read_now(lambda session, now: contracts.get(session, *reference(ref)).hash)


def _print(old: Agreement, new: Agreement, found: Mapping[str, tuple[str, ...]], *, same_text: bool) -> None:
    console = terminal.console
    console.print(f"{old.reference} -> {new.reference}", markup=False, style="bold")
    for part, lines in found.items():
        console.print(f"\n{part}", markup=False, style="bold")
        for line in lines:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if not set(found) - {NAMES}:
        but = " but name and version" if found else ""
        texts = "The texts are the same." if same_text else "The texts and their hashes differ, so each text needs its own signatures."
        console.print(f"\nNo difference in what is agreed{but}. {texts}")
