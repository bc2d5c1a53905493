"""Fetch a calendar feed: one bounded request to a public address. No error names the address, which is a secret."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote_to_bytes

import httpx

from agreements.calendar.absence_feed import MAX_BYTES, FeedUnreadable

#: Real seconds for one step of the request, and for all of it.
STEP_SECONDS, ALL_SECONDS = 10.0, 60.0
#: So many redirects within the same host are followed.
REDIRECTS = 3
_ANEW = "copy the secret address in iCal format (.ics) into the roster anew"
_REFUSED = {401: "asks for a password", 403: "refuses access", 404: "does not exist", 410: "does not exist any more"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A calendar as it came. raw: None where it has not changed since. etag, modified: the server's names of this state; empty for none."""

    raw: bytes | None
    etag: str = ""
    modified: str = ""


async def fetch(address: str, *, private_hosts: Collection[str] = (), etag: str = "", modified: str = "") -> Fetched:
    """Return the content behind the address, at most MAX_BYTES of it.

    private_hosts: the hosts that may have an address in the company's own network; no other host may.
    etag, modified: from the last answer. Raises FeedUnreadable, which says what is wrong and what to do.
    """
    headers = {"User-Agent": "Baton", "Accept": "text/calendar", "Accept-Encoding": "identity"}
    headers |= {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", modified)) if value}
    try:
        async with asyncio.timeout(ALL_SECONDS):
            return await _follow(httpx.URL(address), headers, private_hosts)
    except TimeoutError:
        raise FeedUnreadable("it takes too long to answer; Baton asks again at the next poll") from None
    except (httpx.TransportError, OSError) as error:
        why = " (its certificate is not trusted)" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
        raise FeedUnreadable(f"its host cannot be reached{why}; Baton asks again at the next poll") from None
    except (httpx.InvalidURL, httpx.HTTPError, UnicodeError):
        raise FeedUnreadable(f"its address cannot be used; {_ANEW}") from None


async def _follow(url: httpx.URL, headers: dict[str, str], private_hosts: Collection[str]) -> Fetched:
    # the transport alone: a client would write the address into its log, and proxies and redirects lead to hosts that nobody checked
    async with httpx.AsyncHTTPTransport(verify=_trust(), trust_env=False) as transport:
        for _ in range(REDIRECTS + 1):
            answer = await transport.handle_async_request(await _request(url, headers, private_hosts))
            try:
                if not answer.has_redirect_location:
                    return await _taken(answer)
                url = _same_host(url, answer.headers["location"])
            finally:
                await answer.aclose()
    raise FeedUnreadable(f"its address leads from one address to the next; {_ANEW}")


async def _request(url: httpx.URL, headers: dict[str, str], private_hosts: Collection[str]) -> httpx.Request:
    """Return a request to the very address that was checked: a name that is looked up twice can have two addresses."""
    ip, host = await _checked(url, private_hosts), url.netloc.decode("ascii")
    extensions = {"sni_hostname": url.raw_host.decode("ascii"), "timeout": httpx.Timeout(STEP_SECONDS).as_dict()}
    sent = {**headers, "Host": host}
    if url.userinfo:
        sent["Authorization"] = f"Basic {b64encode(unquote_to_bytes(url.userinfo)).decode('ascii')}"
    return httpx.Request("GET", url.copy_with(host=ip, userinfo=b""), headers=sent, extensions=extensions)


async def _checked(url: httpx.URL, private_hosts: Collection[str]) -> str:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise FeedUnreadable(f"nobody knows its host; {_ANEW}") from None
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if url.host not in private_hosts and not all(map(_is_public, addresses)):
        raise FeedUnreadable("its host is in a private network; name the host in BATON_FEED_PRIVATE_HOSTS if that is meant")
    return str(addresses[0])


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    inner = (ip.ipv4_mapped or ip.sixtofour) if isinstance(ip, IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (inner is None or _is_public(inner))


def _same_host(url: httpx.URL, location: str) -> httpx.URL:
    to = url.join(location)
    if (to.scheme, to.host, to.port) != (url.scheme, url.host, url.port):
        raise FeedUnreadable(f"its address has moved to {to.host or 'another place'}; {_ANEW}")
    return to


async def _taken(answer: httpx.Response) -> Fetched:
    if answer.status_code == 304:
        return Fetched(None)
    if answer.status_code != 200:
        what = _REFUSED.get(answer.status_code, f"answers {answer.status_code}")
        todo = _ANEW if answer.status_code in _REFUSED else "Baton asks again at the next poll"
        raise FeedUnreadable(f"its address {what}; {todo}")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise FeedUnreadable("its host compresses what nobody asked to be compressed; publish the calendar elsewhere")
    raw = bytearray()
    async for part in answer.aiter_raw():
        raw += part
        if len(raw) > MAX_BYTES:
            raise FeedUnreadable(f"its calendar is longer than {MAX_BYTES:,} bytes; publish fewer days of it")
    return Fetched(bytes(raw), answer.headers.get("etag", "")[:200], answer.headers.get("last-modified", "")[:100])


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
