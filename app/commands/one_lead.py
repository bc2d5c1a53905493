"""Shows everything known about one lead."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session, col, select

from agreements.absences import away_command
from agreements.countries import unclear_country
from agreements.roster import Roster
from agreements.where_time_went import summed, where_time_went
from app import terminal
from notifications.letter import LeadView
from storage import answerers, auto_replies, consents, handoffs, lives, offers, opportunities, proof, roster
from storage.tables import Assignment, Delivery, DeliveryState, Event, Handoff, Lead
from tasks.messages import lead_view
from tasks.messages.crm_sentences import opportunity_in_words
from tasks.messages.template_faults import FAULTY


def show(lead: Annotated[int, typer.Argument(help="Number of the lead.")]) -> None:
    """Show everything known about one lead: facts, note, timeline, messages, and where its time went."""
    box = terminal.open_box()
    with terminal.told():
        box.read_now(lambda session, now: print_lead(session, lead, now=now))


def print_lead(session: Session, lead_id: int, *, now: datetime) -> None:
    """Print everything known about this lead. Raises typer.Exit where there is none."""
    lead = session.get(Lead, lead_id)
    if lead is None:
        terminal.fail(terminal.FINDINGS, f"There is no lead {lead_id}.")
    people = roster.current(session)
    handoff = handoffs.latest_of(session, lead_id)
    console = terminal.console
    console.print(f"Lead {lead_id}", style="bold", end=" ")
    known = (lead.company, f"{lead.first_name} {lead.last_name}".strip(), lead.job_title, lead.email, lead.phone)
    console.print(" · ".join(filter(None, known)), markup=False)
    if lead.erased_at:
        console.print(f"Everything personal was deleted at {lead.erased_at:%a %d %b %Y %H:%M} UTC.")
    if lead.do_not_contact or lead.not_by:
        console.print(f"  must not be contacted{'' if lead.do_not_contact else f' by {lead.not_by}'}", style="bold")
    if problem := unclear_country(lead.country):
        console.print(f"  country: {problem}", markup=False)
    for consent in consents.of_lead(session, lead_id):
        since = f", since {consent.at:%d %b %Y}" if consent.at else ""
        told = f" ({consent.source})" if consent.source else ""
        console.print(f"  may be contacted by {consent.channel} for {consent.purpose}: {consent.basis}{since}{told}", markup=False)
    if handoff is None:
        return
    points = f"score {handoff.score} (fit {handoff.fit}, engagement {handoff.engagement})"
    console.print(f"{handoff.stage}, owner {people.name_of(handoff.owner)}, {points}")
    view = lead_view.lead_view(session, handoff, now=now)
    console.print(f"  asked {view.asked}", markup=False)
    if view.requested_time:
        _print_requested(session, view)
    for name, value, source, at in view.beside:
        console.print(f"  {name.replace('_', ' ')}: {value} (also given by {source}, on {at:%d %b %Y %H:%M} UTC)", markup=False)
    for name, text in view.statements.items():
        console.print(f"  {name.replace('_', ' ')}: {text}", markup=False)
    for deal in opportunities.of_lead(session, lead_id):
        console.print(f"  {opportunity_in_words(deal)}", markup=False, soft_wrap=True)
    console.print("\nWhat happened", style="bold")
    for at, text in lead_view.timeline(session, lead_id, people=people):
        console.print(f"  {at:%a %d %b %Y %H:%M} UTC  {text}", markup=False)
    for reply in auto_replies.open_of(session, [handoff.rep] if handoff.rep else []):
        line = away_command(reply.person, reply.until)
        console.print(f"  If {people.name_of(reply.person)} is away: {line}", markup=False, soft_wrap=True)
    console.print("\nMessages", style="bold")
    for one in session.exec(select(Delivery).join(Handoff, col(Handoff.id) == col(Delivery.handoff_id)).where(Handoff.lead_id == lead_id)):
        instead = f" (Baton's own template instead of {', '.join(one.context[FAULTY])})" if FAULTY in one.context else ""
        said = f"{one.message} to {people.name_of(one.person)} over {one.channel}: {_state(one)} {_said(one)}"
        console.print(f"  {said}{instead}", markup=False)
    _print_tenures(session, lead_id, people)
    console.print("\nWhere the time went", style="bold")
    terminal.print_bar(summed(where_time_went(lives.of(session, [lead_id])[0], now=now)))


def _print_requested(session: Session, view: LeadView) -> None:
    """Print the contact time that the lead asked for, and how many attempts came before or after it."""
    touched = session.exec(select(Event.data).where(Event.lead_id == view.number, Event.kind == "touched")).all()
    early, late = (sum(bool(data.get(name)) for data in touched) for name in ("too_early", "too_late"))
    at = view.requested_there or "their time zone is unknown"
    counted = f"{len(touched)} attempt{'s' if len(touched) != 1 else ''}, {early} too early, {late} too late"
    terminal.console.print(f"  wants to be contacted {view.requested_time:%a %d %b %H:%M} UTC ({at}): {counted}", markup=False)


def _state(one: Delivery) -> str:
    if one.state == DeliveryState.SENT and one.confirm_at:
        return f"sent, counts as arrived from {one.confirm_at:%H:%M} UTC unless it comes back;"
    return str(one.state)


def _said(one: Delivery) -> str:
    """What the channel said: its error, without its name, which stands before it; else its proof."""
    return one.error.removeprefix(f"{one.channel}: ") or one.proof


#: Why a rep of several could no longer take the lead, in words.
_OFFER_ENDED = {"claimed": "a colleague accepted first", "rejected": "declined"}


def _print_tenures(session: Session, lead_id: int, people: Roster) -> None:
    """Print who got the lead, whether they looked, and whether they answered: three different things."""
    rows = list(session.exec(select(Assignment).where(Assignment.lead_id == lead_id).order_by(col(Assignment.assigned_at))))
    if rows:
        terminal.console.print("\nWho had it", style="bold")
    for row in rows:
        reached = f"delivered {row.proven_at:%a %d %b %H:%M} UTC" if row.proven_at else "not delivered"
        looked = "seen" if proof.was_seen(session, row.id) else "not seen"
        answer = answerers.newest_of(session, row.id)
        giver = answerers.giver_of(people, answer, row.rep) if answer else row.rep
        by = f", answered by {people.name_of(giver)}: {answer.kind}" if answer and answer.kind != "decided" and giver != row.rep else ""
        ended = f"{by}, until {row.ended_at:%a %d %b %H:%M} UTC: {row.ended_because}" if row.ended_at else by
        terminal.console.print(f"  {people.name_of(row.rep)}: {reached}, {looked}{ended}", markup=False)
        for one in offers.of(session, row.id):
            came = (
                f"until {one.ended_at:%a %d %b %H:%M} UTC: {_OFFER_ENDED.get(one.ended_because, one.ended_because)}"
                if one.ended_at
                else "may still accept"
            )
            terminal.console.print(f"    offered to {people.name_of(one.rep)}, {came}", markup=False)
