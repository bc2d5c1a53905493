"""Scheduled reviews: list them, and show one as it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlmodel import Session

from app import terminal
from app.report_output import writable
from storage import kept_reviews

#: How many reviews are listed.
_LISTED = 200


def listed() -> None:
    """List the scheduled reviews, the newest first."""
    box = terminal.open_box()
    with terminal.told():
        rows = box.read_now(lambda session, now: kept_reviews.listed(session, limit=_LISTED))
    if not rows:
        terminal.console.print("No review was due yet. `baton review` makes one now.")
        return
    table = Table("number", "agreement", "kind", "first day", "last day", "made")
    for row in rows:
        days = (f"{row.first:%d %b %Y}", f"{row.last:%d %b %Y}", f"{row.made_at:%Y-%m-%d %H:%M} UTC")
        table.add_row(str(row.id), f"{row.agreement}@{row.version}", row.kind, *days)
    terminal.console.print(table)


def show(
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the review, from `baton review list`.")],
    out: Annotated[Path | None, typer.Option(help="Write the page, the JSON, tables as CSV and drafts into this folder.")] = None,
) -> None:
    """Show a scheduled review as it was made, or write it into a folder. Counts nothing anew."""
    from app.review.drafts import write_drafts
    from app.review.report import from_json
    from app.review.tables import write_tables
    from app.review.terminal_view import show as show_review
    from tasks.messages.review_message import with_links
    from tasks.replies.overseen_lead import IN_OWN_BROWSER

    box = terminal.open_box()
    with terminal.told():
        text, page = box.read_now(lambda session, now: _read(session, number))
    found = from_json(text)
    if out is None:
        show_review(found, terminal.marked)
        return
    with writable():
        out.mkdir(parents=True, exist_ok=True)
        (out / "review.html").write_text(with_links(page, f"{box.settings.public_url}/{IN_OWN_BROWSER}"), encoding="utf-8")
        (out / "review.json").write_text(text + "\n", encoding="utf-8")
        written = ["review.html", "review.json", *write_tables(found, out), *write_drafts(found, out)]
    terminal.console.print(f"In {out}: {', '.join(written)}.", markup=False, soft_wrap=True)


def _read(session: Session, number: int) -> tuple[str, str]:
    row = kept_reviews.get(session, number)
    if row is None:
        terminal.fail(terminal.FINDINGS, f"There is no review {number}. `baton review list` lists them.")
    if not row.report:
        terminal.fail(terminal.FINDINGS, f"Review {number} is older than the trail is kept, so its figures were deleted.")
    return kept_reviews.report_of(row), kept_reviews.page_of(row)
