"""Drafts: letters whose content is loaded from the database but not written yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from agreements.words import MessageKind
from notifications.letter import (
    AbsenceContext,
    AlarmContext,
    Attachment,
    CodeContext,
    Context,
    DigestContext,
    HeadContext,
    Letter,
    NewsContext,
    ReviewContext,
    SignatureContext,
)
from notifications.rendering import render


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter to be written. message: names its templates; key: of its delivery; thread: where mail programs show it.

    attachment: what goes with an e-mail, None for nothing.
    """

    message: MessageKind
    context: (
        AbsenceContext | AlarmContext | Context | CodeContext | DigestContext | HeadContext | NewsContext | ReviewContext | SignatureContext
    )
    key: str
    thread: str = ""
    attachment: Attachment | None = None

    def written(self, templates: Path | None) -> Letter:
        """Write the letter. templates: as Toolbox.templates.

        Call it outside of any transaction, because writing is slow. Raises MessageFaulty.
        """
        letter = render(self.message, self.context, key=self.key, thread=self.thread, folder=templates)
        return replace(letter, attachment=self.attachment)
