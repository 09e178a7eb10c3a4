"""Paths that try to lead out of a workspace, to what is protected in it, or into a trap; and ordinary ones that must work.

Each case is a name, a path as a model would give it, and what makes the way there. `{ws}`, `{outside}`, `{home}` stand for
places. The kinds: `out` reads or changes nothing outside, whatever else happens; `refused` besides is answered by an error;
`protected` besides changes nothing unasked; `inside` works.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spot:
    """One case."""

    name: str
    kind: str
    path: str
    links: dict[str, str] = field(default_factory=dict[str, str])
    """Symbolic links to make, in order: name and target."""
    files: tuple[str, ...] = ()
    """Files to make besides."""
    special: str = ""
    """What else is there at the path: fifo, socket, hard (a second name of a file outside), gitconfig, unreadable."""


def _all(kind: str, rows: dict[str, str]) -> list[Spot]:
    return [Spot(name, kind, path) for name, path in rows.items()]


def _links(kind: str, rows: dict[str, tuple[str, dict[str, str]]]) -> list[Spot]:
    return [Spot(name, kind, path, links) for name, (path, links) in rows.items()]


DOTS = _all("refused", {
    "parent": "../outside/secret.txt", "parent-below": "src/../../outside/secret.txt",
    "parent-dotted": "./../outside/secret.txt", "parent-doubled": ".//..//outside//secret.txt",
    "parent-mixed": "src/./.././../outside/secret.txt", "parent-of-nothing": "none/../../outside/secret.txt",
    "parent-of-deep": "src/deep/../../../outside/secret.txt", "parent-and-back": "../ws/../outside/secret.txt",
    "parent-many": "../" * 40 + "{outside}/secret.txt", "parent-alone": "..", "parent-slash": "../",
    "parents": "../..", "parent-sibling": "../ws-evil/secret.txt", "parent-of-file": "README.md/../../outside/secret.txt",
    "parent-nul": "..\0/outside/secret.txt",
}) + _all("out", {
    "parent-backslash": "..\\outside\\secret.txt", "parent-backslash-below": "src\\..\\..\\outside\\secret.txt",
    "parent-four-dots": "....//outside/secret.txt", "parent-semicolon": "..;/outside/secret.txt",
    "parent-percent": "..%2foutside%2fsecret.txt", "parent-percent-dots": "%2e%2e/outside/secret.txt",
    "parent-percent-twice": "%252e%252e/outside/secret.txt", "parent-overlong": "..%c0%afoutside%c0%afsecret.txt",
    "parent-fullwidth": "．．/outside/secret.txt", "parent-two-dot-leader": "‥/outside/secret.txt",
    "parent-zero-width": ".\u200b./outside/secret.txt", "parent-division-slash": "..\u2215outside\u2215secret.txt",
    "parent-fullwidth-slash": "..／outside／secret.txt", "parent-blank": ".. /outside/secret.txt",
})  # fmt: skip

ABSOLUTE = _all("refused", {
    "absolute": "{outside}/secret.txt", "absolute-doubled": "/{outside}//secret.txt", "absolute-dotted": "/.{outside}/./secret.txt",
    "absolute-through": "{ws}/../outside/secret.txt", "absolute-sibling": "{ws}-evil/secret.txt", "absolute-root": "/",
    "absolute-parent": "{ws}/..", "passwd": "/etc/passwd", "shadow": "/etc/shadow", "home": "{home}/.ssh/id_rsa",
    "home-credentials": "{home}/.aws/credentials", "home-shell": "{home}/.bashrc",
}) + _all("out", {
    "tilde": "~/.ssh/id_rsa", "tilde-root": "~root/.bashrc", "variable": "$HOME/.ssh/id_rsa", "variable-braces": "${HOME}/.ssh/id_rsa",
    "variable-windows": "%USERPROFILE%\\.ssh\\id_rsa", "file-url": "file://{outside}/secret.txt",
    "file-url-host": "file://localhost{outside}/secret.txt", "file-url-capital": "FILE://{outside}/secret.txt",
    "file-url-dots": "file://{ws}/../outside/secret.txt", "file-url-percent": "file://{ws}/%2e%2e/outside/secret.txt",
    "file-url-percent-slash": "file://{ws}%2f..%2foutside%2fsecret.txt", "file-url-one-slash": "file:{outside}/secret.txt",
    "file-url-query": "file://{ws}/README.md?/../../outside/secret.txt", "file-url-nul": "file://{ws}/README.md%00.txt",
    "other-scheme": "vscode-remote://host{outside}/secret.txt", "untitled": "untitled:{outside}/secret.txt",
    "http": "http://127.0.0.1/secret.txt", "unc": "\\\\server\\share\\secret.txt", "unc-slashes": "//server/share/secret.txt",
    "device-path": "\\\\?\\C:\\secret.txt", "drive": "C:\\Windows\\win.ini", "drive-relative": "C:secret.txt",
})  # fmt: skip

KERNEL = _all("refused", {
    "proc-root": "/proc/self/root{outside}/secret.txt", "proc-cwd": "/proc/self/cwd/../outside/secret.txt",
    "proc-thread": "/proc/thread-self/root{outside}/secret.txt", "proc-environ": "/proc/self/environ", "proc-fd": "/proc/self/fd/0",
    "proc-mem": "/proc/self/mem", "proc-init": "/proc/1/environ", "dev-fd": "/dev/fd/0", "dev-stdin": "/dev/stdin",
    "dev-zero": "/dev/zero", "dev-random": "/dev/random", "dev-tcp": "/dev/tcp/127.0.0.1/80", "sys": "/sys/kernel/uevent_helper",
    "proc-parent": "../" * 40 + "proc/self/environ",
})  # fmt: skip

LINKS = _links("refused", {
    "link-file": ("l", {"l": "{outside}/secret.txt"}), "link-file-relative": ("l", {"l": "../outside/secret.txt"}),
    "link-folder": ("l/secret.txt", {"l": "{outside}"}), "link-folder-relative": ("l/secret.txt", {"l": "../outside"}),
    "link-below": ("src/l/secret.txt", {"src/l": "../../outside"}), "link-two": ("b", {"a": "{outside}/secret.txt", "b": "a"}),
    "link-two-folders": ("b/secret.txt", {"a": "..", "b": "a/outside"}), "link-chain": ("c/secret.txt", {"a": "{outside}", "b": "a", "c": "b"}),
    "link-parent": ("l/outside/secret.txt", {"l": ".."}), "link-root": ("l{outside}/secret.txt", {"l": "/"}),
    "link-sibling": ("l/secret.txt", {"l": "{ws}-evil"}), "link-home": ("l/id_rsa", {"l": "{home}/.ssh"}),
    "link-proc-root": ("l{outside}/secret.txt", {"l": "/proc/self/root"}), "link-proc-cwd": ("l/outside/secret.txt", {"l": "/proc/self/cwd/.."}),
    "link-proc-fd": ("l", {"l": "/proc/self/fd/0"}), "link-device": ("l", {"l": "/dev/zero"}),
    "link-terminal": ("l", {"l": "/dev/tty"}), "link-dangling": ("l", {"l": "{outside}/new.txt"}),
    "link-dangling-folder": ("l/new.txt", {"l": "{outside}/none"}), "link-parent-of-link": ("l/../secret.txt", {"l": "{outside}/below"}),
    "link-dotted-target": ("l", {"l": "src/../../outside/./secret.txt"}),
    "link-loop": ("a", {"a": "b", "b": "a"}), "link-self": ("a", {"a": "a"}), "link-self-below": ("a/x", {"a": "a/b"}),
    "link-etc": ("l", {"l": "/etc/passwd"}), "link-odd-name": ("notes (1).txt", {"notes (1).txt": "{outside}/secret.txt"}),
    "link-hidden": (".cache/l", {".cache/l": "{outside}/secret.txt"}), "link-case": ("L", {"l": "src", "L": "{outside}/secret.txt"}),
    "link-long": ("l40", {"l0": "{outside}/secret.txt", **{f"l{number}": f"l{number - 1}" for number in range(1, 41)}}),
    "link-modules": ("node_modules/p/secret.txt", {"node_modules/p": "{outside}"}),
    "link-by-outside": ("l", {"l": "../ws/README.md"}), "link-empty-name": ("src//l//secret.txt", {"src/l": "{outside}"}), "link-trailing": ("l/", {"l": "{outside}/secret.txt"}),
}) + _links("out", {
    "link-then-back": ("l/../ws/README.md", {"l": "{outside}"}),
}) + _links("inside", {
    "link-in": ("l", {"l": "README.md"}), "link-in-folder": ("l/a.py", {"l": "src"}), "link-in-up": ("src/l", {"src/l": "../README.md"}),
    "link-in-absolute": ("l", {"l": "{ws}/README.md"}),
    "link-in-two": ("b/a.py", {"a": "src", "b": "a"}),
})  # fmt: skip

SPECIAL = [
    Spot("fifo", "out", "pipe", special="fifo"), Spot("socket", "out", "sock", special="socket"),
    Spot("hard-link", "out", "same.txt", special="hard"), Spot("folder-as-file", "out", "src"),
    Spot("folder-slash", "out", "src/"), Spot("file-as-folder", "refused", "README.md/x"),
    Spot("hard-link-protected", "out", "notes.txt", special="gitconfig"), Spot("unreadable", "out", "closed.txt", special="unreadable"),
]  # fmt: skip

NAMES = _all("refused", {
    "nul": "README.md\0", "nul-first": "\0", "nul-middle": "READ\0ME.md", "nul-ending": "README.md\0.txt", "too-long": "n" * 256,
    "too-deep": "d/" * 2500 + "x", "huge": "h" * 70_000,
}) + _all("out", {
    "here": ".", "here-slash": "./",
    "empty": "", "blank": " ", "not-utf8": "a\udcff.txt", "lone-surrogate": "a\ud800.txt", "dash": "-rf", "option": "--output={outside}/new.txt",
    "option-glued": "-o{outside}/new.txt", "star": "*", "star-out": "../*/secret.txt", "question": "../outside/secret.tx?",
    "set": "[a-z]*", "braces": "{a,../outside/secret.txt}", "substitution": "$(touch {outside}/new.txt)",
    "backticks": "`touch {outside}/new.txt`", "semicolon": "a; touch {outside}/new.txt", "pipe": "a | tee {outside}/new.txt",
    "redirect": "> {outside}/new.txt", "format": "%s%n%x", "quote": "a' b\"", "pathspec": ":(top,glob)../outside/**", "colon": ":/../outside/secret.txt",
    "rev": "HEAD:../outside/secret.txt", "windows-device": "NUL", "windows-device-ending": "con.txt", "trailing-backslash": "a\\",
}) + _all("inside", {
    "newline": "a\nb.txt", "tab": "a\tb.txt", "escape": "a\x1b[31mb.txt", "bidi": "a\u202eb.txt", "carriage": "a\rb.txt", "longest": "n" * 200,
    "umlaut": "Übel.txt", "umlaut-nfd": "U\u0308bel.txt", "emoji": "🙂.txt", "arabic": "ملف.txt", "dots-inside": "v1..v2.md",
    "dotted": "a.b.c.d", "three-dots": ".../x.txt", "blanks": "a  b.txt", "percent": "100%.txt", "hash": "a#b.txt", "plus": "a+b.txt",
    "plain": "a.txt", "below": "src/deep/new/a.txt", "up-and-back": "src/../b.txt", "absolute-inside": "{ws}/c.txt",
    "file-url-inside": "file://{ws}/d.txt", "file-url-space": "file://{ws}/e%20e.txt", "like-git": "docs/git.md", "like-env": ".env.example",
})  # fmt: skip

PROTECTED = _all("protected", {
    "git-config": ".git/config", "git-hook": ".git/hooks/pre-commit", "git-capital": ".GIT/config", "git-mixed": ".Git/hooks/x",
    "git-dotted": "./.git/./config", "git-through": "src/../.git/config", "git-absolute": "{ws}/.git/config",
    "git-url": "file://{ws}/.git/config", "git-url-percent": "file://{ws}/%2egit/config", "git-zero-width": ".git\u200b/config",
    "git-joiner": ".g\u200dit/hooks/x", "git-trailing-dot": ".git./config", "git-trailing-blank": ".git /config",
    "git-stream": ".git::$INDEX_ALLOCATION/config", "git-short": "git~1/config", "git-short-capital": "GIT~1/hooks/x",
    "git-fullwidth": ".ｇｉｔ/config", "git-backslash": ".git\\hooks\\x", "git-nested": "sub/.git/config", "git-modules": ".gitmodules",
    "git-info": ".git/info/attributes", "git-file": "sub/.git", "husky": ".husky/pre-commit", "pre-commit": ".pre-commit-config.yaml",
    "vscode-settings": ".vscode/settings.json", "vscode-tasks": ".vscode/tasks.json", "vscode-capital": ".VSCode/tasks.json",
    "workspace-file": "x.code-workspace", "idea": ".idea/workspace.xml", "devcontainer": ".devcontainer/devcontainer.json",
    "own-settings": ".attache/settings.toml", "own-tools": ".attache/tools/x.py", "own-rules": ".attache/policy.toml",
    "own-through-chats": ".attache/chats/../settings.toml", "rules": "AGENTS.md", "rules-small": "agents.md", "rules-below": "src/CLAUDE.md",
    "cursor": ".cursor/rules/x.mdc", "tool-servers": ".mcp.json", "environment": ".env", "environment-local": ".env.local", "envrc": ".envrc",
    "shell": ".bashrc", "python-start": "sitecustomize.py", "python-path": "lib/x.pth", "registry": ".npmrc",
    "ci": ".github/workflows/x.yml", "ci-capital": ".GitHub/Workflows/x.yml", "ci-gitlab": ".gitlab-ci.yml",
    "ci-action": ".github/actions/x/action.yml",
}) + _links("protected", {
    "git-link": ("notes.cfg", {"notes.cfg": ".git/config"}), "git-link-folder": ("t/pre-push", {"t": ".git/hooks"}),
    "git-link-two": ("b/config", {"a": ".git", "b": "a"}), "git-link-absolute": ("g/config", {"g": "{ws}/.git"}),
    "vscode-link": ("v/tasks.json", {"v": ".vscode"}), "own-link": ("o/x.py", {"o": ".attache/tools"}),
})  # fmt: skip

CORPUS: list[Spot] = [*DOTS, *ABSOLUTE, *KERNEL, *LINKS, *SPECIAL, *NAMES, *PROTECTED]
