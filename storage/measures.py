"""Measures: how the installation does at one moment. A fixed number of statements, however many leads there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union_all
from sqlmodel import Session, col

from agreements.alarms import NO_TICK, expected
from agreements.lifecycle import OPEN_STAGES
from agreements.review.promises import UNPROMISED
from agreements.words import ALARM_KINDS, AlarmKind, ChannelName, MailFindingKind, WaitKind
from storage import alarms, channel_health, lag, sources, trail, worker_beats
from storage.lag import Undelivered
from storage.tables import (
    Alarm,
    Delivery,
    DeliveryState,
    Enrolment,
    Event,
    Handoff,
    KeptPayload,
    Lead,
    MailFinding,
    Wait,
    WorkerBeat,
)
from storage.wakes import Urgency

#: Messages that were sent, or that failed, count for so long.
RECENT: Final = timedelta(hours=1)
#: So many sources are measured: those that are known longest, so that the same ones are measured at each scrape.
SOURCES: Final = 50
#: A promise is due soon when its time is over within so long.
SOON: Final = timedelta(hours=1)
#: How an open promise stands.
Standing = Literal["on-track", "due-soon", "breached"]


@dataclass(frozen=True, slots=True)
class Measures:
    """How the installation does.

    leads: taken in so far. open_leads: by stage, tier and agreement. promises: open ones by clock and standing. lag: for how long due work
    has waited. wakes: due ones by urgency. deliveries: by channel and state, those that settled within the last hour. sources: time since
    the newest lead. beats: the workers. head, sealed, unsealed: of the trail. mail: returned mail that nobody has looked at, by kind.
    payloads: kept ones by intake door. enrolments: unconfirmed ones. alarms: open ones by kind. failing: the channels that fail.
    """

    now: datetime
    real: datetime
    leads: int
    nurturing: int
    held: int
    open_leads: Mapping[tuple[str, str, str], int]
    promises: Mapping[tuple[WaitKind, Standing], int]
    lag: timedelta
    wakes: Mapping[Urgency, Undelivered]
    deliveries: Mapping[tuple[ChannelName, DeliveryState], int]
    sources: Mapping[str, timedelta]
    beats: tuple[WorkerBeat, ...]
    head: tuple[int, str] | None
    sealed: int
    unsealed: int
    mail: Mapping[MailFindingKind, int]
    payloads: Mapping[str, int]
    enrolments: int
    alarms: Mapping[AlarmKind, int]
    failing: frozenset[str]

    @property
    def ticked_ago(self) -> timedelta | None:
        """How long ago a worker's clock ticked last, in real time; None where there was never a worker."""
        ticked = max((one.ticked_at for one in self.beats), default=None)
        return max(timedelta(0), self.real - ticked) if ticked else None

    @property
    def alive(self) -> int:
        """How many workers are at work."""
        return sum(self.real - one.ticked_at <= NO_TICK for one in self.beats)

    @property
    def prefect_is_away(self) -> bool:
        """Whether no worker that is at work can reach the Prefect server."""
        return worker_beats.prefect_is_away(list(self.beats), real=self.real, alive_for=NO_TICK)


def measured(session: Session, *, now: datetime, real: datetime) -> Measures:
    """Measure everything in this session: one snapshot where its transaction is one. now: Baton's time; real: real time."""
    seal = trail.newest_seal(session)
    heard = sources.heard(session)
    opened = session.execute(_open_alarms()).tuples().all()
    oldest = lag.oldest_due(session, now=now, real=real)
    counts = session.execute(select(*(one.scalar_subquery() for one in _counts().values()))).one()
    counted = dict(zip(_counts(), counts, strict=True))
    return Measures(
        now=now,
        real=real,
        open_leads=_open_leads(session),
        promises=_promises(session, now),
        lag=max(timedelta(0), now - oldest) if oldest else timedelta(0),
        wakes=lag.undelivered(session, now=now),
        deliveries=_deliveries(session, now),
        sources={one: max(timedelta(0), now - heard[one].newest) for one in expected(heard, now=now)[:SOURCES]},
        beats=tuple(worker_beats.known(session)),
        head=(seal.id, seal.digest) if seal else None,
        sealed=seal.total if seal else 0,
        mail=_by(session, _counted(col(MailFinding.kind)).where(col(MailFinding.settled_at).is_(None))),
        payloads=_by(session, _counted(col(KeptPayload.door)).order_by(col(KeptPayload.door)).limit(SOURCES)),
        alarms=dict.fromkeys(ALARM_KINDS, 0) | Counter(kind for kind, _ in opened),
        failing=frozenset(subject for kind, subject in opened if kind == "channel-fails"),
        leads=counted["leads"] or 0,
        nurturing=counted["nurturing"],
        held=counted["held"],
        unsealed=counted["unsealed"],
        enrolments=counted["enrolments"],
    )


def _counts() -> dict[str, Any]:
    """The single numbers. The highest number of a lead says how many were taken in: counting would read the whole table."""
    return {
        "leads": select(func.max(col(Lead.id))),
        "nurturing": select(func.count()).where(col(Wait.closed_at).is_(None), col(Wait.kind) == literal("revisit")),
        "held": select(func.count()).where(col(Handoff.held).is_(True)),
        "unsealed": select(func.count()).where(col(Event.seal_id).is_(None)),
        "enrolments": select(func.count()).where(col(Enrolment.next_at).is_not(None)),
    }


def _by(session: Session, query: Any) -> dict[Any, int]:
    return dict(session.execute(query).tuples().all())


def _counted(column: Any) -> Any:
    return select(column, func.count()).group_by(column)


def _open_alarms() -> Any:
    is_open = (col(Alarm.ended_at).is_(None), col(Alarm.began_at).is_not(None))
    return select(col(Alarm.kind), col(Alarm.subject)).where(*is_open).limit(alarms.MOST)


def _open_leads(session: Session) -> dict[tuple[str, str, str], int]:
    columns = (col(Handoff.stage), col(Handoff.tier), col(Handoff.agreement))
    is_open = col(Handoff.stage).in_([stage.value for stage in OPEN_STAGES])  # over the index of stages
    rows = session.execute(select(*columns, func.count()).where(is_open).group_by(*columns))
    return {(stage, tier, agreement): count for stage, tier, agreement, count in rows}


def _promises(session: Session, now: datetime) -> dict[tuple[WaitKind, Standing], int]:
    soon = now + SOON
    breached, due_soon = col(Wait.promised_at) <= now, col(Wait.promised_at) <= soon
    standing = case((breached, literal("breached")), (due_soon, literal("due-soon")), else_=literal("on-track"))
    query = select(col(Wait.kind), standing, func.count()).where(_is_promise()).group_by(col(Wait.kind), standing)
    return {(kind, stands): count for kind, stands, count in session.execute(query)}


def _is_promise() -> ColumnElement[bool]:
    asked = (col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    return and_(*asked, col(Wait.kind) != literal("revisit"), col(Wait.about).not_in(UNPROMISED))


def _deliveries(session: Session, now: datetime) -> dict[tuple[ChannelName, DeliveryState], int]:
    """Messages on their way, those that were sent within the last hour, and those that failed within it."""
    columns = (col(Delivery.channel), col(Delivery.state), func.count())
    grouped = (col(Delivery.channel), col(Delivery.state))
    under_way = [DeliveryState.QUEUED.value, DeliveryState.SENDING.value]
    failed = [DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value]
    recent = now - RECENT
    asked = [
        select(*columns).where(col(Delivery.state).in_(under_way)),
        select(*columns).where(col(Delivery.failed_at) > recent, col(Delivery.state).in_(failed)),
        *(_sent(columns, channel, recent) for channel in channel_health.CHANNELS),
    ]
    rows = session.execute(union_all(*(query.group_by(*grouped) for query in asked)))
    return {(channel, DeliveryState(state)): count for channel, state, count in rows}


def _sent(columns: Any, channel: ChannelName, since: datetime) -> Any:
    """The messages that this channel took since then, over the index of sent messages."""
    sent_at: Any = col(Delivery.sent_at)
    settled = [DeliveryState.SENT.value, DeliveryState.CONFIRMED.value, DeliveryState.BOUNCED.value]
    query = select(*columns).where(sent_at.is_not(None), sent_at > since, col(Delivery.channel) == channel)
    return query.where(col(Delivery.state).in_(settled))
