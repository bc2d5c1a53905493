"""What people are shown of a lead: the view, its history in sentences, and the context of a message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements.model import Agreement
from agreements.roster import Roster
from notifications.letter import Context, LeadView, Recipient
from storage import handoffs, roster, waits
from storage.tables import Activity, Answer, Assignment, Delivery, Event, Handoff, Lead, PersonalText, Wait
from tasks import toolbox
from tasks.running import running

#: How the trail's lines read to people. Lines that are not here are for the engineer.
SENTENCES = {
    "captured": "Came in",
    "activity": "{activity}",
    "screened": "Passed the screen",
    "routed": "Routed past the score: {why}",
    "qualified": "Qualified: score {score}",
    "recycled": "Went to nurture ({track})",
    "came-back": "Came back from nurture",
    "revisited": "Looked at again, nothing new",
    "note-incomplete": "The note was incomplete: {missing}",
    "documented": "Handoff note written",
    "held": "Held: {why}",
    "assigned": "Assigned to {rep} ({why})",
    "notified": "Proven to have arrived over {channels}",
    "not-proven-yet": "Not yet proven to have arrived",
    "answered-accepted": "{actor} accepted",
    "answered-rejected": "{actor} rejected: {reason}",
    "answered-returned": "{actor} returned it: {reason}",
    "answered-handed": "{actor} handed it to {colleague}",
    "answered-attempted": "{actor} tried to reach them",
    "answered-connected": "{actor} reached them",
    "answered-opportunity": "{actor} made it an opportunity",
    "answered-completed": "{actor} completed the note",
    "answered-decided": "{actor} decided: {choice}",
    "answered-late": "{actor} answered after it was settled",
    "answer-undone": "{actor} took the answer back",
    "touched": "{actor}: {touch}",
    "missed": "Missed: {clock}",
    "escalated": "Escalated: {do}",
    "nudged": "{to} was told ({action})",
    "reassigned": "Taken from {was_rep}: {because}",
    "decision-asked": "Laid before {holder}",
    "given-back": "Left with the rep",
    "opportunity": "Became an opportunity",
    "disqualified": "Disqualified: {reason}",
    "attached": "Attached to what is under way: {reason}",
    "suppressed": "Suppressed",
    "merged": "Merged with lead {into}",
    "withdrawn": "Withdrawn, to start anew under {taken_over_by}",
    "started-anew": "Started anew",
    "got-stuck": "Stuck: {why}",
}
_QUIET = ("activity", "answered-handed")


def sentence(event: Event, people: Roster) -> str:
    """One line of the trail in words; empty for lines that people need not read."""
    form = SENTENCES.get(event.kind)
    if form is None:
        return ""
    words = {name: _word(value, people) for name, value in event.data.items()}
    words["actor"] = people.name_of(event.actor)
    return form.format_map(_Blank(words))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _word(value: Any, people: Roster) -> str:
    if isinstance(value, list):
        return ", ".join(_word(one, people) for one in value)
    text = str(value)
    return people.name_of(text) if text in people.people else text.replace("_", " ")


def timeline(session: Session, lead_id: int, *, people: Roster, until_handoff: int | None = None) -> list[tuple[datetime, str]]:
    """What happened to a lead, oldest first, in sentences; with until_handoff only what came before that handoff."""
    query = select(Event).where(Event.lead_id == lead_id).order_by(col(Event.at), col(Event.id))
    lines = []
    for event in session.exec(query):
        if until_handoff is not None and (event.handoff_id is None or event.handoff_id >= until_handoff):
            continue
        if text := sentence(event, people):
            lines.append((event.at, text))
    return lines


def lead_view(session: Session, handoff: Handoff) -> LeadView:
    """The lead of this handoff as a rep sees it."""
    lead = handoffs.lead_of(session, handoff)
    note = handoffs.note_of(session, handoff)
    content = note.content if note else {}
    people = roster.current(session)
    return LeadView(
        number=handoff.lead_id,
        company=lead.company,
        person=" ".join(filter(None, (lead.first_name, lead.last_name))),
        job_title=lead.job_title,
        email=lead.email,
        phone=lead.phone,
        country=lead.country,
        entry_channel=lead.entry_channel,
        campaign=lead.campaign,
        message=_last_words(session, lead),
        requested_time=lead.requested_time,
        tier=handoff.tier,
        score=handoff.score,
        fit=handoff.fit,
        engagement=handoff.engagement,
        fast_lane=handoff.fast_lane,
        stage=handoff.stage,
        agreement=f"{handoff.agreement}@{handoff.version}",
        statements=dict(content.get("statements", {})),
        criteria=tuple((one["rule"], one["value"], one["points"]) for one in content.get("criteria", [])),
        history=tuple(_earlier(session, handoff, people)),
    )


def _last_words(session: Session, lead: Lead) -> str:
    query = select(PersonalText.text).join(Activity, col(Activity.text_id) == col(PersonalText.id)).where(Activity.lead_id == lead.id)
    return session.exec(query.order_by(col(Activity.id).desc()).limit(1)).first() or ""


def _earlier(session: Session, handoff: Handoff, people: Roster) -> list[tuple[datetime, str]]:
    if handoff.previous_id is None:
        return []
    told = (
        "answered-rejected",
        "answered-returned",
        "answered-accepted",
        "answered-connected",
        "recycled",
        "missed",
        "came-back",
        "disqualified",
    )
    query = select(Event).where(Event.lead_id == handoff.lead_id, col(Event.handoff_id) < handoff.id, col(Event.kind).in_(told))
    return [(event.at, sentence(event, people)) for event in session.exec(query.order_by(col(Event.at), col(Event.id)))][-12:]


def recipient(people: Roster, ident: str) -> Recipient:
    """A person of the roster as somebody who is told something. Raises KeyError for nobody of that id."""
    person = people.people[ident]
    return Recipient(ident, person.name, person.email, person.phone, person.chat, person.timezone)


def context_of(session: Session, handoff: Handoff, row: Delivery, *, now: datetime) -> Context:
    """Everything the template of this delivery may say."""
    people = roster.current(session)
    agreement = handoffs.agreement_of(session, handoff)
    given = row.context
    wait = waits.open_of(session, handoff.id or 0)
    due, promise = _acceptance(session, handoff, wait, row, now)
    due = datetime.fromisoformat(given["due_at"]) if "due_at" in given else due
    what, extra = str(given.get("what", "")), {key: str(value) for key, value in given.get("extra", {}).items()}
    if row.message == "feedback":
        what = _feedback(session, handoff, people, given)
        extra |= _reason_words(session, agreement, given)
    if row.message == "assigned":
        what = what or _why_now(session, handoff)
        if given.get("rep") and given["rep"] != row.person:
            extra["for"] = people.name_of(str(given["rep"]))
    return Context(
        to=recipient(people, row.person),
        lead=lead_view(session, handoff),
        link=_link(row),
        due_at=due,
        promise=promise,
        rep=people.name_of(str(given.get("rep") or handoff.rep)),
        what=what,
        extra=extra,
    )


def _acceptance(session: Session, handoff: Handoff, wait: Wait | None, row: Delivery, now: datetime) -> tuple[datetime | None, str]:
    """By when the rep of an assignment owes the answer, and the time agreed for it; where others have used a part, the rest."""
    tenure = session.get(Assignment, row.assignment_id)
    if row.message != "assigned" or tenure is None:
        return None, ""
    runs = running(session, handoff, "acceptance", tenure, start=tenure.proven_at or now)
    term, due = runs.clock.term(handoff.tier), wait.due_at if wait and wait.kind == "acceptance" else runs.schedule().due_at
    return due, f"within {term}" if due >= term.after(runs.start, runs.calendar) else f"what is left of {term}"


def _link(row: Delivery) -> str:
    links = toolbox.current().links
    if row.message == "assigned":
        return links.for_tenure(row.assignment_id)
    if row.message in ("note-needed", "decision-asked") and row.context.get("wait_id"):
        return links.for_duty(str(row.context["wait_id"]), row.person)
    tenure = str(row.context.get("tenure", ""))
    return links.for_tenure(tenure) if tenure and row.message in ("reminder", "withdrawn") else ""


def _why_now(session: Session, handoff: Handoff) -> str:
    if handoffs.before(session, handoff):
        return "Back from nurture, with its history."
    earlier = [row for row in handoffs.assignments(session, handoff.id or 0) if row.ended_at]
    if not earlier:
        return ""
    name = roster.current(session).name_of(earlier[-1].rep)
    return f"Handed on by {name}." if earlier[-1].ended_because == "handed" else f"It was with {name} before: {earlier[-1].ended_because}."


_DID = {
    "accepted": "accepted",
    "rejected": "rejected",
    "returned": "returned",
    "opportunity": "made an opportunity of",
}


def _feedback(session: Session, handoff: Handoff, people: Roster, given: dict[str, Any]) -> str:
    answer = session.get(Answer, given.get("answer_id"))
    who = people.name_of(answer.by) if answer else "Sales"
    lead = handoffs.lead_of(session, handoff)
    did = _DID.get(answer.kind if answer else "", "answered")
    return f"{who} {did} {lead.company or f'lead {handoff.lead_id}'}."


def _reason_words(session: Session, agreement: Agreement, given: dict[str, Any]) -> dict[str, str]:
    answer = session.get(Answer, given.get("answer_id"))
    reason = agreement.reason(str(answer.data.get("reason", ""))) if answer else None
    text = session.get(PersonalText, answer.text_id) if answer and answer.text_id else None
    return {"reason_words": reason.words if reason else "", "text": text.text if text else ""}


def crm_facts(context: Context) -> dict[str, str]:
    """What the CRM is told along with an assignment or a note."""
    lead = context.lead
    facts = {
        "company": lead.company,
        "contact": lead.person,
        "score": str(lead.score),
        "tier": lead.tier,
        "what": context.what,
        "link": context.link,
    }
    facts |= {"lead_number": str(lead.number), "owner": context.to.id, **dict(lead.statements)}
    if context.due_at:
        facts["due"] = context.due_at.isoformat()
    return {name: value for name, value in facts.items() if value}
