"""The intake over real HTTP: good leads go in once, bad ones are named by field, and nothing that is sent breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from agreements.lead import IncomingLead
from storage import keys
from storage.tables import Activity, ApiKey, Event, Handoff, Lead
from tests.app.stage import NOW, Stage, stage
from tests.patience import PATIENCE_SECONDS

GOOD = {"source": "shop", "source_id": "1", "conversion_id": "a", "activity": "quote_requested", "email": "kim@quay.example"}


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.fixture
def api(company: Stage) -> httpx.Client:
    return company.browser(headers={"authorization": f"Bearer {company.key()}"})


def post(api: httpx.Client, body: bytes | Any, **headers: str) -> httpx.Response:
    return api.post("/api/leads", content=body, headers={"content-type": "application/json", **headers})


def problems(answer: httpx.Response) -> dict[str, str]:
    """The problems named, by field; every refusal must come with a sentence and without a traceback."""
    assert answer.status_code == 422
    said = answer.json()
    assert said["error"]
    assert "Traceback" not in answer.text
    return {one["field"]: one["problem"] for one in said["problems"]}


class TestGoodLeads:
    def test_a_new_lead_begins_a_handoff(self, company: Stage, api: httpx.Client) -> None:
        answer = api.post("/api/leads", json=GOOD)
        assert answer.status_code == 201
        assert answer.json() == {"lead": 2, "handoff": 2, "result": "new"}
        assert company.rows(Lead)[-1].email == "kim@quay.example"
        assert [row.actor for row in company.rows(Event) if row.kind == "activity" and row.lead_id == 2] == ["api:form"]

    @pytest.mark.parametrize(
        ("written", "stored", "notes"),
        [
            ("United Kingdom", "GB", []),
            ("deu", "DE", []),
            ("Korea", "Korea", ["'Korea' can be KP (North Korea) or KR (South Korea); write the code"]),
        ],
    )
    def test_a_country_is_stored_by_its_code_and_an_unclear_one_is_named(
        self, company: Stage, api: httpx.Client, written: str, stored: str, notes: list[str]
    ) -> None:
        answer = api.post("/api/leads", json={**GOOD, "country": written})

        assert answer.status_code == 201
        assert [one["problem"] for one in answer.json().get("notes", [])] == notes
        assert company.rows(Lead)[-1].country == stored

    def test_an_old_request_with_its_own_contact_time_is_taken(self, company: Stage, api: httpx.Client) -> None:
        old = {**GOOD, "at": "2024-03-01T09:00:00Z", "requested_time": "2024-03-02T09:00:00Z"}

        assert api.post("/api/leads", json=old).status_code == 201

    def test_a_lead_that_a_rep_brought_in_names_them(self, company: Stage, api: httpx.Client) -> None:
        answer = api.post("/api/leads", json={**GOOD, "sales_sourced_by": "ben"})
        assert answer.status_code == 201
        assert company.rows(Handoff)[-1].brought_by == "ben"

    @pytest.mark.parametrize(
        ("who", "said"),
        [
            ("bne", "did you mean 'ben'?"),
            ("zoe", "write the id that the roster gives them"),
            ("maria", "no rep in the roster is called 'maria'"),
        ],
    )
    def test_somebody_who_is_no_rep_cannot_have_brought_it_in(self, company: Stage, api: httpx.Client, who: str, said: str) -> None:
        before = company.snapshot()
        assert said in problems(api.post("/api/leads", json={**GOOD, "sales_sourced_by": who}))["sales_sourced_by"]
        assert company.snapshot() == before

    def test_what_the_crm_says_of_a_company_is_no_field_of_a_lead(self, company: Stage, api: httpx.Client) -> None:
        answer = api.post("/api/leads", json={**GOOD, "fields": {"account.status": "customer"}})
        assert "'account.status' is what the CRM says of the company" in problems(answer)["fields"]

    def test_a_person_at_another_company_begins_anew(self, company: Stage, api: httpx.Client) -> None:
        named = {**GOOD, "first_name": "Kim", "last_name": "Lee"}
        api.post("/api/leads", json={**named, "company": "Quay"})
        answer = api.post("/api/leads", json={**named, "company": "Jetty", "email": "kim@jetty.example", "conversion_id": "b"})
        assert (answer.status_code, answer.json()) == (201, {"lead": 3, "handoff": 3, "result": "new"})
        assert company.rows(Lead)[-1].linked_to == 2

    def test_the_same_conversion_again_changes_nothing(self, company: Stage, api: httpx.Client) -> None:
        api.post("/api/leads", json=GOOD)
        before, kept = company.snapshot(), company.rows(Activity)[-1]
        again = api.post("/api/leads", json=GOOD)
        assert (again.status_code, again.json()["result"]) == (200, "repeated")
        assert {**company.snapshot(), "activities": []} == {**before, "activities": []}
        repeated = company.rows(Activity)[-1]
        assert (repeated.id, repeated.key, repeated.repeated, repeated.repeated_at) == (kept.id, kept.key, 1, NOW)

    def test_a_new_conversion_is_an_activity(self, company: Stage, api: httpx.Client) -> None:
        api.post("/api/leads", json=GOOD)
        answer = api.post("/api/leads", json={**GOOD, "conversion_id": "b"})
        assert (answer.status_code, answer.json()) == (200, {"lead": 2, "handoff": 2, "result": "activity"})

    def test_a_known_person_under_a_new_id_is_merged(self, company: Stage, api: httpx.Client) -> None:
        answer = api.post("/api/leads", json={**GOOD, "email": "Lee+demo@harbour.example"})
        assert (answer.status_code, answer.json()) == (200, {"lead": 1, "handoff": 1, "result": "merged"})

    def test_without_a_time_it_happened_now(self, company: Stage, api: httpx.Client) -> None:
        company.later(hours=2)
        api.post("/api/leads", json=GOOD)
        assert company.rows(Activity)[-1].at == NOW + timedelta(hours=2)

    def test_facts_of_any_kind_are_kept(self, company: Stage, api: httpx.Client) -> None:
        facts = {"industry": "softwäre 🙂", "employees": 120, "share": 0.5, "newsletter": True, "region": None}
        answer = api.post("/api/leads", json={**GOOD, "fields": facts})
        assert answer.status_code == 201
        assert company.rows(Lead)[-1].values == facts

    def test_a_mark_at_the_start_of_the_text_is_no_matter(self, api: httpx.Client) -> None:
        assert (
            post(api, b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), **{"content-type": "Application/JSON; charset=utf-8"}).status_code == 201
        )

    def test_of_a_list_the_good_ones_go_in(self, company: Stage, api: httpx.Client) -> None:
        answer = api.post("/api/leads", json=[GOOD, {**GOOD, "emial": "x"}, "no lead", {**GOOD, "conversion_id": "b"}, GOOD])
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert [one["status"] for one in results] == [201, 422, 422, 200, 200]
        assert [one.get("result") for one in results] == ["new", None, None, "activity", "repeated"]
        assert results[1]["problems"] == [{"field": "emial", "problem": "is not a field of a lead; did you mean 'email'?"}]
        assert len(company.rows(Lead)) == 2

    @pytest.mark.parametrize(
        "sent",
        [["no lead"], [{}], [{**GOOD, "email": "no address"}], [None, 1, "x", []], [{**GOOD, "emial": "x"}, {"source_id": 17}]],
        ids=str,
    )
    def test_a_list_of_which_none_goes_in_is_not_answered_as_taken(self, company: Stage, api: httpx.Client, sent: list[Any]) -> None:
        before = company.snapshot()

        answer = api.post("/api/leads", json=sent)

        assert answer.status_code == 422
        assert [one["status"] for one in answer.json()["results"]] == [422] * len(sent)
        assert company.snapshot() == before

    @pytest.mark.parametrize("sent", [["no lead", GOOD], [GOOD, {}], [GOOD]], ids=str)
    def test_a_list_of_which_one_goes_in_is_answered_as_taken(self, api: httpx.Client, sent: list[Any]) -> None:
        assert api.post("/api/leads", json=sent).status_code == 200
        assert api.post("/api/leads", json=sent).status_code == 200, "a lead that is known already was taken as well"

    def test_an_empty_list_is_nothing_to_do(self, api: httpx.Client) -> None:
        assert api.post("/api/leads", json=[]).json() == {"results": []}

    @pytest.mark.long
    def test_a_thousand_at_once(self, company: Stage, api: httpx.Client) -> None:
        many = [{"source": "shop", "source_id": str(number)} for number in range(1000)]
        answer = api.post("/api/leads", json=many)
        assert {one["status"] for one in answer.json()["results"]} == {201}
        assert len(company.rows(Lead)) == 1001
        more = api.post("/api/leads", json=[*many, many[0]])
        assert (more.status_code, more.json()["error"][:45]) == (422, "You sent 1,001 leads. At most 1,000 are taken")

    def test_the_same_lead_from_many_callers_is_one(self, company: Stage, api: httpx.Client) -> None:
        with ThreadPoolExecutor(8) as callers:
            answers = list(callers.map(lambda _: api.post("/api/leads", json=GOOD).json()["result"], range(16)))
        assert sorted(answers) == ["new", *["repeated"] * 15]
        assert len(company.rows(Lead)) == 2


class TestKeys:
    def test_nobody_comes_in_without_one_that_works(self, company: Stage) -> None:
        key = company.key("website")
        for given in (
            {},
            {"authorization": ""},
            {"authorization": "Bearer"},
            {"authorization": f"Basic {key}"},
            {"authorization": f"Bearer {key}x"},
        ):
            answer = httpx.post(f"{company.url}/api/leads", json=GOOD, headers=given, trust_env=False, timeout=PATIENCE_SECONDS)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "Bearer KEY" in answer.json()["error"]
        assert len(company.rows(Lead)) == 1

    def test_a_revoked_one_does_not_work(self, company: Stage, api: httpx.Client) -> None:
        assert company.box.write_now(lambda session, now: keys.revoke(session, "form", now)) is True
        assert company.box.write_now(lambda session, now: keys.revoke(session, "form", now)) is False
        assert api.post("/api/leads", json=GOOD).status_code == 401

    def test_only_its_hash_is_kept(self, company: Stage) -> None:
        key = company.key()
        (row,) = company.rows(ApiKey)
        assert len(row.hash) == 64
        assert key not in str(row)

    def test_names_are_used_once(self, company: Stage) -> None:
        company.key("a")
        company.later(hours=1)
        company.key("b")
        company.box.write_now(lambda session, now: keys.revoke(session, "a", now))
        assert company.box.read_now(lambda session, now: [row.name for row in keys.working(session)]) == ["b"]
        for taken, said in (("a", "was revoked"), ("b", "is in use"), (" ", "1 to 80"), ("x" * 81, "1 to 80"), ("a\nb", "1 to 80")):
            with pytest.raises(keys.KeyRefused, match=said):
                company.key(taken)

    def test_two_keys_are_never_alike(self, company: Stage) -> None:
        first, second = company.key("a"), company.key("b")
        assert first != second
        found = company.box.read_now(lambda session, now: [keys.verify(session, key) for key in (first, second, "", "baton_")])
        assert [row and row.name for row in found] == ["a", "b", None, None]


class TestBadInput:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"", "line 1, column 1"),
            (b'{"source_id": "1",\n "email": }', "line 2, column 11"),
            (b"source_id=1", "line 1, column 1"),
            (b'{"source_id": "\xff"}', "Byte 16 is not UTF-8"),
            (b'{"source_id": "1", "source_id": "2"}', "'source_id' is given twice"),
            (b'{"source_id": "1", "fields": {"a": 1, "a": 2}}', "'a' is given twice"),
            (b'{"source_id": NaN}', "'NaN' is not a number"),
            (b'{"fields": {"a": 1e999}}', "'1e999' is not a number"),
            (b'{"fields": {"a": ' + b"9" * 5000 + b"}}", "A number is too long"),
            (b'{"source_id": "a\\u0000b"}', "holds an invalid character"),
            (b'{"fields": {"\\ud800": 1}}', "holds an invalid character"),
            (b"[" * 400_000, "are nested more than 20 deep"),
            (b'{"fields":' * 50_000 + b"1" + b"}" * 50_000, "are nested more than 20 deep"),
            (b"[" * 30 + b"]" * 30, "are nested more than 20 deep"),
        ],
    )
    def test_what_cannot_be_read_is_400_and_says_where(self, company: Stage, api: httpx.Client, body: bytes, said: str) -> None:
        answer = post(api, body)
        assert answer.status_code == 400
        assert said in answer.json()["error"]
        assert len(answer.text) < 500
        assert len(company.rows(Lead)) == 1

    @pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
    def test_what_is_not_called_json_is_415(self, api: httpx.Client, kind: str) -> None:
        assert post(api, json.dumps(GOOD).encode(), **{"content-type": kind}).status_code == 415

    @pytest.mark.parametrize("announced", [True, False])
    def test_what_is_too_large_is_413_whatever_was_announced(self, api: httpx.Client, announced: bool) -> None:
        body = json.dumps({**GOOD, "message": "x" * 1_000_000}).encode()
        answer = post(api, body if announced else iter([body[:600_000], body[600_000:]]))
        assert answer.status_code == 413
        assert "At most 1,000,000 bytes" in answer.json()["error"]

    @pytest.mark.parametrize(
        ("changes", "field", "said"),
        [
            ({"source_id": None}, "source_id", "must be text in quotes"),
            ({"source_id": ""}, "source_id", "must not be empty"),
            ({"source_id": 17}, "source_id", "must be text in quotes"),
            ({"Email": "a@b.example"}, "Email", "is not a field of a lead; did you mean 'email'?"),
            ({"zzz": 1}, "zzz", "is not a field of a lead; your own facts go into 'fields'"),
            ({"email": "no address"}, "email", "is not an e-mail address"),
            ({"email": "a@b.example\r\nBcc: c@d.example"}, "email", "is not an e-mail address"),
            ({"company": "x" * 201}, "company", "is longer than 200 characters"),
            ({"message": "x" * 10_001}, "message", "is longer than 10000 characters"),
            ({"at": "yesterday"}, "at", "is not a time; write it as"),
            ({"at": "2026-12-01T09:00:00"}, "at", "needs a time zone"),
            ({"at": "2026-12-02T09:00:01+00:00"}, "at", "is in the future: it is 2026-12-01T09:00Z now"),
            ({"at": "0001-01-01T00:00:00+14:00"}, "at", "is not a likely time"),
            ({"at": True}, "at", "is not a time"),
            ({"requested_time": "9999-12-31T23:59:59-14:00"}, "requested_time", "is not a likely time"),
            ({"requested_time": "2026-12-01T08:44:00Z"}, "requested_time", "had passed when the lead asked for it, at 2026-12-01T09:00Z"),
            ({"requested_time": "2027-12-02T09:00:00Z"}, "requested_time", "is more than a year after the request"),
            ({"at": "2026-11-01T09:00Z", "requested_time": "2026-11-01T08:00Z"}, "requested_time", "had passed when the lead asked for it"),
            ({"at": "2026-11-01T09:00Z", "requested_time": "2027-11-20T08:00Z"}, "requested_time", "is more than a year after the request"),
            (
                {"source_id": "1.2E+15"},
                "source_id",
                "is a number that a spreadsheet has shortened, and its digits are lost; format",
            ),
            ({"phone": "4,91512E+11"}, "phone", "format the column as text"),
            ({"do_not_contact": "perhaps"}, "do_not_contact", "must be true or false"),
            ({"fields": []}, "fields", "must be an object of names and values"),
            ({"fields": {"a": [1]}}, "fields.a", "must be text, a number, true, false or null"),
            ({"fields": {"": 1}}, "fields.", "must not be empty"),
            ({"fields": {str(n): n for n in range(101)}}, "fields", "holds more than 100 entries"),
            ({"fields": {"employees": 10**4000}}, "fields.employees", "is no number from -9007199254740992 to 9007199254740992"),
            ({"fields": {"employees": 2**53 + 1}}, "fields.employees", "is no number from -9007199254740992 to 9007199254740992"),
            ({"fields": {"about": "x" * 10_001}}, "fields.about", "is longer than 10000 characters"),
            ({"fields": {"a": {"b": {"c": 1}}}}, "fields.a", "must be text, a number, true, false or null"),
        ],
        ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
    )
    def test_what_does_not_fit_is_named_by_field(
        self, company: Stage, api: httpx.Client, changes: dict[str, Any], field: str, said: str
    ) -> None:
        before = company.snapshot()
        found = problems(api.post("/api/leads", json={**GOOD, **changes}))
        assert list(found) == [field]
        assert said in found[field]
        assert company.snapshot() == before

    def test_a_lead_without_its_id_is_refused(self, api: httpx.Client) -> None:
        assert problems(api.post("/api/leads", json={})) == {"source_id": "is required"}

    @pytest.mark.parametrize("body", [b'"text"', b"1", b"null", b"true"])
    def test_what_is_no_object_is_refused(self, api: httpx.Client, body: bytes) -> None:
        assert problems(post(api, body)) == {"": "must be an object with the fields of a lead"}

    def test_only_so_many_problems_are_told(self, api: httpx.Client) -> None:
        found = problems(api.post("/api/leads", json={**GOOD, **{f"q{n}": n for n in range(500)}, "z" * 9000: 1}))
        assert len(found) == 21
        assert found[""] == "and 481 more"

    def test_a_time_within_a_day_of_now_is_taken(self, api: httpx.Client) -> None:
        assert api.post("/api/leads", json={**GOOD, "at": "2026-12-02T09:00:00+00:00"}).status_code == 201

    @pytest.mark.parametrize(("method", "path"), [("GET", "/api/leads"), ("DELETE", "/api/leads"), ("GET", "/api/nothing")])
    def test_what_is_not_there_is_said_in_json(self, api: httpx.Client, method: str, path: str) -> None:
        answer = api.request(method, path)
        assert answer.status_code in (404, 405)
        assert "/api/docs" in answer.json()["error"]


class TestItsDescription:
    def test_only_the_intake_is_described(self, api: httpx.Client) -> None:
        described = api.get("/api/openapi.json").json()
        assert list(described["paths"]) == ["/api/leads"]
        taken = described["paths"]["/api/leads"]["post"]
        assert set(taken["responses"]) >= {"200", "201", "400", "401", "413", "415", "422"}
        assert taken["security"] == [{"HTTPBearer": []}]
        one = taken["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
        assert one["required"] == ["source_id"]
        assert "$ref" not in str(one), "a reference of the model's own leads nowhere in the description of the API"
        assert one["properties"]["consents"]["items"]["properties"]["channel"]

    def test_the_page_names_every_field(self, api: httpx.Client) -> None:
        page = api.get("/api/docs").text
        assert all(f"<code>{name}</code>" in page for name in IncomingLead.model_fields)
        assert "http://baton.example/api/leads" in page
