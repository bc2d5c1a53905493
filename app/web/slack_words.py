"""What Baton says in Slack: the dialog that asks for a reason, the result of a press, and why one was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agreements.words import AnswerKind, NoWord
from app.web.page_notices import NEXT
from tasks.replies.answering import Reply, ShownAnswer, Visit

REASON_DIALOG = "baton-reason"
NO_DIALOG = "We could not ask for the reason here. Please open the lead with its link and reject it there."
#: The dialog's fields; each holds one value when it is sent.
_FIELDS = ("reason", "text", "colleague", "renewal_date", "refused")
#: Slack's limits: characters of an option, entries of a list, characters of a text.
_WORDS_MAX, _LIST_MAX, _TEXT_MAX = 75, 100, 1000
_TITLE_MAX = 24


class NotYours(Exception):
    """Somebody other than the addressee pressed; the message says whose the lead is."""


def reason_dialog(seen: Visit, token: str) -> dict[str, Any]:
    """Return the dialog for a rejection: the agreement's reasons without a default, a text, and the extra fields of some reasons."""
    blocks = [_input("reason", "Why?", _list((one.code, one.words) for one in seen.reasons))]
    text = {"type": "plain_text_input", "multiline": True, "max_length": _TEXT_MAX}
    blocks.append(_input("text", "In a few words (some reasons need it)", text, optional=True))
    if seen.colleagues:
        blocks.append(_input("colleague", "Colleague, if a colleague should take it", _list(seen.colleagues), optional=True))
    if "renewal_date" in seen.asks:
        blocks.append(_input("renewal_date", "When does their contract end, if you know?", {"type": "datepicker"}, optional=True))
    if seen.refusals:
        blocks.append(_input("refused", "If they refuse contact: what do they refuse?", _list(seen.refusals), optional=True))
    return {
        "type": "modal",
        "callback_id": REASON_DIALOG,
        "private_metadata": token,
        "title": _plain(f"Reject lead {seen.lead.number}"[:_TITLE_MAX]),
        "submit": _plain("Reject"),
        "close": _plain("Go back"),
        "blocks": blocks,
    }


def closing(text: str) -> dict[str, Any]:
    """Return the dialog's last page."""
    section = {"type": "section", "text": _plain(text[:2900])}
    return {"type": "modal", "title": _plain("Baton"), "close": _plain("Close"), "blocks": [section]}


def fields_of(values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what was chosen and typed in the dialog, by name."""
    fields = {}
    for name in _FIELDS:
        given = values.get(name, {}).get(name, {})
        chosen = (given.get("selected_option") or {}).get("value")
        fields[name] = str(chosen or given.get("value") or given.get("selected_date") or "").strip()
    return fields


def beside(problem: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the problem by the dialog's field that it is about."""
    names = {"few words": "text", "which colleague": "colleague", "the date": "renewal_date", "what they refuse": "refused"}
    block = next((name for said, name in names.items() if said in problem), "reason")
    return {block if fields["reason"] else "reason": problem}


def outcome(reply: Reply, seen: Visit) -> str:
    """Return the result of an answer."""
    if not reply.won:
        return " ".join(filter(None, ("Your answer changed nothing.", _who(reply.winner, seen), reply.ended)))
    undo = f" Until {_at(reply.undo_until, seen)} you can take it back on the page behind the link." if reply.undo_until else ""
    return f"Thank you, noted: you {_did(reply.kind)} lead {seen.lead.number}. {NEXT.get(reply.kind, '')}{undo}"


def settled(seen: Visit) -> str:
    """Return why nothing can be answered any more."""
    last = seen.answers[-1] if seen.answers else None
    return " ".join(filter(None, (_who(last, seen), seen.ended))) or "There is nothing to answer here right now."


def refusal(error: Exception) -> str:
    """Return why a press did nothing, for the person who pressed."""
    if isinstance(error, NotYours):
        return f"Only {error} can answer for this lead, so nothing changed. If the lead should be yours, ask them to hand it to you."
    return str(error)


def _who(given: ShownAnswer | None, seen: Visit) -> str:
    return f"{'You' if given.mine else given.by} {given.words} at {_at(given.at, seen)}." if given else ""


def _at(instant: datetime, seen: Visit) -> str:
    local = instant.astimezone(ZoneInfo(seen.timezone))
    return f"{local:%H:%M} on {local.day} {local:%b} ({seen.timezone})"


def _did(kind: AnswerKind | NoWord) -> str:
    return {"accepted": "accepted", "rejected": "rejected"}.get(kind, "answered")


def _input(name: str, label: str, element: Mapping[str, Any], *, optional: bool = False) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": _plain(label), "optional": optional, "element": {**element, "action_id": name}}


def _list(choices: Iterable[tuple[str, str]]) -> dict[str, Any]:
    options = [{"text": _plain(words[:_WORDS_MAX]), "value": value} for value, words in choices]
    return {"type": "static_select", "placeholder": _plain("Choose"), "options": options[:_LIST_MAX]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
