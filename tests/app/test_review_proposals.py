"""`baton review --month` proposes: the drafts lie in the folder, `check` accepts them, and `diff` says what they change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from agreements.lifecycle import Stage
from app.review.making import make_due
from storage.tables import Answer, Handoff, Lead, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.conftest import AGREEMENT

HOUR = timedelta(hours=1)
#: Mondays of January at ten.
MONDAYS = [datetime(2027, 1, day, 10, tzinfo=UTC) for day in (4, 11, 18, 25)]


def late_answers(session: Session, now: datetime) -> None:
    """Thirty leads of January; each was accepted, but two hours after the agreed four."""
    for number in range(32):
        at = MONDAYS[number % 4]
        lead = Lead(company="Harbour", created_at=at)
        session.add(lead)
        session.flush()
        handoff = Handoff(
            lead_id=lead.id, agreement="b2b-saas", version=1, tier="normal", stage=Stage.WORKING, rep="ana", owner="ana",
            created_at=at, mql_at=at, first_assigned_at=at,
        )  # fmt: skip
        session.add(handoff)
        session.flush()
        due, answered = at + 5 * HOUR, at + 7 * HOUR
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
    assert "The draft is proposal-1.yaml" in done.output
    assert "On 32 past leads the draft gives as many MQLs as now" in done.output
    assert told[0]["draft"] == draft.read_text(encoding="utf-8")
    assert told[0]["tried"]["leads"] == 32
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
