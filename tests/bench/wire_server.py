"""A provider on this machine that speaks OpenAI's Chat API: `words` are streamed one a piece, `tools` are called in turn.

The model's name says what to do: `words-4000` says 4,000 words, `turns-50` calls a tool fifty times before it is done.
"""

from __future__ import annotations

import asyncio
import json
import sys


def event(delta: dict[str, object], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return _framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def end() -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    last = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    return _framed(b"data: " + json.dumps(last).encode() + b"\n\n") + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def answer(body: bytes) -> list[bytes]:
    asked = json.loads(body)
    kind, _, count = asked["model"].partition("-")
    if kind == "words":
        words = [event({"content": f"word{number % 10} "}) for number in range(int(count))]
        return [event({"role": "assistant", "content": ""}), *words, event({}, "stop"), end()]
    done = sum(message["role"] == "tool" for message in asked["messages"])
    if done >= int(count):
        return [event({"role": "assistant", "content": "Done."}), event({}, "stop"), end()]
    function = {"name": "bench_note", "arguments": ""}
    call = {"index": 0, "id": f"call_{done}", "type": "function", "function": function}
    arguments = {"index": 0, "function": {"arguments": json.dumps({"word": f"word {done}"})}}
    return [
        event({"role": "assistant", "tool_calls": [call]}),
        event({"tool_calls": [arguments]}),
        event({}, "tool_calls"),
        end(),
    ]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next(
                (line for line in head.split("\r\n") if line.startswith("content-length:")), "content-length: 0"
            )
            body = await reader.readexactly(int(length.partition(":")[2]))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for piece in answer(body):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
    except (ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
