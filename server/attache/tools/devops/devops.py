"""Checks of what runs and ships the software: images, services, pipelines, clusters, infrastructure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from attache.schema.documents import Diagnostic
from attache.schema.errors import FileSkipped, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.devops import compose, dockerfiles, kubernetes, terraform, workflows
from attache.tools.devops.yaml_tree import Findings
from attache.tools.files.files import is_folder
from attache.tools.listing import glob
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, finding

FILES_MOST = 300
DOCKERFILES = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile")
COMPOSE = ("compose.y{a,}ml", "docker-compose.y{a,}ml", "compose.*.y{a,}ml", "docker-compose.*.y{a,}ml")
WORKFLOWS = (".github/workflows/*.y{a,}ml", "**/.github/workflows/*.y{a,}ml")
MANIFESTS = ("*.yaml", "*.yml")

Paths = Annotated[list[str] | None, Field(description="Files or folders; all that are named so by default.")]


@tool(aliases=("lint_dockerfile",))
async def check_dockerfile(ctx: Context, paths: Paths = None, offset: Offset = 0) -> ToolOutput:
    """Check Dockerfiles: instructions, versions that move, secrets in layers, root, caches, signals."""
    texts = await _texts(ctx, paths, DOCKERFILES, "Dockerfile")
    return _told(await _checked(dockerfiles.check, texts), "Dockerfile", offset)


@tool
async def check_compose(ctx: Context, paths: Paths = None, offset: Offset = 0) -> ToolOutput:
    """Check Compose files: unknown keys, services, networks and volumes that are not there, ports, open doors."""
    texts = await _texts(ctx, paths, COMPOSE, "Compose file")
    return _told(await _checked(compose.check, texts), "Compose file", offset)


@tool(aliases=("lint_workflow",))
async def check_ci(ctx: Context, paths: Paths = None, offset: Offset = 0) -> ToolOutput:
    """Check GitHub Actions workflows: shape, needs and ids that lead nowhere, script injection, rights, pins."""
    texts = await _texts(ctx, paths, WORKFLOWS, "workflow")
    return _told(await _checked(workflows.check, texts), "workflow", offset)


@tool
async def check_kubernetes(ctx: Context, paths: Paths = None, offset: Offset = 0) -> ToolOutput:
    """Check Kubernetes manifests together: shape, versions that are gone, selectors, volumes, ports, rights, limits."""
    texts = await _texts(ctx, paths, MANIFESTS, "manifest", lambda text: "apiVersion:" in text and "kind:" in text)
    return _told(await asyncio.to_thread(kubernetes.check, texts), "manifest", offset)


async def _texts(
    ctx: Context,
    paths: Sequence[str] | None,
    globs: Sequence[str],
    what: str,
    fits: Callable[[str], bool] | None = None,
) -> Mapping[str, str]:
    """Return the texts of the files that are named, or named so. Raises ToolError where there is none."""
    chosen: list[str] = []
    for path in paths or [""]:
        if path and not await is_folder(ctx, path):
            chosen.append(path)
            continue
        wanted = [glob(each) for each in globs]
        chosen += [file for file in await ctx.workspace.files(path) if any(each.fullmatch(file) for each in wanted)]
    texts: dict[str, str] = {}
    for path in chosen[:FILES_MOST]:
        try:
            snapshot = await ctx.workspace.read(path)
        except (FileSkipped, PathRefused):
            if path in (paths or ()):
                raise
            continue
        if path in (paths or ()) or fits is None or fits(snapshot.text):
            texts[snapshot.path] = snapshot.text
    if not texts:
        raise ToolError(f"no {what} was found", hint=f"looked for {', '.join(globs)}; name it: paths")
    return texts


async def _checked(check: Callable[[str, str], Findings], texts: Mapping[str, str]) -> list[Findings]:
    """Check each text by itself, beside the event loop."""
    return await asyncio.to_thread(lambda: [check(path, text) for path, text in texts.items()])


def _told(outs: Sequence[Findings], what: str, offset: int) -> ToolOutput:
    order = {"error": 0, "warning": 1, "information": 2, "hint": 3}
    found: list[Diagnostic] = [each for out in outs for each in out.found]
    found.sort(key=lambda each: (order[each.severity], each.place.path, each.place.line))
    count = {severity: sum(each.severity == severity for each in found) for severity in ("error", "warning")}
    head = f"{counted(len(found), 'finding')} in {counted(len(outs), what)}"
    head += f", {counted(count['error'], 'error')}, {counted(count['warning'], 'warning')}" if found else ""
    body = [paged([finding(each) for each in found], offset, narrower="name a file")] if found else []
    return ToolOutput(
        text="\n".join([head, *body]),
        title=head,
        places=tuple(each.place for each in found[:60]),
        data={"findings": [each.model_dump() for each in found], "files": [out.path for out in outs]},
    )


@tool(pure=True)
async def terraform_plan(
    ctx: Context,
    path: Annotated[str, Field(description="What `terraform show -json PLAN` printed.")],
    offset: Offset = 0,
) -> ToolOutput:
    """Read a Terraform or OpenTofu plan: what it destroys, replaces, changes and adds, and why; secrets stay hidden."""
    snapshot = await ctx.workspace.read(path)
    found = await asyncio.to_thread(terraform.changes, snapshot.path, snapshot.text)
    lines: list[str] = []
    for each in found:
        lines.append(f"{each.action} {each.address}{f' ({each.reason})' if each.reason else ''}")
        lines += [f"  {line}" for line in each.attributes]
    head = terraform.summary(found)
    return ToolOutput(
        text="\n".join([head, *([paged(lines, offset)] if lines else [])]),
        title=head,
        data={"changes": [each._asdict() for each in found]},
    )
