"""The plan of a chaos run is drawn from its seed, and leaves nothing out."""

from __future__ import annotations

from itertools import islice, takewhile

from benchmarks.chaos.plan import FREEZE, LASTS, LEAP, Blow, blows, cards

PARTS = ("server", "web", "worker", "worker-2")


def plan(seed: int, count: int, *, with_postgresql: bool = True) -> list[Blow]:
    return list(islice(blows(seed, PARTS, gap_seconds=(2, 8), with_postgresql=with_postgresql), count))


def test_the_same_seed_deals_the_same_blows() -> None:
    assert plan(7, 200) == plan(7, 200)
    assert plan(7, 200) != plan(8, 200)


def test_every_kind_of_blow_comes_before_any_comes_too_often() -> None:
    """A run that is long enough for one deck has seen all of it."""
    deck = cards(PARTS, with_postgresql=True)

    dealt = plan(1, len(deck))

    assert sorted((blow.kind, blow.target) for blow in dealt) == sorted(deck)


def test_a_blow_comes_soon_after_the_one_before_and_lasts_as_long_as_its_kind_does() -> None:
    dealt = plan(3, 100)
    gaps = [later.at - earlier.at for earlier, later in zip(dealt, dealt[1:], strict=False)]

    assert all(2 <= gap <= 8 for gap in gaps)
    assert all(LASTS[blow.kind][0] <= blow.lasts <= LASTS[blow.kind][1] for blow in dealt)
    assert all((blow.ahead_minutes > 0) == (blow.kind == LEAP) for blow in dealt)


def test_some_worker_is_frozen_for_longer_than_a_lease() -> None:
    """Only then another one takes over while it still believes that it holds the lead."""
    dealt = takewhile(lambda blow: blow.at < 3600, blows(5, PARTS, gap_seconds=(2, 8), with_postgresql=True))

    assert any(blow.kind == FREEZE and blow.target.startswith("worker") and blow.lasts > 31 for blow in dealt)


def test_without_postgresql_nothing_is_dealt_to_it() -> None:
    assert "postgresql" in {blow.target for blow in plan(1, 60)}
    assert "postgresql" not in {blow.target for blow in plan(1, 60, with_postgresql=False)}
