"""Several folders, asked as one: each file by the name that leads back to it, folders that come and go, buffers on top."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from attache.index.folders import Indexes
from attache.workspace.workspace import Workspace


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "one", tmp_path / "two #2", tmp_path / "two #2" / "inner"]
    for folder in found:
        folder.mkdir()
        (folder / "same.py").write_text(f"def {folder.name[:3]}_shared():\n    return helper()\n")
    (found[0] / "helper.py").write_text("def helper():\n    return 1\n")
    (found[1] / "only.py").write_text("class Only:\n    def helper_of_two(self): ...\n")
    return found


@pytest.fixture
async def indexes(folders: list[Path], tmp_path: Path) -> AsyncIterator[Indexes]:
    indexes = Indexes(folders[:2], home=tmp_path / "home")
    assert await indexes.ready(30)
    yield indexes
    await indexes.close()


async def test_every_folder_answers_and_each_file_is_named_so_that_it_is_found_again(
    indexes: Indexes, folders: list[Path], tmp_path: Path
):
    one, two, _ = folders
    uses = await indexes.references("helper")
    assert [(each.path, each.line, each.role) for each in uses] == [
        ("helper.py", 1, "definition"),
        ("same.py", 2, "call"),
        ("inner/same.py", 2, "call"),
        ((two / "same.py").as_posix(), 2, "call"),
    ]
    workspace = Workspace(folders[:2], home=tmp_path / "home")
    for each in uses:
        assert "helper()" in (await workspace.read(each.path)).text
        assert workspace.shown(workspace.uri(each.path)) == each.path
    listed = await workspace.files()
    assert set(listed) == {
        "same.py", "helper.py", "only.py", "inner/same.py", (two / "same.py").as_posix(),
    }  # fmt: skip
    workspace.close()
    assert [each.name for each in await indexes.symbols("helper")] == ["helper", "helper_of_two"]
    assert [each.path for each in await indexes.symbols("Only")] == ["only.py"]
    assert {each.path for each in await indexes.search("shared")} == {
        "same.py", (two / "same.py").as_posix(), "inner/same.py",
    }  # fmt: skip
    assert [each.name for each in await indexes.outline((two / "same.py").as_posix())] == ["two_shared"]
    assert [each.name for each in await indexes.outline("same.py")] == ["one_shared"]
    assert len(await indexes.references_at((two / "same.py").as_posix(), 2, 13)) == len(uses)
    assert [each.path for each in await indexes.references("helper", path="only.py")] == []
    assert indexes.status().files == 5
    assert (one / "same.py").exists()


async def test_buffers_stand_over_the_files_of_the_folder_that_they_are_in(indexes: Indexes, folders: list[Path]):
    _, two, _ = folders
    indexes.update(two / "same.py", "def typed(): ...\n")
    assert [each.path for each in await indexes.symbols("typed")] == [(two / "same.py").as_posix()]
    assert [each.name for each in await indexes.outline("same.py")] == ["one_shared"]
    indexes.update(two / "new.py", "def unsaved(): ...\n")
    assert [each.path for each in await indexes.symbols("unsaved")] == ["new.py"]
    assert [each.name for each in await indexes.outline("new.py")] == ["unsaved"]
    indexes.update(two / "same.py", None)
    assert await indexes.symbols("typed") == ()


async def test_folders_come_and_go(indexes: Indexes, folders: list[Path]):
    one, two, inner = folders
    indexes.update(inner / "same.py", "def typed_inside(): ...\n")
    assert [each.path for each in await indexes.symbols("typed_inside")] == ["inner/same.py"]
    await indexes.use_folders([one, two, inner])
    assert await indexes.ready(30)
    assert [each.path for each in await indexes.symbols("typed_inside")] == [(inner / "same.py").as_posix()]
    assert await indexes.symbols("inn_shared") == ()  # the buffer stands over it, in the folder within the other too
    await indexes.use_folders([two])
    assert await indexes.symbols("one_shared") == ()
    assert [each.path for each in await indexes.symbols("two_shared")] == ["same.py"]
    (two / "later.py").write_text("def later(): ...\n")
    await indexes.refresh()
    assert [each.path for each in await indexes.symbols("later")] == ["later.py"]
