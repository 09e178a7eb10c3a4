from __future__ import annotations

import json
import random
from typing import Any

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter

from attache.faces.lsp import features, hunks, process
from attache.faces.lsp.capabilities import COMMANDS, read_client, server_capabilities
from lsp.client import HABITS, PROFILES

NAMES = tuple(sorted(HABITS))


def client_of(profile: str) -> Any:
    return read_client(json.loads((PROFILES / f"{profile}.json").read_text("utf-8")))


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("vscode", {"encoding": "utf-16", "resolves_actions": True, "shows_disabled": True, "refreshes_lenses": True}),
        ("neovim", {"encoding": "utf-8", "resolves_actions": True, "shows_disabled": True, "versioned_edits": True}),
        ("helix", {"encoding": "utf-8", "resolves_actions": False, "shows_disabled": False, "shows_buttons": True}),
        ("emacs", {"encoding": "utf-32", "resolves_actions": False, "shows_buttons": False, "versioned_edits": True}),
        ("zed", {"encoding": "utf-16", "resolves_actions": False, "shows_documents": False}),
    ],
)
def test_what_each_editor_is_taken_for(profile: str, expected: dict[str, object]):
    client = client_of(profile)
    assert {name: getattr(client, name) for name in expected} == expected


@pytest.mark.parametrize("profile", NAMES)
def test_the_offer_is_what_the_protocol_defines(profile: str):
    offered = server_capabilities(client_of(profile))
    converter = get_converter()
    read = converter.structure(offered, types.ServerCapabilities)
    assert converter.unstructure(read, types.ServerCapabilities) == offered


def test_lenses_are_offered_to_those_who_do_not_ask():
    assert server_capabilities(read_client({}))["codeLensProvider"]


def test_every_command_that_is_offered_is_there_and_the_other_way_round():
    assert process.FIRST
    assert hunks.resolve
    for nouns in features.LATE.values():
        for noun in nouns:
            __import__(f"attache.faces.lsp.{noun}")
    assert sorted(features.COMMANDS) == sorted(COMMANDS)


def test_an_unknown_client_that_resolves_gets_commands_unless_it_says_that_it_does_not_freeze():
    resolves = {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
    capabilities: dict[str, Any] = {"textDocument": {"codeAction": resolves}}
    assert not read_client({"capabilities": capabilities, "clientInfo": {"name": "New"}}).resolves_actions
    capabilities["experimental"] = {"attache": {"resolvesInBackground": True}}
    assert read_client({"capabilities": capabilities, "clientInfo": {"name": "New"}}).resolves_actions


def test_nonsense_counts_as_not_there():
    source = random.Random(7)
    junk: list[Any] = [None, 1, "x", [], [1, None], {}, {"support": 1}, True]

    def spoiled(value: Any) -> Any:
        if source.random() < 0.15:
            return source.choice(junk)
        return {key: spoiled(each) for key, each in value.items()} if isinstance(value, dict) else value

    for profile in NAMES:
        params = json.loads((PROFILES / f"{profile}.json").read_text("utf-8"))
        for _ in range(300):
            broken = spoiled(params)
            if isinstance(broken, dict):
                assert server_capabilities(read_client(broken))["positionEncoding"] in {"utf-8", "utf-16", "utf-32"}
