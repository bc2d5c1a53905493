"""Whose record in HubSpot belongs to whom: people of the roster and owners of HubSpot, by e-mail address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agreements.errors import CrmError
from storage.crm.hubspot_api import Conversation

OWNERS = "/crm/v3/owners"


async def owner_of(hub: Conversation, people: Mapping[str, str], person: str) -> str:
    """Return the id of the owner who is this person. Raises CrmError if HubSpot has no such user, or has the user no longer."""
    address = people.get(person, "")
    if not address:
        raise CrmError(f"The roster has no e-mail address for {person}, so HubSpot cannot know {person}: add it", permanent=True)
    for archived in ("false", "true"):
        async for owner in hub.pages(OWNERS, email=address, limit="100", archived=archived):
            if str(owner.get("email", "")).casefold() != address.casefold():
                continue
            if archived == "true":
                said = f"{person} was a user of HubSpot and is none any more: give the lead to somebody else, or make {person} a user again"
                raise CrmError(said, permanent=True)
            return str(owner["id"])
    raise CrmError(f"HubSpot has no user with the e-mail address of {person}: add the user, or correct the roster", permanent=True)


@dataclass(frozen=True, slots=True)
class Owners:
    """The people behind HubSpot's ids. by_owner, by_user: the person's id in the roster, by the id of the owner or of the user."""

    by_owner: Mapping[str, str] = field(default_factory=dict)
    by_user: Mapping[str, str] = field(default_factory=dict)

    def owner(self, ident: str) -> str:
        """The person who is this owner, HubSpot's own name for somebody who is not in the roster, and empty for nobody."""
        return self.by_owner.get(ident, f"HubSpot owner {ident}") if ident else ""

    def user(self, ident: str) -> str:
        """The person who is this user, or HubSpot's own name for somebody who is not in the roster."""
        return self.by_user.get(ident, f"HubSpot user {ident}")


async def read_owners(hub: Conversation, people: Mapping[str, str]) -> Owners:
    """Return everybody of the roster whom HubSpot knows, also those who are users no longer: what they did stays theirs."""
    known = {address.casefold(): person for person, address in people.items()}
    by_owner: dict[str, str] = {}
    by_user: dict[str, str] = {}
    for archived in ("true", "false"):
        async for owner in hub.pages(OWNERS, limit="100", archived=archived):
            person = known.get(str(owner.get("email") or "").casefold())
            if person:
                by_owner[str(owner["id"])] = person
                user = owner.get("userId") or owner.get("userIdIncludingInactive")
                if user:
                    by_user[str(user)] = person
    return Owners(by_owner, by_user)
