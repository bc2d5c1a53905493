"""Turns: of the leads that each rep of a pool could have had, how many the rep got. One sheet a pool and day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from agreements.turns import TURN, Turns
from agreements.words import SEVERAL, Ended
from storage.tables import Assignment, Offer, TurnSheet


def pool_of(team: str, tier: str) -> str:
    """Return the name of a pool: the leads of one tier for one team. Hot leads and lists are counted apart from the others."""
    return f"{team}:{tier}"


def read(session: Session, pool: str) -> Turns:
    """Return the turns of a pool so far."""
    return _turns(_newest(session, pool))


def locked(session: Session, pool: str) -> Turns:
    """Return the turns of a pool so far. Nobody else changes them until this transaction ends.

    On SQLite the write lock already does this.
    """
    _lock(session, pool)
    return read(session, pool)


def give(session: Session, row: Assignment, shared_by: Mapping[str, int], *, day: date) -> None:
    """Write down that the rep of this assignment got a lead that these reps, by weight, could have had. day: of the assignment, in
    the agreement's zone."""
    sheet = _locked_sheet(session, row.pool, day)
    before = _turns(sheet)
    after = before.after(row.rep, shared_by)
    row.shared_by = dict(shared_by)
    session.add(row)
    sheet.due = _moved(sheet.due, before, after, row, by=TURN)
    sheet.given = _one_more(sheet.given, row.rep)
    _keep(session, sheet, after)


def credit(session: Session, row: Assignment, *, day: date) -> None:
    """Give the rep the turn of this assignment back, once: nobody's share counts this lead any more.

    It changes nothing if the assignment was no turn.
    """
    if not row.pool or row.credited:
        return
    row.credited = True
    session.add(row)
    sheet = _locked_sheet(session, row.pool, day)
    before = _turns(sheet)
    after = before.credited(row.rep, row.shared_by or {row.rep: 1})
    sheet.due = _moved(sheet.due, before, after, row, by=-TURN)
    sheet.credited = _one_more(sheet.credited, row.rep)
    _keep(session, sheet, after)


def sheets(session: Session, *, since: date, until: date) -> list[TurnSheet]:
    """Return the sheets of these days, both included, by pool and day."""
    within = (TurnSheet.day >= since, TurnSheet.day <= until)
    return list(session.exec(select(TurnSheet).where(*within).order_by(col(TurnSheet.pool), col(TurnSheet.day))))


@dataclass(frozen=True, slots=True)
class Happened:
    """How many of the leads that a rep was given or asked about in a pool went so. what: `owner`, a lead of an account of theirs;
    `declined`, given back or not taken; `claimed`, accepted before colleagues who were asked too; `overtaken`, accepted by one of them."""

    pool: str
    rep: str
    what: Happening
    count: int


Happening = Literal["owner", "declined", "claimed", "overtaken"]
#: Why a lead went to its rep without a turn: the rep owns the account of the lead.
OWNER_OF_ACCOUNT = "owner of the account"
#: What the end of an offer means for its rep.
_OF_OFFERS: Mapping[Happening, Ended] = {"declined": "rejected", "claimed": "accepted", "overtaken": "claimed"}
_DECLINED: tuple[Ended, ...] = ("rejected", "returned")


def happened(session: Session, *, since: date, until: date) -> list[Happened]:
    """Return what became of the leads that were given out, or offered, on these days (UTC, both included), by pool and rep."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (since, until + timedelta(days=1)))
    given = (col(Assignment.assigned_at) >= begin, col(Assignment.assigned_at) < end)
    found = [
        *_counted(session, "owner", Assignment.rep, *given, Assignment.cause == OWNER_OF_ACCOUNT),
        *_counted(session, "declined", Assignment.rep, *given, col(Assignment.ended_because).in_(_DECLINED)),
    ]
    for what, because in _OF_OFFERS.items():
        ended = (Offer.assignment_id == Assignment.id, col(Offer.offered_at) >= begin, col(Offer.offered_at) < end)
        found += _counted(session, what, Offer.rep, *ended, Offer.ended_because == because)
    return found


def _counted(session: Session, what: Happening, rep: Any, *which: Any) -> list[Happened]:
    query = select(Assignment.team, Assignment.tier, rep, func.count()).where(*which)
    rows = session.exec(query.group_by(col(Assignment.team), col(Assignment.tier), rep)).all()
    return [Happened(pool_of(team, tier), who, what, count) for team, tier, who, count in rows if who != SEVERAL]


def _moved(due: Mapping[str, int], before: Turns, after: Turns, row: Assignment, *, by: int) -> dict[str, int]:
    """What is due to each rep after this lead was given (by=TURN) or credited back (by=-TURN)."""
    parts = {rep: after.balance[rep] - before.balance.get(rep, 0) + (by if rep == row.rep else 0) for rep in row.shared_by}
    return {**due, **{rep: due.get(rep, 0) + part for rep, part in parts.items()}}


def _one_more(counts: Mapping[str, int], rep: str) -> dict[str, int]:
    return {**counts, rep: counts.get(rep, 0) + 1}


def _newest(session: Session, pool: str) -> TurnSheet | None:
    return session.exec(select(TurnSheet).where(TurnSheet.pool == pool).order_by(col(TurnSheet.day).desc()).limit(1)).first()


def _turns(sheet: TurnSheet | None) -> Turns:
    return Turns(sheet.balance, sheet.last, sheet.number) if sheet else Turns()


def _lock(session: Session, pool: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:pool))"), {"pool": f"turns:{pool}"})


def _locked_sheet(session: Session, pool: str, day: date) -> TurnSheet:
    """The newest sheet if it is of that day or a later one, else a new one that goes on from it."""
    _lock(session, pool)
    newest = _newest(session, pool)
    if newest and newest.day >= day:
        return newest
    so_far = _turns(newest)
    return TurnSheet(pool=pool, day=day, balance=dict(so_far.balance), last=dict(so_far.last), number=so_far.number)


def _keep(session: Session, sheet: TurnSheet, turns: Turns) -> None:
    sheet.balance, sheet.last, sheet.number = dict(turns.balance), dict(turns.last), turns.number
    session.add(sheet)
    session.flush()
