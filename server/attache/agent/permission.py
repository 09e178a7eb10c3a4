"""May this call run: the mode, the policy, the user's rules, and then the person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from attache.agent.consent import consent
from attache.agent.run import Run
from attache.foundation.settings import Settings, config_file
from attache.schema.errors import ApprovalDenied, AttacheError
from attache.schema.messages import ToolCall, ToolResult
from attache.security.approvals import for_call, for_command
from attache.security.rules import FILE, Rules, Subject, load
from attache.tools.tool import Tool
from attache.workspace.shell import Command
from attache.workspace.views import UNCONFINED
from attache.workspace.workspace import Workspace

_PATHS = ("path", "paths", "new_path", "to_path", "database", "folder", "cwd")
_URLS = ("url",)
"""Names of the arguments by which tools name files and hosts."""


async def permit(run: Run, tool: Tool, call: ToolCall, arguments: Mapping[str, Any]) -> None:
    """Let a call pass, or ask for it. What edits change is asked as they land, with their diff.

    Raises ApprovalDenied, and ApprovalNeeded where it has to be asked and nobody is there.
    """
    if tool.spec.effect == "none" and run.rules.silent:
        return
    command = tool.shown(run.context, call.arguments)
    if command is not None:
        held = await run.context.workspace.confinement(command)
        question = for_command(tool.spec.name, command, run_id=run.id, call_id=call.id, confinement=held.words)
    else:
        held = UNCONFINED
        question = for_call(tool.spec.name, call.arguments, run_id=run.id, call_id=call.id)
    outside = tool.spec.effect == "outside" and marked(run)
    about = subjects(run.context.workspace, tool, arguments, command, confined=held.whole, marked=outside)
    ruled = [run.rules.judge(subject) for subject in about]
    verdict = run.verdict(tool.spec.effect, question.pattern, ruled)
    if verdict.choice == "deny":
        raise ApprovalDenied(verdict.reason)
    if verdict.choice == "ask" and tool.spec.effect != "workspace":
        await consent(run, question)


def rules_for(settings: Settings, workspace: Workspace) -> Rules:
    """Return the rules that hold now: the user's own, and those of the folders where the user trusts them."""
    folders = [root.path / ".attache" / FILE for root in workspace.roots] if settings.trusted else []
    return load(config_file(settings.environment).with_name(FILE), folders)


def marked(run: Run) -> bool:
    """Say whether strangers have spoken to the model: pages of the web, or anything in a folder that is not trusted."""
    web = {name for tool in run.tools if tool.spec.category == "web" for name in (tool.spec.name, *tool.aliases)}
    said = (part for message in run.state().messages for part in message.parts if isinstance(part, ToolResult))
    return any(part.name in web or not run.settings.trusted for part in said)


def subjects(
    workspace: Workspace,
    tool: Tool,
    arguments: Mapping[str, Any],
    command: Command | None,
    *,
    confined: bool = False,
    marked: bool = False,
) -> Iterator[Subject]:
    """Yield what rules look at in a call: once for each host that it names, at least once."""
    paths = tuple(_resolved(workspace, _texts(arguments, _PATHS)))
    argv: Sequence[str] = command.argv if command else ()
    hosts = [urlsplit(url).hostname or "" for url in _texts(arguments, _URLS)]
    for host in hosts or [""]:
        script = command is not None and not argv
        yield Subject(tool.spec.name, paths, argv, script=script, host=host, confined=confined, marked=marked)


def _texts(arguments: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        value = arguments.get(name)
        several = cast("list[object]", value) if isinstance(value, list) else [value]
        yield from (each for each in several if isinstance(each, str) and each)


def _resolved(workspace: Workspace, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        try:
            yield workspace.leads_to(workspace.uri(path)) or path
        except (AttacheError, ValueError):  # the tool says what is wrong with it
            yield path
