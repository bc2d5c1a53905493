"""The toolbox: the real parts wired together, and the only source of the present time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from sqlmodel import Session

from agreements.clauses.nurturing import EnrolBy
from agreements.words import ChannelName
from notifications.letter import Channel
from notifications.links import Links
from storage import time_offset
from storage.crm.port import Crm
from storage.database import Database
from tasks.wiring.automation import wire_automation
from tasks.wiring.crm import wire_crm
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting

if TYPE_CHECKING:
    from tasks.automation.port import MarketingAutomation

Automations = Callable[[EnrolBy], "MarketingAutomation | None"]
T = TypeVar("T")


class Time(Protocol):
    """The source of the present time."""

    def now(self, session: Session) -> datetime:
        """The present in Baton's time, aware UTC."""
        ...


class LeapingTime:
    """Real time plus the stored offset by which Baton's time has leapt ahead, if there is one."""

    def now(self, session: Session) -> datetime:
        real = datetime.now(UTC)
        return real + time_offset.now_ahead(session, real)


class SteppedTime:
    """A time that stays the same until `at` is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self, session: Session) -> datetime:
        return self.at


def _no_fault(where: str) -> None:
    return None


def _no_automation(by: EnrolBy) -> None:
    return None


@dataclass
class Toolbox:
    """Everything a step needs from outside. fault: called with the point that an attempt has reached; a test can raise there.

    automation: returns what tells the marketing automation in this way, None where it is not set up; raises WrongSetting.
    """

    settings: Settings
    database: Database
    crm: Crm
    channels: Mapping[ChannelName, Channel]
    links: Links
    time: Time = field(default_factory=LeapingTime)
    fault: Callable[[str], None] = _no_fault
    automation: Automations = _no_automation

    def __post_init__(self) -> None:
        self.database.trail_key = self.database.trail_key or self.settings.seal_key()
        self.database.person_key = self.settings.person_key

    async def write(self, work: Callable[[Session, datetime], T]) -> T:
        """Runs work in one short write transaction, off the event loop; reads the present once."""
        return await asyncio.to_thread(self.write_now, work)

    async def read(self, work: Callable[[Session, datetime], T]) -> T:
        """Runs work on committed data, off the event loop."""
        return await asyncio.to_thread(self.read_now, work)

    def write_now(self, work: Callable[[Session, datetime], T]) -> T:
        """Like write, on this thread."""
        with self.database.write() as session:
            return work(session, self.time.now(session))

    def read_now(self, work: Callable[[Session, datetime], T]) -> T:
        """Like read, on this thread."""
        with self.database.read() as session:
            return work(session, self.time.now(session))

    def undo_time(self, agreed: timedelta) -> timedelta:
        """How long an answer may be taken back: the installation's undo_minutes, else the agreed time."""
        minutes = self.settings.undo_minutes
        return agreed if minutes is None else timedelta(minutes=minutes)

    @property
    def templates(self) -> Path | None:
        """The folder with this company's own message templates, None for none."""
        return Path(self.settings.templates) if self.settings.templates else None


class ChannelsAtNeed(Mapping[ChannelName, Channel]):
    """The channels of an installation, wired at first use: importing their libraries takes longer than most commands.

    Every use raises WrongSetting if the settings of a channel cannot be used.
    """

    def __init__(self, settings: Settings, crm: Crm) -> None:
        self._settings, self._crm = settings, crm

    @cached_property
    def _wired(self) -> Mapping[ChannelName, Channel]:
        from tasks.wiring.channels import wire_channels

        return wire_channels(self._settings, self._crm)

    def __getitem__(self, name: ChannelName) -> Channel:
        return self._wired[name]

    def __iter__(self) -> Iterator[ChannelName]:
        return iter(self._wired)

    def __len__(self) -> int:
        return len(self._wired)


def wire(settings: Settings | None = None, *, send: bool = True) -> Toolbox:
    """Return the toolbox of this installation. Raises WrongSetting, which names each setting that cannot be used, never its value.

    send: False if the caller most likely sends nothing. Problems with a channel are then raised at the first use of a channel.
    """
    settings = settings or Settings()
    database = Database(settings.database)
    crm = wire_crm(settings, database)
    channels = ChannelsAtNeed(settings, crm)
    if send:
        len(channels)
    try:
        links = Links(settings.signing_keys(), settings.public_url)
    except ValueError as error:
        raise WrongSetting([f"BATON_SECRETS or BATON_WEB_URL: {error}"]) from error
    return Toolbox(settings, database, crm, channels, links, automation=partial(wire_automation, settings))


_current: Toolbox | None = None


def use(toolbox: Toolbox | None) -> None:
    """Makes this the toolbox of the process. After None, the next call of current() wires the installation's own."""
    global _current
    _current = toolbox


def current() -> Toolbox:
    """The toolbox of the process, wired from the settings at first use. Only flows, the worker and commands call it."""
    global _current
    if _current is None:
        _current = wire()
    return _current
