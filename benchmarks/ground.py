"""Shared by the benchmarks: a database with the example agreement in force, and percentiles."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from notifications.links import Links
from storage import contracts, roster, schema
from storage.crm.local import LocalCrm
from storage.database import Database
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox

ROOT = Path(__file__).resolve().parents[1]
#: A Monday morning on which the reps of the example are at work.
MONDAY = datetime.fromisoformat("2027-02-01T09:00:00+00:00")


def box_on(folder: Path) -> Toolbox:
    """Open a toolbox on the SQLite database of that folder, on Monday at nine. It sends nothing."""
    logging.disable(logging.INFO)
    links = Links(["a-key-for-benchmarks"], "http://baton")
    database = Database(f"sqlite:///{folder / 'baton.db'}")
    box = Toolbox(Settings(home=folder), database, LocalCrm(folder / "crm.db"), {}, links, SteppedTime(MONDAY))
    toolbox.use(box)
    return box


def ground(folder: Path) -> Toolbox:
    """Open a toolbox on a new database with the example agreement in force."""
    box = box_on(folder)
    schema.upgrade(box.database)

    def put_in_force(session: Session, now: datetime) -> None:
        roster.load(session, (ROOT / "examples/roster.yaml").read_text(encoding="utf-8"), now=now)
        row = contracts.publish(session, (ROOT / "agreements/examples/b2b-saas.yaml").read_text(encoding="utf-8"), now=now)
        for party in ("marketing", "sales"):
            contracts.sign(session, row, contracts.NewSignature(party, party, "cli"), now=now)
        contracts.mark_deployed(session, row, deployment_id="none", now=now)

    box.write_now(put_in_force)
    return box


def percentile(values: list[float], percent: float) -> float:
    """Return this percentile of the values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
