"""Renders pages: the templates, times in the visitor's zone, and the words for the question and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse

from agreements.model import STATEMENTS
from agreements.time_shares import time_shares
from agreements.words import AnswerKind, GivenAnswer, NoWord, Via, WaitKind
from app.web.callers import Caller
from app.web.page_notices import Notice
from notifications.html_templates import html_templates
from notifications.plain_text import tel
from notifications.rendering import label, mailto
from tasks.choices import REP_CHOICES
from tasks.replies.link_page import Visit

#: What a page asks, by the task that is due.
QUESTIONS: Mapping[GivenAnswer | WaitKind | NoWord, str] = {
    "accepted": "Do you take this lead?",
    "attempted": "What came of this lead?",
    "first_attempt": "Have you tried to reach them?",
    "outcome": "What came of it?",
    "completed": "What is still missing in the note",
    "decided": "What becomes of this lead?",
}
#: What a person calls their own answer while it waits for the code.
HELD: Mapping[AnswerKind | NoWord, str] = {
    "accepted": "Accept",
    "rejected": "Reject",
    "returned": "Return",
    "decided": "decision",
    "completed": "note",
}
#: Answers that need no further words.
DIRECT: tuple[GivenAnswer, ...] = ("accepted", "attempted")
#: What the due time is for, by the task that is due.
DUE: Mapping[WaitKind | NoWord, str] = {
    "acceptance": "Answer by",
    "first_attempt": "Try to reach them by",
    "outcome": "Say what came of it by",
    "note": "Complete the note by",
    "decision": "Decision due by",
}
#: How an answer came, where it did not come by a link.
VIA: Mapping[Via, str] = {
    "crm": "in the CRM",
    "prefect": "in Prefect",
    "cli": "at the command line",
    "api": "over the API",
    "slack": "in Slack",
}
_REP_KINDS = frozenset(kind for kinds in REP_CHOICES.values() for kind in kinds)
_FIELDS = ("choice", "decision", "reason", "text", "colleague", "revisit_on", "renewal_date", "into", "refused", "channel", "member")


def page(name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return the page of that template. Whatever people wrote in the values is only ever text on the page."""
    return HTMLResponse(_TEMPLATES.get_template(name).render(values), status_code=status)


def plain(title: str, *sentences: str, status: int = 200, back: str = "") -> HTMLResponse:
    """Return a page that says one thing. back: where its only link leads, none where empty."""
    return page("plain.html", status=status, title=title, sentences=sentences, back=back)


@dataclass(frozen=True, slots=True)
class LeadForm:
    """How the page behind a lead's link looks this time.

    nonce: of its forms; typed: what to keep in the form, by field; problem: why the form was refused. asks_number: ask for
    the code from the message instead of showing the form; needs_number: ask for the code in the form.
    """

    status: int
    nonce: str
    notice: Notice | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    asks_number: bool = False
    needs_number: bool = False


def lead_page(visit: Visit, caller: Caller, form: LeadForm) -> HTMLResponse:
    """Return the page behind a link, for this browser."""
    return page(
        "lead.html",
        status=form.status,
        visit=visit,
        zone=visit.timezone,
        now=visit.now,
        path=caller.path,
        nonce=form.nonce,
        notice=form.notice,
        typed={**dict.fromkeys(_FIELDS, ""), **form.typed},
        problem=form.problem,
        asks_number=form.asks_number,
        needs_number=form.needs_number,
        held_word=_held_word(visit),
        direct=_direct(visit),
        offers_enrolment=visit.level == "known" and not visit.members and not visit.ended,
        token=caller.token,
        wait_id=caller.wait_id,
        base=caller.path.rpartition(f"/{'m' if caller.wait_id else 'l'}/{caller.token}")[0],
        question=_question(visit),
        due_words=DUE.get(visit.wait_kind, "Due by"),
        states=_to_state(visit),
        ticks=_to_tick(visit),
        reason_words={reason.code: reason.words for reason in visit.reasons},
        via_words=VIA,
        time_shares=time_shares(visit.time_parts),
        answers_first=_answers_first(visit) and not (form.notice and form.notice.thanks),
    )


def _direct(visit: Visit) -> list[tuple[str, str]]:
    """Return the answers that an enrolled browser can give by one press, as they need nothing else."""
    if visit.level != "enrolled" or visit.members:
        return []
    return [(option.kind, option.label) for option in visit.options if option.kind in DIRECT]


def _held_word(visit: Visit) -> str:
    kind = visit.held.kind if visit.held and not visit.answers_for else ""
    return HELD.get(kind, "answer")


def _question(visit: Visit) -> str:
    if visit.answers_for:
        return f"{visit.answers_for} has not answered. Answer for {visit.first_name}:"
    kinds = [option.kind for option in visit.options]
    if visit.wait_kind in QUESTIONS and "attempted" in kinds:
        return QUESTIONS[visit.wait_kind]
    if _is_wrong(visit):
        return "Correct the note"
    return next((QUESTIONS[kind] for kind in kinds if kind in QUESTIONS), "")


def _to_state(visit: Visit) -> list[tuple[str, str]]:
    """Return what a note still has to state, each with its present value; everything, where sales found a mistake in the note."""
    known = visit.lead.statements
    names = [name for name in visit.missing if name in STATEMENTS]
    if _is_wrong(visit):
        names += [name for name in known if name not in names]
    return [(name, known.get(name, "")) for name in names]


def _to_tick(visit: Visit) -> list[tuple[str, str]]:
    """Return the note's statements to tick on acceptance: each by name, and whether a tick calls it wrong or missing."""
    if not any(option.kind == "accepted" for option in visit.options):
        return []
    here = visit.lead.statements
    return sorted(((name, "wrong" if here.get(name) else "missing") for name in STATEMENTS), key=lambda pair: pair[1] == "missing")


def ticked(typed: Mapping[str, str]) -> str:
    """Return the names ticked in a form, with commas between. The code that stores them checks that such statements exist."""
    return ",".join(name.removeprefix("wrong_") for name, value in typed.items() if name.startswith("wrong_") and value)


def _answers_first(visit: Visit) -> bool:
    """Return whether the answers come before the lead: where nothing more is asked, or the page asks somebody other than the rep."""
    return not any(option.kind in _REP_KINDS for option in visit.options)


def _is_wrong(visit: Visit) -> bool:
    return any(name not in STATEMENTS for name in visit.missing)


@pass_context
def _when(values: Context, at: datetime) -> str:
    """Return `Tue 1 Dec 13:00` in the visitor's zone; with the year when it is long ago, and with the zone in a doubled hour."""
    local = at.astimezone(ZoneInfo(str(values["zone"])))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    now = values.get("now") or at
    year = f" {local.year}" if abs((now - at).days) > 180 else ""
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}{f' {local:%Z}' if twice else ''}"


@pass_context
def _clock(values: Context, at: datetime) -> str:
    """Return `13:00` in the visitor's zone for an instant of today; with the day for any other."""
    zone, now = ZoneInfo(str(values["zone"])), values.get("now") or at
    told = _when(values, at)
    return told if at.astimezone(zone).date() != now.astimezone(zone).date() else told[told.index(":") - 2 :]


def _day(day: date) -> str:
    """Return `Mon 30 Nov`."""
    return f"{day:%a} {day.day} {day:%b}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _environment() -> Environment:
    environment = html_templates(Path(__file__).parent / "templates")
    environment.filters.update(when=_when, clock=_clock, day=_day, tel=tel, mailto=mailto, label=label, upper_first=_upper_first)
    return environment


_TEMPLATES = _environment()
