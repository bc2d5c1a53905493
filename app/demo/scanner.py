"""A mail scanner as companies run them: it opens every link of every message, several times and in several ways, before the person does."""

from __future__ import annotations

import httpx

from app.demo.browser import read_page
from app.demo.inbox import Inbox, Received

#: How scanners have been seen to call themselves; none of it can be relied on.
AGENTS = ("", "Go-http-client/1.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/97.0.4692.99 HeadlessChrome")
MARK = "BatonDemoScanner"


class Scanner:
    """Scans messages. requests: how many it made; changes: how often a page offered other answers afterwards, or took its press."""

    def __init__(self) -> None:
        self.requests = 0
        self.changes = 0

    def scan(self, received: Received) -> None:
        """HEAD and two GETs without cookies, then a visit with cookies that presses the first form as it stands."""
        for link in Inbox.links(received):
            if "/l/" in link or "/d/" in link:
                self._scan_link(link)

    def _scan_link(self, link: str) -> None:
        before = self._offers(link, AGENTS[1])
        with httpx.Client(timeout=30, headers={"User-Agent": f"{AGENTS[0]}{MARK}"}) as plain:
            plain.head(link)
            self.requests += 1
        self._offers(link, AGENTS[2])
        self._press(link)
        if self._offers(link, AGENTS[1]) != before:
            self.changes += 1

    def _offers(self, link: str, agent: str) -> list[str]:
        with httpx.Client(timeout=30, follow_redirects=True, headers={"User-Agent": f"{agent} {MARK}"}) as client:
            self.requests += 1
            page = read_page(client.get(link))
        offered = (
            choice for form in page.forms for name, choices in form.choices.items() if name.startswith("choice") for choice in choices
        )
        return sorted(offered)

    def _press(self, link: str) -> None:
        with httpx.Client(timeout=30, follow_redirects=False, headers={"User-Agent": f"{AGENTS[2]} {MARK}"}) as client:
            page = read_page(client.get(link))
            self.requests += 1
            for form in page.forms[:1]:
                target = httpx.URL(page.url).join(form.action or page.url)
                sent = client.request(form.method.upper(), target, data=form.values)
                self.requests += 1
                if sent.status_code < 400 and form.method == "post":
                    self.changes += 1
