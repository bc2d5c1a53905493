"""What a Salesforce org has: the fields of its records, their picklists, and its active users."""

from __future__ import annotations

from collections.abc import Sequence

from agreements.crm_fit import CrmThere, FieldThere
from agreements.errors import CrmError
from storage.crm.salesforce_api import Calls, Row

#: Kinds of fields whose values Salesforce checks.
_CHECKED = ("picklist", "multipicklist")


async def describe(calls: Calls, kinds: Sequence[str]) -> CrmThere:
    """Return the fields of these records, and who can own one. A record that may not be read is left out and said."""
    fields, denied = {}, []
    for kind in kinds:
        try:
            found = await calls.send("GET", f"sobjects/{kind}/describe")
        except CrmError as error:
            if not error.permanent:
                raise
            denied.append(f"The fields of {kind} cannot be read: {error}.")
            continue
        fields[kind] = {str(one["name"]): _field(one) for one in found["fields"]}
    rows = await calls.rows("SELECT Email FROM User WHERE IsActive = true AND UserType = 'Standard'")
    return CrmThere(fields, frozenset(str(row["Email"]).lower() for row in rows if row["Email"]), tuple(denied))


def _field(one: Row) -> FieldThere:
    listed = (value for value in one.get("picklistValues") or () if value.get("active", True))
    options = frozenset(str(value["value"]) for value in listed) if one.get("type") in _CHECKED else frozenset()
    unique = bool(one.get("unique")) and bool(one.get("externalId"))
    return FieldThere(str(one["name"]), options, bool(one.get("updateable", True)), unique)
