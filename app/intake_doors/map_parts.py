"""The parts of an intake door's map: who signs, the public form, what is fetched, and how paths and words are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from agreements.lead import Key
from app.csv_import.lead_map import FACTS, zone_of
from app.intake_doors.paths import Path, parse
from app.signatures.webhooks import Encoding, Plain, Scheme

#: A fact that a map may name besides those of a lead: a whole name, of which the first word is the first name.
FULL_NAME = "full_name"
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
Zone = Annotated[str, AfterValidator(_zone)]
Word = Annotated[str, BeforeValidator(_word)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
#: The name of a secret: a setting or a file gives its value.
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
SecretOrNone = Annotated[str, Field(pattern=r"^$|^[a-z][a-z0-9-]{0,60}$")]


class MapPart(BaseModel):
    """A part of a map. A key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Signed(MapPart):
    """Who signs, and with which secret.

    by: the vendor, `hmac-sha256` for any other sender, or `key` for a key of Baton with the scope intake. secret: the name of the secret.
    verify: the name of the word that Facebook asks for once. header, prefix, encoding, timestamp_header, window_seconds: only for
    hmac-sha256, see app.signatures.webhooks.Plain.
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


class PublicForm(MapPart):
    """A form on a web page, which anybody can send.

    token: the name of the word that the form sends along as `baton_form`; it only tells forms apart, for everybody can read it.
    honeypot: a field that people do not see; who fills it in is a robot. origins: the sites whose pages may send it. redirect: the page
    to which the browser goes afterwards; empty for a page of Baton.
    """

    token: SecretName
    honeypot: str = "website"
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(min_length=1)
    redirect: Annotated[str, AfterValidator(_page)] = ""


class Fetch(MapPart):
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


class ConsentMap(MapPart):
    """A legal basis that comes with the payload. where, is: only if one of these words stands there; without them, always."""

    channel: Key
    purpose: Key
    basis: Key
    where: Place | None = None
    words: Words = Field(default=("true", "yes", "1", "on"), alias="is")
