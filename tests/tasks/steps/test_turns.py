"""Turns over a company's life: joiners, leave, weights, hours, and leads that were nobody's fault."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from agreements.words import GivenAnswer
from app.cli import app as cli
from storage import turns
from storage.crm.port import Account
from tasks.wiring import toolbox
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.asking import says
from tests.deal import BY_POINTS, agree_on, staff, tenures
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, local_crm, newest

ANA = "ana@northgate.example, team: emea,"
BEN = "ben@northgate.example, team: emea,"
CLEO = "cleo@northgate.example, team: emea,"
DORA = "dora@northgate.example, role: rep,"


def many_leads(tree: dict[str, Any]) -> None:
    """Nobody is full in these tests."""
    tree["routing"]["capacity"]["per_rep"] = 1000


def calendar_in_new_york(tree: dict[str, Any]) -> None:
    many_leads(tree)
    tree["calendars"]["new-york"] = {"timezone": "America/New_York", "hours": {"mon-fri": "09:00-17:00"}}


async def given_out(driver: Driver, box: Toolbox, count: int, **changes: Any) -> list[Taken]:
    taken = []
    for _ in range(count):
        taken.append(capture(box, **{**BY_POINTS, **changes}))
        await driver.settle()
    return taken


def reps_of(box: Toolbox, taken: list[Taken]) -> Counter[str]:
    return Counter(newest(box, one).rep for one in taken)


async def test_a_newcomer_starts_level_and_gets_a_share_from_that_day_on(driver: Driver, box: Toolbox) -> None:
    agree_on(box, many_leads)
    assert reps_of(box, await given_out(driver, box, 12)) == {"ana": 4, "ben": 4, "cleo": 4}

    staff(box, (DORA, f"{DORA} team: emea,"))

    assert reps_of(box, await given_out(driver, box, 8)) == {"ana": 2, "ben": 2, "cleo": 2, "dora": 2}


async def test_whoever_comes_back_from_leave_has_nothing_to_catch_up_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, many_leads)
    staff(box, (ANA, f"{ANA} away: [{{from: 2027-01-01T00:00:00Z, until: 2027-02-03T00:00:00Z}}],"))
    assert reps_of(box, await given_out(driver, box, 10)) == {"ben": 5, "cleo": 5}

    time.at += timedelta(days=2)

    assert reps_of(box, await given_out(driver, box, 6)) == {"ana": 2, "ben": 2, "cleo": 2}


async def test_weights_and_a_newcomers_share_count_where_they_are_agreed(driver: Driver, box: Toolbox) -> None:
    def weighted(tree: dict[str, Any]) -> None:
        many_leads(tree)
        tree["routing"]["segments"][1]["strategy"] = "weighted-round-robin"

    agree_on(box, weighted)
    staff(box, (ANA, f"{ANA} weight: 2,"), (CLEO, f"{CLEO} share: {{of: 1/2, until: 2027-06-01T00:00:00Z}},"))

    assert reps_of(box, await given_out(driver, box, 14)) == {"ana": 8, "ben": 4, "cleo": 2}


async def test_a_smaller_share_ends_on_its_day(driver: Driver, box: Toolbox) -> None:
    agree_on(box, many_leads)
    staff(box, (CLEO, f"{CLEO} share: {{of: 1/2, until: 2027-02-01T00:00:00Z}},"))

    assert reps_of(box, await given_out(driver, box, 9)) == {"ana": 3, "ben": 3, "cleo": 3}


@pytest.mark.parametrize(
    ("reason", "more", "comes_back"),
    [
        ("not-icp", {}, True),
        ("duplicate", {}, True),
        ("no-budget", {}, False),
        ("not-now", {}, False),
    ],
)
async def test_a_turn_comes_back_only_where_marketing_or_routing_was_wrong(
    driver: Driver, box: Toolbox, time: SteppedTime, reason: str, more: dict[str, str], comes_back: bool
) -> None:
    agree_on(box, many_leads)
    first, _, _ = await given_out(driver, box, 3)
    rejected: GivenAnswer = "rejected"
    answer_by_link(box, first, rejected, reason=reason, **more)
    time.at += timedelta(minutes=6)
    await driver.settle()

    (row,) = tenures(box, first)
    assert (row.rep, row.credited) == ("ana", comes_back)
    order = [newest(box, one).rep for one in await given_out(driver, box, 4)]
    assert Counter(order) == ({"ana": 2, "ben": 1, "cleo": 1} if comes_back else Counter(order))
    assert comes_back or sorted(order[:3]) == ["ana", "ben", "cleo"]


async def test_hot_leads_and_others_have_turns_of_their_own(driver: Driver, box: Toolbox) -> None:
    agree_on(box, many_leads)

    hot = [newest(box, one).rep for one in await given_out(driver, box, 2, activity="demo_requested")]
    others = [newest(box, one).rep for one in await given_out(driver, box, 2)]

    assert (hot, others) == (["ana", "ben"], ["ana", "ben"])


async def test_a_lead_goes_to_somebody_at_work_and_the_sentence_says_so(driver: Driver, box: Toolbox) -> None:
    agree_on(box, calendar_in_new_york)
    staff(box, (ANA, f"{ANA} calendar: new-york,"), (BEN, f"{BEN} calendar: new-york,"))

    taken = await given_out(driver, box, 3)

    assert reps_of(box, taken) == {"cleo": 3}, "at nine in London nobody works in New York"
    assert tenures(box, taken[0])[0].cause == "next in turn of those at work now"


async def test_while_nobody_is_at_work_whoever_opens_first_gets_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, calendar_in_new_york)
    staff(box, (CLEO, f"{CLEO} calendar: new-york,"))
    time.at += timedelta(hours=14)  # 23:00 in London, 18:00 in New York

    taken = await given_out(driver, box, 3)

    assert sorted(reps_of(box, taken)) == ["ana", "ben"]
    assert sorted(reps_of(box, taken).values()) == [1, 2]
    assert tenures(box, taken[0])[0].cause == "next in turn of those who open first, as nobody is at work now"


async def test_a_tier_may_prefer_the_turn(driver: Driver, box: Toolbox) -> None:
    def by_turn(tree: dict[str, Any]) -> None:
        calendar_in_new_york(tree)
        tree["tiers"][1]["prefer"] = "turn"

    agree_on(box, by_turn)
    staff(box, (ANA, f"{ANA} calendar: new-york,"))

    assert reps_of(box, await given_out(driver, box, 3)) == {"ana": 1, "ben": 1, "cleo": 1}


async def test_the_sheet_of_a_day_says_what_was_due_and_what_each_got(driver: Driver, box: Toolbox) -> None:
    agree_on(box, many_leads)
    await given_out(driver, box, 7)

    (sheet,) = box.read_now(lambda session, now: turns.sheets(session, since=now.date(), until=now.date()))

    assert sheet.pool == "emea:normal"
    assert sheet.given == {"ana": 3, "ben": 2, "cleo": 2}
    assert sum(sheet.due.values()) == 7 * 1_000_000_000
    assert max(sheet.due.values()) - min(sheet.due.values()) <= 7
    assert sum(sheet.balance.values()) == 0


async def test_who_is_next_and_what_each_got_can_be_read(driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    agree_on(box, calendar_in_new_york)
    staff(box, (BEN, f"{BEN} calendar: new-york,"))
    await given_out(driver, box, 3)
    monkeypatch.setenv("COLUMNS", "160")

    def baton(*words: str) -> str:
        monkeypatch.setattr("app.terminal.open_box", lambda settings=None: box)
        done = CliRunner().invoke(cli, ["roster", *words])
        toolbox.use(box)
        assert done.exit_code == 0, done.output
        return done.output

    upcoming, got = baton("next", "--team", "emea"), baton("shares", "--from", "2027-02-01", "--to", "2027-02-01")

    assert "Sales EMEA (b2b-saas@2): Cleo Martin, next in turn of those at work now" in upcoming
    assert "from Mon 01 Feb 14:00" in upcoming, "Ben's hours, in the agreement's zone"
    ana = next(line for line in got.splitlines() if "Ana Silva" in line).split("│")
    assert [cell.strip() for cell in ana[2:7]] == ["1.5", "2", "0", "0", "0"]
    assert "Ben Carter" not in got, "he could take none"


def owners_first(tree: dict[str, Any]) -> None:
    """A lead of an account goes to its owner, and hot leads are offered to several."""
    many_leads(tree)
    tree["screen"].insert(0, {"when": {"account.owner": "present"}, "then": "route", "to": "account-owner"})
    tree["tiers"][0]["routing"] = "first-to-claim"


@pytest.mark.parametrize(("tier", "changes"), [("normal", BY_POINTS), ("hot", {})])
async def test_a_lead_of_an_account_goes_to_its_owner_and_is_nobodys_turn(
    driver: Driver, box: Toolbox, tier: str, changes: dict[str, Any]
) -> None:
    agree_on(box, owners_first)
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])

    taken = [capture(box, **changes, company="Harbour") for _ in range(3)]
    await driver.settle()

    assert reps_of(box, taken) == {"ben": 3}
    assert {newest(box, one).tier for one in taken} == {tier}
    assert {row.cause for one in taken for row in tenures(box, one)} == {"owner of the account"}
    assert box.read_now(lambda session, now: turns.read(session, f"emea:{tier}")).number == 0


async def test_an_owner_who_is_away_gets_none_and_whoever_gets_it_uses_a_turn(driver: Driver, box: Toolbox) -> None:
    agree_on(box, owners_first)
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])
    staff(box, (BEN, f"{BEN} away: [{{from: 2027-01-11T00:00:00Z, until: 2027-03-08T00:00:00Z}}],"))

    taken = await given_out(driver, box, 2, company="Harbour")

    assert reps_of(box, taken) == {"ana": 1, "cleo": 1}
    assert box.read_now(lambda session, now: turns.read(session, "emea:normal")).number == 2


async def test_shares_say_who_claimed_declined_and_got_leads_of_own_accounts(
    driver: Driver, box: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_on(box, owners_first)
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])
    for first in ("ana", "ana", "cleo"):
        taken = capture(box)
        await driver.settle()
        says(box, taken, "ben", "rejected", reason="not-icp")
        says(box, taken, first, "accepted")
    await given_out(driver, box, 2, company="Harbour")
    monkeypatch.setattr("app.terminal.open_box", lambda settings=None: box)
    monkeypatch.setenv("COLUMNS", "220")

    upcoming = CliRunner().invoke(cli, ["roster", "next", "--team", "emea", "--tier", "hot"]).output
    told = CliRunner().invoke(cli, ["roster", "shares", "--from", "2027-02-01", "--to", "2027-02-01"]).output
    toolbox.use(box)

    assert "Ben Carter or Cleo Martin or Ana Silva, the first to accept has it" in upcoming
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if "│" in line]
    hot, normal = rows[:3], rows[3:]
    assert [row[:6] + row[7:] for row in hot] == [
        ["Ana Silva", "1.0", "2", "2", "0", "0", "0", "colleagues were first at 1 lead offered to several"],
        ["Ben Carter", "1.0", "0", "0", "3", "0", "0", ""],
        ["Cleo Martin", "1.0", "1", "1", "0", "0", "0", "colleagues were first at 2 leads offered to several"],
    ]
    assert [row[:6] + row[7:] for row in normal] == [
        ["Ben Carter", "0.0", "0", "0", "0", "0", "2", "leads of own accounts are nobody's turn"]
    ]
