"""Who is asked when only a person may decide."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from attache.schema.errors import ApprovalNeeded
from attache.schema.session import Approval, ApprovalAnswer, Question


class Approver(Protocol):
    """A way to put a question to the person; every face has its own."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Show exactly what `approval` says and wait for the answer, however long it takes.

        Raises ApprovalNeeded where nobody is there to ask.
        """
        ...


@runtime_checkable
class Chooser(Protocol):
    """A face that can also put questions which are answered in words."""

    async def choose(self, question: Question) -> str:
        """Show a question with its choices and return the answer; "" where it was waved away."""
        ...


class Nobody:
    """The approver of a run without a person: what needs leave stops the run."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Refuse to guess."""
        raise ApprovalNeeded(
            f"{approval.title} needs an approval, and nobody is there to give it",
            hint=_beforehand(approval),
        )


def _beforehand(approval: Approval) -> str:
    """Return what would have let it run: the narrowest leave that covers it."""
    if any(label == "protected" for label, _ in approval.detail):
        return "only a person can allow it, since the name is protected: run it where you can answer"
    leave = "edits" if approval.tool == "edit" else "all"
    return f"run it where you can answer, or allow it beforehand: --approve {leave}"
