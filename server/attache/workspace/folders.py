"""Folders that a change set makes or removes once its files have landed: an empty folder is nobody's work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from attache.schema.errors import PathRefused
from attache.workspace.spares import Place


def set_folders(folders: Sequence[tuple[Place, bool]]) -> None:
    """Make the folders that are to be there, remove the others where they are empty, the innermost first."""
    for place, there in sorted(folders, key=lambda each: len(each[0].path), reverse=True):
        with suppress(OSError, PathRefused), place.root.spot(place.path, create=there, follow=False) as (folder, name):
            if there:
                os.mkdir(folder.at(name), dir_fd=folder.fd)
            else:
                os.rmdir(folder.at(name), dir_fd=folder.fd)
