"""Check that an agreement fits together, so that it cannot strand a lead, and note what is probably a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks import applies, calendars, channels, clocks, crm, fields, frame, ladders, legs, points, reasons, rules, tiers
from agreements.checks.base import Finding, Problem
from agreements.checks.notes import notes_of
from agreements.checks.with_channels import Installed, Unprovable, unprovable
from agreements.checks.with_roster import problems_with_roster
from agreements.model import Agreement

__all__ = ["Finding", "Installed", "Problem", "Unprovable", "findings", "notes_of", "problems_of", "problems_with_roster", "unprovable"]

_CHECKS = (frame, applies, fields, rules, points, tiers, calendars, channels, clocks, ladders, legs, reasons, crm)


def findings(agreement: Agreement) -> Iterator[Finding]:
    """Return every problem with the places it depends on, clause by clause."""
    for check in _CHECKS:
        yield from check.find(agreement)


def problems_of(agreement: Agreement) -> list[Problem]:
    """Return every problem: its place, and what to write instead."""
    return [Problem(finding.where, finding.what) for finding in findings(agreement)]
