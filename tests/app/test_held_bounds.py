"""How many answers are held at most: 10 from one browser, 100 of one link. Whoever has the number goes on all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from storage import waits
from storage.page_requests import KEPT
from storage.tables import Answer, Device, PageView, PersonalText, Wait
from storage.waits import HELD_OF_BROWSER, HELD_OF_LINK
from tests.app.stage import Stage, answer_form, number_of, press, send, stage, words_of


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def another(browser: httpx.Client, link: str, number: int, **more: str) -> httpx.Response:
    """A further answer from this browser, which is another one than all before it."""
    action, hidden = answer_form(browser.get(f"{link}?anew=1"))
    return browser.post(action, data={**hidden, "choice": "rejected", "reason": "other", "text": f"Reason {number}.", **more})


def flood(company: Stage, link_of: str = "ana") -> None:
    """As many held answers as a link may have, each from a browser of its own."""

    def work(session: Session, handoff: object, now: datetime) -> None:
        wait = waits.open_of(session, company.handoff_id, lock=True)
        assert wait is not None
        for number in range(HELD_OF_LINK):
            held = waits.hold(
                session, wait, waits.NewAnswer("accepted", by="ana", device=f"robot {number}", via="link"), link_of=link_of, now=now
            )
            assert held is not None

    company.do(work)


def states(company: Stage) -> list[str]:
    return [row.state for row in company.rows(Answer)]


def test_of_one_browser_ten_answers_are_held_and_no_more(company: Stage) -> None:
    browser = company.browser()
    for number in range(HELD_OF_BROWSER):
        assert another(browser, company.link, number).status_code == 200
    texts = len(company.rows(PersonalText))

    page = another(browser, company.link, 99)

    assert page.status_code == 422
    assert "Your answer was not kept, because too many answers already wait for their code here." in words_of(page)
    assert states(company) == ["held"] * HELD_OF_BROWSER
    assert len(company.rows(PersonalText)) == texts


def test_the_same_answer_again_is_still_the_one_that_is_held(company: Stage) -> None:
    browser = company.browser()
    for number in range(HELD_OF_BROWSER):
        another(browser, company.link, number)

    assert another(browser, company.link, 3).url.params["held"] == "4"


def test_with_the_number_it_counts_at_once_and_what_was_typed_is_kept_until_then(company: Stage) -> None:
    browser = company.browser()
    for number in range(HELD_OF_BROWSER):
        another(browser, company.link, number)
    page = another(browser, company.link, 99)
    assert "Reason 99." in page.text
    action, hidden = answer_form(page)
    typed = {**hidden, "choice": "rejected", "reason": "other", "text": "Reason 99."}

    wrong = browser.post(action, data={**typed, "number": f"{(int(number_of(company.link)) + 1) % 10_000:04}"})
    assert "That is not the code from the message" in wrong.text
    assert "counted" not in states(company)

    right = browser.post(action, data={**typed, "number": number_of(company.link)})
    assert "Thank you" in right.text
    assert states(company) == ["held"] * HELD_OF_BROWSER + ["counted"]
    assert [device.level for device in company.rows(Device)] == ["known"]


def test_of_one_link_a_hundred_are_held_and_whoever_has_the_number_goes_on(company: Stage) -> None:
    flood(company)
    stranger = company.browser()

    page = press(stranger, company.link, choice="accepted")
    assert (page.status_code, len(states(company))) == (422, HELD_OF_LINK)

    action, hidden = answer_form(page)
    assert "Thank you" in stranger.post(action, data={**hidden, "choice": "accepted", "number": number_of(company.link)}).text
    assert states(company)[HELD_OF_LINK:] == ["counted"]


def test_a_browser_that_is_known_is_not_asked(company: Stage) -> None:
    known = company.know(company.browser())
    flood(company)
    action, hidden = answer_form(known.get(company.link))
    company.later(seconds=3)

    assert "Thank you" in known.post(action, data={**hidden, "choice": "accepted"}).text


def test_another_person_s_link_has_room_of_its_own(company: Stage) -> None:
    flood(company, link_of="maria")

    assert "Type the code" in press(company.browser(), company.link, choice="accepted").text


def test_what_was_held_for_what_is_closed_does_not_count_for_the_browser(company: Stage) -> None:
    browser = company.browser()
    for number in range(HELD_OF_BROWSER):
        another(browser, company.link, number)
    company.open("acceptance", holder="ana")

    assert another(browser, company.link, 99).status_code == 200


@pytest.mark.long
def test_a_robot_that_looks_all_day_fills_no_table(company: Stage) -> None:
    robot = company.browser()
    for _ in range(KEPT * 2):
        robot.get(company.link)
    for number in range(HELD_OF_BROWSER * 2):
        another(robot, company.link, number)

    assert len(company.rows(PageView)) <= KEPT
    assert len(company.rows(Answer)) == HELD_OF_BROWSER
    assert len(company.rows(Wait)) == 1


def test_people_answer_as_before(company: Stage) -> None:
    assert "Thank you" in send(company.browser(), company.link, choice="accepted").text
