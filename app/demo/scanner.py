"""A typical mail scanner: it opens every link of every message before the person does, several times and in several ways."""

from __future__ import annotations

import httpx

from app.demo.browser import Form, Page, Visitor, certificates, read_page
from app.demo.inbox.inbox import Inbox
from app.demo.inbox.message import Received

#: User agents that scanners have been seen to send; none of them is reliable.
AGENTS = ("", "Go-http-client/1.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/97.0.4692.99 HeadlessChrome")
MARK = "BatonDemoScanner"
_ONES_OWN = ("/l/", "/m/", "/d/", "/q/")
#: What a page says when it took an answer.
_TAKEN = ("Thank you", "Taken back", "Saved: ")


class Scanner:
    """Scans messages. requests: how many it made; changes: how often a page offered other answers afterwards, or took its press."""

    def __init__(self) -> None:
        self.requests = 0
        self.changes = 0

    def scan(self, received: Received) -> None:
        """Send HEAD and two GETs without cookies. Then, with cookies, send the first form unchanged, the same form with the first choice
        everywhere, and press every button in order, also on the pages that follow."""
        for link in Inbox.links(received):
            if any(folder in link for folder in _ONES_OWN):
                self._scan_link(link)

    def _scan_link(self, link: str) -> None:
        before = self._offers(link, AGENTS[1])
        with self._browser(AGENTS[0]) as plain:
            plain.head(link)
            self.requests += 1
        self._offers(link, AGENTS[2])
        with Visitor(f"{AGENTS[2]} {MARK}") as visitor:
            self.press(visitor, link)
        if self._offers(link, AGENTS[1]) != before and "/d/" not in link:  # a digest's open rows also change without a press
            self.changes += 1

    def _offers(self, link: str, agent: str) -> list[str]:
        with self._browser(agent, follow_redirects=True) as client:
            self.requests += 1
            page = read_page(client.get(link))
        offered = (
            choice for form in page.forms for name, choices in form.choices.items() if name.startswith("choice") for choice in choices
        )
        return sorted(offered)

    @staticmethod
    def _browser(agent: str, *, follow_redirects: bool = False) -> httpx.Client:
        named = {"User-Agent": f"{agent} {MARK}".strip()}
        return httpx.Client(verify=certificates(), timeout=30, follow_redirects=follow_redirects, headers=named)

    def press(self, visitor: Visitor, link: str) -> None:
        """Press every button behind a link in this browser, with each form unchanged and filled in."""
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
    """Return the first choices, and some text for every field for words; the digits are too few to be the code from a message."""
    words = {name: "test" for name in form.texts if not form.values.get(name)}
    return {**words, **first_choices(form), **({"number": "000"} if "number" in words else {})}


def first_choices(form: Form) -> dict[str, str]:
    """Return the first option of every group of choices in the form."""
    return {name: first for name, offered in form.choices.items() if (first := next(filter(None, offered), ""))}
