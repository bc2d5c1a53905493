"""The mail about a scheduled review: its first sheet in the mail, its page attached. One for each signer and review."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from html import escape
from typing import Final

from sqlmodel import Session

from agreements.errors import AgreementError
from agreements.model import Agreement
from notifications.letter import Attachment, Recipient, ReviewContext, ReviewRow
from notifications.links import Links
from storage import contracts, deliveries, kept_reviews
from storage.tables import Delivery, KeptReview
from tasks.messages.drafts import Draft

MESSAGE: Final = "review-told"
#: Where the page of a review names a lead to discuss. Nobody's link is in the page that is kept.
_LEAD: Final = re.compile(r'<a data-lead="(\d+)">', re.ASCII)


def tell_signers(session: Session, row: KeptReview, agreement: Agreement, *, now: datetime) -> int:
    """Queues a mail to each signer of both parties; returns how many are new. A second call queues nothing more.

    Whoever signs for both sides gets one. Call inside the write transaction that keeps the review.
    """
    message = deliveries.Message(MESSAGE, context={"review": row.id})
    copies = [deliveries.Copy(_key(row, address), "email", address) for address in contracts.all_signers(agreement)]
    return deliveries.queue_copies(session, None, message, copies, now=now)


def _key(row: KeptReview, address: str) -> str:
    return f"{MESSAGE}:{row.agreement}:{row.kind}:{row.first}:{hashlib.sha256(address.lower().encode()).hexdigest()[:12]}"


def draft_of(session: Session, row: Delivery, links: Links, reader: str = "") -> Draft:
    """Return the draft of such a delivery. Reads only. Raises AgreementError where the review is not kept any more.

    reader: the reader's link to all open leads, empty for none. With it, each lead to discuss leads to the reader's page about it.
    """
    number = int(row.context["review"])
    kept = kept_reviews.get(session, number)
    if kept is None or not kept.first_sheet:
        raise AgreementError(f"Review {number} is not kept any more.")
    said = kept.first_sheet
    context = ReviewContext(
        to=Recipient(row.person, "", email=row.person),
        link=reader,
        number=links.number(reader.split("/")[-2]) if reader else "",
        subject=f"{kept.kind.capitalize()} review of {kept.agreement}, {said['days']}",
        reference=f"{kept.agreement}@{kept.version}",
        days=said["days"],
        what=said["headline"],
        todo=tuple(said["to_decide"]),
        rows=tuple(ReviewRow(**one) for one in said["objectives"]),
        command=f"baton review show {number}",
    )
    html = kept_reviews.page_of(kept)
    page = Attachment(f"review-{kept.agreement}-{kept.kind}-{kept.first}.html", with_links(html, reader) if reader else html)
    return Draft(MESSAGE, context, row.key, f"review-{kept.agreement}-{kept.kind}", attachment=page)


def with_links(page: str, leads: str) -> str:
    """Return a review's page with a link for each lead to discuss. leads: the address of all leads; behind it comes the lead's number."""
    return _LEAD.sub(lambda lead: f'<a href="{escape(leads)}/{lead[1]}">', page)
