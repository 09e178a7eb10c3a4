"""Every surface under each profile, by its own messages alone: with no model in one session, around runs in another."""

from __future__ import annotations

import pytest

from lsp import test_alternatives, test_contents, test_ghost, test_outlook, test_plans
from lsp.conftest import Attach

PROFILES = ("vscode", "neovim", "helix", "emacs", "zed")
DONE = {"text": "Done.", "repeat": True}


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_needs_no_model(attach: Attach, profile: str):
    client = await attach(profile, ATTACHE_MODEL="offline/offline")
    await test_outlook.opened(client)
    await test_outlook.turns_calls_links_and_mentions(client)
    await test_outlook.mentions_and_commands_are_completed(client)
    await test_ghost.without_a_model_it_is_the_rest_of_a_line_that_stands_there_or_nothing(client)
    await test_alternatives.a_rule_cures_what_another_server_found_in_any_language_at_once(client)
    await test_alternatives.lines_are_extracted_and_imports_organised_by_rule(client)


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_a_run_leaves_and_what_runs_one(attach: Attach, script, profile: str):
    turns = (test_contents.CHANGE, test_plans.STEP, test_plans.REFUSED, test_alternatives.FIXED)
    client = await attach(profile, **script(*turns, test_alternatives.REVIEWED, DONE))
    await test_contents.changed(client)
    await test_contents.what_was_changed_sent_and_done_is_shown(client)
    await test_contents.a_line_of_the_agents_says_how_it_came_about_wherever_it_moves(client)
    await test_plans.steps_run_are_skipped_and_fail(client)
    await test_alternatives.another_way_is_another_action_and_asks_for_another_way(client)
    await test_alternatives.what_a_model_says_in_a_review_stands_on_its_lines_and_follows_them(client)
