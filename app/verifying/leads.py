"""What `baton verify` says about the leads: the counts by source and day, each open lead, and its run in Prefect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.conservation import Finding, OpenLead, SourceDay, compared, finding, of_counts, of_open
from agreements.errors import RosterError
from storage import conservation, roster
from tasks.wiring.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class LeadsCheck:
    """The counts and findings. open: how many leads are open; with_run: those that need a run in Prefect."""

    rows: list[SourceDay]
    kept: int
    open: int
    with_run: list[OpenLead]
    findings: list[Finding]


def check(box: Toolbox, *, told: Callable[[str, int], None]) -> LeadsCheck:
    """Count and look at all leads as of one moment. told: called with what is looked at, and how many were looked at so far."""

    def work(session: Session, now: datetime) -> LeadsCheck:
        told("Counting leads by source and day", 0)
        rows = compared(conservation.taken_in(session), conservation.in_stages(session))
        told("Comparing leads with the trail", 0)
        wrong = [finding(code, lead=lead_id) for code, lead_id in conservation.wrong(session)]
        people, number, with_run, lacking = _people(session), 0, list[OpenLead](), list[Finding]()
        for number, lead in enumerate(conservation.open_leads(session, now=now), start=1):
            lacking += [finding(code, lead=lead.lead_id) for code in of_open(lead, people=people)]
            if lead.needs_run:
                with_run.append(lead)
            told("Looking at open leads", number)
        return LeadsCheck(rows, conservation.kept(session), number, with_run, [*of_counts(rows), *wrong, *lacking])

    if box.database.is_sqlite:
        return box.read_now(work)
    with box.database.read() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return work(session, box.time.now(session))


def _people(session: Session) -> frozenset[str]:
    try:
        return frozenset(roster.current(session).people)
    except RosterError:
        return frozenset()


@dataclass(frozen=True, slots=True)
class RunsCheck:
    """What Prefect says. why_not: a sentence where nobody asked, or Prefect did not answer. is_away: it did not answer."""

    findings: list[Finding]
    why_not: str = ""
    is_away: bool = False


def check_runs(box: Toolbox, leads: list[OpenLead], *, told: Callable[[str, int], None]) -> RunsCheck:
    """Ask Prefect about the runs of these leads. Imports Prefect only where there is a lead to ask about."""
    if not leads:
        return RunsCheck([])
    from app.verifying import runs_seen

    try:
        return RunsCheck(runs_seen.wrong_runs(box, leads, told=lambda done: told("Asking Prefect about runs", done)))
    except runs_seen.NoServer:
        return RunsCheck([], "Nobody asked Prefect about the runs of open leads: set PREFECT_API_URL.")
    except runs_seen.EngineAway as error:
        return RunsCheck([], f"Prefect does not answer, so the runs of open leads were not checked: {error}", is_away=True)
