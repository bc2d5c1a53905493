"""What Baton needs from any marketing automation: enrol a nurtured lead in a track, and take it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agreements.clauses.nurturing import EnrolBy

#: What the automation is told.
Told = Literal["enrol", "leave"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the automation is told about one lead.

    by: the agreed way. key: the same key twice is one enrolment. person: facts to recognise the person, empty for `leave`: the automation
    knows the lead by its number. place: what the track is called there, where that is agreed.
    """

    by: EnrolBy
    do: Told
    key: str
    track: str
    lead_number: int
    person: Mapping[str, str]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The automation's answer. confirmed: the lead is in its track, or out of it, now; otherwise the confirmation comes later."""

    proof: str
    confirmed: bool


class MarketingAutomation(Protocol):
    """A marketing automation. Errors are DeliveryError, which says whether a later try can help."""

    async def tell(self, ask: Ask) -> Heard:
        """Tell it to enrol the lead in a track, or to take it out. The same key twice makes one change."""
        ...
