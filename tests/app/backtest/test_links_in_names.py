"""A backtest knows whether a name holds a link, as the screen of the intake does."""

from __future__ import annotations

from pathlib import Path

import pytest

from agreements.backtest.columns import judge
from app.backtest.files import LeadFile
from app.backtest.fill import read_fill
from tests.app.backtest.ground import NOW, a_file, an_agreement, past_of

SPAM = [{"when": {"name_has_link": True}, "then": "disqualify", "as": "spam"}]


@pytest.mark.parametrize(
    ("header", "cells", "screened"),
    [
        ("first_name,last_name", ["Ana,Novak", "visit win.com,Novak", "Ana,www.win.example", ","], ["", "spam", "spam", ""]),
        ("last_name", ["https://win.example", "Novak"], ["spam", ""]),
        ("company", ["https://win.example", "Rail"], ["", ""]),
    ],
)
def test_a_screen_by_links_in_names_judges_past_leads(tmp_path: Path, header: str, cells: list[str], screened: list[str]) -> None:
    agreement = an_agreement(screen=SPAM)
    rows = [f"{number},2027-01-15,{cell}" for number, cell in enumerate(cells, start=1)]
    file = a_file(tmp_path, f"source_id,at,{header}", *rows)

    found = judge(agreement, past_of(file, agreement).leads)

    assert found.verdicts["screened"].to_list() == screened


def test_the_fill_counts_the_names_that_are_known(tmp_path: Path) -> None:
    rows = ["1,2027-01-15,Ana,", "2,2027-01-15,,", "3,2027-01-15,,win.com", "4,2027-01-15,,"]
    file = a_file(tmp_path, "source_id,at,first_name,last_name", *rows)

    filled = read_fill(an_agreement(screen=SPAM), LeadFile(file), now=NOW)

    assert [one.known for one in filled.fills if one.fact == "name_has_link"] == [0.5]
