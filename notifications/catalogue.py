"""The catalogue of messages: who gets each, and when. docs/messages.md has the same table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agreements.words import TemplateName

#: For each message name: who gets it, and when.
WHO_GETS: Mapping[TemplateName, tuple[str, str]] = MappingProxyType(
    {
        "assigned": ("the rep; the manager, if nothing proves that it arrived", "a lead is assigned"),
        "taken": ("the rep who found the lead", "a rep brings a lead in"),
        "reminder": ("the person who must answer", "a part of the agreed time has passed"),
        "manager-told": ("the manager of the person who must answer", "the agreement says so while a clock runs"),
        "decision-asked": ("the manager", "a lead waits for a decision"),
        "withdrawn": ("the rep who had the lead, or each of several who were asked", "the lead goes to somebody else"),
        "note-needed": ("marketing", "a handoff note is incomplete"),
        "feedback": ("marketing", "sales has answered about a lead, and the answer does not wait for the morning"),
        "do-not-contact": ("the rep who has the lead, and their deputy while they are away", "the person asks for no contact"),
        "asked-again": ("the rep who has the lead, and their deputy while they are away", "the lead makes another request"),
        "told": ("a person who should know", "something happened that needs no answer"),
        "ops-told": ("the operator", "a clock of the operator runs out"),
        "digest": ("everybody with something open that can wait", "once, in the morning of a working day"),
        "marketing-digest": ("marketing", "once, in the morning of a working day, when there is news about a lead"),
        "dispute-raised": ("the manager of the rep", "marketing disputes a rejection"),
        "dispute-settled": ("marketing and the rep", "a dispute is decided, or nobody decides in time"),
        "answered-for-you": ("the person whose link it is", "somebody answered through it in a browser that is not known as theirs"),
        "device-code": ("the person who asked for it", "they ask Baton to remember a browser"),
        "number-guessed": ("the person, with a code; the operator", "somebody typed 20 wrong codes for one person within an hour"),
        "links-ended": ("the person whose links they are", "`baton devices revoke`"),
        "absence-told": (
            "the manager; the operator",
            "a mailbox answers by itself and no lead waits; a calendar feed is down for a day",
        ),
        "complaint-told": ("the operator", "a mailbox reports a message as unwanted"),
        "alarm-told": ("the operator", "an alarm begins, and when it is over"),
        "crm-told": ("the operator", "the nightly comparison finds something else that differs from the CRM"),
        "review-told": ("the signers of both parties", "a weekly or monthly review was made"),
        "reason-told": ("the signers of both parties", "sales gives a reason more often than `alert_above` allows; once in a month"),
        "trail-head": ("the address in `BATON_TRAIL_MAIL_TO`", "once a day"),
        "test": ("a person in the roster", "`baton messages test`"),
        "signature-told": ("the signers of both parties", "a signature was given or withdrawn"),
        "signature-asked": ("the signers of a party", "`baton agreement send-for-signature`"),
    }
)
