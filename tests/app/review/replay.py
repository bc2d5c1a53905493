"""Replays the marketing funnel of a real marketplace: each lead comes, is given to a rep, accepted and won, in the order of the dates."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from sqlmodel import Session, col, select

from app.csv_import.file import IncomingRow, ReadLeads, read_leads
from app.csv_import.importing import import_leads
from app.csv_import.lead_map import LeadMap
from storage import roster
from storage.tables import Assignment, LeadSource
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.app.backtest.test_olist import LEADS
from tests.conftest import ROOT
from tests.driver import Driver
from tests.in_flight import published
from tests.stage import local_crm

DEALS = LEADS.with_name("olist_closed_deals_dataset.csv")
ZONE = ZoneInfo("America/Sao_Paulo")
NAME = "olist"
BLANK = "not-recorded"
#: The agreement is in force from this day on; the last win is in November 2018.
FIRST, LAST = date(2017, 6, 1), date(2018, 12, 31)
#: A win that the file knows by its day alone is told in the CRM at this time of the day.
TOLD = time(18)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REPS = [f"rep-{number}" for number in range(1, 11)]
#: The columns of the file of leads. The origin is the source, for that is what a review counts by.
MAP = LeadMap.model_validate(
    {
        "source": NAME,
        "columns": {"source_id": "mql_id", "at": "first_contact_date", "campaign": "landing_page_id", "source": "origin"},
        "constants": {"activity": "contact_sales", "country": "BR", "entry_channel": "landing-page"},
        "values": {"source": {"": BLANK}},
        "timezone": ZONE.key,
    }
)


@dataclass(frozen=True, slots=True)
class Win:
    """A won deal. at: when the CRM is told, aware; day: in the zone of the marketplace; amount: reais a month, empty for none."""

    mql_id: str
    at: datetime
    day: date
    amount: str


def wins(keep: set[str]) -> list[Win]:
    """Return the won deals of these leads, the earliest first."""
    with DEALS.open(encoding="utf-8", newline="") as file:
        return sorted((_win(row) for row in csv.DictReader(file) if row["mql_id"] in keep), key=lambda one: one.at)


def _win(row: Mapping[str, str]) -> Win:
    """Its times are in UTC. A win known by its day alone is midnight in São Paulo."""
    local = datetime.fromisoformat(row["won_date"]).replace(tzinfo=UTC).astimezone(ZONE)
    at = local if local.time() > time() else datetime.combine(local.date(), TOLD, ZONE)
    amount = row["declared_monthly_revenue"]
    return Win(row["mql_id"], at.astimezone(UTC), local.date(), amount if float(amount or 0) else "")


def rows() -> list[IncomingRow]:
    """Return the leads of the file, the earliest first. The file knows the day alone, and each lead comes at nine o'clock of it."""
    read = read_leads(LEADS, mapping=MAP, today=datetime(2019, 1, 1, tzinfo=UTC))
    assert read.bad == []
    return sorted(read.rows, key=_at)


def _at(row: IncomingRow) -> datetime:
    assert row.lead.at is not None, "each row has a date"
    return row.lead.at


def agreed() -> str:
    """Return the example agreement of a marketplace as this one could have signed it.

    Its reps share all leads and get one mail about each. The files tell of no call, so the clocks after the acceptance leave the time that
    the longest deal took.
    """
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "agreements/examples/marketplace.yaml").read_text(encoding="utf-8"))
    hours = {"timezone": ZONE.key, "hours": {"mon-fri": "09:00-18:00"}, "holidays": {"country": "BR"}}
    tree |= {"agreement": NAME, "effective": {"from": FIRST}, "timezone": ZONE.key, "calendars": {"sao-paulo": hours}}
    tree["routing"] |= {"segments": [{"team": "sellers"}], "capacity": {"per_rep": 10_000}, "default_acceptor": REPS[0]}
    tree["notify"] = {"confirmed_on": 1, "within": "10 minutes", "channels": ["email"], "fallback": ["manager-email"]}
    tree["tiers"] = [{"name": "hot", "when": {"fast_lane": True}, "channels": ["email"]}, {"name": "normal", "channels": ["email"]}]
    for clock in ("first_attempt", "outcome"):
        tree["clocks"][clock] = {"owed_by": "sales", "within": "600 days", "when_missed": [{"do": "manager-decides"}]}
    tree["crm"] = {"opportunity": {"status": "Opportunity"}}
    return json.dumps(tree, default=str, indent=1)


def staff() -> str:
    """Return a roster of ten reps, who share the leads."""
    person = {"email": "{}@olist.example", "timezone": ZONE.key}

    def named(name: str, **more: str) -> dict[str, str]:
        return {"name": name.title(), **person, "email": f"{name}@olist.example", **more}

    people = {name: named(name, team="sellers") for name in REPS} | {
        "maria": named("maria", role="manager", team="sellers"),
        "mina": named("mina", role="marketing"),
        "oscar": named("oscar", role="operator"),
    }
    return json.dumps(
        {"teams": {"sellers": {"manager": "maria", "title": "Sellers"}}, "marketing": "mina", "operator": "oscar", "people": people}
    )


class Replay:
    """Plays these leads and their wins. driver: on an empty database, at a time before the first of them."""

    def __init__(self, box: Toolbox, driver: Driver, leads: Sequence[IncomingRow]) -> None:
        self.box, self.driver = box, driver
        self.leads = leads
        self.wins = wins({row.lead.source_id for row in leads})
        self.numbers: dict[str, int] = {}
        self.early: dict[str, str] = {}

    async def play(self) -> None:
        """Play them all, to the last day."""
        self.box.write_now(self._begin)
        for at, batch in self._by_day():
            self.driver.plan(at, partial(self._come, batch))
        for win in self.wins:
            self.driver.plan(win.at, partial(self._won, win))
        over = datetime.combine(LAST + DAY, time(), ZONE).astimezone(UTC)
        await self.driver.run(until=over)
        self.driver.time.at = over

    def _begin(self, session: Session, now: datetime) -> None:
        roster.load(session, staff(), now=now)
        published(session, agreed(), now)

    def _by_day(self) -> Iterator[tuple[datetime, list[IncomingRow]]]:
        by_day: dict[datetime, list[IncomingRow]] = {}
        for row in self.leads:
            by_day.setdefault(_at(row), []).append(row)
        yield from by_day.items()

    def _come(self, batch: list[IncomingRow]) -> None:
        """The leads of a day are imported together. The CRM names the lead of a deal that it told of before."""
        done = import_leads(self.box, ReadLeads(rows=batch), hold=False, actor="import")
        assert (done.new, done.bad) == (len(batch), [])
        ids, at = [row.lead.source_id for row in batch], _at(batch[0])
        numbers = self.box.read_now(lambda session, now: _numbers(session, ids))
        self.numbers |= numbers
        for name in numbers.keys() & self.early.keys():
            local_crm(self.box).person_sets_opportunity(numbers[name], by=REPS[0], at=at, opportunity=self.early[name])
        morning = _at_work(at)
        self.driver.plan(morning + 30 * MINUTE, partial(self._accept, list(numbers.values())))

    def _accept(self, leads: Sequence[int]) -> None:
        """The reps accept these leads by their links. A lead that is won already asks for no answer."""
        query = select(Assignment.id).where(col(Assignment.lead_id).in_(leads), col(Assignment.ended_at).is_(None))
        for tenure in self.box.read_now(lambda session, now: list(session.exec(query))):
            link = OpenedLink(self.box, self.box.links.for_tenure(tenure).rpartition("/")[2])
            self.box.write_now(partial(_accept, link))

    def _won(self, win: Win) -> None:
        """The CRM says that the deal is won. Nobody knows its lead where the lead has not come yet."""
        lead = self.numbers.get(win.mql_id)
        said = {"state": "won", "closed_on": win.day.isoformat(), **({"amount": win.amount, "currency": "BRL"} if win.amount else {})}
        deal = local_crm(self.box).person_sets_opportunity(lead or 0, by=REPS[0], at=win.at, **said)
        if lead is None:
            self.early[win.mql_id] = deal


def _accept(link: OpenedLink, session: Session, now: datetime) -> None:
    answering.answer(session, link, answering.SentForm("accepted", {}), now=now)


def _numbers(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Return the numbers of these leads: the file's id -> number."""
    return dict(session.exec(select(LeadSource.source_id, LeadSource.lead_id).where(col(LeadSource.source_id).in_(ids))).all())


def _at_work(at: datetime) -> datetime:
    """Return that instant, or the same time on the next Monday where it is on a weekend."""
    while at.astimezone(ZONE).weekday() >= 5:
        at += DAY
    return at
