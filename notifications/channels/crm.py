"""The CRM as a channel: it writes an assignment with its task, or a note to the lead. storage/crm holds the CRMs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agreements.errors import CrmError, DeliveryError
from agreements.words import TemplateName
from notifications.letter import Letter

#: The messages that give somebody the lead.
ASSIGNMENTS: tuple[TemplateName, ...] = ("assigned", "taken")


class TakesAssignments(Protocol):
    """What a CRM must do to be a channel. The same key twice makes one change. Both methods return the CRM's proof.

    read_by_people: reps work in this CRM and read their tasks there.
    """

    read_by_people: bool

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Make owner the owner of the lead and open a task for them. Raises CrmError."""
        ...

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        """Write a note to the lead for the owner to see. Raises CrmError."""
        ...


class CrmChannel:
    """Tells people through the CRM. An assignment makes its recipient the owner and opens a task. Other messages become notes."""

    may_bounce = False

    def __init__(self, crm: TakesAssignments, name: str = "crm") -> None:
        self.name, self._crm, self.read_by_people = name, crm, crm.read_by_people

    async def send(self, letter: Letter) -> str:
        """Write the letter's facts to the CRM and return the CRM's proof.

        The owner is facts["owner"], or the recipient's id where that is missing.
        Raises: DeliveryError, permanent where the CRM's error is, or where the facts have no lead_number.
        """
        lead_number, owner = letter.facts.get("lead_number", ""), letter.facts.get("owner") or letter.to.id
        if not lead_number:
            raise DeliveryError(self.name, "the letter does not say which lead it is about", permanent=True)
        try:
            if letter.message in ASSIGNMENTS:
                return await self._crm.assign(key=letter.key, lead_number=lead_number, owner=owner, facts=letter.facts)
            subject = letter.subject
            return await self._crm.note(key=letter.key, lead_number=lead_number, owner=owner, subject=subject, facts=letter.facts)
        except CrmError as error:
            raise DeliveryError(self.name, str(error), permanent=error.permanent, retry_after_seconds=error.retry_after_seconds) from error
