"""The sizing table follows from what one lead costs, and says how."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.sizing import Costs, arithmetic, as_markdown, cores, leads_a_second, table, whole


def results(**clicks: float) -> dict[str, Any]:
    spent = {
        "server": 0.3,
        "web": 0.01,
        "worker": 0.4,
        "clock": 0.05,
        "benchmark": 9.0,
        "receivers": 9.0,
        "onlooker": 9.0,
        "database: Baton": 0.06,
        "database: Prefect": 0.03,
        "database: rest": 0.01,
    }
    return {"parts": {"throughput": {"to_opportunity": {"per_lead": {"cpu_s_by_process": spent}}}, "clicks": clicks}}


def test_what_is_neither_server_nor_pages_nor_database_carries_leads_out() -> None:
    """So a stack with a clock of its own and one without are read alike; what only a benchmark needs is left out."""
    costs = Costs.of(results())

    assert (costs.server, costs.web) == (0.3, 0.01)
    assert costs.workers == pytest.approx(0.45)
    assert costs.database == pytest.approx(0.1)


def test_two_clicks_a_lead_are_laid_to_the_pages() -> None:
    assert Costs.of(results(web_cpu_s_per_click=0.02)).web == pytest.approx(0.05)


def test_a_day_comes_within_ten_hours_and_twice_as_thick_at_its_peak() -> None:
    assert leads_a_second(180_000) == pytest.approx(10)
    assert cores(180_000, 0.3) == pytest.approx(10 * 0.3 / 0.6)


@pytest.mark.parametrize(("needed", "ordered"), [(0.004, "0.1"), (0.11, "0.2"), (1.0, "1.0"), (1.01, "2"), (55.6, "56")])
def test_cores_are_ordered_whole(needed: float, ordered: str) -> None:
    assert whole(needed) == ordered


def test_the_table_has_a_row_for_each_number_of_leads() -> None:
    rows = table(Costs(0.3, 0.45, 0.03, 0.1))

    assert [row[0] for row in rows] == ["leads a day", "10,000", "100,000", "1,000,000"]
    assert rows[2] == ("100,000", "5.6", "3", "5", "0.3", "1.0")


def test_the_arithmetic_names_its_numbers() -> None:
    costs = Costs(0.3, 0.45, 0.03, 0.1)

    assert "5.6 x 0.300 / 0.6 = 2.8 cores" in arithmetic(costs)
    assert as_markdown(costs).startswith("| leads a day |")
