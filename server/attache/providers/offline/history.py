"""What changed: the state, the diff and the last commits; who wrote a line; commit messages and changelog lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from attache.providers.offline.diffs import FileDiff, listed, read_diff, told
from attache.providers.offline.evidence import blocked
from attache.providers.offline.plans import Asked, Call, Done, Step

COMMITS = 10
FILES_SHOWN = 30
SUBJECT_CHARS = 72
_CONVENTIONAL = re.compile(r"^(?:feat|fix|docs|test|tests|chore|refactor|build|ci|perf|style|revert)(?:\([^)]*\))?!?: ")
_SINCE = re.compile(r"\b(?:since|after|from|against|compared (?:to|with)|vs\.?|between)\s+`?(?P<rev>[\w./~^@-]+)`?")
_NO_WORDS = "the last this that my our then yesterday today now morning week month a i we commit release version diff"
_NO_REVISION = frozenset(_NO_WORDS.split())
_STAGED = re.compile(r"\bstaged\b|\bindex\b")
_LOG = re.compile(r"\bcommits?\b|\blog\b|\bhistory\b|\brecently\b|\blately\b|\bhappened\b")
_UNTRACKED = re.compile(r"^untracked \(\d+\):\n((?:  .*\n?)+)", re.MULTILINE)
_COMMIT = re.compile(
    r"^(?P<hash>[0-9a-f]{7,}) (?P<day>\S+) (?P<author>[^:]+): (?P<subject>.*?)(?: \([^()]*\))?$", re.MULTILINE
)
_FIXES = re.compile(r"\b(?:fix|bug|correct|mend|repair|crash|wrong|broken)", re.IGNORECASE)


def revision(asked: Asked) -> str:
    """Return the commit, branch or tag that a question names."""
    match = _SINCE.search(asked.intent.question)
    rev = match["rev"].rstrip(".,?") if match else ""
    if rev.lower() in _NO_REVISION or any(place.path == rev for place in asked.intent.places):
        rev = ""
    if not rev and re.search(
        r"\b(?:since|after) (?:the |my |our )?(?:last commit|HEAD)\b", asked.intent.question, re.IGNORECASE
    ):
        return "HEAD"
    if not rev and re.search(r"\blast commit\b|\bthis commit\b|\bHEAD\b", asked.intent.question):
        return "HEAD~1"
    return rev


def _path(asked: Asked) -> str:
    return asked.intent.places[0].path if asked.intent.places else ""


def _diffs(asked: Asked) -> list[FileDiff]:
    return [each for _, result in asked.results("git_diff") if not result.is_error for each in read_diff(result.text)]


def _trouble(asked: Asked) -> str:
    """Return why git could not answer, empty where it did."""
    failed = [result.text for _, result in asked.done if result.is_error]
    return failed[0].partition("\n")[0] if failed else ""


def _missing(asked: Asked) -> Step | None:
    return None if "git_diff" in asked.tools else Done("Git's tools are not offered here; in a shell: `git status`.")


# ---------------------------------------------------------------- what changed


def changed(asked: Asked) -> Step:
    """Say what is changed and not committed, or what the last commits did."""
    if step := _missing(asked):
        return step
    if diffs := read_diff(asked.text.partition("\n\n")[2]):
        return Done(explained(diffs))
    path, rev = _path(asked), revision(asked)
    if not asked.done:
        more = {"path": path} if path else {}
        if rev:
            span = rev if ".." in rev else f"{rev}..HEAD"
            return [Call("git_diff", {**more, "rev": rev}), Call("git_log", {**more, "rev": span, "limit": COMMITS})]
        staged = Call("git_diff", {**more, "staged": True})
        log = Call("git_log", {**more, "limit": COMMITS})
        return [Call("git_status", more), Call("git_diff", more), staged, log]
    if trouble := _trouble(asked):
        return Done(f"Git says: {trouble}")
    parts = [_since(rev), _uncommitted(asked), _log(asked)]
    about_log = bool(_LOG.search(asked.intent.question.lower()))
    ordered = [parts[0], *(reversed(parts[1:]) if about_log and not rev else parts[1:])]
    return Done("\n\n".join(part for part in ordered if part))


def _since(rev: str) -> str:
    return f"Since `{rev}`:" if rev else ""


def _uncommitted(asked: Asked) -> str:
    rows = [f"- {told(each)}" for each in _diffs(asked)]
    rows += [f"- {path}: new, not known to git yet" for path in _untracked(asked)]
    more = [f"- … and {len(rows) - FILES_SHOWN} more"] if len(rows) > FILES_SHOWN else []
    if not rows:
        return "" if asked.results("git_diff") and revision(asked) else "Nothing is changed that is not committed."
    head = "The files that differ:" if revision(asked) else "Changed and not committed:"
    return "\n".join((head, "", *rows[:FILES_SHOWN], *more))


def _untracked(asked: Asked) -> list[str]:
    found = [_UNTRACKED.search(result.text) for _, result in asked.results("git_status")]
    return [line.strip() for match in found if match for line in match[1].splitlines() if not line.startswith("  [")]


def _log(asked: Asked) -> str:
    rows = [f"- {match[0]}" for _, result in asked.results("git_log") for match in _COMMIT.finditer(result.text)]
    return "\n".join(("The last commits:", "", *rows)) if rows else ""


def explained(diffs: Sequence[FileDiff]) -> str:
    """Explain a diff: what it does to each file, and what stands out in it."""
    rows = [f"- {told(each)}" for each in diffs[:FILES_SHOWN]]
    more = [f"- … and {len(diffs) - FILES_SHOWN} more"] if len(diffs) > FILES_SHOWN else []
    kinds = Counter(each.kind for each in diffs)
    notes: list[str] = []
    if kinds["code"] and not kinds["test"]:
        notes.append("It changes code and no test.")
    if gone := [name for each in diffs for name in each.undefined if each.kind == "code"]:
        notes.append(f"It takes {listed(gone)} away: `who calls {gone[0]}?` tells what still uses it.")
    files = f"{len(diffs)} file{'s' * (len(diffs) != 1)}"
    head = f"It is a diff of {files} (lines added and removed in brackets), by its own lines:"
    return "\n".join((head, "", *rows, *more)) + ("\n\n" + " ".join(notes) if notes else "")


def blame(asked: Asked) -> Step:
    """Say who wrote the lines that were named, and in which commit."""
    if "git_blame" not in asked.tools:
        return Done("Git's tools are not offered here; in a shell: `git blame`.")
    place = asked.intent.places[0] if asked.intent.places else None
    if place is None:
        return changed(asked)
    if not asked.done:
        if place.line is None:
            return [Call("git_log", {"path": place.path, "limit": COMMITS})]
        return [Call("git_blame", {"path": place.path, "line": place.line, "end_line": place.end_line or place.line})]
    _, result = asked.done[-1]
    if result.is_error:
        return Done(f"Git says: {result.text}")
    if place.line:
        return Done(blocked(f"{place.path}:{place.line}\n{result.text}"))
    return Done(f"{place.path}:\n\n{_log(asked) or result.text}")


# ---------------------------------------------------------------- commit messages and changelog lines


def commit_message(asked: Asked) -> Step:
    """Write a commit message for what is staged, else for all that is changed, in the manner of the last ones."""
    if step := _missing(asked):
        return step
    given = read_diff(asked.text.partition("\n\n")[2])
    if not asked.done:
        log = [Call("git_log", {"limit": 20})]
        asks = [Call("git_status"), Call("git_diff", {"staged": True}), Call("git_diff")]
        return log if given else [*asks, *log]
    if not given and (
        trouble := next((one.text for call, one in asked.done if one.is_error and call.name != "git_log"), "")
    ):
        return Done(f"Git says: {trouble.partition(chr(10))[0]}")
    staged = [one for call, result in asked.results("git_diff") if call.arguments for one in read_diff(result.text)]
    diffs = given or staged or _diffs(asked)
    new = [] if given or staged else [FileDiff(path, is_new=True) for path in _untracked(asked)]
    if not (diffs := [*diffs, *new]):
        return Done("There is nothing to commit: nothing is changed.")
    subjects = [match["subject"] for _, one in asked.results("git_log") for match in _COMMIT.finditer(one.text)]
    body = "\n".join(f"- {told(each)}" for each in diffs[:FILES_SHOWN]) if len(diffs) > 1 else ""
    message = _styled(subject(diffs), diffs, subjects) + (f"\n\n{body}" if body else "")
    of = "what is staged" if staged else "the diff you gave" if given else "all that is changed (nothing is staged)"
    return Done(
        f"For {of}:\n\n```\n{message}\n```\n\nIt says what the diff says. Why it was done, only you know: add it."
    )


def subject(diffs: Sequence[FileDiff]) -> str:
    """Return what a change does in one short sentence, in the imperative."""
    code = [each for each in diffs if each.kind == "code"] or list(diffs)
    where = _where(code)
    renamed = _renamed(code)
    if renamed:
        text = f"Rename {renamed[0]} to {renamed[1]}"
    elif fresh := [name for each in code for name in each.defined]:
        text = f"Add {_few(fresh)}{where}"
    elif gone := [name for each in code for name in each.undefined]:
        text = f"Remove {_few(gone)}{where}"
    else:
        text = _of_files(code) or f"Change {_few([name for each in code for name in each.changed]) or 'lines'}{where}"
    return text if len(text) <= SUBJECT_CHARS else text[: SUBJECT_CHARS - 1].rsplit(" ", 1)[0] + " …"


def _few(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(name for name in names if not name.startswith("__"))) or list(dict.fromkeys(names))
    if len(unique) <= 2:  # noqa: PLR2004 - two names read well
        return " and ".join(unique)
    return f"{unique[0]}, {unique[1]} and {len(unique) - 2} more"


def _where(diffs: Sequence[FileDiff]) -> str:
    stems = list(dict.fromkeys(PurePosixPath(each.path).stem for each in diffs))
    if len(stems) == 1:
        return f" in {stems[0]}"
    folders = {PurePosixPath(each.path).parent.name for each in diffs}
    return f" in {folders.pop()}" if len(folders) == 1 and "" not in folders else ""


def _renamed(diffs: Sequence[FileDiff]) -> tuple[str, str] | None:
    """Return the old and the new name, where one definition went, one came, and the lines are otherwise alike."""
    gone = list(dict.fromkeys(name for each in diffs for name in each.undefined))
    fresh = list(dict.fromkeys(name for each in diffs for name in each.defined))
    if len(gone) != 1 or len(fresh) != 1:
        return None
    old = {re.sub(rf"\b{re.escape(gone[0])}\b", fresh[0], line) for each in diffs for line in each.removed}
    return (gone[0], fresh[0]) if old == {line for each in diffs for _, line in each.added} else None


def _of_files(diffs: Sequence[FileDiff]) -> str:
    """Return what is done to whole files, empty where it is no one thing."""
    names = [PurePosixPath(each.path).name for each in diffs]
    verbs = (
        ("Add", all(each.is_new for each in diffs)),
        ("Delete", all(each.is_gone for each in diffs)),
        ("Move", all(each.old_path for each in diffs)),
        ("Update", all(each.kind in {"docs", "settings"} for each in diffs)),
    )
    verb = next((verb for verb, fits in verbs if fits), "")
    return f"{verb} {_few(names)}" if verb else ""


def _styled(text: str, diffs: Sequence[FileDiff], subjects: Sequence[str]) -> str:
    """Put a subject into the manner that most of the last ones have: conventional commits, or a small first letter."""
    if sum(bool(_CONVENTIONAL.match(each)) for each in subjects) * 2 > len(subjects):
        return f"{_type(text, diffs)}: {text[:1].lower()}{text[1:]}"
    small = sum(each[:1].islower() for each in subjects) * 2 > len(subjects)
    return f"{text[:1].lower()}{text[1:]}" if small else text


def _type(text: str, diffs: Sequence[FileDiff]) -> str:
    kinds = {each.kind for each in diffs}
    if len(kinds) == 1 and (only := kinds.pop()) != "code":
        return {"test": "test", "docs": "docs", "settings": "chore"}[only]
    return "feat" if text.startswith("Add ") else "refactor" if text.startswith(("Rename", "Move")) else "fix"


def changelog(asked: Asked) -> Step:
    """Write changelog lines from the commits since a revision, or from what is changed."""
    if step := _missing(asked):
        return step
    rev = revision(asked)
    if not asked.done:
        span = {"rev": rev if ".." in rev else f"{rev}..HEAD", "limit": 200} if rev else {"limit": COMMITS}
        diffs = [] if rev else [Call("git_diff", {"rev": "HEAD"}), Call("git_status")]
        return [Call("git_log", span), *diffs]
    log = asked.results("git_log")[0][1]
    if log.is_error:
        return Done(f"Git says: {log.text.partition(chr(10))[0]}")
    groups: dict[str, list[str]] = {"Added": [], "Changed": [], "Removed": [], "Fixed": []}
    if rev:
        _from_commits(log.text, groups)
    else:
        new = [FileDiff(path, is_new=True) for path in _untracked(asked)]
        _from_diffs([*_diffs(asked), *new], groups)
    text = "\n\n".join(
        f"### {head}\n\n" + "\n".join(f"- {row}" for row in rows) for head, rows in groups.items() if rows
    )
    if not text:
        since = f"since `{rev}`" if rev else "that is not committed; name where to begin: `changelog since v1.0`"
        return Done(f"Nothing is changed {since}.")
    source = f"the commits since `{rev}`" if rev else "what is changed and not committed"
    return Done(f"From {source}:\n\n{text}\n\nThey say what was done; what it means to users is yours to add.")


def _from_commits(text: str, groups: dict[str, list[str]]) -> None:
    for match in _COMMIT.finditer(text):
        line = _CONVENTIONAL.sub("", match["subject"]).rstrip(".")
        head = match["subject"].partition(":")[0].partition("(")[0]
        first = line.partition(" ")[0].lower()
        if head in {"test", "tests", "chore", "ci", "build", "style"} or first == "merge":
            continue
        group = (
            "Fixed" if head == "fix" or _FIXES.match(line)
            else "Added" if head == "feat" or first in {"add", "adds", "added", "introduce", "support", "allow"}
            else "Removed" if first in {"remove", "removes", "removed", "drop", "delete"}
            else "Changed"
        )  # fmt: skip
        groups[group].append(f"{line[:1].upper()}{line[1:]} ({match['hash']}).")


def _from_diffs(diffs: Sequence[FileDiff], groups: dict[str, list[str]]) -> None:
    code = [each for each in diffs if each.kind == "code"]
    if renamed := _renamed(code):
        groups["Changed"].append(f"`{renamed[0]}` is now `{renamed[1]}`.")
        diffs = [each for each in diffs if each not in code]
    for each in diffs:
        if each.kind == "test":
            continue
        if each.is_new or each.is_gone:
            groups["Added" if each.is_new else "Removed"].append(f"{each.path}.")
            continue
        for group, names in (("Added", each.defined), ("Removed", each.undefined), ("Changed", each.changed)):
            groups[group] += [f"{listed(names)} ({each.path})."] if names else []
        if not (each.defined or each.undefined or each.changed):
            groups["Changed"].append(f"{each.path}.")
