"""Alarms: when the operator must know that something stands still, and over which channel they get the message.

All rules compare what they are given. Instants are aware.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from agreements.words import AlarmKind, ChannelName

#: A source is compared with so many weeks before. A longer silence is compared with stretches of several weeks.
WEEKS: Final = 4
#: A source is silent when so many leads would have come by now, and when some came in each of the stretches before. With fewer, chance
#: alone makes such a gap too often.
EXPECTED_LEADS, LEADS_EACH_TIME = 12, 3
#: No source is silent before, and after the second time nobody expects it to send any more.
SHORTEST_SILENCE, FORGOTTEN_AFTER = timedelta(minutes=30), timedelta(days=28)
#: How late due work may be, how long no worker may tick, and how long events may wait for their seal.
LATE, NO_TICK, UNSEALED = timedelta(minutes=2), timedelta(minutes=2), timedelta(minutes=30)
#: A channel fails after so many failed tries since the last message that it took.
FAILED_TRIES: Final = 3
#: How long the operator's message may be under way before the next channel is used.
UNDER_WAY: Final = timedelta(minutes=5)
#: What must be seen twice, a minute apart: after a leap of time or a restart it may last for a moment.
SEEN_TWICE: frozenset[AlarmKind] = frozenset({"clock-late", "no-worker", "trail-unsealed"})

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong now. subject: which source, lead or channel, empty for the whole installation. since: from when.

    facts: words and numbers for the message, nothing personal.
    """

    kind: AlarmKind
    subject: str = ""
    since: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that a channel has not taken. tries: without those for which the channel asked to wait; permanent: no further try."""

    person: str
    tries: int
    permanent: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """The operator's message on one channel. arrived: the channel took it; failed: at least one try failed."""

    queued_at: datetime
    arrived: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """When the first and the newest lead came from a source."""

    first: datetime
    newest: datetime


def expected(sources: Mapping[str, Heard], *, now: datetime) -> list[str]:
    """Return the sources from which somebody may still expect leads, those that are known longest first.

    So a sender that names ever more sources pushes none of the others out.
    """
    heard = [source for source, one in sources.items() if now - one.newest < FORGOTTEN_AFTER]
    return sorted(heard, key=lambda source: (sources[source].first, source))


def comparable(sources: Mapping[str, Heard], *, now: datetime) -> list[str]:
    """Return the expected sources that have sent nothing for a while, and something before the oldest of their stretches ended."""
    quiet = [source for source in expected(sources, now=now) if now - sources[source].newest >= SHORTEST_SILENCE]
    return [source for source in quiet if sources[source].first < stretches(sources[source].newest, now)[-1][1]]


def stretches(heard_at: datetime, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Return the same stretch of the week as from the last lead until now, in the weeks before, the newest first.

    A silence of more than a week is compared with stretches that begin two weeks apart, and so on.
    """
    step = max(1, -(-(now - heard_at) // _WEEK)) * _WEEK
    return tuple((heard_at - step * back, now - step * back) for back in range(1, WEEKS + 1))


def silent(
    source: str, heard_at: datetime, earlier: Sequence[Sequence[datetime]], *, now: datetime, is_open: Callable[[datetime], bool]
) -> Found | None:
    """Return that a source is silent: no lead came since `heard_at`, and EXPECTED_LEADS would have come.

    earlier: when leads came in each of the stretches before, see `stretches`. is_open: the company's hours. A lead that came while the
    company is closed this time, as on a holiday, is not expected; and no silence begins while it is closed.
    """
    silence = now - heard_at
    if not SHORTEST_SILENCE <= silence < FORGOTTEN_AFTER or not is_open(now):
        return None
    counts = []
    for (began, _), came in zip(stretches(heard_at, now), earlier, strict=True):
        counts.append(sum(is_open(at + (heard_at - began)) for at in came))
    usual = sum(counts) / WEEKS
    if usual < EXPECTED_LEADS or min(counts) < LEADS_EACH_TIME:
        return None
    return Found("source-silent", source, heard_at, {"usual": f"{usual:.0f}"})


def still_silent(since: datetime, heard_at: datetime | None, *, now: datetime) -> bool:
    """Whether a source that fell silent is so still: nothing came, and somebody may still expect it to send."""
    return (heard_at is None or heard_at <= since) and now - since < FORGOTTEN_AFTER


def late(oldest_due: datetime | None, *, now: datetime, prefect_away: bool) -> Found | None:
    """Return that the clock is late: work has been due for longer than LATE. prefect_away: the workers cannot reach Prefect."""
    if oldest_due is None or now - oldest_due <= LATE:
        return None
    return Found("clock-late", since=oldest_due, facts={"prefect": "away" if prefect_away else ""})


def no_worker(ticked_at: datetime | None, *, real: datetime) -> Found | None:
    """Return that no worker is at work. ticked_at: the last tick of any worker, None if there was never one; both in real time.

    A tick in the future comes from a clock that was set back since: its worker counts as alive.
    """
    if ticked_at is None or real - ticked_at <= NO_TICK:
        return None
    return Found("no-worker", since=ticked_at)


def failing(channel: ChannelName, sent_at: datetime | None, failures: Sequence[Failure]) -> Found | None:
    """Return that a channel fails: FAILED_TRIES failed since it took a message last. A permanent failure counts once for each person."""
    since = [one for one in failures if sent_at is None or one.at > sent_at]
    passing = sum(max(1, one.tries) for one in since if not one.permanent)
    refused = len({one.person for one in since if one.permanent})
    if passing + refused < FAILED_TRIES:
        return None
    return Found("channel-fails", channel, min(one.at for one in since), {"messages": str(len(since))})


def unsealed(oldest: datetime | None, *, real: datetime) -> Found | None:
    """Return that the trail is not sealed. oldest: when the oldest unsealed event was written, in real time."""
    return Found("trail-unsealed", since=oldest) if oldest is not None and real - oldest > UNSEALED else None


def in_order(usable: Sequence[ChannelName], failing: Collection[str]) -> list[ChannelName]:
    """Return the operator's channels in the order of use: those that fail now come last."""
    return sorted(usable, key=lambda channel: channel in failing)


def next_channel(order: Sequence[ChannelName], copies: Mapping[ChannelName, Copy], *, now: datetime) -> ChannelName | None:
    """Return the channel on which the operator's message is to be queued next; None while another copy may arrive, or none is left."""
    waiting = any(one.arrived or not (one.failed or now - one.queued_at > UNDER_WAY) for one in copies.values())
    return None if waiting else next((channel for channel in order if channel not in copies), None)
