# ruff: noqa: E501 - one line a message
"""Notices of Amazon SES that Amazon SNS sends by mail: read like other returned mail, and only from mail of SNS itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from notifications.bounce_marks import BounceMarks
from notifications.bounces import read
from notifications.returned import BOUNCED, COMPLAINT, DELAYED, OTHER, Cause, ReturnedKind
from tests.returned import HARD_BOUNCE, from_sns, ses_notice

MARK = BounceMarks(["the-key-that-signs-now"]).of(17)
COMPLAINED = {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": "ana@firm.example"}]}
BOUNCE = ses_notice("Bounce", mark=MARK, bounce=HARD_BOUNCE)
IN_A_HEADER = [{"name": "X-Baton-Mark", "value": MARK}]
NOTICES: Mapping[str, tuple[str, ReturnedKind]] = {
    "a bounce": (BOUNCE, BOUNCED),
    "a bounce whose message names its mark in a header": (ses_notice("Bounce", headers=IN_A_HEADER, bounce=HARD_BOUNCE), BOUNCED),
    "a bounce inside the JSON of SNS": (json.dumps({"Type": "Notification", "Message": BOUNCE}), BOUNCED),
    "a bounce in lines that Sendmail broke": (BOUNCE.replace("bounces+", "boun!\n ces+").replace("5.1.1 nobody", "5.1!\n .1 nobody"), BOUNCED),
    "a bounce in lines that Postfix broke": (BOUNCE.replace("bounces+", "boun\n ces+"), BOUNCED),
    "a bounce on many lines": (json.dumps(json.loads(BOUNCE), indent=2), BOUNCED),
    "a bounce with more headers than a line may have bytes": (ses_notice("Bounce", mark=MARK, headers=[{"name": "X-Long", "value": "x" * 9000}], bounce=HARD_BOUNCE), BOUNCED),
    "a complaint": (ses_notice("Complaint", mark=MARK, complaint=COMPLAINED), COMPLAINT),
    "a server that still tries": (ses_notice("DeliveryDelay", mark=MARK), DELAYED),
    "a rejected message": (ses_notice("Reject", mark=MARK), BOUNCED),
    "a delivery, which proves nothing here": (ses_notice("Delivery", mark=MARK, delivery={"recipients": ["ana@firm.example"]}), OTHER),
    "a complaint that takes another one back": (ses_notice("Complaint", mark=MARK, complaint={"complaintFeedbackType": "not-spam"}), OTHER),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_of_amazon_ses_is_read_from_the_mail_of_sns(name: str) -> None:
    text, kind = NOTICES[name]

    found = read(from_sns(text))

    assert (found.kind, found.marks, found.is_report) == (kind, (MARK,), kind == OTHER)


def test_the_notice_of_a_bounce_names_its_cause() -> None:
    assert read(from_sns(BOUNCE)).cause == Cause(True, "5.1.1", "address", "ana@firm.example")


@pytest.mark.parametrize(
    "raw",
    [
        from_sns(BOUNCE, sender="oscar@firm.example"),
        from_sns(BOUNCE, sender="no-reply@sns.amazonaws.com.firm.example"),
        from_sns(f"Look at this: {BOUNCE}"),
        from_sns(BOUNCE[:200]),
        from_sns('{"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed."}'),
        from_sns('{"AlarmName": "disk", "NewStateValue": "ALARM"}'),
        from_sns("[1, 2]"),
        from_sns(""),
        b"From: no-reply@sns.amazonaws.com\nContent-Type: message/rfc822\n\n" + from_sns(BOUNCE),
    ],
)
def test_other_mail_with_or_without_a_notice_is_no_bounce(raw: bytes) -> None:
    """People forward such mails, and SNS mails about other things."""
    assert read(raw).kind == OTHER
