"""A calendar feed: which events mean away, from when until when, and which calendars are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agreements.calendar.absence_feed import LONGEST, MAX_BYTES, MAX_EVENTS, FeedUnreadable, Reading, read_absences
from tests.calendars import day, ics, timed

BERLIN = Reading("Europe/Berlin", "ana@firm.example", datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC))
OOF, BUSY = "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"
ODD_ZONE = """BEGIN:VTIMEZONE TZID:Odd/Place BEGIN:STANDARD DTSTART:19700101T000000
    TZOFFSETFROM:+0545 TZOFFSETTO:+0545 END:STANDARD END:VTIMEZONE"""


def read(*events: str, head: str = "", asked: Reading = BERLIN) -> list[tuple[str, str]]:
    zone = ZoneInfo(asked.zone)
    return [
        (f"{a.astimezone(zone):%d %b %H:%M}", f"{b.astimezone(zone):%d %b %H:%M}") for a, b in read_absences(ics(*events, head=head), asked)
    ]


@pytest.mark.parametrize(
    ("event", "first", "until"),
    [
        (day("20270301", "20270306"), "01 Mar 00:00", "06 Mar 00:00"),
        (day("20270301"), "01 Mar 00:00", "02 Mar 00:00"),
        (day("20270301", "20270302", BUSY), "01 Mar 00:00", "02 Mar 00:00"),
        (day("20270301", "", "DURATION:P3D"), "01 Mar 00:00", "04 Mar 00:00"),
        (day("20270327", "20270330"), "27 Mar 00:00", "30 Mar 00:00"),
        (day("20270301", "20270302", OOF, "TRANSP:TRANSPARENT"), "01 Mar 00:00", "02 Mar 00:00"),
        (timed("20270301T080000", "20270301T120000", OOF, zone="America/New_York"), "01 Mar 14:00", "01 Mar 18:00"),
        (timed("20270301T080000", "20270301T120000", OOF, zone="Pacific Standard Time"), "01 Mar 17:00", "01 Mar 21:00"),
        (timed("20270301T090000", "20270301T130000", OOF), "01 Mar 09:00", "01 Mar 13:00"),
        (timed("20270301T080000Z", "20270301T120000Z", "SUMMARY:Out of office"), "01 Mar 09:00", "01 Mar 13:00"),
        (timed("20270301T080000Z", "20270301T120000Z", "SUMMARY:Urlaub: Kreta"), "01 Mar 09:00", "01 Mar 13:00"),
        (timed("20270228T230000Z", "20270302T230000Z"), "01 Mar 00:00", "03 Mar 00:00"),
        (timed("20270301T000000", "20270302T000000", zone="Asia/Tokyo"), "28 Feb 16:00", "01 Mar 16:00"),
        (day("20270301", "20270302", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:Ana@firm.example"), "01 Mar 00:00", "02 Mar 00:00"),
        (day("20270301", "20270302", "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@firm.example"), "01 Mar 00:00", "02 Mar 00:00"),
        (day("20261220", "20270104"), "20 Dec 00:00", "04 Jan 00:00"),
    ],
)
def test_an_event_that_means_away(event: str, first: str, until: str) -> None:
    assert read(event) == [(first, until)]


@pytest.mark.parametrize(
    "event",
    [
        day("20270301", "20270306", "TRANSP:TRANSPARENT"),
        day("20270301", "20270306", "STATUS:CANCELLED"),
        day("20270301", "20270306", "STATUS:TENTATIVE", OOF),
        *(day("20270301", "20270306", f"X-MICROSOFT-CDO-BUSYSTATUS:{word}") for word in ("FREE", "TENTATIVE", "WORKINGELSEWHERE")),
        *(day("20270301", "20270302", f"ATTENDEE;PARTSTAT={word}:mailto:ANA@firm.example") for word in ("DECLINED", "NEEDS-ACTION")),
        timed("20270301T080000Z", "20270301T120000Z", "SUMMARY:Workshop"),
        timed("20270301T080000Z", "20270301T120000Z", "SUMMARY:Out of office training"),
        timed("20270301T080000Z", "20270301T120000Z", "SUMMARY:Holiday party"),
        timed("20270301T080000Z", "20270301T100000Z", OOF),
        timed("20270301T080000Z", "20270301T100000Z", "SUMMARY:OOO"),
        timed("20270301T080000Z", "20270302T120000Z", "SUMMARY:Trade fair"),
        day("20261001", "20261010"),
        day("20270601", "20270610"),
        day("20270301", "20270220"),
        timed("nonsense", "20270301T100000Z", "SUMMARY:Meeting"),
        "\n".join([timed("20200101T000000Z", "20200101T003000Z"), "RRULE:FREQ=SECONDLY;UNTIL=21200101T000000Z"]),
        day("99991231"),
    ],
)
def test_an_event_that_is_merely_busy_or_of_another_time(event: str) -> None:
    assert read(event) == []


def test_a_series_with_exceptions() -> None:
    friday = day("20261204", "", "UID:1", "RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20270205", "EXDATE;VALUE=DATE:20270108")
    moved = day("20270114", "", "UID:1", "RECURRENCE-ID;VALUE=DATE:20270115")
    called_off = day("20270122", "", "UID:1", "RECURRENCE-ID;VALUE=DATE:20270122", "STATUS:CANCELLED")
    at_work = day("20270129", "", "UID:1", "RECURRENCE-ID;VALUE=DATE:20270129", "TRANSP:TRANSPARENT")

    assert [first for first, _ in read(friday, moved, called_off, at_work)] == ["01 Jan 00:00", "14 Jan 00:00", "05 Feb 00:00"]


def test_one_exception_of_a_series_of_meetings_can_mean_away() -> None:
    weekly = timed("20270104T090000", "20270104T093000", "UID:1", "RRULE:FREQ=WEEKLY;COUNT=4", zone="Europe/Berlin")
    away = day("20270111", "", "UID:1", "RECURRENCE-ID;TZID=Europe/Berlin:20270111T090000", OOF)

    assert read(weekly, away) == [("11 Jan 00:00", "12 Jan 00:00")]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", ["29 Jan", "26 Feb", "26 Mar"]),
        ("FREQ=YEARLY;UNTIL=99991231", ["29 Jan"]),
        ("FREQ=WEEKLY;INTERVAL=2;UNTIL=20270226", ["29 Jan", "12 Feb", "26 Feb"]),
    ],
)
def test_rules_of_series(rule: str, days: list[str]) -> None:
    assert [first.removesuffix(" 00:00") for first, _ in read(day("20270129", "", f"RRULE:{rule}"))] == days


def test_a_series_in_local_time_keeps_its_hour_when_the_clocks_change() -> None:
    weekly = timed("20270322T090000", "20270322T130000", OOF, "RRULE:FREQ=WEEKLY;COUNT=2", zone="Europe/Berlin")

    spans = read_absences(ics(weekly), BERLIN)

    assert [start.hour for start, _ in spans] == [8, 7]


def test_a_zone_that_only_the_calendar_knows() -> None:
    assert read(timed("20270301T080000", "20270301T120000", OOF, zone="Odd/Place"), head=ODD_ZONE) == [("01 Mar 03:15", "01 Mar 07:15")]


def test_absences_that_overlap_or_touch_are_one() -> None:
    spans = read(day("20270301", "20270303"), day("20270303", "20270304"), day("20270302", "20270305"), day("20270308", "20270309"))

    assert spans == [("01 Mar 00:00", "05 Mar 00:00"), ("08 Mar 00:00", "09 Mar 00:00")]


def test_an_absence_without_an_end_in_sight_ends_some_time() -> None:
    (span,) = read_absences(ics(day("20270301", "99991231")), BERLIN)

    assert span[1] == BERLIN.last + LONGEST


def test_a_calendar_of_free_and_busy_times() -> None:
    lines = "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20270301T080000Z/20270301T140000Z,20270303T080000Z/PT5H\r\n"
    lines += "FREEBUSY;FBTYPE=BUSY:20270302T080000Z/20270302T140000Z\r\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20270304T080000Z/PT1H"
    raw = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nUID:1\r\n{lines}\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n".encode()

    assert [(start.day, (end - start).seconds // 3600) for start, end in read_absences(raw, BERLIN)] == [(1, 6), (3, 5)]


GOOD = day("20270301", "20270302")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "shows a web page"),
        (b"\xef\xbb\xbf <html lang=en>", "shows a web page"),
        (b"", "shows nothing"),
        (b"{}", "shows something else"),
        (ics(GOOD)[:-30], "cut off"),
        (ics(GOOD) + b"x" * MAX_BYTES, "longer than"),
        (
            ics(GOOD).replace(b"DTSTART", b"BEGIN:VEVENT\r\n" * (MAX_EVENTS + 1) + b"DTSTART", 1),
            "events, more than",
        ),
        (ics(GOOD, "DTSTART;VALUE=DATE:2027-03-01"), "nobody can read"),
        (ics(GOOD, timed("20270399T080000Z", "20270301T120000Z", OOF)), "nobody can read"),
        (ics(GOOD, day("20270301", "20270302", "RRULE:FREQ=SOMETIMES")), "nobody can read"),
        (
            ics(GOOD, timed("20200101T000000Z", "20200101T040000Z", OOF, "RRULE:FREQ=SECONDLY;UNTIL=21200101T000000Z")),
            "more than once a day",
        ),
        (
            ics(GOOD, timed("20270301T000000Z", "20270301T040000Z", OOF, "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2")),
            "more than once a day",
        ),
        (ics(GOOD, "DTSTART;VALUE=DATE:20270301\nDTEND:20270305T100000Z"), "cannot be calculated"),
        (ics(GOOD, "SUMMARY:Vacation"), "nobody can read"),
        (ics(GOOD, GOOD).replace(b"END:VEVENT\r\nBEGIN:VEVENT", b"BEGIN:VEVENT"), "without a beginning or an end"),
    ],
)
def test_a_bad_calendar_is_refused_as_a_whole(raw: bytes, says: str) -> None:
    with pytest.raises(FeedUnreadable) as refused:
        read_absences(raw, BERLIN)

    assert says in str(refused.value)
    assert ";" in str(refused.value), "it says what to do"


def test_no_message_quotes_the_calendar() -> None:
    event = day("20270301", "20270302", "SUMMARY:Clinic of Dr Who", "RRULE:FREQ=HOURLY", "DESCRIPTION:private")

    with pytest.raises(FeedUnreadable) as refused:
        read(event)

    assert not any(word in str(refused.value) for word in ("Clinic", "private", "2027"))
