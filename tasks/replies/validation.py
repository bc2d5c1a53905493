"""Validation: check that an answer is complete, and say what is missing before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from agreements.clauses.after import GOES_INTO
from agreements.disposition import touches_lacking
from agreements.errors import HandoffError
from agreements.lead import MAX_SHORT, MAX_TEXT
from agreements.model import STATEMENTS, Agreement, Reason
from agreements.roster import Roster
from agreements.words import ATTEMPTS, GIVEN_BACK, GivenAnswer, NoWord, OptOutChannel, TouchChannel, word
from storage import handoffs, identity
from storage.tables import Handoff, Lead, Touch, Wait
from tasks.choices import CHANNELS, EVERYONE_FULL, REFUSED, decisions


class ChoiceRefused(HandoffError):
    """This cannot be answered like that."""


def colleagues_of(people: Roster, handoff: Handoff) -> dict[str, str]:
    """The reps to whom the lead can be handed: id and name."""
    return {ident: one.name for ident, one in people.people.items() if one.role == "rep" and ident != handoff.rep}


def data_of(
    session: Session, handoff: Handoff, agreement: Agreement, people: Roster, wait: Wait, kind: GivenAnswer, fields: Mapping[str, str]
) -> dict[str, Any]:
    """Return the data to store with an answer of this kind. Raises ChoiceRefused, which says what is missing or too long."""
    _refuse_too_long(fields)
    known = colleagues_of(people, handoff)
    if kind in GIVEN_BACK:
        return _reason_data(session, handoff, agreement, known, fields)
    if kind == "handed":
        return {"colleague": _colleague(known, fields, "Please say which colleague takes it.")}
    if kind == "accepted":
        return _ticked(fields.get("note_wrong", ""))
    if kind == "decided":
        return _decision_data(wait, known, fields)
    if kind == "completed":
        stated = {name: fields.get(name, "").strip()[:1000] for name in STATEMENTS}
        return {"statements": {name: value for name, value in stated.items() if value}}
    if kind in ATTEMPTS:
        return {"channel": channel_of(fields)}
    return {}


def _refuse_too_long(fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        most = MAX_TEXT if name in _LONG else MAX_SHORT
        if len(value) > most:
            called = _CALLED.get(name, name[:40].replace("_", " "))
            raise ChoiceRefused(f"Please shorten {called}: it has {len(value):,} characters, and at most {most:,} can be kept.")


#: The fields that may be longer than a word or a date.
_LONG = ("text", *STATEMENTS)
_CALLED = {"text": "what you wrote in a few words", "note_wrong": "what was wrong in the note"}


def _ticked(names: str) -> dict[str, Any]:
    """The ticked statements of the note, wrong or missing, in the note's order; empty if none was ticked."""
    ticked = {name.strip() for name in names.split(",")} - {""}
    if unknown := sorted(ticked - set(STATEMENTS)):
        raise ChoiceRefused(f"The note has no statement {', '.join(unknown)}; it can have {', '.join(STATEMENTS)}.")
    return {"note_wrong": [name for name in STATEMENTS if name in ticked]} if ticked else {}


def channel_of(fields: Mapping[str, str]) -> TouchChannel | NoWord:
    """Return the channel of an attempt, empty if none was named. Raises ChoiceRefused for an unknown channel."""
    named = fields.get("channel", "")
    channel: TouchChannel | NoWord = word(named, CHANNELS) or ""
    if named and not channel:
        raise ChoiceRefused(f"Please say how you tried to reach them: {', '.join(CHANNELS)}.")
    return channel


def refuse_gaps(missing: tuple[str, ...], fields: Mapping[str, str]) -> None:
    """Raises ChoiceRefused if a note that was sent as complete still lacks a statement."""
    gaps = [name.replace("_", " ") for name in missing if name in STATEMENTS and not fields.get(name, "").strip()]
    if gaps:
        raise ChoiceRefused(f"Please write down what is still missing in the note: {', '.join(gaps)}.")


def lacking(session: Session, handoff: Handoff, agreement: Agreement, reason: Reason) -> str:
    """Return what is missing before this reason may be given, in words; empty for nothing."""
    if reason.needs != "touches":
        return ""
    made = [touch.channel for touch in touches_of_leg(session, handoff)]
    attempts, channels = touches_lacking(agreement.clock("outcome", handoff.leg).touches, made)
    parts = [f"{count} more {word}{'s' if count > 1 else ''}" for count, word in ((attempts, "attempt"), (channels, "channel")) if count]
    return " and ".join(parts)


def touches_of_leg(session: Session, handoff: Handoff) -> list[Touch]:
    """The human attempts to reach the lead since this leg began, in order."""
    query = select(Touch).where(Touch.handoff_id == handoff.id)
    starts = [row.assigned_at for row in handoffs.assignments(session, handoff.id) if row.leg == handoff.leg]
    if starts:
        query = query.where(col(Touch.at) >= min(starts))
    return list(session.exec(query.order_by(col(Touch.at))))


def _decision_data(wait: Wait, known: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
    choice, colleague = word(fields.get("choice", ""), decisions(wait)), fields.get("colleague", "")
    if choice is None:
        raise ChoiceRefused("Please choose what becomes of the lead.")
    if choice == "reassign" and wait.about == EVERYONE_FULL:
        _colleague(known, fields, "Please say who takes it: everybody has as many leads as agreed.")
    return {"choice": choice, "colleague": colleague if colleague in known else ""}


def _reason_data(
    session: Session, handoff: Handoff, agreement: Agreement, known: Mapping[str, str], fields: Mapping[str, str]
) -> dict[str, Any]:
    reason = agreement.reason(fields.get("reason", ""))
    if reason is None:
        raise ChoiceRefused("Please choose one of the agreed reasons.")
    if reason.text == "required" and not fields.get("text", "").strip():
        raise ChoiceRefused(f"Please say in a few words why: the reason '{reason.words}' needs that.")
    if lacks := lacking(session, handoff, agreement, reason):
        raise ChoiceRefused(f"Not yet: the reason '{reason.words}' needs {_agreed(agreement, handoff)}. Lacking: {lacks}.")
    data: dict[str, Any] = {"reason": reason.code}
    if reason.then == "hand-to" or "colleague" in reason.ask:
        words = f"Please say which colleague takes it: the reason '{reason.words}' needs that."
        data["colleague"] = _colleague(known, fields, words)
    if reason.asks_channel:
        data["refused"] = _refused(fields, reason)
    if reason.then in GOES_INTO and (into := fields.get("into", "").strip()):
        data["into"] = _lead_named(session, handoff, into) if reason.then == "merge" else into
    for name in ("revisit_on", *(["renewal_date"] if "renewal_date" in reason.ask else [])):
        if day := _date(fields.get(name, "")):
            data[name] = day
    return data


def _lead_named(session: Session, handoff: Handoff, typed: str) -> int:
    """Return the number of the lead that goes on instead. Raises ChoiceRefused if there is no such lead."""
    number = typed.lower().removeprefix("lead").strip(" #")
    lead = session.get(Lead, int(number)) if number.isdecimal() and len(number) < 10 else None
    if lead is None or lead.erased_at is not None or identity.stands_for(session, lead).id == handoff.lead_id:
        words = "Please write the number of the other lead, as on its page. If you do not know it, leave the field empty"
        raise ChoiceRefused(f"There is no other lead {typed!r}. {words}: marketing looks for it.")
    return identity.stands_for(session, lead).id


def _agreed(agreement: Agreement, handoff: Handoff) -> str:
    touches = agreement.clock("outcome", handoff.leg).touches
    channels = f" on {touches.channels} channels" if touches.channels > 1 else ""
    return f"{touches.at_least} attempt{'s' if touches.at_least > 1 else ''}{channels} to reach them first"


def _colleague(known: Mapping[str, str], fields: Mapping[str, str], words: str) -> str:
    colleague = fields.get("colleague", "")
    if colleague not in known:
        raise ChoiceRefused(words)
    return colleague


def _refused(fields: Mapping[str, str], reason: Reason) -> OptOutChannel:
    refused = word(fields.get("refused", ""), REFUSED)
    if refused is None:
        raise ChoiceRefused(f"Please say what they refuse ({', '.join(REFUSED)}): the reason '{reason.words}' needs that.")
    return refused


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ChoiceRefused("Please write the date as 2027-01-31, or leave it empty.") from None
