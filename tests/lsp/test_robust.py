"""Much of everything, and editors that are killed: slower, never wrong, never down, and nobody is left behind."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from attache.workspace.paths import to_uri
from lsp.client import SERVER, Client, Refused
from lsp.conftest import Attach
from lsp.test_transport import BUSY

LONG = bool(os.environ.get("ATTACHE_LONG"))
KILLS = 200 if LONG else 4
BUFFERS = 1_000 if LONG else 120
FILES = 100_000 if LONG else 2_000
LINE_CHARACTERS = 10_000_000 if LONG else 1_000_000
CANCELS = 100 if LONG else 5
pytestmark = [pytest.mark.long] if LONG else []


async def run(client: Client, tool: str, seconds: float = 60, **arguments: object) -> str:
    answer = await client.request("attache/tool/run", {"name": tool, "arguments": arguments}, seconds=seconds)
    return answer["text"]


async def lenses(client: Client, path: str, seconds: float = 60) -> list[dict]:
    document = {"textDocument": {"uri": client.uri(path)}}
    return await client.request("textDocument/codeLens", document, seconds=seconds)


async def test_one_line_of_ten_million_characters(attach: Attach):
    client = await attach("neovim")
    text = "x = '" + "ä😀" * (LINE_CHARACTERS // 2) + "'\ndef f(): ...\n"
    await client.open("wide.py", text)
    await client.open("small.py", "def g(): ...\n")
    assert len(await lenses(client, "small.py")) == 3
    last = len(text.partition("\n")[0])
    for number in range(3):  # typing at the end of it and at its beginning, undone and repeated
        await client.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": client.uri("wide.py"), "version": number + 2},
                "contentChanges": [
                    {"range": {"start": {"line": 0, "character": at}, "end": {"line": 0, "character": at}}, "text": "#"}
                    for at in (0, 3)
                ],
            },
        )
    assert last
    read = await run(client, "read", path="wide.py", start_line=2, end_line=2)
    assert "2\tdef f(): ..." in read
    assert "##" in (await run(client, "read", path="wide.py", start_line=1, end_line=1))[:400]
    assert len(await lenses(client, "small.py")) == 3
    assert await client.stop() == 0


async def test_a_thousand_open_buffers(attach: Attach):
    client = await attach("vscode")
    for number in range(BUFFERS):
        await client.open(f"m{number}.py", f"import os\n\ndef f{number}(): return {number}\n")
    for number in random.Random(1).sample(range(BUFFERS), 20):
        await client.type(f"m{number}.py", (2, 0), (2, 0), f"# typed {number}\n")
    for number in (0, BUFFERS // 2, BUFFERS - 1):
        assert len(await lenses(client, f"m{number}.py")) == 3
    found = await run(client, "grep", pattern=f"def f{BUFFERS - 1}\\b")
    assert "1 hit in 1 file" in found
    assert any("(rule)" in each["title"] for each in await client.actions("m7.py", 0))
    assert await client.stop() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
async def test_links_that_lead_in_circles(attach: Attach, folder: Path):
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder)
    (folder / "a" / "self").symlink_to(folder / "a" / "self")
    (folder / "a" / "up").symlink_to("../a")
    (folder / "here.py").write_text("needle = 1\n")
    client = await attach("helix")
    assert "1 hit in 1 file" in await run(client, "grep", pattern="needle")
    assert "here.py" in await run(client, "list", depth=9)
    assert "loops" in (said := await run(client, "read", path="a/self")) or "link" in said
    await client.open_uri(to_uri(folder / "a" / "b" / "here.py"), "needle = 2\n", language="python")
    assert "needle = 2" in await run(client, "read", path="here.py")  # the same file by another name
    assert await client.stop() == 0


async def test_very_many_files(attach: Attach, folder: Path):
    for number in range(FILES // 1000):
        (folder / f"d{number}").mkdir()
        for other in range(1000):
            (folder / f"d{number}" / f"f{other}.py").write_bytes(b"x = 1\n")
    (folder / "needle.py").write_text("def needle_here(): ...\n")
    client = await attach("vscode")
    await client.open("needle.py")
    assert len(await lenses(client, "needle.py")) == 3
    beginning = asyncio.create_task(run(client, "symbols", 300, name="needle_here"))
    for _ in range(10):  # while it is read, the editor is served
        assert len(await lenses(client, "needle.py", 10)) == 3
        await asyncio.sleep(0.05)
    assert "needle.py:1" in await beginning
    assert "1 hit in 1 file" in await run(client, "grep", 300, pattern="needle_here")
    assert await client.stop() == 0


async def test_a_cancellation_takes_no_time_while_every_worker_is_busy(folder: Path, home: Path):
    script = home / "busy.py"
    script.write_text(BUSY)
    client = Client(folder)
    await client.start(home, sys.executable, str(script))
    await client.hello()
    running = [(await client.begin("test/thread", {}))[1] for _ in range(40)]
    waits: list[float] = []
    for _ in range(CANCELS):
        number, answer = await client.begin("test/wait", {})
        await asyncio.sleep(0.01)
        began = time.monotonic()
        await client.notify("$/cancelRequest", {"id": number})
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(answer, 20)
        waits.append(time.monotonic() - began)
        assert refused.value.code == -32800
    assert not all(each.done() for each in running)
    print(f"{CANCELS} cancellations: median {statistics.median(waits) * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms")
    assert statistics.median(waits) < 0.1 or not LONG
    client.process.kill()
    await client.ended()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
async def test_nothing_is_left_behind_by_editors_that_are_killed(folder: Path, home: Path):
    """The pipe breaks, or the process is killed: the server, its index and its language servers all end."""
    chance = random.Random(7)
    (folder / "a.py").write_text("x = 1\n")
    scripts = Path(sys.executable).parent
    left: set[int] = set()
    for number in range(KILLS):
        client = Client(folder, chance.choice(("vscode", "neovim", "helix", "emacs", "zed")))
        await client.start(home, *SERVER, PATH=f"{scripts}:/usr/bin:/bin", ATTACHE_LANGUAGE_SERVERS="auto")
        left.add(client.process.pid)
        if chance.random() < 0.9:
            await client.hello()
            await client.open("a.py", "import os\n")
            if chance.random() < 0.7:
                await client.begin("attache/tool/run", {"name": "diagnostics", "arguments": {"paths": ["a.py"]}})
                await asyncio.sleep(chance.choice((0, 0.1, 0.5, 1.5)))
                left |= descendants(client.process.pid)
        if number % 2:
            client.process.kill()  # the server itself, with no time for anything
        else:
            assert client.process.stdin
            client.process.stdin.close()  # its editor
        with suppress(TimeoutError):
            await client.ended(15)
    deadline = time.monotonic() + 15
    while (still := {pid for pid in left if alive(pid)}) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    print(f"{KILLS} editors killed, {len(left)} processes begun, {len(still)} left")
    assert still == set()


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
