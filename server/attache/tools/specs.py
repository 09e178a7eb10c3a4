"""A tool's arguments as JSON Schema for models: short, since every request carries it, and without references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel

from attache.schema.tools import ToolSpec

Schema = dict[str, Any]
_SURROGATE = re.compile("[\ud800-\udfff]")


def parameters(arguments: type[BaseModel]) -> Schema:
    """Return the schema of a tool's arguments, without what costs tokens and tells a model nothing."""
    schema = arguments.model_json_schema()
    return _short(schema, schema.get("$defs", {}))


def _short(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Inline references, drop titles, and drop defaults and alternatives that only say "may be left out"."""
    if "$ref" in schema:
        return _short(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        if len(choices) == 1:
            return _short({**choices[0], **{key: schema[key] for key in schema if key != "anyOf"}}, definitions)
    short: Schema = {}
    for key, value in schema.items():
        match key:
            case "title" | "$defs" | "additionalProperties" | "minLength" | "minItems" | "maximum" | "exclusiveMinimum":
                continue  # what goes beyond is refused with words that say so
            case "default" if not value:
                continue
            case "properties":
                short[key] = {name: _short(each, definitions) for name, each in value.items()}
            case "items":
                short[key] = _short(value, definitions)
            case "anyOf":
                short[key] = [_short(each, definitions) for each in value]
            case _:
                short[key] = value
    return short


def example(spec: ToolSpec) -> str:
    """Return arguments that would do, as JSON: the required ones, each with a value of its type."""
    return json.dumps(_example(spec.parameters, spec.name))


def _example(schema: Schema, name: str) -> Any:
    match schema:
        case {"anyOf": [first, *_]}:
            return _example(first, name)
        case {"enum": [first, *_]} | {"default": first}:
            return first
        case {"type": "object"}:
            required = cast("Iterable[str]", schema.get("required", ()))
            return {each: _example(schema["properties"][each], each) for each in required}
        case {"type": "array"}:
            return [_example(schema["items"], name)]
        case {"type": "integer" | "number"}:
            return schema.get("minimum", 1)
        case {"type": "boolean"}:
            return True
        case _:
            return f"<{name}>"


def no_text(value: Any, where: str) -> Iterator[str]:
    """Yield what is no text in an argument, with its path: a NUL, or half of a surrogate pair."""
    match value:
        case str() if "\0" in value:
            yield f"{where}: holds a NUL character, which no text does"
        case str() if not value.isascii() and _SURROGATE.search(value):
            yield f"{where}: holds half of a surrogate pair, which is no character"
        case dict():
            for key, each in cast("dict[object, object]", value).items():
                yield from no_text(each, f"{where}.{key}")
        case list() | tuple():
            for number, each in enumerate(cast("Iterable[object]", value)):
                yield from no_text(each, f"{where}.{number}")
        case _:
            pass


def tokens(specs: Iterable[ToolSpec]) -> int:
    """Estimate what offering these tools costs in every request, at four characters a token."""
    offered = [{"name": spec.name, "description": spec.description, "schema": spec.parameters} for spec in specs]
    return len(json.dumps(offered, ensure_ascii=False)) // 4
