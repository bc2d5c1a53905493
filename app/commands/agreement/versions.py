"""Lists the published versions of all agreements."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table
from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES
from app import terminal
from storage import contracts
from storage.tables import AgreementVersion, Handoff


def list_versions() -> None:
    """List every published version: whether it is in force, its dates, its signatures, and the number of its open handoffs."""
    box = terminal.open_box()
    table = Table("version and hash", "effective", "signed by", "state", "open", show_lines=True)
    for row in box.read_now(_listed):
        table.add_row(*row)
    terminal.console.print(table)


def _listed(session: Session, now: datetime) -> list[tuple[str, ...]]:
    counting = {contracts.reference_of(row) for row in contracts.counting(session, now)}
    is_open = col(Handoff.stage).in_([one.value for one in OPEN_STAGES])
    count = select(Handoff.agreement, Handoff.version, func.count()).where(is_open).group_by(col(Handoff.agreement), col(Handoff.version))
    under = {f"{name}@{version}": number for name, version, number in session.exec(count)}
    rows: list[tuple[str, ...]] = []
    for row in contracts.all_of(session):
        reference, days = contracts.reference_of(row), contracts.read(row).effective
        dates = f"from {days.from_}" + (f"\nuntil {days.until}" if days.until else "")
        state = "in force now" if reference in counting else "not in force"
        since = f"\ndeployed {row.deployed_at:%Y-%m-%d}" if row.deployed_at else ""
        rows.append((f"{reference}\n{row.hash[:12]}", dates, _signed_by(session, row), state + since, str(under.get(reference, 0))))
    return rows


def _signed_by(session: Session, row: AgreementVersion) -> str:
    names = {one.party: one.name for one in contracts.signatures(session, row)}
    return "\n".join(f"{party}: {names.get(party, 'not yet')}" for party in contracts.PARTIES)
