"""The policy gate: what runs at once, what asks a person, what does not run. Pure; nothing here asks or acts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from attache.schema.session import ApprovePolicy, Mode
from attache.schema.tools import Effect

Choice = Literal["allow", "ask", "deny"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says, and why where it is not `allow`."""

    choice: Choice
    reason: str = ""


ALLOW = Verdict("allow")


def decide(
    effect: Effect, *, mode: Mode, approve: ApprovePolicy, grants: Collection[str] = (), pattern: str = ""
) -> Verdict:
    """Return what may happen to a call with this effect; `pattern` is what a grant of the session would have to say."""
    if effect == "none":
        return ALLOW
    if mode != "build":
        return Verdict("deny", f"{mode} mode changes nothing; the user switches to build for that")
    if approve == "never":
        return Verdict("deny", "the user's policy (approve = never) lets nothing run that changes anything")
    if approve == "all" or (pattern and pattern in grants):
        return ALLOW
    if effect == "workspace" and approve == "edits":
        return ALLOW
    return Verdict("ask", "the policy asks before this")


def with_rules(verdict: Verdict, ruled: Iterable[Verdict | None], *, granted: bool) -> Verdict:
    """Return the verdict as the user's rules change it: they lift a question or make it stricter, and undo no denial.

    Of several things that a call is about, all must be allowed for a question to be lifted.
    """
    said = list(ruled)
    if denied := next((each for each in said if each is not None and each.choice == "deny"), None):
        return denied
    if verdict.choice == "deny":
        return verdict
    if asked := next((each for each in said if each is not None and each.choice == "ask"), None):
        return ALLOW if granted else asked
    return ALLOW if said and all(said) else verdict


def decide_reach(*, approve: ApprovePolicy, grants: Collection[str], pattern: str) -> Verdict:
    """Return what may happen to a call that only reads, but from outside: it asks in every mode."""
    if approve == "never":
        return Verdict("deny", "the user's policy (approve = never) lets nothing be reached outside")
    return ALLOW if approve == "all" or pattern in grants else Verdict("ask", "the policy asks before this")


_PROTECTED: Mapping[str, tuple[str, ...]] = {
    "git runs commands that stand there": (".git", ".gitmodules", ".gitconfig", ".husky", ".githooks", "git~1"),
    "git runs the hooks that it names": (".pre-commit-config.yaml",),
    "the editor acts on it and can run commands": (
        ".vscode", ".idea", ".zed", ".fleet", ".helix", ".nvim.lua", ".nvimrc", ".exrc", ".vimrc", ".dir-locals.el",
        ".devcontainer", ".devcontainer.json",
    ),
    "settings and tools of this agent": (".attache",),
    "rules that agents follow": (
        "agents.md", "agents.override.md", "claude.md", "claude.local.md", "gemini.md", "copilot-instructions.md",
        ".claude", ".codex", ".gemini", ".roo", ".cursor", ".cursorrules", ".windsurfrules", ".clinerules",
    ),
    "tool servers that agents start": (".mcp.json", "mcp.json"),
    "the environment of commands": (".env", ".envrc", ".mise.toml", "mise.toml", ".tool-versions"),
    "a shell runs it when it starts": (
        ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".inputrc",
        ".zshrc", ".zshenv", ".zprofile", ".zlogin",
    ),
    "Python runs it whenever it starts": ("sitecustomize.py", "usercustomize.py"),
    "credentials and package sources": (
        ".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", ".pypirc", "pip.conf", ".netrc",
        ".ssh", ".gnupg", ".aws", ".kube", ".docker",
    ),
    "continuous integration runs it": (
        ".gitlab-ci.yml", ".gitlab-ci.yaml", ".circleci", ".buildkite", ".travis.yml", "jenkinsfile",
        "azure-pipelines.yml", "azure-pipelines.yaml",
    ),
}  # fmt: skip
"""Names that programs obey, by why; each stands for a file, or for a folder with all that is in it."""
_REASONS = {name: reason for reason, names in _PROTECTED.items() for name in names}
_PAIRS = {
    (".github", "workflows"): "continuous integration runs it",
    (".github", "actions"): "continuous integration runs it",
    (".config", "fish"): "a shell runs it when it starts",
}
_FREE = ((".attache", "chats"),)
"""Folders within protected ones whose files nothing obeys."""
_ENDINGS = {
    ".pth": "Python runs it whenever it starts",
    ".code-workspace": "the editor acts on it and can run commands",
}
_SAMPLES = (".env.example", ".env.sample", ".env.template")


def protected(path: str) -> str:
    """Return why an edit of this path always asks, "" where it does not. Whether the file is there does not matter.

    Names are compared as the laxest file system would: without regard to case, Unicode form, invisible characters,
    trailing dots and blanks, either slash, or an NTFS stream.
    """
    names = [plain_name(name) for name in re.split(r"[\\/]", path)]
    pairs = list(pairwise(names))
    for name, pair in zip(names, [*pairs, None], strict=True):
        if name in _REASONS and (pair not in _FREE or ".." in path):
            return _REASONS[name]
        if pair in _PAIRS:
            return _PAIRS[pair]
    last = names[-1]
    if last.startswith(".env.") and last not in _SAMPLES:
        return _REASONS[".env"]
    return next((reason for ending, reason in _ENDINGS.items() if last.endswith(ending)), "")


def plain_name(name: str) -> str:
    """Return a name of a path as the laxest file system would compare it."""
    seen = "".join(char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) != "Cf")
    return seen.partition(":")[0].rstrip(". ").casefold()
