"""Takes one lead in, from any door: judges it as IncomingLead and by the present time, stores it, and says what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from agreements.countries import unclear_country
from agreements.lead import IncomingLead
from agreements.slips import unlikely_request
from storage import roster
from storage.identity import again_if_taken
from tasks.intake import Captured, capture
from tasks.wiring.toolbox import Toolbox

MAX_PROBLEMS = 20
"""How many problems of one lead are named."""

_AHEAD = timedelta(days=1)
_YEARS = range(1990, 2101)
#: What to write instead, by validation's name for the mistake.
_SENTENCES = {
    "missing": "is required",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": "must be text in quotes",
    "timezone_aware": "needs a time zone; write it as 2027-01-31T09:00:00+01:00",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object of names and values",
    "too_long": "holds more than {max_length} entries",
    "model_type": "must be an object with the fields of a lead",
}


def take_in(box: Toolbox, item: Any, *, actor: str) -> tuple[int, dict[str, Any]]:
    """Take in one lead; return a status as in HTTP and what to tell its sender.

    item: the fields of a lead, or the lead. 201: a handoff began; 200: a known lead; 422: mistakes, named under `problems`, and nothing
    is stored. actor: who sends it, for the trail.
    """
    try:
        incoming = IncomingLead.model_validate(item)
    except ValidationError as error:
        return _unfit(problems_of(error))

    def work(session: Session, now: datetime) -> Captured | list[dict[str, str]]:
        problems = untimely(incoming, now) + _unknown_rep(session, incoming)
        return problems or capture(session, incoming, now=now, actor=actor)

    done = again_if_taken(lambda: box.write_now(work))
    if isinstance(done, list):
        return _unfit(done)
    said: dict[str, Any] = {"lead": done.lead_id, "handoff": done.handoff_id, "result": done.kind}
    if problem := unclear_country(incoming.country):
        said["notes"] = [{"field": "country", "problem": problem}]
    return (201 if done.kind == "new" else 200), said


def _unfit(problems: list[dict[str, str]]) -> tuple[int, dict[str, Any]]:
    return 422, {"error": "This lead has mistakes, so it was not taken in.", "problems": problems}


def untimely(incoming: IncomingLead, now: datetime) -> list[dict[str, str]]:
    """Return what is wrong with this lead's times, by Baton's own time."""
    given = {"at": incoming.at, "requested_time": incoming.requested_time}
    found = [{"field": name, "problem": "is not a likely time"} for name, at in given.items() if at and at.year not in _YEARS]
    if not found and incoming.at and incoming.at > now + _AHEAD:
        found.append({"field": "at", "problem": f"is in the future: it is {now.astimezone(UTC):%Y-%m-%dT%H:%MZ} now"})
    if not found and not incoming.at and (problem := unlikely_request(incoming.requested_time, asked_at=now)):
        found.append({"field": "requested_time", "problem": problem})
    return found


def _unknown_rep(session: Session, incoming: IncomingLead) -> list[dict[str, str]]:
    problem = roster.not_a_rep(session, incoming.sales_sourced_by)
    return [{"field": "sales_sourced_by", "problem": problem}] if problem else []


def problems_of(error: ValidationError) -> list[dict[str, str]]:
    """Return every mistake once, as the path of its field and a sentence on what to write; at most MAX_PROBLEMS and a count."""
    found = {}
    for one in error.errors(include_url=False, include_input=False):
        where = [str(part)[:80] for part in one["loc"] if part != "[key]"]
        if where[:1] == ["fields"] and len(where) > 2:  # the further parts name the types that were tried
            found[".".join(where[:2])] = "must be text, a number, true, false or null"
        else:
            found.setdefault(".".join(where), _sentence(one, where))
    told = [{"field": field, "problem": problem} for field, problem in found.items()]
    more = len(told) - MAX_PROBLEMS
    return told if more <= 0 else [*told[:MAX_PROBLEMS], {"field": "", "problem": f"and {more} more"}]


def _sentence(one: Any, where: list[str]) -> str:
    kind, context = str(one["type"]), one.get("ctx", {})
    if kind == "extra_forbidden":
        near = get_close_matches(where[-1], IncomingLead.model_fields, n=1)
        instead = f"did you mean {near[0]!r}?" if near else "your own facts go into 'fields'"
        return f"is not a field of a lead; {instead}"
    if kind.startswith(("datetime", "date_")):
        return "is not a time; write it as 2027-01-31T09:00:00+01:00"
    return _SENTENCES.get(kind, "").format_map(context) or str(one["msg"]).removeprefix("Value error, ")
