"""Every error that a user can meet, in one tree.

AttacheError                what went wrong, where, and what to do
├── UserError               wrong use or configuration; exit code 2
│   ├── SettingsError       a settings file, with file, line and key
│   ├── UnknownModel        with near names
│   ├── MissingExtra        an optional part that is not installed, with the command that installs it
│   └── UntrustedFolder     something a folder carries is not active before the user trusts it
├── ProviderError           a model's provider did not give a complete answer
│   ├── AuthenticationFailed
│   ├── RateLimited         with the seconds to wait where the provider says so
│   ├── ContextOverflow
│   ├── QuotaExceeded       never retried
│   ├── RequestRefused      the provider says the request is wrong; never retried
│   ├── MalformedToolCall   the model called a tool without JSON arguments; the model is told, not asked again
│   ├── EmptyAnswer         the model said nothing at all; it is told, not asked the same again
│   ├── ProviderUnavailable retried within limits
│   ├── ProviderResting     it kept failing and is left alone for a while; never retried
│   └── StreamCut           the answer ended before it was whole; never a short answer
├── BudgetReached           what may be spent is spent; the message says which budget
├── ToolError               a tool could not do what was asked; the model is told
│   ├── InvalidArguments
│   ├── PathRefused         outside the workspace, or a name that is protected
│   ├── EditRefused         the text is not there, not unique, or changed since; exit code 4
│   ├── FileSkipped         binary, too large or unreadable
│   │   └── FileMissing     not there at all
│   ├── ApprovalDenied
│   └── ApprovalNeeded      nobody there to ask; exit code 3
├── Interrupted             the user stopped it; exit code 130
└── StorageError            the log could not be written or read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attache.schema.models import Usage


class AttacheError(Exception):
    """An error that is shown as two lines: what (and where), and what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep `message` (what and where) apart from `hint` (what to do)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(AttacheError):
    """Wrong use or configuration."""

    exit_code = 2


class SettingsError(UserError):
    """A settings file is wrong; the message names file, line and key."""


class UnknownModel(UserError):
    """No such model or provider; the hint lists near names."""


class MissingExtra(UserError):
    """An optional part is not installed; the hint is the command that installs it."""


class UntrustedFolder(UserError):
    """What a folder carries stays inert until the user trusts it."""


class ProviderError(AttacheError):
    """A provider did not give a complete answer."""

    retryable = False
    retry_after_seconds: float | None = None
    usage: Usage | None = None
    """What the call used up all the same, where the provider said so."""

    def __init__(self, message: str, *, hint: str = "", provider: str = "", status: int | None = None) -> None:
        """Keep the provider's name and the HTTP status, where there was one."""
        super().__init__(message, hint=hint)
        self.provider = provider
        self.status = status


class AuthenticationFailed(ProviderError):
    """The provider refuses the key."""


class RateLimited(ProviderError):
    """Too many requests; `retry_after_seconds` is what the provider asks for, None where it does not say."""

    retryable = True

    def __init__(
        self, message: str, *, hint: str = "", provider: str = "", status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:  # fmt: skip
        """Keep the wait that the provider asked for."""
        super().__init__(message, hint=hint, provider=provider, status=status)
        self.retry_after_seconds = retry_after_seconds


class ContextOverflow(ProviderError):
    """The request is longer than the model's context window."""


class QuotaExceeded(ProviderError):
    """Money or quota is used up; waiting does not help."""


class RequestRefused(ProviderError):
    """The provider says the request itself is wrong."""


class MalformedToolCall(ProviderError):
    """The model asked for a tool with arguments that are no JSON object; nothing was run.

    Asking again with the same request may give the same, so the model is told what was wrong with it.
    """

    def __init__(
        self, message: str, *, hint: str = "", provider: str = "", status: int | None = None,
        tool: str = "", arguments: str = "",
    ) -> None:  # fmt: skip
        """Keep the tool's name and what stood in the place of its arguments."""
        super().__init__(message, hint=hint, provider=provider, status=status)
        self.tool = tool
        self.arguments = arguments


class EmptyAnswer(ProviderError):
    """The model answered with no word and no call."""


class ProviderUnavailable(ProviderError):
    """The provider cannot be reached or is failing."""

    retryable = True


class StreamCut(ProviderUnavailable):
    """The answer ended before it was whole."""


class ProviderResting(ProviderUnavailable):
    """The provider kept failing and is left alone for a while."""

    retryable = False


class BudgetReached(AttacheError):
    """What may be spent on models is spent."""


class ToolError(AttacheError):
    """A tool could not do what was asked."""


class InvalidArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class PathRefused(ToolError):
    """The path lies outside the workspace, or its name is protected."""


class EditRefused(ToolError):
    """The edit cannot be applied without guessing; nothing was changed."""

    exit_code = 4


class FileSkipped(ToolError):
    """The file is binary, too large or unreadable; the message says which."""


class FileMissing(FileSkipped):
    """No such file."""


class OverBudget(ToolError):
    """A run has made as many calls of this cost as it may."""


class ApprovalDenied(ToolError):
    """A person, or the policy, said no."""


class ApprovalNeeded(ToolError):
    """A person has to decide, and nobody is there."""

    exit_code = 3


class Interrupted(AttacheError):
    """The user stopped it."""

    exit_code = 130


class StorageError(AttacheError):
    """The session log could not be written or read."""
