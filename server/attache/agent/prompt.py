"""What the model is told before the conversation: sections in order of importance, under a token budget."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attache.agent.context import estimate_tokens
from attache.foundation.redact import redact
from attache.foundation.settings import Settings
from attache.prompts.texts import text
from attache.schema.errors import AttacheError
from attache.schema.session import Mode, SessionState
from attache.storage.memories import Memories
from attache.workspace.workspace import Workspace

SYSTEM_TOKENS = 6_000
"""What all sections together may take; rules files are what fills it."""
RULES_FILES = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md")
RULES_TOKENS = 4_000
OPEN_SHOWN = 12
REMEMBERED = 12
NOTES_SHOWN = 20
_UNSEEN_RANGES = (
    (0x00AD, 0x00AE), (0x061C, 0x061D), (0x180E, 0x180F), (0x200B, 0x2010), (0x202A, 0x202F), (0x2060, 0x2070),
    (0xFEFF, 0xFF00), (0xE0000, 0xE01F0),
)  # fmt: skip
UNSEEN = dict.fromkeys(code for first, end in _UNSEEN_RANGES for code in range(first, end))
"""Characters that a person does not see and a model reads: zero-width, bidi, tags."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a contributor may look at."""

    workspace: Workspace
    settings: Settings
    mode: Mode
    state: SessionState | None = None
    memories: Memories | None = None


Contributor = Callable[[Scene], Awaitable[str]]
_CONTRIBUTORS: list[Contributor] = []


def section(contribute: Contributor) -> Contributor:
    """Add a section to the system prompt: an async function from the scene to Markdown, or to "" for nothing.

    Sections stand in the order they were added, and are dropped from the end when the budget is used up.
    """
    _CONTRIBUTORS.append(contribute)
    return contribute


async def system_prompt(scene: Scene, budget_tokens: int = SYSTEM_TOKENS) -> str:
    """Return all sections that fit the budget. The first always does: without it the model does not know what it is."""
    sections: list[str] = []
    for contribute in _CONTRIBUTORS:
        words = redact((await contribute(scene)).strip())
        budget_tokens -= estimate_tokens(words)
        if words and (budget_tokens >= 0 or not sections):
            sections.append(words)
    return "\n\n".join(sections)


@section
async def identity(_scene: Scene) -> str:
    """Say who the agent is and how it works."""
    return text("system")


@section
async def mode(scene: Scene) -> str:
    """Say what the mode allows."""
    return text(f"mode.{scene.mode}")


@section
async def surroundings(scene: Scene) -> str:
    """Say where the agent is and which files the user has open."""
    roots = ", ".join(root.path.name or str(root.path) for root in scene.workspace.roots)
    lines = [f"Workspace: {roots} ({platform.system()}). Paths are relative to it."]
    opened = [scene.workspace.shown(document.uri) for document in scene.workspace.buffers]
    if opened:
        lines.append("Open in the editor: " + ", ".join(opened[:OPEN_SHOWN]))
    return "\n".join(lines)


@section
async def rules(scene: Scene) -> str:
    """Give the repository's own rules, once its folder is trusted, with characters that nobody sees taken out."""
    if not scene.settings.trusted:
        return ""
    for name in RULES_FILES:
        try:
            snapshot = await scene.workspace.read(name)
        except AttacheError:
            continue
        words = redact(snapshot.text.translate(UNSEEN))[: RULES_TOKENS * 4]
        return f"Rules of this repository ({name}):\n{words}"
    return ""


@section
async def remembered(scene: Scene) -> str:
    """Give what was kept of earlier sessions of this project, the newest first."""
    known = (await scene.memories.all())[:REMEMBERED] if scene.memories else ()
    if not known:
        return ""
    return "Remembered of this project (check before you rely on it):\n" + "\n".join(f"- {each.text}" for each in known)


@section
async def plan_and_notes(scene: Scene) -> str:
    """Give the plan as it stands, and what the agent noted, so that neither is lost when old turns are cut."""
    if scene.state is None or not (scene.state.plan or scene.state.notes):
        return ""
    steps = [f"- [{step.state}] {step.text}" for step in scene.state.plan]
    notes = [f"- {words}" for words in scene.state.notes[-NOTES_SHOWN:]]
    return "\n".join([*(["Your plan:", *steps] if steps else []), *(["Your notes:", *notes] if notes else [])])
