from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from attache.workspace.shell import Command
from attache.workspace.view import cow, gate
from attache.workspace.view.gate import Gate, Refused, allowed, canonical, reach
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

BAD_NAMES = (
    "127.0.0.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "::1", "", ".", "a b", "exa\0mple.org",
    "example.org%00.evil.org", "example.org\r\nHost: evil.org", "user@example.org", "example.org/", "exa%6dple.org",
    "ex\u2024ample..org", "-x.org", "a" * 300,
)  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(Refused):
        canonical(name)


def test_names_are_compared_in_one_form():
    assert canonical("EXAMPLE.org.") == "example.org"
    assert canonical("bücher.example") == "xn--bcher-kva.example"
    assert allowed("example.org", ["Example.ORG."])
    assert allowed("a.b.example.org", ["*.example.org"])
    assert allowed("xn--bcher-kva.example", ["bücher.example"])
    assert not allowed("example.org", ["*.example.org"])
    for other in ("evilexample.org", "example.org.evil.com", "a.example.org", "xample.org"):
        assert not allowed(other, ["example.org"])
    assert not allowed("evil-example.org", ["*.example.org"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "240.0.0.1",
    ],
)
async def test_what_resolves_to_the_inside_is_refused(address, monkeypatch):
    async def resolved(*_args, **_more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80)), (0, 0, 0, "", (address, 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved)
    with pytest.raises(Refused, match="this machine or its network"):
        await reach("example.org", 80)


@pytest.fixture
async def site():
    """A server that says what it was asked."""

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        body = head.splitlines()[0] + b" | " + b", ".join(sorted(line for line in head.splitlines() if b"ost:" in line))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the sandboxes of other systems are not tested")
async def test_a_confined_command_reaches_the_hosts_that_are_allowed_and_no_other(site, tmp_path, monkeypatch):
    """The name leads to a server of ours; all else on the way is real: network namespace, socket, proxy."""
    if level(tmp_path / "home").level != "namespaces":
        pytest.skip(f"this machine has {level(tmp_path / 'home').words}")

    async def here(host, _port):
        assert host == "example.org"
        return await asyncio.open_connection("127.0.0.1", site)

    monkeypatch.setattr(cow, "Gate", lambda hosts: Gate(hosts, here))
    (tmp_path / "ws").mkdir()
    workspace = Workspace([tmp_path / "ws"], home=tmp_path / "home")
    program = (
        "import os, socket, sys, urllib.request\n"
        "def get(url):\n"
        "    try:\n        print(url, urllib.request.urlopen(url, timeout=10).read().decode())\n"
        "    except Exception as error:\n        print(url, 'FAILED', error, error.read().decode() if hasattr(error, 'read') else '')\n"
        "get('http://example.org/page?x=1')\nget('http://evil.org/')\nget('http://example.org:8080/')\nget('http://127.0.0.1:1/')\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['HTTP_PROXY'].rpartition(':')[2])))\n"
        "s.sendall(b'CONNECT example.org:443 HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))\n"
        "s.sendall(b'GET /tunnel HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\nprint(s.recv(1000))\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['HTTP_PROXY'].rpartition(':')[2])))\n"
        "s.sendall(b'CONNECT example.org.evil.org:443 HTTP/1.1\\r\\n\\r\\n')\nprint(s.recv(100))\n"
    )
    command = Command(argv=("python3", "-c", program), view="cow", hosts=("example.org",), timeout_seconds=30)
    try:
        output = (await workspace.view().run(command)).output
        assert "http://example.org/page?x=1 GET /page?x=1 HTTP/1.1 | Host: example.org" in output, output
        assert "evil.org/ FAILED HTTP Error 403" in output
        assert "not among the hosts" in output
        assert "http://example.org:8080/ FAILED HTTP Error 403" in output
        assert "http://127.0.0.1:1/ FAILED" in output
        assert "200 Connection established" in output
        assert "GET /tunnel" in output
        assert "403 Forbidden" in output.splitlines()[-1]
        shut = await workspace.view().run(command.model_copy(update={"hosts": ()}))
        assert "GET /page" not in shut.output
    finally:
        workspace.close()
    assert gate.PORT == 3128
