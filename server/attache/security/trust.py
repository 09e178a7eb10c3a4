"""Which folders the user trusts: what any other folder carries stays inert."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from attache.foundation.files import private_dir, write_atomic
from attache.schema.errors import SettingsError

FILE = "trust.json"
_DECISIONS: TypeAdapter[dict[Path, bool]] = TypeAdapter(dict[Path, bool])


def is_trusted(home: Path, folder: Path) -> bool:
    """Say whether the user trusts a folder, by itself or by one above it: the nearest decision counts.

    `home` is the state folder. Raises SettingsError where the decisions cannot be read: nothing is guessed.
    """
    decisions = {os.path.normcase(path): trusted for path, trusted in decided(home).items()}
    real = folder.resolve()
    nearest = next((name for path in (real, *real.parents) if (name := os.path.normcase(path)) in decisions), "")
    return decisions.get(nearest, False)


def trust(home: Path, folder: Path) -> None:
    """Trust a folder and all that is in it. Raises SettingsError."""
    _decide(home, folder, trusted=True)


def distrust(home: Path, folder: Path) -> None:
    """Take trust from a folder and all that is in it, also where a folder above is trusted. Raises SettingsError."""
    _decide(home, folder, trusted=False)


def decided(home: Path) -> dict[Path, bool]:
    """Return the folders that the user decided about. Raises SettingsError."""
    file = home / FILE
    try:
        return _DECISIONS.validate_json(file.read_bytes(), strict=True)
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        raise SettingsError(
            f"{file}: cannot be read as the list of trusted folders", hint="correct it, or delete it to trust no folder"
        ) from error


def _decide(home: Path, folder: Path, *, trusted: bool) -> None:
    """Record a decision; it overtakes those about the folders in it."""
    real = folder.resolve()
    kept = {path: before for path, before in decided(home).items() if not path.is_relative_to(real)}
    decisions = {str(path): choice for path, choice in sorted((kept | {real: trusted}).items())}
    private_dir(home)
    write_atomic(home / FILE, json.dumps(decisions, indent=1, ensure_ascii=False).encode() + b"\n")
