"""Who gave an answer: every place names them and not the rep who had the lead, and the rep is told that somebody else answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from app import terminal
from app.commands import disputes as disputes_command
from app.commands import one_lead
from flows import forms
from storage import devices, disputes, proof, roster
from storage.tables import Answer
from tasks.background.read_crm import read_crm
from tasks.disputes import page as dispute_page
from tasks.disputes import rulings
from tasks.messages import lead_view
from tasks.replies import answering, browsers
from tasks.replies.browsers import Sender
from tasks.replies.link_page import place_of
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, letters, tenures, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, local_crm, token_of

NAMES = {"ana": "Ana Silva", "ben": "Ben Carter", "cleo": "Cleo Martin"}


@pytest.fixture
async def assigned(driver: Driver, box: Toolbox) -> Taken:
    """A lead whose rep owes an answer."""
    taken = capture(box)
    await driver.settle()
    return taken


def rep_of(box: Toolbox, taken: Taken) -> str:
    return tenures(box, taken)[0].rep


async def by_manager(box: Toolbox, taken: Taken, time: SteppedTime) -> None:
    """The rep's manager answers on their own page."""
    token, wait = box.links.for_person("maria", at=time.at).rpartition("/")[2], wait_of(box, taken)
    fields = {"reason": "not-now"}
    box.write_now(
        lambda session, now: answering.answer(session, OpenedLink(box, token, wait.id), answering.SentForm("rejected", fields), now=now)
    )


def in_prefect(name: str) -> Callable[..., Any]:
    """Somebody who types this name answers in Prefect's form."""

    async def answer(box: Toolbox, taken: Taken, time: SteppedTime) -> None:
        typed = NAMES[rep_of(box, taken)] if name == "the rep" else rep_of(box, taken) if name == "the id" else name
        values, wait = {"answer": "rejected", "reason": "not-now", "who_answers": typed}, wait_of(box, taken)
        assert box.write_now(lambda session, now: forms.take(session, wait.id, values, resumed=now, now=now))

    return answer


def in_the_crm(by: str) -> Callable[..., Any]:
    """Somebody gives the lead to another rep in the CRM."""

    async def answer(box: Toolbox, taken: Taken, time: SteppedTime) -> None:
        rep = rep_of(box, taken)
        other = next(one for one in NAMES if one != rep)
        local_crm(box).person_changes(taken.lead_id, by=rep if by == "the rep" else by, at=time.at, values={"owner": other})
        assert await read_crm(box) == 1

    return answer


async def by_link(box: Toolbox, taken: Taken, time: SteppedTime) -> None:
    answer_by_link(box, taken, "rejected", reason="not-now")


#: Who answers, and what the rep is told; nothing where it is the rep's own answer, or may be.
ANSWERED = {
    "manager": (by_manager, "Maria Keller answered for you: rejected."),
    "typed": (in_prefect("Marcus Webb"), "Marcus Webb (the name as it was typed in Prefect) answered for you: rejected."),
    "crm": (in_the_crm("maria"), "Maria Keller answered for you: handed it to a colleague."),
    "link": (by_link, ""),
    "own name": (in_prefect("the rep"), ""),
    "own id": (in_prefect("the id"), ""),
    "own crm": (in_the_crm("the rep"), ""),
    "crm user": (in_the_crm("crm-user-17"), ""),
}


@pytest.mark.parametrize("who", ANSWERED)
async def test_a_rep_for_whom_somebody_else_answered_is_told_once(
    driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken, who: str
) -> None:
    answer, told = ANSWERED[who]
    rep = rep_of(box, assigned)

    await answer(box, assigned, time)
    await driver.settle()

    said = [one.text for one in kept_by(box, "email").letters if one.message == "told" and one.to.id == rep]
    assert len(said) == bool(told)
    assert told in " ".join(" ".join(said).split())


async def test_it_is_said_only_when_the_answer_can_no_longer_be_taken_back(
    driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken
) -> None:
    box.settings.undo_minutes = 5
    await by_manager(box, assigned, time)
    await driver.settle()
    assert letters(box, "told") == []

    await driver.run(until=time.at + timedelta(minutes=6))

    assert letters(box, "told") == [rep_of(box, assigned)]


async def test_an_answer_that_was_taken_back_is_told_to_nobody(driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken) -> None:
    box.settings.undo_minutes = 5
    await by_manager(box, assigned, time)
    token, wait = box.links.for_person("maria", at=time.at).rpartition("/")[2], wait_of(box, assigned)
    number = box.read_now(lambda session, now: session.exec(select(Answer.id)).one())
    undone = box.write_now(lambda session, now: answering.undo(session, OpenedLink(box, token, wait.id), number, now=now, device=""))
    assert undone.taken_back

    await driver.run(until=time.at + timedelta(minutes=6))

    assert letters(box, "told") == []


async def test_where_leads_do_not_interrupt_it_stands_in_the_morning_message(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    await by_manager(box, taken, time)
    await driver.settle()
    assert letters(box, "told") == []

    await driver.run(until=time.at + timedelta(days=1, hours=1))

    rep = rep_of(box, taken)
    [morning] = [one for one in kept_by(box, "email").letters if one.message == "digest" and one.to.id == rep]
    assert "Maria Keller answered for you: rejected." in " ".join(morning.text.split())


async def test_an_attempt_that_the_manager_noted_is_told_as_well(driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken) -> None:
    answer_by_link(box, assigned, "accepted")
    await driver.settle()
    answer_by_link(box, assigned, "attempted", channel="phone")
    await driver.settle()
    token, wait = box.links.for_person("maria", at=time.at).rpartition("/")[2], wait_of(box, assigned)
    assert wait.kind == "outcome"

    for _ in range(2):
        box.write_now(
            lambda session, now: answering.answer(
                session, OpenedLink(box, token, wait.id), answering.SentForm("connected", {}, key="once"), now=now
            )
        )
    await driver.settle()

    assert letters(box, "told") == [rep_of(box, assigned)]


@pytest.fixture
async def rejected_by_marcus(driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken) -> Taken:
    """A lead that somebody else than its rep has given back; marketing disputes it."""
    await in_prefect("Marcus Webb")(box, assigned, time)
    await driver.settle()
    number = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.kind == "rejected")).one())
    box.write_now(lambda session, now: rulings.raise_dispute(session, number, "mina", "They asked for a demo.", now=now))
    await driver.settle()
    return assigned


def printed(box: Toolbox, show: Callable[[Session, datetime], None]) -> str:
    with terminal.console.capture() as shown:
        box.read_now(show)
    return " ".join(shown.get().split())


def dispute_list(box: Toolbox, taken: Taken) -> str:
    [(_, answered_by, _, _)] = box.read_now(lambda session, now: disputes_command._newest(session, 10))
    return answered_by


def open_list(box: Toolbox, taken: Taken) -> str:
    found = box.read_now(lambda session, now: dispute_page.listed(session, roster.current(session), now=now))
    return f"{found[0].by}, for {found[0].rep}"


def report(box: Toolbox, taken: Taken) -> str:
    return " ".join(one.name for one in box.read_now(lambda session, now: disputes.report(session)).by_rep)


def lead_show(box: Toolbox, taken: Taken) -> str:
    return printed(box, lambda session, now: one_lead.print_lead(session, taken.lead_id, now=now))


def who_had_it(box: Toolbox, taken: Taken) -> str:
    return lead_show(box, taken).partition("Who had it")[2].partition("Where the time went")[0]


def timeline(box: Toolbox, taken: Taken) -> str:
    def lines(session: Session, now: datetime) -> list[str]:
        return [text for _, text in lead_view.timeline(session, taken.lead_id, people=roster.current(session))]

    return "; ".join(box.read_now(lines))


def disputed(box: Toolbox, taken: Taken) -> str:
    return next(line for line in timeline(box, taken).split("; ") if "disputes" in line)


def mail(message: str) -> Callable[..., str]:
    def read(box: Toolbox, taken: Taken) -> str:
        return " ".join(next(one for one in kept_by(box, "email").letters if one.message == message).text.split())

    return read


def trail_actor(box: Toolbox, taken: Taken) -> str:
    return next(one.actor for one in events_of(box, taken) if one.kind == "answered-rejected")


#: Every place that names a person for an answer, and what it says.
PLACES = {
    "dispute list": (dispute_list, "Marcus Webb"),
    "list of what may be disputed": (open_list, "Marcus Webb, for"),
    "report of disputes": (report, "Marcus Webb"),
    "leads show": (lead_show, "Marcus Webb rejected: not-now"),
    "tenures of leads show": (who_had_it, "answered by Marcus Webb: rejected"),
    "timeline": (timeline, "Marcus Webb rejected: not-now"),
    "dispute in the timeline": (disputed, "Mina Okoro disputes the answer of Marcus Webb"),
    "mail to marketing": (mail("feedback"), "Marcus Webb rejected"),
    "mail to the manager": (mail("dispute-raised"), "Mina Okoro disputes that Marcus Webb gave this lead back."),
    "trail": (trail_actor, "Marcus Webb"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_each_place_names_who_gave_the_answer(box: Toolbox, rejected_by_marcus: Taken, place: str) -> None:
    look, expected = PLACES[place]

    shown = look(box, rejected_by_marcus)

    assert expected in shown
    if place not in ("leads show", "list of what may be disputed", "tenures of leads show", "timeline"):
        assert NAMES[rep_of(box, rejected_by_marcus)] not in shown.replace(f"Hello {NAMES[rep_of(box, rejected_by_marcus)]}", "")


async def test_whoever_gets_a_lead_reads_who_handed_it_on(driver: Driver, box: Toolbox, time: SteppedTime, assigned: Taken) -> None:
    await in_the_crm("maria")(box, assigned, time)
    await driver.settle()

    letter = [one for one in kept_by(box, "email").letters if one.message == "assigned"][-1]

    assert "Handed on by Maria Keller." in letter.text


def seen(box: Toolbox, taken: Taken) -> bool:
    return box.read_now(lambda session, now: proof.was_seen(session, tenures(box, taken)[0].id))


@pytest.mark.parametrize("who", ANSWERED)
async def test_only_an_answer_of_the_rep_says_that_the_rep_has_seen_it(box: Toolbox, time: SteppedTime, assigned: Taken, who: str) -> None:
    answer, told = ANSWERED[who]

    await answer(box, assigned, time)

    assert seen(box, assigned) is (not told and who != "crm user")


@pytest.mark.parametrize(
    ("of", "is_seen"), [("maria", False), ("ben of the same team", False), ("nobody", True), ("the rep", True), ("both", True)]
)
async def test_a_look_from_a_browser_of_somebody_else_is_not_the_reps(box: Toolbox, assigned: Taken, of: str, is_seen: bool) -> None:
    rep, sender = rep_of(box, assigned), Sender("a" * 64, method="GET")
    colleague = next(one for one in NAMES if one != rep)
    whose = {"maria": ["maria"], "ben of the same team": [colleague], "nobody": [], "the rep": [rep], "both": ["maria", rep]}[of]
    token = token_of(box, assigned)

    def look(session: Session, now: datetime) -> None:
        for person in whose:
            devices.remember(session, sender.device, person, level=devices.KNOWN, now=now)
        browsers.note_page_request(session, place_of(session, OpenedLink(box, token), now=now), sender, "looked", now=now)

    box.write_now(look)

    assert seen(box, assigned) is is_seen
