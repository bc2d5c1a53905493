"""Thousands of requests made from the descriptions of the API and of the pages: none fails, and none changes what it may not.

A request that fails is made smaller and shown, and every one of them can be made again from what is shown.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel

from app.web.site import create_site
from notifications.links import ToSign
from storage import contracts, devices
from storage.page_requests import KEPT
from storage.tables import AgreementVersion, Answer, PageView, Wait, WrongNumber
from storage.waits import HELD_OF_LINK
from tests.app.descriptions import described
from tests.app.stage import AGREEMENT, Stage, path_of, stage
from tests.app.test_slow_clients import served
from tests.examples import at_night
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from schemathesis import Case

pytestmark = pytest.mark.long

#: So many requests each test makes at least: 20,000 in all at night.
REQUESTS = at_night(5_000, before_a_change=2_000)
#: What may grow without the number: who looked, wrong codes, what is held with its text, and a code that is mailed.
MAY_GROW = {"sights", "wrong_numbers", "answers", "personal_texts", "mailed_codes", "deliveries"}
COOKIE = "fuzzed-browser-" + "x" * 20


@dataclass
class Fuzzed:
    """A company whose site is asked without a network. statuses: how often each came."""

    company: Stage
    loop: asyncio.AbstractEventLoop
    site: Any = None
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> int:
        """Makes one request and returns its status. Whatever the site raises, or answers with 5xx, fails the test."""
        return self.loop.run_until_complete(self._ask(method, url, headers or {}, body))

    async def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes) -> int:
        parts, sent, status = urlsplit(url), iter([body]), 0
        given = [(name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode("ascii", "replace"),
            "query_string": parts.query.encode("ascii", "replace"),
            "headers": [(b"host", b"baton.example"), (b"content-length", str(len(body)).encode()), *given],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": next(sent, b""), "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        await self.site(scope, receive, send)
        self.statuses[status] += 1
        assert 200 <= status < 500, f"{method} {url} {headers} {body!r}"
        return status

    def digest(self, without: Collection[str] = ()) -> dict[str, str]:
        """What every table holds, in short."""
        assert self.company.requests is not None
        self.site.state.page_requests.flush()
        tables = [table for table in SQLModel.metadata.sorted_tables if table.name not in without]
        with self.company.box.database.engine.connect() as connection:
            return {
                table.name: hashlib.sha256(repr(list(connection.execute(table.select()))).encode(errors="replace")).hexdigest()
                for table in tables
            }


@contextmanager
def fuzzed(folder: Path) -> Iterator[Fuzzed]:
    """A company with one lead at a rep; whatever it is asked comes from this machine, which has no limit."""
    with stage(folder, requests_per_key=0) as company, asyncio.Runner() as runner:
        made = Fuzzed(company, runner.get_loop())
        made.site = create_site(company.box)
        yield made


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Fuzzed]:
    with fuzzed(tmp_path) as made:
        yield made


def searched(strategy: st.SearchStrategy[Any], count: int, run: Callable[[Any], None]) -> None:
    """Runs that with so many values of the strategy."""
    checks = settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
    checks(given(strategy)(run))()


_PHASES = (Phase.generate, Phase.shrink)


def cases_of(description: Any) -> st.SearchStrategy[Case[Any]]:
    """Requests that fit an OpenAPI description, and such that do not."""
    from schemathesis import GenerationMode, openapi  # takes a second, which the tests of every other file would wait

    schema: Any = openapi.from_dict(description)
    operations = [result.ok() for result in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for operation in operations for mode in modes))


def prepared(case: Case[Any]) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path with query, headers and body of a case."""
    kwargs = case.as_transport_kwargs(base_url="http://baton.example")
    known = {name: kwargs[name] for name in ("method", "url", "params", "headers", "cookies", "data", "json", "files") if name in kwargs}
    made = requests.Request(**known).prepare()
    sent: Any = made.body or b""  # text, bytes, or the parts of a form
    body = sent.encode() if isinstance(sent, str) else bytes(sent)
    headers = {str(name): str(value) for name, value in made.headers.items() if name.lower() not in ("content-length", "transfer-encoding")}
    return str(made.method), str(made.url).removeprefix("http://baton.example"), headers, body


@pytest.mark.timeout(1200)
def test_a_stranger_at_the_api_changes_nothing(ground: Fuzzed) -> None:
    key = ground.company.key()
    before, schema = ground.digest(), ground.site.openapi()

    def run(case: Case[Any]) -> None:
        method, url, headers, body = prepared(case)
        assert ground.ask(method, url, headers, body) >= 400
        assert ground.ask("POST", url, {**headers, "authorization": f"Bearer {key[:-1]}"}, body) == 401
        assert ground.ask("POST", url.upper(), {**headers, "authorization": key}, body) == 404
        assert ground.ask("POST", "/hooks/dsn", {**headers, "content-type": "message/rfc822"}, body) == 401

    searched(cases_of(schema), REQUESTS // 4, run)

    assert ground.digest() == before
    assert ground.statuses.total() >= REQUESTS
    assert set(ground.statuses) - {404, 405} <= {401, 413, 415}, "nothing was looked at before the key"


@pytest.mark.timeout(1200)
def test_a_key_at_the_api_takes_in_leads_and_nothing_else(ground: Fuzzed) -> None:
    key, schema = {"authorization": f"Bearer {ground.company.key()}"}, ground.site.openapi()
    others = {"assignments", "answers", "waits", "devices", "deliveries", "api_keys", "signatures", "agreement_versions", "touches"}
    before = ground.digest()

    def run(case: Case[Any]) -> None:
        method, url, headers, body = prepared(case)
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        as_json = {**key, "content-type": "application/json"}
        ground.ask(method, url, {**headers, **key}, body)
        ground.ask("POST", url, as_json, body[: len(body) // 2])
        ground.ask("POST", url, as_json, b"[" + body + b"," + body + b"]")
        ground.ask("POST", "/hooks/dsn", {**key, "content-type": "message/rfc822"}, body)

    searched(cases_of(schema), REQUESTS // 4, run)

    after = ground.digest()
    assert {name for name in others & set(after) if after[name] != before[name]} == set()
    assert ground.statuses.total() >= REQUESTS
    assert {200, 201, 400, 422} <= set(ground.statuses), "good leads and bad ones were among them"


def links_of(company: Stage) -> dict[str, list[str]]:
    """The tokens of one link of each kind, by the template of their path."""
    wait = company.rows(Wait)[0]
    links, at = company.box.links, company.time.at
    own = [links.for_person("maria", at=at), links.for_person("ana", at=at)]
    urls = {
        "/l/{token}": [links.for_tenure(company.assignment_id, at=at), links.for_duty(wait.id, "maria", at=at)],
        "/m/{token}": own,
        "/m/{token}/{wait_id}": own,
        "/d/{token}": [links.for_digest("ana", "2026-12-01", at=at)],
        "/q/{token}": [links.for_dispute(0, "mina", at=at)],
        "/sign/{token}": [links.for_signature(to_sign(company))],
    }
    return {template: [path_of(url).rpartition("/")[2] for url in several] for template, several in urls.items()}


def to_sign(company: Stage) -> ToSign:
    """A version that waits for the signature of sales."""

    def work(session: Session, now: datetime) -> str:
        text = AGREEMENT.replace("version: 1", "version: 2").replace("2026-01-01", "2027-03-01")
        found = session.get(AgreementVersion, ("small", 2)) or contracts.publish(session, text, now=now)
        return found.hash

    return ToSign("sales", "cro@northgate.example", "small@2", company.box.write_now(work))


@pytest.mark.timeout(1200)
def test_a_stranger_at_the_pages_changes_nothing(ground: Fuzzed) -> None:
    """With links that are spoiled in some place, and without any."""
    spoiled = {template: [token[:-1], token[1:], token.swapcase()] for template, (token, *_) in links_of(ground.company).items()}
    before, schema = ground.digest(), described(spoiled, ["1"])

    def run(case: Case[Any]) -> None:
        method, url, headers, body = prepared(case)
        ground.ask(method, url, headers, body)
        ground.ask("POST", url, {**headers, "cookie": f"baton_device={COOKIE}", "content-type": "application/x-www-form-urlencoded"}, body)

    searched(cases_of(schema), REQUESTS // 2, run)

    assert ground.digest() == before
    assert ground.statuses.total() >= REQUESTS


@pytest.mark.timeout(1200)
def test_a_link_without_its_number_changes_nothing(ground: Fuzzed) -> None:
    """With links that are good, from a browser that has a cookie and has seen the form, by somebody who does not know the number."""
    company, tokens = ground.company, links_of(ground.company)
    wait, links = company.rows(Wait)[0], company.box.links
    code = links.signing_code(to_sign(company))
    numbers = {links.number(token) for template in tokens if "sign" not in template for token in tokens[template]}
    schema = described(tokens, [wait.id])
    before = ground.digest(MAY_GROW)

    def run(case: Case[Any]) -> None:
        method, url, headers, body = prepared(case)
        url, token = url.replace("WAIT", wait.id), next((part for part in url.split("?")[0].split("/") if "." in part), "me")
        typed = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if typed.get("nonce", "NONCE") == "NONCE":
            about = token if not typed.get("token") or "/me/" not in url else tokens["/l/{token}"][0]
            typed = {**typed, "token": about, "wait_id": typed.get("wait_id", "").replace("WAIT", wait.id)}
            at_wait = wait.id if "/m/" in url and wait.id in url else ""
            typed["nonce"] = links.nonce(about, devices.hash_of(COOKIE), at_wait, now=company.time.at)
        if typed.get("number", "").strip() in numbers:
            typed["number"] = "none"
        if typed.get("code", "").strip() == code:
            typed["code"] = "none"
        form = {**headers, "content-type": "application/x-www-form-urlencoded", "cookie": f"baton_device={COOKIE}"}
        ground.ask("GET", url, headers)
        ground.ask("POST", url, form, urlencode(typed).encode())

    searched(cases_of(schema), REQUESTS // 2, run)

    assert ground.digest(MAY_GROW) == before
    assert ground.statuses.total() >= REQUESTS
    assert {200, 303, 403, 404, 422} <= set(ground.statuses), "forms were taken as far as they may be"
    answers = company.rows(Answer)
    assert {answer.state for answer in answers} <= {"held"}
    assert len(answers) <= HELD_OF_LINK * sum(map(len, tokens.values()))
    assert len(company.rows(PageView)) <= KEPT * 4
    assert len(company.rows(WrongNumber)) <= 20 * len(tokens)
    assert company.box.read_now(lambda session, now: devices.people_of(session, devices.hash_of(COOKIE), now=now)) == []


def test_whatever_is_sent_over_a_connection_the_site_goes_on(tmp_path: Path) -> None:
    """Some hundred beginnings of requests that are none, over real connections."""
    line = st.one_of(
        st.sampled_from([b"GET", b"POST", b"HEAD", b" ", b"/", b"HTTP/1.1", b"HTTP/9", b"\r\n", b"\n", b"\r\n\r\n", b":", b"\x00"]),
        st.sampled_from([b"Host: x\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\n"]),
        st.sampled_from([b"/l/x", b"/api/leads", b"Expect: 100-continue\r\n", b"0\r\n\r\n"]),
        st.just(b"Upgrade: websocket\r\nConnection: upgrade\r\n"),
        st.binary(max_size=30),
    )
    with served(tmp_path, PATIENCE_SECONDS) as company:
        place = ("127.0.0.1", int(company.url.rpartition(":")[2]))
        count = 0

        def run(pieces: list[bytes]) -> None:
            nonlocal count
            count += 1
            with socket.create_connection(place, timeout=PATIENCE_SECONDS) as sent:
                sent.sendall(b"".join(pieces))
                sent.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):
                    assert not sent.recv(65536).startswith(b"HTTP/1.1 5")

        searched(st.lists(line, max_size=12), 500, run)

        assert count >= 500
        assert company.browser().get("/healthz").status_code == 200
