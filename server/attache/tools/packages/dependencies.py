"""What a project depends on, what of it is old or known to be unsafe, and adding to it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

from pydantic import Field

from attache.schema.errors import FileMissing, FileSkipped, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.commands.shell import limited, run
from attache.tools.data.tables import table
from attache.tools.packages.manifests import ecosystem, locked
from attache.tools.paging import Offset, paged
from attache.tools.testing.testing import python
from attache.tools.tool import Context, tool
from attache.tools.wording import counted
from attache.workspace.shell import Command

MANIFESTS_MOST = 100
COLUMNS = ("name", "wanted", "locked", "group")
MALFORMED = (ValueError, AttributeError, TypeError, KeyError, IndexError, RecursionError)
"""What reading JSON or TOML of another shape than expected comes to."""

Folder = Annotated[str, Field(description="Folder of the project; the workspace by default.")]
Rows = list[tuple[str, ...]]


@tool
async def list_dependencies(
    ctx: Context,
    path: Folder = "",
    query: Annotated[str, Field(description="Only names that hold this.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """List what each manifest depends on, with the version it asks for and the one that is locked."""
    files = await ctx.workspace.files(path)
    manifests = [file for file in files if ecosystem(file)][:MANIFESTS_MOST]
    if not manifests:
        raise ToolError("no manifest was found", hint="pyproject.toml, package.json, Cargo.toml and the like are read")
    lines, data = list[str](), list[dict[str, Any]]()
    for manifest in manifests:
        rows = [row for row in await _rows(ctx, manifest, lines) if query.lower() in row[0].lower()]
        if rows:
            lines += [f"{manifest}: {counted(len(rows), 'dependency')}", *table(COLUMNS, rows), ""]
            data += [{"manifest": manifest, **dict(zip(COLUMNS, row, strict=True))} for row in rows]
    head = f"{counted(len(data), 'dependency')} in {counted(len(manifests), 'manifest')}"
    return ToolOutput(
        text=f"{head}\n{paged(lines, offset, narrower='give a query or a folder')}".rstrip(),
        title=head,
        data={"dependencies": data},
    )


async def _rows(ctx: Context, manifest: str, notes: list[str]) -> Rows:
    """Return (name, wanted, locked, group) of what a manifest names; what cannot be read goes into the notes."""
    row = ecosystem(manifest)
    folder = manifest.rpartition("/")[0]
    try:
        text = (await ctx.workspace.read(manifest)).text
        wanted = await asyncio.to_thread(lambda: list(row.read(text))) if row else []
    except (*MALFORMED, FileSkipped) as error:
        notes.append(f"{manifest} cannot be read: {error}")
        return []
    locks: Mapping[str, str] = {}
    for name, read in row.locks if row else ():
        try:
            lock = (await ctx.workspace.read(f"{folder}/{name}" if folder else name)).text
            locks = await asyncio.to_thread(read, lock)
            break
        except FileMissing:
            continue
        except (*MALFORMED, FileSkipped) as error:
            notes.append(f"{name} cannot be read: {error}")
    return [(each.name, each.wanted, locked(locks, each.name), each.group) for each in wanted]


# ---------------------------------------------------------------- the user's own programs


class Program(NamedTuple):
    """One row: where it is used, what it is called with, how its answer is read, and how to get it."""

    marker: str
    """A file beside which it works."""
    argv: tuple[str, ...]
    rows: Callable[[Any], Iterator[tuple[str, ...]]]
    get: str


def _pip_outdated(held: Any) -> Iterator[tuple[str, ...]]:
    for each in held:
        yield each["name"], each["version"], each["latest_version"]


def _npm_outdated(held: Any) -> Iterator[tuple[str, ...]]:
    for name, each in held.items():
        found = cast("list[dict[str, str]]", each if isinstance(each, list) else [each])
        for one in found:
            yield name, one.get("current", "not installed"), one.get("latest", "")


def _go_outdated(held: Any) -> Iterator[tuple[str, ...]]:
    for each in held:
        if "Update" in each and not each.get("Indirect"):
            yield each["Path"], each.get("Version", ""), each["Update"].get("Version", "")


def _cargo_outdated(held: Any) -> Iterator[tuple[str, ...]]:
    for each in held.get("dependencies", ()):
        yield each["name"], each["project"], each["latest"]


def _pip_audit(held: Any) -> Iterator[tuple[str, ...]]:
    for each in held.get("dependencies", ()):
        for flaw in each.get("vulns", ()):
            yield each["name"], each.get("version", ""), flaw["id"], "", ", ".join(flaw.get("fix_versions", ()))


def _npm_audit(held: Any) -> Iterator[tuple[str, ...]]:
    for name, each in held.get("vulnerabilities", {}).items():
        via: list[Any] = each.get("via", [])
        ids = [
            str(cast("dict[str, Any]", one).get("url", "")).rpartition("/")[2] for one in via if isinstance(one, dict)
        ]
        fix: Any = each.get("fixAvailable")
        fixed = f"{fix['name']} {fix['version']}" if isinstance(fix, dict) else "npm audit fix" if fix else "none yet"
        yield name, each.get("range", ""), ", ".join(ids) or f"by {via[0]}", each.get("severity", ""), fixed


def _cargo_audit(held: Any) -> Iterator[tuple[str, ...]]:
    for each in held.get("vulnerabilities", {}).get("list", ()):
        package, flaw = each["package"], each["advisory"]
        fixed = ", ".join(each.get("versions", {}).get("patched", ()))
        yield package["name"], package["version"], flaw["id"], flaw.get("title", ""), fixed


def _go_vulnerable(held: Any) -> Iterator[tuple[str, ...]]:
    seen: set[str] = set()
    for each in held:
        found = each.get("finding")
        if found and found["osv"] not in seen:
            seen.add(found["osv"])
            first = found["trace"][0]
            yield (
                first.get("module", ""),
                first.get("version", ""),
                found["osv"],
                "",
                found.get("fixed_version", "none yet"),
            )


_PIP = ("pip", "list", "--outdated", "--format=json")
_PIP_AUDIT = ("pip-audit", "--format=json", "--progress-spinner=off")
_VULNCHECK = "go install golang.org/x/vuln/cmd/govulncheck@latest"
OUTDATED = (
    Program("uv.lock", ("uv", *_PIP), _pip_outdated, "https://docs.astral.sh/uv"),
    Program("package.json", ("npm", "outdated", "--json"), _npm_outdated, "https://nodejs.org"),
    Program(
        "Cargo.toml",
        ("cargo", "outdated", "--format", "json", "--root-deps-only"),
        _cargo_outdated,
        "cargo install cargo-outdated",
    ),
    Program("go.mod", ("go", "list", "-u", "-m", "-json", "all"), _go_outdated, "https://go.dev/dl"),
    Program("pyproject.toml", ("{python}", "-m", *_PIP), _pip_outdated, "https://www.python.org"),
    Program("requirements.txt", ("{python}", "-m", *_PIP), _pip_outdated, "https://www.python.org"),
)
AUDIT = (
    Program("package-lock.json", ("npm", "audit", "--json"), _npm_audit, "https://nodejs.org"),
    Program("Cargo.lock", ("cargo", "audit", "--json"), _cargo_audit, "cargo install cargo-audit"),
    Program("go.mod", ("govulncheck", "-json", "./..."), _go_vulnerable, _VULNCHECK),
    Program("requirements.txt", (*_PIP_AUDIT, "-r", "requirements.txt"), _pip_audit, "pip install pip-audit"),
    Program("pyproject.toml", (*_PIP_AUDIT, "."), _pip_audit, "pip install pip-audit"),
)
_MARKED = "a project was looked for by "


def _folder(ctx: Context, path: str) -> Path:
    root, inside = ctx.workspace.place(ctx.workspace.uri(path or "."))
    folder = root.path / inside
    if not folder.is_dir():
        raise ToolError(f"{path} is no folder", hint="name the folder that holds the manifest")
    return folder


def _program(ctx: Context, rows: Sequence[Program], path: str) -> tuple[Program, Command]:
    """Return the row that fits a folder, and its command. Raises ToolError that says what is missing."""
    folder = _folder(ctx, path)
    for row in rows:
        if (folder / row.marker).is_file():
            argv = tuple(python(folder) if part == "{python}" else part for part in row.argv)
            if not shutil.which(argv[0]):
                raise ToolError(f"{argv[0]} is not installed", hint=f"have it installed: {row.get}")
            return row, Command(argv=argv, cwd=folder, timeout_seconds=limited(ctx, None), view="direct")
    markers = ", ".join(dict.fromkeys(row.marker for row in rows))
    raise ToolError(f"{path or 'the workspace'}: {_MARKED}{markers}, and none is there", hint="name its folder: path")


def outdated_command(ctx: Context, path: str = "") -> Command:
    """Return the command of a call of `outdated`."""
    return _program(ctx, OUTDATED, path)[1]


def audit_command(ctx: Context, path: str = "") -> Command:
    """Return the command of a call of `audit`."""
    return _program(ctx, AUDIT, path)[1]


@tool(effect="outside", cost="MEDIUM", command=outdated_command)
async def outdated(ctx: Context, path: Folder = "") -> ToolOutput:
    """Ask the project's own package manager which dependencies have newer versions."""
    row, command = _program(ctx, OUTDATED, path)
    rows = await _asked(ctx, row, command)
    head = f"{counted(len(rows), 'dependency')} behind" if rows else "everything is up to date"
    lines = table(("name", "has", "latest"), rows) if rows else []
    return ToolOutput(text="\n".join([head, *lines]), title=head, data={"outdated": [list(each) for each in rows]})


@tool(effect="outside", cost="MEDIUM", aliases=("dependency_audit",), command=audit_command)
async def audit(ctx: Context, path: Folder = "") -> ToolOutput:
    """Ask an auditor (npm audit, pip-audit, cargo audit, govulncheck) which dependencies are known to be unsafe."""
    row, command = _program(ctx, AUDIT, path)
    rows = await _asked(ctx, row, command)
    head = f"{counted(len(rows), 'known vulnerability')}" if rows else "no known vulnerability"
    lines = table(("package", "version", "id", "severity", "fixed in"), rows) if rows else []
    return ToolOutput(
        text="\n".join([head, *lines]), title=head, data={"vulnerabilities": [list(each) for each in rows]}
    )


async def _asked(ctx: Context, row: Program, command: Command) -> Rows:
    done = (await run(ctx, command)).done
    several = "list" in row.argv[:2] or row.argv[0] == "govulncheck"
    try:
        return sorted(set(row.rows(_json(done.output, several=several))))
    except MALFORMED as error:
        said = done.output.strip()[-600:] or f"exit {done.exit_code}"
        raise ToolError(f"{row.argv[0]} did not answer as it should: {said}", hint="is the network there?") from error


def _json(output: str, *, several: bool) -> Any:
    """Return the JSON in an output that may hold warnings too; of several documents, a list."""
    decoder, found, at = json.JSONDecoder(), list[Any](), 0
    while (at := min((place for sign in "{[" if (place := output.find(sign, at)) >= 0), default=-1)) >= 0:
        try:
            held, at = decoder.raw_decode(output, at)
        except ValueError:
            at += 1
            continue
        found.append(held)
        if not several or isinstance(held, list):
            break
    if not found:
        if output.strip():
            raise ValueError("no JSON")
        return {}
    first = found[0]
    if isinstance(first, dict) and "error" in first:
        raise ValueError(str(cast("dict[str, Any]", first)["error"]))
    return found if several and not isinstance(first, list) else cast("Any", first)


# ---------------------------------------------------------------- adding

ADD: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("uv.lock", ("uv", "add"), ("--dev",)),
    ("poetry.lock", ("poetry", "add"), ("--group", "dev")),
    ("pdm.lock", ("pdm", "add"), ("--dev",)),
    ("pnpm-lock.yaml", ("pnpm", "add"), ("--save-dev",)),
    ("yarn.lock", ("yarn", "add"), ("--dev",)),
    ("bun.lock", ("bun", "add"), ("--dev",)),
    ("package.json", ("npm", "install"), ("--save-dev",)),
    ("Cargo.toml", ("cargo", "add"), ("--dev",)),
    ("go.mod", ("go", "get"), ()),
    ("Gemfile", ("bundle", "add"), ("--group", "development")),
    ("composer.json", ("composer", "require"), ("--dev",)),
    ("pyproject.toml", ("uv", "add"), ("--dev",)),
)
"""By the file that shows it: the command that adds, and what makes it a dependency of development."""


def add_command(ctx: Context, packages: list[str], dev: bool = False, path: str = "") -> Command:
    """Return the command of a call of `add_dependency`. Raises InvalidArguments, ToolError."""
    for package in packages:
        if package.startswith("-") or not package.strip():
            raise InvalidArguments(f"add_dependency.packages: {package!r} is no package", hint='such as "httpx>=1"')
    folder = _folder(ctx, path)
    for marker, argv, development in ADD:
        if not (folder / marker).is_file():
            continue
        if not shutil.which(argv[0]):
            raise ToolError(f"{argv[0]} is not installed, and {marker} asks for it", hint=f"install {argv[0]}")
        whole = (*argv, *(development if dev else ()), *packages)
        return Command(argv=whole, cwd=folder, timeout_seconds=limited(ctx, None), view="direct")
    raise ToolError(
        "no package manager shows itself here",
        hint="edit the manifest, then install by the shell, or name the folder: path",
    )


@tool(effect="outside", cost="MEDIUM", once=True, command=add_command)
async def add_dependency(
    ctx: Context,
    packages: Annotated[list[str], Field(min_length=1, description="Names, with versions as its manager writes them.")],
    dev: Annotated[bool, Field(description="For development only.")] = False,
    path: Folder = "",
) -> ToolOutput:
    """Add dependencies by the project's own package manager: uv, poetry, npm, pnpm, yarn, cargo, go and others."""
    command = add_command(ctx, packages, dev, path)
    done = (await run(ctx, command)).done
    ok = done.exit_code == 0 and not done.timed_out
    words = " ".join(command.argv)
    return ToolOutput(
        text=f"{'added by' if ok else 'failed:'} {words}\n{done.output.strip()[-4_000:]}".rstrip(),
        title=f"`{words}` · exit {done.exit_code}",
        data={"exit_code": done.exit_code, "command": list(command.argv)},
        is_error=not ok,
    )
