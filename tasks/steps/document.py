"""Document: write the handoff note. Sales gets no message before the note states everything that was agreed."""

from __future__ import annotations

import re
from datetime import datetime

from sqlmodel import Session

from agreements import presence, qualification
from agreements.clocks import schedule
from agreements.model import Agreement
from agreements.note import Note, write_note
from agreements.words import NOT_THERE
from storage import deliveries, handoffs, leads, roster, waits
from storage.tables import Handoff, HandoffNote, Wait
from tasks.clock_inputs import calendar_of
from tasks.work import Work

_CELL_MAX = 200


def document(work: Work) -> None:
    """Writes the note, or asks a named person in marketing for the missing statements and waits for them."""
    session, handoff, now = work.session, work.handoff, work.now
    agreement = handoffs.agreement_of(session, handoff)
    row = handoffs.note_of(session, handoff) or HandoffNote(handoff_id=handoff.id, written_at=now)
    named = _take_completion(session, handoff, row, now)
    note = _compose(session, handoff, agreement, row, now)
    row.content = {**row.content, "statements": dict(note.statements), "criteria": [dict(one) for one in note.criteria]}
    missing = [*row.content.get("to_fix", []), *note.missing]
    row.complete, row.written_at = not missing, now
    session.add(row)
    if missing:
        _ask_marketing(session, handoff, agreement, missing, named, now)
        return
    handoffs.move(session, handoff, "documented", now=now, states=sorted(note.statements))
    work.notes.append(as_markdown(handoff, row))


def _take_completion(session: Session, handoff: Handoff, row: HandoffNote, now: datetime) -> str:
    """Takes what the answer adds to the note. Returns who is asked next, if somebody was named; else an empty text."""
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    if wait and answer and answer.kind in NOT_THERE:  # the note is as it was: somebody else is asked
        waits.close(session, wait, because=answer.kind, now=now)
        return str(answer.data.get("asked", ""))
    elif wait and answer:
        added = {name: value for name, value in answer.data.get("statements", {}).items() if value}
        row.content = {**row.content, "added": {**row.content.get("added", {}), **added}, "to_fix": []}
        waits.close(session, wait, because=answer.kind, now=now)
    return ""


def _compose(session: Session, handoff: Handoff, agreement: Agreement, row: HandoffNote, now: datetime) -> Note:
    lead = handoffs.lead_of(session, handoff)
    facts = leads.facts_for(session, handoff)
    verdict = qualification.qualify(agreement, facts, now=now)
    added = dict(row.content.get("added", {}))
    if not verdict.is_mql:  # the screen routed the lead, or its points have faded since the note was first written
        stated = row.content.get("statements", {}).get("why_qualified", "")
        added.setdefault("why_qualified", stated or f"Routed by the agreement: {handoff.reason or 'known account'}.")
    return write_note(agreement, facts, verdict, campaign=lead.campaign, added=added)


def rewrite(session: Session, handoff: Handoff, agreement: Agreement, *, now: datetime) -> None:
    """Brings a written note up to date, without checking again whether the note is complete."""
    row = handoffs.note_of(session, handoff)
    if row is not None and row.content.get("statements"):
        note = _compose(session, handoff, agreement, row, now)
        row.content = {**row.content, "statements": dict(note.statements), "criteria": [dict(one) for one in note.criteria]}
        session.add(row)


def _ask_marketing(session: Session, handoff: Handoff, agreement: Agreement, missing: list[str], named: str, now: datetime) -> None:
    people = roster.current(session)
    holder = presence.stand_in(people, named, now) or presence.marketing(people, now)
    calendar = calendar_of(session, handoff, "note", holder)
    there = presence.there_at(people, holder, now)
    plan = schedule(agreement.clock("note", handoff.leg), tier=handoff.tier, start=there, calendar=calendar)
    handoffs.move(session, handoff, "note-incomplete", now=now, missing=missing)
    handoff.owner = holder
    session.add(handoff)
    wait = waits.open_wait(session, handoff, waits.NewWait("note", holder=holder, due_at=plan.due_at, nudges=plan.nudges), now=now)
    _tell_marketing(session, handoff, wait, missing, now)


def _tell_marketing(session: Session, handoff: Handoff, wait: Wait, missing: list[str], now: datetime) -> None:
    words = ", ".join(name.replace("_", " ") for name in missing)
    deliveries.queue(
        session,
        handoff,
        deliveries.Message(
            "note-needed",
            context={
                "wait_id": wait.id,
                "due_at": wait.due_at.isoformat(),
                "extra": {"missing": words},
                "what": f"Still missing in the note: {words}.",
            },
        ),
        deliveries.Copy(f"{wait.id}:note-needed:email", "email", wait.holder),
        now=now,
    )


def as_markdown(handoff: Handoff, row: HandoffNote) -> str:
    """The note for Prefect's window: why the lead qualified, scores against their limits, rules and statements.

    The note holds no person's name, address or free text, and no fact about the lead. The lead's page shows those.
    """
    added = set(row.content.get("added", {}))
    lines = [
        f"# Handoff note, lead {handoff.lead_id}",
        "",
        f"**Why it qualified:** {_why(row)}",
        "",
        f"**Score {handoff.score} of 100** (fit {handoff.fit}, engagement {handoff.engagement})",
    ]
    lines += [
        "",
        ", ".join([f"Agreement {handoff.agreement}@{handoff.version}", f"tier {handoff.tier}", *_for_whom(row)]),
        *_limits(handoff, row),
        "",
        "| criterion | points | when |",
        "|---|---:|---|",
    ]
    lines += [f"| {_cell(one['rule'])} | {one['points']:+d} | {(one['at'] or '')[:10]} |" for one in row.content.get("criteria", [])]
    stated = list(row.content.get("statements", {}))
    lines += ["", *(f"- {name.replace('_', ' ')}: stated{' by marketing' if name in added else ''}" for name in stated)]
    return "\n".join(lines)


def _why(row: HandoffNote) -> str:
    """Why the lead was ready, in the agreement's order: a screening rule, the fast lane, the score."""
    if rule := row.content.get("routed_by"):
        return f"a screening rule sends it past the score: {_cell(rule)}."
    if lane := row.content.get("fast_lane"):
        return f"they asked for it ({_cell(lane.replace('_', ' '))}). Points do not decide then."
    return "it reaches every limit."


def _limits(handoff: Handoff, row: HandoffNote) -> list[str]:
    """The three sums beside the agreement's limits; nothing for a note from before limits were kept."""
    limits = row.content.get("limits")
    if not limits:
        return []
    sums = {"total": handoff.score, "fit": handoff.fit, "engagement": handoff.engagement}
    return ["", "| sum | points | at least |", "|---|---:|---:|", *(f"| {name} | {sums[name]} | {limits[name]} |" for name in sums)]


def _for_whom(row: HandoffNote) -> list[str]:
    return [f"{name} {_cell(row.content[name])}" for name in ("persona", "product") if row.content.get(name)]


def _cell(text: str) -> str:
    """The text without characters that Markdown, or a page that shows it, could interpret."""
    plain = "".join(ch if ch.isalnum() or ch in " -.,/%+" else " " for ch in text[:_CELL_MAX])
    return re.sub(r"(?i)\bwww\.", "www ", plain)
