"""Check that messages can reach a rep, and that enough channels can confirm it."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Finding
from agreements.clauses.base import nearest, one_of
from agreements.clauses.handover import CHANNELS
from agreements.model import Agreement
from agreements.words import ChannelName
from agreements.yaml_reader import Path


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find unknown channels, and lists with fewer channels than must confirm."""
    notify = agreement.notify
    lists: list[tuple[Path, tuple[ChannelName, ...]]] = [
        (("notify", "channels"), notify.channels),
        (("notify", "fallback"), notify.fallback),
    ]
    lists += [(("tiers", index, "channels"), tier.channels) for index, tier in enumerate(agreement.tiers)]
    for where, channels in lists:
        for index, channel in enumerate(channels):
            if channel not in CHANNELS:
                yield Finding((*where, index), f"there is no channel {channel!r}{nearest(channel, CHANNELS)}; write {one_of(CHANNELS)}")
    yield from _unconfirmed(agreement)
    if "rep" not in notify.proof.counts:
        yield Finding(("notify", "proof", "counts"), "a message to the rep is always a proof; write `[rep]`, or `[rep, manager]`")
    if not notify.within.amount:
        yield Finding(("notify", "within"), "leaves no time to reach anybody; write a time such as '10 minutes'")
    elif "no_bounce_for" in notify.model_fields_set and notify.no_bounce_for.length > notify.within.length:
        what = f"{notify.no_bounce_for} is longer than `notify.within` ({notify.within}): no e-mail could be proven in time; write less"
        yield Finding(("notify", "no_bounce_for"), what, needs=(("notify", "no_bounce_for"), ("notify", "within")))


def _unconfirmed(agreement: Agreement) -> Iterator[Finding]:
    notify = agreement.notify
    told: list[tuple[Path, tuple[ChannelName, ...]]] = [
        (("tiers", index, "channels"), tier.channels) for index, tier in enumerate(agreement.tiers) if tier.channels
    ]
    if any(not tier.channels for tier in agreement.tiers):
        told.insert(0, (("notify", "channels"), notify.channels))
    for where, channels in told:
        named = notify.proving(channels)
        if len(named) < notify.confirmed_on and named <= CHANNELS.keys():
            said = f"only {len(named)} can: {', '.join(sorted(named))}" if named else "none is named that can"
            what = f"{notify.confirmed_on} channels must confirm, but {said}; name more, or lower `notify.confirmed_on`"
            needs: tuple[Path, ...] = (where, ("notify", "fallback"), ("notify", "confirmed_on"), ("notify", "proof"), ("tiers",))
            yield Finding(where, what, needs=needs)
