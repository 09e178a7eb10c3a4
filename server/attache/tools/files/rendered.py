"""Files that are not plain text, put into words: notebooks cell by cell, the text of PDF, pictures as they are."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any, Literal, cast

from attache.schema.errors import FileSkipped, ToolError
from attache.schema.messages import Image
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context
from attache.tools.wording import middle_out
from attache.workspace.files import read_bytes
from attache.workspace.shell import run

PICTURES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
}  # fmt: skip
PICTURE_BYTES = 5_000_000
"""Larger pictures are refused by the models' providers."""
PDF_SECONDS = 30.0
PDF_BYTES = 8_000_000
CELL_OUTPUT_CHARS = 2_000
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"), (b"RIFF", "image/webp"),
)  # fmt: skip
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG behind which a frame begins, whose header has the size."""
_PYPDF = (
    "import sys; from pypdf import PdfReader\n"
    "for n, page in enumerate(PdfReader(sys.argv[1]).pages, 1):\n"
    "    sys.stdout.buffer.write(((chr(12) if n > 1 else '') + page.extract_text()).encode('utf-8', 'replace'))\n"
)

Kind = Literal["notebook", "picture", "pdf"]


def kind(path: str) -> Kind | None:
    """Return what has to be done to a file to read it; None for plain text."""
    suffix = PurePosixPath(path).suffix.lower()
    return "picture" if suffix in PICTURES else {".ipynb": "notebook", ".pdf": "pdf"}.get(suffix)  # type: ignore[return-value]


# ---------------------------------------------------------------- pictures


async def picture(ctx: Context, path: str) -> ToolOutput:
    """Return a picture for the model to look at. Raises FileSkipped where it is none, or too large."""
    root, inside = ctx.workspace.place(ctx.workspace.uri(path))
    data = await asyncio.to_thread(read_bytes, root, inside, limit_bytes=PICTURE_BYTES)
    media_type = next((name for sign, name in _SIGNS if data.startswith(sign)), "")
    if not media_type:
        raise FileSkipped(f"{path} is named like a picture and is none", hint="look at it with a shell command")
    wide = size(data)
    words = f"{path}: {media_type}, {f'{wide[0]} × {wide[1]} pixels, ' if wide else ''}{len(data):,} bytes"
    image = Image(media_type=media_type, data=base64.b64encode(data).decode())
    return ToolOutput(text=words, title=words, images=(image,), data={"path": path, "media_type": media_type})


def size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels as a PNG, GIF or JPEG says; None where it does not."""
    try:
        if data.startswith(b"\x89PNG"):
            return struct.unpack(">II", data[16:24])
        if data.startswith(b"GIF8"):
            return struct.unpack("<HH", data[6:10])
        at = 2
        while data.startswith(b"\xff\xd8") and at < len(data):
            marker, length = struct.unpack(">xBH", data[at : at + 4])
            if marker in _FRAMES:
                height, width = struct.unpack(">HH", data[at + 5 : at + 9])
                return width, height
            at += 2 + length
    except struct.error:
        pass
    return None


# ---------------------------------------------------------------- PDF


async def pdf_lines(ctx: Context, path: str) -> list[str]:
    """Return the text of a PDF, a line before each page saying which. Raises ToolError where nothing here reads it."""
    root, inside = ctx.workspace.place(ctx.workspace.uri(path))
    await asyncio.to_thread(read_bytes, root, inside)  # it is a file within the limits, and no link out of the folder
    file = str(root.path / inside)
    if find_spec("pypdf"):
        argv: Sequence[str] = (sys.executable, "-P", "-c", _PYPDF, file)
    elif shutil.which("pdftotext"):
        argv = ("pdftotext", "-q", "-layout", "-enc", "UTF-8", file, "-")
    else:
        raise ToolError(
            f"{path}: nothing here reads PDF", hint="have one installed: pip install pypdf, or poppler's pdftotext"
        )
    done = await run(argv, cwd=root.path, timeout_seconds=PDF_SECONDS, output_limit_bytes=PDF_BYTES)
    if done.exit_code:
        why = "it took too long" if done.timed_out else (done.output.strip().splitlines() or ["no reason given"])[-1]
        raise FileSkipped(f"{path} cannot be read as PDF: {why[:300]}", hint="is it one, and not encrypted?")
    pages = done.output.removesuffix("\f").split("\f")
    return [line for number, page in enumerate(pages, 1) for line in (f"── page {number} ──", *page.splitlines())]


# ---------------------------------------------------------------- notebooks


def notebook_lines(text: str, path: str) -> list[str]:
    """Return the cells of a notebook, each headed by its number, kind and outcome. Raises FileSkipped."""
    cells = notebook(text, path)["cells"]
    lines: list[str] = []
    for number, cell in enumerate(cast("list[dict[str, Any]]", cells), 1):
        count = cell.get("execution_count")
        lines.append(f"── cell {number} · {cell.get('cell_type', '?')}{f' · ran as [{count}]' if count else ''} ──")
        lines += source(cell).splitlines()
        outputs = cast("list[dict[str, Any]]", cell.get("outputs") or [])
        for output in outputs:
            words = middle_out("\n".join(_output(output)), CELL_OUTPUT_CHARS)
            lines += [f"  → {line}" for line in words.splitlines()]
    return lines


def notebook(text: str, path: str) -> dict[str, Any]:
    """Return a notebook's JSON. Raises FileSkipped where it is none of version 4."""
    try:
        book = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileSkipped(f"{path} is no notebook: {error}", hint="read it raw=true") from None
    if not isinstance(book, dict) or not isinstance(cast("dict[str, Any]", book).get("cells"), list):
        raise FileSkipped(f"{path} holds no cells; notebooks before version 4 are not read", hint="read it raw=true")
    return cast("dict[str, Any]", book)


def source(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell, which notebooks keep whole or by lines."""
    held: Any = cell.get("source", "")
    return "".join(cast("list[str]", held)) if isinstance(held, list) else str(held)


def _output(output: Mapping[str, Any]) -> Iterator[str]:
    match output.get("output_type"):
        case "stream":
            yield _joined(output.get("text", ""))
        case "error":
            yield f"{output.get('ename', 'error')}: {output.get('evalue', '')}"
        case _:
            data = cast("dict[str, Any]", output.get("data") or {})
            if "text/plain" in data:
                yield _joined(data["text/plain"])
            if others := [name for name in data if name not in {"text/plain", "text/html"}]:
                yield f"[{', '.join(others)}]"


def _joined(held: Any) -> str:
    return "".join(cast("list[str]", held)) if isinstance(held, list) else str(held)
