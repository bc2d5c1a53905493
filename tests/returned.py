"""Returned mail for tests: messages written for this project in the style of several mail systems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "notifications" / "returned"


def returned(name: str = "failed", *, mark: str = "", key: str = "unknown") -> bytes:
    """Return the returned message of that name, about the delivery with this mark and key. Without a mark, the address has none."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    text = text.replace("+MARK", f"+{mark}" if mark else "").replace("KEY", key)
    text = text.replace("LETTERID", hashlib.sha256(key.encode()).hexdigest()[:32])
    return text.replace("\n", "\r\n").encode()


HARD_BOUNCE = {
    "bounceType": "Permanent",
    "bouncedRecipients": [{"emailAddress": "ana@firm.example", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 nobody"}],
}


def ses_notice(kind: str, *, mark: str = "", headers: Sequence[Mapping[str, str]] = (), **about: object) -> str:
    """Return a notice of Amazon SES in JSON, about an e-mail with this mark in its return path."""
    source = f"bounces+{mark}@firm.example" if mark else "baton@firm.example"
    sent = {"timestamp": "2027-02-01T09:00:00.000Z", "source": source, "messageId": "0101", "headers": list(headers)}
    return json.dumps({"notificationType": kind, **about, "mail": sent})


def from_sns(text: str, *, sender: str = "Mail news <no-reply@sns.amazonaws.com>") -> bytes:
    """Return a mail of Amazon SNS with this text and its usual footer, to an address without a mark."""
    heads = f"From: {sender}\nTo: bounces@firm.example\nSubject: AWS Notification Message\nContent-Type: text/plain; charset=utf-8"
    footer = "If you wish to stop receiving notifications from this topic, please visit the link below:\nhttps://sns.example/unsubscribe"
    return f"{heads}\n\n{text}\n\n--\n{footer}\n".encode()
