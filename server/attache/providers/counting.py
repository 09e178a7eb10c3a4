"""How many tokens a request takes by its provider's own count, from those that have an endpoint for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

from attache.providers.anthropic_request import VERSION
from attache.providers.foreign import count, fields
from attache.schema.messages import File, Image, ToolResult
from attache.schema.models import Request

Json = dict[str, Any]


class Asked(Protocol):
    """A client, as far as it is used here."""

    async def ask(self, url: str, body: Json) -> Any:
        """Return the JSON that answers `body`; raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of provider counts: where it is asked, with what of the call to be made, and where the number is."""

    path: str
    """`{model}` in it stands for the model's name."""
    body: Callable[[Any], Json]
    """From the body of the call; of a second step, from what the first one gave."""
    read: Callable[[Json], Any]
    then: Way | None = None
    cut: str = ""
    """The end of the base URL that this API does not have."""
    pictures: bool = True
    """Whether what is no text is counted too."""


_ANTHROPIC: Final = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")
_RESPONSES: Final = ("model", "input", "instructions", "tools", "tool_choice", "reasoning", "text")
_BEDROCK: Final = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_VERTEX: Final = ("contents", "systemInstruction", "tools")
_CHAT: Final = ("model", "messages", "tools")


def _only(*names: str) -> Callable[[Json], Json]:
    return lambda body: {name: body[name] for name in names if name in body}


def _gemini(body: Json) -> Json:
    named = body["model"] if "/" in body["model"] else f"models/{body['model']}"
    return {"generateContentRequest": {**body, "model": named}}


def _bedrock(body: Json) -> Json:
    return {"input": {"converse": _only(*_BEDROCK)(body)}}


def _input(answer: Json) -> Any:
    return answer.get("input_tokens")


def _total(answer: Json) -> Any:
    return answer.get("totalTokens")


_PIECES = Way(
    "/tokenize",
    lambda prompt: {"content": prompt, "add_special": True, "parse_special": True},
    lambda answer: len(answer.get("tokens") or ()),
    cut="/v1",
)

WAYS: Final[Mapping[str, Way]] = {
    "anthropic": Way("/v1/messages/count_tokens", _only(*_ANTHROPIC), _input, cut="/v1"),
    "anthropic_vertex": Way(
        "/models/count-tokens:rawPredict",
        lambda body: _only(*_ANTHROPIC)(body) | {"anthropic_version": VERSION},
        _input,
    ),
    "responses": Way("/responses/input_tokens", _only(*_RESPONSES), _input),
    "gemini": Way("/models/{model}:countTokens", _gemini, _total),
    "vertex": Way("/models/{model}:countTokens", _only(*_VERTEX), _total),
    "bedrock": Way("/model/{model}/count-tokens", _bedrock, lambda answer: answer.get("inputTokens")),
    "vllm": Way("/tokenize", _only(*_CHAT), lambda answer: answer.get("count"), cut="/v1", pictures=False),
    "llamacpp": Way(
        "/apply-template", _only(*_CHAT), lambda answer: answer.get("prompt"), then=_PIECES, cut="/v1", pictures=False
    ),
}
"""What `counts` of a row may say."""


def counts(way: Way, request: Request) -> bool:
    """Say whether all that the request holds would be counted."""
    return way.pictures or not any(_seen(part) for message in request.messages for part in message.parts)


async def tokens(way: Way, client: Asked, base_url: str, body: Json) -> int | None:
    """Return how many tokens a call with this body takes; None where no number comes. Raises ProviderError."""
    given: Any = body
    step: Way | None = way
    model = quote(str(body.get("model", "")), safe="")
    while step is not None:
        url = base_url.removesuffix("/").removesuffix(step.cut) + step.path.replace("{model}", model)
        given = step.read(fields(await client.ask(url, step.body(given))))
        step = step.then
    return count(given) or None


def _seen(part: object) -> bool:
    return isinstance(part, Image | File) or (isinstance(part, ToolResult) and bool(part.images))
