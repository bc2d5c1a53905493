"""Proof: the channels on which an assignment provably arrived, and since when; and messages that come back later."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.model import Proves
from agreements.words import NOBODYS, SEVERAL, BounceCause, ChannelName
from storage import answerers, handoffs, page_requests, roster, trail, wakes
from storage.database import ROWS_AT_ONCE
from storage.tables import Answer, Assignment, Delivery, DeliveryState, Handoff, Wait

#: The states of a message that can come back. One that was never sent cannot.
MAY_COME_BACK = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.CONFIRMED, DeliveryState.UNKNOWN)
#: The first words of the error of a delivery whose bounce does not count.
_READ = "came back after it was read: "


@dataclass(frozen=True, slots=True)
class Proof:
    """How far an assignment is proven. arrived: channel -> from when it counts; coming: from when the messages count that were sent and may
    still come back."""

    arrived: dict[ChannelName, datetime]
    coming: tuple[datetime, ...]

    def since(self, wanted: int) -> datetime | None:
        """When this many channels had proven it, None where they have not."""
        return _nth(list(self.arrived.values()), wanted)

    def expected(self, wanted: int) -> datetime | None:
        """When this many will have proven it if nothing comes back; None where too few were sent."""
        return _nth([*self.arrived.values(), *self.coming], wanted)


def _nth(instants: list[datetime], wanted: int) -> datetime | None:
    return sorted(instants)[wanted - 1] if len(instants) >= wanted else None


def proof_of(session: Session, assignment_id: str, counting: Collection[Proves], *, now: datetime, to: str = "") -> Proof:
    """The current proof that the rep of an assignment was told. counting: which messages count, as agreed.

    Messages to others than the rep, and on channels that nobody reads, count only where this is agreed. Two messages to one
    mailbox are one proof. to: the one of several people who are asked at once.
    """
    taken = (DeliveryState.SENT, DeliveryState.CONFIRMED)
    rows = session.exec(
        select(Delivery, Assignment.rep)
        .join(Assignment, col(Assignment.id) == col(Delivery.assignment_id), isouter=True)
        .where(Delivery.assignment_id == assignment_id, Delivery.message == "assigned", col(Delivery.state).in_(taken))
        .order_by(col(Delivery.id).desc())
    )
    told = [
        row for row, rep in rows if _proves(row, to or rep, counting) and (not to or row.person == to or row.channel == "manager-email")
    ]
    counts = {_counted_once(row, told): row.confirm_at or row.sent_at or now for row in told}
    arrived = {channel: at for channel, at in sorted(counts.items()) if at <= now}
    return Proof(arrived, tuple(at for at in counts.values() if at > now))


def _proves(row: Delivery, rep: str, counting: Collection[Proves]) -> bool:
    """Whether this message proves, as agreed, that the rep was told."""
    return (row.person == rep or "manager" in counting) and (not row.unread or "unread" in counting)


def proof_of_one(
    session: Session, assignment_id: str, people: Iterable[str], counting: Collection[Proves], *, wanted: int, now: datetime
) -> Proof:
    """The proof that one of these people was told: of the one who is the furthest. wanted: how many channels prove it."""
    found = [proof_of(session, assignment_id, counting, now=now, to=one) for one in people]

    def distance(one: Proof) -> tuple[bool, bool, datetime]:
        since, expected = one.since(wanted), one.expected(wanted)
        return since is None, expected is None, since or expected or now

    return min(found, key=distance, default=Proof({}, ()))


def _counted_once(row: Delivery, told: Sequence[Delivery]) -> ChannelName:
    """The channel as which this message counts: a manager's mail to somebody who got an e-mail too is in the same mailbox."""
    same_mailbox = row.channel == "manager-email" and any((one.channel, one.person) == ("email", row.person) for one in told)
    return "email" if same_mailbox else row.channel


def can_settle(session: Session, now: datetime) -> bool:
    """Whether a sent message counts as arrived by now, because it has not come back in the agreed time."""
    return session.exec(arrived_query(now).limit(1)).first() is not None


def arrived_query(now: datetime) -> Any:
    """A query for the ids of sent messages that have not come back in the agreed time."""
    return select(Delivery.id).where(Delivery.state == DeliveryState.SENT, col(Delivery.confirm_at) <= now)


def settle(session: Session, now: datetime) -> int:
    """Marks sent messages as arrived where they have not come back in the agreed time. Returns how many; one call does a few.

    Nothing is lost by leaving some for the next call: `proof_of` goes by the time, settled or not.
    """
    over = (col(Delivery.state) == DeliveryState.SENT, col(Delivery.confirm_at) <= now)
    next_few = select(Delivery.id).where(*over).order_by(col(Delivery.id)).limit(ROWS_AT_ONCE)
    settled = session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(next_few), *over)
        .values(state=DeliveryState.CONFIRMED.value)
        .execution_options(synchronize_session=False)
    )
    return int(settled.rowcount)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a message came back, as codes. hard: for good. code: such as 5.1.1, empty for none. about: such as address. elsewhere: the mail
    system names another address than the person's, as after a forward."""

    hard: bool = False
    code: str = ""
    about: BounceCause = "unknown"
    elsewhere: bool = False

    def facts(self) -> dict[str, Any]:
        """What the trail says about it."""
        told: dict[str, Any] = {"cause": "hard" if self.hard else "soft", "code": self.code, "about": self.about}
        return told | ({"elsewhere": True} if self.elsewhere else {})


def bounced(session: Session, delivery_id: int, *, why: str, now: datetime, cause: Cause = Cause()) -> bool:
    """Records, once, that a message came back, and wakes the run that may have counted it as proof; False where nothing changes.

    A message was read where its person has opened its page in a browser known as theirs. Its bounce is then recorded and changes nothing.
    why: what the mail system said. cause: the same as codes. Call inside a write transaction.
    """
    row = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None or row.state not in MAY_COME_BACK:
        return False
    if row.handoff_id and page_requests.seen_by(session, row.handoff_id, row.person, assignment_id=row.assignment_id, since=row.sent_at):
        _note_late(session, row, why, now)
        return False
    was, row.state, row.error = row.state, DeliveryState.BOUNCED, f"came back: {why}"[:500]
    row.permanent = cause.hard
    session.add(row)
    session.flush()
    handoff = session.get(Handoff, row.handoff_id) if row.handoff_id else None
    facts: dict[str, Any] = {"message": row.message, "to": row.person, "channel": row.channel, "was": str(was), "delivery_id": row.id}
    facts |= cause.facts()
    if handoff and _excuses(session, handoff, row, now):
        facts["excused"] = "acceptance"
    trail.record(session, "bounced", now=now, handoff=handoff, actor=f"channel:{row.channel}", **facts)
    tenure = handoffs.open_assignment(session, handoff) if handoff else None
    if handoff and tenure and handoff.stage == Stage.ASSIGNED and row.message == "assigned" and row.assignment_id == tenure.id:
        wakes.add(session, handoff.id, "bounce", key=f"bounce:{row.id}", not_before=now)
    return True


def _note_late(session: Session, row: Delivery, why: str, now: datetime) -> None:
    if row.error.startswith(_READ):
        return
    row.error = f"{_READ}{why}"[:500]
    session.add(row)
    facts: dict[str, Any] = {"message": row.message, "to": row.person, "channel": row.channel}
    handoff = session.get(Handoff, row.handoff_id)
    trail.record(session, "bounced-after-reading", now=now, handoff=handoff, actor=f"channel:{row.channel}", **facts)


def _excuses(session: Session, handoff: Handoff, row: Delivery, now: datetime) -> bool:
    """Whether the bounce excuses the rep for a missed answer, because the assignment had never provably reached them."""
    if row.message != "assigned" or not row.assignment_id:
        return False
    missed = select(Wait.id).where(Wait.assignment_id == row.assignment_id, Wait.kind == "acceptance", Wait.holder != SEVERAL)
    missed = missed.join(Answer, col(Answer.id) == col(Wait.answer_id)).where(Answer.kind == "deadline")
    agreed = handoffs.agreement_of(session, handoff).notify
    unproven = proof_of(session, row.assignment_id, agreed.proof.counts, now=now).since(agreed.confirmed_on) is None
    return unproven and session.exec(missed.limit(1)).first() is not None


def was_seen(session: Session, assignment_id: str) -> bool:
    """Whether the rep of this assignment ever asked for its page, or ever answered in another way.

    What somebody else looked at or answered does not count, even if they did it for the rep.
    """
    if not assignment_id or page_requests.seen(session, assignment_id):
        return bool(assignment_id)
    answered = select(Answer, Assignment.rep).join(Wait, col(Wait.id) == col(Answer.wait_id))
    answered = answered.join(Assignment, col(Assignment.id) == col(Wait.assignment_id))
    answered = answered.where(Wait.assignment_id == assignment_id, col(Answer.kind).not_in(NOBODYS))
    rows = session.exec(answered).all()
    return bool(rows) and any(answerers.is_own(roster.current(session), answer, rep) for answer, rep in rows)
