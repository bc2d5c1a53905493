"""Fields of a lead that a person set in the CRM: a new owner, and the values that give an answer under the agreement."""

from __future__ import annotations

from agreements import crm_words
from agreements.crm_words import OWNER, Said
from agreements.lifecycle import Stage
from agreements.words import ATTEMPTS, GIVEN_BACK, GivenAnswer, word
from storage import crm_values, offers, roster, trail
from storage.suppressions import Told
from tasks import opting_out
from tasks.choices import next_leg
from tasks.crm.place import Place
from tasks.crm.touches import count_attempt
from tasks.replies.validation import ChoiceRefused, data_of

#: The answers of somebody who works on the lead, and so has accepted it.
AT_WORK: tuple[GivenAnswer, ...] = ("attempted", "connected", "sql", "opportunity")


def take_fields(place: Place) -> None:
    """Takes new values of the lead's fields as the answer that they mean, and shows what they do not say clearly."""
    news, known = _news(place)
    if not news and place.made.values:
        return  # Baton wrote it, or a later change has replaced it
    said = crm_words.meaning(place.agreement, known, news) if place.handoff.agreement else Said()
    if said.kind == "suppressed":
        told = Told(source=f"CRM, {place.made.by}"[:200], by=place.made.by, since=place.made.at)
        opting_out.opt_out(place.session, place.lead, told, now=place.now)
        return
    if not place.is_open:
        if said.kind:
            place.not_understood("no-task", says=said.kind)
        return
    trail.record(
        place.session, "crm-changed", now=place.made.at, handoff=place.handoff, actor=place.made.by, fields=sorted(place.made.values)
    )
    if place.wait is None:
        return
    if _came_before(place):
        if said.kind:
            place.not_understood("before-assignment", says=said.kind)
        return
    if not _hand_over(place, news):
        _answer(place, said, news)


def _news(place: Place) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is new in this change, and the values of the lead in the CRM with it. Only fields with a meaning are remembered."""
    session, lead, at = place.session, place.lead, place.made.at
    watched = crm_words.watched(place.agreement) if place.handoff.agreement else frozenset({OWNER})
    before = crm_values.known(session, lead.id)
    since = place.handoff.created_at
    news = {
        name: value
        for name, value in place.made.values.items()
        if name not in watched or crm_words.is_news(before.get(name), value, at=at, since=since)
    }
    meant = {name: value for name, value in news.items() if name in watched}
    crm_values.set_by_person(session, lead.id, meant, at=at)
    if roster.current(session).person(place.made.by) is not None:  # Baton's own writes come back under the name of its access
        again = [name for name, value in place.made.values.items() if name in before and before[name].value == value]
        crm_values.set_again(session, lead.id, again, at=at)
    return news, {**{name: one.value for name, one in before.items()}, **meant}


def _came_before(place: Place) -> bool:
    """Whether the change was made before the rep had the lead."""
    return place.tenure is not None and place.made.at < place.tenure.assigned_at


def _hand_over(place: Place, news: dict[str, str]) -> bool:
    """Hands the lead to the new owner; False if the change names none."""
    owner = news.get(OWNER, "")
    if not owner or owner == place.handoff.rep:
        return False
    if roster.current(place.session).person(owner) is None:
        place.not_understood("unknown-owner", owner=owner)
        return False
    if "handed" not in place.allowed:
        return False
    place.answer("handed", colleague=owner)
    return True


def _answer(place: Place, said: Said, news: dict[str, str]) -> None:
    kind = said.kind
    if not kind:
        meant = sorted(set(news) & crm_words.watched(place.agreement) - {OWNER})
        if meant:
            place.not_understood("no-meaning", fields=meant)
    elif kind == "rejected":
        give_back(place, said.reason)
    elif kind != "suppressed":
        answer_of_work(place, kind)


def answer_of_work(place: Place, kind: GivenAnswer) -> None:
    """Gives this answer of the rep's work. A rep who is further in the CRM than the open wait has accepted the lead."""
    if place.wait is None:
        return
    if kind == "sql" and not next_leg(place.agreement, place.handoff):
        kind = "connected"  # no leg follows, and a qualified lead was spoken to
    tried = word(kind, ATTEMPTS)
    if tried and kind in place.allowed:
        count_attempt(place, tried)
    elif kind in place.allowed:
        place.answer(kind)
    elif kind in AT_WORK and place.handoff.stage == Stage.ASSIGNED and offers.may_accept(place.session, place.handoff, place.made.by):
        place.answer("accepted", implied_by=kind)


def give_back(place: Place, reason: str) -> None:
    """Rejects the lead, or returns it once somebody has accepted it."""
    kind = next((one for one in GIVEN_BACK if one in place.allowed), None)
    if kind is None or place.wait is None:
        place.not_understood("not-asked", says="rejected")
        return
    if not reason:
        place.not_understood("no-reason", says=kind)
        return
    said = place.agreement.crm.get(crm_words.DETAILS, {})
    fields = {name: place.made.values.get(field, "") for name, field in said.items() if name in crm_words.DETAIL_NAMES}
    people = roster.current(place.session)
    try:
        data = data_of(place.session, place.handoff, place.agreement, people, place.wait, kind, {**fields, "reason": reason})
    except ChoiceRefused:
        place.not_understood("incomplete", says=kind, reason=reason)
        return
    place.answer(kind, text=fields.get("text", ""), **data)
