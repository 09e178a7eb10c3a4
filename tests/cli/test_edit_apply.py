"""`attache edit apply`: all files of an instruction or none, and never a silent guess."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .test_cli import ROOT, attache, lines, work  # noqa: F401 - fixtures

SCENARIOS = Path(os.environ.get("ATTACHE_EDITS", ROOT.parent / "shared" / "edits")) / "apply_patch"
FILES = {"a.py": "def f():\n    return 1\n", "b.txt": "one\r\ntwo\r\n"}
EXACT = {
    "search_replace": "a.py\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n",
    "apply_patch": "*** Begin Patch\n*** Update File: a.py\n@@\n def f():\n-    return 1\n+    return 2\n*** End Patch\n",
    "unified_diff": "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n",
    "whole": "a.py\n```\ndef f():\n    return 2\n```\n",
    "pair": json.dumps({"path": "a.py", "search": "return 1", "replace": "return 2"}),
}
MISSED = {
    "search_replace": EXACT["search_replace"].replace("return 1", "return 7"),
    "apply_patch": EXACT["apply_patch"].replace("return 1", "return 7"),
    "unified_diff": EXACT["unified_diff"].replace("return 1", "return 7"),
    "pair": json.dumps({"path": "a.py", "search": "return 7", "replace": "return 2"}),
}


def batch(attache, rows: list[dict]) -> list[dict]:  # noqa: F811
    run = attache("edit", "apply", "--format", "pair", "--batch", stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert run.returncode == 0, run.stderr
    return lines(run.stdout)


def test_each_format_changes_what_it_names_and_nothing_else(attache) -> None:  # noqa: F811
    rows = [{"id": name, "format": name, "files": FILES, "instruction": text} for name, text in EXACT.items()]
    for answer in batch(attache, rows):
        assert answer["files"] == {**FILES, "a.py": "def f():\n    return 2\n"}, answer


def test_what_is_not_there_is_refused_with_a_reason(attache) -> None:  # noqa: F811
    rows = [{"id": name, "format": name, "files": FILES, "instruction": text} for name, text in MISSED.items()]
    answers = batch(attache, rows)
    assert [answer["id"] for answer in answers] == list(MISSED)
    assert all("a.py" in answer["refused"] for answer in answers)


def test_on_disk_it_is_all_files_or_none(attache, work: Path) -> None:  # noqa: F811
    patch = EXACT["apply_patch"].replace("*** End Patch", "*** Delete File: nowhere.txt\n*** End Patch")
    (work / "a.py").write_text(FILES["a.py"])
    refused = attache("edit", "apply", "--format", "apply_patch", "--root", str(work), stdin=patch)
    assert refused.returncode == 4
    assert "nowhere.txt" in refused.stderr
    assert (work / "a.py").read_text() == FILES["a.py"]
    done = attache("edit", "apply", "--format", "apply_patch", "--root", str(work), stdin=EXACT["apply_patch"])
    assert done.returncode == 0, done.stderr
    assert (work / "a.py").read_text() == "def f():\n    return 2\n"


def test_the_instruction_may_be_a_file(attache, work: Path) -> None:  # noqa: F811
    (work / "a.py").write_text(FILES["a.py"])
    (work / "the.diff").write_text(EXACT["unified_diff"])
    done = attache("edit", "apply", str(work / "the.diff"), "--format", "unified_diff", "--root", str(work))
    assert done.returncode == 0, done.stderr
    assert (work / "a.py").read_text() == "def f():\n    return 2\n"
    missing = attache("edit", "apply", str(work / "no.diff"), "--format", "unified_diff", "--root", str(work))
    assert missing.returncode == 2
    assert "no.diff cannot be read" in missing.stderr


def _tree(folder: Path) -> dict[str, str]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file()) if folder.is_dir() else ()
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in found}


@pytest.mark.skipif(not SCENARIOS.is_dir(), reason="the public apply_patch scenarios are not here (ATTACHE_EDITS)")
def test_the_public_scenarios(attache) -> None:  # noqa: F811
    cases = sorted(path for path in SCENARIOS.iterdir() if (path / "patch.txt").is_file())
    rows = [
        {
            "id": case.name,
            "format": "apply_patch",
            "files": _tree(case / "input"),
            "instruction": (case / "patch.txt").read_bytes().decode(),
        }
        for case in cases
    ]
    wrong = []
    for case, row, answer in zip(cases, rows, batch(attache, rows), strict=True):
        expected = row["files"] if case.name.startswith("015") else _tree(case / "expected")
        if answer.get("files", row["files"]) != expected:
            wrong.append(case.name)
    assert wrong == []
