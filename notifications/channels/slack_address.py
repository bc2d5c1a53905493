"""Read chat addresses that belong to the Slack app."""

from __future__ import annotations

import re

_PREFIX = "slack:"
_ID = re.compile(r"[UW][A-Z0-9]{5,20}")


def is_slack(address: str) -> bool:
    """Return whether a chat address belongs to the Slack app (slack:…), not to Apprise (slack://…)."""
    return address.startswith(_PREFIX) and not address.startswith(f"{_PREFIX}//")


def slack_id(address: str) -> str:
    """Return the Slack id in a chat address, empty where it has none."""
    ident = address.removeprefix(_PREFIX)
    return ident if is_slack(address) and _ID.fullmatch(ident) else ""
