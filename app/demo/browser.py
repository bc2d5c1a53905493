"""Lets the demo's people use pages: they open the link from the message, read, choose in the form, and press the button."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import httpx


@dataclass
class Form:
    """One form of a page. values: what it would send unchanged; choices: the options of radio buttons and selects."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """A page that was read: address, status, its words without markup, and its forms."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]

    def form_with(self, name: str) -> Form | None:
        """Return the first form that has a field of this name."""
        return next((form for form in self.forms if name in form.choices or name in form.values or name in form.texts), None)

    def offers(self, choice: str) -> bool:
        """Return whether the answer form has this choice."""
        form = self.form_with("choice")
        return form is not None and choice in form.choices.get("choice", [form.values.get("choice", "")])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("style", "script"):
            self._silent += 1
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None, "fields are read inside a form only"
        form, name = self._form, given.get("name", "")
        if tag == "select":
            self._select = name
            form.choices.setdefault(name, [])
        elif tag == "option" and self._select:
            form.choices[self._select].append(given.get("value", ""))
            form.values.setdefault(self._select, given.get("value", ""))
        elif tag == "textarea" and name:
            form.values.setdefault(name, "")
            form.texts.append(name)
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.values[name] = given.get("value", "on")
        elif tag in ("input", "button") and name and given.get("type") not in ("submit", "button"):
            form.values[name] = given.get("value", "")
            form.texts.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._silent -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def read_page(response: httpx.Response) -> Page:
    """Read the page in a response."""
    reader = _Reader()
    reader.feed(response.text)
    words = re.sub(r"\s+", " ", " ".join(reader.words)).strip()
    return Page(str(response.url), response.status_code, words, tuple(reader.forms))


@cache
def certificates() -> ssl.SSLContext:
    """Return this machine's certificates. httpx reads them anew for each client that gets none, which takes longer than most requests."""
    return httpx.create_ssl_context()


class Visitor:
    """A person with a separate browser, which keeps its cookies from visit to visit."""

    def __init__(self, agent: str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36") -> None:
        self._client = httpx.Client(verify=certificates(), follow_redirects=True, timeout=60, headers={"User-Agent": agent})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, url: str) -> Page:
        """Read the page at this address."""
        return read_page(self._client.get(url))

    def cookie(self, name: str) -> str:
        """Return the cookie of this name, empty for none."""
        return self._client.cookies.get(name) or ""

    def head(self, url: str) -> int:
        """Request only the head of the page; return the status."""
        return self._client.head(url).status_code

    def submit(self, page: Page, form: Form, **chosen: Any) -> Page:
        """Send the form unchanged except for what was chosen."""
        values = {**form.values, **{name: str(value) for name, value in chosen.items()}}
        sent = self._client.request(
            form.method.upper(),
            urljoin(page.url, form.action or page.url),
            data=values,
            headers={"Origin": _origin(page.url), "Referer": page.url},
        )
        return read_page(sent)

    def become(self, device: str) -> None:
        """Take over another browser's lasting id."""
        self._client.cookies.set("baton_device", device)

    def close(self) -> None:
        """Close the browser."""
        self._client.close()


def _origin(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"
