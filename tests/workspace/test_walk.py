from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from attache.workspace.paths import Root
from attache.workspace.walk import SKIPPED_FOLDERS, walk

LONG = pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full count runs under ATTACHE_LONG=1")
git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def plant(folder: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts.get(path, ""))


def listed(folder: Path, under: str = "") -> list[str]:
    with Root(folder) as root:
        return list(walk(root, under))


def test_files_come_folder_by_folder_in_the_order_of_their_names(tmp_path):
    plant(tmp_path, "b/2.py", "b/1.py", "a.py", "b.py", "c/d/e.py", "B.py", "é b#.py", ".hidden/x")
    assert listed(tmp_path) == [".hidden/x", "B.py", "a.py", "b/1.py", "b/2.py", "b.py", "c/d/e.py", "é b#.py"]
    assert listed(tmp_path, "b") == ["b/1.py", "b/2.py"]
    assert listed(tmp_path, "c/..") == listed(tmp_path)
    assert listed(tmp_path, "c/d") == ["c/d/e.py"]


def test_nested_gitignores_and_negation(tmp_path):
    plant(
        tmp_path,
        "keep.log",
        "x.log",
        "src/x.log",
        "src/build/out",
        "src/deep/x.log",
        "build/out",
        "docs/build",
        "src/x.py",
    )
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n/build/\n# docs\n\n")
    (tmp_path / "src" / ".gitignore").write_text("!x.log\nbuild\n")
    (tmp_path / "src" / "deep" / ".gitignore").write_text("*.log\n")
    assert listed(tmp_path) == [
        ".gitignore",
        "docs/build",
        "keep.log",
        "src/.gitignore",
        "src/deep/.gitignore",
        "src/x.log",
        "src/x.py",
    ]
    assert listed(tmp_path, "src/deep") == ["src/deep/.gitignore"]


def test_rules_of_the_repository_above_hold_below_it(tmp_path):
    plant(tmp_path, "pkg/one/a.py", "pkg/one/a.log", "pkg/one/gen/x", "pkg/one/my.tmp", "pkg/two/b.py")
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("*.tmp\n")
    (tmp_path / ".gitignore").write_text("*.log\npkg/one/gen/\n")
    (tmp_path.parent / ".gitignore").write_text("*.py\n")
    assert listed(tmp_path / "pkg" / "one") == ["a.py"], "above the repository nobody is asked"
    assert listed(tmp_path) == [".gitignore", "pkg/one/a.py", "pkg/two/b.py"]


def test_a_folder_that_its_repository_ignores_can_be_opened(tmp_path):
    plant(tmp_path, "vendor/lib/a.py", "vendor/lib/a.log", "other/a.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    assert listed(tmp_path / "vendor" / "lib") == ["a.log", "a.py"]
    assert listed(tmp_path) == []
    assert listed(tmp_path, "vendor") == [], "rules of the root itself hold"


def test_what_nobody_wrote_is_left_out(tmp_path):
    plant(
        tmp_path,
        *(f"src/{name}/x" for name in SKIPPED_FOLDERS),
        "env/pyvenv.cfg",
        "env/x",
        "out/CACHEDIR.TAG",
        "out/x",
        "src/a.py",
    )
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / ".git").write_text("gitdir: elsewhere")
    assert listed(tmp_path) == ["src/a.py"]
    assert listed(tmp_path / "env") == ["pyvenv.cfg", "x"], "but it can be opened"


def test_links_are_not_followed(tmp_path):
    plant(tmp_path / "work", "a/x.py")
    plant(tmp_path / "outside", "secret")
    for link, target in (
        ("a/loop", ".."),
        ("out", "../outside"),
        ("file", "a/x.py"),
        ("folder", "a"),
        ("dead", "none"),
    ):
        (tmp_path / "work" / link).symlink_to(target)
    assert listed(tmp_path / "work") == ["a/x.py"]
    assert listed(tmp_path / "work", "folder") == ["a/x.py"], "but one may begin at a link, and is told the real place"


def test_the_limit_is_said(tmp_path):
    plant(tmp_path, *(f"{number:03}.py" for number in range(30)))
    with Root(tmp_path) as root:
        some = walk(root, limit=10)
        assert list(some) == [f"{number:03}.py" for number in range(10)]
        assert some.skipped == [("010.py", "only the first 10 files are listed")]
        every = walk(root, limit=30)
        assert len(list(every)) == 30
        assert every.skipped == []


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there, and bits do not lock folders")
def test_what_cannot_be_listed_is_named(tmp_path):
    plant(tmp_path, "a.py", "locked/x.py", "z.py")
    (tmp_path / "not utf-8 \udcff.py").write_text("")
    (tmp_path / "locked").chmod(0)
    tmp_path.chmod(0o755)
    with Root(tmp_path) as root:
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            found = walk(root)
            assert list(found) == ["a.py", "z.py"]
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
    assert found.skipped == [("locked/", "Permission denied"), ("not utf-8 ?.py", "its name is not UTF-8")]


def test_deep_folders_and_odd_rules_do_no_harm(tmp_path):
    deep = tmp_path
    for _ in range(300):
        deep /= "d"
        deep.mkdir()
    (deep / "x.py").write_text("")
    hostile = (
        "*a*a*a*a*a*a*a*a*a*a*a*a*b\n**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b\n[\n[z-a]\n\\\n!\n/\n//\n[[:none:]]\n"
    )
    (tmp_path / ".gitignore").write_text(f"\ufeff{hostile}")
    plant(tmp_path, "a" * 200, "a/" * 60 + "a" * 120)
    found = listed(tmp_path)
    assert len(found) == 4
    assert "d/" * 300 + "x.py" in found


NAMES = [
    "a",
    "b",
    "ab",
    "build",
    "keep",
    "a.py",
    "b.py",
    "a.log",
    "x.pyc",
    "keep.log",
    "A.py",
    ".hid",
    "a b",
    "[x]",
    "_build",
]
SEGMENTS = [
    "a", "b", "*", "?", "*.py", "*.log", "build", "keep", "a*", "[ab]", "[!a]", "[a-c].py", "**", "*b", "ab", "a.*", "\\[x\\]", "_build", ".hid",
    "*.py[cod]", "a\\ b", "k*p*", "[!a-c]*", "***", "[[:alpha:]]", "[^a]*", "*[0-9]", "a?", "[]a]", "[a-]*", "*.*", "?*b*", "[[:upper:]]*", "[b-]",
]  # fmt: skip


def random_rule(dice: random.Random) -> str:
    rule = "/".join(dice.choice(SEGMENTS) for _ in range(dice.choice([1, 1, 1, 1, 2, 2, 3])))
    rule = "/" + rule if dice.random() < 0.2 else rule
    rule += "/" if dice.random() < 0.3 else ""
    rule = "!" + rule if dice.random() < 0.3 else rule
    return rule + dice.choice(["", "", "", " ", "\r"])


def random_tree(dice: random.Random, folder: Path, depth: int = 0) -> None:
    for name in dice.sample(NAMES, dice.randint(2, 6)):
        if depth < 3 and dice.random() < 0.4:
            (folder / name).mkdir()
            random_tree(dice, folder / name, depth + 1)
        else:
            (folder / name).write_text("")
    if dice.random() < (0.25 if depth else 0.9):
        (folder / ".gitignore").write_text("\n".join(random_rule(dice) for _ in range(dice.randint(1, 5))), newline="")


@git
@pytest.mark.parametrize("trees", [40, pytest.param(2_000, marks=[pytest.mark.long, LONG])])
def test_git_itself_lists_the_same_files(tmp_path, trees):
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    for seed in range(trees):
        folder = tmp_path / str(seed)
        folder.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        random_tree(random.Random(seed), folder)
        told = subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout.decode()
        assert sorted(listed(folder)) == sorted(path for path in told.split("\0") if path), f"seed {seed}"
        shutil.rmtree(folder)
