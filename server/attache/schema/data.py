"""The one way this project declares data: frozen, closed against unknown fields, comparable."""

from __future__ import annotations

from typing import NewType

from pydantic import BaseModel, ConfigDict

SessionId = NewType("SessionId", str)
RunId = NewType("RunId", str)
CallId = NewType("CallId", str)
ApprovalId = NewType("ApprovalId", str)
ChangeSetId = NewType("ChangeSetId", str)
HunkId = NewType("HunkId", str)
Uri = NewType("Uri", str)


class Record(BaseModel):
    """Frozen data; a field nobody declared is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid")
