"""The CRM: what it says of a lead, accounts for the local one, and its page for trials."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session, col, func, select

from agreements.crm_fit import OWNERS
from agreements.opportunities import money
from app import terminal
from storage import crm_values, opportunities, roster
from storage.crm.local import LocalCrm
from storage.tables import CrmChange, Lead, Opportunity
from tasks.messages.crm_sentences import opportunity_in_words
from tasks.wiring.toolbox import Toolbox

#: The port of the local CRM's page.
PORT = 4280


def show(lead: Annotated[int | None, typer.Argument(help="Number of a lead. Without it: how far the CRM was read.")] = None) -> None:
    """Show what the CRM says: of one lead its fields and opportunities, else how far it was read and what it has in all."""
    box = terminal.open_box()
    with terminal.told():
        if lead is None:
            box.read_now(lambda session, now: _print_all(session, box))
        elif box.read_now(lambda session, now: session.get(Lead, lead)) is None:
            terminal.fail(terminal.FINDINGS, f"There is no lead {lead}.")
        else:
            box.read_now(lambda session, now: _print_lead(session, lead, now))


def _print_all(session: Session, box: Toolbox) -> None:
    waiting = session.exec(select(func.count()).select_from(CrmChange).where(col(CrmChange.taken_at).is_(None))).one()
    newest = session.exec(select(func.max(CrmChange.read_at))).one()
    terminal.console.print(f"CRM: {box.crm.name}")
    terminal.console.print(f"The newest change was read {newest:%a %d %b %Y %H:%M} UTC." if newest else "No change was read yet.")
    terminal.console.print(f"{waiting} {'change waits' if waiting == 1 else 'changes wait'} to be taken.")
    totals: Counter[tuple[str, str]] = Counter()
    counts: Counter[str] = Counter()
    query = select(Opportunity.state, Opportunity.currency, func.count(), func.sum(Opportunity.amount)).group_by(
        col(Opportunity.state), col(Opportunity.currency)
    )
    for state, currency, count, amount in session.exec(query):
        counts[state] += count
        totals[state, currency] += amount or 0
    for state, count in sorted(counts.items()):
        worth = ", ".join(money(amount, currency) for (of, currency), amount in sorted(totals.items()) if of == state and amount)
        terminal.console.print(f"Opportunities {state}: {count}{f', {worth}' if worth else ''}")
    if stalled := session.exec(select(func.count()).select_from(Opportunity).where(col(Opportunity.stalled_at).is_not(None))).one():
        terminal.console.print(f"{stalled} of the open ones {'is' if stalled == 1 else 'are'} stalled.")


def _print_lead(session: Session, lead_id: int, now: datetime) -> None:
    people = roster.current(session)
    known = crm_values.known(session, lead_id)
    for name, one in sorted(known.items()):
        by = "Baton" if one.by_baton else "a person"
        terminal.console.print(
            f"{name}: {people.name_of(one.value)} (set by {by}, {one.at:%a %d %b %Y %H:%M} UTC)", markup=False, soft_wrap=True
        )
    if not known:
        terminal.console.print("Nothing in the CRM means something for this lead yet.")
    for row in opportunities.of_lead(session, lead_id):
        terminal.console.print(opportunity_in_words(row), markup=False, soft_wrap=True)


def import_accounts(file: Annotated[Path, typer.Argument(help="A CSV file with the columns id, name, domain, status, owner.")]) -> None:
    """Take accounts into the local CRM from a CSV file. An account with a known id is replaced. A file with mistakes changes nothing."""
    from app.crm_accounts import AccountsUnreadable, read_accounts

    box = terminal.open_box()
    with terminal.told():
        crm = _local(box)
        people = box.read_now(lambda session, now: set(roster.current(session).people))
        try:
            accounts = read_accounts(file.read_bytes(), people=people)
        except AccountsUnreadable as error:
            terminal.fail(terminal.USAGE, f"{error}\nNothing was imported.")
        crm.add_accounts(accounts)
        terminal.console.print(f"{len(accounts)} {'account is' if len(accounts) == 1 else 'accounts are'} in the local CRM.")


def serve(port: Annotated[int, typer.Option(help="The port on this machine.", min=1, max=65535)] = PORT) -> None:
    """Serve a page of the local CRM on this machine, for trials: look at leads, edit owner and status. It has no log-in."""
    import uvicorn

    from app.crm_page.page import pages

    box = terminal.open_box()
    with terminal.told():
        crm = _local(box)

        def people() -> dict[str, str]:
            current = box.read_now(lambda session, now: roster.current(session))
            return {ident: one.name for ident, one in current.people.items() if one.role in OWNERS}

        terminal.console.print(f"The local CRM, for trials: http://127.0.0.1:{port}/ (end with Ctrl-C)")
        app = pages(crm, people=people, now=lambda: box.read_now(lambda session, now: now))
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def _local(box: Toolbox) -> LocalCrm:
    if not isinstance(box.crm, LocalCrm):
        terminal.fail(terminal.USAGE, f"This installation uses {box.crm.name}. Only the local CRM is changed here.")
    return box.crm
