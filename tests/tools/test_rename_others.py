"""Renaming in JavaScript, TypeScript, Go, Rust and Java: by scopes where they are known, else by a single definition."""

from __future__ import annotations

import pytest

from attache.schema.errors import EditRefused, InvalidArguments

SHAPES = """export function area(w: number, h: number): number {
  const size = w * h; // area
  return size;
}
export const scale = 2;
export class Box {
  #inner = 1;
  width = 1;
  grow(size: number) {
    const width = size;
    this.width = width;
    this.#inner += area(size, 1);
    return { size, width };
  }
}
export interface Drawn { box: Box }
"""
APP = """import { area, Box as B, type Drawn } from "./shapes";
import * as shapes from "./shapes.js";
export { area as surface } from "./shapes";
export { scale } from "./shapes";

const area2 = area(1, 2) + shapes.area(3, 4);
function other(area: number) { return { area }; }
const { size } = new B().grow(1);
const text = `area ${area(1, 1)}`;
"""


@pytest.fixture
def shapes(desk):
    desk.write("src/shapes.ts", SHAPES)
    desk.write("src/app.ts", APP)
    desk.write(
        "src/view.tsx",
        'import { Box } from "@/shapes";\nimport { surface } from "./app";\nexport const V = () => <Box area={surface(1, 2)}>{1}</Box>;\n',
    )
    return desk


async def test_an_exported_function(shapes) -> None:
    output = await shapes.call("rename", path="src/shapes.ts", line=1, new_name="surfaceOf")
    app = shapes.text("src/app.ts")
    assert app.splitlines()[0] == 'import { surfaceOf, Box as B, type Drawn } from "./shapes";'
    assert 'export { surfaceOf as surface } from "./shapes";' in app
    assert "const area2 = surfaceOf(1, 2) + shapes.surfaceOf(3, 4);" in app
    assert "function other(area: number) { return { area }; }" in app
    assert "`area ${surfaceOf(1, 1)}`" in app
    assert "this.#inner += surfaceOf(size, 1);" in shapes.text("src/shapes.ts")
    assert "// area" in shapes.text("src/shapes.ts")
    assert "still say `area`: src/shapes.ts:2" in output.text


async def test_locals_and_shorthands_keep_their_keys(shapes) -> None:
    await shapes.call("rename", path="src/shapes.ts", line=9, name="size", new_name="by")
    text = shapes.text("src/shapes.ts")
    assert "grow(by: number) {\n    const width = by;" in text
    assert "return { size: by, width };" in text
    assert "const size = w * h;" in text
    await shapes.call("rename", path="src/app.ts", line=8, name="size", new_name="grown")
    assert "const { size: grown } = new B()" in shapes.text("src/app.ts")


async def test_classes_and_what_is_offered_again(shapes) -> None:
    await shapes.call("rename", path="src/shapes.ts", line=6, new_name="Crate")
    assert "Crate as B" in shapes.text("src/app.ts")
    assert shapes.text("src/view.tsx").startswith('import { Crate } from "@/shapes";')
    assert "<Crate area={surface(1, 2)}>{1}</Crate>" in shapes.text("src/view.tsx")
    assert "interface Drawn { box: Crate }" in shapes.text("src/shapes.ts")
    await shapes.call("rename", path="src/shapes.ts", line=5, new_name="factor")
    assert 'export { factor } from "./shapes";' in shapes.text("src/app.ts")


async def test_members_only_where_their_name_tells(shapes) -> None:
    await shapes.call("rename", path="src/shapes.ts", line=7, name="#inner", new_name="#core")
    assert "this.#core += area" in shapes.text("src/shapes.ts")
    with pytest.raises(EditRefused, match="objects have such a key"):
        await shapes.call("rename", path="src/shapes.ts", line=8, name="width", new_name="breadth")
    output = await shapes.call("rename", path="src/shapes.ts", line=9, name="grow", new_name="enlarge")
    assert "new B().enlarge(1)" in shapes.text("src/app.ts")
    assert "by the name alone" in output.text


async def test_parameters_that_are_fields_and_members_that_others_want(desk) -> None:
    desk.write(
        "a.ts",
        'import { Tool } from "vendor";\nclass Pen {\n  constructor(private readonly ink: number) { print(ink); }\n  left() { return this.ink; }\n}\nclass Own implements Tool { invokeIt() {} }\nconst tool: Tool = { invokeMe() { return 1; } };\n',
    )
    await desk.call("rename", path="a.ts", line=3, name="ink", new_name="fill")
    assert "constructor(private readonly fill: number) { print(fill); }\n  left() { return this.fill; }" in desk.text(
        "a.ts"
    )
    with pytest.raises(EditRefused, match="keeps to Tool"):
        await desk.call("rename", path="a.ts", line=6, name="invokeIt", new_name="call")
    with pytest.raises(EditRefused, match="cannot be told by its name"):
        await desk.call("rename", path="a.ts", line=7, name="invokeMe", new_name="call")


@pytest.mark.parametrize(
    ("line", "name", "new", "why"),
    [
        (10, "width", "size", "would mean something else"),
        (1, "area", "scale", "would mean something else"),
        (1, "nothing", "x", "there is no `nothing`"),
    ],
)
async def test_what_would_change_a_meaning_is_refused(shapes, line: int, name: str, new: str, why: str) -> None:
    with pytest.raises(EditRefused, match=why):
        await shapes.call("rename", path="src/shapes.ts", line=line, name=name, new_name=new)
    assert shapes.text("src/shapes.ts") == SHAPES
    with pytest.raises(InvalidArguments, match="no name there"):
        await shapes.call("rename", path="src/shapes.ts", line=1, new_name="class")


GO = """package bank

// Retry tries again.
func Retry(count int) int {
	total := count
	for i := 0; i < count; i++ {
		total += i
	}
	return total
}

func use() int { return Retry(3) }
"""


async def test_go_by_a_single_definition_and_locals_by_their_function(desk) -> None:
    desk.write("bank.go", GO)
    desk.write("cmd/main.go", 'package main\n\nimport "x/bank"\n\nfunc main() { println("Retry", bank.Retry(2)) }\n')
    with pytest.raises(EditRefused, match=r"behind a dot cannot be told at cmd/main\.go:5"):
        await desk.call("rename", path="bank.go", line=4, new_name="Again")
    await desk.call("rename", path="bank.go", line=4, new_name="Again", unsure="rename")
    assert 'println("Retry", bank.Again(2))' in desk.text("cmd/main.go")
    assert "func use() int { return Again(3) }" in desk.text("bank.go")
    assert "// Retry tries" in desk.text("bank.go")
    await desk.call("rename", path="bank.go", line=5, name="total", new_name="sum")
    assert "sum := count" in desk.text("bank.go")
    assert "total" not in desk.text("bank.go")
    with pytest.raises(EditRefused, match="is a name in this function already"):
        await desk.call("rename", path="bank.go", line=5, name="sum", new_name="count")
    with pytest.raises(EditRefused, match="first letter"):
        await desk.call("rename", path="bank.go", line=4, new_name="again", unsure="rename")


async def test_rust_and_java_locals(desk) -> None:
    desk.write(
        "a.rs", 'fn f(n: u32) -> u32 {\n    let m = n + 1;\n    m * m\n}\nfn g() { let n = 1; println!("{n}"); }\n'
    )
    await desk.call("rename", path="a.rs", line=2, name="m", new_name="next")
    assert "let next = n + 1;\n    next * next" in desk.text("a.rs")
    with pytest.raises(EditRefused, match="a string may name `n`"):
        await desk.call("rename", path="a.rs", line=5, name="n", new_name="k")
    desk.write(
        "A.java", "class A {\n  int n;\n  int f(int n) { int k = n + this.n; return k; }\n  int g() { return n; }\n}\n"
    )
    await desk.call("rename", path="A.java", line=3, name="k", new_name="sum")
    assert "int sum = n + this.n; return sum;" in desk.text("A.java")
    await desk.call("rename", path="A.java", line=3, name="n", new_name="by")
    assert "int f(int by) { int sum = by + this.n; return sum; }" in desk.text("A.java")
    assert "return n; }" in desk.text("A.java")


async def test_files_without_a_grammar_are_refused(desk) -> None:
    desk.write("a.txt", "x\n")
    with pytest.raises(EditRefused, match="no grammar here reads"):
        await desk.call("rename", path="a.txt", line=1, new_name="y")
