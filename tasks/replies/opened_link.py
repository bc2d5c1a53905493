"""A link that somebody opened, with the installation that sent it."""

from __future__ import annotations

from dataclasses import dataclass

from notifications.links import Links
from tasks.wiring.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link that somebody opened.

    box: of the installation that sent the link.
    token: the part of its address that is signed.
    wait_id: the wait to show, if the link opens a manager's own page with many waits.
    """

    box: Toolbox
    token: str
    wait_id: str = ""

    @property
    def links(self) -> Links:
        """The keys that prove the token."""
        return self.box.links
