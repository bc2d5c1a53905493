"""The tables of a review: the same rows for the terminal, the page and the CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from agreements.review.cohorts import Cohort, Step
from agreements.review.deals import WHICH_CAMPAIGN
from agreements.review.funnel import MANY_TOUCHES
from agreements.review.share import Share
from app.exporting import defused
from app.review import wording
from app.review.proposal_wording import became
from app.review.report import Review
from app.review.wording import Cell


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a line of headings. name: of its CSV file. shares, words: the columns that hold shares, or words only, from 0.

    remark: what a reader has to know.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shares: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    remark: str = ""


def tables(found: Review) -> Iterator[Table]:
    """Yield every table that has rows, in the order of the report."""
    for one in (*_promises(found), *_leads(found), *_pipeline(found), *_work(found), *_talk(found)):
        if one.rows:
            yield one


def _table(name: str, title: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]], remark: str = "") -> Table:
    shares = tuple(at for at in range(len(columns)) if any(isinstance(row[at], Share | Step) for row in rows))
    words = tuple(at for at in range(len(columns)) if all(isinstance(row[at], str) for row in rows))
    return Table(name, title, tuple(columns), tuple(rows), shares, words, remark)


def _promises(found: Review) -> Iterator[Table]:
    rows: list[tuple[Cell, ...]] = [
        (wording.AIMS[one.aim], one.side, one.target, wording.measured(one), wording.reached(one), wording.pace(one.pace))
        for one in found.objectives
    ]
    columns = ("objective", "side", "agreed", "measured", "reached", "pace")
    yield _table("objectives", "Objectives", columns, rows)
    yield _table(
        "promises",
        "Promises that were due",
        ("clock", "owed by", "kept", "caused by others"),
        [(one.clock.replace("_", " "), one.owed_by, one.kept, wording.caused_by(one.caused_by)) for one in found.promises],
        "Misses that others caused are not in the share: a rep is not charged for a lead that marketing or routing should not have sent.",
    )
    weeks: list[tuple[Cell, ...]] = [(one.monday, one.marketing, one.sales) for one in found.weeks if one.marketing.of or one.sales.of]
    yield _table("weeks", "Promises kept by week", ("week of", "marketing", "sales"), weeks)


def _leads(found: Review) -> Iterator[Table]:
    whole = found.funnel
    rows: list[tuple[Cell, ...]] = [
        ("passes that began", whole.began),
        ("of leads that came back", whole.came_back),
        ("MQLs", whole.mqls),
        ("given to a rep", whole.assigned),
        ("accepted", whole.accepted),
        ("rejected", whole.rejected),
        ("not answered in time", whole.unanswered),
        ("still waiting", whole.waiting),
        ("ended otherwise", whole.otherwise),
        ("never touched, of those with a rep", whole.never_touched),
        ("came twice, counted once", whole.merged),
    ]
    yield _table("funnel", "Leads of the period", ("", "leads"), rows if whole.began or whole.mqls else ())
    speeds: list[tuple[Cell, ...]] = [
        (one.tier or "all tiers", one.touched, _seconds(one.median_seconds), _seconds(one.p90_seconds), one.in_time)
        for one in found.speeds
        if one.touched.of or one.in_time.of
    ]
    yield _table("speed", "Speed to lead", ("tier", "touched", "median", "9 of 10 within", "first attempt in time"), speeds)
    late: list[tuple[Cell, ...]] = [("first attempt in time", found.touched_in_time.in_time), ("late", found.touched_in_time.late)]
    yield _table(
        "touched-in-time",
        "Opportunities by the first attempt",
        ("leads", "became opportunities"),
        late if found.touched_in_time.in_time.of or found.touched_in_time.late.of else (),
        "This is no proof: reps call promising leads first.",
    )
    months: list[tuple[Cell, ...]] = [(one.month, one.mqls, *_steps(one).values(), _young(one)) for one in found.cohorts]
    columns = ("month", "MQLs", "SAL", "SQL", "opportunity", "won", "too young for")
    remark = "A share in grey may still grow: the month is too young for this step."
    yield _table("cohorts", "MQLs by month and what became of them", columns, months, remark)
    sources: list[tuple[Cell, ...]] = [(one.source, one.mqls, one.accepted, one.opportunities, one.won) for one in found.by_source]
    yield _table("sources", "MQLs by source", ("source", "MQLs", "accepted", "opportunities", "won"), sources)


def _pipeline(found: Review) -> Iterator[Table]:
    money: list[tuple[Cell, ...]] = [
        (one.currency, one.opened.of, one.opened_amount, one.won.of, one.won_amount, one.lost.of, one.lost_amount) for one in found.money
    ]
    columns = ("currency", "opened", "worth", "won", "won amount", "lost", "lost amount")
    yield _table("pipeline", "Pipeline", columns, money, wording.days_to_won(found.days_to_won))
    still_open: list[tuple[Cell, ...]] = [
        (one.currency, one.stalled.of, one.amount, one.stalled, one.stalled_amount) for one in found.open_money
    ]
    remark = "Stalled: the CRM has said nothing new for the agreed time, 30 days where none is agreed."
    heads = ("currency", "open", "worth", "stalled", "stalled amount")
    yield _table("open-opportunities", "Opportunities that are open", heads, still_open, remark)
    for which in WHICH_CAMPAIGN:
        campaigns: list[tuple[Cell, ...]] = [
            (one.campaign, each.currency, each.opened.of, each.opened_amount, each.won.of, each.won_amount)
            for one in found.campaigns
            if one.which == which and (each := one.money)
        ]
        campaigns.sort(key=lambda row: -int(str(row[2])))
        yield _table(f"{which}-campaigns", f"Pipeline by {which} campaign", ("campaign", *columns[:5]), campaigns)
    ended = found.recycled
    back: list[tuple[Cell, ...]] = [("came back", ended.came_back), ("new", ended.new)]
    rows = back if ended.came_back.of or ended.new.of else ()
    yield _table("recycled", "MQLs that ended as opportunities", ("leads", "opportunities"), rows)


def _work(found: Review) -> Iterator[Table]:
    numbers = (*map(str, range(MANY_TOUCHES)), f"{MANY_TOUCHES} or more")
    tried: list[tuple[Cell, ...]] = [
        (name, Share(count=count, of=found.attempts.passes)) for name, count in zip(numbers, found.attempts.by_touches, strict=True)
    ]
    yield _table("touches", "Touches before sales gave up", ("touches", "leads"), tried if found.attempts.passes else ())
    bounds = [0, *(one.days or 0 for one in found.open_by_age)]
    ages: list[tuple[Cell, ...]] = [
        (wording.age(one, before), one.leads, ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in one.waits_for.items()))
        for one, before in zip(found.open_by_age, bounds, strict=False)
    ]
    yield _table("open", "Open leads by age", ("age", "leads", "wait for"), ages if found.open_leads else ())
    load: list[tuple[Cell, ...]] = [(one.name, one.open) for one in found.load]
    whole = sum(one.seconds for one in found.time_spent)
    spent: list[tuple[Cell, ...]] = [
        (one.party, timedelta(seconds=one.seconds), f"{100 * one.seconds / whole:.1f} %") for one in found.time_spent if one.seconds
    ]
    remark = f"Of {found.time_of_leads:,} {'lead' if found.time_of_leads == 1 else 'leads'}, within the period."
    yield _table("time", "Where the time went", ("party", "time", "share"), spent, remark)
    yield _table("load", "Open leads by rep, in alphabetical order", ("rep", "open"), load)


def _talk(found: Review) -> Iterator[Table]:
    reasons: list[tuple[Cell, ...]] = [
        (
            one.label,
            one.counts_against,
            one.given,
            ", ".join(f"{source or 'no source'} {count}" for source, count in one.by_source.items()),
            one.of_month,
            f"above {one.alert_above} %" if one.alert else "",
        )
        for one in found.reasons
    ]
    yield _table("reasons", "Why sales gave leads back", ("reason", "counts against", "given", "by source", "this month", "alert"), reasons)
    against: list[tuple[Cell, ...]] = [(party, count) for party, count in found.against.items()]
    yield _table("against", "Given back, by whom it counts against", ("party", "leads"), against if any(found.against.values()) else ())
    one = found.disputes
    disputes: list[tuple[Cell, ...]] = [("raised", one.raised), ("upheld", one.upheld), ("overturned", one.overturned), ("open", one.open)]
    yield _table("disputes", "Disputes", ("", "rejections"), disputes if one.raised.count else ())
    ticks: list[tuple[Cell, ...]] = [(tick.statement.replace("_", " "), tick.ticked) for tick in found.ticks]
    yield _table("ticks", "Wrong or missing in notes", ("statement", "acceptances"), ticks)
    decide: list[tuple[Cell, ...]] = [(str(at), decided.what) for at, decided in enumerate(found.to_decide, 1)]
    yield _table("to-decide", "To decide", ("", "what"), decide)
    discuss: list[tuple[Cell, ...]] = [(str(each.lead), each.company, each.tier, each.what) for each in found.to_discuss]
    yield _table("to-discuss", "Leads to discuss", ("lead", "company", "tier", "why"), discuss)
    decisions: list[tuple[Cell, ...]] = [
        (str(each.number), each.text, each.by, each.decided_on, each.until, each.done_on or ("overdue" if each.overdue else "open"))
        for each in found.decisions
    ]
    yield _table("decisions", "Decided before", ("number", "what", "by", "decided", "until", "done"), decisions)
    about: list[tuple[Cell, ...]] = [
        (str(each.number), each.about.proposal.what, became(each.about)) for each in found.decisions if each.about is not None
    ]
    yield _table("proposals-followed", "What became of proposals", ("decision", "proposed", "what became of it"), about)
    notes: list[tuple[Cell, ...]] = [(note.code, note.count, note.what, ", ".join(note.which)) for note in found.notes]
    yield _table("notes", "Please note", ("code", "count", "what", "which"), notes)


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _steps(one: Cohort) -> dict[str, Step]:
    return {"SAL": one.sal, "SQL": one.sql, "opportunity": one.opportunity, "won": one.won}


def _young(one: Cohort) -> str:
    return ", ".join(name for name, step in _steps(one).items() if step.young)


def write_tables(found: Review, folder: Path) -> list[str]:
    """Write each table as a CSV file into the folder, and return the names of the files. A share takes two columns: count and whole."""
    names = []
    for one in tables(found):
        name = f"{one.name}.csv"
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
            writer.writerow(_headings(one))
            writer.writerows([text for at, value in enumerate(row) for text in _texts(value, at in one.shares)] for row in one.rows)
        names.append(name)
    return names


def _headings(one: Table) -> list[str]:
    return [text for at, name in enumerate(one.columns) for text in ((name, f"{name} of") if at in one.shares else (name,))]


def _texts(value: Cell, as_share: bool) -> tuple[str, ...]:
    """Return the cell's texts as machines read them, safe for a spreadsheet."""
    if isinstance(value, Share | Step):
        share = value.reached if isinstance(value, Step) else value
        return str(share.count), str(share.of)
    text = str(round(value.total_seconds())) if isinstance(value, timedelta) else "" if value is None else str(value)
    return (defused(text), "") if as_share else (defused(text),)
