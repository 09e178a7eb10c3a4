"""The Agent Client Protocol, version 1, as far as it is spoken here: what goes over the wire, in its own shapes.

Fields that the protocol has and we do not read are let through; ours ride in `_meta` under `attache`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PROTOCOL_VERSION = 1

StopReason = Literal["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"]
ToolKind = Literal["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"]
ToolStatus = Literal["pending", "in_progress", "completed", "failed"]
OptionKind = Literal["allow_once", "allow_always", "reject_once", "reject_always"]


class Payload(BaseModel):
    """Camel case on the wire; what is unknown passes unread."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    meta: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("_meta", "meta"), serialization_alias="_meta"
    )


# ---------------------------------------------------------------- content


class TextBlock(Payload):
    """Words, in Markdown."""

    type: Literal["text"] = "text"
    text: str


class ImageBlock(Payload):
    """A picture, base64 in `data`."""

    type: Literal["image"] = "image"
    data: str
    mime_type: str
    uri: str | None = None


class AudioBlock(Payload):
    """A sound, base64 in `data`."""

    type: Literal["audio"] = "audio"
    data: str
    mime_type: str


class ResourceLink(Payload):
    """A file or page that the prompt names."""

    type: Literal["resource_link"] = "resource_link"
    uri: str
    name: str
    title: str | None = None


class ResourceContents(Payload):
    """A resource's text, or its bytes as base64 in `blob`."""

    uri: str
    text: str | None = None
    blob: str | None = None
    mime_type: str | None = None


class EmbeddedResource(Payload):
    """A resource that the prompt carries along."""

    type: Literal["resource"] = "resource"
    resource: ResourceContents


ContentBlock = Annotated[
    TextBlock | ImageBlock | AudioBlock | ResourceLink | EmbeddedResource, Field(discriminator="type")
]


class ContentItem(Payload):
    """Content that a tool call made."""

    type: Literal["content"] = "content"
    content: ContentBlock


class DiffItem(Payload):
    """What a tool call changed in a file; no old text where it is new."""

    type: Literal["diff"] = "diff"
    path: str
    old_text: str | None = None
    new_text: str


ToolContent = Annotated[ContentItem | DiffItem, Field(discriminator="type")]


class Location(Payload):
    """A file that a tool call touches; the line counts from 1."""

    path: str
    line: int | None = None


# ---------------------------------------------------------------- requests of the client


class NewSession(Payload):
    """Parameters of session/new."""

    cwd: str = ""
    mcp_servers: tuple[dict[str, Any], ...] = ()


class KnownSession(Payload):
    """Parameters of the requests that name a session: load, resume, fork, close, delete, cancel."""

    session_id: str
    cwd: str = ""


class ListSessions(Payload):
    """Parameters of session/list."""

    cwd: str | None = None
    cursor: str | None = None


class PromptRequest(Payload):
    """Parameters of session/prompt."""

    session_id: str
    prompt: tuple[ContentBlock, ...]


class SetMode(Payload):
    """Parameters of session/set_mode."""

    session_id: str
    mode_id: str


class SetConfigOption(Payload):
    """Parameters of session/set_config_option."""

    session_id: str
    config_id: str
    value: str | bool


# ---------------------------------------------------------------- answers


class SessionMode(Payload):
    """A mode that a session can be in."""

    id: str
    name: str
    description: str | None = None


class ModeState(Payload):
    """The modes, and which is in force."""

    current_mode_id: str
    available_modes: tuple[SessionMode, ...]


class SelectOption(Payload):
    """One value of a select."""

    value: str
    name: str
    description: str | None = None


class ConfigOption(Payload):
    """Something to choose for a session."""

    type: Literal["select"] = "select"
    id: str
    name: str
    category: str | None = None
    current_value: str
    options: tuple[SelectOption, ...]


class SessionOpened(Payload):
    """The answer to new, load, resume and fork; load and resume leave the id out."""

    session_id: str | None = None
    modes: ModeState
    config_options: tuple[ConfigOption, ...]


class ConfigOptions(Payload):
    """The answer to session/set_config_option."""

    config_options: tuple[ConfigOption, ...]


class SessionRow(Payload):
    """One session of the list."""

    session_id: str
    cwd: str
    title: str | None = None
    updated_at: str | None = None


class SessionList(Payload):
    """The answer to session/list."""

    sessions: tuple[SessionRow, ...]
    next_cursor: str | None = None


class TokenUsage(Payload):
    """Tokens of a prompt turn."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    thought_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None


class PromptFinished(Payload):
    """The answer to session/prompt."""

    stop_reason: StopReason
    usage: TokenUsage | None = None


# ---------------------------------------------------------------- updates


class UserChunk(Payload):
    """A piece of what the user said, when a session is loaded."""

    session_update: Literal["user_message_chunk"] = "user_message_chunk"
    content: ContentBlock


class AgentChunk(Payload):
    """A piece of the answer."""

    session_update: Literal["agent_message_chunk"] = "agent_message_chunk"
    content: ContentBlock


class ThoughtChunk(Payload):
    """A piece of the reasoning."""

    session_update: Literal["agent_thought_chunk"] = "agent_thought_chunk"
    content: ContentBlock


class ToolCallFields(Payload):
    """What is known of a tool call."""

    tool_call_id: str
    title: str | None = None
    kind: ToolKind | None = None
    status: ToolStatus | None = None
    content: tuple[ToolContent, ...] | None = None
    locations: tuple[Location, ...] | None = None
    raw_input: Any = None
    raw_output: Any = None


class ToolCallBegun(ToolCallFields):
    """A tool call begins."""

    session_update: Literal["tool_call"] = "tool_call"


class ToolCallMoved(ToolCallFields):
    """A tool call goes on or ends; only what changed is told."""

    session_update: Literal["tool_call_update"] = "tool_call_update"


class ModeChanged(Payload):
    """The mode is another."""

    session_update: Literal["current_mode_update"] = "current_mode_update"
    current_mode_id: str


class InfoChanged(Payload):
    """The session's title is another, or something of ours in `_meta` happened."""

    session_update: Literal["session_info_update"] = "session_info_update"
    title: str | None = None
    updated_at: str | None = None


class PlanEntry(Payload):
    """A step of the plan."""

    content: str
    priority: Literal["high", "medium", "low"] = "medium"
    status: Literal["pending", "in_progress", "completed"]


class PlanMoved(Payload):
    """The whole plan as it is now."""

    session_update: Literal["plan"] = "plan"
    entries: tuple[PlanEntry, ...]


class Money(Payload):
    """An amount in a currency."""

    amount: float
    currency: str = "USD"


class UsageChanged(Payload):
    """How full the context is, and what the session has cost."""

    session_update: Literal["usage_update"] = "usage_update"
    used: int
    size: int
    cost: Money | None = None


Update = Annotated[
    UserChunk
    | AgentChunk
    | ThoughtChunk
    | ToolCallBegun
    | ToolCallMoved
    | ModeChanged
    | InfoChanged
    | UsageChanged
    | PlanMoved,
    Field(discriminator="session_update"),
]


class SessionUpdate(Payload):
    """Parameters of session/update."""

    session_id: str
    update: Update


# ---------------------------------------------------------------- permission


class PermissionOption(Payload):
    """One answer that the user may give."""

    option_id: str
    name: str
    kind: OptionKind


class PermissionRequest(Payload):
    """Parameters of session/request_permission."""

    session_id: str
    tool_call: ToolCallFields
    options: tuple[PermissionOption, ...]


class PermissionOutcome(Payload):
    """What the user chose; an answer may say why."""

    outcome: Literal["selected", "cancelled"]
    option_id: str | None = None


class PermissionAnswer(Payload):
    """The answer to session/request_permission."""

    outcome: PermissionOutcome
