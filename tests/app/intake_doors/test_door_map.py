"""Maps of doors: paths, leads of a batch, values, and mistakes named with their line."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.csv_import.errors import UnreadableFile
from app.intake_doors import mapping, paths
from app.intake_doors.door_map import DoorMap, read_door
from app.intake_doors.mapping import Part, TooMany

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SECONDS, MILLISECONDS = "epoch-seconds", "epoch-milliseconds"
KEY, ID = "source: s\nsigned: {by: key}\n", "columns: {source_id: id}"
WITH_AT, WITH_REFUSAL = {"source_id": "id", "at": "at"}, {"source_id": "id", "do_not_contact": "n"}
FORM = "source: s\nform: {token: t, origins: "
TREE = {
    "a": {"b": 1, "c.d": 2, "e": [{"k": "x", "v": 10}, {"k": 7, "v": 11}, {"n": {"k": True}, "v": 12}]},
    "input_1.3": "flat",
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a.'c.d'", 2),
        ("a.e[0].v", 10),
        ("a.e[k=x].v", 10),
        ("a.e[k=7].v", 11),
        ("a.e[n.k=true].v", 12),
        ("a.e[k='x'].v", 10),
        ("input_1.3", "flat"),
        ("'input_1.3'", "flat"),
        ("$.a.b", 1),
        ("none", None),
        ("a.e[9].v", None),
        ("a.e[k=z].v", None),
        ("a.b.c", None),
        ("b", None),
    ],
)
def test_where_a_path_leads(path: str, value: Any) -> None:
    assert paths.find(paths.parse(path), TREE, TREE) == value


@pytest.mark.parametrize("path", ["a[", "a]", "a[x]", "a[=1]", "'a", "a..", "x" * 301])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        paths.parse(path)


def door(**more: Any) -> DoorMap:
    """A map with these parts."""
    return DoorMap.model_validate({"source": "s", "signed": {"by": "key"}, "columns": {"source_id": "id"}, **more})


class TestBatches:
    BATCH = {"from": "here", "entry": [{"changes": [{"id": 1}, {"id": 2}]}, {"changes": []}, {"changes": [{"id": 3}]}]}

    def test_each_lead_is_a_part_with_a_payload_of_its_own(self) -> None:
        found = mapping.parts_of(door(leads="entry[].changes[]"), self.BATCH)

        assert [part.value["id"] for part in found] == [1, 2, 3]
        assert [part.whole for part in found] == [{"from": "here", "entry": [{"changes": [{"id": number}]}]} for number in (1, 2, 3)]

    def test_a_part_read_again_is_the_same_part(self) -> None:
        made = door(leads="entry[].changes[]")
        for part in mapping.parts_of(made, self.BATCH):
            assert mapping.parts_of(made, part.whole) == [part]

    @pytest.mark.parametrize(
        ("value", "empty"),
        [
            ({"entry": []}, True),
            ({"entry": [{"changes": []}]}, True),
            ({}, False),
            ({"entry": {}}, False),
            ({"entry": [{}]}, False),
            ([], False),
        ],
    )
    def test_a_list_without_leads_is_not_a_list_that_is_missing(self, value: Any, empty: bool) -> None:
        made = door(leads="entry[].changes[]")
        assert mapping.parts_of(made, value) == []
        assert made.leads is not None
        assert paths.is_empty(made.leads, value) is empty

    def test_more_than_a_thousand_are_refused(self) -> None:
        with pytest.raises(TooMany):
            mapping.parts_of(door(leads="[]"), [{"id": number} for number in range(1001)])


@pytest.mark.parametrize(
    ("more", "sent", "fact", "value"),
    [
        ({}, {"id": 17}, "source_id", "17"),
        ({}, {"id": 2**80}, "source_id", str(2**80)),
        ({}, {"id": 17.0}, "source_id", "17"),
        ({}, {"id": True}, "source_id", "true"),
        ({"columns": {"source_id": ["no", "empty", "id"]}}, {"id": 1, "empty": ""}, "source_id", "1"),
        ({"columns": WITH_AT, "dates": {"at": SECONDS}}, {"id": 1, "at": 1796032937}, "at", "2026-11-30T10:02:17"),
        ({"columns": WITH_AT, "dates": {"at": SECONDS}}, {"id": 1, "at": "1796032937"}, "at", "2026-11-30T10:02:17"),
        ({"columns": WITH_AT, "dates": {"at": MILLISECONDS}}, {"id": 1, "at": 1796032937000}, "at", "2026-11-30T10:02:17"),
        ({"columns": WITH_AT, "timezone": "Europe/Berlin"}, {"id": 1, "at": "2026-11-30 11:02"}, "at", "2026-11-30T10:02:00"),
        ({"columns": WITH_AT}, {"id": 1, "at": "2026-11-30T10:02:17+0000"}, "at", "2026-11-30T10:02:17"),
        ({"columns": WITH_AT, "dates": "day-first"}, {"id": 1, "at": "30/11/2026 10:02:17"}, "at", "2026-11-30T10:02:17"),
        ({"columns": WITH_AT, "dates": {"at": "%d.%m.%Y %H:%M"}}, {"id": 1, "at": "30.11.2026 10:02"}, "at", "2026-11-30T10:02:00"),
        ({"columns": {"source_id": "id", "message": "m"}}, {"id": 1, "m": ["red", "blue"]}, "message", "red, blue"),
        ({"columns": WITH_REFUSAL}, {"id": 1, "n": True}, "do_not_contact", True),
        ({"columns": WITH_REFUSAL, "values": {"do_not_contact": {"no": True}}}, {"id": 1, "n": "no"}, "do_not_contact", True),
        ({"columns": {"source_id": "id", "path": "k"}, "values": {"path": {"true": "demo"}}}, {"id": 1, "k": True}, "path", "demo"),
        ({"columns": {"source_id": "id", "full_name": "n"}}, {"id": 1, "n": "Ana  Maria Silva"}, "last_name", "Maria Silva"),
        ({"columns": {"source_id": "id", "full_name": "n", "first_name": "f"}}, {"id": 1, "n": "A Silva", "f": "An"}, "first_name", "An"),
    ],
)  # fmt: skip
def test_what_a_value_means(more: dict[str, Any], sent: dict[str, Any], fact: str, value: Any) -> None:
    facts, problems = mapping.facts_of(door(**more), Part(sent, sent), now=NOW)

    assert problems == []
    assert (facts[fact].isoformat()[:19] if fact == "at" else facts[fact]) == value


@pytest.mark.parametrize(
    ("more", "sent", "field", "said"),
    [
        ({}, {"id": 2.5}, "source_id", "digits may be lost"),
        ({}, {"id": 1e30}, "source_id", "digits may be lost"),
        ({}, {"id": {"a": 1}}, "source_id", "is not a single value"),
        ({}, {"id": [[1]]}, "source_id", "is not a single value"),
        ({"columns": WITH_AT}, {"id": 1, "at": 1796032937}, "at", "say under `dates`"),
        ({"columns": WITH_AT}, {"id": 1, "at": "30/11/2026"}, "at", "is no date"),
        ({"columns": WITH_AT, "dates": {"at": SECONDS}}, {"id": 1, "at": 1796032937000}, "at", "seconds since 1970"),
        ({"columns": WITH_AT, "dates": {"at": MILLISECONDS}}, {"id": 1, "at": 1796032937}, "at", "more than 50 years ago"),
        ({"columns": WITH_AT, "dates": {"at": SECONDS}}, {"id": 1, "at": "now"}, "at", "no number of seconds"),
        ({"columns": WITH_AT, "dates": "month-first"}, {"id": 1, "at": "30/11/2026"}, "at", "its month would be 30"),
        ({"fields": {"size": "s"}, "number_fields": ["size"]}, {"id": 1, "s": "many"}, "size", "is no number"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_as_declared_is_named_and_never_guessed(
    more: dict[str, Any], sent: dict[str, Any], field: str, said: str
) -> None:
    _, problems = mapping.facts_of(door(**more), Part(sent, sent), now=NOW)

    assert [one["field"] for one in problems] == [field]
    assert said in problems[0]["problem"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (KEY + "columns: {email: e}", "map.yaml:3: columns: source_id is missing"),
        ("source: s\n" + ID, "map.yaml:1: signed: write either `signed:`"),
        ("source: s\nsigned: {by: typeform}\n" + ID, "map.yaml:2: signed.secret: name the secret"),
        ("source: s\nsigned: {by: key, secret: x}\n" + ID, "map.yaml:2: signed.secret: a key of Baton needs no secret"),
        ("source: s\nsigned: {by: typefrom, secret: x}\n" + ID, "map.yaml:2: signed.by: "),
        ("source: s\nsigned: {by: typeform, secret: 'pa$$ word'}\n" + ID, "map.yaml:2: signed.secret"),
        (KEY + "columns: {source_id: id, emial: e}", "map.yaml:3: columns.emial: a lead has no 'emial'"),
        (KEY + "columns: {source_id: 'a['}", "map.yaml:3: columns.source_id: 'a[' is no path"),
        (KEY + "leads: entry\n" + ID, "map.yaml:3: leads: must name a list"),
        (KEY + "columns: {source_id: 'a[].b'}", "map.yaml:3: columns.source_id: must lead to one place"),
        (KEY + "values: {country: {x: GB}}\n" + ID, "map.yaml:3: values.country: is neither"),
        (KEY + "constants: {email: nobody}\n" + ID, "map.yaml:3: constants.email: is not an e-mail"),
        (KEY + "dates: {email: epoch-seconds}\n" + ID, "map.yaml:3: dates.email: is no time"),
        (KEY + "timezone: Mars\n" + ID, "map.yaml:3: timezone: 'Mars' is no time zone"),
        (FORM + "[firm.example]}\n" + ID, "map.yaml:2: form.origins"),
        (FORM + "[]}\n" + ID, "map.yaml:2: form.origins"),
        (FORM + "['https://a.example'], redirect: 'javascript:x'}\n" + ID, "map.yaml:2: form.redirect"),
        (KEY + "fetch: {from: facebook-lead, id: 'a[]', token: t}\n" + ID, "map.yaml:3: fetch.id"),
        ("- a", "map.yaml:1: a map is a mapping"),
        ("source: [", "map.yaml:1: "),
    ],
)  # fmt: skip
def test_mistakes_in_a_map_are_named_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(textwrap.dedent(text))

    with pytest.raises(UnreadableFile) as found:
        read_door(file)

    assert said in str(found.value)
