"""JSON from outside and to it: read with patience, its values taken for what they ought to be, or for nothing."""

from __future__ import annotations

import json
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec

_MOST_TOKENS = 1_000_000_000
T = TypeVar("T")


def load(data: bytes | str) -> Any:
    """Return the JSON value in `data`, None where it is none; bad UTF-8 and half surrogates become U+FFFD."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        # The standard library lets half surrogates pass, which msgspec refuses; NaN and its like are no JSON.
        return mended(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return None


def read(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Return the JSON in `data` as what the decoder makes of it, without the values that are of another kind.

    What an API may add later is left out so, and is no error. Raises msgspec.DecodeError where it is no JSON.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        return fitting(decoder.type, msgspec.json.decode(data))


def fitting(kind: type[T], value: Any) -> T:
    """Return what of `value` is of this kind, a struct or a list of such; an empty one where nothing is."""
    return cast("T | None", _fitting(kind, value)) or kind()


def _fitting(kind: Any, value: Any) -> Any:
    """Return what of `value` is of this kind, None where nothing is; one thing stands for a list of one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        alone = objects(value)
        given = alone[0] if len(alone) == 1 else value
        if not isinstance(given, dict):
            return None
        known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        told = ((known[key], each) for key, each in fields(given).items() if key in known)
        return kind(**{field.name: _fitting(field.type, each) for field, each in told})
    for choice in get_args(kind) if get_origin(kind) is UnionType else ():
        if (found := _fitting(choice, value)) is not None:
            return found
    if get_origin(kind) is list:
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        return [found for item in items if (found := _fitting(get_args(kind)[0], item)) is not None]
    return value if kind is Any else None


def dump(value: Any) -> bytes:
    """Return `value` as JSON; half surrogates, which UTF-8 cannot hold, become U+FFFD."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(mended(value))


def mended(value: Any) -> Any:
    """Return `value` with half surrogates in its texts joined to their other halves, or replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [mended(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in cast("dict[Any, Any]", value).items()}
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def said(value: Any) -> str:
    """Return a text, empty where there is none."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """Return a number of tokens; what is no such number, or cannot be, counts nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST_TOKENS:
        return 0
    return int(value)


def fields(value: Any) -> dict[str, Any]:
    """Return an object, empty where there is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, empty where there is none."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [fields(item) for item in items if isinstance(item, dict)]
