"""Drafts: letters with all that they say, loaded from the database and not written yet."""

from __future__ import annotations

from dataclasses import dataclass

from notifications.letter import CodeContext, Context, DigestContext, HeadContext, Letter, SignatureContext
from notifications.rendering import render
from tasks.wiring import toolbox


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter to be written. message: with whose templates; key: of its delivery; thread: in which mail programs show it."""

    message: str
    context: Context | CodeContext | DigestContext | HeadContext | SignatureContext
    key: str
    thread: str = ""

    def written(self) -> Letter:
        """The letter. Call it outside of any transaction, for this is the slow part. Raises MessageFaulty."""
        return render(self.message, self.context, key=self.key, thread=self.thread, folder=toolbox.current().templates)
