"""A rep answers in Chromium: on a phone, by keyboard alone, in two tabs, late, and after somebody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from agreements.words import WaitKind
from storage.tables import Device
from tests.app.stage import Stage, path_of
from tests.app.test_digest_page import one_more
from tests.app.test_own_pages import mailed_code
from tests.app.test_pages_scanned import DOORS
from tests.browser.conftest import press, shown

pytestmark = pytest.mark.long


def number_of(company: Stage, link: str = "") -> str:
    """The number that stands in the message beside the link."""
    return company.box.links.number((link or company.link).rpartition("/")[2])


def go(page: Page, company: Stage, link: str = "") -> None:
    page.goto(company.url + (link or company.link))


def confirm(page: Page, company: Stage, link: str = "") -> None:
    page.get_by_label("Code from the message").fill(number_of(company, link))
    press(page.get_by_role("button", name="Confirm"))


def accept(page: Page, company: Stage) -> None:
    go(page, company)
    page.get_by_label("Accept: I take this lead").check()
    press(page.get_by_role("button", name="Send the answer"))
    confirm(page, company)


def test_a_rep_accepts_on_a_phone(company: Stage, page: Page) -> None:
    go(page, company)
    expect(page.get_by_role("heading", name="Harbour & Sons")).to_be_visible()
    shown(page, "answer-open")

    page.get_by_label("Accept: I take this lead").check()
    press(page.get_by_role("button", name="Send the answer"))
    expect(page.get_by_role("heading", name="One step left")).to_be_visible()
    shown(page, "answer-number")
    assert company.answers() == [("accepted", "ana", "held")]

    confirm(page, company)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    shown(page, "answer-accepted")
    assert company.answers() == [("accepted", "ana", "counted")]


def test_a_rep_rejects_with_a_reason_and_takes_it_back(company: Stage, page: Page) -> None:
    go(page, company)
    page.get_by_label("Reject, with a reason").check()
    page.get_by_label("Reason", exact=True).select_option("not-now")
    page.get_by_label("Contact them again on").fill("2027-03-01")
    page.get_by_label("Anything to add").fill("Budget in spring.")
    shown(page, "answer-reject")
    press(page.get_by_role("button", name="Send the answer"))
    confirm(page, company)
    expect(page.get_by_text("Interested, but not now").first).to_be_visible()
    assert company.answers() == [("rejected", "ana", "counted")]

    press(page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("heading", name="Taken back")).to_be_visible()
    shown(page)
    assert company.answers() == [("rejected", "ana", "undone")]


def test_a_reason_that_is_missing_is_asked_for_and_nothing_that_was_typed_is_lost(company: Stage, page: Page) -> None:
    go(page, company)
    page.get_by_label("Reject, with a reason").check()
    page.get_by_label("Anything to add").fill("They went silent.")
    press(page.get_by_role("button", name="Send the answer"))

    expect(page.get_by_role("alert")).to_contain_text("Please choose one of the agreed reasons.")
    expect(page.get_by_label("Anything to add")).to_have_value("They went silent.")
    expect(page.get_by_label("Reject, with a reason")).to_be_checked()
    shown(page, "answer-missing")
    assert company.answers() == []


def test_nothing_is_chosen_beforehand_and_an_empty_form_is_not_sent(company: Stage, page: Page) -> None:
    go(page, company)
    assert page.locator("input[type=radio]:checked").count() == 0
    page.get_by_role("button", name="Send the answer").click()

    assert page.evaluate("document.querySelector('#answer').checkValidity()") is False
    assert company.answers() == []


def test_a_second_visit_says_what_was_answered(company: Stage, page: Page) -> None:
    accept(page, company)
    company.later(hours=1)
    company.open("first_attempt", holder="ana", events=("accepted",))

    go(page, company)

    expect(page.get_by_text("You accepted").or_(page.get_by_text("Ana Silva accepted")).first).to_be_visible()
    expect(page.get_by_role("group", name="Have you tried to reach them?")).to_be_visible()
    shown(page, "answer-second-visit")


def test_the_page_says_whose_the_time_was(company: Stage, page: Page) -> None:
    company.later(hours=2)
    company.open("decision", holder="maria", about="acceptance", events=("decision-asked",))
    company.later(hours=30)
    company.open("first_attempt", holder="ana", events=("given-back",))

    go(page, company)

    rows = page.get_by_role("table", name="Where the time went").get_by_role("row")
    expect(rows).to_have_text(["Whose time Time Share", "Rep 2 h 6 %", "Manager 14 h 44 %", "Closed hours 16 h 50 %"], use_inner_text=True)
    bar = [one.bounding_box() for one in page.locator("svg.shares rect").all()]
    assert len([one for one in bar if one and one["width"] > 10 and one["height"] > 10]) == 3
    shown(page, "time")


def test_after_the_agreed_time_the_page_says_so(company: Stage, page: Page) -> None:
    company.later(hours=5)
    company.answer("deadline", by="clock", via="clock")

    go(page, company)

    expect(page.get_by_text("The agreed time has passed")).to_be_visible()
    assert page.get_by_role("button", name="Send the answer").count() == 0
    shown(page, "answer-too-late")


def test_a_lead_that_went_to_a_colleague_shows_no_person_and_no_form(company: Stage, page: Page) -> None:
    company.give_to("ben", because="not answered in time")

    go(page, company)

    expect(page.get_by_text("no longer yours")).to_be_visible()
    assert page.locator("form").count() == 0
    assert "O'Hara" not in page.content()
    shown(page, "answer-reassigned")


def test_all_of_it_can_be_done_by_keyboard(company: Stage, page: Page) -> None:
    go(page, company)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "choice":
            break
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "submit":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_selector("#number_form")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "number":
            break
    page.keyboard.type(number_of(company))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert company.answers() == [("accepted", "ana", "counted")]


def test_in_two_tabs_the_first_answer_counts_and_the_second_is_told(company: Stage, page: Page) -> None:
    other = page.context.new_page()
    go(page, company)
    go(other, company)
    page.get_by_label("Accept: I take this lead").check()
    press(page.get_by_role("button", name="Send the answer"))
    confirm(page, company)
    company.later(minutes=1)

    other.get_by_label("Reject, with a reason").check()
    other.get_by_label("Reason", exact=True).select_option("not-now")
    press(other.get_by_role("button", name="Send the answer"))

    expect(other.get_by_role("heading", name="This was already answered")).to_be_visible()
    shown(other, "answer-second-tab")
    assert [one for one in company.answers() if one[2] == "counted"] == [("accepted", "ana", "counted")]


def test_a_browser_that_is_known_is_not_asked_again(company: Stage, page: Page) -> None:
    accept(page, company)
    company.later(hours=1)
    company.open("first_attempt", holder="ana", events=("accepted",))
    go(page, company)
    company.later(seconds=10)

    page.get_by_label("I tried to reach them").check()
    press(page.get_by_role("button", name="Send the answer"))

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert company.answers()[-1] == ("attempted", "ana", "counted")


def test_in_an_enrolled_browser_one_press_answers_and_the_own_list_is_shown(company: Stage, page: Page) -> None:
    go(page, company)
    page.get_by_label("Accept: I take this lead").check()
    press(page.get_by_role("button", name="Send the answer"))
    confirm(page, company)
    company.later(hours=1)
    company.open("first_attempt", holder="ana", events=("accepted",))
    go(page, company)
    press(page.get_by_role("button", name="Remember this browser as mine"))
    expect(page.get_by_role("heading", name="Type the code from the e-mail")).to_be_visible()
    shown(page, "enrol-code")
    page.get_by_label("Code", exact=True).fill(mailed_code(company))
    press(page.get_by_role("button", name="Remember this browser as mine"))

    expect(page.get_by_role("heading", name="Ana Silva: 1 open")).to_be_visible()
    shown(page, "own-list")
    press(page.get_by_role("link", name="Harbour & Sons, lead 1"))
    shown(page, "one-press")
    press(page.get_by_role("button", name="I tried to reach them").first)

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert company.answers()[-1] == ("attempted", "ana", "counted")
    assert [device.level for device in company.rows(Device)] == ["enrolled"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_manager_decides_on_a_wide_screen(company: Stage, new_page: Callable[..., Page], scheme: str) -> None:
    page = new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
    wait = company.open("decision", holder="maria", about="first_attempt", mine=False, events=("accepted",))
    link = company.duty_link(wait, "maria")
    go(page, company, link)
    shown(page, f"decision-{scheme}")
    page.get_by_label("nurture", exact=False).first.check()
    press(page.get_by_role("button", name="Send the answer"))
    confirm(page, company, link)

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert company.answers() == [("decided", "maria", "counted")]


def test_pages_that_answer_nothing_are_readable_too(company: Stage, page: Page) -> None:
    for path in ("/", "/me", "/l/not-from-here", "/nowhere"):
        go(page, company, path)
        shown(page)


def test_a_whole_morning_is_answered_on_a_phone(company: Stage, page: Page) -> None:
    more: tuple[tuple[int, WaitKind], ...] = ((2, "first_attempt"), (3, "outcome"))
    for number, kind in more:
        company.box.write_now(partial(one_more, number=number, kind=kind))
    link = path_of(company.box.links.for_digest("ana", "2026-12-01", at=company.time.at))
    go(page, company, link)
    assert page.locator("input[type=radio]:checked").count() == 0
    first, second, third = (page.get_by_role("group", name=name) for name in ("Harbour & Sons", "Harbour 2", "Harbour 3"))
    first.get_by_label("Accept: I take this lead").check()
    second.get_by_label("I tried to reach them").check()
    second.get_by_label("How you tried to reach them").select_option("phone")
    third.get_by_label("Return it, with a reason").check()
    third.get_by_label("Reason", exact=True).select_option("not-now")
    third.get_by_label("Anything to add").fill("In spring.")
    shown(page, "digest")
    page.get_by_label("Code from the message").fill("12")
    press(page.get_by_role("button", name="Save all answers"))

    expect(page.get_by_role("alert")).to_contain_text("That is not the code from the message.")
    expect(third.get_by_label("Anything to add")).to_have_value("In spring.")
    expect(first.get_by_label("Accept: I take this lead")).to_be_checked()
    assert company.answers() == []
    shown(page, "digest-number")
    page.get_by_label("Code from the message").fill(number_of(company, link))
    press(page.get_by_role("button", name="Save all answers"))

    expect(page.get_by_role("status")).to_contain_text("Saved: 3 answers.")
    assert sorted(kind for kind, _, _ in company.answers()) == ["accepted", "attempted", "returned"]
    shown(page, "digest-saved")
    press(page.get_by_role("link", name="Take it back").first)
    press(page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("heading", name="Taken back")).to_be_visible()


def test_a_manager_decides_on_a_dispute_on_a_phone(company: Stage, page: Page) -> None:
    door = DOORS["deciding a dispute"](company)
    go(page, company, door.link)
    shown(page, "dispute")
    page.get_by_label("Overturn it: the rejection was wrong").check()
    page.get_by_label("Anything to add").fill("They have a budget.")
    page.get_by_label("Code from the message").fill(number_of(company, door.link))
    press(page.get_by_role("button", name="Send the decision"))

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_text("The lead is assigned again right away.")).to_be_visible()
    shown(page, "dispute-decided")
    assert door.counted()


def test_marketing_disputes_a_rejection_on_a_phone(company: Stage, page: Page) -> None:
    door = DOORS["raising a dispute"](company)
    go(page, company, door.link)
    page.get_by_label("Why the rejection is wrong").fill("They asked for a demo.")
    page.get_by_label("Code from the message").fill(number_of(company, door.link))
    shown(page, "dispute-raise")
    press(page.get_by_role("button", name="Dispute it"))

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert door.counted()
    press(page.get_by_role("link", name="What sales gave back in the last week"))
    shown(page, "dispute-list")


def test_a_manager_finds_all_that_waits_and_answers_from_there(company: Stage, page: Page) -> None:
    company.box.write_now(lambda session, now: one_more(session, now, 2, "outcome", rep="ben"))
    company.open("decision", holder="maria", about="acceptance")
    own = path_of(company.box.links.for_person("maria", at=company.time.at))
    go(page, company, own)
    expect(page.get_by_role("heading", name="Everything open in your teams")).to_be_visible()
    shown(page, "manager-page")
    press(page.get_by_role("link", name="Harbour & Sons, lead 1"))
    shown(page)
    page.get_by_label("Back to marketing, into nurture").check()
    press(page.get_by_role("button", name="Send the answer"))
    shown(page, "manager-number")
    page.get_by_label("Code from the message").fill(number_of(company, own))
    press(page.get_by_role("button", name="Confirm"))

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert company.answers() == [("decided", "maria", "counted")]
