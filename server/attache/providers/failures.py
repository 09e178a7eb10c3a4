"""What providers say when they do not answer, in their many wordings, as errors of one tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast

from attache.foundation.redact import redact
from attache.providers.foreign import fields, objects
from attache.providers.row import Access
from attache.schema.errors import (
    AuthenticationFailed,
    ContextOverflow,
    MalformedToolCall,
    ProviderError,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
)

MAX_WORDS = 400
PAGE_CHARS = 120
"""Of a web page in the place of an answer."""
OTHER_MODEL = "another model: --model PROVIDER/NAME"
WHAT_NOW = f"wait a little and ask again, or take {OTHER_MODEL}; attache doctor shows what is set up"
"""What is left once it was tried again in vain."""
_NO_STATUS = 600
_WRONG_REQUEST = frozenset({400, 404, 422})
_PASSING = frozenset({408, 409, 424, 425, 499})
"""Statuses of the request's own making that may pass all the same."""
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})


class NoSuchModel(RequestRefused):
    """The provider does not know the model; becomes UnknownModel once near names are found."""


_OVERFLOW = re.compile(
    r"context.{0,12}(length|window|size|limit)|maximum (context|prompt) length|prompt is too long|input is too long"
    r"|too many (input )?tokens|(input|prompt) tokens?.{0,40}exceed|exceeds? the maximum number of tokens"
    r"|tokens in (the )?request more than|exceeded model token limit|prompt exceeds|reduce the length of"
    r"|inputs?` tokens \+ `max_new_tokens|too large for model|request (entity )?too large|request_too_large"
    r"|string_above_max_length|maximum allowed (input|context|number of (input )?tokens)",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|credit balance|billing"
    r"|out of credits|more credits|payment required|quota.{0,20}(exhausted|used up)|spend(ing)?[_ ]limit"
    r"|exceeded_current_quota|no credits|usage limit reached|limited to [\d,]+ API calls / month",
    re.IGNORECASE,
)
_SURELY_QUOTA = re.compile(r"insufficient_(quota|balance|credits?|funds)|exceeded_current_quota|billing", re.IGNORECASE)
"""Names that mean so even where a time to wait comes along."""
_KEY = re.compile(
    r"(invalid|incorrect|wrong|missing|expired|unknown|disabled|revoked|no|not valid)\W+(\w+\W+){0,3}"
    r"(api[ _-]?key|access key|credentials?)\b"
    r"|api[ _-]?key\W+(is )?(not valid|invalid|expired|not found|missing|disabled)"
    r"|unauthori[sz]ed|authentication (failed|error|fails)",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"\bmodels?\b.{0,120}(not[ _]found|(not|n't) exist|is (unknown|invalid)|decommissioned)"
    r"|\bmodels?\W+\S+ is not (supported|available)\W*$"
    r"|(invalid|unknown|no such|unsupported|not a valid|could not find( the)?) models?\b|^model: \S+$"
    r"|no endpoints found for|model[ _]not[ _](found|exist)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_NEEDS_RESPONSES = re.compile(r"/v1/responses|responses api", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_WAIT = re.compile(r"(?:try again|retry)\D{0,20}?((?:\d+(?:\.\d+)?(?:ms|h|m|s)\s*)+)", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WORDS = ("message", "detail", "msg", "error", "Message")
_STATUS = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "billing_error": 402,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "tool_use_failed": 400,
    "timeout_error": 504,
    "throttlingException": 429,
    "validationException": 400,
    "modelStreamErrorException": 424,
}
"""HTTP statuses of the names that errors carry where they come without one, inside a stream."""


def refused(access: Access, status: int | None, headers: Mapping[str, str], body: object) -> ProviderError:
    """Return the error for an answer that is none: an HTTP status, or an error object in a stream (`status` None)."""
    words, names, details = _read(body)
    status = status or _status(names, details)
    wait = wait_seconds(headers, words, details)
    kind = _kind(status, names, f"{names}\n{words}", waits=wait is not None)

    label = access.row.label
    shown = redact(" ".join(words.split()))[:MAX_WORDS] or f"HTTP {status} without a word"
    if isinstance(body, str) and words.strip():  # no words of the provider's own: a proxy's page, say
        shown = f"HTTP {shown}" if shown.startswith(str(status)) else f"HTTP {status}: {shown}"
    message = f"{label}: {shown}"
    if kind is AuthenticationFailed and access.key:
        message = f"{label} refuses the key in {access.key_name}: {shown}"
    error = kind(message, hint=_hint(kind, access, status, words), provider=access.row.name, status=status)
    if error.retryable:
        error.retry_after_seconds = wait
    if isinstance(error, MalformedToolCall):
        error.arguments = str(details.get("failed_generation", ""))
    return error


def _kind(status: int, names: str, told: str, *, waits: bool) -> type[ProviderError]:
    """Return which error it is: the first rule that fits. `waits` says that a time to wait was named."""
    quota = _SURELY_QUOTA.search(names) is not None or (_QUOTA.search(told) is not None and not waits)
    if "tool_use_failed" in names:
        return MalformedToolCall
    if (
        status == HTTPStatus.UNAUTHORIZED
        or (status == HTTPStatus.FORBIDDEN and not quota)
        or (status == HTTPStatus.BAD_REQUEST and _KEY.search(told))
    ):
        return AuthenticationFailed
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or (status in _WRONG_REQUEST and _OVERFLOW.search(told)):
        return ContextOverflow
    if status == HTTPStatus.PAYMENT_REQUIRED or (status < HTTPStatus.INTERNAL_SERVER_ERROR and quota):
        return QuotaExceeded
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited
    if status in _WRONG_REQUEST and _MODEL.search(told) and not _NEEDS_RESPONSES.search(told):
        return NoSuchModel
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        return ProviderUnavailable
    return RequestRefused


def unreachable(access: Access, error: BaseException) -> ProviderUnavailable:
    """Return the error for a provider that could not be spoken to; `error` says why."""
    reason = redact(str(error)) or type(error).__name__
    start = f"start {access.row.label}, or " if access.row.local else ""
    return ProviderUnavailable(
        f"{access.row.label} cannot be reached at {redact(access.base_url)}: {reason}",
        hint=f"{start}check the network, the proxy variables and the base URL: attache doctor",
        provider=access.row.name,
    )


def wait_seconds(headers: Mapping[str, str], words: str = "", details: Mapping[str, Any] | None = None) -> float | None:
    """Return how long the provider asks to wait; None where it does not say. Never negative."""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    stated = headers.get("retry-after", "").strip()
    if (seconds := _number(stated)) is not None:
        return seconds
    if stated:
        try:
            moment = parsedate_to_datetime(stated)
        except ValueError:
            pass
        else:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    delay = str((details or {}).get("retryDelay", ""))
    spans = _SPAN.findall(delay) or [span for match in _WAIT.findall(words) for span in _SPAN.findall(match)]
    return sum(float(number) * _SECONDS[unit] for number, unit in spans) if spans else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d+)?", text.strip()) else None


def _hint(kind: type[ProviderError], access: Access, status: int, words: str) -> str:
    label = access.row.label
    if _NEEDS_RESPONSES.search(words):
        other = "openai-responses/<its name>" if access.row.name == "openai" else f"another of {label}'s models"
        return f"this model takes tools only on another API: take {other}"
    if status in _REDIRECTIONS:
        return "redirections are not followed, since the key would go along: correct the base URL"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and kind is RequestRefused:
        return f"nothing answers there: check the base URL {redact(access.base_url)}"
    hints: dict[type[ProviderError], str] = {
        AuthenticationFailed: f"set {access.key_name} to a valid key for {label}",
        ContextOverflow: "start a new session, or attach less",
        QuotaExceeded: f"look at your plan and billing at {label}",
        RateLimited: f"wait a while, start fewer runs at once, or take {OTHER_MODEL}",
        ProviderUnavailable: WHAT_NOW,
    }
    return hints.get(kind, "")


def _status(names: str, details: Mapping[str, Any]) -> int:
    code = details.get("code", details.get("status"))
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    if isinstance(code, int) and HTTPStatus.BAD_REQUEST <= code < _NO_STATUS:
        return code
    return next((status for name, status in _STATUS.items() if name in names), HTTPStatus.INTERNAL_SERVER_ERROR)


def _read(body: object) -> tuple[str, str, dict[str, Any]]:
    """Return the words, the machine names and the details of an error, in whichever of the known shapes it comes."""
    if isinstance(body, list):
        body = next(iter(cast("list[object]", body)), None)  # Google wraps the object in a list
    if not isinstance(body, dict):
        return plain(str(body or "")), "", {}
    outer = fields(body)
    inner = outer.get("error", outer)
    error = dict(fields(inner)) or {**outer, "message": inner}
    for detail in objects(error.get("details")) + objects([error.get("metadata")]):
        error = {**detail, **error}
    words = next((text for key in _WORDS if (text := _flat(error.get(key)))), "")
    if raw := _flat(error.get("raw")):
        words = f"{words}: {raw}"  # OpenRouter hands on what the provider behind it said
    named = (error.get(key) for key in ("type", "code", "status", "reason"))
    return words, " ".join(name for name in named if isinstance(name, str)), error


def _flat(value: object) -> str:
    """Return the words of a value that ought to be a text and may be lists and objects of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(text for item in cast("list[object]", value) if (text := _flat(item)))
    if isinstance(value, dict):
        table = fields(value)
        place = ".".join(str(part) for part in table.get("loc") or ())
        words = next((text for key in ("message", "msg", "detail", "error") if (text := _flat(table.get(key)))), "")
        return f"{words} ({place})" if place and words else words
    return ""


def plain(text: str) -> str:
    """Return the title or the first words of a web page, or of anything else that is no JSON."""
    if "<" not in text:
        return text
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return title[1] if title else " ".join(_MARKUP.sub(" ", text).split())[:PAGE_CHARS]
