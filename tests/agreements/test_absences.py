"""Absences beside the roster file: what a roster becomes with them, and which new ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agreements.absences import NewAbsence, absences_of, agreed_for, check_absence, read_day, returns_to, source_of, with_absences
from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import after_pause
from agreements.errors import AbsenceRefused
from agreements.lifecycle import Stage
from agreements.model import OnLeave
from agreements.presence import stand_in
from agreements.roster import read_roster
from agreements.words import AbsenceSource, Ended, NoWord

ROSTER = read_roster("""
teams: {emea: {manager: maria}}
marketing: mina
operator: oscar
people:
  ana: {name: Ana, email: ana@a.example, team: emea, timezone: Europe/Lisbon, deputy: cleo}
  ben: {name: Ben, email: ben@a.example, team: emea, away: [{from: 2027-03-01T00:00:00Z, until: 2027-03-08T00:00:00Z}]}
  cleo: {name: Cleo, email: cleo@a.example, team: emea}
  desk: {name: Desk, email: desk@a.example, team: emea, shared: true, members: [ana, cleo]}
  maria: {name: Maria, email: maria@a.example, role: manager, team: emea}
  mina: {name: Mina, email: mina@a.example, role: marketing}
  oscar: {name: Oscar, email: oscar@a.example, role: operator}
""")
NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)


def absence(person: str, first: int, last: int, deputy: str = "", source: AbsenceSource = "command", month: int = 3) -> NewAbsence:
    """An absence from one day of a month to another."""
    at = [datetime(2027, month, day, tzinfo=UTC) for day in (first, last)]
    return NewAbsence(person, at[0], at[1], source, f"{month}-{first}", deputy)


def test_a_stored_absence_counts_like_one_of_the_file() -> None:
    people = with_absences(ROSTER, [absence("ana", 1, 5), absence("ben", 20, 22, source="feed"), absence("zoe", 1, 5)])

    assert people.people["ana"].is_away(datetime(2027, 3, 4, 23, tzinfo=UTC))
    assert not ROSTER.people["ana"].is_away(datetime(2027, 3, 4, 23, tzinfo=UTC)), "the roster of the file stays as it is"
    assert [source_of(one) for one in absences_of(people.people["ben"], since=NOW)] == ["file", "feed"]
    assert "zoe" not in people.people
    assert with_absences(ROSTER, []) is ROSTER


@pytest.mark.parametrize(
    ("absences", "who"),
    [
        ([absence("ana", 1, 5)], "cleo"),
        ([absence("ana", 1, 5, "maria")], "maria"),
        ([absence("ana", 1, 5, "mina", "feed"), absence("ana", 1, 5, "maria")], "maria"),
        ([absence("ana", 1, 5, "mina", "feed"), absence("ana", 1, 5, source="reply")], "mina"),
        ([absence("ana", 1, 5), absence("cleo", 1, 5, "ben", "feed")], ""),
        ([absence("ana", 1, 5), absence("cleo", 1, 5, "oscar", "reply")], "oscar"),
    ],
    ids=["their own", "of the absence", "told before read", "the one who is named", "everybody away", "the deputy's deputy"],
)
def test_who_stands_in_comes_from_the_absence(absences: list[NewAbsence], who: str) -> None:
    assert stand_in(with_absences(ROSTER, absences), "ana", datetime(2027, 3, 3, tzinfo=UTC)) == who


def test_absences_that_follow_at_once_are_one() -> None:
    people = with_absences(ROSTER, [absence("ben", 8, 12), absence("ben", 11, 20, source="feed"), absence("ben", 21, 22)])

    assert people.people["ben"].back_at(datetime(2027, 3, 2, tzinfo=UTC)) == datetime(2027, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (absence("zoe", 1, 5), "Nobody in the roster is called 'zoe'; it has ana, "),
        (absence("ana", 5, 1), "ends at Mon 1 Mar 2027 00:00, and begins at Fri 5 Mar 2027 00:00; write an end after the beginning."),
        (absence("ana", 5, 5), "write an end after the beginning."),
        (absence("ana", 1, 31, month=1), "The absence ended at Sun 31 Jan 2027 00:00 already; write one that is not over."),
        (absence("ben", 7, 9), "Ben is away already from Mon 1 Mar 2027 00:00 until Mon 8 Mar 2027 00:00 (in the roster file)"),
        (absence("ben", 2, 3), "Ben is away already"),
        (absence("cleo", 14, 20), "Cleo is away already from Wed 10 Mar 2027 00:00 until Mon 15 Mar 2027 00:00 (from the calendar feed)"),
        (absence("ana", 1, 2, "ana"), "Ana cannot stand in while away; name another person of the roster."),
        (absence("ana", 1, 2, "zoe"), "The deputy 'zoe' is nobody in the roster"),
        (absence("ana", 1, 2, "ben"), "The deputy Ben is away too, from Mon 1 Mar 2027 00:00 until Mon 8 Mar 2027 00:00"),
        (absence("ana", 12, 18, "cleo"), "The deputy Cleo is away too, from Wed 10 Mar 2027 00:00"),
        (absence("ana", 1, 2, "desk"), "The deputy Desk is a shared mailbox; name one of its members."),
        (
            NewAbsence("ana", NOW, datetime(2031, 1, 1, tzinfo=UTC), "command", "long"),
            "The absence is longer than 732 days; take somebody who has left out of the roster",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(new: NewAbsence, said: str) -> None:
    people = with_absences(ROSTER, [absence("cleo", 10, 15, source="feed")])

    with pytest.raises(AbsenceRefused) as refused:
        check_absence(people, new, now=NOW)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    "new",
    [
        absence("ben", 8, 9),
        absence("ben", 25, 28, month=2),
        absence("ana", 8, 10, "ben"),
        absence("cleo", 15, 16),
        absence("maria", 1, 30, "oscar"),
        NewAbsence("ana", datetime(2027, 1, 20, tzinfo=UTC), datetime(2027, 2, 5, tzinfo=UTC), "command", "going on"),
        absence("cleo", 10, 20, source="feed"),
    ],
    ids=["after", "before", "the deputy is back", "follows at once", "a manager", "has begun", "the same one, longer"],
)
def test_what_fits_is_taken(new: NewAbsence) -> None:
    people = with_absences(ROSTER, [absence("cleo", 10, 15, source="feed")])

    check_absence(people, new, now=NOW)


def test_each_reason_is_named_at_once() -> None:
    with pytest.raises(AbsenceRefused) as refused:
        check_absence(ROSTER, absence("ben", 1, 2, "ben"), now=NOW)

    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "zone", "at"),
    [
        ("2027-02-01", "Europe/Lisbon", "2027-02-01T00:00+00:00"),
        ("2027-07-01", "Europe/Lisbon", "2027-06-30T23:00+00:00"),
        ("2027-02-01", "Asia/Kolkata", "2027-01-31T18:30+00:00"),
        ("2027-02-01", "America/New_York", "2027-02-01T05:00+00:00"),
        ("2027-02-01T12:00", "America/New_York", "2027-02-01T17:00+00:00"),
        ("2027-02-01T12:00Z", "America/New_York", "2027-02-01T12:00+00:00"),
        ("2027-02-01T12:00+05:30", "America/New_York", "2027-02-01T06:30+00:00"),
        ("2027-09-05", "America/Santiago", "2027-09-05T04:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_of_the_person(text: str, zone: str, at: str) -> None:
    assert read_day(text, ZoneInfo(zone)) == datetime.fromisoformat(at)


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-02-30", "01.02.2027", "2027-13-01", "0001-01-01", "9999-12-31T00:00"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(AbsenceRefused):
        read_day(text, ZoneInfo("Europe/Lisbon"))


@pytest.mark.parametrize(
    ("stage", "back_after", "tenures", "to"),
    [
        (Stage.ASSIGNED, True, [("ana", "away"), ("ben", "")], "ana"),
        (Stage.ACCEPTED, True, [("ana", "away"), ("ben", "")], "ana"),
        (Stage.WORKING, True, [("ana", "away"), ("ben", "")], ""),
        (Stage.STUCK, True, [("ana", "away"), ("ben", "")], ""),
        (Stage.ASSIGNED, False, [("ana", "away"), ("ben", "")], ""),
        (Stage.ASSIGNED, True, [("ana", "")], ""),
        (Stage.ASSIGNED, True, [], ""),
        (Stage.ASSIGNED, True, [("ana", "away"), ("ben", "away"), ("cleo", "")], "ana"),
        (Stage.ASSIGNED, True, [("ana", "away"), ("ben", "rejected"), ("cleo", "")], ""),
        (Stage.ASSIGNED, True, [("ana", "rejected"), ("ben", "away"), ("cleo", "")], "ben"),
        (Stage.ASSIGNED, True, [("ana", "handed"), ("ben", "")], ""),
        (Stage.ASSIGNED, True, [("ana", "away"), ("ben", "away"), ("ana", "")], ""),
    ],
    ids=[
        "assigned",
        "accepted",
        "worked on",
        "stuck",
        "not agreed",
        "never handed over",
        "nobody has it",
        "two absences in a row",
        "given up in between",
        "of the second rep",
        "handed on",
        "came back already",
    ],
)
def test_a_lead_comes_back_until_somebody_works_on_it(
    stage: Stage, back_after: bool, tenures: list[tuple[str, Ended | NoWord]], to: str
) -> None:
    assert returns_to(OnLeave(back_after=back_after), stage, tenures) == to


@pytest.mark.parametrize(
    ("stage", "agreed"),
    [(Stage.ASSIGNED, "keep"), (Stage.ACCEPTED, "manager-decides"), (Stage.WORKING, "somebody-else")],
)
def test_each_stage_has_its_rule(stage: Stage, agreed: str) -> None:
    assert agreed_for(OnLeave(assigned="keep", accepted="manager-decides", working="somebody-else"), stage) == agreed


_WEEKDAYS = WorkingCalendar.from_clause({"hours": {"mon-fri": "09:00-17:00"}, "timezone": "UTC"})


@pytest.mark.parametrize(
    ("at", "stopped", "resumed", "working", "moved"),
    [
        ("2027-02-01T11:00", "2027-02-01T12:00", "2027-02-10T00:00", True, "2027-02-01T11:00"),
        ("2027-02-01T12:00", "2027-02-01T12:00", "2027-02-10T00:00", True, "2027-02-01T12:00"),
        ("2027-02-01T14:00", "2027-02-01T12:00", "2027-02-10T00:00", True, "2027-02-10T11:00"),
        ("2027-02-02T10:00", "2027-02-01T12:00", "2027-02-10T00:00", True, "2027-02-10T15:00"),
        ("2027-02-02T12:00", "2027-02-01T12:00", "2027-02-12T13:00", True, "2027-02-15T13:00"),
        ("2027-02-01T14:00", "2027-02-01T12:00", "2027-02-10T00:00", False, "2027-02-10T02:00"),
        ("2027-02-10T11:00", "2027-02-10T00:00", "2027-02-04T10:00", True, "2027-02-04T12:00"),
        ("2027-02-10T11:00", "2027-02-10T00:00", "2027-02-12T00:00", True, "2027-02-12T11:00"),
        ("2027-02-10T02:00", "2027-02-10T00:00", "2027-02-04T10:00", False, "2027-02-04T12:00"),
    ],
    ids=["before", "at once", "hours", "over a night", "over a weekend", "elapsed", "back earlier", "away longer", "back earlier, elapsed"],
)
def test_what_was_left_when_the_clock_stopped_is_left_when_it_goes_on(
    at: str, stopped: str, resumed: str, working: bool, moved: str
) -> None:
    when = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, stopped, resumed)]

    after = after_pause(when[0], stopped=when[1], resumed=when[2], calendar=_WEEKDAYS, working=working)

    assert after == datetime.fromisoformat(moved).replace(tzinfo=UTC)
