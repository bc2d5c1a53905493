"""The reader of many rows finds what the reader of single rows finds: the same leads, the same bad rows, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backtest.reader import Wanted, read_rows
from app.csv_import.file import LeadMap
from tests.app.backtest.two_readers import TODAY, both, differences
from tests.examples import examples

MAP = LeadMap.model_validate(
    {
        "source": "fair",
        "columns": {"source_id": "id", "at": "day", "email": "mail", "entry_channel": "how", "country": "land", "do_not_contact": "quiet"},
        "constants": {"activity": "trade_show_visit", "campaign": "Fair"},
        "fields": {"how": "how", "size": "staff", "turnover": "money", "consent": "quiet"},
        "values": {
            "entry_channel": {"": "unknown", "7": "stand", "x": " "},
            "size": {"many": 500, "none": None, "few": "5", "some": 2.5},
            "consent": {"yes": True, "no": False},
            "at": {"soon": "2027-03-01", "never": ""},
        },
        "timezone": "Europe/London",
        "number_fields": ["size", "turnover"],
        "decimal_sign": ",",
    }
)
HEADERS = (
    "source_id,at,email,company,country,entry_channel,activity,do_not_contact,fields.size,fields.industry,message",
    "source,source_id,conversion_id,at,email,requested_time,path,fields.size,sales_sourced_by",
    "source_id,at,fields.account.status",
    "source_id,fields.size,fields. padded",
)
MAPPED = "id,day,mail,how,land,quiet,staff,money,colour"
#: What is likely in a column, and what is odd there or plainly wrong.
LIKELY = {
    "source_id": ["1", "2", "3", "4", "5", "6", "é"],
    "at": ["", "2027-01-15", "2027-01-15 18:40", "2027-01-15T18:40:10.5", "2027-07-01 10:00Z"],
    "email": ["", "a@b.example", "A+x@b.example", "c@b.example"],
    "country": ["", "gb", "DE", "Germany"],
    "quiet": ["", "true", "No", "yes", "1"],
    "number": ["", "12", "1", "12,5", "-3", "12.345"],
    "text": ["", "web", "7", "Sales, north", "tab\tinside", 'a "quoted" word', "form_submitted"],
}
ODD = {
    "source_id": ["", "x" * 201],
    "at": ["2027-03-28 01:30", "2027-10-31 01:30", "2027-07-01 10:00 +02:30", "2027-02-30", "soon", "never", "1890-01-01",
           "2027-01-15 24:00"],
    "email": ["zoë@scheldt.example", "a b", "a@b", "+@b.example"],
    "country": ["ß1", "éé"],
    "quiet": ["perhaps"],
    "number": ["007", "-0", "1.250", "12.50", "1.0", "1,5", "1.250,50", "0.00001", "123456789012345.12345", "many", "none", "few", "some",
               "1 000", "9" * 5000, "9" * 10_001],
    "text": ["x", "a\u2028b", "\u00a0padded ", "\x0bup\x1f", "y" * 201, "y" * 10_001, "two\nlines"],
}  # fmt: skip
KINDS = {"id": "source_id", "mail": "email", "day": "at", "requested_time": "at", "land": "country", "do_not_contact": "quiet",
         "fields.size": "number", "staff": "number", "money": "number"}  # fmt: skip


@st.composite
def cells(draw: st.DrawFn, name: str) -> str:
    """Three in four rows have nothing odd in them."""
    kind = KINDS.get(name, name if name in LIKELY else "text")
    return draw(st.sampled_from(ODD[kind] if draw(st.integers(0, 29)) == 29 else LIKELY[kind]))


def written(cell: str, quoted: bool, delimiter: str) -> str:
    if quoted or delimiter in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


@st.composite
def files(draw: st.DrawFn, header: str) -> str:
    names, delimiter = header.split(","), draw(st.sampled_from(",;\t|"))
    lines = [delimiter.join(names)]
    for _ in range(draw(st.integers(0, 10))):
        row = [written(draw(cells(name)), draw(st.booleans()), delimiter) for name in names]
        lines.append(delimiter.join(row))
        if draw(st.integers(0, 9)) == 9:
            strange = [
                "",
                " ",
                delimiter * 3,
                '"',
                'open,"quote',
                '"a"b',
                ",".join("abc"),
                "\0",
                delimiter.join(['""'] * len(names)),
                "x" * 300,
            ]
            lines.append(draw(st.sampled_from(strange)))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return draw(st.sampled_from(["", "\ufeff"])) + end.join(lines) + draw(st.sampled_from(["", end]))


@settings(max_examples=examples(200), deadline=None)
@given(st.data(), st.sampled_from([None, MAP]), st.none() | st.integers(1, 4), st.sampled_from([1, 40, 150, 100_000]))
def test_many_rows_are_read_as_single_ones_are(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, mapping: LeadMap | None, limit: int | None, block_bytes: int
) -> None:
    header = MAPPED if mapping else data.draw(st.sampled_from(HEADERS))
    path = tmp_path_factory.getbasetemp() / "leads.csv"
    path.write_bytes(data.draw(files(header)).encode())

    singly, together = both(path, mapping=mapping, limit=limit, block_bytes=block_bytes)

    assert differences(singly, together) == []


def test_facts_that_nobody_asks_for_are_judged_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("source_id,company,fields.size,fields.industry\n1,Harbour,12,rail\n2," + "x" * 300 + ",3,rail\n")

    found = read_rows(path, mapping=None, today=TODAY, wanted=Wanted({"fields.industry"}))

    assert found.facts["fields.industry"].to_list() == ["rail"]
    assert {"company", "fields.size"}.isdisjoint(found.facts.columns)
    assert [bad.line for bad in found.bad] == [3]
