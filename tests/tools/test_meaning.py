"""What tools say with a real language server behind them: what an edit broke, and what a name means."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from attache.index.client import Index
from attache.schema.errors import InvalidArguments
from attache.workspace.servers.servers import Servers
from tools.conftest import Desk

SCRIPTS = Path(sys.executable).parent
pytestmark = pytest.mark.skipif(
    not (SCRIPTS / "basedpyright-langserver").exists(), reason="basedpyright is not installed beside the tests' Python"
)
HELPER = "def double(text: str, times: int) -> str:\n    return text * times\n"
USER = 'import helper\n\n\nclass Other:\n    def double(self) -> int:\n        return 1\n\n\nprint(helper.double("a", 1))\nprint(Other().double())\n'


@pytest.fixture
async def served(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("PATH", f"{SCRIPTS}:/usr/bin:/bin")
    desk.write("helper.py", HELPER)
    desk.write("user.py", USER)
    own = Servers(desk.ctx.workspace, trusted=False)
    index = Index(desk.folder, home=tmp_path / "home")
    await index.start()
    await index.ready(20)
    desk.ctx = replace(desk.ctx, servers=own, index=index)
    yield desk
    await index.close()
    await own.close()


async def test_an_edit_answers_with_what_it_broke_in_every_file_it_touched(served: Desk):
    served.open("user.py", USER.replace('"a", 1', "3, 1"))  # unsaved, and wrong before the edit

    output = await served.call("edit", path="user.py", edits=[{"search": "return 1\n", "replace": 'return "one"\n'}])

    assert [each["code"] for each in output.data["new_diagnostics"]] == ["reportReturnType"]
    assert output.text.splitlines()[-2] == "1 new diagnostic:"
    assert "user.py:6:16 error reportReturnType" in output.text.splitlines()[-1]
    again = await served.call("edit", path="user.py", edits=[{"search": 'return "one"\n', "replace": "return 2\n"}])
    assert again.text.splitlines()[-1] == "no new diagnostics, 1 gone"
    found = (await served.call("diagnostics", paths=["user.py", "helper.py"])).data["diagnostics"]
    assert [each["code"] for each in found] == ["reportArgumentType"]


async def test_each_finding_is_told_once_whoever_makes_it(served: Desk):
    served.write("dup.py", "import os\n\nprint(nowhere)\n")
    found = (await served.call("diagnostics", paths=["dup.py"])).data["diagnostics"]
    assert [each["code"] for each in found] == ["F401", "F821"]
    assert found[0]["fix"]


async def test_a_name_means_what_it_means_where_it_stands(served: Desk):
    output = await served.call("definition", path="user.py", line=10, name="double")
    assert output.text == "user.py:5:9 · def double(self) -> int:"
    output = await served.call("definition", path="user.py", line=9, name="double")
    assert [str(each) for each in output.places] == ["helper.py:1"]
    output = await served.call("hover", path="user.py", line=9, name="double")
    assert "times: int" in output.text
    with pytest.raises(InvalidArguments, match="does not stand in") as refused:
        await served.call("definition", path="user.py", line=1, name="double")
    assert refused.value.hint == "it stands in line 5, 9, 10"


async def test_without_a_server_the_index_answers_and_says_so(served: Desk):
    served.ctx = replace(served.ctx, servers=None)
    output = await served.call("definition", path="user.py", line=9, name="double")
    assert {str(each) for each in output.places} == {"helper.py:1", "user.py:5"}
    assert "no language server could tell" in output.text
    assert "double" in (await served.call("hover", path="user.py", line=9, name="double")).text


async def test_references_that_only_share_the_name_come_last(served: Desk):
    served.write("box.py", "def show(box: object) -> None:\n    print(box.double)\n")
    served.write("user.py", USER.replace("def double(self)", "def twice(self)"))
    assert served.ctx.index
    await served.ctx.index.refresh()
    async with asyncio.timeout(20):
        while "the last 2 places" not in (output := await served.call("references", name="double")).text:
            await asyncio.sleep(0.2)  # it does not know all files yet; none is lost meanwhile
            assert len(output.places) == 4
    found = [(each.path, each.line) for each in output.places]
    assert found == [("helper.py", 1), ("user.py", 9), ("box.py", 2), ("user.py", 10)]


async def test_a_definition_asked_about_on_its_own_line_is_that_one_alone(served: Desk):
    served.ctx = replace(served.ctx, servers=None)
    served.write("many.py", "".join(f"class C{n}:\n    def double(self): ...\n" for n in range(30)))
    await served.ctx.index.refresh()
    (own,) = (await served.call("definition", path="many.py", line=60, name="double")).data["definitions"]
    assert (own["path"], own["line"]) == ("many.py", 60)
    told = (await served.call("hover", path="user.py", line=5, name="double")).text
    assert told.startswith("user.py:5 method")
    assert "helper.py" not in told
    assert len((await served.call("definition", path="user.py", line=9, name="double")).data["definitions"]) > 2
