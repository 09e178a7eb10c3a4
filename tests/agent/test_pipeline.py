"""The one way of a tool call: what is charged, what is remembered, what is cut, and who may stand around it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.agent.pipeline import OUTPUT_CHARS
from attache.agent.run import Next, Run
from attache.agent.select import ALWAYS, by_words, select
from attache.schema.errors import ToolError
from attache.schema.messages import ToolCall
from attache.schema.session import Approval, ApprovalAnswer
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, Tools, tool

from .conftest import Person, Start
from .test_session import call, results


def several(*calls: tuple[str, Mapping[str, object]]) -> dict[str, object]:
    return {"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in calls]}


async def test_an_unchanged_file_is_not_read_twice_and_a_changed_one_is(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    edit = {"path": "a.py", "edits": [{"search": "x = 1", "replace": "x = 2"}]}
    turns = [
        call("read", path="a.py"),
        call("read_file", path="a.py"),
        call("read", path="a.py"),
        call("edit", **edit),
        call("read", path="a.py"),
        {"text": "done"},
    ]
    async with start(turns) as agent:
        session = await agent.session()
        await agent.chat("look at it")
        first, alias, again, _, after = (result.text for result in results(session))
    assert "unchanged" not in first
    assert "unchanged" not in alias, "another name is another call"
    mark, _, rest = again.partition("\n")
    assert mark.startswith("[unchanged since your call ")
    assert rest == first
    assert "x = 2" in after
    assert "unchanged" not in after


async def test_an_answer_is_forgotten_when_anyone_changes_what_it_read(start: Start, folder: Path) -> None:
    path = folder / "a.py"
    path.write_text("x = 1\n")
    async with start([call("read", path="a.py"), {"text": "one"}, call("read", path="a.py"), {"text": "two"}]) as agent:
        session = await agent.session()
        await agent.chat("look")
        path.write_text("x = 3\n")
        await agent.chat("look again")
        texts = [result.text for result in results(session)]
    assert "x = 3" in texts[1]
    assert "unchanged" not in texts[1]


async def test_a_run_makes_no_more_calls_of_a_cost_than_it_may(start: Start) -> None:
    ran: list[int] = []

    @tool(cost="HIGH")
    async def dear(_ctx: Context, number: Annotated[int, Field(description="Any.")]) -> ToolOutput:
        """Cost a lot."""
        ran.append(number)
        return ToolOutput(text="ran")

    turns = [call("dear", number=number) for number in range(4)] + [
        {"text": "done"},
        call("dear", number=9),
        {"text": "over"},
    ]
    async with start(turns, max_tool_calls={"HIGH": 2}) as agent:
        agent.resources.tools.add(dear)
        session = await agent.session()
        await agent.chat("spend")
        told = results(session)
        assert [result.is_error for result in told] == [False, False, True, True]
        assert "dear is of cost HIGH, of which this run may make 2 calls" in told[2].text
        await agent.chat("and once more")
    assert ran == [0, 1, 9], "a new run has its own budget"


async def test_what_is_cut_can_be_read_on(start: Start) -> None:
    lines = [f"line {number} " + "x" * 90 for number in range(1, 1_001)]

    @tool
    async def wordy(_ctx: Context) -> ToolOutput:
        """Say much."""
        return ToolOutput(text="\n".join(lines))

    async with start([call("wordy"), {"text": "done"}]) as agent:
        agent.resources.tools.add(wordy)
        session = await agent.session()
        await agent.chat("say it")
        (result,) = results(session)
        assert len(result.text) < OUTPUT_CHARS + 200
        assert "line 1 " in result.text
        assert "line 1000 " in result.text
        found = re.search(r'read_output\(output="([0-9a-f]+)", start_line=(\d+)\)', result.text)
        assert found is not None
        rest = await agent.execute_tool("read_output", output=found[1], start_line=int(found[2]))
        assert rest.text.splitlines()[1].startswith(f"{int(found[2]) + 1}\tline {int(found[2]) + 1} ")
        one = await agent.execute_tool("read_output", output=found[1], containing="line 555 ")
        assert one.text.startswith("555\tline 555 ")
        wrong = await agent.execute_tool("read_output", output="0" * 16)
        assert wrong.is_error
        kept = agent.resources.settings.home / "outputs" / found[1]
        if os.name == "posix":
            assert kept.stat().st_mode & 0o077 == 0


async def test_a_tool_may_take_its_own_time(start: Start) -> None:
    @tool(timeout_seconds=0.05)
    async def slow(_ctx: Context) -> ToolOutput:
        """Never end."""
        await asyncio.sleep(60)
        return ToolOutput(text="never")

    async with start([call("slow"), {"text": "done"}]) as agent:
        agent.resources.tools.add(slow)
        session = await agent.session()
        await agent.chat("go")
        (result,) = results(session)
    assert result.text.startswith("slow did not finish in 0.05 s")


async def test_steps_of_others_stand_around_a_call(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    seen: list[str] = []

    async def outer(_run: Run, made: ToolCall, proceed: Next) -> ToolOutput:
        seen.append(f"before {made.name}")
        output = await proceed()
        seen.append(f"after {made.name}")
        return output.model_copy(update={"text": output.text.replace("x", "y")})

    async def inner(_run: Run, made: ToolCall, proceed: Next) -> ToolOutput:
        if made.name == "list":
            raise ToolError("not here")
        return await proceed()

    async with start([several(("read", {"path": "a.py"}), ("list", {})), {"text": "done"}]) as agent:
        agent.resources = agent.resources.with_middleware(outer, inner)
        session = await agent.session()
        await agent.chat("look")
        read, listed = results(session)
    assert "y = 1" in read.text
    assert listed.is_error
    assert listed.text == "not here"
    assert sorted(seen) == ["after read", "before list", "before read"]


async def test_a_tool_that_is_edited_is_the_new_one_in_the_next_run(start: Start, folder: Path) -> None:
    tools = folder / ".attache" / "tools"
    tools.mkdir(parents=True)
    source = (
        "from attache.tools.tool import Context, tool\nfrom attache.schema.tools import ToolOutput\n\n\n"
        '@tool\nasync def hail(ctx: Context) -> ToolOutput:\n    """Hail."""\n    return ToolOutput(text="one")\n'
    )
    (tools / "hail.py").write_text(source)
    turns = [call("hail"), {"text": "a"}, call("hail"), {"text": "b"}, call("hail"), {"text": "c"}]
    async with start(turns, trusted=True) as agent:
        session = await agent.session()
        await agent.chat("hail")
        (tools / "hail.py").write_text(source.replace('"one"', '"two, and more"'))
        await agent.chat("hail")
        (tools / "hail.py").write_text(source.replace("ctx: Context", ""))
        await agent.chat("hail")
        texts = [result.text for result in results(session)]
        (problem,) = agent.resources.tools.problems
    assert texts[:2] == ["one", "two, and more"]
    assert texts[2].startswith("no tool is called `hail`")
    assert problem.place.path.endswith("hail.py")
    assert "must take `ctx: Context` first" in problem.message


async def test_a_tool_that_was_not_offered_is_found_and_offered(start: Start) -> None:
    @tool(category="weather", cost="LOW")
    async def forecast(_ctx: Context) -> ToolOutput:
        """Tell tomorrow's weather."""
        return ToolOutput(text="rain")

    offers: list[set[str]] = []

    async def watch(run: Run, _made: ToolCall, proceed: Next) -> ToolOutput:
        offers.append({spec.name for spec in run.offered.specs()})
        return await proceed()

    turns = [call("find_tool", query="weather tomorrow"), call("forecast"), {"text": "done"}]
    async with start(turns, max_tools=8) as agent:
        agent.resources.tools.add(forecast)
        agent.resources = agent.resources.with_middleware(watch)
        session = await agent.session()
        await agent.chat("write a poem")
        found, rain = results(session)
    assert found.text.startswith("forecast (weather): Tell tomorrow's weather.")
    assert rain.text == "rain"
    before, after = offers
    assert len(before) == 8
    assert after == before | {"forecast"}


def test_the_offer_is_short_holds_what_is_always_needed_and_what_was_asked_for() -> None:
    tools = Tools.discover()
    names = {each.spec.name for each in tools}
    assert set(ALWAYS) <= names
    for request, wanted in (
        ("show me who changed this line, and when", "git_blame"),
        ("commit what I changed", "git_commit"),
        ("put my changes on the stash", "git_stash"),
    ):
        offered = [spec.name for spec in select(tools, by_words(tools, request), 16).specs()]
        assert len(offered) == 16
        assert wanted in offered, request
        assert set(ALWAYS) <= set(offered)
    assert {each.spec.effect for each in select(tools.allowed("explore"), by_words(tools, "edit"), 8)} == {"none"}


def test_of_equals_the_cheaper_comes_first() -> None:
    def named(name: str, cost: str) -> object:
        async def body(_ctx: Context) -> ToolOutput:
            """Weigh the moon."""
            return ToolOutput(text="")

        return tool(name=name, cost=cost, category="moon")(body)

    first, second = by_words([named("a", "HIGH"), named("b", "LOW")], "weigh the moon")
    assert (first.spec.name, second.spec.name) == ("b", "a")
    assert by_words([first], "nothing of it") == ()


async def test_side_by_side_reads_are_remembered_apart(start: Start, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.txt").write_text(name)
    reads = [("read", {"path": f"{name}.txt"}) for name in "abc"]
    async with start([several(*reads), several(*reads), {"text": "done"}]) as agent:
        session = await agent.session()
        await agent.chat("look")
        texts = [result.text for result in results(session)]
    assert all("unchanged" not in text for text in texts[:3])
    assert all("unchanged" in text for text in texts[3:])


async def test_the_clock_of_a_call_stands_still_while_a_person_thinks(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")

    class Slow(Person):
        async def ask(self, approval: Approval) -> ApprovalAnswer:
            await asyncio.sleep(0.6)
            return await super().ask(approval)

    edit = call("edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = 2"}])
    async with start(
        [edit, {"text": "done"}], person=Slow("allow_once"), approve="ask", tool_timeout_seconds=0.5
    ) as agent:
        session = await agent.session()
        await agent.chat("change it")
        (result,) = results(session)
    assert not result.is_error, result.text
    assert (folder / "a.py").read_text() == "x = 2\n"
