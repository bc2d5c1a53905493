"""Exports as systems write them: the ready maps, dates as the map declares, other encodings, outcomes by words, missing columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.audit.audit import AuditFiles, audit
from app.audit.report import Audit, Counted
from app.csv_import.lead_map import read_map
from tests.app.audit.ground import NOW, a_file, an_agreement, audited, kept
from tests.conftest import ROOT


def of_ready_map(folder: Path, name: str, *lines: str) -> Audit:
    """The audit of these lines with a shipped map."""
    files = AuditFiles(a_file(folder, "export.csv", *lines), read_map(ROOT / f"examples/maps/{name}.yaml"))
    return audit(files, an_agreement(), drafted=False, now=NOW)


def test_an_export_of_contacts_from_hubspot(tmp_path: Path) -> None:
    found = of_ready_map(
        tmp_path,
        "hubspot-contacts",
        "Record ID,Email,Create Date,Original Traffic Source,Contact owner,Lead Status,Lifecycle Stage",
        "101,ann@one.example,2026-06-01 10:00,Organic Search,Ann Lee,In Progress,Marketing Qualified Lead",
        "102,ben@two.example,2026-06-01 11:00,Paid Search,Ann Lee,Unqualified,Lead",
        "103,cem@three.example,2026-06-02 09:00,Paid Search,,Open Deal,Customer",
        "104,not an address,2026-06-02 09:00,,Ann Lee,Left voicemail,Lead",
    )

    assert (found.leads, found.accepted, found.rejected) == (4, Counted(count=2, of=4), Counted(count=1, of=4))
    assert found.won
    assert (found.won.won, found.won.leads) == (1, 4)
    assert found.unmapped_statuses == {"Left voicemail": 1}
    assert found.not_used.count == 0


def test_a_report_on_leads_from_salesforce(tmp_path: Path) -> None:
    found = of_ready_map(
        tmp_path,
        "salesforce-leads",
        "Lead ID,Email,Create Date,Lead Source,Lead Owner,Lead Status",
        "00Q1,ann@one.example,6/1/2026,Web,Ann Lee,Open - Not Contacted",
        "00Q2,ben@two.example,6/13/2026,Web,Ann Lee,Working - Contacted",
        "00Q3,cem@three.example,6/2/2026,Web,Ann Lee,Closed - Converted",
        "00Q4,dan@four.example,6/2/2026,Web,Ann Lee,Closed - Not Converted",
        "",
        '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."',
    )

    assert (found.leads, found.untouched, found.lost) == (4, Counted(count=1, of=4), Counted(count=1, of=4))
    assert found.won
    assert found.won.won == 1
    assert (found.first and found.first.isoformat(), found.last and found.last.day) == ("2026-06-01T13:00:00+00:00", 13)


@pytest.mark.parametrize(
    ("dates", "created", "touched"),
    [
        ("day-first", "01/06/2026 10:00", "01/06/2026 11:00"),
        ("month-first", "6/1/2026 10:00 AM", "6/1/2026 11:00 AM"),
        ("epoch-seconds", "1780304400", "1780308000"),
        ("epoch-milliseconds", "1780304400000", "1780308000000"),
        ("%d.%m.%Y %H:%M", "01.06.2026 10:00", "01.06.2026 11:00"),
        ("iso", "2026-06-01T09:00:00.000Z", "2026-06-01T12:00:00+02:00"),
    ],
)
def test_dates_are_read_as_both_maps_declare(tmp_path: Path, dates: str, created: str, touched: str) -> None:
    mapping = {"columns": {"source_id": "id", "at": "made"}, "timezone": "Europe/London", "dates": dates}

    found = audited(tmp_path, [f"L1,{created}"], [f"L1,{touched},call,,"], header="id,made", mapping=mapping, activity_map={"dates": dates})

    assert found.speeds[0].elapsed.median_seconds == 3600
    assert kept(found, "first_attempt").kept == 1


def test_a_file_in_another_encoding_is_read_as_its_map_says(tmp_path: Path) -> None:
    leads, activities = tmp_path / "leads.csv", tmp_path / "calls.csv"
    leads.write_bytes("id;made;rep\n1;2026-06-01 10:00;Jörg Müller\n".encode("cp1252"))
    activities.write_bytes("lead_id;at;type;by\n1;2026-06-01 11:00;Gespräch;Jörg Müller\n".encode("cp1252"))
    (tmp_path / "leads.yaml").write_text("columns: {source_id: id, at: made}\nencoding: windows-1252\naudit: {owner: rep}\n")
    kinds = {"call": ["Gespräch"]}

    from app.audit.activity_map import ActivityMap

    files = AuditFiles(leads, read_map(tmp_path / "leads.yaml"), activities, ActivityMap(by="by", kinds=kinds, encoding="windows-1252"))
    found = audit(files, an_agreement(), drafted=True, now=NOW)

    assert found.untouched == Counted(count=0, of=1)
    assert found.unmapped_types == {}


@pytest.mark.parametrize(
    ("outcomes", "rows", "won", "lost"),
    [
        ({"won": {"column": "Stage", "is": ["Closed Won"]}}, ["1,2026-06-01,closed won,", "2,2026-06-01,Lost,"], 1, None),
        (
            {"won": {"column": "Stage", "is": "Won"}, "lost": {"column": "Stage", "is": ["Lost", "Dead"]}},
            ["1,2026-06-01,Won,", "2,2026-06-01,Dead,", "3,2026-06-01,Open,"],
            1,
            Counted(count=1, of=3),
        ),
        (
            {"won": {"column": "Stage", "is": "Won"}, "won_at": "Closed"},
            ["1,2026-06-01,Open,2026-09-01", "2,2026-06-01,Won,2026-07-01"],
            1,
            None,
        ),
        ({"won": {"column": "Stage", "is": "Won"}}, ["1,2026-06-01,Won,", "1,2026-06-02,Open,"], 1, None),
    ],
)
def test_outcomes_by_a_word(tmp_path: Path, outcomes: dict[str, Any], rows: list[str], won: int, lost: Counted | None) -> None:
    mapping = {"columns": {"source_id": "id", "at": "made"}, "outcomes": outcomes}

    found = audited(tmp_path, rows, None, header="id,made,Stage,Closed", mapping=mapping)

    assert found.won
    assert (found.won.won, found.lost) == (won, lost)


def test_contacted_by_a_word_is_touched_and_nobody_knows_when(tmp_path: Path) -> None:
    mapping = {
        "columns": {"source_id": "id", "at": "made"},
        "outcomes": {"contacted": {"column": "Called", "is": "yes"}},
    }

    found = audited(
        tmp_path, ["1,2026-06-01 10:00,yes", "2,2026-06-01 10:00,no", "3,2026-06-09 10:00,"], None, header="id,made,Called", mapping=mapping
    )

    one = kept(found, "first_attempt")
    assert found.untouched == Counted(count=2, of=3)
    assert (one.kept, one.unknown, one.broken + one.open) == (0, 1, 2)


def test_a_column_that_no_file_has_is_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    mapping = {"columns": {"source_id": "id", "at": "made"}, "audit": {"owner": "Rep", "status": "Lead Status"}}

    found = audited(tmp_path, ["1,2026-06-01 10:00"], None, header="id,made", mapping=mapping)

    assert any("Rep (owner), Lead Status (status)" in one for one in found.warnings)
    assert (found.leads, found.accepted) == (1, None)
