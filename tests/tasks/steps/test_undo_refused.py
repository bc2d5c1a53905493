"""What builds on an answer keeps it: taking it back is refused with the reason, and never leaves a lead between two stages."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from sqlmodel import col, select

from agreements.words import GivenAnswer, word
from storage import due, handoffs
from storage.tables import Answer
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, answer_by_duty, deliveries_of, news, staff, tenures, touches_of, wait_of
from tests.driver import Driver
from tests.examples import spread
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest, token_of
from tests.tasks.steps.test_shared_mailbox import MAILBOX, OTHERS_AWAY

MINUTE = timedelta(minutes=1)


@pytest.fixture
def box(box: Toolbox) -> Toolbox:
    """The toolbox with ten hours to think it over, so that much can come in between."""
    box.settings.undo_minutes = 600
    return box


@pytest.fixture
async def taken(driver: Driver, box: Toolbox) -> Taken:
    """A lead that is with ana, who has to answer; where she does not try it in time afterwards, her manager decides."""
    agree_on(box, lambda tree: tree["clocks"]["first_attempt"].update(when_missed=[{"do": "manager-decides"}]))
    taken = capture(box)
    await driver.settle()
    return taken


def undo(box: Toolbox, taken: Taken, kind: str) -> answering.Undone:
    """Takes back the rep's newest answer of that kind."""
    query = select(Answer).where(Answer.handoff_id == newest(box, taken).id, Answer.kind == kind).order_by(col(Answer.id).desc())
    row = box.read_now(lambda session, now: session.exec(query.limit(1)).one())
    token = token_of(box, taken)
    return box.write_now(lambda session, now: answering.undo(session, OpenedLink(box, token), row.id, now=now, device=""))


def states(box: Toolbox, taken: Taken) -> list[tuple[str, str]]:
    query = select(Answer).where(Answer.handoff_id == newest(box, taken).id).order_by(col(Answer.id))
    return [(row.kind, row.state) for row in box.read_now(lambda session, now: session.exec(query).all())]


async def does(driver: Driver, box: Toolbox, taken: Taken, did: str) -> None:
    """One thing that happens to the lead. With a ! nothing is carried out yet; `-kind` takes such an answer back."""
    kind, fields = did.strip("!"), {}
    if kind.startswith("-"):
        assert undo(box, taken, kind[1:]).taken_back
    elif kind == "deadline":
        await driver.run(until=wait_of(box, taken).due_at)
        assert wait_of(box, taken).kind == "decision"
    elif kind == "manager decides":
        answer_by_duty(box, taken, "decided", choice="give-back")
    elif kind.startswith("crm "):
        local_crm(box).person_changes(taken.lead_id, by="ana", at=driver.time.at, values={"status": kind.removeprefix("crm ")})
        await driver.clock.tick()
    elif kind == "stuck":
        box.write_now(lambda session, now: handoffs.move(session, newest(box, taken), "got-stuck", now=now, why="test"))
    elif kind == "suppressed":
        box.write_now(lambda session, now: handoffs.move(session, newest(box, taken), "suppressed", now=now))
    else:
        fields = {"rejected": {"reason": "not-now"}, "returned": {"reason": "not-now"}, "handed": {"colleague": "cleo"}}.get(kind, {})
        assert answer_by_link(box, taken, the(word(kind, get_args(GivenAnswer))), **fields).won
    driver.time.at += MINUTE
    if not did.endswith("!"):
        await driver.settle()


NOTHING = ""
#: What has happened, the answer that is taken back, and a part of the reason why it stays (nothing where it does not).
CASES = [
    ("accepted", "accepted", NOTHING),
    ("accepted!", "accepted", NOTHING),
    ("rejected", "rejected", NOTHING),
    ("accepted, attempted!", "accepted", "You have given a later answer: tried to reach the lead. Take that back first."),
    ("accepted, attempted", "accepted", "You have given a later answer: tried to reach the lead. Take that back first."),
    ("accepted, connected", "accepted", "You have given a later answer: reached the lead. Take that back first."),
    ("accepted, opportunity", "accepted", "You have given a later answer: made it an opportunity. Take that back first."),
    ("accepted, returned", "accepted", "You have given a later answer: returned. Take that back first."),
    ("accepted, handed", "accepted", "You have given a later answer: handed it to a colleague. Take that back first."),
    ("accepted, attempted, -attempted", "accepted", NOTHING),
    ("accepted, attempted!, -attempted!", "accepted", NOTHING),
    ("accepted, attempted, -attempted!", "accepted", "A later answer is being taken back right now."),
    ("accepted, opportunity, -opportunity", "accepted", NOTHING),
    ("accepted, attempted", "attempted", NOTHING),
    ("accepted, attempted, opportunity", "attempted", "made it an opportunity. Take that back first."),
    ("accepted, attempted, opportunity, -opportunity", "attempted", NOTHING),
    ("accepted, attempted, opportunity, -opportunity, -attempted", "accepted", NOTHING),
    ("accepted, attempted, opportunity", "accepted", "tried to reach the lead. Take that back first."),
    ("accepted, attempted, touch", "attempted", "Another attempt to reach the lead was noted since then."),
    ("accepted, crm Attempted", "accepted", "You have given a later answer: tried to reach the lead."),
    ("accepted, deadline", "accepted", "The agreed time for the next step has passed since then"),
    ("accepted, deadline, manager decides", "accepted", "The agreed time for the next step has passed since then"),
    ("accepted, suppressed", "accepted", "The handoff has ended since then: suppressed."),
    ("accepted, stuck", "accepted", "The lead is stuck right now"),
    ("accepted, -accepted, accepted", "accepted", NOTHING),
]


@pytest.mark.parametrize(("happened", "kind", "reason"), spread(CASES, one_in=2), ids=[f"{one[0]}: -{one[1]}" for one in CASES])
async def test_an_answer_is_taken_back_unless_something_builds_on_it(
    driver: Driver, box: Toolbox, taken: Taken, happened: str, kind: str, reason: str
) -> None:
    for did in happened.split(", "):
        await (noted(driver, box, taken) if did == "touch" else does(driver, box, taken, did))
    before = (newest(box, taken).stage, states(box, taken), touches_of(box, taken))

    undone = undo(box, taken, kind)

    assert (undone.taken_back, reason in undone.why, bool(undone.why)) == (not reason, True, bool(reason)), undone.why
    if reason:
        assert (newest(box, taken).stage, states(box, taken), touches_of(box, taken)) == before
    await driver.settle()
    if reason:
        assert states(box, taken) == before[1]
    else:
        assert newest(box, taken).stage == {"accepted": "assigned", "rejected": "assigned", "attempted": "accepted"}[kind]
        assert wait_of(box, taken).answer_id is None


async def noted(driver: Driver, box: Toolbox, taken: Taken) -> None:
    """A further attempt is noted, which is no answer to anything."""
    assert answer_by_link(box, taken, "connected").touched
    await driver.settle()


async def test_the_page_says_why_and_does_not_offer_what_would_be_refused(driver: Driver, box: Toolbox, taken: Taken) -> None:
    for did in ("accepted", "attempted"):
        await does(driver, box, taken, did)

    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))

    accepted, attempted = visit.answers
    assert (accepted.undo_until, attempted.undo_until is not None) == (None, True)
    assert accepted.stays_because == "You have given a later answer: tried to reach the lead. Take that back first."
    assert attempted.stays_because == ""


async def test_somebody_elses_answer_stays_theirs(driver: Driver, box: Toolbox, taken: Taken) -> None:
    await does(driver, box, taken, "accepted")
    other = capture(box)
    await driver.settle()
    token, answer = token_of(box, other), states(box, taken)

    undone = box.write_now(lambda session, now: answering.undo(session, OpenedLink(box, token), 1, now=now, device=""))

    assert (undone.taken_back, undone.why) == (False, "That is not your answer, so you cannot take it back.")
    assert states(box, taken) == answer


async def test_what_the_crm_says_before_an_undo_is_carried_out_keeps_the_answer(driver: Driver, box: Toolbox, taken: Taken) -> None:
    """It was taken back at the page, and before an attempt came to it sales was seen to work on the lead."""
    await does(driver, box, taken, "accepted")
    assert undo(box, taken, "accepted").taken_back
    await does(driver, box, taken, "crm Attempted")

    await driver.settle()

    assert states(box, taken) == [("accepted", "counted"), ("attempted", "counted")]
    assert (newest(box, taken).stage, wait_of(box, taken).kind, touches_of(box, taken)) == ("working", "outcome", ["attempted"])
    assert "undo-overtaken" in [event.kind for event in events_of(box, taken)]
    await driver.run(until=driver.time.at + timedelta(hours=10))
    assert [outcome for outcome, _ in news(box)] == ["accepted"]


async def test_while_an_undo_is_carried_out_nothing_that_builds_on_the_answer_can_be_answered(
    driver: Driver, box: Toolbox, taken: Taken
) -> None:
    await does(driver, box, taken, "accepted")
    owed = wait_of(box, taken)
    undo(box, taken, "accepted")

    reply = answer_by_link(box, taken, "attempted")
    with pytest.raises(ChoiceRefused, match="is being taken back right now"):
        box.write_now(
            lambda session, now: answering.answer_wait(
                session, owed.id, answering.SentForm("attempted", {}, via="prefect"), by="somebody", now=now, answered_at=now
            )
        )
    await driver.settle()

    assert (reply.won, reply.touched) == (False, False)
    assert (newest(box, taken).stage, wait_of(box, taken).kind, touches_of(box, taken)) == ("assigned", "acceptance", [])
    assert answer_by_link(box, taken, "rejected", reason="not-icp").won


async def test_a_deadline_that_passes_before_an_undo_is_carried_out_is_nobodys(
    driver: Driver, box: Toolbox, taken: Taken, time: SteppedTime
) -> None:
    """Of what came after an answer nobody owes anything any more once it was taken back."""
    await does(driver, box, taken, "accepted")
    owed = wait_of(box, taken)
    undo(box, taken, "accepted")
    time.at = owed.due_at
    assert box.write_now(lambda session, now: due.declare_missed(session, [owed.id], now=now)) == 1

    await driver.settle()

    assert [event.data["clock"] for event in events_of(box, taken) if event.kind == "missed"] == ["acceptance"]
    assert states(box, taken)[:2] == [("accepted", "undone"), ("deadline", "undone")]
    assert tenures(box, taken)[0].ended_because == "not answered in time"


class TestSharedMailbox:
    @pytest.fixture
    async def taken(self, driver: Driver, box: Toolbox) -> Taken:
        """A lead that came to a mailbox, and ben took it."""
        staff(box, MAILBOX, *OTHERS_AWAY)
        taken = capture(box)
        await driver.settle()
        assert answer_by_link(box, taken, "accepted", member="ben").won
        await driver.settle()
        assert newest(box, taken).rep == "ben"
        return taken

    async def test_a_lead_that_a_member_took_and_gives_back_is_the_mailboxes_again(
        self, driver: Driver, box: Toolbox, taken: Taken
    ) -> None:
        token = token_of(box, taken)
        assert undo(box, taken, "accepted").taken_back
        await driver.settle()

        handoff, wait = newest(box, taken), wait_of(box, taken)
        assert (handoff.stage, handoff.rep, handoff.owner) == ("assigned", "inbound", "inbound")
        assert [row.rep for row in tenures(box, taken)] == ["inbound"]
        assert (wait.kind, wait.holder) == ("acceptance", "inbound")
        assert token_of(box, taken) == token
        visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token), now=now))
        assert visit.members == (("ana", "Ana Silva"), ("ben", "Ben Carter"))

    async def test_another_member_may_take_it_then(self, driver: Driver, box: Toolbox, taken: Taken) -> None:
        undo(box, taken, "accepted")
        await driver.settle()

        assert answer_by_link(box, taken, "accepted", member="ana").won
        await driver.settle()

        assert (newest(box, taken).rep, wait_of(box, taken).holder) == ("ana", "ana")
        assert [row.rep for row in tenures(box, taken)] == ["ana"]

    async def test_an_attempt_taken_back_leaves_it_with_the_member(self, driver: Driver, box: Toolbox, taken: Taken) -> None:
        answer_by_link(box, taken, "attempted")
        await driver.settle()
        assert undo(box, taken, "attempted").taken_back
        await driver.settle()

        assert (newest(box, taken).rep, wait_of(box, taken).kind, wait_of(box, taken).holder) == ("ben", "first_attempt", "ben")

    async def test_of_a_lead_given_back_the_crm_never_hears(self, driver: Driver, box: Toolbox, taken: Taken) -> None:
        undo(box, taken, "accepted")
        await driver.settle()

        assert deliveries_of(box, taken)[("status", "crm")] == "cancelled"
