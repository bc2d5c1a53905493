"""Reading a CSV file: the good rows are leads, each bad one is named with its line, and nothing is swallowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.csv_import.file import LeadMap, ReadLeads, UnreadableFile, read_leads
from tests.present import the

TODAY = datetime(2027, 2, 1, 12, tzinfo=UTC)
HEADER = "source_id,at,email,message\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadLeads]:
    def read(content: str | bytes, mapping: LeadMap | None = None, **more: Any) -> ReadLeads:
        path = tmp_path / "leads.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_leads(path, mapping=mapping, today=TODAY, **more)

    return read


def reasons(found: ReadLeads) -> dict[int, str]:
    return {bad.line: bad.reason for bad in found.bad}


def ids(found: ReadLeads) -> list[str]:
    return [row.lead.source_id for row in found.rows]


def test_shortened_numbers_and_impossible_contact_times_are_named_by_line(read: Callable[..., ReadLeads]) -> None:
    found = read(
        "source_id,phone,at,requested_time,country\n"
        "1.2E+15,,2027-01-10,,GB\n"
        '2,"4,91512E+11",2027-01-10,,GB\n'
        "3,+44 20 7946,2027-01-10 09:00,2027-01-09,GB\n"
        "4,+44 20 7946,2027-01-10 09:00,2028-01-11,GB\n"
        "5,+44 20 7946,2027-01-10 09:00,2027-01-11,United Kingdom\n"
    )

    assert {line: reason.split(":")[0] for line, reason in reasons(found).items()} == {
        2: "source_id", 3: "phone", 4: "requested_time", 5: "requested_time"
    }  # fmt: skip
    assert [row.lead.country for row in found.rows] == ["GB"]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_file_is_read_with_and_without_a_byte_order_mark(read: Callable[..., ReadLeads], start: bytes) -> None:
    found = read(start + (HEADER + "1,2027-01-15 18:40,zoë@scheldt.example,héllo\n").encode())

    (row,) = found.rows
    assert (row.line, row.lead.source_id, row.lead.source, row.lead.message) == (2, "1", "csv", "héllo")
    assert row.lead.at == datetime(2027, 1, 15, 18, 40, tzinfo=UTC)
    assert row.lead.activity == "form_submitted"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_seen_from_the_header(read: Callable[..., ReadLeads], delimiter: str) -> None:
    found = read(HEADER.replace(",", delimiter) + delimiter.join(["1", "2027-01-15", "a@b.example", '"one, two; three"']))

    assert found.rows[0].lead.message == "one, two; three"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system_and_are_counted_alike(read: Callable[..., ReadLeads], end: str) -> None:
    found = read((HEADER + '1,,,"two\nlines"\n\n2,never,,\n').replace("\n", end))

    assert found.rows[0].lead.message == "two\nlines"
    assert list(reasons(found)) == [5]


def test_another_encoding_is_refused_with_the_line_of_its_first_bad_byte(read: Callable[..., ReadLeads]) -> None:
    with pytest.raises(UnreadableFile, match=r"leads\.csv:3: is not UTF-8.*0xe9.*save it as UTF-8"):
        read((HEADER + "1,,,good\n2,,,caf\xe9\n").encode("latin-1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; its first line names the columns"),
        ("\n \n,,\n", "is empty"),
        ('"source_id\n1\n', "header cannot be read: a quote"),
        ("source_id\0,at\n1,\n", "header cannot be read: the row holds a NUL"),
        ("email,at,email\n", "several columns have the same name: email; give each"),
        ("mail,name\na@b.example,A\n", r"columns are missing: source_id; there are: mail, name\..*`columns: \{source_id: id.*--map"),
    ],
)
def test_a_file_without_a_usable_header_is_refused_with_what_to_do(read: Callable[..., ReadLeads], content: str, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        read(content)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match="name a CSV file that can be read"):
        read_leads(tmp_path / name, mapping=None, today=TODAY)


def test_a_time_zone_that_is_none_is_refused(read: Callable[..., ReadLeads]) -> None:
    with pytest.raises(UnreadableFile, match="'Mars' is no time zone"):
        read(HEADER, timezone="Mars")


def test_a_header_alone_is_said_clearly(read: Callable[..., ReadLeads]) -> None:
    found = read(HEADER)

    assert found.rows == []
    assert "a header and no rows" in reasons(found)[1]


def test_a_line_of_one_megabyte_and_one_with_nul_are_bad_and_the_others_go_in(read: Callable[..., ReadLeads]) -> None:
    found = read(HEADER + f"1,,,{'x' * 1_000_000}\n2,,,good\n3,,,\0\n4,,,good\n")

    assert ids(found) == ["2", "4"]
    assert "longer than 100,000 characters" in reasons(found)[2]
    assert "NUL" in reasons(found)[4]


def test_a_row_with_too_many_or_too_few_cells_is_bad(read: Callable[..., ReadLeads]) -> None:
    found = read(HEADER + "1,,,one, two\n2,\n3,,,good\n\n,,,\n")

    assert ids(found) == ["3"]
    assert "has 5 cells, the header has 4" in reasons(found)[2]
    assert "has 2 cells" in reasons(found)[3]


@pytest.mark.parametrize(
    "rest",
    [
        "3,,,good\n4,,,good\n",
        '3,,,"a, quoted cell"\n4,,,good\n',
        '3,,,"two\nlines"\n4,,,good\n',
        "3,,,good\n" + "4,,,good\n" * 20_000,
    ],
)
def test_a_quote_left_open_costs_its_own_row_only(read: Callable[..., ReadLeads], rest: str) -> None:
    found = read(HEADER + '1,,,good\n2,,,"left open\n' + rest)

    assert ids(found)[:3] == ["1", "3", "4"]
    assert "a quote that opens on this line is not closed" in reasons(found)[3]


def test_quotes_left_open_all_over_do_not_take_for_ever(read: Callable[..., ReadLeads], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.csv_import.rows.MAX_LINES_READ_AGAIN", 1000)

    with pytest.raises(UnreadableFile, match="quotes are left open all over the file"):
        read(HEADER + 'x","\n' * 5000)


def test_everything_that_is_wrong_with_a_row_is_named_with_its_column(read: Callable[..., ReadLeads]) -> None:
    found = read(f"source_id,at,email,do_not_contact,company\n,15/01/2027,a b,perhaps,{'x' * 300}\n")

    said = reasons(found)[2]
    assert "at: '15/01/2027' is no date: write it as 2027-01-15" in said
    assert "source_id: is empty" in said
    assert "email: is not an e-mail address" in said
    assert "do_not_contact: is neither true nor false" in said
    assert "company: is too long" in said


def test_a_field_is_bounded_as_every_door_bounds_it_and_a_bad_one_is_named_with_its_column(read: Callable[..., ReadLeads]) -> None:
    found = read(f"source_id,fields.about,fields.staff\n1,{'x' * 10_001},1\n2,{'9' * 5000},{'9' * 5000}\n3,x,9007199254740993\n")

    assert reasons(found) == {2: "fields.about: is longer than 10000 characters"}
    assert [row.lead.fields["staff"] for row in found.rows] == ["9" * 5000, "9007199254740993"]


@pytest.mark.parametrize(
    "text", ["2027-02-30", "2027-01-15 25:00", "soon", "1737000000", "2027-01-15T10:00+25:00", "0001-01-01", "2207-01-01"]
)
def test_dates_that_are_none_and_slips_of_a_century_are_bad(read: Callable[..., ReadLeads], text: str) -> None:
    found = read(HEADER + f"1,{text},,\n")

    assert reasons(found)[2].startswith(f"at: '{text}'")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-07-01 10:00", "2027-07-01T09:00:00+00:00"),
        ("2027-07-01", "2027-07-01T08:00:00+00:00"),
        ("2027-07-01T10:00:00Z", "2027-07-01T10:00:00+00:00"),
        ("2027-07-01 10:00:30.5 +0200", "2027-07-01T08:00:30.500000+00:00"),
        ("2027-03-28 01:30", "2027-03-28T01:30:00+00:00"),
        ("2027-10-31 01:30", "2027-10-31T00:30:00+00:00"),
    ],
)
def test_local_times_are_taken_in_the_zone_skipped_ones_forward_repeated_ones_first(
    read: Callable[..., ReadLeads], text: str, instant: str
) -> None:
    found = read(HEADER + f"1,{text},,\n", timezone="Europe/London")

    assert the(found.rows[0].lead.at).isoformat() == instant


def test_the_same_conversion_twice_is_bad_and_another_one_is_an_activity(read: Callable[..., ReadLeads]) -> None:
    found = read(
        "source_id,conversion_id,activity,at\n"
        "1,c1,form_submitted,2027-01-15\n1,c1,page_viewed,2027-01-16\n1,c2,form_submitted,2027-01-15\n"
        "2,,form_submitted,\n2,,form_submitted,\n2,,page_viewed,\n"
    )

    assert [row.line for row in found.rows] == [2, 4, 5, 7]
    assert "source_id: is already on line 2" in reasons(found)[3]
    assert "source_id: is already on line 5" in reasons(found)[6]


def test_two_people_under_one_id_are_both_read(read: Callable[..., ReadLeads]) -> None:
    """Each may do the same thing at the same time; the intake gives each a lead of their own."""
    found = read(HEADER + "1,2027-01-15,ann@b.example,\n1,2027-01-15,bob@b.example,\n1,2027-01-15,Ann+x@b.example,\n")

    assert [row.line for row in found.rows] == [2, 3]
    assert "source_id: is already on line 2" in reasons(found)[4]


def test_a_bad_row_does_not_stand_in_the_way_of_its_correction(read: Callable[..., ReadLeads]) -> None:
    found = read(HEADER + "1,never,,\n1,,,good\n")

    assert ids(found) == ["1"]


def test_fields_are_numbers_where_they_look_like_plain_ones_and_unknown_columns_are_reported(read: Callable[..., ReadLeads]) -> None:
    found = read(
        "source_id,fields.industry,fields.employees,Colour,fields.\n"
        + "".join(f"{n},rail,{text},red,x\n" for n, text in enumerate(NUMBERS))
    )

    assert [row.lead.fields["employees"] for row in found.rows] == list(NUMBERS.values())
    assert found.rows[0].lead.fields["industry"] == "rail"
    assert found.ignored_columns == ("Colour", "fields.")


NUMBERS = {"42": 42, "-3": -3, "12.5": 12.5, "0.125": 0.125, "1.250": "1.250", "007": "007", "1e9": "1e9", "١٢": "١٢", "50-99": "50-99"}


def test_an_empty_cell_says_nothing(read: Callable[..., ReadLeads]) -> None:
    found = read("source_id,activity,entry_channel,fields.employees\n1,,,\n")

    lead = found.rows[0].lead
    assert (lead.activity, lead.entry_channel, lead.fields) == ("form_submitted", "web", {})


def test_limit_ends_reading_after_so_many_good_rows(read: Callable[..., ReadLeads]) -> None:
    found = read(HEADER + "".join(f"{number},,,\n" for number in range(100)), limit=7)

    assert len(found.rows) == 7


def a_map(**more: Any) -> LeadMap:
    return LeadMap.model_validate({"columns": {"source_id": "id"}, **more})


def test_a_map_gives_columns_constants_values_and_its_own_zone(read: Callable[..., ReadLeads]) -> None:
    mapping = a_map(
        source="fair",
        columns={"source_id": "id", "at": "day", "entry_channel": "how"},
        constants={"country": "br"},
        fields={"how": "how", "size": "staff"},
        values={"entry_channel": {"": "unknown", 7: "stand"}, "size": {"many": 500}},
        timezone="America/Sao_Paulo",
    )
    found = read("id,day,how,staff,email\n1,2027-01-15,,many,a@b.example\n2,2027-01-15,7,12,\n", mapping, timezone="Asia/Tokyo")

    first, second = (row.lead for row in found.rows)
    assert (first.source, first.country, first.email, the(first.at).hour) == ("fair", "BR", "", 12)
    assert (first.entry_channel, first.fields) == ("unknown", {"size": 500})
    assert (second.entry_channel, second.fields) == ("stand", {"how": "7", "size": "12"})
    assert found.ignored_columns == ("email",)


@pytest.mark.parametrize(
    ("sign", "text", "number"),
    [
        (".", "1.250", 1.25),
        (".", "1,250", 1250),
        (".", "1 250.5", 1250.5),
        (",", "1.250", 1250),
        (",", "1,5", 1.5),
        (",", "-12.345,5", -12345.5),
    ],
)
def test_number_fields_are_read_with_the_decimal_sign_of_the_map(
    read: Callable[..., ReadLeads], sign: str, text: str, number: float | int
) -> None:
    mapping = a_map(fields={"size": "staff"}, number_fields=["size"], decimal_sign=sign)

    assert read(f"id;staff\n1;{text}\n", mapping).rows[0].lead.fields["size"] == number


@pytest.mark.parametrize("text", ["many", "1,2,3", "12.3456.7", "-", "1" * 5000])
def test_a_number_field_that_is_none_is_bad(read: Callable[..., ReadLeads], text: str) -> None:
    found = read(f"id;staff\n1;{text}\n", a_map(fields={"size": "staff"}, number_fields=["size"]))

    assert reasons(found)[2].startswith(f"staff: '{text[:40]}' is no number")


def test_columns_that_the_map_names_must_be_there(read: Callable[..., ReadLeads]) -> None:
    with pytest.raises(UnreadableFile, match="columns are missing: id, staff; there are: a, b"):
        read("a,b\n1,2\n", a_map(fields={"size": "staff"}))


PIECES = [
    b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"source_id", b"at", b"email",
    b"fields.x", b"2027-01-15", b"1", b"a@b.example", "é\u2028".encode(),
]  # fmt: skip


@given(st.binary() | st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join) | st.lists(st.sampled_from(PIECES)).map(
    lambda pieces: b"source_id,at,email\n" + b"".join(pieces)
))  # fmt: skip
def test_no_bytes_raise_anything_but_unreadable_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)

    for mapping in (None, a_map(columns={"source_id": "source_id", "at": "at"}, fields={"x": "email"}, number_fields=["x"])):
        try:
            read_leads(path, mapping=mapping, today=TODAY)
        except UnreadableFile:
            continue


@given(st.lists(st.text(st.sampled_from("ab1@.,;\té -"), max_size=20)))
def test_every_line_is_a_lead_a_bad_row_a_note_that_is_named_or_blank(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    path.write_text("\n".join(["source_id,email", *lines]) + "\n", encoding="utf-8")

    found = read_leads(path, mapping=None, today=TODAY)

    notes = [int(said.split()[1]) for said in found.left_out]
    full = [number for number, line in enumerate(lines, start=2) if line.replace(",", "").strip() and number < min([*notes, 1000])]
    assert sorted([row.line for row in found.rows] + [bad.line for bad in found.bad]) == (full or [1])


def test_a_column_says_which_rep_brought_a_lead_in(read: Callable[..., ReadLeads]) -> None:
    found = read("source_id,sales_sourced_by\n1,ben\n2,\n")

    assert [row.lead.sales_sourced_by for row in found.rows] == ["ben", ""]


def test_a_field_named_as_what_the_crm_says_is_bad(read: Callable[..., ReadLeads]) -> None:
    found = read("source_id,fields.account.status\n1,customer\n")

    assert "'account.status' is what the CRM says of the company, not the lead" in found.bad[0].reason
