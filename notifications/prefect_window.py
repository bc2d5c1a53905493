"""Links to lists of runs in Prefect's own window, for a manager who has its log-in. docs/prefect-ui.md explains the tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

#: Prefect shows the runs of one day by default. This is the last year, in its own words.
_LAST_YEAR = (("type", "span"), ("seconds", "-31536000"))


class WindowLink(NamedTuple):
    """A list of runs in Prefect's window. words: which leads it shows."""

    words: str
    link: str


def window_links(address: str, manager: str) -> Sequence[WindowLink]:
    """Return the lists of a manager: what is overdue, and what waits for a decision. None of them without an address.

    address: of Prefect's window, without a slash at the end. manager: an id of the roster.
    """
    if not address:
        return ()
    own = ("tag", f"manager:{manager}")
    return (
        WindowLink("Overdue leads", _list(address, own, ("tag", "sla:breached"))),
        WindowLink("Leads that wait for your decision", _list(address, own, ("state", "AwaitingDecision"))),
    )


def _list(address: str, *filters: tuple[str, str]) -> str:
    return f"{address}/runs?{urlencode([*filters, *_LAST_YEAR], safe=':')}"
