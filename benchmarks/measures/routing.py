"""Measure who gets the lead: routing, turns, calendars, absences and capacity, for leads that come over a year."""

from __future__ import annotations

import io
import random
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from ruamel.yaml import YAML

from agreements.loading import read_agreement
from agreements.model import Agreement, Segment
from agreements.roster import Roster, read_roster
from agreements.routing import Rules, route, segment_for
from agreements.staff import Staff
from agreements.turns import Turns
from benchmarks.ground import ROOT

LEADS = 100_000
#: The figure for so many leads is compared with that for all.
FEWER = 10_000
REPS = 200
LIMIT_SECONDS = 60
START = datetime(2027, 1, 4, tzinfo=UTC)
#: A lead counts against the capacity of its rep until so many others of the team have come.
OPEN_FOR = 400
#: By team: its country, and the zones of its reps.
TEAMS = {
    "europe": ("GB", ("Europe/London", "Europe/Helsinki")),
    "america": ("US", ("America/New_York", "America/Los_Angeles")),
    "india": ("IN", ("Asia/Kolkata",)),
    "pacific": ("AU", ("Australia/Sydney",)),
}


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. folder: unused, there is no database."""
    agreement, people = agreed(), staffed(REPS)
    few = _seconds(agreement, people, FEWER, console)
    many = _seconds(agreement, people, LEADS, console)
    yield (
        f"routing {LEADS:,} leads over {REPS} reps",
        f"{many:.1f} s of processor",
        f"limit {LIMIT_SECONDS} s",
        f"{many / LIMIT_SECONDS:.2f}",
    )
    per_lead, before = many / LEADS, few / FEWER
    yield f"a lead of {LEADS:,}", f"{1000 * per_lead:.3f} ms", f"a lead of {FEWER:,}: {1000 * before:.3f} ms", f"{per_lead / before:.2f}"


def agreed() -> Agreement:
    """Return the example agreement with four teams in six zones, by weighted turns."""
    yaml, written = YAML(typ="safe", pure=True), io.StringIO()
    tree: dict[str, Any] = yaml.load((ROOT / "agreements/examples/b2b-saas.yaml").read_text(encoding="utf-8"))
    zones = [zone for _, zones in TEAMS.values() for zone in zones]
    tree["calendars"] = {_calendar(zone): {"timezone": zone, "hours": {"mon-fri": "09:00-12:30, 13:30-17:30"}} for zone in zones}
    by_country = [{"when": {"country": [one]}, "team": team, "strategy": "weighted-round-robin"} for team, (one, _) in TEAMS.items()]
    tree["routing"]["segments"] = [*by_country[1:], {"team": "europe", "strategy": "weighted-round-robin"}]
    yaml.dump(tree, written)
    return read_agreement(written.getvalue())


def staffed(reps: int) -> Roster:
    """Return a roster of so many reps, a quarter in each team. Every tenth weighs twice, and each is away for two weeks of the year."""
    teams, people = list(TEAMS), dict[str, Any]()
    for number in range(reps):
        team = teams[number % len(teams)]
        zones = TEAMS[team][1]
        begins = START + timedelta(days=number * 350 // reps)
        people[f"rep{number}"] = {
            "name": f"Rep {number}",
            "email": f"rep{number}@house.example",
            "team": team,
            "calendar": _calendar(zones[number // len(teams) % len(zones)]),
            "weight": 2 if number % 10 == 0 else 1,
            "away": [{"from": begins.isoformat(), "until": (begins + timedelta(days=14)).isoformat()}],
        }
    for name, role in (("boss", "manager"), ("mina", "marketing"), ("oscar", "operator"), ("dora", "rep")):
        people[name] = {"name": name.title(), "email": f"{name}@house.example", "role": role}
    tree = {"teams": {team: {"manager": "boss"} for team in teams}, "marketing": "mina", "operator": "oscar", "people": people}
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(tree, written)
    return read_roster(written.getvalue())


def _calendar(zone: str) -> str:
    return zone.rpartition("/")[2].lower().replace("_", "-")


def dealt(agreement: Agreement, people: Roster, leads: Iterator[int], count: int) -> Counter[str]:
    """Route so many leads, spread over a year at any hour, one after the other; return how many each rep got."""
    dice, got, open_leads = random.Random(1), Counter[str](), Counter[str]()
    turns: dict[str, Turns] = {}
    waiting: dict[str, deque[str]] = {team: deque() for team in TEAMS}
    countries = [country for country, _ in TEAMS.values()]
    for number in leads:
        now = START + timedelta(days=350) * number / count
        segment = segment_for(agreement, {"country": dice.choice(countries)})
        assert isinstance(segment, Segment), "the last segment takes every lead"
        staff, team = Staff(people, agreement, now, weighted=True), segment.team
        seen = [staff.candidate(name, open_leads=open_leads[name]) for name in people.reps_of(team)]
        before = turns.get(team, Turns())
        found = route(agreement, seen, declined=frozenset(), rules=Rules(segment.strategy, turns=before))
        got[found.rep] += 1
        if found.shared_by:
            turns[team] = before.after(found.rep, found.shared_by)
            open_leads[found.rep] += 1
            waiting[team].append(found.rep)
            if len(waiting[team]) > OPEN_FOR:
                open_leads[waiting[team].popleft()] -= 1
    return got


def _seconds(agreement: Agreement, people: Roster, count: int, console: Console) -> float:
    began = time.process_time()
    numbers = track(range(count), description=f"routing {count:,} leads", console=console, transient=True)
    dealt(agreement, people, iter(numbers), count)
    return time.process_time() - began
