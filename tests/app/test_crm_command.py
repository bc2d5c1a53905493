"""`baton crm`: what the CRM says, and accounts from a file."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from storage.crm.local import LocalCrm
from storage.crm.port import Account
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.deal import until_working
from tests.driver import Driver
from tests.stage import local_crm


@pytest.fixture
def run(baton: Command) -> Command:
    """Runs `baton crm`."""
    return partial(baton, "crm")


async def test_what_the_crm_says_of_a_lead_and_in_all(
    driver: Driver, box: Toolbox, time: SteppedTime, run: Command, baton: Command
) -> None:
    taken = await until_working(driver, box)
    crm = local_crm(box)
    crm.person_sets_opportunity(taken.lead_id, by="ana", at=time.at, stage="Proposal", amount="45000", currency="EUR")
    crm.person_sets_opportunity(4711, by="ana", at=time.at, amount="a lot")
    await driver.settle()

    time.at += timedelta(days=31)
    await driver.settle()

    lead, everything, shown = run("show", str(taken.lead_id)), run("show"), baton("leads", "show", str(taken.lead_id))

    assert "status: Opportunity (set by Baton" in lead.output
    for page in (lead.output, shown.output):
        assert "Opportunity 1: open, Proposal, stalled since 03 Mar 2027, 45,000.00 EUR, began" in " ".join(page.split())
    assert "Opportunities open: 2, 45,000.00 EUR" in everything.output
    assert "1 of the open ones is stalled" in everything.output
    assert "the CRM has said nothing new of it" in shown.output
    assert "0 changes wait to be taken" in everything.output
    assert run("show", "4711").exit_code == 1


async def test_accounts_come_from_a_file_or_none_of_them(box: Toolbox, run: Command, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,name,domain,status,owner\nA1,Harbour,harbour.example,customer,ana\n")
    bad.write_text("id,name,owner\nA2,Quay,ana\nA3,Pier,zoe\n")

    refused, done = run("accounts", "import", str(bad)), run("accounts", "import", str(good))

    assert (refused.exit_code, done.exit_code) == (2, 0)
    assert "line 3: owner 'zoe' is not in the roster" in refused.output
    crm = LocalCrm(box.settings.folder / "crm.db")
    assert await crm.account(company="Quay", domain="") is None
    assert await crm.account(company="", domain="harbour.example") == Account("A1", "Harbour", "harbour.example", "customer", "ana")
