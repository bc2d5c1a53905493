"""Short helpers for what tests do often."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from agreements.lead import IncomingLead
from storage import deliveries, handoffs
from storage.crm.local import LocalCrm
from storage.tables import Answer, Assignment, Delivery, Event, Handoff, Wake
from tasks import intake
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.fakes import KeepingChannel, make_lead
from tests.present import the


@dataclass(frozen=True)
class Taken:
    """An inquiry that was taken in."""

    lead_id: int
    source_id: str
    incoming: IncomingLead
    kind: str


def capture(box: Toolbox, **changes: object) -> Taken:
    """Take in an inquiry that qualifies as it is. changes: fields that matter to the test."""
    incoming = make_lead(**changes)
    done = box.write_now(lambda session, now: intake.capture(session, incoming, now=now))
    return Taken(done.lead_id, incoming.source_id, incoming, done.kind)


def newest(box: Toolbox, taken: Taken) -> Handoff:
    """Return the newest handoff of the lead."""
    return the(box.read_now(lambda session, now: handoffs.latest_of(session, taken.lead_id)))


def events_of(box: Toolbox, taken: Taken) -> list[Event]:
    """Return the lead's trail in order."""
    query = select(Event).where(Event.lead_id == taken.lead_id).order_by(col(Event.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def token_of(box: Toolbox, taken: Taken) -> str:
    """Return the token of the newest tenure's link."""

    def find(session: Session, now: object) -> str:
        query = (
            select(Assignment)
            .where(Assignment.lead_id == taken.lead_id)
            .order_by(col(Assignment.assigned_at).desc(), col(Assignment.number).desc())
        )
        row = the(session.exec(query.limit(1)).first())
        return box.links.for_tenure(row.id).rpartition("/")[2]

    return box.read_now(find)


def answer_by_link(box: Toolbox, taken: Taken, choice: str, **fields: str) -> answering.Reply:
    """Answer as the rep who has the lead now."""
    token = token_of(box, taken)
    return box.write_now(
        lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm(choice, fields), now=now)
    )


def answers_of(box: Toolbox, taken: Taken) -> list[tuple[str, str]]:
    """Return the answers on the lead's newest handoff in order: what was said, and whether it counts."""
    query = select(Answer).where(Answer.handoff_id == newest(box, taken).id).order_by(col(Answer.id))
    return [(row.kind, row.state) for row in box.read_now(lambda session, now: list(session.exec(query)))]


def wakes_of(box: Toolbox, taken: Taken) -> list[str]:
    """Return the kinds of the wakes of the lead's newest handoff, in order: the reasons why it has something to do."""
    query = select(Wake.kind).where(Wake.handoff_id == newest(box, taken).id).order_by(col(Wake.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def deliveries_of(box: Toolbox, taken: Taken) -> list[Delivery]:
    """Return the messages about the lead's newest handoff in order."""
    return box.read_now(lambda session, now: deliveries.of_handoff(session, newest(box, taken).id))


def kept_by(box: Toolbox, channel: str) -> KeepingChannel:
    """Return the fake channel of that name. Its `letters` are the messages that the code gave it to send."""
    found = box.channels[channel]
    assert isinstance(found, KeepingChannel)
    return found


def local_crm(box: Toolbox) -> LocalCrm:
    """Return the CRM of the test, which can also be changed as its users change it."""
    assert isinstance(box.crm, LocalCrm)
    return box.crm
