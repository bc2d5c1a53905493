"""People in Salesforce: a person of the roster is the user with the same e-mail address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from agreements.errors import CrmError
from storage.crm.salesforce_api import Calls
from storage.crm.soql import listed, quoted

#: How many ids one query asks for: its text stays far below the 16,000 bytes that an address may have.
IDS_AT_ONCE = 200


class Who(NamedTuple):
    """Who a user is. person: of the roster, empty for somebody outside of it. name: as Salesforce shows it."""

    person: str = ""
    name: str = ""

    @property
    def said(self) -> str:
        """The person's id, else the name."""
        return self.person or self.name


async def user_of(calls: Calls, person: str, people: Callable[[], Mapping[str, str]]) -> str:
    """Return the id of the person's active user.

    Raises: CrmError, permanent, where the roster has no address, and where no active user or several users have that address.
    """
    address = (await asyncio.to_thread(people)).get(person, "")
    if not address:
        raise CrmError(f"Salesforce: the roster has no e-mail address for {person!r}; add it", permanent=True)
    query = f"SELECT Id, IsActive FROM User WHERE Email = {quoted(address)} AND UserType = 'Standard' ORDER BY Id"
    found = (await calls.asked({"user": query}))["user"]
    active = [str(row["Id"]) for row in found if row["IsActive"]]
    if len(active) == 1:
        return active[0]
    if active:
        raise CrmError(f"Salesforce: {len(active)} active users have the e-mail address of {person!r}; leave it to one", permanent=True)
    if found:
        raise CrmError(f"Salesforce: the user of {person!r} is inactive; activate it, or give the lead to a colleague", permanent=True)
    raise CrmError(f"Salesforce: no user has the e-mail address of {person!r}; create one, or correct the roster", permanent=True)


async def whose(calls: Calls, users: Collection[str], people: Callable[[], Mapping[str, str]]) -> dict[str, Who]:
    """Return who each of these users is, by the user's id of 15 characters. Queues and unknown users are not among them."""
    known = {address.casefold(): person for person, address in sorted((await asyncio.to_thread(people)).items(), reverse=True)}
    found = {}
    for some in chunks(users):
        for row in await calls.rows(f"SELECT Id, Name, Email FROM User WHERE Id IN {listed(some)}"):
            found[short(str(row["Id"]))] = Who(known.get(str(row["Email"] or "").casefold(), ""), str(row["Name"] or ""))
    return found


def short(ident: str) -> str:
    """Return the 15 characters of an id that tell it from others. The last three of the long form are a checksum."""
    return ident[:15]


def chunks(ids: Collection[str]) -> list[list[str]]:
    """Return these ids without repeats, in lists that one query can hold."""
    ordered = sorted(set(ids))
    return [ordered[at : at + IDS_AT_ONCE] for at in range(0, len(ordered), IDS_AT_ONCE)]
