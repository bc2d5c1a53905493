"""Accounts of the local CRM from a CSV file: every mistake with its line, and all of the file or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping

from agreements.errors import HandoffError
from storage.crm.port import Account

#: The columns of the file. `id` and one of `name` and `domain` must be there.
COLUMNS = ("id", "name", "domain", "status", "owner", "open_opportunity", "opportunity_owner")
STATUSES = ("prospect", "customer", "former")
_YES, _NO = ("yes", "true", "1"), ("", "no", "false", "0")


class AccountsUnreadable(HandoffError):  # noqa: N818 - errors here are named as states
    """The file has mistakes, one a line. Nothing was imported."""


def read_accounts(content: bytes, *, people: Collection[str]) -> list[Account]:
    """Return the accounts of a CSV file in UTF-8, separated by commas or semicolons. people: the ids of the roster.

    Raises AccountsUnreadable, which names every mistake with its line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AccountsUnreadable(f"The file is not in UTF-8 (byte {error.start}). Save it as CSV UTF-8.") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    if problems := list(_of_columns(names)):
        raise AccountsUnreadable("\n".join(problems))
    rows.fieldnames = names
    problems, found, seen = [], list[Account](), dict[str, int]()
    for row in rows:
        line = rows.line_num
        if None in row:
            problems.append(f"line {line}: it has more cells than the first line names; put text with a separator in quotes")
            continue
        cells = {name: (value or "").strip() for name, value in row.items()}
        if not any(cells.values()):
            continue
        problems += [f"line {line}: {problem}" for problem in _of_row(cells, people)]
        if cells["id"] in seen:
            problems.append(f"line {line}: the id {cells['id']} is in line {seen[cells['id']]} too; each account has its own")
        seen.setdefault(cells["id"], line)
        found.append(_account(cells))
    if problems:
        raise AccountsUnreadable("\n".join(problems))
    return found


def _of_columns(names: list[str]) -> Iterator[str]:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        yield f"line 1: no account has {', '.join(map(repr, unknown))}; the columns are {', '.join(COLUMNS)}"
    if "id" not in names:
        yield "line 1: the column `id` is missing"
    if not {"name", "domain"} & set(names):
        yield "line 1: a column `name` or `domain` is missing: Baton finds an account by one of them"
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"line 1: {', '.join(twice)} is there twice"


def _of_row(cells: Mapping[str, str], people: Collection[str]) -> Iterator[str]:
    if not cells["id"]:
        yield "the id is empty"
    if not cells.get("name") and not cells.get("domain"):
        yield "name and domain are empty: Baton could not find the account"
    if (domain := cells.get("domain", "")) and ("@" in domain or "/" in domain or " " in domain or "." not in domain):
        yield f"{domain!r} is no domain; write one such as harbour.example"
    if (status := cells.get("status", "")) and status.lower() not in STATUSES:
        yield f"{status!r} is no status; write one of {', '.join(STATUSES)}"
    if (said := cells.get("open_opportunity", "").lower()) not in (*_YES, *_NO):
        yield f"open_opportunity is {said!r}; write yes or no"
    for name in ("owner", "opportunity_owner"):
        if (person := cells.get(name, "")) and person not in people:
            yield f"{name} {person!r} is not in the roster; write an id of the roster, or leave it empty"


def _account(cells: Mapping[str, str]) -> Account:
    return Account(
        cells["id"],
        cells.get("name", ""),
        cells.get("domain", "").lower(),
        cells.get("status", "").lower() or "prospect",
        cells.get("owner", ""),
        cells.get("open_opportunity", "").lower() in _YES,
        cells.get("opportunity_owner", ""),
    )
