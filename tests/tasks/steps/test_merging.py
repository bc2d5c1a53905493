"""Merging two leads by hand and telling them apart again: nothing is lost, nothing stranded, and nobody's facts mix."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from storage import strays, trail_check
from storage.likely_twins import of_lead, suggestions
from storage.tables import Activity, Event, Handoff, Lead, PersonalText
from tasks.replies.validation import ChoiceRefused
from tasks.steps import merging
from tasks.steps.joining import CannotMerge
from tasks.wiring.toolbox import Toolbox
from tests.deal import NOT_YET, letters, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, kept_by, newest

ANA: dict[str, Any] = {
    "email": "ana@harbour.example",
    "first_name": "Ana",
    "last_name": "Lind",
    "phone": "+44 1",
    "company": "Harbour",
    "conversion_id": "a",
}
PRIVATE: dict[str, Any] = {**ANA, "email": "ana@gmail.com", "phone": "+44 2", "conversion_id": "b"}


def merge(box: Toolbox, lead: Taken, into: Taken) -> None:
    box.write_now(lambda session, now: merging.merge(session, lead.lead_id, into.lead_id, by="mia", now=now, reason="She said so."))


def unmerge(box: Toolbox, lead: Taken) -> None:
    box.write_now(lambda session, now: merging.unmerge(session, lead.lead_id, by="mia", now=now))


def of(box: Toolbox, taken: Taken) -> Lead:
    return the(box.read_now(lambda session, now: session.get(Lead, taken.lead_id)))


def done_by(box: Toolbox) -> list[tuple[int, str]]:
    rows = box.read_now(lambda session, now: list(session.exec(select(Activity).order_by(col(Activity.id)))))
    return [(row.lead_id, row.key.split(":")[-1]) for row in rows]


def is_clean(box: Toolbox) -> bool:
    key = box.database.trail_key
    return box.read_now(lambda session, now: trail_check.check(session, key=key, now=now)).whole


async def test_a_merged_lead_ends_its_rep_hears_of_it_and_what_comes_goes_to_the_other(driver: Driver, box: Toolbox) -> None:
    first, second = capture(box, **ANA), capture(box, **PRIVATE)
    await driver.settle()
    rep = newest(box, first).rep
    other_rep = newest(box, second).rep

    merge(box, second, first)
    await driver.settle()

    assert (newest(box, second).stage, newest(box, first).stage) == ("merged", "assigned")
    assert letters(box, "withdrawn") == [other_rep]
    assert rep in letters(box, "told")
    assert done_by(box) == [(first.lead_id, "a"), (first.lead_id, "b")]
    by_address = capture(box, **{**PRIVATE, "conversion_id": "c"})
    by_id = capture(box, **{**PRIVATE, "source_id": second.source_id, "email": "", "conversion_id": "d"})
    assert (by_address.lead_id, by_id.lead_id) == (first.lead_id, first.lead_id)
    assert box.read_now(lambda session, now: len(list(session.exec(select(Handoff).where(col(Handoff.ended_at).is_(None)))))) == 1
    assert is_clean(box)


async def test_telling_apart_gives_each_lead_its_own_facts_and_activities_back(driver: Driver, box: Toolbox) -> None:
    first, second = capture(box, **ANA), capture(box, **PRIVATE, message="From home.")
    await driver.settle()
    had = newest(box, second).rep
    merge(box, second, first)
    capture(box, **{**PRIVATE, "phone": "+44 3", "job_title": "Buyer", "conversion_id": "c"}, source_id=second.source_id)
    capture(box, **{**ANA, "conversion_id": "d"}, source_id=first.source_id)
    beside = [value["value"] for value in of(box, first).beside["phone"]]
    assert beside == ["+44 2", "+44 3"]

    unmerge(box, second)
    await driver.settle()

    one, other = of(box, first), of(box, second)
    assert [(lead.email, lead.phone) for lead in (one, other)] == [("ana@harbour.example", "+44 1"), ("ana@gmail.com", "+44 3")]
    assert one.beside == {}
    assert sorted(done_by(box)) == [(first.lead_id, "a"), (first.lead_id, "d"), (second.lead_id, "b"), (second.lead_id, "c")]
    assert (newest(box, second).stage, newest(box, second).rep) == ("assigned", had)
    assert box.read_now(lambda session, now: session.exec(select(PersonalText.lead_id).where(PersonalText.text == "From home.")).all()) == [
        second.lead_id
    ]
    assert capture(box, **{**PRIVATE, "conversion_id": "e"}).lead_id == second.lead_id
    assert is_clean(box)
    kinds = box.read_now(lambda session, now: list(session.exec(select(Event.lead_id, Event.kind).where(Event.actor == "mia"))))
    assert [kind for lead, kind in kinds if lead == second.lead_id] == ["merged", "merged-by-hand", "unmerged"]
    assert [kind for lead, kind in kinds if lead == first.lead_id] == ["took-over", "unmerged"]


#: Where both leads are, what that makes of the one that goes on.
STANDS = [
    ("assigned", "assigned", "assigned"),
    ("assigned", "disqualified", "assigned"),
    ("assigned", "nurturing", "nurturing"),
    ("accepted", "assigned", "assigned"),
    ("nurturing", "disqualified", "disqualified"),
    ("disqualified", "disqualified", "disqualified"),
    ("nurturing", "assigned", "assigned"),
]


@pytest.mark.parametrize(("lead", "into", "goes_on"), STANDS)
async def test_wherever_both_are_nothing_is_stranded(driver: Driver, box: Toolbox, lead: str, into: str, goes_on: str) -> None:
    pair = []
    for facts, stage in ((PRIVATE, lead), (ANA, into)):
        taken = capture(box, **{**facts, **(NOT_YET if stage == "nurturing" else {})})
        await driver.settle()
        if stage == "accepted":
            answer_by_link(box, taken, "accepted")
        if stage == "disqualified":
            answer_by_link(box, taken, "rejected", reason="not-icp")
            driver.time.at += timedelta(hours=1)
        await driver.settle()
        pair.append(taken)
    second, first = pair
    before = newest(box, second).stage

    merge(box, second, first)
    await driver.settle()
    assert newest(box, first).stage == goes_on
    assert newest(box, second).stage == ("merged" if before != "disqualified" else "disqualified")
    unmerge(box, second)
    await driver.settle()

    assert newest(box, second).stage == {"accepted": "assigned"}.get(lead, lead)
    assert box.read_now(lambda session, now: strays.stranded(session)) == ([], 0)
    assert is_clean(box)


def test_what_cannot_be_merged_or_told_apart_is_refused_with_the_reason(box: Toolbox) -> None:
    first, second, third = capture(box, **ANA), capture(box, **PRIVATE), capture(box)
    twin = capture(box, **{**ANA, "conversion_id": "z"})
    merge(box, second, first)
    ids = box.read_now(lambda session, now: list(session.exec(select(Lead.id).order_by(col(Lead.id)))))
    assert twin.lead_id == first.lead_id

    def said(lead: int, into: int | None) -> str:
        def work(session: Session, now: datetime) -> None:
            if into is None:
                merging.unmerge(session, lead, by="mia", now=now)
            else:
                merging.merge(session, lead, into, by="mia", now=now)

        with pytest.raises(CannotMerge) as refused:
            box.write_now(work)
        return str(refused.value)

    assert said(99, third.lead_id) == "There is no lead 99."
    assert said(third.lead_id, third.lead_id) == "Name two different leads."
    assert f"was merged into lead {first.lead_id}" in said(second.lead_id, third.lead_id)
    assert "Name that lead instead" in said(third.lead_id, second.lead_id)
    assert "is not merged" in said(third.lead_id, None)
    assert "one address is one person" in said(ids[-1], None)


def test_a_chain_of_merged_leads_comes_apart_link_by_link(box: Toolbox) -> None:
    one, two, three = (capture(box, email=f"p{n}@gmail.com", company="", conversion_id=f"c{n}") for n in (1, 2, 3))
    merge(box, one, two)
    merge(box, two, three)
    assert {lead for lead, _ in done_by(box)} == {three.lead_id}
    assert capture(box, email="p1@gmail.com", company="", conversion_id="c4").lead_id == three.lead_id

    unmerge(box, two)

    assert done_by(box) == [(two.lead_id, "c1"), (two.lead_id, "c2"), (three.lead_id, "c3"), (two.lead_id, "c4")]
    unmerge(box, one)
    assert done_by(box) == [(one.lead_id, "c1"), (two.lead_id, "c2"), (three.lead_id, "c3"), (one.lead_id, "c4")]


def test_twins_are_suggested_and_never_merged_by_themselves(box: Toolbox) -> None:
    first = capture(box, **{**ANA, "phone": "+44 20 7946 0001"})
    second = capture(box, **{**PRIVATE, "phone": "020 7946 0001"})
    capture(box)

    found = box.read_now(lambda session, now: suggestions(session, limit=9))
    near = box.read_now(lambda session, now: of_lead(session, session.get_one(Lead, second.lead_id)))

    assert [(one.lead, one.other, one.why) for one in found] == [(second.lead_id, first.lead_id, "the same phone number")]
    assert [(one.other, one.why) for one in near] == [(first.lead_id, "the same phone number")]
    assert (of(box, first).merged_into, of(box, second).merged_into) == (None, None)
    merge(box, second, first)
    assert box.read_now(lambda session, now: suggestions(session, limit=9)) == []


async def test_a_wish_not_to_be_contacted_holds_for_both(driver: Driver, box: Toolbox) -> None:
    first, second = capture(box, **ANA), capture(box, **PRIVATE, do_not_contact=True)
    await driver.settle()
    assert newest(box, first).stage == "assigned"

    merge(box, second, first)
    await driver.settle()

    assert (newest(box, first).stage, of(box, first).do_not_contact) == ("suppressed", True)
    assert is_clean(box)


async def test_a_rejection_as_a_duplicate_merges_into_the_lead_that_the_rep_names(driver: Driver, box: Toolbox) -> None:
    first, second = capture(box, **ANA), capture(box, **PRIVATE)
    await driver.settle()

    answer_by_link(box, second, "rejected", reason="duplicate", into=f"lead {first.lead_id}")
    driver.time.at += timedelta(hours=1)
    await driver.settle()

    assert (newest(box, second).stage, of(box, second).merged_into) == ("merged", first.lead_id)
    assert capture(box, **{**PRIVATE, "conversion_id": "c"}).lead_id == first.lead_id
    unmerge(box, second)
    await driver.settle()
    assert newest(box, second).stage == "assigned"
    assert is_clean(box)


@pytest.mark.parametrize(
    ("reason", "suggested"),
    [("duplicate", "Likely twins: lead "), ("customer-or-open-deal", "customer or deal")],
)
async def test_without_a_name_marketing_is_asked_in_time_into_what(driver: Driver, box: Toolbox, reason: str, suggested: str) -> None:
    capture(box, **ANA)
    second = capture(box, **{**PRIVATE, "phone": "+44 20 7946 0001"})
    await driver.settle()

    answer_by_link(box, second, "rejected", reason=reason)
    driver.time.at += timedelta(hours=1)
    await driver.settle()

    wait = wait_of(box, second)
    assert (wait.kind, wait.holder, wait.due_at is not None, newest(box, second).stage) == ("decision", "mina", True, "assigned")
    [asked] = [one for one in kept_by(box, "email").letters if one.message == "decision-asked"]
    assert suggested in asked.text


@pytest.mark.parametrize("named", ["99", "nonsense", "-1", "1.2E+15", "the lead itself"])
async def test_a_lead_that_is_not_there_is_not_taken_as_the_other_one(driver: Driver, box: Toolbox, named: str) -> None:
    taken = capture(box, **ANA)
    await driver.settle()

    with pytest.raises(ChoiceRefused, match="There is no other lead"):
        answer_by_link(box, taken, "rejected", reason="duplicate", into=str(taken.lead_id) if named.startswith("the") else named)
    assert newest(box, taken).stage == "assigned"
