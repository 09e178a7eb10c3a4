"""What a run hands down: the person who is asked, the plan in everybody's sight, memories, jobs, and other agents."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from attache.agent import acp
from attache.schema import events
from attache.schema.session import Question

from .conftest import Person, Start
from .test_session import call, results


class Talker(Person):
    """A person who also answers in words."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[Question] = []

    async def choose(self, question: Question) -> str:
        self.asked.append(question)
        return self.answers.pop(0)


async def test_the_plan_is_seen_by_all_and_survives(start: Start) -> None:
    steps = [{"text": "Look", "state": "in_progress"}, {"text": "Mend"}]
    turns = [call("plan", steps=steps), call("todo", step=1), call("todo", add="Tell"), {"text": "done"}]
    async with start(turns) as agent:
        session = await agent.session()
        told: list[events.Entry] = []
        session.subscribe(told.append)
        await agent.chat("mend it")
        last = results(session)[-1].text
        again = await agent.load_session(session.id)
        logged = await agent.resources.log.read(session.id)
    assert last == "1. [x] Look\n2. [ ] Mend\n3. [ ] Tell"
    assert [step.state for step in again.state.plan] == ["completed", "pending", "pending"]
    assert sum(isinstance(entry.event, events.PlanChanged) for entry in logged) == 3
    updates = [acp.update(entry) for entry in told if isinstance(entry.event, events.PlanChanged)]
    assert updates[0].model_dump(by_alias=True, exclude_none=True)["update"] == {
        "sessionUpdate": "plan",
        "entries": (
            {"content": "Look", "priority": "medium", "status": "in_progress"},
            {"content": "Mend", "priority": "medium", "status": "pending"},
        ),
    }


async def test_the_user_is_asked_in_words(start: Start) -> None:
    person = Talker("the second")
    turns = [
        call("ask_user", question="Which?", choices=["the first", "the second"]),
        {"when": "the second", "text": "So be it."},
    ]
    async with start(turns, person=person) as agent:
        reply = await agent.chat("choose")
    assert reply.content == "So be it."
    assert person.asked[0].choices == ("the first", "the second")


async def test_where_nobody_can_answer_the_model_is_told(start: Start) -> None:
    async with start([call("ask_user", question="Which?"), {"text": "I took the first."}]) as agent:
        session = await agent.session()
        await agent.chat("choose")
        result = results(session)[0]
    assert result.is_error
    assert "no person can be asked here" in result.text


async def test_notes_outlive_the_run(start: Start) -> None:
    turns = [call("note", text="the port is 8080"), {"text": "ok"}, call("note"), {"text": "ok"}]
    async with start(turns) as agent:
        session = await agent.session()
        await agent.chat("one")
        await agent.chat("two")
    assert results(session)[-1].text == "1. the port is 8080"


async def test_memories_last_beyond_the_session_and_hold_no_secret(start: Start) -> None:
    key = "sk-ant-api03-" + "Ab1" * 30
    async with start([], approve="all") as agent:
        kept = await agent.execute_tool("remember", text=f"Deploys go by make ship; the key was {key}", tags=["deploy"])
        await agent.execute_tool("remember", text="Tests need a database on port 5433")
        assert not kept.is_error, kept.text
    async with start([], approve="all") as agent:
        found = await agent.execute_tool("recall", query="how do we deploy?")
        listed = await agent.execute_tool("list_memories")
        assert [each["tags"] for each in found.data["memories"]] == [("deploy",)] or ["deploy"]
        assert "make ship" in found.text
        assert key not in found.text
        assert key not in (agent.resources.settings.home / "attache.sqlite").read_bytes().decode("latin-1")
        assert len(listed.data["memories"]) == 2
        gone = await agent.execute_tool("forget", memory=found.data["memories"][0]["id"])
        assert not gone.is_error
        again = await agent.execute_tool("forget", memory=found.data["memories"][0]["id"])
        assert again.is_error
        assert "nothing about" in (await agent.execute_tool("recall", query="deploy")).text


async def test_what_is_remembered_needs_leave(start: Start) -> None:
    person = Person("deny")
    async with start([call("remember", text="x is y"), {"text": "ok"}], person=person) as agent:
        await agent.chat("remember it")
        assert (await agent.execute_tool("list_memories")).data["memories"] == []
    assert person.shown[0].tool == "remember"


async def test_a_job_goes_on_in_the_background_and_ends_with_the_agent(start: Start) -> None:
    code = "import time\nfor n in range(1000): print('tick', n, flush=True); time.sleep(0.05)"
    async with start([], approve="all") as agent:
        begun = await agent.execute_tool("start_job", command=[sys.executable, "-c", code])
        pid = begun.data["pid"]
        assert "tick 0" in begun.text
        later = await agent.execute_tool("job_output", job=begun.data["job"], wait_seconds=10, until="tick 8")
        assert "tick 8" in later.text
        assert "tick 0\n" not in later.text
        assert "running" in (await agent.execute_tool("list_jobs")).text
        other = await agent.execute_tool("start_job", command="echo done; exit 3")
        assert other.is_error
        assert "exit 3" in other.text
        ended = await agent.execute_tool("kill_job", job=begun.data["job"])
        assert "ended by signal" in ended.text
        missing = await agent.execute_tool("job_output", job="j99")
        assert "there are: j1, j2" in missing.text
        assert not Path(f"/proc/{pid}").exists()
        outside = await agent.execute_tool("start_job", command=["ls"], cwd="..")
        assert "outside the workspace" in outside.text


async def test_a_host_is_asked_for_once_where_the_session_allows_it(start: Start) -> None:
    page = call("fetch", url="http://nowhere.invalid/a")
    other = call("fetch", url="http://nowhere.invalid/b")
    elsewhere = call("fetch", url="http://elsewhere.invalid/")
    person = Person("allow_session", "deny")
    async with start([page, other, elsewhere, {"text": "done"}], person=person, mode="plan") as agent:
        session = await agent.session()
        await agent.chat("look it up")
        first, second, third = results(session)
    assert [(each.tool, each.pattern) for each in person.shown] == [
        ("fetch", "fetch nowhere.invalid"), ("fetch", "fetch elsewhere.invalid"),
    ]  # fmt: skip
    assert ("address", "http://nowhere.invalid/a") in person.shown[0].detail
    assert "is not known" in first.text
    assert "is not known" in second.text
    assert "said no" in third.text


async def test_a_policy_of_never_reaches_nothing(start: Start) -> None:
    async with start([], approve="never") as agent:
        refused = await agent.execute_tool("fetch", url="http://nowhere.invalid/")
    assert refused.is_error
    assert "approve = never" in refused.text


# ---------------------------------------------------------------- other agents


async def test_an_errand_is_run_with_narrower_tools_and_a_log_of_its_own(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("x = 1\n")
    turns = [
        {"when": "begin", "tool_calls": [{"name": "investigate", "arguments": {"task": "find x"}}]},
        {"when": "find x", "tool_calls": [{"name": "read", "arguments": {"path": "a.py"}}]},
        {"when": "x = 1", "tool_calls": [{"name": "write", "arguments": {"path": "b.py", "content": "no"}}]},
        {"when": "no tool is called `write`", "text": "x is one"},
        {"when": "x is one", "text": "the agent says one"},
    ]
    async with start(turns, approve="all") as agent:
        session = await agent.session()
        reply = await agent.chat("begin")
        child = results(session)[0].text.split()[0]
        logged = await agent.resources.log.read(child)
    assert reply.content == "the agent says one"
    assert not (folder / "b.py").exists()
    created = logged[0].event
    assert isinstance(created, events.SessionCreated)
    assert (created.parent, created.mode) == (session.id, "explore")
    names = [entry.event.name for entry in logged if isinstance(entry.event, events.ToolFinished)]
    assert names == ["read", "write"]
    assert reply.usage.input_tokens > sum(len(part.text) for part in results(session)) // 100


async def test_an_agent_never_has_more_rights_than_its_sender(start: Start, folder: Path) -> None:
    errand = {"task": "write b", "tools": ["write", "read"]}
    turns = [
        {"when": "begin", "tool_calls": [{"name": "delegate", "arguments": errand}]},
        {"when": "write b", "tool_calls": [{"name": "shell", "arguments": {"command": ["touch", "c.py"]}}]},
        {"when": "no tool is called `shell`", "tool_calls": [{"name": "delegate", "arguments": errand}]},
        {"when": "no tool is called `delegate`", "tool_calls": [{"name": "write", "arguments": {"path": "b.py", "content": "b = 1\n"}}]},
        {"when": "b.py", "text": "written"},
        {"when": "written", "text": "all done"},
    ]  # fmt: skip
    person = Person("allow_once")
    async with start(turns, person=person, approve="ask") as agent:
        session = await agent.session()
        assert (await agent.chat("begin")).content == "all done"
        assert len(agent.resources.review.pending()) == 1
        await session.configure(mode="plan")
        refused = await agent.execute_tool("delegate", task="write b")
        assert refused.is_error
    assert (folder / "b.py").read_text() == "b = 1\n"
    assert not (folder / "c.py").exists()
    assert [each.tool for each in person.shown] == ["edit"]


async def test_an_agent_can_be_asked_again_by_who_sent_it(start: Start) -> None:
    turns = [
        {"when": "begin", "tool_calls": [{"name": "investigate", "arguments": {"task": "count"}}]},
        {"when": "count", "text": "three"},
        {"when": "three", "text": "three it is"},
        {"when": "and twice?", "text": "six"},
    ]
    async with start(turns) as agent:
        session = await agent.session()
        await agent.chat("begin")
        child = results(session)[0].text.split()[0]
        again = await agent.execute_tool("message", agent=child, text="and twice?")
        assert again.text.endswith("six")
        stranger = await agent.execute_tool("message", agent="s_none", text="hello")
        assert stranger.is_error
        assert "sent out no agent" in stranger.text


async def test_an_errand_ends_with_the_run_that_sent_it(start: Start) -> None:
    turns = [
        {"when": "begin", "tool_calls": [{"name": "investigate", "arguments": {"task": "sleep"}}]},
        {"when": "sleep", "text": "word " * 2_000, "delay_seconds": 0.05},
    ]
    async with start(turns) as agent:
        session = await agent.session()
        task = asyncio.create_task(agent.chat("begin"))
        while not any("investigate" in str(part) for message in session.state.messages for part in message.parts):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        await session.interrupt()
        reply = await task
    assert reply.stop_reason == "interrupted"
