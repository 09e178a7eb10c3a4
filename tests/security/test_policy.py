"""The policy as a table: what is let through, what asks, what is refused, and which names always ask."""

from __future__ import annotations

import itertools

import pytest

from attache.security.policy import decide, protected

MODES = ("build", "plan", "explore")
POLICIES = ("never", "ask", "edits", "all")


@pytest.mark.parametrize(("mode", "approve"), list(itertools.product(MODES, POLICIES)))
def test_reading_is_always_allowed(mode, approve):
    assert decide("none", mode=mode, approve=approve).choice == "allow"


@pytest.mark.parametrize(
    ("effect", "mode", "approve"), list(itertools.product(("workspace", "outside"), ("plan", "explore"), POLICIES))
)
def test_no_setting_and_no_grant_lets_a_reading_mode_write(effect, mode, approve):
    verdict = decide(effect, mode=mode, approve=approve, grants={"p"}, pattern="p")
    assert verdict.choice == "deny"
    assert mode in verdict.reason


@pytest.mark.parametrize(
    ("approve", "edit", "command"),
    [("never", "deny", "deny"), ("ask", "ask", "ask"), ("edits", "allow", "ask"), ("all", "allow", "allow")],
)
def test_in_build_mode_the_setting_decides(approve, edit, command):
    assert decide("workspace", mode="build", approve=approve).choice == edit
    assert decide("outside", mode="build", approve=approve).choice == command


def test_a_grant_covers_its_pattern_and_nothing_near_it():
    grants = {"shell pytest (folder .)"}

    def judge(pattern, approve="ask", granted=grants):
        return decide("outside", mode="build", approve=approve, grants=granted, pattern=pattern).choice

    assert judge("shell pytest (folder .)") == "allow"
    assert judge("shell pytest (folder .)", approve="never") == "deny"
    for near in (
        "shell pytest; rm -rf ~ (folder .)",
        "shell pytest (folder ..)",
        "shell pytest",
        "",
        "Shell pytest (folder .)",
    ):
        assert judge(near) == "ask"
    assert judge("", granted={""}) == "ask"


def test_whatever_is_not_allowed_says_why():
    for effect, mode, approve in itertools.product(("workspace", "outside"), MODES, POLICIES):
        verdict = decide(effect, mode=mode, approve=approve)
        assert verdict.choice == "allow" or len(verdict.reason) > 10


PROTECTED = [
    ".git/hooks/pre-commit", ".git", "sub/module/.git", ".git/config", ".GIT/config", ".git./config", ".git /config",
    ".git::$INDEX_ALLOCATION/config", "GIT~1/config", ".g\u200cit/config", "\uff0egit/config", "a\\.git\\config",
    ".vscode/settings.json", ".VSCode/tasks.json", ".idea/workspace.xml", ".envrc", "deep/.envrc", ".env", ".env.production",
    ".attache/settings.toml", ".attache/tools/x.py", ".attache", ".attache/chats/../settings.toml", "AGENTS.md",
    "docs/agents.MD", "CLAUDE.md", ".mcp.json", ".cursor/mcp.json", ".bashrc", "home/.zshrc", ".github/workflows/ci.yml",
    ".GitHub/Workflows/new.yml", ".github/copilot-instructions.md", ".gitlab-ci.yml", "sitecustomize.py", "x.pth",
    "a.code-workspace", ".husky/pre-commit", ".npmrc", "/home/me/.ssh/authorized_keys", "file:///w/.git/config",
    ".devcontainer/devcontainer.json", ".config/fish/config.fish", ".attache/chats/.git/config", "chats/.attache/x",
]  # fmt: skip
FREE = [
    "src/app.py", ".gitignore", ".gitattributes", ".github/ISSUE_TEMPLATE.md", "git/config", "docs/agents/index.md",
    "vscode.md", "README.md", "package.json", "tests/conftest.py", "workflows/ci.yml", ".env.example", "a.pth.py", "", ".",
    "src/.github.py", ".attache/chats/today.chat.md", "environment.py", ".environment",
]  # fmt: skip


@pytest.mark.parametrize("path", PROTECTED)
def test_names_that_programs_obey_always_ask_however_they_are_spelled(path):
    assert protected(path)


@pytest.mark.parametrize("path", FREE)
def test_ordinary_names_are_free(path):
    assert protected(path) == ""
