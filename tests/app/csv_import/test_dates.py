"""Dates as the map declares them. A date that may be two days is refused, with what to write into the map."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.csv_import.errors import UnreadableFile
from app.csv_import.file import ReadLeads
from app.csv_import.lead_map import LeadMap, read_map
from tests.app.backtest.two_readers import both, differences
from tests.present import the


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadLeads]:
    def read(dates: Any, *cells: str) -> ReadLeads:
        """What both readers find in a file with these cells, whose dates are in London."""
        path = tmp_path / "leads.csv"
        path.write_text("id;on\n" + "".join(f"{number};{cell}\n" for number, cell in enumerate(cells)), encoding="utf-8")
        written = {} if dates is None else {"dates": dates}
        mapping = LeadMap.model_validate({"columns": {"source_id": "id", "at": "on"}, "timezone": "Europe/London", **written})
        singly, together = both(path, mapping=mapping)
        assert differences(singly, together) == []
        assert together.facts["day"].to_list() == [_is_day(cells[row.line - 2]) for row in singly.rows]
        found: ReadLeads = singly
        return found

    return read


def _is_day(cell: str) -> bool:
    return bool(cell) and ":" not in cell and len(cell) < len("1800000000") + 1 and not cell.startswith("18")


def at(found: ReadLeads) -> list[str]:
    return [the(row.lead.at).isoformat().replace("+00:00", "Z") for row in found.rows]


@pytest.mark.parametrize(
    ("dates", "cell", "instant"),
    [
        ("day-first", "03/04/2027", "2027-04-03T08:00:00Z"),
        ("month-first", "03/04/2027", "2027-03-04T09:00:00Z"),
        ("day-first", "3.4.2027 7:05", "2027-04-03T06:05:00Z"),
        ("day-first", "15-01-2027, 18:40:10", "2027-01-15T18:40:10Z"),
        ("month-first", "1/15/2027 6:40 PM", "2027-01-15T18:40:00Z"),
        ("month-first", "1/15/2027 12:00 AM", "2027-01-15T00:00:00Z"),
        ("month-first", "1/15/2027, 12:30 p.m.", "2027-01-15T12:30:00Z"),
        ("month-first", "07/01/2027 10:00:00 +0200", "2027-07-01T08:00:00Z"),
        ("month-first", "07/01/2027 10:00 UTC", "2027-07-01T10:00:00Z"),
        ("day-first", "2027-04-03 10:00", "2027-04-03T09:00:00Z"),
        ("%d.%m.%y", "03.04.27", "2027-04-03T08:00:00Z"),
        ("%d %b %Y %H:%M", "15 Jan 2027 18:40", "2027-01-15T18:40:00Z"),
        ("%Y.%m.%d", "2027.04.03", "2027-04-03T08:00:00Z"),
        ("%Y-%d-%m", "2027-04-03", "2027-03-04T09:00:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2027-07-01T10:00:00+0200", "2027-07-01T08:00:00Z"),
        ("epoch-seconds", "1800000000", "2027-01-15T08:00:00Z"),
        ("epoch-seconds", "1800000000.5", "2027-01-15T08:00:00.500000Z"),
        ("epoch-milliseconds", "1800000000250", "2027-01-15T08:00:00.250000Z"),
        ({"at": "day-first"}, "03/04/2027 10:00", "2027-04-03T09:00:00Z"),
        (None, "2027-04-03 10:00", "2027-04-03T09:00:00Z"),
    ],
)
def test_a_date_is_read_as_the_map_declares(read: Callable[..., ReadLeads], dates: Any, cell: str, instant: str) -> None:
    assert at(read(dates, cell)) == [instant]


@pytest.mark.parametrize(
    ("dates", "cell", "said"),
    [
        (None, "03/04/2027", "The map says which of its numbers is the day: `dates: day-first` or `dates: month-first`"),
        (None, "3.4.2027 10:00", "The map says which of its numbers is the day"),
        (None, "15/01/2027", "The map says that the day comes first: `dates: day-first`"),
        (None, "01/15/2027 6:40 PM", "The map says that the month comes first: `dates: month-first`"),
        (None, "03/04/27", "A year has four digits"),
        (None, "1800000000", "It looks like 2027-01-15: write `dates: epoch-seconds` into a map"),
        (None, "1800000000000", "It looks like 2027-01-15: write `dates: epoch-milliseconds` into a map"),
        (None, "46402", "It looks like the number by which a spreadsheet keeps 2027-01-15: format the column as yyyy-mm-dd"),
        (None, "46402.75", "It looks like the number by which a spreadsheet keeps 2027-01-15"),
        ("day-first", "01/15/2027", "is no day-first date, its month would be 15: correct the date, or `dates:` in the map"),
        ("month-first", "31/12/2027", "its month would be 31"),
        ("day-first", "31/02/2027", "is no date"),
        ("day-first", "03/04/27", "is no day-first date: write the year in four digits"),
        ("day-first", "03/04.2027", "is no day-first date: write it as 15/01/2027"),
        ("month-first", "1/15/2027 13:40 PM", "with AM or PM the hour is from 1 to 12"),
        ("month-first", "1/15/2027 noon", "has a time that cannot be read: write it as 18:40 or 6:40 PM"),
        ("%d.%m.%Y", "2027-04-03", "is no date as the map says, `dates: %d.%m.%Y`"),
        ("epoch-seconds", "2027-04-03", "is no number of seconds since 1970"),
        ("epoch-seconds", "1800000000000", "is no number of seconds since 1970"),
        ("epoch-milliseconds", "1800000000", "more than 50 years ago"),
    ],
)
def test_a_date_of_another_form_is_refused_with_the_line_and_the_remedy(
    read: Callable[..., ReadLeads], dates: Any, cell: str, said: str
) -> None:
    found = read(dates, "", cell)

    assert [bad.line for bad in found.bad] == [3]
    assert found.bad[0].reason.startswith(f"on: '{cell}'")
    assert said in found.bad[0].reason


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("dates: european", ":2: dates: .*'european' is no way to write dates; write iso, day-first"),
        ('dates: "%d.%m"', ":2: dates: .*does not give year, month and day"),
        ('dates: "%d.%m.%Y %Q"', ":2: dates: .*%Q is not a part of a pattern"),
        ('dates: "%c"', ":2: dates: .*%c is not a part of a pattern"),
        ("dates: {company: day-first}", ":2: dates.company: is no time under `columns`"),
        ("dates: {at: day-first}", ":2: dates.at: is no time under `columns`"),
        ("optional: [source_id]", ":2: optional: source_id is needed in every file"),
        ("optional: [phone]", ":2: optional.phone: 'phone' is neither"),
        ("prefixes: {phone: 'p:'}", ":2: prefixes.phone: 'phone' is neither"),
        ("encoding: klingon", ":2: encoding: 'klingon' is no encoding"),
    ],
)
def test_a_map_with_a_faulty_declaration_is_refused(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(f"columns: {{source_id: id}}\n{written}\n")

    with pytest.raises(UnreadableFile, match=said):
        read_map(path)


def test_many_dates_of_one_column_are_read_alike_one_by_one_and_side_by_side(read: Callable[..., ReadLeads]) -> None:
    cells = [
        f"{day:02}/{month:02}/2026 {hour}:{minute:02}"
        for day in range(1, 29, 3)
        for month in (3, 10)
        for hour in (0, 1, 2)
        for minute in (0, 59)
    ]

    found = read("day-first", *cells)

    assert len(found.rows) == len(cells)
    assert at(found)[0] == datetime.fromisoformat("2026-03-01T00:00+00:00").isoformat().replace("+00:00", "Z")
