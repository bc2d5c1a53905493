"""The doors over real HTTP: what is signed rightly goes in once or is kept, everything else stores nothing but a count."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import SQLModel

from storage.keys import Scope
from storage.tables import Activity, DoorDay, Event, KeptAddress, KeptPayload, Lead, SeenDelivery
from tests.app.stage import Stage, stage

SECRET = "a-secret-of-the-sender"
_numbers = itertools.count(1)

TYPEFORM = """
source: {name}
signed: {{by: typeform, secret: trial}}
only: {{event_type: form_response}}
columns: {{source_id: form_response.token, conversion_id: event_id, email: form_response.email, at: form_response.at}}
"""
BATCH = """
source: {name}
signed: {{by: hmac-sha256, secret: trial, header: X-Sign, timestamp_header: X-Time}}
leads: "leads[]"
columns: {{source_id: id, conversion_id: $.delivery, email: email, phone: phone}}
fields: {{size: size}}
"""
KEY = "source: {name}\nsigned: {{by: key}}\ncolumns: {{source_id: id, email: email}}"
FORM = """
source: {name}
form: {{token: trial, origins: ["https://www.firm.example"], honeypot: website}}
columns: {{source_id: email, email: email, message: message}}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BATON_INTAKE_TRIAL", SECRET)
        patch.setenv("BATON_INTAKE_WORD", "the-word")
        with stage(tmp_path_factory.mktemp("company"), failures_per_address=0, requests_per_address=0, requests_per_key=0) as running:
            yield running


@pytest.fixture
def browser(company: Stage) -> httpx.Client:
    return company.browser()


def opened(company: Stage, text: str) -> str:
    """A new door with this map; returns its name."""
    name = f"door-{next(_numbers)}"
    folder = company.box.settings.folder / "intake"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text.format(name=name))
    return name


def post(browser: httpx.Client, name: str, value: Any, *, secret: str = SECRET, **headers: str) -> httpx.Response:
    """Sends JSON as Typeform signs it."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    sent = {"content-type": "application/json", "typeform-signature": f"sha256={found}", **headers}
    return browser.post(f"/intake/{name}", content=body, headers=sent)


def post_batch(company: Stage, browser: httpx.Client, name: str, value: Any, *, at: str = "") -> httpx.Response:
    """Sends JSON with a signed time."""
    body, at = json.dumps(value).encode(), at or str(int(company.time.at.timestamp()))
    found = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return browser.post(f"/intake/{name}", content=body, headers={"content-type": "application/json", "x-sign": found, "x-time": at})


def answered(**more: Any) -> dict[str, Any]:
    """What Typeform would send, with an address that nobody had before."""
    number = next(_numbers)
    said = {"token": f"t{number}", "email": f"kim{number}@quay.example", **more}
    return {"event_id": f"e{number}", "event_type": "form_response", "form_response": said}


def counts(company: Stage, name: str) -> dict[str, int]:
    """The counts of this door, without those that are 0."""
    rows = [row for row in company.rows(DoorDay) if row.door == name]
    names = ("taken", "known", "queued", "kept", "passed_over", "refused")
    return {one: total for one in names if (total := sum(getattr(row, one) for row in rows))}


def stored(company: Stage, *, but: tuple[type[SQLModel], ...] = ()) -> dict[str, Any]:
    """Everything in the database except these tables."""
    left = {str(table.__tablename__) for table in but}
    return {name: rows for name, rows in company.snapshot().items() if name not in left}


def kept(company: Stage, name: str) -> list[KeptPayload]:
    return [row for row in company.rows(KeptPayload) if row.door == name]


class TestGoodDeliveries:
    def test_a_signed_payload_begins_a_handoff(self, company: Stage, browser: httpx.Client) -> None:
        name, sent = opened(company, TYPEFORM), answered()

        answer = post(browser, name, sent)

        assert answer.status_code == 201
        assert [one["result"] for one in answer.json()["results"]] == ["new"]
        lead = company.rows(Lead)[-1]
        assert lead.email == sent["form_response"]["email"]
        assert {row.actor for row in company.rows(Event) if row.lead_id == lead.id and row.kind == "activity"} == {f"intake:{name}"}
        assert counts(company, name) == {"taken": 1}
        assert kept(company, name) == []

    def test_the_same_delivery_again_changes_nothing(self, company: Stage, browser: httpx.Client) -> None:
        name, sent = opened(company, TYPEFORM), answered()
        post(browser, name, sent)
        before = company.snapshot()

        answer = post(browser, name, sent)

        assert (answer.status_code, answer.json()) == (200, {"result": "repeated"})
        assert company.snapshot() == before

    def test_one_delivery_from_many_callers_at_once_is_one_lead(self, company: Stage, browser: httpx.Client) -> None:
        name, sent = opened(company, TYPEFORM), answered()
        before = len(company.rows(Lead)), len(company.rows(Activity))

        with ThreadPoolExecutor(6) as callers:
            answers = list(callers.map(lambda _: post(browser, name, sent), range(12)))

        assert {answer.status_code for answer in answers} == {200, 201}
        assert [answer.status_code for answer in answers].count(201) == 1
        assert (len(company.rows(Lead)), len(company.rows(Activity))) == (before[0] + 1, before[1] + 1)

    def test_the_same_conversion_in_another_delivery_is_no_second_activity(self, company: Stage, browser: httpx.Client) -> None:
        name, sent = opened(company, TYPEFORM), answered()
        post(browser, name, sent)
        before = len(company.rows(Activity))

        answer = post(browser, name, {**sent, "sent_again": True})

        assert (answer.status_code, answer.json()["results"][0]["result"]) == (200, "repeated")
        assert len(company.rows(Activity)) == before
        assert counts(company, name) == {"taken": 1, "known": 1}

    def test_what_the_map_is_not_about_is_passed_over(self, company: Stage, browser: httpx.Client) -> None:
        name = opened(company, TYPEFORM)
        answer = post(browser, name, {**answered(), "event_type": "form_response_partial"})
        assert (answer.status_code, answer.json()["results"]) == (200, [{"status": 200, "result": "passed over"}])
        assert counts(company, name) == {"passed_over": 1}

    @pytest.mark.parametrize(("count", "status"), [(0, 200), (1, 201), (3, 200)])
    def test_a_batch_has_a_result_for_each_lead(self, company: Stage, browser: httpx.Client, count: int, status: int) -> None:
        name, first = opened(company, BATCH), next(_numbers) * 1000
        answer = post_batch(company, browser, name, {"leads": [{"id": first + one, "phone": 46855512345} for one in range(count)]})
        assert (answer.status_code, len(answer.json()["results"])) == (status, count)

    @pytest.mark.parametrize("version", ["v2", "v3"])
    @pytest.mark.parametrize("query", ["", "?from=a%20b&at=x%3Ay"])
    def test_hubspot_signs_the_address_that_people_see(self, company: Stage, browser: httpx.Client, version: str, query: str) -> None:
        name = opened(company, f"source: {{name}}\nsigned: {{{{by: hubspot-{version}, secret: trial}}}}\ncolumns: {{{{source_id: vid}}}}")
        body, address = json.dumps({"vid": next(_numbers)}).encode(), f"http://baton.example/intake/{name}{query}"
        at = str(int(company.time.at.timestamp() * 1000))
        if version == "v2":
            signed = {"x-hubspot-signature": hashlib.sha256(f"{SECRET}POST{address}".encode() + body).hexdigest()}
        else:
            text = f"POST{address.replace('%3A', ':')}".encode() + body + at.encode()
            found = b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
            signed = {"x-hubspot-signature-v3": found, "x-hubspot-request-timestamp": at}
        headers = {"content-type": "application/json", **signed}

        assert browser.post(f"/intake/{name}{query}", content=body, headers=headers).status_code == 201
        assert browser.post(f"/intake/{name}?other=1", content=body, headers=headers).status_code == 401

    def test_a_key_opens_a_door_for_programs(self, company: Stage) -> None:
        name = opened(company, KEY)
        for scope, status in ((Scope.INTAKE, 201), (Scope.DSN, 403)):
            program = company.browser(headers={"authorization": f"Bearer {company.key(f'{name} {scope}', scope)}"})
            answer = program.post(f"/intake/{name}", json={"id": 90071992547409931, "email": f"p{next(_numbers)}@quay.example"})
            assert answer.status_code == status
        assert company.box.read_now(lambda session, now: counts(company, name)) == {"taken": 1, "refused": 1}


class TestRefused:
    @pytest.mark.parametrize("how", ["no signature", "another secret", "one byte", "another door's map"])
    def test_what_is_not_signed_rightly_stores_nothing_but_a_count(self, company: Stage, browser: httpx.Client, how: str) -> None:
        name, sent = opened(company, TYPEFORM), answered()
        before = stored(company, but=(DoorDay,))

        if how == "no signature":
            answer = browser.post(f"/intake/{name}", json=sent)
        elif how == "another secret":
            answer = post(browser, name, sent, secret="another")
        elif how == "one byte":
            good = hmac.new(SECRET.encode(), json.dumps(sent).encode(), hashlib.sha256).digest()
            changed = json.dumps(sent).encode().replace(b"quay", b"quaz")
            answer = post(browser, name, changed, **{"typeform-signature": "sha256=" + b64encode(good).decode()})
        else:
            answer = post_batch(company, browser, name, sent)

        assert answer.status_code == 401
        assert stored(company, but=(DoorDay,)) == before
        assert counts(company, name) == {"refused": 1}
        assert [row.last_at for row in company.rows(DoorDay) if row.door == name] == [None]

    @pytest.mark.parametrize("seconds", [-301, 301, -86400])
    def test_a_replay_outside_its_time_stores_nothing_but_a_count(self, company: Stage, browser: httpx.Client, seconds: int) -> None:
        name = opened(company, BATCH)
        before = stored(company, but=(DoorDay,))
        at = str(int((company.time.at + timedelta(seconds=seconds)).timestamp()))

        answer = post_batch(company, browser, name, {"leads": [{"id": 1}]}, at=at)

        assert answer.status_code == 401
        assert stored(company, but=(DoorDay,)) == before
        assert counts(company, name) == {"refused": 1}

    def test_a_replay_within_its_time_stores_nothing_but_a_count(self, company: Stage, browser: httpx.Client) -> None:
        """The time is signed too, so the sender signs each of its tries anew."""
        name, at = opened(company, BATCH), str(int(company.time.at.timestamp()))
        sent = {"leads": [{"id": next(_numbers)}]}
        assert post_batch(company, browser, name, sent, at=at).status_code == 201
        before = stored(company, but=(DoorDay,))

        again = post_batch(company, browser, name, sent, at=at)

        assert (again.status_code, "taken before" in again.text) == (401, True)
        assert stored(company, but=(DoorDay,)) == before
        assert counts(company, name) == {"taken": 1, "refused": 1}
        later = post_batch(company, browser, name, sent, at=str(int(at) + 1))
        assert (later.status_code, later.json()["results"][0]["result"]) == (200, "repeated")

    @pytest.mark.parametrize("path", ["nothing", "..%2fsecret", "A", "door 1", "x" * 200])
    def test_where_no_door_is_nothing_is_counted(self, company: Stage, browser: httpx.Client, path: str) -> None:
        before = company.snapshot()
        assert browser.post(f"/intake/{path}", json={}).status_code == 404
        assert company.snapshot() == before

    @pytest.mark.parametrize("announced", [True, False])
    def test_a_huge_body_is_refused_before_it_is_read(self, company: Stage, browser: httpx.Client, announced: bool) -> None:
        name, before = opened(company, TYPEFORM), company.snapshot()
        piece = b"x" * 1_000_000
        headers = {"content-length": "50000000"} if announced else {}
        answer = browser.post(
            f"/intake/{name}", content=piece * 3 if announced else iter([piece] * 3), headers={} if announced else headers
        )
        assert answer.status_code == 413
        assert company.snapshot() == before

    @pytest.mark.parametrize(
        ("text", "said"),
        [("source: {name}", "its map has mistakes"), (TYPEFORM.replace("trial", "unset"), "its secret is not set")],
    )
    def test_a_door_that_cannot_work_is_closed(self, company: Stage, browser: httpx.Client, text: str, said: str) -> None:
        name, before = opened(company, text), company.snapshot()
        answer = post(browser, name, answered())
        assert answer.status_code == 503
        assert said in answer.json()["error"]
        assert company.snapshot() == before

    def test_a_corrected_map_counts_from_the_next_request(self, company: Stage, browser: httpx.Client) -> None:
        name = opened(company, "source: {name}")
        assert post(browser, name, answered()).status_code == 503
        (company.box.settings.folder / "intake" / f"{name}.yaml").write_text(TYPEFORM.format(name=name))
        assert post(browser, name, answered()).status_code == 201


class TestKept:
    @pytest.mark.parametrize(
        ("body", "kind", "reason"),
        [
            (b'{"email": "kim@quay.example", ', "application/json", "Not readable as JSON"),
            (b"\xff\xfe\xfa", "application/json", "is not UTF-16"),
            (b"[" * 50_000, "application/json", "nested more than 20 deep"),
            (b"<kim>", "application/xml", "Content-Type application/xml cannot be read"),
            (b'"text"', "application/json", "There is no list of leads"),
        ],
    )
    def test_what_cannot_be_read_is_kept_as_it_came(
        self, company: Stage, browser: httpx.Client, body: bytes, kind: str, reason: str
    ) -> None:
        name = opened(company, TYPEFORM.replace("only:", 'leads: "[]"\nonly:'))
        for _ in range(3):
            answer = post(browser, name, body, **{"content-type": kind})
            assert answer.status_code == 422
            assert answer.json()["results"][0]["kept"] is True

        (row,) = kept(company, name)
        assert reason in row.reason
        assert len(row.content) >= len(body) or row.is_base64
        assert company.rows(SeenDelivery) == [] or all(name not in seen.mark for seen in company.rows(SeenDelivery))

    def test_the_rest_of_a_batch_is_kept_and_the_good_ones_go_in(self, company: Stage, browser: httpx.Client) -> None:
        name, number = opened(company, BATCH), next(_numbers)
        good, bad = {"id": 1, "email": f"good{number}@quay.example"}, {"id": 2, "email": "bad@", "note": f"bad{number}@pier.example"}

        answer = post_batch(company, browser, name, {"delivery": 7, "leads": [good, bad, {"email": "no id"}]})

        assert answer.status_code == 200
        assert [one["status"] for one in answer.json()["results"]] == [201, 422, 422]
        rows = kept(company, name)
        assert [json.loads(row.content) for row in rows] == [{"delivery": 7, "leads": [one]} for one in (bad, {"email": "no id"})]
        assert [row.reason.split(" ")[0] for row in rows] == ["email", "source_id"]
        assert {row.address for row in company.rows(KeptAddress) if row.payload_id == rows[0].id} == {f"bad{number}@pier.example"}
        assert counts(company, name) == {"taken": 1, "kept": 2}

    def test_a_batch_of_which_nothing_is_taken_is_not_answered_as_taken(self, company: Stage, browser: httpx.Client) -> None:
        name, sent = opened(company, BATCH), {"leads": [{"id": 1, "email": "bad@"}, {"email": "x"}]}
        for _ in range(2):
            answer = post_batch(company, browser, name, sent)
            assert answer.status_code == 422
        assert len(kept(company, name)) == 2

    def test_what_is_passed_over_does_not_hide_that_nothing_was_taken(self, company: Stage, browser: httpx.Client) -> None:
        name = opened(company, BATCH.replace("leads:", "only: {{kind: lead}}\nleads:"))
        answer = post_batch(company, browser, name, {"leads": [{"kind": "other"}, {"kind": "lead", "id": 1, "email": "bad@"}]})
        assert answer.status_code == 422
        assert counts(company, name) == {"passed_over": 1, "kept": 1}


class TestPublicForms:
    GOOD = {"origin": "https://www.firm.example"}

    def test_a_form_on_an_agreed_page_is_taken(self, company: Stage, browser: httpx.Client) -> None:
        name, email = opened(company, FORM), f"f{next(_numbers)}@quay.example"
        answer = browser.post(f"/intake/{name}", data={"email": email, "baton_form": SECRET, "website": ""}, headers=self.GOOD)
        assert answer.status_code == 200
        assert "Thank you" in answer.text
        assert company.rows(Lead)[-1].email == email

    def test_parts_are_taken_without_their_files(self, company: Stage, browser: httpx.Client) -> None:
        name, email = opened(company, FORM), f"f{next(_numbers)}@quay.example"
        fields = {"email": email, "baton_form": SECRET}
        answer = browser.post(f"/intake/{name}", data=fields, files={"cv": ("cv.pdf", b"%PDF")}, headers=self.GOOD)
        assert answer.status_code == 200
        assert company.rows(Lead)[-1].email == email

    def test_afterwards_the_browser_goes_where_the_map_says_and_nowhere_else(self, company: Stage, browser: httpx.Client) -> None:
        name = opened(company, FORM.replace("honeypot:", "redirect: 'https://www.firm.example/thanks', honeypot:"))
        fields = {"email": f"f{next(_numbers)}@quay.example", "baton_form": SECRET, "redirect": "https://evil.example"}
        answer = browser.post(f"/intake/{name}?redirect=https://evil.example", data=fields, headers=self.GOOD, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "https://www.firm.example/thanks")

    @pytest.mark.parametrize(
        ("changes", "origin", "status"),
        [
            ({"baton_form": ""}, "https://www.firm.example", 401),
            ({"baton_form": "wrong"}, "https://www.firm.example", 401),
            ({}, "https://evil.example", 403),
            ({}, "null", 403),
            ({}, "", 403),
            ({"website": "http://spam.example"}, "https://www.firm.example", 200),
        ],
    )
    def test_a_robot_and_another_page_store_nothing_but_a_count(
        self, company: Stage, browser: httpx.Client, changes: dict[str, str], origin: str, status: int
    ) -> None:
        name, before = opened(company, FORM), stored(company, but=(DoorDay,))
        fields = {"email": "robot@quay.example", "baton_form": SECRET, **changes}
        answer = browser.post(f"/intake/{name}", data=fields, headers={"origin": origin} if origin else {})
        assert answer.status_code == status
        assert stored(company, but=(DoorDay,)) == before
        assert counts(company, name) == {"refused": 1}

    def test_a_person_is_told_what_to_correct(self, company: Stage, browser: httpx.Client) -> None:
        name = opened(company, FORM)
        answer = browser.post(f"/intake/{name}", data={"email": "no address", "baton_form": SECRET}, headers=self.GOOD)
        assert answer.status_code == 422
        assert "is not an e-mail address" in answer.text
        assert len(kept(company, name)) == 1


class TestChallenges:
    FACEBOOK = "source: {name}\nsigned: {{by: facebook, secret: trial, verify: word}}\ncolumns: {{source_id: id}}"
    LINKEDIN = "source: {name}\nsigned: {{by: linkedin, secret: trial}}\ncolumns: {{source_id: id}}"

    @pytest.mark.parametrize(("word", "status", "said"), [("the-word", 200, "1158201444"), ("another", 403, ""), ("", 403, "")])
    def test_facebook_hears_its_challenge_if_it_knows_the_word(
        self, company: Stage, browser: httpx.Client, word: str, status: int, said: str
    ) -> None:
        asked = {"hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": "1158201444"}
        answer = browser.get(f"/intake/{opened(company, self.FACEBOOK)}", params=asked)
        assert answer.status_code == status
        assert not said or answer.text == said

    def test_linkedin_hears_its_code_signed(self, company: Stage, browser: httpx.Client) -> None:
        code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
        answer = browser.get(f"/intake/{opened(company, self.LINKEDIN)}", params={"challengeCode": code})
        expected = hmac.new(SECRET.encode(), code.encode(), hashlib.sha256).hexdigest()
        assert answer.json() == {"challengeCode": code, "challengeResponse": expected}

    def test_anybody_else_is_sent_away(self, company: Stage, browser: httpx.Client) -> None:
        for text in (TYPEFORM, FORM, KEY, self.FACEBOOK, self.LINKEDIN):
            assert browser.get(f"/intake/{opened(company, text)}").status_code == 405
        assert browser.get("/intake/nothing").status_code == 404
