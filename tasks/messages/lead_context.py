"""The content of a message: the context of its templates, and the facts that go to the CRM with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from agreements.model import Agreement
from agreements.roster import Roster
from agreements.words import DISPUTABLE, SEVERAL, Ended, MessageKind
from notifications.letter import Context, LeadView, Recipient
from notifications.links import Links
from storage import answerers, disputes, handoffs, offers, roster, waits
from storage.tables import Answer, Assignment, Delivery, Handoff, Lead, PersonalText, Wait
from tasks import dispute_window
from tasks.clock_inputs import NO_CLOCK, morning_start, running
from tasks.messages import colleagues, marketing_news
from tasks.messages.lead_view import lead_view


def recipient(people: Roster, ident: str) -> Recipient:
    """Return a person of the roster as the recipient of a message. Raises KeyError for an unknown id."""
    person = people.people[ident]
    return Recipient(ident, person.name, person.email, person.phone, person.chat, person.timezone)


#: The messages by which a rep has the lead, those that ask somebody else, those with a manager's page, and those about the rep's time.
_HAS_IT: tuple[MessageKind, ...] = ("assigned", "taken")
_ASKS: tuple[MessageKind, ...] = ("note-needed", "decision-asked")
_TO_MANAGER: tuple[MessageKind, ...] = ("decision-asked", "manager-told")
_TO_REP: tuple[MessageKind, ...] = ("reminder", "withdrawn", "asked-again")
#: The ends by which a rep gave the lead to the next one.
_HANDED_ON: tuple[Ended, ...] = ("sql", "handed")


def context_of(session: Session, handoff: Handoff, row: Delivery, links: Links, *, now: datetime) -> Context:
    """Return everything that the template of this delivery may use. links: write the links in it."""
    people = roster.current(session)
    agreement = handoffs.agreement_of(session, handoff)
    given = row.context
    wait = waits.open_of(session, handoff.id)
    due, promise = _owed(session, handoff, wait, row, now)
    due = datetime.fromisoformat(given["due_at"]) if "due_at" in given else due
    rep = people.name_of(str(given.get("rep") or handoff.rep))
    what, extra = str(given.get("what", "")), {key: str(value) for key, value in given.get("extra", {}).items()}
    if given.get("offered"):
        extra["offered"] = "yes"
    if row.message == "feedback":
        what, rep = _feedback(session, handoff, people, given)
        extra |= _reason_words(session, agreement, given)
        due, promise = _may_dispute(session, row, now)
    if row.message == "assigned":
        what = what or _why_now(session, handoff)
        if others := _asked_with(session, row):
            extra["others"] = " and ".join(people.name_of(one) for one in others)
        if given.get("rep") and given["rep"] != row.person:
            extra["for"] = people.name_of(str(given["rep"]))
    if row.message in _HAS_IT and (leg := _leg(agreement, session.get(Assignment, row.assignment_id))):
        extra["leg"] = leg
    if row.message == "manager-told" and due and wait and wait.id == given.get("wait_id"):
        extra["left"] = time_left(due, now)
    link, page = _link(row, links, now), _page(row, links, now)
    colleague, other = colleagues.told(session, handoff, agreement, row.person, now=now) if row.message == "assigned" else ("", None)
    return Context(
        to=recipient(people, row.person),
        lead=lead_view(session, handoff, now=now),
        link=link,
        number=number_of(links, link or page),
        page=page,
        colleague=colleague,
        colleague_link=links.for_tenure(offers.link_id(session, other.id, row.person), at=now) if other else "",
        due_at=due,
        promise=promise,
        rep=rep,
        what=what,
        extra=extra,
    )


def time_left(due: datetime, now: datetime) -> str:
    """Return the time left until `due`, such as `5 minutes left`: minutes up to two hours, then hours up to a day, then days."""
    minutes = (due - now) // timedelta(minutes=1)
    if minutes <= 0:
        return "Overdue"
    count, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour") if minutes < 1440 else (minutes // 1440, "day")
    return f"{count} {unit}{'s' if count > 1 else ''} left"


def _asked_with(session: Session, row: Delivery) -> list[str]:
    """The other reps who are asked at once about the same lead."""
    offer = row.context.get("offer")
    return [one.rep for one in offers.of(session, row.assignment_id) if one.id != offer] if offer else []


def _may_dispute(session: Session, row: Delivery, now: datetime) -> tuple[datetime | None, str]:
    """Until when marketing may dispute the answer of sales, and the consequence of silence; empty if there can be no dispute."""
    answer = session.get(Answer, row.context.get("answer_id"))
    if answer is None or dispute_window.why_not(session, answer, now=now):
        return None, ""
    return dispute_window.open_until(session, answer), "Without a dispute the answer stands."


def _leg(agreement: Agreement, tenure: Assignment | None) -> str:
    return agreement.legs[tenure.leg].name if tenure and len(agreement.legs) > 1 and tenure.leg < len(agreement.legs) else ""


def _owed(session: Session, handoff: Handoff, wait: Wait | None, row: Delivery, now: datetime) -> tuple[datetime | None, str]:
    """When the rep's answer to an assignment is due, and the agreed time in words: all of it, or the rest that others have left.

    A rep who brought the lead in has the due time of the open wait, if a clock runs for it.
    """
    tenure = session.get(Assignment, row.assignment_id)
    if row.message == "taken" and tenure is not None and wait is not None and wait.assignment_id == tenure.id:
        return (None if wait.about == NO_CLOCK else wait.due_at), ""
    if row.message != "assigned" or tenure is None:
        return None, ""
    if wait is not None and wait.kind == "first_attempt" and wait.assignment_id == tenure.id:
        return wait.due_at, ""
    runs = running(session, handoff, "acceptance", tenure, start=morning_start(session, handoff, tenure, at=tenure.proven_at or now))
    term, due = runs.clock.term(handoff.tier), wait.due_at if wait and wait.kind == "acceptance" else runs.schedule().due_at
    agreed = f"within {term}" if due >= term.after(runs.start, runs.calendar) else f"what is left of {term}"
    return due, f"Agreed: {agreed}."


def _link(row: Delivery, links: Links, now: datetime) -> str:
    if row.message in _HAS_IT:
        if row.context.get("rep") == SEVERAL:  # a message to the manager of several reps: no link is the manager's
            return ""
        return links.for_tenure(str(row.context.get("offer") or row.assignment_id), at=now)
    if row.message in _ASKS and row.context.get("wait_id"):
        return links.for_duty(str(row.context["wait_id"]), row.person, at=now)
    answer_id, kind = row.context.get("answer_id"), row.context.get("extra", {}).get("kind")
    if row.message == "feedback" and answer_id and kind in DISPUTABLE:
        return links.for_dispute(int(answer_id), row.person, at=now)
    tenure = str(row.context.get("tenure", ""))
    return links.for_tenure(tenure, at=now) if tenure and row.message in _TO_REP else ""


def _page(row: Delivery, links: Links, now: datetime) -> str:
    """The link to a manager's own page, with every wait that the manager can answer; empty for other messages."""
    return links.for_person(row.person, at=now) if row.message in _TO_MANAGER else ""


def number_of(links: Links, url: str) -> str:
    """Return the code that the page behind this link asks for once per browser; empty for no link."""
    return links.number(url.rpartition("/")[2]) if url else ""


def _why_now(session: Session, handoff: Handoff) -> str:
    if disputes.which_led_to(session, handoff.id):
        return "Marketing disputed the return, and the manager agreed. You see the earlier answers below."
    if handoffs.before(session, handoff):
        return "Back from nurture. You see the earlier answers below."
    earlier = [row for row in handoffs.assignments(session, handoff.id) if row.ended_at]
    if not earlier:
        return ""
    people, last = roster.current(session), answerers.newest_of(session, earlier[-1].id)
    handed_on = last is not None and earlier[-1].ended_because in _HANDED_ON
    name = people.name_of(answerers.giver_of(people, last, earlier[-1].rep) if last and handed_on else earlier[-1].rep)
    if earlier[-1].ended_because == "sql":
        return f"Qualified by {name} and handed on to you."
    return f"Handed on by {name}." if earlier[-1].ended_because == "handed" else f"It was with {name} before: {earlier[-1].ended_because}."


def _feedback(session: Session, handoff: Handoff, people: Roster, given: dict[str, Any]) -> tuple[str, str]:
    """The sentence for marketing about an answer, and the name of the person who gave it."""
    answer = session.get(Answer, given.get("answer_id"))
    who = people.name_of(answer.by) if answer else "Sales"
    lead = handoffs.lead_of(session, handoff)
    did = marketing_news.DID.get(answer.kind if answer else "", "answered")
    found = marketing_news.found_wrong(answer) if answer else ""
    return f"{who} {did} {lead.company or f'lead {handoff.lead_id}'}.{found}", who


def _reason_words(session: Session, agreement: Agreement, given: dict[str, Any]) -> dict[str, str]:
    answer = session.get(Answer, given.get("answer_id"))
    reason = agreement.reason(str(answer.data.get("reason", ""))) if answer else None
    text = session.get(PersonalText, answer.text_id) if answer and answer.text_id else None
    return {"reason_words": reason.words if reason else "", "text": text.text if text else ""}


def crm_facts(context: Context) -> dict[str, str]:
    """Return the facts that go out with a message beside its text: to the CRM, and in the body of a webhook."""
    lead = context.lead
    facts = {
        "company": lead.company,
        "contact": lead.person,
        "score": str(lead.score),
        "tier": lead.tier,
        "persona": lead.persona,
        "product": lead.product,
        "what": context.what,
        "link": context.link,
        "number": context.number if context.link else "",
    }
    facts |= {"lead_number": str(lead.number), "owner": context.to.id, **dict(lead.statements)}
    if context.due_at:
        facts["due"] = context.due_at.isoformat()
    return {name: value for name, value in facts.items() if value}


def person_facts(lead: Lead, seen: LeadView) -> dict[str, str]:
    """Return the facts about the person, for the lead's record in the CRM and for nothing else. seen: the lead as people see it.

    A telephone number that the person refused is left out. The address stays, since the CRM finds the person's record by it.
    """
    facts = {
        "email": lead.email,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "company": lead.company,
        "job_title": lead.job_title,
        "phone": seen.phone,
        "country": lead.country,
    }
    return {name: value for name, value in facts.items() if value}
