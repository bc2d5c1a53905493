"""The import and the backtest say the same of any file: the same rows taken, the same bad lines in the same words, the same values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.backtest.column_facts import ASKED_AT_LEAST
from app.backtest.field_kinds import KIND_OF, text_of
from app.backtest.files import LeadFile, read_past
from app.backtest.reader import Wanted, read_rows
from app.backtest.row_facts import Facts
from app.csv_import.cells import OF_FACTS, OF_FIELDS, Plain
from app.csv_import.columns import Column
from app.csv_import.file import UnreadableFile, read_leads
from app.csv_import.lead_map import FACTS, LeadMap
from app.csv_import.row_judge import BadLead, RowJudge
from tests.app.backtest.ground import an_agreement
from tests.app.backtest.two_readers import TODAY, both, differences
from tests.examples import examples

#: What cells hold: a few people who come in several times.
LIKELY: dict[str, list[str]] = {
    "source_id": ["1", "2", "3", "4", "5", "é7"],
    "conversion_id": ["", "", "c1", "c2", "c3", "form_submitted@unknown", "form_submitted@2027-01-15T00:00:00+00:00"],
    "at": ["", "2027-01-15", "2027-01-15 09:00", "2027-01-15 00:00Z", "2027-03-28T01:30"],
    "email": ["", "ann@firm.example", "Ann+x@firm.example", "zoë@firm.example"],
    "activity": ["", "form_submitted", "demo_requested"],
    "country": ["", "gb", "Germany", "United Kingdom", "USA", "Korea", "deu"],
    "phone": ["", "+44 20 7946 0000", "442079460000"],
    "requested_time": ["", "", "2027-01-15 10:00", "2027-01-15 23:30Z", "2027-03-28 09:00"],
    "do_not_contact": ["", "yes", "OFF"],
    "message": ["", "two\nlines", 'a "quoted" word', "one, two; three\tfour"],
    "fields.size": ["", "12", "-3", "12.50", "51-200"],
    "Colour": ["", "red"],
}
#: What one cell in thirty holds.
ODD: dict[str, list[str]] = {
    "source_id": ["", "x" * 201, "1.2E+15"],
    "phone": ["4,91512E+11", "4.91512e+11"],
    "requested_time": ["2027-01-14 10:00", "2028-03-30", "2029-01-01 10:00", "2019-01-01"],
    "at": ["15/01/2027", "2027-02-30", "1890-01-01", "2027-01-15 24:30"],
    "email": ["bob@firm.example", "no address", "a@b.invalid"],
    "country": ["ß1"],
    "do_not_contact": ["perhaps"],
    "message": ["x" * 10_001],
    "fields.size": ["1.250", "007", "-0", "0.00001", "9" * 20, "9" * 10_001],
}
#: What happens to a row on its way: nothing in most.
FATES = ["whole"] * 12 + [
    "a cell short",
    "a cell long",
    "blank",
    "open quote",
    "text behind a quote",
    "NUL",
    "twice",
    "empty cells behind",
    "formula texts",
    "hard spaces",
]
#: What reports have above their header and below their rows.
ABOVE = [[], ["sep=;"], ["New leads", "", "Filtered by: me"], ['"a title, with, commas"']]
BELOW = [["", "Copyright (c) 2027"], ["Grand Totals (3 records)"], ["", "", "a note", '"another, one"'], ["Total,,12"], ["", "1"]]
ENCODINGS = ["utf-8"] * 8 + ["utf-8-sig", "latin-1", "cp1252", "utf-16"]
MAPPED = LeadMap.model_validate(
    {
        "source": "fair",
        "columns": {"source_id": "source_id", "at": "at", "email": "email", "do_not_contact": "do_not_contact"},
        "constants": {"activity": "trade_show_visit"},
        "fields": {"size": "fields.size", "land": "country"},
        "dates": "day-first",
        "values": {"do_not_contact": {"perhaps": True, "": False}, "size": {"51-200": 51, "007": None}, "at": {"15/01/2027": "2027-01-15"}},
        "number_fields": ["size"],
        "decimal_sign": ",",
    }
)


@st.composite
def cell(draw: st.DrawFn, name: str) -> str:
    return draw(st.sampled_from(ODD[name] if name in ODD and draw(st.integers(0, 29)) == 29 else LIKELY[name]))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file as people send them, in any state."""
    delimiter = draw(st.sampled_from(",;\t|"))
    header = draw(st.permutations(list(LIKELY)).flatmap(lambda names: st.integers(1, len(names)).map(lambda many: names[:many])))
    if draw(st.integers(0, 9)):
        header = list(dict.fromkeys(["source_id", "at", "email", *header]))
    lines = [delimiter.join(header)]
    for _ in range(draw(st.integers(0, 12))):
        cells = [draw(cell(name)) for name in header]
        lines += happened(draw(st.sampled_from(FATES)), [quoted(one, delimiter) for one in cells], delimiter)
    if draw(st.integers(0, 5)) == 5:
        lines = [*draw(st.sampled_from(ABOVE)), *lines, *draw(st.sampled_from(BELOW))]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(lines).replace("\n", end if draw(st.booleans()) else "\n") + draw(st.sampled_from(["", end]))
    return text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")


def quoted(text: str, delimiter: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & {delimiter, '"', "\n"} else text


def happened(fate: str, cells: list[str], delimiter: str) -> list[str]:
    row = delimiter.join(cells)
    return {
        "whole": [row],
        "a cell short": [delimiter.join(cells[:-1])],
        "a cell long": [row + delimiter + "more"],
        "blank": ["", delimiter * (len(cells) - 1), row],
        "open quote": ['"' + row],
        "text behind a quote": ['"a"b' + delimiter + row],
        "NUL": [row + "\0"],
        "twice": [row, row],
        "empty cells behind": [row + delimiter * 2],
        "formula texts": [delimiter.join(f'="{one}"' if '"' not in one else one for one in cells)],
        "hard spaces": [delimiter.join(one if '"' in one else f"\u00a0{one}\u202f" for one in cells)],
    }[fate]


@settings(max_examples=examples(400), deadline=None)
@given(files(), st.sampled_from([None, None, MAPPED]), st.sampled_from([None, 60, 400]), st.sampled_from([None, None, 1, 3]))
@example(b"source_id,conversion_id\n1,form_submitted@unknown\n1,\n", None, None, None)
@example(b"source_id,conversion_id,email\n1,c1,ann@b.example\n1,c2,bob@b.example\n1,c3,Ann+x@b.example\n", None, None, None)
@example(b"source_id,at\n1,\n2,\n3,\xeb\n", None, None, 2)
@example(b'source_id,at\n1,\n2,\n"3,\n\xeb\n', None, None, 2)
def test_an_import_and_a_backtest_say_the_same_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, mapping: LeadMap | None, block_bytes: int | None, limit: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)

    singly, together = both(path, mapping=mapping, block_bytes=block_bytes, limit=limit)

    assert differences(singly, together) == []


@settings(max_examples=examples(100), deadline=None)
@given(files())
def test_what_a_backtest_leaves_out_is_told_in_the_words_of_the_import(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "told.csv"
    path.write_bytes(content)

    assert left_out(path) == refused(path)


def left_out(path: Path) -> list[str]:
    try:
        return [str(one) for one in read_past(LeadFile(path, by="source"), [an_agreement()], now=TODAY).left_out]
    except UnreadableFile as error:
        return [str(error)]


def refused(path: Path) -> list[str]:
    try:
        return [f"{path.name}:{bad.line}: {bad.reason}" for bad in read_leads(path, mapping=None, today=TODAY).bad]
    except UnreadableFile as error:
        return [str(error)]


def judge_of(*columns: Column) -> RowJudge:
    return RowJudge([*columns], {"source": "csv"}, ZoneInfo("Europe/London"), TODAY.year)


def cells_as_facts(column: Column, cells: list[str]) -> tuple[list[object], set[int]]:
    """What the fast reader makes of each cell, or None; and the kinds that it saw."""
    facts = Facts(judge_of(column))
    good, _ = facts.read(pl.DataFrame({"line": range(len(cells)), "0": cells}, schema={"line": pl.UInt32, "0": pl.String}))
    name = f"fields.{column.target}" if column.is_field else column.target
    found = dict(zip(good["line"].to_list(), good[name].to_list(), strict=True))
    return [found.get(place) for place in range(len(cells))], facts.kinds.seen.get(name, set())


def cells_alone(column: Column, cells: list[str]) -> tuple[list[object], set[int]]:
    """The same, as the judge sees each cell."""
    judge = judge_of(column)
    values: list[object] = []
    kinds: set[int] = set()
    for cell in cells:
        try:
            value: Any = judge.value(column, cell)
        except BadLead:
            values.append(None)
            continue
        kinds.add(KIND_OF.get(type(value), -1))
        values.append(text_of(value) if column.is_field else value)
    return values, kinds if column.is_field else set()


NUMERIC = st.text(st.sampled_from("0123456789.,- \u00a0\u202f"), max_size=20)
NUMBERS = st.from_regex(r"\A-?(?:0|[1-9][0-9]{0,2}([., ][0-9]{3}){0,4}|[0-9]{1,16})(?:[.,][0-9]{1,11})?\Z")
#: A row with another control character is read alone, so it is in no column.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\t\x85"), max_size=12)
LONG = st.sampled_from(["x" * length for length in (1, 2, 3, 199, 200, 201, 10_000, 10_001)] + ["7" * 10_001])
FIELD_COLUMNS = [Column(0, "size", "size", is_field=True, numbers=numbers) for numbers in OF_FIELDS]


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(FIELD_COLUMNS), st.lists(NUMERIC | NUMBERS | TEXTS | LONG, min_size=1, max_size=12))
@example(FIELD_COLUMNS[1], ["1.250", "12.50", "-0", "0", "-0.0", "0.00001", "0.0001", "007", "12.", ".5", "1.2.3", "9" * 15, "9" * 16])
@example(FIELD_COLUMNS[2], ["1,250", "1,25", "1 250.50", "0,250", "007", "1.250", "-0.00", "1,250,"])
@example(FIELD_COLUMNS[3], ["1.250", "1,25", "1.250,50", "0.250", "007", "1,250", "-0,00", "12.345.678.901.234,5"])
def test_every_cell_of_a_field_means_the_same_read_alone_and_in_a_column(column: Column, cells: list[str]) -> None:
    cells = [cell.strip() for cell in cells]

    assert cells_as_facts(column, cells) == cells_alone(column, cells)


ADDRESSES = st.from_regex(re.compile(OF_FACTS["email"][0].pattern, re.ASCII)) | st.sampled_from(["a@b.invalid", "a@b.ARPA", "ä@b.example"])
CLOCKS = st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S")) | st.sampled_from(LIKELY["at"] + ODD["at"])
WORDS = st.sampled_from(["yes", "NO", "1", "perhaps", "gb", "GB", "ßa", "web"])


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(FACTS), st.lists(TEXTS | LONG | ADDRESSES | CLOCKS | WORDS, min_size=1, max_size=12))
def test_every_cell_of_a_fact_means_the_same_read_alone_and_in_a_column(fact: str, cells: list[str]) -> None:
    column, cells = Column(0, fact, fact), [cell.strip() for cell in cells]

    assert cells_as_facts(column, cells) == cells_alone(column, cells)


@pytest.mark.parametrize("form", [*OF_FACTS["email"], *OF_FIELDS["plain"]], ids=lambda form: form.kind.__name__)
def test_plain_cells_are_not_asked_about(form: Plain) -> None:
    """A form that matches nothing would leave every cell to the judge, and nobody would see why reading is slow."""
    likely = {"str": ["ann@firm.example", "51-200"], "int": ["0", "-12"], "float": ["12.5", "12.50"]}[form.kind.__name__]

    assert any(re.search(form.pattern, cell) and not re.search(form.never or r"\Z.", cell) for cell in likely)


def test_a_column_in_which_nearly_all_cells_are_odd_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    odd = [f"{number},zoë{number}@firm.example,{number % 7}" for number in range(ASKED_AT_LEAST + 200)]
    path.write_text("\n".join(["source_id,email,fields.size", *odd, "last,no address,1"]) + "\n", encoding="utf-8")

    singly, together = both(path, mapping=None)

    assert differences(singly, together) == []
    assert len(singly.rows) == len(odd)
    assert [bad.line for bad in singly.bad] == [len(odd) + 2]


@pytest.mark.parametrize(
    "mapping", [None, LeadMap.model_validate({"columns": {"source_id": "source_id"}, "constants": {"campaign": "spring"}})]
)
@pytest.mark.parametrize("by", ["do_not_contact", "at", "country", "campaign", "source"])
def test_a_group_is_named_alike_however_its_row_was_read(tmp_path: Path, by: str, mapping: LeadMap | None) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("source_id,at,country,do_not_contact\n1,2027-01-15,GB,yes\n" + '2,2027-01-15,"GB",yes\n3,2027-01-15,"GB\n",yes\n')

    groups = read_rows(path, mapping=mapping, today=TODAY, wanted=Wanted(by=by)).facts["group"].to_list()

    assert len(groups) == 3
    assert len(set(groups)) == 1
