"""What an agreement leaves out keeps meaning what it meant when it was signed."""

from __future__ import annotations

import pytest

from agreements.clauses.generations import NEWEST
from agreements.loading import as_published, read_agreement
from tests.conftest import AGREEMENT

STARTER = """\
agreement: short
version: 1
effective: {from: 2026-01-01}
timezone: Europe/London
signers: {marketing: [mina@a.example], sales: [maria@a.example]}
qualification: {mql: {total: 10}, fit: [{when: {email: company}, points: 40}]}
routing: {segments: [{team: emea}], default_acceptor: dora}
"""


@pytest.mark.parametrize(("text", "tiers"), [(STARTER, ["normal"]), (AGREEMENT, ["hot", "normal"])], ids=["left out", "written"])
def test_a_version_of_the_first_generation_goes_by_turn_alone(text: str, tiers: list[str]) -> None:
    old, new = as_published(text, generation=1), as_published(text, generation=NEWEST)

    assert [(tier.name, tier.prefer) for tier in old.tiers] == [(name, "turn") for name in tiers]
    assert [(tier.name, tier.prefer) for tier in new.tiers] == [(name, "open") for name in tiers]
    assert read_agreement(text).tiers == new.tiers


def test_what_is_written_counts_in_every_generation() -> None:
    text = STARTER + "tiers: [{name: hot, when: {fast_lane: true}, prefer: open}, {name: normal, prefer: turn}]\n"

    assert [tier.prefer for tier in as_published(text, generation=1).tiers] == ["open", "turn"]
    assert [tier.prefer for tier in as_published(text).tiers] == ["open", "turn"]
