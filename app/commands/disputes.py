"""Disputes: what marketing may object to, what is to be decided, and how it went."""

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
from storage.tables import Answer, Dispute
from tasks.disputes import rulings
from tasks.disputes.page import Rejection, listed
from tasks.disputes.rulings import Ruled, person_called

app = typer.Typer(no_args_is_help=True, help="Disputes: marketing objects to a rejection, the manager decides.")
By = Annotated[str, typer.Option("--by", help="Whose word it is: an id or a name of the roster. The trail marks it as claimed.")]
_RULINGS = {"uphold": UPHELD, "overturn": OVERTURNED}


@app.command("list")
def list_disputes(
    open_to_dispute: Annotated[bool, typer.Option("--open-to-dispute", help="What marketing may still dispute.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """The newest disputes; with --open-to-dispute the rejections and returns that marketing may still object to."""
    box = terminal.open_box()
    with terminal.told():
        if open_to_dispute:
            found, person, now = box.read_now(lambda session, now: (*_open(session, now), now))
            _print_open(found[:limit])
            page = box.links.for_dispute(0, person, at=now)
            terminal.console.print(f"As a page, for marketing: {page}", markup=False, soft_wrap=True)
            terminal.console.print(f"Asked once per browser: {box.links.number(page.rpartition('/')[2])}", markup=False)
        else:
            _print(box.read_now(lambda session, now: _newest(session, limit)))


def _open(session: Session, now: datetime) -> tuple[list[Rejection], str]:
    people = roster.current(session)
    since = now - rulings.LONGEST_LOOK_BACK
    return [one for one in listed(session, people, now=now, since=since) if not one.closed], people.marketing


def _print_open(found: list[Rejection]) -> None:
    table = Table("answer", "lead", "company", "by", "reason", "open until")
    for one in found:
        table.add_row(str(one.answer_id), str(one.lead_number), one.company or "–", one.rep, one.reason, f"{one.until:%d %b %Y %H:%M} UTC")
    terminal.console.print(table)


def _newest(session: Session, limit: int) -> list[tuple[Dispute, str, str, str]]:
    people, rows = roster.current(session), []
    for row in disputes.newest(session, limit=limit):
        answer = session.get(Answer, row.answer_id)
        assert answer is not None, "a dispute is about an answer: the foreign key says so"
        rep = people.name_of(disputes.rep_of(session, answer))
        rows.append((row, rep, str(answer.data.get("reason", "")), people.name_of(row.holder)))
    return rows


def _print(rows: list[tuple[Dispute, str, str, str]]) -> None:
    table = Table("dispute", "lead", "rep", "reason", "before", "due", "ruling", "by")
    for row, rep, reason, holder in rows:
        ruled = (row.ruling or "open", row.decided_by or ("nobody, in time" if row.ruling else ""))
        table.add_row(str(row.id), str(row.lead_id), rep, reason, holder, f"{row.due_at:%d %b %Y %H:%M} UTC", *ruled)
    terminal.console.print(table)


@app.command("raise")
def raise_one(
    answer: Annotated[int, typer.Argument(help="Number of the answer, from `baton disputes list --open-to-dispute`.")],
    by: By,
    text: Annotated[str, typer.Option(help="Why the rejection is wrong.")],
) -> None:
    """Dispute a rejection for somebody of marketing."""
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> Dispute:
        who = person_called(roster.current(session), by)
        return rulings.raise_dispute(session, answer, who, text, now=now, via="cli")

    with terminal.told():
        row = box.write_now(work)
        terminal.console.print(f"Dispute {row.id}: {row.holder} decides by {row.due_at:%d %b %Y %H:%M} UTC.")


@app.command("decide")
def decide(
    number: Annotated[int, typer.Argument(metavar="ID", help="Number of the dispute.")],
    ruling: Annotated[str, typer.Argument(help="uphold or overturn.")],
    by: By,
    text: Annotated[str, typer.Option(help="Anything to add.")] = "",
) -> None:
    """Decide a dispute for the manager before whom it is, or another manager of the team."""
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


@app.command("report")
def report(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """How often disputes were right, by reason and by rep."""
    box = terminal.open_box()
    with terminal.told():
        found = box.read_now(lambda session, now: disputes.report(session))
        if as_json:
            told = {"by_reason": [_plain(one) for one in found.by_reason], "by_rep": [_plain(one) for one in found.by_rep]}
            typer.echo(json.dumps(told, indent=2))
            return
        for title, tallies in (("reason", found.by_reason), ("rep", found.by_rep)):
            table = Table(title, "raised", "upheld", "overturned", "overturned of those decided")
            for one in tallies:
                rate = "–" if one.rate is None else f"{one.rate:.0%}"
                table.add_row(one.name, str(one.raised), str(one.upheld), str(one.overturned), rate)
            terminal.console.print(table)


def _plain(tally: Tally) -> dict[str, Any]:
    return {**asdict(tally), "rate": tally.rate}
