"""The do-not-contact list: add, remove, list, import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from agreements.opt_out import ListEntry, channel_of, read_entry
from agreements.words import OPT_OUT_CHANNELS, OptOutChannel, word
from app import terminal
from storage import suppressions
from storage.suppressions import Told
from tasks import refusals
from tasks.refusals import Added, NewEntry, Removal

#: The most entries that `list` shows.
SHOWN = 200
_CHANNEL_HELP = "What is refused: all, email or phone."
_Value = Annotated[str, typer.Argument(help="An address, a domain, or a phone number with its country code.")]


def add(
    value: _Value,
    channel: Annotated[str, typer.Option(help=_CHANNEL_HELP)] = "all",
    source: Annotated[str, typer.Option(help="Where the wish came from, such as `letter of 3 May`.")] = "",
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it was told. Default: today.")] = None,
) -> None:
    """Put somebody on the do-not-contact list, and end everything about them at once: messages, waits, nurture."""
    entry, refused = _entry(value), _channel(channel)
    box = terminal.open_box()
    with terminal.told():
        _not_ahead(on, box.read_now(lambda session, now: now))
        try:
            told = Told(channel_of(entry, refused), source=source[:200], by=terminal.who(), since=_since(on))
        except ValueError as error:
            terminal.fail(terminal.USAGE, str(error))
        _say(refusals.add(box, [NewEntry(entry, told)]))


def remove(
    value: _Value,
    why: Annotated[str, typer.Option(help="Why the person may be contacted again. The trail keeps it.")],
    channel: Annotated[str, typer.Option(help="Only this entry: all, email or phone. Default: every one.")] = "",
) -> None:
    """Take somebody from the do-not-contact list. Nothing begins again by itself: the next request of the person counts."""
    entry, refused = _entry(value), _channel(channel) if channel else None
    if not why.strip():
        terminal.fail(terminal.USAGE, "Say with --why why the person may be contacted again.")
    box = terminal.open_box()
    with terminal.told():
        gone = refusals.remove(box, entry, Removal(terminal.who(), why.strip()[:500], refused))
        if not gone and box.read_now(lambda session, now: refusals.is_erased(session, entry)):
            terminal.fail(terminal.FINDINGS, "This person's data was erased. They stay suppressed, and Baton keeps only a keyed hash.")
        if not gone:
            terminal.fail(terminal.FINDINGS, f"{value} is not on the list. `baton suppress list` shows what is.")
        terminal.console.print(f"Removed: {', '.join(row.channel for row in gone)}. The trail says who removed it, and why.")


def list_entries(
    match: Annotated[str, typer.Option(help="Only entries that contain this text.")] = "",
) -> None:
    """Show the do-not-contact list: what is refused, where the wish came from, since when, and who listed it."""
    box = terminal.open_box()
    table = Table("entry", "refused", "since", "source", "listed by")
    shown = more = 0
    with terminal.told():
        after = ""
        while rows := box.read_now(lambda session, now, after=after: suppressions.page(session, after=after)):  # type: ignore[misc]
            after = rows[-1].value
            for row in (one for one in rows if match.casefold() in one.value.casefold()):
                if shown < SHOWN:
                    table.add_row(row.value, row.channel, f"{row.since:%Y-%m-%d}", row.source or row.reason, row.added_by or "Baton")
                    shown += 1
                else:
                    more += 1
    if not shown:
        terminal.console.print("Nothing on the list matches." if match else "Nobody is on the list.")
        return
    terminal.console.print(table)
    if more:
        terminal.console.print(f"{more} more; narrow them down with --match.")


def import_file(
    file: Annotated[Path, typer.Argument(help="One entry a line, or a CSV file with the columns value, channel, source and on.")],
    channel: Annotated[str, typer.Option(help=f"{_CHANNEL_HELP} For lines that do not say.")] = "all",
    source: Annotated[str, typer.Option(help="Where the wishes came from, for lines that do not say.")] = "",
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, for lines that do not say.")] = None,
) -> None:
    """Put everybody in a file on the do-not-contact list. Good lines go in; bad ones are named, and the exit code is then 3."""
    usual = Told(_channel(channel), source=source[:200] or file.name, by=terminal.who(), since=_since(on))
    box = terminal.open_box()
    with terminal.told():
        today = box.read_now(lambda session, now: now)
        _not_ahead(on, today)
        try:
            read = list(_read(file, usual, today))
        except (OSError, UnicodeDecodeError) as error:
            terminal.fail(terminal.USAGE, f"{file} cannot be read: {error}. Save it as UTF-8 text.")
        good = [one for one in read if isinstance(one, NewEntry)]
        with Progress(console=terminal.complaints, transient=True) as progress:
            bar = progress.add_task("listing", total=len(good))
            done = refusals.add(box, good, progress=lambda count: progress.advance(bar, count))
    bad = [one for one in read if isinstance(one, _Bad)]
    for one in bad:
        terminal.complaints.print(f"{file}:{one.line}: {one.reason}", markup=False, soft_wrap=True)
    _say(done, bad=len(bad))
    if bad:
        raise typer.Exit(terminal.PARTLY)


@dataclass(frozen=True, slots=True)
class _Bad:
    line: int
    reason: str


def _read(file: Path, usual: Told, today: datetime) -> Iterator[NewEntry | _Bad]:
    """Each line of the file as an entry, or what is wrong with it. Empty lines and lines that begin with # are left out."""
    import csv

    columns = ["value"]
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, cells in enumerate(csv.reader(lines), start=1):
            told = [cell.strip() for cell in cells]
            if not any(told) or told[0].startswith("#"):
                continue
            if number == 1 and told[0].casefold() in ("value", "email", "address", "phone", "domain"):
                columns = ["value", *(one.casefold() for one in told[1:])]
                continue
            try:
                yield _line(dict(zip(columns, told, strict=False)), usual, today)
            except ValueError as error:
                yield _Bad(number, str(error))


def _line(cells: dict[str, str], usual: Told, today: datetime) -> NewEntry:
    entry = read_entry(cells["value"])
    refused = word(cells.get("channel", "").casefold() or usual.channel, OPT_OUT_CHANNELS)
    if refused is None:
        raise ValueError(f"{cells['channel'][:40]!r} is no channel: write {', '.join(OPT_OUT_CHANNELS)}")
    day = cells.get("on", "")
    try:
        since = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) if day else usual.since
    except ValueError:
        raise ValueError(f"{day[:40]!r} is no day: write it as 2027-01-15") from None
    if since and since > today:
        raise ValueError(f"{day} has not come yet: correct the day")
    return NewEntry(entry, Told(channel_of(entry, refused), cells.get("source", "")[:200] or usual.source, usual.by, since))


def _say(done: Added, *, bad: int | None = None) -> None:
    rest = "" if bad is None else f", {bad} bad"
    terminal.console.print(
        f"{done.listed} listed, {done.known} listed before{rest}. {done.leads} leads known, {done.ended} handoffs ended."
    )
    if done.erased:
        terminal.console.print(f"{done.erased} of a person whose data was erased: they stay suppressed, and are not stored in plain.")


def _entry(value: str) -> ListEntry:
    try:
        return read_entry(value)
    except ValueError as error:
        terminal.fail(terminal.USAGE, str(error))


def _channel(text: str) -> OptOutChannel:
    known = word(text.casefold(), OPT_OUT_CHANNELS)
    if known is None:
        terminal.fail(terminal.USAGE, f"{text!r} is no channel; write {', '.join(OPT_OUT_CHANNELS)}.")
    return known


def _since(on: datetime | None) -> datetime | None:
    return on.replace(tzinfo=UTC) if on else None


def _not_ahead(on: datetime | None, now: datetime) -> None:
    if on is not None and on.replace(tzinfo=UTC) > now:
        terminal.fail(terminal.USAGE, f"--on {on:%Y-%m-%d} has not come yet.")
