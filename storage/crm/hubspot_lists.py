"""HubSpot's manual lists of contacts."""

from __future__ import annotations

from collections.abc import Mapping

from agreements.errors import CrmError
from storage.crm.hubspot import contact_of, write_contact
from storage.crm.hubspot_api import Conversation, HubSpotApi


class HubSpotLists:
    """The lists of one HubSpot account. A list is named by its number (ILS ID) and must be manual: others HubSpot fills itself.

    Errors are CrmError, which says whether it is permanent.
    """

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api

    async def add(self, list_id: str, *, key: str, lead_number: str, facts: Mapping[str, str]) -> str:
        """Put the lead's contact on the list; return the contact's id. A contact that is on it already stays there.

        A lead without a contact gets one, with these facts about the person.
        """
        async with self._api.open() as hub:
            contact = await contact_of(hub, lead_number, facts)
            if contact is None or not contact["properties"].get("baton_lead"):
                contact = await write_contact(hub, contact, key, lead_number, facts, {})
            ident = str(contact["id"])
            await _change(hub, list_id, "add", ident)
            return ident

    async def remove(self, list_id: str, *, lead_number: str) -> None:
        """Take the lead's contact off the list. Nothing is left to do for a contact that is not on it, or is not there any more."""
        async with self._api.open() as hub:
            contact = await contact_of(hub, lead_number, {})
            if contact is not None:
                await _change(hub, list_id, "remove", str(contact["id"]))


async def _change(hub: Conversation, list_id: str, how: str, contact: str) -> None:
    if not list_id.isascii() or not list_id.isdigit():
        raise CrmError(f"the number of a list in HubSpot is digits, not {list_id[:20]!r}", permanent=True)
    try:
        await hub.change("PUT", f"/crm/v3/lists/{list_id}/memberships/{how}", [contact])
    except CrmError as error:
        raise CrmError(f"list {list_id} in HubSpot, which must be a manual one: {error}", permanent=error.permanent) from error
