"""Published versions: kept as they were signed, in force by their dates, and none without both signatures."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.errors import AgreementError, InvalidAgreement, NoAgreementInForce
from agreements.loading import content_hash
from storage import contracts
from storage.database import Database
from storage.tables import AgreementVersion, Event, Signature
from tests.conftest import AGREEMENT, MONDAY

BOTH = ("marketing", "sales")


def text(*, version: int = 1, effective: str = "{from: 2026-01-01}", name: str = "b2b-saas", applies_to: str = "") -> str:
    more = f"applies_to: {applies_to}\n" if applies_to else ""
    changed = AGREEMENT.replace("signers:", f"{more}signers:", 1)
    changed = changed.replace("version: 1\n", f"version: {version}\n", 1).replace("agreement: b2b-saas", f"agreement: {name}", 1)
    return changed.replace("effective: {from: 2026-01-01}", f"effective: {effective}", 1)


def publish(session: Session, *, signed: tuple[str, ...] = BOTH, deployed: bool = True, **changes: Any) -> AgreementVersion:
    row = contracts.publish(session, text(**changes), now=MONDAY)
    for party in signed:
        contracts.sign(session, row, contracts.NewSignature(party, party.title(), "test"), now=MONDAY)
    if deployed:
        contracts.mark_deployed(session, row, deployment_id=f"d{row.version}", now=MONDAY)
    return row


def in_force(session: Session, when: str, **values: object) -> int:
    return contracts.in_force(session, datetime.fromisoformat(when), values).version


def refuse(session: Session, said: str, **changes: Any) -> None:
    """Deploying a version with these changes is refused with this, and nothing has changed."""
    before = [(one.name, one.version, one.deployed_at, one.deployment_id) for one in contracts.deployed(session)]
    row = publish(session, deployed=False, **changes)
    with pytest.raises(AgreementError) as refused:
        contracts.mark_deployed(session, row, deployment_id="refused", now=MONDAY)

    assert said in str(refused.value)
    assert [(one.name, one.version, one.deployed_at, one.deployment_id) for one in contracts.deployed(session)] == before


def test_the_same_text_again_is_the_same_version(database: Database) -> None:
    with database.write() as session:
        first = contracts.publish(session, AGREEMENT, now=MONDAY)
        again = contracts.publish(session, AGREEMENT.replace("\n", "\r\n"), now=MONDAY.replace(hour=12))

        assert again is first
        assert first.hash == content_hash(AGREEMENT)
        assert first.text == AGREEMENT
        assert contracts.all_of(session) == [first]


def test_another_text_under_the_same_number_is_refused(database: Database) -> None:
    with database.write() as session:
        contracts.publish(session, AGREEMENT, now=MONDAY)
        with pytest.raises(AgreementError, match="b2b-saas@1 is published with another text. Give the changed text a new version number"):
            contracts.publish(session, AGREEMENT.replace("total: 60", "total: 61"), now=MONDAY)


def test_a_text_with_mistakes_is_not_published(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(InvalidAgreement):
            contracts.publish(session, AGREEMENT.replace("timezone: Europe/London", "timezone: Nowhere", 1), now=MONDAY)

        assert contracts.all_of(session) == []


@pytest.mark.parametrize(("signed", "missing"), [((), "marketing and sales"), (("marketing",), "sales"), (("sales",), "marketing")])
def test_a_version_that_not_both_have_signed_is_not_put_in_force(database: Database, signed: tuple[str, ...], missing: str) -> None:
    with database.write() as session:
        row = publish(session, signed=signed, deployed=False)
        with pytest.raises(AgreementError, match=f"b2b-saas@1 is not signed by {missing}: no signed agreement, no handoff"):
            contracts.mark_deployed(session, row, deployment_id="d", now=MONDAY)

        assert contracts.deployed(session) == []


def test_signing_twice_is_refused_with_who_has_signed(database: Database) -> None:
    with database.write() as session:
        row = publish(session, signed=("sales",), deployed=False)
        with pytest.raises(AgreementError, match="b2b-saas@1 is signed for sales already, by Sales on 2027-02-01 at 09:00 UTC"):
            contracts.sign(session, row, contracts.NewSignature("sales", "Somebody Else", "test"), now=MONDAY)

        assert [one.name for one in session.exec(select(Signature))] == ["Sales"]
        assert [one.actor for one in session.exec(select(Event).where(Event.kind == "signed"))] == ["Sales"]


@pytest.mark.parametrize(
    ("party", "name", "said"),
    [("sales", "  ", "A signature needs a name: who signs b2b-saas@1 for sales?"), ("legal", "Lea", "'legal' is no party")],
)
def test_a_signature_needs_a_party_and_a_name(database: Database, party: str, name: str, said: str) -> None:
    with database.write() as session:
        row = publish(session, signed=(), deployed=False)
        with pytest.raises(AgreementError, match=re.escape(said)):
            contracts.sign(session, row, contracts.NewSignature(party, name, "test"), now=MONDAY)

        assert contracts.signatures(session, row) == []


def test_the_trail_says_how_a_signature_was_given(database: Database) -> None:
    with database.write() as session:
        row = publish(session, signed=(), deployed=False)
        contracts.sign(session, row, contracts.NewSignature("sales", " Cleo \n Roth ", "link", address="cro@northgate.example"), now=MONDAY)
        contracts.sign(session, row, contracts.NewSignature("marketing", "Mina Okoro", "cli", on_behalf=True), now=MONDAY)

        told = list(session.exec(select(Event).where(Event.kind == "signed").order_by(col(Event.id))))

    assert [(one.actor, one.data["party"], one.data["via"]) for one in told] == [
        ("Cleo Roth", "sales", "link"),
        ("Mina Okoro", "marketing", "cli"),
    ]
    assert [(one.data["address"], one.data["on_behalf"], one.data["hash"]) for one in told] == [
        ("cro@northgate.example", False, row.hash),
        ("", True, row.hash),
    ]


def tamper(row: AgreementVersion) -> None:
    row.text = row.text.replace("total: 60", "total: 6")


def test_what_was_changed_after_it_was_published_is_neither_signed_nor_deployed(database: Database) -> None:
    with database.write() as session:
        row = publish(session, signed=("sales",), deployed=False)
        tamper(row)
        with pytest.raises(AgreementError, match="The stored text of b2b-saas@1 is not the one that was published: its hash is"):
            contracts.sign(session, row, contracts.NewSignature("marketing", "Mina", "test"), now=MONDAY)

        assert contracts.unsigned_parties(session, row) == ["marketing"]

    with database.write() as session:
        row = publish(session, version=2, deployed=False)
        tamper(row)
        with pytest.raises(AgreementError, match="The stored text of b2b-saas@2 is not the one that was published"):
            contracts.mark_deployed(session, row, deployment_id="d", now=MONDAY)


def test_what_does_not_pass_its_check_is_neither_signed_nor_deployed(database: Database) -> None:
    """It was published by an older Baton that checked less, say."""
    faulty = text().replace("timezone: Europe/London", "timezone: Nowhere", 1)
    row = AgreementVersion(name="b2b-saas", version=1, hash=content_hash(faulty), text=faulty, effective_at=MONDAY, published_at=MONDAY)
    with database.write() as session:
        session.add(row)
        with pytest.raises(InvalidAgreement, match="Nowhere"):
            contracts.sign(session, row, contracts.NewSignature("sales", "Cleo", "test"), now=MONDAY)
        session.add_all(Signature(hash=row.hash, party=party, name=party, via="test", signed_at=MONDAY) for party in BOTH)
        with pytest.raises(InvalidAgreement, match="Nowhere"):
            contracts.mark_deployed(session, row, deployment_id="d", now=MONDAY)


def test_what_passes_its_check_no_longer_still_runs_for_the_leads_under_it(database: Database) -> None:
    """A stricter check in a newer Baton must not strand them."""
    faulty = text().replace("fit_at_least: 30", "fit_at_least: 99", 1)
    row = AgreementVersion(name="b2b-saas", version=1, hash=content_hash(faulty), text=faulty, effective_at=MONDAY, published_at=MONDAY)
    with database.write() as session:
        session.add(row)

        assert contracts.agreement_of(session, "b2b-saas", 1).qualification.mql.fit_at_least == 99
        with pytest.raises(InvalidAgreement, match="99"):
            contracts.verified(row)


def test_a_version_that_was_replaced_is_not_signed_any_more(database: Database) -> None:
    with database.write() as session:
        old = publish(session, signed=("sales",), deployed=False)
        publish(session, version=2)
        with pytest.raises(AgreementError, match="b2b-saas@1 was replaced by b2b-saas@2 and can no longer be signed"):
            contracts.sign(session, old, contracts.NewSignature("marketing", "Mina", "test"), now=MONDAY)


def test_a_signature_counts_for_the_text_that_was_signed_only(database: Database) -> None:
    with database.write() as session:
        publish(session)

        assert contracts.unsigned_parties(session, publish(session, version=2, signed=(), deployed=False)) == ["marketing", "sales"]


def test_nothing_is_in_force_before_a_version_is_deployed(database: Database) -> None:
    with database.write() as session:
        publish(session, deployed=False)
        with pytest.raises(NoAgreementInForce, match="baton agreement deploy"):
            in_force(session, "2027-02-01T09:00:00+00:00")


def test_a_version_is_in_force_from_its_first_day_in_the_agreements_zone(database: Database) -> None:
    """The first of July begins in London an hour before it does in UTC."""
    with database.write() as session:
        publish(session)
        publish(session, version=2, effective="{from: 2027-07-01}")

        assert in_force(session, "2027-06-30T22:59:59+00:00") == 1
        assert in_force(session, "2027-06-30T23:00:00+00:00") == 2


def test_when_a_version_ends_the_one_before_it_is_in_force_again(database: Database) -> None:
    with database.write() as session:
        publish(session)
        publish(session, version=2, effective="{from: 2027-01-01, until: 2027-03-01}")

        assert in_force(session, "2027-02-28T23:59:59+00:00") == 2
        assert in_force(session, "2027-03-01T00:00:00+00:00") == 1


def test_a_version_closed_to_new_leads_gives_way_and_can_still_be_read(database: Database) -> None:
    with database.write() as session:
        publish(session)
        publish(session, version=2, effective="{from: 2027-01-01}").closed = True

        assert in_force(session, "2027-02-01T00:00:00+00:00") == 1
        assert contracts.agreement_of(session, "b2b-saas", 2).version == 2


def test_a_new_deployment_at_the_server_changes_nothing_else(database: Database) -> None:
    with database.write() as session:
        row = publish(session)
        contracts.renew_deployment(session, row, deployment_id="new")

        assert (row.deployment_id, row.deployed_at) == ("new", MONDAY)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 3}, "b2b-saas@3 begins on 2026-03-01, as b2b-saas@2 does. Write a later day"),
        ({"version": 3, "effective": "{from: 2026-02-28}"}, "begins on 2026-02-28, before b2b-saas@2, which has the lower number"),
        ({"version": 3, "effective": "{from: 2027-11-01}"}, "goes on after it ends on 2027-12-01. Write `from: 2027-12-01` or a later day"),
        (
            {"version": 3, "effective": "{from: 2027-01-01, until: 2027-01-31}"},
            "b2b-saas@3 ended on 2027-01-31: it would never be in force",
        ),
    ],
)
def test_a_version_that_does_not_fit_the_ones_before_it_is_not_put_in_force(database: Database, changes: dict[str, Any], said: str) -> None:
    with database.write() as session:
        publish(session, version=2, effective="{from: 2026-03-01, until: 2027-12-01}")

        refuse(session, said, **{"effective": "{from: 2026-03-01, until: 2027-12-01}", **changes})


@pytest.mark.parametrize(
    "effective", ["{from: 2027-03-01, until: 2027-12-01}", "{from: 2027-12-01}", "{from: 2028-01-01, until: 2028-02-01}"]
)
def test_a_version_within_or_after_the_time_of_another_is_put_in_force(database: Database, effective: str) -> None:
    with database.write() as session:
        publish(session, version=2, effective="{from: 2026-03-01, until: 2027-12-01}")

        assert publish(session, version=3, effective=effective).deployed_at == MONDAY


WEB, PARTNERS = "{source: [web, webinar]}", "{source: [partner]}"


def test_of_several_agreements_each_lead_has_the_one_that_is_for_it(database: Database) -> None:
    with database.write() as session:
        publish(session)
        publish(session, name="web", version=7, applies_to=WEB)
        publish(session, name="partners", version=3, applies_to=PARTNERS)

        assert [in_force(session, MONDAY.isoformat(), source=one) for one in ("webinar", "partner", "phone")] == [7, 3, 1]
        assert [one.name for one in contracts.counting(session, MONDAY)] == ["b2b-saas", "partners", "web"]


def test_a_lead_that_no_agreement_is_for_has_none(database: Database) -> None:
    with database.write() as session:
        publish(session, name="web", applies_to=WEB)
        with pytest.raises(NoAgreementInForce, match=re.escape("None of the agreements in force (web@1) is for this lead")):
            in_force(session, MONDAY.isoformat(), source="partner")


def test_each_agreement_has_its_own_versions_in_force(database: Database) -> None:
    with database.write() as session:
        publish(session)
        publish(session, name="web", applies_to=WEB)
        publish(session, name="web", version=2, effective="{from: 2027-01-01, until: 2027-03-01}", applies_to="{source: [web]}")

        found = [contracts.in_force(session, MONDAY + timedelta(days=days), {"source": "webinar"}) for days in (0, 27, 28)]

    assert [contracts.reference_of(one) for one in found] == ["b2b-saas@1", "b2b-saas@1", "web@1"]


def test_a_version_is_deployed_once(database: Database) -> None:
    with database.write() as session:
        row = publish(session)
        with pytest.raises(AgreementError, match="b2b-saas@1 was deployed on 2027-02-01 at 09:00 UTC already"):
            contracts.mark_deployed(session, row, deployment_id="again", now=MONDAY + timedelta(days=1))

        assert (row.deployment_id, row.deployed_at) == ("d1", MONDAY)


def test_an_older_version_is_not_put_in_force_any_more(database: Database) -> None:
    with database.write() as session:
        old = publish(session, deployed=False)
        publish(session, version=2, effective="{from: 2027-06-01}")
        with pytest.raises(AgreementError, match="b2b-saas@1 is older than b2b-saas@2, which is deployed.* publish its text as version 3"):
            contracts.mark_deployed(session, old, deployment_id="d", now=MONDAY)

        assert old.deployed_at is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "other"}, "From 2027-02-01 on two agreements would be for one lead. Both other@1 and b2b-saas@1 take the leads"),
        ({"name": "british", "applies_to": "{country: [GB]}"}, "both british@1 (country in GB) and web@1 (source in web, webinar)"),
        ({"name": "later", "applies_to": "{source: [webinar]}", "effective": "{from: 2027-06-01}"}, "From 2027-06-01 on two agreements"),
    ],
)
def test_an_agreement_for_a_lead_that_has_one_already_is_not_put_in_force(database: Database, changes: dict[str, Any], said: str) -> None:
    with database.write() as session:
        publish(session)
        publish(session, name="web", applies_to=WEB)

        refuse(session, said, **changes)


def test_agreements_for_the_same_leads_at_different_times_are_put_in_force(database: Database) -> None:
    with database.write() as session:
        publish(session, name="web", applies_to=WEB)
        publish(session, name="web", version=2, effective="{from: 2027-06-01, until: 2027-09-01}", applies_to=PARTNERS)

        publish(session, name="summer", effective="{from: 2027-06-01, until: 2027-09-01}", applies_to=WEB)
        refuse(session, "both autumn@1", name="autumn", effective="{from: 2027-09-01}", applies_to=WEB)


def test_a_version_keeps_the_holidays_as_they_were_known_when_it_was_published(database: Database) -> None:
    with database.write() as session:
        row = contracts.publish(session, AGREEMENT, now=MONDAY)
        assert row.holidays["london"]["2027-12-27"].startswith("Christmas Day")
        row.holidays = {"london": {**row.holidays["london"], "2027-02-03": "Founders' Day"}}
        session.add(row)

    with database.read() as session:
        calendar = contracts.agreement_of(session, "b2b-saas", 1).calendar("london")
        assert calendar.next_opening(datetime(2027, 2, 2, 18, tzinfo=UTC)) == datetime(2027, 2, 4, 9, tzinfo=UTC)


def test_a_version_that_is_not_published_is_said_to_be_so(database: Database) -> None:
    with database.read() as session:
        for ask in (contracts.get, contracts.agreement_of):
            with pytest.raises(AgreementError, match="b2b-saas@7 is not published here"):
                ask(session, "b2b-saas", 7)
