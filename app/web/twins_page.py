"""The page on which marketing says whether two leads are one person. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from app.web.page_notices import number
from app.web.question_pages import Question
from tasks.replies import twins_page
from tasks.replies.opened_link import OpenedLink
from tasks.replies.twins_page import TwinsVisit
from tasks.steps.joining import CannotMerge


def _pair(ident: str) -> tuple[int, int]:
    one, _, other = ident.partition("-")
    return number(one), number(other)


def _visit(session: Session, link: OpenedLink, ident: str, now: datetime, device: str) -> TwinsVisit:
    return twins_page.visit(session, link, _pair(ident), now=now, device=device)


def _do(session: Session, link: OpenedLink, ident: str, typed: Mapping[str, str], now: datetime) -> None:
    """Do what was chosen. Raises CannotMerge."""
    choice = typed.get("choice", "")
    if choice == "apart":
        return twins_page.tell_apart(session, link, _pair(ident), now=now)
    if choice in ident.split("-"):
        return twins_page.merge(session, link, _pair(ident), into=number(choice), now=now)
    raise CannotMerge("Please choose one of the answers.")


#: Are these two leads one person? The ident is the two numbers of the leads, such as 41-17.
TWINS = Question("twins", "twins.html", _visit, _do, CannotMerge)
