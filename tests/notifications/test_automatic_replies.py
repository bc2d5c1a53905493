"""Automatic replies: by headers, then by subject, and the days that one names."""

from __future__ import annotations

from datetime import date

import pytest

from notifications import bounces
from notifications.returned import REPLY

TEXT = "I am away."


def mail(headers: str, text: str = TEXT, subject: str = "Re: a lead for you") -> bytes:
    head = (
        f"From: Ana <ana@firm.example>\nTo: bounces+x@firm.example\nSubject: {subject}\n{headers}\nContent-Type: text/plain; charset=utf-8"
    )
    return "\r\n".join([*filter(None, head.split("\n")), "", *text.split("\n")]).encode()


ANSWERS = "In-Reply-To: <one@baton.example>"


@pytest.mark.parametrize(
    "raw",
    [
        mail("Auto-Submitted: auto-replied"),
        mail("Auto-Submitted: Auto-Replied; owner-email=x@y.example"),
        mail("Auto-Submitted: auto-replied (vacation)"),
        mail(f"Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n{ANSWERS}"),
        mail("Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All", subject="Automatic reply: a lead for you"),
        mail("X-Autoreply: yes"),
        mail("X-Autorespond: x"),
        mail("Precedence: auto_reply"),
        *(
            mail("", subject=subject)
            for subject in (
                "Automatic reply: a lead",
                "Out of Office: a lead",
                "Automatische Antwort: ein Lead",
                "=?utf-8?q?R=C3=A9ponse_automatique_=3A_un_lead?=",
                "=?iso-8859-1?q?Respuesta_autom=E1tica=3A_un_lead?=",
                "=?utf-8?b?6Ieq5YuV6L+U5L+h?=",
            )
        ),
    ],
)
def test_an_automatic_reply(raw: bytes) -> None:
    assert bounces.read(raw).kind == REPLY


@pytest.mark.parametrize(
    "raw",
    [
        mail(""),
        mail("Auto-Submitted: no"),
        mail("Auto-Submitted: auto-generated"),
        mail("Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All"),
        mail("Auto-Submitted: auto-notified"),
        mail("Precedence: bulk"),
        mail("X-Auto-Response-Suppress: OOF"),
        mail("", subject="Re: Automatic reply: a lead"),
        mail("", subject="=?nonsense?q?Automatic reply?="),
        mail("Auto-Submitted: auto-replied").replace(b"Ana <ana@firm.example>", b"MAILER-DAEMON"),
        mail("Auto-Submitted: auto-replied").replace(b"ana@firm.example", b"postmaster@firm.example"),
    ],
)
def test_what_is_none(raw: bytes) -> None:
    assert bounces.read(raw).kind != REPLY


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (TEXT, []),
        ("Back on 2027-02-08.", ["2027-02-08"]),
        ("From 2027-02-01 until 2027-02-05, sorry", ["2027-02-01", "2027-02-05"]),
        ("I return on 8 February 2027.", ["2027-02-08"]),
        ("I return on February 8th, 2027.", ["2027-02-08"]),
        ("back on the 8th March 2027", ["2027-03-08"]),
        ("back on 3/4/2027, or 3.4.2027, or 04-03-2027", []),
        ("until 2027-02-31", []),
        ("ticket 12027-02-01-77", []),
        ("back soon\n> sent on 2027-02-08", []),
        ("next Thursday", []),
    ],
)
def test_the_days_that_a_reply_names(text: str, days: list[str]) -> None:
    assert bounces.read(mail("Auto-Submitted: auto-replied", text)).days == tuple(map(date.fromisoformat, days))


def test_ordinary_mail_names_no_days() -> None:
    assert bounces.read(mail("", "Back on 2027-02-08.")).days == ()
