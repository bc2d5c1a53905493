"""Where a lead's time went: puts every minute of its age on one party's account, so that the parts add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlmodel import Session, col, select

from agreements.calendar.working_time import WorkingCalendar
from agreements.lifecycle import Stage
from agreements.words import WaitKind
from storage import handoffs, roster
from storage.tables import Handoff, Wait

#: The accounts, in the order in which they are shown.
Account = Literal["baton", "marketing", "sales", "manager", "closed hours", "nurture"]
ACCOUNTS: tuple[Account, ...] = get_args(Account)
#: The account of each wait; any other wait is of sales.
_ACCOUNT_OF: Mapping[WaitKind, Account] = {"note": "marketing", "delivery": "baton", "decision": "manager"}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Time by account; the parts add up to `whole`, from first contact to the end (or now)."""

    whole: timedelta
    parts: dict[Account, timedelta]


def ledger(session: Session, lead_id: int, *, now: datetime) -> Ledger:
    """Divides the lead's age among the accounts, from its first handoff to the end of the newest (or now). now: aware."""
    rows = list(session.exec(select(Handoff).where(Handoff.lead_id == lead_id).order_by(col(Handoff.id))))
    parts = dict.fromkeys(ACCOUNTS, timedelta(0))
    if not rows:
        return Ledger(timedelta(0), parts)
    for number, row in enumerate(rows):
        end = row.ended_at or now
        _of_handoff(session, row, end, parts)
        if row.ended_at:
            until = rows[number + 1].created_at if number + 1 < len(rows) else (now if row.stage == Stage.NURTURING else row.ended_at)
            parts["nurture"] += max(until - row.ended_at, timedelta(0))
    return Ledger(sum(parts.values(), timedelta(0)), parts)


def _of_handoff(session: Session, row: Handoff, end: datetime, parts: dict[Account, timedelta]) -> None:
    at = row.created_at
    query = select(Wait).where(Wait.handoff_id == row.id, Wait.kind != "revisit").order_by(col(Wait.opened_at), col(Wait.closed_at))
    for wait in session.exec(query):
        start, stop = max(wait.opened_at, at), min(wait.closed_at or end, end)
        parts["baton"] += max(start - at, timedelta(0))
        if stop > start:
            _charge(session, row, wait, start, stop, parts)
        at = max(at, stop)
    parts["baton"] += max(end - at, timedelta(0))


def _charge(session: Session, row: Handoff, wait: Wait, start: datetime, stop: datetime, parts: dict[Account, timedelta]) -> None:
    account = _ACCOUNT_OF.get(wait.kind, "sales")
    calendar = _calendar(session, row, wait.holder)
    open_time = stop - start if account == "baton" else calendar.between(start, stop)
    parts[account] += open_time
    parts["closed hours"] += stop - start - open_time


def _calendar(session: Session, row: Handoff, holder: str) -> WorkingCalendar:
    person = roster.current(session).person(holder)
    return handoffs.agreement_of(session, row).calendar(person.calendar if person else "")
