"""The index answers with places that exist and say what is claimed, unsaved text included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from attache.index.client import Index
from attache.schema.errors import FileMissing, FileSkipped, InvalidArguments, ToolError

CLIENT = '''"""Talk to the server."""


class Client:
    def send(self, request):
        """Send a request and retry it when it failed."""
        for attempt in range(3):
            if self.once(request):
                return attempt
        raise TimeoutError

    def once(self, request):
        return bool(request)
'''
MAIN = "from net.client import Client\n\n\ndef main():\n    return Client().send(1)\n"


@pytest.fixture
async def indexed(desk, tmp_path: Path) -> AsyncIterator:
    desk.write("net/client.py", CLIENT)
    desk.write("main.py", MAIN)
    desk.write("long.py", "def long():\n" + "".join(f"    telescope_{n} = {n}\n" for n in range(30)))
    index = Index(desk.folder, home=tmp_path / "home")
    await index.start()
    assert await index.ready(60)
    desk.ctx = replace(desk.ctx, index=index)
    yield desk
    await index.close()


def _true(desk, output) -> None:
    """Check that every line the answer quotes stands there."""
    path, lines = "", []
    for row in output.text.splitlines():
        number, tab, text = row.partition("\t")
        if tab and number.isdigit():
            assert lines[int(number) - 1] == text, (path, row)
        else:
            path = row.partition(":")[0]
            lines = (desk.folder / path).read_text().splitlines() if (desk.folder / path).is_file() else []


async def test_a_question_finds_the_place_and_quotes_it(indexed) -> None:
    output = await indexed.call("search", query="where are failed requests retried?")
    first, second = output.text.splitlines()[:2]
    assert first.startswith("net/client.py:")
    assert "Client.send" in first
    assert second.partition("\t")[2] in CLIENT.splitlines()
    _true(indexed, output)
    assert output.places[0].path == "net/client.py"
    assert "net/client.py" in {hit["path"] for hit in output.data["hits"]}
    assert output.title.startswith("`where are failed requests retried?` · ")


async def test_a_long_hit_says_what_is_left_out(indexed) -> None:
    output = await indexed.call("search", query="telescope", limit=1)
    assert "lines more]" in output.text
    _true(indexed, output)


async def test_symbols_by_name_and_by_file(indexed) -> None:
    output = await indexed.call("symbols", name="send")
    assert output.text.startswith("net/client.py:5-10 method Client.send · def send(self, request)")
    assert output.title == "`send` · 1 symbol"
    assert [str(place) for place in output.places] == ["net/client.py:5-10"]
    for path in ("net/client.py", "net", "./net/", str(indexed.folder / "net")):
        names = [each["name"] for each in (await indexed.call("symbols", path=path)).data["symbols"]]
        assert names == ["Client", "send", "once"], path
    with pytest.raises(InvalidArguments, match="needs a name or a path"):
        await indexed.call("symbols")


async def test_references_with_what_they_stand_in(indexed) -> None:
    output = await indexed.call("references", name="send")
    rows = output.text.splitlines()
    assert rows[0].startswith("net/client.py:5:9 definition")
    assert "main.py:5:21 call in main · return Client().send(1)" in rows
    assert output.title == "`send` · 2 references in 2 files"
    assert "main.py:5" in {str(place) for place in output.places}
    only = await indexed.call("references", name="send", path="main.py")
    assert {each["path"] for each in only.data["references"]} == {"main.py"}


async def test_nothing_is_said_plainly(indexed) -> None:
    assert (await indexed.call("symbols", name="zeppelin")).text == "no symbol found for `zeppelin`"
    assert (await indexed.call("references", name="zeppelin")).text == "nothing refers to `zeppelin`"
    assert (await indexed.call("search", query="zeppelin")).text == "nothing found for `zeppelin`"
    assert (await indexed.call("search", query="zeppelin")).title == "`zeppelin` · nothing"


@pytest.mark.parametrize(("called", "arguments"), [("symbols", {}), ("references", {"name": "x"})])
async def test_a_path_that_is_not_there_is_said(indexed, called: str, arguments) -> None:
    for path in ("gone.py", "gone/deeper.py", "main.py/x"):
        with pytest.raises(FileMissing, match=f"{path}: no such file"):
            await indexed.call(called, path=path, **arguments)
    (indexed.folder / "empty").mkdir()
    assert (await indexed.call(called, path="empty", **arguments)).text.startswith("no")


async def test_symbols_of_what_is_no_text(indexed) -> None:
    indexed.write("a.bin", b"\0\0")
    with pytest.raises(FileSkipped, match=r"a\.bin is not text"):
        await indexed.call("symbols", path="a.bin")


async def test_unsaved_text_is_known(indexed) -> None:
    indexed.ctx.index.update("main.py", MAIN + "\n\ndef zeppelin():\n    return main()\n")
    assert (await indexed.call("symbols", name="zeppelin")).text.startswith("main.py:8-9 function zeppelin")
    assert "main.py:9:12 call in zeppelin" in (await indexed.call("references", name="main")).text


async def test_many_references_are_cut_and_counted(indexed) -> None:
    indexed.ctx.index.update("main.py", "zeppelin()\n" * 30)
    output = await indexed.call("references", name="zeppelin", limit=10)
    assert output.text.endswith("[… 20 more; name a path]")
    assert output.data["total"] == 30
    assert len(output.places) == len(output.data["references"]) == 10


@pytest.mark.parametrize(
    ("name", "arguments"), [("search", {"query": "x"}), ("symbols", {"name": "x"}), ("references", {"name": "x"})]
)
async def test_without_an_index_the_way_out_is_told(desk, name: str, arguments) -> None:
    with pytest.raises(ToolError, match="no index") as none:
        await desk.call(name, **arguments)
    assert none.value.hint == "use grep and find"
