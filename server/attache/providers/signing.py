"""How a call says who asks: by a key in a header, or by the credentials of a cloud, whose libraries are extras."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Generator
from importlib import import_module
from typing import Any

import httpx2

from attache.providers.row import Access
from attache.schema.errors import AuthenticationFailed, MissingExtra

_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
_USUAL_REGION = "us-east-1"


def signing(access: Access) -> httpx2.Auth | None:
    """Return what signs the calls of a provider, None where nothing has to; a key goes before a cloud's credentials."""
    if access.key:
        return Key(access)
    kind, _, service = access.row.credentials.partition(":")
    match kind:
        case "aws":
            return Amazon(access, service)
        case "google":
            return Google(access)
        case _:
            return None


class Key(httpx2.Auth):
    """A key in the header that the provider reads it from."""

    def __init__(self, access: Access) -> None:
        header = access.row.key_header
        self._header = (header, access.key) if header else ("authorization", f"Bearer {access.key}")

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Add the header."""
        name, value = self._header
        request.headers[name] = value
        yield request


class Amazon(httpx2.Auth):
    """Signature version 4, with the credentials that the AWS tools would take."""

    def __init__(self, access: Access, service: str) -> None:
        sessions, self._signers, self._requests = _extra(
            access, "bedrock", "botocore.session", "botocore.auth", "botocore.awsrequest"
        )
        self._access = access
        self._service = service
        self._session = sessions.get_session()
        region = _REGION.search(access.base_url)
        self._region: str = region[1] if region else self._session.get_config_variable("region") or _USUAL_REGION

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Sign the body; finding credentials may ask the network, so it runs in a thread."""
        content = await request.aread()
        request.headers.update(await asyncio.to_thread(self._signed, str(request.url), request.method, content))
        yield request

    def _signed(self, url: str, method: str, content: bytes) -> dict[str, str]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise _no_credentials(self._access, "run: aws configure")
        headers = {"content-type": "application/json"}
        request = self._requests.AWSRequest(method=method, url=url, data=content, headers=headers)
        self._signers.SigV4Auth(credentials, self._service, self._region).add_auth(request)
        return dict(request.headers.items())


class Google(httpx2.Auth):
    """A token of Google's, from the credentials that its tools would take; fetched anew when it has run out."""

    def __init__(self, access: Access) -> None:
        auth, self._errors, transports = _extra(
            access, "google", "google.auth", "google.auth.exceptions", "google.auth.transport.requests"
        )
        self._access = access
        self._transport = transports.Request()
        try:
            self._credentials = auth.default(scopes=[_GOOGLE_SCOPE])[0]
        except self._errors.DefaultCredentialsError as error:
            raise _no_credentials(access, "run: gcloud auth application-default login") from error

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Add the token."""
        if not self._credentials.valid:
            await asyncio.to_thread(self._refresh)
        request.headers["authorization"] = f"Bearer {self._credentials.token}"
        yield request

    def _refresh(self) -> None:
        try:
            self._credentials.refresh(self._transport)
        except self._errors.GoogleAuthError as error:
            raise _no_credentials(self._access, "run: gcloud auth application-default login") from error


def _extra(access: Access, extra: str, *modules: str) -> tuple[Any, ...]:
    """Import a cloud's library, or say how to get it."""
    try:
        return tuple(import_module(module) for module in modules)
    except ImportError as error:
        raise MissingExtra(
            f"{access.row.label} needs a key in {access.key_name}, or the extra [{extra}] for its cloud's credentials",
            hint=f'pip install "attache-ls[{extra}]", or set {access.key_name}',
        ) from error


def _no_credentials(access: Access, remedy: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"{access.row.label} needs a key, and neither {access.key_name} nor its cloud's credentials are of use",
        hint=f"{remedy}; or set {access.key_name}",
        provider=access.row.name,
    )
