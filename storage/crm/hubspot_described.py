"""What a HubSpot account has: its properties, their options, and its owners."""

from __future__ import annotations

from agreements.crm_fit import CrmThere, FieldThere, FieldWanted
from agreements.errors import CrmError
from storage.crm.hubspot_api import Conversation, Json

#: The group of each object in which HubSpot shows properties.
_GROUPS = {"contacts": "contactinformation", "deals": "dealinformation", "tasks": "task", "notes": "note"}


async def describe(hub: Conversation, kinds: list[str]) -> CrmThere:
    """Return the properties of these objects, and who can own a record. An object that may not be read is left out and said."""
    fields, denied = {}, []
    for kind in kinds:
        try:
            found = await hub.get(f"/crm/v3/properties/{kind}") or {}
        except CrmError as error:
            if not error.permanent:
                raise
            denied.append(f"The properties of {kind} cannot be read: {error}.")
            continue
        fields[kind] = {str(one["name"]): _field(one) for one in found.get("results", ())}
    people = [str(one.get("email") or "").lower() async for one in hub.pages("/crm/v3/owners", limit="100")]
    return CrmThere(fields, frozenset(filter(None, people)), tuple(denied))


def _field(one: Json) -> FieldThere:
    options = frozenset(str(option["value"]) for option in one.get("options") or ())
    fixed = bool((one.get("modificationMetadata") or {}).get("readOnlyValue")) or bool(one.get("calculated"))
    return FieldThere(str(one["name"]), options, not fixed, bool(one.get("hasUniqueValue")))


async def create(hub: Conversation, wanted: FieldWanted) -> str:
    """Create this property. Raises CrmError; HubSpot refuses one that is there."""
    made: Json = {
        "name": wanted.name,
        "label": wanted.name.replace("_", " ").capitalize(),
        "description": "Written by Baton. Please do not change it.",
        "groupName": _GROUPS[wanted.record],
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": wanted.unique,
        "formField": False,
    }
    await hub.change("POST", f"/crm/v3/properties/{wanted.record}", made)
    return f"{wanted.name} of {wanted.record}"
