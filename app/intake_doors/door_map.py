"""The map of an intake door: who may send, how it is signed, and what its payloads mean. mapping.py carries it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path as File
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agreements.lead import ACCOUNT, FieldValue, IncomingLead, Key
from app.csv_import.cells import TIMES
from app.csv_import.lead_map import FACTS, zone_of
from app.csv_import.map_file import tree_of, unfit
from app.intake_doors.paths import Path, parse
from app.intake_doors.signatures import Encoding, Plain, Scheme

#: A fact that a map may name besides those of a lead: a whole name, of which the first word is the first name.
FULL_NAME = "full_name"
#: How a time is written: as a date, or as the number of seconds or milliseconds since 1970.
Written = Literal["iso", "epoch-seconds", "epoch-milliseconds"]
#: Where the values of a lead are fetched that a payload only names.
FetchFrom = Literal["facebook-lead", "hubspot-contact", "linkedin-lead"]
_BASES: Mapping[FetchFrom, str] = {
    "facebook-lead": "https://graph.facebook.com/v21.0",
    "hubspot-contact": "https://api.hubapi.com",
    "linkedin-lead": "https://api.linkedin.com",
}
#: Hosts to which a token may go without TLS.
_THIS_MACHINE: tuple[str, ...] = ("127.0.0.1", "localhost")


def _path(text: Any) -> Any:
    return parse(str(text)) if isinstance(text, (str, int)) and not isinstance(text, bool) else text


def _paths(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_path(one) for one in value)
    return (_path(value),) if isinstance(value, (str, int)) and not isinstance(value, bool) else value


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _words(value: Any) -> Any:
    return [_word(one) for one in value] if isinstance(value, list) else [_word(value)]


def _fact(name: str) -> str:
    if name not in (*FACTS, FULL_NAME):
        raise ValueError(f"a lead has no {name!r}; write one of {', '.join(FACTS)}, or put it under `fields`")
    return name


def _zone(name: str) -> str:
    return zone_of(name).key if name else ""


def _origin(text: str) -> str:
    if not text.startswith(("https://", "http://")) or text.count("/") != 2:
        raise ValueError("write it as https://www.firm.example, without a path")
    return text.lower()


def _page(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise ValueError("write the whole address of a page, such as https://www.firm.example/thank-you")
    return text


def _api(text: str) -> str:
    host = text.removeprefix("http://").partition("/")[0].partition(":")[0]
    if text and not text.startswith("https://") and not (text.startswith("http://") and host in _THIS_MACHINE):
        raise ValueError("write an address that begins with https://, for the token goes there")
    return text


Place = Annotated[Path, BeforeValidator(_path)]
Places = Annotated[tuple[Path, ...], BeforeValidator(_paths), Field(min_length=1, max_length=10)]
Fact = Annotated[str, AfterValidator(_fact)]
Word = Annotated[str, BeforeValidator(_word)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
#: The name of a secret: a setting or a file gives its value.
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
SecretOrNone = Annotated[str, Field(pattern=r"^$|^[a-z][a-z0-9-]{0,60}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Signed(_Part):
    """Who signs, and with which secret.

    by: the vendor, `hmac-sha256` for any other sender, or `key` for a key of Baton with the scope intake. secret: the name of the secret.
    verify: the name of the word that Facebook asks for once. header, prefix, encoding, timestamp_header, window_seconds: only for
    hmac-sha256, see signatures.Plain.
    """

    by: Literal[Scheme, "key"]
    secret: SecretOrNone = ""
    verify: SecretOrNone = ""
    header: Key = "x-signature"
    prefix: str = ""
    encoding: Encoding = "hex"
    timestamp_header: str = ""
    window_seconds: int = Field(default=300, ge=1, le=3600)

    @property
    def plain(self) -> Plain:
        """Return how hmac-sha256 is meant here."""
        return Plain(self.header, self.encoding, self.prefix, self.timestamp_header, timedelta(seconds=self.window_seconds))


class PublicForm(_Part):
    """A form on a web page, which anybody can send.

    token: the name of the word that the form sends along as `baton_form`; it only tells forms apart, for everybody can read it.
    honeypot: a field that people do not see; who fills it in is a robot. origins: the sites whose pages may send it. redirect: the page
    to which the browser goes afterwards; empty for a page of Baton.
    """

    token: SecretName
    honeypot: str = "website"
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(min_length=1)
    redirect: Annotated[str, AfterValidator(_page)] = ""


class Fetch(_Part):
    """Where the values are that the payload only names by an id. `columns` then look into what was fetched.

    source: the vendor's API. id: where the payload has the id. token: the name of the secret with which Baton asks. url: the
    API's address; empty for the vendor's own. properties: of a HubSpot contact, which ones to ask for.
    """

    source: FetchFrom = Field(alias="from")
    id: Place
    token: SecretName
    url: Annotated[str, AfterValidator(_api)] = ""
    properties: tuple[Key, ...] = ()

    @property
    def base(self) -> str:
        """Return the API's address, without a slash at the end."""
        return (self.url or _BASES[self.source]).rstrip("/")


class ConsentMap(_Part):
    """A legal basis that comes with the payload. where, is: only if one of these words stands there; without them, always."""

    channel: Key
    purpose: Key
    basis: Key
    where: Place | None = None
    words: Words = Field(default=("true", "yes", "1", "on"), alias="is")


class DoorMap(_Part):
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
    dates: dict[Key, Written] = {}
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    number_fields: tuple[Key, ...] = ()
    decimal_sign: Literal[".", ","] = "."
    consents: tuple[ConsentMap, ...] = ()

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
        for name in self.fields:
            if name in FACTS:
                yield ("fields", name), "is a fact that every lead has; write it under `columns`"
            if name.startswith(ACCOUNT):
                yield ("fields", name), "is what the CRM says of the company, not the lead; give the field another name"
        for name in set(self.number_fields) - self.fields.keys():
            yield ("number_fields",), f"{name!r} does not stand under `fields`; give it a place there"
        for name in self.dates:
            if name not in TIMES and name not in self.fields:
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
