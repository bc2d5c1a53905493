"""Two processes at one dispute: one objection, one ruling, and at most one new handoff, on either kind of database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from storage import contracts, disputes, handoffs, waits
from storage.tables import Activity, Assignment, Dispute, Event, Handoff
from tasks.background.revisit import look_again
from tasks.disputes import rulings as disputes_rulings
from tasks.replies.validation import ChoiceRefused
from tasks.steps.recycle import dispose
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.processes import side_by_side
from tests.racing import box_on, prepare
from tests.rows import a_handoff, all_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUNDS = 120
LATER = MONDAY + timedelta(days=1)
PAIRS = [("overturn", "uphold"), ("uphold", "overturn"), ("overturn", "overturn"), ("overturn", "revisit"), ("revisit", "overturn")]
PAIRS += [("raise", "raise"), ("overturn", "silence"), ("silence", "overturn")]


@dataclass(frozen=True)
class Matter:
    """One rejected lead. does: what either side does about it."""

    answer_id: int
    handoff_id: int
    revisit_id: str
    dispute_id: int
    does: tuple[str, str]


def rejected_leads(url: str, home: Path) -> list[Matter]:
    """So many leads in nurture whose rejection is disputed, or not yet where it is raced for raising."""
    prepare(url, home, MONDAY, [], agreement=AGREEMENT, people=ROSTER)
    box = box_on(url, home, MONDAY)
    found = box.write_now(lambda session, now: [_matter(session, PAIRS[number % len(PAIRS)], now) for number in range(ROUNDS)])
    box.database.close()
    toolbox.use(None)
    return found


def _matter(session: Session, does: tuple[str, str], now: datetime) -> Matter:
    handoff = a_handoff(session, now)
    handoffs.born_under(session, handoff, at=now, values={})
    tenure = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep="ana", team="emea", assigned_at=now, proven_at=now)
    session.add(tenure)
    session.flush()
    wait = waits.open_wait(session, handoff, waits.NewWait("acceptance", holder="ana", due_at=LATER, assignment_id=tenure.id), now=now)
    answer = waits.answer(session, wait.id, waits.NewAnswer("rejected", by="ana", via="race", data={"reason": "not-now"}), now=now).answer
    waits.close(session, wait, because="rejected", now=now)
    dispose(session, handoff, contracts.agreement_of(session, handoff.agreement, handoff.version), answer, now=now)
    lead = handoffs.lead_of(session, handoff)
    lead.job_title, lead.country, lead.values = "Head of Operations", "GB", {"industry": "logistics", "employees": 300}
    asked: dict[str, Any] = {"lead_id": lead.id, "key": f"demo-{lead.id}", "kind": "demo_requested", "received_at": LATER}
    session.add(Activity(at=now + timedelta(hours=2), **asked))  # something new, so that a revisit would bring it back
    revisit = waits.open_of(session, handoff.id)
    assert revisit is not None
    raised = 0 if does[0] == "raise" else disputes_rulings.raise_dispute(session, answer.id, "mina", "No.", now=now).id
    return Matter(answer.id, handoff.id, revisit.id, raised, does)


def act(side: int, together: Callable[[], None], url: str, home: Path, matters: list[Matter]) -> list[str]:
    """One side of the race: what came of each of its moves."""
    box, told = box_on(url, home, LATER), []
    for one in matters:
        move = _MOVES[one.does[side]]
        together()
        told.append(str(_moved(box, move, one)))
    box.database.close()
    return told


def _raise(session: Session, one: Matter, now: datetime) -> str:
    with suppress(ChoiceRefused):
        disputes_rulings.raise_dispute(session, one.answer_id, "mina", "No.", now=now)
        return "raised"
    return "refused"


def _silence(session: Session, one: Matter, now: datetime) -> bool:
    return disputes_rulings.settle_in_silence(session, one.dispute_id, now=now + timedelta(days=9))


Move = Callable[[Session, Matter, datetime], Any]


def _moved(box: Toolbox, move: Move, matter: Matter) -> object:
    return box.write_now(lambda session, now: move(session, matter, now))


_MOVES: dict[str, Move] = {
    "raise": _raise,
    "silence": _silence,
    "overturn": lambda session, one, now: disputes_rulings.decide(session, one.dispute_id, "overturned", "maria", now=now).won,
    "uphold": lambda session, one, now: disputes_rulings.decide(session, one.dispute_id, "upheld", "maria", now=now).won,
    "revisit": lambda session, one, now: look_again(session, one.revisit_id, now=now),
}


def test_whatever_two_processes_do_at_once_there_is_one_ruling_and_one_new_handoff_at_most(race_url: str, tmp_path: Path) -> None:
    matters = rejected_leads(race_url, tmp_path)

    told = list(zip(*side_by_side(act, race_url, tmp_path, matters), strict=True))

    by_answer = {row.answer_id: row for row in all_at(race_url, Dispute)}
    after = Counter(row.previous_id for row in all_at(race_url, Handoff) if row.previous_id)
    rulings = Counter(event.handoff_id for event in all_at(race_url, Event) if event.kind in ("dispute-upheld", "dispute-overturned"))
    for one, said in zip(matters, told, strict=True):
        row, ruled = by_answer[one.answer_id], set(one.does) & {"overturn", "uphold", "silence"}
        assert rulings[one.handoff_id] == (1 if ruled else 0), one
        assert after[one.handoff_id] == (1 if row.ruling == disputes.OVERTURNED or "revisit" in one.does else 0), one
        if one.does == ("raise", "raise"):
            assert sorted(said) == ["raised", "refused"]
    assert {row.ruling for row in by_answer.values()} == {"", "upheld", "overturned"}
