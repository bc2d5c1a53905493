"""The CRM of this installation, from its settings. Its secret is read when the CRM needs it, and is never kept or shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from agreements.crm_words import fields_read
from agreements.errors import CrmError, RosterError
from agreements.words import word
from storage import contracts, roster
from storage.crm.past import CrmPast
from storage.crm.port import Crm
from storage.database import Database
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting

CrmKind = Literal["local", "hubspot", "salesforce"]
KINDS: tuple[CrmKind, ...] = ("local", "hubspot", "salesforce")
#: The API of each vendor that has one for all its customers.
_API: Mapping[CrmKind, str] = {"hubspot": "https://api.hubapi.com"}
#: The only hosts that Baton talks to without TLS: a program of this machine, for tests.
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_SECRET_BLOCK = "prefect-secret:"
_WRITE = "write local:, hubspot: or salesforce://MY-DOMAIN.my.salesforce.com"


class CrmAddress(NamedTuple):
    """Which CRM, and the base URL of its API without a slash at the end; empty for the local one."""

    kind: CrmKind
    api: str


def read_crm_url(url: str) -> CrmAddress:
    """Return what BATON_CRM_URL says. An API has https, except one on this machine. Raises ValueError, which says what to write."""
    parts = urlsplit(url.strip())
    kind = word(parts.scheme, KINDS)
    if kind is None:
        raise ValueError(f"names no CRM that Baton knows; {_WRITE}")
    if kind == "local":
        if parts.netloc or parts.path:
            raise ValueError("local: stands alone; the file is BATON_CRM_PATH")
        return CrmAddress(kind, "")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError("holds more than a host; the secret is BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("has a port that is no number") from None
    if not host:
        if kind not in _API:
            raise ValueError(f"names no host; {_WRITE}")
        return CrmAddress(kind, _API[kind])
    scheme = "http" if host in _THIS_MACHINE else "https"
    shown = f"[{host}]" if ":" in host else host
    return CrmAddress(kind, f"{scheme}://{shown}{f':{port}' if port else ''}")


def wire_crm(settings: Settings, database: Database) -> Crm:
    """Return the CRM of this installation. Its library is imported only where it is used. Raises WrongSetting."""
    address = _address(settings)
    if address.kind == "local":
        from storage.crm.local import LocalCrm

        return LocalCrm(local_file(settings), read_by_people=settings.crm_people)
    return _vendors(
        address, settings, token=partial(read_token, settings), people=partial(addresses_of_people, database), database=database
    )


def wire_past(settings: Settings) -> CrmPast:
    """Return the past of this installation's CRM, by a client that can only read. It needs no database. Raises WrongSetting."""
    address, token = _address(settings), partial(read_token, settings)
    if address.kind == "local":
        from storage.crm.local_past import LocalPast

        return LocalPast(local_file(settings))
    from storage.crm.read_only import only

    if address.kind == "hubspot":
        from storage.crm import hubspot_past
        from storage.crm.hubspot_api import HubSpotApi

        return hubspot_past.HubSpotPast(HubSpotApi(address.api, token=token, check=only(hubspot_past.READS)))
    from storage.crm import salesforce_past
    from storage.crm.salesforce_api import SalesforceApi

    return salesforce_past.SalesforcePast(SalesforceApi(address.api, token, check=only(salesforce_past.READS)))


def local_file(settings: Settings) -> Path:
    """Return the file of the local CRM."""
    return Path(settings.crm_path) if settings.crm_path else settings.folder / "crm.db"


def _address(settings: Settings) -> CrmAddress:
    """Return which CRM this is, and that it has a secret if it needs one. Raises WrongSetting."""
    try:
        address = read_crm_url(settings.crm_url)
    except ValueError as error:
        raise WrongSetting([f"BATON_CRM_URL: {error}"]) from error
    if address.kind != "local" and bool(settings.crm_token) == bool(settings.crm_token_file):
        raise WrongSetting(["BATON_CRM_TOKEN or BATON_CRM_TOKEN_FILE: set one of them, as BATON_CRM_URL names a CRM that asks for a token"])
    return address


def _vendors(
    address: CrmAddress, settings: Settings, *, token: Callable[[], str], people: Callable[[], Mapping[str, str]], database: Database
) -> Crm:
    """The adapter of a vendor's CRM. token, people: read anew whenever the adapter needs them, off the event loop."""
    fields = partial(fields_of_agreements, database)
    if address.kind == "hubspot":
        from storage.crm.hubspot import HubSpotCrm
        from storage.crm.hubspot_api import HubSpotApi

        return HubSpotCrm(HubSpotApi(address.api, token=token), people=people, fields=fields, read_by_people=settings.crm_people)
    from storage.crm.salesforce import SalesforceCrm

    return SalesforceCrm(address.api, token=token, people=people, fields=fields, read_by_people=settings.crm_people)


def read_token(settings: Settings) -> str:
    """Return the CRM's secret from the setting, its file or its Prefect Secret block. Raises CrmError, which names the setting."""
    if settings.crm_token_file:
        try:
            token = Path(settings.crm_token_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CrmError(f"BATON_CRM_TOKEN_FILE: the file cannot be read ({type(error).__name__})", permanent=True) from None
        if not token:
            raise CrmError("BATON_CRM_TOKEN_FILE: the file is empty", permanent=True)
        return token
    if settings.crm_token.startswith(_SECRET_BLOCK):
        return _from_block(settings.crm_token.removeprefix(_SECRET_BLOCK))
    return settings.crm_token


def _from_block(name: str) -> str:
    """The value of a Secret block. Prefect is imported here, since most installations have no such block."""
    from prefect.blocks.system import Secret

    try:
        block: Any = Secret.load(name)
    except ValueError:
        raise CrmError(f"BATON_CRM_TOKEN: Prefect has no Secret block {name}; create it, or name another one", permanent=True) from None
    except Exception as error:
        raise CrmError(f"BATON_CRM_TOKEN: Prefect did not give its Secret block {name} ({type(error).__name__})") from None
    return str(block.get())


def addresses_of_people(database: Database) -> Mapping[str, str]:
    """The e-mail address of each person of the roster in force, by the person's id; empty while no roster is loaded."""
    with database.read() as session:
        try:
            return {ident: person.email for ident, person in roster.current(session).people.items() if person.email}
        except RosterError:
            return {}


def fields_of_agreements(database: Database) -> frozenset[str]:
    """The names of fields in the CRM that the agreements name, for stages, reasons and details; the adapter reads their changes."""
    with database.read() as session:
        agreed = [contracts.read(row) for row in contracts.all_of(session)]
    return frozenset(name for one in agreed for name in fields_read(one))
