"""A session from prompt to finish: what it says, what it logs, what it survives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from attache.agent.run import Next
from attache.schema import events
from attache.schema.errors import AttacheError, Interrupted, UserError
from attache.schema.messages import Text, ToolResult
from attache.schema.tools import ToolOutput

from .conftest import Person, Start


def call(name: str, **arguments: object) -> dict[str, object]:
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def results(session: object) -> list[ToolResult]:
    return [part for message in session.state.messages for part in message.parts if isinstance(part, ToolResult)]


async def test_a_question_is_answered_from_what_the_tools_say(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    async with start([call("read", path="a.py"), {"when": "x = 1", "text": "It is one."}]) as agent:
        reply = await agent.chat("what is x?")
        assert reply.content == "It is one."
        assert reply.stop_reason == "end_turn"
        assert [str(place) for place in reply.places] == ["a.py:1"]
        assert reply.usage.input_tokens > 0


async def test_every_durable_event_is_in_the_log_before_it_is_told(start: Start) -> None:
    async with start([call("list"), {"text": "done"}]) as agent:
        session = await agent.session()
        told: list[events.Entry] = []
        session.subscribe(told.append)
        await agent.chat("look around")
        logged = await agent.resources.log.read(session.id)
    durable = [entry for entry in told if entry.event.durable]
    assert [entry.seq for entry in logged] == list(range(1, len(logged) + 1))
    assert durable == list(logged[1:])
    kinds = [entry.event.type for entry in logged]
    assert kinds[:3] == ["session.created", "run.started", "turn.started"]
    assert kinds[-1] == "run.finished"
    assert kinds.index("tool.started") < kinds.index("tool.finished")
    assert "stage.changed" in kinds


async def test_streamed_text_is_the_answer_and_comes_in_frames(start: Start) -> None:
    words = "one two three four five six seven eight nine ten " * 20
    async with start([{"text": words}]) as agent:
        entries = [entry async for entry in agent.stream_chat("count")]
    pieces = [entry.event.text for entry in entries if isinstance(entry.event, events.TextStreamed)]
    assert "".join(pieces) == words
    assert len(pieces) < len(words.split())
    assert isinstance(entries[-1].event, events.RunFinished)


async def test_reads_run_side_by_side_and_results_stand_in_the_order_asked(start: Start, folder: Path) -> None:
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"text of {name}\n")
    calls = [{"name": "read", "arguments": {"path": f"{name}.txt"}} for name in "abc"]
    async with start([{"tool_calls": calls}, {"text": "read"}]) as agent:
        await agent.chat("read all")
        session = await agent.session()
    assert [f"text of {name}" in result.text for name, result in zip("abc", results(session), strict=True)] == [
        True
    ] * 3


async def test_a_tool_that_fails_is_told_to_the_model_and_the_run_goes_on(start: Start) -> None:
    turns = [call("read", path="nowhere.py"), call("no_such_tool"), call("read", line=3), {"text": "I could not."}]
    async with start(turns) as agent:
        reply = await agent.chat("read it")
        session = await agent.session()
    assert reply.content == "I could not."
    said = [result.text for result in results(session)]
    assert all(result.is_error for result in results(session))
    assert "nowhere.py" in said[0]
    assert "no_such_tool" in said[1]
    assert "path" in said[2]


async def test_the_same_call_three_times_is_told_instead_of_obeyed(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    async with start([*[call("read", path="a.py")] * 3, {"text": "enough"}]) as agent:
        await agent.chat("loop")
        session = await agent.session()
    assert [result.is_error for result in results(session)] == [False, False, True]
    assert "same read call" in results(session)[2].text


async def test_limits_end_a_run_and_say_which(start: Start, folder: Path) -> None:
    turns = [call("list", path="", depth=number) for number in range(1, 9)]
    async with start(turns, max_tool_iterations=3) as agent:
        session = await agent.session()
        finished = await session.run((Text(text="go on for ever"),))
    assert (finished.stop_reason, finished.turns) == ("max_turns", 3)
    assert session.state.run_id is None


async def test_an_edit_lands_and_waits_for_review(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\ny = 2\n")
    turns = [call("edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = 10"}]), {"text": "done"}]
    async with start(turns) as agent:
        session = await agent.session()
        heard: list[events.ChangeLanded] = []
        session.subscribe(
            lambda entry: heard.append(entry.event) if isinstance(entry.event, events.ChangeLanded) else None
        )
        await agent.chat("make it ten")
        assert (folder / "a.py").read_text() == "x = 10\ny = 2\n"
        (hunk,) = agent.resources.review.pending()
        assert (hunk.path, hunk.before, hunk.after) == ("a.py", ("x = 1\n",), ("x = 10\n",))
        landed = heard[0].landed
        assert landed is not None
        logged = [entry.event for entry in await agent.resources.log.read(session.id)]
        kept = next(event for event in logged if isinstance(event, events.ChangeLanded))
        assert kept.landed is None
        assert kept.files[0].before_hash != kept.files[0].after_hash
        await agent.resources.workspace.undo(landed)
    assert (folder / "a.py").read_text() == "x = 1\ny = 2\n"


async def test_a_provider_that_fails_ends_the_run_once_and_the_session_lives(start: Start) -> None:
    turns = [{"error": "authentication", "text": "back again"}]
    async with start(turns) as agent:
        with pytest.raises(AttacheError):
            await agent.chat("hello")
        assert (await agent.chat("again")).content == "back again"


async def test_an_answer_that_is_cut_is_asked_for_again_without_doubled_text(start: Start) -> None:
    turns = [{"text": "the whole answer", "error": "cut_half_way"}]
    async with start(turns) as agent:
        entries = [entry async for entry in agent.stream_chat("go")]
    shown = ""
    for entry in entries:
        match entry.event:
            case events.TextStreamed(text=text):
                shown += text
            case events.StreamRestarted():
                shown = ""
            case _:
                pass
    assert shown == "the whole answer"


async def test_interrupting_stops_at_once_and_the_history_stays_whole(start: Start) -> None:
    slow = {"tool_calls": [{"name": "shell", "arguments": {"command": ["sleep", "30"]}}]}
    async with start([slow, {"text": "after"}], approve="all") as agent:
        session = await agent.session()
        began = asyncio.Event()
        session.subscribe(lambda entry: began.set() if isinstance(entry.event, events.ToolStarted) else None)
        running = asyncio.create_task(session.run((Text(text="sleep"),)))
        await asyncio.wait_for(began.wait(), 10)
        await asyncio.wait_for(session.interrupt(), 10)
        finished = await running
        assert finished.stop_reason == "interrupted"
        assert results(session)[-1].is_error
        assert (await agent.chat("and now?")).content == "after"


async def test_one_run_at_a_time_and_steering_is_heard(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    turns = [call("read", path="a.py"), {"when": "please hurry", "text": "hurrying"}]
    async with start(turns) as agent:
        session = await agent.session()
        session.subscribe(
            lambda entry: session.steer("please hurry") if isinstance(entry.event, events.ToolStarted) else None
        )
        running = asyncio.create_task(session.run((Text(text="go"),)))
        await asyncio.sleep(0)
        while not session.running:
            await asyncio.sleep(0.001)
        with pytest.raises(UserError, match="under way"):
            await session.run((Text(text="me too"),))
        await running
        assert session.state.messages[-1].text == "hurrying"


async def test_a_run_is_reserved_and_can_be_stopped_from_its_first_moment(start: Start) -> None:
    async with start([{"text": "one", "repeat": True}]) as agent:
        session = await agent.session()
        first = asyncio.create_task(session.run((Text(text="a"),)))
        second = asyncio.create_task(session.run((Text(text="b"),)))
        ended = await asyncio.gather(first, second, return_exceptions=True)
        assert sorted(type(each).__name__ for each in ended) == ["RunFinished", "UserError"]
        third = asyncio.create_task(session.run((Text(text="c"),)))
        await asyncio.sleep(0)
        await session.interrupt()
        (stopped,) = await asyncio.gather(third, return_exceptions=True)
        assert isinstance(stopped, Interrupted) or stopped.stop_reason == "interrupted"
        assert session.state.run_id is None
        assert (await agent.chat("still there?")).content == "one"


async def test_a_session_is_resumed_forked_rewound_and_deleted(start: Start) -> None:
    async with start([{"text": "one"}, {"text": "two"}]) as agent:
        await agent.chat("first")
        await agent.chat("second")
        session = await agent.session()
        mark = next(
            e.seq for e in await agent.resources.log.read(session.id) if isinstance(e.event, events.RunFinished)
        )
    async with start([], script="other.json") as agent:
        again = await agent.load_session(session.id)
        assert [message.text for message in again.state.messages] == ["first", "one", "second", "two"]
        fork = await agent.fork_session(session.id, seq=mark)
        assert [message.text for message in fork.state.messages] == ["first", "one"]
        await again.rewind(mark)
        assert [message.text for message in again.state.messages] == ["first", "one"]
        listed = {info.id: info for info in await agent.list_sessions()}
        assert listed[fork.id].parent == session.id
        assert listed[session.id].title == "first"
        await agent.delete_session(session.id)
        with pytest.raises(UserError, match="no session"):
            await agent.load_session(session.id)


async def test_a_run_that_a_kill_cut_is_finished_when_the_session_is_loaded(start: Start) -> None:
    async with start([{"text": "x"}]) as agent:
        session = await agent.new_session()
        await session.record(events.RunStarted(run_id="r_1", parts=(Text(text="go"),)))
    async with start([{"text": "here"}], script="other.json") as agent:
        again = await agent.load_session(session.id)
        assert again.state.run_id is None
        finished = await again.run((Text(text="still there?"),))
        assert finished.stop_reason == "end_turn"


async def test_secrets_reach_neither_the_log_nor_the_model(start: Start, folder: Path) -> None:
    secret = "ghp_" + "aB3dE5fG7h" * 4
    (folder / "conf.txt").write_text(f"token = {secret}\n")
    async with start([call("read", path="conf.txt"), {"text": "seen"}]) as agent:
        await agent.chat(f"my token is {secret}")
        session = await agent.session()
        logged = "".join(entry.model_dump_json() for entry in await agent.resources.log.read(session.id))
        held = "".join(message.model_dump_json() for message in session.state.messages)
    assert secret not in logged
    assert secret not in held
    assert "redacted" in held


async def test_hello_costs_little(start: Start) -> None:
    async with start([{"text": "hi"}]) as agent:
        reply = await agent.chat("hello")
        assert 0 < reply.usage.input_tokens <= 3_000


async def test_a_tool_runs_by_itself_through_the_pipeline(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    async with start([]) as agent:
        output = await agent.execute_tool("read", path="a.py")
        assert "x = 1" in output.text
        assert (await agent.execute_tool("read", path="b.py")).is_error


async def test_staged_edits_are_collected_and_nothing_changes(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    turns = [call("edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = 2"}]), {"text": "done"}]
    async with start(turns, approve="never", person=Person()) as agent:
        session = await agent.session()
        staged = agent.resources.workspace.staged()
        settings = agent.resources.settings.model_copy(update={"approve": "edits"})
        await session.run((Text(text="two"),), workspace=staged, settings=settings)
        assert (folder / "a.py").read_text() == "x = 1\n"
        assert len(staged.collected("two").files) == 1
        assert agent.resources.review.pending() == ()


async def test_plan_notes_and_memories_are_in_the_prompt(start: Start) -> None:
    turns = [
        {"tool_calls": [
            {"name": "plan", "arguments": {"steps": [{"text": "measure twice", "state": "in_progress"}]}},
            {"name": "note", "arguments": {"text": "the saw is blunt"}},
        ]},
        call("remember", text="cut outdoors"),
        {"text": "planned"},
        {"text": "done"},
    ]  # fmt: skip
    seen: list[str] = []

    async def watch(run: object, _made: object, proceed: Next) -> ToolOutput:
        seen.append(run.system)
        return await proceed()

    turns.insert(3, call("list"))
    async with start(turns, person=Person("allow_once"), approve="all") as agent:
        agent.resources = agent.resources.with_middleware(watch)
        await agent.chat("plan it")
        await agent.chat("go on")
    assert "measure twice" not in seen[0]
    for words in ("[in_progress] measure twice", "the saw is blunt", "cut outdoors"):
        assert words in seen[-1]
