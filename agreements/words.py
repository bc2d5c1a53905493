"""The words that are stored and compared in several folders, one type for each vocabulary. mypy finds a word that is not in its type.

A word that belongs to one clause, one rule or one table is defined there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, Literal, TypeVar, get_args

#: The empty text that stands where no word is given.
NoWord = Literal[""]
#: A time limit of the agreement, by the name of its clause.
ClockName = Literal["delivery", "acceptance", "first_attempt", "outcome", "note", "decision"]
CLOCK_NAMES: tuple[ClockName, ...] = get_args(ClockName)
#: What a wait is for: the answer that a clock asks for, or the date on which a nurtured lead is looked at again.
WaitKind = Literal[ClockName, "revisit"]
#: The waits for an answer of the rep who has the lead.
OF_REPS: tuple[WaitKind, ...] = ("acceptance", "first_attempt", "outcome")
#: What a wait is about: its kind, or what makes it special.
#: proof: that the message arrived; hold: nobody is there to take the lead; release: the lead is in the queue; no-clock: no deadline runs;
#: everyone-full: everybody in the team has as many leads as agreed;
#: triage: marketing looks at what sales returned; left: whoever had the lead is in the roster no more.
About = Literal[WaitKind, "proof", "hold", "release", "no-clock", "everyone-full", "triage", "left"]
#: What a clock may do while it runs, and after it was missed.
Nudge = Literal["remind", "tell-manager", "tell-marketing-ops"]
Action = Literal[Nudge, "reassign", "default-acceptor", "manager-decides", "nurture", "disqualify"]
#: The answers that tell of an attempt to reach the lead: without and with success.
Attempt = Literal["attempted", "connected"]
ATTEMPTS: tuple[Attempt, ...] = get_args(Attempt)
#: What somebody may answer. sql: a lead that goes on to the next leg.
GivenAnswer = Literal[
    "accepted", "rejected", "handed", "attempted", "connected", "sql", "opportunity", "returned", "completed", "decided"
]  # fmt: skip
#: The answers with which a rep gives a lead back, each with a reason.
GivenBack = Literal["rejected", "returned"]
GIVEN_BACK: tuple[GivenBack, ...] = get_args(GivenBack)
#: The answers that marketing may dispute. Each is an outcome, and marketing is told it at once unless the agreement says otherwise.
DISPUTABLE: tuple[GivenBack, ...] = GIVEN_BACK
#: What somebody who decides about a lead may choose.
Decision = Literal["reassign", "give-back", "nurture", "disqualify"]
#: How somebody tried to reach a lead.
TouchChannel = Literal["phone", "email", "message", "social", "in-person"]
#: What a person refuses: every contact, or one channel.
OptOutChannel = Literal["all", "email", "phone"]
OPT_OUT_CHANNELS: tuple[OptOutChannel, ...] = get_args(OptOutChannel)
#: What is stored as an answer to a wait. deadline: nobody answered in time; away: whoever was asked is away now; left: whoever was
#: asked is in the roster no more; back: whoever had the lead before an absence is there again.
AnswerKind = Literal[GivenAnswer, "deadline", "away", "left", "back"]
#: Those that no person gave.
NOBODYS: tuple[AnswerKind, ...] = ("deadline", "away", "left", "back")
#: Those after which somebody else is asked.
NOT_THERE: tuple[AnswerKind, ...] = ("away", "left", "back")
#: What an attempt does to a handoff: a function in tasks/steps.
StepName = Literal[
    "screen", "qualify", "document", "assign", "notify", "acceptance", "follow_up", "decide", "escalate", "remind", "undo", "speak"
]  # fmt: skip
#: What happens to a handoff: an event of the lifecycle. X-again: a handoff that was stuck goes on in that stage.
Move = Literal[
    "screened", "routed", "qualified", "taken", "taken-at-work", "note-incomplete", "documented", "held", "assigned", "assigned-again",
    "notified", "unproven", "accepted", "acceptance-undone", "attempted", "attempt-undone", "decision-asked", "given-back", "reassigned",
    "note-returned", "sql", "opportunity", "recycled", "disqualified", "attached", "merged", "suppressed", "withdrawn", "erased",
    "got-stuck", "inquiry-again", "mql-again", "accepted-again", "working-again",
]  # fmt: skip
#: A line of the trail: an event of the lifecycle, or something else that happened.
EventKind = Literal[
    Move, "declined", "no-longer-asked", "captured", "started-anew", "activity", "role-changed", "company-changed", "facts-told",
    "moved-on", "linked", "shares-id", "rescored", "call-moved", "no-shared-hours",
    "merged-by-hand", "took-over", "unmerged", "told-apart",
    "contact-time-ignored", "opted-out", "opt-out-removed", "asked-in-hand",
    "came-back", "revisited", "enrolled", "left-track", "not-enrolled", "wait-opened", "nudged", "missed", "escalated",
    "touched", "rejected",
    "returned", "answered-accepted", "answered-rejected", "answered-handed", "answered-attempted", "answered-connected",
    "answered-sql", "answered-opportunity", "answered-returned", "answered-completed", "answered-decided", "answered-deadline",
    "answered-away", "answered-late", "answer-undone", "undo-overtaken", "sent", "delivered", "not-delivered", "delivery-unknown",
    "not-proven-yet", "bounced", "bounced-after-reading", "complained", "auto-replied", "template-faulty", "dispute-raised",
    "dispute-upheld",
    "dispute-overturned", "crm-changed", "attempt-failed", "run-cancelled", "stranded", "number-guessed", "links-ended", "slack-pressed",
    "signature-asked", "signed", "signature-withdrawn", "deployed", "cleared", "retention", "trail-pruned", "restore-accepted",
    "answered-left", "answered-back", "dispute-moved",
    "crm-not-understood", "crm-converted", "crm-merged", "crm-gone",
    "opportunity-opened", "opportunity-changed", "opportunity-won", "opportunity-lost",
    "opportunity-stalled",
]  # fmt: skip
#: The line of the trail for each answer that counts.
ANSWERED: Mapping[AnswerKind, EventKind] = {
    "accepted": "answered-accepted",
    "rejected": "answered-rejected",
    "handed": "answered-handed",
    "attempted": "answered-attempted",
    "connected": "answered-connected",
    "sql": "answered-sql",
    "opportunity": "answered-opportunity",
    "returned": "answered-returned",
    "completed": "answered-completed",
    "decided": "answered-decided",
    "deadline": "answered-deadline",
    "away": "answered-away",
    "left": "answered-left",
    "back": "answered-back",
}
#: Mail that somebody has to look at: unknown mail to a return path, an answer of a person to it, and a complaint.
MailFindingKind = Literal["doubtful", "answered", "complaint"]
#: Who says what became of an e-mail: a returned message, or a mail provider's call.
MailSource = Literal["mail", "ses", "sendgrid", "mailgun", "postmark"]
#: What the status code of a bounce is about (RFC 3463).
BounceCause = Literal["address", "mailbox", "system", "network", "protocol", "content", "policy", "unknown"]
#: What was not done by the agreed time.
NotInTime = Literal[
    "not delivered in time", "not seen in time", "not answered in time", "not attempted in time", "no outcome in time",
    "note not completed in time", "not decided in time", "not claimed in time",
]  # fmt: skip
#: The way an answer, a signature or a dispute came in. clock: nobody gave it; demo: the demo signs its own agreement.
Via = Literal["link", "slack", "api", "cli", "crm", "prefect", "clock", "demo"]

#: What a change in the CRM is about; storage/crm/port.py says what each brings.
CrmChangeKind = Literal["fields", "touch", "opportunity", "converted", "merged", "gone"]
#: The changes that may be about an opportunity.
ABOUT_OPPORTUNITIES: tuple[CrmChangeKind, ...] = ("opportunity", "converted")
#: Why a change in the CRM changed nothing here. no-meaning: the agreement gives the value no meaning; no-reason: a rejection without an
#: agreed reason; incomplete: the reason needs more than the CRM says; before-assignment: made before the rep had the lead.
NotUnderstood = Literal[
    "no-meaning", "no-reason", "incomplete", "unknown-owner", "unknown-person", "not-asked", "before-assignment", "no-task", "unknown-lead",
]  # fmt: skip

#: The channels on which people and systems get messages.
ChannelName = Literal["crm", "email", "chat", "manager-email", "sms", "webhook"]
#: What the operator gets an alarm about: a source sends no more leads, the clock is late, no worker lives, a lead stands still, messages
#: on a channel fail, and events of the trail are not sealed.
AlarmKind = Literal["source-silent", "clock-late", "no-worker", "lead-stuck", "channel-fails", "trail-unsealed"]
ALARM_KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
#: The reviews that come by themselves.
ReviewKind = Literal["weekly", "monthly"]
#: A message that has templates of its own.
TemplateName = Literal[
    "assigned", "taken", "reminder", "manager-told", "decision-asked", "withdrawn", "note-needed", "feedback", "told", "ops-told", "digest",
    "dispute-raised", "dispute-settled", "answered-for-you", "device-code", "number-guessed", "links-ended", "absence-told",
    "complaint-told", "crm-told", "alarm-told",
    "trail-head", "test", "signature-told", "signature-asked",
    "do-not-contact", "asked-again", "review-told", "reason-told", "marketing-digest",
]  # fmt: skip
TEMPLATE_NAMES: tuple[TemplateName, ...] = get_args(TemplateName)
#: What marketing is told about a lead: how sales answered, or how a dispute ended. sql: handed on to the next leg.
Outcome = Literal["opportunity", "sql", "accepted", "returned", "rejected", "dispute-settled"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
#: A message as it is queued. attached, dispute-told and erased use templates of others; status and opportunity change a record in the CRM.
MessageKind = Literal[TemplateName, "attached", "dispute-told", "erased", "status", "opportunity"]

#: Why a rep no longer has a lead.
Ended = Literal[Move, NotInTime, "rejected", "returned", "handed", "decided", "crm", "recalled", "away", "left", "back", "claimed"]
#: Why a wait is over.
Closed = Literal[
    Ended,
    AnswerKind,
    "missed",
    "proven",
    "undone",
    "planned anew",
    "overturned",
    "rescored",
    "came back already",
    "new evidence",
    "revisited",
]
#: Why a handoff began.
BeganBy = Literal[
    "inquiry", "returned", "another-company", "another-address", "unmerged", "new-evidence", "new-version", "dispute-overturned"
]
#: Where an absence beside the roster file comes from; reply: an automatic reply that somebody has confirmed.
AbsenceSource = Literal["command", "reply", "feed"]
#: The parties that sign an agreement.
Party = Literal["marketing", "sales"]
PARTIES: tuple[Party, ...] = get_args(Party)
#: What happens to the handoffs under earlier versions when a version is deployed.
InFlightPolicy = Literal["finish", "requalify", "recall"]

#: Stands for the reps who are asked at once about a lead, while none of them has accepted it.
SEVERAL: Final = "several reps"


class OpportunityState(StrEnum):
    """How an opportunity stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


_W = TypeVar("_W", bound=str)


def word(text: str, known: Collection[_W] | Mapping[_W, Any]) -> _W | None:
    """Return the word of this vocabulary that a text from outside is, None for none."""
    return next((one for one in known if one == text), None)
