"""Returned mail for tests: messages written for this project after the manner of several mail systems."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "notifications" / "returned"


def returned(name: str = "failed", *, mark: str = "", key: str = "unknown") -> bytes:
    """The returned message of that name, about the delivery with this mark and key; without a mark the address bears none."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    text = text.replace("+MARK", f"+{mark}" if mark else "").replace("KEY", key)
    text = text.replace("LETTERID", hashlib.sha256(key.encode()).hexdigest()[:32])
    return text.replace("\n", "\r\n").encode()
