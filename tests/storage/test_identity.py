"""Who is the same person: one lead a person and one open handoff a lead, whatever the code above does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from storage import handoffs, waits
from storage.identity import again_if_taken, person_key
from storage.tables import Handoff, Lead, Wait
from tasks import intake
from tasks.background.revisit import revisit
from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.deal import agree_on
from tests.present import the
from tests.stage import capture, newest


def keys(box: Toolbox) -> list[str]:
    """The person keys of all leads in order."""
    return box.read_now(lambda session, now: list(session.exec(select(Lead.person_key).order_by(col(Lead.id)))))


@pytest.mark.parametrize(
    ("email", "key"),
    [
        ("Lee+demo@Harbour.example", "lee@harbour.example"),
        ("info@harbour.example", ""),
        ("Sales+uk@harbour.example", ""),
        ("", ""),
    ],
)
def test_a_person_is_known_by_an_address_that_only_they_read(email: str, key: str) -> None:
    assert person_key(email) == key


def test_two_leads_of_one_person_are_refused_by_the_database(box: Toolbox) -> None:
    capture(box, email="lee@harbour.example")

    with pytest.raises(IntegrityError, match="person"):
        box.write_now(lambda session, now: session.add(Lead(person_key="lee@harbour.example", created_at=now)))


def test_two_open_handoffs_of_one_lead_are_refused_by_the_database(box: Toolbox) -> None:
    taken = capture(box)

    with pytest.raises(IntegrityError, match=r"one_open_handoff|handoffs\.lead_id"):
        box.write_now(lambda session, now: session.add(Handoff(lead_id=taken.lead_id, created_at=now)))


def test_a_lead_that_is_merged_at_once_takes_no_key(box: Toolbox) -> None:
    capture(box, email="lee@harbour.example")
    capture(box, email="lee@harbour.example")

    assert keys(box) == ["lee@harbour.example", ""]


def test_at_the_next_company_one_of_both_leads_has_the_key_and_both_are_found(box: Toolbox) -> None:
    first = capture(box, email="lee@gmail.com", company="Harbour")
    second = capture(box, email="lee@gmail.com", company="Quay")
    assert keys(box) == ["lee@gmail.com", ""]

    here, there = capture(box, email="lee@gmail.com", company="Harbour"), capture(box, email="lee@gmail.com", company="Quay")

    assert (here.lead_id, there.lead_id) == (first.lead_id, second.lead_id)


def test_a_lead_that_takes_another_address_along_is_found_by_it_and_no_longer_by_the_old_one(box: Toolbox) -> None:
    agree_on(box, lambda tree: tree["qualification"].update({"on_change": {"company": "rescore"}}))
    first = capture(box, email="lee@harbour.example", company="Harbour")
    capture(box, source_id=first.source_id, email="lee@quay.example", company="Quay", conversion_id="more")
    assert keys(box) == ["lee@quay.example"]

    assert capture(box, email="lee@quay.example", company="Quay").kind == "merged"
    assert capture(box, email="lee@harbour.example", company="Harbour").kind == "new"


def test_an_address_that_another_lead_has_already_is_not_taken_along(box: Toolbox) -> None:
    """The conversion belongs to the lead of the address, whatever the id says."""
    agree_on(box, lambda tree: tree["qualification"].update({"on_change": {"company": "rescore"}}))
    first, other = capture(box, email="lee@harbour.example", company="Harbour"), capture(box, email="lee@quay.example", company="Quay")

    again = capture(box, source_id=first.source_id, email="lee@quay.example", company="Quay", conversion_id="more")

    assert (again.kind, again.lead_id) == ("activity", other.lead_id)
    assert keys(box) == ["lee@harbour.example", "lee@quay.example"]


def test_a_nurtured_handoff_that_is_due_begins_nothing_beside_an_open_one(box: Toolbox) -> None:
    """As a database may hold them in which two had been begun."""
    taken = capture(box)

    def work(session: Session, now: datetime) -> str:
        old = Handoff(lead_id=taken.lead_id, created_at=now, ended_at=now, stage=Stage.NURTURING, agreement="b2b-saas", version=1)
        session.add(old)
        session.flush()
        wait = waits.open_wait(session, old, waits.NewWait("revisit", holder="marketing", due_at=now + timedelta(days=1)), now=now)
        return revisit(session, wait, now=now + timedelta(days=1))

    assert box.write_now(work) == "returned"
    assert newest(box, taken).stage == "inquiry"
    assert box.read_now(lambda session, now: list(session.exec(select(Wait).where(col(Wait.closed_at).is_(None))))) == []
    assert box.read_now(lambda session, now: len(list(session.exec(select(Handoff))))) == 2


def test_a_lead_has_its_open_handoff_before_a_newer_one_that_has_ended(box: Toolbox) -> None:
    taken = capture(box)
    box.write_now(lambda session, now: session.add(Handoff(lead_id=taken.lead_id, created_at=now, ended_at=now, stage=Stage.MERGED)))

    assert the(box.read_now(lambda session, now: handoffs.latest_of(session, taken.lead_id))).stage == "inquiry"


def test_a_write_that_came_second_is_done_once_more_and_not_twice(box: Toolbox) -> None:
    told: list[str] = []

    def write(fails: int) -> str:
        told.append("called")
        if len(told) <= fails:
            raise IntegrityError("INSERT", None, Exception("UNIQUE"))
        return "stored"

    assert again_if_taken(lambda: write(1)) == "stored"
    assert len(told) == 2
    told.clear()
    with pytest.raises(IntegrityError):
        again_if_taken(lambda: write(9))
    assert len(told) == 2


def test_the_loser_of_a_race_sees_the_winner_when_it_writes_again(box: Toolbox) -> None:
    """What the second of two transactions meets that could not see each other: a unique key, and on its next try the lead."""
    first = capture(box, email="lee@harbour.example")
    tries: list[str] = []

    def work(session: Session, now: datetime) -> intake.Captured:
        tries.append("tried")
        if len(tries) == 1:
            session.add(Lead(person_key="lee@harbour.example", created_at=MONDAY))
            session.flush()
        return intake.capture(session, first.incoming, now=now)

    done = again_if_taken(lambda: box.write_now(work))

    assert (done.kind, done.lead_id, len(tries)) == ("repeated", first.lead_id, 2)
