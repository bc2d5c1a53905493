"""The map that says what the columns of an export of activities mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from agreements.lead import Key
from app.csv_import.audit_columns import Cells
from app.csv_import.dates import ISO
from app.csv_import.encoding import known_encoding
from app.csv_import.lead_map import DateForm, zone_of

#: What an activity is: a touch by one of three ways, or a change of the lead's status.
ActivityMeaning = Literal["call", "email", "meeting", "status"]
#: The meanings that are attempts to reach the lead.
TOUCHES: tuple[ActivityMeaning, ...] = ("call", "email", "meeting")


def _known_zone(name: str) -> str:
    return zone_of(name).key if name else ""


class ActivityMap(BaseModel):
    """What the columns of a file of activities mean.

    lead, at, type: the columns with the lead's id, the time and the type of the activity.
    separator: between the ids of an activity that belongs to several leads; empty where each row has one.
    by: who did it; empty for no column.
    to: the new status, of a change of status; empty for no column.
    kinds: meaning -> types as the CRM writes them; a type that is not named is counted, but is no touch.
    automatic: the values of `by` that are no people.
    timezone: of times without a zone.
    dates, encoding: as in the map of leads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lead: Key = "lead_id"
    separator: Annotated[str, StringConstraints(max_length=5)] = ""
    at: Key = "at"
    type: Key = "type"
    by: str = ""
    to: str = ""
    kinds: dict[ActivityMeaning, Cells] = {"call": ("call",), "email": ("email",), "meeting": ("meeting",), "status": ("status",)}
    automatic: Cells = ()
    timezone: Annotated[str, AfterValidator(_known_zone)] = ""
    dates: DateForm = ISO
    encoding: Annotated[str, AfterValidator(known_encoding)] = ""

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        cells = [cell.casefold() for several in self.kinds.values() for cell in several]
        for cell in sorted({cell for cell in cells if cells.count(cell) > 1}):
            yield ("kinds",), f"{cell!r} has two meanings; write each type once"
        if self.automatic and not self.by:
            yield ("automatic",), "needs the column that says who did it; name it under `by`"
