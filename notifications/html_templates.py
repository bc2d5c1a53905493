"""Templates of HTML pages. What people wrote is only ever text on a page, and a value that is missing is an error."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def html_templates(*folders: Path) -> Environment:
    """Return the templates of these folders; of two with one name, the one in the earlier folder."""
    loader = FileSystemLoader(folders)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
