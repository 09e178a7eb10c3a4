"""Write the files that are made from the code, or say which are stale: `generate.py [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel, TypeAdapter

from attache.faces.lsp import features
from attache.faces.lsp.server import OPTIONS
from attache.foundation.settings import NAMES, Settings
from attache.providers.catalog import Catalog
from attache.schema import events, ops
from attache.tools.tool import Tools

ROOT = Path(__file__).parents[1]
MADE = "made by `make generate`; do not edit"
MANIFEST = "client-vscode/package.json"
TOOLS_LENT = ("search", "symbols", "references", "diagnostics")
"""Tools that the models of other extensions may use through VS Code: they read and nothing else."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of everything that crosses a process: events and ops, with all they hold."""
    entry = TypeAdapter(events.Entry).json_schema(mode="serialization", ref_template="#/$defs/{model}")
    op = TypeAdapter(ops.Op).json_schema(mode="validation", ref_template="#/$defs/Op{model}")
    definitions = entry.pop("$defs")
    definitions |= {f"Op{name}": value for name, value in op.pop("$defs").items()}
    definitions["Entry"], definitions["Op"] = entry, op
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Attache",
        "$comment": MADE,
        "$defs": definitions,
    }


def typescript(definitions: dict[str, Any]) -> str:
    """Return the schema's types as TypeScript."""
    lines = [f"// {MADE}", ""]
    for name in sorted(definitions):
        body = definitions[name]
        if note := body.get("description"):
            lines.append(f"/** {' '.join(note.split())} */")
        lines += [f"export type {name} = {_type(body)};", ""]
    return "\n".join(lines)


def _type(body: dict[str, Any]) -> str:
    match body:
        case {"$ref": ref}:
            return ref.rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": choices} | {"oneOf": choices}:
            return " | ".join(dict.fromkeys(map(_type, choices)))
        case {"type": "array", "prefixItems": items}:
            return f"[{', '.join(map(_type, items))}]"
        case {"type": "array"}:
            return f"Array<{_type(body.get('items', {}))}>"
        case {"type": "object", "properties": properties}:
            required = set(body.get("required", ()))
            fields = (f"  {name}{'' if name in required else '?'}: {_type(each)};" for name, each in properties.items())
            return "{\n" + "\n".join(fields) + "\n}"
        case {"type": "object"}:
            more = body.get("additionalProperties")
            return f"Record<string, {_type(more) if isinstance(more, dict) else 'unknown'}>"
        case {"type": kind}:
            return {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}[
                kind
            ]
        case _:
            return "unknown"


def settings_page() -> str:
    """Return the reference of all settings, and of the tables that some hold."""
    schema = Settings.model_json_schema()
    rows = [f"<!-- {MADE} -->", "# Settings", "", *_settings_table(schema["properties"], NAMES)]
    for name in NAMES:
        more = schema["properties"][name].get("additionalProperties")
        if isinstance(more, dict) and "$ref" in more:
            fields = schema["$defs"][more["$ref"].rpartition("/")[2]]["properties"]
            rows += ["", f"## {name}.NAME", "", *_settings_table(fields, tuple(fields))]
    return "\n".join([*rows, ""])


def _settings_table(properties: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    rows = ["| setting | type | default | what it does |", "|---|---|---|---|"]
    for name in names:
        body = properties[name]
        default = json.dumps(body.get("default", {})) if "default" in body else ""
        rows.append(
            f"| `{name}` | {_type(body).replace('|', '&#124;')} | `{default}` | {body.get('description', '')} |"
        )
    return rows


def tools_page() -> str:
    """Return the catalogue of tools."""
    specs = Tools.discover(None).specs()
    rows = [
        f"<!-- {MADE} -->",
        "# Tools",
        "",
        f"{len(specs)} tools. `attache tool run NAME --args JSON` runs one by itself.",
        "",
    ]
    for category in sorted({spec.category for spec in specs}):
        rows += [f"## {category}", "", "| tool | cost | effect | what it does |", "|---|---|---|---|"]
        rows += [
            f"| `{spec.name}` | {spec.cost} | {spec.effect} | {spec.description.replace('|', '&#124;')} |"
            for spec in specs
            if spec.category == category
        ]
        rows.append("")
    return "\n".join(rows)


def providers_page() -> str:
    """Return the table of providers."""
    head = ("| name | provider | wire | key | does besides |", "|---|---|---|---|---|")
    rows = [f"<!-- {MADE} -->", "# Providers", "", *head]
    for row in Catalog(Settings()).rows():
        keys = ", ".join(f"`{name}`" for name in row.key_env) or "none needed"
        more = ", ".join(word for word, does in (("counts tokens", row.counts), ("makes vectors", row.embeds)) if does)
        rows.append(f"| `{row.name}` | {row.label} | {row.wire} | {keys} | {more} |")
    return "\n".join([*rows, ""])


def protocol_page() -> str:
    """Return the specification of what the language server answers beyond the standard, with the shapes it takes."""
    for beginning in features.LATE:
        features.find(f"{beginning}?")
    rows = [
        f"<!-- {MADE} -->",
        PROTOCOL,
        "## Requests and notifications",
        "",
        "| method | does | parameters |",
        "|---|---|---|",
    ]
    shapes: dict[str, Any] = {}
    for method, known in sorted(features.FEATURES.items()):
        if method.startswith("attache/"):
            rows.append(f"| `{method}` | {_first_line(known.answer)} | {_shape(known.shape, shapes)} |")
    rows += ["", "## Commands", "", "| command | does | its one argument |", "|---|---|---|"]
    for name, doable in sorted(features.COMMANDS.items()):
        rows.append(f"| `{name}` | {_first_line(doable.do)} | {_shape(doable.shape, shapes)} |")
    rows += ["", "## Shapes", "", "Every field of a command's argument may be left out.", "", "```json"]
    return "\n".join([*rows, json.dumps(shapes, indent=1, sort_keys=True, ensure_ascii=False), "```", ""])


def _first_line(function: Any) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


def _shape(shape: type[Any], shapes: dict[str, Any]) -> str:
    """Note the schema of a shape and what it holds; return its name as the page links it."""
    if issubclass(shape, BaseModel):
        schema = shape.model_json_schema(ref_template="#/{model}")
        shapes.update(schema.pop("$defs", {}))
        shapes[shape.__name__] = schema
    else:
        _, held = msgspec.json.schema_components((shape,), ref_template="#/{name}")
        shapes.update(held)
    return f"`{shape.__name__}`"


PROTOCOL = """# Protocol

The language server speaks LSP 3.17 with the parts of 3.18 that it advertises, and the Agent Client Protocol
(version 1) on the same connection: ACP's own methods under the prefix `attache/`, with ACP's parameters and results.
What ACP lacks rides in `_meta.attache`. A client states its abilities in `capabilities.experimental.attache`:

| ability | means |
|---|---|
| `session.update` | it takes `attache/session/update` notifications for every session, not only for those it began |
| `session.requestPermission` | it answers `attache/session/request_permission`; else: buttons, else diagnostics |
| `session.answerInWords` | it takes questions that any words answer: as `_meta.attache.answer`, beside `cancelled` |
| `session.ask` | it has a panel: what is asked in the code comes as `attache/session/ask`, not in a chat document |
| `resolvesInBackground` | resolving a code action does not block its user |
| `decoratesHunks` | it paints pending changes itself, so that their diagnostics are hints |

From the server: `attache/session/update` (notification), `attache/session/request_permission` (request) with ACP's
payloads, `attache/status` (notification), and `attache/session/ask` (notification: `text`, `title`, and whether to
`send` it). Diagnostics of ours carry `source: "attache"` and a `code`: `hunk`, `review`, `approval`. Events and ops of
the core, as `attache ask --json` prints them: [protocol.schema.json](reference/protocol.schema.json).
"""


def extension_manifest() -> str:
    """Return the VS Code extension's manifest: the server's settings and tools in it are those of the code."""
    manifest = json.loads((ROOT / MANIFEST).read_text("utf-8"))
    contributes = manifest["contributes"]
    kept = contributes["configuration"]["properties"]
    client = {key: body for key, body in kept.items() if key.removeprefix("attache.") not in map(_camel, NAMES)}
    properties = Settings.model_json_schema()["properties"]
    server = {f"attache.{_camel(name)}": _vscode_setting(properties[name]) for name in OPTIONS}
    contributes["configuration"]["properties"] = server | client
    specs = {spec.name: spec for spec in Tools.discover(None).specs()}
    contributes["languageModelTools"] = [
        {
            "name": f"attache_{name}",
            "displayName": f"Attaché: {name}",
            "modelDescription": specs[name].description,
            "userDescription": specs[name].description,
            "canBeReferencedInPrompt": True,
            "toolReferenceName": f"attache_{name}",
            "inputSchema": specs[name].parameters,
        }
        for name in TOOLS_LENT
    ]
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def extension_settings() -> str:
    """Return the names that the server's settings have in VS Code."""
    rows = [f'  {name}: "{_camel(name)}",' for name in OPTIONS]
    tools = f"export const TOOLS = {json.dumps(TOOLS_LENT)};"
    head = "export const SERVER_SETTINGS: Record<string, string> = {"
    return "\n".join([f"// {MADE}", "", head, *rows, "};", "", tools, ""])


def _vscode_setting(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("anyOf", [body])
    kinds = [choice["type"] for choice in choices]
    given = {"type": kinds if len(kinds) > 1 else kinds[0], "default": body.get("default")}
    limits = {
        key: value for choice in choices for key, value in choice.items() if key in {"enum", "minimum", "maximum"}
    }
    return given | limits | {"description": body["description"]}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _made() -> Iterator[tuple[str, Callable[[], str]]]:
    whole = schema()
    yield "docs/reference/protocol.schema.json", lambda: json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    yield "client-vscode/src/generated/protocol.ts", lambda: typescript(whole["$defs"])
    yield MANIFEST, extension_manifest
    yield "client-vscode/src/generated/settings.ts", extension_settings
    yield "docs/protocol.md", protocol_page
    yield "docs/reference/settings.md", settings_page
    yield "docs/reference/tools.md", tools_page
    yield "docs/reference/providers.md", providers_page


def main() -> int:
    """Write what is stale, or with `--check` only name it and fail."""
    check = "--check" in sys.argv[1:]
    stale: list[str] = []
    for name, make in _made():
        path, text = ROOT / name, make()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if stale:
        print(("stale, run `make generate`: " if check else "written: ") + ", ".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
