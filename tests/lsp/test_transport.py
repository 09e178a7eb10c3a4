"""The holes of a plain pygls server, each closed here; every one of these hangs, dies or goes unanswered there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attache.foundation.frames import frame
from lsp.client import SERVER, Client, Refused, environment
from lsp.conftest import Attach

BUSY = """
import asyncio, sys, time
from attache.faces.lsp import process
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.shapes import Nothing
from attache.faces.lsp.start import main

@feature("test/thread", Nothing)
async def thread(server, params):
    await asyncio.to_thread(time.sleep, 4)

@feature("test/wait", Nothing)
async def wait(server, params):
    await asyncio.sleep(60)

@feature("test/exit", Nothing)
def exit(server, params):
    sys.exit(3)

@feature("test/exit_later", Nothing)
async def exit_later(server, params):
    await asyncio.sleep(0)
    sys.exit(3)

@feature("test/fail", Nothing)
async def fail(server, params):
    raise ZeroDivisionError("sk-ant-api03-" + "a" * 95)

@feature("test/flood", Nothing)
async def flood(server, params):
    for _ in range(2000):
        server.peer.notify("test/noise", {"text": "x" * 10_000}, paint=True)

@feature("test/ask", Nothing)
async def ask(server, params):
    await server.peer.ask("test/never", {})

@feature("test/unknown_result", Nothing)
def unknown_result(server, params):
    return object()

sys.exit(main())
"""


@pytest.fixture
async def busy(folder: Path, home: Path):
    """A server with a few more methods, to be slow and to fail by."""
    script = home / "busy.py"
    script.write_text(BUSY)
    client = Client(folder)
    await client.start(home, sys.executable, str(script))
    await client.hello()
    yield client
    if client.process.returncode is None:
        client.process.kill()
    await client.ended()


async def alive(client: Client, seconds: float = 5) -> None:
    """It still answers, and rightly."""
    tools = await client.request(
        "textDocument/codeLens", {"textDocument": {"uri": "file:///nowhere.py"}}, seconds=seconds
    )
    assert tools == []


# ---------------------------------------------------------------- 1, 2: slow handlers


async def test_many_slow_handlers_do_not_make_it_deaf(busy: Client):
    for _ in range(40):
        await busy.begin("test/thread", {})
    await alive(busy, seconds=2)


async def test_cancel_is_answered_at_once_with_every_worker_busy(busy: Client):
    running = [await busy.begin("test/thread", {}) for _ in range(40)]
    number, answer = running[-1]
    began = time.monotonic()
    await busy.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(answer, 3)
    assert refused.value.code == -32800
    assert time.monotonic() - began < 2


async def test_a_cancelled_request_is_answered_once(busy: Client):
    number, answer = await busy.begin("test/wait", {})
    for _ in range(3):
        await busy.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Refused):
        await asyncio.wait_for(answer, 5)
    await alive(busy)
    assert busy.said("(an answer to nothing)") == []


# ---------------------------------------------------------------- 3: wrong parameters


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/codeLens", {"textDocument": {"uri": 7}}),
        ("textDocument/codeLens", None),
        ("textDocument/codeLens", [1, 2]),
        ("textDocument/codeAction", {"textDocument": {"uri": "file:///a"}, "range": "here", "context": {}}),
        ("workspace/executeCommand", {"command": {}}),
        ("attache/session/prompt", {"sessionId": 1, "prompt": "text"}),
    ],
)
async def test_wrong_parameters_are_answered_with_their_id(attach: Attach, method: str, params: object):
    client = await attach()
    with pytest.raises(Refused) as refused:
        await client.request(method, params, seconds=10)
    assert refused.value.code == -32602


async def test_wrong_parameters_of_a_notification_hurt_nobody(attach: Attach):
    client = await attach()
    await client.notify("textDocument/didOpen", {"textDocument": {}})
    await client.notify("textDocument/didChange", {"textDocument": {"uri": "file:///never"}, "contentChanges": []})
    await alive(client)


# ---------------------------------------------------------------- 4-7: frames


@pytest.mark.parametrize(
    "broken",
    [
        frame(b"{not json"),
        frame(b"\xff\xfe\x00"),
        frame(b"[" * 100_000),
        b"Content-Length: 8589934592\r\n\r\n" + b"x" * 100,
        b"Content-Length: -5\r\n\r\n{}",
        b"Content-Length: many\r\n\r\n{}",
        b"Content-Type: text/plain\r\n\r\nrubbish\r\n\r\n",
        b'Content-Length: 20\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"shutdown"}',
        b'Content-Length: 90\r\n\r\n{"jsonrpc":"2.0","method":"$/x"}',
    ],
    ids=["json", "utf-8", "deep", "8 GB", "negative", "no number", "no length", "too short", "too long"],
)
async def test_what_is_no_message_is_told_and_costs_nothing_else(attach: Attach, broken: bytes):
    client = await attach()
    await client.write(broken)
    await alive(client)
    await client.until(lambda: client.said("(an answer to nothing)"))
    answer = client.said("(an answer to nothing)")[0]
    assert answer["id"] is None
    assert answer["error"]["code"] == -32700


@pytest.mark.parametrize("message", [[], 5, "text", {"jsonrpc": "2.0"}, {"id": [], "method": 5}], ids=str)
async def test_json_that_is_no_message_is_an_invalid_request(attach: Attach, message: object):
    client = await attach()
    await client.send(message)
    await alive(client)
    assert client.said("(an answer to nothing)")[0]["error"]["code"] == -32600


@pytest.mark.parametrize(
    "header",
    [
        "content-length: %d\r\n\r\n",
        "Content-Length:%d\r\n\r\n",
        "CONTENT-LENGTH : %d\n\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
        "Content-Length: %d\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
    ],
)
async def test_headers_may_be_written_in_any_way(attach: Attach, header: str):
    client = await attach()
    body = b'{"jsonrpc":"2.0","id":77,"method":"no/such"}'
    client._answers[77] = asyncio.get_running_loop().create_future()
    await client.write((header % len(body)).encode() + body)
    with pytest.raises(Refused, match="unknown method"):
        await asyncio.wait_for(client._answers[77], 5)


async def test_bytes_may_come_one_by_one(attach: Attach):
    client = await attach()
    client._answers[5] = asyncio.get_running_loop().create_future()
    for byte in frame(b'{"jsonrpc":"2.0","id":5,"method":"no/such"}'):
        await client.write(bytes([byte]))
    with pytest.raises(Refused, match="unknown method"):
        await asyncio.wait_for(client._answers[5], 5)


# ---------------------------------------------------------------- 8: handlers that fail


@pytest.mark.parametrize("method", ["test/exit", "test/exit_later", "test/fail", "test/unknown_result", "test/ask"])
async def test_a_handler_that_fails_is_answered_and_the_server_lives(busy: Client, method: str, home: Path):
    with pytest.raises(Refused) as refused:
        await busy.request(method, {}, seconds=5)
    assert refused.value.code == -32603
    await alive(busy)


async def test_no_secret_leaves_in_an_error(busy: Client, home: Path):
    with pytest.raises(Refused) as refused:
        await busy.request("test/fail", {})
    assert "aaaaaaaa" not in refused.value.message
    assert "ZeroDivisionError" in (home / "stderr.txt").read_text()
    assert "aaaaaaaa" not in (home / "stderr.txt").read_text()


async def test_no_handler_waits_for_a_client_that_waits_for_it(busy: Client):
    with pytest.raises(Refused, match="the client is waiting for us"):
        await busy.request("test/ask", {}, seconds=5)
    assert busy.said("test/never") == []


# ---------------------------------------------------------------- 9: a client that does not read


async def test_a_client_that_stops_reading_blocks_nothing(busy: Client):
    reader = busy.process.stdout
    assert reader
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    for number in range(900, 903):
        await busy.begin("test/flood", {}, number)
    await asyncio.sleep(0.5)
    await busy.notify("exit", None)
    await busy.until(lambda: busy.process.returncode is not None, 10)
    assert busy.process.returncode == 1
    reader._transport.resume_reading()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- 10: the life of a server


async def test_before_initialize_requests_are_refused_and_notifications_dropped(attach: Attach):
    client = await attach(greet=False)
    with pytest.raises(Refused) as refused:
        await client.request("textDocument/codeLens", {"textDocument": {"uri": "file:///a"}})
    assert refused.value.code == -32002
    await client.notify("textDocument/didOpen", {})
    await client.hello()
    with pytest.raises(Refused) as refused:
        await client.request("initialize", client.params())
    assert refused.value.code == -32600


async def test_after_shutdown_requests_are_refused(attach: Attach):
    client = await attach()
    assert await client.request("shutdown", None) is None
    with pytest.raises(Refused) as refused:
        await client.request("textDocument/codeLens", {"textDocument": {"uri": "file:///a"}})
    assert refused.value.code == -32600
    await client.notify("exit", None)
    assert await client.ended() == 0


@pytest.mark.parametrize("greet", [True, False])
async def test_exit_without_shutdown_is_an_error(attach: Attach, *, greet: bool):
    client = await attach(greet=greet)
    await client.notify("exit", None)
    assert await client.ended() == 1


async def test_the_end_of_input_ends_it_also_while_threads_are_busy(busy: Client):
    for _ in range(5):
        await busy.begin("test/thread", {})
    assert busy.process.stdin
    began = time.monotonic()
    busy.process.stdin.close()
    assert await busy.ended() == 1
    assert time.monotonic() - began < 3.5


async def test_two_requests_of_one_id_are_not_both_begun(busy: Client):
    _, first = await busy.begin("test/wait", {}, 500)
    _, second = await busy.begin("test/wait", {}, 500)
    with pytest.raises(Refused, match="still being answered"):
        await asyncio.wait_for(second, 5)
    assert not first.done()


async def test_unknown_methods(attach: Attach):
    client = await attach()
    with pytest.raises(Refused) as refused:
        await client.request("textDocument/magic", {})
    assert refused.value.code == -32601
    await client.notify("$/magic", {})
    await client.notify("textDocument/magic", {})
    await alive(client)


async def test_an_answer_that_nobody_awaits_is_ignored(attach: Attach):
    client = await attach()
    for number in (1, "attache-999", None, [1]):
        await client.send({"jsonrpc": "2.0", "id": number, "result": 1})
    await alive(client)


# ---------------------------------------------------------------- 11: the parent


EDITOR = """
import json, os, subprocess, sys, time
read_end, write_end = int(sys.argv[1]), int(sys.argv[2])
server = subprocess.Popen(sys.argv[3:], stdin=read_end, stdout=subprocess.PIPE)
hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": os.getpid()}}
body = json.dumps(hello).encode()
os.write(write_end, b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
assert b"error" not in server.stdout.readline() + server.stdout.readline() + server.stdout.read(20)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are kept open by inheritance, as POSIX does")
def test_it_ends_with_the_editor_even_where_the_pipe_stays_open(tmp_path: Path, home: Path):
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    editor = home / "editor.py"
    editor.write_text(EDITOR)
    argv = [sys.executable, str(editor), str(read_end), str(write_end), *SERVER]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, pass_fds=[read_end, write_end], env=environment(home), cwd=tmp_path
    )
    os.close(read_end)
    assert process.stdout
    server = int(process.stdout.readline())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while _runs(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(server)
    os.close(write_end)
    process.stdout.close()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] if sys.platform == "linux" else ""
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
