"""The facts of a lead: what the rules may ask about, and whom nobody may contact."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import Session

from agreements.lead import LeadFacts
from storage import leads, suppressions
from storage.tables import Lead, Suppression
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.present import the
from tests.stage import capture


def test_the_facts_hold_what_is_known_and_nothing_that_is_not(box: Toolbox, time: SteppedTime) -> None:
    capture(box, source_id="17", phone="", country="gb", fields={"employees": 300, "industry": ""}, activity="page_viewed", path="/pricing")

    def ask(session: Session, now: datetime) -> LeadFacts:
        return leads.facts(session, the(session.get(Lead, 1)), account={"status": "customer"}, since=now)

    facts = box.read_now(ask)
    assert facts.values["employees"] == 300
    assert facts.values["account.status"] == "customer"
    assert facts.values["country"] == "GB"
    assert facts.values["suppressed"] is False
    assert not {"phone", "industry"} & set(facts.values)
    assert [(one.kind, one.path) for one in facts.activities] == [("page_viewed", "/pricing")]
    assert facts.since == time.at


@pytest.mark.parametrize("listed", ["lee@harbour.example", "harbour.example", "+44 20 7946 0001"])
def test_whoever_is_on_the_list_by_address_domain_or_number_is_suppressed(box: Toolbox, listed: str) -> None:
    box.write_now(lambda session, now: session.add(Suppression(value=listed, since=now)))
    capture(box, email="Lee+x@harbour.example", phone="+44 20 7946 0001")

    facts = box.read_now(lambda session, now: leads.facts(session, the(session.get(Lead, 1))))
    assert facts.values["suppressed"] is True


def test_suppressing_twice_is_once(box: Toolbox) -> None:
    for _ in range(2):
        box.write_now(
            lambda session, now: [suppressions.suppress(session, one, reason="asked", now=now) for one in ("Lee+x@Harbour.example", "1")]
        )

    assert box.read_now(lambda session, now: suppressions.is_suppressed(session, "lee@harbour.example"))
    assert box.read_now(lambda session, now: suppressions.is_suppressed(session, "", "1"))
    assert not box.read_now(lambda session, now: suppressions.is_suppressed(session, "", ""))
