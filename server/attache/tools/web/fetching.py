"""Fetching over HTTP within limits: no private address, no endless body, every redirect looked at anew."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urljoin, urlsplit

from attache.foundation.addresses import Address, public
from attache.schema.errors import InvalidArguments, PathRefused, ToolError

if TYPE_CHECKING:
    import httpx2

SECONDS = 30.0
BODY_BYTES = 5_000_000
REDIRECTS_MOST = 5
AGENT = "attache/0 (coding agent; +https://github.com/attache-ls)"
PORTS = {"http": 80, "https": 443}

Allow = Callable[[str], Awaitable[None]]
"""Asks whether a host may be reached. Raises ApprovalDenied, ApprovalNeeded."""


class Fetched(NamedTuple):
    """An answer, its body cut at the limit."""

    url: str
    """Where it came from in the end."""
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool

    @property
    def kind(self) -> str:
        """Return the media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """Return the body as text, in the charset that it names."""
        charset = self.headers.get("content-type", "").partition("charset=")[2].split(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


def link_local(address: Address) -> bool:
    """Return whether an address is one that clouds hand credentials out from, which nobody may reach by us."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_link_local or str(address) == "fd00:ec2::254"


async def fetch(
    url: str, *, allow: Allow, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None,
    private: bool = False,
) -> Fetched:  # fmt: skip
    """Fetch a URL; each host is asked for, resolved, checked, and reached at the very address that was checked.

    Raises InvalidArguments, PathRefused for an address that may not be reached, ToolError where nothing answers.
    """
    import httpx2

    now, sent = url, dict(headers or {})
    try:
        async with asyncio.timeout(SECONDS), httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=SECONDS
        ) as client:  # fmt: skip
            for _ in range(REDIRECTS_MOST + 1):
                answer = await _once(client, now, method, sent, body, allow, private=private)
                target = answer.headers.get("location", "")
                if answer.status not in {301, 302, 303, 307, 308} or not target:
                    return answer
                if answer.status == 303 or (answer.status in {301, 302} and method == "POST"):  # noqa: PLR2004 - See Other
                    method, body = "GET", None
                following = urljoin(now, target)
                if urlsplit(following).netloc != urlsplit(now).netloc:  # what was meant for one host is no other's
                    sent = {name: value for name, value in sent.items() if name.lower() in {"accept", "content-type"}}
                now = following
            raise ToolError(f"{url} redirects more than {REDIRECTS_MOST} times", hint="fetch where it leads")
    except TimeoutError:
        raise ToolError(f"{url} did not answer in {SECONDS:g} s", hint="try again later") from None
    except httpx2.HTTPError as error:
        raise ToolError(
            f"{url} cannot be reached: {error or type(error).__name__}", hint="is the address right?"
        ) from error


def checked(url: str) -> tuple[str, str, int]:
    """Return (scheme, host, port). Raises InvalidArguments for what is no address of the web."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidArguments(f"url: {url!r} is no URL: {error}", hint="such as https://example.org/page") from None
    if parts.scheme not in PORTS or not host:
        raise InvalidArguments(f"url: {url!r} is no http or https URL", hint="to read files use read")
    if parts.username or parts.password:
        raise InvalidArguments("url: a password in it would be seen by all", hint="send it as a header")
    return parts.scheme, host, port or PORTS[parts.scheme]


async def _once(
    client: httpx2.AsyncClient, url: str, method: str, headers: Mapping[str, str], body: bytes | None, allow: Allow, *,
    private: bool,
) -> Fetched:  # fmt: skip
    scheme, host, port = checked(url)
    await allow(host)
    address = await resolved(host, port, private=private)
    literal = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    parts = urlsplit(url)
    direct = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    named = host if port == PORTS[scheme] else f"{host}:{port}"
    sent = {
        "user-agent": AGENT,
        "accept": "text/html,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.5",
        **headers,
    }
    request = client.build_request(
        method, direct, headers={**sent, "host": named}, content=body, extensions={"sni_hostname": host}
    )
    answer = await client.send(request, stream=True)
    try:
        data = bytearray()
        async for piece in answer.aiter_bytes():
            data += piece
            if len(data) > BODY_BYTES:
                break
    finally:
        await answer.aclose()
    kept = {name.lower(): value for name, value in answer.headers.items()}
    return Fetched(url, answer.status_code, kept, bytes(data[:BODY_BYTES]), len(data) > BODY_BYTES)


async def resolved(host: str, port: int, *, private: bool) -> Address:
    """Return the address to reach a host at. Raises PathRefused where any of its addresses may not be reached."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToolError(f"{host} is not known: {error}", hint="is the name right, and the network there?") from None
    addresses = [ip_address(str(cast("tuple[str, int]", each[4])[0]).partition("%")[0]) for each in found]
    for address in addresses:
        if link_local(address) or not (private or public(address)):
            raise PathRefused(
                f"{host} leads to {address}, which is not of the internet",
                hint="a server of this machine is reached by http_request, or by a command",
            )
    return addresses[0]
