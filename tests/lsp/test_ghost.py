"""Ghost text: by whom, when, and never in the way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from attache.faces.lsp.code.ghosts import Around, Ghosts
from attache.schema.data import Uri
from attache.storage.database import Database
from attache.storage.ledger import Ledger
from lsp.client import PROFILES as FOLDER
from lsp.client import Client
from lsp.conftest import Attach


def shows_ghosts(profile: str) -> bool:
    return "inlineCompletion" in json.loads((FOLDER / f"{profile}.json").read_text())["capabilities"]["textDocument"]


async def inline(client: Client, place: tuple[int, int], kind: int = 2, path: str = "a.py") -> str | None:
    uri = client.uri(path)
    params = {"textDocument": {"uri": uri}, "position": client.position(uri, place), "context": {"triggerKind": kind}}
    answer = await client.request("textDocument/inlineCompletion", params)
    return answer["items"][0]["insertText"] if answer else None


async def by_hand(client: Client, place: tuple[int, int], path: str) -> list[dict[str, Any]]:
    uri = client.uri(path)
    params = {"textDocument": {"uri": uri}, "position": client.position(uri, place), "context": {"triggerKind": 1}}
    answer = await client.request("textDocument/completion", params)
    return answer["items"] if answer else []


@pytest.fixture
def ollama() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that fills in as Ollama does, and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Filling(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append({"path": self.path, **body})
            data = json.dumps({"response": "a + b\n", "done": True}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Filling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def codestral() -> Iterator[tuple[str, list[str]]]:
    """A server that fills in as Mistral does, and the keys that it was shown."""
    keys: list[str] = []

    class Filling(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            keys.append(f"{self.path} {self.headers['authorization']}")
            usage = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}
            answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "a + b"}}], "usage": usage}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Filling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", keys
    server.shutdown()
    server.server_close()


async def without_a_model_it_is_the_rest_of_a_line_that_stands_there_or_nothing(client: Client):
    profile = client.profile
    text = "total = add(漢, 1)\nprint(total)\n\ntotal = a\nprint\n"
    await client.open("g.py", text)
    if shows_ghosts(profile):
        assert await inline(client, (3, 9), path="g.py") == "dd(漢, 1)"
        assert await inline(client, (3, 3), path="g.py") is None  # inside a word
        assert await inline(client, (2, 0), path="g.py") is None
        assert await by_hand(client, (3, 9), "g.py") == []
    else:
        (item,) = await by_hand(client, (3, 9), "g.py")
        assert item["textEdit"]["newText"] == "dd(漢, 1)"


async def test_a_model_that_fills_in_is_asked_once_and_typing_along_asks_it_no_more(attach: Attach, ollama):
    address, asked = ollama
    client = await attach("neovim", ATTACHE_MODEL="ollama/qwen2.5-coder", ATTACHE_OLLAMA_BASE_URL=address)
    await client.open("a.py", "def add(a, b):\n    return \n")
    assert await inline(client, (1, 11)) == "a + b"
    await client.type("a.py", (1, 11), (1, 11), "a ")
    assert await inline(client, (1, 13)) == "+ b"
    (one,) = asked
    assert one["path"] == "/api/generate"
    assert one["prompt"].endswith("    return ")
    assert one["suffix"] == "\n"


async def test_personal_data_is_hidden_where_that_is_set(attach: Attach, ollama):
    address, asked = ollama
    model = {"ATTACHE_MODEL": "ollama/qwen2.5-coder", "ATTACHE_OLLAMA_BASE_URL": address}
    for setting, seen in (("off", True), ("ask", False), ("mask", False)):
        client = await attach("neovim", **model, ATTACHE_PERSONAL_DATA=setting)
        await client.open("a.py", "# ada@acme.io\ndef add(a, b):\n    return \n")
        assert await inline(client, (2, 11)) == "a + b"
        assert ("ada@acme.io" in asked.pop()["prompt"]) is seen


async def test_one_that_only_talks_is_asked_only_where_that_is_set(attach: Attach, script):
    turns = script({"text": "```python\na + b\n```", "when": "return <CURSOR/>", "repeat": True})
    client = await attach("vscode", **turns)
    await client.open("a.py", "def add(a, b):\n    return \n")
    assert await inline(client, (1, 11)) is None
    client = await attach("vscode", ATTACHE_INLINE_COMPLETION="on", **turns)
    await client.open("a.py", "def add(a, b):\n    return \n")
    assert await inline(client, (1, 11)) == "a + b"


async def test_the_next_key_ends_the_asking(attach: Attach, script):
    slow = script({"text": "never", "delay_seconds": 30, "repeat": True})
    client = await attach("vscode", ATTACHE_INLINE_COMPLETION="on", **slow)
    await client.open("a.py", "x = \n")
    task = asyncio.create_task(inline(client, (0, 4)))
    await asyncio.sleep(1)
    await client.type("a.py", (0, 4), (0, 4), "1")
    assert await asyncio.wait_for(task, 5) is None


def test_what_was_completed_serves_along_its_own_text():
    ghosts = Ghosts()
    ghosts.keep(Uri("file:///a"), Around("x = ", "\n"), "add(1)")
    assert ghosts.recall(Uri("file:///a"), Around("x = ", "\n")) == "add(1)"
    assert ghosts.recall(Uri("file:///a"), Around("x = ad", "\n")) == "d(1)"
    assert ghosts.recall(Uri("file:///a"), Around("x = ax", "\n")) is None
    assert ghosts.recall(Uri("file:///a"), Around("x = ad", "\ny")) is None
    assert ghosts.recall(Uri("file:///b"), Around("x = ", "\n")) is None
    long = Around("y" * 6000, "")
    ghosts.keep(Uri("file:///a"), long, "abc")
    assert ghosts.recall(Uri("file:///a"), Around("y" * 5999 + "a", "")) == "bc"


async def test_a_completion_is_billed_against_the_budget_and_its_key_may_stand_behind_a_command(
    attach: Attach, home: Path, codestral
):
    address, keys = codestral
    state = home / "state"
    own = home / "own.toml"
    own.write_text('[providers.mistral]\napi_key_command = "printf canary-key-0123456789"\n')
    client = await attach(
        "vscode",
        ATTACHE_HOME=str(state),
        ATTACHE_CONFIG=str(own),
        ATTACHE_MODEL="mistral/codestral-latest",
        ATTACHE_MISTRAL_BASE_URL=address,
        ATTACHE_MAX_DAY_COST_USD="0.0001",
    )
    await client.open("a.py", "def add(a, b):\n    return \n\n\nx = \n")
    assert await inline(client, (1, 11)) == "a + b"
    assert keys == ["/v1/fim/completions Bearer canary-key-0123456789"]
    finding = {
        "range": {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 1}},
        "message": "no overload matches",
        "source": "Pyright",
    }

    async def reason() -> str:
        listed = await client.actions("a.py", 4, [finding])
        action = next(each for each in listed if "no overload" in each["title"])
        return action.get("disabled", {}).get("reason", "")

    async with asyncio.timeout(10):  # it is billed beside the answer
        while not await reason():
            await asyncio.sleep(0.1)
    assert await reason() == "over today's budget ($0.00)"
    assert await inline(client, (4, 4)) is None
    assert len(keys) == 1
    database = await Database.open(state / "attache.sqlite")
    (line,) = await Ledger(database).account("session")
    await database.close()
    assert (line.name, line.calls, line.usage.input_tokens, line.usage.output_tokens) == ("ghost text", 1, 1000, 10)
    assert line.cost_usd > 0
