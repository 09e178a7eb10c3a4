"""Ask the person at the terminal."""

from __future__ import annotations

import asyncio
import sys

from attache.agent.approvals import Nobody
from attache.schema.errors import ToolError
from attache.schema.session import Approval, ApprovalAnswer, ApprovalChoice, Question

CHOICES: dict[str, ApprovalChoice] = {"y": "allow_once", "s": "allow_session", "n": "deny", "w": "deny"}
WHY = "w"
"""The key that denies, and takes a sentence for the model with it."""


def choices(approval: Approval) -> str:
    """Return the keys that answer, each with what it does; a session's leave names all that it covers."""
    return f"y allow once · n deny · w deny and say why · s allow for this session: {approval.pattern}"


def offered(question: Question) -> str:
    """Return a question as the terminal shows it, its choices numbered."""
    lines = [question.text, *(f"  {number} {each}" for number, each in enumerate(question.choices, 1))]
    return "\n".join([*lines, "  a number, or your own words" if question.choices else "  answer in a line"])


def picked(line: str, question: Question) -> str:
    """Return what a line means: the choice of that number, or its own words."""
    text = line.strip()
    number = int(text) if text.isdecimal() else 0
    return question.choices[number - 1] if 0 < number <= len(question.choices) else text


class Terminal:
    """An approver that shows the whole question and takes a letter; Enter alone decides nothing."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Ask on stderr, read from stdin. Raises ApprovalNeeded where either is no terminal."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return await Nobody().ask(approval)
        from rich.console import Console

        from attache.faces.cli.render import question

        Console(stderr=True, highlight=False, soft_wrap=True).print(question(approval))
        sys.stderr.write(f"  {choices(approval)}\n")
        while True:
            letter = (await asyncio.to_thread(_read, "> ")).strip().lower()
            if letter in CHOICES:
                why = (await asyncio.to_thread(_read, "why? ")).strip() if letter == WHY else ""
                return ApprovalAnswer(
                    approval_id=approval.id, digest=approval.digest, choice=CHOICES[letter], reason=why
                )
            sys.stderr.write("  y, s, n or w\n")

    async def choose(self, question: Question) -> str:
        """Put a question on stderr, read a line from stdin. Raises ToolError where either is no terminal."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ToolError("no person is at the terminal", hint="decide yourself, and say what you assumed")
        from attache.faces.cli.render import visible

        sys.stderr.write(visible(offered(question)) + "\n")
        return picked(await asyncio.to_thread(_read, "> "), question)


def _read(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line
