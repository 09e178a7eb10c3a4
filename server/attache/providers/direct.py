"""The client for providers without an SDK here: it signs a call, does the HTTP, and knows the ways there are to ask."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx2

from attache.providers.failures import refused, unreachable
from attache.providers.foreign import dump, load
from attache.providers.listing import names
from attache.providers.row import Access
from attache.providers.signing import signing
from attache.schema.errors import StreamCut, UserError

Json = dict[str, Any]
NOTHING: Mapping[str, str] = MappingProxyType({})
_TIMEOUT = httpx2.Timeout(None, connect=10)
"""How long an answer may take is watched where it is decoded."""
_JSON = {"content-type": "application/json"}
_NO_STREAM = re.compile(r"stream", re.IGNORECASE)


def same(body: Json) -> Json:
    """Return the body as it is."""
    return body


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask: `{model}` in the path stands for the model's name, which the body then leaves out."""

    path: str
    body: Callable[[Json], Json] = same


class Client:
    """A provider reached by plain HTTP.

    A host that does not know a route, or a model that does not stream, is asked on the next one, which is then kept.
    """

    def __init__(
        self, access: Access, routes: Sequence[Route], *, base_url: str = "", headers: Mapping[str, str] = NOTHING
    ) -> None:
        self._access = access
        self._base_url = base_url or access.base_url
        self._routes = tuple(routes)
        self._first: dict[str, int] = {}
        try:
            httpx2.URL(self._base_url)
        except httpx2.InvalidURL as error:
            raise UserError(f'{access.row.label}: "{self._base_url}" is no URL', hint="correct the base URL") from error
        self._http = httpx2.AsyncClient(
            auth=signing(access),
            headers={**headers, **access.row.headers},
            follow_redirects=False,
            timeout=_TIMEOUT,
            trust_env=not access.loopback,
        )

    async def pieces(self, body: Json) -> AsyncGenerator[bytes]:
        """Call the model and yield the bytes of its answer as they come."""
        response = await self._opened(body)
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except httpx2.HTTPError as error:
            raise StreamCut(f"the connection broke: {error}") from error
        finally:
            await response.aclose()

    async def ask(self, url: str, body: Json) -> Any:
        """Return the JSON that answers `body` at a whole URL, None where it is none."""
        try:
            response = await self._http.post(url, content=dump(body), headers=_JSON)
        except httpx2.HTTPError as error:
            raise unreachable(self._access, error) from error
        if not response.is_success:
            raise refused(self._access, response.status_code, response.headers, _told(response))
        return load(response.content)

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer."""
        try:
            response = await self._http.get(self._base_url + self._access.row.models_path)
        except httpx2.HTTPError as error:
            raise unreachable(self._access, error) from error
        if not response.is_success:
            raise refused(self._access, response.status_code, response.headers, _told(response))
        return names(response.content)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _opened(self, body: Json) -> httpx2.Response:
        """Return the response of the first route that the host has for the model."""
        model = str(body.get("model", ""))
        number = self._first.get(model, 0)
        while True:
            response = await self._asked(self._routes[number], model, body)
            if response.is_success:
                self._first[model] = number  # only what has answered: a model may yet be installed
                return response
            told = _told(response)
            number += 1
            if number == len(self._routes) or not _elsewhere(response, told):
                raise refused(self._access, response.status_code, response.headers, told)

    async def _asked(self, route: Route, model: str, body: Json) -> httpx2.Response:
        shaped = route.body(body)
        if "{model}" in route.path:
            shaped = {key: value for key, value in shaped.items() if key != "model"}
        request = self._http.build_request(
            "POST",
            self._base_url + route.path.replace("{model}", quote(model, safe="")),
            content=dump(shaped),
            headers=_JSON,
        )
        try:
            response = await self._http.send(request, stream=True)
            if not response.is_success:
                await response.aread()
        except httpx2.HTTPError as error:
            raise unreachable(self._access, error) from error
        return response


def _elsewhere(response: httpx2.Response, told: object) -> bool:
    """Say whether another route may do better: this one is not there, or the model cannot stream."""
    if response.status_code == HTTPStatus.NOT_FOUND:
        return True
    return response.status_code == HTTPStatus.BAD_REQUEST and _NO_STREAM.search(str(told)) is not None


def _told(response: httpx2.Response) -> object:
    """Return what an answer that is none says, as JSON where it is that."""
    return load(response.content) or response.text
