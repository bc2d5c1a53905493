"""What the values of a CRM mean: by a map, by the agreement, or by the usual words of the vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.words import OpportunityState
from app.csv_import.errors import UnreadableFile
from app.csv_import.map_file import read_map_as
from app.shadow.crm_map import CrmMap
from app.shadow.reading import read_past
from app.shadow.rows import LEADS, activity_rows, lead_row
from app.shadow.words import Words, words_of
from storage.crm.past import Asked, PastChange, PastDeal, PastLead
from tests.app.backtest.ground import EXAMPLE

BEGIN = datetime(2026, 2, 2, 9, tzinfo=UTC)
CLAUSE = """
crm:
  accepted: {stage_of_sales: Taken}
  opportunity: {stage_of_sales: Deal}
  rejected: {stage_of_sales: Closed}
"""


def agreed() -> Agreement:
    """The example with these words, and with a value for two of its reasons."""
    text = EXAMPLE[: EXAMPLE.index("\ncrm:")] + CLAUSE
    text = text.replace("{code: not-now,", "{code: not-now, crm: {why: Later},").replace(
        "{code: not-icp,", "{code: not-icp, crm: {why: Wrong},"
    )
    return read_agreement(text)


def a_map(folder: Path, text: str) -> CrmMap:
    """The map that this text is."""
    path = folder / "crm.yaml"
    path.write_text(text)
    return read_map_as(CrmMap, path)


def after(hours: int, **values: str) -> PastChange:
    return PastChange(BEGIN + timedelta(hours=hours), values)


def row(lead: PastLead, words: Words) -> dict[str, str]:
    return {name: cell for name, cell in zip(LEADS, lead_row(lead, words), strict=True) if cell}


def statuses(lead: PastLead, words: Words) -> list[str]:
    return [cells[4] for cells in activity_rows(lead, words, dated=True)]


def test_without_a_map_and_an_agreement_the_vendors_usual_words_count() -> None:
    words = words_of("HubSpot", None, None)

    assert words.by == "the usual words of HubSpot"
    assert words.fields == ("status",)
    assert words.statuses["accepted"] == ("IN_PROGRESS", "ATTEMPTED_TO_CONTACT", "CONNECTED")
    assert not words.tells_reasons


def test_the_words_of_a_chosen_agreement_count_before_the_usual_ones() -> None:
    words = words_of("HubSpot", agreed(), None)

    assert words.by == "`crm` and `reasons` of b2b-saas@1, and else by the usual words of HubSpot"
    assert words.statuses["rejected"] == ("rejected", "UNQUALIFIED")
    assert set(words.fields) == {"status", "stage_of_sales", "why"}
    assert words.tells_reasons


def test_a_rejection_is_what_the_agreement_makes_of_its_reason() -> None:
    words = words_of("HubSpot", agreed(), None)
    changes = (after(1, stage_of_sales="Taken"), after(2, stage_of_sales="Closed", why="Later"))
    nurtured = PastLead("1", BEGIN, values={"stage_of_sales": "Closed", "why": "Later"}, changes=changes)
    refused = PastLead("2", BEGIN, values={"stage_of_sales": "Closed", "why": "Wrong"})

    assert statuses(nurtured, words) == ["accepted", "recycled"]
    assert row(nurtured, words)["reason"] == "not-now"
    assert (row(refused, words)["status"], row(refused, words)["reason"]) == ("rejected", "not-icp")


def test_a_value_that_the_agreement_leaves_out_keeps_the_vendors_meaning() -> None:
    words = words_of("HubSpot", agreed(), None)
    values = {"status": "UNQUALIFIED"}

    assert row(PastLead("1", BEGIN, values=values, changes=(after(1, **values),)), words)["status"] == "UNQUALIFIED"


def test_the_words_of_a_map_count_before_those_of_an_agreement(tmp_path: Path) -> None:
    given = a_map(tmp_path, "audit: {status: Phase, reason: Why_Not__c, statuses: {accepted: [Mine], rejected: Not mine}}")
    words = words_of("Salesforce", agreed(), given)
    lead = PastLead("1", BEGIN, values={"Phase": "Not mine", "Why_Not__c": "Too small"}, changes=(after(1, Phase="Mine"),))

    assert words.by == "the map"
    assert words.fields == ("Phase", "Why_Not__c")
    assert statuses(lead, words) == ["Mine"]
    assert row(lead, words)["reason"] == "Too small"


@pytest.mark.parametrize("key", ["owner", "amount", "currency"])
def test_a_map_names_nothing_that_the_crm_says_by_itself(tmp_path: Path, key: str) -> None:
    with pytest.raises(UnreadableFile, match=f"crm.yaml:1: audit.{key}: .*leave it out"):
        a_map(tmp_path, f"audit: {{{key}: Some_Field}}")


def test_a_deal_from_before_the_lead_answers_nothing_and_still_ends_it() -> None:
    words = words_of("HubSpot", None, None)
    deal = PastDeal(BEGIN - timedelta(days=9), OpportunityState.WON, closed_on="2026-02-20", amount="100")
    lead = PastLead("1", BEGIN, deals=(deal,))

    assert statuses(lead, words) == []
    assert row(lead, words) == {"id": "1", "created": "2026-02-02T09:00:00Z", "won": "yes", "won_at": "2026-02-20", "amount": "100"}


def test_of_several_deals_the_first_win_counts_and_a_loss_only_when_all_are_lost() -> None:
    words = words_of("HubSpot", None, None)
    opened = BEGIN + timedelta(days=1)
    lost = PastDeal(opened, OpportunityState.LOST, closed_on="2026-02-10", reason="Price")
    early = PastDeal(opened, OpportunityState.WON, closed_on="2026-02-12", amount="100.50")
    late = PastDeal(opened, OpportunityState.WON, closed_on="2026-02-15", amount="200")
    still_open = PastDeal(opened, OpportunityState.OPEN)

    won = row(PastLead("1", BEGIN, deals=(lost, late, early)), words)
    going_on = row(PastLead("2", BEGIN, deals=(lost, still_open)), words)
    given_up = row(PastLead("3", BEGIN, deals=(lost,)), words)

    assert (won["won_at"], won["amount"], won.get("lost")) == ("2026-02-12", "300.50", None)
    assert (going_on["status"], going_on.get("lost")) == ("opportunity", None)
    assert (given_up["lost_at"], given_up["reason"]) == ("2026-02-10", "Price")


def test_a_status_from_before_the_record_became_a_lead_is_no_answer() -> None:
    words = words_of("HubSpot", None, None)
    changes = (after(-5, status="UNQUALIFIED"), after(5, status="IN_PROGRESS"))
    lead = PastLead("1", BEGIN, owned_since=BEGIN - timedelta(days=3), values={"status": "IN_PROGRESS"}, changes=changes)

    assert statuses(lead, words) == ["IN_PROGRESS"]
    assert row(lead, words)["assigned_at"] == row(lead, words)["created"]


async def test_amounts_in_several_currencies_are_not_added_up(tmp_path: Path) -> None:
    won = [PastDeal(BEGIN, OpportunityState.WON, "2026-02-20", "100", currency) for currency in ("EUR", "USD")]
    past = Kept([PastLead(str(number), BEGIN, deals=(deal,)) for number, deal in enumerate(won)])

    found = await read_past(
        past, Asked(BEGIN, BEGIN), words_of("Kept", None, None), folder=tmp_path, timezone="UTC", progress=lambda leads: None
    )

    assert "Won deals are in several currencies (EUR, USD): their amounts are not added up." in found.untold
    assert found.files.mapping
    assert found.files.mapping.audit
    assert found.files.mapping.audit.amount == ""


class Kept:
    """The past of a CRM that is a list."""

    name = "Kept"

    def __init__(self, leads: Sequence[PastLead]) -> None:
        self.leads = leads

    async def without_history(self, asked: Asked) -> Sequence[str]:
        return ()

    async def pages(self, asked: Asked) -> AsyncIterator[Sequence[PastLead]]:
        yield self.leads
