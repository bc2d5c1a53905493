"""The map that says what the columns of a foreign file mean. columns.py carries it out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from agreements.errors import HandoffError
from agreements.lead import ACCOUNT, FieldValue, IncomingLead, Key
from app.csv_import.audit_columns import AuditColumns

MAX_MAP_BYTES = 100_000
#: The facts that a column can hold; everything else is a field of the agreement.
FACTS = tuple(name for name in IncomingLead.model_fields if name not in ("fields", "consents"))


class UnreadableFile(HandoffError):
    """The file cannot be used; nothing in it was taken in."""


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
Cell = Annotated[str, BeforeValidator(_cell)]


class OutcomeMap(BaseModel):
    """Where a file says what became of the leads: columns of the same file, or of a file beside it.

    file: in the folder of the leads file; empty for the same file. source_id: the column with the lead's id; empty for the name that
    it has in the leads file. won_at, lost_at, assigned_at, contacted_at: columns with a time; empty for none.
    timezone: of times without a zone; empty for that of the map.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = ""
    source_id: str = ""
    won_at: Key
    lost_at: str = ""
    assigned_at: str = ""
    contacted_at: str = ""
    timezone: Annotated[str, AfterValidator(_known_zone)] = ""

    @property
    def columns(self) -> dict[str, str]:
        """Return the mapped times: what happened -> column."""
        return {name: column for name in OUTCOMES if (column := getattr(self, name))}


#: The events whose time an outcome may give.
OUTCOMES = ("won_at", "lost_at", "assigned_at", "contacted_at")


class LeadMap(BaseModel):
    """What the columns of a file mean.

    source: names the file's origin; with the source id it names a lead for ever. columns: fact of the lead -> column.
    constants: fact -> its value for every row. fields: field of the agreement -> column. values: fact or field -> what its
    cells mean ("" is the empty cell; an unlisted cell stays as it is). timezone: of dates without a zone; empty leaves it to
    the caller. number_fields: fields whose cells must be numbers, with this decimal_sign. agreement: the example agreement
    under which the demo runs these leads; nothing else reads it. outcomes, after_contact: for trying agreements out on past
    leads: what became of them, and which facts and fields are written down only after sales has contacted a lead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Key = "csv"
    columns: dict[Fact, Key]
    constants: dict[Fact, FieldValue] = {}
    fields: dict[Key, Key] = {}
    values: dict[Key, dict[Cell, FieldValue]] = {}
    timezone: Annotated[str, AfterValidator(_known_zone)] = ""
    number_fields: tuple[Key, ...] = ()
    decimal_sign: Literal[".", ","] = "."
    agreement: str = ""
    outcomes: OutcomeMap | None = None
    after_contact: tuple[Key, ...] = ()
    audit: AuditColumns | None = None

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
        for name in self.fields:
            if name in FACTS:
                yield ("fields", name), "is a fact that every lead has; write it under `columns`"
            if name.startswith(ACCOUNT):
                yield ("fields", name), "is what the CRM says of the company, not the lead; give the field another name"
        for name in set(self.number_fields) - self.fields.keys():
            yield ("number_fields",), f"{name!r} does not stand under `fields`; give it a column there"
        for name in set(self.after_contact) - self.columns.keys() - self.fields.keys():
            yield ("after_contact",), f"{name!r} is neither under `columns` nor under `fields`; leave it out, or give it a column there"
        if self.outcomes and self.outcomes.source_id and not self.outcomes.file:
            yield ("outcomes", "source_id"), "is only for a separate file; name the file under `file`, or leave `source_id` out"
        try:
            IncomingLead.model_validate({**self.constants, "source_id": "any"})
        except ValidationError as error:
            yield from ((("constants", *one["loc"]), one["msg"]) for one in error.errors())


class AMap(Protocol):
    """A model of a map: pydantic reads it, and it says what does not fit together."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """Return the map. Raises ValidationError."""
        ...

    def problems(self) -> Iterator[tuple[tuple[Any, ...], str]]:
        """Yield what does not fit together: where, and what to write instead."""
        ...


M = TypeVar("M", bound=AMap)


def read_map(path: Path) -> LeadMap:
    """Read the map from a YAML file. Raises UnreadableFile with each mistake as `file:line: where: what to write`."""
    return read_map_as(LeadMap, path)


def read_map_as(kind: type[M], path: Path) -> M:
    """Read a map of this kind, as `read_map` does."""
    tree = tree_of(path)
    try:
        lead_map = kind.model_validate(tree)
    except ValidationError as error:
        found = [(one["loc"], one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    else:
        found = list(lead_map.problems())
        if not found:
            return lead_map
    raise unfit(path, tree, found)


def tree_of(path: Path) -> CommentedMap:
    """Return what the YAML file of a map holds, with the place of each key. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MAP_BYTES + 1).decode("utf-8-sig")
        if len(text) > MAX_MAP_BYTES:
            raise UnreadableFile(f"{path}: is larger than {MAX_MAP_BYTES:,} bytes; a map is a page")
        tree = YAML(typ="rt", pure=True).load(io.StringIO(text))
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}; name a map that can be read") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UnreadableFile(f"{path}:{line}: {(error.problem or 'is not readable YAML').strip()}") from error
    except UnreadableFile:
        raise
    except Exception as error:  # ruamel lets several unrelated types through for text that is no YAML
        raise UnreadableFile(f"{path}:1: is not readable YAML in UTF-8: {str(error)[:200]}") from error
    if not isinstance(tree, CommentedMap):
        raise UnreadableFile(f"{path}:1: a map is a mapping that begins with `source: name` and `columns:`")
    return tree


def unfit(path: Path, tree: CommentedMap, found: Sequence[tuple[tuple[Any, ...], str]]) -> UnreadableFile:
    """Return the error that names each mistake as `file:line: where: what to write`, in the order of the file."""
    return UnreadableFile(
        "\n".join(_told(path, tree, where, what) for where, what in sorted(found, key=lambda one: _line_of(tree, one[0])))
    )


def _told(path: Path, tree: CommentedMap, where: tuple[Any, ...], what: str) -> str:
    names = ".".join(str(key) for key in where if key != "[key]")
    return f"{path}:{_line_of(tree, where)}: {names}: {what}"


def _line_of(tree: Any, where: tuple[Any, ...]) -> int:
    line = 1
    for key in where:
        if not isinstance(tree, CommentedMap) or key not in tree:
            break
        line, tree = tree.lc.key(key)[0] + 1, tree[key]
    return line


def zone_of_file(mapping: LeadMap | None, timezone: str) -> ZoneInfo:
    """Return the zone of times without a zone: that of the map, else this one. Raises UnreadableFile for a name that is no zone."""
    try:
        return zone_of((mapping.timezone if mapping else "") or timezone)
    except ValueError as error:
        raise UnreadableFile(str(error)) from error
