"""Impossible and unreadable rows: each is named with its file and line, counted apart, and its lead still counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.audit.ground import a_lead, audited

GOOD = a_lead("good")


@pytest.mark.parametrize(
    ("lead", "activity", "wrong", "place"),
    [
        (a_lead(won_at="2026-05-30 10:00"), "", "won before the lead was created", "leads.csv:3"),
        (a_lead(created="2026-06-03", won_at="2026-06-01"), "", "won before the lead was created", "leads.csv:3"),
        (a_lead(lost_at="2026-06-01 09:59"), "", "lost before the lead was created", "leads.csv:3"),
        (a_lead(assigned_at="2026-06-01 09:00"), "", "assigned before the lead was created", "leads.csv:3"),
        (a_lead(won_at="2031-01-01"), "", "time in the future", "leads.csv:3"),
        (a_lead(created="2030-01-01 10:00"), "", "time in the future", "leads.csv:3"),
        (a_lead(created="01/06/2026"), "", "unreadable time", "leads.csv:3"),
        (a_lead(won_at="soon"), "", "unreadable time", "leads.csv:3"),
        (a_lead(amount="a lot"), "", "unreadable amount", "leads.csv:3"),
        (a_lead()[2:], "", "row without an id", "leads.csv:3"),
        (a_lead() + ',"open', "", "unreadable row", "leads.csv:3"),
        (a_lead(), "L1,2026-06-01 09:59,call,,", "touched before the lead was created", "activities.csv:2"),
        (a_lead(created="2026-06-02"), "L1,2026-06-01,meeting,,", "touched before the lead was created", "activities.csv:2"),
        (a_lead(), "L7,2026-06-01 11:00,call,,", "activity of a lead that is not in the file", "activities.csv:2"),
        (a_lead(), ",2026-06-01 11:00,call,,", "activity of a lead that is not in the file", "activities.csv:2"),
        (a_lead(), "L1,2029-06-01 11:00,call,,", "time in the future", "activities.csv:2"),
        (a_lead(), "L1,yesterday,call,,", "unreadable time", "activities.csv:2"),
        (a_lead(), "L1,,call,,", "", ""),
        (a_lead(created="2026-06-01", won_at="2026-06-01"), "", "", ""),
        (a_lead(won_at="2026-06-01"), "L1,2026-06-01,call,,", "", ""),
        (a_lead(), "L1,2026-05-01 10:00,note,,", "", ""),
    ],
)
def test_what_cannot_be_is_named_and_nothing_else(tmp_path: Path, lead: str, activity: str, wrong: str, place: str) -> None:
    if wrong == "row without an id":
        lead = "," + lead.split(",", 1)[1]
    found = audited(tmp_path, [GOOD, lead], [activity] if activity else [])

    assert [(one.wrong, f"{one.place}:{one.line}") for one in found.not_used.first] == ([(wrong, place)] if wrong else [])
    assert found.not_used.counts == ({wrong: 1} if wrong else {})
    assert found.leads == (1 if wrong in ("row without an id", "unreadable row") else 2)


def test_a_win_that_cannot_be_is_neither_won_nor_in_the_share(tmp_path: Path) -> None:
    found = audited(tmp_path, [a_lead(1, won_at="2026-05-01"), a_lead(2, won_at="2026-07-01"), a_lead(3)], [])

    assert found.won
    assert (found.won.won, found.won.leads) == (1, 2)
    assert found.leads == 3


def test_all_are_counted_and_the_first_fifty_named(tmp_path: Path) -> None:
    found = audited(tmp_path, [a_lead()], [f"L1,2026-05-01 10:{at % 60:02},call,," for at in range(120)])

    assert found.not_used.counts == {"touched before the lead was created": 120}
    assert [one.line for one in found.not_used.first] == list(range(2, 52))


def test_outcomes_in_a_second_file_are_joined_and_strangers_named(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("lead,when,rep,value\nL1,2026-07-01 10:00,Ann,500\nL9,2026-07-02 10:00,Ben,700\n")
    mapping = {
        "columns": {"source_id": "source_id", "at": "created"},
        "timezone": "Europe/London",
        "outcomes": {"file": "deals.csv", "source_id": "lead", "won_at": "when"},
        "audit": {"owner": "rep", "amount": "value", "currency": "EUR"},
    }
    found = audited(tmp_path, [f"L{at},2026-06-01 10:00" for at in (1, 2)], header="source_id,created", mapping=mapping)

    assert found.joined
    assert (found.joined.count, found.joined.of) == (1, 2)
    assert found.not_used.counts == {"outcome of a lead that is not in the file": 1}
    assert found.money
    assert (found.money.won, found.money.currency) == (500, "EUR")
    assert [(one.value, one.leads, one.merged) for one in found.by_owner] == [("", 2, 2)]
