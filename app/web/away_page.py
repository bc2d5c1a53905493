"""The page on which a manager says until when somebody is away whose mailbox answers by itself. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from agreements.errors import AbsenceRefused
from app.web.page_notices import number
from app.web.question_pages import Question
from tasks.replies import absence_page
from tasks.replies.absence_page import AwayVisit
from tasks.replies.opened_link import OpenedLink


def _visit(session: Session, link: OpenedLink, ident: str, now: datetime, device: str) -> AwayVisit:
    return absence_page.visit(session, link, number(ident), now=now, device=device)


def _do(session: Session, link: OpenedLink, ident: str, typed: Mapping[str, str], now: datetime) -> str:
    """Do what was chosen. Raises AbsenceRefused."""
    match typed.get("choice", ""):
        case "away":
            return absence_page.record(session, link, number(ident), typed.get("until", ""), now=now)
        case "there":
            return absence_page.is_there(session, link, number(ident), now=now)
    raise AbsenceRefused("Please choose one of the answers.")


def _until(seen: AwayVisit, typed: Mapping[str, str]) -> Mapping[str, object]:
    return {"until": typed.get("until") or (seen.until.isoformat() if seen.until else "")}


#: Is somebody away? The ident is the number of the automatic reply.
AWAY = Question("away", "away.html", _visit, _do, AbsenceRefused, _until)
