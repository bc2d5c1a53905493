"""Lives of leads, made in bulk: a few statements for any number of leads, and none for each wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from agreements.calendar.working_time import Span
from agreements.life import Disputed, HandoffLife, Life, Nurture, Owed
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.where_time_went import TIME_PARTIES, TimeParty, summed, where_time_went
from agreements.words import SEVERAL, Ended, WaitKind
from storage import contracts, life_rows, roster
from storage.life_rows import STUCK, LifeRows
from storage.tables import Handoff, Lead, Wait

#: How many leads are read at once.
AT_ONCE = 500
_REVISIT: Final[WaitKind] = "revisit"
_NEXT_LEG: Final[Ended] = "sql"
#: Holders for whom marketing's person in the roster stands.
_MARKETING = ("marketing", "system")


def of(session: Session, lead_ids: Sequence[int]) -> list[Life]:
    """The lives of these leads, in the order of their ids. A number that no lead has is left out. Raises RosterError without a roster."""
    leads = session.exec(select(Lead.id, Lead.requested_time).where(col(Lead.id).in_(lead_ids)).order_by(col(Lead.id))).all()
    made = _Made(session, roster.current(session), life_rows.read(session, [ident for ident, _ in leads]))
    return [Life(ident, tuple(made.handoffs(ident, requested))) for ident, requested in leads]


def every(session: Session, *, since: datetime | None = None) -> Iterator[Life]:
    """The life of every lead in the order of the ids. AT_ONCE of them are in memory at a time.

    since: leave out the leads that have rested since this instant, aware. Their lives have no time after it.
    """
    query, after = select(Lead.id).order_by(col(Lead.id)).limit(AT_ONCE), 0
    query = query.where(_has_aged(since)) if since else query
    while ids := session.exec(query.where(col(Lead.id) > after)).all():
        yield from of(session, ids)
        after = ids[-1]


def _has_aged(since: datetime) -> Any:
    """Whether the lead was open or in nurture at this instant or after it."""
    look = select(Wait.id).where(Wait.handoff_id == Handoff.id, Wait.kind == _REVISIT)
    nurtured = look.where(or_(col(Wait.closed_at).is_(None), col(Wait.closed_at) > since)).exists()
    is_open = or_(col(Handoff.ended_at).is_(None), col(Handoff.ended_at) > since)
    return select(Handoff.id).where(Handoff.lead_id == Lead.id, or_(is_open, nurtured)).exists()


def sums(session: Session, *, since: datetime, until: datetime, now: datetime) -> dict[TimeParty, timedelta]:
    """The time of all leads from since until before until, by party, in the order in which the parties are shown.

    The sums of adjoining periods add up to the sum of both. All instants are aware. now: the present, until which open leads
    have aged; a period reaches no further. Raises RosterError without a roster.
    """
    parts = dict.fromkeys(TIME_PARTIES, timedelta())
    for life in every(session, since=since):
        for party, part in summed(where_time_went(life, now=now), since=since, until=until).items():
            parts[party] += part
    return parts


@dataclass(frozen=True, slots=True)
class _Made:
    """Makes lives of rows. people: whose calendars are read; those of today, also for what is past. agreements: those read so far."""

    session: Session
    people: Roster
    rows: LifeRows
    agreements: dict[tuple[str, int], Agreement] = field(default_factory=dict)

    def handoffs(self, lead_id: int, requested: datetime | None) -> Iterator[HandoffLife]:
        """The handoffs of this lead in order. requested: when it asked to be contacted."""
        ended: datetime | None = None
        for row in self.rows.handoffs.get(lead_id, []):
            acted, received = self._began_with(lead_id, row, ended)
            yield HandoffLife(
                acted_at=acted,
                received_at=received,
                created_at=row.created_at,
                agreement=self._agreement(row),
                tier=row.tier,
                requested_time=requested,
                released_at=row.released_at,
                is_held=row.held,
                qualified_at=row.mql_at or row.first_assigned_at,
                ended_at=row.ended_at,
                owed=tuple(self._owed(row)),
                away=tuple(self._away(row)),
                stuck=tuple(self._stuck(row)),
                nurture=self._nurture(row),
                disputes=tuple(self._disputed(row)),
            )
            ended = row.ended_at

    def _agreement(self, row: Any) -> Agreement | None:
        key = (row.agreement, row.version)
        if row.agreement and key not in self.agreements:
            self.agreements[key] = contracts.agreement_of(self.session, row.agreement, row.version, hash=row.hash)
        return self.agreements.get(key)

    def _began_with(self, lead_id: int, row: Any, ended: datetime | None) -> tuple[datetime, datetime]:
        """When the person did, and when Baton stored, the last thing before this handoff and after the one before it."""
        acts = [one for one in self.rows.acts.get(lead_id, []) if one.received_at <= row.created_at]
        newest = acts[-1] if acts and (ended is None or acts[-1].received_at > ended) else None
        return (newest.at, newest.received_at) if newest else (row.created_at, row.created_at)

    def _owed(self, row: Any) -> Iterator[Owed]:
        for wait in self.rows.waits.get(row.id, []):
            if wait.kind != _REVISIT:
                yield Owed(
                    clock=wait.kind,
                    about=wait.about or wait.kind,
                    holder=wait.holder,
                    calendars=tuple(self._calendar_of(one) for one in self._asked(wait)),
                    leg=self._leg(row, wait),
                    opened_at=wait.opened_at,
                    due_at=wait.due_at,
                    planned_at=wait.next_at,
                    answered_at=wait.answered_at,
                    closed_at=wait.closed_at,
                )

    def _asked(self, wait: Any) -> list[str]:
        several = [one.rep for one in self.rows.asked.get(wait.assignment_id, [])] if wait.holder == SEVERAL else []
        return several or [wait.holder]

    def _calendar_of(self, holder: str) -> str:
        person = self.people.person(self.people.marketing if holder in _MARKETING else holder)
        return person.calendar if person else ""

    def _leg(self, row: Any, wait: Any) -> int:
        """The leg in which the wait was opened: of its tenure, else of the one before it, or the next where that leg was over."""
        tenures = self.rows.tenures.get(row.id, [])
        own = [one for one in tenures if one.id == wait.assignment_id]
        earlier = own or [one for one in tenures if one.assigned_at <= wait.opened_at]
        if not earlier:
            return int(tenures[0].leg if tenures else row.leg)
        return int(earlier[-1].leg + (not own and earlier[-1].ended_because == _NEXT_LEG))

    def _away(self, row: Any) -> Iterator[Span]:
        """The times in which the clock stood because the rep was away. What was told last of an absence counts."""
        told: dict[tuple[str, str], str] = {}
        for wait in self.rows.waits.get(row.id, []):
            said = self.rows.away.get(wait.answer_id, {})
            if "from" in said:
                told[said["from"], wait.assignment_id] = said["until"]
        ends = {one.id: one.ended_at for one in self.rows.tenures.get(row.id, [])}
        for (begins, tenure), until in told.items():
            back = datetime.fromisoformat(until)
            yield datetime.fromisoformat(begins), min(back, ends.get(tenure) or back)

    def _stuck(self, row: Any) -> Iterator[tuple[datetime, datetime | None]]:
        for one, following in pairwise([*self.rows.stuck.get(row.id, []), None]):
            if one is not None and one.kind == STUCK:
                yield one.at, following.at if following is not None else None

    def _nurture(self, row: Any) -> Nurture | None:
        """From the first look on, whose date was set when nurture began; until the last one was closed."""
        looks = [wait for wait in self.rows.waits.get(row.id, []) if wait.kind == _REVISIT]
        return Nurture(looks[0].opened_at, looks[-1].closed_at) if looks else None

    def _disputed(self, row: Any) -> Iterator[Disputed]:
        for one in self.rows.disputes.get(row.id, []):
            yield Disputed(one.holder, self._calendar_of(one.holder), one.raised_at, one.decided_at)
