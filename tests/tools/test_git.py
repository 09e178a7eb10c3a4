"""Git as tools show it: the user's unsaved text is part of the truth, and no program that a folder names is run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attache.schema.errors import InvalidArguments, PathRefused, ToolError
from tools.repositories import git, repository


@pytest.fixture
def repo(desk) -> Path:
    desk.write("a.py", "one = 1\ntwo = 2\nthree = 3\n")
    desk.write("docs/b ä.md", "words\n")
    return repository(desk.folder)


async def test_status_names_what_is_staged_changed_untracked_and_not_saved(desk, repo: Path) -> None:
    desk.write("a.py", "one = 1\ntwo = 2\nthree = 4\n")
    git(repo, "mv", "docs/b ä.md", "docs/c.md")
    desk.write("new dir/n.py", "x\n")
    desk.open("a.py", "typed\n")
    output = await desk.call("git_status")
    assert output.data["branch"] == "main"
    assert output.data["groups"] == {
        "changed": ["a.py (modified)"],
        "staged": ["docs/b ä.md → docs/c.md (renamed)"],
        "untracked": ["new dir/n.py"],
        "not saved in the editor": ["a.py"],
    }
    assert "branch main at " in output.text


async def test_status_below_a_folder_of_a_repository_speaks_of_that_folder(desk, tmp_path: Path) -> None:
    desk.write("x.py", "1\n")
    repository(desk.folder.parent)
    desk.write("x.py", "2\n")
    assert (await desk.call("git_status")).data["groups"] == {"changed": ["x.py (modified)"]}
    assert "a/x.py" in (await desk.call("git_diff")).text


async def test_the_diff_shows_what_is_typed(desk, repo: Path) -> None:
    desk.write("docs/b ä.md", "other words\n")
    desk.open("a.py", "one = 1\ntwo = 22\nthree = 3\n")
    output = await desk.call("git_diff")
    assert "+two = 22" in output.text
    assert "+other words" in output.text
    assert "not saved yet, shown as typed: a.py" in output.text
    assert output.data["files"] == 2
    assert output.text.startswith("2 files −2 +2")
    applied = await desk.call("git_diff", path="a.py")
    (repo / "typed.diff").write_text(applied.text.split("\n", 2)[2] + "\n")
    git(repo, "apply", "typed.diff")
    assert (repo / "a.py").read_text() == "one = 1\ntwo = 22\nthree = 3\n"
    staged = await desk.call("git_diff", staged=True)
    assert staged.text == "nothing is staged"
    since = await desk.call("git_diff", rev="HEAD")
    assert "+two = 22" in since.text


async def test_what_is_typed_back_is_no_difference(desk, repo: Path) -> None:
    desk.write("a.py", "changed on disk\n")
    desk.open("a.py", "one = 1\ntwo = 2\nthree = 3\n")
    assert "nothing changed" in (await desk.call("git_diff")).text


async def test_a_long_diff_comes_in_pages(desk, repo: Path) -> None:
    desk.write("a.py", "".join(f"line {n}\n" for n in range(2_000)))
    first = await desk.call("git_diff")
    assert "read on with offset=600" in first.text
    last = await desk.call("git_diff", offset=1_800)
    assert "+line 1999" in last.text


async def test_log_and_show_and_blame(desk, repo: Path) -> None:
    desk.write("a.py", "one = 1\ntwo = 2\nthree = 33\n")
    git(repo, "commit", "-qam", "make three larger\n\nBecause.")
    log = await desk.call("git_log", limit=1)
    assert "Ada: make three larger" in log.text
    assert "read on with skip=1" in log.text
    assert [each["subject"] for each in (await desk.call("git_log", changed="33")).data["commits"]] == [
        "make three larger"
    ]
    assert [each["subject"] for each in (await desk.call("git_log", path="docs")).data["commits"]] == ["first"]
    shown = await desk.call("git_show", rev="HEAD")
    assert "+three = 33" in shown.text
    assert "Because." in shown.text
    before = await desk.call("git_show", rev="HEAD~1", path="a.py")
    assert "3\tthree = 3" in before.text
    desk.open("a.py", "zero = 0\none = 1\ntwo = 2\nthree = 33\n")
    blame = await desk.call("git_blame", path="a.py")
    told = [(row["line"], row["author"], row["summary"]) for row in blame.data["lines"]]
    assert told == [
        (1, "you", "not committed yet"), (2, "Ada", "first"), (3, "Ada", "first"), (4, "Ada", "make three larger"),
    ]  # fmt: skip


async def test_branches_commit_stash_and_worktree(desk, repo: Path) -> None:
    await desk.call("git_branch", name="work")
    desk.write("a.py", "changed\n")
    desk.write("new.py", "new\n")
    desk.write("other.py", "left out\n")
    committed = await desk.call("git_commit", message="Change a (#12)\n\nIt was wrong.", paths=["a.py", "new.py"])
    assert not committed.is_error, committed.text
    assert (await desk.call("git_status")).data["groups"] == {"untracked": ["other.py"]}
    assert "Ada" in git(repo, "log", "-1", "--format=%an")
    draft = await desk.call("pr_text")
    assert draft.data["title"] == "Change a (#12)"
    assert draft.data["issues"] == ["#12"]
    assert "It was wrong." in draft.text
    assert "changes that are not committed" in draft.text
    assert set((await desk.call("git_branches")).data["branches"]) == {"work", "main"}
    await desk.call("git_stash", action="save", message="later")
    assert not (repo / "other.py").exists()
    assert "On work: later" in (await desk.call("git_status")).text
    await desk.call("git_stash", action="pop")
    assert (repo / "other.py").exists()
    added = await desk.call("git_worktree", path="../second", branch="fix")
    assert not added.is_error, added.text
    assert (repo.parent / "second" / "a.py").exists()
    assert "checked out in" in (await desk.call("git_branches")).text
    assert not (await desk.call("git_worktree", path="../second", action="remove")).is_error


async def test_a_commit_refuses_unsaved_text_and_a_failed_one_leaves_the_index(desk, repo: Path) -> None:
    desk.write("new.py", "new\n")
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today\nexit 1\n")
    hook.chmod(0o755)
    refused = await desk.call("git_commit", message="m", paths=["new.py"])
    assert refused.is_error
    assert "not today" in refused.text
    assert (await desk.call("git_status")).data["groups"] == {"untracked": ["new.py"]}
    desk.open("a.py", "typed\n")
    with pytest.raises(ToolError, match=r"not saved yet: a\.py"):
        await desk.call("git_commit", message="m", paths=["a.py"])
    with pytest.raises(InvalidArguments, match="it is empty"):
        await desk.call("git_commit", message=" ", paths=["a.py"])


async def test_the_person_is_shown_the_command(desk, repo: Path) -> None:
    shown = desk.tools.find("git_commit").shown(desk.ctx, {"message": "why", "paths": ["a.py"]})
    assert shown.argv == ("git", "commit", "--only", "--message=why", "--", ":(literal)a.py")
    assert desk.tools.find("git_branch").spec.effect == "outside"


async def test_conflicts_are_shown_with_both_sides_and_taken(desk, repo: Path) -> None:
    git(repo, "checkout", "-qb", "theirs")
    desk.write("a.py", "one = 1\ntwo = 'theirs'\nthree = 3\n")
    git(repo, "commit", "-qam", "theirs")
    git(repo, "checkout", "-q", "main")
    desk.write("a.py", "one = 1\ntwo = 'ours'\nthree = 3\n")
    git(repo, "commit", "-qam", "ours")
    git(repo, "merge", "theirs", check=False)
    assert "a merge is under way" in (await desk.call("git_status")).text
    shown = await desk.call("git_conflicts")
    assert shown.data["files"] == {"a.py": 1}
    assert "a.py:2-6 conflict 1" in shown.text
    assert "3\ttwo = 'ours'" in shown.text
    assert "5\ttwo = 'theirs'" in shown.text
    uri = desk.open("a.py")
    await desk.call("resolve_conflict", path="a.py", take="both")
    assert desk.shown(uri) == "one = 1\ntwo = 'ours'\ntwo = 'theirs'\nthree = 3\n"
    assert "no marker is left" in (await desk.call("git_conflicts")).text
    with pytest.raises(ToolError, match="no conflict markers"):
        await desk.call("resolve_conflict", path="a.py", take="ours")


@pytest.mark.skipif(os.name == "nt", reason="the canary is a line of sh")
async def test_no_program_that_a_folder_names_is_run_by_a_read(desk, repo: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    sing = f"sh -c 'echo $0 $@ >> {canary}; cat'"
    desk.write(".gitattributes", "*.py filter=x diff=d\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "attributes")
    settings = ("filter.x.clean", "filter.x.smudge", "core.fsmonitor", "diff.external", "diff.d.textconv",
                "diff.d.command", "core.pager", "pager.log", "pager.diff", "gpg.program", "core.sshCommand")  # fmt: skip
    for name in settings:
        git(repo, "config", name, sing)
    git(repo, "config", "log.showSignature", "true")
    for name in ("post-index-change", "post-checkout", "reference-transaction"):
        hook = repo / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {canary}\n")
        hook.chmod(0o755)
    canary.unlink(missing_ok=True)
    desk.write("a.py", "one = 11\n")
    for name, arguments in (
        ("git_status", {}), ("git_diff", {}), ("git_diff", {"rev": "HEAD"}), ("git_diff", {"staged": True}),
        ("git_log", {"path": "a.py", "changed": "one"}), ("git_show", {"rev": "HEAD"}), ("git_branches", {}),
        ("git_show", {"rev": "HEAD", "path": "a.py"}), ("git_blame", {"path": "a.py"}), ("git_conflicts", {}),
    ):  # fmt: skip
        await desk.call(name, **arguments)
    assert not canary.exists(), canary.read_text()


async def test_bad_input_is_answered_plainly(desk, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="not in a git repository") as none:
        await desk.call("git_status")
    assert none.value.hint == "begin one: git init"
    repository(desk.folder)
    with pytest.raises(ToolError, match="nowhere"):
        await desk.call("git_show", rev="nowhere")
    with pytest.raises(InvalidArguments, match="is no revision"):
        await desk.call("git_diff", rev="--output=x")
    with pytest.raises(PathRefused):
        await desk.call("git_log", path=str(tmp_path.parent))
    with pytest.raises(ToolError, match="no commit here that"):
        await desk.call("pr_text", base="main")
    assert (await desk.call("git_conflicts")).text == "no conflict"
    failed = await desk.call("git_branch", name="none", action="delete")
    assert failed.is_error
    assert "not found" in failed.text


async def test_a_repository_without_a_commit_is_told_as_such(desk) -> None:
    git(desk.folder, "init", "-q", "-b", "main")
    desk.write("a.py", "one\n")
    git(desk.folder, "add", "a.py")
    desk.open("a.py", "one\ntwo\n")
    assert "branch main, no commit yet" in (await desk.call("git_status")).text
    assert "+two" in (await desk.call("git_diff")).text
    assert "+one" in (await desk.call("git_diff", staged=True)).text
    assert (await desk.call("git_branches")).text == "no branch has a commit yet"
    for name in ("git_log", "pr_text", "changelog"):
        with pytest.raises(ToolError):
            await desk.call(name)


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
@pytest.mark.parametrize("name", ['a "quoted".py', "täglich.py", "-dash.py", "two  blanks.py", ":(top)x.py", "st*r.py"])
async def test_odd_names_are_just_names(desk, name: str) -> None:
    desk.write(name, "one\n")
    repository(desk.folder)
    desk.write(name, "two\n")
    assert (await desk.call("git_status", path=name)).data["groups"] == {"changed": [f"{name} (modified)"]}
    assert "+two" in (await desk.call("git_diff", path=name)).text
    desk.open(name, "three\n")
    assert "+three" in (await desk.call("git_diff", path=name)).text
    assert (await desk.call("git_show", rev="HEAD", path=name)).text.endswith("1\tone")
    assert [row["author"] for row in (await desk.call("git_blame", path=name)).data["lines"]] == ["you"]
    desk.write(name, "three\n")
    committed = await desk.call("git_commit", message="odd", paths=[name])
    assert not committed.is_error, committed.text
    assert [each["subject"] for each in (await desk.call("git_log", path=name)).data["commits"]] == ["odd", "first"]


async def test_a_detached_head_and_line_ends_of_windows(desk) -> None:
    desk.write(".gitattributes", "*.txt text=auto\n")
    desk.write("a.txt", "one\r\ntwo\r\n")
    repository(desk.folder)
    git(desk.folder, "checkout", "-q", "--detach")
    assert "branch (detached)" in (await desk.call("git_status")).text
    desk.open("a.txt", "one\r\nzwei\r\n")
    output = await desk.call("git_diff")
    assert output.text.startswith("1 file −1 +1")
