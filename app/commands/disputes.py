"""Disputes: what marketing may object to, what a manager has to decide, and how disputes ended."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlmodel import Session

from app import terminal
from storage import disputes, roster
from storage.disputes import OVERTURNED, UPHELD, Tally
from storage.tables import Answer, Dispute, GivenRuling
from tasks.disputes import rulings
from tasks.disputes.page import Rejection, listed
from tasks.disputes.rulings import Ruled, person_called

By = Annotated[
    str,
    typer.Option("--by", help="Who disputes or decides: an id or a name in the roster. The trail marks the name as claimed."),
]
_RULINGS: dict[str, GivenRuling] = {"uphold": UPHELD, "overturn": OVERTURNED}


def list_disputes(
    open_to_dispute: Annotated[bool, typer.Option("--open-to-dispute", help="List what marketing may still dispute.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """List the newest disputes; with --open-to-dispute the rejections and returns that marketing may still dispute."""
    box = terminal.open_box()
    with terminal.told():
        if open_to_dispute:
            found, person, now = box.read_now(lambda session, now: (*_open(session, now), now))
            _print_open(found[:limit])
            page = box.links.for_dispute(0, person, at=now)
            terminal.console.print(f"As a page, for marketing: {page}", markup=False, soft_wrap=True)
            code = box.links.number(page.rpartition("/")[2])
            terminal.console.print(f"Your code: {code}. You type it the first time you answer on this device.", markup=False)
        else:
            _print(box.read_now(lambda session, now: _newest(session, limit)))


def _open(session: Session, now: datetime) -> tuple[list[Rejection], str]:
    people = roster.current(session)
    since = now - rulings.LONGEST_LOOK_BACK
    return [one for one in listed(session, people, now=now, since=since) if not one.closed], people.marketing


def _print_open(found: list[Rejection]) -> None:
    table = Table("answer", "lead", "company", "by", "reason", "open until")
    for one in found:
        table.add_row(str(one.answer_id), str(one.lead_number), one.company or "–", one.by, one.reason, f"{one.until:%d %b %Y %H:%M} UTC")
    terminal.console.print(table)


def _newest(session: Session, limit: int) -> list[tuple[Dispute, str, str, str]]:
    people, rows = roster.current(session), []
    for row in disputes.newest(session, limit=limit):
        answer = session.get(Answer, row.answer_id)
        assert answer is not None, "a dispute is about an answer: the foreign key says so"
        giver = people.name_of(disputes.giver_of(session, answer))
        rows.append((row, giver, str(answer.data.get("reason", "")), people.name_of(row.holder)))
    return rows


def _print(rows: list[tuple[Dispute, str, str, str]]) -> None:
    table = Table("dispute", "lead", "answer of", "reason", "before", "due", "ruling", "by")
    for row, giver, reason, holder in rows:
        ruled = (row.ruling or "open", row.decided_by or ("nobody, in time" if row.ruling else ""))
        table.add_row(str(row.id), str(row.lead_id), giver, reason, holder, f"{row.due_at:%d %b %Y %H:%M} UTC", *ruled)
    terminal.console.print(table)


def raise_one(
    answer: Annotated[int, typer.Argument(help="Number of the answer, from `baton disputes list --open-to-dispute`.")],
    by: By,
    text: Annotated[str, typer.Option(help="Why the rejection is wrong.")],
) -> None:
    """Dispute a rejection on behalf of somebody in marketing."""
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> Dispute:
        who = person_called(roster.current(session), by)
        return rulings.raise_dispute(session, answer, who, text, now=now, via="cli")

    with terminal.told():
        row = box.write_now(work)
        terminal.console.print(f"Dispute {row.id}: {row.holder} decides by {row.due_at:%d %b %Y %H:%M} UTC.")


def decide(
    number: Annotated[int, typer.Argument(metavar="ID", help="Number of the dispute.")],
    ruling: Annotated[str, typer.Argument(help="uphold or overturn.")],
    by: By,
    text: Annotated[str, typer.Option(help="Anything to add.")] = "",
) -> None:
    """Decide a dispute on behalf of its manager, or of another manager of the team."""
    if ruling not in _RULINGS:
        terminal.fail(terminal.USAGE, f"{ruling!r} is no ruling; write uphold or overturn.")
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> Ruled:
        who = person_called(roster.current(session), by)
        return rulings.decide(session, number, _RULINGS[ruling], who, now=now, text=text, via="cli")

    with terminal.told():
        done = box.write_now(work)
        if not done.won:
            terminal.fail(
                terminal.FINDINGS, f"Dispute {number} was settled before: {done.ruling} by {done.by or 'silence'}. Nothing changed."
            )
        follows = ", and the lead is assigned again" if done.again else ""
        terminal.console.print(f"Dispute {number} is {done.ruling}{follows}.")


def report(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show how often disputes were right, by reason and by the person who answered."""
    box = terminal.open_box()
    with terminal.told():
        found = box.read_now(lambda session, now: disputes.report(session))
        if as_json:
            told = {"by_reason": [_plain(one) for one in found.by_reason], "by_rep": [_plain(one) for one in found.by_rep]}
            typer.echo(json.dumps(told, indent=2))
            return
        for title, tallies in (("reason", found.by_reason), ("answer of", found.by_rep)):
            table = Table(title, "raised", "upheld", "overturned", "overturned of those decided")
            for one in tallies:
                rate = "–" if one.rate is None else f"{one.rate:.0%}"
                table.add_row(one.name, str(one.raised), str(one.upheld), str(one.overturned), rate)
            terminal.console.print(table)


def _plain(tally: Tally) -> dict[str, Any]:
    return {**asdict(tally), "rate": tally.rate}
