"""The one way a tool call takes, whoever made it: a model, a face or a program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from attache.agent.answers import fingerprint
from attache.agent.limit import limited
from attache.agent.middleware import through
from attache.agent.permission import permit
from attache.agent.run import Run
from attache.agent.state import stage_after
from attache.foundation.redact import pieces_of, redact, redact_data
from attache.schema.errors import ApprovalNeeded, AttacheError, EditRefused, OverBudget, ToolError
from attache.schema.events import StageChanged, ToolFinished, ToolStarted
from attache.schema.messages import ToolCall, ToolResult
from attache.schema.tools import ToolOutput
from attache.tools.finding import keep
from attache.tools.tool import Tool
from attache.workspace.workspace import noted

OUTPUT_CHARS = 30_000
"""What one result may take of the model's window, about 8,000 tokens."""
REPEATS = 3
"""Identical calls in a row after which the model is told instead of obeyed."""


async def execute_all(run: Run, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
    """Run reads side by side and everything else one by one; results stand in the order asked."""
    results: list[ToolResult] = []
    for reads_only, group in groupby(calls, key=lambda call: run.tools.reads_only(call.name)):
        several = list(group)
        if reads_only and len(several) > 1:
            results.extend(await asyncio.gather(*(execute(run, call) for call in several)))
        else:
            results.extend([await execute(run, call) for call in several])
    return tuple(results)


async def execute(run: Run, call: ToolCall) -> ToolResult:
    """Run one call: validate, permit, charge, run, redact, truncate, record. A failure is a result that says why.

    Raises ApprovalNeeded, which ends the run, and CancelledError; nothing else.
    """
    began = time.monotonic()
    run.calls += 1
    run.calling = call.id
    seconds = run.settings.tool_timeout_seconds
    try:
        tool = run.tools.find(call.name)
        seconds = seconds if tool.timeout_seconds is None else tool.timeout_seconds
        arguments = tool.validate(call.arguments)
        run.using = tool.spec.name
        _refuse_circles(run, call)
        await permit(run, tool, call, arguments)
        _charge(run, tool)
        await run.record(
            ToolStarted(
                run_id=run.id, call_id=call.id, name=tool.spec.name, arguments=redact_data(call.arguments),
                title=redact(tool.title(arguments)), once=tool.spec.once,
            )
        )  # fmt: skip
        async with limited(seconds):
            output = await through(run.middleware, run, call, lambda: _answer(run, tool, call, arguments))
        _note_stage(run, tool)
    except ApprovalNeeded:
        raise
    except TimeoutError:
        output = _failure(f"{call.name} did not finish in {seconds:g} s and was stopped")
    except AttacheError as error:
        output = _failure(error.message, error.hint, refused=isinstance(error, EditRefused))
    except Exception as error:  # noqa: BLE001 - the edge where a tool's bug becomes a result, not the end of the run
        output = _failure(f"{call.name} failed: {type(error).__name__}: {error}", "this is a fault of the tool")
    return await _finish(run, call, output, time.monotonic() - began)


def _refuse_circles(run: Run, call: ToolCall) -> None:
    this = fingerprint(call)
    run.recent.append(this)
    if run.recent[-REPEATS:] == [this] * REPEATS:
        raise ToolError(
            f"this is the same {call.name} call for the {REPEATS}rd time in a row; its answer will not change",
            hint="use the result you have, try another way, or tell the user what stops you",
        )


def _charge(run: Run, tool: Tool) -> None:
    """Count the call against what its cost tier may take of this run."""
    cost = tool.spec.cost
    limit = run.settings.max_tool_calls.get(cost)
    if limit is not None and run.charged[cost] >= limit:
        raise OverBudget(
            f"{tool.spec.name} is of cost {cost}, of which this run may make {limit} calls, and has",
            hint="go on with cheaper tools, or tell the user; the setting is max_tool_calls",
        )
    run.charged[cost] += 1


async def _answer(run: Run, tool: Tool, call: ToolCall, arguments: Mapping[str, Any]) -> ToolOutput:
    """Run the tool, or give again what the same call gave before where nothing that it read has changed."""
    if not tool.pure:
        return await tool.call(run.context, arguments)
    known = await run.answers.recall(call, run.context.workspace)
    if known is not None:
        return known
    with noted() as read:
        output = await tool.call(run.context, arguments)
    run.answers.keep(call, output, read)
    return output


def _note_stage(run: Run, tool: Tool) -> None:
    before = run.state().stage
    after = stage_after(before, tool.spec.category, tool.spec.effect)
    if after != before:
        run.note(StageChanged(run_id=run.id, stage=after))


async def _finish(run: Run, call: ToolCall, output: ToolOutput, seconds: float) -> ToolResult:
    text = redact(output.text)
    pieces = pieces_of(output.text) if output.data and text != output.text else ()
    if len(text) > OUTPUT_CHARS:
        text = truncate(text, await asyncio.to_thread(keep, run.settings.home, call.id, text))
    run.note(
        ToolFinished(
            run_id=run.id, call_id=call.id, name=call.name, text=text, title=redact(output.title), places=output.places,
            images=output.images, data=redact_data(output.data, pieces), change_set=output.change_set,
            is_error=output.is_error, seconds=round(seconds, 4),
        )
    )  # fmt: skip
    return ToolResult(call_id=call.id, name=call.name, text=text, images=output.images, is_error=output.is_error)


def _failure(message: str, hint: str = "", *, refused: bool = False) -> ToolOutput:
    data, title = {"edit_refused": True} if refused else {}, redact(message).splitlines()[0][:120]
    return ToolOutput(text=f"{message}\n{hint}".strip(), title=title, data=data, is_error=True)


def truncate(text: str, kept: str) -> str:
    """Keep the beginning and the end of a text that is too long, and say what was cut and by which name it is kept."""
    head, tail = text[: OUTPUT_CHARS * 2 // 3], text[-OUTPUT_CHARS // 3 :]
    cut = text[len(head) : len(text) - len(tail)]
    more = f'read_output(output="{kept}", start_line={head.count(chr(10)) + 1})'
    return f"{head}\n[… {len(cut):,} characters, {cut.count(chr(10)):,} lines cut; {more} …]\n{tail}"
