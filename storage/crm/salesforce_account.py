"""The account of a company in Salesforce: found by the host of its website, otherwise by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from storage.crm.port import Account
from storage.crm.salesforce_api import Calls, Row
from storage.crm.salesforce_people import Who, short, whose
from storage.crm.soql import containing, quoted

_COLUMNS = "Id, Name, Website, Type, OwnerId, CreatedDate"
#: How the type of an account begins, for each status. Every other type is a prospect's.
_CUSTOMER, _FORMER = ("customer", "client"), ("former", "past", "lost", "ex-", "churned")


async def account_of(calls: Calls, *, company: str, domain: str, people: Callable[[], Mapping[str, str]]) -> Account | None:
    """Return the account of this mail domain, else the one of this name. Of several: a customer, then the oldest."""
    row = await _found(calls, company.strip(), domain.strip().casefold())
    if row is None:
        return None
    query = f"SELECT Id, OwnerId FROM Opportunity WHERE AccountId = {quoted(str(row['Id']))} AND IsClosed = false"
    open_ones = await calls.rows(f"{query} ORDER BY LastModifiedDate DESC, Id ASC LIMIT 1")
    users = {str(one["OwnerId"]) for one in (row, *open_ones) if one["OwnerId"]}
    known = await whose(calls, users, people)
    owner, seller = (known.get(short(str(one["OwnerId"] or "")), Who()).person for one in (row, open_ones[0] if open_ones else row))
    name, host, status = str(row["Name"] or ""), host_of(str(row["Website"] or "")), status_of(str(row["Type"] or ""))
    return Account(str(row["Id"]), name, host, status, owner, bool(open_ones), "" if seller == owner else seller)


def host_of(website: str) -> str:
    """Return the host of a website without `www.`, whatever people typed around it; empty where there is none."""
    text = website.strip().casefold()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return re.sub(r"^www\d?\.", "", host).rstrip(".")


def status_of(account_type: str) -> str:
    """Return Baton's status for a type of account: `Customer - Direct` is a customer's, `Former customer` is former."""
    text = account_type.strip().casefold()
    if text.startswith(_FORMER):
        return "former"
    return "customer" if text.startswith(_CUSTOMER) else "prospect"


async def _found(calls: Calls, company: str, domain: str) -> Row | None:
    """Both queries go out in one request, whose address names nobody."""
    queries = {"domain": f"Website LIKE {containing(domain)}"} if domain else {}
    queries |= {"name": f"Name = {quoted(company)}"} if company else {}
    if not queries:
        return None
    found = await calls.asked({ref: f"SELECT {_COLUMNS} FROM Account WHERE {where}" for ref, where in queries.items()})
    same_host = [row for row in found.get("domain", []) if host_of(str(row["Website"] or "")) == domain]
    return min(same_host or found.get("name", []), key=_rank, default=None)


def _rank(row: Row) -> tuple[bool, str, str]:
    return status_of(str(row["Type"] or "")) != "customer", str(row["CreatedDate"]), str(row["Id"])
