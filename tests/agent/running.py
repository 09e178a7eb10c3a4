"""Run by test_kill: an agent that edits several files a step for as long as it lives, saying what was acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.edits import EditFile
from attache.schema.events import Entry
from attache.schema.messages import Text
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.workspace.edits import diff

FILES = 5


@tool(effect="workspace")
async def stamp(ctx: Context) -> ToolOutput:
    """Write the same new number into every file, as one change set."""
    changes = []
    for number in range(FILES):
        before = await ctx.workspace.read(f"f{number}.txt")
        stamped = int(before.text.split()[0]) + 1
        after = f"{stamped}\n" + "x" * 2000 + "\n"
        changes.append(EditFile(uri=before.uri, base_hash=before.hash, edits=diff(before.text, after)))
    landed = await ctx.land("stamp", changes)
    return ToolOutput(text=landed.files[0].after.split()[0], change_set=landed.change_set.id)


async def main(folder: Path, home: Path, script: Path) -> None:
    environ = {"ATTACHE_HOME": str(home), "HOME": str(home)}
    overrides = {"model": f"scripted/{script}", "approve": "all", "max_tool_iterations": 100_000}
    async with Orchestrator(load(folder, overrides=overrides, environ=environ), cwd=folder) as agent:
        agent.resources.tools.add(stamp)
        session = await agent.new_session()

        def acknowledged(entry: Entry) -> None:
            if entry.event.durable:
                sys.stdout.write(f"{session.id} {entry.seq} {entry.event.type}\n")
                sys.stdout.flush()

        session.subscribe(acknowledged)
        while True:
            await session.run((Text(text="go on"),))


if __name__ == "__main__":
    asyncio.run(main(*map(Path, sys.argv[1:4])))
