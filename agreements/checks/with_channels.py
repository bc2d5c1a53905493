"""Check that the channels of an installation can prove that a rep was told, as often as an agreement asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agreements.model import Agreement
from agreements.words import ChannelName


@dataclass(frozen=True, slots=True)
class Installed:
    """The channels of an installation, as far as they can prove something.

    absent: each channel that is not set up, and how to set it up. unread: the channels that nobody reads. by_rep: by rep of the
    roster, the channels that reach this rep; empty where no roster is known.
    """

    absent: Mapping[ChannelName, str] = field(default_factory=dict)
    unread: frozenset[ChannelName] = frozenset()
    by_rep: Mapping[str, frozenset[ChannelName]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unprovable:
    """A list of channels that cannot prove an assignment as often as agreed. nobody: it cannot for any rep, so it never will."""

    where: str
    what: str
    nobody: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def unprovable(agreement: Agreement, here: Installed) -> list[Unprovable]:
    """Return the tiers whose leads this installation cannot prove as agreed: never, or for some reps."""
    return [*_judged(agreement, here)]


def _judged(agreement: Agreement, here: Installed) -> Iterator[Unprovable]:
    notify = agreement.notify
    lists = [(f"tiers.{index}.channels", tier.channels) for index, tier in enumerate(agreement.tiers) if tier.channels]
    if any(not tier.channels for tier in agreement.tiers):
        lists.insert(0, ("notify.channels", notify.channels))
    for where, channels in lists:
        named = notify.proving(channels)
        unread: frozenset[ChannelName] = frozenset() if "unread" in notify.proof.counts else here.unread
        able: set[ChannelName] = {one for one in named if one not in here.absent and one not in unread}
        asks = f"{_channels(notify.confirmed_on)} must prove that the rep was told, but here"
        if len(able) < notify.confirmed_on:
            why = [f"{one} is not set up ({setting})" for one, setting in here.absent.items() if one in named]
            why += [f"nobody reads {one}" for one in sorted(named & unread)]
            yield Unprovable(where, f"{asks} {_can(able)}{': ' if why else ''}{', '.join(why)}; {_remedy(able)}", nobody=True)
            continue
        few = {rep: able & reached for rep, reached in here.by_rep.items() if len(able & reached) < notify.confirmed_on}
        if few:
            some = ", ".join(f"{rep} ({', '.join(sorted(can)) or 'none'})" for rep, can in list(few.items())[:5])
            more = f" and {len(few) - 5} more" if len(few) > 5 else ""
            what = f"{asks} fewer reach {'every rep' if len(few) == len(here.by_rep) else 'some reps'}: {some}{more}"
            least = min(len(can) for can in few.values())
            lower = f", or write `notify: {{confirmed_on: {least}}}`" if least else ""
            what = f"{what}; give them another address in the roster{lower}"
            yield Unprovable(where, what, nobody=len(few) == len(here.by_rep))


def _channels(count: int) -> str:
    return f"{count} channel{'' if count == 1 else 's'}"


def _can(able: set[ChannelName]) -> str:
    return f"only {len(able)} can ({', '.join(sorted(able))})" if able else "none can"


def _remedy(able: set[ChannelName]) -> str:
    lower = f", or write `notify: {{confirmed_on: {len(able)}}}`" if able else ""
    return f"set up another channel that people read (docs/channels.md){lower}"
