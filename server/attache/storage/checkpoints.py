"""What every landed step found and left in the files, kept by content, so that any moment can be gone back to.

A step that changed little costs little: a text is kept once, compressed, under the hash of its bytes. Neither git nor
the workspace is touched by it.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from attache.foundation.files import private_dir, prune, write_atomic
from attache.schema.data import ChangeSetId
from attache.schema.edits import Landed

KEPT_SECONDS = 30 * 86_400
KEPT_BYTES = 1_000_000_000
PRUNED_EVERY_SECONDS = 86_400
_TEXTS = ("before", "after")


class Checkpoints:
    """Landed steps by the id of their change set. Every call is quick and blocks: run it in a thread."""

    def __init__(self, home: Path, *, kept_seconds: float = KEPT_SECONDS, kept_bytes: int = KEPT_BYTES) -> None:
        """Keep below `home`; what is older, or beyond the bytes, goes, the oldest first."""
        self._folder = home / "checkpoints"
        self._kept_seconds = kept_seconds
        self._kept_bytes = kept_bytes

    def keep(self, landed: Landed) -> None:
        """Keep what a step found and left. Raises OSError where the disk does not take it."""
        record = landed.model_copy(update={"change_set": landed.change_set.model_copy(update={"files": ()})})
        dumped = record.model_dump(mode="json", exclude_defaults=True)
        for outcome in dumped["files"]:
            for name in _TEXTS:
                if outcome.get(name) is not None:
                    outcome[name] = self._put(outcome[name].encode("utf-8", "surrogatepass"))
        steps = private_dir(self._folder / "steps")
        write_atomic(steps / _file_name(landed.change_set.id), zlib.compress(json.dumps(dumped).encode()))
        self._prune_now_and_then()

    def recall(self, change_set: ChangeSetId) -> Landed | None:
        """Return a step as it was kept, without its edits; None where it is not, or not wholly, kept any more."""
        try:
            dumped = json.loads(zlib.decompress((self._folder / "steps" / _file_name(change_set)).read_bytes()))
            for outcome in dumped["files"]:
                self._fill(outcome)
            return Landed.model_validate(dumped)
        except (OSError, zlib.error, ValueError, ValidationError):  # gone, or damaged: as good as gone
            return None

    def prune(self) -> int:
        """Remove what is too old, then the oldest until the rest fits; return how many bytes went."""
        files = (path for folder in ("steps", "texts") for path in (self._folder / folder).rglob("*"))
        return prune(files, seconds=self._kept_seconds, most_bytes=self._kept_bytes)

    # ------------------------------------------------------------ inside

    def _put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        path = private_dir(self._folder / "texts" / name[:2]) / name[2:]
        # Not durable, since many of them are written in every step: what a loss of power left empty is written again,
        # and `recall` looks at the hash.
        try:
            os.utime(path)  # it is young again
            there = path.stat().st_size > 0
        except FileNotFoundError:
            there = False
        if not there:
            write_atomic(path, zlib.compress(data), durable=False)
        return name

    def _fill(self, outcome: dict[str, Any]) -> None:
        for name in _TEXTS:
            key = outcome.setdefault(name, None)
            if key is not None:
                data = zlib.decompress((self._folder / "texts" / key[:2] / key[2:]).read_bytes())
                if hashlib.sha256(data).hexdigest() != key:
                    raise ValueError(f"{key} does not hold what it did")
                outcome[name] = data.decode("utf-8", "surrogatepass")

    def _prune_now_and_then(self) -> None:
        mark = self._folder / "pruned"
        try:
            due = time.time() - mark.stat().st_mtime > PRUNED_EVERY_SECONDS
        except FileNotFoundError:
            due = True
        if due:
            mark.touch(0o600)
            self.prune()


def _file_name(change_set: ChangeSetId) -> str:
    return hashlib.sha256(change_set.encode()).hexdigest()[:32]
