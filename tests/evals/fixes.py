"""Plant faults in real code, let real checkers find them, cure them by the `fix` tool, and count what came of it.

`python tests/evals/fixes.py [checker …]` prints the table and writes it beside this file, `fixes.tsv`, when all ran.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from attache.agent.open import open_resources
from attache.foundation.ids import new_id
from attache.foundation.settings import load
from attache.schema.data import ChangeSetId
from attache.schema.documents import Diagnostic
from attache.schema.edits import ChangeSet, FileChange, Landed
from attache.schema.errors import AttacheError
from attache.tools.tool import Context, Tools
from evals.checkers import CHECKERS, FILE_BYTES, Checker, Found

INDEX_SECONDS = 60.0
COUNT = 130
"""Faults for each checker: more than 200 findings in all."""
Sort = tuple[str, str, str]
"""Path, code and message of a finding: its line may move."""


@dataclass(slots=True)
class Tally:
    """What came of the faults of one checker, by the sort of fault."""

    checker: str
    planted: Counter[str] = field(default_factory=Counter[str])
    found: Counter[str] = field(default_factory=Counter[str])
    """Findings that the faults brought."""
    fixed: Counter[str] = field(default_factory=Counter[str])
    """Of those, gone after `fix FILE`."""
    picked: Counter[str] = field(default_factory=Counter[str])
    """Gone after `fix FILE:LINE`, as when a person picks the quick fix of a finding."""
    worse: list[str] = field(default_factory=list[str])
    """Files with more findings after the cures than before, those of the text without the fault left out."""
    left: list[str] = field(default_factory=list[str])

    def line(self) -> str:
        """Return the sums in one line."""
        found, fixed, picked = self.found.total(), self.fixed.total(), self.picked.total()
        share = 100 * (fixed + picked) // max(found, 1)
        return (
            f"{self.checker}: {self.planted.total()} faults, {found} findings; {fixed} fixed by file, {picked} more by "
            f"line ({share} %), {found - fixed - picked} left, {len(self.worse)} files worse"
        )


def planted(folder: Path, checker: Checker, count: int, chance: random.Random) -> dict[str, tuple[str, str]]:
    """Plant faults, at most one a file, all sorts alike; return the sort and the text before, by path."""
    paths = sorted(path for path in folder.rglob(f"*{checker.suffix}") if path.stat().st_size < FILE_BYTES)
    chance.shuffle(paths)
    made: dict[str, tuple[str, str]] = {}
    used = Counter[str]()
    for path in paths:
        text = path.read_text("utf-8")
        for fault in sorted(checker.plants, key=lambda name: (used[name], chance.random())):
            faulty = checker.plants[fault](text, chance)
            if faulty is not None and faulty != text:
                path.write_text(faulty, "utf-8")
                made[path.relative_to(folder).as_posix()] = (fault, text)
                used[fault] += 1
                break
        if len(made) == count:
            break
    return made


@asynccontextmanager
async def desk(folder: Path, home: Path, told: dict[str, Found]) -> AsyncIterator[Context]:
    """Yield what tools are given in a folder, its index included; `told` is what the editor's servers say."""
    settings = load(folder, environ={"ATTACHE_HOME": str(home), "HOME": str(home)})

    async def findings(path: str) -> tuple[Diagnostic, ...]:
        return tuple(told.get(path, ()))

    async with open_resources(settings, folder, findings=findings) as resources:

        async def land(title: str, files: Sequence[FileChange]) -> Landed:
            return await resources.workspace.land(
                ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=tuple(files))
            )

        await resources.index.ready(INDEX_SECONDS)
        yield Context(
            workspace=resources.workspace, settings=settings, land=land, index=resources.index, findings=findings
        )


async def measure(checker: Checker, count: int, seed: int, work: Path) -> Tally:
    """Plant about `count` faults for one checker and cure them. Raises LookupError where it is missing."""
    tally, chance = Tally(checker.name), random.Random(seed)
    folder, told = work / "code", dict[str, Found]()
    folder.mkdir()
    checker.copy(folder)
    clean = _sorts(checker.check(folder))
    done = 0
    async with desk(folder, work / "home", told) as ctx:
        while done < count:
            made = planted(folder, checker, min(checker.at_once, count - done), chance)
            done += len(made)
            await _cure(ctx, checker, folder, made, clean, tally, told)
            for path, (_, text) in made.items():
                (folder / path).write_text(text, "utf-8")
            if checker.at_once >= count or not made:
                break
    return tally


async def _cure(
    ctx: Context,
    checker: Checker,
    folder: Path,
    made: dict[str, tuple[str, str]],
    clean: Counter[Sort],
    tally: Tally,
    told: dict[str, Found],
) -> None:
    before = checker.check(folder)
    _tell(told, before)
    for path in {each.place.path for each in before} & set(made):
        await _fix(ctx, path)
    middle = checker.check(folder)
    _tell(told, middle)
    fresh = _sorts(middle) - clean
    for each in sorted(middle, key=lambda one: -one.place.line):  # from below: what is above keeps its line
        if fresh[_sort(each)] and each.place.path in made:
            await _fix(ctx, each.place.path, line=each.place.line, codes=[each.code])
    after = checker.check(folder)
    brought, still, last = (_sorts(found) - clean for found in (before, middle, after))
    faults = {path: fault for path, (fault, _) in made.items()}
    tally.planted.update(faults.values())
    for sort, number in brought.items():
        fault = faults.get(sort[0])
        if fault is None:
            continue  # what a fault brings in other files goes with it
        tally.found[fault] += number
        tally.fixed[fault] += number - min(number, still[sort])
        tally.picked[fault] += max(0, min(number, still[sort]) - min(number, last[sort]))
    tally.left += [f"{faults[path]}: {path}: {code} {message}" for path, code, message in last if path in faults]
    for later in (still, last):
        counts, were = (Counter(path for path, _, _ in found.elements()) for found in (later, brought))
        tally.worse += [
            f"{path} ({faults.get(path)}): {[sort for sort in later - brought if sort[0] == path]}"
            for path in counts
            if counts[path] > were[path]
        ]


def _tell(told: dict[str, Found], found: Found) -> None:
    told.clear()
    for each in found:
        told.setdefault(each.place.path, []).append(each)


async def _fix(ctx: Context, path: str, **more: object) -> None:
    tool = _TOOLS.find("fix")
    try:
        await tool.call(ctx, tool.validate({"path": path, **more}))
    except AttacheError as error:
        print(f"  refused: {error.message}")


_TOOLS = Tools.discover()


def _sort(each: Diagnostic) -> Sort:
    return each.place.path, each.code, each.message


def _sorts(found: Found) -> Counter[Sort]:
    return Counter(map(_sort, found))


async def measured(names: Sequence[str], count: int, seed: int = 7) -> tuple[list[Tally], list[str]]:
    """Return what came of each checker, and why some could not be asked."""
    tallies: list[Tally] = []
    missing: list[str] = []
    for checker in CHECKERS:
        if names and checker.name.partition(" ")[0] not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                tallies.append(await measure(checker, count, seed, Path(folder).resolve()))
            except LookupError as error:
                missing.append(f"{checker.name}: {error}")
    return tallies, missing


def table(tallies: Sequence[Tally]) -> str:
    """Return the counts, a line a sort of fault."""
    rows = [
        f"{tally.checker}\t{fault}\t{tally.planted[fault]}\t{tally.found[fault]}\t{tally.fixed[fault]}\t"
        f"{tally.picked[fault]}\t{tally.found[fault] - tally.fixed[fault] - tally.picked[fault]}"
        for tally in tallies
        for fault in sorted(tally.found | tally.planted)
    ]
    sums = [f"# {tally.line()}" for tally in tallies]
    return "\n".join([*sums, "checker\tfault\tplanted\tfindings\tfixed by file\tmore by line\tleft", *rows, ""])


def main() -> None:
    tallies, missing = asyncio.run(measured(sys.argv[1:], COUNT))
    made = table(tallies)
    print(made)
    for tally in tallies:
        print(*sorted(tally.left), sep="\n")
        print(*(f"WORSE {each}" for each in tally.worse), sep="\n")
    print(*missing, sep="\n")
    if not sys.argv[1:]:
        (Path(__file__).parent / "fixes.tsv").write_text(made, "utf-8")


if __name__ == "__main__":
    main()
