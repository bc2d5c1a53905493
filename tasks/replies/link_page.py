"""The page behind a link: its content for the person who opens it, and the answers they may give. answering.py takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements import presence
from agreements.errors import LinkInvalid
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.where_time_went import TimeParty, summed, where_time_went
from agreements.words import NOBODYS, AnswerKind, Ended, NoWord, Via, WaitKind
from notifications.letter import LeadView
from notifications.links import Duty, Tenure
from storage import devices, handoffs, lives, offers, roster, undoing, waits
from storage.tables import Answer, AnswerState, Assignment, Handoff, HandoffNote, Level, Offer, PersonalText, Wait
from tasks.choices import CHANNELS, DID, DUTIES, OFFERED, REFUSED, Option, decisions, options, rep_choices
from tasks.clock_inputs import NO_CLOCK, clock_name
from tasks.messages import lead_view
from tasks.replies import offered
from tasks.replies.link_life import require_good
from tasks.replies.opened_link import OpenedLink
from tasks.replies.undo_refusal import why_not
from tasks.replies.validation import colleagues_of, lacking


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer as a later visit shows it. at: aware; undo_until: aware while it may be taken back; stays_because: why it may not
    be taken back although its undo time is not over.

    mine: the person of this link gave it; here: in the browser that asks. forwarded: probably somebody else gave it through
    the link. note_wrong: names of the note's statements that were wrong or missing; claimed: somebody typed the name, and nobody
    checked it.
    """

    kind: AnswerKind
    by: str
    at: datetime
    words: str
    reason: str = ""
    text: str = ""
    via: Via | NoWord = ""
    answer_id: int = 0
    undo_until: datetime | None = None
    stays_because: str = ""
    mine: bool = False
    here: bool = False
    forwarded: bool = False
    note_wrong: tuple[str, ...] = ()
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class ReasonOption:
    """A reason that may be given. explain: needs a few words; lacks: what is missing before it may be given, in words."""

    code: str
    words: str
    explain: bool = False
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """The content of a link's page. live: the person may still act; ended: why not, in words, if they may not.

    goes_into: for which reasons the rep may name another lead or an account. colleagues: id and name; choices: of a decision; channels:
    to try the lead; missing: statements of a note; asks: further input for some of the reasons.
    wait_kind, due_at, term: the open wait, its due time (aware), and the agreed time in words.
    answers: newest last. timeline: this handoff's, in sentences. members: of a shared mailbox, by id and name. level: of the
    browser for the person: "", "known" or "enrolled". held: an answer from this browser that does not count yet.
    time_parts: the lead's age so far, by whose time it was; empty for a person who may not see the lead any more.
    answers_for: name of the rep for whom this manager may answer, empty if the person answers for themselves; first_name: of
    that rep.
    """

    person: str
    person_name: str
    timezone: str
    lead: LeadView
    live: bool
    ended: str = ""
    wait_kind: WaitKind | NoWord = ""
    due_at: datetime | None = None
    term: str = ""
    options: tuple[Option, ...] = ()
    reasons: tuple[ReasonOption, ...] = ()
    asks: frozenset[str] = frozenset()
    refusals: tuple[tuple[str, str], ...] = ()
    goes_into: str = ""
    colleagues: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    channels: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    answers: tuple[ShownAnswer, ...] = ()
    timeline: tuple[tuple[datetime, str], ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    level: Level | NoWord = ""
    held: ShownAnswer | None = None
    now: datetime | None = None
    answers_for: str = ""
    first_name: str = ""
    time_parts: Mapping[TimeParty, timedelta] = field(default_factory=dict)


@dataclass(slots=True)
class ReplyContext:
    """The context of a reply by link: the person, the handoff, the open wait, the tenure, and the answers they may give."""

    person: str
    handoff: Handoff
    wait: Wait | None
    tenure: Assignment | None
    ended: str
    agreement: Agreement
    people: Roster
    options: tuple[Option, ...] = field(default=())

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the shared mailbox that got this link; empty for a person."""
        person = self.people.person(self.person)
        return person.members if person else ()

    @property
    def answers_for(self) -> str:
        """The name of the rep for whom this person may answer now; empty if they answer for themselves, or decide."""
        if self.wait is None or self.wait.kind in DUTIES:
            return ""
        return "" if self.wait.holder == self.person or self.tenure else self.people.name_of(self.wait.holder)

    @property
    def first_name(self) -> str:
        """The first name of that rep; a shared mailbox keeps its whole name."""
        holder = self.people.person(self.wait.holder) if self.wait else None
        return self.answers_for if holder is None or holder.shared else self.answers_for.partition(" ")[0]


def visit(session: Session, link: OpenedLink, *, now: datetime, device: str = "") -> Visit:
    """Return the content of this link's page now. device: hash of the browser. Reads only. Raises LinkInvalid."""
    return visit_at(session, place_of(session, link, now=now), now=now, device=device)


def visit_at(session: Session, place: ReplyContext, *, now: datetime, device: str = "") -> Visit:
    """Return the content of the page in this context. device: hash of the browser. Reads only."""
    person = place.people.person(place.person)
    due = place.wait if place.wait and place.options and place.wait.kind != "delivery" and place.wait.about != NO_CLOCK else None
    tries = any(option.kind == "attempted" for option in place.options)
    return Visit(
        person=place.person,
        person_name=place.people.name_of(place.person),
        timezone=person.timezone if person else "UTC",
        lead=lead_view.lead_view(session, place.handoff, now=now),
        live=bool(place.options),
        ended=place.ended,
        wait_kind=place.wait.kind if place.wait else "",
        due_at=due.due_at if due else None,
        term=str(place.agreement.clock(clock_name(due), place.handoff.leg).term(place.handoff.tier)) if due else "",
        options=place.options,
        reasons=reasons_of(session, place),
        asks=frozenset(asked for reason in place.agreement.reasons for asked in reason.ask),
        refusals=refusals_of(place.agreement),
        goes_into=goes_into(place.agreement),
        colleagues=tuple(colleagues_of(place.people, place.handoff).items()) if place.options else (),
        choices=tuple(decisions(place.wait).items()) if place.wait and place.wait.kind == "decision" else (),
        channels=tuple(CHANNELS.items()) if tries else (),
        missing=missing_of(session, place),
        answers=tuple(given(session, answer, place, now, device) for answer in answers_at(session, place)),
        timeline=_timeline(session, place),
        members=tuple((ident, place.people.name_of(ident)) for ident in place.members),
        level=devices.level(session, device, place.person, now=now),
        held=_held(session, place, device, now),
        now=now,
        answers_for=place.answers_for,
        first_name=place.first_name,
        time_parts={} if place.ended else _time_parts(session, place, now),
    )


def _time_parts(session: Session, place: ReplyContext, now: datetime) -> Mapping[TimeParty, timedelta]:
    (life,) = lives.of(session, [place.handoff.lead_id])
    return summed(where_time_went(life, now=now))


def goes_into(agreement: Agreement) -> str:
    """For which reasons the rep may say into what the lead goes, in words; empty for none."""
    asked = {"merge": "the number of the other lead", "attach": "the customer or the deal"}
    return "; ".join(f"“{reason.words}”: {asked[reason.then]}" for reason in agreement.reasons if reason.then in asked)


def refusals_of(agreement: Agreement) -> tuple[tuple[str, str], ...]:
    """What the lead may refuse, with its words for people; nothing where no reason asks for it."""
    return tuple(REFUSED.items()) if any(reason.asks_channel for reason in agreement.reasons) else ()


def _held(session: Session, place: ReplyContext, device: str, now: datetime) -> ShownAnswer | None:
    """The newest answer from this browser that waits for its code, if it can still count."""
    rows = waits.held_of(session, place.handoff.id, link_of=place.person, device=device)
    offered = {option.kind for option in place.options}
    return next((given(session, row, place, now, device) for row in rows[:1] if row.kind in offered), None)


def reasons_of(session: Session, place: ReplyContext) -> tuple[ReasonOption, ...]:
    """Return the agreed reasons, each with what is missing before it may be given."""
    gives = any(option.needs == "reason" for option in place.options)
    lacks = {one.code: lacking(session, place.handoff, place.agreement, one) for one in place.agreement.reasons if gives}
    return tuple(ReasonOption(one.code, one.words, one.text == "required", lacks.get(one.code, "")) for one in place.agreement.reasons)


def _timeline(session: Session, place: ReplyContext) -> tuple[tuple[datetime, str], ...]:
    start, end = place.handoff.created_at, place.handoff.ended_at
    lines = lead_view.timeline(session, place.handoff.lead_id, people=place.people)
    return tuple((at, text) for at, text in lines if at >= start and (end is None or at <= end))[-40:]


def missing_of(session: Session, place: ReplyContext) -> tuple[str, ...]:
    """Return what the note of the open wait still lacks; empty if the wait is not for a note."""
    if place.wait is None or place.wait.kind != "note":
        return ()
    return lacking_in_note(session, place.handoff, place.agreement)


def lacking_in_note(session: Session, handoff: Handoff, agreement: Agreement) -> tuple[str, ...]:
    """Return the statements that the note still lacks, by name, and then what sales wants corrected."""
    note = session.get(HandoffNote, handoff.id)
    if note is None:
        return ()
    stated = note.content.get("statements", {})
    return (*(name for name in agreement.note.must_state if name not in stated), *note.content.get("to_fix", []))


def answers_at(session: Session, place: ReplyContext) -> list[Answer]:
    """Return the answers of this handoff that count, oldest first."""
    query = select(Answer).where(Answer.handoff_id == place.handoff.id, col(Answer.kind).not_in(NOBODYS))
    query = query.where(Answer.state == AnswerState.COUNTED)
    return list(session.exec(query.order_by(col(Answer.id))))


def place_of(session: Session, link: OpenedLink, *, now: datetime, lock: bool = False) -> ReplyContext:
    """Return the context of this link. lock: nobody else can answer until this transaction ends. Raises LinkInvalid, LinkOver."""
    links, people = link.links, roster.current(session)
    if link.wait_id:
        own = links.read_person(link.token)
        require_good(session, people, own.person, own.at, now=now, opens_many=True)
        return _own_place(session, own.person, link.wait_id, people, now=now, lock=lock)
    purpose = links.read(link.token)
    if isinstance(purpose, Tenure):
        row = session.get(Assignment, purpose.assignment_id)
        if row is None and (offer := session.get(Offer, purpose.assignment_id)) is not None:
            require_good(session, people, offer.rep, purpose.at, now=now)
            return place_of_offer(session, offer, people, lock=lock)
        if row is None:
            raise LinkInvalid()
        require_good(session, people, row.rep, purpose.at, now=now)
        return place_of_tenure(session, row, people, lock=lock)
    require_good(session, people, purpose.person, purpose.at, now=now)
    return _duty_place(session, purpose, people, lock)


def place_of_tenure(session: Session, row: Assignment, people: Roster, *, lock: bool = False) -> ReplyContext:
    """Return the context of this tenure's rep. The caller has checked the link. lock: as in place_of."""
    wait = waits.open_of(session, row.handoff_id, lock=lock)
    if lock:
        session.refresh(row)
    handoff = handoffs.get(session, row.handoff_id)
    mine = wait is not None and wait.assignment_id == row.id and row.ended_at is None
    place = ReplyContext(row.rep, handoff, wait if mine else None, row, "", handoffs.agreement_of(session, handoff), people)
    if mine and wait is not None:
        free = wait.answer_id is None and not undoing.is_under_way(session, row.handoff_id)
        place.options = options(place.agreement, handoff, rep_choices(place.agreement, handoff, wait)) if free else ()
        missed = waits.answer_of(session, wait)
        if missed is not None and missed.kind == "deadline":
            place.ended = "The agreed time has passed. Baton is doing what the agreement says for that."
    if row.ended_at is not None:
        place.ended = f"This lead is no longer yours: {_ENDED.get(row.ended_because, row.ended_because)}."
    return place


def place_of_offer(session: Session, offer: Offer, people: Roster, *, lock: bool = False) -> ReplyContext:
    """Return the context of this offer's rep. The caller has checked the link. lock: as in place_of."""
    row = session.get(Assignment, offer.assignment_id)
    assert row is not None, "an offer always has its assignment: the foreign key says so"
    wait = waits.open_of(session, row.handoff_id, lock=lock)
    if lock:
        session.refresh(offer)
        session.refresh(row)
    if not offered.is_open_offer(row, offer):
        return place_of_tenure(session, row, people, lock=lock)
    handoff = handoffs.get(session, row.handoff_id)
    stands = offered.standing(session, offer, row, wait)
    agreement = handoffs.agreement_of(session, handoff)
    place = ReplyContext(offer.rep, handoff, wait if stands.mine else None, row, stands.over, agreement, people)
    place.options = options(agreement, handoff, OFFERED) if stands.free else ()
    missed = waits.answer_of(session, wait) if stands.mine and wait else None
    if missed is not None and missed.kind == "deadline":
        place.ended = "The agreed time has passed. Baton is doing what the agreement says for that."
    return place


def _duty_place(session: Session, duty: Duty, people: Roster, lock: bool) -> ReplyContext:
    wait = session.get(Wait, duty.wait_id)
    if wait is None:
        raise LinkInvalid()
    if lock:
        waits.open_of(session, wait.handoff_id, lock=True)
        session.refresh(wait)
    handoff = handoffs.get(session, wait.handoff_id)
    place = ReplyContext(duty.person, handoff, wait, None, "", handoffs.agreement_of(session, handoff), people)
    if wait.closed_at is None and wait.answer_id is None:
        place.options = options(place.agreement, handoff, DUTIES["note" if wait.kind == "note" else "decision"])
    else:
        place.ended = "This is already settled."
    return place


def _own_place(session: Session, person: str, wait_id: str, people: Roster, *, now: datetime, lock: bool) -> ReplyContext:
    """The context of one wait on the own page of a manager, or of whoever stands in for one who is away."""
    wait = session.get(Wait, wait_id)
    asked = offers.asked_for(session, wait.holder, wait.assignment_id) if wait else ""
    if wait is None or not (person == wait.holder or presence.decides_for(people, person, asked, now)):
        raise LinkInvalid()
    if lock:
        waits.open_of(session, wait.handoff_id, lock=True)
        session.refresh(wait)
    handoff = handoffs.get(session, wait.handoff_id)
    place = ReplyContext(person, handoff, wait, None, "", handoffs.agreement_of(session, handoff), people)
    if wait.closed_at is None and wait.answer_id is None:
        kinds = DUTIES.get(wait.kind) or rep_choices(place.agreement, handoff, wait)
        offered = options(place.agreement, handoff, kinds, name=place.first_name)
        place.options = () if undoing.is_under_way(session, wait.handoff_id) else offered
    else:
        place.ended = "This is already settled."
    return place


def given(session: Session, row: Answer, place: ReplyContext, now: datetime, device: str = "") -> ShownAnswer:
    """Return an answer as this visitor sees it. device: hash of the visitor's browser."""
    text = session.get(PersonalText, row.text_id) if row.text_id else None
    in_time = row.effective_at > now and row.state == AnswerState.COUNTED
    stays = why_not(session, row, place.people, now=now) if in_time else ""
    return ShownAnswer(
        kind=row.kind,
        by=place.people.name_of(row.by),
        at=row.answered_at,
        words=DID.get(row.kind, row.kind),
        reason=str(row.data.get("reason", "")),
        text=text.text if text else "",
        via=row.via,
        answer_id=row.id,
        undo_until=row.effective_at if in_time and not stays else None,
        stays_because=stays,
        mine=row.by in (place.person, *place.members),
        here=bool(device) and row.device == device,
        forwarded=bool(row.data.get("forwarded")),
        note_wrong=tuple(row.data.get("note_wrong", ())),
        claimed=bool(row.data.get("claimed")),
    )


#: Why a lead is no longer with this rep, in words.
_ENDED: Mapping[Ended | NoWord, str] = {
    "handed": "it was handed to a colleague",
    "rejected": "it was rejected",
    "returned": "it was returned",
    "note-returned": "its note went back to marketing",
    "decided": "its manager decided so",
    "crm": "its owner was changed in the CRM",
    "recycled": "it went to nurture",
    "disqualified": "it was disqualified",
    "attached": "it belongs to an account or deal that is already under way",
    "merged": "it was a duplicate",
    "suppressed": "nobody may contact this person",
    "withdrawn": "it was withdrawn",
    "recalled": "it was called back and starts again under a new version of the agreement",
    "erased": "its data was erased",
    "sql": "it was qualified and handed on",
    "opportunity": "it became an opportunity and goes on in the CRM",
}
