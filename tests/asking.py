"""Helpers for a lead about which several reps are asked at once."""

from __future__ import annotations

from sqlmodel import col, select

from agreements.words import GivenAnswer
from storage.tables import Offer
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.stage import Taken, newest


def offers_of(box: Toolbox, taken: Taken) -> list[Offer]:
    """Return the offers of the lead in order."""
    query = select(Offer).where(Offer.handoff_id == newest(box, taken).id).order_by(col(Offer.offered_at), col(Offer.number))
    return box.read_now(lambda session, now: list(session.exec(query)))


def asked(box: Toolbox, taken: Taken) -> list[str]:
    """Return who may still accept the lead."""
    return [one.rep for one in offers_of(box, taken) if one.ended_at is None]


def link_of(box: Toolbox, taken: Taken, rep: str) -> OpenedLink:
    """Return the link in the message to this rep."""
    ident = next(one.id for one in offers_of(box, taken) if one.rep == rep)
    return OpenedLink(box, box.links.for_tenure(ident).rpartition("/")[2])


def says(box: Toolbox, taken: Taken, rep: str, kind: GivenAnswer, **fields: str) -> answering.Reply:
    """Answer as this rep, through the link in the message to them."""
    link = link_of(box, taken, rep)
    return box.write_now(lambda session, now: answering.answer(session, link, answering.SentForm(kind, fields), now=now))
