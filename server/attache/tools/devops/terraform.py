"""What a Terraform plan would do, from the JSON that `terraform show -json` prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from attache.foundation.redact import redact
from attache.schema.errors import FileSkipped

VALUE_CHARS = 60
ATTRIBUTES_SHOWN = 12
Data = dict[str, Any]


class Change(NamedTuple):
    """What happens to one resource."""

    address: str
    action: str
    """create, update, delete, replace, read or forget."""
    attributes: tuple[str, ...] = ()
    """What changes in it, as `name: before → after`; secrets stay hidden."""
    reason: str = ""


def changes(path: str, text: str) -> list[Change]:
    """Return what a plan changes, what it destroys first. Raises FileSkipped where the text is no plan."""
    try:
        held: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileSkipped(f"{path} is no JSON: {error}", hint="terraform show -json PLAN > plan.json") from None
    if not isinstance(held, dict) or "format_version" not in held or "resource_changes" not in held:
        raise FileSkipped(f"{path} is no plan", hint="terraform show -json PLAN > plan.json")
    order = {"delete": 0, "replace": 1, "forget": 2, "update": 3, "create": 4, "read": 5}
    found = [_change(each) for each in cast("list[Data]", held["resource_changes"])]
    return sorted(
        (each for each in found if each.action != "no-op"), key=lambda each: (order.get(each.action, 9), each.address)
    )


def _change(each: Data) -> Change:
    change = cast("Data", each.get("change") or {})
    actions = cast("list[str]", change.get("actions") or [])
    action = "replace" if len(actions) > 1 else (actions or ["no-op"])[0]
    lines = tuple(_attributes(change)) if action in {"update", "replace"} else ()
    return Change(str(each.get("address", "?")), action, lines, str(each.get("action_reason") or "").replace("_", " "))


def _attributes(change: Data) -> Iterator[str]:
    before, after = cast("Data", change.get("before") or {}), cast("Data", change.get("after") or {})
    unknown = cast("Data", change.get("after_unknown") or {})
    hidden = [
        cast("Data", each)
        for each in (change.get("before_sensitive"), change.get("after_sensitive"))
        if isinstance(each, dict)
    ]
    forced = {str(path[0]) for path in cast("list[list[Any]]", change.get("replace_paths") or []) if path}
    names = [
        name
        for name in dict.fromkeys([*before, *after, *unknown])
        if before.get(name) != after.get(name) or unknown.get(name)
    ]
    for name in names[:ATTRIBUTES_SHOWN]:
        why = " (forces the replacement)" if name in forced else ""
        if any(each.get(name) for each in hidden):
            yield f"{name}: (secret){why}"
        else:
            new = "(known after apply)" if unknown.get(name) else _short(after.get(name))
            yield f"{name}: {_short(before.get(name))} → {new}{why}"
    if len(names) > ATTRIBUTES_SHOWN:
        yield f"… and {len(names) - ATTRIBUTES_SHOWN} more"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARS else f"{redact(text)[:VALUE_CHARS]}…"


def summary(found: list[Change]) -> str:
    """Return the plan in one line, as Terraform itself sums up."""
    count = Counter(each.action for each in found)
    add, destroy = count["create"] + count["replace"], count["delete"] + count["replace"]
    replaced = f" ({count['replace']} of them replaced)" if count["replace"] else ""
    return f"{add} to add, {count['update']} to change, {destroy} to destroy{replaced}"
