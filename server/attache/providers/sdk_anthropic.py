"""The one module that imports Anthropic's SDK: it signs the calls and does the HTTP; retrying and decoding are ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import anthropic
import httpx2

from attache.providers.failures import refused, unreachable
from attache.providers.foreign import dump, load
from attache.providers.listing import names
from attache.providers.row import Access
from attache.schema.errors import StreamCut, UserError

_TIMEOUT = httpx2.Timeout(None, connect=10)
"""How long an answer may take is watched where it is decoded."""
_HEADERS: dict[str, str | anthropic.Omit] = {
    "content-type": "application/json",
    **dict.fromkeys(
        (
            "X-Stainless-Lang", "X-Stainless-Package-Version", "X-Stainless-OS", "X-Stainless-Arch",
            "X-Stainless-Runtime", "X-Stainless-Runtime-Version", "X-Stainless-Async", "x-stainless-read-timeout",
            "x-stainless-timeout",
        ),
        anthropic.Omit(),
    ),
}  # fmt: skip
"""What machine this is concerns no provider, and each header costs as much as a token."""


class Client:
    """A provider that speaks Anthropic's Messages API."""

    def __init__(self, access: Access) -> None:
        self._access = access
        token = access.key_name == "ANTHROPIC_AUTH_TOKEN"
        try:
            self._sdk = anthropic.AsyncAnthropic(
                api_key=None if token else access.key or "none",
                auth_token=access.key if token else None,
                base_url=access.base_url.removesuffix("/v1"),  # the SDK adds it
                max_retries=0,
                timeout=_TIMEOUT,
                default_headers=access.row.headers,
                http_client=anthropic.DefaultAsyncHttpxClient(
                    follow_redirects=False, timeout=_TIMEOUT, trust_env=not access.loopback
                ),
            )
        except httpx2.InvalidURL as error:
            raise UserError(
                f'{access.row.label}: "{access.base_url}" is no URL', hint="correct the base URL"
            ) from error

    async def pieces(self, body: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Call the model and yield the bytes of its answer as they come."""
        # Bytes, not a table: the SDK would walk through all that was said so far at every call.
        try:
            stream = await self._sdk.post(
                "/v1/messages",
                cast_to=object,
                content=dump(body),
                options={"headers": _HEADERS},
                stream=True,
                stream_cls=anthropic.AsyncStream[object],
            )
            async with aclosing(stream.response) as response:
                async for piece in response.aiter_bytes():
                    yield piece
        except anthropic.APIStatusError as error:
            raise refused(self._access, error.status_code, error.response.headers, error.body) from error
        except anthropic.AnthropicError as error:
            raise unreachable(self._access, error.__cause__ or error) from error
        except httpx2.HTTPError as error:
            raise StreamCut(f"the connection broke: {error}") from error

    async def ask(self, url: str, body: dict[str, Any]) -> Any:
        """Return the JSON that answers `body` at a whole URL, None where it is none."""
        try:
            response = await self._sdk.post(
                url,
                cast_to=httpx2.Response,
                content=dump(body),
                options={"headers": _HEADERS},
            )
        except anthropic.APIStatusError as error:
            raise refused(self._access, error.status_code, error.response.headers, error.body) from error
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            raise unreachable(self._access, error.__cause__ or error) from error
        return load(response.content)

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer."""
        try:
            response = await self._sdk.get(
                self._access.row.models_path, cast_to=httpx2.Response, options={"params": {"limit": 1000}}
            )
        except anthropic.APIStatusError as error:
            raise refused(self._access, error.status_code, error.response.headers, error.body) from error
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            raise unreachable(self._access, error.__cause__ or error) from error
        return names(response.content)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._sdk.close()
