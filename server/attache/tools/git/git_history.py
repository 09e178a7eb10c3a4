"""Look at a repository's past: commits, who wrote what, branches, and a pull request's text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from attache.schema.errors import FileMissing, FileSkipped, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.git.git import FILES_SHOWN, SHOWN_LINES, Path_, Revision, before_first, repository, revision
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, first_line, lines_of, listed, numbered
from attache.workspace.files import decode
from attache.workspace.git import PLAIN_DIFF, failed, git, git_text

COMMITS_MOST = 200
COMMIT = ("hash", "date", "author", "refs", "subject")
BRANCH = (
    "HEAD", "refname:short", "upstream:short", "upstream:track", "committerdate:short", "subject", "worktreepath",
)  # fmt: skip
_SEPARATOR = "\x1f"


# ---------------------------------------------------------------- history


@tool(category="git")
async def git_log(
    ctx: Context,
    path: Path_ = "",
    limit: Annotated[int, Field(ge=1, le=COMMITS_MOST, description="Commits at most.")] = 20,
    rev: Annotated[str, Field(description="Where to begin, or a range: `v1..main`.")] = "",
    query: Annotated[str, Field(description="Only commits whose message has this, as a regex.")] = "",
    changed: Annotated[str, Field(description="Only commits that add or remove this text.")] = "",
    skip: Annotated[int, Field(ge=0, description="Commits to skip, to read on.")] = 0,
) -> ToolOutput:
    """List commits, the newest first: hash, day, author, subject."""
    where = repository(ctx, path)
    start, dots, end = revision("git_log.rev", rev).partition("..")
    if dots and await before_first(where.folder, start):
        rev = end.lstrip(".") or "HEAD"
    is_file = bool(where.path) and (where.folder / where.path).is_file()
    told = await git_text(
        where.folder, "log", f"--max-count={limit + 1}", f"--skip={skip}", "--date=short", "--no-color",
        "--format=%h%x1f%ad%x1f%an%x1f%D%x1f%s", "--no-ext-diff", "--no-textconv",
        *(["--follow"] if is_file else []),
        *([f"--grep={query}", "--extended-regexp", "--regexp-ignore-case"] if query else []),
        *([f"-S{changed}"] if changed else []), *([rev] if rev else []), "--", where.spec,
    )  # fmt: skip
    rows = [line.split(_SEPARATOR, 4) for line in told.splitlines() if line.count(_SEPARATOR) >= len(COMMIT) - 1]
    shown = rows[:limit]
    lines = [f"{hash_} {day} {author}: {title}{_names(names)}" for hash_, day, author, names, title in shown]
    if len(rows) > limit:
        lines.append(f"[… there are more: read on with skip={skip + limit}]")
    return ToolOutput(
        text="\n".join(lines) or "no such commit",
        title=f"{path or rev or 'log'} · {counted(len(shown), 'commit')}",
        data={"commits": [dict(zip(COMMIT, row, strict=True)) for row in shown]},
    )


def _names(names: str) -> str:
    return f" ({names})" if names else ""


@tool(category="git")
async def git_show(
    ctx: Context,
    rev: Revision,
    path: Annotated[str, Field(description="A file, to read it as it was.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """Show a commit with its diff, or a file as it stood in that commit."""
    where = repository(ctx, path)
    revision("git_show.rev", rev)
    if path:
        answer = await git(where.folder, "show", "--no-textconv", f"{rev}:./{where.path}")
        if answer.exit_code:
            raise failed(answer.text, "show")
        lines = lines_of(decode(answer.output, f"{path} in {rev}").text)
        text = paged(numbered(lines, 1).split("\n"), offset)
        return ToolOutput(
            text=f"{path} in {rev}, {counted(len(lines), 'line')}\n{text}",
            title=f"{path} in {rev}",
            data={"path": path, "rev": rev, "lines": len(lines)},
        )
    told = await git_text(
        where.folder, "show", *PLAIN_DIFF, "--format=commit %H%nauthor %an, %ad%n%n%B", "--date=iso", "--stat",
        "--patch", "-M", rev, "--", ".",
    )  # fmt: skip
    lines = told.rstrip("\n").split("\n")
    title = next((line for line in lines[3:] if line), rev)
    return ToolOutput(
        text=paged(lines, offset, limit=SHOWN_LINES, narrower="git_diff with rev and path"),
        title=f"{rev} · {first_line(title)}",
        data={"rev": rev, "lines": len(lines)},
    )


# ---------------------------------------------------------------- blame

_HEAD = re.compile(r"^([0-9a-f]{40,64}) \d+ (\d+)")


@tool(category="git")
async def git_blame(
    ctx: Context,
    path: Annotated[str, Field(description="File.")],
    line: Annotated[int, Field(ge=1, description="First line, from 1.")] = 1,
    end_line: Annotated[int | None, Field(ge=1, description="Last line, included.")] = None,
) -> ToolOutput:
    """Say who wrote each line, when and in which commit, of the file as it stands, unsaved changes included."""
    snapshot = await ctx.workspace.read(path)
    where = repository(ctx, path)
    lines = lines_of(snapshot.text)
    last = min(end_line or line + 39, len(lines))
    if not line <= last:
        raise InvalidArguments(
            f"git_blame.line: {path} has {counted(len(lines), 'line')}, and none from {line} to {end_line or line}",
            hint=f"1 to {len(lines)} are there",
        )
    # The text goes in as git would keep it: with the line ends of what is there.
    answer = await git(
        where.folder, "blame", "--line-porcelain", "--no-textconv", f"-L{line},{last}", "--contents", "-", "--",
        where.path, stdin=snapshot.text.encode(snapshot.encoding, "replace"),
    )  # fmt: skip
    if answer.exit_code:
        raise failed(answer.text, "blame")
    rows = list(_blamed(answer.text))
    shown = [f"{row['line']}\t{row['hash'][:10]} {row['day']} {row['author']}\t{row['text']}" for row in rows]
    commits = {row["hash"]: row["summary"] for row in rows}
    told = [f"{hash_[:10]} {title}" for hash_, title in commits.items()]
    left = f"\n[… to line {len(lines)}: go on with line={last + 1}]" if end_line is None and last < len(lines) else ""
    return ToolOutput(
        text=f"{paged(shown)}{left}\n\n{listed(told, FILES_SHOWN, 'ask for fewer lines')}",
        title=f"{snapshot.path}:{line}-{last} · {counted(len(commits), 'commit')}",
        places=(cited(snapshot.path, line, last),),
        data={"lines": rows},
    )


def _blamed(told: str) -> Iterable[dict[str, Any]]:
    from datetime import UTC, datetime

    row: dict[str, Any] = {}
    for each in told.split("\n"):
        if head := _HEAD.match(each):
            row = {"hash": head[1], "line": int(head[2])}
        elif each.startswith("\t"):
            seconds = int(row.get("time", "0"))
            unborn = set(row["hash"]) == {"0"}
            yield {
                "line": row["line"], "hash": row["hash"], "text": each[1:].rstrip("\r"),
                "author": "you" if unborn else row.get("author", ""),
                "day": "not yet" if unborn else datetime.fromtimestamp(seconds, UTC).date().isoformat(),
                "summary": "not committed yet" if unborn else row.get("summary", ""),
            }  # fmt: skip
        else:
            name, _, value = each.partition(" ")
            if name in {"author", "summary", "author-time"}:
                row["time" if name == "author-time" else name] = value


# ---------------------------------------------------------------- branches


@tool(category="git")
async def git_branches(ctx: Context) -> ToolOutput:
    """List branches, the last used first, with what they track, their last commit and where they are checked out."""
    folder = repository(ctx).folder
    fields = (
        "HEAD",
        "refname:short",
        "upstream:short",
        "upstream:track",
        "committerdate:short",
        "subject",
        "worktreepath",
    )
    form = "%1f".join(f"%({each})" for each in fields)
    told = await git_text(
        folder, "for-each-ref", "--sort=-committerdate", f"--format={form}", "refs/heads", "refs/remotes"
    )
    rows = [line.split(_SEPARATOR, 6) for line in told.splitlines()]
    lines: list[str] = []
    for head, name, upstream, track, day, subject, where in rows:
        tracks = f", tracks {upstream} {track}".rstrip() if upstream else ""
        elsewhere = f", checked out in {where}" if where and head != "*" else ""
        lines.append(f"{'*' if head == '*' else ' '} {name} · {day} {first_line(subject)}{tracks}{elsewhere}")
    return ToolOutput(
        text=listed(lines, FILES_SHOWN, "ask git_log with a name") or "no branch has a commit yet",
        title=counted(len(rows), "branch"),
        data={"branches": [row[1] for row in rows], "current": next((row[1] for row in rows if row[0] == "*"), "")},
    )


# ---------------------------------------------------------------- pull requests

_TEMPLATES = (
    ".github/pull_request_template.md", ".github/PULL_REQUEST_TEMPLATE.md", "docs/pull_request_template.md",
    "pull_request_template.md", "PULL_REQUEST_TEMPLATE.md", ".gitlab/merge_request_templates/Default.md",
)  # fmt: skip
_ISSUE = re.compile(r"(?:\b[A-Z][A-Z0-9]+-\d+\b|(?<![\w/])#\d+\b)")


@tool(category="git", aliases=("pull_request",))
async def pr_text(
    ctx: Context, base: Annotated[str, Field(description="Branch it goes into; found where left out.")] = ""
) -> ToolOutput:
    """Draft a pull request's title and text from the branch's commits and diff, in the repository's own template."""
    folder = repository(ctx).folder
    base = revision("pr_text.base", base) if base else await _default_branch(folder)
    start = (await git_text(folder, "merge-base", base, "HEAD")).strip()
    told = await git_text(folder, "log", "--reverse", "--no-merges", "--format=%s%x1f%b%x1e", f"{start}..HEAD")
    commits = [entry.strip("\n").partition(_SEPARATOR) for entry in told.split("\x1e") if entry.strip()]
    if not commits:
        raise ToolError(f"there is no commit here that {base} has not", hint="commit first, or name another base")
    branch = (await git_text(folder, "rev-parse", "--abbrev-ref", "HEAD")).strip()
    stat = await git_text(folder, "diff", *PLAIN_DIFF, "--stat=100", "-M", start, "HEAD")
    dirty = (await git_text(folder, "status", "--porcelain", "--ignore-submodules=all")).strip()
    issues = list(dict.fromkeys(_ISSUE.findall(f"{branch} {told}")))
    title = commits[0][0] if len(commits) == 1 else re.sub(r"[-_/]+", " ", branch).strip().capitalize()
    body = ["## What", *(f"- {subject}" for subject, _, _ in commits)]
    body += (
        ["", "## Why", *(text.strip() for _, _, text in commits if text.strip())]
        if any(c[2].strip() for c in commits)
        else []
    )
    body += ["", f"Issues: {', '.join(issues)}"] if issues else []
    notes = [f"{counted(len(commits), 'commit')} since {base} ({start[:10]})", stat.rstrip()]
    notes += ["note: changes that are not committed are not in it"] if dirty else []
    if (template := await _template(ctx)) is not None:
        notes.append(f"the repository's template, to be filled in ({template[0]}):\n{template[1]}")
    return ToolOutput(
        text="\n".join([f"title: {title}", "", *body, "", "---", *notes]),
        title=f"{branch} → {base} · {counted(len(commits), 'commit')}",
        data={"title": title, "body": "\n".join(body), "base": base, "branch": branch, "issues": issues},
    )


async def _default_branch(folder: Path) -> str:
    """Return the branch that work goes into. Raises ToolError where none can be told."""
    remote = await git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
    names: Sequence[str] = [remote.text.strip()] if remote.exit_code == 0 else []
    for name in (*names, "origin/main", "origin/master", "main", "master", "develop", "trunk"):
        if (await git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")).exit_code == 0:
            return name
    raise ToolError("no main branch was found", hint="name it: base")


async def _template(ctx: Context) -> tuple[str, str] | None:
    for path in _TEMPLATES:
        try:
            return path, (await ctx.workspace.read(path)).text.strip()
        except (FileMissing, FileSkipped):
            continue
    return None
