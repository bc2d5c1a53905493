"""Explains a verdict: every rule applied to one lead, what the rule saw, and what is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlmodel import Session

from agreements.errors import CrmError
from agreements.explanation import Explanation, Measure, explain
from agreements.lead import LeadFacts
from agreements.model import Agreement
from agreements.qualification import Point
from agreements.wording import vocabulary as say
from agreements.wording.readiness import what_follows
from app import terminal
from app.commands.agreement.comparing import AsJson
from app.commands.agreement.references import ReferenceOrFile, agreement_of
from storage import handoffs, leads
from storage.tables import Lead
from tasks.steps.screen import account_of
from tasks.wiring.toolbox import Toolbox

#: Width of a bar for 100 points.
_BAR = 50


def explain_lead(
    ref: ReferenceOrFile,
    lead: Annotated[int, typer.Option(help="Number of the lead, as `baton leads show` takes it.")],
    at: Annotated[str, typer.Option(help="As of this instant, such as 2026-12-01T09:00:00+00:00. Default: now.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show why a lead qualifies or not: each criterion with what it saw, when, points and why; what is missing, and by how much."""
    with terminal.told():
        agreement = agreement_of(ref)
        box = terminal.open_box()
        now = _instant(at) if at else box.read_now(lambda session, present: present)
        found = explain(agreement, _facts(box, lead), now=now)
    if as_json:
        typer.echo(json.dumps(_as_data(agreement, lead, now, found), indent=2, ensure_ascii=False, default=str))
        return
    terminal.console.print(f"Lead {lead} under {agreement.reference}, as of {now.astimezone(UTC):%a %d %b %Y %H:%M} UTC", style="bold")
    if at:
        terminal.console.print("Activities are those up to then. All other facts are today's.", style="dim")
    _print(agreement, found)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        terminal.fail(terminal.USAGE, f"{text!r} is no instant; write one such as 2026-12-01T09:00:00+00:00.")
    if found.utcoffset() is None:
        terminal.fail(terminal.USAGE, f"{text!r} has no time zone; write an offset, as in {text}+00:00.")
    return found


def _facts(box: Toolbox, lead_id: int) -> LeadFacts:
    """Return the facts for the rules, with what the CRM says about the lead's company, or without that while the CRM is away."""
    handoff = box.read_now(lambda session, now: handoffs.latest_of(session, lead_id))
    account = None
    if handoff is not None:
        try:
            account = asyncio.run(account_of(box, handoff.id))
        except CrmError as error:
            terminal.complaints.print(f"The CRM does not answer, so its facts about the company are missing here: {error}", markup=False)

    def read(session: Session, now: datetime) -> LeadFacts:
        row = session.get(Lead, lead_id)
        if row is None:
            terminal.fail(terminal.FINDINGS, f"There is no lead {lead_id}.")
        known = account.as_facts() if account else None
        latest = handoffs.latest_of(session, lead_id)
        return leads.facts_for(session, latest, account=known) if latest else leads.facts(session, row, account=known)

    return box.read_now(read)


def _print(agreement: Agreement, found: Explanation) -> None:
    console = terminal.console
    if not found.meant:
        covers = f"It covers leads for which this is true: {say.condition(agreement.applies_to)}."
        console.print(f"\nThis agreement does not cover this lead. {covers}", markup=False)
    console.print(f"\n{_screened(agreement, found)}", markup=False)
    for title, points in (("Fit", found.fit), ("Engagement", found.engagement)):
        console.print(f"\n{title}", style="bold")
        console.print(_table(points) if points else "  no criteria")
    console.print()
    for measure in found.measures:
        console.print(_bar(measure), markup=False)
    for name, known in found.required.items():
        console.print(f"  {name} is required and {'known' if known else 'not known'}", markup=False)
    lane = found.verdict.fast_lane
    if agreement.qualification.fast_lane:
        asked = f"asked for it: {say.plain(lane)}" if lane else f"no {say.listed(map(say.plain, agreement.qualification.fast_lane), 'or')}"
        console.print(f"\nFast lane: {asked}", markup=False)
    team = f"team {found.team}" if found.team else "no team: the default acceptor"
    console.print(f"Tier {found.tier}, {team}{f', persona {found.persona}' if found.persona else ''}", markup=False)
    console.print(_verdict(found), markup=False, style="bold")


def _table(points: Iterable[Point]) -> Table:
    table = Table("points", "criterion", "seen", "when (UTC)", "why")
    table.columns[0].justify = "right"
    for one in points:
        at = f"{one.at:%d %b %Y %H:%M}" if one.at else ""
        cells = (say.points(one.points) if one.applies else "–", one.rule, one.value, at, one.why)
        table.add_row(*cells, style="" if one.applies else "dim")
    return table


def _bar(measure: Measure) -> str:
    """Return the points as a bar of 100, with a mark at the minimum."""
    have, wanted = (round(_BAR * max(0, min(100, one)) / 100) for one in (measure.points, measure.wanted))
    cells = ["█" if cell < have else "·" for cell in range(_BAR + 1)]
    cells[wanted] = "│"
    short = f"{measure.short} short of {measure.wanted}" if measure.short else f"{measure.wanted} needed"
    return f"  {measure.name:11}{measure.points:4d}  {''.join(cells)}  {short}"


def _screened(agreement: Agreement, found: Explanation) -> str:
    rule = found.screening.rule
    if rule is None:
        return f"Screen: passes, none of {say.count(len(agreement.screen), 'rule')} matches."
    if found.rule is None:
        return f"Screen: suppressed, because the lead {found.screening.why}."
    why = f"; why: {rule.why}" if rule.why else ""
    nobody = "" if found.sorted_out else " But the account has no owner, so the lead is scored."
    return f"Screen: rule {found.rule} matches ({say.condition(rule.when)}): {what_follows(rule)}{why}.{nobody}"


def _verdict(found: Explanation) -> str:
    """Return what becomes of the lead, and what is missing."""
    if found.sorted_out and found.screening.rule is not None:
        return f"Sorted out before scoring, so the points do not count: {what_follows(found.screening.rule)}."
    if found.need_not_qualify:
        return "The lead goes to the rep who brought it in: leads from sales do not have to qualify."
    if found.verdict.fast_lane:
        return "An MQL: the lead asked to talk to sales. Points do not matter then."
    if found.verdict.is_mql:
        return "An MQL: the lead reaches every minimum."
    missing = [f"{one.name} {one.points} is {one.short} short of {one.wanted}" for one in found.measures if one.short]
    missing += [f"{name} is not known" for name, known in found.required.items() if not known]
    return f"Not an MQL: {'; '.join(missing)}."


def _as_data(agreement: Agreement, lead: int, now: datetime, found: Explanation) -> dict[str, Any]:
    rule = found.screening.rule
    return {
        "agreement": agreement.reference,
        "lead": lead,
        "at": now.isoformat(),
        "meant": found.meant,
        "screen": {"passes": not found.sorted_out, "rule": found.rule, "then": rule.then if rule else None, "why": found.screening.why},
        "fit": [asdict(one) for one in found.fit],
        "engagement": [asdict(one) for one in found.engagement],
        "measures": [{**asdict(one), "short": one.short} for one in found.measures],
        "required": dict(found.required),
        "fast_lane": found.verdict.fast_lane,
        "is_mql": found.verdict.is_mql,
        "tier": found.tier,
        "team": found.team,
        "persona": found.persona,
        "verdict": _verdict(found),
    }
