"""A known person has another role, or is at another company: what was agreed for that is done, and the trail says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from storage import handoffs, roster
from storage.tables import Activity, Lead, LeadSource
from tasks.messages import lead_view
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, NOT_YET, agree_on, does, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, newest

DAY = timedelta(days=1)
#: A lead of a rep's who gets nothing but a title that no rule likes.
MOVED = {"email": "lee@quay.example", "company": "Quay", "conversion_id": "moved"}


def on_change(**rules: str) -> Callable[[dict[str, Any]], object]:
    return lambda tree: tree["qualification"].update(on_change=rules)


def leads_of(box: Toolbox) -> list[Lead]:
    return box.read_now(lambda session, now: list(session.exec(select(Lead).order_by(col(Lead.id)))))


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken)]


async def waiting_for_its_note(driver: Driver, box: Toolbox, **changes: Any) -> Taken:
    """A lead that is qualified and that no rep has yet: marketing owes a campaign."""
    taken = capture(box, campaign="", **{**BY_POINTS, **changes})
    await driver.settle()
    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("mql", "note")
    return taken


async def test_a_nurtured_lead_with_another_role_is_looked_at_again_at_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """An analyst who downloads something is no MQL; a head of operations is."""
    taken = capture(box, **{**NOT_YET, "activity": "form_submitted", "job_title": "Analyst"})
    await driver.settle()
    assert newest(box, taken).stage == "nurturing"
    time.at += DAY

    does(box, taken, "page_viewed", path="/pricing", job_title="Head of Operations")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert "role-changed" in kinds(box, taken)


async def test_a_lead_that_waits_for_its_note_is_scored_anew(driver: Driver, box: Toolbox) -> None:
    taken = await waiting_for_its_note(driver, box)
    before = newest(box, taken).score

    does(box, taken, "page_viewed", job_title="Head of Marketing", path="/", campaign="")
    await driver.settle()

    after = newest(box, taken)
    assert after.score < before
    assert {"role-changed", "rescored"} <= set(kinds(box, taken))


async def test_a_lead_that_is_no_longer_qualified_goes_back_to_marketing(driver: Driver, box: Toolbox) -> None:
    taken = await waiting_for_its_note(driver, box)

    does(box, taken, "page_viewed", job_title="Student intern", campaign="")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "not-ready")


async def test_the_note_says_what_the_new_score_rests_on(driver: Driver, box: Toolbox) -> None:
    taken = await waiting_for_its_note(driver, box)

    does(box, taken, "webinar_attended", job_title="Sales Director", campaign="")
    await driver.settle()

    view = box.read_now(lambda session, now: lead_view.lead_view(session, newest(box, taken), now=now))
    assert view.persona == "sales-leader"
    assert "persona sales-leader" in [rule for rule, _, _ in view.criteria]


async def test_a_lead_that_a_rep_has_is_not_scored_anew(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    before = newest(box, taken).score

    does(box, taken, "page_viewed", job_title="Student intern")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).score) == ("assigned", before)
    assert "role-changed" in kinds(box, taken)


async def test_a_role_that_is_agreed_to_be_ignored_changes_nothing(driver: Driver, box: Toolbox) -> None:
    agree_on(box, on_change(job_title="ignore"))
    taken = await waiting_for_its_note(driver, box)
    before = newest(box, taken).score

    does(box, taken, "page_viewed", job_title="Student intern", campaign="")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).score) == ("mql", before)
    assert "role-changed" not in kinds(box, taken)


async def test_the_same_role_in_other_letters_is_no_change(driver: Driver, box: Toolbox) -> None:
    taken = await waiting_for_its_note(driver, box)

    does(box, taken, "page_viewed", job_title="head of  OPERATIONS", campaign="")
    await driver.settle()

    assert "role-changed" not in kinds(box, taken)


async def test_the_agreement_of_the_leads_latest_handoff_counts(driver: Driver, box: Toolbox) -> None:
    """Not the one that came into force meanwhile."""
    taken = await waiting_for_its_note(driver, box)
    agree_on(box, on_change(job_title="ignore", company="ignore"))

    does(box, taken, "page_viewed", job_title="Head of Marketing", campaign="")
    await driver.settle()

    assert "role-changed" in kinds(box, taken)


async def test_a_person_at_another_company_is_a_new_lead_linked_to_the_old(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    done = does(box, taken, "demo_requested", **MOVED)
    await driver.settle()

    old, new = leads_of(box)
    assert (done.kind, done.lead_id, new.linked_to) == ("new", new.id, old.id)
    assert (new.company, new.email, new.last_name) == ("Quay", "lee@quay.example", old.last_name)
    assert (old.company, old.email) == (taken.incoming.company, taken.incoming.email)
    there = the(box.read_now(lambda session, now: handoffs.latest_of(session, new.id)))
    assert (there.stage, there.previous_id) == ("assigned", None)
    assert newest(box, taken).id != there.id


async def test_the_trail_links_both(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    does(box, taken, "demo_requested", **MOVED)
    await driver.settle()

    old, new = leads_of(box)
    linked = [(event.kind, event.data["to"]) for event in events_of(box, taken) if event.kind == "moved-on"]
    assert linked == [("moved-on", new.id)]

    def lines(session: Session, now: datetime) -> tuple[Any, list[str]]:
        handoff = the(handoffs.latest_of(session, new.id))
        return lead_view.lead_view(session, handoff, now=now), [
            text for _, text in lead_view.timeline(session, new.id, people=roster.current(session))
        ]

    view, timeline = box.read_now(lines)
    assert f"The same person as lead {old.id}, at another company" in timeline
    assert f"lead {old.id}, at {old.company}" in view.history[0][1]


async def test_the_conversion_that_made_the_new_lead_again_changes_nothing(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    does(box, taken, "demo_requested", **MOVED)

    again = does(box, taken, "demo_requested", **MOVED)

    assert again.kind == "repeated"
    assert len(leads_of(box)) == 2


async def test_what_the_person_does_next_goes_to_the_company_it_is_about(driver: Driver, box: Toolbox) -> None:
    """Also what is about the company before, and what does not say at which one."""
    taken = capture(box)
    moved = does(box, taken, "demo_requested", **MOVED)

    there = does(box, taken, "page_viewed", email="lee@quay.example", company="Quay")
    here = does(box, taken, "webinar_attended", company=taken.incoming.company)
    unsaid = does(box, taken, "content_downloaded", email="", company="")

    assert [one.lead_id for one in (there, here, unsaid)] == [moved.lead_id, taken.lead_id, moved.lead_id]
    assert len(leads_of(box)) == 2


async def test_a_person_who_is_known_by_a_free_address_and_comes_under_a_new_id_is_linked_too(driver: Driver, box: Toolbox) -> None:
    first = capture(box, email="lee@gmail.com", company="Harbour")

    again = capture(box, email="lee@gmail.com", company="Quay")

    _, new = leads_of(box)
    assert (again.kind, again.lead_id, new.linked_to) == ("new", new.id, first.lead_id)
    source = the(box.read_now(lambda session, now: session.get(LeadSource, ("test", again.source_id))))
    assert source.lead_id == new.id


async def test_another_way_to_write_the_name_of_a_company_with_one_domain_is_no_change(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)

    done = does(box, taken, "page_viewed", company=f"{taken.incoming.company} Ltd")

    assert (done.kind, len(leads_of(box))) == ("activity", 1)


async def test_a_company_that_is_agreed_to_be_ignored_is_an_activity(driver: Driver, box: Toolbox) -> None:
    agree_on(box, on_change(company="ignore"))
    taken = capture(box)
    await driver.settle()

    done = does(box, taken, "page_viewed", **MOVED)

    assert (done.kind, done.lead_id, len(leads_of(box))) == ("activity", taken.lead_id, 1)
    assert "company-changed" not in kinds(box, taken)


async def test_a_company_that_is_agreed_to_rescore_takes_the_lead_along(driver: Driver, box: Toolbox) -> None:
    agree_on(box, on_change(company="rescore"))
    taken = await waiting_for_its_note(driver, box)

    does(box, taken, "page_viewed", campaign="", **MOVED)
    await driver.settle()

    [lead] = leads_of(box)
    assert (lead.company, lead.email, lead.mail_key) == ("Quay", "lee@quay.example", "lee@quay.example")
    assert {"company-changed", "rescored"} <= set(kinds(box, taken))


async def test_who_asked_not_to_be_contacted_is_not_contacted_at_the_next_company(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="do-not-contact")
    await driver.settle()

    done = does(box, taken, "demo_requested", **MOVED)
    await driver.settle()

    assert the(box.read_now(lambda session, now: handoffs.latest_of(session, done.lead_id))).stage == "suppressed"


async def test_who_asks_it_at_the_next_company_is_not_contacted_at_the_one_before(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **NOT_YET)
    await driver.settle()
    does(box, taken, "page_viewed", do_not_contact=True, **MOVED)

    does(box, taken, "demo_requested", company=taken.incoming.company)
    await driver.settle()

    assert newest(box, taken).stage == "suppressed"


async def test_a_company_that_may_not_be_contacted_does_not_follow_who_has_left_it(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **NOT_YET)
    await driver.settle()
    domain = taken.incoming.email.rpartition("@")[2]

    def suppress(session: Session, now: datetime) -> None:
        from storage.tables import Suppression

        session.add(Suppression(value=domain, since=now))

    box.write_now(suppress)
    done = does(box, taken, "demo_requested", **MOVED)
    await driver.settle()

    assert the(box.read_now(lambda session, now: handoffs.latest_of(session, done.lead_id))).stage == "assigned"


@pytest.mark.parametrize("activity", ["demo_requested", "page_viewed"])
async def test_a_lead_in_the_fast_lane_does_not_wait_for_its_score(driver: Driver, box: Toolbox, activity: str) -> None:
    """A qualified lead that nobody has yet asks by itself: it is hot from then on."""
    taken = await waiting_for_its_note(driver, box)

    does(box, taken, activity, campaign="")
    await driver.settle()

    assert newest(box, taken).tier == ("hot" if activity == "demo_requested" else "normal")
    assert box.read_now(lambda session, now: len(list(session.exec(select(Activity))))) == 2


async def test_a_person_at_another_company_without_an_address_is_found_there_by_the_address(driver: Driver, box: Toolbox) -> None:
    first = capture(box, email="lee@gmail.com", company="Harbour")
    moved = does(box, first, "demo_requested", email="", company="Quay", conversion_id="moved")

    again = capture(box, email="lee@gmail.com", company="Quay")

    assert (moved.kind, again.lead_id, len([one for one in leads_of(box) if one.merged_into is None])) == ("new", moved.lead_id, 2)
