"""The gate: the only way out of the sandbox's network, an HTTP proxy that opens for the hosts that the user named.

A name is made canonical once, and that is what is compared, resolved and reached: at the address that was looked at.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from attache.foundation.addresses import public

PORT = 3128
"""Of the proxy, in the command's own network."""
PORTS = frozenset({80, 443})
HEAD_BYTES = 32_768
HEAD_SECONDS = 20.0
CONNECT_SECONDS = 20.0
CHUNK = 65_536
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z][a-z0-9-]{0,62}\Z")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Reach = Callable[[str, int], Awaitable[Streams]]


class Refused(Exception):
    """A host may not be reached; the text says why."""


def canonical(host: str) -> str:
    """Return a host's name as it is compared and resolved: lower case, ASCII, no dot at the end. Raises Refused."""
    try:
        name = host.rstrip(".").encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except UnicodeError:
        raise Refused(f"{host!r} is no name of a host") from None
    name = name.removesuffix(".")
    if not _NAME.fullmatch(name):  # neither addresses, however they are written, nor NUL, %, @ or line ends
        raise Refused(f"{host!r} is no name of a host")
    return name


def allowed(host: str, hosts: Sequence[str]) -> bool:
    """Return whether a canonical name is one of the hosts, `*.example.org` standing for all below it."""
    for each in hosts:
        with suppress(Refused):
            if each.startswith("*."):
                if host.endswith("." + canonical(each[2:])):
                    return True
            elif host == canonical(each):
                return True
    return False


async def reach(host: str, port: int) -> Streams:
    """Connect to a host at an address of the internet. Raises Refused, OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(public(ip_address(address.partition("%")[0])) for address in addresses):
        raise Refused(f"{host} is an address of this machine or its network")
    trouble: OSError = OSError(f"{host} has no address")
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(address, port)
        except OSError as error:
            trouble = error
    raise trouble


class Gate:
    """The proxy of one command."""

    def __init__(self, hosts: Sequence[str], reach_: Reach = reach) -> None:
        self._hosts = tuple(hosts)
        self._reach = reach_
        self._server: asyncio.Server | None = None
        self.refused: list[str] = []
        """Hosts that were asked for and are not among those allowed."""

    async def open(self, listener: socket.socket) -> None:
        """Serve what comes in at a listening socket."""
        listener.setblocking(False)
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=HEAD_BYTES)

    def close(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._pass_on(head, reader, writer)
        except Refused as error:
            await _answer(writer, "403 Forbidden", str(error))
        except (OSError, TimeoutError) as error:
            await _answer(writer, "502 Bad Gateway", str(error))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            await _answer(writer, "400 Bad Request", "no request that a proxy understands")
        finally:
            writer.close()

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, _, rest = head.decode("latin-1").partition("\r\n")
        method, target, version = line.split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            there = await self._opened(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = urlsplit(target)
            if url.scheme != "http" or not url.hostname or url.username is not None:
                raise Refused(f"{target[:200]!r} is no address of a page")
            there = await self._opened(url.hostname, url.port or 80)
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = [each for each in rest.split("\r\n") if not re.match(r"(?i)proxy-|connection:|host:", each)]
            host = url.netloc
            request = "\r\n".join((f"{method} {path} {version}", f"Host: {host}", "Connection: close", *headers))
            there[1].write(request.encode("latin-1"))
        await _both_ways((reader, writer), there)

    async def _opened(self, host: str, port: int) -> Streams:
        name = canonical(host)
        if port not in PORTS or not allowed(name, self._hosts):
            self.refused.append(f"{name}:{port}")
            raise Refused(f"{name}:{port} is not among the hosts that commands may reach (setting `network`)")
        return await self._reach(name, port)


async def _both_ways(one: Streams, other: Streams) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(one[0], other[1]))
            group.create_task(_copy(other[0], one[1]))
    except* OSError:
        pass
    finally:
        other[1].close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _answer(writer: asyncio.StreamWriter, status: str, words: str) -> None:
    body = f"attache: {words}\n".encode("utf-8", "replace")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    with suppress(OSError):
        writer.write(head.encode() + body)
        await writer.drain()
