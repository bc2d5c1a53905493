"""What an audit counts: fates, touches, groups, money. Each share has its whole, and what no file tells is not a zero."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.audit.report import Audit, Counted
from tests.app.audit.ground import a_lead, audited

#: The leads of one small company: number, its cells, its activities.
STORY: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": "accepted"}, ["call"]),
    ({"status": "accepted"}, []),
    ({"status": "rejected", "reason": "No budget"}, ["call", "email"]),
    ({"status": "rejected"}, []),
    ({"status": "lost"}, ["meeting"]),
    ({"lost_at": "2026-08-01"}, ["call"] * 6),
    ({"status": "recycled", "reason": "Not now"}, ["call"] * 7),
    ({"won_at": "2026-06-11 09:00", "amount": "1200.50"}, ["email"]),
    ({"status": "won"}, ["email"]),
    ({}, []),
    ({"status": "new"}, ["note"]),
]


def story(folder: Path, **more: Any) -> Audit:
    leads = [a_lead(number, **cells) for number, (cells, _) in enumerate(STORY)]
    return audited(
        folder,
        leads,
        [f"L{number},2026-06-0{1 + at} 11:00,{one},," for number, (_, done) in enumerate(STORY) for at, one in enumerate(done)],
    )


@pytest.mark.parametrize(
    ("name", "count", "of"),
    [
        ("untouched", 4, 11),
        ("unanswered", 2, 11),
        ("accepted", 4, 11),
        ("accepted_untouched", 1, 4),
        ("rejected", 2, 11),
        ("rejected_without_reason", 1, 2),
        ("lost", 2, 11),
        ("lost_without_reason", 2, 2),
        ("recycled", 1, 11),
        ("lost_for_good", 4, 5),
        ("won", 2, 11),
    ],
)
def test_what_became_of_the_leads(tmp_path_factory: pytest.TempPathFactory, name: str, count: int, of: int) -> None:
    found = getattr(_told(tmp_path_factory), name)

    assert (found.won, found.leads) if name == "won" else (found.count, found.of) == (count, of)
    assert found.share == round(count / of, 6)


_STORIES: list[Audit] = []


def _told(folders: pytest.TempPathFactory) -> Audit:
    if not _STORIES:
        _STORIES.append(story(folders.mktemp("story")))
    return _STORIES[0]


def test_touches_before_giving_up_money_and_words_without_a_meaning(tmp_path: Path) -> None:
    found = story(tmp_path)

    assert found.attempts
    assert found.attempts.by_touches == (1, 1, 1, 0, 0, 0, 2)
    assert found.attempts.median == 2
    assert found.money
    assert (found.money.won, found.money.known) == (1200.5, Counted(count=1, of=2))
    assert found.unmapped_types == {"note": 1}
    assert (found.days_to_won.leads, found.days_to_won.quartiles) == (1, (10.0, 10.0, 10.0))


@pytest.mark.parametrize(
    ("touches", "median", "ninth"),
    [
        (["2026-06-01 10:05", "2026-06-01 10:15", "2026-06-01 10:25"], 900, 1380),
        (["2026-06-01 10:00"], 0, 0),
        (["2026-06-01", "2026-06-01 10:30"], 1800, 1800),
        ([], None, None),
    ],
)
def test_speed_is_measured_where_both_times_of_day_are_known(
    tmp_path: Path, touches: list[str], median: float | None, ninth: float | None
) -> None:
    leads, activities = [a_lead(at) for at in range(4)], [f"L{at},{one},call,," for at, one in enumerate(touches)]

    (speed,) = audited(tmp_path, leads, activities).speeds

    assert (speed.elapsed.median_seconds, speed.elapsed.p90_seconds) == (median, ninth)
    assert speed.touched == Counted(count=len(touches), of=4)


def test_speed_by_tier_is_in_the_order_of_the_agreement_after_all_leads(tmp_path: Path) -> None:
    tiers = ["normal", "zeta", "hot", "normal"]
    leads = [a_lead(at, tier=tier) for at, tier in enumerate(tiers)]

    found = audited(tmp_path, leads, [f"L{at},2026-06-01 1{at}:30,call,," for at in range(4)])

    assert [(one.tier, one.touched.of) for one in found.speeds] == [("", 4), ("hot", 1), ("normal", 2), ("zeta", 1)]
    assert [one.agreed for one in found.speeds] == ["", "2 working hours", "end of same working day", "end of same working day"]
    assert found.speeds[1].working.median_seconds == 9_000


def test_small_groups_are_together_and_the_largest_comes_first(tmp_path: Path) -> None:
    owners = ["Ada"] * 25 + ["Ben"] * 30 + ["Cem"] * 19 + ["Dan", "", ""]

    found = audited(tmp_path, [a_lead(at, owner=owner) for at, owner in enumerate(owners)], ["L0,2026-06-01 11:00,call,,"])

    assert [(one.value, one.leads, one.merged) for one in found.by_owner] == [("Ben", 30, 0), ("Ada", 25, 0), ("", 22, 3)]
    assert found.by_owner[1].untouched == Counted(count=24, of=25)
    assert found.by_source == ()


@pytest.mark.parametrize(
    ("by", "touched"),
    [("Ann", True), ("", True), ("HubSpot Automation", False), ("hubspot automation", False)],
)
def test_a_touch_by_no_person_is_no_touch(tmp_path: Path, by: str, touched: bool) -> None:
    activity_map = {"by": "by", "automatic": ["HubSpot Automation"]}

    found = audited(tmp_path, [a_lead()], [f"L1,2026-06-01 11:00,email,{by},"], activity_map=activity_map)

    assert found.untouched == Counted(count=0 if touched else 1, of=1)
    assert found.automatic == (0 if touched else 1)


def test_words_of_the_crm_mean_what_the_map_says_and_others_are_listed(tmp_path: Path) -> None:
    mapping = {
        "columns": {"source_id": "Lead", "at": "Made"},
        "timezone": "Europe/London",
        "audit": {"status": "Status", "reason": "Why", "statuses": {"accepted": ["Working", "In Progress"], "rejected": "Unqualified"}},
    }
    rows = ["1,2026-06-01 10:00,working,", "2,2026-06-01 10:00,UNQUALIFIED,Too small", "3,2026-06-01 10:00,Attempting,", "4,2026-06-01,,"]

    found = audited(tmp_path, rows, [], header="Lead,Made,Status,Why", mapping=mapping)

    assert (found.accepted, found.rejected) == (Counted(count=1, of=4), Counted(count=1, of=4))
    assert found.unmapped_statuses == {"Attempting": 1}


def test_a_period_keeps_its_days_and_an_empty_one_is_said(tmp_path: Path) -> None:
    leads = [a_lead(1, "2026-06-01 00:30"), a_lead(2, "2026-06-30 23:30"), a_lead(3, "2026-07-01 00:30")]

    june = audited(tmp_path, leads, [], since=date(2026, 6, 1), until=date(2026, 6, 30))
    empty = audited(tmp_path, leads, [], since=date(2026, 9, 1))

    assert june.leads == 2
    assert (empty.leads, empty.speeds[0].elapsed.median_seconds) == (0, None)
    assert any("No lead was created since 2026-09-01" in one for one in empty.warnings)


@pytest.mark.parametrize(
    ("header", "rows", "activities", "said"),
    [
        ("source_id,created,won_at", ["1,2026-06-01 10:00,2026-07-01"], None, "no file of activities"),
        ("source_id,created,won_at", ["1,2026-06-01 10:00,2026-07-01"], None, "won leads only"),
        ("source_id,created", ["1,2026-06-01 10:00"], [], "a lead counts as untouched"),
        ("source_id,created", ["1,2026-06-01 10:00"], [], "No column says which leads were won"),
        ("source_id", ["1"], [], "no usable time at which it was created"),
        ("source_id,created", [], [], "The file has no lead"),
        ("source_id,created", ["1,2026-06-01", "1,2026-06-02"], [], "1 row names a lead that an earlier row names"),
        ("source_id,created", ["1,2026-06-01"], [], "on a day without a time of day"),
    ],
)
def test_what_a_reader_has_to_know_is_said(tmp_path: Path, header: str, rows: list[str], activities: list[str] | None, said: str) -> None:
    found = audited(tmp_path, rows, activities, header=header)

    assert any(said in one for one in found.warnings), found.warnings
