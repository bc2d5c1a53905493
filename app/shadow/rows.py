"""What became of one lead, as rows for an audit. Pure functions over what the CRM says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from agreements.words import OpportunityState
from app.shadow.words import DEAL, Said, Words
from storage.crm.past import PastDeal, PastLead

#: The columns of both files. There are no names and no addresses of people.
LEADS = ("id", "created", "source", "owner", "assigned_at", "status", "reason", "tier", "won", "won_at", "lost", "lost_at", "amount")
ACTIVITIES = ("lead", "at", "type", "by", "to")
#: The word under `by` for what no person did, and the one for yes.
AUTOMATIC, YES = "automatic", "yes"


@dataclass(frozen=True, slots=True)
class _End:
    """How the deals of a lead ended. on: the day, empty for an unknown one."""

    won: bool = False
    lost: bool = False
    on: str = ""
    amount: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Status:
    """A status that a lead got: its word, since when, and the reason."""

    at: datetime
    word: str
    reason: str = ""


def lead_row(lead: PastLead, words: Words) -> tuple[str, ...]:
    """Return the lead's row, with the columns of LEADS."""
    history, end = list(_history(lead, words)), _end(lead.deals)
    status = _now(lead, words, history)
    day_won, day_lost = (end.on if one else "" for one in (end.won, end.lost))
    return (
        lead.id,
        _written(lead.created),
        lead.source,
        lead.owner,
        _written(_given(lead)),
        status.word,
        status.reason or end.reason,
        lead.values.get(words.tier, ""),
        YES if end.won else "",
        day_won,
        YES if end.lost else "",
        day_lost,
        end.amount,
    )


def activity_rows(lead: PastLead, words: Words, *, dated: bool) -> Iterator[tuple[str, ...]]:
    """Yield the lead's activities, with the columns of ACTIVITIES. dated: the CRM keeps when a status changed.

    Where a record became a lead later (`words.created`), touches from before then belong to no lead.
    """
    for touch in lead.touches:
        if words.created and lead.created and touch.at < lead.created:
            continue
        yield lead.id, _written(touch.at), touch.kind, AUTOMATIC if touch.automatic else "", ""
    for one in _history(lead, words) if dated else ():
        yield lead.id, _written(one.at), "status", "", one.word


def _given(lead: PastLead) -> datetime | None:
    """Return when the lead was given to a rep: at once where its record had an owner before it became a lead."""
    known = [one for one in (lead.owned_since, lead.created) if one]
    return max(known) if lead.owned_since else None


def _history(lead: PastLead, words: Words) -> Iterator[_Status]:
    """Yield each status that the lead got, oldest first. A status or a deal from before the lead is no answer to it."""
    known = {name: value for name, value in lead.values.items() if not any(name in one.values for one in lead.changes)}
    found = []
    for change in lead.changes:
        known |= change.values
        said = words.said(known, change.values.keys())
        if said.word and (lead.created is None or change.at >= lead.created):
            found.append(_Status(change.at, said.word, said.reason))
    for deal in lead.deals:
        if deal.opened_at and (lead.created is None or deal.opened_at >= lead.created):
            found.append(_Status(deal.opened_at, DEAL))
    yield from sorted(found, key=lambda one: one.at)


def _now(lead: PastLead, words: Words, history: Sequence[_Status]) -> Said:
    """Return the status that the lead has now: of the values that it has, unless it got an open deal later."""
    said = words.said(lead.values, lead.values.keys())
    last = history[-1] if history else None
    has_deal = any(one.state is OpportunityState.OPEN for one in lead.deals)
    if last and has_deal and last.word == DEAL:
        return Said(DEAL)
    return said


def _end(deals: Sequence[PastDeal]) -> _End:
    """Return how the deals ended: won if one was won, lost if all were lost. The first win and the last loss give the day."""
    won = [one for one in deals if one.state is OpportunityState.WON]
    if won:
        days = [one.closed_on for one in won if one.closed_on]
        return _End(won=True, on=min(days, default=""), amount=_sum(one.amount for one in won))
    if not deals or any(one.state is OpportunityState.OPEN for one in deals):
        return _End()
    last = max(deals, key=lambda one: one.closed_on)
    return _End(lost=True, on=last.closed_on, reason=last.reason)


def _sum(amounts: Iterator[str]) -> str:
    """Return the sum of those that are numbers, empty for none."""
    found = []
    for text in amounts:
        try:
            found.append(Decimal(text))
        except InvalidOperation:
            continue
    return format(sum(found), "f") if found else ""


def _written(at: datetime | None) -> str:
    """A time in whole seconds and UTC, empty for none."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""
