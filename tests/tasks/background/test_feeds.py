"""Calendar feeds: polled from a server on a real socket, kept as absences, and left at the last good state while one is down."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlmodel import Session, col, select

from agreements.calendar.absence_feed import MAX_BYTES, FeedUnreadable
from storage import absences, feeds, roster
from storage.database import Database
from storage.tables import CalendarFeed, Delivery, Event
from tasks.background.absences import hand_over_absences
from tasks.background.feeds import poll_feeds
from tasks.background.personal_outbox import send_personal_messages
from tasks.feeds.fetching import fetch
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.calendars import CalendarServer, calendar_server, day, ics, status, timed
from tests.conftest import ROSTER
from tests.deal import BY_POINTS, letters, staff, tenures
from tests.driver import Driver
from tests.stage import capture, kept_by, newest

ANA, BEN = "ana@northgate.example,", "ben@northgate.example,"
PATH = "/calendar/private-8d2fd2c9/basic.ics"
WEEK = day("20270208", "20270213", "SUMMARY:Operation at the clinic")


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with calendar_server() as running:
        running.shown[PATH] = ics(WEEK)
        yield running


@pytest.fixture
def fed(box: Toolbox, server: CalendarServer) -> Toolbox:
    """An installation in which Ana's calendar is read."""
    box.settings = box.settings.model_copy(update={"feed_private_hosts": "calendar.intern, 127.0.0.1"})
    give(box, server)
    return box


def give(box: Toolbox, server: CalendarServer, path: str = PATH) -> None:
    staff(box, (ANA, f"{ANA} calendar_feed: {server.url}{path},"))


def told(box: Toolbox, person: str = "ana") -> list[str]:
    """The absences of a person that come from the feed, in UTC."""
    found = box.read_now(lambda session, now: [row for row in absences.of_person(session, person) if row.source == "feed"])
    return [f"{row.starts_at:%m-%dT%H:%M} {row.ends_at:%m-%dT%H:%M}" for row in found]


def state(box: Toolbox) -> CalendarFeed:
    return box.read_now(lambda session, now: feeds.everybodys(session)[0])


async def later(box: Toolbox, time: SteppedTime, **passed: float) -> int:
    time.at += timedelta(**(passed or {"minutes": 15}))
    return await poll_feeds(box)


async def test_a_feed_is_read_once_and_again_when_it_is_due(fed: Toolbox, server: CalendarServer, time: SteppedTime) -> None:
    assert await poll_feeds(fed) == 1
    assert await poll_feeds(fed) == 0
    assert told(fed) == ["02-08T00:00 02-13T00:00"]

    server.shown[PATH] = ics(WEEK, day("20270301"))
    assert await later(fed, time, minutes=14) == 0
    assert await later(fed, time, minutes=1) == 1
    assert told(fed) == ["02-08T00:00 02-13T00:00", "03-01T00:00 03-02T00:00"]

    server.shown[PATH] = ics(day("20270301", "20270304"))
    await later(fed, time)
    assert told(fed) == ["03-01T00:00 03-04T00:00"]


async def test_everybody_reads_the_absence_in_the_roster(fed: Toolbox) -> None:
    await poll_feeds(fed)

    ana = fed.read_now(lambda session, now: roster.current(session).people["ana"])
    assert ana.is_away(ana.away[0].from_)


async def test_what_has_not_changed_is_not_sent_again(fed: Toolbox, server: CalendarServer, time: SteppedTime) -> None:
    await poll_feeds(fed)

    await later(fed, time)

    assert ["if-none-match" in headers for _, headers in server.asked] == [False, True]
    assert state(fed).good_at == time.at
    await later(fed, time, days=1)
    assert "if-none-match" not in server.asked[-1][1], "another day reads other days"


async def test_whole_days_are_in_the_persons_zone(box: Toolbox, server: CalendarServer) -> None:
    box.settings = box.settings.model_copy(update={"feed_private_hosts": "127.0.0.1"})
    staff(box, (f"{ANA} team: emea, timezone: Europe/London", f"{ANA} team: emea, timezone: Asia/Tokyo, calendar_feed: {server.url}{PATH}"))

    await poll_feeds(box)

    assert told(box) == ["02-07T15:00 02-12T15:00"]


async def test_a_lead_of_somebody_whose_absence_was_read_is_handed_over(
    driver: Driver, fed: Toolbox, server: CalendarServer, time: SteppedTime
) -> None:
    taken = capture(fed, **BY_POINTS)
    await driver.settle()
    assert newest(fed, taken).rep == "ana"
    server.shown[PATH] = ics(timed("20270201T120000Z", "20270201T180000Z", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"))
    await later(fed, time)

    time.at += timedelta(hours=3, minutes=1)
    assert await hand_over_absences(fed) == 1

    await driver.settle()
    assert [row.rep for row in tenures(fed, taken)] == ["ana", "ben"]


async def test_an_absence_that_goes_on_already_counts_from_when_it_is_read(
    driver: Driver, fed: Toolbox, server: CalendarServer, time: SteppedTime
) -> None:
    taken = capture(fed, **BY_POINTS)
    await driver.settle()
    server.shown[PATH] = ics(day("20270125", "20270213"))

    await later(fed, time)
    time.at += timedelta(minutes=1)
    assert await hand_over_absences(fed) == 1

    await driver.settle()
    assert newest(fed, taken).rep == "ben"
    before = told(fed)
    server.shown[PATH] = ics(day("20270125", "20270215"))
    await later(fed, time)
    assert told(fed) == [before[0].replace("02-13", "02-15")], "its beginning stays"


async def test_a_feed_that_leaves_the_roster_takes_its_absences_along(fed: Toolbox, server: CalendarServer) -> None:
    await poll_feeds(fed)
    staff(fed)

    await poll_feeds(fed)

    assert told(fed) == []
    assert fed.read_now(lambda session, now: feeds.everybodys(session)) == []


async def test_a_new_address_is_asked_at_once_and_the_old_state_stays_until_then(fed: Toolbox, server: CalendarServer) -> None:
    await poll_feeds(fed)
    give(fed, server, "/other.ics")

    assert await poll_feeds(fed) == 1

    assert told(fed) == ["02-08T00:00 02-13T00:00"], "the new one does not exist"
    assert "does not exist" in state(fed).problem
    server.shown["/other.ics"] = ics(day("20270401"))
    give(fed, server, "/other.ics?again")
    server.shown["/other.ics?again"] = ics(day("20270401"))
    await poll_feeds(fed)
    assert told(fed) == ["03-31T23:00 04-01T23:00"]


def drip(request: BaseHTTPRequestHandler) -> None:
    """Begin an answer and break it off."""
    status(200, b"BEGIN:VCALENDAR\r\n", content_length="5000")(request)
    request.close_connection = True


#: What a feed may answer, and what is said of it.
BAD = {
    "gone": (status(404), "does not exist"),
    "password": (status(401), "asks for a password"),
    "broken": (status(503), "answers 503"),
    "elsewhere": (status(302, location="https://evil.example/x.ics"), "has moved to evil.example"),
    "inside": (status(302, location="http://169.254.169.254/latest/meta-data"), "has moved to 169.254.169.254"),
    "other port": (status(302, location="http://127.0.0.1:1/x.ics"), "has moved to 127.0.0.1"),
    "file": (status(302, location="file:///etc/passwd"), "has moved to another place"),
    "in a circle": (status(302, location=PATH), "from one address to the next"),
    "huge": (status(200, b"BEGIN:VCALENDAR" + b"x" * MAX_BYTES), "longer than"),
    "compressed": (status(200, b"x", content_encoding="gzip"), "compresses"),
    "broken off": (drip, "cannot be reached"),
}
#: The same, where it is read or not, on the way through a whole poll.
READ_AND_BAD = {
    "gone": BAD["gone"],
    "page": (status(200, b"<!doctype html><title>Sign in</title>", content_type="text/html"), "shows a web page"),
    "absurd": (status(200, ics(WEEK, day("20270301", "", "RRULE:FREQ=SECONDLY"))), "more than once a day"),
}


@pytest.mark.parametrize("answer", BAD)
async def test_what_a_bad_feed_is_said_to_be(server: CalendarServer, answer: str) -> None:
    server.shown[PATH], says = BAD[answer]

    with pytest.raises(FeedUnreadable) as refused:
        await fetch(server.url + PATH, private_hosts=["127.0.0.1"])

    assert says in str(refused.value)
    assert ";" in str(refused.value), "it says what to do"
    assert "8d2fd2c9" not in str(refused.value)


@pytest.mark.parametrize("answer", READ_AND_BAD)
async def test_a_bad_feed_leaves_the_last_good_state_and_says_why(
    fed: Toolbox, server: CalendarServer, time: SteppedTime, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    await poll_feeds(fed)
    good_at, (server.shown[PATH], says) = time.at, READ_AND_BAD[answer]

    with caplog.at_level(logging.INFO):
        assert await later(fed, time) == 1
        await later(fed, time)

    row = state(fed)
    assert told(fed) == ["02-08T00:00 02-13T00:00"]
    assert (row.good_at, row.failing_since) == (good_at, good_at + timedelta(minutes=15))
    assert says in row.problem
    lines = [record.getMessage() for record in caplog.records if record.name == "baton.feeds"]
    assert len(lines) == 1, "once, not at each poll"
    assert "ana" in lines[0]
    assert "8d2fd2c9" not in caplog.text
    server.shown[PATH] = ics(WEEK)
    await later(fed, time)
    assert (state(fed).problem, state(fed).good_at) == ("", time.at)


async def test_operations_gets_one_message_when_a_feed_was_down_for_a_day(fed: Toolbox, server: CalendarServer, time: SteppedTime) -> None:
    await poll_feeds(fed)
    server.shown.clear()

    for _ in range(6):
        await later(fed, time, hours=5)
    await send_personal_messages(fed)

    assert letters(fed, "absence-told") == ["oscar"]
    letter = kept_by(fed, "email").letters[-1]
    assert letter.subject == "The calendar of Ana Silva cannot be read"
    assert "does not exist" in letter.text
    assert "8d2fd2c9" not in letter.text + letter.html + letter.chat + letter.subject


async def test_a_feed_that_works_again_and_fails_again_is_told_again(fed: Toolbox, server: CalendarServer, time: SteppedTime) -> None:
    for _ in range(2):
        server.shown.clear()
        await later(fed, time)
        await later(fed, time, hours=25)
        server.shown[PATH] = ics(WEEK)
        await later(fed, time)

    keys = select(Delivery.key).where(Delivery.message == "absence-told")
    assert len(fed.read_now(lambda session, now: session.exec(keys).all())) == 2


async def test_no_title_and_no_address_is_kept(fed: Toolbox, database: Database) -> None:
    await poll_feeds(fed)
    staff(fed)  # the roster itself holds the address
    with database.write() as session:
        session.execute(Delivery.__table__.delete())  # type: ignore[attr-defined]

    def everything(session: Session, now: object) -> str:
        rows = [*feeds.everybodys(session), *absences.of_person(session, "ana"), *session.exec(select(Event).order_by(col(Event.id)))]
        return " ".join(str(row.model_dump()) for row in rows)

    said = fed.read_now(everything)
    assert not any(word in said for word in ("clinic", "Operation", "8d2fd2c9"))
    assert "8d2fd2c9" not in repr(fed.read_now(lambda session, now: roster.current(session)))


async def test_one_bad_feed_concerns_no_other(fed: Toolbox, server: CalendarServer) -> None:
    server.shown["/ben.ics"] = b"nonsense"
    staff(fed, (ANA, f"{ANA} calendar_feed: {server.url}{PATH},"), (BEN, f"{BEN} calendar_feed: {server.url}/ben.ics,"))

    assert await poll_feeds(fed) == 2

    assert (told(fed), told(fed, "ben")) == (["02-08T00:00 02-13T00:00"], [])


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/x.ics", "https://localhost:9/x.ics", "https://[::1]/x.ics", "https://10.0.0.8/x.ics", "https://169.254.169.254/x",
     "https://[fd00::1]/x.ics", "https://[::ffff:10.0.0.1]/x.ics", "https://0.0.0.0/x.ics", "https://[2002:7f00:1::]/x.ics"],
)  # fmt: skip
async def test_a_host_in_a_private_network_is_not_asked(address: str) -> None:
    with pytest.raises(FeedUnreadable, match="private network"):
        await fetch(address)


async def test_a_redirect_within_the_host_is_followed_and_a_password_in_the_address_goes_along(server: CalendarServer) -> None:
    server.shown["/old.ics"] = status(301, location=PATH)

    found = await fetch(server.url.replace("//", "//ana:s%40crt@") + "/old.ics", private_hosts=["127.0.0.1"])

    assert found.raw == server.shown[PATH]
    assert [headers["authorization"] for _, headers in server.asked] == ["Basic YW5hOnNAY3J0"] * 2


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("webcal://calendar.example/x.ics", "write https://"),
        ("http://calendar.example/x.ics", "write https://"),
        ("ftp://calendar.example/x.ics", "is no address"),
        ("calendar.example/x.ics", "is no address"),
        ("https://", "is no address"),
        ("https://calendar.example:port/x.ics", "is no address"),
        ("https://calendar.example/a b", "is no address"),
    ],
)
def test_a_wrong_address_in_the_roster_is_refused_and_not_quoted(box: Toolbox, address: str, says: str) -> None:
    text = ROSTER.replace(ANA, f"{ANA} calendar_feed: '{address}',")

    with pytest.raises(Exception, match=says) as refused:
        box.write_now(lambda session, now: roster.load(session, text, now=now))

    assert "people.ana.calendar_feed" in str(refused.value)
    assert "x.ics" not in str(refused.value)
