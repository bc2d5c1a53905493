"""Shows the demo in the terminal: one lead's story as it happens, a live table of all leads, and the funnel at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.table import Table
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from app.demo.start_page import StartPage
from storage import figures, handoffs, roster
from storage.tables import Handoff, Lead, Wait
from tasks.messages import lead_view
from tasks.wiring.toolbox import Toolbox

REFRESH_EVERY = 8


class Story:
    """Prints one lead's timeline line by line, each line once, in the agreement's time zone."""

    def __init__(self, box: Toolbox, console: Console, zone: ZoneInfo) -> None:
        self.box, self.console, self.zone = box, console, zone
        self.told = 0
        self.day = ""

    def tell(self, lead_id: int) -> None:
        """Print what has happened since the last call."""
        lines = self.box.read_now(lambda session, now: lead_view.timeline(session, lead_id, people=roster.current(session)))
        for at, text in lines[self.told :]:
            local = at.astimezone(self.zone)
            day = f"{local:%A %d %B}"
            if day != self.day:
                self.console.print(f"\n[bold]{day}[/bold]")
                self.day = day
            self.console.print(f"  {local:%H:%M}  {text}", markup=False)
        self.told = len(lines)


class Board:
    """A live table of all leads on a terminal; elsewhere one line for each demo day. left: how long the demo still takes, in words."""

    def __init__(self, box: Toolbox, console: Console, zone: ZoneInfo, left: Callable[[], str]) -> None:
        self.box, self.console, self.zone, self.left = box, console, zone, left
        self.looks = 0
        self.day = ""
        self.live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Board:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def look(self) -> None:
        """Show the present state."""
        self.looks += 1
        if self.looks % REFRESH_EVERY:
            return
        if self.live:
            self.live.update(self.box.read_now(self._table))
        else:
            self.box.read_now(self._line)

    def _line(self, session: Session, now: datetime) -> None:
        day = f"{now.astimezone(self.zone):%a %d %b}"
        if day != self.day:
            self.day = day
            stages = Counter(figures.stage_of_each_lead(session).values())
            counts = "  ".join(f"{stage} {count}" for stage, count in sorted(stages.items()))
            self.console.print(f"{day}  {counts}  ({self.left()})", markup=False)

    def _table(self, session: Session, now: datetime) -> Table:
        people = roster.current(session)
        table = Table(title=f"{now.astimezone(self.zone):%a %d %b %H:%M}, {self.left()}", title_style="bold", expand=False)
        for name in ("lead", "company", "stage", "score", "with", "owed", "until"):
            table.add_column(name)
        query = select(Handoff, Lead).join(Lead, col(Lead.id) == col(Handoff.lead_id)).order_by(col(Handoff.id).desc())
        seen: set[int] = set()
        for handoff, lead in session.exec(query):
            if handoff.lead_id in seen or len(seen) >= max(10, self.console.height - 8):
                continue
            seen.add(handoff.lead_id)
            table.add_row(*self._row(session, handoff, lead, people.name_of(handoff.rep or handoff.owner)))
        return table

    def _row(self, session: Session, handoff: Handoff, lead: Lead, holder: str) -> tuple[str, ...]:
        wait = session.exec(select(Wait).where(Wait.handoff_id == handoff.id, col(Wait.closed_at).is_(None))).first()
        owed = wait.kind.replace("_", " ") if wait else ""
        until = f"{wait.due_at.astimezone(self.zone):%a %d %b %H:%M}" if wait else ""
        colour = {Stage.OPPORTUNITY: "green", Stage.NURTURING: "blue", Stage.STUCK: "red"}.get(Stage(handoff.stage), "")
        stage = f"[{colour}]{handoff.stage}[/]" if colour else handoff.stage
        return (
            str(handoff.lead_id),
            (lead.company or "–")[:28].replace("[", "("),
            stage,
            str(handoff.score),
            holder if handoffs.is_open(handoff) else "",
            owed,
            until,
        )


def print_waiting(console: Console, start: StartPage) -> None:
    """Print what waits for the visitor, and where."""
    cards = start.cards()
    if cards:
        console.print("\n[bold]Now it is your turn[/bold]. Waiting for somebody to act:")
    for card in cards:
        about = card.case.reference or f"{card.case.company} (lead {card.case.lead_id})"
        console.print(f"  {card.case.kind:10} {card.person}: {about}", markup=False)
    console.print(f"\nOpen [bold]{start.url}[/bold]. It stays open, and time runs on, until you press Ctrl-C here.\n", soft_wrap=True)
    if start.places:
        console.print(f"Prefect UI:  {start.places.prefect}, log-in {start.places.log_in}", markup=False, soft_wrap=True)
        console.print(f"Logs:        {start.places.folder / 'logs'}", markup=False, soft_wrap=True)


def print_funnel(console: Console, found: dict[str, Any]) -> None:
    """Print the funnel, both sides' SLA, and what was seen from outside."""
    table = Table(title="Outcomes", title_style="bold", show_header=False)
    for name in (
        "leads",
        "handoffs",
        "screened_out",
        "accepted",
        "accepted_then_withdrawn",
        "reassigned",
        "unanswered",
        "unseen",
        "undelivered",
        "nurturing",
        "came_back",
        "opportunities",
    ):
        table.add_row(name.replace("_", " "), str(found[name]))
    table.add_row("rejected or returned", ", ".join(f"{reason} {count}" for reason, count in found["rejected"].items()) or "0")
    table.add_row("stages", ", ".join(f"{stage} {count}" for stage, count in found["stages"].items()))
    console.print(table)
    sla = Table(title="Who kept what was agreed", title_style="bold")
    for name in ("clock", "kept", "missed", "share"):
        sla.add_column(name)
    for name, one in found["sla"].items():
        whole = one["kept"] + one["missed"]
        sla.add_row(name.replace("_", " "), str(one["kept"]), str(one["missed"]), f"{one['kept'] / whole:.0%}" if whole else "–")
    console.print(sla)
    told = found["messages_per_person_day"]
    console.print(f"Messages a person and day: at most {told['max']}, usually {told['median']:g}.")
