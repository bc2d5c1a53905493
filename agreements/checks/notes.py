"""Note what has no effect, and what is allowed but seldom intended."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Problem
from agreements.checks.likely_slips import likely_slips
from agreements.checks.reach import reach
from agreements.criteria import Condition, Test
from agreements.model import Agreement, Threshold
from agreements.qualification import threshold_for


def notes_of(agreement: Agreement) -> list[Problem]:
    """Return the notes for the signers. A note never prevents a deploy."""
    return [*_routing(agreement), *_seldom_meant(agreement), *likely_slips(agreement)]


def _routing(agreement: Agreement) -> Iterator[Problem]:
    routing = agreement.routing
    if routing.on_call and routing.everyone_away != "on-call-or-hold":
        yield Problem(("routing", "on_call"), f"is not used, because `everyone_away` is {routing.everyone_away}")


def _seldom_meant(agreement: Agreement) -> Iterator[Problem]:
    for index, tier in enumerate(agreement.tiers):
        if "told" in tier.model_fields_set and tier.routing != "first-to-claim":
            yield Problem(("tiers", index, "told"), "is not used, because the tier's `routing` is not first-to-claim")
    shared = {address.casefold() for address in agreement.signers["marketing"]} & {
        address.casefold() for address in agreement.signers["sales"]
    }
    if shared:
        yield Problem(("signers",), f"{', '.join(sorted(shared))} signs for both sides")
    rules = agreement.qualification
    if _takes_all(agreement, rules.mql):
        yield Problem(("qualification", "mql"), "every lead that passes the screen is ready for sales, whatever its points")
    for channel in rules.by_channel:
        if _takes_all(agreement, threshold_for(agreement, channel), Condition((Test("entry_channel", "is", channel),))):
            yield Problem(("qualification", "by_channel", channel), f"every {channel} lead that passes the screen is ready for sales")


def _takes_all(agreement: Agreement, threshold: Threshold, given: Condition = Condition()) -> bool:
    """Whether even the fewest possible points are enough."""
    if agreement.qualification.require:
        return False
    least = reach(agreement, given)
    return (
        threshold.total <= least.total[0]
        and threshold.fit_at_least <= least.fit[0]
        and threshold.engagement_at_least <= least.engagement[0]
    )
