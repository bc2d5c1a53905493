"""baton verify without --crm: checks leads, runs and trail, prints what was counted and found, and ends with the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby

import typer
from rich.progress import Progress
from rich.table import Table

from agreements.conservation import Finding, SourceDay
from agreements.lifecycle import Stage
from app import terminal
from app.verifying import leads as leads_check
from app.verifying import trail as trail_check
from app.verifying.leads import LeadsCheck, RunsCheck
from app.verifying.report import Found, Row, Runs, Trail, Verified
from storage import mail_findings, strays
from storage.trail import TrailCheck
from tasks.wiring.toolbox import Toolbox

#: So many findings of one kind are printed. All are in the JSON.
PRINTED = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. head: of the trail, empty for none; runs: whether to ask Prefect."""

    head: str
    table: bool
    runs: bool
    as_json: bool


@dataclass(slots=True)
class Checked:
    """Everything that was found. notes: sentences about the heads of the trail."""

    at: datetime
    leads: LeadsCheck
    runs: RunsCheck
    chain: TrailCheck
    rescued: int
    mail: int
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)

    @property
    def stages(self) -> dict[str, int]:
        """The leads by stage."""
        counts: Counter[str] = Counter()
        for row in self.leads.rows:
            counts.update(row.stages)
        return dict(sorted(counts.items()))


def verify_all(box: Toolbox, wanted: Wanted) -> None:
    """Check and print everything. Ends with 1 after a finding, and with 4 where there is none and Prefect does not answer."""
    found = _checked(box, wanted)
    if wanted.as_json:
        typer.echo(as_report(found).model_dump_json(indent=2))
    else:
        _print(found, wanted)
    if found.findings:
        raise typer.Exit(terminal.FINDINGS)
    if found.runs.is_away:
        raise typer.Exit(terminal.AWAY)


def _checked(box: Toolbox, wanted: Wanted) -> Checked:
    notes: list[str] = []
    with Progress(console=terminal.complaints, transient=True, disable=not terminal.complaints.is_terminal) as progress:
        bar = progress.add_task("", total=None)

        def told(what: str, done: int) -> None:
            progress.update(bar, description=f"{what} ... {done:,}" if done else f"{what} ...")

        leads = leads_check.check(box, told=told)
        runs = leads_check.check_runs(box, leads.with_run, told=told) if wanted.runs else RunsCheck([], "The runs were left out.")
        told("Walking along the trail", 0)
        chain = trail_check.chain_of(box)
    heads = trail_check.lost_heads(box, say=notes.append)
    heads += trail_check.place_of(box, wanted.head, say=notes.append) if wanted.head else []
    at, rescued, mail = box.read_now(lambda session, now: (now, strays.rescued(session), mail_findings.open_count(session)))
    findings = [*leads.findings, *runs.findings, *trail_check.of_chain(chain), *heads]
    return Checked(at, leads, runs, chain, rescued, mail, findings, notes)


def as_report(found: Checked) -> Verified:
    """Return everything that was found as the report that becomes JSON."""
    chain, leads = found.chain, found.leads
    return Verified(
        checked_at=found.at,
        taken_in=sum(row.taken_in for row in leads.rows),
        stages=found.stages,
        rows=[Row(**asdict(row), differs=row.differs) for row in leads.rows],
        kept_payloads=leads.kept,
        open=leads.open,
        rescued=found.rescued,
        mail_to_look_at=found.mail,
        runs=Runs(asked=not found.runs.why_not, leads=len(leads.with_run), why_not=found.runs.why_not),
        trail=Trail(sealed=chain.sealed, unsealed=chain.unsealed, head=chain.head, removed=chain.pruned, removed_until=chain.pruned_until),
        findings=[Found(**asdict(one)) for one in found.findings],
    )


def _print(found: Checked, wanted: Wanted) -> None:
    say, chain, leads = terminal.console.print, found.chain, found.leads
    stages = " + ".join(f"{count} {stage}" for stage, count in found.stages.items())
    say(f"leads {sum(row.taken_in for row in leads.rows)}" + (f" = {stages}" if stages else ""))
    if wanted.table:
        say(_table(leads.rows))
    asked = found.runs.why_not or f"Prefect was asked about the runs of {len(leads.with_run)}."
    say(f"{leads.open} leads are open. {asked}" if leads.open else "No lead is open.", markup=False, soft_wrap=True)
    if leads.kept:
        say(f"{leads.kept} payloads at the doors are no leads yet: `baton intake failed`.", style="yellow")
    say(f"trail: {chain.sealed} events sealed, {chain.unsealed} not yet, head {chain.head[: trail_check.ENOUGH] or 'none'}")
    if chain.pruned_until is not None:
        say(f"{chain.pruned} events up to {chain.pruned_until:%Y-%m-%d %H:%M} UTC were removed as agreed.")
    if found.rescued:
        say(f"{found.rescued} times Baton had to move a stranded lead again. Please report this.", style="yellow")
    if found.mail:
        say(f"{found.mail} returned mails or complaints wait for somebody: `baton bounces list`.", style="yellow")
    for note in found.notes:
        say(note, markup=False, soft_wrap=True)
    for code, group in groupby(sorted(found.findings, key=lambda one: one.code), key=lambda one: one.code):
        _print_findings(code, list(group))


def _print_findings(code: str, findings: list[Finding]) -> None:
    for one in findings[:PRINTED]:
        where = f"lead {one.lead}: " if one.lead is not None else ""
        terminal.complaints.print(f"{code}: {where}{one.what} {one.todo}", style="red", markup=False, soft_wrap=True)
    if len(findings) > PRINTED:
        more = f"{code}: and {len(findings) - PRINTED:,} more; --json lists all."
        terminal.complaints.print(more, style="red", markup=False, soft_wrap=True)


def _table(rows: list[SourceDay]) -> Table:
    """The leads by day and source: taken in, and in each stage that has any."""
    stages = [one.value for one in Stage if any(one in row.stages for row in rows)]
    table = Table(box=None, pad_edge=False)
    for name in ("day (UTC)", "source"):
        table.add_column(name)
    for name in ("taken in", "in stages", *stages):
        table.add_column(name, justify="right")
    for row in rows:
        counts = [str(row.stages.get(stage, "")) for stage in stages]
        style = "red" if row.differs else ""
        table.add_row(row.day, row.source or "-", str(row.taken_in), str(row.in_stages), *counts, style=style)
    return table
