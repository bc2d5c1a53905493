"""What taking in a list would do: who is new, who qualifies, and on which day each rep gets how many. Stores nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from sqlmodel import Session, col, select

from agreements import qualification, screening
from agreements.choosing import release_of
from agreements.errors import CrmError, NoAgreementInForce
from agreements.identity import Who, personal_key, shows
from agreements.lead import ACCOUNT, Done, IncomingLead, LeadFacts, domain_of
from agreements.model import Agreement, Segment
from agreements.release import Pace, ReleaseDay, planned_days
from agreements.routing import segment_for
from agreements.staff import Staff
from storage import contracts, history, identity, roster, suppressions
from storage.tables import AgreementVersion, Lead, LeadSource
from tasks.steps import release_queue
from tasks.steps.candidates import shares_left
from tasks.wiring.toolbox import Toolbox

#: What would become of a row. customer: the screen attaches or routes it to an account's owner; held: no agreement is for it.
Becomes = Literal["qualifies", "not ready", "known", "customer", "opted out", "sorted out", "held"]
ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Queue:
    """The qualified leads of one tier and team. per_rep: leads for each rep in a working day, 0 for all at once.

    ahead: leads in the queue before them. days: who gets how many on which day; leads without a day are `unplanned`.
    """

    tier: str
    team: str
    leads: int
    per_rep: int = 0
    ahead: int = 0
    days: tuple[ReleaseDay, ...] = ()

    @property
    def unplanned(self) -> int:
        """How many leads have no day, because nobody of the team works long enough; none where all go at once."""
        return self.leads - sum(sum(day.given.values()) for day in self.days) if self.per_rep else 0


@dataclass(slots=True)
class Preview:
    """What a list would do. rows: by what becomes of them. reasons: of those that the screen sorts out. crm_error: why no account is
    known, empty where the CRM answered."""

    rows: Counter[Becomes] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    queues: tuple[Queue, ...] = ()
    crm_error: str = ""


@dataclass(frozen=True, slots=True)
class _Goes:
    """Where a qualified lead goes."""

    agreement: Agreement
    tier: str
    segment: Segment | None


_Accounts = dict[tuple[str, str], dict[str, Any]]
_Verdict = tuple[Becomes, str, _Goes | None]


async def preview(box: Toolbox, leads: Sequence[IncomingLead], *, progress: Callable[[int], None] = lambda rows: None) -> Preview:
    """Return what taking these leads in now would do. Asks the CRM once for each company. progress: how many more rows are done."""
    found, accounts = Preview(), _Accounts()
    goes, seen = list[_Goes](), set[str]()
    for start in range(0, len(leads), ROWS_AT_ONCE):
        some = leads[start : start + ROWS_AT_ONCE]
        known = await box.read(partial(_known, leads=some))
        new = list(_once([lead for number, lead in enumerate(some) if number not in known], seen))
        found.rows["known"] += len(some) - len(new)
        await _ask(box, new, accounts, found)
        for becomes, reason, where in await box.read(partial(_judged, leads=new, accounts=accounts)):
            found.rows[becomes] += 1
            found.reasons.update([reason] if reason else [])
            goes += [where] if where else []
        progress(len(some))
    found.queues = await box.read(partial(_queues, goes=goes))
    return found


def _once(leads: Sequence[IncomingLead], seen: set[str]) -> Iterator[IncomingLead]:
    """The leads without further rows of a person who had a row before."""
    for one in leads:
        key = personal_key(one.email)
        if key and key in seen:
            continue
        seen.add(key)
        yield one


def _known(session: Session, now: datetime, *, leads: Sequence[IncomingLead]) -> set[int]:
    """The positions of the leads that are here already: under an address that is one person's, or under their id."""
    ids = select(LeadSource.source, LeadSource.source_id).where(col(LeadSource.source_id).in_({one.source_id for one in leads}))
    sources = set(session.exec(ids).all())
    keys = {personal_key(one.email) for one in leads} - {""}
    people = set(session.exec(select(Lead.mail_key).where(col(Lead.mail_key).in_(keys), col(Lead.merged_into).is_(None))).all())
    return {
        number
        for number, one in enumerate(leads)
        if personal_key(one.email) in people or ((one.source, one.source_id) in sources and _is_who_came(session, one))
    }


def _is_who_came(session: Session, one: IncomingLead) -> bool:
    """Whether this is somebody who came under this id before, and nobody else under the same id."""
    told, before = Who(one.email, one.first_name, one.last_name), identity.came_under(session, one.source, one.source_id)
    return any(shows(Who(lead.email, lead.first_name, lead.last_name), told) != "another" for lead in before)


async def _ask(box: Toolbox, leads: Sequence[IncomingLead], accounts: _Accounts, found: Preview) -> None:
    """Asks the CRM for each company that was not asked for yet, until the CRM fails."""
    for one in leads:
        company = (one.company, domain_of(one.email))
        if found.crm_error or company in accounts:
            continue
        try:
            account = await box.crm.account(company=one.company, domain=company[1])
        except CrmError as error:
            found.crm_error = str(error)
        else:
            accounts[company] = {f"{ACCOUNT}{name}": value for name, value in account.as_facts().items()} if account else {}


def _judged(session: Session, now: datetime, *, leads: Sequence[IncomingLead], accounts: _Accounts) -> list[_Verdict]:
    """What becomes of each lead, the reason of the screen, and where it goes if it qualifies."""
    rows = contracts.counting(session, now)
    return [_verdict(rows, one, _values(session, one, accounts.get((one.company, domain_of(one.email)), {})), now) for one in leads]


def _verdict(rows: Sequence[AgreementVersion], one: IncomingLead, values: dict[str, Any], now: datetime) -> _Verdict:
    facts = LeadFacts(MappingProxyType(values), (Done(one.activity, one.at or now, one.path),), None, one.entry_channel)
    try:
        agreement = contracts.read(contracts.of_these(rows, values))
    except NoAgreementInForce:
        return "held", "", None
    rule = screening.screen(agreement, values).rule
    if rule and rule.then == "suppress":
        return "opted out", "", None
    if rule and (rule.then == "attach" or (rule.then == "route" and values.get(f"{ACCOUNT}owner"))):
        return "customer", "", None
    if rule and rule.then == "disqualify":
        return "sorted out", rule.as_ or rule.then, None
    return _rated(agreement, facts, now)


def _rated(agreement: Agreement, facts: LeadFacts, now: datetime) -> _Verdict:
    verdict = qualification.qualify(agreement, facts, now=now)
    if not verdict.is_mql:
        return "not ready", "", None
    tier = qualification.tier_for(agreement, facts, verdict).name
    known = {**facts.values, **qualification.found_out(agreement, facts.values, verdict), "tier": tier}
    segment = segment_for(agreement, known)
    return "qualifies", "", _Goes(agreement, tier, segment if isinstance(segment, Segment) else None)


def _values(session: Session, one: IncomingLead, account: dict[str, Any]) -> dict[str, Any]:
    """The facts that rules may ask about this lead when it comes in."""
    named = "source email first_name last_name phone company job_title country entry_channel campaign"
    lead = Lead(**{name: getattr(one, name) for name in named.split()}, values=dict(one.fields))
    values = {
        **history.told_by(lead),
        "suppressed": one.do_not_contact or suppressions.is_suppressed(session, one.email, one.phone, one.country),
        "sales_sourced": bool(one.sales_sourced_by),
        **account,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _queues(session: Session, now: datetime, *, goes: Sequence[_Goes]) -> tuple[Queue, ...]:
    """The plans of the queues, by tier and team."""
    groups: dict[tuple[str, str, str], list[_Goes]] = {}
    for one in goes:
        groups.setdefault((one.tier, one.segment.team if one.segment else "", one.agreement.reference), []).append(one)
    return tuple(_queue(session, some[0], len(some), now) for _, some in sorted(groups.items()))


def _queue(session: Session, goes: _Goes, count: int, now: datetime) -> Queue:
    """The plan of one tier and team, with the reps, their absences and what they got today as they are now."""
    agreement, release = goes.agreement, release_of(goes.agreement, goes.tier)
    people, team = roster.current(session), goes.segment.team if goes.segment else ""
    if release is None:
        return Queue(goes.tier, team, count)
    names = people.reps_of(team) if team else [agreement.routing.default_acceptor]
    staff = Staff(people, agreement, now)
    known = [(name, people.people[name]) for name in names if people.person(name)]
    left = shares_left(session, staff, [name for name, _ in known], release, goes.tier)
    paces = [Pace(name, staff.calendar(name), left[name], person.is_away) for name, person in known]
    ahead = release_queue.length(session, f"{goes.tier}:{team}")
    return Queue(
        goes.tier, team, count, release.per_rep, ahead, planned_days(paces, per_rep=release.per_rep, ahead=ahead, count=count, now=now)
    )
