"""The local CRM: a small one in a SQLite file of its own, so that you can try Baton without a vendor's CRM."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agreements.crm_comparison import CrmDeal, CrmNumber, CrmRecord
from agreements.errors import CrmError
from storage.crm import local_compared
from storage.crm.port import Account, Change, ChangeKind

BATON = "baton"
T = TypeVar("T")
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, name TEXT, domain TEXT, status TEXT, owner TEXT, open_opportunity INTEGER,
  opportunity_owner TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS leads (number INTEGER PRIMARY KEY, owner TEXT DEFAULT '');
CREATE TABLE IF NOT EXISTS lead_fields (number INTEGER, field TEXT, value TEXT, PRIMARY KEY (number, field));
CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, key TEXT UNIQUE, number INTEGER, owner TEXT, subject TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS opportunities (id INTEGER PRIMARY KEY, key TEXT UNIQUE, number INTEGER, owner TEXT, stage TEXT DEFAULT 'open');
CREATE TABLE IF NOT EXISTS changes (
  id INTEGER PRIMARY KEY, key TEXT UNIQUE, number INTEGER, by TEXT, at TEXT, field TEXT, value TEXT);
"""
#: Columns that a file of an earlier release lacks: the table, and the column with its type.
_ADDED = (
    ("accounts", "opportunity_owner", "TEXT DEFAULT ''"),
    ("changes", "kind", "TEXT DEFAULT 'fields'"),
    ("changes", "change", "TEXT DEFAULT ''"),
    *(("opportunities", name, "TEXT DEFAULT ''") for name in ("amount", "currency", "state", "reason", "closed_on")),
)
#: The number of the tables' form, which the file keeps. One more with each change of _TABLES or _ADDED.
_FORM = 1


class LocalCrm:
    """A CRM in one SQLite file. People change it through `person_changes`, Baton through the port.

    read_by_people: reps read their tasks in this file. Usually nobody does. timeout_seconds: how long to wait while another process
    writes.
    """

    name = "local"
    keeps = ""

    def __init__(self, path: Path | str, *, read_by_people: bool = False, timeout_seconds: float = 10) -> None:
        self.path, self.read_by_people, self.timeout_seconds = Path(path), read_by_people, timeout_seconds
        self.files: Sequence[Path] = (self.path,)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._has_tables():
            self._make_tables()

    def _has_tables(self) -> bool:
        """Say whether the file has the tables of this release. This only reads, so a process can start while another one writes."""
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.path, timeout=self.timeout_seconds)) as db:
            return bool(db.execute("PRAGMA user_version").fetchone() == (_FORM,))
        return False

    def _make_tables(self) -> None:
        with self._write() as db:
            db.executescript(_TABLES)
            db.execute("BEGIN IMMEDIATE")
            for table, column, kind in _ADDED:
                if column not in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            db.execute(f"PRAGMA user_version = {_FORM}")

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Open the file as it is now, without waiting for a process that writes."""
        with self._opened() as db:
            db.execute("BEGIN")
            yield db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA secure_delete=ON")
            db.execute("BEGIN IMMEDIATE")
            yield db
            if db.in_transaction:
                db.execute("COMMIT")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=self.timeout_seconds, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as error:
            raise CrmError(f"the local CRM did not answer: {error}") from error

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        """Adds companies; one with the same id is replaced."""
        rows = [(a.id, a.name, a.domain.lower(), a.status, a.owner, int(a.open_opportunity), a.opportunity_owner) for a in accounts]
        with self._write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO accounts (id, name, domain, status, owner, open_opportunity, opportunity_owner)"
                " VALUES (?,?,?,?,?,?,?)",
                rows,
            )

    def person_changes(self, lead_number: int, *, by: str, at: datetime, values: Mapping[str, str]) -> None:
        """Simulates a person who changes fields of a lead (`owner`, `status` …) without telling Baton. at: aware."""
        with self._write() as db:
            self._set(db, f"{by}:{lead_number}:{at.isoformat()}", lead_number, by=by, at=at.isoformat(), values=values)

    def person_logs(self, lead_number: int, *, by: str, at: datetime, channel: str, outcome: str = "attempted") -> None:
        """Simulates a person who logs a call, an e-mail or a meeting. outcome: attempted or connected; at: aware."""
        with self._write() as db:
            self._person(db, lead_number, "touch", by=by, at=at, values={"channel": channel, "outcome": outcome}, what=channel)

    def person_sets_opportunity(self, lead_number: int, *, by: str, at: datetime, opportunity: str = "", **values: str) -> str:
        """Simulates a person who creates an opportunity, or edits one. Returns its id. at: aware.

        values: stage, amount, currency, state (open, won or lost), reason, closed_on. An empty `opportunity` creates one.
        """
        with self._write() as db:
            if not opportunity:
                new = db.execute("INSERT INTO opportunities (number, owner) VALUES (?,?)", (lead_number, by))
                opportunity = str(new.lastrowid)
            for name in ("stage", "amount", "currency", "state", "reason", "closed_on"):
                if name in values:
                    db.execute(f"UPDATE opportunities SET {name}=? WHERE id=?", (values[name], opportunity))
            said = {"opportunity": opportunity, **values}
            self._person(db, lead_number, "opportunity", by=by, at=at, values=said, what=opportunity)
        return opportunity

    def person_converts(self, lead_number: int, *, by: str, at: datetime, opportunity: str = "") -> None:
        """Simulates a person who converts the lead. opportunity: the one that the conversion made, if any. at: aware."""
        with self._write() as db:
            self._person(db, lead_number, "converted", by=by, at=at, values={"opportunity": opportunity})

    def person_merges(self, lead_number: int, *, by: str, at: datetime, into: int | None) -> None:
        """Simulates a person who merges the record into another one, which Baton may not know (None). at: aware."""
        with self._write() as db:
            self._person(db, lead_number, "merged", by=by, at=at, values={"into": str(into or "")})

    def person_deletes(self, lead_number: int, *, by: str, at: datetime) -> None:
        """Simulates a person who deletes the record. at: aware."""
        with self._write() as db:
            self._person(db, lead_number, "gone", by=by, at=at, values={"gone": "yes"})

    @staticmethod
    def _person(
        db: sqlite3.Connection, number: int, kind: ChangeKind, *, by: str, at: datetime, values: Mapping[str, str], what: str = ""
    ) -> None:
        key = f"{by}:{number}:{at.isoformat()}:{kind}:{what}"
        for name, value in values.items():
            db.execute(
                "INSERT OR IGNORE INTO changes (key, number, by, at, field, value, kind, change) VALUES (?,?,?,?,?,?,?,?)",
                (f"{key}:{name}", number, by, at.isoformat(), name, value, kind, key),
            )

    def fields_of(self, lead_number: int) -> dict[str, str]:
        """The lead's fields as the CRM shows them, by name, including the owner."""
        with self._read() as db:
            return dict(db.execute("SELECT field, value FROM lead_fields WHERE number=?", (lead_number,)).fetchall())

    def opportunities_of(self, lead_number: int) -> list[str]:
        """The ids of the lead's opportunities."""
        with self._read() as db:
            return [str(row[0]) for row in db.execute("SELECT id FROM opportunities WHERE number=? ORDER BY id", (lead_number,))]

    async def records(self, lead_numbers: Sequence[int], *, fields: Collection[str]) -> Mapping[int, CrmRecord]:
        return await asyncio.to_thread(self._asked, lambda db: local_compared.records(db, lead_numbers, fields))

    async def deals(self, ids: Sequence[str]) -> Mapping[str, CrmDeal]:
        return await asyncio.to_thread(self._asked, lambda db: local_compared.deals(db, ids))

    async def numbered(self) -> AsyncIterator[Sequence[CrmNumber]]:
        after = 0
        while page := await asyncio.to_thread(self._asked, lambda db, after=after: local_compared.numbered(db, after)):
            yield page
            after = page[-1].number

    def _asked(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with self._read() as db:
            return question(db)

    async def erase(self, lead_numbers: Sequence[int]) -> int:
        return await asyncio.to_thread(self._erase, lead_numbers)

    def _erase(self, numbers: Sequence[int]) -> int:
        """Rows stay where their number must not be given again: a reader of changes continues from the last number."""
        changed = 0
        with self._write() as db:
            for number in numbers:
                changed += db.execute("UPDATE tasks SET subject='', body='' WHERE number=? AND body != ''", (number,)).rowcount
                changed += db.execute("UPDATE changes SET value='' WHERE number=? AND value != ''", (number,)).rowcount
                changed += db.execute("DELETE FROM lead_fields WHERE number=?", (number,)).rowcount
        return changed

    def newest_change(self) -> int:
        """The number of the newest change by a person, 0 for none."""
        with self._read() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM changes WHERE by != ?", (BATON,)).fetchone()[0])

    async def account(self, *, company: str, domain: str) -> Account | None:
        return await asyncio.to_thread(self._account, company, domain)

    def _account(self, company: str, domain: str) -> Account | None:
        with self._read() as db:
            row = db.execute(
                "SELECT id, name, domain, status, owner, open_opportunity, opportunity_owner FROM accounts"
                " WHERE (domain != '' AND domain = ?) OR (name != '' AND lower(name) = ?) ORDER BY domain = ? DESC LIMIT 1",
                (domain.lower(), company.lower(), domain.lower()),
            ).fetchone()
        return Account(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6]) if row else None

    async def assign(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        return await asyncio.to_thread(
            self._task, key, int(lead_number), owner, f"New lead: {facts.get('company', '')}", facts, assign=True
        )

    async def note(self, *, key: str, lead_number: str, owner: str, subject: str, facts: Mapping[str, str]) -> str:
        return await asyncio.to_thread(self._task, key, int(lead_number), owner, subject, facts, assign=False)

    def _task(self, key: str, number: int, owner: str, subject: str, facts: Mapping[str, str], *, assign: bool) -> str:
        body = "\n".join(f"{name}: {value}" for name, value in facts.items())
        with self._write() as db:
            db.execute(
                "INSERT OR IGNORE INTO tasks (key, number, owner, subject, body) VALUES (?,?,?,?,?)", (key, number, owner, subject, body)
            )
            if assign:
                self._set(db, f"{key}:owner", number, by=BATON, at="", values={"owner": owner})
            return f"task {db.execute('SELECT id FROM tasks WHERE key=?', (key,)).fetchone()[0]}"

    async def update(self, *, key: str, lead_number: str, values: Mapping[str, str]) -> str:
        return await asyncio.to_thread(self._update, key, int(lead_number), values)

    def _update(self, key: str, number: int, values: Mapping[str, str]) -> str:
        with self._write() as db:
            self._set(db, key, number, by=BATON, at="", values=values)
        return f"change {key}"

    async def create_opportunity(self, *, key: str, lead_number: str, owner: str, facts: Mapping[str, str]) -> str:
        return await asyncio.to_thread(self._opportunity, key, int(lead_number), owner)

    def _opportunity(self, key: str, number: int, owner: str) -> str:
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO opportunities (key, number, owner) VALUES (?,?,?)", (key, number, owner))
            return f"opportunity {db.execute('SELECT id FROM opportunities WHERE key=?', (key,)).fetchone()[0]}"

    async def changes_since(self, bookmark: str) -> tuple[Sequence[Change], str]:
        return await asyncio.to_thread(self._changes_since, int(bookmark or 0))

    def _changes_since(self, after: int) -> tuple[Sequence[Change], str]:
        with self._read() as db:
            rows = db.execute(
                "SELECT id, number, by, at, field, value, kind, change FROM changes WHERE id > ? AND by != ? ORDER BY id", (after, BATON)
            ).fetchall()
        grouped: dict[tuple[int, str, str, ChangeKind, str], list[tuple[int, str, str]]] = {}
        for ident, number, by, at, name, value, kind, change in rows:
            grouped.setdefault((number, by, at, kind, change), []).append((ident, name, value))
        found = [
            Change(
                number=many[-1][0],
                lead_number=number,
                by=by,
                at=datetime.fromisoformat(at),
                values={name: value for _, name, value in many},
                kind=kind,
                id=f"local:{many[0][0]}:{at}",
            )
            for (number, by, at, kind, _), many in grouped.items()
        ]
        return found, str(rows[-1][0] if rows else after)

    @staticmethod
    def _set(db: sqlite3.Connection, key: str, number: int, *, by: str, at: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            new = db.execute(
                "INSERT OR IGNORE INTO changes (key, number, by, at, field, value) VALUES (?,?,?,?,?,?)",
                (f"{key}:{name}", number, by, at, name, value),
            )
            if new.rowcount:
                db.execute("INSERT OR REPLACE INTO lead_fields VALUES (?,?,?)", (number, name, value))
