from __future__ import annotations

import asyncio
import random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attache.faces.lsp.outline import Definition, innermost, moved, read, roughly_moved
from attache.faces.lsp.wire.positions import Encoding
from attache.schema.data import Uri
from attache.workspace.documents import BufferEdit, Document
from lsp.client import Client, units
from lsp.conftest import Attach

TEXT = '''"""Doc."""

class Cart:
    def total(self):  # 漢😀
        return 1

    def größe(self): return "😀"


async def main(): ...
'''


async def lenses(client: Client, path: str) -> list[dict]:
    return await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri(path)}})


@pytest.mark.parametrize("encoding", get_args(Encoding))
async def test_three_lenses_stand_on_each_definition(attach: Attach, encoding: str):
    client = await attach(capabilities={"general": {"positionEncodings": [encoding]}})
    await client.open("a.py", TEXT)
    found = await lenses(client, "a.py")
    assert [each["command"]["title"] for each in found] == ["ask agent", "explain", "test"] * 4
    names = []
    for lens in found[::3]:
        start, end = (client.place(client.uri("a.py"), lens["range"][side]) for side in ("start", "end"))
        names.append(TEXT.split("\n")[start[0]][start[1] : end[1]])
    assert names == ["Cart", "total", "größe", "main"]
    assert found[3]["command"]["arguments"][0]["symbol"] == "Cart.total"


async def test_lenses_follow_what_is_typed(attach: Attach):
    client = await attach()
    await client.open("a.py", TEXT)
    await lenses(client, "a.py")
    await client.type("a.py", (9, 0), (9, 0), "x = 1\n\n")
    assert [each["range"]["start"]["line"] for each in (await lenses(client, "a.py"))[::3]] == [2, 3, 6, 11]
    for column, letter in enumerate("def new(): ..."):
        await client.type("a.py", (10, column), (10, column), letter)
    assert [each["range"]["start"]["line"] for each in (await lenses(client, "a.py"))[::3]] == [2, 3, 6, 10, 11]


async def test_what_no_line_shows_is_seen_once_the_typing_pauses(attach: Attach):
    client = await attach("vscode")
    await client.open("a.js", "function a(){}\n\nfunction b(){}\n", "javascript")
    assert len(await lenses(client, "a.js")) == 6
    await client.type("a.js", (1, 0), (1, 0), "x = `")
    await client.until(lambda: client.said("workspace/codeLens/refresh"))
    assert len(await lenses(client, "a.js")) == 3


async def test_lenses_can_be_switched_off(attach: Attach):
    client = await attach(ATTACHE_LENSES="false")
    await client.open("a.py", TEXT)
    assert await lenses(client, "a.py") == []


async def test_a_setting_that_is_wrong_is_told_and_the_rest_holds(attach: Attach):
    client = await attach(ATTACHE_LENSES="perhaps")
    await client.open("a.py", TEXT)
    assert len(await lenses(client, "a.py")) == 12
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "ATTACHE_LENSES" in message["message"]


@pytest.mark.parametrize("language", ["python", "no-such-language"])
async def test_a_file_that_nothing_reads_has_none(attach: Attach, language: str):
    client = await attach()
    await client.open("notes.unknown", "just words\n", language)
    assert await lenses(client, "notes.unknown") == []


# ---------------------------------------------------------------- moving


def source(chance: random.Random) -> str:
    lines: list[str] = []
    for number in range(chance.randint(1, 6)):
        lines += [f"def f{number}(x):", *["    y = x + 1"] * chance.randint(1, 4), *[""] * chance.randint(0, 2)]
    return "\n".join(lines)


@settings(max_examples=200)
@given(st.integers())
def test_moved_definitions_are_those_that_would_be_read(seed: int):
    chance = random.Random(seed)
    document = Document(Uri("file:///a.py"), source(chance))
    definitions: tuple[Definition, ...] | None = read(document.uri, "python", document.text)
    for _ in range(chance.randint(1, 5)):
        line = chance.randrange(document.line_count)
        if document.line(line).startswith("def") or not document.line(line):
            continue
        column = chance.randint(4, len(document.line(line)))
        if chance.random() < 0.3 and document.line(line + 1).startswith("    "):
            edit = BufferEdit((line, 0), (line + 1, 0), "")
        else:
            edit = BufferEdit((line, column), (line, column), chance.choice(["z", "\n    z = 2", "\n    z\n    z"]))
        edit = document.replace(*edit)
        definitions = moved(definitions or (), edit)
        assert definitions is not None
    assert definitions == read(document.uri, "python", document.text)


def test_an_edit_at_the_head_of_a_definition_is_not_guessed_about():
    definitions = read("file:///a.py", "python", "@cache\ndef f():\n    return 1\n")
    for line in (0, 1):
        assert moved(definitions, BufferEdit((line, 0), (line, 0), "# ")) is None


def test_what_cannot_be_told_is_moved_roughly_until_it_is_read():
    definitions = read("file:///a.py", "python", "@cache\ndef f():\n    return 1\n\n\ndef g(): ...\n")
    found = roughly_moved(definitions, BufferEdit((1, 0), (1, 0), "def new(): ...\n\n"))
    assert [(each.name, each.line, each.last) for each in found] == [("f", 1, 4), ("g", 7, 7)]
    found = roughly_moved(definitions, BufferEdit((0, 0), (3, 0), ""))
    assert [(each.name, each.line) for each in found] == [("g", 2)]


async def test_in_a_long_document_typing_waits_for_no_reading(attach: Attach):
    client = await attach("neovim")
    text = "".join(f"def f{number}(x):\n    return x + {number}\n\n" for number in range(400))
    await client.open("a.py", text)
    assert len(await lenses(client, "a.py")) == 1200
    await client.type("a.py", (0, 0), (0, 0), "def new(): ...\n")
    found = await lenses(client, "a.py")
    assert found[-1]["range"]["start"]["line"] == 1198
    async with asyncio.timeout(20):  # read a moment after the typing pauses
        while len(await lenses(client, "a.py")) != 1203:
            await asyncio.sleep(0.1)


def test_the_smallest_definition_around_a_line():
    definitions = read("file:///a.py", "python", TEXT)
    assert [getattr(innermost(definitions, line), "name", None) for line in (0, 2, 4, 6, 9)] == [
        None, "Cart", "total", "größe", "main",
    ]  # fmt: skip


def test_units_of_the_client_are_those_of_the_protocol():
    assert [units("a漢😀", encoding) for encoding in ("utf-8", "utf-16", "utf-32")] == [8, 4, 3]
