"""What Baton and the CRM say of one lead or opportunity: what differs, and what is no difference."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from agreements.crm_comparison import (
    CrmDeal,
    CrmNumber,
    CrmRecord,
    DealHere,
    Finding,
    LeadHere,
    RecordState,
    compared,
    compared_deal,
    stray,
)
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.words import OpportunityState
from tests.deal import example_tree

LATE = timedelta(hours=1)


@cache
def agreed() -> Agreement:
    words = {"accepted": {"status": "Working"}, "attempted": {"status": "Attempted"}, "opportunity": {"status": "Opportunity"}}
    return Agreement.model_validate({**example_tree(), "crm": words})


def here(stage: Stage = Stage.ACCEPTED, **changes: Any) -> LeadHere:
    common: dict[str, Any] = {
        "agreement": agreed(),
        "company": "Nordlicht",
        "rep": "ana",
        "told": True,
        "given": True,
        "known": {"status": "Working"},
    }
    return LeadHere(7, stage, **{**common, **changes})


def there(
    status: str | None = "Working", *, owner: str = "ana", state: RecordState = RecordState.THERE, quiet: timedelta = LATE
) -> CrmRecord:
    return CrmRecord("contact 3", owner, {} if status is None else {"status": status}, state, quiet)


def kinds(found: list[Finding]) -> list[str]:
    return [one.kind for one in found]


AGREE: dict[str, tuple[LeadHere, CrmRecord | None]] = {
    "both say the same": (here(), there()),
    "letters and blanks": (here(), there(" working ")),
    "a number in another form": (
        here(Stage.ASSIGNED, agreement=agreed().model_copy(update={"crm": {"accepted": {"size": "5"}}}), known={"size": "5"}),
        CrmRecord("x", "ana", {"size": "5.00"}),
    ),
    "a record that changed a moment ago": (here(), there("Lost", owner="ben", quiet=timedelta(seconds=30))),
    "a lead that was never written there": (here(told=False, known={}), None),
    "a lead that is over and whose record is gone": (here(Stage.NURTURING, rep=""), None),
    "a member who owns the lead of a mailbox": (here(rep="desk", members=("ana", "ben")), there(owner="ben")),
    "a contact, which has no status": (here(), there(None)),
    "several who are asked": (here(Stage.ASSIGNED, rep="", known={}), there("", owner="")),
    "a rep who is further in the CRM than the newest answer": (here(Stage.WORKING), there("Working")),
    "a status that sales moved on after the end": (here(Stage.OPPORTUNITY, rep="", known={"status": "Won"}), there("Won")),
    "an earlier answer before the acceptance": (here(Stage.ASSIGNED, known={"status": "Attempted"}), there("Attempted")),
    "an owner whom Baton did not write in this pass": (here(given=False), there(owner="ben")),
    "no agreement yet": (here(Stage.INQUIRY, agreement=None, rep="", told=False, known={}), there("Anything", owner="ben")),
}


@pytest.mark.parametrize("case", AGREE.values(), ids=AGREE)
def test_nothing_is_found(case: tuple[LeadHere, CrmRecord | None]) -> None:
    assert compared(*case) == []


DIFFER: dict[str, tuple[LeadHere, CrmRecord | None, str, str, str]] = {
    "missing": (here(), None, "missing", "no record with this number, and the lead is accepted here", "next assignment makes a new one"),
    "missing after a sale": (here(Stage.OPPORTUNITY, rep=""), None, "missing", "the lead is opportunity here", "deleted or merged"),
    "deleted": (here(), there(state=RecordState.DELETED), "deleted", "The record was deleted", "Restore the record, or return the lead"),
    "converted": (here(), there(state=RecordState.CONVERTED), "converted", "converted, and it is accepted here", "Ask ana to say"),
    "owner": (here(), there(owner="ben"), "owner", "Its owner is ben, and here ana has the lead", "Make ana its owner"),
    "nobody": (here(), there(owner=""), "owner", "Its owner is nobody", "or hand the lead over here"),
    "value": (here(), there("New"), "value", "status is 'New', and Baton wrote or read 'Working' last", "Set status in the CRM"),
    "blank": (here(), there(""), "value", "status is empty", "so that Baton reads it"),
    "stage": (
        here(known={"status": "Lost"}),
        there("Lost"),
        "stage",
        "accepted here, for which b2b-saas@1 says status 'Working'; in the CRM status is 'Lost'",
        "Correct the value",
    ),
}


@pytest.mark.parametrize("case", DIFFER.values(), ids=DIFFER)
def test_a_difference_says_what_and_what_to_do(case: tuple[LeadHere, CrmRecord | None, str, str, str]) -> None:
    mine, other, kind, what, todo = case

    found = compared(mine, other)

    assert kinds(found) == [kind]
    assert what in found[0].what
    assert todo in found[0].todo
    assert found[0].where.startswith("lead 7")
    assert found[0].company == "Nordlicht"


def test_the_reason_why_a_write_failed_is_what_to_do() -> None:
    failure = "HubSpot has no user with the e-mail address of ana: add the user"

    assert [one.todo for one in compared(here(failure=failure), None)] == [f"The newest write failed: {failure}."]
    assert "Restore the record" in compared(here(failure=failure), there(state=RecordState.DELETED))[0].todo


def test_an_owner_and_a_value_are_two_findings() -> None:
    assert kinds(compared(here(), there("New", owner="ben"))) == ["owner", "value"]


OPEN, WON, LOST = OpportunityState
DEALS: list[tuple[OpportunityState, CrmDeal | None, list[str]]] = [
    (OPEN, CrmDeal(OPEN, LATE), []),
    (OPEN, CrmDeal(WON, LATE), ["opportunity"]),
    (OPEN, CrmDeal(LOST, LATE), ["opportunity"]),
    (WON, CrmDeal(OPEN, LATE), ["opportunity"]),
    (OPEN, CrmDeal(WON, timedelta(seconds=1)), []),
    (OPEN, None, ["no-opportunity"]),
    (LOST, None, []),
]


@pytest.mark.parametrize(("mine", "other", "found"), DEALS)
def test_an_opportunity_stands_the_same_on_both_sides(mine: OpportunityState, other: CrmDeal | None, found: list[str]) -> None:
    assert kinds(compared_deal(DealHere("d1", 7, mine), other)) == found


@pytest.mark.parametrize(("erased", "kind", "todo"), [(True, "erased", "Delete the record"), (False, "unknown-number", "Clear the field")])
def test_a_record_with_a_strange_number_says_why_it_is_strange(erased: bool, kind: str, todo: str) -> None:
    found = stray(CrmNumber(99, "contact 3"), erased=erased)

    assert (found.kind, found.where) == (kind, "lead 99, contact 3")
    assert todo in found.todo
