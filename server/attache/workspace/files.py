"""Files on disk, read as text that can be written back without losing a byte."""

from __future__ import annotations

import os
import stat
from io import BufferedReader, FileIO
from typing import NamedTuple

from attache.schema.documents import Newline, Snapshot
from attache.schema.errors import EditRefused, FileMissing, FileSkipped
from attache.workspace.documents import text_hash
from attache.workspace.paths import Root, to_uri

MAX_BYTES = 20_000_000
"""Larger files are not read."""
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),  # before UTF-16, whose mark begins it
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\b\t\n\f\r\x1b")) + b"\x7f"
_READ: int = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
)  # wait for no pipe, take no terminal
_CONTROLS_PER_MILLE = 10  # more of them, and it is no text; random bytes have about 100


class Decoded(NamedTuple):
    """A file's text with all that is needed to write it back byte for byte."""

    text: str
    encoding: str
    bom: bool
    newline: Newline


# ---------------------------------------------------------------- text


def decode(data: bytes, name: str = "the file") -> Decoded:
    """Return the text of a file's bytes; raises FileSkipped where they are no text.

    Marked UTF-8, UTF-16 and UTF-32 by their mark, else UTF-8, else single bytes: CP1252 or Latin-1, which any other
    encoding survives unharmed, though it does not look right.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark) and (text := _strictly(data[len(mark) :], encoding)) is not None:
            return Decoded(_no_nul(text, name), encoding, True, newline_of(text))
    for encoding in ("utf-8", "cp1252", "latin-1"):
        if (text := _strictly(data, encoding)) is not None:
            _no_nul(text, name)
            if encoding != "utf-8" and 1000 * _count(data, _CONTROLS) > _CONTROLS_PER_MILLE * len(data):
                raise _binary(name, "many of its bytes are control characters")
            return Decoded(text, encoding, False, newline_of(text))
    raise AssertionError("Latin-1 decodes everything")


def encode(text: str, encoding: str, *, bom: bool = False) -> bytes:
    """Return the bytes of a text in the encoding its file has; raises EditRefused where that cannot say it."""
    try:
        body = text.encode(encoding)
    except UnicodeEncodeError as error:
        raise EditRefused(
            f"{text[error.start : error.end]!r} cannot be written in the file's encoding, {encoding}",
            hint="use other characters, or save the file as UTF-8 first",
        ) from error
    return next(mark for mark, name in _BOMS if name == encoding) + body if bom else body


def newline_of(text: str) -> Newline:
    r"""Return the line end that most lines have; \n where there are none or as many."""
    both = text.count("\r\n")
    counts: dict[Newline, int] = {"\n": text.count("\n") - both, "\r\n": both, "\r": text.count("\r") - both}
    return max(counts, key=lambda newline: counts[newline])


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _no_nul(text: str, name: str) -> str:
    if "\0" in text:
        raise _binary(name, "it holds NUL")
    return text


def _count(data: bytes, wanted: bytes) -> int:
    return len(data) - len(data.translate(None, wanted))


def _binary(name: str, why: str) -> FileSkipped:
    return FileSkipped(f"{name} is not text: {why}", hint="read it with a program that knows its format")


# ---------------------------------------------------------------- reading


def read_disk(root: Root, path: str) -> Snapshot:
    """Read a file by its path from the root; raises FileMissing, FileSkipped with the reason, or PathRefused."""
    decoded = decode(read_bytes(root, path), path)
    return Snapshot(
        uri=to_uri(root.path / path),
        path=path,
        text=decoded.text,
        hash=text_hash(decoded.text),
        encoding=decoded.encoding,
        bom=decoded.bom,
        newline=decoded.newline,
    )


def read_bytes(root: Root, path: str, *, limit_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file; raises FileMissing, FileSkipped with the reason, or PathRefused."""
    try:
        with BufferedReader(FileIO(path, opener=lambda _, __: root.open(path, _READ))) as file:
            status = os.fstat(file.fileno())
            regular, size = stat.S_ISREG(status.st_mode), status.st_size
            data = file.read(limit_bytes + 1) if regular and size <= limit_bytes else b""
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileMissing(
            f"{path}: no such file in {root.path}", hint="list the folder to see what is there"
        ) from error
    except OSError as error:
        raise FileSkipped(f"{path} cannot be read: {error.strerror}", hint="name a file you may read") from error
    if not regular:
        raise FileSkipped(f"{path} is no regular file, but a pipe, a socket or a device", hint="name a file")
    size = max(size, len(data))  # it may have grown
    if size > limit_bytes:
        raise FileSkipped(
            f"{path} is too large: {size / 1e6:.1f} MB, the limit being {limit_bytes / 1e6:.1f} MB",
            hint="read a part of it with a shell command",
        )
    return data
