"""Marketing disputes a rejection, the manager rules, silence agrees; what comes of it happens once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from agreements.words import ChannelName, NoWord, Via
from notifications.channels.crm import CrmChannel
from notifications.letter import Channel, Letter
from notifications.links import Links
from storage import disputes, figures, handoffs, suppressions
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.tables import Answer, Assignment, Dispute, Handoff
from storage.tables.waits import GivenRuling
from tasks.dispute_window import open_until, why_not
from tasks.disputes import rulings
from tasks.replies.validation import ChoiceRefused
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY, put_in_force
from tests.deal import agree, does, letters, news, staff, tenures, wait_of
from tests.driver import Driver
from tests.fakes import KeepingChannel
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

WRONG = "They asked for a demo by name."


async def rejected(driver: Driver, box: Toolbox, reason: str = "not-now", **changes: object) -> tuple[Taken, int]:
    """A lead that ana has rejected; the answer's number goes along."""
    taken = capture(box, **changes)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason=reason)
    await driver.settle()
    return taken, answer_of(box, taken)


def about(box: Toolbox, letter: Letter) -> tuple[int, str]:
    """Which answer may be disputed by this letter's link, and by whom."""
    asked = box.links.read_to_dispute(letter.link.rpartition("/")[2])
    return asked.answer_id, asked.person


def answer_of(box: Toolbox, taken: Taken) -> int:
    """The newest rejection of the lead."""
    query = select(Answer.id).join(Handoff, col(Handoff.id) == col(Answer.handoff_id)).where(Handoff.lead_id == taken.lead_id)
    newest_first = query.where(Answer.kind == "rejected").order_by(col(Answer.id).desc())
    return the(box.read_now(lambda session, now: session.exec(newest_first).first()))


def raises(box: Toolbox, answer: int, by: str = "mina", text: str = WRONG) -> int:
    row = box.write_now(lambda session, now: rulings.raise_dispute(session, answer, by, text, now=now))
    return row.id


def decides(box: Toolbox, number: int, ruling: GivenRuling | NoWord, by: str = "maria", text: str = "", via: Via = "link") -> rulings.Ruled:
    return box.write_now(lambda session, now: rulings.decide(session, number, ruling, by, now=now, text=text, via=via))


def row_of(box: Toolbox, number: int) -> Dispute:
    return the(box.read_now(lambda session, now: session.get(Dispute, number)))


def handoffs_of(box: Toolbox, taken: Taken) -> list[Handoff]:
    query = select(Handoff).where(Handoff.lead_id == taken.lead_id).order_by(col(Handoff.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


async def test_marketing_is_told_with_a_link_and_until_when_it_may_dispute(driver: Driver, box: Toolbox) -> None:
    _, answer = await rejected(driver, box)

    letter = next(one for one in kept_by(box, "email").letters if one.message == "feedback")

    assert (letter.to.id, about(box, letter)) == ("mina", (answer, "mina"))
    assert f"{letter.link}\nYour code: {box.links.number(letter.link.rpartition('/')[2])}" in letter.text
    assert "You may dispute this answer until Tue 2 Feb 17:30" in letter.text
    assert "Without a dispute the answer stands." in letter.text


async def test_an_acceptance_leads_to_no_dispute(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.run(until=MONDAY + timedelta(days=1))

    letter = next(one for one in kept_by(box, "email").letters if one.message == "marketing-digest")

    assert "dispute" not in letter.text


async def test_a_dispute_asks_the_manager_and_tells_the_rep(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)

    number = raises(box, answer)
    await driver.settle()

    row = row_of(box, number)
    assert (row.raised_by, row.holder, row.via, row.ruling) == ("mina", "maria", "link", "")
    assert row.due_at.isoformat() == "2027-02-02T17:30:00+00:00"
    assert (letters(box, "dispute-raised"), letters(box, "told")) == (["maria"], ["ana"])
    asked = next(one for one in kept_by(box, "email").letters if one.message == "dispute-raised")
    assert about(box, asked) == (answer, "maria")
    assert f"{asked.link}\nYour code: {box.links.number(asked.link.rpartition('/')[2])}" in asked.text
    assert WRONG in asked.text
    assert "Decide by Tue 2 Feb 17:30. If you do not decide by then, the rejection stands." in asked.text
    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("nurturing", "revisit")


async def test_an_overturned_rejection_is_counted_and_the_lead_goes_back_to_the_same_rep(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    before = newest(box, taken)
    number = raises(box, answer)

    ruled = decides(box, number, "overturned", text="Call them.")
    await driver.settle()

    after = newest(box, taken)
    assert (ruled.won, ruled.again, row_of(box, number).again_id) == (True, True, after.id)
    assert (after.previous_id, after.stage, after.rep, after.score, after.tier) == (before.id, "assigned", "ana", before.score, before.tier)
    assert box.read_now(lambda session, now: the(handoffs.note_of(session, after)).content["statements"])
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.rejected, found.overturned, found.unaccounted) == ({"not-now": 1}, {"not-now": 1}, 0)
    assert letters(box, "dispute-settled") == ["ana"]
    assert news(box) == [("dispute-settled", "Maria Keller has decided: the rejection does not stand. The lead is assigned again.")]
    letter = [one for one in kept_by(box, "email").letters if one.message == "assigned"][-1]
    assert "Marketing disputed the return" in letter.text
    kinds = [event.kind for event in events_of(box, taken)]
    assert [kind for kind in kinds if kind.startswith("dispute")] == ["dispute-raised", "dispute-overturned"]
    assert all(WRONG not in str(event.data) for event in events_of(box, taken))


async def test_the_new_pass_goes_on_as_any_other(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken, answer = await rejected(driver, box)
    time.at += timedelta(minutes=1)
    decides(box, raises(box, answer), "overturned")
    await driver.settle()

    answer_by_link(box, taken, "accepted")
    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("accepted", "first_attempt")


async def test_where_the_reason_says_somebody_else_another_rep_gets_it(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box, reason="no-authority")

    decides(box, raises(box, answer), "overturned")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ben"]


async def test_it_is_assigned_under_the_version_then_in_force(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    agree(box)

    decides(box, raises(box, answer), "overturned")
    await driver.settle()

    assert [one.version for one in handoffs_of(box, taken)] == [1, 2]


async def test_an_upheld_rejection_stands_and_the_rep_is_told_and_marketing_will_be(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)

    ruled = decides(box, number, "upheld")
    await driver.settle()

    assert (ruled.won, ruled.again, row_of(box, number).decided_by) == (True, False, "maria")
    assert (len(handoffs_of(box, taken)), newest(box, taken).stage) == (1, "nurturing")
    assert letters(box, "dispute-settled") == ["ana"]
    assert news(box) == [("dispute-settled", "Maria Keller has decided: the rejection stands.")]


async def test_silence_of_the_manager_lets_it_stand_and_everybody_is_told(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)
    due = row_of(box, number).due_at

    await driver.run(until=due + timedelta(hours=1))

    row = row_of(box, number)
    assert (row.ruling, row.decided_by, row.decided_at, row.again_id) == ("upheld", "", due, None)
    assert letters(box, "dispute-settled") == ["ana", "maria"]
    assert news(box) == [("dispute-settled", "Nobody decided on the dispute in time, so the rejection stands.")]
    last = events_of(box, taken)[-1]
    settled = next(event for event in events_of(box, taken) if event.kind == "dispute-upheld")
    assert settled.data["in_silence"] is True
    assert last.handoff_id == newest(box, taken).id


async def test_a_ruling_after_the_due_time_changes_nothing_although_the_clock_stood(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    _, answer = await rejected(driver, box)
    number = raises(box, answer)
    time.at = row_of(box, number).due_at + timedelta(minutes=1)

    ruled = decides(box, number, "overturned")

    assert (ruled.won, ruled.ruling, ruled.by) == (False, "upheld", "")


async def test_silence_of_marketing_is_agreement(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    _, answer = await rejected(driver, box)
    until = box.read_now(lambda session, now: open_until(session, the(session.get(Answer, answer))))
    time.at = until + timedelta(seconds=1)

    with pytest.raises(ChoiceRefused, match="has passed"):
        raises(box, answer)


async def test_the_time_to_dispute_runs_on_marketings_calendar_past_the_weekend(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    time.at += timedelta(days=4)  # a Friday
    _, answer = await rejected(driver, box)

    until = box.read_now(lambda session, now: open_until(session, the(session.get(Answer, answer))))

    assert (time.at.strftime("%a"), until.strftime("%a")) == ("Fri", "Mon")


REFUSED = [
    ({"by": "ana"}, "Only marketing can dispute"),
    ({"by": "maria"}, "Only marketing can dispute"),
    ({"text": "  "}, "Please say in a few words"),
]


@pytest.mark.parametrize(("how", "said"), REFUSED)
async def test_what_cannot_be_raised_says_why_and_stores_nothing(driver: Driver, box: Toolbox, how: dict[str, str], said: str) -> None:
    _, answer = await rejected(driver, box)

    with pytest.raises(ChoiceRefused, match=said):
        raises(box, answer, **how)

    assert box.read_now(lambda session, now: session.exec(select(Dispute)).all()) == []


async def test_one_answer_is_disputed_once(driver: Driver, box: Toolbox) -> None:
    _, answer = await rejected(driver, box)
    raises(box, answer)

    with pytest.raises(ChoiceRefused, match="has already disputed this"):
        raises(box, answer)


async def test_an_acceptance_and_an_answer_that_may_be_taken_back_cannot_be_disputed(driver: Driver, box: Toolbox) -> None:
    object.__setattr__(box.settings, "undo_minutes", 5)
    taken, rejection = await rejected(driver, box)

    said = box.read_now(lambda session, now: why_not(session, session.get(Answer, rejection), now=now))

    assert "can still be taken back" in said
    assert newest(box, taken).lead_id == taken.lead_id


@pytest.mark.parametrize("who", ["ana", "mina", "marcus", "nobody"])
async def test_nobody_but_its_holder_or_a_manager_of_the_team_decides(driver: Driver, box: Toolbox, who: str) -> None:
    _, answer = await rejected(driver, box)
    number = raises(box, answer)

    with pytest.raises(ChoiceRefused, match="Maria Keller decides on this"):
        decides(box, number, "overturned", by=who)

    assert row_of(box, number).ruling == ""


DEPUTY = (
    "\n  marcus: {name: Marcus",
    "\n  moritz: {name: Moritz Lang, email: moritz@northgate.example, role: manager, team: emea}\n  marcus: {name: Marcus",
)


async def test_another_manager_of_the_team_may_decide_and_the_second_press_is_told_who_was_first(driver: Driver, box: Toolbox) -> None:
    staff(box, DEPUTY)
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)

    first = decides(box, number, "overturned", by="moritz")
    second = decides(box, number, "upheld", by="maria")
    again = decides(box, number, "overturned", by="moritz")
    await driver.settle()

    assert (first.won, second.won, second.ruling, second.by) == (True, False, "overturned", "moritz")
    assert again.won
    assert len(handoffs_of(box, taken)) == 2


async def test_a_lead_that_came_back_by_itself_is_only_counted(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)
    time.at += timedelta(hours=1)
    does(box, taken, "demo_requested")
    await driver.settle()
    passes = len(handoffs_of(box, taken))

    ruled = decides(box, number, "overturned")
    await driver.settle()

    assert (passes, len(handoffs_of(box, taken)), ruled.won, ruled.again) == (2, 2, True, False)
    assert box.read_now(lambda session, now: disputes.report(session)).by_reason[0].overturned == 1


async def test_a_rejection_that_led_elsewhere_is_only_counted(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box, reason="not-icp")

    ruled = decides(box, raises(box, answer), "overturned")
    await driver.settle()

    assert (ruled.won, ruled.again, len(handoffs_of(box, taken))) == (True, False, 1)


async def test_nobody_calls_whoever_must_not_be_contacted(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)
    box.write_now(lambda session, now: suppressions.suppress(session, taken.incoming.email, reason="asked", now=now))

    assert decides(box, number, "overturned").again is False


async def test_a_ruling_whose_process_dies_before_the_commit_has_done_nothing(driver: Driver, box: Toolbox) -> None:
    taken, answer = await rejected(driver, box)
    number = raises(box, answer)

    def dies(session: Session, now: datetime) -> None:
        rulings.decide(session, number, "overturned", "maria", now=now)
        raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError):
        box.write_now(dies)
    untouched = (row_of(box, number).ruling, len(handoffs_of(box, taken)))
    decides(box, number, "overturned")

    assert (untouched, len(handoffs_of(box, taken))) == (("", 1), 2)


async def test_the_report_says_how_often_disputes_were_right(driver: Driver, box: Toolbox) -> None:
    for ruling in ("overturned", "upheld", None):
        _, answer = await rejected(driver, box)
        number = raises(box, answer)
        if ruling:
            decides(box, number, ruling)

    found = box.read_now(lambda session, now: disputes.report(session))

    assert [(one.name, one.raised, one.upheld, one.overturned, one.rate) for one in found.by_reason] == [("not-now", 3, 1, 1, 0.5)]
    assert sum(one.raised for one in found.by_rep) == 3


async def test_an_upheld_dispute_leaves_the_turns_of_the_reps_as_they_were(driver: Driver, box: Toolbox) -> None:
    """A rejection is credited back in the turns anyway; the new tenure after an overturned one counts like any other."""
    taken, answer = await rejected(driver, box)
    decides(box, raises(box, answer), "overturned")
    await driver.settle()

    query = select(Assignment).where(Assignment.lead_id == taken.lead_id).order_by(col(Assignment.assigned_at))
    rows = box.read_now(lambda session, now: list(session.exec(query)))
    assert [(one.rep, one.ended_because) for one in rows] == [("ana", "rejected"), ("ana", "")]


#: What may happen, in any order and however often. `merge`: the same person comes in once more, as somebody new.
MOVES = ("raise", "uphold", "overturn", "deputy overturns", "deadline", "revisit", "activity", "merge", "settle")


class Walk:
    """One lead that was rejected, and whatever happens to it afterwards."""

    def __init__(self, box: Toolbox, time: SteppedTime) -> None:
        self.box, self.time, self.driver = box, time, Driver(box, time)

    async def go(self, moves: list[str]) -> None:
        """Makes the moves and looks after each."""
        staff(self.box, DEPUTY)
        self.taken, self.answer = await rejected(self.driver, self.box)
        for number, move in enumerate(moves):
            with suppress(ChoiceRefused):
                await self.make(move, number)
            self.look()
        await self.driver.settle()
        self.look()

    async def make(self, move: str, number: int) -> None:
        """One of the moves."""
        if move == "raise":
            raises(self.box, self.answer)
        elif move == "deadline":
            self.time.at += timedelta(days=2)
            await self.driver.clock.tick()
        elif move == "revisit":
            self.time.at += timedelta(days=61)
            await self.driver.clock.tick()
        elif move == "activity":
            does(self.box, self.taken, "demo_requested", conversion_id=f"demo-{number}")
        elif move == "merge":
            capture(self.box, email=self.taken.incoming.email)
        elif move == "settle":
            await self.driver.settle()
        else:
            by = "moritz" if move.startswith("deputy") else "maria"
            decides(self.box, 1, "upheld" if move == "uphold" else "overturned", by=by)

    def look(self) -> None:
        """What must hold at any time."""
        rows = self.box.read_now(lambda session, now: list(session.exec(select(Dispute))))
        passes = handoffs_of(self.box, self.taken)
        events = [event for event in events_of(self.box, self.taken) if event.kind in ("dispute-upheld", "dispute-overturned")]
        again = [one for one in events_of(self.box, self.taken) if one.kind == "assigned-again"]
        assert len(rows) <= 1
        assert [event.kind for event in events] == [f"dispute-{row.ruling}" for row in rows if row.ruling]
        assert [one.handoff_id for one in again] == [row.again_id for row in rows if row.again_id]
        assert not again or rows[0].ruling == "overturned"
        assert len([one for one in passes if one.ended_at is None]) <= 1
        assert len({one.previous_id for one in passes}) == len(passes)
        assert self.box.read_now(lambda session, now: figures.figures(session, now=now)).unaccounted == 0


@pytest.mark.long
@given(moves=st.lists(st.sampled_from(MOVES), max_size=9))
@settings(max_examples=60, deadline=None)
def test_in_any_order_there_is_one_ruling_and_at_most_one_new_handoff_because_of_it(moves: list[str], empty_sqlite: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(empty_sqlite, Path(folder) / "baton.db")
        asyncio.run(_walk(Path(folder), moves))


async def _walk(folder: Path, moves: list[str]) -> None:
    time = SteppedTime(MONDAY)
    channels: dict[ChannelName, Channel] = {
        "email": KeepingChannel("email"),
        "chat": KeepingChannel("chat"),
        "manager-email": KeepingChannel("manager-email"),
    }
    crm = LocalCrm(folder / "crm.db")
    links = Links(["a-key-for-tests-only"], "http://baton.test")
    settings_here = Settings(home=folder, undo_minutes=0, crm_poll_seconds=0.0001)
    box = Toolbox(settings_here, Database(f"sqlite:///{folder / 'baton.db'}"), crm, {**channels, "crm": CrmChannel(crm)}, links, time)
    toolbox.use(box)
    try:
        box.write_now(put_in_force)
        await Walk(box, time).go(moves)
    finally:
        box.database.close()
        toolbox.use(None)
