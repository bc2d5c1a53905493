"""Salesforce's bookmark: what of the overlap was given is remembered, within bounds, and survives as a text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.crm.salesforce_bookmark import OVERLAP, REMEMBERED, Position, read_position
from storage.crm.soql import containing, instant, listed, quoted, read_instant
from tests.crm.salesforce_org import START
from tests.crm.soql_rows import read_query


def ident(number: int) -> str:
    return f"00R{number:012d}"


def test_the_next_reading_begins_before_the_last_one_ended() -> None:
    position = Position().moved(START, [(ident(1) + "AAA", START)])

    assert position.start == START - OVERLAP
    assert position.given == {ident(1): START}


def test_what_lies_before_the_overlap_is_forgotten() -> None:
    position = Position().moved(START, [(ident(1), START)]).moved(START + OVERLAP, [(ident(2), START + OVERLAP)])

    assert set(position.given) == {ident(1), ident(2)}
    assert set(position.moved(START + OVERLAP * 2, []).given) == {ident(2)}


def test_a_position_never_goes_back() -> None:
    assert Position(START).moved(START - timedelta(hours=1), []).at == START


def test_after_many_changes_the_overlap_is_shorter_and_nothing_in_it_is_unknown() -> None:
    times = {ident(number): START + timedelta(seconds=number // 5) for number in range(REMEMBERED + 503)}
    position = Position().moved(max(times.values()), times.items())

    assert position.start is not None
    assert position.start > START
    assert len(position.given) <= REMEMBERED
    assert set(position.given) == {one for one, when in times.items() if when >= position.start}


def test_many_changes_of_one_second_are_all_remembered() -> None:
    position = Position().moved(START, [(ident(number), START) for number in range(REMEMBERED * 2)])

    assert len(position.given) == REMEMBERED * 2


@pytest.mark.parametrize("count", [0, 1, REMEMBERED + 10])
def test_a_bookmark_is_the_position(count: int) -> None:
    position = Position().moved(START, [(ident(number), START - timedelta(seconds=number % 99)) for number in range(count)])

    assert read_position(position.text()) == position


def test_before_the_first_reading_the_bookmark_is_empty() -> None:
    assert Position().text() == ""
    assert read_position("") == Position()


@pytest.mark.parametrize("text", ["", "O'Hara", "\\", "\\'", "' OR Name != '", "a\nb\tc", '"', "%_", "ß€漢"])
def test_a_text_in_a_query_is_that_text_and_nothing_else(text: str) -> None:
    query = read_query(f"SELECT Id FROM Account WHERE Name = {quoted(text)}")

    assert query.test({"Name": text})
    assert not query.test({"Name": f"{text}x"})


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [("a.b", "xa.by", True), ("a_b", "axb", False), ("a_b", "xa_by", True), ("%", "x", False), ("%", "5%", True), ("o'h", "O'Hara", True)],
)
def test_a_pattern_finds_what_holds_the_text(text: str, value: str, found: bool) -> None:
    assert read_query(f"SELECT Id FROM Account WHERE Name LIKE {containing(text)}").test({"Name": value}) is found


def test_control_characters_become_blanks() -> None:
    assert quoted("a\x00b\u202ec") == "'a b c'"


def test_a_list_has_a_fixed_order_and_is_never_empty() -> None:
    assert listed(["b", "a'", "b"]) == "('a\\'', 'b')"
    with pytest.raises(ValueError, match="no empty list"):
        listed([])


def test_times_are_written_in_utc_and_read_as_salesforce_writes_them() -> None:
    assert instant(START) == "2027-02-01T09:00:00Z"
    assert read_instant("2027-02-01T09:00:00.000+0000") == START
    with pytest.raises(ValueError, match="zone"):
        instant(START.replace(tzinfo=None))
    with pytest.raises(ValueError, match="zone"):
        read_instant("2027-02-01T09:00:00")
