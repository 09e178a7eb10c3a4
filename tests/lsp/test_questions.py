"""What the agent asks in words is answered where the user is: in the panel, or by the buttons of a message."""

from __future__ import annotations

from lsp.conftest import Attach, call
from lsp.test_sessions import PANEL, begun, prompt, text, updates

CHOICES = ["the first", "the second"]
ASK = call("ask_user", question="Which one?", choices=CHOICES)


async def test_the_panel_offers_the_choices(attach: Attach, script):
    client = await attach(
        capabilities={"experimental": PANEL}, **script(ASK, {"when": "the second", "text": "So be it."})
    )
    asked: list[dict] = []
    client.permit = lambda request: asked.append(request) or "1"  # type: ignore[func-returns-value]
    session = await begun(client)
    await prompt(client, session, "Choose")
    assert text(client) == "So be it."
    assert asked[0]["toolCall"]["title"] == "Which one?"
    assert [each["name"] for each in asked[0]["options"]] == CHOICES


async def test_the_panel_takes_words_of_the_users_own(attach: Attach, script):
    panel = {"attache": {"session": {"requestPermission": True, "answerInWords": True}}}
    turns = (
        ASK,
        {**call("ask_user", question="And how?"), "when": "neither"},
        {"when": "by hand", "text": "So be it."},
    )
    client = await attach(capabilities={"experimental": panel}, **script(*turns))
    words = {"Which one?": "neither of them", "And how?": "by hand"}
    client.permit = lambda request: {
        "outcome": {"outcome": "cancelled"},
        "_meta": {"attache": {"answer": words[request["toolCall"]["title"]]}},
    }
    session = await begun(client)
    await prompt(client, session, "Choose")
    assert text(client) == "So be it."


async def test_what_has_no_choices_is_not_put_to_a_client_that_takes_no_words(attach: Attach, script):
    turns = (call("ask_user", question="And how?"), {"when": "can only offer choices", "text": "I ask you here."})
    client = await attach(capabilities={"experimental": PANEL}, **script(*turns))
    session = await begun(client)
    await prompt(client, session, "Choose")
    assert text(client) == "I ask you here."


async def test_buttons_offer_the_choices(attach: Attach, script):
    client = await attach("helix", **script(ASK, {"when": "the first", "text": "So be it."}))
    client.choose = lambda request: request["actions"][0]
    session = await begun(client)
    await prompt(client, session, "Choose")
    (question,) = client.said("window/showMessageRequest")
    assert question["message"] == "Which one?"
    assert text(client) == "So be it."


async def test_a_question_that_is_waved_away_is_told_as_such(attach: Attach, script):
    client = await attach("helix", **script(ASK, {"when": "did not answer", "text": "I took the first."}))
    session = await begun(client)
    await prompt(client, session, "Choose")
    assert text(client) == "I took the first."


async def test_the_plan_is_told_as_a_plan(attach: Attach, script):
    steps = [{"text": "Look", "state": "in_progress"}, {"text": "Mend"}]
    client = await attach(**script(call("plan", steps=steps), {"text": "Begun."}))
    session = await begun(client)
    await prompt(client, session, "Plan it")
    (plan,) = updates(client, "plan")
    assert [(each["content"], each["status"]) for each in plan["entries"]] == [
        ("Look", "in_progress"),
        ("Mend", "pending"),
    ]
