"""Every total of a review equals a recount by plain SQL, over a made-up quarter with leads of all kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, text
from sqlmodel import Session

from agreements.review.share import Share
from app.review.report import schema
from app.review.week_counting import count_week
from storage import contracts
from storage.database import UtcDateTime
from tasks.wiring.toolbox import Toolbox
from tests.app.review.ground import END, period, quarter, reviewed
from tests.app.review.recounted_time import time_of, windows
from tests.app.review.recounting import PASSES
from tests.app.review.totals import NO_TOTALS, TOTALS
from tests.conftest import MONDAY
from tests.driver import Driver
from tests.kept import Kept
from tests.stage import Taken

#: The first instant of the month of the quarter's last day: summer time has begun.
MONTH = datetime(2027, 3, 31, 23, tzinfo=UTC)


@pytest.fixture(scope="module", params=[1, pytest.param(4, marks=pytest.mark.long)])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Kept[list[Taken]]]:
    """On how many Mondays leads come, and the quarter, which the first test lives through."""
    return request.param, Kept(tmp_path_factory.mktemp("quarter") / "kept")


async def test_every_total_equals_a_recount_by_sql(driver: Driver, box: Toolbox, lived: tuple[int, Kept[list[Taken]]]) -> None:
    mondays, kept_quarter = lived
    await kept_quarter.on(box, lambda: quarter(driver, box, mondays=mondays))
    of = period()
    found = reviewed(box, of)

    def recount(session: Session, now: object) -> dict[str, Any]:
        return {name: total.counted(rows(session, total.sql)) for name, total in TOTALS.items()}

    def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
        query = text(PASSES + sql)
        named = {"begins": of.begins, "as_of": of.as_of, "month": MONTH}
        used = [bindparam(name, type_=UtcDateTime) for name in named if f":{name}" in PASSES + sql]
        return [tuple(row) for row in session.execute(query.bindparams(*used), named)]

    counted = box.read_now(recount)

    assert {name: total.told(found) for name, total in TOTALS.items()} == counted
    assert found.funnel.mqls >= 8 * mondays, "a quarter without leads proves nothing"


def test_holidays_and_summer_time_matter_to_the_recount() -> None:
    """Easter lies in the quarter: with other open hours the recount would differ from the review."""
    thursday, wednesday = datetime(2027, 3, 25, 16, 50, tzinfo=UTC), datetime(2027, 3, 31, 9, 20, tzinfo=UTC)
    rows = [("handoff", 1, 1, "1", thursday, None, thursday), ("wait", 1, 1, "acceptance", thursday, wednesday, wednesday)]

    spent = [time_of(rows, [*windows(**differs)])["rep"] for differs in ({}, {"holidays": False}, {"summer_time": False})]

    assert spent == [one * 60 for one in (40 + 450 + 80, 40 + 3 * 450 + 80, 40 + 450 + 20)]


async def test_the_week_on_the_page_equals_the_review_of_its_days(
    driver: Driver, box: Toolbox, lived: tuple[int, Kept[list[Taken]]]
) -> None:
    """It reads less of the past, and counts by the same rules."""
    mondays, kept_quarter = lived
    await kept_quarter.on(box, lambda: quarter(driver, box, mondays=mondays))

    for at in (MONDAY + timedelta(days=3), END):
        counted = box.read_now(lambda session, _, at=at: count_week(contracts.read(contracts.in_force(session, at, {})), session, at))  # type: ignore[misc]
        found = reviewed(box, period(counted.first, at.date(), now=at))

        assert counted.objectives == found.objectives
        assert counted.sides == {one.side: one.kept for one in found.sides}
        assert (counted.leads, counted.seconds) == (found.time_of_leads, {one.party: one.seconds for one in found.time_spent})
        assert sum(counted.by_person.values(), Share()).of <= counted.sides["sales"].of
        assert counted.leads > 0
        assert counted.sides["sales"].of > 0


def test_every_number_of_the_report_is_counted_again_or_is_no_total() -> None:
    places = set(_numbers(schema(), schema()["$defs"]))
    known = {name.partition(" ")[0] for name in TOTALS} | set(NO_TOTALS)

    assert sorted(place for place in places if not any(_is_in(place, one) for one in known)) == []
    assert sorted(one for one in known if not any(_is_in(place, one) for place in places)) == []


def _is_in(place: str, known: str) -> bool:
    return place == known or place.startswith((f"{known}.", f"{known}[", f"{known}{{"))


def _numbers(node: Mapping[str, Any], definitions: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield the place of each number in such a JSON, without shares, which follow from counts."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    for one in node.get("anyOf", ()):
        yield from _numbers(one, definitions, place)
    if node.get("type") in ("integer", "number") and not place.endswith(".share"):
        yield place
    for name, one in node.get("properties", {}).items():
        yield from _numbers(one, definitions, f"{place}.{name}" if place else name)
    for key, mark in (("additionalProperties", "{}"), ("items", "[]")):
        if isinstance(node.get(key), dict):
            yield from _numbers(node[key], definitions, place + mark)
    for one in node.get("prefixItems", ()):
        yield from _numbers(one, definitions, f"{place}[]")
