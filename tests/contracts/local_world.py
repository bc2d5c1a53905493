"""The local CRM with its people, and the processes that change, lock and kill in its file."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storage.crm.local import LocalCrm
from storage.crm.port import Account, Crm
from tests.contracts.crm_worlds import MONDAY, Deed, Seen, Trouble
from tests.crm.local_people import Crowd


class LocalWorld:
    """A file with its people."""

    def __init__(self, folder: Path) -> None:
        self.path, self._at = folder / "crm.db", MONDAY
        self._crowd: Crowd | None = None
        self.killed, self._parts = 0, list[str]()
        self._rate, self._dice = 0.0, random.Random(0)
        self.crm: Crm = LocalCrm(self.path)
        self._local = LocalCrm(self.path)
        self._deals: dict[str, int] = {}

    def account(self, account: Account) -> None:
        self._local.add_accounts([account])

    def existing(self, email: str) -> None:
        raise NotImplementedError

    def set(self, lead: int, by: str, values: Mapping[str, str]) -> None:
        self._local.person_changes(lead, by=by, at=self._tick(), values=values)

    def _tick(self) -> datetime:
        self._at += timedelta(minutes=1)
        return self._at

    def touch(self, lead: int, by: str, channel: str, outcome: str) -> None:
        self._local.person_logs(lead, by=by, at=self._tick(), channel=channel, outcome=outcome)

    def deal(self, lead: int, by: str, stage: str, amount: str) -> str:
        values = {"stage": stage, "state": stage, "amount": amount, "currency": "EUR"}
        deal = self._local.person_sets_opportunity(lead, by=by, at=self._tick(), **values)
        self._deals[deal] = lead
        return deal

    def move(self, deal: str, by: str, stage: str, reason: str = "") -> None:
        values = {"stage": stage, "state": stage, "reason": reason, "closed_on": "2026-03-04"}
        self._local.person_sets_opportunity(self._deals[deal], by=by, at=self._tick(), opportunity=deal, **values)

    def merge(self, into: int, lead: int, by: str) -> None:
        self._local.person_merges(lead, by=by, at=self._tick(), into=into)

    def delete(self, lead: int) -> None:
        self._local.person_deletes(lead, by="ana", at=self._tick())

    def many(self, numbers: Sequence[int]) -> None:
        db = sqlite3.connect(self.path)
        for name, value in (("owner", "ana"), ("status", "OPEN")):
            db.executemany("INSERT INTO lead_fields VALUES (?, ?, ?)", [(number, name, value) for number in numbers])
        db.commit()
        db.close()

    def trouble(self, kind: Trouble) -> None:
        raise NotImplementedError

    def leads(self) -> int:
        return int(self._rows("SELECT count(DISTINCT number) FROM tasks")[0][0])

    def _rows(self, query: str, *given: Any) -> list[Any]:
        db = sqlite3.connect(self.path)
        try:
            return db.execute(query, given).fetchall()
        finally:
            db.close()

    def seen(self, lead: int) -> Seen:
        texts = [(f"{subject} {body}".strip(), subject.startswith("New lead")) for subject, body in self._texts(lead)]
        fields = self._local.fields_of(lead)
        return Seen(
            fields.get("owner", ""),
            fields,
            tuple(text for text, task in texts if task and text),
            tuple(text for text, task in texts if not task and text),
            tuple(self._local.opportunities_of(lead)),
        )

    def _texts(self, lead: int) -> list[Any]:
        return self._rows("SELECT subject, body FROM tasks WHERE number = ? ORDER BY id", lead)

    def later(self) -> None:
        self._at += timedelta(hours=1)

    def problems(self) -> list[str]:
        """Only a storm has a second reader: it must have found the same."""
        if self._crowd is None:
            return []
        also = self._crowd.do("read")
        whole = [f"local:{first}:{at}" for first, at in self._rows("SELECT min(id), at FROM changes WHERE by != 'baton' GROUP BY at")]
        return [f"{len(also)} of {len(whole)} read"] * (sorted(also) != sorted(whole)) + self._parts

    def close(self) -> None:
        """End the processes of a storm."""
        if self._crowd is not None:
            self._crowd.close()

    def storm(self, *, rate: float, seed: int, hang: bool = False) -> None:
        """People have processes of their own now, of which some are killed. Baton does not wait long for the file."""
        self._crowd = Crowd(self.path)
        self._rate, self._dice = rate, random.Random(seed)
        self.crm = LocalCrm(self.path, timeout_seconds=0.02)

    def calm(self) -> None:
        self.crm = LocalCrm(self.path)

    def failed(self) -> None:
        assert self._crowd is not None
        self._crowd.do("release")

    def act(self, deeds: Sequence[Deed]) -> None:
        """Several processes do these things; the file is locked until Baton has met the lock once."""
        assert self._crowd is not None
        told = []
        for one in deeds:
            self._at += timedelta(seconds=one.seconds, milliseconds=1)
            fatal = (2 if one.kind == "opportunity" else self._dice.choice((1, 2))) if self._dice.random() < self._rate else 0
            told.append({"kind": one.kind, "lead": one.lead, "by": one.by, "value": one.value, "at": self._at.isoformat(), "fatal": fatal})
        self._crowd.do("begin", deeds=told)
        self._crowd.do("lock")

    def done(self) -> None:
        assert self._crowd is not None
        killed, parts = self._crowd.do("finish")
        self.killed += killed
        self._parts += parts

    def dies_assigning(self, *, key: str, lead: int, owner: str, facts: Mapping[str, str]) -> None:
        if self._crowd is not None:
            self._crowd.do("dies_assigning", lives=self._dice.randint(1, 3), key=key, lead=str(lead), owner=owner, facts=facts)

    def keys(self) -> list[str]:
        return [str(key) for (key,) in self._rows("SELECT key FROM tasks")]
