"""What becomes of the record itself in the CRM: it was converted, merged into another one, or deleted."""

from __future__ import annotations

from agreements import presence
from agreements.words import SEVERAL, EventKind
from storage import identity, offers, roster, trail
from storage.tables import Lead
from tasks.crm.opportunities import take_opportunity
from tasks.crm.place import Place
from tasks.messages.tell import tell
from tasks.steps import merging
from tasks.steps.joining import CannotMerge


def take_converted(place: Place) -> bool:
    """Shows that the lead was converted. An opportunity that the conversion made is taken like any other."""
    _show(place, "crm-converted")
    return take_opportunity(place)


def take_merged(place: Place) -> None:
    """Merges the lead into the surviving one, as `baton leads merge` does; shows it where Baton does not know that one."""
    into = _survivor(place)
    if into is None:
        _show(place, "crm-merged")
        _tell_owner(place, "The lead was merged in the CRM into a record that Baton does not know.")
        return
    if into.id == place.lead.id:
        return
    try:
        merging.merge(place.session, place.lead.id, into.id, by=place.made.by, now=place.now, reason="merged in the CRM")
    except CannotMerge:
        place.not_understood("unknown-lead", into=into.id)


def take_gone(place: Place) -> None:
    """Shows that the record was deleted, and tells who has the lead once. The lead goes on: a deleted record is no answer."""
    _show(place, "crm-gone")
    _tell_owner(place, "The lead was deleted in the CRM. It is still open here: please return it with a reason, or have it restored.")


def _survivor(place: Place) -> Lead | None:
    named = place.made.values.get("into", "")
    lead = place.session.get(Lead, int(named)) if named.isdecimal() and len(named) < 10 else None
    if lead is None or lead.erased_at is not None:
        return None
    return identity.stands_for(place.session, lead)


def _show(place: Place, kind: EventKind) -> None:
    trail.record(place.session, kind, now=place.made.at, handoff=place.handoff, actor=place.made.by)


def _tell_owner(place: Place, what: str) -> None:
    """Tells the rep who has the lead, each of several who are asked, or marketing where no rep has it. Tells nobody after the end."""
    if not place.is_open:
        return
    asked = offers.open_of(place.session, place.tenure.id) if place.handoff.rep == SEVERAL and place.tenure else []
    people = roster.current(place.session)
    owner = place.handoff.rep if people.person(place.handoff.rep) else presence.marketing(people, place.now)
    for person in [one.rep for one in asked] or [owner]:
        key = f"crm:{place.made.kind}:{place.handoff.id}:{person}"
        tell(place.session, place.handoff, person, key=key, now=place.now, what=what)
