"""What is offered beside the first fix, under each profile: other ways, rules for any server's finding, refactorings."""

from __future__ import annotations

import asyncio

from lsp.client import Client
from lsp.conftest import Attach, edit

TEXT = "def total(cart):\n    price = cart.sum\n    tax = price * 2\n    return price + tax\n"
FINDING = {
    "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 9}},
    "message": "no overload matches",
    "severity": 1,
    "source": "Pyright",
}


async def listed(client: Client, path: str, line: int, findings: list[dict], title: str) -> dict[str, dict]:
    """The actions by title, once one of them is there: which model there is shows a moment after the start."""
    async with asyncio.timeout(20):
        while title not in (found := {a["title"]: a for a in await client.actions(path, line, findings)}):
            await asyncio.sleep(0.1)
    return found


async def selected(client: Client, path: str, first: int, last: int, **context: object) -> dict[str, dict]:
    uri = client.uri(path)
    ends = (client.position(uri, (first, 0)), client.position(uri, (last, 0)))
    span = dict(zip(("start", "end"), ends, strict=True))
    params = {"textDocument": {"uri": uri}, "range": span, "context": {"diagnostics": [], **context}}
    return {each["title"]: each for each in await client.request("textDocument/codeAction", params)}


FIXED = {**edit("fix.py", "cart.sum", "sum(cart)"), "when": "Mend the cause"}


async def another_way_is_another_action_and_asks_for_another_way(client: Client):
    await client.open("fix.py", TEXT)
    title = "Attaché: fix, another way: at its cause"
    found = await listed(client, "fix.py", 1, [FINDING], title)
    fixes = [each for each in found if "fix" in each]
    assert fixes == ['Attaché: fix "no overload matches"', title, "Attaché: fix, another way: by other means"]
    assert 'Attaché: explain "no overload matches"' in found
    await client.pick(found[title])
    await client.until(lambda: client.text("fix.py") == TEXT.replace("cart.sum", "sum(cart)"))


async def a_rule_cures_what_another_server_found_in_any_language_at_once(client: Client):
    await client.open("a.ts", "const total = 1;\ntotla;\n", language="typescript")
    finding = {
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 5}},
        "message": "Cannot find name 'totla'. Did you mean 'total'?",
        "severity": 1,
        "code": 2552,
        "source": "ts",
    }
    actions = await client.actions("a.ts", 1, [finding])
    (cure,) = [each for each in actions if each["title"].endswith("(rule)") and "fix" in each["title"]]
    assert cure["isPreferred"]
    assert cure["diagnostics"] == [finding]
    await client.pick(cure)
    await client.until(lambda: client.text("a.ts") == "const total = 1;\ntotal;\n")
    assert not [each for each in actions if "another way" in each["title"]]


async def lines_are_extracted_and_imports_organised_by_rule(client: Client):
    await client.open("a.py", f"import sys\nimport os\n\nprint(sys, os)\n\n\n{TEXT}")
    await client.pick((await selected(client, "a.py", 7, 9))["Attaché: extract function (rule)"])
    await client.until(lambda: "def extracted(cart):\n" in client.text("a.py"))
    await client.undo("a.py")
    await client.pick((await selected(client, "a.py", 0, 0))["Attaché: organise imports (rule)"])
    await client.until(lambda: client.text("a.py").startswith("import os\nimport sys\n"))


async def test_what_concerns_the_server_is_offered_to_those_who_ask_for_it(attach: Attach):
    client = await attach("neovim")
    await client.open("a.py", TEXT)
    assert "Attaché: open a chat" not in await selected(client, "a.py", 0, 0)
    found = await selected(client, "a.py", 0, 0, only=["source"])
    assert "Attaché: open a chat" in found
    await client.pick(found["Attaché: plan mode from now on"])
    await client.until(lambda: [m for m in client.said("window/showMessage") if m["message"] == "Attaché: mode: plan"])


ANSWER = "- `2`: `sum` is not called. The price is a method.\n4: fine words. They say little.\nThat is all."
REVIEWED = {"text": ANSWER, "when": "Review `read.py`"}


async def what_a_model_says_in_a_review_stands_on_its_lines_and_follows_them(client: Client):
    await client.open("read.py", TEXT)
    await client.run("attache.review", {"uri": client.uri("read.py")})

    def found() -> list[tuple[int, str]]:
        pinned = client.diagnostics.get(client.uri("read.py"), [])
        return [(each["range"]["start"]["line"], each["message"]) for each in pinned if each["code"] == "review"]

    said = [(1, "`sum` is not called. The price is a method."), (3, "fine words. They say little.")]
    await client.until(lambda: found() == said)
    await client.type("read.py", (0, 0), (0, 0), "# mine\n")
    await client.until(lambda: found() == [(line + 1, message) for line, message in said])
    await client.type("read.py", (2, 12), (2, 20), "sum(cart)")
    await client.until(lambda: found() == [(4, said[1][1])])
