"""Published versions: kept as they were signed, in force by their dates, and none without both signatures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select

from agreements.errors import AgreementError, InvalidAgreement, NoAgreementInForce
from agreements.loading import content_hash
from storage import contracts
from storage.database import Database
from storage.tables import AgreementVersion, Signature
from tests.conftest import AGREEMENT, MONDAY

BOTH = ("marketing", "sales")


def text(*, version: int = 1, effective: str = "{from: 2026-01-01}", name: str = "b2b-saas") -> str:
    changed = AGREEMENT.replace("version: 1\n", f"version: {version}\n", 1).replace("agreement: b2b-saas", f"agreement: {name}", 1)
    return changed.replace("effective: {from: 2026-01-01}", f"effective: {effective}", 1)


def publish(session: Session, *, signed: tuple[str, ...] = BOTH, deployed: bool = True, **changes) -> AgreementVersion:
    row = contracts.publish(session, text(**changes), now=MONDAY)
    for party in signed:
        contracts.sign(session, row, party=party, name=party.title(), via="test", now=MONDAY)
    if deployed:
        contracts.mark_deployed(session, row, deployment_id=f"d{row.version}", now=MONDAY)
    return row


def in_force(session: Session, when: str) -> int:
    return contracts.in_force(session, datetime.fromisoformat(when)).version


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


def test_signing_again_changes_nothing(database: Database) -> None:
    with database.write() as session:
        row = publish(session, signed=("sales", "sales"), deployed=False)
        contracts.sign(session, row, party="sales", name="Somebody Else", via="test", now=MONDAY)

        assert [one.name for one in session.exec(select(Signature))] == ["Sales"]


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


def test_the_version_that_began_last_counts_whatever_its_number(database: Database) -> None:
    with database.write() as session:
        publish(session, version=2, effective="{from: 2026-06-01}")
        publish(session, version=3, effective="{from: 2026-03-01}")

        assert in_force(session, "2026-05-01T12:00:00+00:00") == 3
        assert in_force(session, "2027-01-01T12:00:00+00:00") == 2


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


def test_deploying_again_keeps_the_first_day(database: Database) -> None:
    later = datetime(2027, 5, 1, tzinfo=UTC)
    with database.write() as session:
        row = publish(session)
        contracts.mark_deployed(session, row, deployment_id="new", now=later)

        assert (row.deployment_id, row.deployed_at) == ("new", MONDAY)


def test_a_version_that_is_not_published_is_said_to_be_so(database: Database) -> None:
    with database.read() as session:
        for ask in (contracts.get, contracts.agreement_of):
            with pytest.raises(AgreementError, match="b2b-saas@7 is not published here"):
                ask(session, "b2b-saas", 7)
