"""Whatever comes, each request is answered once with its id, and the server goes on."""

from __future__ import annotations

import asyncio
import json
import os
import random
from typing import Any

import pytest

from attache.faces.lsp.capabilities import COMMANDS
from attache.foundation.frames import frame
from lsp.client import Client
from lsp.conftest import Attach

SEED = int(os.environ.get("ATTACHE_FUZZ_SEED", "20"))
TEXT = "import os\n\nclass A:\n    def größe(self): return '😀'\n"
METHODS = (
    "textDocument/codeLens", "textDocument/codeAction", "workspace/executeCommand", "codeAction/resolve",
    "attache/review/list", "attache/review/resolve", "textDocument/hover", "no/such", "initialize",
    "textDocument/completion", "textDocument/inlineCompletion", "textDocument/documentSymbol",
    "textDocument/foldingRange", "textDocument/documentLink", "workspace/textDocumentContent",
)  # fmt: skip
NOTIFICATIONS = (
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose", "initialized",
    "$/cancelRequest", "window/workDoneProgress/cancel", "$/setTrace", "no/such",
)  # fmt: skip
QUIET = tuple(name for name in COMMANDS if name not in {"attache.ask", "attache.openChat", "attache.review"})


class Chance(random.Random):
    """Draws messages, most of them nearly right."""

    def position(self) -> Any:
        return self.choice(
            [{"line": self.choice([0, 3, -1, 2**31, 1e9]), "character": self.choice([0, 9, -1, 10**12])}, 5]
        )

    def value(self, depth: int = 0) -> Any:
        kinds = [None, True, -1, 2**70, 0.5, "", "text", "\ud83d", "file:///a.py", "untitled:x", [], {}]
        if depth < 3 and self.random() < 0.4:
            return self.choice([[self.value(depth + 1)], {"uri": self.value(depth + 1), "x": self.value(depth + 1)}])
        return self.choice(kinds)

    def params(self, uri: str) -> Any:
        if self.random() < 0.15:
            return self.value()
        span = {"start": self.position(), "end": self.position()}
        item = {
            "uri": self.choice([uri, uri, "file:///b%", "x"]),
            "version": self.choice([1, None, "2", 0]),
            "text": TEXT,
        }
        return {
            "textDocument": {**item, "languageId": self.choice(["python", "", 5])},
            "range": span,
            "context": {"diagnostics": self.choice([[], [{"range": span, "message": "m"}], 5])},
            "contentChanges": self.choice([[], [{"text": "y\n"}], [{"range": span, "text": "z"}], None]),
            "command": self.choice([*QUIET, "attache.nope", 7]),
            "arguments": self.choice([None, [], [self.value()], [{"uri": uri, "range": span}]]),
            "id": self.choice([1, 2, "x", None, []]),
            "token": self.value(),
            "hunks": self.choice([[], ["h"], 5]),
            "decision": self.choice(["accepted", "x"]),
            "title": "t",
            "data": self.value(),
        }


async def fuzz(client: Client, count: int) -> None:
    chance = Chance(SEED)
    await client.open("a.py", TEXT)
    uri = client.uri("a.py")
    waiting: list[asyncio.Future[Any]] = []
    for number in range(count):
        draw = chance.random()
        if draw < 0.1:
            await client.write(
                chance.choice([b"", b"rubbish\r\n\r\n", frame(b"{"), frame(b"[]"), b"Content-Length: 3\r\n\r\n"])
            )
        elif draw < 0.4:
            await client.write(message(chance.choice(NOTIFICATIONS), chance.params(uri)))
        else:
            answer = client._answers[10_000 + number] = asyncio.get_running_loop().create_future()
            waiting.append(answer)
            await client.write(message(chance.choice(METHODS), chance.params(uri), id=10_000 + number))
    done, rest = await asyncio.wait(waiting, timeout=60)
    assert not rest, f"{len(rest)} of {len(waiting)} requests were never answered (seed {SEED})"
    assert len(done) == len(waiting)
    for answer in done:
        answer.exception()
    await client.open("last.py", "def f(): ...\n")
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("last.py")}})
    assert len(lenses) == 3


def message(method: str, params: Any, **more: Any) -> bytes:
    return frame(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode())


async def test_a_thousand_messages(attach: Attach):
    await fuzz(await attach("vscode"), 1_000)


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="ATTACHE_LONG=1 sends 100,000 messages")
async def test_a_hundred_thousand_messages(attach: Attach):
    await fuzz(await attach("vscode"), 100_000)
