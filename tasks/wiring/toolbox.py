"""The real parts wired together, and the one door for the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from sqlmodel import Session

from notifications.letter import Channel
from notifications.links import Links
from storage import time_offset
from storage.crm.local import LocalCrm
from storage.crm.port import Crm
from storage.database import Database
from tasks.wiring.channels import WrongSetting, wire_channels
from tasks.wiring.settings import Settings

T = TypeVar("T")


class Time(Protocol):
    """Where the present comes from."""

    def now(self, session: Session) -> datetime:
        """The present in Baton's time, aware UTC."""
        ...


class LeapingTime:
    """Real time, and what a stored reading says it leapt ahead; real time alone where it never did."""

    def now(self, session: Session) -> datetime:
        real = datetime.now(UTC)
        return real + time_offset.now_ahead(session, real)


class SteppedTime:
    """A time that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self, session: Session) -> datetime:
        return self.at


def _no_fault(where: str) -> None:
    return None


@dataclass
class Toolbox:
    """Everything a step needs from outside. fault: is told how far an attempt is; a test lets it die there."""

    settings: Settings
    database: Database
    crm: Crm
    channels: Mapping[str, Channel]
    links: Links
    time: Time = field(default_factory=LeapingTime)
    fault: Callable[[str], None] = _no_fault

    def __post_init__(self) -> None:
        self.database.trail_key = self.database.trail_key or self.settings.seal_key()
        self.database.person_key = self.settings.person_key

    async def write(self, work: Callable[[Session, datetime], T]) -> T:
        """Runs work in one short write transaction, off the event loop, with the present read once."""
        return await asyncio.to_thread(self.write_now, work)

    async def read(self, work: Callable[[Session, datetime], T]) -> T:
        """Runs work on committed data, off the event loop."""
        return await asyncio.to_thread(self.read_now, work)

    def write_now(self, work: Callable[[Session, datetime], T]) -> T:
        """The same as write, on this thread."""
        with self.database.write() as session:
            return work(session, self.time.now(session))

    def read_now(self, work: Callable[[Session, datetime], T]) -> T:
        """The same as read, on this thread."""
        with self.database.read() as session:
            return work(session, self.time.now(session))

    def undo_time(self, agreed: timedelta) -> timedelta:
        """How long an answer may be taken back: as agreed, unless the installation says otherwise."""
        minutes = self.settings.undo_minutes
        return agreed if minutes is None else timedelta(minutes=minutes)

    @property
    def templates(self) -> Path | None:
        """The folder with this company's own message templates, None for none."""
        return Path(self.settings.templates) if self.settings.templates else None


def wire(settings: Settings | None = None) -> Toolbox:
    """The toolbox of this installation. Raises WrongSetting, which names each setting that cannot be used and never its value."""
    settings = settings or Settings()
    crm = LocalCrm(settings.crm_path or settings.folder / "crm.db")
    channels = wire_channels(settings, crm)
    try:
        links = Links(settings.signing_keys(), settings.public_url)
    except ValueError as error:
        raise WrongSetting([f"BATON_SECRETS or BATON_WEB_URL: {error}"]) from error
    return Toolbox(settings, Database(settings.database), crm, channels, links)


_current: Toolbox | None = None


def use(toolbox: Toolbox | None) -> None:
    """Makes this the toolbox of the process; None lets the next step wire the installation's own."""
    global _current
    _current = toolbox


def current() -> Toolbox:
    """The toolbox of the process, wired from the settings at first use."""
    global _current
    if _current is None:
        _current = wire()
    return _current
