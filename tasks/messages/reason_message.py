"""The mail about a reason that sales gives too often: to the signers of both parties, once in a month for each reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from agreements.clauses.after import Reason
from agreements.model import Agreement
from agreements.review.share import Share
from notifications.letter import AlarmContext, AlarmRow, Recipient
from storage import contracts, deliveries
from storage.tables import Delivery
from tasks.messages.drafts import Draft

MESSAGE: Final = "reason-told"


def tell_signers(session: Session, agreement: Agreement, found: Iterable[tuple[Reason, Share]], *, month: date, now: datetime) -> int:
    """Queues a mail to each signer about each of these reasons; returns how many are new. A second call in the month queues nothing more.

    month: its first day. Call inside a write transaction.
    """
    new = 0
    for reason, share in found:
        command = f"baton review --agreement {agreement.agreement} --from {month}"
        context = {"subject": _subject(agreement, reason), "what": _what(reason, share, month), "command": command}
        message = deliveries.Message(MESSAGE, context=context)
        copies = [deliveries.Copy(_key(agreement, reason, month, one), "email", one) for one in contracts.all_signers(agreement)]
        new += deliveries.queue_copies(session, None, message, copies, now=now)
    return new


def _subject(agreement: Agreement, reason: Reason) -> str:
    return f"{agreement.agreement}: sales often gives the reason '{reason.words}'"


def _what(reason: Reason, share: Share, month: date) -> str:
    return (
        f"'{reason.words}' is {share.count:,} of {share.of:,} rejections in {month:%B %Y}"
        f" ({100 * share.count / share.of:.0f} %). The agreed limit is {reason.alert_above} %."
    )


def _key(agreement: Agreement, reason: Reason, month: date, address: str) -> str:
    whose = hashlib.sha256(address.lower().encode()).hexdigest()[:12]
    return f"{MESSAGE}:{agreement.agreement}:{reason.code}:{month:%Y-%m}:{whose}"


def draft_of(row: Delivery) -> Draft:
    """Return the draft of such a delivery."""
    todo = "The review shows from which sources these leads came, and whom the reason counts against."
    rows = (AlarmRow(str(row.context["what"]), todo),)
    to = Recipient(row.person, "", email=row.person)
    command = str(row.context.get("command", "baton review"))
    return Draft(MESSAGE, AlarmContext(to, "", str(row.context["subject"]), rows, command), row.key)
