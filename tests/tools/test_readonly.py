"""What only reads runs without asking, and nothing else does."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from attache.schema.errors import InvalidArguments, PathRefused, ToolError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs are those of POSIX")


async def test_programs_that_read_are_run(desk) -> None:
    desk.write("a b.txt", "pear\nfig\npear\n")
    desk.write("b.txt", "fig\n")
    assert desk.tools.find("run_readonly").spec.effect == "none"
    output = await desk.call("run_readonly", command="sort 'a b.txt' | uniq -c | sort -rn | head -n 1")
    assert output.text.split() == ["2", "pear"]
    assert (await desk.call("run_readonly", command="wc -l b.txt")).text.split() == ["1", "b.txt"]
    different = await desk.call("run_readonly", command="diff -u b.txt 'a b.txt'")
    assert "+pear" in different.text
    assert not different.is_error
    assert "git version" in (await desk.call("run_readonly", command="git --version")).text
    nothing = await desk.call("run_readonly", command="grep -c zzz b.txt")
    assert not nothing.is_error
    missing = await desk.call("run_readonly", command="cat nowhere.txt")
    assert missing.is_error
    assert "nowhere.txt" in missing.text
    desk.open("b.txt", "typed\n")
    assert "without what is typed in b.txt" in (await desk.call("run_readonly", command="cat b.txt")).text


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf x", "sh -c 'touch x'", "cat b.txt > x", "cat b.txt; touch x", "cat b.txt && touch x", "cat $(touch x)", "cat <b.txt",
        "sort -o x b.txt", "sort --output=x b.txt", "sort --compress-program=sh b.txt", "uniq b.txt x", "find . -delete", "xargs touch",
        "git log", "git --version --exec-path=x", "tail -f b.txt", "sed -i s/a/b/ b.txt", "awk 1 b.txt", "python3 -c 1",
        "jq env b.txt", "jq '$ENV.HOME' b.txt", "jq 'import \"x\" as $d; 1' b.txt", "jq -f x b.txt", "date -s 2020-01-01", "date 010100002020", "cat", "wc", "diff b.txt",
        "cat 'b.txt", "| cat b.txt", "cat b.txt |", "tee x", "env", "du --files0-from=x", "wc --files0-from=x", "file -m x b.txt", "grep -r x .",
    ],
)  # fmt: skip
async def test_what_could_do_more_is_refused(desk, command: str) -> None:
    desk.write("b.txt", "fig\n")
    with pytest.raises(InvalidArguments):
        await desk.call("run_readonly", command=command)
    assert [each.name for each in desk.folder.iterdir()] == ["b.txt"]


async def test_nothing_outside_the_workspace_is_read(desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (desk.folder / "link").symlink_to(tmp_path / "secret")
    for path in ("../secret", "/etc/passwd", "link", str(tmp_path / "secret")):
        with pytest.raises(PathRefused):
            await desk.call("run_readonly", command=f"cat '{path}'")


async def test_a_program_of_the_workspace_is_not_taken_for_the_real_one(desk, monkeypatch) -> None:
    fake = desk.write("bin/wc", "#!/bin/sh\ntouch x\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ToolError, match="from the workspace itself"):
        await desk.call("run_readonly", command="wc -l bin/wc")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ToolError, match="is not installed"):
        await desk.call("run_readonly", command="cat bin/wc")


async def test_a_folder_of_links_is_not_compared(desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    desk.write("b.txt", "fig\n")
    desk.write("d/a.txt", "fig\n")
    (desk.folder / "d" / "b.txt").symlink_to(tmp_path / "secret")
    for command in ("diff d d", "diff -uN d .", "diff b.txt d"):
        with pytest.raises(InvalidArguments, match="single files"):
            await desk.call("run_readonly", command=command)


async def test_a_secret_is_not_taken_apart(desk) -> None:
    desk.write(".env", "API_KEY=" + "gh" + "p_" + "a1B2c3" * 6 + "\n")
    for command in (
        "cut -c20- .env",
        "cat .env | tr a-z b-za",
        "grep -o '.\\{9\\}$' .env",
        "head -c 30 .env",
        "nl .env",
    ):
        with pytest.raises(InvalidArguments, match="secret"):
            await desk.call("run_readonly", command=command)
    assert (await desk.call("run_readonly", command="wc -l .env")).text.split() == ["1", ".env"]


async def test_a_version_is_asked_for_outside_of_the_project(
    desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "yarn"  # as the real one: it would run what a file of its folder names
    program.write_text("#!/bin/sh\npwd\ntest -e .yarnrc.yml && echo obeyed\ntrue\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    desk.write(".yarnrc.yml", "yarnPath: ./evil.cjs\n")
    assert (await desk.call("run_readonly", command="yarn --version")).text == desk.folder.anchor
    desk.write("a.txt", "of the project\n")
    assert (await desk.call("run_readonly", command="yarn --version | cat a.txt")).text == "of the project"


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
async def test_output_without_end_ends(desk) -> None:
    desk.write("a.json", "1")
    output = await desk.call("run_readonly", command="jq 'repeat(\"a long text\")' a.json")
    assert "left out" in output.text
    assert not output.is_error
