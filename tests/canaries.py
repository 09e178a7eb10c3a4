"""Secrets that no outlet may ever show: planted anew in every run, searched for in whatever the product wrote.

Each holds one of two marks, so that a few searches find all of them: as they are, in other spellings, and parted by line
ends. The marks are drawn from a seed that all processes of a run share by the environment.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

SEED = "CANARY_SEED"
STATE = "attache.sqlite"
"""Stands in every folder of state."""
AS_THEY_ARE = frozenset({"index", "checkpoints", "blobs", "journal", "views"})
"""Where the product keeps the user's own files, as docs/security.md says: no outlets."""
_NOISE = b" \t\r\n\"'+,\\>"
"""What parts a text over lines, in code, quotations, patches and JSON."""


def begin() -> None:
    """Draw this run's seed, unless the process that started this one has, and plant secrets in the environment."""
    os.environ.setdefault(SEED, secrets.token_hex(8))
    for number, (name, value) in enumerate(sorted(planted().items())):
        os.environ.setdefault(f"CANARY_{name.upper()}" + ("_TOKEN" if number % 3 == 0 else ""), value)


@cache
def _marks(seed: str) -> tuple[str, str]:
    digest = hashlib.sha256(seed.encode()).digest()
    letters = base64.b32encode(digest).decode()[:14]
    return f"K7{letters[:12]}Q4", f"c4{digest.hex()[:12]}7e"


def marks() -> tuple[str, str]:
    """Return the two marks of this run: one of capital letters and digits, one hexadecimal."""
    return _marks(os.environ[SEED])


def planted() -> Mapping[str, str]:
    """Return a secret of every shape, each with a mark in its middle."""
    letters, digits = marks()
    drawn = hashlib.sha512(letters.encode()).hexdigest()
    body = base64.b64encode(drawn.encode()[:64]).decode()

    def key(before: str, length: int, after: str = "") -> str:
        head = drawn[: (length - len(letters)) // 2]
        return before + head + letters + drawn[40 : 40 + length - len(letters) - len(head)] + after

    def hexadecimal(before: str, length: int) -> str:
        return before + drawn[:4] + digits + drawn[60 : 60 + length - len(digits) - 4]

    return {
        "anthropic": key("sk-" + "ant-api03-", 95), "openai": key("sk-" + "proj-", 90), "groq": key("gs" + "k_", 52),
        "openrouter": hexadecimal("sk-" + "or-v1-", 64), "google": key("AI" + "za", 35), "xai": key("xa" + "i-", 80),
        "perplexity": key("pp" + "lx-", 48), "huggingface": key("h" + "f_", 34), "github": key("gh" + "p_", 36),
        "github_fine": key("github" + "_pat_", 82), "gitlab": key("gl" + "pat-", 20), "npm": key("np" + "m_", 36),
        "aws": "AK" + "IA" + letters, "pypi": key("py" + "pi-AgEIcHlwaS5vcmc", 90), "vault": key("hv" + "s.", 90),
        "google_oauth": key("ya" + "29.", 60), "digitalocean": hexadecimal("do" + "p_v1_", 64),
        "databricks": hexadecimal("da" + "pi", 32), "stripe": key("sk" + "_live_", 24), "shopify": hexadecimal("sh" + "pat_", 32),
        "slack": key("xo" + "xb-123456789012-123456789012-", 24), "twilio": hexadecimal("S" + "K", 32),
        "sendgrid": "S" + "G." + drawn[:22] + "." + key("", 43), "telegram": "123456789:" + "AA" + key("", 33),
        "linear": key("lin" + "_api_", 40), "web_token": "ey" + "J" + drawn[:30] + ".ey" + "J" + key("", 60) + "." + drawn[:43],
        "password": f"DB_PASSWORD={letters}{drawn[:6]}", "url": f"postgres://app:{letters}{drawn[:6]}@db.internal:5432/main",
        "bearer": f"Authorization: Bearer {key('', 44)}",
        "pem": f"-----BEGIN PRIVATE KEY-----\n{body[:20]}{letters}{body[:26]}aB\n{body[:64]}\n-----END PRIVATE KEY-----",
    }  # fmt: skip


@cache
def _spellings(seed: str) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for mark in _marks(seed):
        plain = mark.encode()
        for skip in range(3):  # the three ways in which base64 may cut it
            code = base64.b64encode(b"\0" * skip + plain)
            found[code[-(-skip * 4 // 3) : len(code) // 4 * 4 - 4]] = None
        for each in (plain, plain[::-1], plain.hex().encode(), plain.hex().upper().encode()):
            found[each] = None
        found["".join(f"%{byte:02X}" for byte in plain).encode()] = None
        found["".join(f"\\u{byte:04x}" for byte in plain).encode()] = None
    return tuple(found)


def shown(data: bytes) -> bool:
    """Say whether a secret stands in `data`: as it is, turned round, encoded, or parted over lines."""
    spellings = _spellings(os.environ[SEED])
    if any(spelling in data for spelling in spellings):
        return True
    squeezed = data.replace(b"\\n", b"").translate(None, _NOISE)
    return any(spelling in squeezed for spelling in spellings)


def leaks(folder: Path, aside: frozenset[str] = AS_THEY_ARE) -> Iterator[str]:
    """Yield the files under `folder` that show a secret, of every folder of state that lies there."""
    for place, folders, names in os.walk(folder):
        if STATE not in names:
            continue
        folders[:] = [each for each in folders if each not in aside]
        for inner, deeper, files in os.walk(place):
            deeper[:] = [each for each in deeper if each not in aside]
            for name in files:
                path = Path(inner, name)
                if path.is_file() and not path.is_symlink() and shown(path.read_bytes()):
                    yield str(path.relative_to(folder))
        folders.clear()


def excerpt(text: str) -> str:
    """Return what stands round the first secret in a text, its mark left out, for a report."""
    found = re.search("|".join(map(re.escape, marks())), text)
    at = found.start() if found else 0
    return re.sub("|".join(map(re.escape, marks())), "<CANARY>", text[max(at - 120, 0) : at + 120])
