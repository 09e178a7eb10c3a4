"""Calls and reasoning in a model's words: every form that is trained, nothing that is only shown, and no half of a call."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attache.providers.loose_json import Unreadable, read
from attache.providers.sieve import Sieve
from attache.providers.text_calls import find

TOOLS = {
    "read": {"properties": {"path": {"type": "string"}, "limit": {"type": "integer"}}},
    "write": {"properties": {"path": {"type": "string"}, "text": {"type": "string"}}},
}
A = ("read", {"path": "a"})
B = ("read", {"path": "b"})
FORMS = {
    '<tool_call>\n{"name": "read", "arguments": {"path": "a"}}\n</tool_call>': [A],
    'I look.\n<tool_call>{"name": "read", "arguments": {"path": "a"}}': [A],
    '<tool_call>{"name": "read", "arguments": {"path": "a"}</tool_call>': [A],
    '<tool_call>{"name": "Read", "arguments": {"path": "a"}}</tool_call> and on': [A],
    '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>\n<tool_call>{"name": "read", "arguments": {"path": "b"}}</tool_call>': [A, B],
    '```json\n{"name": "read", "arguments": {"path": "a"}}\n```': [A],
    '```tool\n{"name": "read", "arguments": {"path": "a"}}\n```\nI hope that helps.': [A],
    '{"name": "read", "parameters": {"path": "a"}}': [A],
    '[{"name": "read", "arguments": {"path": "a"}}, {"name": "read", "arguments": {"path": "b"}}]': [A, B],
    '{"type": "function", "function": {"name": "read", "arguments": "{\\"path\\": \\"a\\"}"}}': [A],
    "{'name': 'read', 'arguments': {'path': 'a',}}": [A],
    'Thought: look\n{"action": "read", "action_input": {"path": "a"}}': [A],
    '[TOOL_CALLS][{"name": "read", "arguments": {"path": "a"}}]': [A],
    '[TOOL_CALLS]read{"path": "a"}[TOOL_CALLS]read[ARGS]{"path": "b"}': [A, B],
    "<function=read>\n<parameter=path>\na\n</parameter>\n<parameter=limit>\n5\n</parameter>\n</function>": [("read", {"path": "a", "limit": 5})],
    "<tool_call>\n<function=read>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>": [A],
    '<function=read>{"path": "a"}</function>': [A],
    '<function_calls>\n<invoke name="write">\n<parameter name="path">a</parameter>\n<parameter name="text">x < y\nz</parameter>\n</invoke>\n</function_calls>': [("write", {"path": "a", "text": "x < y\nz"})],
    "<read><path>a</path></read>": [A],
    "<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n<arg_key>limit</arg_key>\n<arg_value>3</arg_value>\n</tool_call>": [("read", {"path": "a", "limit": 3})],
    '[read(path="a"), read("b")]': [A, B],
    '```tool_code\nread(path="a")\n```': [A],
    '<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>{"path": "a"}<|tool_call_end|><|tool_calls_section_end|>': [A],
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read\n```json\n{"path": "a"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>': [A],
    '<|channel|>commentary to=functions.read <|constrain|>json<|message|>{"path": "a"}<|call|>': [A],
    '<|python_tag|>{"name": "read", "parameters": {"path": "a"}}': [A],
    '<tool_call>{"name": "write", "arguments": {"path": "a", "text": "say "hi" to\nall \\d"}}</tool_call>': [("write", {"path": "a", "text": 'say "hi" to\nall \\d'})],
    '<tool_call>{"name": "write", "arguments": {"path": "a", "text": "<think>hm</think>\\nx"}}</tool_call>': [("write", {"path": "a", "text": "x"})],
}  # fmt: skip
SHOWN = [
    'To call, write `<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>` there.',
    'For example:\n```\n<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>\n```\nThat is the form.',
    '```json\n{"name": "read", "arguments": {"path": "a"}}\n```\nis how.',
    'A table is {"a": 1}.', "Use `read(path)` for it.", "```python\nread('a')\nprint(1)\n```", '{"path": "a"}', "a < b and b > c",
    '{"name": "Ada", "age": 36}', '```json\n{"name": "fly", "arguments": {}}\n```',
]  # fmt: skip
HALVES = [
    '<tool_call>{"name": "write", "arguments": {"path": "a", "text": "x = ',
    "<tool_call>\n{'name': 'write', 'arguments'",
    '<tool_call>{"name": "read"} {"path": "a"}</tool_call>',
    '[TOOL_CALLS][{"name": "read", "arguments": {"path": "a',
]


@pytest.mark.parametrize("text", FORMS, ids=lambda text: text[:40])
def test_a_call_is_found_in_every_form(text):
    found = find(text, TOOLS)
    assert (list(found.calls), found.broken) == (FORMS[text], "")
    assert "{" not in found.text


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_stays_text(text):
    assert find(text, TOOLS).calls == ()
    assert find(text, TOOLS).text == text


@pytest.mark.parametrize("text", HALVES)
def test_half_a_call_is_none_and_is_told(text):
    found = find(text, TOOLS)
    assert found.calls == ()
    assert found.broken


def test_an_answer_that_was_cut_off_makes_no_call_that_it_may_have_cut():
    whole = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>'
    assert find(f"{whole}\n<tool_call>{{", TOOLS, complete=False).calls == (A,)
    assert find('<tool_call>{"name": "read", "arguments": {"path": "a"', TOOLS, complete=False).calls == ()
    assert find('{"name": "read", "arguments": {"path": "a"}}', TOOLS, complete=False).calls == ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES)
def test_json_is_read_as_it_is(value):
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, 'b': [1, 2,], }", {"a": 1, "b": [1, 2]}),
        ('{"a": True, "b": None, // why\n "c": .5e}', {"a": True, "b": None, "c": ".5e"}),
        ('{"a": "x\ny", "b": "C:\\dir"}', {"a": "x\ny", "b": "C:\\dir"}),
        ('{"a": [1, {"b": "c"', None),
        ('{"a": [1, {"b": "c"}', {"a": [1, {"b": "c"}]}),
        ("{“a”: “b”}", {"a": "b"}),
        ('{"a": "he said "no" twice", "b": 1}', {"a": 'he said "no" twice', "b": 1}),
        ('{"a": 1} {"b": 2}', None),
        ("", None),
    ],
)
def test_json_is_repaired_but_never_completed_inside_a_string(text, value):
    if value is None and text != '{"a": [1, {"b": "c"':
        with pytest.raises(Unreadable):
            read(text)
    elif value is None:
        assert read(text) == {"a": [1, {"b": "c"}]}  # only brackets are missing
    else:
        assert read(text) == value


def sifted(text: str, cuts: list[int]) -> tuple[list[tuple[str, str]], str]:
    sieve, pieces, at = Sieve(("read",)), [], 0
    for cut in [*sorted(cuts), len(text)]:
        pieces += sieve.feed(text[at : min(cut, len(text))])
        at = min(cut, len(text))
    joined: list[tuple[str, str]] = []
    for kind, words in (*pieces, *sieve.finish()):
        if kind == "lost":
            joined = [("thinking", words) for _, words in joined]
        elif joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + words)
        else:
            joined.append((kind, words))
    return joined, sieve.held


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("<think>hm\nyes</think>\n\nThe answer", [("thinking", "hm\nyes"), ("text", "The answer")]),
        ("[THINK]hm[/THINK]Hi", [("thinking", "hm"), ("text", "Hi")]),
        ("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi", [("thinking", "hm"), ("text", "Hi")]),
        ("<think>never closed", [("thinking", "never closed")]),
        ("A tag is <think> and its end </think>.", [("text", "A tag is <think> and its end </think>.")]),
        ("plain, a < b\n```python\nx\n```\ndone", [("text", "plain, a < b\n```python\nx\n```\ndone")]),
    ],
)  # fmt: skip
def test_reasoning_is_told_from_words_however_they_are_cut(text, pieces):
    for size in (1, 2, 3, 7, 1000):
        assert sifted(text, list(range(size, len(text), size))) == (pieces, "")


@settings(max_examples=100, deadline=None)
@given(text=st.sampled_from([*FORMS, *SHOWN, *HALVES]), cuts=st.lists(st.integers(0, 120), max_size=6))
def test_what_may_be_a_call_is_held_and_nothing_is_lost(text, cuts):
    pieces, held = sifted(text, cuts)
    assert "".join(words for _, words in pieces) + held == text
    assert (pieces, held) == sifted(text, [])


def test_reasoning_whose_beginning_was_swallowed_is_taken_back():
    pieces = Sieve().feed("hm, yes</think>\nHi")
    assert pieces == [("lost", ""), ("thinking", "hm, yes"), ("text", "Hi")]
