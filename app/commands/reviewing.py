"""Reviews: makes one, and keeps what was decided."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlmodel import Session

from agreements.errors import AgreementError
from app import terminal
from app.report_output import is_stdout, json_text, writable, write_json
from storage import contracts, review_decisions
from storage.review_decisions import NewDecision
from storage.tables import ReviewDecision

if TYPE_CHECKING:
    from agreements.model import Agreement
    from agreements.review.period import Period
    from app.review.report import Review

_DAYS = ["%Y-%m-%d"]
_Name = Annotated[str, typer.Option(help="The name of the agreement. Default: the default agreement.")]


def review(
    context: typer.Context,
    from_: Annotated[datetime | None, typer.Option("--from", help="The first day, in the agreement's zone.", formats=_DAYS)] = None,
    to: Annotated[datetime | None, typer.Option("--to", help="The last day, included.", formats=_DAYS)] = None,
    week: Annotated[bool, typer.Option("--week", help="The last whole week, Monday to Sunday. This is the default.")] = False,
    month: Annotated[bool, typer.Option("--month", help="The last whole month.")] = False,
    agreement: _Name = "",
    proposals: Annotated[bool, typer.Option("--proposals", help="Propose changes to the agreement. --month does so too.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the page, the JSON, tables as CSV and drafts into this folder.")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file; - is standard output.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the report and end.")] = False,
) -> None:
    """Count what marketing and sales promised and kept in a period. Changes nothing.

    Without a command this makes a review. The commands below show scheduled reviews, and keep what was decided in one.
    """
    if context.invoked_subcommand:
        return
    if schema:
        from app.review.report import schema as schema_of

        print(json.dumps(schema_of(), indent=2))
        return
    asked = (from_.date() if from_ else None, to.date() if to else None)
    if sum((any(asked), week, month)) > 1:
        terminal.fail(terminal.USAGE, "Name one period: --week, --month, or --from and --to.")
    box = terminal.open_box()
    with terminal.told(), _progress() as tell:
        found = box.read_now(lambda session, now: _made(session, now, agreement, _days(asked, month), month or proposals, tell))
    _write(found, out=out, as_json=as_json, site=box.settings.public_url)


def _days(asked: tuple[date | None, date | None], month: bool) -> Callable[[date], tuple[date, date]]:
    """Return what makes the first and the last day from today's date."""
    from agreements.review.period import last_month, last_week

    def days(today: date) -> tuple[date, date]:
        first, last = asked
        if first is None and last is None:
            return last_month(today) if month else last_week(today)
        if first is None:
            terminal.fail(terminal.USAGE, "Name the first day too: --from YYYY-MM-DD.")
        return first, last or today

    return days


def _made(
    session: Session,
    now: datetime,
    name: str,
    days: Callable[[date], tuple[date, date]],
    proposing: bool,
    tell: Callable[[str, int, int], None],
) -> Review:
    from app.review.review import report

    agreement = _agreement(session, now, name)
    return report(session, agreement.agreement, _period(agreement, now, days), proposing=proposing, progress=tell)


def _period(agreement: Agreement, now: datetime, days: Callable[[date], tuple[date, date]]) -> Period:
    from agreements.review.period import Period

    first, last = days(agreement.day(now))
    if first > last:
        terminal.fail(terminal.USAGE, f"The first day {first} is after the last day {last}; write the earlier day first.")
    found = Period(first, last, agreement.timezone, now)
    if found.begins > now:
        terminal.fail(terminal.USAGE, f"The period begins on {first}, which has not come yet; name an earlier day.")
    return found


def _agreement(session: Session, now: datetime, name: str) -> Agreement:
    """Return the newest version of the named agreement, else of the default one, else of the only one. Raises AgreementError."""
    rows = contracts.deployed(session, name)
    if name and not rows:
        raise AgreementError(f"No version of {name!r} is deployed. `baton agreement list` shows what is.")
    newest = {row.name: contracts.read(row) for row in rows}
    chosen = [one for one in newest.values() if one.is_default] if len(newest) > 1 else list(newest.values())
    if not chosen:
        raise AgreementError(
            f"Name the agreement: --agreement {' or '.join(newest)}."
            if newest
            else "No agreement is deployed yet: there is nothing to review."
        )
    return chosen[0]


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show one progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal.complaints, transient=True) as progress:
        bar = progress.add_task("reading")

        def tell(what: str, done: int, whole: int) -> None:
            progress.update(bar, description=what, completed=done, total=whole)

        yield tell


def _write(found: Review, *, out: Path | None, as_json: Path | None, site: str) -> None:
    """Write the files that were asked for, and show the review unless JSON goes to standard output. site: the address of the pages."""
    from app.review.drafts import write_drafts
    from app.review.page import page
    from app.review.report import as_json as document
    from app.review.tables import write_tables
    from app.review.terminal_view import show
    from tasks.messages.review_message import with_links
    from tasks.replies.overseen_lead import IN_OWN_BROWSER

    text = json_text(document(found))
    with writable():
        if out:
            out.mkdir(parents=True, exist_ok=True)
            (out / "review.html").write_text(with_links(page(found), f"{site}/{IN_OWN_BROWSER}"), encoding="utf-8")
            (out / "review.json").write_text(text + "\n", encoding="utf-8")
            written = ["review.html", "review.json", *write_tables(found, out), *write_drafts(found, out)]
            terminal.complaints.print(f"In {out}: {', '.join(written)}.", markup=False, soft_wrap=True)
        write_json(text, as_json)
    if is_stdout(as_json):
        print(text)
    else:
        show(found, terminal.marked)


def decide(
    text: Annotated[str, typer.Argument(help="What was decided, without names of leads or people at leads.")],
    by: Annotated[str, typer.Option("--by", help="Who sees to it: an id or a name.")] = "",
    until: Annotated[datetime | None, typer.Option(help="The day by which it is to be done.", formats=_DAYS)] = None,
    agreement: _Name = "",
    proposal: Annotated[int, typer.Option(min=0, help="The number of the proposal that it is about.")] = 0,
    review: Annotated[int, typer.Option(min=0, help="The review with this proposal. Default: the newest one that proposes.")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Instead of --review: the JSON of a review that you made, such as review.json.")
    ] = None,
) -> None:
    """Keep a decision of a review. The next review shows it, and what became of it and of the proposal that it is about."""
    if not (said := " ".join(text.split())):
        terminal.fail(terminal.USAGE, "Write what was decided.")
    if (review or report) and not proposal:
        terminal.fail(terminal.USAGE, "Name the proposal too: --proposal 1.")
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> tuple[int, str]:
        from app.review.decided_proposal import decided_proposal

        name = _agreement(session, now, agreement).agreement
        about = decided_proposal(session, name, proposal, review=review, report=report) if proposal else None
        new = NewDecision(name, said, by, until.date() if until else None, about.model_dump(mode="json") if about else {})
        return review_decisions.add(session, new, now=now).id, about.what if about else ""

    with terminal.told():
        number, what = box.write_now(work)
    terminal.console.print(f"Decision {number} is kept{f', about this proposal: {what}' if what else '.'}", markup=False, soft_wrap=True)
    terminal.console.print(f"When it is done: baton review done {number}", markup=False)


def decisions(agreement: Annotated[str, typer.Option(help="The name of the agreement. Default: every one.")] = "") -> None:
    """List what was decided in reviews, the newest first, and what became of it."""
    box = terminal.open_box()
    with terminal.told():
        box.read_now(lambda session, now: _list(review_decisions.of(session, agreement), now))


def _list(rows: Sequence[ReviewDecision], now: datetime) -> None:
    if not rows:
        terminal.console.print("Nothing was decided yet.")
        return
    table = Table("number", "agreement", "decided", "what", "about the proposal", "by", "until", "")
    for row in rows:
        became = f"done {row.done_at:%d %b %Y}" if row.done_at else "overdue" if row.until and row.until < now.date() else "open"
        until = f"{row.until:%d %b %Y}" if row.until else ""
        decided = f"{row.decided_at:%d %b %Y}"
        about = str(row.proposal.get("what", ""))
        table.add_row(str(row.id), row.agreement, decided, row.text, about, row.by, until, became)
    terminal.console.print(table)


def done(
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the decision, from `baton review decisions`.")],
) -> None:
    """Mark a decision as done."""
    box = terminal.open_box()
    with terminal.told():
        row = box.write_now(lambda session, now: review_decisions.finish(session, number, by=terminal.who(), now=now))
        if row is None:
            terminal.fail(terminal.FINDINGS, f"There is no decision {number}. `baton review decisions` lists them.")
        terminal.console.print(f"Decision {number} is done.", markup=False)
