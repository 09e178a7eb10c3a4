"""Plan files under each profile: a step runs by action, says how it went, and fails in sight."""

from __future__ import annotations

from attache.faces.lsp.chat import plan_text
from lsp.client import Client
from lsp.conftest import Attach, edit

PLAN = """# Faster

- [ ] Make `x` two
  In a.py alone.
- [x] Done before
- [ ] Do what cannot be done
1. [ ] Nothing more
"""


STEP = {**edit("step.py", "x = 1", "x = 2"), "when": "Do step 1 now"}
REFUSED = {"text": "", "error": "refused", "when": "Do step 3 now"}


async def steps_run_are_skipped_and_fail(client: Client):
    """Needs a model that says STEP, REFUSED and in the end DONE."""
    (client.folder / "step.py").write_text("x = 1\n")
    await client.open("p.plan.md", PLAN, language="markdown")

    async def pick(title: str, line: int) -> None:
        action = next(each for each in await client.actions("p.plan.md", line) if each["title"].startswith(title))
        await client.pick(action)

    await pick('Attaché: run step 1: "Make `x` two"', 3)
    await client.until(lambda: "- [x] Make `x` two\n" in client.text("p.plan.md"))
    assert "  In a.py alone.\n  > Done.\n- [x] Done" in client.text("p.plan.md")
    assert (client.folder / "step.py").read_text() == "x = 2\n"
    assert client.text("p.plan.md").startswith("---\nattache: s_")

    line = client.text("p.plan.md").split("\n").index("- [ ] Do what cannot be done")
    await pick("Attaché: run step 3", line)
    uri = client.uri("p.plan.md")
    (found,) = await client.until(lambda: [d for d in client.diagnostics.get(uri, []) if d["code"] == "plan-step"])
    assert found["message"].startswith("step 3 failed: ")
    assert client.text("p.plan.md").split("\n")[found["range"]["start"]["line"]] == "- [ ] Do what cannot be done"
    assert "▍" not in client.text("p.plan.md")
    assert "  > ✗ " in client.text("p.plan.md")

    line = client.text("p.plan.md").split("\n").index("1. [ ] Nothing more")
    await pick("Attaché: skip step 4", line)
    await client.until(lambda: "1. [-] Nothing more\n  > skipped" in client.text("p.plan.md"))
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert [each["command"]["title"] for each in lenses] == ["run again", "run again", "run", "skip", "run again"]


async def test_what_is_no_plan_is_refused(attach: Attach):
    client = await attach()
    await client.open("a.py", "x = 1\n")
    await client.actions("a.py", 0)
    await client.run("attache.runStep")
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "a.py is no open plan" in message["message"]


def test_steps_are_read_and_marked():
    found = list(plan_text.steps(PLAN))
    assert [(step.number, step.title, step.done) for step in found] == [
        (1, "Make `x` two", False), (2, "Done before", True), (3, "Do what cannot be done", False),
        (4, "Nothing more", False),
    ]  # fmt: skip
    assert found[0].asked == "Make `x` two\nIn a.py alone."
    once = plan_text.marked(PLAN, found[0], "x", "said\nmore")
    assert "- [x] Make `x` two\n  In a.py alone.\n  > said\n  > more\n- [x] Done before" in once
    again = next(plan_text.steps(once))
    assert plan_text.marked(once, again, " ", "") == PLAN
    assert plan_text.same(f"\n\n{PLAN}", found[2]) == found[2]._replace(line=7, end=8)
