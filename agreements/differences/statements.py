"""An agreement as statements, part by part in the order of the file. Every value of a clause becomes one; none is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agreements.differences import handing_over, readiness
from agreements.differences.kinds import clause_of, said, why_of
from agreements.differences.leaves import condition, leaf, meaning
from agreements.differences.tree import Parts, Statement, Value
from agreements.model import Agreement
from agreements.wording import afterwards
from agreements.wording import vocabulary as say

#: The first part: the version, and when and to which leads it applies.
_NAMES = ("agreement", "version")
_FORCE = ("effective", "timezone", "applies_to", "default")


def statements(agreement: Agreement) -> Mapping[str, Statement]:
    """Return what the agreement says, by part of the file."""
    parts: dict[str, Statement] = {"name and version": clause_of("", agreement, only=_NAMES), "in force": _in_force(agreement)}
    for name in type(agreement).model_fields:
        if name not in (*_NAMES, *_FORCE):
            own = _OWN.get(name)
            parts[say.plain(name)] = own(agreement) if own else said(say.plain(name), getattr(agreement, name))
    return parts


def _in_force(agreement: Agreement) -> Statement:
    """State the dates, the zone and which leads. Whether it is the default is derived if the file leaves `default` out."""
    told: dict[str, Statement] = {
        "from": leaf("in force from", agreement.effective.from_),
        "until": leaf("in force until", agreement.effective.until),
        "timezone": leaf("time zone", agreement.timezone),
        "applies_to": condition("applies to:", agreement.applies_to),
        "default": leaf("takes leads that no other agreement is for", agreement.is_default),
    }
    return Parts("in force", told)


def reasons(agreement: Agreement) -> Statement:
    """State each reason by its code; their order means nothing."""
    found: dict[Any, Statement] = {}
    for one in agreement.reasons:
        label = f"reason {one.code}"
        again = one.revisit.asked_date_or if one.revisit else agreement.recycling.revisit
        found[one.code] = clause_of(
            label,
            one,
            words=afterwards.reason_in_words(one),
            label=leaf(f"{label} reads", one.words),
            track=leaf(f"{label} track", one.track or one.code),
            alert_above=Value(f"{label} alert above", f"{one.alert_above}%" if one.alert_above else "nothing", one.alert_above),
            revisit=Value(f"{label} looked at again after", str(again), meaning(again), inherited=one.revisit is None),
            why=why_of(label, one.why),
        )
    return Parts("reasons", found)


def recycling(agreement: Agreement) -> Statement:
    """State how often to revisit nurtured leads, and what brings them back."""
    rules = agreement.recycling
    found = rules.needs.any or rules.needs.all
    needs = Value(
        "coming back takes",
        say.listed(map(str, found), "or" if rules.needs.any else "and"),
        (bool(rules.needs.any) or len(found) == 1, frozenset(map(str, found))),
    )
    least = leaf("nurtured leads are looked at again at most", say.times(rules.at_most))
    return clause_of("", rules, at_most=least, revisit=leaf("nurtured leads are looked at again after", rules.revisit), needs=needs)


#: The parts with special wording. The others are worded by the kind of their values.
_OWN: Mapping[str, Callable[[Agreement], Statement]] = {
    "definitions": readiness.definitions,
    "objectives": readiness.objectives,
    "fields": readiness.fields,
    "personas": readiness.personas,
    "screen": readiness.screen,
    "qualification": readiness.qualification,
    "tiers": handing_over.tiers,
    "calendars": handing_over.calendars,
    "routing": handing_over.routing,
    "clocks": handing_over.clocks,
    "legs": handing_over.legs,
    "reasons": reasons,
    "recycling": recycling,
}
