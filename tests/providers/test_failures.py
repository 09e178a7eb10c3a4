"""What providers say in their own words becomes an error of ours, with what to do about it."""

from __future__ import annotations

import pytest

from attache.foundation.redact import remember_secret
from attache.providers.failures import NoSuchModel, refused, unreachable, wait_seconds
from attache.providers.row import Access, built_in
from attache.schema.errors import (
    AuthenticationFailed,
    ContextOverflow,
    MalformedToolCall,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
)

ROWS = {row.name: row for row in built_in()}


def access(provider: str = "openai") -> Access:
    return Access(ROWS[provider], "http://127.0.0.1:1/v1", "sk-canary-0123456789", "OPENAI_API_KEY")


def told(message: str, **fields) -> dict:
    return {"error": {"message": message, **fields}}


OVERFLOWS = [
    (400, told("This model's maximum context length is 128000 tokens. However, your messages resulted in 130012 tokens.", code="context_length_exceeded")),
    (400, told("Your input exceeds the context window of this model. Please adjust your input and try again.")),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 201234 tokens > 200000 maximum"}}),
    (400, told("input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000")),
    (413, {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}),
    (400, [{"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}]),
    (400, {"object": "error", "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length", "type": "invalid_request_error", "code": "3051"}),
    (400, told("Please reduce the length of the messages or completion.", type="invalid_request_error", code="context_length_exceeded")),
    (400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."}),
    (400, told("Invalid request: Your request exceeded model token limit: 131072")),
    (422, told("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000")),
    (400, told("the request exceeds the available context size. try increasing the context size or enable context shift", type="exceed_context_size_error")),
    (400, told("This endpoint's maximum context length is 65536 tokens. However, you requested about 70000 tokens", code=400)),
    (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}),
    (400, told("Prompt exceeds max length", code="1261")),
]  # fmt: skip
QUOTAS = [
    (429, told("You exceeded your current quota, please check your plan and billing details.", type="insufficient_quota", code="insufficient_quota")),
    (402, told("Insufficient Balance", type="unknown_error", code="invalid_request_error")),
    (402, told("Insufficient credits. Add more using https://openrouter.ai/credits", code=402)),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}}),
    (429, told("Your account org-1 is suspended, please check your plan and billing details", type="exceeded_current_quota_error")),
    (403, told("Your team has either used all available credits or reached its monthly spending limit.")),
]  # fmt: skip
LIMITS = [
    (429, told("Rate limit reached for gpt-5 in organization org-1 on tokens per min. Please try again in 1m6.5s. Visit https://x/account/billing", type="tokens", code="rate_limit_exceeded"), 66.5),
    (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "This request would exceed your organization's rate limit of 30,000 input tokens per minute"}}, None),
    (429, [{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]}}], 34),
    (429, told("Requests rate limit exceeded"), None),
    (429, "", None),
]  # fmt: skip
KEYS = [
    (401, told("Incorrect API key provided: sk-canary-0123456789. You can find your API key at https://x", code="invalid_api_key")),
    (401, {"detail": "Unauthorized"}),
    (401, told("User not found.", code=401)),
    (403, {"type": "error", "error": {"type": "permission_error", "message": "Your API key does not have permission to use the specified resource"}}),
    (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}]),
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: sk-canary-0123456789."}),
]  # fmt: skip
MODELS = [
    (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-sonet-4-5"}}),
    (404, told("The model `gpt-9` does not exist or you do not have access to it.", code="model_not_found")),
    (400, told("gpt-9 is not a valid model ID", code=400)),
    (400, {"object": "error", "message": "Invalid model: mistral-x", "type": "invalid_model", "code": "1500"}),
    (404, told("model 'llama9' not found, try pulling it first", type="api_error")),
    (404, [{"error": {"code": 404, "message": "models/gemini-9 is not found for API version v1main, or is not supported", "status": "NOT_FOUND"}}]),
    (400, told("Model Not Exist", type="invalid_request_error")),
    (404, told("No endpoints found for x/y.", code=404)),
]  # fmt: skip
REFUSED = [
    (400, told("Unsupported parameter: 'max_tokens' is not supported with this model.", param="max_tokens")),
    (422, {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}}),
    (400, told("messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks")),
    (400, told("Invalid schema for function 'x': key 'type' is missing")),
    (404, {"error": {"message": "path /v2/x is not known", "type": "not_found"}}),
    (404, "404 page not found"),
    (302, ""),
]  # fmt: skip
UNAVAILABLE = [
    (500, told("The server had an error while processing your request.", type="server_error")),
    (502, "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    (503, told("Our servers are currently overloaded due to high traffic (billing is not affected)")),
    (408, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [(ContextOverflow, *case) for case in OVERFLOWS] + [(QuotaExceeded, *case) for case in QUOTAS]
    + [(AuthenticationFailed, *case) for case in KEYS] + [(NoSuchModel, *case) for case in MODELS]
    + [(RequestRefused, *case) for case in REFUSED] + [(ProviderUnavailable, *case) for case in UNAVAILABLE],
)  # fmt: skip
def test_the_words_are_understood(kind, status, body):
    remember_secret(access().key)  # as a model does when it is opened
    error = refused(access(), status, {}, body)
    assert type(error) is kind, error
    assert (error.provider, error.status) == ("openai", status)
    assert error.message.startswith("OpenAI")
    assert "sk-canary" not in error.message + error.hint
    assert "\n" not in error.message
    assert "<h" not in error.message
    assert error.retryable is (kind is ProviderUnavailable)


@pytest.mark.parametrize(("status", "body", "seconds"), LIMITS)
def test_a_rate_limit_waits_as_long_as_it_says(status, body, seconds):
    error = refused(access(), status, {}, body)
    assert type(error) is RateLimited
    assert error.retry_after_seconds == seconds


def test_a_quota_that_is_used_up_is_not_waited_for_even_where_a_time_is_named():
    error = refused(access(), 429, {"retry-after": "2"}, QUOTAS[0][1])
    assert (type(error), error.retryable) == (QuotaExceeded, False)


def test_an_overloaded_provider_may_name_a_time_too():
    assert refused(access(), 529, {"retry-after": "12"}, "").retry_after_seconds == 12


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ProviderUnavailable, told("Overloaded", type="overloaded_error")),
        (RateLimited, told("slow down", type="rate_limit_error")),
        (RateLimited, told("slow down", code="429")),
        (ProviderUnavailable, told("Provider returned error", code=502, metadata={"raw": "upstream"})),
        (RequestRefused, told("bad", type="invalid_request_error")),
        (ContextOverflow, told("too long", type="invalid_request_error", code="context_length_exceeded")),
        (ProviderUnavailable, {"error": "something"}),
        (ProviderUnavailable, told("", code=7)),
    ],
)
def test_an_error_inside_a_stream_carries_no_status_and_is_understood_all_the_same(kind, body):
    assert type(refused(access(), None, {}, body)) is kind


def test_what_stands_behind_a_router_is_told():
    assert (
        "upstream is down"
        in refused(access(), 502, {}, told("Provider returned error", metadata={"raw": "upstream is down"})).message
    )


def test_a_call_that_the_provider_could_not_read_is_the_models_fault():
    body = told(
        "Failed to call a function.",
        type="invalid_request_error",
        code="tool_use_failed",
        failed_generation="<function=x>{",
    )
    error = refused(access("groq"), 400, {}, body)
    assert isinstance(error, MalformedToolCall)
    assert (error.arguments, error.retryable) == ("<function=x>{", False)


def test_a_model_that_wants_another_api_is_told_apart():
    words = "Function tools with reasoning_effort are not supported for gpt-6-astra in /v1/chat/completions. To use function tools, use /v1/responses"
    error = refused(access(), 400, {}, told(words))
    assert type(error) is RequestRefused
    assert "openai-responses/" in error.hint


def test_the_hint_of_a_refused_key_names_the_variable():
    error = refused(access(), 401, {}, "")
    assert "OPENAI_API_KEY" in error.message
    assert "OPENAI_API_KEY" in error.hint


def test_a_local_server_that_is_down_is_to_be_started():
    here = Access(ROWS["ollama"], "http://127.0.0.1:11434/v1", "", "OLLAMA_API_KEY")
    assert "start Ollama" in unreachable(here, ConnectionError("refused")).hint
    assert "start" not in unreachable(access(), ConnectionError("refused")).hint


def test_very_long_words_are_cut():
    assert len(refused(access(), 500, {}, "x" * 100_000).message) < 500


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({}, None),
    ],
)
def test_waits_are_numbers_or_nothing(headers, seconds):
    assert wait_seconds(headers) == seconds


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_what_was_tried_in_vain_says_what_can_be_done_now(status):
    error = refused(access(), status, {}, "")
    assert "by itself" not in error.hint
    assert "--model" in error.hint


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<html><head><title>502 Bad Gateway</title></head><body><h1>no</h1></body></html>", "OpenAI: HTTP 502 Bad Gateway"),
        ("<html><style>a { b: c }</style><body>" + "<p>sorry</p> " * 200, "OpenAI: HTTP 502: " + ("sorry " * 20)[:120].strip()),
        ("upstream gone", "OpenAI: HTTP 502: upstream gone"),
    ],
)  # fmt: skip
def test_a_web_page_is_cut_to_its_title_and_comes_with_its_status(page, shown):
    error = refused(access(), 502, {}, page)
    assert error.message.strip() == shown
    assert "--model" in error.hint
