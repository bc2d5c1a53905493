"""The clause about nurture: how a lead gets into its track at the marketing automation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from agreements.calendar.durations import Duration
from agreements.clauses.base import ADuration, Clause, shown

#: How Baton tells the marketing automation. webhook: a signed message to BATON_NURTURE_URL; hubspot-list: the contact is put on a list
#: of the HubSpot account that is the CRM.
EnrolBy = Literal["webhook", "hubspot-list"]
#: The list of every track that has none of its own.
OTHER_TRACKS = "other"


def _number(value: Any) -> Any:
    """Take the number of a list as YAML reads it: 412 or "412"."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise ValueError(f"{shown(value)} is no number of a list; HubSpot shows it in the list's address, such as 412")
    return text


AList = Annotated[str, BeforeValidator(_number), WithJsonSchema({"type": ["integer", "string"], "pattern": "^[0-9]+$"})]


class Nurture(Clause):
    """How Baton enrols a nurtured lead in its track, and how soon the marketing automation has to confirm it.

    enrol: None where marketing enrols leads itself. lists: for hubspot-list, the number of the list of each track; `other` is for every
    track that is not named. confirm_within: on marketing's calendar.
    """

    enrol: EnrolBy | None = None
    lists: Mapping[str, AList] = Field(default_factory=dict)
    confirm_within: ADuration = Duration(1, "days", working=True)

    def place_of(self, track: str) -> str:
        """Return the number of the list of this track, empty where none is agreed."""
        return self.lists.get(track) or self.lists.get(OTHER_TRACKS, "")
