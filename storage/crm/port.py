"""What Baton needs from any CRM."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord
from agreements.lead import MAX_SHORT, storable
from agreements.words import CrmChangeKind

#: The facts of `assign` and `note` that are about the person. They are for the lead's record in the CRM, and for no text.
PERSON_FACTS = ("email", "first_name", "last_name", "company", "job_title", "phone", "country")


#: How many records with a number one page has at most.
PAGE_OF_NUMBERS = 200


@dataclass(frozen=True, slots=True)
class Account:
    """The CRM's record of a company. status: customer, prospect or former; owner: a person's id, empty for none.

    opportunity_owner: who works on the open opportunity, empty where the owner or nobody does.
    """

    id: str
    name: str
    domain: str = ""
    status: str = "prospect"
    owner: str = ""
    open_opportunity: bool = False
    opportunity_owner: str = ""

    def as_facts(self) -> dict[str, object]:
        """The facts that rules ask about, by name. Texts are cut to the longest that a fact may be."""
        texts = {"id": self.id, "status": self.status, "owner": self.owner}
        return {**{name: storable(text[:MAX_SHORT]) for name, text in texts.items()}, "open_opportunity": self.open_opportunity}


#: What a change in the CRM is about.
#: fields: a person set fields of the lead (`owner`, and others by the CRM's own names).
#: touch: a person logged a call, an e-mail or a meeting. values: channel (call, email, meeting), outcome (connected, attempted).
#: opportunity: an opportunity of the lead began or changed. values: opportunity (its id), stage, amount, currency, state (open, won,
#:   lost), reason, opened_on and closed_on (YYYY-MM-DD), as far as the CRM says them.
#: converted: the lead became a contact or an account. values: opportunity, where the conversion made one.
#: merged: the record was merged into another. values: into, the number of the surviving lead; empty where Baton does not know it.
#: gone: the record was deleted.
ChangeKind = CrmChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a person made in the CRM.

    number: counts up within one reading. lead_number: the lead. by: the person's id in the roster, or the CRM's own name for somebody
    who is not in it. at: aware. values: the new values by name, see ChangeKind. id: the CRM's name for this change for ever; the same
    change read twice has the same id. Empty where the CRM has none.
    """

    number: int
    lead_number: int
    by: str
    at: datetime
    values: Mapping[str, str] = field(default_factory=dict)
    kind: ChangeKind = "fields"
    id: str = ""


class Crm(Protocol):
    """A CRM. Every write carries a key: the same key twice is one change. Errors are CrmError, which says whether it is permanent.

    An adapter keeps these promises, and tests/contracts/test_crm.py tries them on each adapter:

    - A key that comes again changes nothing, also when a person has changed the record meanwhile, and returns the same proof.
    - A write that failed half-way can be repeated. Then it is whole, and nothing is there twice.
    - A lead is one record of the CRM. Baton adopts the record of the person's e-mail address, or makes one. `PERSON_FACTS` are for
      this record alone.
    - People are ids of the roster. The adapter translates them by their e-mail addresses.
    - An error is permanent if trying again cannot help before a person changes a setting, the roster or the CRM. Its message names
      what to change. It holds no token, and no personal data.
    - Changes are those by people and by other programs, never Baton's own. None is lost, and none is given twice.

    name: the CRM's name for people. read_by_people: reps work in this CRM and read their tasks there. files: the files of this
    machine in which the CRM keeps leads; none for a service. keeps: what `erase` leaves in the CRM, as a sentence that ends
    before the numbers of the leads; empty for nothing.
    """

    name: str
    read_by_people: bool
    files: Sequence[Path]
    keeps: str

    async def account(self, *, company: str, domain: str) -> Account | None:
        """The account of this company or mail domain, None where there is none."""
        ...

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Gives the lead to its new owner and adds a task to the owner's list. Returns the CRM's id of the task as proof.

        facts: for the task, and the person's facts for the lead's record (`PERSON_FACTS`), which may be missing.
        """
        ...

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        """Adds a note to the lead. Returns the note's id as proof."""
        ...

    async def update(self, *, key: str, lead_number: str, values: Mapping[str, str]) -> str:
        """Sets fields of the lead. Returns the id of the change as proof."""
        ...

    async def create_opportunity(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Creates an open opportunity of the lead and returns the CRM's id as proof."""
        ...

    async def changes_since(self, bookmark: str) -> tuple[Sequence[Change], str]:
        """The changes by people (not by Baton) after the bookmark, oldest first, and the new bookmark. The first bookmark is empty.

        The same bookmark again gives the same changes, each under the same id, and newer ones. A change that the CRM shows late is
        among them at its own time, so only the ids say what was given before.
        """
        ...

    async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
        """What the CRM has of these leads, by number, without those that it does not know. fields: as the agreements name them."""
        ...

    async def deals(self, ids: Sequence[str]) -> Mapping[str, CrmDeal]:
        """What the CRM has of these opportunities, by its own id, without those that are not there any more."""
        ...

    def numbered(self) -> AsyncIterator[Sequence[CrmNumber]]:
        """Every record that has the number of a lead, page by page, each once. What changes meanwhile may be missing."""
        ...

    async def erase(self, lead_numbers: Sequence[int]) -> int:
        """Deletes what Baton wrote about these leads, except their numbers. Returns how many records changed. See `keeps`."""
        ...
