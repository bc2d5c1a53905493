"""Answering: take every answer of a person, from every channel. The page behind a link is in link_page.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import MAX_SHORT, MAX_TEXT, storable
from agreements.model import Agreement
from agreements.words import ATTEMPTS, AnswerKind, Attempt, GivenAnswer, NoWord, Via, word
from storage import devices, handoffs, roster, undoing, waits
from storage.tables import Answer, AnswerState, Level, Wait
from tasks.choices import CHANNELS, DUTIES, LABELS, REP_CHOICES, Option, options, rep_choices
from tasks.replies import number_check, offered
from tasks.replies.answered_for import tell_rep, tell_rep_of_attempt
from tasks.replies.browsers import Sender, forwarding, is_unproven, tell_addressee, was_before
from tasks.replies.link_page import ReplyContext, ShownAnswer, Visit, answers_at, given, missing_of, place_of, visit
from tasks.replies.opened_link import OpenedLink
from tasks.replies.undo_refusal import in_words
from tasks.replies.validation import ChoiceRefused, data_of, refuse_gaps
from tasks.steps.follow_up import NewTouch, touch
from tasks.wiring.toolbox import Toolbox

__all__ = [
    "LABELS", "REP_CHOICES", "ChoiceRefused", "ShownAnswer", "Option", "Reply", "Sender", "Undone", "Visit", "answer", "answer_wait",
    "confirm", "undo", "visit",
]  # fmt: skip

#: The answers that cannot be taken back.
_FOR_GOOD: tuple[AnswerKind, ...] = ("completed", "decided")
_FULL = (
    "Your answer was not kept, because too many answers already wait for their code here. Please send it together with the code"
    " from the message. Then it counts at once."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of an answer. won: it counts, or the same answer counts already; otherwise `winner` or `ended` says why not.

    touched: an attempt was noted. held: id of an answer that counts only after the code from the message. refused: why the
    code was not taken. needs_number: the answer was not kept, and is taken only together with the code. promoted: from now on the
    browser is known by its next cookie.
    """

    won: bool
    kind: AnswerKind | NoWord
    winner: ShownAnswer | None = None
    ended: str = ""
    touched: bool = False
    undo_until: datetime | None = None
    held: int = 0
    refused: str = ""
    promoted: bool = False
    needs_number: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A complete answer, ready to be counted. at: when it was sent, aware; row: its row if it was held until now."""

    kind: AnswerKind
    by: str
    via: Via
    at: datetime
    text: str
    data: dict[str, Any]
    key: str
    row: Answer | None = None


def kind_of(text: str) -> GivenAnswer | NoWord:
    """Return the answer that a text from a form names, empty for none."""
    return word(text, LABELS) or ""


@dataclass(frozen=True, slots=True)
class SentForm:
    """An answer as somebody sent it. kind: empty where what was sent is no answer (`kind_of` reads it).

    fields: reason, text, colleague, into, revisit_on and renewal_date (dates), channel, refused, choice, member, note_wrong (names of
    statements, separated by commas), and statements by name. key: of one display of the page, so that pressing twice makes one touch.
    number: the code as it was typed with the answer; Baton checks it only where the answer needs it.
    """

    kind: GivenAnswer | NoWord
    fields: Mapping[str, str]
    via: Via = "link"
    key: str = ""
    number: str = ""


def answer(session: Session, link: OpenedLink, sent: SentForm, *, now: datetime, sender: Sender | None = None) -> Reply:
    """Gives an answer through a link, or holds it if the sender may have been a robot. Call inside a write transaction.
    If too many answers are held already, nothing is stored, and the answer must come with the code (needs_number).

    sender: the browser, None if a person is known to answer. Raises LinkInvalid; ChoiceRefused, which says what is missing.
    Nothing is stored then.
    """
    kind, fields = sent.kind, sent.fields
    place = place_of(session, link, now=now, lock=True)
    unproven = sender is not None and is_unproven(session, sender, place.person, now=now)
    settled = _settled(session, place, now)
    again = settled is not None and settled.mine and settled.kind == kind and not place.ended
    if place.wait is None or not place.options:
        if not again and not unproven and (known := word(kind, LABELS)):
            _keep_late(session, place, known, sent, now)
        return Reply(again, kind, winner=settled, ended="" if again else place.ended or "There is nothing to answer here right now.")
    if kind not in {option.kind for option in place.options}:
        if kind in LABELS and settled is not None:
            return Reply(again, kind, winner=settled, ended="" if again else "This was already answered.")
        raise ChoiceRefused("Please choose one of the answers.")
    by = _taker(place, fields)
    data = data_of(session, place.handoff, place.agreement, place.people, place.wait, kind, fields)
    if place.wait.kind == "note":
        refuse_gaps(missing_of(session, place), fields)
    text = fields.get("text", "")
    if sender and unproven:
        new = waits.NewAnswer(kind, by=by, device=sender.device, via=sent.via, text=text, data=data)
        row = waits.hold(session, place.wait, new, link_of=place.person, now=now)
        if row is not None:
            return Reply(False, kind, held=row.id)
        if refused := _refuse_without_number(session, link, place, sent.number, sender, now):
            return Reply(False, kind, refused=refused, needs_number=True)
    was, promoted = was_before(session, sender, place.person, now=now) if sender else "", False
    if sender and unproven:
        device = devices.promote(session, sender.device, place.person, level=devices.KNOWN, becomes=sender.becomes, now=now)
        sender, promoted = replace(sender, device=device), device != sender.device
    said = Submission(kind, by, sent.via, now, text, data, key=f"touch:{sent.key or now.isoformat()}")
    reply = _count(session, link.box, place, said, sender, now=now, was=was)
    return replace(reply, promoted=promoted)


def _refuse_without_number(session: Session, link: OpenedLink, place: ReplyContext, number: str, sender: Sender, now: datetime) -> str:
    """Return why an answer that cannot be held does not count; empty if the right code came with it."""
    if not number:
        return _FULL
    return number_check.check(session, link, place.person, number, device=sender.device, kept="what you typed", now=now)


def confirm(session: Session, link: OpenedLink, answer_id: int, typed: str, *, now: datetime, sender: Sender) -> Reply:
    """Counts a held answer from when it was sent, if `typed` is the code from the message. The browser is known from then on.
    Call inside a write transaction. Raises LinkInvalid; ChoiceRefused if no such answer is held."""
    place = place_of(session, link, now=now, lock=True)
    held = waits.held_of(session, place.handoff.id, link_of=place.person, device=sender.device)
    row = next((one for one in held if one.id == answer_id), None)
    if row is None:
        settled = _settled(session, place, now)
        if settled is not None and settled.answer_id == answer_id:
            return Reply(True, settled.kind, winner=settled)
        raise ChoiceRefused("No answer here waits for a code. Please choose again.")
    if refused := number_check.check(session, link, place.person, typed, device=sender.device, kept="your answer", now=now):
        return Reply(False, row.kind, held=answer_id, refused=refused)
    was = devices.level(session, sender.device, place.person, now=now)
    device = devices.promote(session, sender.device, place.person, level=devices.KNOWN, becomes=sender.becomes, now=now)
    data = {name: value for name, value in row.data.items() if name not in waits.WHILE_HELD}
    said = Submission(row.kind, row.by, row.via, row.answered_at, "", data, key=f"held:{row.id}", row=row)
    reply = _count(session, link.box, place, said, replace(sender, device=device), now=now, was=was)
    return replace(reply, promoted=device != sender.device)


def _count(
    session: Session, box: Toolbox, place: ReplyContext, said: Submission, sender: Sender | None, *, now: datetime, was: Level | NoWord
) -> Reply:
    """Counts an answer that a person gave. If somebody other than the addressee gave it, the addressee gets a message."""
    about = forwarding(session, sender, place, was=was, now=now) if sender else {}
    wait = place.wait if said.kind in {option.kind for option in place.options} else None
    if wait is not None and wait.kind == "outcome" and (tried := word(said.kind, ATTEMPTS)):
        return _touch(session, place, said, tried, about, now)
    wait = wait or (session.get(Wait, said.row.wait_id) if said.row else None)
    assert wait is not None, "an answer is to something that was or is open"
    of_several = offered.effect_of(session, place.agreement, place.tenure, wait, said.kind, reason=str(said.data.get("reason", "")))
    if of_several == "nothing" and not place.options:
        return Reply(False, said.kind, ended=place.ended)
    if of_several == "declines":
        return _decline(session, place, wait, said, about)
    facts = {**about, "all_declined": True} if of_several == "all-declined" else about
    at_once = said.kind in _FOR_GOOD or of_several == "all-declined" or _ends_contact(place.agreement, said.data)
    undo = timedelta(0) if at_once else _undo_time(box, place.agreement)
    if said.row is not None:
        verdict = waits.release(session, said.row, wait, now=now, effective_at=now + undo, **facts)
    else:
        device = sender.device if sender else ""
        new = waits.NewAnswer(said.kind, by=said.by, via=said.via, text=said.text, device=device, data={**said.data, **facts})
        verdict = waits.answer(session, wait.id, new, now=now, effective_at=now + undo)
    if verdict.won and about:
        context = {"answer_id": verdict.answer.id, **about}
        tell_addressee(session, place, key=f"answer:{verdict.answer.id}", kind=said.kind, context=context, now=said.at)
    if verdict.won:
        tell_rep(session, verdict.answer, now=now)
    winner = given(session, verdict.winner, place, now) if verdict.winner else None
    ended = "" if verdict.won else (verdict.closed_because or place.ended or "This was already answered.")
    return Reply(verdict.won, said.kind, winner=winner, ended=ended, undo_until=now + undo if verdict.won and undo else None)


def _decline(session: Session, place: ReplyContext, wait: Wait, said: Submission, about: dict[str, Any]) -> Reply:
    """Takes one of several reps out of those who are asked. The others are still asked."""
    data = {**said.data, **about}
    if said.row is None:
        row = waits.note(session, wait, waits.NewAnswer(said.kind, said.by, said.via, said.text, data=data), now=said.at)
    else:
        row, said.row.data, said.row.state = said.row, data, AnswerState.NOTED
    offered.decline(session, place.handoff, wait, row, place.person)
    if about:
        context = {"answer_id": row.id, **about}
        tell_addressee(session, place, key=f"answer:{row.id}", kind=said.kind, context=context, now=said.at)
    return Reply(True, said.kind)


def _ends_contact(agreement: Agreement, data: Mapping[str, Any]) -> bool:
    """Whether the reason says that nobody may contact the person. Such an answer acts at once: no message may go out meanwhile."""
    reason = agreement.reason(str(data.get("reason", "")))
    return reason is not None and reason.then == "suppress" and data.get("refused", "all") == "all"


def _touch(session: Session, place: ReplyContext, said: Submission, kind: Attempt, about: dict[str, Any], now: datetime) -> Reply:
    attempt = NewTouch(kind, said.key, said.by, said.via, said.at, channel=word(str(said.data.get("channel", "")), CHANNELS) or "")
    touched = touch(session, place.handoff, attempt)
    if said.row is not None:
        said.row.state = AnswerState.NOTED
        session.add(said.row)
    if touched and about:
        tell_addressee(session, place, key=said.key, kind=said.kind, context=about, now=said.at)
    if touched and place.wait is not None:
        tell_rep_of_attempt(session, place.wait, kind, by=said.by, key=said.key, now=now)
    return Reply(True, said.kind, touched=touched)


def _taker(place: ReplyContext, fields: Mapping[str, str]) -> str:
    """Return who answers: the addressee of the link, or the named member of a shared mailbox. Raises ChoiceRefused."""
    member = fields.get("member", "")
    if place.members and member not in place.members:
        raise ChoiceRefused("Please say who takes it.")
    return member if place.members else place.person


def _keep_late(session: Session, place: ReplyContext, kind: GivenAnswer, sent: SentForm, now: datetime) -> None:
    """Stores an answer that came after the wait was settled. It changes nothing, but the trail shows it."""
    wait = place.wait
    if wait is None and place.tenure is not None:
        query = select(Wait).where(Wait.assignment_id == place.tenure.id).order_by(col(Wait.opened_at).desc())
        wait = session.exec(query.limit(1)).first()
    if wait is not None and (wait.closed_at or wait.answer_id):
        reason, text = sent.fields.get("reason", ""), sent.fields.get("text", "")[:MAX_TEXT]
        data = {"reason": reason} if place.agreement.reason(reason) else {}
        waits.answer(session, wait.id, waits.NewAnswer(kind, by=place.person, via=sent.via, text=text, data=data), now=now)


def answer_wait(session: Session, wait_id: str, sent: SentForm, *, by: str, now: datetime, answered_at: datetime) -> Reply:
    """Gives an answer to a wait for a person who typed a name (in Prefect's form or at the command line).

    Call inside a write transaction. by: the name as typed, cut to the longest name allowed. Raises ChoiceRefused, also for an
    answer without a name; nothing is stored then.
    """
    by, kind, fields = storable(by[:MAX_SHORT]).strip(), sent.kind, sent.fields
    wait = session.get(Wait, wait_id)
    if wait is None:
        raise ChoiceRefused("There is no such question to answer.")
    handoff = handoffs.get(session, wait.handoff_id)
    place = ReplyContext(wait.holder, handoff, wait, None, "", handoffs.agreement_of(session, handoff), roster.current(session))
    allowed = DUTIES.get(wait.kind) or rep_choices(place.agreement, handoff, wait)
    place.options = options(place.agreement, handoff, allowed)
    if undoing.is_under_way(session, handoff.id):
        raise ChoiceRefused("The previous answer is being taken back right now. Please look again in a minute.")
    if kind not in allowed:
        raise ChoiceRefused(f"Please choose an answer: {', '.join(allowed)}." if allowed else "There is nothing to answer right now.")
    if not by:
        raise ChoiceRefused("Please type your name: an answer has to say who gives it.")
    data = data_of(session, handoff, place.agreement, place.people, wait, kind, fields)
    if wait.kind == "note":
        refuse_gaps(missing_of(session, place), fields)
    verdict = waits.answer(
        session,
        wait_id,
        waits.NewAnswer(kind, by=by, via=sent.via, text=fields.get("text", ""), data={"claimed": True, **data}),
        now=now,
        answered_at=answered_at,
    )
    if verdict.won:
        tell_rep(session, verdict.answer, now=now)
    winner = given(session, verdict.winner, place, now) if verdict.winner else None
    return Reply(verdict.won, kind, winner=winner, ended="" if verdict.won else verdict.closed_because or "This was already answered.")


@dataclass(frozen=True, slots=True)
class Undone:
    """The result of a request to take an answer back. why: why it stays, in words, empty if it was taken back; stranger: the
    browser that asked is not the one that gave the answer, nor one of the same person."""

    why: str = ""
    stranger: bool = False

    @property
    def taken_back(self) -> bool:
        """Whether the answer was taken back."""
        return not self.why


def undo(session: Session, link: OpenedLink, answer_id: int, *, now: datetime, device: str) -> Undone:
    """Takes back the person's own answer while that is possible. Call inside a write transaction. Raises LinkInvalid.

    device: hash of the browser that asks: the one that gave the answer, or another one that is known as the person's.
    The answer stays if its undo time is over, or if a later answer or action builds on it.
    """
    place = place_of(session, link, now=now)
    row = session.get(Answer, answer_id)
    if row is None or row.handoff_id != place.handoff.id or row.by not in (place.person, *place.members):
        return Undone("That is not your answer, so you cannot take it back.", stranger=True)
    if row.device != device and (place.members or not devices.level(session, device, place.person, now=now)):
        return Undone("You gave that answer in another browser.", stranger=True)
    refused = undoing.undo(session, answer_id, by=row.by, now=now)
    return Undone(in_words(refused, row, place.people, now=now) if refused else "")


def _undo_time(box: Toolbox, agreement: Agreement) -> timedelta:
    origin = datetime.fromisoformat("2000-01-03T00:00:00+00:00")
    return box.undo_time(agreement.notify.undo.after(origin, None) - origin)


def _settled(session: Session, place: ReplyContext, now: datetime) -> ShownAnswer | None:
    first = waits.answer_of(session, place.wait) if place.wait else None
    counted = [first] if first is not None and first.state == AnswerState.COUNTED else answers_at(session, place)
    return given(session, counted[-1], place, now) if counted else None
