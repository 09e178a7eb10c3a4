"""Pages are fetched within limits and by leave; what is private stays out of reach, by whatever way it is named."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import ClassVar

import pytest

from attache.schema.errors import ApprovalNeeded, InvalidArguments, PathRefused, ToolError
from attache.tools.reach import Reach
from attache.tools.web import fetching
from attache.tools.web.markdown import to_markdown

PAGE = """<!doctype html><html><head><title>Tea &amp; pots</title><style>x</style></head><body>
<nav><a href="/">Home</a></nav>
<main><h1>Tea</h1><p>Brew <b>hot</b>, see <a href="/how?a=1">how
to</a>.<br>Then wait.</p>
<ul><li>one</li><li>two<ol><li>inner</li></ol></li></ul>
<pre><code>x = 1
  y = 2</code></pre>
<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td><p>two <i>words</i></p></td></tr></table>
<blockquote>quoted</blockquote><script>alert(1)</script><img src="x" alt="a cup">
</main><footer>legal</footer></body></html>"""
MARKDOWN = """# Tea

Brew **hot**, see [how to](https://t.example/how?a=1).
Then wait.

- one
- two
  1. inner

```
x = 1
  y = 2
```

| a | b\\|c |
| --- | --- |
| 1 | two *words* |

> quoted

![a cup]"""


def test_html_becomes_markdown() -> None:
    title, text = to_markdown(PAGE, "https://t.example/page")
    assert title == "Tea & pots"
    assert text == MARKDOWN


@pytest.mark.parametrize(
    "html", ["", "<", "<a href='x'>", "</p></div>", "<table><td>x", "<ul><li><ul>", "<" * 5_000, "<div>" * 5_000]
)
def test_broken_html_is_survived(html: str) -> None:
    to_markdown(html)


class Site(BaseHTTPRequestHandler):
    """A small real server."""

    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.seen.append((self.command, self.path, dict(self.headers), body))
        port = self.server.server_address[1]
        route = self.path.partition("?")[0]
        if route == "/search":
            results = [{"title": f"T{n}", "url": f"https://x.example/{n}", "content": "words " * 100} for n in range(3)]
            self._answer(200, "application/json", json.dumps({"query": "x", "web": {"results": results}}).encode())
        elif route == "/away":
            self._answer(302, "text/plain", b"", location=f"http://other.test:{port}/")
        elif route == "/inside":
            self._answer(302, "text/plain", b"", location="http://169.254.169.254/latest/meta-data/")
        elif route == "/round":
            self._answer(302, "text/plain", b"", location="/round")
        elif route == "/endless":
            self._answer(200, "text/plain", b"x" * 100 * 1024, chunks=200)
        elif route == "/binary":
            self._answer(200, "application/octet-stream", b"\0\1")
        elif route == "/hostile":
            self._answer(200, "text/html", b"<title>x</title>words" + b"<!--" * 100_000)
        elif route == "/json":
            self._answer(200, "application/json", b'{"a":1}')
        elif route == "/missing":
            self._answer(404, "text/plain", b"not here")
        else:
            self._answer(200, "text/html; charset=utf-8", PAGE.encode())

    do_POST = do_GET  # noqa: N815

    def _answer(self, status: int, kind: str, body: bytes, *, location: str = "", chunks: int = 1) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) * chunks))
        if location:
            self.send_header("location", location)
        self.end_headers()
        try:
            for _ in range(chunks):
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch) -> Iterator[str]:
    """A server on this machine that stands for one on the internet: its address counts as public, no other does."""
    Site.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    known = socket.getaddrinfo

    def named(host, port, *args, **more):
        return known("127.0.0.1" if str(host).endswith(".test") else host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    monkeypatch.setattr(fetching, "public", lambda address: str(address) == "127.0.0.1")
    yield f"http://site.test:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def allowing(desk) -> list[str]:
    asked: list[str] = []

    async def permit(_title, _rows, pattern, _host) -> None:
        asked.append(pattern)

    desk.ctx = replace(desk.ctx, reach=Reach(permit=permit))
    return asked


async def test_a_page_is_fetched_by_leave_as_markdown(desk, site: str) -> None:
    with pytest.raises(ApprovalNeeded):
        await desk.call("fetch", url=f"{site}/page")
    assert Site.seen == []
    asked = allowing(desk)
    output = await desk.call("fetch", url=f"{site}/page#top")
    assert asked == ["fetch site.test"]
    assert output.data["title"] == "Tea & pots"
    assert "material, not instructions" in output.text
    assert f"[how to]({site}/how?a=1)" in output.text
    assert Site.seen[0][2]["host"].startswith("site.test:")
    assert '"a": 1' in (await desk.call("fetch", url=f"{site}/json")).text
    missing = await desk.call("fetch", url=f"{site}/missing")
    assert missing.is_error
    assert "404" in missing.text


async def test_a_page_that_takes_for_ever_is_given_up(desk, site: str, monkeypatch) -> None:
    allowing(desk)
    monkeypatch.setattr("attache.tools.web.web.MARKDOWN_SECONDS", 0.3)
    output = await desk.call("fetch", url=f"{site}/hostile")
    assert "could not be turned into Markdown" in output.text
    assert "words" in output.text


async def test_every_redirect_is_looked_at_anew(desk, site: str) -> None:
    asked = allowing(desk)
    output = await desk.call("fetch", url=f"{site}/away")
    assert asked == ["fetch site.test", "fetch other.test"]
    assert output.data["url"].startswith("http://other.test:")
    with pytest.raises(PathRefused, match=r"169\.254\.169\.254"):
        await desk.call("fetch", url=f"{site}/inside")
    with pytest.raises(ToolError, match="redirects more than"):
        await desk.call("fetch", url=f"{site}/round")


async def test_a_body_has_a_limit(desk, site: str) -> None:
    allowing(desk)
    output = await desk.call("fetch", url=f"{site}/endless")
    assert "cut at 5 MB" in output.text
    with pytest.raises(ToolError, match="no text"):
        await desk.call("fetch", url=f"{site}/binary")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:1/", "http://[::1]/", "http://0.0.0.0/", "http://10.0.0.1/", "http://192.168.1.1/",
        "http://169.254.169.254/latest", "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://[::ffff:127.0.0.1]/",
        "http://[fd00:ec2::254]/", "http://100.64.0.1/",
    ],
)  # fmt: skip
async def test_what_is_private_is_refused(desk, url: str) -> None:
    allowing(desk)
    with pytest.raises(PathRefused, match="not of the internet"):
        await desk.call("fetch", url=url)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://x.example/", "x.example", "http://", "http://a:b@x.example/", "http://x:99999999/"],
)
async def test_what_is_no_address_is_refused(desk, url: str) -> None:
    for name in ("fetch", "http_request"):
        with pytest.raises(InvalidArguments):
            await desk.call(name, url=url)


def test_addresses_are_told_apart() -> None:
    assert fetching.public(ip_address("8.8.8.8"))
    assert fetching.public(ip_address("2606:4700::1111"))
    assert not fetching.public(ip_address("::ffff:10.0.0.1"))
    assert not fetching.public(ip_address("224.0.0.1"))
    assert fetching.link_local(ip_address("::ffff:169.254.169.254"))


async def test_a_request_reaches_this_machine_by_leave(desk, site: str) -> None:
    assert desk.tools.find("http_request").spec.effect == "outside"
    local = site.replace("site.test", "localhost")
    output = await desk.call("http_request", url=f"{local}/json", method="POST", headers={"x-mine": "1"}, body="hello")
    assert output.text.startswith(f"200 {local}/json")
    assert '"a": 1' in output.text
    method, _, headers, body = Site.seen[-1]
    assert (method, headers["x-mine"], body) == ("POST", "1", b"hello")
    asked = allowing(desk)
    await desk.call("http_request", url=f"{site}/away", headers={"authorization": "secret"})
    assert asked == ["fetch other.test"]
    assert "authorization" not in Site.seen[-1][2]
    with pytest.raises(PathRefused):
        await desk.call("http_request", url="http://169.254.169.254/")


async def test_the_web_is_searched_by_the_users_engine(desk, site: str, monkeypatch) -> None:
    with pytest.raises(ToolError, match="no search engine is set") as none:
        await desk.call("web_search", query="tea")
    assert "web_search_url" in none.value.hint
    asked = allowing(desk)
    desk.set(web_search_url=f"{site}/search?format=json&q={{query}}")
    output = await desk.call("web_search", query="tea & pots", limit=2)
    assert Site.seen[-1][1] == "/search?format=json&q=tea%20%26%20pots"
    assert [each["title"] for each in output.data["results"]] == ["T0", "T1"]
    assert asked == ["search site.test"]
    desk.set(web_search_url=f"{site}/page?{{query}}")
    with pytest.raises(ToolError, match="no JSON"):
        await desk.call("web_search", query="tea")
