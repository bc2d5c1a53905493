"""`baton disputes` on a real database: what is open, raising and deciding on somebody's word, and the report."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from storage.tables import Dispute
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of


@pytest.fixture
def run(baton: Command) -> Command:
    """Runs `baton disputes`."""
    return partial(baton, "disputes")


async def rejected(driver: Driver, box: Toolbox) -> Taken:
    """A lead that was rejected."""
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    return taken


async def test_what_is_open_to_dispute_is_listed_with_marketings_page(driver: Driver, box: Toolbox, run: Command) -> None:
    await rejected(driver, box)

    told = run("list", "--open-to-dispute").output

    assert re.search(r"1 +│ 1 +│ Company \d+ +│ Ana Silva │ Interested, but not now │ 02 Feb 2027 17:30 UTC", told)
    page = the(re.search(r"http://\S+/q/\S+", told))[0]
    asked = box.links.read_to_dispute(page.rpartition("/")[2])
    assert (asked.answer_id, asked.person) == (0, "mina")
    assert f"{page}\nYour code: {box.links.number(page.rpartition('/')[2])}" in told


async def test_a_dispute_is_raised_and_decided_on_somebodys_word_which_the_trail_marks_as_claimed(
    driver: Driver, box: Toolbox, run: Command
) -> None:
    taken = await rejected(driver, box)

    raised = run("raise", "1", "--by", "Mina Okoro", "--text", "They asked.")
    decided = run("decide", "1", "overturn", "--by", "maria")

    assert raised.exit_code == 0
    assert raised.output.startswith("Dispute 1: maria decides by 03 Feb 2027 09:0")
    assert (decided.exit_code, decided.output) == (0, "Dispute 1 is overturned, and the lead is assigned again.\n")
    events = [event for event in events_of(box, taken) if event.kind.startswith("dispute-")]
    assert [(event.actor, event.data["via"], event.data["claimed"]) for event in events] == [("mina", "cli", True), ("maria", "cli", True)]


REFUSED = [
    (("decide", "1", "perhaps", "--by", "maria"), 2, "write uphold or overturn"),
    (("decide", "9", "uphold", "--by", "maria"), 1, "There is no dispute 9."),
    (("decide", "1", "uphold", "--by", "ana"), 1, "Maria Keller decides on this"),
    (("decide", "1", "uphold", "--by", "Somebody Else"), 1, "Nobody is called 'Somebody Else' in the roster"),
    (("raise", "1", "--by", "mina", "--text", "Again."), 1, "Marketing has already disputed this."),
    (("raise", "1", "--by", "ana", "--text", "No."), 1, "has already disputed this"),
    (("raise", "77", "--by", "mina", "--text", "No."), 1, "Only a rejection or a return that counts can be disputed."),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED)
async def test_what_is_refused_says_why_and_changes_nothing(
    driver: Driver, box: Toolbox, run: Command, words: tuple[str, ...], code: int, said: str
) -> None:
    await rejected(driver, box)
    run("raise", "1", "--by", "mina", "--text", "They asked.")

    result = run(*words)

    assert (result.exit_code, the(box.read_now(lambda session, now: session.get(Dispute, 1))).ruling) == (code, "")
    assert said in " ".join(result.output.split())


async def test_who_comes_second_is_told_what_was_decided(driver: Driver, box: Toolbox, run: Command) -> None:
    await rejected(driver, box)
    run("raise", "1", "--by", "mina", "--text", "They asked.")
    run("decide", "1", "uphold", "--by", "maria")

    late = run("decide", "1", "overturn", "--by", "maria")

    assert late.exit_code == 1
    assert "Dispute 1 was settled before: upheld by maria. Nothing changed." in late.output


async def test_list_and_report_show_how_it_went(driver: Driver, box: Toolbox, run: Command) -> None:
    await rejected(driver, box)
    run("raise", "1", "--by", "mina", "--text", "They asked.")
    run("decide", "1", "overturn", "--by", "maria")

    listed, table = run("list").output, run("report").output
    report = json.loads(run("report", "--json").output)

    assert re.search(r"Ana Silva │ not-now │ Maria Keller +│ .* │ overturned │ maria", listed)
    assert re.search(r"not-now +│ 1 +│ 0 +│ 1 +│ 100%", table)
    one = {"raised": 1, "upheld": 0, "overturned": 1, "rate": 1.0}
    assert report == {"by_reason": [{"name": "not-now", **one}], "by_rep": [{"name": "ana", **one}]}
