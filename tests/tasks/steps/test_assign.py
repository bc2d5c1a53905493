"""Who gets a lead: by what was found out about it, what counts as open, and what happens when everyone is away or full."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from storage.crm.port import Account
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, answer_by_duty, staff, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, capture, kept_by, local_crm, newest, token_of

DAY = timedelta(days=1)
FAYE_AND_DAN_AWAY = []
for name, until in (("dan", "2027-02-03T09:00:00Z"), ("faye", "2027-02-05T09:00:00Z")):
    was = f"{name}@northgate.example, team: americas,"
    FAYE_AND_DAN_AWAY.append((was, f"{was} away: [{{from: 2027-01-11T00:00:00Z, until: {until}}}],"))
US = {"country": "US"}


def routing(**more: Any) -> Callable[[dict[str, Any]], object]:
    return lambda tree: tree["routing"].update(more)


def segments_by(fact: str, value: Any) -> Callable[[dict[str, Any]], object]:
    """Leads of which this was found out go to the Americas, whatever their country."""
    return lambda tree: tree["routing"]["segments"].insert(0, {"when": {fact: value}, "team": "americas"})


@pytest.mark.parametrize(
    ("fact", "value", "changes"),
    [
        ("persona", "sales-leader", {"job_title": "Sales Director"}),
        ("product", "crm", {"job_title": "Sales Director"}),
        ("score", {"at_least": 75}, {"activity": "trade_show_visit", "entry_channel": "trade_show"}),
        ("fast_lane", False, BY_POINTS),
        ("asked", "quote_requested", {"activity": "quote_requested"}),
        ("asked", "missing", BY_POINTS),
        ("tier", "normal", BY_POINTS),
        ("account.status", "prospect", {"company": "Harbour"}),
    ],
)
async def test_leads_are_routed_by_what_was_found_out_about_them(
    driver: Driver, box: Toolbox, fact: str, value: object, changes: dict[str, str]
) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", status="prospect")])
    agree_on(box, lambda tree: (segments_by(fact, value)(tree), tree["personas"][1].update(product="crm")))
    taken, other = capture(box, **changes), capture(box)

    await driver.settle()

    assert newest(box, taken).rep in ("dan", "faye")
    assert newest(box, other).rep == "ana"


@pytest.mark.parametrize(("fact", "value"), [("persona", "ops-leader"), ("product", "platform"), ("score", {"at_least": 40})])
async def test_tiers_ask_for_what_was_found_out_too(driver: Driver, box: Toolbox, fact: str, value: object) -> None:
    agree_on(box, lambda tree: tree["tiers"].insert(0, {"name": "named", "when": {fact: value}, "channels": ["email", "crm"]}))
    taken, other = capture(box), capture(box, job_title="Analyst", fields={})

    await driver.settle()

    assert (newest(box, taken).tier, newest(box, other).tier) == ("named", "hot")


async def test_what_a_lead_says_of_itself_is_not_what_was_found_out(driver: Driver, box: Toolbox) -> None:
    agree_on(box, segments_by("persona", "ops-leader"))
    taken = capture(box, job_title="Analyst", fields={"persona": "ops-leader"})

    await driver.settle()

    assert newest(box, taken).rep == "ana"


async def test_the_rep_is_shown_for_whom_and_for_what_the_lead_is(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()

    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))
    assert (visit.lead.persona, visit.lead.product) == ("ops-leader", "platform")
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "assigned"]
    assert "Persona: Ops leader, platform" in letter.text


async def test_while_everyone_is_away_whoever_is_on_call_gets_it(driver: Driver, box: Toolbox) -> None:
    staff(box, *FAYE_AND_DAN_AWAY)
    agree_on(box, routing(everyone_away="on-call-or-hold", on_call="cleo"))
    taken = capture(box, **US)

    await driver.settle()

    assert [(one.rep, one.cause) for one in tenures(box, taken)] == [("cleo", "everyone is away: on call")]


async def test_where_whoever_is_on_call_is_away_as_well_it_is_held(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, *FAYE_AND_DAN_AWAY)
    agree_on(box, routing(everyone_away="on-call-or-hold", on_call="emil"))
    taken = capture(box, **US)
    await driver.settle()
    assert (wait_of(box, taken).about, wait_of(box, taken).due_at) == ("hold", time.at + timedelta(hours=1))

    await driver.run(until=time.at + 2 * DAY)

    assert tenures(box, taken)[0].rep in ("dora", "dan")


async def test_a_held_lead_is_still_looked_at_while_its_ladder_gives_more_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Somebody may be back before the default acceptor's turn."""
    was = "until: 2027-02-03T09:00:00Z"
    staff(box, *[(old, new.replace(was, "until: 2027-02-01T15:00:00Z")) for old, new in FAYE_AND_DAN_AWAY])
    taken = capture(box, **US)

    await driver.run(until=time.at + timedelta(hours=6, minutes=15))

    assert tenures(box, taken)[0].rep == "dan"


async def test_when_everyone_is_full_the_teams_manager_is_asked(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, routing(everyone_full="manager", capacity={"per_rep": 1}))
    for _ in range(2):
        capture(box, **US)
    taken = capture(box, **US)

    await driver.settle()

    wait = wait_of(box, taken)
    assert (wait.kind, wait.about, wait.holder) == ("decision", "everyone-full", "marcus")
    assert (newest(box, taken).stage, newest(box, taken).owner) == ("mql", "marcus")
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "decision-asked"]
    assert (letter.to.id, "Everyone in Sales Americas has as many leads as agreed." in letter.text) == ("marcus", True)


async def test_the_manager_names_who_takes_it_though_full(driver: Driver, box: Toolbox) -> None:
    agree_on(box, routing(everyone_full="manager", capacity={"per_rep": 1}))
    for _ in range(2):
        capture(box, **US)
    taken = capture(box, **US)
    await driver.settle()
    with pytest.raises(ChoiceRefused, match="who takes it"):
        answer_by_duty(box, taken, "decided", choice="reassign")

    answer_by_duty(box, taken, "decided", choice="reassign", colleague="faye")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["faye"]


async def test_what_nobody_has_cannot_be_left_with_anybody(driver: Driver, box: Toolbox) -> None:
    agree_on(box, routing(everyone_full="manager", capacity={"per_rep": 1}))
    for _ in range(2):
        capture(box, **US)
    taken = capture(box, **US)
    await driver.settle()
    token = box.links.for_duty(wait_of(box, taken).id, "marcus").rpartition("/")[2]

    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now))

    assert "give-back" not in dict(visit.choices)
    with pytest.raises(ChoiceRefused, match="choose what becomes"):
        answer_by_duty(box, taken, "decided", choice="give-back")


async def test_a_manager_who_does_not_decide_leaves_it_to_marketing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, routing(everyone_full="manager", capacity={"per_rep": 1}))
    for _ in range(2):
        capture(box, **US)
    taken = capture(box, **US)

    await driver.settle()
    await driver.run(until=wait_of(box, taken).due_at)

    assert (newest(box, taken).stage, newest(box, taken).track) == ("nurturing", "unworked")


@pytest.mark.parametrize(
    ("open_means", "stage", "full"),
    [
        (["assigned", "accepted-untouched"], "assigned", True),
        (["assigned", "accepted-untouched"], "accepted", True),
        (["assigned", "accepted-untouched"], "working", False),
        (["assigned"], "accepted", False),
        (["working"], "working", True),
        (["working"], "assigned", False),
    ],
)
async def test_what_counts_as_open_is_agreed(driver: Driver, box: Toolbox, open_means: list[str], stage: str, full: bool) -> None:
    agree_on(box, routing(capacity={"per_rep": 1, "open_means": open_means}))
    until = {"assigned": assigned, "accepted": until_accepted, "working": until_working}[stage]
    for _ in range(2):
        await until(driver, box, **US)
    taken = capture(box, **US)

    await driver.settle()

    assert (newest(box, taken).rep == "dora") is full


async def assigned(driver: Driver, box: Toolbox, **changes: Any) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    return taken
