"""Thousands of changes in a CRM that fails all the time: none is lost, none is given twice, and none is Baton's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.crm_storm import rage, weathered
from tests.contracts.crm_worlds import World
from tests.contracts.every_world import EVERY, world_of
from tests.contracts.local_world import LocalWorld
from tests.examples import at_night

CHANGES = at_night(10_000, before_a_change=1_000)


def calm(name: str, request: pytest.FixtureRequest, folder: Path, **more: object) -> World:
    """The world of this CRM before the storm. HubSpot's search lags by up to a minute."""
    lags = {"lag_ms": 60_000, "seed": 3, **more} if name == "hubspot" else {}
    world = world_of(name, request.getfixturevalue, folder, **lags)
    if isinstance(world, LocalWorld):
        request.addfinalizer(world.close)
    return world


@pytest.mark.parametrize(("name", "changes", "rate"), [("local", 100, 0.15), ("hubspot", 80, 0.12), ("salesforce", 90, 0.08)])
async def test_a_small_storm_loses_and_repeats_nothing(
    name: str, changes: int, rate: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    world = calm(name, request, tmp_path)

    storm = await rage(world, seed=3, leads=8, changes=changes, rate=rate)

    weathered(storm, changes=changes)
    assert world.problems() == []
    assert not isinstance(world, LocalWorld) or world.killed > 0


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("name", EVERY)
async def test_a_storm_of_thousands_of_changes_loses_and_repeats_nothing(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    world = calm(name, request, tmp_path, seed=11, validate=False, timeout_seconds=3)
    leads, rate, most = {"local": (60, 0.05, 100), "hubspot": (150, 0.01, 60), "salesforce": (60, 0.08, 400)}[name]

    storm = await rage(world, seed=11, leads=leads, changes=CHANGES, rate=rate, most=most, hang=True)

    weathered(storm, changes=CHANGES)
    assert world.problems() == []
    assert not isinstance(world, LocalWorld) or world.killed > CHANGES / 200
