"""A mail scanner as companies run them: it opens every link of every message, several times and in several ways, before the person does."""

from __future__ import annotations

import httpx

from app.demo.browser import Form, Page, Visitor, read_page
from app.demo.inbox import Inbox, Received

#: How scanners have been seen to call themselves; none of it can be relied on.
AGENTS = ("", "Go-http-client/1.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/97.0.4692.99 HeadlessChrome")
MARK = "BatonDemoScanner"
_ONES_OWN = ("/l/", "/m/", "/d/", "/q/")
#: What a page says when something was taken.
_TAKEN = ("Thank you", "Taken back", "Saved: ")


class Scanner:
    """Scans messages. requests: how many it made; changes: how often a page offered other answers afterwards, or took its press."""

    def __init__(self) -> None:
        self.requests = 0
        self.changes = 0

    def scan(self, received: Received) -> None:
        """HEAD and two GETs without cookies; then, with cookies, the first form as it stands, the same with the first choice
        everywhere, and every button in order, also those of the pages that come of it."""
        for link in Inbox.links(received):
            if any(folder in link for folder in _ONES_OWN):
                self._scan_link(link)

    def _scan_link(self, link: str) -> None:
        before = self._offers(link, AGENTS[1])
        with httpx.Client(timeout=30, headers={"User-Agent": f"{AGENTS[0]}{MARK}"}) as plain:
            plain.head(link)
            self.requests += 1
        self._offers(link, AGENTS[2])
        with Visitor(f"{AGENTS[2]} {MARK}") as visitor:
            self.press(visitor, link)
        if self._offers(link, AGENTS[1]) != before and "/d/" not in link:  # what is open for somebody also changes by itself
            self.changes += 1

    def _offers(self, link: str, agent: str) -> list[str]:
        with httpx.Client(timeout=30, follow_redirects=True, headers={"User-Agent": f"{agent} {MARK}"}) as client:
            self.requests += 1
            page = read_page(client.get(link))
        offered = (
            choice for form in page.forms for name, choices in form.choices.items() if name.startswith("choice") for choice in choices
        )
        return sorted(offered)

    def press(self, visitor: Visitor, link: str) -> None:
        """Presses everything behind a link in this browser, each form as it stands and filled in."""
        page = self._seen(visitor.open(link))
        for form in page.forms[:1]:
            self._seen(visitor.submit(page, form))
        for form in page.forms:
            after = self._seen(visitor.submit(page, form, **filled_in(form)))
            for further in after.forms:
                self._seen(visitor.submit(after, further, **filled_in(further)))

    def _seen(self, page: Page) -> Page:
        self.requests += 1
        self.changes += any(words in page.text for words in _TAKEN)
        return page


def filled_in(form: Form) -> dict[str, str]:
    """The first choices, and something in every field for words; the digits are too few to be the code from a message."""
    words = {name: "test" for name in form.texts if not form.values.get(name)}
    return {**words, **first_choices(form), **({"number": "000"} if "number" in words else {})}


def first_choices(form: Form) -> dict[str, str]:
    """The first choice of every group of the form that is one."""
    return {name: first for name, offered in form.choices.items() if (first := next(filter(None, offered), ""))}
