"""Conservation: leads in = the sum over stages, and each open lead has an owner, a due time and something that will move it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agreements.lifecycle import ENDS, PARKED_NAMES, Stage
from agreements.words import SEVERAL, NoWord, WaitKind

#: What is wrong with a count, a lead, its run, or the trail.
FindingCode = Literal[
    "count-differs", "no-handoff", "no-lead", "not-recorded", "source-differs", "day-differs", "no-event", "stage-differs",
    "rep-differs", "end-differs", "hold-differs", "no-owner", "unknown-owner", "no-due-time", "nothing-moves",
    "no-run", "run-gone", "run-elsewhere", "trail-changed", "head-lost",
]  # fmt: skip
_RESTORE = "Somebody changed the database: compare it with a backup."
_SEE_HISTORY = f"{_RESTORE} `baton trail show LEAD` has its history."
_REPORT = "A worker moves the lead again within minutes. If it does not, restart the worker, and please report this."
#: Of each finding what it means and what to do. Findings about counts, the trail and heads have a sentence of their own.
MEANS: Mapping[FindingCode, tuple[str, str]] = {
    "count-differs": ("", "The findings about single leads name them. If there are none, compare the database with a backup."),
    "no-handoff": ("The lead is in no stage: it has no handoff.", _RESTORE),
    "no-lead": ("The intake or the trail recorded the lead, and the lead is not there.", _RESTORE),
    "not-recorded": ("The lead is there, and the intake has no record of it.", _RESTORE),
    "source-differs": ("The intake's record names a source that does not know the lead.", _RESTORE),
    "day-differs": ("The lead was stored on another day than the intake's record says.", _RESTORE),
    "no-event": ("The trail does not say that the lead came in.", _RESTORE),
    "stage-differs": ("The lead is in another stage than the trail says.", _SEE_HISTORY),
    "rep-differs": ("The lead is with another rep than its assignment says.", _SEE_HISTORY),
    "end-differs": ("The stage says that the handoff has ended, and its end says that it is open, or the other way round.", _RESTORE),
    "hold-differs": ("The lead is held, and the trail says that its work has begun.", _SEE_HISTORY),
    "no-owner": ("The open lead has no owner.", _RESTORE),
    "unknown-owner": ("The owner of the open lead is not in the roster.", "Load a roster with this person: `baton roster load FILE`."),
    "no-due-time": ("A person should answer, and there is no due time.", _REPORT),
    "nothing-moves": ("Nothing will move the open lead.", _REPORT),
    "no-run": ("The open lead has no run in Prefect.", _REPORT),
    "run-gone": ("The lead's run in Prefect has ended or was deleted.", _REPORT),
    "run-elsewhere": ("The lead's run in Prefect is another lead's, or waits for something else than the lead does.", _REPORT),
    "trail-changed": ("", "Compare the trail with an export or a backup, and find out who can write to the database."),
    "head-lost": ("", "Compare the database with a backup. After a restore: `baton trail accept-restore`."),
}
#: Owners that are no persons of the roster.
NOT_PERSONS = ("operator", "marketing", "system", SEVERAL)
#: The stages in which a rep has the lead. Only an answer, or its due time, moves it.
WITH_REP: tuple[Stage, ...] = (Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. what, todo: sentences without personal data. lead: its number, None where it is about no single lead."""

    code: FindingCode
    what: str
    todo: str
    lead: int | None = None


def finding(code: FindingCode, *, lead: int | None = None, what: str = "") -> Finding:
    """Return the finding with its sentences. what: a sentence of its own, where the one of the code says too little."""
    means, todo = MEANS[code]
    return Finding(code, what or means, todo, lead)


@dataclass(frozen=True, slots=True)
class SourceDay:
    """The leads of one source and day (ISO, UTC): how many the intake recorded, and how many are in each stage now."""

    source: str
    day: str
    taken_in: int
    stages: Mapping[str, int] = field(default_factory=dict)

    @property
    def in_stages(self) -> int:
        """The sum over the stages."""
        return sum(self.stages.values())

    @property
    def differs(self) -> bool:
        """Whether a lead is missing, or one too many."""
        return self.taken_in != self.in_stages


def compared(taken_in: Iterable[tuple[str, str, int]], stages: Iterable[tuple[str, str, str, int]]) -> list[SourceDay]:
    """Put the two counts side by side, by day and source. taken_in: source, day, count; stages: source, day, stage, count."""
    came: dict[tuple[str, str], int] = {}
    now: dict[tuple[str, str], dict[str, int]] = {}
    for source, day, count in taken_in:
        came[day, source] = came.get((day, source), 0) + count
    for source, day, stage, count in stages:
        there = now.setdefault((day, source), {})
        there[stage] = there.get(stage, 0) + count
    return [SourceDay(key[1], key[0], came.get(key, 0), now.get(key, {})) for key in sorted({*came, *now})]


def of_counts(rows: Iterable[SourceDay]) -> list[Finding]:
    """Return a finding for each source and day whose counts differ."""
    return [
        finding("count-differs", what=f"{one.source or 'No source'}, {one.day}: {one.taken_in} taken in, {one.in_stages} in a stage.")
        for one in rows
        if one.differs
    ]


@dataclass(frozen=True, slots=True)
class OpenLead:
    """A lead whose handoff has not ended, with everything that will move it.

    is_held: stored and not started. is_leased: an attempt carries it out. is_woken, is_due: a wake is stored; one is due now.
    wait_kind: of the open wait, empty for none. is_answered: the wait has its answer. run_id: in Prefect, empty for none.
    """

    lead_id: int
    handoff_id: int
    stage: Stage
    owner: str
    is_held: bool
    is_leased: bool
    is_woken: bool
    is_due: bool
    wait_kind: WaitKind | NoWord
    is_answered: bool
    run_id: str

    @property
    def rests(self) -> bool:
        """Whether nothing needs to move the lead: it is held, or stands still until an operator acts."""
        return self.is_held or self.stage == Stage.STUCK

    @property
    def needs_run(self) -> bool:
        """Whether a run in Prefect has to be there now: somebody is asked, and no attempt is under way or about to begin."""
        return bool(self.wait_kind) and not (self.rests or self.is_leased or self.is_due)


def of_open(lead: OpenLead, *, people: Collection[str]) -> list[FindingCode]:
    """Return what an open lead lacks. people: everybody in the roster, empty where none is loaded."""
    if lead.stage in ENDS:
        return ["end-differs"]
    found: list[FindingCode] = []
    if not lead.owner:
        found.append("no-owner")
    elif people and lead.owner not in people and lead.owner not in NOT_PERSONS:
        found.append("unknown-owner")
    if lead.rests or lead.is_leased or lead.is_woken:
        return found
    if not lead.wait_kind and lead.stage in WITH_REP:
        found.append("no-due-time")
    elif not lead.wait_kind or lead.is_answered:
        found.append("nothing-moves")
    return found


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run as Prefect has it. is_over: it has ended. is_parked: it waits, under this name. handoff: the number of its handoff, as it says,
    empty where it says none."""

    name: str
    is_over: bool
    is_parked: bool
    handoff: str = ""


def of_run(lead: OpenLead, run: RunSeen | None) -> FindingCode | None:
    """Return what is wrong with the run of a lead that needs one. A run that moves is on its way. run: None where Prefect has none."""
    if not lead.needs_run or not lead.wait_kind:
        return None
    if not lead.run_id:
        return "no-run"
    if run is None or run.is_over:
        return "run-gone"
    if run.handoff and run.handoff != str(lead.handoff_id):
        return "run-elsewhere"
    parked_name = "" if lead.wait_kind == "revisit" else PARKED_NAMES[lead.wait_kind]
    return "run-elsewhere" if run.is_parked and run.name != parked_name else None
