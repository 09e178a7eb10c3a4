"""Read a unified diff: which files it changes, what it defines anew, what it takes away, and inside of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_FILE = re.compile(r"^(?:---|\+\+\+) (?:[ab]/)?(?P<path>[^\t]*)")
_HUNK = re.compile(r"^@@ -\d+(?:,(?P<old>\d+))? \+(?P<line>\d+)(?:,(?P<new>\d+))? @@ ?(?P<inside>.*)$")
DEFINES = re.compile(
    r"^\s*(?:(?:export|default|declare|async|pub(?:\([\w: ]+\))?|public|private|protected|static|final|abstract|"
    r"override|unsafe|const|inline|internal|open|suspend|data)\s+)*"
    r"(?:def|class|fn|func|function\*?|type|struct|interface|enum|trait|impl|module|object|record)\s+"
    r"(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)
_TEST = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__|testing)/|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)\.")
_DOCS = frozenset({".md", ".rst", ".txt", ".adoc"})
_SETTINGS = frozenset({".toml", ".cfg", ".ini", ".json", ".yaml", ".yml", ".lock"})


@dataclass(slots=True)
class FileDiff:
    """What a diff does to one file."""

    path: str
    old_path: str = ""
    """Where it was before, where it was moved."""
    is_new: bool = False
    is_gone: bool = False
    is_binary: bool = False
    added: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Line numbers in the new text, and the lines."""
    removed: list[str] = field(default_factory=list[str])
    inside: list[str] = field(default_factory=list[str])
    """Names of the definitions that are there before and after, in which lines are changed."""
    stands_in: tuple[str, int] = ("", 0)
    """While reading: the definition of the line before, and how far it is indented."""

    @property
    def kind(self) -> str:
        """Return `test`, `docs`, `settings` or `code`."""
        suffix = PurePosixPath(self.path).suffix
        if _TEST.search(self.path):
            return "test"
        return "docs" if suffix in _DOCS else "settings" if suffix in _SETTINGS else "code"

    @property
    def defined(self) -> list[str]:
        """Return the names that it newly defines."""
        return [name for name in _names(text for _, text in self.added) if name not in _names(self.removed)]

    @property
    def undefined(self) -> list[str]:
        """Return the names whose definitions it takes away."""
        now = _names(text for _, text in self.added)
        return [name for name in _names(self.removed) if name not in now]

    @property
    def changed(self) -> list[str]:
        """Return the definitions that are there before and after, and are changed."""
        now = _names(text for _, text in self.added)
        both = [name for name in _names(self.removed) if name in now]
        fresh = {*self.defined, *self.undefined}
        return list(dict.fromkeys(name for name in (*both, *self.inside) if name not in fresh))


def _names(lines: Iterator[str] | list[str]) -> list[str]:
    found = (DEFINES.match(line) for line in lines)
    return list(dict.fromkeys(match["name"] for match in found if match))


def read_diff(text: str) -> list[FileDiff]:
    """Return what a unified diff changes, file by file; nothing where the text is none."""
    found: list[FileDiff] = []
    old = new = at = 0
    for line in text.splitlines():
        current = found[-1] if found else None
        if old > 0 or new > 0:
            at, old, new = _body(line, current, at, old, new)
        elif line.startswith("diff --git "):
            found.append(FileDiff(line.rpartition(" b/")[2]))
        elif line.startswith("--- ") and (match := _FILE.match(line)):
            if current is None or current.added or current.removed or not text.startswith("diff --git", 0):
                current = _begun(found, match["path"])
            current.is_new = current.is_new or match["path"] == "/dev/null"
        elif line.startswith("+++ ") and current and (match := _FILE.match(line)):
            current.is_gone = match["path"] == "/dev/null"
            current.path = current.path if current.is_gone else match["path"]
        elif current and (match := _HUNK.match(line)):
            at, old, new = int(match["line"]), int(match["old"] or 1), int(match["new"] or 1)
            around = _names([match["inside"]])
            current.stands_in = (around[0], 0) if around else ("", 0)
        elif current:
            _head(line, current)
    return [each for each in found if each.added or each.removed or each.old_path or each.is_new or each.is_binary]


def _begun(found: list[FileDiff], path: str) -> FileDiff:
    if not found or found[-1].added or found[-1].removed:
        found.append(FileDiff("" if path == "/dev/null" else path))
    return found[-1]


def _body(line: str, current: FileDiff | None, at: int, old: int, new: int) -> tuple[int, int, int]:
    """Take in one line of a hunk, and return where the next one stands and how many are left of each side."""
    if current is None or line.startswith("\\"):
        return at, old, new
    sign, text = line[:1], line[1:]
    defined = DEFINES.match(text)
    if defined:
        current.stands_in = (defined["name"], len(text) - len(text.lstrip()))
    elif sign in {"+", "-"} and text.strip():
        name, indent = current.stands_in
        if name and len(text) - len(text.lstrip()) > indent and name not in current.inside:
            current.inside.append(name)
    if sign == "+":
        current.added.append((at, text))
        return at + 1, old, new - 1
    if sign == "-":
        current.removed.append(text)
        return at, old - 1, new
    return at + 1, old - 1, new - 1


def _head(line: str, current: FileDiff) -> None:
    current.is_new = current.is_new or line.startswith("new file")
    current.is_gone = current.is_gone or line.startswith("deleted file")
    current.is_binary = current.is_binary or line.startswith("Binary files")
    if line.startswith("rename from "):
        current.old_path = line.removeprefix("rename from ")


def told(each: FileDiff) -> str:
    """Return what a diff does to a file, in one line."""
    size = f"+{len(each.added)} −{len(each.removed)}"
    if each.is_new and not each.added:
        return f"{each.path}: new file"
    if each.is_binary:
        return f"{each.path}: binary"
    if each.is_gone:
        return f"{each.path}: deleted"
    if each.old_path and not (each.added or each.removed):
        return f"{each.old_path} → {each.path}: moved"
    parts = [f"moved from {each.old_path}"] if each.old_path else ["new file"] if each.is_new else []
    parts += [f"{verb} {listed(names)}" for verb, names in _facts(each) if names]
    return f"{each.path} ({size})" + (f": {', '.join(parts)}" if parts else "")


def _facts(each: FileDiff) -> tuple[tuple[str, list[str]], ...]:
    return ("adds", each.defined), ("removes", each.undefined), ("changes", [] if each.is_new else each.changed)


def listed(names: list[str], most: int = 5) -> str:
    """Return names in backticks, with how many there are more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"`{name}`" for name in names[:most]) + more
