"""The error of a file that cannot be used."""

from __future__ import annotations

from agreements.errors import HandoffError


class UnreadableFile(HandoffError):
    """The file cannot be used; nothing in it was taken in."""
