"""The results of `baton verify` as plain values. They are the JSON report too: docs/verify.schema.json describes their shape."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agreements.conservation import FindingCode

#: The form of the report. A new form gets a new number.
FORM: Literal["baton-verify/1"] = "baton-verify/1"


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Row(_Value):
    """The leads of one source and day (UTC): how many the intake recorded, and how many are in each stage now."""

    source: str
    day: str
    taken_in: int
    stages: dict[str, int]
    differs: bool


class Found(_Value):
    """Something that is wrong, with what to do. lead: its number, null where the finding is about no single lead."""

    code: FindingCode
    lead: int | None
    what: str
    todo: str


class Trail(_Value):
    """The trail: events sealed and not yet, the newest head, and the events that were removed as agreed, up to when (UTC)."""

    sealed: int
    unsealed: int
    head: str
    removed: int
    removed_until: datetime | None


class Runs(_Value):
    """The runs in Prefect. asked: whether Prefect answered; leads: how many open leads need a run; why_not: a sentence, or empty."""

    asked: bool
    leads: int
    why_not: str


class Verified(_Value):
    """Everything that `baton verify` says. checked_at: Baton's time, UTC; kept_payloads: at the doors, and no leads yet.

    open: leads whose handoff has not ended; rescued: how often a stranded lead was moved again; mail_to_look_at: returned mails and
    complaints.
    """

    report: Literal["baton-verify/1"] = FORM
    checked_at: datetime
    taken_in: int
    stages: dict[str, int]
    rows: list[Row]
    kept_payloads: int
    open: int
    rescued: int
    mail_to_look_at: int
    runs: Runs
    trail: Trail
    findings: list[Found]


def schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    return Verified.model_json_schema(mode="serialization")
