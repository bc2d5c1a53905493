"""`baton review --month` proposes: the drafts lie in the folder, `check` accepts them, and `diff` says what they change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from agreements.lifecycle import Stage
from app.review.making import make_due
from storage import time_offset
from storage.tables import Answer, Handoff, Lead, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.app.review.written_home import agree
from tests.conftest import AGREEMENT

HOUR = timedelta(hours=1)
#: The first of four Mondays of January, at ten.
JANUARY = datetime(2027, 1, 4, 10, tzinfo=UTC)


def late_answers(session: Session, now: datetime, *, monday: datetime = JANUARY, version: int = 1, due_after: int = 5) -> None:
    """Thirty-two leads of four Mondays; each was accepted after seven hours. due_after: after how many hours it was due."""
    for number in range(32):
        at = monday + timedelta(weeks=number % 4)
        lead = Lead(company="Harbour", created_at=at)
        session.add(lead)
        session.flush()
        handoff = Handoff(
            lead_id=lead.id, agreement="b2b-saas", version=version, tier="normal", stage=Stage.WORKING, rep="ana", owner="ana",
            created_at=at, mql_at=at, first_assigned_at=at,
        )  # fmt: skip
        session.add(handoff)
        session.flush()
        due, answered = at + due_after * HOUR, at + 7 * HOUR
        wait = Wait(
            handoff_id=handoff.id, kind="acceptance", about="acceptance", holder="ana",
            opened_at=at, due_at=due, promised_at=due, next_at=due, closed_at=answered,
        )  # fmt: skip
        session.add(wait)
        session.flush()
        answer = Answer(
            wait_id=wait.id, handoff_id=handoff.id, kind="accepted", by="ana", via="link", answered_at=answered, effective_at=answered
        )
        session.add(answer)
        session.flush()
        wait.answer_id = answer.id


def test_a_clock_that_nobody_keeps_comes_as_a_draft_that_check_accepts_and_diff_explains(
    baton: Command, box: Toolbox, tmp_path: Path
) -> None:
    box.write_now(late_answers)
    out, before = tmp_path / "out", tmp_path / "before.yaml"
    before.write_text(AGREEMENT, encoding="utf-8")

    done = baton("review", "--month", "--out", str(out))
    told = json.loads((out / "review.json").read_text(encoding="utf-8"))["proposals"]
    draft = out / "proposal-1.yaml"
    checked, compared = baton("agreement", "check", str(draft)), baton("agreement", "diff", str(before), str(draft))

    assert done.exit_code == 0, done.output
    assert [(one["proposal"]["kind"], one["proposal"]["subject"]) for one in told] == [("clock", "acceptance")]
    assert "Proposal 1" in done.output
    assert "Agree 2 times as long" in done.output
    assert "the same answers would have kept 32 of 32 (100.0 %) instead of 0 of 32 (0.0 %)" in done.output
    assert "baton agreement publish proposal-1.yaml\n  baton agreement send-for-signature b2b-saas@2" in done.output
    assert told[0]["draft"] == draft.read_text(encoding="utf-8")
    assert (checked.exit_code, "b2b-saas@2 is fine." in checked.output) == (0, True), checked.output
    assert "8 working hours" in compared.output
    assert "Proposals" in (out / "review.html").read_text(encoding="utf-8")


def test_a_month_without_a_cause_proposes_nothing_and_a_week_is_not_asked(baton: Command, tmp_path: Path) -> None:
    month, week = (json.loads(baton("review", name, "--json", "-").stdout)["proposals"] for name in ("--month", "--week"))

    assert (month, week) == ([], None)
    assert "No change to the agreement is proposed" in baton("review", "--proposals").output


def test_an_earlier_draft_is_taken_away(baton: Command, tmp_path: Path) -> None:
    (tmp_path / "proposal-2.yaml").write_text("old", encoding="utf-8")

    baton("review", "--month", "--out", str(tmp_path))

    assert not (tmp_path / "proposal-2.yaml").exists()


async def test_the_monthly_review_that_comes_by_itself_proposes_and_the_weekly_one_does_not(box: Toolbox, time: SteppedTime) -> None:
    time.at = datetime(2027, 4, 5, 9, tzinfo=UTC)

    made = await make_due(box)

    assert {one.due.kind: one.review.proposals for one in made} == {"weekly": None, "monthly": ()}


async def test_what_was_decided_about_a_proposal_is_followed_until_the_figure_has_moved(
    baton: Command, box: Toolbox, time: SteppedTime
) -> None:
    """The clock is proposed in April for March, decided, and in the agreement from May on. Leads of May are judged by the new clock."""
    box.write_now(lambda session, now: late_answers(session, now, monday=datetime(2027, 3, 1, 10, tzinfo=UTC)))
    at(box, time, datetime(2027, 4, 5, 9, tzinfo=UTC))
    monthly = [one for one in await make_due(box) if one.due.kind == "monthly"][-1]
    [proposed] = monthly.review.proposals or ()

    kept = baton("review", "decide", "Twice the time until the summer", "--proposal", "1")
    before = baton("review", "--from", "2027-04-01", "--to", "2027-04-04").output

    box.write_now(lambda session, now: agree(session, proposed.draft, now=now))
    may = datetime(2027, 5, 3, 10, tzinfo=UTC)
    box.write_now(lambda session, now: late_answers(session, now, monday=may, version=2, due_after=9))
    at(box, time, datetime(2027, 6, 1, 9, tzinfo=UTC))
    after = baton("review", "--month")

    assert "Decision 1 is kept, about this proposal: Nobody keeps the clock for 'acceptance'." in kept.output, kept.output
    assert "Not in the agreement. Promises kept: 0 of 32 (0.0 %) from 1 Mar 2027 to 31 Mar 2027, 0 of 0 in this review." in before, before
    assert "In the agreement since version 2, from 1 May 2027." in after.output
    assert "Promises kept: 0 of 32 (0.0 %) from 1 Mar 2027 to 31 Mar 2027, 32 of 32 (100.0 %) since under that version." in after.output


def at(box: Toolbox, time: SteppedTime, instant: datetime) -> None:
    """Move the time of the box, and that of the command."""
    time.at = instant
    box.write_now(lambda session, now: time_offset.leap_to(session, now))


def test_a_proposal_can_be_named_by_the_file_of_a_review(baton: Command, box: Toolbox, tmp_path: Path) -> None:
    box.write_now(late_answers)
    baton("review", "--month", "--out", str(tmp_path))
    report = str(tmp_path / "review.json")

    kept = baton("review", "decide", "Talk first", "--proposal", "1", "--report", report)
    refused = baton("review", "decide", "Talk first", "--proposal", "2", "--report", report)
    broken = baton("review", "decide", "Talk first", "--proposal", "1", "--report", str(tmp_path / "proposal-1.yaml"))

    assert "Decision 1 is kept, about this proposal: Nobody keeps the clock" in kept.output
    assert "Nobody keeps the clock" in baton("review", "decisions").output
    assert (refused.exit_code, "That review has 1 proposal, and so no proposal 2." in refused.output) == (1, True), refused.output
    assert (broken.exit_code, "is no review." in broken.output) == (1, True), broken.output
