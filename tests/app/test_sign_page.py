"""The page behind a signer's link over real HTTP: reading signs nothing, a typed name does, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select

from agreements.loading import content_hash
from notifications.letter import SignatureContext
from notifications.links import ToSign
from storage import contracts, devices
from storage.tables import AgreementVersion, Delivery, Event, Signature
from tasks.replies.number_check import HOUR
from tasks.signing.announcements import draft_of
from tests.app.stage import Stage, log_lines, path_of, press, stage, words_of
from tests.in_flight import published, text_of
from tests.patience import PATIENCE_SECONDS

ASIDE = ("signers: {", "default: false\napplies_to: {source: [webinar]}\nsigners: {")
SALES = "cro@northgate.example"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """A company in which the first version is in force and the second one waits for the signature of sales."""
    with stage(tmp_path) as running:
        running.box.write_now(_publish)
        yield running


def _publish(session: Session, now: datetime) -> None:
    published(session, text_of(1, "2026-01-01", ASIDE), now)
    row = contracts.publish(session, text_of(2, "2027-03-01", ASIDE, ("total: 60", "total: 70")), now=now)
    contracts.sign(session, row, contracts.NewSignature("marketing", "Mina <b>Okoro</b>", "cli", on_behalf=True), now=now)


def row_of(company: Stage) -> AgreementVersion:
    return company.box.read_now(lambda session, now: contracts.get(session, "b2b-saas", 2))


def link(company: Stage, party: str = "sales", address: str = SALES, **changes: str) -> str:
    given: dict[str, Any] = {"party": party, "address": address, "reference": "b2b-saas@2", "hash": row_of(company).hash, **changes}
    asked = ToSign(**given)
    return path_of(company.box.links.for_signature(asked))


def signatures(company: Stage) -> list[tuple[str, str, str]]:
    hash = row_of(company).hash
    return [(one.party, one.name, one.address) for one in company.rows(Signature) if one.hash == hash]


@pytest.fixture
def signer(company: Stage) -> httpx.Client:
    return company.browser(headers={"user-agent": "Mozilla/5.0 Firefox/140"})


def code(company: Stage, path: str) -> str:
    """The code that stands in the message with this link."""
    links = company.box.links
    return links.signing_code(links.read_to_sign(path.rpartition("/")[2]))


def sign(company: Stage, signer: httpx.Client, path: str, **typed: str) -> httpx.Response:
    return press(signer, path, **{"choice": "sign", "name": "Cleo Roth", "code": code(company, path), **typed})


def test_it_shows_the_contract_what_changes_and_who_has_signed(company: Stage, signer: httpx.Client) -> None:
    page = signer.get(link(company))
    said = words_of(page)

    assert page.status_code == 200
    assert "Please sign b2b-saas@2 You are asked to sign this version for sales ." in said
    assert "The version applies to new leads from 1 March 2027 , once both parties have signed" in said
    assert "What changes from b2b-saas@1" in said
    assert "Points needed to qualify: 60 -&gt; 70" in said
    assert "Who owes whom what by when" in said
    assert "A person at a company who has shown interest, and whom we may contact." in said
    assert "Marketing Mina &lt;b&gt;Okoro&lt;/b&gt; , Tue 1 Dec 09:00 (entered on their behalf) Sales not yet" in said
    assert "Times are in Europe/London." in said


def test_looking_signs_nothing_however_often_and_by_whomever(company: Stage) -> None:
    before, path = company.snapshot(), link(company)

    for method in ("HEAD", "GET", "GET"):
        assert httpx.request(method, company.url + path, trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200
    company.browser().get(path)

    assert company.snapshot() == before


def test_nothing_is_chosen_beforehand_and_nothing_runs(company: Stage, signer: httpx.Client) -> None:
    page = signer.get(link(company)).text

    assert '<input type="checkbox" name="choice" value="sign" required>' in page
    assert 'name="name" type="text" autocomplete="name" required maxlength="120" value=""' in page
    assert not re.search(r"<script| on\w+=", page)


def test_a_typed_name_signs_by_link_and_the_trail_says_by_which_address(company: Stage, signer: httpx.Client) -> None:
    page = sign(company, signer, link(company), name="  Cleo \t Roth ")

    assert page.status_code == 200
    assert "Thank you Cleo Roth has signed b2b-saas@2 for sales. Both parties have signed." in words_of(page)
    assert signatures(company) == [("marketing", "Mina <b>Okoro</b>", ""), ("sales", "Cleo Roth", SALES)]
    told = company.box.read_now(lambda session, now: list(session.exec(select(Event).where(Event.kind == "signed"))))[-1]
    assert (told.actor, told.data["via"], told.data["address"], told.data["on_behalf"]) == ("Cleo Roth", "link", SALES, False)
    contracts_row = row_of(company)
    assert company.box.read_now(lambda session, now: contracts.unsigned_parties(session, contracts_row)) == []


def test_a_second_visit_says_who_signed_and_offers_no_form(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    sign(company, signer, path)
    company.later(hours=1)

    page = company.browser().get(path)

    assert "Cleo Roth signed b2b-saas@2 for sales on Tue 1 Dec 09:00. You do not need to do anything else." in words_of(page)
    assert 'id="signature"' not in page.text


def test_of_two_signers_of_a_party_the_second_is_told_who_was_first(company: Stage, signer: httpx.Client) -> None:
    other, path = company.browser(), link(company, address="vp@northgate.example")
    form = other.get(path)
    sign(company, signer, link(company))

    late = other.post(path, data={"nonce": nonce_of(form), "choice": "sign", "name": "Late Comer", "code": code(company, path)})

    assert late.status_code == 409
    assert "Not signed. b2b-saas@2 is signed for sales already, by Cleo Roth on 2026-12-01 at 09:00 UTC." in words_of(late)
    assert [name for _, name, _ in signatures(company)] == ["Mina <b>Okoro</b>", "Cleo Roth"]


def nonce_of(page: httpx.Response) -> str:
    return page.text.partition('name="nonce" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"choice": ""}, "Please tick the box to sign this version, or close this page."),
        ({"name": " "}, "Please type your name: a signature needs one."),
        ({"code": ""}, "Please type the code from the message."),
        ({"code": "12345"}, "That is not the code from the message."),
        ({"name": "x" * 121}, "Please write your name in at most 120 characters."),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(company: Stage, signer: httpx.Client, typed: dict[str, str], said: str) -> None:
    page = sign(company, signer, link(company), **typed)

    assert page.status_code == 422
    assert f"Not signed yet. {said}" in words_of(page)
    assert typed.get("name", "Cleo Roth").strip() in page.text
    assert len(signatures(company)) == 1


def test_a_form_from_elsewhere_signs_nothing(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    nonce = nonce_of(company.browser().get(path))
    fields = {"choice": "sign", "name": "Cleo Roth", "code": code(company, path)}
    signer.get(path)

    pages = [
        company.browser().post(path, data={**fields, "nonce": nonce}),
        signer.post(path, data={**fields, "nonce": nonce}),
        signer.post(path, data=fields),
        signer.post(path, data={**fields, "nonce": nonce_of(signer.get(path))}, headers={"sec-fetch-site": "cross-site"}),
    ]

    assert [page.status_code for page in pages] == [403] * 4
    assert all("You did not open this form in this browser, or you opened it too long ago." in words_of(page) for page in pages)
    assert all('value="sign" required>' in page.text for page in pages), "nothing is chosen beforehand"
    assert len(signatures(company)) == 1


def test_a_form_that_was_opened_yesterday_signs_nothing(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    nonce = nonce_of(signer.get(path))
    company.later(hours=25)

    assert signer.post(path, data={"nonce": nonce, "choice": "sign", "name": "Cleo Roth", "code": code(company, path)}).status_code == 403


def test_a_version_that_was_replaced_says_so(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    form = signer.get(path)
    company.box.write_now(lambda session, now: published(session, text_of(3, "2027-04-01", ASIDE), now))

    page = signer.post(path, data={"nonce": nonce_of(form), "choice": "sign", "name": "Cleo Roth", "code": code(company, path)})

    assert page.status_code == 409
    assert "b2b-saas@2 was replaced by b2b-saas@3 and can no longer be signed." in words_of(page)
    assert "<form" not in signer.get(path).text
    assert len(signatures(company)) == 1


def change(company: Stage, text: str, hash: str = "") -> None:
    def work(session: Session, now: datetime) -> None:
        row = contracts.get(session, "b2b-saas", 2)
        row.text, row.hash = text, hash or row.hash
        session.add(row)

    company.box.write_now(work)


def test_a_text_that_was_changed_after_it_was_sent_says_so(company: Stage, signer: httpx.Client) -> None:
    path, other = link(company), text_of(2, "2027-03-01", ASIDE, ("total: 60", "total: 10"))
    form = signer.get(path)
    change(company, other)

    page = signer.post(path, data={"nonce": nonce_of(form), "choice": "sign", "name": "Cleo Roth", "code": code(company, path)})

    assert page.status_code == 409
    assert "The text of b2b-saas@2 is not the published text, so nobody can sign it." in words_of(page)
    assert "Who owes whom what by when" not in words_of(page)
    change(company, other, content_hash(other))
    assert "This link belongs to another text of b2b-saas@2" in words_of(signer.get(path))
    assert len(company.rows(Signature)) == 5


def test_a_version_that_does_not_pass_its_check_any_more_says_so(company: Stage, signer: httpx.Client) -> None:
    faulty = text_of(2, "2027-03-01", ASIDE).replace("timezone: Europe/London", "timezone: Nowhere", 1)
    change(company, faulty, content_hash(faulty))

    page = signer.get(link(company))

    assert page.status_code == 200
    assert "b2b-saas@2 no longer passes its check, so nobody can sign it." in words_of(page)
    assert "<form" not in page.text


@pytest.mark.parametrize("changes", [{"reference": "b2b-saas@9"}, {"reference": "b2b-saas"}, {"reference": "b2b-saas@x"}])
def test_a_link_for_what_is_not_there_is_a_plain_page(company: Stage, signer: httpx.Client, changes: dict[str, Any]) -> None:
    assert "This link does not work" in words_of(signer.get(link(company, **changes)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_tampered_link_is_a_plain_page(company: Stage, signer: httpx.Client, method: str) -> None:
    path = link(company)
    tenure = company.link.rpartition("/")[2]

    for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/sign/forged", f"/sign/{tenure}", path.replace("/sign/", "/l/")):
        page = signer.request(method, wrong, data={"choice": "sign", "name": "x"} if method == "POST" else None)
        assert page.status_code == 404
        assert method == "HEAD" or "This link does not work" in words_of(page)


def test_the_log_does_not_hold_the_link(company: Stage, signer: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="baton.web.access")
    token = link(company).rpartition("/")[2]
    signer.get(f"/sign/{token}")

    [line] = log_lines(caplog, 1)
    assert line["path"] == f"/sign/{token[:8]}"


def what_of(company: Stage, row: Delivery) -> str:
    context = company.box.read_now(lambda session, now: draft_of(session, row, company.box.links)).context
    assert isinstance(context, SignatureContext)
    return context.what


def told(company: Stage) -> list[tuple[str, str]]:
    """To whom which signature was told, in words."""
    rows = [row for row in company.rows(Delivery) if row.message == "signature-told"]
    return [(row.person, what_of(company, row)) for row in rows]


def withdraw(signer: httpx.Client, path: str, code: str) -> httpx.Response:
    return signer.post(f"{path}/withdraw", data={"nonce": nonce_of(signer.get(path)), "code": code})


def test_a_robot_that_fills_in_every_field_signs_nothing(company: Stage, signer: httpx.Client) -> None:
    path = link(company)

    pages = [sign(company, signer, path, name="Eve", code=guess) for guess in ("", "0", "000000", "1234567", "Eve", "٣٣٣٣٣٣")]

    assert [page.status_code for page in pages] == [422] * 6
    assert len(signatures(company)) == 1


def test_after_five_wrong_codes_a_browser_has_to_wait_and_another_one_signs(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    for _ in range(5):
        sign(company, signer, path, code="000000")

    assert "You typed too many wrong codes. Please try again in 60 minutes." in words_of(sign(company, signer, path))
    assert len(signatures(company)) == 1
    assert sign(company, company.browser(), path).status_code == 200
    assert len(signatures(company)) == 2


def test_of_all_guesses_at_one_signature_a_hundred_an_hour_are_looked_at(company: Stage) -> None:
    path, right = link(company), code(company, link(company))
    with company.box.database.write() as session:
        for number in range(100):
            devices.mistype(session, f"{number}", f"signer {SALES}", now=company.time.at, kept=HOUR)

    refused = sign(company, company.browser(), path, code=right)

    assert refused.status_code == 422
    assert "Somebody typed too many wrong codes behind your link." in words_of(refused)
    company.later(hours=1)
    assert sign(company, company.browser(), path, code=right).status_code == 200


def test_the_code_of_one_signer_is_of_no_use_to_another(company: Stage, signer: httpx.Client) -> None:
    mine, other = link(company, address="vp@northgate.example"), link(company)

    assert sign(company, signer, other, code=code(company, mine)).status_code == 422
    assert len(signatures(company)) == 1


def test_the_other_signers_are_told(company: Stage, signer: httpx.Client) -> None:
    sign(company, signer, link(company))

    assert told(company) == [("cmo@northgate.example", "Cleo Roth signed b2b-saas@2 for sales.")]


def test_a_signature_is_withdrawn_with_the_code_and_everybody_else_is_told(company: Stage, signer: httpx.Client) -> None:
    path = link(company)
    sign(company, signer, path)

    without = withdraw(signer, path, "000000")
    assert without.status_code == 422
    assert len(signatures(company)) == 2
    done = withdraw(signer, path, code(company, path))

    assert done.status_code == 200
    assert "Please sign b2b-saas@2" in words_of(done)
    assert len(signatures(company)) == 1
    assert told(company)[1:] == [("cmo@northgate.example", "Cleo Roth withdrew the signature of Cleo Roth for sales under b2b-saas@2.")]
    assert [event.kind for event in company.rows(Event)][-2:] == ["signed", "signature-withdrawn"]
    company.later(minutes=1)
    assert sign(company, signer, path).status_code == 200, "it may be signed anew"
    assert len(told(company)) == 3


def test_nobody_withdraws_the_signature_of_another_link_or_after_the_deploy(company: Stage, signer: httpx.Client) -> None:
    path, other = link(company), link(company, address="vp@northgate.example")
    sign(company, signer, path)

    assert "/withdraw" not in signer.get(other).text
    assert send_from(signer, other, code(company, other), page=path) == 403
    form = signer.get(path)
    company.box.write_now(lambda session, now: put_in_force(session, now))
    late = signer.post(f"{path}/withdraw", data={"nonce": nonce_of(form), "code": code(company, path)})

    assert late.status_code == 409
    assert "There is no signature under b2b-saas@2 that you can withdraw." in words_of(late)
    assert "/withdraw" not in signer.get(path).text
    assert len(signatures(company)) == 2


def send_from(signer: httpx.Client, path: str, code: str, *, page: str) -> int:
    return signer.post(f"{path}/withdraw", data={"nonce": nonce_of(signer.get(page)), "code": code}).status_code


def put_in_force(session: Session, now: datetime) -> None:
    contracts.mark_deployed(session, contracts.get(session, "b2b-saas", 2), deployment_id="x", now=now)
