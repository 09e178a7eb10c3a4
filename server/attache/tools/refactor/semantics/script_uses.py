"""Every place of a JavaScript or TypeScript program that means one thing, through imports and exports again."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.names import Binding, Name, Names
from attache.tools.refactor.semantics.script import names_of
from attache.tools.refactor.semantics.source import Source
from attache.tools.refactor.semantics.source import field as part
from attache.tools.refactor.semantics.uses import COMMON, Use

SUFFIXES = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
DEPTH = 24
_ALIASED = frozenset({"@", "~", "#", "src", "app", "lib", "$lib"})
"""First parts of import paths that projects map to folders of their own."""
_OWN = COMMON | frozenset({
    "constructor", "prototype", "length", "name", "toString", "valueOf", "then", "catch", "finally", "map",
    "filter", "forEach", "reduce", "push", "pop", "slice", "splice", "concat", "indexOf", "includes", "join",
    "split", "replace", "match", "test", "get", "set", "has", "delete", "add", "clear", "keys", "values", "entries",
    "size", "call", "apply", "bind", "value", "type", "id", "key", "data", "error", "message", "stack", "status",
    "ok", "json", "text", "body", "headers", "log", "warn", "render", "props", "state", "children", "style",
    "className", "ref", "on", "off", "once", "emit", "send", "close", "open",
})  # fmt: skip
"""Members that much of the language, its library and the web have."""


@dataclass(frozen=True, slots=True)
class ScriptVariable:
    """A variable, function, class, type or parameter."""

    names: Names
    binding: Binding

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.binding.name


@dataclass(frozen=True, slots=True)
class ScriptMember:
    """A member of a class or an interface, known by its name alone; `line` is where it was pointed at."""

    name: str
    path: str


ScriptTarget = ScriptVariable | ScriptMember


class Scripts:
    """The files of a program in JavaScript or TypeScript, as they are asked for."""

    def __init__(self, paths: Iterable[str], texts: Mapping[str, str]) -> None:
        """Take the files there are and the texts known so far; `wanted` collects those that are missing."""
        self.paths = frozenset(paths)
        self.texts = texts
        self.wanted: set[str] = set()
        self._names: dict[str, Names] = {}

    def names(self, path: str) -> Names | None:
        """Return the names of a file; None, and it is wanted, where its text is not known yet."""
        if path not in self._names:
            if path not in self.texts:
                self.wanted.add(path)
                return None
            self._names[path] = names_of(Source(path, self.texts[path]))
        return self._names[path]

    def find(self, spelled: str, importer: str) -> str:
        """Return the file that an import means, empty for what is none of the workspace's."""
        if spelled.startswith("."):
            return self._at(posixpath.normpath(posixpath.join(posixpath.dirname(importer), spelled)))
        first, _, rest = spelled.partition("/")
        if found := self._at(spelled):
            return found
        if not rest or first not in _ALIASED:
            return ""
        tails = {f"/{rest}{suffix}" for suffix in SUFFIXES} | {f"/{rest}/index{suffix}" for suffix in SUFFIXES}
        fitting = [path for path in self.paths if any(f"/{path}".endswith(tail) for tail in tails)]
        return fitting[0] if len(fitting) == 1 else ""

    def _at(self, stem: str) -> str:
        bare = stem.removesuffix(".js").removesuffix(".mjs").removesuffix(".cjs").removesuffix(".jsx")
        candidates = [stem, *(f"{each}{suffix}" for each in (stem, bare) for suffix in SUFFIXES)]
        candidates += [f"{stem}/index{suffix}" for suffix in SUFFIXES]
        return next((each for each in candidates if each in self.paths), "")

    def member(self, path: str, name: str, depth: int = 0) -> tuple[Names, Binding] | None:
        """Return what a module exports by a name, followed to where it is defined."""
        names = self.names(path)
        if names is None or depth > DEPTH:
            return None
        if binding := names.offers.get(name):
            return self.followed(names, binding, depth + 1)
        if passed := names.passes.get(name):
            module, there = passed
            source = self.find(module, path)
            return self.member(source, there, depth + 1) if source else None
        for star in names.stars:
            source = self.find(star, path)
            if source and (found := self.member(source, name, depth + 1)):
                return found
        return None

    def followed(self, names: Names, binding: Binding, depth: int = 0) -> tuple[Names, Binding] | None:
        """Return the definition that a binding stands for; None for what the workspace does not define."""
        origin = next((each for each in binding.origins if each.kind == "import"), None)
        if origin is None:
            return names, binding
        source = self.find(origin.module, names.source.path)
        if not source or origin.imported in {"*", "default"}:
            return None
        return self.member(source, origin.imported, depth + 1)


def target_at(program: Scripts, path: str, line: int, name: str) -> ScriptTarget:
    """Return what stands at a line. Raises EditRefused where that is nothing, or several things."""
    names = program.names(path)
    if names is None:
        raise EditRefused(f"{path} is not there", hint="list the folder to see what is there")
    word = name.rpartition(".")[2]
    here = [each for each in names.meaningful if names.source.line(each.start) == line]
    found = [each for each in here if each.text == word] if word else []
    if not word:
        bound = [each for each in here if each.role == "bind"]
        headed = [each for each in bound if each.node.parent and each.node.parent.type.endswith("_declaration")]
        members = [each for each in here if is_member_definition(each)]
        found = headed or members or bound
    if "." in name:
        found = [each for each in found if each.role == "attribute"] or found
    targets = {target: None for each in found if (target := _meant(program, names, each)) is not None}
    if len(targets) != 1:
        seen = ", ".join(dict.fromkeys(each.text for each in found or here))
        near = ", ".join(f"{path}:{names.source.line(each.start)}" for each in list(names.of(word))[:8]) if word else ""
        what = f"`{word}` means {len(targets) or 'no'} different things" if found else f"there is no `{word}`"
        raise EditRefused(
            f"{path}:{line}: {what if word else 'the line defines no name, or several'}",
            hint=f"it stands at {near}" if near else f"say which name: {seen}" if seen else "name another line",
        )
    return next(iter(targets))


def _meant(program: Scripts, names: Names, name: Name) -> ScriptTarget | None:
    where = names.source.where(name.start)
    if name.role == "attribute":
        holder = part(name.node.parent, "object") if name.node.parent else None
        if holder is not None and (found := _of_namespace(program, names, name)):
            return ScriptVariable(*found)
        return ScriptMember(name.text, names.source.path)
    binding = name.partner if name.role == "imported" else name.binding
    if name.role == "imported" and binding is None:
        found = program.member(names.source.path, name.text)
        return ScriptVariable(*found) if found else None
    if binding is None:
        raise EditRefused(f"{where}: `{name.text}` is defined nowhere here", hint="name what the workspace defines")
    if is_field_parameter(binding):
        return ScriptMember(name.text, names.source.path)
    found = program.followed(names, binding)
    if found is None and not program.wanted:
        if any(origin.imported in {"*", "default"} for origin in binding.origins):
            return ScriptVariable(names, binding)  # what it is called here is this file's own affair
        raise EditRefused(f"{where}: `{name.text}` comes from outside", hint="name what the workspace defines")
    return ScriptVariable(*found) if found else ScriptVariable(names, binding)


def is_field_parameter(binding: Binding) -> bool:
    """Return whether a constructor's parameter is a field as well: `constructor(private x: number)`."""
    nodes = [origin.node for origin in binding.origins if origin.kind == "parameter"]
    marks = {"accessibility_modifier", "override_modifier", "readonly"}
    return any(child.type in marks for node in nodes for child in node.children)


def is_member_definition(name: Name) -> bool:
    """Return whether a class or an interface declares this member."""
    above = name.node.parent
    if name.role == "bind" and name.binding is not None:
        return is_field_parameter(name.binding)
    return (
        name.role == "attribute"
        and above is not None
        and (above.parent is None or above.parent.type != "object")
        and above.type
        in {
            "method_definition", "public_field_definition", "field_definition", "property_signature",
            "method_signature", "abstract_method_signature",
        }
    )  # fmt: skip


def uses_of(program: Scripts, target: ScriptTarget, paths: Iterable[str]) -> list[Use]:
    """Return the places in these files that mean a thing; those of a member that may be another's are not sure."""
    files = [names for path in paths if (names := program.names(path)) is not None]
    if isinstance(target, ScriptMember):
        found = [use for names in files for use in _members(names, target)]
    else:
        found = [_use(target.names, name) for name in target.binding.places]
        if target.binding.scope is target.names.top:
            found += [use for names in files if names is not target.names for use in _elsewhere(program, target, names)]
    return sorted({(use.path, use.start): use for use in found}.values(), key=lambda use: (use.path, use.start))


def _use(names: Names, name: Name, *, sure: bool = True) -> Use:
    return Use(names.source.path, name.start, name.end, sure, name)


def _elsewhere(program: Scripts, target: ScriptVariable, names: Names) -> Iterator[Use]:
    path = names.source.path
    bindings = {id(name.binding): name.binding for name in names.all if name.binding and name.role == "bind"}
    for binding in bindings.values():
        origin = next((each for each in binding.origins if each.kind == "import"), None)
        if origin is None or origin.imported in {"*", "default"}:
            continue
        found = program.followed(names, binding)
        aliased = [name for name in names.all if name.role == "imported" and name.partner is binding]
        if found is None and origin.imported == target.name and _might_be(program, origin.module, path, target):
            yield from (_use(names, name, sure=False) for name in aliased or binding.places)
        if found is None or found[1] is not target.binding:
            continue
        if aliased:
            yield from (_use(names, name) for name in aliased if name.text == target.name)
        elif origin.imported == target.name:
            yield from (_use(names, name) for name in binding.places)
    for name in names.of(target.name):
        if name.role == "imported" and name.partner is None:
            outside = next((key for key, (_, there) in names.passes.items() if there == target.name), "")
            found = program.member(path, outside)
            if found and found[1] is target.binding:
                yield _use(names, name)
        elif name.role == "attribute":
            found = _of_namespace(program, names, name)
            if found and found[1] is target.binding:
                yield _use(names, name)


def _might_be(program: Scripts, module: str, importer: str, target: ScriptVariable) -> bool:
    """Return whether an import that leads nowhere known may mean the target's file after all."""
    if module.startswith(".") or program.find(module, importer):
        return False
    stem = posixpath.basename(target.names.source.path).partition(".")[0]
    last = module.rpartition("/")[2].partition(".")[0]
    return last == stem or (stem == "index" and last in target.names.source.path.split("/"))


def _of_namespace(program: Scripts, names: Names, name: Name) -> tuple[Names, Binding] | None:
    """Return what `ns.name` is where `ns` is all of a module."""
    above = name.node.parent
    holder = (part(above, "object") or part(above, "module")) if above is not None else None
    if holder is None or holder.type != "identifier":
        return None
    first = next((each for each in names.all if each.start == holder.start_byte), None)
    binding = first.binding if first else None
    origin = next((each for each in binding.origins if each.imported == "*"), None) if binding else None
    source = program.find(origin.module, names.source.path) if origin else ""
    return program.member(source, name.text) if source else None


def _members(names: Names, target: ScriptMember) -> Iterator[Use]:
    for name in names.of(target.name):
        if name.role == "bind" and name.binding is not None and is_field_parameter(name.binding):
            sure = names.source.path == target.path
            yield from (_use(names, place, sure=sure) for place in name.binding.places)
        if name.role == "attribute":
            above = name.node.parent
            holder = part(above, "object") if above is not None else None
            own = is_member_definition(name) or (holder is not None and holder.type == "this")
            private = target.name.startswith("#")
            yield _use(names, name, sure=private or (own and names.source.path == target.path))
        elif name.role == "key" or name.node.type.startswith("shorthand"):
            yield _use(names, name, sure=False)


def _strange_heritage(program: Scripts, names: Names, name: Name) -> str:
    """Return what from outside the class of a member is derived from or keeps to; that may want the name."""
    above = name.node.parent
    while above is not None and not above.type.endswith("class_declaration") and above.type != "class":
        above = above.parent
    listed = [each for each in above.named_children if each.type == "class_heritage"] if above is not None else []
    for heritage in listed:
        for each in names.all:
            if heritage.start_byte <= each.start < heritage.end_byte and each.role == "use":
                known = each.binding is not None and program.followed(names, each.binding) is not None
                if not known and not program.wanted:
                    return each.text
    return ""


def refuse_shared(program: Scripts, target: ScriptMember, paths: Iterable[str]) -> None:
    """Raise EditRefused where a member's name alone does not tell whose it is."""
    definitions: list[str] = []
    keys: list[str] = []
    for path in paths:
        names = program.names(path)
        for name in names.of(target.name) if names else ():
            where = names.source.where(name.start) if names else path
            method = name.node.parent is not None and name.node.parent.type == "method_definition"
            if is_member_definition(name):
                definitions.append(where)
                if names is not None and (strange := _strange_heritage(program, names, name)):
                    keys.append(f"{where}, whose class keeps to {strange}")
            elif name.role == "key" or name.node.type.startswith("shorthand") or method:
                keys.append(where)
    if target.name.startswith("#"):
        return
    why = ""
    if len(definitions) != 1:
        why = f"{len(definitions)} classes or interfaces define it: {', '.join(definitions[:8])}"
    elif keys:
        why = f"objects have such a key: {', '.join(keys[:8])}"
    elif target.name in _OWN:
        why = "things of the language and its libraries have it too"
    if why:
        raise EditRefused(
            f"whose `{target.name}` is meant cannot be told by its name: {why}; nothing was changed",
            hint="rename it by edit, checking each place",
        )
