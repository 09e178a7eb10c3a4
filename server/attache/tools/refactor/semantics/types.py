"""What a Python expression is, as far as assignments, annotations, imports and constructors tell: never a guess."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attache.tools.refactor.semantics.containers import item, narrowed, of_lambda, subscripted, unpacked
from attache.tools.refactor.semantics.idioms import ANYTHING, LITERALS, PASSING, PLAIN, WRAPPERS, decorators, is_stored
from attache.tools.refactor.semantics.modules import Module
from attache.tools.refactor.semantics.names import Binding, Name, Names, Origin, Scope, looked_up
from attache.tools.refactor.semantics.program import (
    DEPTH,
    NOTHING,
    Class,
    Files,
    Foreign,
    Function,
    Instance,
    Value,
    same,
)
from attache.tools.refactor.semantics.source import field as part

if TYPE_CHECKING:
    from tree_sitter import Node


class Program(Files):
    """A Python program, and what its expressions are."""

    # ------------------------------------------------------------ expressions

    def value(self, names: Names, node: Node, scope: Scope, depth: int = 0) -> Value | None:
        """Return what an expression is; None where that cannot be told."""
        if depth > DEPTH:
            return None
        say = names.source.say
        match node.type:
            case "identifier":
                found = self._named(names, say(node), scope, depth)
                return found if found is not None else narrowed(self, names, node, scope, depth + 1)
            case "attribute":
                owner, name = part(node, "object"), part(node, "attribute")
                base = self.value(names, owner, scope, depth + 1) if owner is not None else None
                return self.attribute(base, say(name), depth + 1) if base is not None and name is not None else None
            case "call":
                return self._called(names, node, scope, depth + 1)
            case "parenthesized_expression" | "await" | "named_expression":
                inner = part(node, "value") or (node.named_children[-1] if node.named_children else None)
                return self.value(names, inner, scope, depth + 1) if inner is not None else None
            case "conditional_expression":
                return same(self.value(names, each, scope, depth + 1) for each in node.named_children[::2])
            case "boolean_operator":
                return same(
                    self.value(names, each, scope, depth + 1) for each in node.named_children if each.type != "none"
                )
            case "subscript":
                return subscripted(self, names, part(node, "value"), scope, depth + 1)
            case kind if kind in LITERALS:
                return Foreign()
            case _:
                return None

    def holder(self, names: Names, name: Name) -> Value | None:
        """Return what `x` is in `x.name`, in a pattern of `match` too."""
        above = name.node.parent
        if above is None:
            return None
        if above.type != "dotted_name":
            owner = part(above, "object")
            return self.value(names, owner, name.scope) if owner is not None else None
        first, *rest = above.named_children
        value = self.value(names, first, name.scope)
        for each in rest:
            if each.start_byte == name.start:
                return value
            value = self.attribute(value, names.source.say(each)) if value is not None else None
        return None

    def _named(self, names: Names, text: str, scope: Scope, depth: int) -> Value | None:
        binding = looked_up(scope, text, past_classes=True)
        if binding is None:
            for star in names.stars:
                module = self.modules.find(star, names.source.path)
                found = self.member(module, text) if module else None
                if isinstance(found, tuple):
                    return self.of_binding(*found, depth + 1)
            return Foreign(text, "thing") if hasattr(builtins, text) else None
        return self.of_binding(names, binding, depth + 1)

    def of_binding(self, names: Names, binding: Binding, depth: int = 0) -> Value | None:
        """Return what a name is bound to."""
        if depth > DEPTH:
            return None
        imports = [origin for origin in binding.origins if origin.kind == "import"]
        if len(imports) > 1:
            return same(self._of_import(names, binding, origin, depth + 1) for origin in imports)
        found = self.followed(names, binding, depth)
        if not isinstance(found, tuple):
            return found
        names, binding = found
        return same(self._of_origin(names, binding, origin, depth + 1) for origin in binding.origins)

    def _of_import(self, names: Names, binding: Binding, origin: Origin, depth: int) -> Value | None:
        found = self.imported(names, binding, origin, depth)
        if not isinstance(found, tuple):
            return found
        return self.of_binding(*found, depth + 1) if found[1] is not binding else None

    def _of_origin(self, names: Names, binding: Binding, origin: Origin, depth: int) -> Value | None:
        path, node, scope = names.source.path, origin.node, binding.scope
        match origin.kind:
            case "class":
                return Class(path, node.start_byte, binding.name, node)
            case "function":
                return Function(path, node.start_byte, binding.name, node)
            case "parameter":
                if (own := self._receiver(names, origin, scope)) is not None:
                    return own
                if node.type.endswith("splat_pattern"):
                    return Foreign()
                if scope.node.type == "lambda":
                    return of_lambda(self, names, scope, depth)
                return self.annotated(names, origin.annotation, scope, depth) if origin.annotation is not None else None
            case "variable":
                return self._assigned(names, origin, binding.name, scope, depth)
            case _:
                return None

    def _receiver(self, names: Names, origin: Origin, scope: Scope) -> Value | None:
        """Return the class or instance that `self` and `cls` are."""
        function = scope.node
        outer = scope.parent
        parameters = part(function, "parameters")
        if outer is None or outer.kind != "class" or parameters is None or function.type != "function_definition":
            return None
        if not parameters.named_children or parameters.named_children[0].start_byte != origin.node.start_byte:
            return None
        marks = decorators(names, function)
        if "staticmethod" in marks:
            return None
        owner = self.class_at(names, outer)
        said = names.source.say(part(function, "name") or function)
        if "classmethod" in marks or said in {"__new__", "__init_subclass__", "__class_getitem__"}:
            return owner
        return Instance(owner)

    def class_at(self, names: Names, scope: Scope) -> Class:
        """Return the class that a class scope belongs to."""
        node = scope.node
        return Class(names.source.path, node.start_byte, names.source.say(part(node, "name") or node), node)

    def _assigned(self, names: Names, origin: Origin, name: str, scope: Scope, depth: int) -> Value | None:
        node = origin.node
        if origin.annotation is not None:
            return self.annotated(names, origin.annotation, scope, depth)
        if node.type in {"assignment", "named_expression"} and origin.value is not None:
            return self.value(names, origin.value, scope, depth + 1) if origin.value.type != "none" else NOTHING
        if node.type in {"for_statement", "for_in_clause"}:
            left = part(node, "left")
            if left is not None and left.type == "identifier":
                return item(self, names, part(node, "right"), scope, depth + 1)
            return unpacked(self, names, origin, name, scope, depth)
        if node.type == "assignment":
            return unpacked(self, names, origin, name, scope, depth)
        if node.type == "as_pattern" and node.named_children[0].type == "case_pattern":
            return self._matched(names, node.named_children[0], scope, depth)
        if node.type == "as_pattern" and node.parent is not None:
            first = self.value(names, node.named_children[0], scope, depth + 1)
            if node.parent.type == "except_clause":
                return Instance(first) if isinstance(first, Class) else first if isinstance(first, Foreign) else None
            return self._entered(first, depth)
        return None

    def _matched(self, names: Names, pattern: Node, scope: Scope, depth: int) -> Value | None:
        """Return what `case X() as name` binds."""
        inner = pattern.named_children[0] if pattern.named_children else None
        head = inner.named_children[0] if inner is not None and inner.type == "class_pattern" else None
        if head is None or len(head.named_children) != 1:
            return None
        return _instance(self._named(names, names.source.say(head), scope, depth + 1))

    def _entered(self, value: Value | None, depth: int) -> Value | None:
        """Return what `with value as x` binds."""
        if not isinstance(value, Instance):
            return value if isinstance(value, Foreign) else None
        for name in ("__enter__", "__aenter__"):
            for owner, binding in self.found_in(value.of, name):
                method = self.of_binding(owner, binding, depth)
                if isinstance(method, Function):
                    said = owner.source.say(method.node)
                    return self._returned(method, depth) or (value if "return self" in said else None)
        return None

    def _called(self, names: Names, node: Node, scope: Scope, depth: int) -> Value | None:
        function = part(node, "function")
        if function is None:
            return None
        if names.source.say(function) == "super":
            inside = scope.around("class")
            bases = self.bases(self.class_at(names, inside)) if inside else iter(())
            return _instance(next(bases, None))
        called = self.value(names, function, scope, depth)
        match called:
            case Class():
                return Instance(called)
            case Function():
                return self._returned(called, depth)
            case Foreign(name=name, sort="thing"):
                last, first = name.rpartition(".")[2], name.partition(".")[0]
                known = (
                    last in PLAIN
                    or (last[:1].isupper() and last != "Mock")
                    or (first in sys.stdlib_module_names and first not in PASSING)
                )
                return Foreign() if known else None
            case _:
                return None

    def _returned(self, function: Function, depth: int) -> Value | None:
        names = self.names(function.path)
        kind = part(function.node, "return_type")
        scope = self.scope(names, function.node) if names else None
        if names is None or kind is None or scope is None:
            return None
        return self.annotated(names, kind, scope, depth + 1)

    # ------------------------------------------------------------ annotations

    def annotated(self, names: Names, node: Node, scope: Scope, depth: int = 0) -> Value | None:
        """Return what something of this type is."""
        if depth > DEPTH:
            return None
        say = names.source.say
        match node.type:
            case "type":
                return self.annotated(names, node.named_children[0], scope, depth + 1) if node.named_children else None
            case "identifier" | "attribute":
                said = say(node).rpartition(".")[2]
                if said == "Self" and (inside := scope.around("class")):
                    return Instance(self.class_at(names, inside))
                return _instance(self.value(names, node, scope, depth + 1)) if said not in ANYTHING else None
            case "string":
                first, *rest = say(node).strip("\"'").partition("[")[0].split(".")
                value = self._named(names, first, scope, depth + 1) if first.isidentifier() else None
                for each in rest:
                    value = self.attribute(value, each, depth + 1) if value is not None else None
                return _instance(value) if [first, *rest][-1] not in ANYTHING else None
            case "none":
                return NOTHING
            case "generic_type" | "subscript":
                return self._generic(names, node, scope, depth + 1)
            case "binary_operator" | "union_type":
                return same(self.annotated(names, each, scope, depth + 1) for each in node.named_children)
            case _:
                return None

    def _generic(self, names: Names, node: Node, scope: Scope, depth: int) -> Value | None:
        head, *arguments = node.named_children
        said = names.source.say(head).rpartition(".")[2]
        if arguments and arguments[0].type == "type_parameter":
            arguments = arguments[0].named_children
        if said in WRAPPERS and arguments:
            return self.annotated(names, arguments[0], scope, depth)
        if said == "Union":
            return same(self.annotated(names, each, scope, depth) for each in arguments)
        if said in {"type", "Type"} and arguments:
            inner = self.annotated(names, arguments[0], scope, depth)
            return inner.of if isinstance(inner, Instance) else None
        value = self.value(names, head, scope, depth)
        return _instance(value)

    # ------------------------------------------------------------ members

    def attribute(self, base: Value, name: str, depth: int = 0) -> Value | None:
        """Return what `base.name` is."""
        match base:
            case Module():
                found = self.member(base, name)
                if isinstance(found, tuple):
                    return self.of_binding(*found, depth + 1)
                return found
            case Class() | Instance():
                owner = base.of if isinstance(base, Instance) else base
                values = [
                    self._member_value(names, binding, depth + 1) for names, binding in self.found_in(owner, name)
                ]
                if values:
                    return values[0]
                return self._set_on_self(owner, name, depth + 1)
            case Foreign(name=whole, sort=sort) if sort != "value":
                return Foreign(f"{whole}.{name}", "thing")
            case _:
                return None

    def _member_value(self, names: Names, binding: Binding, depth: int) -> Value | None:
        value = self.of_binding(names, binding, depth)
        if isinstance(value, Function):
            marks = decorators(names, value.node)
            if marks & {"property", "cached_property"}:
                return self._returned(value, depth)
            bound = "staticmethod" not in marks
            return Function(value.path, value.start, value.name, value.node, bound)
        return value

    def _set_on_self(self, owner: Class, name: str, depth: int) -> Value | None:
        if depth > DEPTH:
            return None
        values: list[Value | None] = []
        for each in self.line_of(owner):
            names = self.names(each.path)
            for place in self.stores(each, name) if names else ():
                statement = place.node.parent.parent if place.node.parent else None
                if names and statement is not None and statement.type == "assignment":
                    kind, value = part(statement, "type"), part(statement, "right")
                    if kind is not None:
                        return self.annotated(names, kind, place.scope, depth)
                    if value is not None and value.type != "none":
                        values.append(self.value(names, value, place.scope, depth + 1))
        return same(iter(values))

    def stores(self, owner: Class, name: str = "") -> Iterator[Name]:
        """Yield the places in a class's own methods that assign to `self.name`, or to any attribute of `self`."""
        names = self.names(owner.path)
        for place in names.all if names else ():
            if place.role != "attribute" or (name and place.text != name) or not is_stored(place.node):
                continue
            holder = part(place.node.parent, "object") if place.node.parent else None
            if names is None or holder is None or holder.type != "identifier":
                continue
            binding = looked_up(place.scope, names.source.say(holder), past_classes=True)
            for origin in binding.origins if binding else ():
                if binding and origin.kind == "parameter":
                    value = self._receiver(names, origin, binding.scope)
                    if value in (owner, Instance(owner)):
                        yield place

    def bases(self, owner: Class) -> Iterator[Value | None]:
        """Yield what a class is derived from; None for what cannot be told."""
        names = self.names(owner.path)
        scope = self.scope(names, owner.node) if names else None
        listed = part(owner.node, "superclasses")
        outer = scope.parent if scope and scope.parent else names.top if names else None
        for each in listed.named_children if listed is not None and names and outer else ():
            if each.type in {"keyword_argument", "comment"}:
                continue
            head = part(each, "value") if each.type == "subscript" else each
            if names and outer and head is not None:
                yield self.value(names, head, outer)

    def line_of(self, owner: Class) -> list[Class]:
        """Return a class and those of the workspace that it is derived from, nearest first."""
        found, waiting = [owner], [owner]
        while waiting:
            for base in self.bases(waiting.pop(0)):
                if isinstance(base, Class) and base not in found:
                    found.append(base)
                    waiting.append(base)
        return found

    def strange_bases(self, owner: Class) -> list[str]:
        """Return what a class is derived from beyond the workspace, or what cannot be told, by name."""
        found: list[str] = []
        for each in self.line_of(owner):
            for base in self.bases(each):
                if isinstance(base, Foreign):
                    found.append(base.name)
                elif base is None:
                    found.append("")
        return found

    def found_in(self, owner: Class, name: str) -> Iterator[tuple[Names, Binding]]:
        """Yield the definitions of a member in the bodies of a class and its bases, nearest first."""
        for each in self.line_of(owner):
            names = self.names(each.path)
            scope = self.scope(names, each.node) if names else None
            if names and scope and (binding := scope.bindings.get(name)):
                yield names, binding

    def owners(self, owner: Class, name: str) -> list[Class]:
        """Return the classes, among a class and its bases, that define a member, nearest first."""
        found: list[Class] = []
        for each in self.line_of(owner):
            names = self.names(each.path)
            scope = self.scope(names, each.node) if names else None
            if (scope and name in scope.bindings) or next(self.stores(each, name), None):
                found.append(each)
        return found


def _instance(value: Value | None) -> Value | None:
    if isinstance(value, Class):
        return Instance(value)
    return Foreign() if isinstance(value, Foreign) else None
