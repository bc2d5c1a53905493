"""End to end, from the rows of a home to the drafts in a folder: a review names the cause that was planted in its quarter, and only it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session

from agreements.review.period import Period
from app.review.report import Review
from app.review.review import report
from storage.database import UtcDateTime
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.app.review.made_lives import LAST, NOW, QUARTER, Life
from tests.app.review.made_quarter import IDLE, the_text
from tests.app.review.quarters import LONG_AGO, PLANTED, WITHOUT, live_through
from tests.app.review.written_home import NAME
from tests.examples import only_at_night

#: The seeds before a change, and those of the night.
ONE, MORE = (1,), range(2, 11)
#: The quarters of `make test`. The clock has a cheaper test of its own in tests/app/test_review_proposals.py.
THE_THREE = tuple(name for name in PLANTED if "clock" not in name)
FRIENDLESS = ("every cause at once, but 19 leads", "all leads alike")
DAYS = ("--from", f"{QUARTER}", "--to", f"{LAST}")


def seeds(names: Sequence[str], *, each_day: Sequence[str]) -> list[Any]:
    """Return each name with its seeds: `make test` tries cheap ones, `make test-long` every name, and the night all."""
    daily = [(name, seed) for name in each_day for seed in ONE]
    dearer = [pytest.param(name, seed, marks=pytest.mark.long) for name in names if name not in each_day for seed in ONE]
    nightly = [pytest.param(name, seed, marks=[pytest.mark.long, only_at_night()]) for name in names for seed in MORE]
    return [*daily, *dearer, *nightly]


def reviewed(box: Toolbox) -> Review:
    """Return the review of the quarter, with its proposals."""
    return box.read_now(lambda session, now: report(session, NAME, Period(QUARTER, LAST, "Europe/London", now), proposing=True))


@pytest.fixture
def time() -> SteppedTime:
    """The time of the review."""
    return SteppedTime(NOW)


@pytest.mark.parametrize(("name", "seed"), seeds(list(PLANTED), each_day=THE_THREE))
def test_the_planted_cause_is_named_with_a_draft_that_check_accepts_and_diff_explains(
    name: str, seed: int, baton: Command, box: Toolbox, time: SteppedTime, tmp_path: Path
) -> None:
    quarter, cause = PLANTED[name]
    if seed in MORE:  # a clear cause is found in few leads, and any in more
        quarter = replace(quarter, law=replace(quarter.law, leads=5_000))
    lived = live_through(quarter, box, time, seed=seed)
    out, before = tmp_path / "out", tmp_path / "before.yaml"
    before.write_text(the_text(2, effective={"from": LONG_AGO}, **quarter.versions[2].changes), encoding="utf-8")

    done = baton("review", *DAYS, "--proposals", "--out", str(out))
    checked = baton("agreement", "check", str(out / "proposal-1.yaml"))
    compared = baton("agreement", "diff", str(before), str(out / "proposal-1.yaml"))

    assert done.exit_code == 0, (done.output, done.exception)
    told = json.loads((out / "review.json").read_text(encoding="utf-8"))
    assert [(one["proposal"]["kind"], one["proposal"]["subject"]) for one in told["proposals"]] == [cause]
    assert (checked.exit_code, "b2b-saas@3 is fine." in checked.output) == (0, True), checked.output
    proposed = told["proposals"][0]
    limit = proposed["proposal"]["changes"][0]["value"]
    assert DIFFERENCES.get(cause[0], limit) in compared.output
    assert told_of(proposed) == recounted(cause[0], lived, box, told)
    assert [line for line in (proposed["proposal"]["what"], *proposed["proposal"]["grounds"]) if line not in done.output] == []


#: What `diff` says of the draft; of a reason, its limit.
DIFFERENCES: Mapping[str, str] = {"threshold": "60", "criterion": IDLE, "clock": "8 working hours"}


def told_of(proposed: dict[str, Any]) -> tuple[int, ...]:
    """Return what the backtest says: MQLs now and then, and of each the won ones of the decided. Without one, the figure."""
    tried = proposed["tried"]
    if tried is None:
        return (proposed["figure"]["count"], proposed["figure"]["of"])
    return (tried["now"], tried["then"], *(tried[side][part] for side in ("now_won", "then_won") for part in ("count", "of")))


def recounted(cause: str, lived: Sequence[Life], box: Toolbox, told: dict[str, Any]) -> tuple[int, ...]:
    """Count the same again: the backtest from the lives themselves, the figure by SQL."""
    of = Period(QUARTER, LAST, "Europe/London", NOW)
    if cause in ("reason", "clock"):
        return box.read_now(lambda session, now: _by_sql(session, REASON if cause == "reason" else CLOCK, of))
    idle, threshold = (25, 50) if cause == "criterion" else (0, 60)
    age = timedelta(seconds=next(one["seconds"] for one in told["maturities"] if one["step"] == "opportunity"))
    now = [one for one in lived if one.points >= 50]
    then = [one for one in lived if one.points - idle * one.facts[IDLE] >= threshold]
    decided = [[one for one in side if one.at <= NOW - age] for side in (now, then)]
    return (len(now), len(then), *(count for side in decided for count in (sum(one.fate == "opportunity" for one in side), len(side))))


#: Of the leads that sales got in the quarter, those that it gave back in the quarter for the reason.
REASON = """
SELECT sum(CASE WHEN EXISTS (
  SELECT 1 FROM answers a WHERE a.handoff_id = h.id AND a.answered_at < :ends AND CAST(a.data AS TEXT) LIKE '%"not-icp"%'
) THEN 1 ELSE 0 END), count(*)
FROM handoffs h WHERE h.first_assigned_at >= :begins AND h.first_assigned_at < :ends"""
#: Of the acceptances that were due in the quarter, those that came in time. A lead that marketing should not have sent is nobody's miss.
CLOCK = """
SELECT sum(CASE WHEN a.answered_at <= w.promised_at THEN 1 ELSE 0 END), count(*) FROM waits w JOIN answers a ON a.wait_id = w.id
WHERE w.kind = 'acceptance' AND w.promised_at >= :begins AND w.promised_at < :ends AND NOT EXISTS (
  SELECT 1 FROM answers b WHERE b.handoff_id = w.handoff_id AND CAST(b.data AS TEXT) LIKE '%"not-icp"%' AND b.answered_at < :ends)"""


def _by_sql(session: Session, sql: str, of: Period) -> tuple[int, ...]:
    query = text(sql).bindparams(*(bindparam(name, type_=UtcDateTime) for name in ("begins", "ends")))
    return tuple(session.execute(query, {"begins": of.begins, "ends": of.ends}).one())


@pytest.mark.parametrize(("name", "seed"), seeds(list(WITHOUT), each_day=FRIENDLESS))
def test_nothing_is_proposed_for_a_quarter_without_a_cause(name: str, seed: int, box: Toolbox, time: SteppedTime) -> None:
    live_through(WITHOUT[name], box, time, seed=seed)

    found = reviewed(box)

    assert [(one.proposal.kind, one.proposal.subject, one.proposal.grounds) for one in found.proposals or ()] == []
