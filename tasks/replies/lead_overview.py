"""The overview for people of marketing and for managers: the open leads by stage, overdue first, as far as a browser may know them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements import presence
from agreements.errors import LinkInvalid
from agreements.lifecycle import OPEN_STAGES, Stage
from agreements.roster import Role, Roster
from agreements.stage_time import in_stage_since
from agreements.words import NoWord, word
from storage import devices, lead_lists, roster
from storage.lead_lists import DueLead, LeadFilter
from storage.tables import Level
from tasks.clock_inputs import NO_CLOCK
from tasks.replies.kept_this_week import KeptThisWeek, kept_this_week
from tasks.replies.link_life import require_good
from tasks.replies.opened_link import OpenedLink
from tasks.replies.team_load import TeamLoad, team_loads
from tasks.replies.week_of_answers import WeekOfAnswers, week_of_answers
from tasks.steps.remind import OWED

#: How many leads one page lists.
ROWS_AT_ONCE = 50
#: So many months are offered as a filter, this one included.
MONTHS = 12
_AFTER = re.compile(r"(\d{1,17})-(\d{1,15})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: People with these roles may have leads of their own.
_WORK_LEADS: tuple[Role, ...] = ("rep", "manager")
#: For whom an overview is made: marketing sees all leads, a manager those of the people for whom the manager decides.
Side = Literal["marketing", "manager"]


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One open lead. name, company: empty unless the browser is the reader's. owed: what is due; due_at: aware, None where nothing is
    promised; since: from when the lead has been in its stage, None where the trail does not say."""

    lead: int
    name: str
    company: str
    campaign: str
    source: str
    stage: Stage
    rep: str
    since: datetime | None
    waits_for: str
    owed: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The content of the page. person: the reader's id; decides: for others, too; reader: the name. late: at most `late_most`.

    stages: how many open leads each stage has, without regard to the chosen stage. still: held or stuck ones, the first ROWS_AT_ONCE;
    still_more: whether there are more. following: names the row after which the next page begins, empty for none. level: of the browser
    for the reader: "", "known" or "enrolled"; may_remember: it can be made the reader's own. waiting, waiting_late: how many answers the
    reader owes, and how many of them are late.
    """

    side: Side
    person: str
    decides: bool
    reader: str
    zone: str
    now: datetime
    level: Level | NoWord
    may_remember: bool
    asked: Mapping[str, str]
    stages: Sequence[tuple[Stage, int]]
    late: int
    late_most: int
    rows: Sequence[OverviewRow]
    still: Sequence[OverviewRow]
    still_more: bool
    following: str
    campaigns: Sequence[str]
    sources: Sequence[str]
    reps: Sequence[tuple[str, str]]
    months: Sequence[str]
    waiting: int
    waiting_late: int
    teams: Sequence[TeamLoad]
    week: WeekOfAnswers
    kept: KeptThisWeek

    @property
    def open(self) -> int:
        """How many open leads there are, without regard to the chosen stage."""
        return sum(count for _, count in self.stages)


def overview(session: Session, link: OpenedLink, asked: Mapping[str, str], *, now: datetime, device: str) -> Overview:
    """Return what this person oversees now. Reads only. asked: what the reader chose: stage, campaign, source, rep, month, after.

    A choice that means nothing is left out of account. Raises LinkInvalid, also for somebody who oversees nobody; LinkOver.
    """
    person, people = reader_of(session, link, now=now)
    reader, side, theirs = people.people[person], *_side(people, person, now)
    months = list(_months(now.astimezone(ZoneInfo(reader.timezone))))
    which = _filter(asked, theirs, [f"{month:%Y-%m}" for month in months], ZoneInfo(reader.timezone))
    level = devices.level(session, device, person, now=now)
    stages = lead_lists.by_stage(session, which)
    few = (stages.get(which.stage, 0) if which.stage else sum(stages.values())) <= lead_lists.FEW
    found = lead_lists.first_due(session, which, few=few, after=_after(asked.get("after", "")), limit=ROWS_AT_ONCE + 1)
    still = lead_lists.standing_still(session, which, limit=ROWS_AT_ONCE + 1)
    shown = found[:ROWS_AT_ONCE]
    rows = list(_rows(session, people, [*shown, *still[:ROWS_AT_ONCE]], named=bool(level)))
    waiting, waiting_late = lead_lists.owed_by(session, person, now=now)
    return Overview(
        side=side,
        person=person,
        decides=presence.decides_for_others(people, person, now),
        reader=reader.name,
        zone=reader.timezone,
        now=now,
        level=level,
        may_remember=level == "known" and not reader.shared,
        asked=_chosen(which, asked),
        stages=[(stage, stages[stage]) for stage in OPEN_STAGES if stages.get(stage)],
        late=lead_lists.late(session, which, few=few, now=now),
        late_most=lead_lists.COUNTED_AT_MOST,
        rows=rows[: len(shown)],
        still=rows[len(shown) :],
        still_more=len(still) > ROWS_AT_ONCE,
        following=_key(shown[-1]) if len(found) > len(shown) else "",
        campaigns=lead_lists.campaigns(session),
        sources=lead_lists.sources(session),
        reps=[(ident, people.name_of(ident)) for ident in theirs or people.people if _works_leads(people, ident)],
        months=[f"{month:%Y-%m}" for month in months],
        waiting=waiting,
        waiting_late=waiting_late,
        teams=team_loads(session, people, theirs, now=now),
        week=week_of_answers(session, theirs, now=now),
        kept=kept_this_week(session, theirs, now=now),
    )


def reader_of(session: Session, link: OpenedLink, *, now: datetime) -> tuple[str, Roster]:
    """Return whose link to all open leads this is, with the roster that counts now.

    Raises LinkInvalid, also for somebody who oversees nobody; LinkOver.
    """
    own, people = link.links.read_person(link.token), roster.current(session)
    require_good(session, people, own.person, own.at, now=now, opens_many=True)
    if not oversees(people, own.person, now):
        raise LinkInvalid()
    return own.person, people


def oversees(people: Roster, person: str, now: datetime) -> Side | NoWord:
    """Return as whom this person oversees leads at that instant, empty for not at all."""
    if presence.is_marketing(people, person, now):
        return "marketing"
    return "manager" if presence.decides_for_others(people, person, now) else ""


def _side(people: Roster, person: str, now: datetime) -> tuple[Side, tuple[str, ...] | None]:
    side = oversees(people, person, now)
    if not side:
        raise LinkInvalid()
    theirs = tuple(ident for ident in people.people if ident == person or presence.decides_for(people, person, ident, now))
    return side, None if side == "marketing" else theirs


def _works_leads(people: Roster, ident: str) -> bool:
    return people.people[ident].role in _WORK_LEADS


def _filter(asked: Mapping[str, str], theirs: tuple[str, ...] | None, months: Sequence[str], zone: ZoneInfo) -> LeadFilter:
    which = LeadFilter(
        stage=word(asked.get("stage", ""), OPEN_STAGES) or "",
        campaign=asked.get("campaign", ""),
        source=asked.get("source", ""),
        rep=asked.get("rep", ""),
        reps=theirs,
    )
    if asked.get("month") not in months:
        return which
    begin = datetime.strptime(f"{asked['month']}-01", "%Y-%m-%d").replace(tzinfo=zone)
    return replace(which, since=begin.astimezone(UTC), until=_next_month(begin).astimezone(UTC))


def _months(today: datetime) -> Iterator[datetime]:
    month = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(MONTHS):
        yield month
        month = (month - timedelta(days=1)).replace(day=1)


def _next_month(begin: datetime) -> datetime:
    return (begin + timedelta(days=32)).replace(day=1)


def _chosen(which: LeadFilter, asked: Mapping[str, str]) -> dict[str, str]:
    month = asked.get("month", "") if which.since else ""
    return {"stage": which.stage, "campaign": which.campaign, "source": which.source, "rep": which.rep, "month": month}


def _rows(session: Session, people: Roster, found: Sequence[DueLead], *, named: bool) -> Iterator[OverviewRow]:
    stages = lead_lists.stages_of(session, [row.handoff_id for row in found])
    for row in found:
        promised = row.due_at is not None and row.about != NO_CLOCK
        yield OverviewRow(
            lead=row.lead_id,
            name=f"{row.first_name} {row.last_name}".strip() if named else "",
            company=row.company if named else "",
            campaign=row.campaign,
            source=row.source,
            stage=Stage(row.stage),
            rep=people.name_of(row.rep) if row.rep else "",
            since=in_stage_since(Stage(row.stage), stages[row.handoff_id]),
            waits_for=people.name_of(row.holder) if row.holder else "",
            owed=OWED.get(row.kind, "") if row.kind else "",
            due_at=row.due_at if promised else None,
        )


def _key(row: DueLead) -> str:
    assert row.due_at is not None, "only leads with something due are on several pages"
    return f"{(row.due_at - _EPOCH) // timedelta(microseconds=1)}-{row.handoff_id}"


def _after(text: str) -> lead_lists.After | None:
    found = _AFTER.fullmatch(text)
    return (_EPOCH + timedelta(microseconds=int(found[1])), int(found[2])) if found else None
