"""Which messages there are, who gets each, and when; docs/messages.md says the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: By name: who gets it, and when.
WHO_GETS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "assigned": ("the rep; the manager where it is not proven to have arrived", "a lead is assigned"),
        "taken": ("the rep who found the lead", "a rep brings a lead in"),
        "reminder": ("whoever owes something", "a part of the agreed time has passed"),
        "manager-told": ("the manager of whoever owes something", "the agreement has the manager told"),
        "decision-asked": ("the manager", "a lead waits for a decision"),
        "withdrawn": ("the rep who had the lead", "a new version of the agreement takes it back"),
        "note-needed": ("marketing", "a handoff note lacks something"),
        "feedback": ("marketing", "sales has answered on a lead"),
        "told": ("whoever should know", "something happened that asks for nothing"),
        "ops-told": ("operations", "a lead is stuck, or a clock of operations runs out"),
        "digest": ("whoever has something that can wait", "in the morning of a working day, once"),
        "dispute-raised": ("the manager of the rep", "marketing disputes a rejection"),
        "dispute-settled": ("marketing and the rep", "a dispute is decided, or nobody decided in time"),
        "answered-for-you": ("whose link it is", "an answer came through it from a browser that was not known as theirs"),
        "device-code": ("whoever asked for it", "a browser is to be remembered as theirs"),
        "number-guessed": ("the person, with a code; operations", "20 wrong codes were typed for one person within an hour"),
        "links-ended": ("whose links they are", "`baton devices revoke`"),
        "trail-head": ("the address in `BATON_TRAIL_MAIL_TO`", "once a day"),
        "test": ("somebody of the roster", "`baton messages test`"),
        "signature-told": ("the signers of both parties", "a signature was given or withdrawn"),
        "signature-asked": ("the signers of a party", "`baton agreement send-for-signature`"),
    }
)
