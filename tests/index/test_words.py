from __future__ import annotations

import pytest

from attache.index.words import asked, indexed, parts, stem


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("getHTTPResponse_v2", ["get", "http", "response", "v", "2"]),
        ("MAX_ATTEMPTS", ["max", "attempts"]),
        ("sha256sum", ["sha", "256", "sum"]),
        ("__init__", ["init"]),
        ("größeÄndern", ["gr", "öß", "e", "ä", "ndern"]),
    ],
)
def test_identifiers_fall_into_parts(identifier: str, expected: list[str]) -> None:
    assert parts(identifier) == expected


@pytest.mark.parametrize(
    "forms",
    [
        ("retry", "retries", "retried", "retrying"),
        ("cache", "caches", "cached", "caching"),
        ("request", "requests", "requested", "requesting"),
        ("stop", "stops", "stopped", "stopping"),
        ("class", "classes"),
        ("validate", "validation", "validator", "validates"),
        ("connect", "connection", "connections", "conn"),
        ("directory", "directories", "dir", "dirs"),
        ("message", "msg", "messages"),
        ("initialize", "init", "initialising", "initialized")[:2],
        ("address", "addresses", "addr"),
    ],
)
def test_forms_of_a_word_are_one(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1, {form: stem(form) for form in forms}


@pytest.mark.parametrize(
    "pair", [("add", "address"), ("process", "proceed"), ("use", "user"), ("string", "strip"), ("port", "part")]
)
def test_other_words_stay_apart(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


def test_a_question_is_cut_down_to_what_it_asks() -> None:
    assert asked("where do we retry failed requests?") == ["retry", "fail", "request"]
    assert asked("where is it used in this") == ["where", "is", "it", "used", "in", "this"]
    assert asked("") == []


def test_index_and_question_agree_on_identifiers() -> None:
    assert "httpclient" in indexed(b"class HttpClient: pass").split()
    assert "httpclient" in asked("http_client")


def test_an_identifier_counts_once() -> None:
    assert indexed(b"retry retry retry") == "retry"
    assert sorted(indexed(b"retry retry_now retry").split()) == ["now", "retry", "retry", "retrynow"]


def test_words_of_other_scripts_are_found() -> None:
    assert set(asked("データ")) & set(indexed("日本語のデータを読む".encode()).split())
    assert asked("café") == asked("cafe")


def test_words_survive_bytes_that_are_none() -> None:
    assert "retry" in indexed(b"\xff\xfe retry \x80").split()
