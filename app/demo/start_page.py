"""The demo's start page: one address that shows who the visitor can be, what waits for them, and where everything else is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from app.demo.inbox.inbox import Inbox
from app.demo.inbox.pages import served
from app.demo.rendering import environment
from app.demo.waiting import Card, Case, card_of
from app.web.site import HEADERS
from tasks.wiring.toolbox import Toolbox

#: How often the page reloads while the week is played, in seconds.
REFRESH_SECONDS = 5
#: Who the visitor is and what the page asks that person, by what waits.
ROLES = {
    "hot": ("a rep", "{company} asked for a demo. The lead is yours and your time runs.", "Take it, or say why not"),
    "decision": ("a manager", "Two reps accepted {company} and never called. Now you decide what becomes of the lead.", "Decide"),
    "note": (
        "of marketing",
        "{company} asked for a demo, but its note lacks the campaign. Sales waits for you.",
        "Complete the note",
    ),
    "dispute": ("a manager", "A rep gave {company} back, marketing disputes that. You decide whether the rejection stands.", "Decide"),
    "signature": ("", "{reference} waits for two signatures. You sign for marketing, then for sales.", "Read and sign"),
}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of the demo are. log_in: `name:password` of the Prefect UI; undo: how long an answer may be taken back."""

    prefect: str
    log_in: str
    chat: str
    web: str
    folder: Path
    undo: str


@dataclass
class StartPage:
    """A page on a free port of this machine. places: None until the parts are up; cases: none until the week is over; progress: how
    long the week still takes, in words; in_crm: what reps did in the CRM alone, in sentences, once the week is over."""

    box: Toolbox
    inbox: Inbox
    zone: ZoneInfo
    places: Places | None = None
    cases: Sequence[Case] = ()
    in_crm: Sequence[str] = ()
    is_over: bool = False
    progress: Callable[[], str] = lambda: ""
    port: int = 0
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.port = self._running.enter_context(served(self._pages()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def cards(self) -> list[Card]:
        """Return what waits now."""
        return self.box.read_now(self._cards)

    def _cards(self, session: Session, now: datetime) -> list[Card]:
        return [card_of(session, case, self.inbox) for case in self.cases]

    def _pages(self) -> FastAPI:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        template = environment(self.zone).get_template("start_page.html")

        @app.get("/", response_class=HTMLResponse)
        def start() -> HTMLResponse:
            values: dict[str, Any] = {
                "now": self.box.read_now(lambda session, now: now),
                "cards": [(card, *said(card.case)) for card in self.cards()],
                "places": self.places,
                "inbox": self.inbox.url,
                "in_crm": self.in_crm,
                "is_over": self.is_over,
                "progress": "" if self.is_over else self.progress(),
                "zone": self.zone.key,
            }
            again = {} if self.is_over else {"Refresh": str(REFRESH_SECONDS)}
            return HTMLResponse(template.render(values), headers={**HEADERS, **again})

        return app


def said(case: Case) -> tuple[str, str, str]:
    """Return who the visitor is in this case, what the page asks the person in a sentence, and the label of the link to the page."""
    role, sentence, button = ROLES[case.kind]
    return role, sentence.format(company=case.company or "A company", reference=case.reference), button
