"""What reading tools have answered already, for as long as the texts they read are what they were."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attache.schema.data import CallId, Uri
from attache.schema.errors import AttacheError
from attache.schema.messages import ToolCall
from attache.schema.tools import ToolOutput
from attache.workspace.workspace import Workspace

KEPT = 256
"""Answers remembered in a session; the one not asked for longest goes first."""


def fingerprint(call: ToolCall) -> str:
    """Return what makes two calls the same call, whoever spelled their arguments."""
    return json.dumps([call.name, call.arguments], sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave, and upon which texts."""

    call_id: CallId
    output: ToolOutput
    read: Mapping[Uri, str]
    """The hash of every text that the tool read."""


class Answers:
    """The answers of pure tools by their call. One that any edit, of whomever, has overtaken is not given again."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._by_call: OrderedDict[str, Answer] = OrderedDict()

    def keep(self, call: ToolCall, output: ToolOutput, read: Mapping[Uri, str]) -> None:
        """Remember what a call gave; an error may be another the next time, and is not kept."""
        if output.is_error or not read:
            return
        self._by_call[fingerprint(call)] = Answer(call.id, output, dict(read))
        while len(self._by_call) > KEPT:
            self._by_call.popitem(last=False)

    async def recall(self, call: ToolCall, workspace: Workspace) -> ToolOutput | None:
        """Return what the same call gave, marked as such, if every text that it read still has its hash."""
        key = fingerprint(call)
        known = self._by_call.get(key)
        if known is None:
            return None
        if not await _stands(known, workspace):
            del self._by_call[key]
            return None
        self._by_call.move_to_end(key)
        mark = f"[unchanged since your call {known.call_id}]"
        data: dict[str, Any] = {**known.output.data, "unchanged_since": known.call_id}
        return known.output.model_copy(update={"text": f"{mark}\n{known.output.text}", "data": data})


async def _stands(answer: Answer, workspace: Workspace) -> bool:
    try:
        return all([(await workspace.read(uri)).hash == hash_ for uri, hash_ in answer.read.items()])
    except AttacheError:  # it is gone, or cannot be read any more: the tool says so better
        return False
