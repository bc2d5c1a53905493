"""Two processes that do something to the same wait at the same instant, a thousand times."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from agreements.errors import HandoffError
from agreements.lifecycle import Stage
from agreements.words import SEVERAL, AnswerKind, GivenAnswer, NoWord
from flows.going import Going
from notifications.links import Links
from storage import due, handoffs, leases, offers, roster, schema, waits
from storage.contracts import NewSignature, mark_deployed, publish, sign
from storage.crm.local import LocalCrm
from storage.database import Database
from storage.tables import Answer, Assignment
from storage.version_migration import Happens, InFlight, Mark
from tasks.background.migrate_version import withdraw
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.processes import side_by_side
from tests.rows import a_handoff

#: How much longer the winner waits in the next round of that kind: a share of its last wait, plus seconds.
SHARE, STEP_SECONDS = 0.3, 0.000_25
LONGEST_HANDICAP_SECONDS = 0.1


@dataclass(frozen=True)
class Round:
    """One wait to race for. does: the action of each side."""

    wait_id: str
    handoff_id: int
    assignment_id: str
    epoch: int
    does: tuple[str, str]


@dataclass
class Told:
    """The replies to one side, round by round: whether it won, and the winner's kind or why not. errors: tracebacks of failures."""

    replies: list[tuple[bool, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def box_on(url: str, home: Path, at: datetime) -> Toolbox:
    """Return a toolbox on that database, as each process of an installation has one."""
    links = Links(["a-key-for-tests-only"], "http://baton.test")
    box = Toolbox(Settings(home=home, undo_minutes=0), Database(url), LocalCrm(home / "crm.db"), {}, links, SteppedTime(at))
    toolbox.use(box)
    return box


def race(url: str, home: Path, at: datetime, rounds: Sequence[Round]) -> tuple[Told, Told]:
    """Run each side in its own process, both at once in every round. Return the replies to each."""
    one, other = side_by_side(_run, url, home, at, list(rounds))
    return one, other


def _run(side: int, together: Callable[[], None], url: str, home: Path, at: datetime, rounds: list[Round]) -> Told:
    """Run one side of the race.

    Which of two steps is quicker depends on the machine, and a race that the same step always wins proves nothing. So the
    winner starts a little later in the next round against the same other step, and the loser a little sooner. Then each step
    wins about half of the rounds on any machine. The handicap belongs to the pair of steps, not to the side: the two sides
    take turns in the steps.
    """
    told = Told()
    handicaps: dict[tuple[str, str], float] = {}
    box = box_on(url, home, at)
    with asyncio.Runner() as runner:
        for one in rounds:
            how, _, what = one.does[side].partition(":")
            pair = (how, one.does[1 - side].partition(":")[0])
            handicap = handicaps.get(pair, 0.0)
            ready = _DOES[how](box, one, what)
            can_tell = how == "park" or "park" not in one.does  # against a run that parks, an answer always wins
            together()
            if can_tell:
                time.sleep(handicap)
            try:
                told.replies.append(runner.run(ready()))
            except Exception:
                told.errors.append(traceback.format_exc(limit=-3))
                told.replies.append((False, "error"))
            if can_tell:
                handicaps[pair] = _next_handicap(handicap, first=told.replies[-1][0])
    box.database.close()
    return told


def _next_handicap(seconds: float, *, first: bool) -> float:
    """Return the seconds to wait in the next round. They grow with each win, so that the handicap can even out any head start."""
    by = seconds * SHARE + STEP_SECONDS
    return min(LONGEST_HANDICAP_SECONDS, max(0.0, seconds + (by if first else -by)))


Ready = Callable[[], Coroutine[Any, Any, tuple[bool, str]]]


def _answer(box: Toolbox, one: Round, kind: AnswerKind) -> Ready:
    """Answer through the function that all doors use in the end."""

    async def go() -> tuple[bool, str]:
        verdict = await box.write(
            lambda session, now: waits.answer(session, one.wait_id, waits.NewAnswer(kind, by=f"by-{kind}", via="link"), now=now)
        )
        return verdict.won, verdict.winner.kind if verdict.winner else ""

    return go


def _link(box: Toolbox, one: Round, kind: GivenAnswer | NoWord) -> Ready:
    """Answer through the rep's link."""
    token = box.links.for_tenure(one.assignment_id).rpartition("/")[2]
    fields = {"reason": "not-now"} if kind == "rejected" else {}

    async def go() -> tuple[bool, str]:
        reply = await box.write(
            lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm(kind, fields), now=now)
        )
        return reply.won, reply.winner.kind if reply.winner else ""

    return go


def _offered(kind: GivenAnswer) -> Callable[[Toolbox, Round, str], Ready]:
    """Answer as one of several reps who are asked about the same lead."""

    def ready(box: Toolbox, one: Round, rep: str) -> Ready:
        ident = box.read_now(lambda session, now: offers.link_id(session, one.assignment_id, rep))
        token = box.links.for_tenure(ident).rpartition("/")[2]
        form = answering.SentForm(kind, {"reason": "not-now"} if kind == "rejected" else {})

        async def go() -> tuple[bool, str]:
            reply = await box.write(lambda session, now: answering.answer(session, OpenedLink(box, token), form, now=now))
            return reply.won, reply.winner.by if reply.winner else reply.ended

        return go

    return ready


def _park(box: Toolbox, one: Round, _: str) -> Ready:
    """Park, as an attempt does after it has opened the wait. True if it parks; otherwise it saw the answer and acts on it."""
    going = Going(box, one.handoff_id, one.epoch, "")

    async def go() -> tuple[bool, str]:
        await asyncio.to_thread(going.take_steps)
        return going.rest is not None, ""

    return go


def _recall(box: Toolbox, one: Round, under: str) -> Ready:
    """Recall the lead from its rep, as a deploy does that listed it before. The lead restarts under the other version."""
    mark = Mark(Stage.ASSIGNED, "acceptance", 1, wait_id=one.wait_id, tenure_id=one.assignment_id)
    lead_id = box.read_now(lambda session, now: handoffs.get(session, one.handoff_id).lead_id)
    listed = InFlight(
        one.handoff_id, lead_id, "", Stage.ASSIGNED, "b2b-saas@1", "ana", "acceptance", None, Happens.RECALLED, mark, under=under
    )

    async def go() -> tuple[bool, str]:
        why = await box.write(lambda session, now: withdraw(session, listed, actor="race", now=now))
        return not why, why

    return go


def _missed(box: Toolbox, one: Round, _: str) -> Ready:
    """Declare the wait missed, as a worker does with many waits at once. True if the miss counts."""

    async def go() -> tuple[bool, str]:
        return await box.write(lambda session, now: due.declare_missed(session, [one.wait_id], now=now)) == 1, "deadline"

    return go


def _undo(box: Toolbox, one: Round, kind: GivenAnswer) -> Ready:
    """Undo the rep's answer of that kind through the rep's link."""
    token = box.links.for_tenure(one.assignment_id).rpartition("/")[2]
    query = select(Answer.id).where(Answer.handoff_id == one.handoff_id, Answer.kind == kind)
    answer_id = box.read_now(lambda session, now: session.exec(query).one())

    async def go() -> tuple[bool, str]:
        undone = await box.write(lambda session, now: answering.undo(session, OpenedLink(box, token), answer_id or 0, now=now, device=""))
        return undone.taken_back, undone.why

    return go


_DOES: dict[str, Callable[[Toolbox, Round, Any], Ready]] = {
    "answer": _answer,
    "missed": _missed,
    "link": _link,
    "claim": _offered("accepted"),
    "decline": _offered("rejected"),
    "park": _park,
    "recall": _recall,
    "undo": _undo,
}


def prepare(url: str, home: Path, at: datetime, does: Sequence[tuple[str, str]], *, agreement: str, people: str) -> list[Round]:
    """Create a wait for acceptance for each of these rounds. Its attempt holds the lease and has not parked yet."""
    box = box_on(url, home, at)
    schema.upgrade(box.database)

    def found(session: Session, now: datetime) -> list[Round]:
        roster.load(session, people, now=now)
        version = publish(session, agreement, now=now)
        for party in ("marketing", "sales"):
            sign(session, version, NewSignature(party, party, "cli"), now=now)
        mark_deployed(session, version, deployment_id="", now=now)
        return [_round(session, pair, now) for pair in does]

    rounds = box.write_now(found)
    box.database.close()
    toolbox.use(None)
    return rounds


def _round(session: Session, does: tuple[str, str], now: datetime) -> Round:
    handoff = a_handoff(session, now)
    handoffs.born_under(session, handoff, at=now, values={})
    several = [one.partition(":")[2] for one in does if one.startswith(("claim", "decline"))]
    rep = SEVERAL if several else "ana"
    tenure = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep=rep, team="emea", assigned_at=now, proven_at=now)
    session.add(tenure)
    session.flush()
    if several:
        handoff.rep = SEVERAL
        offers.make(session, tenure, dict.fromkeys(["ana", "ben"], 1), now=now)
    epoch = leases.take(session, handoff.id, by="race", real=datetime.now(UTC))
    if epoch is None:
        raise HandoffError("a new handoff has no lease yet")
    wait = waits.open_wait(session, handoff, waits.NewWait("acceptance", holder=rep, due_at=now, assignment_id=tenure.id), now=now)
    return Round(wait.id, handoff.id, tenure.id, epoch, does)
