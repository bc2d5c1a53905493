"""The leads and accounts that are shipped: they parse, and every class of the demo is there."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from agreements.lead import FREE_PROVIDERS, Done, IncomingLead, LeadFacts, domain_of, mail_key
from agreements.loading import read_agreement
from agreements.qualification import qualify
from agreements.roster import read_roster
from agreements.screening import screen
from app.csv_import.file import read_leads
from tests.present import the

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
AGREEMENT = read_agreement((ROOT / "agreements" / "examples" / "b2b-saas.yaml").read_text(encoding="utf-8"))
WEEK = datetime(2027, 2, 1, 8, 30, tzinfo=UTC)


@cache
def shipped() -> tuple[IncomingLead, ...]:
    found = read_leads(EXAMPLES / "leads.csv", mapping=None, timezone=AGREEMENT.timezone, today=WEEK)
    assert (found.bad, found.ignored_columns) == ([], ())
    return tuple(row.lead for row in found.rows)


@cache
def accounts() -> tuple[dict[str, str], ...]:
    with (EXAMPLES / "accounts.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def at_of(lead: IncomingLead) -> datetime:
    """When the lead made this inquiry. Each of the examples says when."""
    return the(lead.at)


def by_id() -> dict[str, list[IncomingLead]]:
    found: dict[str, list[IncomingLead]] = {}
    for lead in sorted(shipped(), key=at_of):
        found.setdefault(lead.source_id, []).append(lead)
    return found


def facts(done: list[IncomingLead], until: datetime) -> LeadFacts:
    first = done[0]
    account = next((one for one in accounts() if one["domain"] == domain_of(first.email) or one["name"] == first.company), {})
    values = {**first.fields, **first.model_dump(exclude={"fields"}), "suppressed": first.do_not_contact}
    values |= {f"account.{name}": value for name, value in account.items()}
    values["account.open_opportunity"] = account.get("open_opportunity") == "true"
    known = {name: value for name, value in values.items() if value not in (None, "")}
    return LeadFacts(
        known, tuple(Done(one.activity, at_of(one), one.path) for one in done if at_of(one) <= until), None, first.entry_channel
    )


def class_of(done: list[IncomingLead]) -> str:
    at_first = facts(done, at_of(done[0]))
    sorted_out = screen(AGREEMENT, at_first.values)
    if sorted_out.rule:
        return sorted_out.rule.as_
    verdict = qualify(AGREEMENT, at_first, now=at_of(done[0]))
    if verdict.is_mql:
        return "hot" if verdict.fast_lane else "normal"
    later = {at_of(one) for one in done[1:]}
    return "comes back" if any(qualify(AGREEMENT, facts(done, at), now=at).is_mql for at in later) else "stays"


def test_at_least_forty_leads_are_there_and_every_class_of_them() -> None:
    people = {mail_key(done[0].email) or source_id: done for source_id, done in reversed(by_id().items())}
    classes = Counter(map(class_of, people.values()))

    assert len(by_id()) >= 46
    assert len(people) < len(by_id()), "duplicates are among them"
    assert 9 <= classes.pop("hot") <= 13
    assert 18 <= classes.pop("normal") <= 22
    assert classes.pop("comes back") == 4
    assert classes.pop("stays") == 7
    screened = ["spam", "unreachable", "wrong-territory", "open-opportunity", "customer", "owned-account", "do-not-contact"]
    assert classes == dict.fromkeys(screened, 1)


def test_the_first_lead_is_the_story() -> None:
    friday, wednesday = by_id()[shipped()[0].source_id]

    assert (at_of(friday).isoformat(), friday.activity, friday.company) == (
        "2027-01-15T18:40:00+00:00",
        "demo_requested",
        "Northwind Rail",
    )
    assert (at_of(wednesday).isoformat(), wednesday.activity) == ("2027-01-27T10:20:00+00:00", "quote_requested")
    assert wednesday.conversion_id not in ("", friday.conversion_id)


def test_the_others_come_in_a_working_week_at_few_instants() -> None:
    story = shipped()[0].source_id
    firsts = [at_of(done[0]) for source_id, done in by_id().items() if source_id != story]

    assert min(firsts) == WEEK
    assert max(firsts) == datetime(2027, 2, 6, 11, tzinfo=UTC)
    assert len({lead.at for lead in shipped()}) < 16
    assert any(at.hour < 6 for at in firsts)


def test_what_the_demo_shows_is_among_them() -> None:
    assert any(lead.requested_time for lead in shipped())
    assert any(lead.entry_channel == "trade_show" for lead in shipped())
    assert any(domain_of(lead.email) in FREE_PROVIDERS for lead in shipped())
    assert any(not lead.last_name.isascii() for lead in shipped())
    assert any(len(lead.message) > 1000 for lead in shipped())
    assert any("<script>" in lead.message for lead in shipped())
    assert any(lead.company.startswith("=") for lead in shipped())
    mqls = [done for done in by_id().values() if class_of(done) in ("hot", "normal")]
    assert 2 <= sum(not done[0].campaign for done in mqls) <= 4, "incomplete notes"


def test_nobody_real_can_be_reached() -> None:
    for lead in shipped():
        name, _, domain = lead.email.partition("@")
        # No mailbox at Gmail has an underscore in its name.
        assert not lead.email or domain.endswith(".example") or domain == "mailinator.com" or (domain == "gmail.com" and "_" in name)
        assert lead.phone.startswith(FICTION) or not lead.phone


FICTION = (
    "+44 20 7946 0", "+44 161 496 0", "+44 117 496 0", "+44 131 496 0", "+44 113 496 0", "+33 1 99 00 ", "+49 30 23125 ",
    *(f"+1 {area} 555 01" for area in (206, 212, 312, 416, 646)),
)  # fmt: skip


@pytest.mark.parametrize("account", accounts(), ids=lambda account: account["id"])
def test_accounts_are_owned_by_people_of_the_roster(account: dict[str, str]) -> None:
    people = read_roster((EXAMPLES / "roster.yaml").read_text(encoding="utf-8")).people

    assert list(account) == ["id", "name", "domain", "status", "owner", "open_opportunity"]
    assert account["owner"] in {"", *people}
    assert account["status"] in ("customer", "prospect", "former")
    assert account["open_opportunity"] in ("true", "false")
