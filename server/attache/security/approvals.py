"""Put a question so that it cannot mislead: everything shown, nothing hidden, and the answer bound to it."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import json
import shlex
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from attache.foundation.ids import new_id
from attache.foundation.redact import redact
from attache.schema.data import ApprovalId, CallId, RunId
from attache.schema.errors import ApprovalDenied
from attache.schema.session import Approval, ApprovalAnswer
from attache.workspace.shell import Command

TITLE_CHARS = 160
DIFF_LINES = 400
GRANT_DIGITS = 12
_HIDING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories of characters that move, turn or hide text, or look like the blank that shells part words by."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Letters and signs that leave no ink."""
_LOOKALIKES_NAMED = 5

Rows = tuple[tuple[str, str], ...]


def for_command(tool: str, command: Command, *, run_id: RunId, call_id: CallId, confinement: str = "") -> Approval:
    """Ask to run a command: the argv as it will be run, the folder, what is changed in its environment.

    `confinement` says what keeps it from the machine; nothing does where it is empty.
    """
    what = shlex.join(command.argv) if command.argv else command.text
    folder = visible(str(command.cwd))
    environment = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(command.env.items()))
    rows: list[tuple[str, str]] = []
    if not command.argv:
        rows.append(("shell", shlex.join(command.program[:-1])))
    rows.append(("folder", folder))
    if environment:
        rows.append(("environment", visible(environment)))
    if command.stdin is not None:
        rows.append(("input", visible(command.stdin)))
    if command.hosts and command.view == "cow":
        rows.append(("may reach", visible(", ".join(command.hosts))))
    if others := _of_other_scripts(what):
        rows.append(("look-alikes", others))
    rows.append(("effect", confinement or "runs on your files and with your network; there is no sandbox around it"))
    setting = f"{visible(environment)} " if environment else ""
    pattern = f"{tool} {setting}{visible(what)} (folder {folder})"
    exact = command.model_dump(mode="json")
    return _approval(tool, "run: " + what, tuple(rows), pattern, exact, run_id=run_id, call_id=call_id)


def for_call(tool: str, arguments: Mapping[str, Any], *, run_id: RunId, call_id: CallId) -> Approval:
    """Ask to run a tool that reaches outside and is no command: its arguments, all of them."""
    rows = tuple((visible(name), visible(_text(value))) for name, value in arguments.items())
    exact = json.dumps(dict(arguments), sort_keys=True, ensure_ascii=True, default=str)
    return _approval(tool, f"use {tool}", rows, f"{tool} {exact}", exact, run_id=run_id, call_id=call_id)


def for_reach(
    title: str, rows: Iterable[tuple[str, str]], pattern: str, *, tool: str, run_id: RunId, call_id: CallId
) -> Approval:
    """Ask to reach something outside, such as a host; a grant covers `pattern`, whatever is asked of it later."""
    shown = tuple((visible(label), visible(value)) for label, value in rows)
    exact = [title, list(shown)]
    return _approval(tool, title, shown, visible(pattern), exact, run_id=run_id, call_id=call_id, bound=False)


def for_change(
    title: str, files: Iterable[tuple[str, str | None, str | None, str]], *, run_id: RunId, call_id: CallId
) -> Approval:
    """Ask to change files, given as (path, text before, text after, why it asks); None stands for no file."""
    changes = list(files)
    rows: list[tuple[str, str]] = []
    for path, before, after, why in changes:
        verb = "create" if before is None else "delete" if after is None else "change"
        rows += [(verb, visible(path))] + ([("protected", why)] if why else [])
        rows.append(("diff", _diff(before or "", after or "")))
    names = ", ".join(visible(path) for path, *_ in changes)
    what = f"edit {names}: {title}"
    pattern = f"edit {names}"  # later edits of these files, whatever they are
    return _approval("edit", what, tuple(rows), pattern, changes, run_id=run_id, call_id=call_id, bound=False)


def check(approval: Approval, answer: ApprovalAnswer) -> ApprovalAnswer:
    """Return the answer with the pattern it covers. Raises ApprovalDenied where it answers another question."""
    if answer.approval_id != approval.id or not hmac.compare_digest(answer.digest.encode(), approval.digest.encode()):
        raise ApprovalDenied("the answer was not to what was shown", hint="ask again")
    pattern = approval.pattern if answer.choice == "allow_session" else ""
    return answer.model_copy(update={"pattern": pattern})


def visible(text: str) -> str:
    """Return the text with every character that could hide or reorder it spelled out, line ends as ⏎."""
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == " ":
        return char
    if char == "\n":
        return " ⏎ "
    if unicodedata.category(char) in _HIDING or char in _BLANK:
        return f"‹U+{ord(char):04X}›"
    return char


def _approval(
    tool: str, what: str, rows: Rows, pattern: str, exact: object, *, run_id: RunId, call_id: CallId, bound: bool = True
) -> Approval:
    """Build the question. Its digest covers what is shown and `exact`, what it is shown for, to the last character."""
    title = redact(visible(what))
    if len(title) > TITLE_CHARS:
        rows = (("in full", title), *rows)
        title = f"{title[:TITLE_CHARS]}… (+{len(title) - TITLE_CHARS} characters, in full below)"
    detail = tuple((label, redact(value)) for label, value in rows)
    # What a grant covers is the very same call, which rendered text alone would not tell: two can look alike.
    same = hashlib.sha256(json.dumps([tool, exact], ensure_ascii=True, sort_keys=True).encode()).hexdigest()
    pattern = f"{redact(pattern)} #{same[:GRANT_DIGITS]}" if bound else redact(pattern)
    covered = json.dumps([tool, what, rows, pattern, exact], ensure_ascii=True, sort_keys=True)
    digest = hashlib.sha256(covered.encode()).hexdigest()
    return Approval(
        id=ApprovalId(new_id("a")), run_id=run_id, call_id=call_id, tool=tool, title=title, detail=detail,
        pattern=pattern, digest=digest,
    )  # fmt: skip


def _of_other_scripts(text: str) -> str:
    """Name the letters of a command that are not Latin without marks: a Cyrillic one can look just the same."""
    letters = [char for char in dict.fromkeys(text) if char.isalnum() and not char.isascii()]
    named = [f"{char} is {unicodedata.name(char, 'unnamed')}" for char in letters[:_LOOKALIKES_NAMED]]
    rest = len(letters) - len(named)
    return ", ".join([*named, f"and {rest} more"] if rest else named)


def _diff(before: str, after: str) -> str:
    if all(text.count("\r\n") == text.count("\n") for text in (before, after)):  # line ends that did not change
        before, after = before.replace("\r\n", "\n"), after.replace("\r\n", "\n")
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), n=1, lineterm=""))[2:]
    shown = ["\t".join(map(visible, line.split("\t"))) for line in lines[:DIFF_LINES]]
    return "\n".join(shown + ([f"… {len(lines) - DIFF_LINES} more lines"] if len(lines) > DIFF_LINES else []))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
