"""The demo from beginning to end: the stack, a clock that leaps, leads from a file, and people who answer."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.roster import Roster
from app import stack, terminal
from app.commands.leads import print_bar
from app.csv_import.file import IncomingRow, LeadMap, ReadLeads, read_leads, read_map
from app.csv_import.importing import import_leads
from app.demo.chat_room import ChatRoom
from app.demo.director import Director
from app.demo.inbox import Inbox
from app.demo.people import Office, Person
from app.demo.report import report
from app.demo.scanner import Scanner
from app.demo.screen import Board, Story, print_funnel
from app.deploying import deploy
from storage import contracts, roster, time_offset
from storage.crm.local import LocalCrm
from storage.crm.port import Account
from storage.tables import LeadSource
from storage.time_ledger import ledger
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

ROOT = Path(__file__).resolve().parents[2]
AGREEMENTS = ROOT / "agreements" / "examples"
AGREEMENT = "b2b-saas"
#: By this file a folder is known to be a demo's, to be emptied by the next one.
MARK = ".made-by-baton-demo"
ROSTER = ROOT / "examples" / "roster.yaml"
LEADS = ROOT / "examples" / "leads.csv"
ACCOUNTS = ROOT / "examples" / "accounts.csv"
#: A file that spans more than this is taken in by the batch during demo hours, instead of at its own dates.
OWN_DATES_WITHIN = timedelta(days=90)
BATCH, BATCH_EVERY = 8, timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    leave: bool = False
    report: Path | None = None
    leads: Path | None = None
    mapping: Path | None = None
    agreement: Path | None = None
    limit: int | None = None
    scanners: bool = False
    folder: Path = Path("~/.baton/demo")


def run_demo(options: Options, console: Console) -> dict[str, Any]:
    """Runs the demo; the report. Serves on until Ctrl-C unless it is to leave."""
    folder = options.folder.expanduser().absolute()
    _empty(folder)
    mapping = read_map(options.mapping) if options.mapping else None
    text = _agreement_file(options, mapping).read_text(encoding="utf-8")
    agreement = read_agreement(text)
    zone = ZoneInfo(agreement.timezone)
    rows = _rows(options, mapping, agreement, zone)
    settings = Settings(home=folder)
    box = terminal.open_box(settings)
    first = rows[0][0]
    box.write_now(lambda session, now: time_offset.leap_to(session, first - timedelta(minutes=1)))
    now = lambda: box.read_now(lambda session, at: at).astimezone(zone)  # noqa: E731
    with ChatRoom() as room, Inbox(folder=folder / "inbox", now=now) as inbox:
        web_port, prefect_port = stack.free_port(), stack.free_port()
        more = {
            "BATON_SMTP_URL": f"smtp://127.0.0.1:{inbox.smtp_port}",
            "BATON_MAIL_FROM": "Baton <baton@northgate.example>",
            "BATON_CHAT_URL": room.apprise_url,
            "BATON_UNDO_MINUTES": "0",
            "BATON_CRM_POLL_SECONDS": "0.5",
            "BATON_TICK_SECONDS": "0.15",
        }
        console.print("Starting Prefect server, worker and web pages (the first start takes a while) …")
        began = time.monotonic()

        def prepare(running: stack.Stack) -> None:
            with running.in_reach():
                asyncio.run(_put_in_force(box, agreement, text))

        tell = lambda text: console.print(f"  {text} after {time.monotonic() - began:.0f} s")  # noqa: E731
        with stack.running(folder, prefect_port=prefect_port, web_port=web_port, more=more, tell=tell, prepare=prepare) as running:
            director = _director(box, running, inbox, agreement, options)
            places = {
                "Prefect UI": running.prefect_url,
                "  log-in": running.log_in,
                "Inbox": inbox.url,
                "Chat room": f"http://127.0.0.1:{room.port}",
                "Baton": running.web_url,
                "Logs": folder / "logs",
            }
            addresses = "\n".join(f"{name:12} {place}" for name, place in places.items())
            console.print(addresses, markup=False)
            try:
                with running.in_reach():
                    asyncio.run(_play(director, rows, console, zone, options))
                found = report(box, director, room)
                if options.report:
                    options.report.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")
                print_funnel(console, found)
                if not options.leave:
                    _serve_on(running, console, addresses, folder)
            except KeyboardInterrupt:
                console.print("stopping …")
                found = report(box, director, room)
    return found


def _empty(folder: Path) -> None:
    """Makes the folder new; one that no demo made, and that is not empty, is refused."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ValueError(f"{folder} is not empty and was not made by a demo; name another one with --home")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _agreement_file(options: Options, mapping: LeadMap | None) -> Path:
    named = AGREEMENTS / f"{mapping.agreement if mapping and mapping.agreement else AGREEMENT}.yaml"
    return options.agreement or named


def _rows(options: Options, mapping: LeadMap | None, agreement: Agreement, zone: ZoneInfo) -> list[tuple[datetime, IncomingRow]]:
    file = options.leads or LEADS
    read = read_leads(file, mapping=mapping, timezone=agreement.timezone, limit=options.limit, today=datetime.now(zone))
    for bad in read.bad:
        terminal.complaints.print(f"{file}:{bad.line}: {bad.reason}", markup=False)
    dated = [row for row in read.rows if row.lead.at is not None]
    if not read.rows:
        terminal.fail(terminal.USAGE, f"{file} has no lead that can be taken in.")
    times = [row.lead.at for row in dated if row.lead.at]
    if len(dated) == len(read.rows) and max(times) - min(times) <= OWN_DATES_WITHIN:
        return sorted(((row.lead.at, row) for row in dated if row.lead.at), key=lambda pair: (pair[0], pair[1].line))
    return _batches(read, agreement, zone)


def _batches(read: ReadLeads, agreement: Agreement, zone: ZoneInfo) -> list[tuple[datetime, IncomingRow]]:
    calendar = agreement.calendar()
    start = calendar.next_opening(datetime(2027, 2, 1, 9, tzinfo=zone))
    return [(calendar.add(start, BATCH_EVERY * (number // BATCH)), row) for number, row in enumerate(read.rows)]


async def _put_in_force(box: Toolbox, agreement: Agreement, text: str) -> None:
    await box.write(lambda session, now: roster.load(session, ROSTER.read_text(encoding="utf-8"), now=now))
    row = await box.write(lambda session, now: contracts.publish(session, text, now=now))
    for party, name in (("marketing", "Mina Okoro"), ("sales", "Maria Keller")):
        await box.write(lambda session, now, p=party, n=name: contracts.sign(session, row, party=p, name=n, via="demo", now=now))  # type: ignore[misc]
    await deploy(box, agreement.agreement, agreement.version)


def _director(box: Toolbox, running: stack.Stack, inbox: Inbox, agreement: Agreement, options: Options) -> Director:
    crm = LocalCrm(running.folder / "crm.db")
    with ACCOUNTS.open(encoding="utf-8", newline="") as file:
        crm.add_accounts(_account(row) for row in csv.DictReader(file))
    people: Roster = box.read_now(lambda session, now: roster.current(session))
    director = Director(box, running, inbox, crm, scanner=Scanner() if options.scanners else None)
    office = Office(inbox, people, agreement.calendar(), director.plan, director.now, crm)
    director.people = {ident: Person(ident, office) for ident in people.people}
    return director


def _account(row: dict[str, str]) -> Account:
    return Account(
        row["id"], row["name"], row["domain"], row["status"], row["owner"], row["open_opportunity"].lower() in ("true", "1", "yes")
    )


async def _play(director: Director, rows: list[tuple[datetime, IncomingRow]], console: Console, zone: ZoneInfo, options: Options) -> None:
    first = rows[0][1].lead
    rest = rows
    if options.leads is None:
        own = [pair for pair in rows if pair[1].lead.source_id == first.source_id]
        rest = [pair for pair in rows if pair[1].lead.source_id != first.source_id]
        await _tell_story(director, own, console, zone)
    _expect(director, rest)
    console.print(f"\n[bold]Now everybody[/bold]: {len(rest)} inquiries and activities\n")
    with Board(director.box, console, zone) as board:
        await director.run(look=board.look)


async def _tell_story(director: Director, rows: list[tuple[datetime, IncomingRow]], console: Console, zone: ZoneInfo) -> None:
    lead = rows[0][1].lead
    next(iter(director.people.values())).office.story_company = lead.company
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
    print_bar(director.box.read_now(lambda session, now: ledger(session, lead_id, now=now)))


def _lead_of(session: Any, source: str, source_id: str) -> int:
    row = session.get(LeadSource, (source, source_id))
    return row.lead_id if row else 0


def _expect(director: Director, rows: list[tuple[datetime, IncomingRow]]) -> None:
    by_time: dict[datetime, list[IncomingRow]] = {}
    for at, row in rows:
        by_time.setdefault(at, []).append(row)
    for at, group in by_time.items():

        async def take_in(group: list[IncomingRow] = group) -> None:
            read = ReadLeads(rows=group, bad=[])
            await asyncio.to_thread(lambda: import_leads(director.box, read, hold=False, actor="website", progress=None))

        director.plan(at, "inquiries", take_in)


def _serve_on(running: stack.Stack, console: Console, addresses: str, folder: Path) -> None:
    console.print("\nAll is at rest. Everything keeps running until Ctrl-C; look at:", addresses, sep="\n", markup=False)
    console.print(f"One lead:    BATON_HOME={folder} baton leads show 1", markup=False)
    while True:
        time.sleep(1)
        running.watch()
