"""The CRM as a channel: an assignment with its task, or a note at the lead. Which CRM it is stands in storage/crm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agreements.errors import CrmError, DeliveryError
from notifications.letter import Letter

#: Messages by which somebody gets the lead.
ASSIGNMENTS = ("assigned", "taken")


class TakesAssignments(Protocol):
    """What a CRM must be able to do to be a channel. The same key twice is one change; both return the CRM's proof."""

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        """Makes owner the owner of the lead and opens a task for them. Raises CrmError."""
        ...

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        """Writes a note to the lead for owner to see. Raises CrmError."""
        ...


class CrmChannel:
    """Tells people through the CRM: an assignment makes its recipient the owner, with a task; every other message is a note."""

    may_bounce = False

    def __init__(self, crm: TakesAssignments, name: str = "crm") -> None:
        self.name, self._crm = name, crm

    async def send(self, letter: Letter) -> str:
        """Writes the letter's facts to the CRM and returns the CRM's proof.

        The owner is facts["owner"], else the recipient's id.
        Raises: DeliveryError, as permanent as the CRM's own error; permanent where facts have no lead_number.
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
            raise DeliveryError(self.name, str(error), permanent=error.permanent) from error
