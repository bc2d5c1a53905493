"""The address of somebody's calendar feed. It is a secret: who has it reads the calendar. So nothing here quotes it."""

from __future__ import annotations

from urllib.parse import urlsplit

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_LONGEST = 2000
_EXAMPLE = "copy the calendar's secret address in iCal format, such as https://calendar.example/…/basic.ics"


def wrong_feed_address(address: str) -> str:
    """Return what is wrong with the address and what to write instead; empty if it can be used."""
    try:
        parts = urlsplit(address)
        port = parts.port or 443
    except ValueError:
        return f"is no address; {_EXAMPLE}"
    if parts.scheme == "webcal":
        return "begins with webcal://; write https:// in its place"
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        return "begins with http://, so everybody on the way could read it; write https:// in its place"
    usable = parts.scheme in ("https", "http") and parts.hostname and port and len(address) <= _LONGEST
    return "" if usable and address.isprintable() and " " not in address else f"is no address; {_EXAMPLE}"


def host_of(address: str) -> str:
    """Return the host, the only part of the address that may be shown."""
    return urlsplit(address).hostname or ""
