"""Times read by the column mean what they mean when read one by one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backtest.instants import Instants, is_midnight
from app.csv_import.cells import instant
from tests.examples import examples

ZONES = [
    ZoneInfo(name) for name in ("UTC", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca")
]
YEAR = 2027
clocks = st.datetimes(datetime(1977, 1, 1), datetime(2037, 12, 31))
forms = st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%d/%m/%Y", "%Y-%m-%d %H:%M "])
offsets = st.sampled_from(["", "", "Z", " Z", "+02", "-0330", " +05:45", "+99:00"])


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.tuples(clocks, forms, offsets), min_size=1, max_size=20), st.sampled_from(ZONES))
def test_a_column_of_times_means_what_each_means_alone(written: list[tuple[datetime, str, str]], zone: ZoneInfo) -> None:
    texts = [clock.strftime(form) + offset for clock, form, offset in written]

    read = Instants(zone, YEAR).read(pl.Series(texts))

    for text, at, odd in zip(texts, read["at"], read["odd"], strict=True):
        if not odd:
            assert at == instant(text, zone, YEAR), text


@pytest.mark.parametrize("text", ["2027-07-01", "2027-07-01 10:00", "2027-07-01 10:00:30.5", "2027-07-01 10:00 +02:00"])
def test_what_is_plainly_a_time_is_not_left_to_others(text: str) -> None:
    read = Instants(ZoneInfo("Europe/London"), YEAR).read(pl.Series([text, ""]))

    assert read["odd"].to_list() == [False, False]
    assert read["day"].to_list() == [len(text) == 10, False]
    assert read["at"].to_list() == [instant(text, ZoneInfo("Europe/London"), YEAR), None]


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2027-03-28 01:30", "Europe/London"), ("2027-10-31 01:59:59.9", "Europe/London"), ("2027-10-03 01:45", "Australia/Lord_Howe")],
)
def test_an_hour_that_is_skipped_or_repeated_as_a_whole_is_read_at_once_and_right(text, zone):
    read = Instants(ZoneInfo(zone), YEAR).read(pl.Series([text]))

    assert read["odd"].to_list() == [False]
    assert read["at"].to_list() == [instant(text, ZoneInfo(zone), YEAR)]


@pytest.mark.parametrize(
    "text", ["2027-10-03 02:15", "2027-02-30", "1960-01-01", "soon", "2027-07-01 24:00", "2027-07-01 23:60", "2027-07-01 10:00:61"]
)
def test_half_an_hour_that_is_skipped_and_no_times_are_left_to_the_judge(text):
    assert Instants(ZoneInfo("Australia/Lord_Howe"), YEAR).read(pl.Series([text]))["odd"].to_list() == [True]


def test_midnight_is_that_of_the_zone() -> None:
    at = datetime.fromisoformat("2018-06-04T03:00:00+00:00")

    assert is_midnight(at, ZoneInfo("America/Sao_Paulo"))
    assert not is_midnight(at, ZoneInfo("UTC"))
