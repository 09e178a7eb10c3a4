"""Bytes that changes refer to are kept as long as the youngest of these changes, and no longer."""

from __future__ import annotations

import os
import time

import pytest

from attache.workspace import blobs as module
from attache.workspace.blobs import KEPT_SECONDS, Blobs


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "blobs")


def aged(blobs, state) -> None:
    """Let some bytes be older than what is kept."""
    long_ago = time.time() - KEPT_SECONDS - 60
    place = blobs._folder / state.hash[:2] / state.hash
    os.utime(place, (long_ago, long_ago))


@pytest.mark.parametrize("again", ["put", "referred to"])
def test_what_a_younger_step_needs_stays_and_what_is_old_goes(blobs, tmp_path, again):
    needed, old = blobs.put(b"needed", 0o644), blobs.put(b"old", 0o644)
    file = tmp_path / "file"
    file.write_bytes(b"taken in")
    descriptor = os.open(file, os.O_RDONLY)
    taken = blobs.keep(descriptor)
    os.close(descriptor)
    for state in (needed, old, taken):
        aged(blobs, state)
    assert (blobs.put(b"needed", 0o755).hash if again == "put" else blobs.path(needed.hash).name) == needed.hash
    blobs.prune()
    assert blobs.path(needed.hash).read_bytes() == b"needed"
    assert not blobs.path(old.hash).exists()
    assert not blobs.path(taken.hash).exists()


def test_the_oldest_go_where_there_is_too_much(blobs, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 2_500)
    states = [blobs.put(bytes([number]) * 1_000, 0o644) for number in range(4)]
    for number, state in enumerate(states):
        os.utime(blobs.path(state.hash), (time.time() - 1_000 + number,) * 2)
    blobs.prune()
    kept = [(blobs._folder / state.hash[:2] / state.hash).exists() for state in states]
    assert kept == [False, False, True, True]
