"""Made-up messages for `baton messages preview` without a lead, and for checks of templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar, cast

from agreements.lifecycle import Stage
from agreements.loading import read_agreement
from agreements.prospect import Whereabouts
from agreements.wording import contract
from agreements.wording.document import Contract
from agreements.words import TemplateName
from notifications.letter import (
    AbsenceContext,
    AlarmContext,
    AlarmRow,
    CodeContext,
    Context,
    DigestContext,
    DigestRow,
    HeadContext,
    LeadView,
    NewsContext,
    NewsGroup,
    NewsRow,
    Recipient,
    ReviewContext,
    ReviewRow,
    SignatureContext,
    SigningContext,
)
from notifications.prefect_window import window_links

T = TypeVar("T")

LINK = "https://baton.example/l/made-up"
_NUMBER = "4827"
_REP = Recipient("ana", "Ana Ruiz", "ana@sales.example", "+44 20 7946 0100", timezone="Europe/London")
_LEAD = LeadView(
    number=42,
    company="Harbour & Sons",
    person="Lee O'Hara",
    job_title="Head of Operations",
    email="lee@harbour.example",
    phone="+44 20 7946 0177",
    country="GB",
    entry_channel="demo_request",
    campaign="Autumn webinar",
    message="We lose leads between two tools, and nobody sees it before the end of the month.\n\nCould somebody call after lunch?",
    requested_time=datetime(2026, 12, 2, 12, 30, tzinfo=UTC),
    asked_at=datetime(2026, 12, 1, 8, 40, tzinfo=UTC),
    where=Whereabouts(("Europe/London",), "country"),
    asked="20 min ago, at Tue 08:40 their time",
    requested_there="Wed 12:30 their time",
    tier="hot",
    score=82,
    fit=45,
    engagement=37,
    fast_lane=True,
    stage=Stage.ASSIGNED,
    agreement="b2b-saas@3",
    persona="ops-leader",
    product="Platform",
    statements={
        "why_qualified": "They asked for a demo; score 82 of 100.",
        "buying_signal": "Demo requested, and the pricing page twice in a week.",
        "next_step": "Call, understand what prompted the request, and agree the next meeting.",
        "campaign": "Autumn webinar",
        "pain_point": "manual handover; no overview of what became of a lead",
    },
    criteria=(("persona ops-leader", "Head of Operations", 25), ("employees at least 200", "340", 20), ("free mail address", "", -5)),
    history=((datetime(2026, 3, 3, 10, tzinfo=UTC), "Ben Carter rejected: Interested, but not now"),),
)
_LEAD_CONTEXT = Context(
    to=_REP,
    lead=_LEAD,
    link=LINK,
    due_at=datetime(2026, 12, 1, 13, tzinfo=UTC),
    promise="Agreed: within 4 working hours.",
    rep="Ana Ruiz",
    what="Handed on by Ben Carter.",
    number=_NUMBER,
)
#: Additional words of single messages.
_EXTRA: Mapping[str, Mapping[str, str]] = {
    "note-needed": {"missing": "pain point, campaign"},
    "feedback": {"reason_words": "Interested, but not now", "text": "Budget comes in April.\nTheir works council has to agree."},
    "decision-asked": {"reason_words": "Could not be reached", "text": "Three calls, two e-mails."},
    "ops-told": {"error": "mail server: 451 greylisted"},
    "manager-told": {"left": "5 minutes left"},
    "dispute-raised": {
        "reason_words": "Not our kind of customer",
        "rep_text": "Too small for us.",
        "marketing": "Mina Okoro",
        "text": "They have 340 people, and asked for the demo themselves.",
    },
    "dispute-settled": {"reason_words": "Not our kind of customer", "ruling_text": "Marketing is right, this is one for us."},
}
#: The link to the colleague's lead in the sample of an assignment.
COLLEAGUE_LINK = "https://baton.example/l/other"
_COLLEAGUE = "A colleague asks too: Priya Nair of Harbour & Sons (lead 37). You have that lead."
_WHAT: Mapping[str, str] = {
    "reminder": "Still needed: an answer (accept or reject).",
    "decision-asked": "Ana Ruiz did not answer in time.",
    "feedback": "Ana Ruiz rejected Harbour & Sons.",
    "manager-told": "Ana Ruiz has not answered yet (accept or reject). Most of the agreed time is over.",
    "note-needed": "Still missing in the note: pain point, campaign.",
    "ops-told": "The assignment could not be delivered.",
    "answered-for-you": "Somebody used your link in a browser that we do not know as yours. The answer was: accepted.",
    "dispute-raised": "Mina Okoro disputes that Ana Ruiz rejected Harbour & Sons.",
    "dispute-settled": "The rejection of Harbour & Sons does not stand.",
    "told": "Ana Ruiz accepted the lead that you brought in.",
    "asked-again": "They asked again: quote requested. The lead is hot now.",
    "do-not-contact": "This person asked not to be contacted. Please do not call or mail them again. You do not need to do anything else.",
    "withdrawn": "A new version of the agreement is in force.",
}
#: Messages that are not about one lead.
_OTHERS: Mapping[str, Any] = {
    "device-code": CodeContext(_REP, "https://baton.example/me", "482913", 15),
    "number-guessed": CodeContext(_REP, "", "482913", 60, whose="Ana Ruiz"),
    "links-ended": CodeContext(_REP, "https://baton.example/d/made-up", "4829", 2880),
    "absence-told": AbsenceContext(
        _REP,
        "",
        "The calendar of Ben Carter cannot be read",
        "Since 2026-12-01 09:15 UTC, Baton could not read the calendar feed of Ben Carter (calendar.example).",
        "The reason: its address does not exist; copy the secret address in iCal format (.ics) into the roster anew.",
        "Absences that were read before still count. New ones are unknown until the feed works again.",
        "baton roster feeds",
    ),
    "complaint-told": AbsenceContext(
        _REP,
        "",
        "No more e-mail to Ben Carter",
        "The mailbox of Ben Carter reported a message of Baton as unwanted.",
        "Baton sends no e-mail to this person now, so e-mail does not prove any more that they were told.",
        "Ask Ben Carter whether that was a mistake. Then settle the complaint, and e-mail goes out again.",
        "baton bounces list",
    ),
    "alarm-told": AlarmContext(
        _REP,
        "",
        "Alarm: 2 alarms",
        (
            AlarmRow(
                "No lead has come from website since 2026-12-01 09:15 UTC. In the same hours of the four weeks before, 14 came on average.",
                "Send a test lead through it. Look at the form or the connection, and at its key.",
            ),
            AlarmRow(
                "Lead 42 has been stuck since 2026-12-01 10:02 UTC: 5 attempts failed: CrmError.",
                "Find the cause with `baton leads show 42`, then `baton leads unstick 42`.",
            ),
        ),
        "baton alarms",
    ),
    "crm-told": AbsenceContext(
        _REP,
        "",
        "The CRM and Baton differ in 3 places",
        "Baton compared its leads with the CRM and found 3 differences.",
        "By kind: another owner: 2; the CRM has no record of the lead: 1.",
        "The command below lists each lead with what to do. You get the next message when something else differs.",
        "baton verify --crm",
    ),
    "trail-head": HeadContext(_REP, "", "4f1d" * 16, "1204", "58031", "2026-12-04 00:00 UTC"),
    "digest": DigestContext(
        to=_REP,
        link="https://baton.example/d/made-up",
        rows=(
            DigestRow(42, "Harbour & Sons", Stage.WORKING, "What came of it?", datetime(2026, 12, 4, 17, tzinfo=UTC), LINK),
            DigestRow(43, "Northgate Mills", Stage.ASSIGNED, "Still needed: an answer (accept or reject).", None, LINK, done=True),
        ),
        more=3,
        number=_NUMBER,
        page="https://baton.example/m/made-up",
        window=window_links("https://prefect.example", "maria"),
    ),
    "marketing-digest": NewsContext(
        to=Recipient("mina", "Mina Okoro", "mina@firm.example", timezone="Europe/London"),
        link="https://baton.example/d/made-up",
        waiting=(
            DigestRow(47, "Alder Freight", Stage.MQL, "Please complete the handoff note.", datetime(2026, 12, 1, 17, tzinfo=UTC), LINK),
        ),
        groups=(
            NewsGroup(
                "Became an opportunity",
                1,
                (
                    NewsRow(
                        42,
                        "Harbour & Sons",
                        "Autumn webinar",
                        "website",
                        (
                            ("Ana Ruiz accepted it.", datetime(2026, 11, 30, 10, 5, tzinfo=UTC)),
                            ("Ana Ruiz made an opportunity of it.", datetime(2026, 11, 30, 16, 40, tzinfo=UTC)),
                        ),
                        "They want to start in January.",
                    ),
                ),
            ),
            NewsGroup(
                "Accepted by sales",
                9,
                (NewsRow(43, "Northgate Mills", "", "fair", (("Ben Carter accepted it.", datetime(2026, 11, 30, 14, 20, tzinfo=UTC)),)),),
                "https://baton.example/m/made-up/leads?stage=accepted",
                (45, 46, 48, 49, 50, 51, 52, 53),
            ),
            NewsGroup(
                "Returned by sales",
                1,
                (
                    NewsRow(
                        44,
                        "Kestrel Tools",
                        "Spring campaign",
                        "linkedin",
                        (("Ana Ruiz returned it: Could not be reached.", datetime(2026, 11, 30, 15, 10, tzinfo=UTC)),),
                        link="https://baton.example/q/made-up",
                        dispute_until=datetime(2026, 12, 2, 15, 10, tzinfo=UTC),
                    ),
                ),
            ),
        ),
        more=2,
        number=_NUMBER,
        page="https://baton.example/m/made-up",
    ),
    "reason-told": AlarmContext(
        Recipient("cmo@firm.example", "", "cmo@firm.example", timezone="Europe/London"),
        "",
        "b2b-saas: sales often gives the reason 'No budget'",
        (
            AlarmRow(
                "'No budget' is 18 of 61 rejections in February 2027 (30 %). The agreed limit is 25 %.",
                "The review shows from which sources these leads came, and whom the reason counts against.",
            ),
        ),
        "baton review --agreement b2b-saas --from 2027-02-01",
    ),
    "review-told": ReviewContext(
        to=Recipient("cmo@firm.example", "", "cmo@firm.example", timezone="Europe/London"),
        link="",
        subject="Weekly review of b2b-saas, 1 Feb 2027 to 7 Feb 2027",
        reference="b2b-saas@3",
        days="1 Feb 2027 to 7 Feb 2027",
        what=(
            "48 MQLs. Sales accepted 36 of 44 (81.8 %). Marketing kept 46 of 48 (95.8 %) of its promises."
            " Sales kept 71 of 96 (74.0 %) of its promises. Pipeline created: 84,000 GBP."
        ),
        todo=(
            "Sales promised at least 90% for 'Speed to lead' and kept 25 of 36.",
            "'No budget' is 18 of 61 rejections of the month; the agreed limit is 25 %.",
        ),
        rows=(
            ReviewRow("MQLs", "marketing", "120 per month", "48", "yes", "48 of 120 in the month (expected: 30)"),
            ReviewRow("Accepted", "marketing", "at least 75%", "36 of 44 (81.8 %)", "yes", ""),
            ReviewRow("Pipeline", "marketing", "", "84,000 GBP", "", ""),
            ReviewRow("Speed to lead", "sales", "at least 90%", "25 of 36 (69.4 %)", "no", ""),
            ReviewRow("Opportunities", "sales", "", "7", "", ""),
        ),
        command="baton review show 7",
    ),
    "signature-told": SignatureContext(
        to=Recipient("cmo@firm.example", "", "cmo@firm.example", timezone="Europe/London"),
        link="https://baton.example/s/made-up",
        reference="b2b-saas@3",
        what="Cleo Roth signed b2b-saas@3 for sales.",
        deployable=True,
    ),
    "signature-asked": SigningContext(
        to=Recipient("cmo@firm.example", "", "cmo@firm.example", timezone="Europe/London"),
        link="https://baton.example/s/made-up",
        reference="b2b-saas@3",
        party="marketing",
        begins="1 January 2027",
        code="482913",
        differences=("The rep answers a hot lead within 30 minutes, not within 1 hour.",),
        compared_with="b2b-saas@2",
    ),
}


def sample(message: TemplateName) -> Any:
    """Return made-up content for this message. Only the contract is real: it belongs to the starter agreement."""
    if message == "signature-asked":
        return replace(_OTHERS[message], contract=_contract())
    if message in _OTHERS:
        return _OTHERS[message]
    made = replace(_LEAD_CONTEXT, what=_WHAT.get(message, _LEAD_CONTEXT.what), extra=_EXTRA.get(message, {}))
    return replace(made, colleague=_COLLEAGUE, colleague_link=COLLEAGUE_LINK) if message == "assigned" else made


@lru_cache(maxsize=1)
def _contract() -> Contract:
    return contract(read_agreement(resources.files("agreements").joinpath("examples", "starter.yaml").read_text(encoding="utf-8")))


def is_about_a_lead(message: TemplateName) -> bool:
    """Return whether the message is about one lead, so that a preview can use a stored lead."""
    return message != "test" and message not in _OTHERS


def bare(context: T) -> T:
    """Return the same message with almost nothing known: empty texts, and no optional values."""
    assert is_dataclass(context)
    assert not isinstance(context, type)
    given: dict[str, Any] = {}
    for one in fields(context):
        value = getattr(context, one.name)
        if is_dataclass(value) and one.default is MISSING:
            given[one.name] = bare(value)
        elif one.default is not MISSING:
            given[one.name] = one.default
        elif one.default_factory is not MISSING:
            given[one.name] = one.default_factory()
        else:
            given[one.name] = "" if isinstance(value, str) else value
    return cast(T, replace(context, **given))


#: Fields that no person writes: the reader's id and zone, links and their code, the chat address, and the contract.
_OURS = frozenset({"id", "timezone", "link", "colleague_link", "page", "number", "contract", "chat", "window"})


def full_of(value: T, text: str, name: str = "") -> T:
    """Return the same message with this text in every place that a person may have written."""
    told: Any = value
    if name in _OURS:
        return value
    if isinstance(value, str):
        told = text
    elif isinstance(value, Mapping):
        told = MappingProxyType({key: full_of(one, text) for key, one in value.items()})
    elif isinstance(value, tuple):
        told = tuple(full_of(one, text) for one in value)
    elif is_dataclass(value) and not isinstance(value, type):
        told = replace(value, **{one.name: full_of(getattr(value, one.name), text, one.name) for one in fields(value)})
    return cast(T, told)
