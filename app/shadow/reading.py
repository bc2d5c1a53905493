"""Reads the past of a CRM into the two files of an audit and their maps. Of the people in it, only the ids of owners are kept."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from agreements.words import OpportunityState
from app.audit.activity_map import ActivityMap
from app.audit.audit import AuditFiles
from app.csv_import.lead_map import read_map
from app.csv_import.map_file import read_map_as
from app.shadow.rows import ACTIVITIES, AUTOMATIC, LEADS, YES, activity_rows, lead_row
from app.shadow.words import Words
from storage.crm.past import Asked, CrmPast, PastDeal

#: The field of the port for the owner.
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class ReadPast:
    """The files that were written. leads, activities: how many rows they have. untold: what the CRM does not tell, as sentences."""

    files: AuditFiles
    leads: int
    activities: int
    untold: tuple[str, ...]


async def read_past(past: CrmPast, asked: Asked, words: Words, *, folder: Path, timezone: str, progress: Callable[[int], None]) -> ReadPast:
    """Read all pages into this folder. timezone: of days. progress: called with the number of leads so far.

    Raises CrmError. Then the files are not whole, and nobody may use them.
    """
    name = past.name.lower().replace(" ", "-")
    leads_file, activities_file = folder / f"{name}-leads.csv", folder / f"{name}-activities.csv"
    lacking = await past.without_history(asked)
    currencies: Counter[str] = Counter()
    leads = activities = 0
    with leads_file.open("w", encoding="utf-8", newline="") as one, activities_file.open("w", encoding="utf-8", newline="") as other:
        rows_of_leads, rows_of_activities = _begin(one, LEADS), _begin(other, ACTIVITIES)
        async for page in past.pages(asked):
            for lead in page:
                rows_of_leads.writerow(lead_row(lead, words))
                made = list(activity_rows(lead, words, dated=not set(words.deciding) & set(lacking)))
                rows_of_activities.writerows(made)
                activities += len(made)
                currencies.update(_currencies(lead.deals))
            leads += len(page)
            progress(leads)
    leads_map, activities_map = (file.with_suffix(".yaml") for file in (leads_file, activities_file))
    _write(leads_map, _map_of_leads(words, lacking, currencies, timezone=timezone, crm=name))
    _write(activities_map, _map_of_activities(timezone))
    files = AuditFiles(leads_file, read_map(leads_map), activities_file, read_map_as(ActivityMap, activities_map))
    return ReadPast(files, leads, activities, tuple(_untold(past.name, words, lacking, currencies)))


def _begin(file: Any, header: Sequence[str]) -> Any:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    return writer


def _write(path: Path, mapping: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(mapping, file)


def _currencies(deals: Iterable[PastDeal]) -> Iterable[str]:
    return (one.currency for one in deals if one.state is OpportunityState.WON and one.amount)


def _map_of_leads(words: Words, lacking: Sequence[str], currencies: Mapping[str, int], *, timezone: str, crm: str) -> dict[str, Any]:
    outcomes: dict[str, Any] = {} if OWNER in lacking else {"assigned_at": "assigned_at"}
    for end in ("won", "lost"):
        outcomes |= {f"{end}_at": f"{end}_at", end: {"column": end, "is": [YES]}}
    audit: dict[str, Any] = {"source": "source", "owner": "owner", "status": "status"}
    audit["statuses"] = {meaning: list(cells) for meaning, cells in words.statuses.items()}
    audit |= {"reason": "reason"} if words.tells_reasons else {}
    audit |= {"unreachable": list(words.unreachable)} if words.unreachable else {}
    audit |= {"tier": "tier"} if words.tier else {}
    if len(currencies) <= 1:
        audit |= {"amount": "amount", "currency": next(iter(currencies), "")}
    columns = {"source_id": "id", "at": "created"}
    return {"source": crm, "columns": columns, "timezone": timezone, "outcomes": outcomes, "audit": audit}


def _map_of_activities(timezone: str) -> dict[str, Any]:
    kinds = {name: [name] for name in ("call", "email", "meeting", "status")}
    columns = {name: name for name in ACTIVITIES}
    return {**columns, "kinds": kinds, "automatic": [AUTOMATIC], "timezone": timezone}


def _untold(crm: str, words: Words, lacking: Sequence[str], currencies: Mapping[str, int]) -> Iterable[str]:
    if OWNER in lacking:
        yield f"{crm} shows no history of owners: nobody can say when a lead was given to a rep."
    if unknown := [name for name in words.deciding if name in lacking]:
        yield f"{crm} shows no history of {', '.join(unknown)}: nobody can say when a lead was accepted or rejected."
    if not words.tells_reasons:
        yield "No field holds the reason of a rejection: name it under `audit: reason` in a map, and the map with --map."
    if len(currencies) > 1:
        named = ", ".join(sorted(one or "no currency" for one in currencies))
        yield f"Won deals are in several currencies ({named}): their amounts are not added up."
