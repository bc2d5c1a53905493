"""Returned mail: what is a bounce and what only looks like one, which message it is about, and that nothing in it does harm."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from notifications import bounces
from notifications.bounce_marks import BounceMarks
from notifications.bounces import UnreadableMessage, read
from notifications.returned import BOUNCED, DELAYED, OTHER, REPLY
from tests.returned import FOLDER, returned

MARKS = BounceMarks(["the-first-key-of-all", "the-key-that-signs-now"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("failed", BOUNCED),
        ("exchange", BOUNCED),
        ("qmail", BOUNCED),
        ("delayed", DELAYED),
        ("away", REPLY),
        ("delivered", OTHER),
        ("read-receipt", OTHER),
        ("newsletter", OTHER),
        ("forwarded", OTHER),
    ],
)
def test_only_what_says_that_it_did_not_arrive_is_a_bounce(name: str, kind: str) -> None:
    assert read(returned(name, mark=MARKS.of(17))).kind == kind


def test_every_example_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == {
        "failed", "exchange", "qmail", "delayed", "away", "delivered", "read-receipt", "newsletter", "forwarded"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["failed", "exchange", "qmail"])
def test_a_bounce_names_its_delivery_by_the_mark_in_the_return_path(name: str) -> None:
    found = read(returned(name, mark=MARKS.of(17), key="one:assigned:email"))

    assert [MARKS.read(mark) for mark in found.marks] == [17]


def test_the_reason_is_one_line_of_the_report() -> None:
    assert read(returned("failed")).why == "5.1.1 smtp; 550 5.1.1 nobody of that name here"


def test_a_report_that_gave_up_after_a_passing_fault_is_a_bounce() -> None:
    expired = returned("delayed").replace(b"Action: delayed", b"Action: failed")

    assert read(expired).kind == BOUNCED


def test_where_no_action_is_said_the_status_decides() -> None:
    assert read(returned("failed").replace(b"Action: failed\r\n", b"")).kind == BOUNCED
    assert read(returned("delayed").replace(b"Action: delayed\r\n", b"")).kind == DELAYED


def test_the_line_that_a_mail_server_puts_before_what_it_pipes_is_no_hindrance() -> None:
    assert read(b"From MAILER-DAEMON Mon Feb  1 09:00:41 2027\n" + returned("failed")).kind == BOUNCED


def test_a_report_within_a_forwarded_message_says_nothing_of_this_one() -> None:
    inner = returned("failed", mark=MARKS.of(17))
    outer = b"From: oscar@firm.example\r\nTo: bounces@firm.example\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner

    assert read(outer).kind == OTHER


def test_a_mark_is_read_whatever_became_of_its_capitals() -> None:
    assert MARKS.read(MARKS.of(17).upper()) == 17


def test_a_mark_is_short_enough_for_any_return_path() -> None:
    assert len(f"bounces+{MARKS.of(10**12)}") <= 64


def test_a_mark_from_before_the_keys_were_rotated_is_read() -> None:
    before = BounceMarks(["the-first-key-of-all"]).of(17)

    assert MARKS.read(before) == 17
    assert BounceMarks(["the-key-that-signs-now"]).read(before) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda mark: mark.replace("17-", "18-"),
        lambda mark: mark.replace("17-", "017-"),
        lambda mark: mark[:-1] + ("a" if mark[-1] != "a" else "b"),
        lambda mark: mark[:-1],
        lambda mark: mark + "a",
        lambda mark: "17-" + "a" * 16,
        lambda mark: "",
        lambda mark: "\u0661\u0667" + mark[2:],
    ],
)
def test_a_forged_mark_is_none(change: Callable[[str], str]) -> None:
    assert MARKS.read(change(MARKS.of(17))) is None


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\nno headers", b"\x00\xff" * 100, b"x" * (bounces.MAX_BYTES + 1), b"\n" * 1000])
def test_what_is_no_message_is_called_so(raw: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        read(raw)


def nested(depth: int) -> bytes:
    head = b"From: a@b.example\r\nTo: c@d.example\r\nMIME-Version: 1.0\r\n"
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=e%d\r\n\r\n--e%d\r\n" % (one, one) for one in range(depth))
    return head + parts


@pytest.mark.parametrize(
    "raw",
    [
        nested(5000),
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        b"From: " + b"<" * 100_000,
        b"To: " + b"bounces+1-" * 50_000,
        b"From: mailer-daemon@x.example\r\nContent-Type: text/plain; charset=unheard-of\r\n\r\n\xff\xfe",
        b"From: mailer-daemon@x.example\r\nContent-Type: multipart/report; boundary=\"\"\r\n\r\n--\r\n",
        b"From: mailer-daemon@x.example\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)  # fmt: skip
def test_hostile_mail_is_read_as_no_bounce_or_not_at_all(raw: bytes) -> None:
    with suppress(UnreadableMessage):
        assert read(raw).kind != BOUNCED


def test_no_garbled_bounce_breaks_the_reader() -> None:
    """Cut, turned over and mixed at random: it is read as something, or refused as unreadable."""
    dice = random.Random(4)
    whole = [returned(path.stem, mark=MARKS.of(17)) for path in sorted(FOLDER.glob("*.eml"))]
    kinds: set[str] = set()
    for _ in range(600):
        raw = bytearray(dice.choice(whole))
        for _ in range(dice.randrange(1, 12)):
            at = dice.randrange(len(raw))
            raw[at : at + dice.randrange(4)] = dice.randbytes(dice.randrange(4))
        cut = dice.randrange(len(raw)) if dice.random() < 0.3 else len(raw)
        try:
            kinds.add(read(bytes(raw[:cut])).kind)
        except UnreadableMessage:
            kinds.add("unreadable")
    assert kinds >= {BOUNCED, DELAYED, OTHER}
