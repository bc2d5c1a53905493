"""How two agreements differ, in words. Only the meaning counts: comments, order without meaning and other spellings of
the same value make no difference."""

from __future__ import annotations

from collections.abc import Mapping

from agreements.differences.statements import statements
from agreements.model import Agreement

#: The part in which any two versions differ, even if nothing else has changed.
NAMES = "name and version"


def differences(old: Agreement, new: Agreement) -> tuple[str, ...]:
    """Return every difference in words, such as `Points needed to qualify: 70 -> 75`, in the order of the file; none if equal."""
    return tuple(line for lines in differences_by_part(old, new).values() for line in lines)


def differences_by_part(old: Agreement, new: Agreement) -> Mapping[str, tuple[str, ...]]:
    """Return the same lines by part of the agreement, in the order of the file. Parts without a difference are left out."""
    before, after = statements(old), statements(new)
    found = {part: tuple(line[:1].upper() + line[1:] for line in said.since(before[part])) for part, said in after.items()}
    return {part: lines for part, lines in found.items() if lines}
