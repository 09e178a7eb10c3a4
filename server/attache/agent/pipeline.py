"""The one way a tool call takes, whoever made it: a model, a face or a program."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import groupby

from attache.agent.consent import consent
from attache.agent.run import Run
from attache.agent.state import stage_after
from attache.foundation.redact import redact, redact_data
from attache.schema.errors import ApprovalDenied, ApprovalNeeded, AttacheError, ToolError
from attache.schema.events import StageChanged, ToolFinished, ToolStarted
from attache.schema.messages import ToolCall, ToolResult
from attache.schema.tools import ToolOutput
from attache.security.approvals import for_call, for_command
from attache.tools.tool import Tool

OUTPUT_CHARS = 30_000
"""What one result may take of the model's window, about 8,000 tokens."""
REPEATS = 3
"""Identical calls in a row after which the model is told instead of obeyed."""


async def execute_all(run: Run, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
    """Run reads side by side and everything else one by one; results stand in the order asked."""
    results: list[ToolResult] = []
    for reads_only, group in groupby(calls, key=lambda call: run.tools.reads_only(call.name)):
        if reads_only:
            results.extend(await asyncio.gather(*(execute(run, call) for call in group)))
        else:
            results.extend([await execute(run, call) for call in group])
    return tuple(results)


async def execute(run: Run, call: ToolCall) -> ToolResult:
    """Run one call: validate, permit, run, redact, truncate, record. A failure is a result that says why.

    Raises ApprovalNeeded, which ends the run, and CancelledError; nothing else.
    """
    began = time.monotonic()
    run.calls += 1
    run.calling = call.id
    try:
        tool = run.tools.find(call.name)
        arguments = tool.validate(call.arguments)
        _refuse_circles(run, call)
        await _permit(run, tool, call)
        await run.record(
            ToolStarted(
                run_id=run.id, call_id=call.id, name=tool.spec.name, arguments=redact_data(call.arguments),
                title=redact(tool.title(arguments)), once=tool.spec.once,
            )
        )  # fmt: skip
        async with asyncio.timeout(run.settings.tool_timeout_seconds):
            output = await tool.call(run.context, arguments)
        await _note_stage(run, tool)
    except ApprovalNeeded:
        raise
    except TimeoutError:
        output = _failure(f"{call.name} did not finish in {run.settings.tool_timeout_seconds:g} s and was stopped")
    except ToolError as error:
        output = _failure(error.message, error.hint)
    except AttacheError as error:
        output = _failure(error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - the edge where a tool's bug becomes a result, not the end of the run
        output = _failure(f"{call.name} failed: {type(error).__name__}: {error}", "this is a fault of the tool")
    return await _finish(run, call, output, time.monotonic() - began)


def _refuse_circles(run: Run, call: ToolCall) -> None:
    fingerprint = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
    run.recent.append(fingerprint)
    if run.recent[-REPEATS:] == [fingerprint] * REPEATS:
        raise ToolError(
            f"this is the same {call.name} call for the {REPEATS}rd time in a row; its answer will not change",
            hint="use the result you have, try another way, or tell the user what stops you",
        )


async def _permit(run: Run, tool: Tool, call: ToolCall) -> None:
    """Ask the policy, then the person where it says so. What edits change is asked as they land, with their diff."""
    if tool.spec.effect == "none":
        return
    command = tool.shown(run.context, call.arguments)
    if command is not None:
        question = for_command(tool.spec.name, command, run_id=run.id, call_id=call.id)
    else:
        question = for_call(tool.spec.name, call.arguments, run_id=run.id, call_id=call.id)
    verdict = run.verdict(tool.spec.effect, question.pattern)
    if verdict.choice == "deny":
        raise ApprovalDenied(verdict.reason)
    if verdict.choice == "ask" and tool.spec.effect == "outside":
        await consent(run, question)


async def _note_stage(run: Run, tool: Tool) -> None:
    before = run.state().stage
    after = stage_after(before, tool.spec.category, tool.spec.effect)
    if after != before:
        await run.record(StageChanged(run_id=run.id, stage=after))


async def _finish(run: Run, call: ToolCall, output: ToolOutput, seconds: float) -> ToolResult:
    text = truncate(redact(output.text))
    await run.record(
        ToolFinished(
            run_id=run.id, call_id=call.id, name=call.name, text=text, title=redact(output.title), places=output.places,
            images=output.images, data=redact_data(output.data), change_set=output.change_set, is_error=output.is_error,
            seconds=round(seconds, 4),
        )
    )  # fmt: skip
    return ToolResult(call_id=call.id, name=call.name, text=text, images=output.images, is_error=output.is_error)


def _failure(message: str, hint: str = "") -> ToolOutput:
    return ToolOutput(text=f"{message}\n{hint}".strip(), title=message.splitlines()[0][:120], is_error=True)


def truncate(text: str, limit: int = OUTPUT_CHARS) -> str:
    """Keep the beginning and the end of a long text and say what was cut between them."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    cut = text[len(head) : len(text) - len(tail)]
    return f"{head}\n[… {len(cut):,} characters, {cut.count(chr(10)):,} lines cut; ask for a narrower part …]\n{tail}"
