"""Shows when a clock of an agreement that starts at an instant is due, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from agreements.calendar.instants import read_instant
from agreements.calendar.working_time import CalendarError
from agreements.model import Agreement
from agreements.roster import Person, Roster, read_roster
from agreements.timeline import Step, Timeline, timeline
from agreements.words import CLOCK_NAMES, word
from app import terminal
from app.commands.agreement.days import day_bars, named_days
from app.commands.agreement.references import ReferenceOrFile, agreement_of


@dataclass(frozen=True, slots=True)
class Asked:
    """The question, and for whom. supposed: what the command assumed about the instant; holder: None for nobody in particular."""

    agreement: Agreement
    line: Timeline
    supposed: str
    holder: Person | None
    holder_zone: ZoneInfo

    @property
    def zones(self) -> dict[str, ZoneInfo]:
        """Return the zones in which to show instants: of the agreement, of the person whose task is due, and UTC; each once."""
        known = {"agreement": ZoneInfo(self.agreement.timezone), "holder": self.holder_zone, "UTC": ZoneInfo("UTC")}
        keys = [zone.key for zone in known.values()]
        return {name: zone for number, (name, zone) in enumerate(known.items()) if zone.key not in keys[:number]}


def due(
    ref: ReferenceOrFile,
    clock: Annotated[str, typer.Option("--clock", help=f"One of {', '.join(CLOCK_NAMES)}.")],
    start: Annotated[str, typer.Option("--from", help="Start of the clock: 2026-05-01T16:30+01:00; without offset, local time.")],
    tier: Annotated[str, typer.Option(help="The lead's tier.")] = "normal",
    rep: Annotated[str, typer.Option(help="Who has to act: a person in the roster, whose calendar counts.")] = "",
    roster_file: Annotated[Path | None, typer.Option("--roster", help="A roster file to use instead of the loaded roster.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show when a clock that starts at an instant is due: due time, reminders, ladder, and which days are skipped."""
    with terminal.told():
        agreement = agreement_of(ref)
        asked = _asked(agreement, clock, start, tier, _person(rep, roster_file))
    if as_json:
        typer.echo(json.dumps(_as_data(asked), indent=2, ensure_ascii=False))
    else:
        _show(asked)


def _person(ident: str, file: Path | None) -> Person | None:
    if not ident:
        return None
    people = read_roster(file.read_text(encoding="utf-8")) if file else _installed()
    person = people.person(ident)
    if person is None:
        terminal.fail(terminal.USAGE, f"Nobody in the roster is called {ident!r}; write one of {', '.join(people.people)}.")
    return person


def _installed() -> Roster:
    box = terminal.open_box()
    from storage import roster

    return box.read_now(lambda session, now: roster.current(session))


def _asked(agreement: Agreement, clock: str, start: str, tier: str, person: Person | None) -> Asked:
    tiers = [one.name for one in agreement.tiers]
    name = word(clock, CLOCK_NAMES)
    if name is None:
        terminal.fail(terminal.USAGE, f"There is no clock {clock!r}; write one of {', '.join(CLOCK_NAMES)}.")
    if tier not in tiers:
        terminal.fail(terminal.USAGE, f"{agreement.reference} has no tier {tier!r}; write one of {', '.join(tiers)}.")
    try:
        at, supposed = read_instant(start, ZoneInfo(agreement.timezone))
    except ValueError as error:
        terminal.fail(terminal.USAGE, f"--from: {error}")
    try:
        line = timeline(agreement, name, tier=tier, start=at, holder_calendar=person.calendar if person else "")
    except CalendarError as error:
        terminal.fail(terminal.FINDINGS, f"{agreement.reference} has no due time for the clock {clock}: {error}")
    zone = ZoneInfo(person.timezone) if person else line.calendar.timezone
    return Asked(agreement, line, supposed, person, zone)


def _show(asked: Asked) -> None:
    line, console = asked.line, terminal.console
    console.print(f"{asked.agreement.reference}, {line.clock} for tier {line.tier}: {line.term}, owed by {line.owed_by}", markup=False)
    console.print(f"from {line.start.astimezone(asked.holder_zone):%A %d %B %Y} on, {_by_whose_time(asked)}", markup=False)
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("")
    for zone in asked.zones.values():
        table.add_column(zone.key, no_wrap=True)
    table.add_row("start", *_told(line.start, asked))
    for step in line.nudges:
        table.add_row(Text(f"{step.when}: {step.do}"), *_told(step.at, asked))
    table.add_row(*(Text(text, style="bold") for text in ("due", *_told(line.due_at, asked))))
    for step in line.rungs:
        table.add_row(Text(f"{step.when}: {step.do}"), *_told(step.at, asked))
    if line.bound:
        table.add_row("total over all reps", *_told(line.bound, asked))
    console.print(table)
    passed = [f"closed: {named_days(line.closed)}"] if line.closed else []
    console.print(Text("\n".join(["", *day_bars(line), "", *passed, *_remarks(asked)])), soft_wrap=True)


def _told(at: datetime | None, asked: Asked) -> list[str]:
    """Return the instant in each zone; with the year where it differs from the start's."""
    local = [at.astimezone(zone) for zone in asked.zones.values()] if at else []
    year = "" if at is None or at.year == asked.line.start.year else " %Y"
    return [f"{one:%a} {one.day:>2} {one:%b{year} %H:%M}" for one in local] or ["-"] * len(asked.zones)


def _by_whose_time(asked: Asked) -> str:
    line = asked.line
    whose = f", on which {asked.holder.name} works" if asked.holder and asked.holder.calendar == line.calendar_name else ""
    if not line.term.working:
        return "elapsed time, by no calendar"
    return f"on the calendar {line.calendar_name} ({line.calendar.timezone.key}){whose}"


def _remarks(asked: Asked) -> list[str]:
    """Return what could still move the due time, and what does not fit; one line each."""
    line, found = asked.line, [f"start: {asked.supposed}"] if asked.supposed else []
    found += line.notes
    if asked.holder and asked.holder.calendar and asked.holder.calendar not in asked.agreement.calendars:
        found.append(
            f"{asked.agreement.reference} has no calendar {asked.holder.calendar!r}; the first calendar of the agreement counts instead"
        )
    if asked.holder and asked.holder.is_away(line.start):
        back = asked.holder.back_at(line.start).astimezone(asked.holder_zone)
        found.append(f"{asked.holder.name} is away until {back:%a} {back.day} {back:%b %Y %H:%M}; routing skips people who are away")
    return found


def _as_data(asked: Asked) -> dict[str, Any]:
    line = asked.line

    def instants(at: datetime | None) -> dict[str, str] | None:
        return {name: at.astimezone(zone).isoformat() for name, zone in _all_zones(asked).items()} if at else None

    def steps(many: tuple[Step, ...]) -> list[dict[str, Any]]:
        return [{"do": one.do, "when": one.when, "at": instants(one.at)} for one in many]

    return {
        "agreement": asked.agreement.reference,
        "clock": line.clock,
        "tier": line.tier,
        "owed_by": line.owed_by,
        "term": str(line.term),
        "calendar": line.calendar_name if line.term.working else None,
        "zones": {name: zone.key for name, zone in _all_zones(asked).items()},
        "start": instants(line.start),
        "supposed": asked.supposed,
        "due": instants(line.due_at),
        "nudges": steps(line.nudges),
        "rungs": steps(line.rungs),
        "total": instants(line.bound),
        "closed": [{"date": day.isoformat(), "why": why} for day, why in line.closed],
        "counted": [{"from": opens.isoformat(), "to": closes.isoformat()} for opens, closes in line.counted],
        "notes": _remarks(asked),
    }


def _all_zones(asked: Asked) -> dict[str, ZoneInfo]:
    return {"agreement": ZoneInfo(asked.agreement.timezone), "holder": asked.holder_zone, "utc": ZoneInfo("UTC")}
