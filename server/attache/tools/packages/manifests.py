"""What a project says it depends on: manifests and lock files of each ecosystem, read by a table."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from attache.tools.listing import glob


class Dependency(NamedTuple):
    """One dependency as a manifest names it."""

    name: str
    wanted: str = ""
    group: str = "main"


class Ecosystem(NamedTuple):
    """One row: the manifest by name, how to read it, and the lock files beside it that tell what is used."""

    name: str
    manifest: str
    """A glob over the file's name."""
    read: Callable[[str], Iterator[Dependency]]
    locks: tuple[tuple[str, Callable[[str], Mapping[str, str]]], ...] = ()


Data = dict[str, Any]
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*(?:@\s*)?([^;#]*)")


# ---------------------------------------------------------------- Python


def _requirement(line: str, group: str = "main") -> Iterator[Dependency]:
    match = _REQUIREMENT.match(line)
    if match:
        yield Dependency(match[1] + (match[2] or ""), match[3].partition(" --")[0].strip(), group)


def pyproject(text: str) -> Iterator[Dependency]:
    """Read PEP 621, PEP 735 and Poetry."""
    held = tomllib.loads(text)
    project: Data = held.get("project", {})
    for line in project.get("dependencies", ()):
        yield from _requirement(line)
    groups: Data = {**project.get("optional-dependencies", {}), **held.get("dependency-groups", {})}
    for group, lines in groups.items():
        for line in lines:
            if isinstance(line, str):  # a group may include another one
                yield from _requirement(line, group)
    poetry: Data = held.get("tool", {}).get("poetry", {})
    tables: Data = {"main": poetry.get("dependencies", {}), "dev": poetry.get("dev-dependencies", {})}
    tables |= {name: table.get("dependencies", {}) for name, table in poetry.get("group", {}).items()}
    for group, table in tables.items():
        yield from (Dependency(name, _version(value), group) for name, value in table.items() if name != "python")


def requirements(text: str) -> Iterator[Dependency]:
    """Read a requirements file; options and included files are left out."""
    for line in text.replace("\\\n", " ").split("\n"):
        if not line.lstrip().startswith(("-", "#")):
            yield from _requirement(line)


def _version(value: Any) -> str:
    if isinstance(value, dict):
        table = cast("Data", value)
        return str(next((table[key] for key in ("version", "path", "git", "url", "workspace") if key in table), ""))
    return str(value)


# ---------------------------------------------------------------- others


def package_json(text: str) -> Iterator[Dependency]:
    """Read npm's manifest."""
    held: Data = json.loads(text)
    groups = {
        "dependencies": "main",
        "devDependencies": "dev",
        "peerDependencies": "peer",
        "optionalDependencies": "optional",
    }
    for table, group in groups.items():
        yield from (Dependency(name, str(wanted), group) for name, wanted in held.get(table, {}).items())


def cargo(text: str) -> Iterator[Dependency]:
    """Read Cargo's manifest, its targets included."""
    held = tomllib.loads(text)
    tables: list[Data] = [held, *held.get("target", {}).values(), held.get("workspace", {})]
    for table in tables:
        for key, group in (("dependencies", "main"), ("dev-dependencies", "dev"), ("build-dependencies", "build")):
            yield from (Dependency(name, _version(value), group) for name, value in table.get(key, {}).items())


def go_mod(text: str) -> Iterator[Dependency]:
    """Read Go's manifest."""
    for match in re.finditer(r"^\s*(?:require\s+)?([\w.~-]+(?:/[\w.~-]+)+)\s+(v\S+)(.*)$", text, re.MULTILINE):
        yield Dependency(match[1], match[2], "indirect" if "// indirect" in match[3] else "main")


def gemfile(text: str) -> Iterator[Dependency]:
    """Read Bundler's manifest."""
    for match in re.finditer(r"^\s*gem\s+['\"]([^'\"]+)['\"](?:\s*,\s*['\"]([^'\"]+)['\"])?", text, re.MULTILINE):
        yield Dependency(match[1], match[2] or "")


def composer(text: str) -> Iterator[Dependency]:
    """Read Composer's manifest."""
    held: Data = json.loads(text)
    for table, group in (("require", "main"), ("require-dev", "dev")):
        yield from (Dependency(name, str(wanted), group) for name, wanted in held.get(table, {}).items() if "/" in name)


def pom(text: str) -> Iterator[Dependency]:
    """Read Maven's manifest."""
    for match in re.finditer(r"<dependency>(.*?)</dependency>", text, re.DOTALL):
        parts = dict(re.findall(r"<(groupId|artifactId|version|scope)>\s*([^<]*?)\s*</", match[1]))
        name = f"{parts.get('groupId', '')}:{parts.get('artifactId', '')}"
        yield Dependency(name, parts.get("version", ""), parts.get("scope", "main"))


def gradle(text: str) -> Iterator[Dependency]:
    """Read the coordinates in a Gradle script."""
    kinds = r"\w*(?:[Ii]mplementation|[Aa]pi|compileOnly|runtimeOnly|[Pp]rocessor|kapt|ksp)"
    form = rf"^\s*({kinds})\s*\(?\s*['\"]([^'\":]+:[^'\":]+)(?::([^'\"]+))?['\"]"
    for match in re.finditer(form, text, re.MULTILINE):
        yield Dependency(match[2], match[3] or "", "test" if match[1].startswith("test") else "main")


def csproj(text: str) -> Iterator[Dependency]:
    """Read the packages of a .NET project."""
    for match in re.finditer(r"<PackageReference\s+([^>]*?)/?>", text):
        parts = dict(re.findall(r"(Include|Version)=\"([^\"]*)\"", match[1]))
        if "Include" in parts:
            yield Dependency(parts["Include"], parts.get("Version", ""))


# ---------------------------------------------------------------- locks


def _toml_lock(text: str) -> Mapping[str, str]:
    packages: list[Data] = tomllib.loads(text).get("package", [])
    return {_key(str(each["name"])): str(each.get("version", "")) for each in packages if "name" in each}


def _npm_lock(text: str) -> Mapping[str, str]:
    held: Data = json.loads(text)
    packages: Data = held.get("packages") or held.get("dependencies") or {}
    return {
        _key(path.removeprefix("node_modules/")): str(each.get("version", ""))
        for path, each in packages.items()
        if path and "/node_modules/" not in path
    }


def _yarn_lock(text: str) -> Mapping[str, str]:
    form = r"^\"?((?:@[^/\"]+/)?[^@\"\n]+)@[^\n]*:\n\s+version:?\s+\"?([^\"\n]+)"
    return {_key(match[1]): match[2] for match in re.finditer(form, text, re.MULTILINE)}


def _gem_lock(text: str) -> Mapping[str, str]:
    return {_key(match[1]): match[2] for match in re.finditer(r"^ {4}(\S+) \(([^)]+)\)$", text, re.MULTILINE)}


def _composer_lock(text: str) -> Mapping[str, str]:
    held: Data = json.loads(text)
    packages: list[Data] = [*held.get("packages", ()), *held.get("packages-dev", ())]
    return {_key(str(each.get("name", ""))): str(each.get("version", "")) for each in packages}


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def locked(locks: Mapping[str, str], name: str) -> str:
    """Return the version that a lock file names, "" where it does not."""
    return locks.get(_key(name), "")


_JS_LOCKS = (("package-lock.json", _npm_lock), ("yarn.lock", _yarn_lock))
ECOSYSTEMS = (
    Ecosystem("python", "pyproject.toml", pyproject, (("uv.lock", _toml_lock), ("poetry.lock", _toml_lock))),
    Ecosystem("python", "*requirements*.txt", requirements),
    Ecosystem("node", "package.json", package_json, _JS_LOCKS),
    Ecosystem("rust", "Cargo.toml", cargo, (("Cargo.lock", _toml_lock),)),
    Ecosystem("go", "go.mod", go_mod),
    Ecosystem("ruby", "Gemfile", gemfile, (("Gemfile.lock", _gem_lock),)),
    Ecosystem("php", "composer.json", composer, (("composer.lock", _composer_lock),)),
    Ecosystem("java", "pom.xml", pom),
    Ecosystem("java", "build.gradle{,.kts}", gradle),
    Ecosystem("dotnet", "*.csproj", csproj),
)


def ecosystem(path: str) -> Ecosystem | None:
    """Return the row that reads a file, None where it is no manifest."""
    return next((each for each in ECOSYSTEMS if glob(each.manifest).fullmatch(path)), None)
