"""How well the leads of a file answer the rules: known or not, and the values that nothing in the agreement knows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from agreements.loading import read_agreement
from app.backtest.files import LeadFile
from app.backtest.fill import Fill, read_fill
from tests.conftest import AGREEMENT

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
HEADER = "source_id,conversion_id,email,country,entry_channel,fields.industry,fields.employees,fields.noise\n"


def fills(tmp_path: Path, rows: str, *changes: tuple[str, str]) -> dict[tuple[str, str], Fill]:
    """By rule and fact, what the file of these rows says."""
    file = tmp_path / "leads.csv"
    file.write_text(HEADER + rows, encoding="utf-8")
    text = AGREEMENT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    filled = read_fill(read_agreement(text), LeadFile(file), now=NOW)
    return {(fill.rule, fill.fact): fill for fill in filled.fills}


def test_a_value_is_known_where_it_means_something(tmp_path: Path) -> None:
    """`Select` is a null value, `51-200` a band, `saas` a synonym; `many` is no number."""
    found = fills(tmp_path, "1,a,,,,saas,51-200,x\n2,a,,,,Select,many,x\n3,a,,,,retail,,x\n4,a,,,,Retail,12,x\n")

    industry = found["fit: industry in software, logistics, manufacturing", "industry"]
    assert (industry.known, industry.unmatched) == (0.75, (("Retail", 2),))
    employees = found["fit: employees at least 200", "employees"]
    assert (employees.known, employees.unmatched) == (0.5, (("many", 1),))


def test_several_rows_of_one_lead_count_once(tmp_path: Path) -> None:
    found = fills(tmp_path, "1,a,,,,software,,\n1,b,,,,,,\n2,a,,,,,,\n")

    assert found["fit: industry in software, logistics, manufacturing", "industry"].known == 0.5


def test_listed_values_and_channels_with_minimums_of_their_own_are_known(tmp_path: Path) -> None:
    listed = ("    type: choice\n", "    type: choice\n    values: [software, logistics, manufacturing, retail]\n")
    by_channel = ("{when: {email: free}, points: -15", "{when: {entry_channel: web}, points: -15")

    found = fills(tmp_path, "1,a,,,web,retail,,\n2,a,,,trade_show,steel,,\n3,a,,,fair,,,\n", listed, by_channel)

    assert found["fit: industry in software, logistics, manufacturing", "industry"].unmatched == (("steel", 1),)
    assert found["fit: entry_channel is web", "entry_channel"].unmatched == (("fair", 1),)


def test_the_most_frequent_values_come_first_and_not_all_are_told(tmp_path: Path) -> None:
    rows = "".join(f"{number},a,,,,{'steel' if number < 5 else f'kind {number}'},,\n" for number in range(20))

    unmatched = fills(tmp_path, rows)["fit: industry in software, logistics, manufacturing", "industry"].unmatched

    assert unmatched[0] == ("steel", 5)
    assert len(unmatched) == 5


def test_what_a_file_of_leads_cannot_tell_is_not_counted_as_missing(tmp_path: Path) -> None:
    found = fills(tmp_path, "1,a,a@gmail.com,,,,,\n", ("{email: free}", "{email_domain: gmail.com}"))

    assert found["screen customer", "account.status"].known is None
    assert found["tier hot", "fast_lane"].known is None
    assert found["persona ops-leader", "job_title"].known == 0.0
    assert found["fit: email_domain is gmail.com", "email_domain"].known == 1.0
