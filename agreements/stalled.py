"""When an open opportunity is stalled: the clause, and the instant up to which it may stay without a change."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from agreements.calendar.durations import Duration
from agreements.clauses.base import AnElapsed, Clause, one_of
from agreements.crm_words import STALLED
from agreements.model import Agreement


class Stalled(Clause):
    """after: how long nothing changes in the CRM before the opportunity is stalled. 30 days where nothing is agreed."""

    after: AnElapsed = Duration(30, "days")


def clause_of(agreement: Agreement | None) -> Stalled:
    """Return the clause, the default where the agreement has none. Raises ValidationError for one that cannot be read."""
    return Stalled.model_validate(dict(agreement.crm.get(STALLED, {}) if agreement else {}))


def problems(agreement: Agreement) -> list[tuple[str, str]]:
    """Return the keys of the clause that cannot be read, each with what to write."""
    said = agreement.crm.get(STALLED, {})
    found = [(key, f"is not known here; write {one_of(tuple(Stalled.model_fields))}") for key in said if key not in Stalled.model_fields]
    try:
        return found or ([] if clause_of(agreement) else [])
    except ValidationError as error:
        return [("after", one["msg"].removeprefix("Value error, ")) for one in error.errors()]


def stalls_at(agreement: Agreement | None, changed_at: datetime) -> datetime:
    """Return when an open opportunity is stalled that changed at this instant for the last time. Both are aware."""
    return clause_of(agreement).after.after(changed_at, None)
