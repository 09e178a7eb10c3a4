"""Code actions on documents of ours: chats and plans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from attache.faces.lsp.chat import chat_text
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.plan_text import is_plan, steps
from attache.faces.lsp.code.actions import SOURCE_KIND, Asked, Offer, code_action
from attache.faces.lsp.wire.shapes import Position, Range

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server


@code_action(f"{SOURCE_KIND}.chat")
async def chat(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer to send what was written in a chat document: the last of it, or what the cursor is in once more."""
    del server
    uri, kind = asked.document.uri, f"{SOURCE_KIND}.chat"
    if not is_chat(uri):
        return
    yield Offer("Attaché: send", kind, "attache.sendChat", {"uri": uri})
    turn = chat_text.earlier(asked.document.text, asked.range.start.line)
    if turn is not None:
        about = {"uri": uri, "range": asked.range}
        yield Offer("Attaché: send again from here, forking the session", kind, "attache.sendChat", about)
    if chat_text.fields(asked.document.text).get("attache"):
        yield Offer("Attaché: show the prompt as sent", kind, "attache.show", {"uri": uri, "what": "prompt"})
        yield Offer("Attaché: show the tool log", kind, "attache.show", {"uri": uri, "what": "log"})


@code_action(f"{SOURCE_KIND}.plan")
async def plan(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer to run what a plan has: the step under the cursor, or all that are left."""
    del server
    uri, kind = asked.document.uri, f"{SOURCE_KIND}.plan"
    if not is_plan(uri):
        return
    found = list(steps(asked.document.text))
    for step in (each for each in found if each.line <= asked.range.start.line < each.end):
        at = Position(step.line, 0)
        about = {"uri": uri, "range": Range(at, at)}
        again = "run again" if step.done else "run"
        yield Offer(f'Attaché: {again} step {step.number}: "{step.name}"', kind, "attache.runStep", about)
        if not step.done:
            yield Offer(f"Attaché: skip step {step.number}", kind, "attache.skipStep", about)
    if left := sum(not each.done for each in found):
        yield Offer(f"Attaché: run all that is left ({left})", kind, "attache.runPlan", {"uri": uri})
