"""The people of a chaos run: the people of the demo, who also reload pages and try again later."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from prefect.exceptions import PrefectHTTPStatusError
from sqlalchemy.exc import DBAPIError

from agreements.errors import CrmError
from app.demo.browser import Form, Page, Visitor
from app.demo.people import Action, Office, Person, Plan

#: Errors after which a person tries again later: a page, the CRM or Prefect's window is down.
AWAY = (httpx.HTTPError, PrefectHTTPStatusError, CrmError, DBAPIError)
LATER = timedelta(minutes=20)
TRIES = 10
RELOAD_SECONDS, PATIENCE_SECONDS = 0.5, 20.0


class ReloadingVisitor(Visitor):
    """A browser whose owner reloads a page that does not load, and presses some buttons twice."""

    def __init__(self, dice: random.Random, seen: Counter[str], *, twice: float = 0.15) -> None:
        super().__init__()
        self._dice, self._seen, self._twice = dice, seen, twice

    def open(self, url: str) -> Page:
        return self._until_served(lambda: super(ReloadingVisitor, self).open(url))

    def submit(self, page: Page, form: Form, **chosen: Any) -> Page:
        send = lambda: super(ReloadingVisitor, self).submit(page, form, **chosen)  # noqa: E731
        after = self._until_served(send)
        if self._dice.random() < self._twice:
            self._seen["pressed twice"] += 1
            self._until_served(send)
        return after

    def _until_served(self, ask: Callable[[], Page]) -> Page:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                page = ask()
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
            else:
                if page.status < 500:
                    return page
                if time.monotonic() > until:
                    raise httpx.ReadError(f"{page.url} answers {page.status}")
            self._seen["reloaded"] += 1
            time.sleep(RELOAD_SECONDS)


def people_of(office: Office, *, dice: random.Random, seen: Counter[str]) -> Mapping[str, Person]:
    """Return everybody in the office's roster by id, each with a separate browser. seen: counts what happened to them."""
    plan, now = office.plan, office.now

    def plan_patiently(at: datetime, what: str, action: Action) -> None:
        plan(at, what, _tried(plan, what, action, now, seen))

    patient = replace(office, plan=plan_patiently)
    people = {ident: Person(ident, patient) for ident in office.roster.people}
    for person in people.values():
        person.visitor = ReloadingVisitor(dice, seen)
    return people


def _tried(plan: Plan, what: str, action: Action, now: Callable[[], datetime], seen: Counter[str], tries: int = 1) -> Action:
    """Return the action with retries: it is put off while a page or the CRM is down, and given up after some tries."""

    async def act() -> None:
        try:
            await action()
        except AWAY:
            seen["given up" if tries == TRIES else "put off"] += 1
            if tries < TRIES:
                plan(now() + LATER, what, _tried(plan, what, action, now, seen, tries + 1))
            await asyncio.sleep(0)

    return act
