"""Mail scanners with a real browser: they run scripts, follow everything, press every button, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from storage.tables import Answer, Device, Sight
from tests.app.stage import Stage, press_with_number
from tests.app.test_pages_scanned import DOORS
from tests.app.test_scanners import AGENTS
from tests.browser.test_answering import accept

pytestmark = pytest.mark.long

#: Each presses in its own way whatever the page offers, by script.
PRESSES = {
    "the first form is submitted by script": "document.forms[0] && document.forms[0].submit()",
    "the first form is submitted as if its button was pressed": "document.forms[0] && document.forms[0].requestSubmit()",
    "every button in order": "document.querySelectorAll('button, input[type=submit]').forEach(one => one.click())",
    "every link": "document.querySelectorAll('a[href]').forEach(one => one.click())",
    "everything that can be clicked": "document.querySelectorAll('a[href], button, input, select, label').forEach(one => one.click())",
    "the first choice of each group and the first real option, then the button": """
        const groups = new Set();
        document.querySelectorAll('input[type=radio], input[type=checkbox]').forEach(one => {
          if (!groups.has(one.name)) { groups.add(one.name); one.checked = true; }
        });
        document.querySelectorAll('select').forEach(one => { if (one.options.length > 1) one.selectedIndex = 1; });
        document.querySelectorAll('input[type=text]').forEach(one => { one.value = '1234'; });
        document.querySelectorAll('textarea').forEach(one => { one.value = 'test'; });
        document.forms.length && document.forms[document.forms.length - 1].requestSubmit();
    """,
    "the last choice, then the button": """
        const radios = document.querySelectorAll('input[type=radio]');
        radios.length && (radios[radios.length - 1].checked = true);
        document.querySelectorAll('select').forEach(one => { one.selectedIndex = one.options.length - 1; });
        document.forms.length && document.forms[document.forms.length - 1].requestSubmit();
    """,
}


def course(company: Stage) -> dict[str, list[Any]]:
    """Everything in the database but answers that are held."""
    rows = company.snapshot()
    rows["answers"] = [row for row in rows["answers"] if row.state != "held"]
    rows["personal_texts"] = []
    rows["wrong_numbers"] = []
    return rows


def run(robot: Page, script: str) -> None:
    """Runs a script that may lead away from the page while it runs, and waits until the next page is there."""
    with suppress(Error):
        robot.evaluate(script)
    robot.wait_for_timeout(200)
    robot.wait_for_load_state("networkidle")


@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("kind", DOORS)
def test_a_scanner_with_a_browser_changes_nothing_behind_a_digest_or_a_dispute(
    company: Stage, new_page: Callable[..., Page], press: str, kind: str
) -> None:
    door = DOORS[kind](company)
    before = course(company)
    robot = new_page(user_agent=AGENTS[2])
    robot.goto(company.url + door.link, wait_until="networkidle")
    for _ in range(3):
        run(robot, PRESSES[press])
        company.later(seconds=5)

    assert course(company) == before
    assert [row.person for row in company.rows(Device) if row.person == door.of] == []

    company.later(minutes=4)
    assert press_with_number(company.browser(), door.link, **door.said).status_code == 200
    assert door.counted()


@pytest.mark.parametrize("press", PRESSES)
def test_a_scanner_with_a_browser_changes_nothing_and_the_person_comes_four_minutes_later(
    company: Stage, new_page: Callable[..., Page], press: str
) -> None:
    before = course(company)
    robot = new_page(user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 HeadlessChrome/97.0.4692.99 Safari/537.36")
    for _ in range(3):
        robot.goto(company.url + company.link, wait_until="networkidle")
        for _ in range(3):
            run(robot, PRESSES[press])
            company.later(seconds=5)

    assert course(company) == before
    assert [row.state for row in company.rows(Answer) if row.state != "held"] == []
    assert company.rows(Device) == []
    assert company.rows(Sight), "the scanner was there"

    company.later(minutes=4)
    person = new_page()
    accept(person, company)
    expect(person.get_by_role("heading", name="Thank you")).to_be_visible()
    assert [one for one in company.answers() if one[2] == "counted"] == [("accepted", "ana", "counted")]
