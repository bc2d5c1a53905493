"""Every door takes numbers within ±2^53 and texts of 10,000 characters, says clearly what is larger, and never fails or hangs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from agreements.errors import InvalidAgreement, RosterError
from agreements.lead import MAX_NUMBER, MAX_TEXT, is_within_bounds, storable
from agreements.loading import read_agreement
from agreements.roster import read_roster
from app.csv_import.file import UnreadableFile, read_leads, read_map
from app.csv_import.importing import import_leads
from storage.tables import Answer, Lead, PersonalText
from tests.app.stage import AGREEMENT, ROSTER, Stage, press, press_with_number, stage
from tests.examples import spread

#: Numbers as somebody may write them, none of which is one that is taken.
NUMBERS = [
    "9" * 4000,
    "9" * 5000,
    "-" + "9" * 4000,
    "1e400",
    "-1e400",
    "1e300",
    "1e1000000",
    "NaN",
    "Infinity",
    "-Infinity",
    "9007199254740994.0",
]
OVER = str(-MAX_NUMBER - 1)
TOO_LONG = "x" * (MAX_TEXT + 1)
#: Texts that not every database keeps, and such that a careless pattern takes for ever to read.
TEXTS = [
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\ufffe",
    TOO_LONG,
    "(" * MAX_TEXT,
    " " * 9_999 + "x",
    "a@" * 4_000,
    "1" * 9_999 + "x",
    "%" * 9_000,
]
LATER = datetime(2026, 12, 2, tzinfo=UTC)
NESTED = 100_000


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(Path(tmp_path_factory.mktemp("doors"))) as running:
        yield running


@pytest.fixture(scope="module")
def api(company: Stage) -> httpx.Client:
    return company.browser(headers={"authorization": f"Bearer {company.key()}", "content-type": "application/json"})


def only_within_bounds(company: Stage) -> None:
    """Whatever is stored can be reckoned with and kept by every database."""
    for lead in company.rows(Lead):
        told = json.dumps([lead.values, lead.company, lead.email], ensure_ascii=False)
        assert all(is_within_bounds(value) for value in lead.values.values())
        assert "\x00" not in told
        told.encode()
    for said in company.rows(PersonalText):
        assert len(said.text) <= MAX_TEXT
        assert "\x00" not in said.text


def refusal(error: type[Exception], read: Callable[[Any], object], given: Any) -> str:
    """Why that is not read, empty where it is."""
    try:
        read(given)
    except error as refused:
        return str(refused)
    return ""


class TestTheApi:
    @pytest.mark.parametrize("number", [*NUMBERS, OVER], ids=lambda text: text[:12])
    @pytest.mark.parametrize("body", ['{"source_id": "n", "fields": {"own": %s}}', '[{"source_id": "n", "fields": {"own": %s}}]', "%s"])
    def test_a_number_that_is_none_is_refused(self, company: Stage, api: httpx.Client, number: str, body: str) -> None:
        before = len(company.rows(Lead))

        answer = api.post("/api/leads", content=body % number)

        assert answer.status_code in (400, 422) or answer.json()["results"][0]["status"] == 422
        assert len(company.rows(Lead)) == before
        assert len(answer.text) < 1000

    @pytest.mark.parametrize("name", ["message", "company", "source_id", "email"])
    def test_a_text_that_is_too_long_is_refused_by_the_name_of_its_field(self, api: httpx.Client, name: str) -> None:
        answer = api.post("/api/leads", content=json.dumps({"source_id": "t", name: TOO_LONG}))

        [problem] = answer.json()["problems"]
        assert problem["field"] == name
        assert "is longer than " in problem["problem"]

    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text)[:12])
    @pytest.mark.parametrize("name", ["message", "company", "email", "own"])
    def test_a_text_is_refused_or_kept_so_that_every_database_can(self, company: Stage, api: httpx.Client, name: str, text: str) -> None:
        lead = {"source_id": "t", **({"fields": {"own": text}} if name == "own" else {name: text})}

        assert api.post("/api/leads", content=json.dumps(lead)).status_code in (200, 201, 400, 422)
        only_within_bounds(company)

    @pytest.mark.parametrize("opened", ["[", '{"a":', '{"source_id": "1", "fields": ', '[{"fields":[', '[1,"'])
    @pytest.mark.parametrize("times", [30, 4_000, NESTED])
    def test_what_stands_deep_in_one_another_is_refused(self, api: httpx.Client, opened: str, times: int) -> None:
        assert api.post("/api/leads", content=(opened * times)[:900_000]).status_code in (400, 422)

    def test_many_keys_and_many_leads_end(self, api: httpx.Client) -> None:
        many = {"source_id": "k", "fields": {f"k{number}": 1 for number in range(50_000)}}
        assert api.post("/api/leads", content=json.dumps(many)).status_code == 422
        assert api.post("/api/leads", content=json.dumps([1] * 200_000)).status_code == 422


class TestTheFile:
    @pytest.mark.parametrize("cell", [*NUMBERS, OVER, *TEXTS], ids=lambda text: repr(text)[:12])
    @pytest.mark.parametrize("column", ["fields.own", "message", "company", "source_id", "email", "at", "requested_time", "country"])
    def test_a_cell_is_refused_by_its_column_or_kept_within_bounds(self, company: Stage, tmp_path: Path, column: str, cell: str) -> None:
        file = tmp_path / "leads.csv"
        names = ["source_id", "activity", *([column] if column != "source_id" else [])]
        row = [cell if name == column else "one" for name in names]
        file.write_bytes("\n".join([",".join(names), ",".join(row), ""]).encode("utf-8", "surrogatepass"))

        try:
            read = read_leads(file, mapping=None, today=LATER)
        except UnreadableFile:
            assert not cell.isprintable(), "half a character makes a file that is no UTF-8"
            return
        result = import_leads(company.box, read, hold=True, actor="test")

        assert result.new + result.activity + result.merged + result.repeated + len(result.bad) == 1
        assert all(len(bad.reason) < 1000 and "line" not in bad.reason[:0] for bad in result.bad)
        only_within_bounds(company)

    @pytest.mark.parametrize("cell", [*NUMBERS, OVER], ids=lambda text: text[:12])
    @pytest.mark.parametrize("sign", [".", ","])
    def test_a_column_of_numbers_holds_none_that_is_none(self, tmp_path: Path, cell: str, sign: str) -> None:
        mapped, file = tmp_path / "map.yaml", tmp_path / "leads.csv"
        columns = "columns: {source_id: id}\nfields: {size: size}\nconstants: {activity: form_submitted}\nnumber_fields: [size]\n"
        mapped.write_text(f"source: test\n{columns}decimal_sign: '{sign}'\n")
        file.write_text(f"id;size\n1;{cell}\n")

        [bad] = read_leads(file, mapping=read_map(mapped), today=LATER).bad
        assert "size" in bad.reason

    @pytest.mark.parametrize(
        "value", [*NUMBERS, "[" * NESTED, "{a: " * 5_000, TOO_LONG, "!!python/object:os.system x", "&a [*a, *a]"], ids=lambda v: v[:12]
    )
    def test_a_map_is_refused_or_read(self, tmp_path: Path, value: str) -> None:
        mapped = tmp_path / "map.yaml"
        for text in (f"source: test\ncolumns: {{source_id: id}}\nconstants: {{own: {value}}}\n", f"source: {value}\ncolumns: {value}\n"):
            mapped.write_text(text)
            assert len(refusal(UnreadableFile, read_map, mapped)) < 2000


class TestTheAgreement:
    PLACES = [
        "total: 60",
        "version: 1",
        "within: 1 hour",
        "touches: 2",
        "undo: 5 minutes",
        'label: "Something else"',
        "timezone: Europe/London",
        "from: 2026-01-01",
    ]

    @pytest.mark.parametrize(
        "value",
        [*NUMBERS, OVER, *TEXTS, "9" * 4000 + " days", "1e400 hours", "0." + "0" * 5000 + "1 days"],
        ids=lambda text: repr(text)[:12],
    )
    @pytest.mark.parametrize("place", PLACES)
    def test_what_is_too_large_is_refused_with_its_line(self, place: str, value: str) -> None:
        key = place.partition(":")[0]
        for written in {value if value[:1] in "-0123456789NI" else json.dumps(value), json.dumps(value)}:
            text = AGREEMENT.replace(place, f"{key}: {written}", 1)
            told = refusal(InvalidAgreement, read_agreement, text)
            assert all(line.startswith("agreement:") and len(line) < 1000 for line in told.splitlines())
            if not told:
                assert key == "label", "only there may anything stand"
                reasons = read_agreement(text).reasons
                assert all(len(one.label) <= MAX_TEXT and storable(one.label) == one.label for one in reasons)

    @pytest.mark.parametrize("opened", ["[", "{a: ", "- ", "a:\n "])
    def test_what_stands_deep_in_one_another_is_refused(self, opened: str) -> None:
        with pytest.raises(InvalidAgreement):
            read_agreement(AGREEMENT + "more: " + (opened * NESTED)[:200_000])


class TestTheRoster:
    PLACES = ["name: Ana Silva", "email: ana@northgate.example", "team: emea", "timezone: Europe/Lisbon", "role: manager"]

    @pytest.mark.parametrize("value", [*NUMBERS, OVER, *TEXTS], ids=lambda text: repr(text)[:12])
    @pytest.mark.parametrize("place", [*PLACES, "capacity"])
    def test_what_is_too_large_is_refused_or_read(self, place: str, value: str) -> None:
        written = value if value[:1] in "-0123456789NI" else json.dumps(value)
        key, _, _ = place.partition(":")
        changed = (
            ROSTER.replace("name: Ana Silva", f"name: Ana Silva, {key}: {written}")
            if key == "capacity"
            else ROSTER.replace(place, f"{key}: {written}", 1)
        )

        told = refusal(RosterError, read_roster, changed)
        assert len(told) < 25_000
        if not told:
            person = read_roster(changed).people["ana"]
            assert person.capacity is None or person.capacity <= MAX_NUMBER
            assert all(len(text) <= MAX_TEXT for text in (person.name, person.email, person.phone, person.timezone))

    @pytest.mark.parametrize("number", ["9" * 4000, str(MAX_NUMBER + 1), "1e300"])
    def test_a_capacity_that_is_too_large_is_refused_by_its_name(self, number: str) -> None:
        with pytest.raises(RosterError, match=r"people\.ana\.capacity: is no number from -9007199254740992 to 9007199254740992"):
            read_roster(ROSTER.replace("name: Ana Silva", f"name: Ana Silva, capacity: {number}"))

    def test_a_text_that_is_too_long_is_refused_by_its_name(self) -> None:
        with pytest.raises(RosterError, match=r"people\.ana\.phone: is longer than 10000 characters"):
            read_roster(ROSTER.replace("name: Ana Silva", f"name: Ana Silva, phone: {TOO_LONG}"))

    @pytest.mark.parametrize("opened", ["[", "{a: "])
    def test_what_stands_deep_in_one_another_is_refused(self, opened: str) -> None:
        with pytest.raises(RosterError):
            read_roster(ROSTER + "more: " + opened * 20_000)

    def test_a_roster_without_end_is_refused(self) -> None:
        with pytest.raises(RosterError, match="is longer than 2,000,000 characters"):
            read_roster("# " + "x" * 2_000_000)


class TestTheForms:
    FIELDS = [
        "text",
        "colleague",
        "channel",
        "member",
        "revisit_on",
        "renewal_date",
        "refused",
        "state_why_qualified",
        "answer_id",
        "nonce",
        "number",
        "choice",
        "reason",
    ]
    #: What is read as something else than a text. To the other fields each number is a text like any other.
    READ = ["revisit_on", "renewal_date", "refused", "answer_id", "nonce", "number"]
    CASES = [(field, value) for field in FIELDS for value in (NUMBERS[0], *TEXTS)]
    CASES += [(field, value) for field in READ for value in (*NUMBERS[1:], OVER)]

    @pytest.mark.parametrize(("field", "value"), spread(CASES, one_in=5), ids=lambda text: repr(text)[:12])
    def test_a_field_of_an_answer_is_refused_or_kept_within_bounds(self, company: Stage, field: str, value: str) -> None:
        browser = company.browser()
        chosen: dict[str, str | bytes] = {
            "choice": "rejected",
            "reason": "other",
            "text": "Because.",
            field: value.encode("utf-8", "surrogatepass"),
        }

        assert press(browser, company.link, **chosen).status_code in (200, 403, 422)
        only_within_bounds(company)
        assert all(answer.state == "held" for answer in company.rows(Answer))

    def test_a_text_that_is_too_long_is_said(self, company: Stage) -> None:
        page = press(company.browser(), company.link, choice="rejected", reason="other", text=TOO_LONG)

        assert page.status_code == 422
        assert "Please shorten what you wrote in a few words: it has 10,001 characters, and at most 10,000 can be kept." in page.text

    @pytest.mark.parametrize("value", [*NUMBERS, OVER, *TEXTS], ids=lambda text: repr(text)[:12])
    def test_a_digest_takes_no_more(self, company: Stage, value: str) -> None:
        path = company.box.links.for_digest("ana", "2026-12-01", at=company.time.at).removeprefix("http://baton.example")
        raw: Any = value.encode("utf-8", "surrogatepass")

        answer = press_with_number(
            company.browser(), path, **{"choice-1": "rejected", "text-1": raw, "wait-1": raw, "reason-1": raw, "from": raw}
        )
        assert answer.status_code < 500
        only_within_bounds(company)

    @pytest.mark.parametrize("value", NUMBERS, ids=lambda text: text[:12])
    def test_numbers_in_addresses_are_looked_at_with_care(self, company: Stage, value: str) -> None:
        for name in ("done", "held", "late", "undone", "kept", "from", "saved"):
            assert company.browser().get(company.link, params={name: value}).status_code == 200


def test_the_parser_of_yaml_reads_no_number_of_a_million_digits() -> None:
    """Were that otherwise, a file of a megabyte would hold a process up for minutes."""
    with pytest.raises(ValueError, match="Exceeds the limit"):
        YAML(typ="safe", pure=True).load("a: " + "9" * 100_000)
