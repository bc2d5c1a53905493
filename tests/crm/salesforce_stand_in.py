"""Start the stand-in for Salesforce in a process of its own, and act there as a person."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from storage.crm.salesforce import SalesforceCrm
from tests.crm.salesforce_server import KEY, SECRET
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = {"ana": "ana@firm.example", "ben": "ben@firm.example", "cleo": "Cleo@Firm.example"}
#: Who a lead is, as an assignment says it.
FACTS = {
    "email": "ines@harbour.example",
    "first_name": "Ines",
    "last_name": "O'Hara",
    "company": "Harbour & Sons",
    "job_title": "COO",
    "phone": "+442079460000",
    "country": "GB",
    "score": "72",
    "link": "https://baton.example/l/abc",
}


class StandIn:
    """The stand-in, and what people do there. users: the id of each person's user."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS)
        self.users: dict[str, str] = {}
        self.people = dict(PEOPLE)

    def do(self, what: str, **told: Any) -> Any:
        """Do this on the other side, and return its answer."""
        answer = self._client.post(f"/admin/{what}", json=told)
        answer.raise_for_status()
        return answer.json()

    def reset(self, people: Mapping[str, str] = PEOPLE) -> None:
        """Begin anew with an empty org and these people's users."""
        self.do("reset")
        self.people = dict(people)
        self.users = {person: self.do("user", name=person.title(), email=email) for person, email in self.people.items()}

    def crm(self, **changed: Any) -> SalesforceCrm:
        """Return an adapter for this org."""
        wiring: dict[str, Any] = {"token": lambda: f"{KEY}:{SECRET}", "people": lambda: self.people, "timeout_seconds": PATIENCE_SECONDS}
        return SalesforceCrm(self.url, **{**wiring, **changed})

    def rows(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the stored records that have these values, deleted ones included."""
        found: list[dict[str, Any]] = self.do("rows", kind=kind)
        return [row for row in found if all(row.get(name) == value for name, value in wanted.items())]

    def create(self, kind: str, values: Mapping[str, Any], *, by: str = "ana", **more: Any) -> str:
        """Create a record as this person, and return its id."""
        found = self.do("create", kind=kind, values=dict(values), by=self.users[by], **more)
        assert isinstance(found, str), found
        return found

    def update(self, kind: str, ident: str, values: Mapping[str, Any], *, by: str = "ana", **more: Any) -> None:
        """Change a record as this person."""
        refused = self.do("update", kind=kind, id=ident, values=dict(values), by=self.users[by], **more)
        assert refused is None, refused

    def act(self, what: str, *, by: str = "ana", **more: Any) -> Any:
        """Delete, merge or convert as this person."""
        return self.do(what, by=self.users[by], **more)

    def lead(self, number: int) -> str:
        """Return the id of the lead with this number."""
        return str(self.rows("Lead", Baton_Lead__c=str(number), IsDeleted=False)[0]["Id"])

    def at(self, when: datetime) -> None:
        """Set the clock of the other side."""
        self.do("move", seconds=0, at=when.isoformat())


@contextmanager
def serving() -> Iterator[StandIn]:
    """Run the stand-in until the end of the block."""
    command = [sys.executable, "-m", "tests.crm.salesforce_server"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
        assert process.stdin
        assert process.stdout
        try:
            stand_in = StandIn(int(process.stdout.readline()))
            with stand_in._client:
                yield stand_in
        finally:
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)
