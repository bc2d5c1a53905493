"""The map of an intake door: who may send, how it is signed, and what its payloads mean. mapping.py carries it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationError

from agreements.lead import FieldValue, IncomingLead, Key
from app.csv_import.cells import TIMES
from app.csv_import.dates import ISO, Dates
from app.csv_import.lead_map import ALL, DateForm, misnamed_fields
from app.csv_import.map_file import tree_of, unfit
from app.intake_doors.map_parts import FULL_NAME, ConsentMap, Fact, Fetch, MapPart, Place, Places, PublicForm, Signed, Word, Words, Zone
from app.intake_doors.paths import parse


def _for_all(dates: Any) -> Any:
    return {ALL: dates} if isinstance(dates, str) else dates


class DoorMap(MapPart):
    """What the payloads of one sender mean.

    source: names the sender in each lead. leads: where the payload has the list of leads; empty if the payload is one. only: path ->
    the words of which one must stand there; unless: path -> the words of which none may; any other lead is passed over. columns: fact
    -> its path, or several of which the first with a value counts. constants: fact -> its value for every lead. fields: field of the
    agreement -> path. values: fact or field -> what its words mean. dates: how a time is written. timezone: of times without a zone.
    number_fields, decimal_sign: as in a map for files.
    """

    source: Key
    signed: Signed | None = None
    form: PublicForm | None = None
    fetch: Fetch | None = None
    leads: Place | None = None
    only: dict[Key, Words] = {}
    unless: dict[Key, Words] = {}
    columns: dict[Fact, Places]
    constants: dict[Fact, FieldValue] = {}
    fields: dict[Key, Places] = {}
    values: dict[Key, dict[Word, FieldValue]] = {}
    dates: Annotated[dict[str, DateForm], BeforeValidator(_for_all)] = {}
    timezone: Zone = "UTC"
    number_fields: tuple[Key, ...] = ()
    decimal_sign: Literal[".", ","] = "."
    consents: tuple[ConsentMap, ...] = ()

    def dates_of(self, name: str) -> Dates:
        """Return how the dates of this fact or field are written; of anything else, how all are."""
        return Dates(self.dates.get(name) or self.dates.get(ALL, ISO))

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        yield from self._about_senders()
        yield from self._about_columns()
        try:
            IncomingLead.model_validate(
                {**{name: value for name, value in self.constants.items() if name != FULL_NAME}, "source_id": "any"}
            )
        except ValidationError as error:
            yield from ((("constants", *one["loc"]), one["msg"].removeprefix("Value error, ")) for one in error.errors())

    def _about_senders(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        if (self.signed is None) == (self.form is None):
            yield ("signed",), "write either `signed:` for a sender that signs or has a key, or `form:` for a form on a web page"
        if self.signed and (self.signed.by == "key") == bool(self.signed.secret):
            remedy = (
                "a key of Baton needs no secret here; leave it out" if self.signed.secret else "name the secret, such as `secret: typeform`"
            )
            yield ("signed", "secret"), remedy
        if self.signed and self.signed.verify and self.signed.by != "facebook":
            yield ("signed", "verify"), "only Facebook asks for this word; leave it out"
        if self.fetch and self.fetch.id.has_every:
            yield ("fetch", "id"), "must lead to one place; write `[]` under `leads`"
        if self.leads and not self.leads.has_every:
            yield ("leads",), "must name a list; write `[]` behind it, such as `entry[].changes[]`, or `[]` alone"
        if self.leads and self.leads.whole:
            yield ("leads",), "begins at the whole payload anyway; leave `$` out"

    def _about_columns(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        if "source_id" not in self.columns:
            yield ("columns",), "source_id is missing; name the place of the id of each lead"
        for name in ("source",):
            if name in self.constants or name in self.columns:
                yield ("columns" if name in self.columns else "constants", name), "write it as `source:` at the top of the map"
        for name in self.constants.keys() & self.columns.keys():
            yield ("constants", name), "is under `columns` as well; keep one of the two"
        for name in self.values.keys() - self.columns.keys() - self.fields.keys():
            yield ("values", name), "is neither under `columns` nor under `fields`; give it a place there"
        yield from misnamed_fields(self.fields)
        for name in set(self.number_fields) - self.fields.keys():
            yield ("number_fields",), f"{name!r} does not stand under `fields`; give it a place there"
        for name in self.dates:
            if name not in (ALL, *TIMES) and name not in self.fields:
                yield ("dates", name), f"is no time; write one of {', '.join(TIMES)}, or a field"
        for kind, places in (("columns", self.columns), ("fields", self.fields)):
            for name, several in places.items():
                if any(one.has_every for one in several):
                    yield (kind, name), "must lead to one place; `[]` is for `leads`, and a list of words needs none"
        for key, asked in (("only", self.only), ("unless", self.unless)):
            for text in asked:
                try:
                    parse(text)
                except ValueError as error:
                    yield (key, text), str(error)


def read_door(path: File) -> DoorMap:
    """Read the map from a YAML file. Raises UnreadableFile with each mistake as `file:line: where: what to write`."""
    tree = tree_of(path)
    try:
        door = DoorMap.model_validate(tree)
    except ValidationError as error:
        found = [(one["loc"], one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    else:
        found = list(door.problems())
        if not found:
            return door
    raise unfit(path, tree, found)
