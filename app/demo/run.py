"""Runs the whole demo: the stack, a clock that leaps, leads from a file, people who answer, and a start page for the visitor."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agreements.loading import read_agreement
from agreements.model import Agreement
from app import stack, terminal
from app.csv_import.file import LeadMap, read_map
from app.demo.chat_room import ChatRoom
from app.demo.director import Director
from app.demo.doors import crm_sentences, doors
from app.demo.finale import COMPANIES, Finale
from app.demo.inbox.inbox import Inbox
from app.demo.lead_rows import LEADS, ROOT, Timed, timed_rows
from app.demo.progress import Progress
from app.demo.report import report, waiting
from app.demo.start_page import Places, StartPage
from app.demo.terminal_view import Board, print_funnel, print_waiting
from app.demo.waiting import open_cases
from app.demo.week import director_of, play, sender_of
from app.deploying import deploy
from storage import contracts, roster, time_offset
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import Toolbox

AGREEMENTS = ROOT / "agreements" / "examples"
AGREEMENT = "b2b-saas"
#: This file marks a folder as a demo's, which the next demo may empty.
MARK = ".made-by-baton-demo"
ROSTER = ROOT / "examples" / "roster.yaml"
MAIL_FROM = "Baton <baton@northgate.example>"
#: Settings for the simulated people only, who are quick and never take an answer back. Visitors get the defaults.
FOR_THE_WEEK = {"BATON_UNDO_MINUTES": "0", "BATON_CRM_POLL_SECONDS": "0.5", "BATON_TICK_SECONDS": "0.15"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options from the command line."""

    leave: bool = False
    report: Path | None = None
    leads: Path | None = None
    mapping: Path | None = None
    agreement: Path | None = None
    limit: int | None = None
    scanners: bool = False
    quick: bool = False
    folder: Path = Path("~/.baton/demo")

    @property
    def is_example(self) -> bool:
        """Return whether the example's leads run under the example's agreement: then five cases are left waiting at the end."""
        return self.leads is None and self.mapping is None and self.agreement is None


@dataclass(frozen=True, slots=True)
class Script:
    """What the demo plays: the agreement and its text, and the rows of leads."""

    text: str
    agreement: Agreement
    rows: Timed

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which times are shown."""
        return ZoneInfo(self.agreement.timezone)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the demo plays: the toolbox, everybody's inbox, the chat room and the start page."""

    box: Toolbox
    inbox: Inbox
    room: ChatRoom
    start: StartPage


def run_demo(options: Options, console: Console) -> dict[str, Any]:
    """Run the demo and return the report. Keeps serving until Ctrl-C, except with options.leave."""
    folder = options.folder.expanduser().absolute()
    _empty(folder)
    script = _script(options)
    progress = Progress(len(script.rows), finale=options.is_example)
    shorter = "" if options.quick else " `baton demo --quick` plays one morning, in under two."
    console.print(f"This takes {progress.at_the_start()} on two idle cores.{shorter}", markup=False)
    with _scene(folder, script) as scene:
        scene.start.progress = lambda: progress.left(scene.box)
        console.print(f"Start page: {scene.start.url}\nStarting Prefect server, worker and web pages …", markup=False)
        with _parts(folder, scene, script, console) as running:
            director = director_of(scene.box, running, scene.inbox, script.agreement, scanners=options.scanners)
            scene.start.places = _places(running, scene, script.agreement)
            try:
                _play(director, scene, script, console, progress, options)
                found = _report(scene, director)
                if options.report:
                    options.report.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")
                print_funnel(console, found)
                for sentence in scene.start.in_crm:
                    console.print(sentence, markup=False, soft_wrap=True)
                if not options.leave:
                    _serve_on(running, scene, console)
            except KeyboardInterrupt:
                console.print("stopping …")
                found = _report(scene, director)
    return found


def _empty(folder: Path) -> None:
    """Empty the folder. Refuses a folder that no demo made and that is not empty."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ValueError(f"{folder} is not empty and was not made by a demo; name another one with --home")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _script(options: Options) -> Script:
    mapping = read_map(options.mapping) if options.mapping else None
    text = _agreement_file(options, mapping).read_text(encoding="utf-8")
    agreement = read_agreement(text)
    rows = timed_rows(options.leads or LEADS, mapping, agreement, limit=options.limit, quick=options.quick)
    return Script(text, agreement, rows)


def _agreement_file(options: Options, mapping: LeadMap | None) -> Path:
    named = AGREEMENTS / f"{mapping.agreement if mapping and mapping.agreement else AGREEMENT}.yaml"
    return options.agreement or named


@contextmanager
def _scene(folder: Path, script: Script) -> Iterator[Scene]:
    """Serve everything that this process itself serves, with the time just before the first lead."""
    box = terminal.open_box(Settings(home=folder))
    first = script.rows[0][0]
    box.write_now(lambda session, now: time_offset.leap_to(session, first - timedelta(minutes=1)))
    now = lambda: box.read_now(lambda session, at: at).astimezone(script.zone)  # noqa: E731
    with ChatRoom() as room, Inbox(folder=folder / "inbox", now=now) as inbox, StartPage(box, inbox, script.zone) as start:
        inbox.start_page = start.url
        yield Scene(box, inbox, room, start)


@contextmanager
def _parts(folder: Path, scene: Scene, script: Script, console: Console) -> Iterator[stack.Stack]:
    """Run the parts as separate processes, with the agreement in force."""
    more = {
        "BATON_SMTP_URL": f"smtp://127.0.0.1:{scene.inbox.smtp_port}",
        "BATON_MAIL_FROM": MAIL_FROM,
        "BATON_CHAT_URL": scene.room.apprise_url,
        **FOR_THE_WEEK,
    }
    scene.box.settings.chat_url = scene.room.apprise_url  # as the parts have it: the deploy asks what can prove something
    began = time.monotonic()

    def prepare(running: stack.Stack) -> None:
        with running.in_reach():
            asyncio.run(_put_in_force(scene.box, script.agreement, script.text))

    tell = lambda text: console.print(f"  {text} after {time.monotonic() - began:.0f} s")  # noqa: E731
    prefect_port, web_port = stack.free_port(), stack.free_port()
    with stack.running(folder, prefect_port=prefect_port, web_port=web_port, more=more, tell=tell, prepare=prepare) as running:
        yield running


async def _put_in_force(box: Toolbox, agreement: Agreement, text: str) -> None:
    await box.write(lambda session, now: roster.load(session, ROSTER.read_text(encoding="utf-8"), now=now))
    row = await box.write(lambda session, now: contracts.publish(session, text, now=now))
    for party, name in (("marketing", "Mina Okoro"), ("sales", "Maria Keller")):
        await box.write(lambda session, now, p=party, n=name: contracts.sign(session, row, contracts.NewSignature(p, n, "demo"), now=now))  # type: ignore[misc]
    await deploy(box, agreement.agreement, agreement.version)


def _places(running: stack.Stack, scene: Scene, agreement: Agreement) -> Places:
    chat = f"http://127.0.0.1:{scene.room.port}"
    return Places(running.prefect_url, running.log_in, chat, running.web_url, running.folder, str(agreement.notify.undo))


def _play(director: Director, scene: Scene, script: Script, console: Console, progress: Progress, options: Options) -> None:
    """Play the week; then the start page shows what waits."""
    running = director.stack
    sender = sender_of(running, scene.inbox, MAIL_FROM)
    last = Finale(director, script.agreement, script.text, sender) if options.is_example else None
    told = options.leads is None
    progress.left(scene.box)
    with running.in_reach():
        board = Board(scene.box, console, script.zone, lambda: progress.left(scene.box))
        asyncio.run(play(director, script.rows, board, tells_story=told, quick=options.quick, last=last))
    if not options.leave:
        _run_as_usual(running)
    scene.start.cases = scene.box.read_now(lambda session, now: open_cases(session, COMPANIES.values()))
    scene.start.in_crm = scene.box.read_now(lambda session, now: tuple(crm_sentences(doors(session), roster.current(session))))
    scene.start.is_over = True


def _run_as_usual(running: stack.Stack) -> None:
    """Restart pages and worker without the settings for the simulated people."""
    usual = {name: value for name, value in running.environment.items() if name not in FOR_THE_WEEK}
    for name in ("web", "worker"):
        part = running.parts[name]
        part.stop()
        part.environment = usual
        part.start()
    running.wait_until_ready("web")


def _report(scene: Scene, director: Director) -> dict[str, Any]:
    """Return the report so far."""
    return report(scene.box, director, scene.room) | {"start_page": scene.start.url, "waiting": waiting(scene.start)}


def _serve_on(running: stack.Stack, scene: Scene, console: Console) -> None:
    print_waiting(console, scene.start)
    console.print(f"One lead:    BATON_HOME={running.folder} baton leads show 1", markup=False, soft_wrap=True)
    while True:
        time.sleep(1)
        running.watch()
