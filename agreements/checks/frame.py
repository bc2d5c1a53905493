"""Check the frame of the contract: dates, zone, signers, aims and retention."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.calendar.clause import zones
from agreements.checks.base import Finding
from agreements.clauses.aims import MEASURES, Aim
from agreements.clauses.base import nearest, one_of, shown
from agreements.lead import is_address
from agreements.model import Agreement


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find what cannot be right in the frame of the contract."""
    yield from _zone(agreement)
    effective = agreement.effective
    if effective.until is not None and effective.until <= effective.from_:
        what = f"{effective.until} is not after {effective.from_}; write a later day, or leave it out"
        yield Finding(("effective", "until"), what, needs=(("effective", "from"),))
    yield from _signers(agreement)
    yield from _aims(agreement)
    kept = agreement.retention
    if kept.personal > kept.trail:
        what = "is longer than the trail itself is kept; write a shorter time, or a longer one for `trail`"
        yield Finding(("retention", "personal"), what, needs=(("retention", "trail"),))


def _zone(agreement: Agreement) -> Iterator[Finding]:
    if agreement.timezone not in zones():
        near = nearest(agreement.timezone, zones())
        yield Finding(("timezone",), f"{shown(agreement.timezone)} is no time zone{near}; write one such as Europe/London")


def _signers(agreement: Agreement) -> Iterator[Finding]:
    for party in ("marketing", "sales"):
        if not agreement.signers.get(party):
            yield Finding(("signers",), f"nobody signs for {party}; write `{party}: [name@company.example]`", needs=(("signers",),))
    for party, addresses in agreement.signers.items():
        for index, address in enumerate(addresses):
            if not is_address(address):
                yield Finding(("signers", party, index), f"{shown(address)} is no address; write name@company.example")


def _aims(agreement: Agreement) -> Iterator[Finding]:
    for party, measures in MEASURES.items():
        for name, aim in getattr(agreement.objectives, party).items():
            if name not in measures:
                other = next((other for other in MEASURES if name in MEASURES[other]), "")
                advice = f"; it belongs to {other}" if other else f"{nearest(name, measures)}; write {one_of(measures)}"
                yield Finding(("objectives", party, name), f"is no aim that {party} can have{advice}")
            elif advice := _unfit(aim, measures[name]):
                yield Finding(("objectives", party, name), f"'{aim}' does not measure {name} ({measures[name]}); write {advice}")


def _unfit(aim: Aim, measure: str) -> str:
    """Return what to write instead of this aim, empty if it fits its measure."""
    if measure.startswith("share"):
        return "" if aim.unit == "%" else "a share such as 70%"
    if measure.startswith("worth"):
        return "" if aim.unit not in ("", "%") else "an amount of money such as 400000 EUR per quarter"
    return "" if not aim.unit else "a number such as 120 per month"
