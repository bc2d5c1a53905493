"""Waits and their answers: everything that somebody must answer by a due time, and the one answer that counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal_column, update
from sqlmodel import Session, col, select

from agreements.words import ANSWERED, About, AnswerKind, Closed, EventKind, NoWord, Nudge, Via, WaitKind
from storage import enrolments, held, locks, trail, trail_lines, wakes
from storage.tables import Answer, AnswerState, Handoff, PersonalText, Wait


@dataclass(frozen=True, slots=True)
class NewWait:
    """A wait before it is opened. Instants are aware.

    promised_at: the agreed time, due_at where not given. next_at: the first look, else the first nudge or due_at. nudges: instants, each
    with what happens then. about: the kind where not given.
    """

    kind: WaitKind
    holder: str
    due_at: datetime
    about: About | NoWord = ""
    promised_at: datetime | None = None
    next_at: datetime | None = None
    nudges: Sequence[tuple[datetime, Nudge]] = ()
    assignment_id: str = ""
    rung: int = 0

    @classmethod
    def again(cls, wait: Wait, *, due_at: datetime, promised_at: datetime, rung: int) -> NewWait:
        """The same wait with another due time. The agreed time and the rung of its ladder are the caller's."""
        return cls(wait.kind, wait.holder, due_at, wait.about, promised_at, assignment_id=wait.assignment_id, rung=rung)


def open_wait(session: Session, handoff: Handoff, new: NewWait, *, now: datetime) -> Wait:
    """Opens the one wait of this handoff. The caller must have closed the wait before."""
    wait = Wait(
        handoff_id=handoff.id,
        kind=new.kind,
        about=new.about or new.kind,
        holder=new.holder,
        opened_at=now,
        due_at=new.due_at,
        promised_at=new.promised_at or new.due_at,
        next_at=new.next_at or min([new.due_at, *(at for at, _ in new.nudges)]),
        nudges=[[at.isoformat(), action] for at, action in new.nudges],
        assignment_id=new.assignment_id,
        rung=new.rung,
    )
    session.add(wait)
    session.flush()
    if mine := held.of(session, handoff.id):
        mine.wait = wait
    trail.record(session, "wait-opened", now=now, handoff=handoff, wait=new.kind, holder=new.holder, **times_for_trail(wait))
    return wait


def times_for_trail(wait: Wait) -> dict[str, Any]:
    """What a line of the trail says of a wait whose times are new. `baton verify` compares the wait with the newest such line."""
    return {"wait_id": wait.id, "due": wait.due_at.isoformat(), "promise": trail_lines.instant(wait.promised_at)}


def open_of(session: Session, handoff_id: int, *, lock: bool = False, alone: bool = False) -> Wait | None:
    """The open wait of a handoff, None for none. lock: keep others from answering or closing it until this transaction ends.

    alone: this transaction has locked the handoff. Everybody locks the handoff before they close a wait and open the next one.
    """
    if mine := held.of(session, handoff_id):
        return mine.open_wait  # locked by this transaction, so nobody else can have closed it or opened another
    query = select(Wait).where(Wait.handoff_id == handoff_id, col(Wait.closed_at).is_(None))
    if not lock:
        return session.exec(query).first()
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    # On PostgreSQL a row that was closed while we waited for its lock drops out; a second look finds its successor.
    return session.exec(locked).first() or (None if alone else session.exec(locked).first())


def close(session: Session, wait: Wait, *, because: Closed, now: datetime) -> None:
    """Closes a wait for good."""
    wait.closed_at, wait.closed_because = now, because
    session.add(wait)
    session.flush()
    _left_nurture(session, wait, because, now)


def close_unanswered(session: Session, wait: Wait, *, because: Closed, now: datetime) -> bool:
    """Closes a wait that nobody has answered; False, and nothing changed, where somebody was first."""
    closed: Any = session.execute(
        update(Wait)
        .where(col(Wait.id) == wait.id, col(Wait.answer_id).is_(None), col(Wait.closed_at).is_(None))
        .values(closed_at=now, closed_because=because)
        .execution_options(synchronize_session=False)
    )
    session.refresh(wait)
    if closed.rowcount:
        _left_nurture(session, wait, because, now)
    return bool(closed.rowcount)


def _left_nurture(session: Session, wait: Wait, because: Closed, now: datetime) -> None:
    """Every way out of nurture closes the wait for the next look, so here a lead leaves its track at the marketing automation."""
    if wait.kind == "revisit" and because != "revisited":
        enrolments.leave(session, wait.handoff_id, now=now)


def close_open(session: Session, handoff: Handoff, *, because: Closed, now: datetime) -> None:
    """Closes the open wait of a handoff, if there is one."""
    wait = open_of(session, handoff.id)
    if wait:
        close(session, wait, because=because, now=now)


#: The free text in an answer: it stays with the answer and does not go into the trail.
FREE_TEXT = ("statements",)
#: Values that are kept with an answer only while it is held.
WHILE_HELD = ("link_of",)
#: The most answers that are held: from one browser to open waits, and from one link in one handoff. Robots may press as often as they like;
#: nobody confirms more than this.
HELD_OF_BROWSER, HELD_OF_LINK = 10, 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for an answer: whether it counts, and which answer does (None where the wait ended without one)."""

    won: bool
    answer: Answer
    winner: Answer | None
    closed_because: Closed | NoWord = ""


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer before it is stored.

    via: the way it came, such as "link" or "crm". text: what the person wrote, kept apart from the codes in data. device: hash of the
    browser in which the answer was given, empty for none.
    """

    kind: AnswerKind
    by: str
    via: Via
    text: str = ""
    device: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def answer(
    session: Session,
    wait_id: str,
    new: NewAnswer,
    *,
    now: datetime,
    answered_at: datetime | None = None,
    effective_at: datetime | None = None,
) -> Verdict:
    """Stores an answer. The first answer to an open wait counts; every other is kept as late, and its Verdict names the first.

    Call inside a write transaction. answered_at (default now) decides the SLA; the wake goes into the same transaction, so that a stored
    answer is never forgotten.
    """
    wait = session.get(Wait, wait_id)
    assert wait is not None, "an answer is given to a wait that was looked up"
    handoff = session.get(Handoff, wait.handoff_id)
    assert handoff is not None, "a wait always has a handoff: the foreign key says so"
    kept = trail.keep_text(session, new.text, lead_id=handoff.lead_id)
    at = answered_at or now
    row = _stored(session, wait, new, kept, answered_at=at, effective_at=effective_at or at)
    return _judge(session, wait, handoff, row, kept, now)


def hold(session: Session, wait: Wait, new: NewAnswer, *, link_of: str, now: datetime) -> Answer | None:
    """Stores an answer that does not count yet: it closes nothing, wakes nothing and nobody gets a message about it.

    link_of: the person whose link it came through. Call inside a write transaction that has locked the wait. The same answer from the same
    browser twice is one, from its first time. Returns None and stores nothing where the limit of held answers is reached.
    """
    for row in held_of(session, wait.handoff_id, link_of=link_of, device=new.device):
        same = {name: value for name, value in row.data.items() if name not in WHILE_HELD} == new.data
        if (row.wait_id, row.kind, row.by) == (wait.id, new.kind, new.by) and same and _text_of(session, row) == new.text:
            return row
    if _is_full(session, wait, link_of=link_of, device=new.device):
        return None
    handoff = session.get(Handoff, wait.handoff_id)
    kept = trail.keep_text(session, new.text, lead_id=handoff.lead_id if handoff else None)
    row = _stored(session, wait, replace(new, data={**new.data, "link_of": link_of}), kept, answered_at=now, effective_at=now)
    row.state = AnswerState.HELD
    session.add(row)
    session.flush()
    return row


def note(session: Session, wait: Wait, new: NewAnswer, *, now: datetime) -> Answer:
    """Stores an answer that is kept and settles nothing: its wait stays open. Call inside a write transaction that has locked the wait."""
    handoff = session.get(Handoff, wait.handoff_id)
    kept = trail.keep_text(session, new.text, lead_id=handoff.lead_id if handoff else None)
    row = _stored(session, wait, new, kept, answered_at=now, effective_at=now)
    row.state = AnswerState.NOTED
    session.add(row)
    return row


def held_of(session: Session, handoff_id: int, *, link_of: str, device: str) -> list[Answer]:
    """The held answers that came from this browser through this person's link in this handoff, newest first."""
    query = select(Answer).where(Answer.handoff_id == handoff_id, Answer.state == AnswerState.HELD)
    rows = session.exec(query.order_by(col(Answer.id).desc()))
    return [row for row in rows if (row.device, row.data.get("link_of")) == (device, link_of)]


def _is_full(session: Session, wait: Wait, *, link_of: str, device: str) -> bool:
    """Whether no further answer can be held. Held answers to waits that are closed now count for the link, not for the browser."""
    of_handoff = session.exec(select(Answer.data).where(Answer.handoff_id == wait.handoff_id, Answer.state == AnswerState.HELD))
    if sum(data.get("link_of") == link_of for data in of_handoff) >= HELD_OF_LINK:
        return True  # exact: every transaction that holds an answer in this handoff has locked its open wait
    locks.take(session, [f"held {device}"])  # so that two answers at once in two handoffs are both counted
    query = select(func.count()).select_from(Answer).join(Wait, col(Wait.id) == Answer.wait_id)
    held_now = query.where(literal_column("answers.state = 'held'"), Answer.device == device, col(Wait.closed_at).is_(None))
    return session.exec(held_now).one() >= HELD_OF_BROWSER


def release(session: Session, row: Answer, wait: Wait, *, now: datetime, effective_at: datetime, **more: Any) -> Verdict:
    """Lets a held answer count from its own time, for a wait that is open now or was when it came. As in `answer`, the first one counts.
    more: further values to keep with the answer."""
    handoff = session.get(Handoff, wait.handoff_id)
    assert handoff is not None, "a wait always has a handoff: the foreign key says so"
    row.data = {name: value for name, value in row.data.items() if name not in WHILE_HELD} | more
    row.wait_id, row.state, row.effective_at = wait.id, AnswerState.COUNTED, effective_at
    session.add(row)
    session.flush()
    text = session.get(PersonalText, row.text_id) if row.text_id else None
    return _judge(session, wait, handoff, row, text, now)


def _text_of(session: Session, row: Answer) -> str:
    text = session.get(PersonalText, row.text_id) if row.text_id else None
    return text.text if text else ""


def _stored(
    session: Session, wait: Wait, new: NewAnswer, text: PersonalText | None, *, answered_at: datetime, effective_at: datetime
) -> Answer:
    row = Answer(
        wait_id=wait.id,
        handoff_id=wait.handoff_id,
        kind=new.kind,
        by=new.by,
        via=new.via,
        device=new.device,
        data=dict(new.data),
        text_id=text.id if text else None,
        answered_at=answered_at,
        effective_at=effective_at,
    )
    session.add(row)
    session.flush()
    return row


def _judge(session: Session, wait: Wait, handoff: Handoff, row: Answer, text: PersonalText | None, now: datetime) -> Verdict:
    if _claim(session, wait, row):
        _wake_for(session, row, now)
        _tell_trail(session, ANSWERED[row.kind], row, wait, handoff, text)
        return Verdict(True, row, row)
    row.state = AnswerState.LATE
    session.add(row)
    _tell_trail(session, "answered-late", row, wait, handoff, text, answer=row.kind)
    winner = session.get(Answer, wait.answer_id) if wait.answer_id else None
    return Verdict(False, row, winner, wait.closed_because)


def _claim(session: Session, wait: Wait, row: Answer) -> bool:
    claimed: Any = session.execute(
        update(Wait)
        .where(col(Wait.id) == wait.id, col(Wait.answer_id).is_(None), col(Wait.closed_at).is_(None))
        .values(answer_id=row.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(wait)
    return bool(claimed.rowcount)


def _wake_for(session: Session, row: Answer, now: datetime) -> None:
    wakes.add(session, row.handoff_id, "answer", key=f"answer:{row.id}", not_before=now)
    if row.effective_at > now:
        wakes.add(session, row.handoff_id, "effective", key=f"effective:{row.id}", not_before=row.effective_at)


def _tell_trail(
    session: Session, kind: EventKind, row: Answer, wait: Wait, handoff: Handoff, text: PersonalText | None, **more: Any
) -> None:
    facts = {name: value for name, value in row.data.items() if value and name not in FREE_TEXT}
    on_time = row.answered_at <= wait.promised_at
    about = {"answer_id": row.id, "wait_id": wait.id, "promise": trail_lines.instant(wait.promised_at)}
    known: dict[str, Any] = {"wait": wait.kind, "on_time": on_time, **facts, **more, "via": row.via, **about}
    trail.record(session, kind, now=row.answered_at, handoff=handoff, actor=row.by, text=text, **known)


def answer_of(session: Session, wait: Wait) -> Answer | None:
    """The answer that counts for this wait, None while there is none."""
    return session.get(Answer, wait.answer_id) if wait.answer_id else None


def missed_kinds(session: Session, handoff_id: int, *, except_about: About | NoWord = "") -> list[WaitKind]:
    """The kinds of waits in this handoff that nobody answered by the agreed time, in alphabetical order.

    A wait counts once its deadline was escalated, and also where the answer that counts came after the agreed time. except_about: waits
    about this have no agreed time and never count.
    """
    missed: Closed = "missed"
    late = (col(Wait.closed_because) == missed) | (col(Answer.answered_at) > col(Wait.promised_at))
    query = select(Wait.kind).join(Answer, col(Answer.id) == col(Wait.answer_id), isouter=True)
    query = query.where(Wait.handoff_id == handoff_id, late, Wait.about != except_about)
    rows: Iterable[Any] = session.exec(query)
    return sorted(set(rows))


def history(session: Session, handoff_id: int) -> list[tuple[Wait, Answer | None]]:
    """All waits of a handoff in order, each with the answer that counted."""
    rows = session.exec(select(Wait).where(Wait.handoff_id == handoff_id).order_by(col(Wait.opened_at)))
    return [(wait, answer_of(session, wait)) for wait in rows]
