"""Findings are those of the text as it stands, each with its cure, and settings of strangers stay inert."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attache.schema.documents import Diagnostic, Patch, Place
from attache.schema.errors import FileMissing, ToolError
from attache.tools.diagnostics import merged, ruff, syntax

BAD = 'import os\n\n\ndef f():\n    ünï = "ä😀"; y = nowhere\n    return ünï\n'


async def test_a_python_buffer_is_judged_and_cured_by_ruff(desk) -> None:
    desk.write("src/a.py", "fine = 1\n")
    desk.open("src/a.py", BAD)
    output = await desk.call("diagnostics", paths=["src/a.py"])
    assert output.text.splitlines() == [
        "src/a.py:1:8 warning F401 `os` imported but unused [fix: Remove unused import: `os`]",
        "src/a.py:5:15 warning E702 Multiple statements on one line (semicolon)",
        (
            "src/a.py:5:17 warning F841 Local variable `y` is assigned to but never used"
            " [fix: Remove assignment to unused variable `y`, unsafe]"
        ),
        "src/a.py:5:21 error F821 Undefined name `nowhere`",
    ]
    assert output.title == "src/a.py · 4 findings"
    found = [Diagnostic.model_validate(each) for each in output.data["diagnostics"]]
    assert found[0].fix == (Patch(path="src/a.py", line=1, column=1, end_line=2, end_column=1, text=""),)
    assert [each.safe for each in found] == [True, False, False, False]
    assert {each.source for each in found} == {"ruff"}
    assert str(output.places[3]) == "src/a.py:5"


async def test_a_clean_file_has_none_and_a_missing_one_is_said(desk) -> None:
    desk.write("a.py", "x = 1\n")
    desk.write("notes.txt", "anything ( goes\n")
    assert (await desk.call("diagnostics", paths=["a.py"])).text == "a.py: nothing found"
    assert (await desk.call("diagnostics", paths=["a.py", "notes.txt"])).title == "2 files · 0 findings"
    with pytest.raises(FileMissing):
        await desk.call("diagnostics", paths=["gone.py"])


async def test_python_that_does_not_parse(desk) -> None:
    desk.write("a.py", "def f(:\n    pass\n")
    (first, *_) = (await desk.call("diagnostics", paths=["a.py"])).data["diagnostics"]
    assert (first["code"], first["severity"], first["place"]["line"]) == ("invalid-syntax", "error", 1)


@pytest.mark.parametrize("trusted", [False, True])
async def test_the_folders_ruff_settings_hold_only_where_it_is_trusted(desk, trusted: bool) -> None:
    desk.write("ruff.toml", 'lint.select = ["D100"]\n')
    desk.write("a.py", "import os\n")
    desk.set(trusted=trusted)
    codes = {each["code"] for each in (await desk.call("diagnostics", paths=["a.py"])).data["diagnostics"]}
    assert codes == ({"D100"} if trusted else {"F401"})


async def test_broken_settings_of_a_trusted_folder_are_said(desk) -> None:
    desk.write("ruff.toml", "lint.select = [nonsense\n")
    desk.write("a.py", "import os\n")
    desk.set(trusted=True)
    with pytest.raises(ToolError, match=r"(?s)ruff failed on a\.py: .*ruff\.toml"):
        await desk.call("diagnostics", paths=["a.py"])


async def test_what_the_editor_says_is_merged_each_finding_once(desk) -> None:
    desk.write("a.py", "import os\n")
    place = Place(path="a.py", line=1, column=8)
    told = (
        Diagnostic(place=place, message="`os` imported but unused", source="Ruff", code="F401"),
        Diagnostic(place=place, message='Import "os" is not accessed', source="Pyright"),
    )

    async def findings(path: str) -> tuple[Diagnostic, ...]:
        assert path == "a.py"
        return told

    desk.ctx = replace(desk.ctx, findings=findings)
    found = (await desk.call("diagnostics", paths=["a.py"])).data["diagnostics"]
    assert [(each["source"], bool(each["fix"])) for each in found] == [("ruff", True), ("Pyright", False)]


def test_of_two_equal_findings_the_one_with_the_cure_is_kept() -> None:
    place = Place(path="a.py", line=1)
    bare = Diagnostic(place=place, message="x", code="F401")
    cured = bare.model_copy(update={"fix": (Patch(path="a.py", line=1, column=1, end_line=2, end_column=1, text=""),)})
    assert merged([bare], [cured]) == (cured,)
    assert merged([cured], [bare]) == (cured,)


@pytest.mark.parametrize(
    ("path", "text", "places"),
    [
        ("a.json", '{"a": [1, 2}\n', ["a.json:1"]),
        ("a.ts", "const x: number = 1;\nfunction f( { return 1 }\n", ["a.ts:2"]),
        ("a.go", "package main\n\nfunc main() {\n", ["a.go:3"]),
        ("a.toml", "ok = 1\nbad = = 2\n", ["a.toml:2"]),
        ("a.toml", "ok = 1\rbad = = 2\r", ["a.toml:2"]),
        ("a.rs", "fn main() { let x = 1; }\n", []),
        ("a.json", '{"a": "ä😀"}\n', []),
        ("a.yaml", "a: [1, 2]\n", []),
        ("a.c", "MACRO(x) {\n", []),
        ("a.md", "# [x(\n", []),
        ("unknown.xyz", "((((", []),
    ],
)
def test_other_languages_are_judged_by_a_strict_grammar(path: str, text: str, places: list[str]) -> None:
    found = syntax(path, text)
    assert [str(each.place).partition("-")[0] for each in found] == places
    assert {each.severity for each in found} <= {"error"}


def test_columns_of_syntax_errors_count_code_points() -> None:
    found = syntax("a.json", '["ä😀", ]\n')[0]  # its comma stands behind ten bytes
    assert (found.place.line, found.place.column) == (1, 6)


async def test_fixes_of_ruff_fit_the_text_they_were_made_for(desk) -> None:
    """Put every safe fix in and look again: nothing that was cured comes back."""
    from attache.workspace.documents import Document

    root = desk.folder
    text = 'import os\nimport sys\n\nx = "é😀"; print(f"plain", x == None)\nif not x in []:\n    pass\n'
    found = await ruff("a.py", text, cwd=root, trusted=False)
    safe = [each for each in found if each.fix and each.safe]
    assert {"F401", "F541", "E713"} <= {each.code for each in safe}
    document = Document("file:///a.py", text)
    for patch in sorted((patch for each in safe for patch in each.fix), key=lambda p: (p.line, p.column), reverse=True):
        document.replace((patch.line - 1, patch.column - 1), (patch.end_line - 1, patch.end_column - 1), patch.text)
    assert document.text == '\nx = "é😀"; print("plain", x == None)\nif x not in []:\n    pass\n'
    left = {each.code for each in await ruff("a.py", document.text, cwd=root, trusted=False)}
    assert left.isdisjoint({each.code for each in safe})
