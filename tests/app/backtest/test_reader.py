"""The reader of many rows finds what the reader of single rows finds: the same leads, the same bad rows, in the same order."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.lead import IncomingLead
from app.backtest.fact_columns import FIELD
from app.backtest.field_kinds import text_of
from app.backtest.reader import ReadRows, Wanted, read_rows
from app.csv_import.file import LeadMap, UnreadableFile, read_leads
from tests.examples import examples

TODAY = datetime(2027, 2, 1, 12, tzinfo=UTC)
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
    names, delimiter = header.split(","), draw(st.sampled_from(",;\t"))
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


def facts_of(lead: IncomingLead) -> dict[str, Any]:
    plain = lead.model_dump(exclude={"fields"})
    return {**plain, **{FIELD + name: value for name, value in lead.fields.items()}}


def same(have: Any, wanted: Any, kind: pl.DataType) -> bool:
    """Text stands for any value in a column that holds several kinds."""
    return bool(have == (text_of(wanted) if kind == pl.String and not isinstance(wanted, str) else wanted))


def differences(singly: Any, together: ReadRows) -> list[str]:
    found = [f"{name}: {bad}" for name, bad in (("one", singly.bad), ("many", together.bad)) if singly.bad != together.bad]
    if [row.line for row in singly.rows] != together.facts["line"].to_list():
        return [*found, f"lines {[row.line for row in singly.rows]} and {together.facts['line'].to_list()}"]
    for row, facts in zip(singly.rows, together.facts.iter_rows(named=True), strict=True):
        wanted = facts_of(row.lead)
        found += [
            f"line {row.line}: {name}: {have!r}, not {wanted.get(name)!r}"
            for name, have in facts.items()
            if name not in ("line", "day", "group") and not same(have, wanted.get(name), together.facts.schema[name])
        ]
        found += [
            f"line {row.line}: {name} is not there"
            for name, value in wanted.items()
            if name.startswith(FIELD) and name not in facts and value
        ]
    return found


def both(path: Path, **asked: Any) -> tuple[Any, Any]:
    """What either reader finds, or why it will not read the file."""
    found = []
    for reader in (read_leads, partial(read_rows, wanted=Wanted(block_bytes=asked.pop("block_bytes")))):
        try:
            found.append(reader(path, today=TODAY, timezone="Asia/Tokyo", **asked))
        except UnreadableFile as error:
            found.append(str(error))
    return found[0], found[1]


@settings(max_examples=examples(200), deadline=None)
@given(st.data(), st.sampled_from([None, MAP]), st.none() | st.integers(1, 4), st.sampled_from([1, 40, 150, 100_000]))
def test_many_rows_are_read_as_single_ones_are(tmp_path_factory, data, mapping, limit, block_bytes):
    header = MAPPED if mapping else data.draw(st.sampled_from(HEADERS))
    path = tmp_path_factory.getbasetemp() / "leads.csv"
    path.write_bytes(data.draw(files(header)).encode())

    singly, together = both(path, mapping=mapping, limit=limit, block_bytes=block_bytes)

    if isinstance(singly, str):
        assert together == singly
    else:
        assert differences(singly, together) == []
        assert together.ignored_columns == singly.ignored_columns


def test_facts_that_nobody_asks_for_are_judged_and_not_kept(tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text("source_id,company,fields.size,fields.industry\n1,Harbour,12,rail\n2," + "x" * 300 + ",3,rail\n")

    found = read_rows(path, mapping=None, today=TODAY, wanted=Wanted({"fields.industry"}))

    assert found.facts["fields.industry"].to_list() == ["rail"]
    assert {"company", "fields.size"}.isdisjoint(found.facts.columns)
    assert [bad.line for bad in found.bad] == [3]
