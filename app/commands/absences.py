"""Who is away: tell, list and take back absences beside the roster file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlmodel import Session

from agreements import presence
from agreements.absences import NewAbsence, absences_of, away_command, check_absence, read_day, source_of, span, told, where
from agreements.errors import AbsenceRefused
from agreements.roster import Away, Person, Roster
from app import terminal
from storage import absences, auto_replies, roster
from storage.tables import Absence
from tasks.disputes.rulings import person_called

When = "A day such as 2027-02-01, from midnight in the person's zone, or an instant such as 2027-02-01T12:00."


def away(
    person: Annotated[str, typer.Argument(help="An id or a name in the roster; without one, everybody's absences are listed.")] = "",
    begins: Annotated[str, typer.Option("--from", help=f"{When} Default: now.")] = "",
    until: Annotated[str, typer.Option("--until", help=f"When the person is back. {When}")] = "",
    deputy: Annotated[str, typer.Option("--deputy", help="Who stands in during this absence. Default: the person's own deputy.")] = "",
    back: Annotated[bool, typer.Option("--back", help="The person is back: end the absence that goes on now.")] = False,
    remove: Annotated[str, typer.Option("--remove", help=f"Take back the absence that begins or goes on then. {When}")] = "",
) -> None:
    """Say from when until when a person is away, and who stands in. Without --until, list absences. Loading a roster keeps them."""
    if (begins or deputy) and not until:
        terminal.fail(terminal.USAGE, "Give --until, the day on which the person is back.")
    if bool(until) + back + bool(remove) > 1 or ((until or back or remove) and not person):
        terminal.fail(terminal.USAGE, "Name one person, and one of --until, --back and --remove.")
    box = terminal.open_box()
    with terminal.told():
        if until:
            said = box.write_now(lambda session, now: _tell(session, now, person, (begins, until), deputy))
        elif back or remove:
            said = box.write_now(lambda session, now: _take_back(session, now, person, remove))
        else:
            box.read_now(lambda session, now: _list(session, now, person))
            return
        terminal.console.print(said, markup=False, soft_wrap=True)


def _tell(session: Session, now: datetime, name: str, times: tuple[str, str], deputy: str) -> str:
    people = roster.current(session)
    ident = person_called(people, name)
    zone = ZoneInfo(people.people[ident].timezone)
    starts_at, ends_at = read_day(times[0], zone) if times[0] else now.replace(second=0, microsecond=0), read_day(times[1], zone)
    by_name = person_called(people, deputy) if deputy else ""
    new = NewAbsence(ident, starts_at, ends_at, "command", starts_at.astimezone(UTC).isoformat(), by_name)
    check_absence(people, new, now=now)
    absences.add(session, new, by=terminal.who(), now=now)
    people = roster.current(session)
    asked = presence.stand_in(people, ident, max(now, new.starts_at))
    stands_in = f"{people.name_of(asked)} stands in." if asked else "Nobody stands in."
    return f"{people.name_of(ident)} is away {span(new.away, zone)} ({zone.key}). {stands_in}"


def _take_back(session: Session, now: datetime, name: str, day: str) -> str:
    people = roster.current(session)
    ident = person_called(people, name)
    person, zone = people.people[ident], ZoneInfo(people.people[ident].timezone)
    at = read_day(day, zone) if day else now
    end = at + (timedelta(days=1) if len(day.strip()) == len("2027-02-01") else timedelta.resolution)
    row = next((one for one in absences.of_person(session, ident) if one.starts_at < end and at < one.ends_at), None)
    if row is None:
        raise AbsenceRefused(_not_told(person, at, end, zone))
    said = span(_away_of(row), zone)
    if row.source == "feed":
        raise AbsenceRefused(f"The calendar feed says that {person.name} is away {said}: change it there.")
    if row.ends_at <= now:
        raise AbsenceRefused(f"The absence of {person.name} {said} is over.")
    absences.end(session, row, at=now, now=now)
    return (
        f"{person.name} is back; the absence was {said}."
        if row.removed_at is None
        else f"The absence of {person.name} {said} is taken back."
    )


def _away_of(row: Absence) -> Away:
    return Away.model_validate({"from": row.starts_at, "until": row.ends_at})


def _not_told(person: Person, at: datetime, end: datetime, zone: ZoneInfo) -> str:
    found = next((one for one in person.away if one.from_ < end and at < one.until), None)
    if found:
        return f"{person.name} is away {span(found, zone)}, {where(source_of(found))}: change the file and load it again."
    return f"{person.name} is not away at {told(at, zone)}; `baton roster away` lists who is away when."


def _list(session: Session, now: datetime, name: str) -> None:
    people = roster.current(session)
    wanted: Sequence[str] = [person_called(people, name)] if name else list(people.people)
    table = Table("id", "name", "from", "until", "zone", "stand-in", "source")
    for ident in wanted:
        person = people.people[ident]
        zone = ZoneInfo(person.timezone)
        for one in absences_of(person, since=now):
            row = (told(one.from_, zone), told(one.until, zone), zone.key, _stands_in(people, person, one), where(source_of(one)))
            table.add_row(ident, person.name, *row)
    if table.row_count:
        terminal.console.print(table)
    else:
        terminal.console.print(f"{people.name_of(wanted[0]) if name else 'Nobody'} is {'not ' if name else ''}away, now or later.")
    for reply in auto_replies.open_of(session, [ident for ident in wanted if not people.people[ident].is_away(now)]):
        said = (
            f"The mailbox of {people.name_of(reply.person)} answered by itself on {reply.day}. If {people.name_of(reply.person)} is away:"
        )
        terminal.console.print(f"{said} {away_command(reply.person, reply.until)}", markup=False, soft_wrap=True)


def _stands_in(people: Roster, person: Person, one: Away) -> str:
    deputy = one.deputy or person.deputy
    return people.name_of(deputy) if deputy else "nobody"
