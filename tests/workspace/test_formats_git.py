"""The diffs that git itself writes, of trees with all kinds of files: every one is applied, to the byte."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from attache.workspace.formats.in_memory import InMemory
from attache.workspace.formats.table import changes
from workspace.slips import corpus, edited

SEED = os.environ.get("ATTACHE_SEED", "1")
COUNT = 15
NAMES = ("a.py", "src/b.py", "a/c.md", "b/d e.txt", 'src/é "x".py', "deep/er/f.js", "名前 é.md", "g h.py")
OPTIONS = (
    (), ("-U1",), ("-U8",), ("--no-prefix",), ("--patience",), ("--src-prefix=i/", "--dst-prefix=w/"),
    ("--inter-hunk-context=4",), ("--function-context",), ("-U0",), ("-U0", "--full-index"), ("--find-copies-harder",),
    ("--src-prefix=before/", "--dst-prefix=after/"),
)  # fmt: skip

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "core.autocrlf=false", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.safecrlf=false")
    run = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, check=True)
    return run.stdout.decode("utf-8", "surrogateescape")


def of_a_kind(rng: random.Random, text: str) -> str:
    """Return a text as it may well stand in a file: with CRLF or mixed ends, without the last one, or with a mark."""
    kind = rng.choice(["plain", "plain", "crlf", "mixed", "open", "marked"])
    if kind == "mixed":
        return "".join(rng.choice([line, line.replace("\n", "\r\n")]) for line in text.splitlines(keepends=True))
    changed = {"crlf": text.replace("\n", "\r\n"), "open": text.rstrip("\n"), "marked": "\ufeff" + text}
    return changed.get(kind, text)


def moved_on(rng: random.Random, before: dict[str, str]) -> dict[str, str]:
    """Return the tree after a commit: files changed, renamed, deleted and new."""
    after = dict(before)
    for path, text in before.items():
        kinds = ["changed", "changed", "changed", "renamed", "moved", "deleted", "as it was", "ends changed", "emptied"]
        what = rng.choice(kinds)
        if what in {"changed", "renamed"}:
            crlf = text.count("\r\n") == text.count("\n")
            plain = edited(rng, text.replace("\r\n", "\n").removeprefix("\ufeff").rstrip("\n") + "\n")
            plain = plain if text.endswith("\n") or rng.random() < 0.3 else plain.rstrip("\n")
            after[path] = "\ufeff" * text.startswith("\ufeff") + (plain.replace("\n", "\r\n") if crlf else plain)
        if what in {"renamed", "moved"}:
            after[f"moved/{path}"] = after.pop(path)
        elif what == "deleted":
            del after[path]
        elif what == "emptied":
            after[path] = ""
        elif what == "ends changed":
            after[path] = text.replace("\r\n", "\n") if "\r" in text else text.replace("\n", "\r\n")
    after["copied/file.py"] = before[NAMES[0]]
    after["new/file.txt"] = of_a_kind(rng, rng.choice(rng.choice(corpus())))
    after["new/empty.txt"] = ""
    return after


def write(folder: Path, texts: dict[str, str]) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode("utf-8"))


@pytest.mark.skipif(os.name == "nt", reason="names with quotes")
@pytest.mark.parametrize("number", range(COUNT))
async def test_what_git_writes_is_applied_to_the_byte(tmp_path: Path, number: int) -> None:
    rng = random.Random(f"git/{SEED}/{number}")
    before = {name: of_a_kind(rng, rng.choice(rng.choice(corpus()))) for name in NAMES}
    after = moved_on(rng, before)
    git(tmp_path, "init", "-q")
    write(tmp_path, before)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "before")
    for path in before:
        (tmp_path / path).unlink()
    write(tmp_path, after)
    git(tmp_path, "add", "-A")
    for options in OPTIONS:
        diff = git(tmp_path, "diff", "--cached", "--find-renames", *options)
        files = InMemory(before)
        assert files.after(await changes("unified_diff", diff, files)) == after, options
