"""Keys that stand in no variable: in the system's keyring, or printed by a command of the user's own.

Never in a file of settings. Which providers have one in the keyring is noted apart, so that looking unlocks nothing.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from attache.foundation.files import private_dir
from attache.schema.errors import AuthenticationFailed, MissingExtra, UserError

if TYPE_CHECKING:
    from types import ModuleType

SERVICE = "attache"
_NOTED = "keyring.json"
_COMMAND_SECONDS = 30


def kept(home: Path) -> tuple[str, ...]:
    """Return the providers whose keys the keyring holds, as noted; nothing is unlocked."""
    try:
        noted = json.loads((home / _NOTED).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    names = cast("list[object]", noted) if isinstance(noted, list) else []
    return tuple(name for name in names if isinstance(name, str))


def keep(home: Path, provider: str, key: str) -> None:
    """Put a key into the keyring; an empty one is taken out. Raises UserError and MissingExtra."""
    keyring = _keyring()
    try:
        if key:
            keyring.set_password(SERVICE, provider, key)
        elif provider in kept(home):
            keyring.delete_password(SERVICE, provider)
    except Exception as error:
        raise UserError(f"the keyring refuses: {error}", hint="unlock it, or set the key's variable instead") from error
    names = sorted({*kept(home), provider} if key else set(kept(home)) - {provider})
    private_dir(home)
    (home / _NOTED).write_text(json.dumps(names), "utf-8")


def from_keyring(provider: str) -> str:
    """Return a provider's key, empty where it is gone; may ask the person to unlock. Raises AuthenticationFailed."""
    try:
        return (_keyring().get_password(SERVICE, provider) or "").strip()
    except MissingExtra:
        raise
    except Exception as error:
        raise AuthenticationFailed(
            f"the key of {provider} is in the keyring, which does not give it: {error}",
            hint=f"unlock the keyring, or put it there again: attache keys set {provider}",
            provider=provider,
        ) from error


def from_command(provider: str, command: str) -> str:
    """Return the first line that the user's command prints; it is run without a shell. Raises AuthenticationFailed."""
    import shlex
    import subprocess  # late: few have such a command

    hint = f"correct providers.{provider}.api_key_command in your settings"
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise AuthenticationFailed(
            f"the command for the key of {provider} does not run: {error}", hint=hint, provider=provider
        ) from error
    key = next(iter(done.stdout.splitlines()), "").strip()
    if done.returncode or not key:
        told = done.stderr.strip().splitlines()
        raise AuthenticationFailed(
            f"the command for the key of {provider} gave none (exit code {done.returncode}) {''.join(told[-1:])}",
            hint=hint,
            provider=provider,
        )
    return key


def _keyring() -> ModuleType:
    try:
        return import_module("keyring")
    except ImportError as error:
        raise MissingExtra("the keyring needs an optional part", hint='pip install "attache-ls[keyring]"') from error
