"""The clause about nurture: how a lead gets into its track at the marketing automation."""

from __future__ import annotations

from typing import Literal

from agreements.calendar.durations import Duration
from agreements.clauses.base import ADuration, Clause

#: How Baton tells the marketing automation. webhook: a signed message to BATON_NURTURE_URL.
EnrolBy = Literal["webhook"]


class Nurture(Clause):
    """How Baton enrols a nurtured lead in its track, and how soon the marketing automation has to confirm it.

    enrol: None where marketing enrols leads itself. confirm_within: on marketing's calendar.
    """

    enrol: EnrolBy | None = None
    confirm_within: ADuration = Duration(1, "days", working=True)
