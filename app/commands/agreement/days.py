"""Days as text: one line a day with its open hours and those that count, and skipped days by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agreements.calendar.instants import Span
from agreements.timeline import Timeline

CELL = timedelta(minutes=30)
#: How many days are drawn at each end of a long time; those in between are counted.
DRAWN = 7
SHUT, OPEN, COUNTED, NUDGED, DUE = ".", "-", "#", "o", "|"
LEGEND = f"{COUNTED} counts   {OPEN} open   {NUDGED} reminder   {DUE} due"


def day_bars(line: Timeline) -> list[str]:
    """Return one line for each day from the start to the due time, in the calendar's zone, half an hour a character."""
    zone = line.calendar.timezone
    first, last = line.start.astimezone(zone).date(), (line.due_at - timedelta(microseconds=1)).astimezone(zone).date()
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    left_out = days[DRAWN:-DRAWN] if len(days) > 2 * DRAWN + 1 else []
    bars = [_bar(day, line, zone) for day in days if day not in left_out]
    if left_out:
        bars.insert(DRAWN, f"{'':16}... {len(left_out)} more days ...")
    hours = "".join(f"{hour:02}".ljust(8) for hour in range(0, 24, 4))
    return [f"{'':16}{hours}  {zone.key}", *bars, f"{'':16}{LEGEND}"]


def _bar(day: date, line: Timeline, zone: ZoneInfo) -> str:
    midnight = datetime.combine(day, time())
    edges = [(midnight + CELL * number).replace(tzinfo=zone).astimezone(UTC) for number in range(49)]
    hours = line.calendar.open_between(edges[0], edges[-1])
    cells = ""
    for begins, ends in zip(edges, edges[1:], strict=False):
        if begins < line.due_at <= ends:
            cells += DUE
        elif any(step.at and begins < step.at <= ends for step in line.nudges):
            cells += NUDGED
        elif _meets(line.counted, begins, ends):
            cells += COUNTED
        else:
            cells += OPEN if _meets(hours, begins, ends) else SHUT
    return f"{day:%a} {day.day:>2} {day:%b %Y} ".ljust(16) + cells


def _meets(spans: Sequence[Span], begins: datetime, ends: datetime) -> bool:
    return any(opens < ends and begins < closes for opens, closes in spans)


def named_days(closed: Sequence[tuple[date, str]]) -> str:
    """Return the skipped days by name, each with the name of its holiday; long rows are cut."""
    shown = [f"{day:%a} {day.day} {day:%b} ({why})" if why else f"{day:%a} {day.day} {day:%b}" for day, why in closed]
    if len(shown) <= 2 * DRAWN:
        return ", ".join(shown)
    holidays = [text for text, (_, why) in zip(shown, closed, strict=True) if why]
    plain = len(shown) - len(holidays)
    return ", ".join([*holidays[: 2 * DRAWN], f"and {plain} days that are closed every week"])
