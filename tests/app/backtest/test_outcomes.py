"""What became of past leads: what is told is used, what is not told is unknown, and what cannot be is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from agreements.errors import AgreementError
from app.backtest.past import PastLeads
from app.csv_import.errors import UnreadableFile
from tests.app.backtest.ground import a_file, an_agreement, past_of

LEADS = ("source_id,at,email", "1,2027-01-10 18:00,", "2,2027-01-11,", "3,2027-01-12,", "4,2027-01-13,")
MAP = {"columns": {"source_id": "source_id", "at": "at"}, "timezone": "America/Sao_Paulo"}


def became(past: PastLeads) -> list[str]:
    """Of each lead: won, not (known not to be), or nothing where that is unknown."""
    return ["won" if won else "not" if known else "" for won, known in zip(past.outcomes.won, past.outcomes.known, strict=True)]


def with_deals(folder: Path, *deals: str, columns: str = "source_id,won_at", leads: tuple[str, ...] = LEADS, **outcomes: str) -> PastLeads:
    """The leads with a file of deals beside theirs."""
    a_file(folder, columns, *deals, name="deals.csv")
    told = {"file": "deals.csv", **{name: name for name in columns.split(",") if name != "source_id"}, **outcomes}
    return past_of(a_file(folder, *leads), mapping={**MAP, "outcomes": told})


def test_wins_stand_in_a_file_beside_that_of_the_leads(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "2,2027-02-01 10:00", "4,2027-02-02")

    assert became(past) == ["not", "won", "not", "won"]
    assert past.left_out == []
    assert any("The file names won leads only" in warning for warning in past.warnings)


def test_where_losses_are_told_a_lead_without_outcome_is_unknown(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "1,2027-02-01,", "2,,2027-02-01", "3,,", columns="source_id,won_at,lost_at")

    assert became(past) == ["won", "not", "", ""]
    assert any("2 leads have no recorded outcome: open or unknown, not lost" in warning for warning in past.warnings)


def test_a_lead_that_was_never_assigned_is_unknown_not_lost(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "1,2027-02-01,2027-01-12", "2,,2027-01-12", "3,,", columns="source_id,won_at,assigned_at")

    assert became(past) == ["won", "not", "", ""]
    assert any("For 2 leads nobody knows whether sales ever had them" in warning for warning in past.warnings)


def test_a_win_before_the_first_contact_is_named_and_counts_neither_way(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "3,2027-02-01", "2,2027-01-09 10:00")

    assert became(past) == ["not", "", "won", "not"]
    (bad,) = past.left_out
    assert (bad.place, bad.line) == ("deals.csv", 3)
    assert "won_at: won on 2027-01-09, before the first contact on 2027-01-11 (lead 2, leads.csv:3)" in bad.reason


@pytest.mark.parametrize("won", ["2027-01-10", "2027-01-10 00:00", "2027-01-10 18:00"])
def test_a_day_alone_is_not_before_a_time_of_that_day(tmp_path: Path, won: str) -> None:
    assert became(with_deals(tmp_path, f"1,{won}"))[0] == "won"


def test_a_midnight_of_the_leads_zone_that_is_written_in_utc_is_a_day_alone(tmp_path: Path) -> None:
    assert became(with_deals(tmp_path, "1,2027-01-10 03:00", timezone="UTC"))[0] == "won"


def test_a_time_before_the_time_of_contact_on_one_day_is_bad(tmp_path: Path) -> None:
    assert became(with_deals(tmp_path, "1,2027-01-10 17:59"))[0] == ""


def test_a_time_that_is_none_an_empty_id_and_broken_rows_are_named_with_their_lines(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "1,soon", ",2027-02-01", "2,2027-02-01,more", "3,2027-02-01")

    assert [(bad.place, bad.line) for bad in past.left_out] == [("deals.csv", 2), ("deals.csv", 3), ("deals.csv", 4)]
    assert "won_at: 'soon' is no date" in past.left_out[0].reason
    assert became(past) == ["not", "not", "won", "not"]


def test_of_several_deals_of_one_lead_the_first_counts_and_strangers_are_said(tmp_path: Path) -> None:
    past = with_deals(tmp_path, "2,2027-02-09", "2,2027-02-01", "99,2027-02-01")

    assert became(past) == ["not", "won", "not", "not"]
    assert any("1 outcome names no lead of the file, such as 99" in warning for warning in past.warnings)


def test_outcomes_may_stand_in_columns_of_the_leads_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, "source_id,at,won_at,lost_at", "1,2027-01-10,2027-02-01,", "2,2027-01-10,,2027-02-01", "3,2027-01-10,,")

    assert became(past_of(path)) == ["won", "not", ""]


def test_a_file_that_is_named_for_the_outcomes_goes_before_the_maps(tmp_path: Path) -> None:
    a_file(tmp_path, "source_id,won_at", "1,2027-02-01", name="deals.csv")
    other = a_file(tmp_path, "source_id,won_at", "4,2027-02-01", name="newer.csv")
    mapping = {**MAP, "outcomes": {"file": "deals.csv", "won_at": "won_at"}}

    assert became(past_of(a_file(tmp_path, *LEADS), mapping=mapping, outcomes=other)) == ["not", "not", "not", "won"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["source_id,closed", "1,2027-02-01"], "has no column `won_at`; name the columns under `outcomes`"),
        (["id,won_at", "1,2027-02-01"], "these columns are missing: source_id; there are: id, won_at. Rename .* under `outcomes`"),
        (["source_id,won_at,won_at", "1,,2027-02-01"], "several columns have the same name: won_at; give each"),
        ([""], "is empty"),
    ],
)
def test_a_file_of_outcomes_that_cannot_be_used_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    other = a_file(tmp_path, *lines, name="deals.csv")

    with pytest.raises(UnreadableFile, match=said):
        past_of(a_file(tmp_path, *LEADS), outcomes=other)


def test_without_outcomes_nothing_is_known_and_that_is_said(tmp_path: Path) -> None:
    past = past_of(a_file(tmp_path, *LEADS))

    assert became(past) == ["", "", "", ""]
    assert any("The file has no outcomes" in warning for warning in past.warnings)


ASKS = {"fit": [{"when": {"segment": "pets"}, "points": 60}]}


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"after_contact": ["segment"]}, "which the map lists under `after_contact`"),
        ({"outcomes": {"file": "deals.csv", "won_at": "won_at"}}, "which is in column segment of deals.csv"),
        ({"fields": {"segment": "won_at"}, "outcomes": {"won_at": "won_at"}}, "which is in column won_at of leads.csv"),
    ],
)
def test_a_rule_that_asks_for_what_is_written_after_contact_is_refused(tmp_path: Path, mapping: dict[str, object], why: str) -> None:
    a_file(tmp_path, "source_id,won_at,segment", "1,2027-02-01,pets", name="deals.csv")
    path = a_file(tmp_path, "source_id,at,won_at", "1,2027-01-10,")
    draft = an_agreement(qualification=ASKS, fields={"segment": {}})

    with pytest.raises(AgreementError, match=f"b2b-saas@1: fit 1 asks for segment, {why}.*cannot have qualified anybody"):
        past_of(path, draft, mapping={**MAP, "fields": {"segment": "segment"}, **mapping})


def test_a_field_that_is_declared_to_be_known_after_contact_is_refused(tmp_path: Path) -> None:
    draft = an_agreement(qualification=ASKS, fields={"segment": {}})
    later = draft.fields["segment"].model_copy(update={"known": "after_contact"})

    with pytest.raises(AgreementError, match="fit 1 asks for segment, which `fields` declares as `known: after_contact`"):
        past_of(a_file(tmp_path, *LEADS), draft.model_copy(update={"fields": {"segment": later}}))


def test_a_column_that_both_files_have_was_known_before_contact(tmp_path: Path) -> None:
    a_file(tmp_path, "source_id,won_at,segment", "1,2027-02-01,pets", name="deals.csv")
    path = a_file(tmp_path, "source_id,at,segment", "1,2027-01-10,pets")
    mapping = {**MAP, "fields": {"segment": "segment"}, "outcomes": {"file": "deals.csv", "won_at": "won_at"}}

    past = past_of(path, an_agreement(qualification=ASKS, fields={"segment": {}}), mapping=mapping)

    assert past.leads.values["segment"].to_list() == ["pets"]


STAGED: tuple[str, ...] = ("source_id,at,email,stage,closed", "1,2027-01-10,,Closed Won,2027-02-01", "2,2027-01-10,,closed lost,2027-02-01")
STAGED += ("3,2027-01-10,,Qualified,2027-06-01", "4,2027-01-10,,,", "5,2027-01-10,,CLOSED WON,2027-01-01")


def staged(folder: Path, **outcomes: object) -> PastLeads:
    """Leads whose file says by a stage what became of them."""
    return past_of(a_file(folder, *STAGED), mapping={**MAP, "outcomes": outcomes})


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ({"won": {"column": "stage", "is": ["Closed Won"]}}, ["won", "not", "not", "not", "won"]),
        ({"won": {"column": "Stage", "is": "closed won"}}, ["won", "not", "not", "not", "won"]),
        (
            {"won": {"column": "stage", "is": ["Closed Won"]}, "lost": {"column": "stage", "is": ["Closed Lost", "No Interest"]}},
            ["won", "not", "", "", "won"],
        ),
        (
            {"won": {"column": "stage", "is": ["Closed Won"]}, "contacted": {"column": "stage", "is": ["Qualified", "Closed Lost"]}},
            ["won", "not", "not", "", "won"],
        ),
        # The day beside a stage counts only where the stage says yes: a deal has the day on which it may close.
        ({"won": {"column": "stage", "is": ["Closed Won"]}, "won_at": "closed"}, ["won", "not", "not", "not", ""]),
        ({"won_at": "closed", "lost": {"column": "stage", "is": ["Closed Lost"]}}, ["won", "won", "won", "not", ""]),
    ],
)
def test_a_stage_says_what_became_of_a_lead(tmp_path: Path, outcomes: dict[str, object], found: list[str]) -> None:
    assert became(staged(tmp_path, **outcomes)) == found


@pytest.mark.parametrize(("cell", "words"), [("yes", ["yes"]), ("TRUE", [True]), ("1", [1, "Y"]), ("é Gewonnen", ["é gewonnen"])])
def test_yes_and_no_say_it_as_well_in_a_file_beside_that_of_the_leads(tmp_path: Path, cell: str, words: list[object]) -> None:
    a_file(tmp_path, "sep=;", "source_id;won?", f"2;{cell}", "3;no", "2;no", name="deals.csv")

    past = past_of(a_file(tmp_path, *LEADS), mapping={**MAP, "outcomes": {"file": "deals.csv", "won": {"column": "won?", "is": words}}})

    assert became(past) == ["not", "won", "not", "not"]


def test_a_word_that_no_row_says_is_named(tmp_path: Path) -> None:
    past = staged(tmp_path, won={"column": "stage", "is": ["Won", "Closed - Won"]})

    said = "No lead is won: column stage of leads.csv never says Won, Closed - Won. Correct `is` under `outcomes` in the map."
    assert said in past.warnings


def test_no_rule_may_ask_for_a_stage_that_is_an_outcome(tmp_path: Path) -> None:
    mapping = {**MAP, "fields": {"industry": "stage"}, "outcomes": {"won": {"column": "stage", "is": ["Closed Won"]}}}

    with pytest.raises(AgreementError, match="is in column stage of leads.csv, with the outcomes"):
        past_of(a_file(tmp_path, *STAGED), mapping=mapping)


@pytest.mark.parametrize("dates", ["day-first", "%d/%m/%Y"])
def test_the_times_of_outcomes_are_written_as_the_map_declares(tmp_path: Path, dates: str) -> None:
    past = with_deals(tmp_path, "2,03/02/2027", "4,04/02/2027", "3,2027-13-01", dates=dates)

    assert became(past) == ["not", "won", "not", "won"]
    assert [bad.line for bad in past.left_out] == [4]
