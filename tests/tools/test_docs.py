"""What lacks documentation, what installed packages say without being run, and what a release changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from attache.schema.errors import FileMissing, ToolError
from tools.repositories import git, repository


async def test_what_lacks_documentation_is_named(desk) -> None:
    desk.write(
        "a.py",
        'class A:\n    """Good."""\n\n    def run(self):\n        return 1\n\n    def _inner(self):\n        pass\n',
    )
    desk.write(
        "b.ts", "/** Adds. */\nexport function add(a: number) { return a }\nexport function bare() { return 1 }\n"
    )
    desk.write("test_a.py", "def test_a(): pass\n")
    desk.open(
        "a.py", 'class A:\n    """Good."""\n\n    def run(self):\n        return 1\n\ndef typed():\n    return 2\n'
    )
    output = await desk.call("doc_coverage")
    assert sorted(output.data["bare"]) == ["a.py:4 A.run", "a.py:7 typed", "b.ts:3 bare"]
    assert output.title == "2 of 5 definitions documented, 40 %"
    assert (await desk.call("doc_coverage", glob="*.ts")).data["total"] == 2
    with pytest.raises(FileMissing):
        await desk.call("doc_coverage", path="nowhere.py")


def install(folder: Path) -> Path:
    site = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    package = site / "teapot"
    package.mkdir(parents=True)
    canary = folder / "canary"
    (package / "__init__.py").write_text(
        f'"""Brew tea."""\nfrom pathlib import Path\nfrom ._pots import Pot as Pot, brew\nPath({str(canary)!r}).touch()\n'
    )
    (package / "_pots.py").write_text(
        'STRONG = 5\n\nclass Pot:\n    """Holds tea."""\n\n    def pour(self, cups: int = 1) -> str:\n        """Pour some.\n\n        Carefully.\n        """\n\n'
        'async def brew(leaf: str, /, *, minutes: float) -> Pot:\n    """Brew a pot."""\n'
    )
    info = site / "teapot_brewer-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: teapot-brewer\nVersion: 2.1\nSummary: Tea.\n\n# Teapot\n\nHow to brew.\n"
    )
    (info / "RECORD").write_text("teapot/__init__.py,,\nteapot/_pots.py,,\n")
    return canary


async def test_an_installed_package_is_read_and_not_run(desk) -> None:
    canary = install(desk.folder)
    module = await desk.call("lookup", name="teapot")
    assert module.text.startswith("Brew tea.")
    pour = await desk.call("lookup", name="teapot.Pot.pour")
    assert "def pour(self, cups: int=1) -> str" in pour.text
    assert "Carefully." in pour.text
    brew = await desk.call("lookup", name="teapot.brew")
    assert "async def brew(leaf: str, /, *, minutes: float) -> Pot" in brew.text
    readme = await desk.call("lookup", name="teapot-brewer")
    assert readme.text.startswith("teapot-brewer 2.1\nTea.")
    assert "How to brew." in readme.text
    assert "STRONG = 5" in (await desk.call("lookup", name="teapot._pots.STRONG")).text
    assert not canary.exists()
    with pytest.raises(ToolError, match="defines no Kettle") as unknown:
        await desk.call("lookup", name="teapot._pots.Kettle")
    assert "Pot" in unknown.value.hint


async def test_our_own_packages_serve_where_the_project_has_none(desk) -> None:
    found = await desk.call("lookup", name="pydantic.BaseModel.model_validate")
    assert "def model_validate(cls" in found.text
    with pytest.raises(ToolError, match="is not installed here"):
        await desk.call("lookup", name="no-such-package-at-all")
    with pytest.raises(ToolError, match="no name of a package"):
        await desk.call("lookup", name="../../etc/passwd")


async def test_a_node_package_is_read(desk) -> None:
    desk.write("node_modules/@tea/pot/package.json", '{"version": "1.2.0", "description": "Brews", "types": "t.d.ts"}')
    desk.write("node_modules/@tea/pot/README.md", "# Pot\nUse it.\n")
    desk.write("node_modules/@tea/pot/t.d.ts", "export declare function brew(): void\nexport interface Pot {}\n")
    found = await desk.call("lookup", name="@tea/pot")
    assert found.title == "@tea/pot 1.2.0"
    assert "types declare: brew, Pot" in found.text
    assert "Use it." in found.text


async def test_a_changelog_is_drafted_from_commits(desk) -> None:
    desk.write("a", "1")
    repository(desk.folder)
    git(desk.folder, "tag", "v1.0")
    for subject in ("feat(cli): colours", "fix: crash", "chore: bump", "feat!: new format", "Tidy words", "Add a door"):
        git(desk.folder, "commit", "--allow-empty", "-qm", subject)
    output = await desk.call("changelog")
    groups = {name: [line.rpartition(" (")[0] for line in lines] for name, lines in output.data["groups"].items()}
    assert groups == {
        "Added": ["- Add a door", "- Cli: colours"], "Other": ["- Tidy words"], "Breaking": ["- New format"],
        "Inside": ["- Bump"], "Fixed": ["- Crash"],
    }  # fmt: skip
    assert output.data["since"] == "v1.0"
    assert output.text.index("### Breaking") < output.text.index("### Added")
    assert "nothing to tell" in (await desk.call("changelog", since="HEAD")).text
    with pytest.raises(ToolError):
        await desk.call("changelog", since="v9")
