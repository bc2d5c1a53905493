"""HubSpot as the marketing automation: a track is a manual list of contacts, on which HubSpot's workflows hang."""

from __future__ import annotations

from agreements.errors import CrmError, DeliveryError
from storage.crm.hubspot_lists import HubSpotLists
from tasks.automation.port import Ask, Heard


class HubSpotListAutomation:
    """Puts the lead's contact on the list of its track, and takes it off. HubSpot's answer confirms it at once."""

    name = "hubspot-list"

    def __init__(self, lists: HubSpotLists) -> None:
        self._lists = lists

    async def tell(self, ask: Ask) -> Heard:
        """Change the list of the ask's place once. Raises DeliveryError, permanent where only a person helps."""
        if not ask.place:
            raise DeliveryError(self.name, f"the agreement names no list for the track {ask.track}", permanent=True)
        try:
            if ask.do == "enrol":
                contact = await self._lists.add(ask.place, key=ask.key, lead_number=str(ask.lead_number), facts=ask.person)
                return Heard(f"HubSpot: contact {contact} is on list {ask.place}", confirmed=True)
            await self._lists.remove(ask.place, lead_number=str(ask.lead_number))
        except CrmError as error:
            raise DeliveryError(self.name, str(error), permanent=error.permanent) from error
        return Heard(f"HubSpot: off list {ask.place}", confirmed=True)
