"""Each promise of a draft, case by case: kept, broken, still open, unknown, or nothing was promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.audit.ground import LEADS, a_lead, audited, judged, kept

# The example: hot leads are given to a rep within 1 hour (normal: 12 hours), answered within 30 working minutes (4 working hours), tried
# within 2 working hours (end of the same working day), and have a result within 10 working days. 2026-06-01 is a Monday; London works
# 09:00-12:30 and 13:30-17:30.
KEPT, BROKEN, OPEN, UNKNOWN, NOTHING = "kept", "broken", "open", "unknown", None
ALL: list[tuple[str, str, dict[str, Any], list[str], str | None]] = [
    ("delivery", "within 12 hours", {"assigned_at": "2026-06-01 21:59"}, [], KEPT),
    ("delivery", "to the second", {"assigned_at": "2026-06-01 22:00"}, [], KEPT),
    ("delivery", "a minute late", {"assigned_at": "2026-06-01 22:01"}, [], BROKEN),
    ("delivery", "a hot lead after two hours", {"tier": "hot", "assigned_at": "2026-06-01 12:00"}, [], BROKEN),
    ("delivery", "never", {}, [], BROKEN),
    ("delivery", "a day without a time, the same day", {"assigned_at": "2026-06-01"}, [], UNKNOWN),
    ("delivery", "a day without a time, days later", {"assigned_at": "2026-06-04"}, [], BROKEN),
    ("acceptance", "accepted in the afternoon", {}, ["L1,2026-06-01 15:00,status,,accepted"], KEPT),
    ("acceptance", "accepted the next day", {}, ["L1,2026-06-02 09:05,status,,accepted"], BROKEN),
    ("acceptance", "rejected at once", {}, ["L1,2026-06-01 10:05,status,,rejected"], KEPT),
    ("acceptance", "a call says it too", {}, ["L1,2026-06-01 10:30,call,,"], KEPT),
    ("acceptance", "over the weekend", {"created": "2026-06-05 17:00"}, ["L1,2026-06-08 12:00,call,,"], KEPT),
    ("acceptance", "counted from when the rep had it", {"assigned_at": "2026-06-02 09:00"}, ["L1,2026-06-02 12:45,call,,"], KEPT),
    ("acceptance", "accepted without a time", {"status": "accepted"}, [], UNKNOWN),
    ("acceptance", "silence", {}, [], BROKEN),
    ("first_attempt", "the same working day", {}, ["L1,2026-06-01 17:29,call,,"], KEPT),
    ("first_attempt", "that evening", {}, ["L1,2026-06-01 17:31,email,,"], BROKEN),
    ("first_attempt", "hot, two working hours over lunch", {"tier": "hot"}, ["L1,2026-06-01 12:00,meeting,,"], KEPT),
    ("first_attempt", "hot, too late", {"tier": "hot"}, ["L1,2026-06-01 12:01,meeting,,"], BROKEN),
    ("first_attempt", "a tier that the agreement lacks has the time of normal", {"tier": "vip"}, ["L1,2026-06-01 17:29,call,,"], KEPT),
    (
        "first_attempt",
        "accepted late: an hour from there",
        {},
        ["L1,2026-06-01 17:15,status,,accepted", "L1,2026-06-02 09:40,call,,"],
        KEPT,
    ),
    ("first_attempt", "the first of several counts", {}, ["L1,2026-06-03 09:00,call,,", "L1,2026-06-01 11:00,email,,"], KEPT),
    ("first_attempt", "rejected: no attempt was due", {"status": "rejected"}, [], NOTHING),
    ("first_attempt", "won without a logged touch", {"won_at": "2026-07-01 10:00"}, [], UNKNOWN),
    ("first_attempt", "recycled without any touch", {"status": "recycled"}, [], BROKEN),
    ("first_attempt", "created on a day, touched that day", {"created": "2026-06-01"}, ["L1,2026-06-01 10:00,call,,"], KEPT),
    ("first_attempt", "created on a day, touched the next morning", {"created": "2026-06-01"}, ["L1,2026-06-02 10:00,call,,"], UNKNOWN),
    ("first_attempt", "created on a day, touched a week later", {"created": "2026-06-01"}, ["L1,2026-06-09 10:00,call,,"], BROKEN),
    ("first_attempt", "touched on a day without a time", {}, ["L1,2026-06-01,call,,"], UNKNOWN),
    ("first_attempt", "without a created time", {"created": ""}, ["L1,2026-06-01 10:00,call,,"], UNKNOWN),
    ("outcome", "rejected after a week", {}, ["L1,2026-06-01 11:00,call,,", "L1,2026-06-08 11:00,status,,rejected"], KEPT),
    ("outcome", "rejected after a month", {}, ["L1,2026-06-01 11:00,call,,", "L1,2026-07-08 11:00,status,,rejected"], BROKEN),
    ("outcome", "an opportunity in time", {}, ["L1,2026-06-01 11:00,call,,", "L1,2026-06-02 11:00,status,,opportunity"], KEPT),
    ("outcome", "won soon", {"won_at": "2026-06-03 10:00"}, ["L1,2026-06-01 11:00,call,,"], KEPT),
    (
        "outcome",
        "won late: its opportunity may have begun in time",
        {"won_at": "2026-08-03 10:00"},
        ["L1,2026-06-01 11:00,call,,"],
        UNKNOWN,
    ),
    ("outcome", "nothing came", {}, ["L1,2026-06-01 11:00,call,,"], BROKEN),
    ("outcome", "rejected without a time", {"status": "rejected"}, ["L1,2026-06-01 11:00,call,,"], UNKNOWN),
    ("outcome", "never touched", {}, [], NOTHING),
    ("touches", "given up after one", {"status": "recycled"}, ["L1,2026-06-01 11:00,call,,"], BROKEN),
    ("touches", "given up after six", {"status": "lost"}, [f"L1,2026-06-0{day} 11:00,call,," for day in range(1, 7)], KEPT),
    ("touches", "a reason that needs none", {"status": "rejected", "reason": "No budget"}, [], NOTHING),
    ("touches", "still worked on", {"status": "accepted"}, [], NOTHING),
    ("reason", "rejected with one", {"status": "rejected", "reason": "No budget"}, [], KEPT),
    ("reason", "rejected without", {"status": "Rejected"}, [], BROKEN),
    ("reason", "lost without", {"lost_at": "2026-07-01"}, [], BROKEN),
    ("reason", "accepted", {"status": "accepted"}, [], NOTHING),
]
CASES, EXPECTED, NAMES = [one[:4] for one in ALL], [one[4] for one in ALL], [f"{one[0]}: {one[1]}" for one in ALL]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str | None]]:
    """What becomes of each promise to the lead of each case: all of them are in one pair of files."""
    leads = [a_lead(number, **lead) for number, (_, _, lead, _) in enumerate(CASES)]
    activities = [one.replace("L1,", f"L{number},", 1) for number, (_, _, _, several) in enumerate(CASES) for one in several]
    return judged(tmp_path_factory.mktemp("files"), [*leads, a_lead("other")], [*activities, "Lother,2026-12-24 12:00,note,,"])


@pytest.mark.parametrize(("number", "promise", "expected"), [(at, one[0], EXPECTED[at]) for at, one in enumerate(CASES)], ids=NAMES)
def test_a_promise_to_one_lead(verdicts: dict[str, list[str | None]], number: int, promise: str, expected: str | None) -> None:
    assert verdicts[promise][number] == expected


@pytest.mark.parametrize(("newest", "expected"), [("2026-06-01 17:00", OPEN), ("2026-06-01 17:30", BROKEN), ("2026-06-02 09:00", BROKEN)])
def test_a_promise_whose_time_was_not_over_when_the_files_were_written_is_open(tmp_path: Path, newest: str, expected: str) -> None:
    assert judged(tmp_path, [a_lead()], [f"L1,{newest},note,,"])["first_attempt"] == [expected]


def test_what_no_file_tells_is_said_and_not_counted_as_broken(tmp_path: Path) -> None:
    found = audited(tmp_path, ["L1,2026-06-01 10:00,2026-07-01 10:00"], header="source_id,created,won_at")

    assert {one.promise for one in found.promises if one.not_in_file} == {
        "delivery", "acceptance", "first_attempt", "outcome", "touches", "reason", "note", "decision",
    }  # fmt: skip
    assert all(one.kept == one.broken == one.open == one.unknown == 0 for one in found.promises)


def test_kept_and_broken_promises_are_compared_by_wins_and_money(tmp_path: Path) -> None:
    fast = [a_lead(number, won_at="2026-07-01 10:00" if number < 3 else "", amount=1000) for number in range(10)]
    slow = [a_lead(number, won_at="2026-07-01 10:00" if number < 21 else "", amount=400) for number in range(20, 30)]
    touches = [f"L{number},2026-06-01 11:00,call,," for number in range(10)] + [
        f"L{number},2026-06-03 11:00,call,," for number in range(20, 30)
    ]

    one = kept(audited(tmp_path, fast + slow, touches), "first_attempt")

    assert (one.kept, one.broken, one.share_kept, one.owed_by) == (10, 10, 0.5, "sales")
    assert (one.won_if_kept.share, one.won_if_broken.share) == (0.3, 0.1)
    assert (one.amount_if_kept, one.amount_if_broken) == (3000, 400)


def test_without_a_column_of_reasons_nobody_knows_who_was_given_up_as_not_reached(tmp_path: Path) -> None:
    header = LEADS.replace(",reason", "")
    leads = [f"L{number},2026-06-01 10:00,normal,,recycled,,,,," for number in (1, 2)]
    touches = [f"L1,2026-06-0{day} 11:00,call,," for day in range(1, 7)]

    one = kept(audited(tmp_path, leads, touches, header=header), "touches")

    assert (one.kept, one.broken, one.unknown) == (1, 0, 1)
