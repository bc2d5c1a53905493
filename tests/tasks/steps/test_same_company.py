"""A colleague of a person whom a rep has goes to the same rep, and the rep is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.words import ChannelName
from storage import turns
from storage.tables import AgreementVersion, Lead
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.asking import offers_of, says
from tests.deal import BY_POINTS, agree_on, staff, tenures
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest
from tests.tasks.steps.test_first_to_claim import first_to_claim

DAY = timedelta(days=1)


def of_acme(box: Toolbox, name: str, **changes: Any) -> Taken:
    """A person of Acme who asks."""
    return capture(box, **{"email": f"{name}@acme.example", "company": "Acme", "first_name": name.title(), "last_name": "X", **changes})


def rep_of(box: Toolbox, taken: Taken) -> str:
    return tenures(box, taken)[-1].rep


async def first_at_acme(driver: Driver, box: Toolbox) -> tuple[Taken, str]:
    """Somebody of Acme whom a rep has, and after whom it is a colleague's turn."""
    first = of_acme(box, "priya")
    await driver.settle()
    return first, rep_of(box, first)


@pytest.mark.parametrize("email", ["omar@acme.example", "omar@mail.acme.example", "info@acme.example", "Omar+x@ACME.example"])
async def test_a_colleague_goes_to_the_same_rep(driver: Driver, box: Toolbox, email: str) -> None:
    first, rep = await first_at_acme(driver, box)

    second = of_acme(box, "omar", email=email, **BY_POINTS)
    await driver.settle()

    assert rep_of(box, second) == rep
    assert tenures(box, second)[0].cause == f"has lead {first.lead_id} of the same company"


@pytest.mark.parametrize("email", ["omar@other.example", "omar@gmail.com", "omar@t-online.de"])
async def test_nobody_else_does(driver: Driver, box: Toolbox, email: str) -> None:
    _, rep = await first_at_acme(driver, box)

    second = of_acme(box, "omar", email=email)
    await driver.settle()

    assert rep_of(box, second) != rep


async def test_two_people_with_free_mail_are_no_colleagues(driver: Driver, box: Toolbox) -> None:
    one, other = of_acme(box, "priya", email="priya@gmail.com"), of_acme(box, "omar", email="omar@gmail.com")
    await driver.settle()

    assert rep_of(box, one) != rep_of(box, other)


async def test_two_colleagues_who_ask_at_the_same_instant_go_to_one_rep(driver: Driver, box: Toolbox) -> None:
    people = [of_acme(box, name) for name in ("priya", "omar", "lena")]

    await driver.settle()

    assert len({rep_of(box, one) for one in people}) == 1


@pytest.mark.parametrize(("later", "same"), [(29, True), (32, False)])
async def test_a_rep_who_had_the_colleague_counts_for_the_agreed_time(
    driver: Driver, box: Toolbox, time: SteppedTime, later: int, same: bool
) -> None:
    first, rep = await first_at_acme(driver, box)
    answer_by_link(box, first, "rejected", reason="not-icp")
    await driver.settle()
    assert newest(box, first).stage == Stage.DISQUALIFIED
    time.at += later * DAY

    second = of_acme(box, "omar")
    await driver.settle()

    assert (tenures(box, second)[0].cause == f"had lead {first.lead_id} of the same company") is same
    assert not same or rep_of(box, second) == rep


async def test_a_rep_who_let_the_colleague_lapse_does_not_get_the_next(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    first, rep = await first_at_acme(driver, box)
    await driver.run(until=time.at + timedelta(minutes=31))
    assert rep_of(box, first) != rep

    second = of_acme(box, "omar")
    await driver.settle()

    assert rep_of(box, second) == rep_of(box, first)


async def test_a_rep_who_is_away_does_not_get_the_colleague(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    _, rep = await first_at_acme(driver, box)
    assert rep == "ana"
    away = "away: [{from: 2027-02-01T00:00:00Z, until: 2027-02-08T00:00:00Z}]"
    staff(box, ('timezone: Europe/London, phone: "+44 20 7946 0101"', f"timezone: Europe/London, {away}"))

    second = of_acme(box, "omar")
    await driver.settle()

    assert rep_of(box, second) != rep


async def test_another_segment_has_its_own_reps(driver: Driver, box: Toolbox) -> None:
    _, rep = await first_at_acme(driver, box)

    second = of_acme(box, "omar", country="US")
    await driver.settle()

    assert rep_of(box, second) in ("dan", "faye")


def signed_long_ago(session: Session, now: Any) -> None:
    """The version in force is of the first generation of defaults."""
    for row in session.exec(select(AgreementVersion)):
        row.generation = 1
        session.add(row)


@pytest.mark.parametrize("signed", ["by-turn", "generation 1"])
async def test_where_it_is_not_agreed_a_colleague_goes_by_turn(driver: Driver, box: Toolbox, signed: str) -> None:
    if signed == "by-turn":
        agree_on(box, lambda tree: tree["routing"].update(same_company={"to": "by-turn"}))
    else:
        box.write_now(signed_long_ago)
    _, rep = await first_at_acme(driver, box)

    second = of_acme(box, "omar")
    await driver.settle()

    assert rep_of(box, second) != rep
    assert "colleague" not in kept_by(box, "email").letters[-1].text


async def test_the_reps_message_names_the_colleague_and_links_the_other_lead(driver: Driver, box: Toolbox) -> None:
    first, rep = await first_at_acme(driver, box)

    of_acme(box, "omar")
    await driver.settle()

    channels: tuple[ChannelName, ...] = ("email", "chat")
    for channel in channels:
        [letter] = [one for one in kept_by(box, channel).letters if one.message == "assigned"][1:]
        assert letter.to.id == rep
        for part in (letter.text, letter.html, letter.chat):
            assert f"A colleague asks too: Priya X of Acme (lead {first.lead_id}). You have that lead." in part
            assert len(set(re.findall(r"http://baton.test/\S+?/[\w.~-]+", part))) == 2


async def test_a_rep_without_the_colleague_reads_who_has_them_and_gets_no_link(driver: Driver, box: Toolbox) -> None:
    first, rep = await first_at_acme(driver, box)

    of_acme(box, "omar", country="US")
    await driver.settle()

    letter = [one for one in kept_by(box, "email").letters if one.message == "assigned"][-1]
    assert letter.to.id in ("dan", "faye")
    assert f"(lead {first.lead_id}). Ana Silva has that lead." in letter.text
    assert "See that lead" not in letter.text
    assert rep == "ana"


async def test_a_colleague_is_a_turn(driver: Driver, box: Toolbox) -> None:
    _, rep = await first_at_acme(driver, box)
    of_acme(box, "omar")
    await driver.settle()

    sheets = box.read_now(lambda session, now: turns.sheets(session, since=now.date(), until=now.date()))

    assert [one.given for one in sheets] == [{rep: 2}]


def companies_of(session: Session, now: Any) -> list[str]:
    return list(session.exec(select(Lead.company_key).order_by(col(Lead.id))))


def test_the_company_follows_the_address(box: Toolbox) -> None:
    taken = of_acme(box, "priya")
    assert box.read_now(companies_of) == ["acme.example"]

    def changes(session: Session, now: Any, email: str) -> None:
        lead = session.get(Lead, taken.lead_id)
        assert lead
        lead.email = email
        session.add(lead)

    for email, expected in (("priya@beta.co.uk", "beta.co.uk"), ("priya@gmail.com", ""), ("", "")):
        box.write_now(lambda session, now, email=email: changes(session, now, email))  # type: ignore[misc]
        assert box.read_now(companies_of) == [expected]


async def test_the_trail_says_why_without_the_company(driver: Driver, box: Toolbox) -> None:
    first, _ = await first_at_acme(driver, box)
    second = of_acme(box, "omar")
    await driver.settle()

    [event] = [one for one in events_of(box, second) if one.kind == "assigned"]
    assert event.data["why"] == f"has lead {first.lead_id} of the same company"
    assert "acme" not in str(event.data).lower()


async def test_where_several_are_asked_the_colleague_goes_to_the_rep_who_accepted(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    first = of_acme(box, "priya")
    await driver.settle()
    says(box, first, "ben", "accepted")
    await driver.settle()

    second = of_acme(box, "omar")
    await driver.settle()

    assert (rep_of(box, second), offers_of(box, second)) == ("ben", [])
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "assigned" and f"lead {second.lead_id}" in one.text]
    [link] = re.findall(r"See that lead: (\S+)", letter.text)
    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, link.rpartition("/")[2]), now=now))
    assert visit.lead.number == first.lead_id


async def test_nobody_has_a_lead_about_which_several_are_asked(driver: Driver, box: Toolbox) -> None:
    agree_on(box, first_to_claim)
    of_acme(box, "priya")
    await driver.settle()

    second = of_acme(box, "omar")
    await driver.settle()

    assert len(offers_of(box, second)) == 3
    assert all("colleague" not in one.text for one in kept_by(box, "email").letters)
