"""Whatever opens a door is masked in logs by its shape, wherever it stands; everything else is written as it is."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from app import log_masks
from app.log_masks import masked
from notifications.links import Links, ToSign
from storage import keys
from storage.database import Database
from tests.app.stage import stage

LINKS = Links(["a-key-for-tests-only"], "https://baton.example/some/folder")
LONG = "person-" + "x" * 300
KINDS: dict[str, Callable[[str], str]] = {
    "tenure": LINKS.for_tenure,
    "duty": lambda who: LINKS.for_duty("0b5e", who),
    "person": LINKS.for_person,
    "signature": lambda who: LINKS.for_signature(ToSign("sales", "a@b.example", f"{who}@1", "0" * 64)),
    "digest": lambda who: LINKS.for_digest(who, "2027-02-01"),
    "dispute": lambda who: LINKS.for_dispute(4711, who),
    "nonce": lambda who: LINKS.nonce(LINKS.for_person(who), "device", "", now=datetime(2027, 2, 1, tzinfo=UTC)),
}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler writes that knows nothing of masks."""
    before, text = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log_masks.begin()
    yield text
    logging.setLogRecordFactory(before)
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("who", ["a", "ana", LONG])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "around",
    ["%s", "GET %s HTTP/1.1", "%s?done=1", "?next=%s&x=1", '{"referer": "%s"}', "(%s)", "%s.", "%s, and more", "<a href='%s'>", "b'%s'"],
)
def test_every_kind_of_token_is_masked_in_every_place(kind: str, who: str, around: str) -> None:
    url = KINDS[kind](who)
    token = url.rpartition("/")[2]

    for text in (around % url, around % token, around % quote(url, safe="")):
        told = masked(text)
        assert token not in told
        assert token[-43:] not in told
        assert token[10:40] not in told
        assert "…" in told


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer SECRET",
        "{'authorization': 'Bearer SECRET'}",
        "Authorization: Basic SECRET",
        "Cookie: baton_device=SECRET; other=1",
        "set-cookie: __Host-baton_device=SECRET; Path=/",
        "{'baton_device': 'SECRET'}",
    ],
)
def test_keys_and_cookies_are_masked_by_their_name(text: str) -> None:
    assert masked(text.replace("SECRET", "x7Y_-z" * 6)) == text.replace("SECRET", "…")


def test_a_key_is_masked_by_its_shape(database: Database) -> None:
    with database.write() as session:
        key = keys.create(session, "website", datetime(2027, 2, 1, tzinfo=UTC))

    assert masked(f"there is no key {key}.") == "there is no key baton_…."


@pytest.mark.parametrize(
    "text",
    [
        "attempt 3 of handoff 17 failed: sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a.module.with.a.long.path.of.names.but.none.that.is.long.enough.to.be.a.signature",
        "2f1c6a52-3f0b-4c57-9f3a-0f6d5c1a0b7e",
        "https://baton.example/api/docs",
        "x" * 100_000,
        "x." * 50_000,
        "",
    ],
)
def test_all_else_is_written_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_every_logger_of_the_process_is_masked_and_so_is_a_traceback(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    url, names = LINKS.for_tenure("0b5e"), ("baton.web", "uvicorn.error", "httpx", "sqlalchemy.engine")
    for name in ("uvicorn", *names):  # another test may have set up Prefect's logging, which sends some of them elsewhere
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    for name in names:
        logging.getLogger(name).error('HTTP Request: GET %s "%s"', url, 200)
    try:
        raise ValueError(url)
    except ValueError:
        logging.getLogger("baton.web").exception("a request failed")

    assert url.rpartition("/")[2] not in written.getvalue()
    assert written.getvalue().count(url[: url.rindex("/") + 9] + "…") == 5
    assert "Traceback" in written.getvalue()


def test_what_a_page_tells_of_a_fault_does_not_give_its_link_away(
    tmp_path: Path, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(tmp_path) as company:
        monkeypatch.setattr(company.box.links, "read", None)
        assert company.browser().get(f"{company.link}?from={company.link}").status_code == 500
    assert "Traceback" in written.getvalue()
    assert company.link.removeprefix("/l/") not in written.getvalue()


def test_parts_mask_from_their_start() -> None:
    """Also what an imported library logs with a handler of its own."""
    url = LINKS.for_person("ana")
    script = (
        f"import logging; from app import terminal; terminal.log_to_standard_error();logging.getLogger('other').warning('sent %s', {url!r})"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr
    assert url[-43:] not in told
    assert "sent https://baton.example/some/folder/m/" in told
