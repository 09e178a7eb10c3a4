"""Faults × rows: each cell is a real session whose provider fails in one way, and what became of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.agent.open import open_resources
from attache.agent.orchestrator import Orchestrator
from attache.agent.resources import Resources
from attache.foundation.settings import Settings, load
from attache.providers.catalog import Catalog
from attache.providers.row import built_in
from attache.schema.events import Event, MessageAdded, RunFinished, StreamRestarted, TextStreamed
from attache.schema.messages import Text, ToolResult
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from wire.faults.server import Server
from wire.faults.table import ATTEMPTS, CLOCKS, LIMIT_SECONDS, Fault, faults, well

ROWS = {row.name: row for row in built_in() if row.wire not in {"offline", "scripted"}}
KEY = "canary-key-0123456789"
SIDE_BY_SIDE = 6
NO_REASON = "no reason to stop"
LONG_TALK = "What was said before. " * 50
_marked: dict[str, list[str]] = {}


@tool(effect="none")
async def mark(ctx: Context, word: Annotated[str, Field(description="The word to note.")]) -> ToolOutput:
    """Note a word."""
    _marked.setdefault(str(ctx.settings.providers["row"].headers["x-cell"]), []).append(word)
    return ToolOutput(text=f"marked {word}")


@dataclass
class Cell:
    """What became of one fault on one row."""

    row: str
    fault: Fault
    wrong: list[str] = field(default_factory=list)
    posts: int = 0
    seconds: float = 0.0
    ended: str = ""

    def check(self, *, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Resources]:
    """Yield what the cells share."""
    settings = load(folder, environ={"HOME": str(folder), "ATTACHE_HOME": str(folder / "home")})
    async with open_resources(settings, folder) as resources:
        resources.tools.add(mark)
        yield resources


async def row_of_cells(row: str, shared: Resources, chosen: Sequence[Fault] = ()) -> list[Cell]:
    """Return the cells of one row, several at a time."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int, fault: Fault) -> Cell:
        async with gate:
            return await cell(row, fault, shared, f"{row}-{number}")

    return await asyncio.gather(*(one(number, fault) for number, fault in enumerate(chosen or faults())))


async def cell(row: str, fault: Fault, shared: Resources, name: str) -> Cell:
    """Play one fault on one row in a session of its own."""
    wire = ROWS[row].wire
    done = Cell(row, fault)
    _marked[name] = []
    async with Server(partial(well, wire)) as server, Server(partial(well, wire)) as other:
        first = tuple(
            replace(line, headers={key: value.replace("{other}", other.url) for key, value in line.headers.items()})
            for line in fault.first(wire)
        )
        url = fault.place.replace("{port}", str(server.port)) or server.url
        settings = _settings(row, url, other.url, name, shared.settings.home)
        catalog = Catalog(settings)
        try:
            await catalog.warm(f"{row}/m")
            resources = replace(shared, settings=settings, catalog=catalog)
            async with Orchestrator(resources=resources, cwd=shared.workspace.roots[0].path) as agent:
                await _talk(agent, row, done, server, replace(fault, first=lambda _: first))
            done.check(holds=fault.number != 32 or not other.heads, otherwise="the other host was asked")
        finally:
            await catalog.close()
    done.check(holds=tuple(_marked.pop(name)) == fault.marked, otherwise="the tool ran otherwise than asked")
    return done


async def _talk(agent: Orchestrator, row: str, done: Cell, server: Server, fault: Fault) -> None:
    session = await agent.new_session(model=f"{row}/m")
    heard: list[Event] = []
    if fault.past:
        for words in (f"other question: {LONG_TALK}", f"other question, and: {LONG_TALK}"):
            await session.run((Text(text=words),))
        server.bodies.clear()
    server.first, server.forever = fault.first(""), fault.forever
    session.subscribe(lambda entry: heard.append(entry.event))
    before, played = session.state.usage.input_tokens, server.played_well
    began = time.monotonic()
    finished = await asyncio.wait_for(session.run((Text(text="first question"),)), LIMIT_SECONDS)
    done.seconds, done.posts = time.monotonic() - began, len(server.bodies)
    done.ended = finished.error or finished.stop_reason
    _judge_end(done, fault, finished)
    _judge_words(done, fault, heard, ROWS[row].wire)
    _judge_calls(done, fault, server)
    ended = server.played_well - played
    if fault.complete and not (fault.name == NO_REASON and done.posts > 2):
        ended += done.posts if fault.forever else len(server.first)
    billed = (100 * ended) if fault.billed is None else fault.billed
    counted = session.state.usage.input_tokens - before
    done.check(
        holds=counted == billed == finished.usage.input_tokens, otherwise=f"{counted} tokens counted, not {billed}"
    )
    server.first = ()
    if fault.place:
        await session.configure(model="good/m")
    again = await asyncio.wait_for(session.run((Text(text="other question"),)), LIMIT_SECONDS)
    alive = session.state.messages[-1].text
    done.check(holds=(again.error, alive) == ("", "Alive."), otherwise=f"not usable after: {again.error or alive}")
    results = [part.call_id for said in session.state.messages for part in said.parts if isinstance(part, ToolResult)]
    done.check(holds=len(results) == len(set(results)), otherwise="two results for one call")


def _judge_end(done: Cell, fault: Fault, finished: RunFinished) -> None:
    if fault.ends == "answered":
        done.check(holds=not finished.error, otherwise=f"ended with: {finished.error}")
        return
    fits = finished.stop_reason == "error" and re.search(fault.ends, finished.error) is not None
    done.check(holds=fits, otherwise=f"no such error: {finished.error or finished.stop_reason}")
    done.check(holds=bool(finished.hint) or fault.number in {1, 7}, otherwise="the error does not say what to do")
    done.check(holds=KEY not in finished.error + finished.hint, otherwise="the key is shown")


def _judge_words(done: Cell, fault: Fault, heard: list[Event], wire: str) -> None:
    """Hold what was painted against what was said: nothing twice, nothing that was taken back."""
    painted, texts = "", []
    for event in heard:
        match event:
            case TextStreamed():
                painted += event.text
            case StreamRestarted():
                painted = ""
            case MessageAdded(message=message) if message.role == "assistant":
                done.check(holds=painted in {"", message.text}, otherwise=f"painted {painted[:40]!r}")
                texts += [message.text] if message.text else []
                painted = ""
            case _:
                pass
    done.check(holds=not painted, otherwise=f"left standing: {painted[:40]!r}")
    # Each message of Amazon's stream has a checksum: what is damaged there is no text, so it is sent as it was.
    wanted = tuple(text.replace("\ufffd", ".") for text in fault.texts) if wire == "bedrock_converse" else fault.texts
    done.check(holds=tuple(texts) == wanted, otherwise=f"said {[text[:20] for text in texts]}")


def _judge_calls(done: Cell, fault: Fault, server: Server) -> None:
    allowed = {fault.posts}
    if fault.name == NO_REASON:
        allowed = {2, 3}  # where that is the only end there is, it is a cut
    if fault.number == 4:
        allowed = {1, 2}  # a host that does not know one path is asked on the next
    done.check(holds=done.posts in allowed, otherwise=f"{done.posts} calls, not {fault.posts}")
    done.check(holds=done.posts <= ATTEMPTS, otherwise="too many calls")
    done.check(holds=done.seconds < LIMIT_SECONDS, otherwise=f"took {done.seconds:.1f} s")
    if fault.number in {42, 46}:
        done.check(holds=server.bodies[0] != server.bodies[1], otherwise="the same was asked again")
    if fault.number in {8, 9}:
        done.check(holds=server.at[1] - server.at[0] > 0.4, otherwise="asked again before its time")


def _settings(row: str, url: str, good: str, name: str, home: Path) -> Settings:
    prefix = f"ATTACHE_{row.upper().replace('-', '_')}"
    environ = {"HOME": str(home), "ATTACHE_HOME": str(home), "NO_PROXY": "*"}
    environ |= {f"{prefix}_BASE_URL": url, f"{prefix}_API_KEY": KEY, "ATTACHE_GOOD_API_KEY": KEY}
    providers = {
        "good": {"wire": ROWS[row].wire, "base_url": good, "default_model": "m"},
        "row": {"wire": "openai_chat", "headers": {"x-cell": name}},
    }
    overrides = {"approve": "all", "model_attempts": ATTEMPTS, "model_wait_seconds": 0.02, "providers": providers}
    return load(home, environ=environ, overrides={**overrides, **CLOCKS})


def shown(cells: Sequence[Cell]) -> str:
    """Return the grid as a table: a line a fault, a column a row; a dot holds, a cross does not."""
    rows = list(dict.fromkeys(cell.row for cell in cells))
    lines = [f"{'fault':44}" + " ".join(row[:9].rjust(9) for row in rows)]
    names = list(dict.fromkeys((cell.fault.number, cell.fault.name) for cell in cells))
    for number, name in names:
        marks: list[str] = []
        for row in rows:
            found = next(c for c in cells if (c.row, c.fault.number, c.fault.name) == (row, number, name))
            marks.append(f"{'✗' if found.wrong else '·'} {found.posts}×".rjust(9))
        lines.append(f"{number:2} {name:41}" + " ".join(marks))
    held = sum(not cell.wrong for cell in cells)
    lines.append(f"{held} of {len(cells)} cells hold (· holds, N× calls made)")
    return "\n".join(lines)
