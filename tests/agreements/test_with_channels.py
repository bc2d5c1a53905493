"""The channels of an installation can prove an assignment as often as the agreement asks, or the agreement says where not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agreements.checks import Installed, unprovable
from agreements.loading import read_agreement
from agreements.words import ChannelName
from tests.agreements.test_generations import STARTER

LOCAL = Installed(absent={"sms": "BATON_SMS_URL"}, unread=frozenset({"crm"}))


def written(notify: str, tiers: str = "") -> str:
    return f"{STARTER}notify: {{{notify}}}\n{f'tiers: [{tiers}]' if tiers else ''}\n"


@pytest.mark.parametrize(
    ("notify", "here", "said"),
    [
        ("confirmed_on: 1, channels: [email]", LOCAL, ""),
        ("confirmed_on: 2, channels: [email, chat]", LOCAL, ""),
        ("confirmed_on: 2, channels: [email, crm]", LOCAL, "only 1 can (email): nobody reads crm"),
        ("confirmed_on: 2, channels: [email, crm]", Installed(), ""),
        ("confirmed_on: 2, channels: [email, crm], proof: {counts: [rep, unread]}", LOCAL, ""),
        ("confirmed_on: 2, channels: [email, sms]", LOCAL, "only 1 can (email): sms is not set up (BATON_SMS_URL)"),
        ("confirmed_on: 2, channels: [email], fallback: [sms]", Installed(), ""),
        ("confirmed_on: 1, channels: [crm], fallback: []", LOCAL, "none can: nobody reads crm"),
        ("confirmed_on: 2, channels: [email, crm], fallback: [manager-email]", LOCAL, "write `notify: {confirmed_on: 1}`"),
        ("confirmed_on: 2, channels: [email, crm], proof: {counts: [rep, manager]}", LOCAL, ""),
    ],
)
def test_what_can_never_be_proven_is_named_with_what_to_do(notify: str, here: Installed, said: str) -> None:
    found = unprovable(read_agreement(written(notify)), here)

    assert [one.nobody for one in found] == ([True] if said else [])
    assert all(said in str(one) for one in found)


@pytest.mark.parametrize(
    ("by_rep", "nobody", "said"),
    [
        ({"ana": {"email", "chat"}, "ben": {"email", "chat", "sms"}}, None, ""),
        ({"ana": {"email", "chat"}, "ben": {"email"}}, False, "fewer reach some reps: ben (email)"),
        ({"ana": {"email"}, "ben": {"email"}}, True, "fewer reach every rep: ana (email), ben (email)"),
        ({f"r{number}": {"email"} for number in range(8)} | {"ana": {"email", "chat"}}, False, "r4 (email) and 3 more"),
    ],
)
def test_reps_whom_too_few_channels_reach_are_named(by_rep: Mapping[str, set[ChannelName]], nobody: bool | None, said: str) -> None:
    agreement = read_agreement(written("confirmed_on: 2, channels: [email, chat, crm]"))
    here = Installed(LOCAL.absent, LOCAL.unread, {rep: frozenset(reached) for rep, reached in by_rep.items()})

    found = unprovable(agreement, here)

    assert [one.nobody for one in found] == ([] if nobody is None else [nobody])
    assert all(said in str(one) for one in found)


def test_each_tier_with_channels_of_its_own_is_judged() -> None:
    tiers = "{name: hot, when: {fast_lane: true}, channels: [email, crm]}, {name: normal}"
    agreement = read_agreement(written("confirmed_on: 2, channels: [email, chat]", tiers))

    assert [one.where for one in unprovable(agreement, LOCAL)] == ["tiers.0.channels"]
