"""What a chat document is beside its text, by each profile's own requests: completion, symbols, folds, links, hovers."""

from __future__ import annotations

import json
from typing import Any

from lsp.client import PROFILES as FOLDER
from lsp.client import Client
from lsp.conftest import Attach

CHAT = """---
attache: s_1
mode: build
---
# Why 漢😀?

## You
Why? @shop/cart.py:1 and `@not this`

## Attaché
> *thinking*
> about it

- ✓ **search** `total` · 1 hit
- ✗ **test** `tests` · 1 failed
  ```text
  shop/cart.py:2: wrong
  ```

It is 漢😀 in [cart](shop/cart.py#L1-L2), see shop/cart.py:2 and https://example.com and none.py:3.

## You
"""


async def opened(client: Client):
    (client.folder / "shop").mkdir()
    (client.folder / "shop/cart.py").write_text("def total(cart):\n    return sum(cart)\n")
    await client.open("q.chat.md", CHAT, language="markdown")


def knows(profile: str, feature: str) -> bool:
    return feature in json.loads((FOLDER / f"{profile}.json").read_text())["capabilities"]["textDocument"]


async def ask(
    client: Client, feature: str, place: tuple[int, int] | None = None, path: str = "q.chat.md", **more: Any
) -> Any:
    uri = client.uri(path)
    at = {"position": client.position(uri, place)} if place else {}
    return await client.request(f"textDocument/{feature}", {"textDocument": {"uri": uri}, **at, **more})


def at(client: Client, words: str, path: str = "q.chat.md") -> tuple[int, int]:
    """The place behind words of the document."""
    document = client.files[client.uri(path)].document
    return document.position(document.text.index(words) + len(words))


async def turns_calls_links_and_mentions(client: Client):
    profile = client.profile
    await client.open("other.md", "# Only words\n", language="markdown")
    seen = 0
    if knows(profile, "documentSymbol"):
        found = await ask(client, "documentSymbol")
        assert [each["name"] for each in found if each["kind"] == 15] == [
            "You: Why? @shop/cart.py:1 and `@not this`", "Attaché: > *thinking*", "You",
        ]  # fmt: skip
        calls = [each["name"] for top in found for each in (top, *top.get("children", [])) if each["kind"] == 12]
        assert calls == ["✓ search", "✗ test"]
        assert await ask(client, "documentSymbol", path="other.md") is None
        seen += 1
    if knows(profile, "foldingRange"):
        folded = [(each["startLine"], each["endLine"]) for each in await ask(client, "foldingRange")]
        lines = CHAT.split("\n")
        thought, test = lines.index("> *thinking*"), lines.index("- ✗ **test** `tests` · 1 failed")
        assert (0, 3) in folded
        assert (thought, thought + 1) in folded
        assert (test, test + 3) in folded
        assert await ask(client, "foldingRange", path="other.md") is None
        seen += 1
    if knows(profile, "documentLink"):
        links = {}
        for link in await ask(client, "documentLink"):
            start, end = (client.place(client.uri("q.chat.md"), link["range"][side]) for side in ("start", "end"))
            links[client.files[client.uri("q.chat.md")].document.line(start[0])[start[1] : end[1]]] = link["target"]
        cart = client.uri("shop/cart.py")
        assert links == {
            "@shop/cart.py:1": f"{cart}#L1",
            "shop/cart.py:2": f"{cart}#L2",
            "[cart](shop/cart.py#L1-L2)": f"{cart}#L1-L2",
        }
        seen += 1
    told = await ask(client, "hover", at(client, "@shop/ca"))
    assert "def total(cart):" in told["contents"]["value"]
    assert await ask(client, "hover", at(client, "It is")) is None
    assert seen or profile == "zed"


async def completed(client: Client, typed: str) -> list[dict[str, Any]]:
    uri = client.uri("q.chat.md")
    last = client.files[uri].document.line_count - 1
    await client.type("q.chat.md", (last, 0), (last, 10_000), typed)
    answer = await ask(client, "completion", (last, len(typed)), context={"triggerKind": 1})
    return answer["items"] if answer else []


def inserted(client: Client, item: dict[str, Any]) -> str:
    """The line as it is once the item is picked."""
    uri = client.uri("q.chat.md")
    edit = item["textEdit"]
    (line, start), (_, end) = (client.place(uri, edit["range"][side]) for side in ("start", "end"))
    row = client.files[uri].document.line(line)
    return row[:start] + edit["newText"] + row[end:]


async def mentions_and_commands_are_completed(client: Client):
    assert "@diagnostics" in [each["filterText"] for each in await completed(client, "漢😀 @")]
    (path,) = [each for each in await completed(client, "漢😀 @car") if each["kind"] == 17]
    assert inserted(client, path) == "漢😀 @shop/cart.py "
    symbol = next(each for each in await completed(client, "@total") if each["kind"] == 3)
    assert inserted(client, symbol) == "`total` @shop/cart.py:1 "
    (explain,) = await completed(client, "/expl")
    assert inserted(client, explain) == "/explain "
    assert "plan" in [each["label"] for each in await completed(client, "/mode pl")]
    assert await completed(client, "me@example") == []
    assert await completed(client, "words /expl") == []
    line = CHAT.split("\n").index("mode: build")
    answer = await ask(client, "completion", (line, 6), context={"triggerKind": 1})
    assert [each["label"] for each in answer["items"]] == ["build", "plan", "explore"]
    await client.open("at.py", "x = '@", language="python")
    assert (
        await ask(client, "completion", (0, 6), path="at.py", context={"triggerKind": 2, "triggerCharacter": "@"})
        is None
    )


async def test_what_is_mentioned_is_told_the_model(attach: Attach, script):
    client = await attach(
        **script({"text": "Seen.", "when": "UNSAVED = 1"}, {"text": "Also.", "when": "imported but unused"})
    )
    await client.open("a.py", "import os\nUNSAVED = 1\n")
    await client.open("q.chat.md", "## You\nLook at @a.py\n", language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    assert "Seen." in client.text("q.chat.md")
    last = client.text("q.chat.md").count("\n") - 1
    await client.type("q.chat.md", (last, 0), (last, 0), "What of @diagnostics and @diff?\n")
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: "Also." in client.text("q.chat.md"))
