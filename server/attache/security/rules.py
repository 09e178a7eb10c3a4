"""The user's own rules: what is allowed, asked about or denied, by tool, path, command and host.

They stand in `policy.toml` beside the user's settings. A folder that the user trusts may carry `.attache/policy.toml`,
which can make things stricter, never laxer. Of the rules that fit, the strictest counts; their order does not matter.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, cast

from pydantic import Field, ValidationError

from attache.foundation.settings import not_toml
from attache.schema.data import Record
from attache.security.policy import Choice, Verdict, plain_name

FILE = "policy.toml"
REST = "**"
"""As the last word of a rule's argv: whatever follows, or nothing."""
_STRICTNESS: Mapping[Choice, int] = {"allow": 0, "ask": 1, "deny": 2}


class Rule(Record):
    """One `[[rule]]`; what it does not name, it does not look at."""

    choice: Choice
    tool: str = "*"
    """Name of a tool, with `*` and `?`."""
    path: str = ""
    """Files from the workspace's root, as `.gitignore` writes them; where links lead is what counts."""
    argv: tuple[str, ...] = ()
    """A command word by word, each with `*` and `?`. Text for a shell is never allowed by it: only an argv is."""
    host: str = ""
    """Name of a host, with `*` and `?`."""
    confined: bool = False
    """Commands, text for a shell among them, that can change nothing which is not accepted, and reach no network."""
    why: str = ""
    """What the person, or the model, is told."""


class _File(Record):
    rule: tuple[Rule, ...] = Field(())


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about, as far as rules look at it."""

    tool: str
    paths: Sequence[str] = ()
    """From the root, links followed."""
    argv: Sequence[str] = ()
    """The command that is to run; empty where it is text for a shell, or none."""
    script: bool = False
    """Whether it is text for a shell."""
    host: str = ""
    confined: bool = False
    """Whether it is a command that the sandbox keeps from all but the view."""
    marked: bool = False
    """Whether it reaches outside while the model has words of strangers before it, who may have put it up to this."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules that hold, and what is wrong with the files they stand in."""

    rules: tuple[Rule, ...] = ()
    problem: str = ""

    @property
    def silent(self) -> bool:
        """Whether nothing is said about anything."""
        return not (self.rules or self.problem)

    def judge(self, subject: Subject) -> Verdict | None:
        """Return what the strictest rule that fits says; None where none does. With a broken file, all is asked."""
        fitting = [rule for rule in self.rules if _fits(rule, subject)]
        strictest = max(fitting, key=lambda rule: _STRICTNESS[rule.choice], default=None)
        if strictest is not None and strictest.choice == "deny":
            return Verdict("deny", strictest.why or f"a rule of yours denies this ({_named(strictest)})")
        if self.problem:
            return Verdict("ask", f"the rules cannot be read, so everything asks: {self.problem}")
        if strictest is None:
            return None
        return Verdict(strictest.choice, strictest.why or f"a rule of yours ({_named(strictest)})")


def load(own: Path, carried: Iterable[Path] = ()) -> Rules:
    """Read the user's file and those of trusted folders. `problem` holds what is wrong, with file, line and key."""
    rules: list[Rule] = []
    problems: list[str] = []
    for path, foreign in [(own, False), *((folder, True) for folder in carried)]:
        try:
            rules += _read(path, foreign=foreign)
        except ValueError as error:
            problems.append(str(error))
    return Rules(tuple(rules), "; ".join(problems))


def _read(path: Path, *, foreign: bool) -> tuple[Rule, ...]:
    """Return the rules of a file. Raises ValueError with the place of what is wrong."""
    try:
        text = path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    try:
        rules = _File.model_validate(tomllib.loads(text)).rule
    except tomllib.TOMLDecodeError as error:
        raise ValueError(not_toml(path, text, str(error)).message) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{path}:{_line(text, first['loc'])}: {_key(first['loc'])}: {first['msg']}") from error
    for number, rule in enumerate(rules):
        where = f"{path}:{_line(text, ('rule', number, 'choice'))}: choice"
        if foreign and rule.choice == "allow":
            raise ValueError(f"{where}: a folder can ask and deny, only your own {FILE} can allow")
        if rule.choice == "allow" and not (
            rule.path or rule.argv or rule.host or rule.confined or rule.tool.strip("*?")
        ):
            raise ValueError(f"{where}: this rule allows everything; name a tool, a path, an argv, a host or confined")
    return rules


def _key(place: Sequence[object]) -> str:
    return ".".join(str(part) for part in place)


def _line(text: str, place: Sequence[object]) -> int:
    """Return the line on which the n-th rule, or its key, stands."""
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines, 1) if line.replace(" ", "").startswith("[[rule]]")]
    index = next((part for part in place if isinstance(part, int)), 0)
    if index >= len(heads):
        return 1
    end = heads[index + 1] - 1 if index + 1 < len(heads) else len(lines)
    keys = [part for part in place if isinstance(part, str) and part != "rule"]
    for number in range(heads[index], end + 1):
        if keys and lines[number - 1].partition("=")[0].strip() == keys[0]:
            return number
    return heads[index]


def _named(rule: Rule) -> str:
    told = [f"tool {rule.tool}"] if rule.tool != "*" else []
    told += [f"path {rule.path}"] if rule.path else []
    told += [f"argv {' '.join(rule.argv)}"] if rule.argv else []
    told += [f"host {rule.host}"] if rule.host else []
    told += ["confined"] if rule.confined else []
    return ", ".join(told) or "every tool"


# ---------------------------------------------------------------- does a rule fit


def _fits(rule: Rule, subject: Subject) -> bool:
    lax = rule.choice == "allow"
    exact = bool(rule.path or rule.argv or rule.host or rule.confined)
    return (
        fnmatchcase(subject.tool, rule.tool)
        and (not rule.path or _path_fits(rule.path, subject.paths, every=lax))
        and (not rule.argv or _argv_fits(rule.argv, subject, lax=lax))
        and (not rule.host or _host_fits(rule.host, subject.host))
        and (subject.confined or not rule.confined)
        and not (lax and subject.script and not rule.confined)
        and not (lax and subject.marked and not exact)
    )


def _path_fits(pattern: str, paths: Sequence[str], *, every: bool) -> bool:
    """Whether the pattern means one of the paths, or every one of them; none, if there are none."""
    from pathspec import GitIgnoreSpec

    spec = cast("Any", GitIgnoreSpec.from_lines([_plain_path(pattern)]))
    matches = [bool(spec.match_file(_plain_path(path))) for path in paths]
    return bool(matches) and (all(matches) if every else any(matches))


def _argv_fits(pattern: Sequence[str], subject: Subject, *, lax: bool) -> bool:
    """Whether the command is meant, word by word. A program's folder counts only where the rule allows."""
    if subject.script or not subject.argv:
        return False
    argv = list(subject.argv)
    if not lax and "/" not in pattern[0]:
        argv[0] = PurePath(argv[0]).name
    if pattern[-1] == REST:
        pattern = pattern[:-1]
        argv = argv[: len(pattern)]
    return len(argv) == len(pattern) and all(map(fnmatchcase, argv, pattern))


def _host_fits(pattern: str, host: str) -> bool:
    return bool(host) and fnmatchcase(host.rstrip(".").casefold(), pattern.casefold())


def _plain_path(path: str) -> str:
    return "/".join(map(plain_name, path.split("/")))
