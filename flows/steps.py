"""What can be done for a lead, by the name that the lifecycle calls it."""

from __future__ import annotations

from tasks.acceptance import acceptance
from tasks.assign import assign
from tasks.decide import decide
from tasks.document import document
from tasks.escalate import escalate
from tasks.follow_up import follow_up
from tasks.notify import notify
from tasks.qualify import qualify
from tasks.remind import remind
from tasks.screen import screen
from tasks.speak import speak
from tasks.undo import undo
from tasks.work import Step

STEPS: dict[str, Step] = {
    "screen": screen,
    "qualify": qualify,
    "document": document,
    "assign": assign,
    "notify": notify,
    "acceptance": acceptance,
    "follow_up": follow_up,
    "remind": remind,
    "escalate": escalate,
    "decide": decide,
    "undo": undo,
    "speak": speak,
}
