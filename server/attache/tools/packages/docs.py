"""Documentation: what lacks it, what installed packages say, and what a release changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.index.languages import languages
from attache.index.parse import outline
from attache.schema.code import Symbol
from attache.schema.errors import FileSkipped, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.analysis.risks import TEST
from attache.tools.files.files import is_folder
from attache.tools.git.git import Path_, repository, revision
from attache.tools.listing import glob as compiled
from attache.tools.packages.installed import node_page, python_page, site_packages
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted
from attache.workspace.git import git, git_text

FILES_MOST = 3_000
DOCUMENTED = frozenset({"class", "interface", "struct", "trait", "enum", "function", "method"})


@tool(cost="LOW")
async def doc_coverage(
    ctx: Context,
    path: Path_ = "",
    glob: Annotated[str, Field(description="Only files like `*.py`.")] = "",
    private: Annotated[bool, Field(description="Names that begin with _ too.")] = False,
    offset: Offset = 0,
) -> ToolOutput:
    """Find functions, methods and classes without documentation, and say how many have some, file by file."""
    files = await ctx.workspace.files(path) if not path or await is_folder(ctx, path) else (path,)
    wanted = compiled(glob) if glob else None
    chosen = [file for file in files if languages().of(file) and (wanted is None or wanted.fullmatch(file))]
    chosen = [file for file in chosen if file == path or not TEST.search(file)][:FILES_MOST]
    bare: list[Symbol] = []
    rates: list[tuple[float, str, int, int]] = []
    for file in chosen:
        symbols = await _symbols(ctx, file, private=private)
        lacking = [each for each in symbols if not each.doc]
        bare += lacking
        if symbols:
            have = len(symbols) - len(lacking)
            rates.append((have / len(symbols), file, have, len(symbols)))
    total, have = sum(each[3] for each in rates), sum(each[2] for each in rates)
    head = f"{have} of {counted(total, 'definition')} documented" + (f", {100 * have // total} %" if total else "")
    worst = [f"{file}: {some} of {all_}" for rate, file, some, all_ in sorted(rates) if rate < 1]
    lines = [*worst, *(f"{each.path}:{each.line} {each.kind} {each.qualified}" for each in bare)]
    return ToolOutput(
        text="\n".join([head, *([paged(lines, offset, narrower="name a folder")] if lines else [])]),
        title=head,
        places=tuple(cited(each.path, each.line) for each in bare[:60]),
        data={
            "documented": have,
            "total": total,
            "bare": [f"{each.path}:{each.line} {each.qualified}" for each in bare],
        },
    )


async def _symbols(ctx: Context, path: str, *, private: bool) -> list[Symbol]:
    language = languages().of(path)
    if language is None:
        return []
    try:
        text = (await ctx.workspace.read(path)).text
    except (FileSkipped, PathRefused):
        return []
    found = await asyncio.to_thread(outline, language.name, text, path)
    return [each for each in found if each.kind in DOCUMENTED and (private or not _hidden(each))]


def _hidden(symbol: Symbol) -> bool:
    return any(part.startswith(("_", "#")) for part in symbol.qualified.split("."))


@tool(aliases=("package_docs",))
async def lookup(
    ctx: Context,
    name: Annotated[str, Field(min_length=1, description="Package, or a dotted name in it: `httpx.Client.get`.")],
    offset: Offset = 0,
) -> ToolOutput:
    """Look up what an installed package says: README, docstrings, signatures, as the project has it. Runs nothing."""
    if not re.fullmatch(r"[@\w][\w./@-]*", name) or ".." in name:
        raise ToolError(f"{name!r} is no name of a package", hint="such as requests, or requests.Session.get")
    folder = ctx.workspace.roots[0].path
    page = await asyncio.to_thread(lambda: node_page(name, folder) or python_page(name, site_packages(folder)))
    if page is None:
        raise ToolError(
            f"{name} is not installed here", hint=f"looked in node_modules, and in {_places(folder)}; fetch its page"
        )
    return ToolOutput(
        text=paged(page.text.split("\n"), offset, narrower="name a part of it"),
        title=page.title,
        data={"name": page.title},
    )


def _places(folder: Path) -> str:
    own = [path for path in site_packages(folder) if path.startswith(str(folder))]
    return ", ".join(path.removeprefix(f"{folder}/") for path in own) or "no environment of the project's own"


# ---------------------------------------------------------------- changelog

_KINDS = (
    ("Breaking", re.compile(r"^\w+(\([^)]*\))?!:|BREAKING CHANGE")),
    ("Added", re.compile(r"^(feat|add|new|support|introduce)", re.IGNORECASE)),
    ("Fixed", re.compile(r"^(fix|bug|hotfix|correct|repair|revert)", re.IGNORECASE)),
    ("Security", re.compile(r"^(security|cve)", re.IGNORECASE)),
    ("Removed", re.compile(r"^(remove|delete|drop)", re.IGNORECASE)),
    ("Changed", re.compile(r"^(perf|refactor|change|update|improve|rename|move|deprecate)", re.IGNORECASE)),
)
_INSIDE = re.compile(r"^(chore|ci|build|test|tests|style|docs?)(\([^)]*\))?:|^Merge ", re.IGNORECASE)
_TYPE = re.compile(r"^(\w+)(?:\(([^)]*)\))?!?:\s*")


@tool(cost="LOW")
async def changelog(
    ctx: Context,
    since: Annotated[str, Field(description="Tag or commit; the last tag by default.")] = "",
    until: Annotated[str, Field(description="Where it ends.")] = "HEAD",
) -> ToolOutput:
    """Draft the changelog of a release from its commits, grouped as Keep a Changelog has it."""
    folder = repository(ctx).folder
    start = revision("changelog.since", since) if since else await _last_tag(folder, until)
    revision("changelog.until", until)
    span = f"{start}..{until}" if start else until
    told = await git_text(folder, "log", "--no-merges", "--format=%h%x1f%s%x1f%b%x1e", span, "--")
    groups: dict[str, list[str]] = {}
    for kind, line in _sorted(told):
        groups.setdefault(kind, []).append(line)
    names = [*(name for name, _ in _KINDS), "Other", "Inside"]
    lines = [line for name in names if name in groups for line in (f"### {name}", *groups[name], "")]
    count = sum(map(len, groups.values()))
    head = f"{counted(count, 'commit')} since {start or 'the beginning'}"
    return ToolOutput(
        text=f"{head}\n\n" + paged(lines) if lines else f"{head}: nothing to tell",
        title=head,
        data={"since": start, "groups": groups},
    )


async def _last_tag(folder: Path, until: str) -> str:
    answer = await git(folder, "describe", "--tags", "--abbrev=0", until)
    return answer.text.strip() if answer.exit_code == 0 else ""


def _sorted(told: str) -> Iterator[tuple[str, str]]:
    for entry in told.split("\x1e"):
        if entry.strip():
            hash_, subject, body = entry.strip("\n").split("\x1f", 2)
            yield _kind(subject, body), f"- {_plain(subject)} ({hash_})"


def _kind(subject: str, body: str) -> str:
    """Return the heading under which a commit is told."""
    if _KINDS[0][1].search(f"{subject}\n{body}"):
        return "Breaking"
    if _INSIDE.match(subject):
        return "Inside"
    return next((name for name, form in _KINDS[1:] if form.search(subject)), "Other")


def _plain(subject: str) -> str:
    """Return a subject without the type that it begins with, its scope kept."""
    plain = _TYPE.sub(lambda match: f"{match[2]}: " if match[2] else "", subject)
    return f"{plain[:1].upper()}{plain[1:]}"
