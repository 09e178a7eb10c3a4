"""`attache tool`: every tool by itself, through the whole pipeline."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from attache.agent.select import rank, select
from attache.app import open_app
from attache.faces.cli.approver import Terminal
from attache.faces.cli.main import app
from attache.faces.cli.options import Approve, Cwd, Json, folder, print_json, settings_for, tell_problems
from attache.faces.cli.render import visible
from attache.schema.data import CallId
from attache.schema.errors import UserError
from attache.schema.messages import ToolCall
from attache.tools.tool import Tools

tools = typer.Typer(help="List the agent's tools and run one.", no_args_is_help=True)
app.add_typer(tools, name="tool")

REFUSED = 4
OFFER_SECONDS = 30.0
"""How long the embedding model is waited for where nothing else waits."""


@tools.command("list")
def list_(*, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """List the tools by category."""
    here = folder(cwd)
    settings = settings_for(here)
    found = Tools.discover(here if settings.trusted else None)
    specs = found.specs()
    wide, category = (max(len(getattr(spec, field)) for spec in specs) + 2 for field in ("name", "category"))
    for spec in specs:
        if json_lines:
            row = spec.model_dump(include={"name", "category", "description", "cost", "effect"})
            print_json({**row, "schema": spec.parameters})
        else:
            print(
                f"{spec.name:<{wide}}{spec.category:<{category}}{spec.effect:<11}{spec.description.partition('. ')[0]}"
            )
    tell_problems(found.problems)


@tools.command()
def offer(
    request: Annotated[str, typer.Argument(help="What you would ask for.")],
    *,
    cwd: Cwd = Path(),
    json_lines: Json = False,
) -> None:
    """Show which tools a model is offered for a request, and how they were chosen."""
    here = folder(cwd)
    settings = settings_for(here)

    async def work() -> tuple[Tools, str]:
        async with open_app(settings, here) as opened:
            resources = opened.resources
            resources.likeness.wait_seconds = OFFER_SECONDS
            found = resources.tools.allowed(settings.mode)
            ranked = await rank(found, request, settings.tool_selection, resources.likeness)
            return select(found, ranked, settings.max_tools), resources.likeness.trouble()

    offered, trouble = asyncio.run(work())
    how = settings.tool_selection
    if how != "keyword" and (trouble or not settings.embedding_model):
        sys.stderr.write(f"attache: chosen by keyword, not {how}: {trouble or 'no `embedding_model` is set'}\n")
        how = "keyword"
    for spec in offered.specs():
        if json_lines:
            print_json({"name": spec.name, "category": spec.category, "by": how})
        else:
            print(f"{spec.name:<20}{spec.category:<14}{spec.description.partition('. ')[0]}")


@tools.command()
def run(
    name: Annotated[str, typer.Argument(help="The tool's name.")],
    pairs: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its arguments, one by one.")] = None,
    *,
    args: Annotated[str, typer.Option("--args", metavar="JSON", help="Its arguments, a JSON object.")] = "{}",
    cwd: Cwd = Path(),
    approve: Approve = None,
    json_lines: Json = False,
) -> int:
    """Run one tool as the agent would, with permission, redaction and a record."""
    arguments = _arguments(args)
    here = folder(cwd)
    settings = settings_for(here, approve=approve)

    async def work() -> int:
        async with open_app(settings, here, approver=Terminal()) as opened:
            tell_problems(opened.resources.tools.problems)
            tool = opened.resources.tools.find(name)
            arguments.update(_named(pairs or [], tool.spec.parameters))
            if tool.spec.category in {"search", "analysis"}:
                await opened.resources.index.ready()
            session = await opened.orchestrator.new_session(model="offline/offline")
            output = await session.run_tool(ToolCall(id=CallId("c_1"), name=name, arguments=arguments))
        if json_lines:
            print_json(output.model_dump(mode="json"))
        else:
            (sys.stderr if output.is_error else sys.stdout).write(visible(output.text).rstrip("\n") + "\n")
        if not output.is_error:
            return 0
        return REFUSED if tool.spec.effect == "workspace" else 1

    return asyncio.run(work())


def _named(pairs: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    """Return `key=value` words as arguments: JSON where the schema wants no text, a list where a key comes again."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UserError(f"{pair!r} is no argument", hint="write key=value, such as path=README.md")
        wanted = schema.get("properties", {}).get(key, {})
        value = _value(text, wanted)
        several = wanted.get("type") == "array"
        if several and not isinstance(value, list):
            value = [value]
        found[key] = [*found[key], *value] if several and key in found else value
    return found


def _value(text: str, wanted: dict[str, Any]) -> Any:
    if wanted.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # what it should have been, the tool itself says


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(f"--args is not JSON: {error}", hint="""such as: --args '{"path": "README.md"}'""") from None
    if not isinstance(value, dict):
        raise UserError("--args must be a JSON object", hint="""such as: --args '{"path": "README.md"}'""")
    return cast("dict[str, Any]", value)
