"""Leaving: a roster without somebody comes into force once everything that they have open is somebody else's.

Each slice of work is a transaction of its own. A command that dies half-way leaves the roster in force, and can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements.absences import NewAbsence
from agreements.checks import problems_with_roster
from agreements.errors import RosterError, StillAtWork
from agreements.leaving import Change, destination, successor
from agreements.lifecycle import Stage
from agreements.roster import Roster, read_roster
from storage import absences, contracts, duties, handoffs, roster, waits
from storage.database import ROWS_AT_ONCE
from storage.duties import Duties
from storage.tables import AgreementVersion, Handoff, Wait
from tasks.disputes import rulings
from tasks.wiring.toolbox import Toolbox

#: One transaction hands so many waits over: each changes about five rows.
AT_ONCE = ROWS_AT_ONCE // 5
#: The absence of somebody who is leaving: until the new roster is in force they get nothing more.
_LEAVING = "leaving"
_LONG = timedelta(days=366)
#: So many numbers of leads are listed for each person.
_LISTED = 20


def load_roster(box: Toolbox, text: str, *, hand_over: bool = False, to: str = "", by: str = "") -> tuple[Roster, int]:
    """Put a roster in force and return it, with how many leads and duties of people who have left were handed over.

    hand_over: by the rules; to: everything to this person of the new roster. by: who loads it. Raises RosterError for a roster with
    mistakes, or that lacks what an agreement in force names; StillAtWork if somebody is missing who has something open, or while
    something cannot be handed over yet. The roster in force then stays.
    """
    new = read_roster(text)
    _require_taker(box, new, to)
    box.read_now(lambda session, now: _require_fit(session, new, now))
    moved = 0
    if hand_over or to:
        box.write_now(lambda session, now: _mark_leaving(session, _change(session, new, now, to), by=by))
        while (done := box.write_now(lambda session, now: _hand_over_some(session, _change(session, new, now, to)))) > 0:
            moved += done
    box.write_now(lambda session, now: _load(session, text, _change(session, new, now, to), now))
    return new, moved


def _require_taker(box: Toolbox, new: Roster, to: str) -> None:
    person = new.person(to)
    if to and person is None:
        raise StillAtWork(f"Nobody in the new roster is called {to!r}; name one of {', '.join(new.people)}.")
    if person is not None and (until := box.read_now(lambda session, now: _away_until(session, new, to, now))):
        raise StillAtWork(f"{person.name} is away until {until:%d %b %Y %H:%M} UTC; name somebody who is there.")


def _away_until(session: Session, new: Roster, ident: str, now: datetime) -> datetime | None:
    person = roster.with_stored_absences(session, new).people[ident]
    return person.back_at(now) if person.is_away(now) else None


def _change(session: Session, new: Roster, now: datetime, to: str) -> Change:
    """The change from the roster in force to the new one, both with the absences that stand beside them."""
    try:
        old = roster.current(session)
    except RosterError:  # the first roster
        old = new
    return Change(old, roster.with_stored_absences(session, new), now, to)


def _require_fit(session: Session, new: Roster, now: datetime) -> None:
    """Refuse a roster that lacks somebody or something that an agreement names under which leads are carried out."""
    problems = [
        f"{contracts.reference_of(row)}: {problem}"
        for row in _carried_out(session, now)
        for problem in problems_with_roster(contracts.read(row), new)
    ]
    if problems:
        first = "The roster does not fit what is agreed. Keep what is named, or agree on a version without it:"
        raise RosterError("\n".join([first, *problems]))


def _carried_out(session: Session, now: datetime) -> list[AgreementVersion]:
    """The versions in force, those that will be, and those under which a lead is open."""
    known = {(row.name, row.version): row for row in contracts.counting(session, now)}
    coming = [row for row in contracts.deployed(session) if row.effective_at > now and not row.closed]
    still = select(Handoff.agreement, Handoff.version).where(col(Handoff.ended_at).is_(None), Handoff.agreement != "").distinct()
    of_leads = [contracts.get(session, name, version) for name, version in session.exec(still)]
    return list((known | {(row.name, row.version): row for row in (*coming, *of_leads)}).values())


def _mark_leaving(session: Session, change: Change, *, by: str) -> None:
    """Keep new leads from people who are leaving."""
    for ident in change.gone:
        if duties.of_person(session, ident):
            new = NewAbsence(ident, change.at, change.at + _LONG, "command", _LEAVING)
            absences.add(session, new, by=by, now=change.at)


def _hand_over_some(session: Session, change: Change) -> int:
    """Hand a few leads and duties over; return how many, 0 when nothing is left that can be handed over now."""
    found = [(ident, duties.of_person(session, ident)) for ident in change.gone]
    few = [(ident, wait_id) for ident, open_ones in found for wait_id in open_ones.waits][:AT_ONCE]
    done = sum(_answer(session, change, ident, wait_id) for ident, wait_id in few)
    disputed = [(ident, number) for ident, open_ones in found for number in open_ones.disputes][: AT_ONCE - len(few)]
    for ident, number in disputed:
        holder = successor(change, ident)
        done += rulings.move(session, number, holder, now=change.at)
    return done


def _answer(session: Session, change: Change, ident: str, wait_id: str) -> int:
    wait = session.get(Wait, wait_id)
    assert wait is not None, "it was read in this transaction"
    handoff = handoffs.get(session, wait.handoff_id)
    data = {"left": ident, **_goes(session, change, ident, handoff, wait)}
    return waits.answer(session, wait_id, waits.NewAnswer("left", by="baton", via="cli", data=data), now=change.at).won


def _goes(session: Session, change: Change, ident: str, handoff: Handoff, wait: Wait) -> Mapping[str, str]:
    if handoff.rep != ident or handoff.stage == Stage.MQL:
        return {"asked": successor(change, ident, rep=handoff.rep if wait.kind == "decision" else "")}
    rules = handoffs.agreement_of(session, handoff).routing.on_leave
    to = destination(change, ident, rules, Stage(handoff.stage))
    return {"colleague": to.to, "asked": to.asked}


def _load(session: Session, text: str, change: Change, now: datetime) -> None:
    """Put the roster in force in one transaction with the look at what is left."""
    if left := list(_left(session, change)):
        raise StillAtWork("\n".join([*left, _what_next(session, change)]))
    roster.load(session, text, now=now)
    for ident in change.gone:
        for row in absences.of_person(session, ident):
            if row.source_id == _LEAVING:
                absences.remove(session, row, now=now)


def _left(session: Session, change: Change) -> Iterator[str]:
    for ident in change.gone:
        if found := duties.of_person(session, ident):
            yield f"{change.old.name_of(ident)} ({ident}) is missing and has {'; '.join(_listed(found))}."


def _listed(found: Duties) -> Iterator[str]:
    if found.leads:
        yield f"{_count(found.leads, 'open lead')} ({_numbers(found.leads)})"
    if found.asked:
        yield f"{_count(found.asked, 'decision or note', 'decisions and notes')} to give (leads {_numbers(found.asked)})"
    if found.disputes:
        yield f"{_count(found.disputes, 'dispute')} to decide ({_numbers(found.disputes)})"
    if found.stuck:
        yield f"{_numbers(found.stuck)} stuck: see `baton leads unstick`"
    if found.moving:
        yield f"{_numbers(found.moving)} on the move: a worker carries these on"


def _count(found: Sequence[int], one: str, several: str = "") -> str:
    return f"{len(found)} {one if len(found) == 1 else several or f'{one}s'}"


def _numbers(found: Sequence[int]) -> str:
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(map(str, found[:_LISTED])) + more


def _what_next(session: Session, change: Change) -> str:
    found = [duties.of_person(session, ident) for ident in change.gone]
    if any(one.waits or one.disputes for one in found):
        return (
            "The roster in force stays. Write --hand-over to give all of it to colleagues by the rules of the agreement,"
            " or --to PERSON to give it to one person."
        )
    return "The roster in force stays. What is named cannot be handed over right now: repeat the command when it has moved on."
