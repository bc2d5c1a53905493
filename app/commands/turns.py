"""Whose turn it is in each team, and what each rep got of what was due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlmodel import Session

from agreements.choosing import Choosing
from agreements.errors import HandoffError
from agreements.model import Agreement, Segment
from agreements.roster import Roster
from agreements.routing import Candidate
from agreements.turns import TURN
from app import terminal
from storage import contracts, roster, turns
from storage.tables import TurnSheet
from storage.turns import Happened
from tasks.steps.candidates import of_team

#: A rep is uneven who got so many leads more or fewer than were due.
UNEVEN = 1.5
_DAYS = 30


def upcoming(
    team: Annotated[str, typer.Option(help="Only this team.")] = "",
    tier: Annotated[str, typer.Option(help="For a lead of this tier.")] = "normal",
) -> None:
    """Show who gets the next lead of each team, and why, with every colleague and what keeps them from it."""
    box = terminal.open_box()
    with terminal.told():
        box.read_now(lambda session, now: _show_next(session, now, team, tier))


def _show_next(session: Session, now: datetime, team: str, tier: str) -> None:
    people, shown = roster.current(session), set[str]()
    if team and team not in people.teams:
        raise HandoffError(f"There is no team {team!r}; there are: {', '.join(people.teams)}.")
    for agreement in (contracts.read(row) for row in contracts.counting(session, now)):
        if tier not in [one.name for one in agreement.tiers]:
            raise HandoffError(f"{agreement.reference} has no tier {tier!r}; it has: {', '.join(one.name for one in agreement.tiers)}.")
        for segment in agreement.routing.segments:
            if segment.team in shown or (team and segment.team != team):
                continue
            shown.add(segment.team)
            _show_team(agreement, segment, of_team(session, agreement, segment, tier, now=now), people, now)
    if not shown:
        raise HandoffError("No agreement in force routes leads to that team." if team else "No agreement is in force.")


def _show_team(agreement: Agreement, segment: Segment, seen: Choosing, people: Roster, now: datetime) -> None:
    found = seen.route(agreement)
    title = people.teams[segment.team].title if segment.team in people.teams else ""
    next_ones = found.told or ((found.rep,) if found.rep else ())
    who = " or ".join(people.name_of(one) for one in next_ones) or "nobody"
    terminal.console.print(title or segment.team, style="bold", end="")
    terminal.console.print(f" ({agreement.reference}): {who}, {found.why}")
    table = Table("rep", "at work", "open leads", "weight", "ahead of their share by", "next")
    zone = ZoneInfo(agreement.timezone)
    for one in seen.candidates:
        ahead = -seen.rules.turns.balance.get(one.rep, 0) / TURN
        row = (f"{one.open_leads} of {one.capacity}", f"{one.weight / 5040:g}", f"{ahead:+.2f}", "◄" if one.rep in next_ones else "")
        table.add_row(people.name_of(one.rep), _at_work(one, now, zone), *row)
    terminal.console.print(table)


def _at_work(one: Candidate, now: datetime, zone: ZoneInfo) -> str:
    if one.at_work:
        return "now"
    opens = one.opens_at.astimezone(zone)
    return f"{'away, back' if one.away else 'from'} {opens:%a %d %b %H:%M}"


@dataclass
class _Sum:
    """What one rep of one pool had over some days."""

    due: float = 0.0
    given: int = 0
    credited: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    days: set[date] = field(default_factory=set)


def shares(
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day. Default: 30 days back.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day. Default: today.")] = None,
    team: Annotated[str, typer.Option(help="Only this team.")] = "",
) -> None:
    """Show for each team and tier what each rep got, claimed, declined and got back, how much was due, and why shares are uneven.

    A lead that goes to the rep who knows its company is a turn like any other. A lead that was asked for by name, or that goes
    to the owner of its account, is nobody's turn.
    """
    box = terminal.open_box()
    with terminal.told():

        def read(session: Session, now: datetime) -> tuple[list[TurnSheet], list[Happened], Roster, date, date]:
            until = last.date() if last else now.astimezone(UTC).date() + timedelta(days=1)
            since = first.date() if first else until - timedelta(days=_DAYS + 1)
            if since > until:
                raise HandoffError(f"--from {since} is after --to {until}.")
            found = [one for one in turns.sheets(session, since=since, until=until) if not team or one.pool.split(":")[0] == team]
            happened = [one for one in turns.happened(session, since=since, until=until) if not team or one.pool.split(":")[0] == team]
            return found, happened, roster.current(session), since, until

        found, happened, people, since, until = box.read_now(read)
        if not found:
            terminal.console.print(f"Nobody got a lead by turn from {since} to {until}.")
        for pool in dict.fromkeys([*(one.pool for one in found), *(one.pool for one in happened)]):
            _show_pool(pool, [one for one in found if one.pool == pool], [one for one in happened if one.pool == pool], people)


def _show_pool(pool: str, sheets: Sequence[TurnSheet], happened: Sequence[Happened], people: Roster) -> None:
    team, _, tier = pool.partition(":")
    title = people.teams[team].title or team if team in people.teams else team or "no team"
    terminal.console.print(f"{title}, {tier}", style="bold")
    table = Table("rep", "due", "got", "claimed", "declined", "given back", "more or less", "as account owner", "why")
    sums, days = _summed(sheets, happened), {one.day for one in sheets}
    for rep, one in sorted(sums.items()):
        difference = one.given - one.credited - one.due
        counts = (one.given, one.happened["claimed"], one.happened["declined"], one.credited)
        row = (f"{one.due:.1f}", *map(str, counts), f"{difference:+.1f}", str(one.happened["owner"]))
        table.add_row(people.name_of(rep), *row, "; ".join(_why(one, days, gone=rep not in people.people)))
    terminal.console.print(table)


def _summed(sheets: Sequence[TurnSheet], happened: Sequence[Happened]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for sheet in sheets:
        for rep, parts in sheet.due.items():
            one = sums.setdefault(rep, _Sum())
            one.due += parts / TURN
            one.days.add(sheet.day)
        for rep, count in Counter(sheet.given).items():
            sums.setdefault(rep, _Sum()).given += count
        for rep, count in Counter(sheet.credited).items():
            sums.setdefault(rep, _Sum()).credited += count
    for told in happened:
        sums.setdefault(told.rep, _Sum()).happened[told.what] += told.count
    return sums


def _why(one: _Sum, days: set[date], *, gone: bool) -> Iterator[str]:
    if gone:
        yield "has left the roster"
    if missing := len(days - one.days if one.due or one.given else ()):
        yield f"could take none on {missing} of {len(days)} days (away, closed or full)"
    if overtaken := one.happened["overtaken"]:
        yield f"colleagues were first at {overtaken} lead{'s' if overtaken > 1 else ''} offered to several"
    elif one.happened["claimed"]:
        yield "was the first at each lead offered to several"
    if one.happened["declined"] and one.given - one.credited - one.due < -UNEVEN:
        yield "declined leads"
    if one.happened["owner"]:
        yield "leads of own accounts are nobody's turn"
    if abs(one.given - one.credited - one.due) > UNEVEN and not (overtaken or one.happened["claimed"]):
        yield "turns given back are still to come" if one.credited else "more or less than due: see docs/agreements.md, Turns"
