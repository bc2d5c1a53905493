"""A made-up company over a year: its reps, where and when they work, who comes, who goes, who is away."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from ruamel.yaml import YAML


@dataclass(frozen=True, slots=True)
class Zone:
    """A place where reps work. open, close, lunch: by its clock; lunch: from and to, None for none. leads_from: a country of its leads."""

    name: str
    timezone: str
    country: str
    opens: time
    closes: time
    lunch: tuple[time, time] | None
    leads_from: str


#: Six zones. The first two serve one segment together, and so do the next two: somebody may be open while a colleague is closed.
ZONES = (
    Zone("london", "Europe/London", "GB", time(9), time(17, 30), (time(12, 30), time(13, 30)), "GB"),
    Zone("helsinki", "Europe/Helsinki", "FI", time(8), time(16), None, "FI"),
    Zone("new-york", "America/New_York", "US", time(9), time(17), None, "US"),
    Zone("los-angeles", "America/Los_Angeles", "US", time(8, 30), time(17), (time(12), time(13)), "CA"),
    Zone("kolkata", "Asia/Kolkata", "IN", time(10), time(18), None, "IN"),
    Zone("sydney", "Australia/Sydney", "AU", time(9), time(17), (time(12), time(12, 30)), "AU"),
)
TEAM_OF = {
    "london": "europe",
    "helsinki": "europe",
    "new-york": "america",
    "los-angeles": "america",
    "kolkata": "india",
    "sydney": "pacific",
}
TEAMS = ("europe", "america", "india", "pacific")


@dataclass(frozen=True, slots=True)
class Absence:
    """From the first instant to the last, in UTC."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Rep:
    """One rep. joins, leaves: the rosters in between name them. weight: of the leads; ramp_until: until then they get a third of it."""

    id: str
    zone: Zone
    joins: datetime
    leaves: datetime
    weight: int = 1
    capacity: int | None = None
    ramp_until: datetime | None = None
    absences: tuple[Absence, ...] = ()
    deputy: str = ""

    @property
    def team(self) -> str:
        """The team that the rep belongs to."""
        return TEAM_OF[self.zone.name]

    def is_employed(self, at: datetime) -> bool:
        """Whether the roster names the rep at that instant."""
        return self.joins <= at < self.leaves

    def is_away(self, at: datetime) -> bool:
        """Whether the rep is absent at that instant."""
        return any(one.begins <= at < one.ends for one in self.absences)

    def is_open(self, at: datetime) -> bool:
        """Whether that instant lies within the rep's hours, by the clock on the wall and the holidays of the country."""
        wall = at.astimezone(ZoneInfo(self.zone.timezone))
        if wall.weekday() >= 5 or wall.date() in _holidays(self.zone.country):
            return False
        lunch = self.zone.lunch
        return self.zone.opens <= wall.time() < self.zone.closes and not (lunch and lunch[0] <= wall.time() < lunch[1])

    def is_at_work(self, at: datetime) -> bool:
        """Whether the rep is there at that instant."""
        return self.is_employed(at) and not self.is_away(at) and self.is_open(at)

    def next_at_work(self, at: datetime) -> datetime:
        """The first quarter of an hour from that instant on in which the rep is there; `at` itself if they are there now."""
        while not self.is_at_work(at) and at < self.leaves:
            at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)
        return at

    def part(self, at: datetime) -> float:
        """The rep's part of the leads at that instant, in proportion to others."""
        return self.weight / 3 if self.ramp_until and at < self.ramp_until else float(self.weight)


@cache
def _holidays(country: str) -> frozenset[date]:
    subdivision = {"GB": "ENG", "AU": "NSW"}.get(country)
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=range(2026, 2030)))


@dataclass(frozen=True, slots=True)
class Company:
    """All reps of the time that is played, and how long it is."""

    start: datetime
    end: datetime
    reps: tuple[Rep, ...]
    per_rep: int = 15
    release: int = 5
    by_id: dict[str, Rep] = field(default_factory=dict)

    @property
    def pace(self) -> str:
        """How fast a list is released."""
        return f"{self.release} per rep per working day"

    def team(self, name: str) -> list[Rep]:
        """All reps of that team, those of yesterday and tomorrow too."""
        return [one for one in self.reps if one.team == name]

    def changes(self) -> list[datetime]:
        """The instants at which another roster is loaded, in order: somebody comes or goes."""
        at = {self.start, *(one.joins for one in self.reps), *(one.leaves for one in self.reps if one.leaves < self.end)}
        return sorted(one for one in at if one <= self.end)

    def begins(self) -> list[datetime]:
        """The instants at which somebody's absence begins or ends, in order."""
        return sorted({at for one in self.reps for leave in one.absences for at in (leave.begins, leave.ends)})

    def roster(self, at: datetime) -> str:
        """The roster file as it reads at that instant."""
        people: dict[str, Any] = {one.id: _person(one) for one in self.reps if one.is_employed(at)}
        for name in (*(f"boss-{team}" for team in TEAMS), "mina", "oscar"):
            role = {"mina": "marketing", "oscar": "operator"}.get(name, "manager")
            at_home = {"calendar": "london", "timezone": "Europe/London"}
            people[name] = {"name": name.title(), "email": f"{name}@house.example", "role": role, **at_home}
        people["dora"] = {"name": "Dora", "email": "dora@house.example", "role": "rep", "calendar": "london", "capacity": 100_000}
        teams = {team: {"manager": f"boss-{team}", "title": team.title()} for team in TEAMS}
        return _yaml({"teams": teams, "marketing": "mina", "operator": "oscar", "people": people})

    def agreed(self, tree: dict[str, Any]) -> None:
        """Change the example agreement to what this company agreed: its calendars, teams, tiers and pace."""
        tree["calendars"] = {one.name: _calendar(one) for one in ZONES}
        tree["routing"] = {
            "segments": [{"when": {"country": _countries(team)}, "team": team, "strategy": "weighted-round-robin"} for team in TEAMS],
            "capacity": {"per_rep": self.per_rep},
            "default_acceptor": "dora",
            "everyone_away": "hold",
            "everyone_full": "default-acceptor",
        }
        tree["tiers"] = [
            {"name": "hot", "when": {"fast_lane": True}, "channels": ["email", "chat"]},
            {"name": "list", "when": {"entry_channel": "trade_show"}, "channels": ["email", "chat"], "release": self.pace},
            {"name": "normal", "channels": ["email", "chat"]},
        ]
        tree["clocks"]["delivery"]["within"]["list"] = "per release plan"
        tree["notify"] = {**tree["notify"], "channels": ["email", "chat"], "fallback": ["manager-email"]}


def _countries(team: str) -> list[str]:
    return [one.leads_from for one in ZONES if TEAM_OF[one.name] == team]


def _person(rep: Rep) -> dict[str, Any]:
    known: dict[str, Any] = {"name": rep.id.title(), "email": f"{rep.id}@house.example", "team": rep.team, "calendar": rep.zone.name}
    known |= {"timezone": rep.zone.timezone, "weight": rep.weight}
    if rep.capacity is not None:
        known["capacity"] = rep.capacity
    if rep.ramp_until:
        known["share"] = {"of": "1/3", "until": rep.ramp_until.isoformat()}
    if rep.deputy:
        known["deputy"] = rep.deputy
    if rep.absences:
        known["away"] = [{"from": one.begins.isoformat(), "until": one.ends.isoformat()} for one in rep.absences]
    return known


def _calendar(zone: Zone) -> dict[str, Any]:
    spans = [(zone.opens, zone.closes)] if not zone.lunch else [(zone.opens, zone.lunch[0]), (zone.lunch[1], zone.closes)]
    subdivision = {"GB": {"subdivision": "ENG"}, "AU": {"subdivision": "NSW"}}.get(zone.country, {})
    hours = ", ".join(f"{begin:%H:%M}-{end:%H:%M}" for begin, end in spans)
    return {"timezone": zone.timezone, "hours": {"mon-fri": hours}, "holidays": {"country": zone.country, **subdivision}}


def _yaml(tree: dict[str, Any]) -> str:
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, written)
    return written.getvalue()


def company(start: datetime, *, days: int, reps: int, seed: int, per_rep: int = 15, away_within: int = 40) -> Company:
    """Make a company up: reps in all zones, of whom some join, leave, ramp up, weigh more, take few leads, or go on leave.

    away_within: how many days after the start each rep's first absence begins at the latest.
    """
    dice, end = random.Random(seed), start + timedelta(days=days)
    zones = [ZONES[number % len(ZONES)] for number in range(reps)]
    made = [_rep(f"rep{number:02}", zone, number, (start, end), dice, away_within) for number, zone in enumerate(zones)]
    with_deputies = [_with_deputy(one, made, number) for number, one in enumerate(made)]
    return Company(start, end, tuple(with_deputies), per_rep, by_id={one.id: one for one in with_deputies})


def _rep(name: str, zone: Zone, number: int, played: tuple[datetime, datetime], dice: random.Random, away_within: int) -> Rep:
    """The first two reps of each zone stay the whole time; of the others, every third joins later and every second leaves earlier."""
    start, end = played
    always = number < 2 * len(ZONES)
    whole = (end - start).days
    joins = start if always or number % 3 else start + timedelta(days=dice.randint(whole // 6, whole // 2), hours=5)
    leaves = end + timedelta(days=365) if always or number % 2 else end - timedelta(days=dice.randint(whole // 4, whole // 2), hours=-7)
    ramp = joins + timedelta(days=whole // 5) if joins > start else None
    absences = tuple(_absences(start, end, dice, away_within))
    weight, capacity = (2 if number % 5 == 0 else 1), (4 if number % 11 == 7 else None)
    return Rep(name, zone, joins, leaves, weight, capacity, ramp, absences)


def _absences(start: datetime, end: datetime, dice: random.Random, away_within: int) -> Iterator[Absence]:
    """About two weeks in each quarter, sometimes half a day."""
    at = start + timedelta(days=dice.randint(5, away_within))
    while at < end - timedelta(days=3):
        begins = at.astimezone(UTC).replace(hour=dice.choice([0, 11, 22]), minute=0)
        length = dice.choice([timedelta(hours=6), timedelta(days=1), timedelta(days=5), timedelta(days=14)])
        yield Absence(begins, begins + length)
        at = begins + length + timedelta(days=dice.randint(20, 90))


def _with_deputy(rep: Rep, all_reps: Sequence[Rep], number: int) -> Rep:
    """Every second rep has a colleague of the team as deputy who stays the whole time."""
    stays = [one.id for one in all_reps if one.team == rep.team and one.id != rep.id and one.leaves > rep.leaves - timedelta(days=1)]
    steady = [one for one in stays if int(one.removeprefix("rep")) < 2 * len(ZONES)]
    if number % 2 or not steady:
        return rep
    return replace(rep, deputy=steady[number % len(steady)])
