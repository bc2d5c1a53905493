"""A CRM that can say which fields, values and users it has, so that it can be held against the agreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from agreements.crm_fit import CrmThere, FieldWanted


@runtime_checkable
class DescribedCrm(Protocol):
    """A CRM with fields of its own.

    lead_record: the kind of record that a lead is. own_fields: Baton's own fields. field_names: its field for names of every agreement.
    """

    lead_record: str
    own_fields: Sequence[FieldWanted]
    field_names: Mapping[str, str]

    async def described(self) -> CrmThere:
        """Return what is there. What may not be read is said and does not raise. Raises CrmError if the CRM does not answer."""
        ...

    async def create_field(self, wanted: FieldWanted) -> str:
        """Create the field and return how it is called there. Raises CrmError, permanent where a person has to create it."""
        ...
