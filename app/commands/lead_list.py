"""Lists the newest leads."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from sqlmodel import Session, col, select

from app import terminal
from storage.tables import Handoff, Lead


def list_leads(
    stage: Annotated[str, typer.Option(help="Only leads in this stage.")] = "",
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """List the newest leads with stage, owner and agreement."""
    box = terminal.open_box()
    table = Table("lead", "company", "stage", "tier", "score", "owner", "rep", "agreement")
    for handoff, lead in box.read_now(lambda session, now: _newest(session, stage, limit)):
        row = (lead.company or "–", handoff.stage, handoff.tier, str(handoff.score), handoff.owner, handoff.rep)
        table.add_row(str(handoff.lead_id), *row, f"{handoff.agreement}@{handoff.version}")
    terminal.console.print(table)


def _newest(session: Session, stage: str, limit: int) -> list[tuple[Handoff, Lead]]:
    query = select(Handoff, Lead).join(Lead, col(Lead.id) == col(Handoff.lead_id))
    if stage:
        query = query.where(Handoff.stage == stage)
    return list(session.exec(query.order_by(col(Handoff.id).desc()).limit(limit)))
