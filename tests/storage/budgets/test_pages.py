"""A lead on its page and at the terminal, and the overview of all open leads."""

from __future__ import annotations

import pytest

from app.commands import one_lead
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.stage import answer_form
from tests.deal import BY_POINTS
from tests.driver import Driver
from tests.stage import capture, newest, token_of
from tests.storage.budgets.measuring import assert_at_most, assert_no_scan, browser_of, list_with
from tests.storage.plans import recorded, scans

#: A rep's page, an answer given on it, and the lead at the terminal. Seven statements of each say where the lead's time went, however much
#: it was.
PAGE, ANSWER, SHOW_LEAD = 22, 45, 23
#: The overview of all open leads, with the browser, the link and the roster. Three of them are for each team, and one for the week.
OVERVIEW = 26


async def test_a_page_and_an_answer_on_it_do_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await Driver(box, time).settle()
    rep, path = newest(box, taken).rep, f"/l/{token_of(box, taken)}"

    async with browser_of(box, rep) as browser:
        with recorded(box.database) as shown:
            page = await browser.get(path)
        action, hidden = answer_form(page)
        with recorded(box.database) as answered:
            page = await browser.post(action, data={**hidden, "choice": "accepted"}, follow_redirects=True)

    assert "Thank you" in page.text
    assert_no_scan(box, shown)
    assert_no_scan(box, answered)
    assert_at_most(shown, PAGE)
    assert_at_most(answered, ANSWER)


async def test_showing_a_lead_at_the_terminal_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, **BY_POINTS)
    await Driver(box, time).settle()

    with recorded(box.database) as work:
        box.read_now(lambda session, now: one_lead.print_lead(session, taken.lead_id, now=now))

    assert_no_scan(box, work)
    assert_at_most(work, SHOW_LEAD)


@pytest.mark.parametrize("asked", ["", "?stage=accepted", "?rep=ben", "?campaign=campaign3&source=source3", "?month=2026-10"])
async def test_the_overview_of_all_open_leads_asks_the_same_however_many_there_are(box: Toolbox, asked: str) -> None:
    link = box.read_now(lambda session, now: box.links.for_person("mina", at=now)).removeprefix("http://baton.test")

    each, work = await list_with(box, "ben", f"{link}/leads?rep=ben", "mina")
    async with browser_of(box, "mina") as browser:
        with recorded(box.database) as chosen:
            page = await browser.get(f"{link}/leads{asked}")

    assert page.status_code == 200
    assert each <= 0, work.most_often()
    assert scans(box.database, chosen) == {}
    assert_at_most(chosen, OVERVIEW)
