"""Match a regex against the lines of many files, as a process of its own: Python cannot interrupt a regex elsewhere.

Run by path, so that it starts in milliseconds: it may import nothing of ours. A job comes as JSON on stdin; what was
found goes out line by line as JSON, at once, so that a scan that has to be killed has told what it knew.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

FILE_SECONDS = 1.0
"""What one file may take where the system has a timer; it is then named and left."""
FILE_BYTES = 20_000_000
HEAD_BYTES = 8192
"""In which a NUL tells a binary."""
LINE_CHARS = 300
_LOOKS_BEYOND_LINE = re.compile(r"\(\?|\\[AZ]|[+*?}]\+")
"""What can match in a line and yet not in the whole text: look-around, anchors of the text, possessive repeats."""

BY_FOLDER = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether a file can be opened from an open folder; if not, as on Windows, a link swapped in meanwhile is followed."""

Line = tuple[int, str, bool]
"""Number, text, and whether it matches (or only stands near one that does)."""


class Scan:
    """One regex, and how many matching lines may still be shown."""

    def __init__(self, pattern: str, *, ignore_case: bool, context: int, limit: int) -> None:
        self.regex = re.compile(pattern, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
        self.context = context
        self.room = limit
        self.whole_text_first = not _LOOKS_BEYOND_LINE.search(pattern)

    def text(self, text: str) -> tuple[int, list[Line]]:
        """Return the number of matching lines and those to show, with the lines around them."""
        text = io.StringIO(text, newline=None).read()  # every line end becomes \n, and no other character is one
        if self.whole_text_first and not self.regex.search(text):
            return 0, []
        lines = text.split("\n")
        found = [(number, match) for number, line in enumerate(lines) if (match := self.regex.search(line))]
        if lines[-1] == "" and found and found[-1][0] == len(lines) - 1:
            found.pop()  # what follows the last line end is no line
        shown = dict(found[: self.room])
        self.room -= len(shown)
        near = {n for number in shown for n in range(number - self.context, number + self.context + 1)}
        return len(found), [
            (n + 1, _cut(lines[n], shown[n].start() if n in shown else 0), n in shown)
            for n in sorted(near)
            if 0 <= n < len(lines)
        ]


def _cut(line: str, start: int) -> str:
    """Keep of a long line what stands around its match."""
    if len(line) <= LINE_CHARS:
        return line
    begin = max(0, min(start - LINE_CHARS // 3, len(line) - LINE_CHARS))
    end = begin + LINE_CHARS
    return ("…" if begin else "") + line[begin:end] + ("…" if end < len(line) else "")


class Folder:
    """A folder whose files are opened name by name, each in the one before: no link leads anywhere else."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._way: list[tuple[str, int]] = []
        """The folders held open on the way to the last file: most files are neighbours of the one before."""

    def open(self, file: str) -> BinaryIO:
        """Open a regular file by its path from the folder. Raises OSError, for links too."""
        if not BY_FOLDER:
            return Path(self._path, file).open("rb")
        *folders, name = ("", *file.split("/"))
        while [entered for entered, _ in self._way] != folders[: len(self._way)]:
            os.close(self._way.pop()[1])
        for folder in folders[len(self._way) :]:
            self._way.append((folder, self._enter(folder)))
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._way[-1][1])
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise FileNotFoundError(file)
        return os.fdopen(opened, "rb")

    def _enter(self, name: str) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        return os.open(name, flags, dir_fd=self._way[-1][1]) if self._way else os.open(self._path, flags)


def _read(folder: Folder, path: str) -> str:
    """Return a file's text, none for a binary, missing or unreadable one, as grep has it. Raises ValueError if huge."""
    try:
        with folder.open(path) as file:
            head = file.read(HEAD_BYTES)
            wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
            if b"\0" in head and not wide:
                return ""
            if os.fstat(file.fileno()).st_size > FILE_BYTES:
                raise ValueError(f"larger than {FILE_BYTES // 1_000_000} MB")
            data = head + file.read()
    except OSError:
        return ""
    if wide:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def scan(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go through a job's files: one record for each that matches or cannot be searched, one at the end."""
    pattern = re.escape(job["pattern"]) if job["literal"] else job["pattern"]
    work = Scan(pattern, ignore_case=job["ignore_case"], context=job["context"], limit=job["limit"])
    texts: dict[str, str] = job["texts"]
    folders: dict[str, Folder] = {}
    for path, (folder, file) in job["files"].items():
        if folder not in folders:
            folders[folder] = Folder(folder)
        try:
            count, lines = _limited(work, texts[path] if path in texts else _read(folders[folder], file))
        except TimeoutError:
            yield {"path": path, "unsearched": f"the regex took longer than {FILE_SECONDS:g} s"}
        except ValueError as error:
            yield {"path": path, "unsearched": str(error)}
        else:
            if count:
                yield {"path": path, "count": count, "lines": lines}
    yield {"done": len(job["files"])}


def _limited(work: Scan, text: str) -> tuple[int, list[Line]]:
    _alarm(FILE_SECONDS)
    try:
        return work.text(text)
    finally:
        _alarm(0)


def _alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # not on Windows: there only the whole scan has a limit
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _ring(_signal: int, _frame: object) -> NoReturn:
    raise TimeoutError


def main() -> None:
    """Answer the job on stdin."""
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _ring)
    for record in scan(json.load(sys.stdin.buffer)):
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
