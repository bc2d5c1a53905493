"""What a reason says beside where it leads: to whom the lead may come back, what must come first, what is asked as well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from flows import forms
from storage import roster
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, answer_by_duty, does, staff, tenures, touches_of, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, newest, token_of

DAY = timedelta(days=1)


def reason(code: str, **more: Any) -> Callable[[dict[str, Any]], object]:
    """The example with this reason changed."""

    def change(tree: dict[str, Any]) -> None:
        [found] = [one for one in tree["reasons"] if one["code"] == code]
        found.update(more)

    return change


def touches(at_least: int, channels: int = 1) -> Callable[[dict[str, Any]], object]:
    """The example under which a lead is returned as unreachable only after so many attempts."""

    def change(tree: dict[str, Any]) -> None:
        reason("no-response", needs="touches")(tree)
        tree["clocks"]["outcome"]["touches"] = {"at_least": at_least, "channels": channels}

    return change


async def given_back(driver: Driver, box: Toolbox, code: str, **more: str) -> Taken:
    """A lead that ana rejected for this reason, and that asks again a day later."""
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason=code, **more)
    await driver.settle()
    driver.time.at += DAY
    return taken


async def comes_back(driver: Driver, box: Toolbox, taken: Taken) -> str:
    """Who gets the lead when it asks again."""
    does(box, taken, "quote_requested", conversion_id=f"again-{driver.time.at}")
    await driver.settle()
    return newest(box, taken).rep


async def test_a_lead_comes_back_to_the_same_rep_out_of_turn(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("not-now", back_to="same-rep"))
    taken = await given_back(driver, box, "not-now")

    assert await comes_back(driver, box, taken) == "ana"
    assert tenures(box, taken)[0].cause == "asked for"


async def test_a_rep_who_is_away_does_not_hold_up_the_lead_that_is_meant_for_them(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("not-now", back_to="same-rep"))
    taken = await given_back(driver, box, "not-now")
    was = "ana@northgate.example, team: emea,"
    staff(box, (was, f"{was} away: [{{from: 2027-02-02T00:00:00Z, until: 2027-02-04T00:00:00Z}}],"))

    assert await comes_back(driver, box, taken) == "ben"


@pytest.mark.parametrize("rounds", [1, 2])
async def test_a_lead_never_comes_back_to_who_said_it_needs_somebody_else(driver: Driver, box: Toolbox, rounds: int) -> None:
    agree_on(box, reason("no-authority", back_to="other-rep"))
    taken = await given_back(driver, box, "no-authority")

    had = ["ana"]
    for _ in range(rounds):
        had.append(await comes_back(driver, box, taken))
        answer_by_link(box, taken, "rejected", reason="no-authority")
        await driver.settle()
        driver.time.at += DAY

    assert len(set(had)) == len(had)
    assert set(had) <= {"ana", "ben", "cleo"}


async def test_where_nobody_says_so_it_is_anyones_turn(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("no-budget", back_to="anyone"))
    capture(box)
    taken = await given_back(driver, box, "no-budget")

    assert await comes_back(driver, box, taken) == "cleo", "ana and ben have each had a turn, which nobody got wrong"


async def test_a_note_that_is_mended_goes_to_somebody_else_where_that_was_agreed(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("bad-data", back_to="other-rep"))
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="bad-data")
    await driver.settle()

    answer_by_duty(box, taken, "completed", campaign="autumn")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben"]


@pytest.mark.parametrize(
    ("agreed", "tried", "lacking"),
    [
        ((3, 1), [], "2 more attempts"),
        ((3, 1), ["phone"], "1 more attempt"),
        ((2, 2), ["phone"], "1 more channel"),
        ((3, 2), [""], "1 more attempt and 1 more channel"),
    ],
)
async def test_a_lead_is_not_returned_as_unreachable_before_the_agreed_attempts(
    driver: Driver, box: Toolbox, agreed: tuple[int, int], tried: list[str], lacking: str
) -> None:
    """The first attempt was by phone."""
    agree_on(box, touches(*agreed))
    taken = await until_working_by_phone(driver, box)
    for channel in tried:
        driver.time.at += timedelta(hours=1)
        answer_by_link(box, taken, "attempted", channel=channel)

    with pytest.raises(ChoiceRefused, match=f"Lacking: {lacking}."):
        answer_by_link(box, taken, "returned", reason="no-response")

    assert wait_of(box, taken).answer_id is None
    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))
    assert {one.code: one.lacks for one in visit.reasons if one.lacks} == {"no-response": lacking}


async def until_working_by_phone(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    answer_by_link(box, taken, "attempted", channel="phone")
    await driver.settle()
    return taken


@pytest.mark.parametrize(("agreed", "tried"), [((3, 1), ["", ""]), ((2, 2), ["email"]), ((3, 2), ["phone", "social"])])
async def test_after_the_agreed_attempts_it_may_be_returned(
    driver: Driver, box: Toolbox, agreed: tuple[int, int], tried: list[str]
) -> None:
    agree_on(box, touches(*agreed))
    taken = await until_working_by_phone(driver, box)
    for channel in tried:
        driver.time.at += timedelta(hours=1)
        answer_by_link(box, taken, "attempted", channel=channel)

    assert answer_by_link(box, taken, "returned", reason="no-response").won
    await driver.settle()
    assert newest(box, taken).stage == "nurturing"


async def test_nobody_can_say_so_before_they_have_accepted(driver: Driver, box: Toolbox) -> None:
    agree_on(box, touches(2))
    taken = capture(box)
    await driver.settle()

    with pytest.raises(ChoiceRefused, match="needs 2 attempts to reach them first. Lacking: 2 more attempts"):
        answer_by_link(box, taken, "rejected", reason="no-response")


async def test_prefects_form_is_refused_the_same(driver: Driver, box: Toolbox) -> None:
    agree_on(box, touches(3))
    taken = await until_working(driver, box)
    wait = wait_of(box, taken)

    values = {"answer": "returned", "reason": "no-response", "who_answers": "Ana"}
    assert not box.write_now(lambda session, now: forms.take(session, wait.id, values, resumed=now, now=now))

    assert "Lacking: 2 more attempts" in wait_of(box, taken).remark


async def test_other_reasons_need_no_attempts(driver: Driver, box: Toolbox) -> None:
    agree_on(box, touches(9))
    taken = await until_working(driver, box)

    assert answer_by_link(box, taken, "returned", reason="not-now").won


async def test_by_what_they_were_tried_is_kept_and_shown(driver: Driver, box: Toolbox) -> None:
    taken = await until_working_by_phone(driver, box)

    [touched] = [event for event in events_of(box, taken) if event.kind == "touched"]
    assert (touched.data["touch"], touched.data["channel"]) == ("attempted", "phone")
    assert touches_of(box, taken) == ["attempted"]


async def test_a_way_that_is_none_is_refused(driver: Driver, box: Toolbox) -> None:
    taken = await until_working(driver, box)

    with pytest.raises(ChoiceRefused, match="how you tried to reach them: phone, email"):
        answer_by_link(box, taken, "attempted", channel="pigeon")


async def test_the_day_on_which_a_contract_ends_is_the_day_it_is_looked_at_again(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("uses-competitor", ask="renewal_date"))
    taken = await given_back(driver, box, "uses-competitor", renewal_date="2027-09-30")

    assert wait_of(box, taken).due_at == datetime.fromisoformat("2027-09-30T09:00:00+01:00")
    [line] = [event for event in events_of(box, taken) if event.kind == "answered-rejected"]
    assert line.data["renewal_date"] == "2027-09-30"


async def test_who_does_not_know_when_a_contract_ends_gives_the_agreed_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, reason("uses-competitor", ask="renewal_date"))
    start = time.at
    taken = await given_back(driver, box, "uses-competitor")

    assert wait_of(box, taken).due_at == start + 270 * DAY


async def test_a_reason_that_does_not_ask_for_it_takes_no_notice_of_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = await given_back(driver, box, "uses-competitor", renewal_date="2027-09-30")

    assert wait_of(box, taken).due_at == start + 270 * DAY


async def test_a_day_that_is_none_is_asked_for_again(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("uses-competitor", ask="renewal_date"))
    taken = capture(box)
    await driver.settle()

    with pytest.raises(ChoiceRefused, match="2027-01-31"):
        answer_by_link(box, taken, "rejected", reason="uses-competitor", renewal_date="next year")


async def test_a_colleague_is_asked_for_where_the_reason_says_so(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("wrong-rep", ask="colleague"))
    taken = capture(box)
    await driver.settle()
    with pytest.raises(ChoiceRefused, match="which colleague"):
        answer_by_link(box, taken, "rejected", reason="wrong-rep")

    answer_by_link(box, taken, "rejected", reason="wrong-rep", colleague="cleo")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "cleo"]


async def test_what_follows_is_recorded_against_whom_it_counts_as_before(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("not-now", back_to="same-rep", counts_against="routing"))
    taken = await given_back(driver, box, "not-now")

    [line] = [event for event in events_of(box, taken) if event.kind == "rejected"]
    assert line.data["counts_against"] == "routing"
    assert box.read_now(lambda session, now: roster.current(session).name_of("ana")) == "Ana Silva"


ASKS = {"ask": ["channel", "all"]}


@pytest.mark.parametrize("ask", ["channel", "all", ["channel", "all"]], ids=str)
async def test_what_somebody_refuses_is_asked_for_where_the_reason_says_so(driver: Driver, box: Toolbox, ask: Any) -> None:
    agree_on(box, reason("do-not-contact", ask=ask))
    taken = capture(box)
    await driver.settle()
    seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))

    assert [code for code, _ in seen.refusals] == ["all", "phone", "email"]
    for refused in ("", "pigeon"):
        with pytest.raises(ChoiceRefused, match=r"what they refuse \(all, phone, email\)"):
            answer_by_link(box, taken, "rejected", reason="do-not-contact", refused=refused)


@pytest.mark.parametrize(
    ("refused", "stage", "track"),
    [("all", "suppressed", ""), ("phone", "nurturing", "do-not-contact"), ("email", "nurturing", "do-not-contact")],
)
async def test_only_who_refuses_everything_is_suppressed(driver: Driver, box: Toolbox, refused: str, stage: str, track: str) -> None:
    agree_on(box, reason("do-not-contact", **ASKS))
    taken = await given_back(driver, box, "do-not-contact", refused=refused)

    assert (newest(box, taken).stage, newest(box, taken).track) == (stage, track)
    [line] = [event for event in events_of(box, taken) if event.kind == "answered-rejected"]
    assert line.data["refused"] == refused


async def test_a_reason_that_does_not_ask_suppresses_and_asks_nothing(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))

    answer_by_link(box, taken, "rejected", reason="do-not-contact", refused="phone")
    await driver.settle()

    assert seen.refusals == ()
    assert newest(box, taken).stage == "suppressed"
