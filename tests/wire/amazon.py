"""Amazon's binary event stream, written: the other side of what the product reads."""

from __future__ import annotations

import json
import struct
from binascii import crc32


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """Return one message of the stream."""
    block = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    return framed(block, payload)


def framed(block: bytes, payload: bytes) -> bytes:
    """Return one message from its headers as they are written."""
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    head = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return head + struct.pack(">I", crc32(head))


def stream(lines: str) -> bytes:
    """Return a stream from lines such as `{"messageStop": {...}}`; a name that ends in Exception makes one."""
    written = b""
    for line in filter(None, lines.splitlines()):
        (name,) = json.loads(line)
        kind = "exception" if name.endswith("Exception") else "event"
        headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
        written += message(headers, line[line.index(":") + 1 : -1].strip().encode())
    return written
