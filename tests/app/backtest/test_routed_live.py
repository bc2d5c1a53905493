"""A backtest sends the leads of the database to the reps to whom the real intake sent them, and draws from what the reps answered."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from sqlmodel import Session, col, select

from agreements.backtest.columns import judge
from agreements.backtest.replay import COMPANY, OWNER, replay
from agreements.backtest.replayed import Replay
from agreements.loading import read_agreement
from agreements.roster import read_roster
from app.backtest.compare import compare
from app.backtest.crew import crew_of
from app.backtest.past import PastLeads
from app.backtest.sample import sample
from app.backtest.stored import read_stored
from storage.answer_times import past_answers
from storage.crm.port import Account
from storage.tables import Assignment
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.deal import BY_POINTS
from tests.driver import Driver, drive
from tests.present import the
from tests.stage import answer_by_link, capture, local_crm
from tests.storage.plans import recorded

IN_FORCE = read_agreement(AGREEMENT)
#: Who comes, a minute after each other.
CAME: list[dict[str, object]] = [
    {"email": "a@one.example"},
    {"email": "b@two.example", "country": "US"},
    {"email": "c@three.example"},
    {"email": "d@one.example"},
    {"email": "e@five.example", "country": "BR"},
    {"email": "f@six.example", "company": "Owned Ltd"},
    {"email": "g@seven.example"},
    {"email": "h@eight.example", **BY_POINTS},
]


def stored(session: Session, now: datetime) -> PastLeads:
    return read_stored(session, [IN_FORCE], now=now, by="entry_channel")


def replayed(session: Session, now: datetime) -> list[tuple[str, str]]:
    """The rep and the reason of each lead of the database, in the order of the leads."""
    past, crew = stored(session, now), the(crew_of(session, None, now=now))
    judged, everybody = judge(IN_FORCE, past.leads), pl.repeat(True, past.height, eager=True)
    some = sample(IN_FORCE, past, judged, ready=judged.verdicts["is_mql"], applies=everybody)
    found = replay(Replay(IN_FORCE, crew.people, some.leads, crew.answers(IN_FORCE)))
    return [(one.rep, one.why) for one in sorted(found, key=lambda one: one.lead.number)]


@pytest.mark.parametrize("hours", [0, pytest.param(10, marks=pytest.mark.long)], ids=["at work", "at night"])
def test_leads_go_to_the_reps_to_whom_they_went(box: Toolbox, driver: Driver, time: SteppedTime, hours: int) -> None:
    local_crm(box).add_accounts([Account("A1", "Owned Ltd", owner="cleo")])
    for minutes, kind in enumerate(CAME):
        time.at = MONDAY + timedelta(hours=hours, minutes=minutes)
        capture(box, **kind)
        drive(driver, until=time.at + timedelta(seconds=30))
    query = select(Assignment.rep, Assignment.cause).where(Assignment.number == 1).order_by(col(Assignment.lead_id))
    went = box.read_now(lambda session, now: list(session.exec(query)))

    found = box.read_now(replayed)

    assert len(went) == len(CAME)
    assert [rep for rep, _ in found] == [rep for rep, _ in went]
    assert {COMPANY, OWNER} <= {why for _, why in found}
    assert all(why == cause for (_, why), (_, cause) in zip(found, went, strict=True) if why != COMPANY)


def test_what_reps_answered_and_what_they_missed_is_known_in_one_statement(box: Toolbox, driver: Driver, time: SteppedTime) -> None:
    quick, late, open_still = capture(box), capture(box), capture(box)
    drive(driver, until=MONDAY + timedelta(minutes=4))
    time.at = MONDAY + timedelta(minutes=5)
    answer_by_link(box, quick, "accepted")
    drive(driver, until=MONDAY + timedelta(minutes=24))
    time.at = MONDAY + timedelta(minutes=25)
    answer_by_link(box, quick, "attempted")
    answer_by_link(box, open_still, "accepted")
    drive(driver, until=MONDAY + timedelta(hours=1))

    with recorded(box.database) as work:
        found = box.read_now(lambda session, now: list(past_answers(session, now=now)))

    reps = box.read_now(_first_reps)
    acceptances = {one.rep: one for one in found if one.promise == "acceptance"}
    assert len(work) == 1
    soon = acceptances[reps[quick.lead_id]]
    assert timedelta(minutes=4) <= the(soon.answered_at) - soon.asked_at <= timedelta(minutes=5)
    assert acceptances[reps[late.lead_id]].answered_at is None, "nobody answered in 30 working minutes"
    assert [one.rep for one in found if one.promise == "first_attempt"] == [reps[quick.lead_id]]
    counted = box.read_now(lambda session, now: compare(IN_FORCE, None, stored(session, now), crew=crew_of(session, None, now=now)))
    assert the(the(counted.draft.routing).promises[0].missed).of == 3
    assert [one.name for one in counted.draft.stages] == ["assigned", "accepted", "contacted", "opportunity"]
    assert [one.qualified.count for one in counted.draft.stages] == [3, 2, 1, 0]


def _first_reps(session: Session, now: datetime) -> dict[int, str]:
    return dict(session.exec(select(Assignment.lead_id, Assignment.rep).where(Assignment.number == 1)).all())


def test_a_roster_of_a_file_goes_before_the_loaded_one(box: Toolbox) -> None:
    other = read_roster(ROSTER.replace("Ana Silva", "Anna"))

    given = box.read_now(lambda session, now: crew_of(session, other, now=now))
    loaded = box.read_now(lambda session, now: crew_of(session, None, now=now))

    assert [the(crew).people.name_of("ana") for crew in (given, loaded)] == ["Anna", "Ana Silva"]
