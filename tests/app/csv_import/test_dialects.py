"""Exports as systems write them: encodings, delimiters, notes around the table, odd cells. The import and the backtest read each alike."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.csv_import.errors import UnreadableFile
from app.csv_import.file import ReadLeads, read_leads
from app.csv_import.lead_map import LeadMap
from tests.app.backtest.two_readers import TODAY, both, differences

HEADER = "source_id,email,company\n"
ROW = "1,zoë@firm.example,Bücher\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadLeads]:
    def read(content: str | bytes, mapping: LeadMap | None = None) -> ReadLeads:
        """What both readers find in this file."""
        path = tmp_path / "leads.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        singly, together = both(path, mapping=mapping)
        assert differences(singly, together) == []
        if isinstance(singly, str):
            raise UnreadableFile(singly)
        assert singly.left_out == together.left_out
        found: ReadLeads = singly
        return found

    return read


def a_map(**more: Any) -> LeadMap:
    return LeadMap.model_validate({"columns": {"source_id": "id"}, **more})


def companies(found: ReadLeads) -> list[str]:
    return [row.lead.company for row in found.rows]


def ids(found: ReadLeads) -> list[str]:
    return [row.lead.source_id for row in found.rows]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_is_believed(read: Callable[..., ReadLeads], encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")

    found = read(mark + (HEADER + ROW).encode(encoding))

    assert companies(found) == ["Bücher"]


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-15", "mac-roman", "utf-16-le", "UTF-8", "cp850"])
def test_a_map_may_name_the_encoding(read: Callable[..., ReadLeads], encoding: str) -> None:
    mapping = a_map(columns={"source_id": "source_id", "company": "company"}, encoding=encoding)

    assert companies(read((HEADER + ROW).encode(encoding), mapping)) == ["Bücher"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named_with_the_option_to_type(read: Callable[..., ReadLeads], encoding: str) -> None:
    with pytest.raises(UnreadableFile, match=f"UTF-16 without a byte order mark: say so with --encoding {encoding}"):
        read((HEADER + ROW).encode(encoding))


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (HEADER.encode() + b"1,,A\n2,,\x81\n", "windows-1252", r"leads\.csv:3: is not cp1252, its first bad byte is 0x81"),
        ((HEADER + ROW).encode(), "windows-1252", "is UTF-8, and would be garbled if it were read as cp1252: leave the encoding out"),
        (HEADER.encode(), "klingon", "'klingon' is no encoding; write one such as"),
        (HEADER.encode(), "base64", "'base64' is no encoding"),
        (b"\xff\xfe" + "source_id\n".encode("utf-16-le") + b"x", "", r"leads\.csv:2: is not utf-16-le"),
    ],
)
def test_bytes_that_do_not_fit_the_encoding_are_named(tmp_path: Path, content: bytes, encoding: str, said: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=said):
        read_leads(path, mapping=None, encoding=encoding, today=TODAY)


def an_archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (an_archive("[Content_Types].xml", "xl/workbook.xml"), r"is an Excel workbook \(\.xlsx\), not CSV: open it, choose Save As"),
        (an_archive("mimetype", "content.xml"), r"is an OpenDocument spreadsheet"),
        (an_archive("leads.csv"), "is a zip archive: unpack it"),
        (b"PK\x03\x04 cut off", "is a zip archive: unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"is an old Excel workbook \(\.xls\)"),
        (b"%PDF-1.7\n", "is a PDF, not CSV"),
        (b"\x1f\x8b\x08", "is compressed with gzip"),
        (b"<!DOCTYPE html><table><tr><td>id", r"is a web page or XML, which some systems call \.xls"),
        (b'\n<?xml version="1.0"?>', "is a web page or XML"),
        (b'[{"id": 1}]', "is JSON, not CSV: send it to POST /api/leads"),
    ],
)
def test_what_is_no_csv_is_told_what_it_is(read: Callable[..., ReadLeads], content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        read(content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("source_id|company\n1|Acme, Inc; Ltd\n", ["Acme, Inc; Ltd"]),
        ('sep=;\nsource_id;company\n1;"A;B"\n', ["A;B"]),
        ("SEP=^\r\nsource_id^company\r\n1^A,B\r\n", ["A,B"]),
        ('"sep=,"\nsource_id,company\n1,A\n', ["A"]),
        ("source_id,company,\n1,A,\n2,B,\n", ["A", "B"]),
        ("source_id,company\n1,A,,,\n2,B,,,\n", ["A", "B"]),
        ("source_id,company,,\n1,A\n2,B,,\n", ["A", "B"]),
        ("source_id,company\n1,A\n2,B,\n", ["A", "B"]),
        ("source_id\rcompany\r1\r", None),
        ("source_id,company\r1,A\r2,B\r", ["A", "B"]),
        ('source_id,company\n1,"A ""the best"", Inc"\n2,"two\r\nlines"\n', ['A "the best", Inc', "two\nlines"]),
        ('source_id,company\n"=""0012""",="B"\n', ["B"]),
        ("source_id,company\n1,\u00a0New\u00a0York Ltd\u202f\n", ["New York Ltd"]),
    ],
)
def test_delimiters_line_ends_and_odd_cells(read: Callable[..., ReadLeads], content: str, found: list[str] | None) -> None:
    assert companies(read(content)) == (found if found is not None else ["", ""])


def test_a_number_that_a_spreadsheet_keeps_as_text_keeps_its_zeros(read: Callable[..., ReadLeads]) -> None:
    found = read('source_id,phone\n="0012","=""0044 1"""\n')

    assert [(row.lead.source_id, row.lead.phone) for row in found.rows] == [("0012", "0044 1")]


@pytest.mark.parametrize("first", ["1,A", "1,A,", "1,A,,"])
def test_a_cell_behind_the_header_with_text_is_bad(read: Callable[..., ReadLeads], first: str) -> None:
    found = read(f"source_id,company\n{first}\n2,B,C\n")

    assert ids(found) == ["1"]
    assert "cells, the header has 2: put a cell that holds the delimiter in quotes" in found.bad[0].reason


def test_a_sep_line_that_names_no_delimiter_is_refused(read: Callable[..., ReadLeads]) -> None:
    with pytest.raises(UnreadableFile, match="`sep=x` names no delimiter; write one such as sep=;"):
        read("sep=x\nsource_idxcompany\n")


NOTES = [
    "\n\n\nMy report\nCopyright (c) 2000-2027 somebody\nConfidential Information - Do Not Distribute\nGenerated By: A B\n",
    '"Grand Totals (2 records)",,\n',
    "Grand Totals,,1234.50\n",
    "Total: 2\n",
    '"Copyright (c) 2027 somebody, inc. All rights reserved."\n',
    ",,\n\nsome words at the end\n\n",
    '"","",""\n"A title, with a comma"\n"more"\n',
    "Subtotal,,\nGrand Total,,\n",
]


@pytest.mark.parametrize("notes", NOTES)
def test_notes_below_the_rows_are_left_out_and_named(read: Callable[..., ReadLeads], notes: str) -> None:
    found = read(HEADER + "1,,A\n2,,B\n" + notes)

    assert (ids(found), found.bad) == (["1", "2"], [])
    assert "are notes and were left out" in found.left_out[0]


@pytest.mark.parametrize(
    ("rest", "taken", "bad"),
    [
        ("9\n", ["1"], [3]),
        ("\n9,,\n", ["1", "9"], []),
        ("\n9\n8,,B\n", ["1", "8"], [4]),
        ("Total Energies,,Total\n", ["1", "Total Energies"], []),
        ('2,,"a\n\nlast words"\n', ["1", "2"], []),
        ('2,,"a\n\nGrand Totals\n"\n', ["1", "2"], []),
        ("Totals were good,,\n", ["1", "Totals were good"], []),
    ],
)
def test_a_row_at_the_end_is_no_note(read: Callable[..., ReadLeads], rest: str, taken: list[str], bad: list[int]) -> None:
    found = read(HEADER + "1,,A\n" + rest)

    assert (ids(found), [one.line for one in found.bad], found.left_out) == (taken, bad, ())


@pytest.mark.parametrize(
    "above",
    [
        "New Leads\n\n",
        '"New Leads, of this week"\nFiltered By: me\nAs of 1/15/2027; 9:00\n\n',
        "a,b,c,d,e,f\n",
        "sep=,\nNew Leads\n",
        "\n \n,,\nx\n",
    ],
)
def test_lines_above_the_header_are_left_out_and_named(read: Callable[..., ReadLeads], above: str) -> None:
    found = read(above + HEADER + "1,,A\nx\n")

    header = above.count("\n") + 1
    assert (ids(found), [one.line for one in found.bad]) == (["1"], [header + 2])
    assert found.left_out == (f"lines 1 to {header - 1} are above the header and were left out",)


def test_a_missing_column_is_named_beside_those_of_the_header_below_a_title(read: Callable[..., ReadLeads]) -> None:
    with pytest.raises(UnreadableFile, match="columns are missing: staff; there are: id, name"):
        read("A title\n\nid,name\n1,A\n", a_map(fields={"size": "staff"}))


@pytest.mark.parametrize(
    ("header", "mapping", "twins"),
    [
        ("source_id,note,note,company", None, ""),
        ("source_id,,,company", None, ""),
        ("source_id,company,company,note", None, "company"),
        ("source_id,fields.a,fields.a,note", None, "fields.a"),
        ("id,Owner,Owner,Name", a_map(columns={"source_id": "id", "company": "Name"}), ""),
        ("id,Owner,Name,Name", a_map(columns={"source_id": "id", "company": "Name"}), "Name"),
        ("id,Owner,NAME,name", a_map(columns={"source_id": "id", "company": "Name"}), "Name"),
    ],
)
def test_only_columns_that_somebody_needs_must_be_there_once(
    read: Callable[..., ReadLeads], header: str, mapping: LeadMap | None, twins: str
) -> None:
    content = f"{header}\n1,2,3,4\n"

    if twins:
        with pytest.raises(UnreadableFile, match=f"several columns have the same name: {twins}"):
            read(content, mapping)
    else:
        assert ids(read(content, mapping)) == ["1"]


@pytest.mark.parametrize("name", ["Company Name", "company name", "Company\u00a0Name", '"Company\nName"', " Company  Name "])
def test_a_map_finds_its_columns_whatever_their_spaces_and_capitals(read: Callable[..., ReadLeads], name: str) -> None:
    found = read(f"id,{name}\n1,A\n", a_map(columns={"source_id": "id", "company": "Company Name"}))

    assert companies(found) == ["A"]


def test_a_column_that_the_map_calls_optional_may_be_missing(read: Callable[..., ReadLeads]) -> None:
    mapping = a_map(columns={"source_id": "id", "company": "firm"}, fields={"size": "staff"}, optional=["company", "size"])

    found = read("id,staff\n1,12\n", mapping)

    assert (companies(found), found.rows[0].lead.fields) == ([""], {"size": "12"})


def test_a_prefix_is_no_part_of_a_cell(read: Callable[..., ReadLeads]) -> None:
    mapping = a_map(columns={"source_id": "id", "phone": "phone"}, prefixes={"source_id": "l:", "phone": "p:"})

    found = read("id,phone\nl:12,p:+44 20 7946 0000\n13,\n", mapping)

    assert [(row.lead.source_id, row.lead.phone) for row in found.rows] == [("12", "+44 20 7946 0000"), ("13", "")]
