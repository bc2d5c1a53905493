"""Paths of links: recognises them, and removes what mail programs append to a token."""

from __future__ import annotations

import re

_LINK = re.compile(r"/(?:l|d|m|q|sign)/[A-Za-z0-9_./-]+")


def is_link(path: str, folder: str = "") -> bool:
    """Return whether this is the path of a link of any kind. folder: the path under which people reach the site."""
    return _LINK.match(path.removeprefix(folder)) is not None


def without_tail(path: str, folder: str = "") -> str:
    """Return the link's path without what a mail program took for a part of it: a full stop, a bracket, a quote, the text after it.

    No token ends in such a character or holds one. Other paths stay as they are.
    """
    found = _LINK.match(path.removeprefix(folder))
    return path[: len(path) - len(path.removeprefix(folder))] + found[0].rstrip("./") if found else path
