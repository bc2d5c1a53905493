"""Taking in: every inquiry once, the same person recognised, and nothing lost while no agreement is in force."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.lead import IncomingLead
from agreements.words import Move
from storage import handoffs, leads, waits
from storage.tables import Activity, AgreementVersion, Event, Handoff, Lead, LeadSource, PersonalText, Wake
from tasks import intake
from tasks.background.held_leads import release_held
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import AGREEMENT
from tests.fakes import make_lead
from tests.in_flight import published
from tests.present import the


def take_in(box: Toolbox, incoming: IncomingLead | None = None, *, hold: bool = False, **changes: object) -> intake.Captured:
    lead = incoming or make_lead(**changes)
    return box.write_now(lambda session, now: intake.capture(session, lead, now=now, hold=hold))


def count(box: Toolbox, table: type) -> int:
    return len(box.read_now(lambda session, now: list(session.exec(select(table)))))


def end(box: Toolbox, lead_id: int, *events: Move) -> Handoff:
    """Moves the lead's handoff along these events, to an end say."""

    def work(session: Session, now: datetime) -> Handoff:
        handoff = the(handoffs.latest_of(session, lead_id))
        for event in events:
            handoffs.move(session, handoff, event, now=now)
        return handoff

    return box.write_now(work)


def to_nurture(box: Toolbox, lead_id: int, days: int = 90) -> None:
    def work(session: Session, now: datetime) -> None:
        handoff = the(handoffs.latest_of(session, lead_id))
        handoffs.move(session, handoff, "recycled", now=now)
        waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=now + timedelta(days=days)), now=now)

    box.write_now(work)


def close_agreement(box: Toolbox, closed: bool = True) -> None:
    def work(session: Session, now: datetime) -> None:
        for row in session.exec(select(AgreementVersion)):
            row.closed = closed
            session.add(row)

    box.write_now(work)


def test_a_new_lead_is_stored_with_its_activity_its_handoff_and_a_wake(box: Toolbox) -> None:
    done = take_in(box, message="Please call.")

    assert done.kind == "new"
    assert [count(box, table) for table in (Lead, LeadSource, Activity, Handoff, Wake)] == [1, 1, 1, 1, 1]
    handoff = box.read_now(lambda session, now: handoffs.get(session, the(done.handoff_id)))
    assert (handoff.stage, handoff.step, handoff.owner, handoff.agreement) == ("inquiry", "screen", "operator", "b2b-saas")
    assert box.read_now(lambda session, now: session.exec(select(PersonalText.text)).one()) == "Please call."


def test_the_same_inquiry_again_changes_nothing(box: Toolbox) -> None:
    incoming = make_lead(conversion_id="demo-1")
    first = take_in(box, incoming)
    before = [count(box, table) for table in (Lead, Activity, Handoff, Wake, Event)]

    again = take_in(box, incoming)

    assert (again.kind, again.lead_id) == ("repeated", first.lead_id)
    assert [count(box, table) for table in (Lead, Activity, Handoff, Wake, Event)] == before


def test_another_conversion_of_a_lead_under_way_is_an_activity(box: Toolbox) -> None:
    first = take_in(box, source_id="17", conversion_id="demo-1", phone="")

    again = take_in(box, source_id="17", conversion_id="demo-2", phone="+44 20 7946 0001", fields={"employees": 900})

    assert (again.kind, again.lead_id, again.handoff_id) == ("activity", first.lead_id, first.handoff_id)
    assert (count(box, Activity), count(box, Handoff)) == (2, 1)
    lead = the(box.read_now(lambda session, now: session.get(Lead, first.lead_id)))
    assert (lead.phone, lead.values["employees"]) == ("+44 20 7946 0001", 900)


def test_what_is_missing_later_does_not_wipe_out_what_is_known(box: Toolbox) -> None:
    take_in(box, source_id="17", conversion_id="a", company="Harbour", fields={"industry": "logistics"}, do_not_contact=True)

    take_in(box, source_id="17", conversion_id="b", company="", fields={"industry": None})

    lead = the(box.read_now(lambda session, now: session.get(Lead, 1)))
    assert (lead.company, lead.values["industry"], lead.do_not_contact) == ("Harbour", "logistics", True)


def test_the_same_id_from_another_source_is_another_lead(box: Toolbox) -> None:
    take_in(box, source="website", source_id="17")

    assert take_in(box, source="trade fair", source_id="17").kind == "new"


@pytest.mark.parametrize("email", ["lee@harbour.example", "LEE@Harbour.Example", "lee+demo@harbour.example"])
def test_the_same_person_under_a_new_id_is_merged(box: Toolbox, email: str) -> None:
    first = take_in(box, email="lee@harbour.example")

    again = take_in(box, email=email)

    assert (again.kind, again.lead_id, again.handoff_id) == ("merged", first.lead_id, first.handoff_id)
    stages = box.read_now(lambda session, now: list(session.exec(select(Handoff.stage).order_by(col(Handoff.id)))))
    assert stages == ["inquiry", "merged"]
    activities = box.read_now(lambda session, now: list(session.exec(select(Activity.lead_id))))
    assert activities == [first.lead_id, first.lead_id]


@pytest.mark.parametrize("email", ["info@harbour.example", "Sales+uk@harbour.example", ""])
def test_leads_that_share_a_mailbox_of_a_role_or_none_are_not_the_same_person(box: Toolbox, email: str) -> None:
    take_in(box, email=email)

    assert take_in(box, email=email).kind == "new"


def test_what_a_merged_lead_does_next_goes_to_the_lead_that_stayed(box: Toolbox) -> None:
    first = take_in(box, email="lee@harbour.example")
    take_in(box, email="lee@harbour.example", source_id="twin")

    again = take_in(box, email="lee@harbour.example", source_id="twin", conversion_id="more")

    assert (again.kind, again.lead_id) == ("activity", first.lead_id)


@pytest.mark.parametrize("ended", ["disqualified", "attached", "withdrawn"])
def test_a_lead_that_had_ended_comes_back_as_a_new_handoff(box: Toolbox, ended: Move) -> None:
    first = take_in(box, source_id="17", conversion_id="a")
    end(box, first.lead_id, ended)

    again = take_in(box, source_id="17", conversion_id="b")

    assert again.kind == "new"
    handoff = the(box.read_now(lambda session, now: handoffs.latest_of(session, first.lead_id)))
    assert (handoff.id, handoff.previous_id) == (again.handoff_id, first.handoff_id)


@pytest.mark.parametrize("ended", ["suppressed", "erased"])
def test_a_lead_that_nobody_may_contact_does_not_come_back(box: Toolbox, ended: Move) -> None:
    first = take_in(box, source_id="17", conversion_id="a")
    end(box, first.lead_id, ended)

    assert take_in(box, source_id="17", conversion_id="b").kind == "activity"
    assert count(box, Handoff) == 1


def test_a_lead_in_nurture_is_looked_at_at_once_when_it_does_something(box: Toolbox, time: SteppedTime) -> None:
    first = take_in(box, source_id="17", conversion_id="a")
    to_nurture(box, first.lead_id)
    time.at += timedelta(days=3)

    assert take_in(box, source_id="17", conversion_id="b").kind == "activity"

    [wait] = box.read_now(lambda session, now: leads.open_revisits(session, now=now))
    assert (wait.next_at, wait.due_at) == (time.at, time.at + timedelta(days=87))


def test_a_held_lead_is_stored_and_starts_when_it_is_released(box: Toolbox) -> None:
    held = [take_in(box, hold=True) for _ in range(3)]
    assert count(box, Wake) == 0

    assert asyncio.run(release_held(box, limit=2)) == 2

    started = box.read_now(lambda session, now: list(session.exec(select(Wake.handoff_id).order_by(col(Wake.id)))))
    assert started == [one.handoff_id for one in held[:2]]
    assert asyncio.run(release_held(box)) == 1
    assert asyncio.run(release_held(box)) == 0


def test_without_an_agreement_in_force_a_lead_is_stored_and_held(box: Toolbox) -> None:
    close_agreement(box)

    done = take_in(box)

    handoff = box.read_now(lambda session, now: handoffs.get(session, the(done.handoff_id)))
    assert (done.kind, handoff.held, handoff.agreement) == ("new", True, "")
    assert count(box, Wake) == 0


def test_a_lead_held_for_want_of_an_agreement_is_released_when_one_is_in_force(box: Toolbox) -> None:
    close_agreement(box)
    waiting = take_in(box)
    close_agreement(box, closed=False)
    on_purpose = take_in(box, hold=True)

    assert asyncio.run(release_held(box, only_without_agreement=True)) == 1

    by_id = box.read_now(lambda session, now: {row.id: row for row in session.exec(select(Handoff))})
    assert (by_id[the(waiting.handoff_id)].held, by_id[the(waiting.handoff_id)].agreement) == (False, "b2b-saas")
    assert by_id[the(on_purpose.handoff_id)].held


def test_releasing_without_an_agreement_says_so_and_changes_nothing(box: Toolbox) -> None:
    close_agreement(box)
    take_in(box)

    with pytest.raises(NoAgreementInForce, match="No signed and deployed agreement is in force"):
        asyncio.run(release_held(box))
    assert asyncio.run(release_held(box, only_without_agreement=True)) == 0
    assert count(box, Wake) == 0


def test_a_handoff_keeps_the_version_it_was_born_under(box: Toolbox) -> None:
    first = take_in(box)
    newer = AGREEMENT.replace("version: 1\n", "version: 2\n", 1).replace("from: 2026-01-01", "from: 2027-01-01", 1)

    box.write_now(lambda session, now: published(session, newer, now))
    second = take_in(box)

    ids = [the(one.handoff_id) for one in (first, second)]
    versions = box.read_now(lambda session, now: [handoffs.get(session, one).version for one in ids])
    assert versions == [1, 2]


def test_what_a_lead_claims_to_do_in_the_future_was_done_now(box: Toolbox, time: SteppedTime) -> None:
    take_in(box, at=time.at + timedelta(days=400))

    assert box.read_now(lambda session, now: session.exec(select(Activity.at)).one()) == time.at
