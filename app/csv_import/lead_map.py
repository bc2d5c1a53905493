"""The map that says what the columns of a foreign file mean. columns.py carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agreements.lead import ACCOUNT, FieldValue, IncomingLead, Key
from app.csv_import.audit_columns import AuditColumns
from app.csv_import.cells import TIMES
from app.csv_import.dates import ISO, Dates, known_form
from app.csv_import.encoding import known_encoding
from app.csv_import.errors import UnreadableFile
from app.csv_import.map_file import read_map_as
from app.csv_import.table_text import spaced

#: Under this name a map says how all dates are written.
ALL = ""
#: The facts that a column can hold; everything else is a field of the agreement.
FACTS = tuple(name for name in IncomingLead.model_fields if name not in ("fields", "consents"))


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of that name. Raises ValueError that says what to write instead."""
    try:
        return ZoneInfo(name)
    except Exception:  # zoneinfo raises several unrelated types for one bad name
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/London") from None


def _known_fact(name: str) -> str:
    if name not in FACTS:
        raise ValueError(f"a lead has no {name!r}; write one of {', '.join(FACTS)}, or put it under `fields`")
    return name


def _known_zone(name: str) -> str:
    return zone_of(name).key if name else ""


def _cell(key: Any) -> Any:
    return str(key) if type(key) is int else key


Fact = Annotated[str, AfterValidator(_known_fact)]


def _for_all(dates: Any) -> Any:
    return {ALL: dates} if isinstance(dates, str) else dates


ColumnName = Annotated[Key, AfterValidator(spaced)]
DateForm = Annotated[str, AfterValidator(known_form)]
Cell = Annotated[str, BeforeValidator(_cell)]


def _one_or_more(words: Any) -> Any:
    return [_word(one) for one in (words if isinstance(words, list | tuple) else [words])]


def _word(cell: Any) -> Any:
    return str(cell).lower() if isinstance(cell, bool) else _cell(cell)


class StageColumn(BaseModel):
    """A column that says by a word what became of a lead. is: the cells, in any capitals, that say yes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: ColumnName
    words: Annotated[tuple[Key, ...], BeforeValidator(_one_or_more), Field(alias="is", min_length=1)]


class OutcomeMap(BaseModel):
    """Where a file says what became of the leads: columns of the same file, or of a file beside it.

    file: in the folder of the leads file; empty for the same file. source_id: the column with the lead's id; empty for the name that
    it has in the leads file. won_at, lost_at, assigned_at, accepted_at, contacted_at, opportunity_at: columns with a time; empty for
    none. won, lost, assigned, accepted, contacted, opportunity: columns that say it by a word; a time beside one counts only where the
    word says yes.
    timezone: of times without a zone; empty for that of the map. dates: how times are written; empty as in the map.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = ""
    source_id: str = ""
    won_at: str = ""
    lost_at: str = ""
    assigned_at: str = ""
    accepted_at: str = ""
    contacted_at: str = ""
    opportunity_at: str = ""
    won: StageColumn | None = None
    lost: StageColumn | None = None
    assigned: StageColumn | None = None
    accepted: StageColumn | None = None
    contacted: StageColumn | None = None
    opportunity: StageColumn | None = None
    timezone: Annotated[str, AfterValidator(_known_zone)] = ""
    dates: DateForm | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Return the mapped times: what happened -> column."""
        return {name: column for name in OUTCOMES if (column := getattr(self, name))}

    @property
    def stages(self) -> dict[str, StageColumn]:
        """Return the columns that say it by a word: what happened -> column."""
        return {name: stage for name in STAGES if (stage := getattr(self, name))}


#: The events whose time an outcome may give.
OUTCOMES = ("won_at", "lost_at", "assigned_at", "accepted_at", "contacted_at", "opportunity_at")
#: What an outcome may say by a word.
STAGES = tuple(name.removesuffix("_at") for name in OUTCOMES)


def misnamed_fields(names: Iterable[str]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the fields of a map that cannot have their name: where, and what to write instead."""
    for name in names:
        if name in FACTS:
            yield ("fields", name), "is a fact that every lead has; write it under `columns`"
        if name.startswith(ACCOUNT):
            yield ("fields", name), "is what the CRM says of the company, not the lead; give the field another name"


class LeadMap(BaseModel):
    """What the columns of a file mean.

    source: names the file's origin; with the source id it names a lead for ever. columns: fact of the lead -> column.
    constants: fact -> its value for every row. fields: field of the agreement -> column. values: fact or field -> what its
    cells mean ("" is the empty cell; an unlisted cell stays as it is). optional: facts and fields whose column a file may lack.
    prefixes: fact or field -> what the file writes in front of each of its cells. encoding: of the file; empty for UTF-8.
    dates: how the file writes dates, in all columns or for each fact; ISO where nothing is said. timezone: of dates without a zone;
    empty leaves it to the caller. number_fields: fields whose cells must be numbers, with this decimal_sign. agreement: the example
    agreement under which the demo runs these leads; nothing else reads it. outcomes, after_contact: for trying agreements out on
    past leads: what became of them, and which facts and fields are written down only after sales has contacted a lead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Key = "csv"
    columns: dict[Fact, ColumnName]
    constants: dict[Fact, FieldValue] = {}
    fields: dict[Key, ColumnName] = {}
    values: dict[Key, dict[Cell, FieldValue]] = {}
    optional: tuple[Key, ...] = ()
    prefixes: dict[Key, Key] = {}
    encoding: Annotated[str, AfterValidator(known_encoding)] = ""
    dates: Annotated[dict[str, DateForm], BeforeValidator(_for_all)] = {}
    timezone: Annotated[str, AfterValidator(_known_zone)] = ""
    number_fields: tuple[Key, ...] = ()
    decimal_sign: Literal[".", ","] = "."
    agreement: str = ""
    outcomes: OutcomeMap | None = None
    after_contact: tuple[Key, ...] = ()
    audit: AuditColumns | None = None

    def dates_of(self, fact: str) -> Dates:
        """Return how the dates of this fact are written; of anything else, how all are."""
        return Dates(self.dates.get(fact) or self.dates.get(ALL, ISO))

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        if "source_id" not in self.columns:
            yield ("columns",), "source_id is missing; name the column that holds the id of each lead"
        if "source" in self.constants:
            yield ("constants", "source"), "write it as `source:` at the top of the map"
        for name in self.constants.keys() & self.columns.keys():
            yield ("constants", name), "is under `columns` as well; keep one of the two"
        for name in self.values.keys() - self.columns.keys() - self.fields.keys():
            yield ("values", name), "is neither under `columns` nor under `fields`; give it a column there"
        for what, names in (("optional", self.optional), ("prefixes", tuple(self.prefixes))):
            for name in set(names) - self.columns.keys() - self.fields.keys():
                yield (what, name), f"{name!r} is neither under `columns` nor under `fields`; give it a column there"
        if "source_id" in self.optional:
            yield ("optional",), "source_id is needed in every file; leave it out here"
        for name in self.dates:
            if name != ALL and (name not in TIMES or name not in self.columns):
                yield ("dates", name), f"is no time under `columns`; times are {' and '.join(TIMES)}"
        yield from misnamed_fields(self.fields)
        for name in set(self.number_fields) - self.fields.keys():
            yield ("number_fields",), f"{name!r} does not stand under `fields`; give it a column there"
        for name in set(self.after_contact) - self.columns.keys() - self.fields.keys():
            yield ("after_contact",), f"{name!r} is neither under `columns` nor under `fields`; leave it out, or give it a column there"
        if self.outcomes and not self.outcomes.won_at and not self.outcomes.won:
            yield ("outcomes", "won_at"), "Field required: name the column with the time of a win, or write `won: {column: …, is: […]}`"
        if self.outcomes and self.outcomes.source_id and not self.outcomes.file:
            yield ("outcomes", "source_id"), "is only for a separate file; name the file under `file`, or leave `source_id` out"
        try:
            IncomingLead.model_validate({**self.constants, "source_id": "any"})
        except ValidationError as error:
            yield from ((("constants", *one["loc"]), one["msg"]) for one in error.errors())


def read_map(path: Path) -> LeadMap:
    """Read the map from a YAML file. Raises UnreadableFile with each mistake as `file:line: where: what to write`."""
    return read_map_as(LeadMap, path)


def zone_of_file(mapping: LeadMap | None, timezone: str) -> ZoneInfo:
    """Return the zone of times without a zone: that of the map, else this one. Raises UnreadableFile for a name that is no zone."""
    try:
        return zone_of((mapping.timezone if mapping else "") or timezone)
    except ValueError as error:
        raise UnreadableFile(str(error)) from error
