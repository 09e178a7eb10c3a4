"""Write a session of COUNT messages into the log, as if it had been talked: `seed.py FOLDER COUNT TITLE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from attache.agent.open import open_resources
from attache.foundation.ids import new_id
from attache.foundation.settings import load
from attache.schema.data import CallId, RunId, SessionId
from attache.schema.events import MessageAdded, RunFinished, RunStarted, SessionCreated, ToolFinished, ToolStarted
from attache.schema.messages import Message, Text
from attache.schema.models import Usage

ANSWER = """It adds the prices up in `total`, see [shop.py:{at}](shop.py#L2).

1. take **each** price
2. add it, as *message {at}* says

```python
def total(prices):
    return sum(prices)  # {at}
```
"""


async def main(folder: Path, count: int, title: str) -> None:
    settings = load(folder)
    session, run = SessionId(new_id("s")), RunId(new_id("r"))
    happened = [SessionCreated(cwd=str(folder), model="offline/offline", mode="build")]
    for at in range(count // 2):
        asked, answered = (
            (Text(text=f"{title if at == 0 else 'Question'} {at}: what does total do?"),),
            ANSWER.format(at=at),
        )
        happened += [RunStarted(run_id=run, parts=asked)]
        if at % 5 == 0:
            call = {"run_id": run, "call_id": CallId(f"c{at}"), "name": "read", "title": "shop.py"}
            happened += [ToolStarted(**call, arguments={"path": "shop.py"}), ToolFinished(**call, text="x = 1\n" * 30)]
        happened += [MessageAdded(run_id=run, message=Message(role="assistant", parts=(Text(text=answered),)))]
        happened += [RunFinished(run_id=run, stop_reason="end_turn", usage=Usage(), cost_usd=0.0)]
    async with open_resources(settings, folder) as resources:
        for start in range(0, len(happened), 500):
            await resources.log.append(session, happened[start : start + 500])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3]))
