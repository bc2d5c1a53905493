"""One world for each CRM: the adapter, and what the people of the company do and see in this CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from storage.crm.port import Account, Crm

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
PEOPLE = {"ana": "ana@sales.example", "ben": "ben@sales.example", "cleo": "cleo@sales.example"}


#: busy: too many requests. broken: a fault of the CRM's own. expired: the token ends, and there is a new one. half: half a batch fails.
Trouble = Literal["busy", "broken", "expired", "half"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What people see of a lead in the CRM. tasks, notes: their texts. opportunities: their ids."""

    owner: str = ""
    fields: Mapping[str, str] | None = None
    tasks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    opportunities: tuple[str, ...] = ()


Kind = Literal["fields", "touch", "opportunity"]


@dataclass(frozen=True, slots=True)
class Deed:
    """What one of many people does in a storm. value: the new status, the channel of a touch, or the amount of an opportunity.

    seconds: how much time passes before.
    """

    kind: Kind
    lead: int
    by: str
    value: str
    seconds: int = 0


class World(Protocol):
    """A CRM with its people."""

    crm: Crm

    def account(self, account: Account) -> None:
        """There is this company."""
        ...

    def existing(self, email: str) -> None:
        """There is a record of this person, which Baton did not make."""
        ...

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        """Somebody sets `owner`, `status`."""
        ...

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        """Somebody logs a touch."""
        ...

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        """Somebody makes a deal in this stage (`open`, `won`, `lost`) and returns its id."""
        ...

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        """Somebody moves a deal."""
        ...

    def merge(self, into: int, lead: int, by: str) -> None:
        """Somebody merges a lead into another."""
        ...

    def delete(self, lead: int) -> None:
        """Somebody deletes a lead."""
        ...

    def many(self, numbers: Sequence[int]) -> None:
        """There are records with these numbers, all of Ana's and with the status OPEN."""
        ...

    def trouble(self, kind: Trouble) -> None:
        """The CRM fails once amid the next reading of many records."""
        ...

    def leads(self) -> int:
        """How many records of leads there are."""
        ...

    def seen(self, lead: int) -> Seen:
        """What people see of this lead."""
        ...

    def later(self) -> None:
        """So much time passes that the CRM shows everything, deletions too."""
        ...

    def problems(self) -> list[str]:
        """What the CRM found wrong in the requests."""
        ...

    # In a storm

    def storm(self, *, rate: float, seed: int, hang: bool = False) -> None:
        """From now on requests fail: a share of them at random, in each way in which this CRM can. hang: some get no answer."""
        ...

    def calm(self) -> None:
        """Nothing fails any more."""
        ...

    def failed(self) -> None:
        """Baton has met a fault."""
        ...

    def act(self, deeds: Sequence[Deed]) -> None:
        """Many people begin to do these things."""
        ...

    def done(self) -> None:
        """Wait until they have done them."""
        ...

    def dies_assigning(self, *, key: str, lead: int, owner: str, facts: Mapping[str, str]) -> None:
        """A process of Baton dies amid this write, where that can leave something in the CRM. Elsewhere the faults do the same."""
        ...

    def keys(self) -> list[str]:
        """The keys of all tasks and notes that Baton wrote."""
        ...
