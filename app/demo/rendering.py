"""Templates of the demo's own pages, which extend the base and the style of Baton's pages."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

from jinja2 import Environment

from notifications.html_templates import html_templates

_APP = Path(__file__).resolve().parents[1]


def environment(zone: tzinfo) -> Environment:
    """Return the templates. Whatever people wrote is only ever text on them. zone: in which the filter `when` shows instants."""
    found = html_templates(_APP / "demo" / "templates" / "start", _APP / "web" / "templates")

    def when(at: datetime) -> str:
        local = at.astimezone(zone)
        return f"{local:%a} {local.day} {local:%b %H:%M}"

    found.filters["when"] = when
    return found
