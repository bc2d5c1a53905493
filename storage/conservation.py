"""Conservation: what the intake recorded against what is there now, and the open leads with what will move them.

The counts do not use the queries of figures.py: the intake's own records (activities, and the ids of the sources) are on one side,
leads with their handoffs on the other, and the trail is the third record. A bounded number of statements, however many leads there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Integer, String, case, cast, exists, false, func, literal, or_, select
from sqlmodel import Session, col

from agreements.conservation import WITH_REP, FindingCode, OpenLead
from agreements.lifecycle import OPEN_STAGES, Stage
from agreements.words import OF_REPS, EventKind, Move
from storage.tables import Activity, Assignment, Event, Handoff, KeptPayload, Lead, LeadSource, Seal, SharedSource, Wait, Wake

_READ_AT_ONCE = 2_000
#: As a number, so that SQLite makes an index for the joins: over an expression without a type it makes none.
_OWN = cast(func.coalesce(col(Activity.of_lead), col(Activity.lead_id)), Integer)
#: The first activity of each lead, also of one that was merged later.
_FIRST = select(_OWN.label("lead_id"), func.min(col(Activity.id)).label("id")).group_by(_OWN).subquery("first")
_NEWEST = select(col(Handoff.lead_id), func.max(col(Handoff.id)).label("id")).group_by(col(Handoff.lead_id)).subquery("newest")
#: A known person's further id becomes a lead that ends at once. What the person did belongs to the lead that goes on.
_FURTHER_ID = col(Lead.merged_into).is_not(None) & _FIRST.c.id.is_(None)
#: The lines of the trail that say that a lead came in.
_BEGAN: tuple[EventKind, ...] = ("captured", "merged")
#: The lines of the trail that say whether a handoff began held.
_STARTED: tuple[EventKind, ...] = ("captured", "started-anew")
_KNOWN = [one.value for one in Stage]


def taken_in(session: Session) -> list[tuple[str, str, int]]:
    """How many leads the intake recorded, as source, day (ISO, UTC) and count."""
    day = _day(session, col(Activity.received_at))
    did = select(col(Activity.source), day, func.count()).join(_FIRST, _FIRST.c.id == col(Activity.id)).group_by(col(Activity.source), day)
    day = _day(session, col(Lead.created_at))
    further = select(col(Lead.source), day, func.count()).outerjoin(_FIRST, _FIRST.c.lead_id == col(Lead.id)).where(_FURTHER_ID)
    return [(*row,) for query in (did, further.group_by(col(Lead.source), day)) for row in session.execute(query).tuples()]


def in_stages(session: Session) -> list[tuple[str, str, str, int]]:
    """How many leads are in each stage now, as source, day (ISO, UTC), stage and count."""
    source = case((_knows_the_lead(), func.coalesce(col(Activity.source), col(Lead.source))), else_=col(Lead.source)).label("source")
    day, stage = _day(session, col(Lead.created_at)).label("day"), col(Handoff.stage)
    joined = _recorded(select(source, day, stage, func.count()))
    query = joined.join(_NEWEST, _NEWEST.c.lead_id == col(Lead.id)).join(Handoff, col(Handoff.id) == _NEWEST.c.id)
    return [(*row,) for row in session.execute(query.group_by(source, day, stage)).tuples()]


def kept(session: Session) -> int:
    """How many payloads are kept at the doors: they are no leads yet."""
    number: int = session.execute(select(func.count()).select_from(KeptPayload)).scalar_one()
    return number


def wrong(session: Session) -> Iterator[tuple[FindingCode, int]]:
    """What is wrong with single leads, as code and number of the lead, whatever stage they are in. Eleven statements."""
    pruned = session.execute(select(func.max(col(Seal.sealed_at))).where(col(Seal.pruned).is_not(false()))).scalar_one()
    for code, query in _queries(session, pruned).items():
        for lead_id in session.execute(query.execution_options(yield_per=_READ_AT_ONCE)).scalars():
            yield code, lead_id


def _queries(session: Session, pruned: datetime | None) -> dict[FindingCode, Any]:
    """The leads of each finding. pruned: events that were sealed until then may be deleted, as agreed."""
    of_lead, lead_id = col(Handoff.lead_id) == col(Lead.id), col(Lead.id)
    began = exists().where(col(Event.lead_id) == col(Lead.id), col(Event.kind).in_(_BEGAN))
    later = _day(session, col(Lead.created_at)) != _day(session, col(Activity.received_at))
    goes_on = col(Handoff.ended_at).is_not(None) & col(Handoff.stage).in_([one.value for one in OPEN_STAGES])
    return {
        "no-handoff": select(lead_id).where(~exists().where(of_lead)).order_by(lead_id),
        "no-lead": _not_there(),
        "not-recorded": _recorded(select(lead_id)).where(_FIRST.c.id.is_(None), col(Lead.merged_into).is_(None)).order_by(lead_id),
        "source-differs": _recorded(select(lead_id)).where(col(Activity.id).is_not(None), ~_knows_the_lead()).order_by(lead_id),
        "day-differs": _recorded(select(lead_id)).where(later).order_by(lead_id),
        "no-event": select(lead_id).where(~began, *_after(col(Lead.created_at), pruned)).order_by(lead_id),
        "stage-differs": _in_another_stage(pruned),
        "rep-differs": _with_another_rep(),
        "end-differs": select(col(Handoff.lead_id)).where(goes_on).order_by(col(Handoff.lead_id)),
        "hold-differs": _held_by_hand(),
    }


def _not_there() -> Any:
    """The leads that the intake or the trail recorded, and that are not there. Baton never deletes the row of a lead."""
    of_intake = select(_FIRST.c.lead_id).where(~exists().where(col(Lead.id) == _FIRST.c.lead_id))
    of_trail = select(col(Event.lead_id)).where(col(Event.kind).in_(_BEGAN), ~exists().where(col(Lead.id) == col(Event.lead_id)))
    return of_intake.union(of_trail).order_by("lead_id")


def _with_another_rep() -> Any:
    """The leads whose running assignment is another rep's, and those that wait for a rep who has no assignment. The trail proves the
    assignment. While a manager or marketing decides, no rep has the lead."""
    running = (col(Assignment.handoff_id) == col(Handoff.id)) & col(Assignment.ended_at).is_(None)
    asked = (col(Wait.handoff_id) == col(Handoff.id)) & col(Wait.closed_at).is_(None) & col(Wait.answer_id).is_(None)
    others = exists().where(running, col(Assignment.rep) != col(Handoff.rep)).correlate(Handoff)
    nobodys = ~exists().where(running).correlate(Handoff) & exists().where(asked, col(Wait.kind).in_(OF_REPS)).correlate(Handoff)
    of_reps = col(Handoff.ended_at).is_(None), col(Handoff.stage).in_([one.value for one in WITH_REP])
    return select(col(Handoff.lead_id)).where(*of_reps, or_(others, nobodys)).order_by(col(Handoff.lead_id))


def _held_by_hand() -> Any:
    """The held leads whose work has begun, as their stage, their release or the trail says. Baton holds a lead only as it comes in."""
    of_it = col(Event.handoff_id) == col(Handoff.id), col(Event.kind).in_(_STARTED)
    at_once = exists().where(*of_it, col(Event.data)["held"].as_boolean().is_(False)).correlate(Handoff)
    begun = or_(col(Handoff.stage) != Stage.INQUIRY.value, col(Handoff.released_at).is_not(None), at_once)
    return select(col(Handoff.lead_id)).where(col(Handoff.held).is_(True), begun).order_by(col(Handoff.lead_id))


def _in_another_stage(pruned: datetime | None) -> Any:
    """The leads with a handoff in another stage than the trail's newest move of it says, or in no stage that Baton knows. Without a move it
    is where it began."""
    moves = select(col(Event.stage)).where(col(Event.handoff_id) == col(Handoff.id), col(Event.kind).in_(get_args(Move)))
    newest = moves.order_by(col(Event.id).desc()).limit(1).correlate(Handoff).scalar_subquery()
    further_id = newest.is_(None) & (col(Handoff.stage) == Stage.MERGED.value)
    unknown = newest.is_(None) & (col(Handoff.created_at) <= pruned) if pruned else false()
    another = (func.coalesce(newest, Stage.INQUIRY.value) != col(Handoff.stage)) & ~further_id & ~unknown
    return select(col(Handoff.lead_id)).where(or_(another, col(Handoff.stage).not_in(_KNOWN))).order_by(col(Handoff.lead_id))


def open_leads(session: Session, *, now: datetime, ids: Collection[int] | None = None) -> Iterator[OpenLead]:
    """Every lead whose handoff has not ended, in the order of the handoffs; one statement. ids: only these handoffs.

    A lead in a stage that Baton does not know is left out: `wrong` names it.
    """
    woken = exists().where(col(Wake.handoff_id) == col(Handoff.id)).correlate(Handoff)
    due = exists().where(col(Wake.handoff_id) == col(Handoff.id), col(Wake.not_before) <= now).correlate(Handoff)
    open_wait = (col(Wait.handoff_id) == col(Handoff.id)) & col(Wait.closed_at).is_(None)
    columns = (
        *(col(Handoff.lead_id), col(Handoff.id), col(Handoff.stage), col(Handoff.owner), col(Handoff.held)),
        *(col(Handoff.lease_until).is_not(None).label("leased"), woken.label("woken"), due.label("due")),
        *(func.coalesce(col(Wait.kind), literal("")), col(Wait.answer_id).is_not(None).label("answered"), col(Handoff.flow_run_id)),
    )
    query = select(*columns).outerjoin(Wait, open_wait).where(col(Handoff.ended_at).is_(None)).order_by(col(Handoff.id))
    query = query if ids is None else query.where(col(Handoff.id).in_(ids))
    for row in session.execute(query.execution_options(yield_per=_READ_AT_ONCE)):
        lead_id, handoff_id, stage, *rest = row
        if stage in _KNOWN:
            yield OpenLead(lead_id, handoff_id, Stage(stage), *rest)


def _recorded(query: Any) -> Any:
    """The leads of the query, each with its first activity where it has one."""
    joined = query.select_from(Lead).outerjoin(_FIRST, _FIRST.c.lead_id == col(Lead.id))
    return joined.outerjoin(Activity, col(Activity.id) == _FIRST.c.id)


def _knows_the_lead() -> Any:
    """Whether the source of the first activity knows the lead by an id. An erased lead has no ids any more."""
    ids = ((col(LeadSource.lead_id), col(LeadSource.source)), (col(SharedSource.lead_id), col(SharedSource.source)))
    named = [exists().where(lead_id == col(Lead.id)) for lead_id, _ in ids]
    same = [exists().where(lead_id == col(Lead.id), source == col(Activity.source)) for lead_id, source in ids]
    return or_(col(Activity.source) == col(Lead.source), *same, ~or_(*named))


def _after(column: Any, pruned: datetime | None) -> list[Any]:
    return [column > pruned] if pruned else []


def _day(session: Session, column: Any) -> Any:
    """The day of an instant in UTC, as ISO text."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD", type_=String)
    return func.date(column, type_=String)
