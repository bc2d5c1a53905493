"""Check the CRM's words: known stages, values that mean one thing each, and what Baton creates and reads there."""

from __future__ import annotations

from collections.abc import Iterator

from agreements import lost, stalled
from agreements.checks.base import Finding
from agreements.clauses.base import nearest, one_of, shown
from agreements.clauses.clocks import CRM_STAGES
from agreements.crm_words import CREATE, DETAIL_NAMES, DETAILS, KEYS, LOST, STALLED, values_at, values_of
from agreements.model import Agreement
from agreements.words import word
from agreements.yaml_reader import Path


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find keys that are no stage, values with two meanings, and requests that Baton cannot carry out."""
    for stage in agreement.crm:
        if stage not in KEYS:
            yield Finding(("crm", stage), f"is no stage that goes to the CRM{nearest(stage, KEYS)}; write {one_of(KEYS)}")
    yield from _creating(agreement)
    yield from _details(agreement)
    for key, what in lost.problems(agreement):
        yield Finding(("crm", LOST, key), what)
    for key, what in stalled.problems(agreement):
        yield Finding(("crm", STALLED, key), what)
    yield from _same_values(agreement)


def _creating(agreement: Agreement) -> Iterator[Finding]:
    created = agreement.crm.get("accepted", {}).get(CREATE, "opportunity")
    if created != "opportunity":
        yield Finding(("crm", "accepted", CREATE), f"{shown(created)} is nothing that Baton creates; write `create: opportunity`")


def _details(agreement: Agreement) -> Iterator[Finding]:
    for name in agreement.crm.get(DETAILS, {}):
        if name not in DETAIL_NAMES:
            what = f"is nothing that a reason asks{nearest(name, DETAIL_NAMES)}; write {one_of(DETAIL_NAMES)}, each with a field of the CRM"
            yield Finding(("crm", DETAILS, name), what)


def _same_values(agreement: Agreement) -> Iterator[Finding]:
    """Find two meanings of the same values: nobody could tell which one a person means."""
    places: list[tuple[Path, dict[str, str]]] = [
        (("crm", stage), values_at(agreement, known)) for stage in agreement.crm if (known := word(stage, CRM_STAGES))
    ]
    places += [(("reasons", index, "crm"), values_of(agreement, reason)) for index, reason in enumerate(agreement.reasons)]
    first: dict[frozenset[tuple[str, str]], Path] = {}
    for where, values in places:
        if not values:
            continue
        same = first.setdefault(frozenset(values.items()), where)
        if same != where:
            said = ", ".join(f"{name}: {value}" for name, value in values.items())
            what = f"{said} already means {'.'.join(map(str, same))}; give each meaning its own values"
            yield Finding(where, what, needs=(same,))
