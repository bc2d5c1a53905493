"""Versions and agreements side by side: at any instant each lead has one, and what would break that is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements.errors import InvalidAgreement
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.side_by_side import Window, chosen, clash, counting, meet, rivalry, stretches
from tests.present import the

TEXT = (Path(__file__).resolve().parents[2] / "agreements" / "examples" / "b2b-saas.yaml").read_text(encoding="utf-8")
YEAR = datetime(2027, 1, 1, tzinfo=UTC)


@cache
def agreement(name: str, applies_to: str = "", default: str = "") -> Agreement:
    more = (f"applies_to: {applies_to}\n" if applies_to else "") + (f"default: {default}\n" if default else "")
    return read_agreement(TEXT.replace("agreement: b2b-saas", f"agreement: {name}", 1).replace("signers:", f"{more}signers:", 1))


def window(version: int, first: int, last: int | None = None) -> Window:
    """A version that may count from one day of the year until another."""
    return Window(version, YEAR + timedelta(days=first), None if last is None else YEAR + timedelta(days=last))


def on(day: float) -> datetime:
    return YEAR + timedelta(days=day)


def days(found: list[Any]) -> list[tuple[int | None, int | None]]:
    return [((start - YEAR).days, (end - YEAR).days if end else None) for start, end in found]


def test_a_window_is_whole_days_in_the_agreements_zone() -> None:
    text = TEXT.replace("effective: {from: 2026-01-01}", "effective: {from: 2027-07-01, until: 2027-11-30}", 1)

    found = Window.of(read_agreement(text))

    assert found.begins == datetime(2027, 6, 30, 23, tzinfo=UTC)
    assert found.ends == datetime(2027, 11, 30, tzinfo=UTC)


def test_the_version_that_began_last_counts_and_gives_way_when_it_ends() -> None:
    windows = [window(1, 0), window(2, 10, 20), window(3, 30)]

    assert counting(windows, on(-1)) is None
    assert [the(counting(windows, on(day))).version for day in (0, 9.9, 10, 19.9, 20, 29, 30, 400)] == [1, 1, 2, 2, 1, 1, 3, 3]


def test_the_times_in_which_a_version_counts() -> None:
    windows = [window(1, 0), window(2, 10, 20), window(3, 30)]

    assert [days(stretches(windows, version)) for version in (1, 2, 3, 4)] == [[(0, 10), (20, 30)], [(10, 20)], [(30, None)], []]


WINDOWS = st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(31, 60)), min_size=1, max_size=5).map(
    lambda pairs: [window(number, *pair) for number, pair in enumerate(pairs, start=1)]
)


@given(WINDOWS, st.integers(0, 70))
def test_a_version_counts_at_an_instant_exactly_where_one_of_its_times_says_so(windows: list[Window], day: int) -> None:
    now = counting(windows, on(day))

    inside = [
        one.version
        for one in windows
        if any(start <= on(day) and (end is None or on(day) < end) for start, end in stretches(windows, one.version))
    ]
    assert inside == ([now.version] if now else [])


@pytest.mark.parametrize(
    ("some", "others", "first"),
    [
        ([(0, 10)], [(10, None)], None),
        ([(0, 11)], [(10, None)], 10),
        ([(0, None)], [(0, None)], 5),
        ([(0, 3)], [(0, 3)], None),
        ([(0, 2), (8, 12), (20, 30)], [(2, 8), (11, 25)], 11),
    ],
)
def test_two_sets_of_times_meet_where_both_have_an_instant_from_now_on(some: Any, others: Any, first: int | None) -> None:
    def times(pairs: Any) -> Any:
        return [(on(start), None if end is None else on(end)) for start, end in pairs]

    assert meet(times(some), times(others), since=on(5)) == (None if first is None else on(first))


@pytest.mark.parametrize(
    ("earlier", "new", "said"),
    [
        ((0, None), (10, None), ""),
        ((0, None), (10, 20), ""),
        ((0, 40), (10, 40), ""),
        ((0, 40), (40, None), ""),
        ((0, 40), (50, 60), ""),
        ((10, None), (10, None), "b2b@2 begins on 2027-01-11, as b2b@1 does. Write a later day"),
        ((10, None), (9, None), "b2b@2 begins on 2027-01-10, before b2b@1, which has the lower number and begins on 2027-01-11"),
        ((0, 40), (10, 41), "Write `from: 2027-02-10` or a later day, or `until: 2027-02-10` or an earlier one"),
        ((0, 40), (39, None), "b2b@2 begins on 2027-02-09, within the time of b2b@1, and goes on after it ends on 2027-02-10"),
    ],
)
def test_windows_of_one_agreement_nest_or_stand_apart(earlier: Any, new: Any, said: str) -> None:
    found = clash(window(2, *new), window(1, *earlier), name="b2b", zone="UTC")

    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(
    ("values", "name"),
    [({"source": "web"}, "web"), ({"source": "WEB", "country": "US"}, "web"), ({"source": "import"}, "rest"), ({}, "rest")],
)
def test_a_lead_has_the_agreement_that_is_for_it_else_the_default(values: dict[str, Any], name: str) -> None:
    both = [agreement("rest"), agreement("web", "{source: [web]}")]

    assert the(chosen(both, values)).agreement == name
    assert the(chosen(reversed(both), values)).agreement == name


def test_a_default_may_be_for_certain_leads_as_well() -> None:
    both = [agreement("a", "{source: [web]}", "true"), agreement("b", "{source: [import]}")]

    assert [the(chosen(both, {"source": source})).agreement for source in ("web", "import", "phone")] == ["a", "b", "a"]


def test_without_a_default_a_lead_may_have_none() -> None:
    assert chosen([agreement("web", "{source: [web]}")], {"source": "import"}) is None
    assert chosen([], {}) is None
    assert the(chosen([agreement("all", default="false")], {})).agreement == "all"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (agreement("a"), agreement("b", "{source: [web]}"), ""),
        (agreement("a", "{source: [web]}"), agreement("b", "{source: [import]}"), ""),
        (agreement("a"), agreement("b"), "Both a@1 and b@1 take the leads that no other agreement is for. Write `default: false`"),
        (
            agreement("a", "{source: [web]}"),
            agreement("b", "{country: [GB]}"),
            "A lead could match both a@1 (source in web) and b@1 (country in GB): source web, country GB. Narrow `applies_to`",
        ),
        (agreement("a", default="false"), agreement("b", "{source: [web]}"), "source web"),
        (agreement("a", default="false"), agreement("b", "{country: missing}"), "any lead"),
        (agreement("a", default="false"), agreement("b"), ""),
    ],
)
def test_two_agreements_that_one_lead_could_match_are_shown_by_it(one: Agreement, other: Agreement, said: str) -> None:
    assert said in rivalry(one, other)
    assert bool(said) == bool(rivalry(one, other)) == bool(rivalry(other, one))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("account.status: customer", "applies_to.account.status: comes from the CRM after a lead has come in"),
        ("persona: ops-leader", "applies_to.persona: is known only after a lead has come in"),
    ],
)
def test_for_which_leads_it_is_must_be_known_when_they_come_in(asked: str, said: str) -> None:
    with pytest.raises(InvalidAgreement) as refused:
        agreement("early", f"{{{asked}}}")

    assert said in str(refused.value)


def test_what_is_known_after_a_contact_does_not_say_for_whom_it_is() -> None:
    fields = "fields:\n  met: {type: yes_no, known: after_contact}\n"
    text = TEXT.replace("fields:\n", fields, 1).replace("signers:", "applies_to: {met: true}\nsigners:", 1)

    with pytest.raises(InvalidAgreement, match="applies_to.met: is known only after sales has spoken to the lead"):
        read_agreement(text)
