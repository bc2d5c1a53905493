"""The map of somebody else's file: what it may say, and that every mistake is named with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.csv_import.file import UnreadableFile, read_leads, read_map
from tests.present import the

OLIST_MAP = Path(__file__).parents[3] / "examples" / "maps" / "olist.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {source_id: id}\nbody: x\n", ":2: body: Extra inputs"),
        ("source: x\ncolumns:\n  source_id: id\n  emial: mail\n", ":4: columns.emial: a lead has no 'emial'"),
        ("source: x\ncolumns: {email: mail}\n", ":2: columns: source_id is missing"),
        ("columns: {source_id: id, country: c}\nconstants:\n  country: BR\n", ":3: constants.country: is under `columns` as well"),
        ("columns: {source_id: id}\nconstants:\n  email: none\n", ":3: constants.email: .*is not an e-mail address"),
        ("columns: {source_id: id}\nconstants: {source: x}\n", ":2: constants.source: write it as `source:`"),
        ("columns: {source_id: id}\nvalues:\n  size: {a: 1}\n", ":3: values.size: is neither"),
        ("columns: {source_id: id}\nnumber_fields: [size]\n", ":2: number_fields: 'size' does not stand"),
        ("columns: {source_id: id}\nfields: {country: land}\n", ":2: fields.country: is a fact that every lead has"),
        ("columns: {source_id: id}\nfields: {account.status: x}\n", ":2: fields.account.status: is what the CRM says of the company"),
        ("columns: {source_id: id}\ntimezone: Mars\n", ":2: timezone: 'Mars' is no time zone"),
        ("columns: {source_id: id}\ncolumns: {}\n", ":2: found duplicate key"),
        ("columns: {source_id: id}\noutcomes: {lost_at: lost}\n", ":2: outcomes.won_at: Field required"),
        ("columns: {source_id: id}\noutcomes:\n  won_at: won\n  wun_at: x\n", ":4: outcomes.wun_at: Extra inputs"),
        ("columns: {source_id: id}\noutcomes: {won_at: won, source_id: id}\n", ":2: outcomes.source_id: is only for a separate file"),
        ("columns: {source_id: id}\noutcomes: {won_at: won, timezone: Mars}\n", ":2: outcomes.timezone: 'Mars' is no time zone"),
        ("columns: {source_id: id}\nafter_contact: [size]\n", ":2: after_contact: 'size' is neither"),
        ("columns: {source_id: [}\n", ":1: "),
        ("- a\n- b\n", ":1: a map is a mapping"),
        ("", ":1: a map is a mapping"),
        ("#" * 200_000, "is larger than 100,000 bytes"),
    ],
)
def test_a_faulty_map_is_refused_with_line_and_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)

    with pytest.raises(UnreadableFile, match=said):
        read_map(path)


def test_the_olist_map_reads_a_file_of_that_shape(tmp_path: Path) -> None:
    rows = "m1,2018-02-01,page-a,social\nm2,2018-06-20,page-b,\n"
    path = tmp_path / "leads.csv"
    path.write_text("mql_id,first_contact_date,landing_page_id,origin\n" + rows)

    found = read_leads(path, mapping=read_map(OLIST_MAP), today=datetime(2027, 2, 1, tzinfo=UTC))

    first, second = (row.lead for row in found.rows)
    assert (first.source, first.source_id, first.activity, first.country) == ("olist", "m1", "contact_sales", "BR")
    assert (first.campaign, first.entry_channel, first.fields) == ("page-a", "social", {"origin": "social"})
    assert first.at == datetime(2018, 2, 1, 11, tzinfo=UTC)
    assert (second.entry_channel, second.fields) == ("not-recorded", {})
    assert second.at == datetime(2018, 6, 20, 12, tzinfo=UTC)


def test_the_olist_map_says_where_the_deals_stand() -> None:
    outcomes = the(read_map(OLIST_MAP).outcomes)

    assert outcomes.file == "olist_closed_deals_dataset.csv"
    assert outcomes.columns == {"won_at": "won_date"}


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_map_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match="name a map that can be read"):
        read_map(tmp_path / name)


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_a_map_raise_anything_but_unreadable_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile):
        read_map(path)
