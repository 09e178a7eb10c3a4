"""One client of the server beside this file, measured in a process of its own: `wire_client.py NAME URL COUNT`.

Prints the CPU, all threads together, in milliseconds a word or a turn.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

KEY = "sk-canary-0123456789abcdef"
Work = Callable[[], Awaitable[None]]


async def measured(work: Work, count: int, rounds: int) -> float:
    await work()  # what is done once counts for nothing
    began = time.process_time()
    for _ in range(rounds):
        await work()
    return 1000 * (time.process_time() - began) / count / rounds


def _settings(url: str, model: str, home: Path) -> Any:
    from attache.foundation.settings import load

    environ = {"HOME": str(home), "ATTACHE_HOME": str(home / "state"), "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url}
    overrides = {"model": f"openai/{model}", "approve": "all", "max_tool_iterations": 10_000}
    return load(home, environ=environ, overrides=overrides)


async def ours_words(url: str, count: int, home: Path) -> float:
    from attache.providers.catalog import Catalog
    from attache.schema.messages import user
    from attache.schema.models import Request

    catalog = Catalog(_settings(url, f"words-{count}", home))
    model = catalog.open(f"openai/words-{count}")
    heard: list[Any] = []

    async def work() -> None:
        answer = await model.answer(Request(model=f"words-{count}", messages=(user("talk"),)), heard.append)
        assert len(answer.message.text.split()) == count

    try:
        return await measured(work, count, 3)
    finally:
        await catalog.close()


async def openai_words(url: str, count: int, _home: Path) -> float:
    import openai

    client = openai.AsyncOpenAI(base_url=url, api_key=KEY)

    async def work() -> None:
        words: list[str] = []
        stream = await client.chat.completions.create(
            model=f"words-{count}",
            messages=[{"role": "user", "content": "talk"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            said = chunk.choices[0].delta.content if chunk.choices else None
            words.append(said or "")
        assert len("".join(words).split()) == count

    return await measured(work, count, 3)


async def ours_turns(url: str, count: int, home: Path) -> float:
    from typing import Annotated

    from pydantic import Field

    from attache.agent.orchestrator import Orchestrator
    from attache.schema.messages import Text
    from attache.schema.tools import ToolOutput
    from attache.tools.tool import Context, tool

    async def bench_note(ctx: Context, word: Annotated[str, Field(description="The word.")]) -> ToolOutput:
        """Note a word."""
        return ToolOutput(text=f"noted {word}")

    bench_note.__annotations__ = {
        "ctx": Context,
        "word": Annotated[str, Field(description="The word.")],
        "return": ToolOutput,
    }
    noting = tool(category="planning")(bench_note)
    async with Orchestrator(_settings(url, f"turns-{count}", home), cwd=home) as agent:
        agent.resources.tools.add(noting)

        async def work() -> None:
            session = await agent.new_session()
            finished = await session.run((Text(text="note words, please"),))
            assert (finished.stop_reason, finished.tool_calls) == ("end_turn", count), finished

        return await measured(work, count + 1, 2)


async def pydantic_ai_turns(url: str, count: int, _home: Path) -> float:
    from pydantic_ai import Agent, UsageLimits
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(OpenAIChatModel(f"turns-{count}", provider=OpenAIProvider(base_url=url, api_key=KEY)))

    @agent.tool_plain
    async def bench_note(word: str) -> str:
        """Note a word."""
        return f"noted {word}"

    async def work() -> None:
        async with agent.iter("note words, please", usage_limits=UsageLimits(request_limit=None)) as run:
            async for node in run:
                if Agent.is_model_request_node(node):
                    async with node.stream(run.ctx) as stream:
                        async for _ in stream:
                            pass

    return await measured(work, count + 1, 2)


async def langgraph_turns(url: str, count: int, _home: Path) -> float:
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.prebuilt import create_react_agent

    @tool
    async def bench_note(word: str) -> str:
        """Note a word."""
        return f"noted {word}"

    model = ChatOpenAI(model=f"turns-{count}", base_url=url, api_key=KEY, streaming=True)
    agent = create_react_agent(model, [bench_note])

    async def work() -> None:
        asked = {"messages": [{"role": "user", "content": "note words, please"}]}
        async for _ in agent.astream(asked, {"recursion_limit": 4 * count + 10}, stream_mode="messages"):
            pass

    return await measured(work, count + 1, 2)


CLIENTS = {each.__name__: each for each in (ours_words, openai_words, ours_turns, pydantic_ai_turns, langgraph_turns)}


def main() -> None:
    name, url, count = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cost = asyncio.run(CLIENTS[name](url, int(count), Path(folder)))
    sys.stdout.write(f"{cost}\n")
    sys.stdout.flush()
    os._exit(0)  # what a peer leaves running is not waited for


if __name__ == "__main__":
    main()
