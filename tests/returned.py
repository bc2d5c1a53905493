"""Returned mail for tests: messages written for this project in the style of several mail systems."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "notifications" / "returned"


def returned(name: str = "failed", *, mark: str = "", key: str = "unknown") -> bytes:
    """Return the returned message of that name, about the delivery with this mark and key. Without a mark, the address has none."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    text = text.replace("+MARK", f"+{mark}" if mark else "").replace("KEY", key)
    text = text.replace("LETTERID", hashlib.sha256(key.encode()).hexdigest()[:32])
    return text.replace("\n", "\r\n").encode()
