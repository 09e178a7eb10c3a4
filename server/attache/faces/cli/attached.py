"""Files that the command line hands to a model: pictures and documents for a message, a schema for the answer."""

from __future__ import annotations

import json
import mimetypes
from base64 import b64encode
from pathlib import Path
from typing import Any, cast

from attache.schema.errors import UserError
from attache.schema.messages import File, Image

MOST_BYTES = 20_000_000
"""More is refused by every provider."""


def attached(path: Path) -> Image | File:
    """Return a file as a part of a message. Raises UserError where it cannot be read, or is too large."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: larger than {MOST_BYTES // 1_000_000} MB", hint="attach a smaller file")
        data = b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", hint="attach a file that can be read") from error
    kind = mimetypes.guess_type(path.name)[0] or "text/plain"
    return (
        Image(media_type=kind, data=data)
        if kind.startswith("image/")
        else File(media_type=kind, name=path.name, data=data)
    )


def json_schema(path: Path) -> dict[str, Any]:
    """Return the JSON Schema in a file. Raises UserError where there is none."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", hint="name a file that can be read") from error
    except ValueError as error:
        raise UserError(f"{path}: no JSON: {error}", hint="correct the file") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: a JSON Schema is an object", hint='such as {"type": "object", "properties": {}}')
    return cast("dict[str, Any]", value)
