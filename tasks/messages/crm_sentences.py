"""The lines of the trail about the CRM, as sentences for people."""

from __future__ import annotations

from collections.abc import Mapping

from agreements.opportunities import money
from agreements.words import EventKind, NotUnderstood
from storage.tables import Event, Opportunity

#: Lines that read the same whatever they hold.
SENTENCES: Mapping[EventKind, str] = {
    "crm-converted": "{actor} converted the lead in the CRM",
    "crm-merged": "{actor} merged it in the CRM into a record that Baton does not know",
    "crm-gone": "{actor} deleted it in the CRM",
    "opportunity-opened": "Opportunity {opportunity} began in the CRM",
    "opportunity-changed": "Opportunity {opportunity} changed in the CRM: {fields}",
    "opportunity-won": "Opportunity {opportunity} was won",
    "opportunity-lost": "Opportunity {opportunity} was lost",
    "opportunity-stalled": "Opportunity {opportunity} is stalled: the CRM has said nothing new of it",
}
#: Lines that say more if they hold a certain fact.
MORE: tuple[tuple[EventKind, str, str], ...] = (("opportunity-lost", "reason", "Opportunity {opportunity} was lost: {reason}"),)
#: Why a change in the CRM changed nothing, and what to do.
_WHY: Mapping[NotUnderstood, str] = {
    "no-meaning": "the agreement gives the new value of {fields} no meaning",
    "no-reason": "a rejection needs one of the agreed reasons",
    "incomplete": "the reason {reason} needs more than the CRM says. Please answer by the link",
    "unknown-owner": "the new owner {owner} is not in the roster",
    "unknown-person": "{actor} is no rep or manager of the roster",
    "not-asked": "this was not asked of {actor}",
    "before-assignment": "it was made before the rep had the lead",
    "no-task": "the lead waits for no answer now",
    "unknown-lead": "Baton does not know the other record",
}


def not_understood(event: Event) -> str:
    """Return the sentence for a change in the CRM that changed nothing, with places for names; empty for any other line."""
    if event.kind != "crm-not-understood":
        return ""
    why = next((words for why, words in _WHY.items() if why == event.data.get("why")), "")
    return f"A change by {{actor}} in the CRM does not count: {why}"


#: What cannot be right about an opportunity, in words.
_FAULTS: Mapping[str, str] = {
    "no-lead": "its lead is unknown",
    "amount-no-number": "the amount {said!r} is no plain number",
    "amount-impossible": "the amount {said!r} cannot be right",
    "unknown-state": "the state {said!r} is unknown",
    "unknown-currency": "the currency {said!r} is unknown",
    "closed-before-opened": "it was closed on {said}, before it began",
    "opened-on-no-date": "it began on {said!r}, which is no date",
    "opened-on-to-come": "it began on {said}, which had not come yet",
    "closed-on-to-come": "it was closed on {said}, which had not come yet",
    "closed-on-no-date": "it was closed on {said!r}, which is no date",
}


def opportunity_in_words(row: Opportunity) -> str:
    """Return one line about an opportunity: its state, stage, amount and end, and what cannot be right about it."""
    parts = [f"Opportunity {row.crm_id}: {row.state}", row.stage]
    parts.append(f"stalled since {row.stalled_at:%d %b %Y}" if row.stalled_at else "")
    parts.append(money(row.amount, row.currency) if row.amount is not None else "")
    parts.append(f"began {row.opened_at:%d %b %Y}")
    parts.append(f"ended {row.settled_at:%d %b %Y}" if row.settled_at else "")
    parts.append(f"reason: {row.reason}" if row.reason else "")
    parts += [_FAULTS.get(name, name).format(said=said) for name, said in row.faults.items()]
    return ", ".join(filter(None, parts))
