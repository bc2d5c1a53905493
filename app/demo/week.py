"""Plays the demo's week: the first lead's story, then everybody, then the cases left waiting for the visitor."""

from __future__ import annotations

import asyncio
import csv
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agreements.model import Agreement
from agreements.roster import Roster
from agreements.where_time_went import summed, where_time_went
from app import stack, terminal
from app.csv_import.file import ReadLeads
from app.csv_import.importing import import_leads
from app.demo import finale
from app.demo.director import Director
from app.demo.finale import Finale
from app.demo.inbox.inbox import Inbox
from app.demo.lead_rows import Timed
from app.demo.people import STORY, Office, Person
from app.demo.scanner import Scanner
from app.demo.terminal_view import Board, Story
from storage import lives, roster
from storage.crm.local import LocalCrm
from storage.crm.port import Account
from storage.tables import LeadSource
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox, wire

ACCOUNTS = Path(__file__).resolve().parents[2] / "examples" / "accounts.csv"


def director_of(box: Toolbox, running: stack.Stack, inbox: Inbox, agreement: Agreement, *, scanners: bool) -> Director:
    """Return the director with everybody in the roster, and a CRM that knows the example's companies."""
    crm = LocalCrm(running.folder / "crm.db")
    with ACCOUNTS.open(encoding="utf-8", newline="") as file:
        crm.add_accounts([*(_account(row) for row in csv.DictReader(file)), finale.OWNED])
    people: Roster = box.read_now(lambda session, now: roster.current(session))
    director = Director(box, running, inbox, crm, scanner=Scanner() if scanners else None)
    office = Office(
        inbox,
        people,
        agreement.calendar(),
        director.plan,
        director.now,
        crm,
        scripts=dict(finale.SCRIPTS),
        left_open=frozenset((finale.COMPANIES["decision"], finale.COMPANIES["note"])),
        disputed=frozenset((finale.COMPANIES["dispute"],)),
    )
    director.people = {ident: Person(ident, office) for ident in people.people}
    return director


def sender_of(running: stack.Stack, inbox: Inbox, mail_from: str) -> Toolbox:
    """Return a toolbox of this process that sends mail to the demo's inbox, with links to the demo's pages."""
    smtp = f"smtp://127.0.0.1:{inbox.smtp_port}"
    return wire(Settings(home=running.folder, smtp_url=smtp, mail_from=mail_from, web_url=running.web_url))


async def play(director: Director, rows: Timed, board: Board, *, tells_story: bool, quick: bool, last: Finale | None) -> None:
    """Play the rows, and then the cases left waiting.

    quick: with a finale, do not wait for the other leads; they go on while the finale is played.
    """
    rest = rows
    if tells_story:
        first = rows[0][1].lead
        own = [pair for pair in rows if pair[1].lead.source_id == first.source_id]
        rest = [pair for pair in rows if pair[1].lead.source_id != first.source_id]
        await _tell_story(director, own, board.console, board.zone)
    _expect(director, rest)
    board.console.print(f"\n[bold]Now everybody[/bold]: {len(rest)} inquiries and activities\n")
    with board:
        until = rows[-1][0]
        await director.run(look=board.look, at_rest=lambda: quick and last is not None and director.now() >= until)
        if last:
            await last.play(look=board.look, not_before=director.now())


async def _tell_story(director: Director, rows: Timed, console: Console, zone: ZoneInfo) -> None:
    lead = rows[0][1].lead
    next(iter(director.people.values())).office.scripts[lead.company] = STORY
    console.print(f"\n[bold]One lead's story: {lead.company}[/bold]")
    _expect(director, rows)
    story, lead_id = Story(director.box, console, zone), 0

    def look() -> None:
        nonlocal lead_id
        lead_id = lead_id or director.box.read_now(lambda session, now: _lead_of(session, lead.source, lead.source_id))
        if lead_id:
            story.tell(lead_id)

    await director.run(look=look)
    look()
    console.print("\n[bold]Where its time went[/bold]")
    terminal.print_bar(director.box.read_now(lambda session, now: summed(where_time_went(lives.of(session, [lead_id])[0], now=now))))


def _lead_of(session: Any, source: str, source_id: str) -> int:
    row = session.get(LeadSource, (source, source_id))
    return row.lead_id if row else 0


def _expect(director: Director, rows: Timed) -> None:
    by_time: dict[datetime, Timed] = {}
    for at, row in rows:
        by_time.setdefault(at, []).append((at, row))
    for at, group in by_time.items():

        async def take_in(group: Timed = group) -> None:
            read = ReadLeads(rows=[row for _, row in group], bad=[])
            await asyncio.to_thread(lambda: import_leads(director.box, read, hold=False, actor="website", progress=None))

        director.plan(at, "inquiries", take_in)


def _account(row: dict[str, str]) -> Account:
    return Account(
        row["id"], row["name"], row["domain"], row["status"], row["owner"], row["open_opportunity"].lower() in ("true", "1", "yes")
    )
