"""Routes past leads one after the other, by the rules that route a lead today, as if the roster had been there all the time.

Each lead is looked at when it was ready, and again when its turn in the queue comes or somebody is back. Nothing is passed on: a lead
that its rep would not have answered counts as missed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import islice

from agreements import presence
from agreements.backtest.desks import Companies, Desks, Tenure
from agreements.backtest.promises import Promises
from agreements.backtest.replayed import Placed, Replay, ReplayedLead
from agreements.calendar.working_time import WorkingCalendar
from agreements.choosing import Choosing, on_call, pool_for, rules_for
from agreements.clocks import calendar_for, schedule
from agreements.routing import Colleague, Route
from agreements.staff import Staff
from agreements.turns import Turns

#: A lead that is still in the queue so long after the last one came had no rep.
LOOK_ON = timedelta(days=7)
#: A lead for which nobody is there is looked at again after this time at the earliest.
_HOLD_FOR = timedelta(minutes=15)
#: The most leads that one lead brings forward.
_CALLED_AT_ONCE = 25
COMPANY = "a rep knows the company"
OWNER = "owner of the account"
STILL_IN_QUEUE = "still in the queue a week after the last lead came"
MANAGER = "everyone is full: the manager decides"
AWAY = "everyone is away until after the time for the delivery"


def replay(asked: Replay) -> Iterator[Placed]:
    """Yield where each lead goes, every lead once, in the order in which that was certain. Raises CalendarError for a calendar that
    never opens."""
    yield from _Replaying(asked).placed()


class _Replaying:
    """One replay. A lead is named by its place in the order of time; `waits` holds those of each queue, `planned` when each is due."""

    def __init__(self, asked: Replay) -> None:
        self.agreement, self.people = asked.agreement, asked.people
        self.leads = sorted(asked.leads, key=lambda lead: (lead.at, lead.number))
        self.desks = Desks(asked.stands_for, frozenset(tier.name for tier in asked.agreement.tiers if tier.release))
        self.promises, self.companies = Promises(asked.agreement, asked.people, asked.answers), Companies()
        self.turns: dict[tuple[str, str], Turns] = defaultdict(Turns)
        self.waits: dict[str, list[int]] = defaultdict(list)
        self.queue_of: dict[int, str] = {}
        self.planned: dict[int, datetime] = {place: lead.at for place, lead in enumerate(self.leads)}
        self.due = [(at, place) for place, at in self.planned.items()]
        heapify(self.due)

    def placed(self) -> Iterator[Placed]:
        """Yield where each lead goes."""
        end = self.leads[-1].at + LOOK_ON if self.leads else None
        while self.due and end:
            now, place = heappop(self.due)
            if self.planned.get(place) != now:
                continue  # it was planned anew since
            if now > end:
                yield self._nobody(place, "", STILL_IN_QUEUE, end)
            elif found := self._look(place, now):
                yield found

    def _look(self, place: int, now: datetime) -> Placed | None:
        """Return where the lead goes at this instant, None if it waits."""
        lead = self.leads[place]
        known = self._colleagues(lead, now)
        seen = self._choosing(lead, known, now)
        choice = seen.route(self.agreement)
        if choice.in_queue or (seen.serves(choice.rep) and self._must_wait(place, lead, seen, now)) or (seen.release and choice.hold_until):
            self._queue(place, lead, seen, choice, now)
            return None
        if choice.ask_manager:
            return self._nobody(place, seen.team, MANAGER, now)
        if not choice.rep:
            return self._hold(place, seen.team, choice, now)
        if choice.rep not in self.people.people and not choice.told:
            return self._nobody(place, seen.team, f"{choice.rep} is not in the roster ({choice.why})", now)
        return self._give(place, seen, choice, now, colleague=choice.why in [one.why for one in known])

    def _choosing(self, lead: ReplayedLead, known: tuple[Colleague, ...], now: datetime) -> Choosing:
        agreement, people, tier = self.agreement, self.people, lead.tier
        pool = pool_for(agreement, people, lead.facts, tier=tier, wanted=lead.owner)
        staff = Staff(people, agreement, now, weighted=pool.weighted)
        there, stands_in = on_call(agreement, people, at=now), presence.stand_in(people, agreement.routing.default_acceptor, now)
        so_far = self.turns[pool.team, tier]
        rules = rules_for(agreement, pool, so_far, tier=tier, default_acceptor=stands_in, colleagues=known)
        seen = self.desks.candidates(staff, (*pool.names, *([there] if there else [])), tier=tier, release=pool.release)
        release = pool.release
        return Choosing(
            team=pool.team,
            candidates=seen[: len(pool.names)],
            declined=frozenset(),
            rules=rules,
            wanted=pool.wanted,
            on_call=seen[-1] if there else None,
            release=release,
            shares={name: self.desks.left(staff, name, tier, release) for name in pool.names} if release else None,
        )

    def _colleagues(self, lead: ReplayedLead, now: datetime) -> tuple[Colleague, ...]:
        """Return the reps who know the lead's company: those who have a lead of it, newest first, then those who had one lately."""
        rules, known = self.agreement.routing.same_company, self.companies.of(lead.company)
        if rules.to == "by-turn" or not known:
            return ()
        has = sorted((one for one in known if one.until > now), key=lambda one: one.at, reverse=True)
        had = [one for one in known if now - rules.within.length <= one.until <= now]
        return tuple(Colleague(one.rep, one.lead, one.until > now) for one in (*has, *sorted(had, key=lambda one: one.until, reverse=True)))

    def _give(self, place: int, seen: Choosing, choice: Route, now: datetime, *, colleague: bool) -> Placed:
        lead = self.leads[place]
        self._leave_queue(place)
        rep = self._first_of(lead, choice.told) if choice.told else choice.rep
        if choice.shared_by:
            self.turns[seen.team, lead.tier] = self.turns[seen.team, lead.tier].after(rep, choice.shared_by)
        owed = self.promises.owed(lead, rep, at=now, delay=self.promises.delay(lead, rep))
        staff = Staff(self.people, self.agreement, now)
        if not staff.is_open(rep):
            self.desks.keep_for_opening(rep, staff.calendar(rep).next_opening(now))
        self.desks.give(rep, tier=lead.tier, at=now, until=owed.open_until)
        self.companies.add(lead.company, Tenure(rep, lead.number, now, owed.had_until))
        why = COMPANY if colleague else OWNER if lead.owner and lead.owner == rep else choice.why
        has = self.desks.open_leads(rep, now, tier=lead.tier)
        return Placed(lead, seen.team, rep, why, now, has, owed.acceptance, owed.first_attempt)

    def _first_of(self, lead: ReplayedLead, told: tuple[str, ...]) -> str:
        """Return who accepts first of the reps who are asked at once: whose turn comes first, unless the past says who is quicker."""
        took = {rep: took for rep in told if (took := self.promises.delay(lead, rep)) is not None}
        return min(took, key=lambda rep: took[rep]) if took else told[0]

    def _nobody(self, place: int, team: str, why: str, at: datetime) -> Placed:
        self._leave_queue(place)
        return Placed(self.leads[place], team, "", why, at)

    def _hold(self, place: int, team: str, choice: Route, now: datetime) -> Placed | None:
        lead, clock = self.leads[place], self.agreement.clock("delivery")
        marketing = self.people.person(self.people.marketing)
        calendar = calendar_for(clock, self.agreement, marketing.calendar if marketing else "")
        at = max(choice.hold_until or now, now + _HOLD_FOR)
        if at > schedule(clock, tier=lead.tier, start=lead.at, calendar=calendar).due_at:
            return self._nobody(place, team, AWAY, now)
        self._plan(place, at)
        return None

    def _plan(self, place: int, at: datetime) -> None:
        self.planned[place] = at
        heappush(self.due, (at, place))

    def _queue(self, place: int, lead: ReplayedLead, seen: Choosing, choice: Route, now: datetime) -> None:
        """Plans the lead for the opening of its turn."""
        self._leave_queue(place)
        queue = seen.queue_of(lead.tier)
        waits = self.waits[queue]
        at = seen.turn_at(before=bisect_left(waits, place), now=now, calendar_of=self._calendar_of, not_before=choice.hold_until)
        insort(waits, place)
        self.queue_of[place] = queue
        self._plan(place, at if at > now else now + _HOLD_FOR)

    def _must_wait(self, place: int, lead: ReplayedLead, seen: Choosing, now: datetime) -> bool:
        """Whether the leads before this one take what is left of today. If not, brings the next leads of the queue forward."""
        waits, left = self.waits[seen.queue_of(lead.tier)], seen.left_now
        waits_its_turn = bisect_left(waits, place) >= left
        first = [one for one in islice(waits, left + _CALLED_AT_ONCE) if one != place]
        spare = left - (not waits_its_turn) - sum(self.planned[one] <= now for one in first)
        for one in [one for one in first if self.planned[one] > now][: max(0, min(spare, _CALLED_AT_ONCE))]:
            self._plan(one, now)
        return waits_its_turn

    def _leave_queue(self, place: int) -> None:
        self.planned.pop(place, None)
        if waits := self.waits.get(self.queue_of.pop(place, "")):
            del waits[bisect_left(waits, place)]

    def _calendar_of(self, rep: str) -> WorkingCalendar:
        return self.agreement.calendar(self.people.people[rep].calendar)
