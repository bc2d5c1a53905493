"""Alarms: once a minute one process looks for what stands still, stores it, and queues the operator's message when it begins and ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements import alarms as rules
from agreements.alarms import Found
from agreements.lifecycle import Stage
from agreements.words import AlarmKind
from storage import alarms, channel_health, contracts, lag, sources, time_offset, worker_beats
from storage.tables import Alarm, Event, Handoff, WorkerBeat
from tasks.messages import alarm_message
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.alarms")
#: How often some process looks, in real time. The pages look where no worker does.
EVERY, WITHOUT_WORKERS = timedelta(seconds=60), timedelta(seconds=150)
#: One look begins so many alarms of one kind; the next look begins more.
AT_ONCE = 20
#: So many sources are compared with their own past: those that are known longest.
COMPARED = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """What is wrong now. also: the kinds and subjects of open alarms that still hold, though no rule would begin them now."""

    found: tuple[Found, ...]
    also: frozenset[tuple[AlarmKind, str]] = frozenset()


async def look(box: Toolbox, *, real: datetime, every: timedelta = EVERY) -> int:
    """Look where nobody has looked for so long; return how many alarms began or ended. real: the real time."""
    if not await box.read(lambda session, now: alarms.is_turn(session, real=real, every=every)):
        return 0
    seen = await box.read(lambda session, now: find(session, now=now, real=real))
    channels = alarm_message.usable(box)
    return await box.write(lambda session, now: _settle(session, seen, channels, now=now, real=real, every=every))


def find(session: Session, *, now: datetime, real: datetime) -> Seen:
    """Return what is wrong now. Reads only, a few statements however many leads there are."""
    opened = alarms.open_ones(session)
    beats = worker_beats.known(session)
    found = [*_of_processes(session, beats, now=now, real=real), *_of_channels(session, now)]
    stuck, also_stuck = _stuck(session, opened)
    silent, also_silent = _silent(session, opened, now=now)
    return Seen((*found, *stuck, *silent), frozenset({*also_stuck, *also_silent}))


def _of_processes(session: Session, beats: Sequence[WorkerBeat], *, now: datetime, real: datetime) -> Iterator[Found]:
    away = worker_beats.prefect_is_away(list(beats), real=real, alive_for=rules.NO_TICK)
    oldest = select(Event.recorded_at).where(col(Event.seal_id).is_(None)).order_by(col(Event.id)).limit(1)
    for one in (
        rules.no_worker(max((beat.ticked_at for beat in beats), default=None), real=real),
        rules.late(lag.oldest_due(session, now=now, real=real), now=now, prefect_away=away),
        rules.unsealed(session.exec(oldest).first(), real=real),
    ):
        if one is not None:
            yield one


def _of_channels(session: Session, now: datetime) -> Iterator[Found]:
    failures = channel_health.failures(session, now=now)
    sent_at = channel_health.sent_at(session) if failures else {}
    for channel, some in failures.items():
        if found := rules.failing(channel, sent_at.get(channel), some):
            yield found


def _stuck(session: Session, opened: Sequence[Alarm]) -> tuple[list[Found], list[tuple[AlarmKind, str]]]:
    """The leads that are stuck, and those of the open alarms that are so still."""
    known = {one.subject for one in opened if one.kind == "lead-stuck"}
    rows = session.exec(select(Handoff).where(Handoff.stage == Stage.STUCK.value).order_by(col(Handoff.id)).limit(alarms.MOST)).all()
    new = [row for row in rows if str(row.lead_id) not in known][:AT_ONCE]
    why = _why_stuck(session, [row.id for row in new]) if new else {}
    found = []
    for row in new:
        at, because = why.get(row.id, (None, ""))
        found.append(Found("lead-stuck", str(row.lead_id), at, {"why": because[:200]}))
    if len(rows) == alarms.MOST:  # more may be stuck than were read: end none
        return found, [("lead-stuck", subject) for subject in known]
    return found, [("lead-stuck", str(row.lead_id)) for row in rows]


def _why_stuck(session: Session, ids: Sequence[int]) -> dict[int | None, tuple[datetime, str]]:
    """Since when each of these handoffs is stuck, and why, as its trail says."""
    got = select(Event.handoff_id, Event.at, Event.data).where(col(Event.handoff_id).in_(ids), Event.kind == "got-stuck")
    return {handoff_id: (at, str(data.get("why", ""))) for handoff_id, at, data in session.execute(got.order_by(col(Event.id)))}


def _silent(session: Session, opened: Sequence[Alarm], *, now: datetime) -> tuple[list[Found], list[tuple[AlarmKind, str]]]:
    """The sources that fell silent, and the open alarms of those that are so still. Where time leaps, no silence says anything."""
    if time_offset.has_leapt(session):
        return [], []
    heard = sources.heard(session)
    known = {one.subject: one for one in opened if one.kind == "source-silent"}
    also: list[tuple[AlarmKind, str]] = []
    for subject, one in known.items():
        if rules.still_silent(one.since, heard[subject].newest if subject in heard else None, now=now):
            also.append(("source-silent", subject))
    asked = [one for one in rules.comparable(heard, now=now) if one not in known][:COMPARED]
    if not asked:
        return [], also
    is_open = _hours(session, now)
    came = sources.came_in(session, {one: rules.stretches(heard[one].newest, now) for one in asked if is_open(now)})
    judged = [rules.silent(one, heard[one].newest, came[one], now=now, is_open=is_open) for one in came]
    return [one for one in judged if one is not None][:AT_ONCE], also


def _hours(session: Session, now: datetime) -> Callable[[datetime], bool]:
    """The hours of the first calendar of an agreement in force; always open where there is none."""
    for row in contracts.counting(session, now):
        for calendar in contracts.read(row).calendar_values.values():
            return calendar.is_open
    return lambda at: True


def _settle(session: Session, seen: Seen, channels: alarm_message.Usable, *, now: datetime, real: datetime, every: timedelta) -> int:
    """Begin, count and end alarms, and queue the operator's messages. One process at a time; the others do nothing."""
    if not alarms.take_turn(session, real=real, every=every):
        return 0
    worker_beats.forget(session, real=real)
    opened = {(row.kind, row.subject): row for row in alarms.open_ones(session)}
    began = _begin(session, seen.found, opened, now=now)
    holds = {(one.kind, one.subject) for one in seen.found} | seen.also
    over = [row for key, row in opened.items() if key not in holds]
    ended = [row for row in over if row.began_at is not None][: 2 * AT_ONCE]
    alarms.drop(session, [row.id for row in over if row.began_at is None])
    for row in ended:
        row.ended_at = now
        session.add(row)
    _log(began, ended)
    alarm_message.tell(session, began, ended, now=now)
    alarm_message.go_on(session, channels, now=now)
    return len(began) + len(ended)


def _begin(session: Session, found: Iterable[Found], opened: Mapping[tuple[AlarmKind, str], Alarm], *, now: datetime) -> list[Alarm]:
    """Store what was found; return the alarms that count from now on."""
    began: list[Alarm] = []
    for one in found:
        row = opened.get((one.kind, one.subject))
        if row is None:
            new = alarms.note(session, one, now=now, counts=one.kind not in rules.SEEN_TWICE)
            began += [new] if new is not None and new.began_at is not None else []
        elif row.began_at is None:
            row.seen, row.began_at = row.seen + 1, now
            session.add(row)
            began.append(row)
    return began


def _log(began: Iterable[Alarm], ended: Iterable[Alarm]) -> None:
    for row in began:
        log.error("alarm: %s", alarm_message.sentence(row))
    for row in ended:
        log.info("the alarm is over: %s", alarm_message.sentence(row))
