"""Drafts: letters whose content is loaded from the database but not written yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agreements.words import MessageKind
from notifications.letter import AbsenceContext, AlarmContext, CodeContext, Context, DigestContext, HeadContext, Letter, SignatureContext
from notifications.rendering import render


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter to be written. message: names its templates; key: of its delivery; thread: where mail programs show it."""

    message: MessageKind
    context: AbsenceContext | AlarmContext | Context | CodeContext | DigestContext | HeadContext | SignatureContext
    key: str
    thread: str = ""

    def written(self, templates: Path | None) -> Letter:
        """Write the letter. templates: as Toolbox.templates.

        Call it outside of any transaction, because writing is slow. Raises MessageFaulty.
        """
        return render(self.message, self.context, key=self.key, thread=self.thread, folder=templates)
