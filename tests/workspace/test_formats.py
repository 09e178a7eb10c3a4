"""Every format of edits, case by case: in memory, and on disk through the journal; nothing half done, no byte lost."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId
from attache.schema.edits import ChangeSet
from attache.schema.errors import EditRefused, ToolError
from attache.workspace.formats.in_memory import InMemory
from attache.workspace.formats.table import FORMATS, changes
from attache.workspace.workspace import Workspace

CASES = Path(__file__).parents[1] / "edits"
PUBLIC = Path(os.environ.get("ATTACHE_EDITS") or Path(__file__).parents[3] / "shared" / "edits") / "apply_patch"
PARTIAL = "015_failure_after_partial_success_leaves_changes"  # ours is all or none: what it expects is its input


def cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.toml")):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            yield pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")


each_case = pytest.mark.parametrize(("name", "case"), list(cases()))


def public() -> list[Path]:
    return sorted(patch.parent for patch in PUBLIC.glob("*/patch.txt"))


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8") for path in files}


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode("utf-8"))
    return folder


async def in_memory(name: str, before: Mapping[str, str], instruction: str) -> dict[str, str]:
    files = InMemory(before)
    return files.after(await changes(name, instruction, files))


async def on_disk(tmp_path: Path, name: str, before: Mapping[str, str], instruction: str) -> dict[str, str]:
    root = written(tmp_path / "root", before)
    workspace = Workspace((root,), home=tmp_path / "home")
    try:
        files = await changes(name, instruction, workspace)
        await workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title="an edit", files=files))
    finally:
        workspace.close()
        left = tree(root)
    return left


def test_all_formats_are_tried() -> None:
    assert {file.stem for file in CASES.glob("*.toml")} == set(FORMATS)


@each_case
async def test_in_memory(name: str, case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(ToolError) as refusal:
            await in_memory(name, case["before"], case["instruction"])
        assert case["refused"] in f"{refusal.value.message}\n{refusal.value.hint}"
        assert refusal.value.hint
    else:
        assert await in_memory(name, case["before"], case["instruction"]) == case["after"]


@each_case
async def test_on_disk(tmp_path: Path, name: str, case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(ToolError):
            await on_disk(tmp_path, name, case["before"], case["instruction"])
        assert tree(tmp_path / "root") == case["before"]
    else:
        assert await on_disk(tmp_path, name, case["before"], case["instruction"]) == case["after"]


@pytest.mark.skipif(not public(), reason=f"no public scenarios in {PUBLIC}")
@pytest.mark.parametrize("scenario", public(), ids=lambda scenario: scenario.name)
async def test_the_public_scenarios(tmp_path: Path, scenario: Path) -> None:
    before = tree(scenario / "input")
    patch = (scenario / "patch.txt").read_bytes().decode("utf-8")
    expected = before if scenario.name == PARTIAL else tree(scenario / "expected")
    for attempt in (in_memory("apply_patch", before, patch), on_disk(tmp_path, "apply_patch", before, patch)):
        try:
            after = await attempt
        except EditRefused:
            after = before
        assert after == expected
    assert tree(tmp_path / "root") == expected


# ---------------------------------------------------------------- what a workspace adds


async def test_a_byte_order_mark_on_disk_is_kept_and_not_taken_off(tmp_path: Path) -> None:
    head = "--- a/a.cs\n+++ b/a.cs\n@@ -1 +1 @@\n"
    before = {"a.cs": "\ufeffusing A;\r\n"}
    after = await on_disk(tmp_path, "unified_diff", before, head + "-using A;\n+using B;\n")
    assert after == {"a.cs": "\ufeffusing B;\r\n"}
    with pytest.raises(EditRefused, match="byte-order mark cannot be removed"):
        await on_disk(tmp_path / "again", "unified_diff", before, head + "-\ufeffusing A;\n+using B;\n")


async def test_a_new_file_is_executable_where_the_diff_says_so(tmp_path: Path) -> None:
    diff = "diff --git a/run b/run\nnew file mode 100755\n--- /dev/null\n+++ b/run\n@@ -0,0 +1 @@\n+#!/bin/sh\n"
    await on_disk(tmp_path, "unified_diff", {}, diff)
    assert os.name == "nt" or os.access(tmp_path / "root" / "run", os.X_OK)


async def test_other_encodings_stay(tmp_path: Path) -> None:
    root = written(tmp_path / "root", {})
    (root / "a.txt").write_bytes("grüß\nGott\n".encode("utf-16"))
    workspace = Workspace((root,), home=tmp_path / "home")
    files = await changes("pair", '{"path": "a.txt", "search": "Gott", "replace": "dich"}', workspace)
    await workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title="an edit", files=files))
    workspace.close()
    assert (root / "a.txt").read_bytes() == "grüß\ndich\n".encode("utf-16")


async def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    root = written(tmp_path / "root", {})
    (root / "a.bin").write_bytes(bytes(range(256)))
    workspace = Workspace((root,), home=tmp_path / "home")
    with pytest.raises(EditRefused, match=r"a\.bin is not text"):
        await changes("pair", '{"path": "a.bin", "search": "x", "replace": "y"}', workspace)
    workspace.close()
