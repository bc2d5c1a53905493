"""A lead as people see it: the view, and its history in sentences. The content of messages is in lead_context.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.prospect import Whereabouts, asked_words, clock_there, whereabouts
from agreements.roster import Roster
from agreements.words import OPT_OUT_CHANNELS, EventKind, Via, word
from notifications.letter import LeadView
from notifications.plain_text import one_line
from storage import handoffs, held, roster
from storage.tables import Activity, Event, Handoff, Lead, PersonalText
from tasks.messages import crm_sentences

#: The trail's lines as sentences for people. Lines that are not here are for the engineer.
SENTENCES: Mapping[EventKind, str] = {
    "captured": "Came in",
    "activity": "{activity}",
    "role-changed": "Has another role now",
    "company-changed": "Is at another company now",
    "moved-on": "Is at another company now, as lead {to}",
    "linked": "The same person as lead {to}, at another company",
    "shares-id": "Another person came under the same id of the source: lead {to}",
    "merged-by-hand": "{actor} merged it into lead {into}",
    "took-over": "{actor} merged lead {lead} into this one",
    "told-apart": "{actor} said that lead {other} is another person",
    "unmerged": "{actor} told it apart from lead {lead} again",
    "screened": "Passed the screen",
    "routed": "Routed past the score: {why}",
    "qualified": "Qualified: score {score}",
    "rescored": "Scored again: {score}",
    "taken": "{rep} brought the lead in and has it",
    "taken-at-work": "{rep} brought the lead in and works on it",
    "recycled": "Went to nurture ({track})",
    "came-back": "Came back from nurture",
    "revisited": "Looked at again, nothing new",
    "enrolled": "Enrolled in the nurture track {track}",
    "left-track": "Taken out of the nurture track {track}",
    "not-enrolled": "Not in the nurture track {track} ({why})",
    "note-incomplete": "The note was incomplete: {missing}",
    "documented": "Handoff note written",
    "held": "Held: {why}",
    "assigned": "Assigned to {rep} ({why})",
    "declined": "{rep} declined: {reason}",
    "no-longer-asked": "{rep} is no longer asked: {because}",
    "notified": "Proof that the message arrived over {channels}",
    "not-proven-yet": "No proof yet that the message arrived",
    "bounced": "The message to {to} over {channel} came back ({message})",
    "bounced-after-reading": "The message to {to} over {channel} came back after somebody had read it. That changes nothing",
    "complained": "The mailbox of {to} reported the message as unwanted",
    "auto-replied": "The mailbox of {to} answered by itself: {to} may be away",
    "unproven": "The proof of arrival is gone, so the clock of {rep} stops",
    "answered-accepted": "{actor} accepted",
    "answered-rejected": "{actor} rejected: {reason}",
    "answered-returned": "{actor} returned it: {reason}",
    "answered-handed": "{actor} handed it to {colleague}",
    "answered-attempted": "{actor} tried to reach them",
    "answered-connected": "{actor} reached them",
    "answered-sql": "{actor} qualified it",
    "answered-opportunity": "{actor} made it an opportunity",
    "answered-completed": "{actor} completed the note",
    "answered-decided": "{actor} decided: {choice}",
    "answered-away": "Whoever was asked is away now",
    "answered-left": "{left} has left",
    "answered-back": "{colleague} is back and has the lead again",
    "answered-late": "{actor} answered too late",
    "dispute-raised": "{actor} disputes the answer of {rep}: {reason}",
    "dispute-moved": "{holder} was asked to decide on the dispute, in place of {was}",
    "dispute-upheld": "{actor} let the rejection stand",
    "dispute-overturned": "{actor} overturned the rejection: {reason}",
    "assigned-again": "Assigned again: the rejection did not stand",
    "answer-undone": "{actor} took the answer back",
    "undo-overtaken": "The answer stands, because a later answer builds on it",
    "touched": "{actor}: {touch}",
    "facts-told": "{source} added: {filled}",
    "contact-time-ignored": "The requested contact time does not count: {why}",
    "call-moved": "The first call is due when {rep} is at work and the lead is awake",
    "no-shared-hours": "{rep} and the lead are never awake at the same time, so the hours of {rep} count",
    "missed": "Missed: {clock}",
    "escalated": "Escalated: {do}",
    "nudged": "{to} was told ({action})",
    "reassigned": "Taken from {was_rep}: {because}",
    "decision-asked": "{holder} was asked to decide",
    "given-back": "Left with the rep",
    "sql": "Qualified, handed on from {leg} to {to_leg}",
    "opportunity": "Became an opportunity",
    "disqualified": "Disqualified: {reason}",
    "attached": "Added to the existing account or deal: {reason}",
    "suppressed": "Suppressed",
    "opted-out": "Asked not to be contacted (told by {actor})",
    "asked-in-hand": "Asked again: {activity}",
    "opt-out-removed": "{actor} took the person from the do-not-contact list",
    "merged": "Merged with lead {into}",
    "erased": "Erased ({reason})",
    "cleared": "All personal data was deleted ({why})",
    "withdrawn": "Withdrawn, to start again under {taken_over_by}",
    "started-anew": "Started again",
    "got-stuck": "Stuck: {why}",
    "stranded": "The handoff had stopped, and Baton started it again",
    **crm_sentences.SENTENCES,
}
#: Sentences that say more if the event has a certain fact: kind, fact, sentence.
_MORE: tuple[tuple[EventKind, str, str], ...] = (
    ("moved-on", "address", "Came under another e-mail address, as lead {to}"),
    ("linked", "address", "Under another e-mail address, known as lead {to}"),
    ("nudged", "over", "{to} gets it in the morning digest ({action})"),
    ("captured", "brought_by", "Brought in by {brought_by}"),
    ("missed", "because", "Missed: {clock}, {because}"),
    ("facts-told", "beside", "{source} gave other facts: {beside}. The known facts stay"),
    ("facts-told", "replaced", "{source} corrected: {replaced}"),
    ("bounced", "excused", "The message to {to} over {channel} came back, so the missed {excused} is not the rep's fault"),
    ("assigned", "told", "Offered to {told}: {why}"),
    ("accepted", "claimed", "{rep} has it"),
    ("assigned", "leg", "Assigned to {rep}, {leg} ({why})"),
    ("touched", "too_early", "{actor}: {touch}, before the time that the lead asked for"),
    ("touched", "too_late", "{actor}: {touch}, after the time that the lead asked for"),
    ("touched", "channel", "{actor}: {touch} ({channel})"),
    ("asked-in-hand", "tier", "Asked again: {activity}. The lead is {tier} now"),
    ("opted-out", "by_channel", "Asked for no contact by {by_channel} (told by {actor})"),
    ("answered-rejected", "refused", "{actor} rejected: {reason}; the person refuses: {refused}"),
    ("answered-returned", "refused", "{actor} returned it: {reason}; the person refuses: {refused}"),
    ("answered-accepted", "note_wrong", "{actor} accepted; wrong or missing in the note: {note_wrong}"),
    ("dispute-raised", "answered_by", "{actor} disputes the answer of {answered_by}: {reason}"),
    ("dispute-upheld", "in_silence", "Nobody decided on the dispute in time: the rejection stands"),
    *crm_sentences.MORE,
)
#: The words for an answer under a name that nobody could check, by the way it came in.
_CLAIMED: Mapping[Via, str] = {
    "prefect": "in Prefect, under a name that nobody checked",
    "cli": "at the command line, under a name that nobody checked",
}
_QUIET: tuple[EventKind, ...] = ("activity", "answered-handed")


def sentence(event: Event, people: Roster, *, by: str = "") -> str:
    """Return one line of the trail as a sentence; empty for lines that people need not read. by: in place of the actor's name."""
    more = (form for kind, fact, form in _MORE if kind == event.kind and event.data.get(fact))
    form = crm_sentences.not_understood(event) or next(more, SENTENCES.get(event.kind))
    if form is None:
        return ""
    words = {name: _word(value, people) for name, value in event.data.items()}
    words["actor"] = by or people.name_of(event.actor)
    via = word(str(event.data.get("via")), _CLAIMED) if event.data.get("claimed") else None
    claimed = _CLAIMED[via] if via else None
    return form.format_map(_Blank(words)) + (f" ({claimed})" if claimed else "")


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _word(value: Any, people: Roster) -> str:
    if isinstance(value, list):
        return ", ".join(_word(one, people) for one in value)
    text = str(value)
    return people.name_of(text) if text in people.people else text.replace("_", " ")


def timeline(session: Session, lead_id: int, *, people: Roster, until_handoff: int | None = None) -> list[tuple[datetime, str]]:
    """Return the history of a lead in sentences, oldest first. until_handoff: only the history before that handoff."""
    query = select(Event).where(Event.lead_id == lead_id).order_by(col(Event.at), col(Event.id))
    lines = []
    for event in session.exec(query):
        if until_handoff is not None and (event.handoff_id is None or event.handoff_id >= until_handoff):
            continue
        if text := sentence(event, people):
            lines.append((event.at, text))
    return sorted([*lines, *_came_again(session, lead_id)], key=lambda line: line[0]) if until_handoff is None else lines


def _came_again(session: Session, lead_id: int) -> list[tuple[datetime, str]]:
    """What was taken for a repetition, at the last time that it came."""
    rows = session.exec(select(Activity).where(Activity.lead_id == lead_id, Activity.repeated > 0)).all()
    return [(row.repeated_at or row.at, f"{row.kind.replace('_', ' ')}: the same came again, {_times(row.repeated)}") for row in rows]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times, now for the last time"


def lead_view(session: Session, handoff: Handoff, *, now: datetime) -> LeadView:
    """The lead of this handoff as a rep sees it now."""
    view = held.known(session, handoff.id, ("view", handoff.stage), lambda: _view(session, handoff))
    requested = clock_there(view.where, view.requested_time) if view.requested_time else ""
    return replace(view, asked=asked_words(view.where, view.asked_at, now) if view.asked_at else "", requested_there=requested)


def _view(session: Session, handoff: Handoff) -> LeadView:
    lead = handoffs.lead_of(session, handoff)
    note = handoffs.note_of(session, handoff)
    content = note.content if note else {}
    people = roster.current(session)
    silent = lead.do_not_contact or handoff.stage == Stage.SUPPRESSED
    words, asked_at = _newest(session, handoff, lead)
    return LeadView(
        number=handoff.lead_id,
        company=lead.company,
        person=" ".join(filter(None, (lead.first_name, lead.last_name))),
        job_title=lead.job_title,
        email="" if silent or "email" in lead.not_by else lead.email,
        phone="" if silent or "phone" in lead.not_by else lead.phone,
        refuses=("all",) if silent else tuple(one for one in OPT_OUT_CHANNELS if one in lead.not_by.split()),
        country=lead.country,
        entry_channel=lead.entry_channel,
        campaign=lead.campaign,
        message=words,
        requested_time=lead.requested_time,
        tier=handoff.tier,
        score=handoff.score,
        fit=handoff.fit,
        engagement=handoff.engagement,
        fast_lane=handoff.fast_lane,
        stage=handoff.stage,
        agreement=f"{handoff.agreement}@{handoff.version}",
        persona=str(content.get("persona", "")),
        product=str(content.get("product", "")),
        leg=leg_of(session, handoff),
        brought_in_by=people.name_of(handoff.brought_by) if handoff.brought_by else "",
        statements=dict(content.get("statements", {})),
        criteria=tuple((one["rule"], one["value"], one["points"]) for one in content.get("criteria", [])),
        history=tuple(_earlier(session, handoff, people)),
        beside=tuple(one for one in beside_of(lead) if not ((silent or one[0] in lead.not_by) and one[0] in ("email", "phone"))),
        asked_at=asked_at,
        where=where_is(lead),
    )


def where_is(lead: Lead) -> Whereabouts:
    """The time zones in which the lead may be."""
    return whereabouts(told=lead.values.get("timezone", ""), country=lead.country, phone=lead.phone)


def _newest(session: Session, handoff: Handoff, lead: Lead) -> tuple[str, datetime]:
    """The last words of the lead, and when it asked: its newest request of the agreement's fast lane, else its newest activity."""
    lane = handoffs.agreement_of(session, handoff).qualification.fast_lane if handoff.agreement else ()
    # `coalesce` keeps the database from walking the index of all activities by time.
    newest = select(func.max(func.coalesce(Activity.at, Activity.received_at))).where(Activity.lead_id == lead.id)
    asked = newest.where(col(Activity.kind).in_(lane))
    words = select(PersonalText.text).join(Activity, col(Activity.text_id) == col(PersonalText.id)).where(Activity.lead_id == lead.id)
    words = words.order_by(col(Activity.id).desc()).limit(1)
    found = session.exec(select(words.scalar_subquery(), asked.scalar_subquery(), newest.scalar_subquery())).one()
    return found[0] or "", found[1] or found[2] or lead.created_at


def beside_of(lead: Lead) -> tuple[tuple[str, str, str, datetime], ...]:
    """Facts from other sources that differ from the lead's: name of the fact, value, source, and when; the newest last."""
    all_of = [(name, one) for name, others in lead.beside.items() for one in others]
    found = [(name, str(one["value"]), str(one["source"]), datetime.fromisoformat(one["at"])) for name, one in all_of]
    return tuple(sorted(found, key=lambda one: one[3]))


def leg_of(session: Session, handoff: Handoff) -> str:
    """The name of the handoff's current leg, empty if there is only one leg."""
    legs = handoffs.agreement_of(session, handoff).legs if handoff.agreement else ()
    return legs[handoff.leg].name if 1 < len(legs) > handoff.leg else ""


def run_name(session: Session, handoff: Handoff) -> str:
    """The name of the handoff's run in Prefect, on one line: company, number, and the leg if there are several."""
    lead, leg = handoffs.lead_of(session, handoff), leg_of(session, handoff)
    return f"{one_line(lead.company)[:100] or 'No company'} · lead {handoff.lead_id}{f' · {leg}' if leg else ''}"


def first_tags(handoff: Handoff) -> tuple[str, ...]:
    """The tags by which people find the handoff's run in Prefect before the first attempt."""
    return (f"stage:{handoff.stage}", f"agreement:{handoff.agreement}@{handoff.version}", f"lead:{handoff.lead_id}")


def _earlier(session: Session, handoff: Handoff, people: Roster) -> list[tuple[datetime, str]]:
    lead = handoffs.lead_of(session, handoff)
    elsewhere = session.get(Lead, lead.linked_to) if lead.linked_to else None
    known = [(lead.created_at, f"Known before as lead {elsewhere.id}, at {elsewhere.company or 'another company'}")] if elsewhere else []
    if handoff.previous_id is None:
        return known
    told: tuple[EventKind, ...] = (
        "answered-rejected",
        "answered-returned",
        "answered-accepted",
        "answered-connected",
        "recycled",
        "missed",
        "came-back",
        "disqualified",
        "dispute-overturned",
    )
    query = select(Event).where(Event.lead_id == handoff.lead_id, col(Event.handoff_id) < handoff.id, col(Event.kind).in_(told))
    told_of = session.exec(query.order_by(col(Event.at), col(Event.id)))
    return (known + [(event.at, sentence(event, people)) for event in told_of])[-12:]
