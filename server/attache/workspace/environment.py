"""The environment a command gets: the user's own, without what looks like a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from attache.foundation.redact import secret_name

SECRET_WORDS = (
    "KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "CREDENTIAL", "AUTH", "COOKIE", "DSN",
)  # fmt: skip
"""A variable is dropped when one of the words of its name ends so: OPENAI_API_KEY, PGPASSWORD, AWS_ACCESS_KEY_ID."""
SHORT_WORDS = frozenset({"PASS", "PAT"})
"""And when one of the words is just that."""
NO_SECRETS = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "GIT_ASKPASS", "SSH_ASKPASS", "GPG_KEY", "XAUTHORITY"})
"""Names that sound like secrets and are none."""
PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
"""A variable is dropped, too, when its value holds `://user:password@`."""


def command_environment(additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without secrets, and with the additions, which the user has been shown."""
    kept = {name: value for name, value in os.environ.items() if not looks_secret(name, value)}
    return {**kept, **(additions or {})}


def looks_secret(name: str, value: str = "") -> bool:
    """Return whether a variable is kept from commands: more are than `secret_name` knows, which cuts out of texts.

    A variable too many costs a setting, a word too many that is cut out costs the text it stood in.
    """
    if name.upper() in NO_SECRETS:
        return False
    words = name.upper().split("_")
    sounds = any(word in SHORT_WORDS or word.removesuffix("S").endswith(SECRET_WORDS) for word in words)
    return sounds or secret_name(name) or PASSWORD_IN_URL.search(value) is not None
