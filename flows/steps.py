"""The steps of a handoff, under the names that the lifecycle uses."""

from __future__ import annotations

from agreements.words import StepName
from tasks.steps.acceptance import acceptance
from tasks.steps.assign import assign
from tasks.steps.decide import decide
from tasks.steps.document import document
from tasks.steps.escalate import escalate
from tasks.steps.follow_up import follow_up
from tasks.steps.notify import notify
from tasks.steps.qualify import qualify
from tasks.steps.remind import remind
from tasks.steps.screen import screen
from tasks.steps.speak import speak
from tasks.steps.undo import undo
from tasks.work import Step

STEPS: dict[StepName, Step] = {
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
