"""A model without a language model: it plans real tool calls by rules and writes from their results alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attache.foundation.ids import new_id
from attache.providers.model import Emit
from attache.providers.offline.begin_tests import begin_tests
from attache.providers.offline.callers import callers, tests_of
from attache.providers.offline.check import check
from attache.providers.offline.document import document
from attache.providers.offline.explain import explain
from attache.providers.offline.extract import extract, move
from attache.providers.offline.fix import fix
from attache.providers.offline.grammar import Kind
from attache.providers.offline.hierarchy import hierarchy
from attache.providers.offline.history import blame, changed, changelog, commit_message
from attache.providers.offline.intent import understand
from attache.providers.offline.lists import by_tool, outline, undo
from attache.providers.offline.paths import trace
from attache.providers.offline.plans import Asked, Call, Done, Plan
from attache.providers.offline.rename import rename
from attache.providers.offline.review import review
from attache.providers.offline.talk import hello, unknown
from attache.providers.offline.tree import files, summarise
from attache.providers.offline.where import where
from attache.schema.data import CallId
from attache.schema.messages import Message, Part, Text, ToolCall, ToolResult
from attache.schema.models import Answer, ModelInfo, Request, TextDelta, Usage

NOTE = (
    "*offline: rules and the index, no language model. It finds, explains, renames, documents, reviews, "
    "fixes what rules can fix, and runs tests. "
    "To add a model: `attache doctor`.*"
)

PLANS: dict[Kind, Plan] = {
    "where": where,
    "callers": callers,
    "hierarchy": hierarchy,
    "tests_of": tests_of,
    "explain": explain,
    "trace": trace,
    "files": files,
    "summarise": summarise,
    "changed": changed,
    "blame": blame,
    "commit_message": commit_message,
    "changelog": changelog,
    "review": review,
    "rename": rename,
    "outline": outline,
    "dependencies": by_tool("list_dependencies"),
    "dead_code": by_tool("dead_code"),
    "metrics": by_tool("metrics"),
    "undo": undo,
    "move": move,
    "extract": extract,
    "document": document,
    "fix": fix,
    "test": check,
    "begin_tests": begin_tests,
    "hello": hello,
    "unknown": unknown,
}


class Offline:
    """Answers from what the tools find. The same question over the same workspace gets the same answer."""

    @property
    def info(self) -> ModelInfo:
        """Return what is known of it: it reads tools' results, not pictures, and costs nothing."""
        return ModelInfo(
            provider="offline", name="offline", every_tool=True, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0
        )

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Return the next tool calls of the plan, or its conclusion."""
        asked = _asked(request)
        step = PLANS[asked.intent.kind](asked)
        if isinstance(step, Done):
            doubt = f"\n\nThis may be incomplete: {asked.doubt}." if asked.doubt and not step.sure else ""
            text = step.text + doubt + ("" if _named_itself(request.messages) else f"\n\n{NOTE}")
            for piece in re.findall(r"\S+\s*|\s+", text):
                emit(TextDelta(text=piece))
            return Answer(message=_said((Text(text=text),)), stop_reason="end_turn", usage=Usage(), model="offline")
        parts: tuple[Part, ...] = tuple(_call(call) for call in step)
        return Answer(message=_said(parts), stop_reason="tool_use", usage=Usage(), model="offline")


def _said(parts: tuple[Part, ...]) -> Message:
    return Message(role="assistant", parts=parts)


def _call(call: Call) -> ToolCall:
    return ToolCall(id=CallId(new_id("t")), name=call.name, arguments=call.arguments)


def _asked(request: Request) -> Asked:
    """Split the conversation into the last thing a person said and what the tools have answered since."""
    start = max(index for index, message in enumerate(request.messages) if _is_prompt(message))
    since = request.messages[start:]
    calls = {call.id: call for message in since for call in message.tool_calls}
    results = [part for message in since for part in message.parts if isinstance(part, ToolResult)]
    return Asked(
        text=since[0].text,
        intent=understand(since[0].text),
        tools=frozenset(spec.name for spec in request.tools),
        done=tuple((calls[result.call_id], result) for result in results if result.call_id in calls),
    )


def _is_prompt(message: Message) -> bool:
    return message.role == "user" and not any(isinstance(part, ToolResult) for part in message.parts)


def _named_itself(messages: Sequence[Message]) -> bool:
    return any(message.role == "assistant" and NOTE in message.text for message in messages)
