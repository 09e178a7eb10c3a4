"""`attache demo`: the main job as a film, played by a real LSP client on the real server; nothing in it is staged."""

from __future__ import annotations

import asyncio
import difflib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from attache.agent.open import check_home
from attache.faces.cli.editor import Editor, Json
from attache.faces.cli.main import app
from attache.faces.cli.options import settings_for
from attache.faces.cli.render import visible
from attache.foundation.jsonrpc import RpcError
from attache.providers.catalog import Catalog
from attache.schema.errors import AttacheError

SAMPLE = Path(__file__).parent / "sample"
CART, DISCOUNTS = "shop/cart.py", "shop/discounts.py"
DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}
TYPED = '''
    def receipt(self):
        """Return the cart as text for a till."""
        return json.dumps(self.items, indent=2)
'''


class Film:
    """The scenes, in order; each shows what happened, never what should have."""

    def __init__(self, editor: Editor, console: Console) -> None:
        """Play on `editor`, tell on `console`."""
        self.editor = editor
        self.console = console
        self.session = ""
        self.went_wrong = False
        self._said: list[str] = []
        editor.on_update = self._update
        editor.on_permission = self._permission

    def scene(self, title: str) -> None:
        """Begin a scene."""
        self.console.print()
        self.console.print(Text(f"── {title} ", style="bold"))

    def say(self, text: str, style: str = "") -> None:
        """Print a line; a red one says that the film is not as it should be."""
        self.went_wrong |= style == "red"
        self.console.print(Text(visible(text), style=style), soft_wrap=True)

    # ------------------------------------------------------------ scenes

    async def typing(self) -> None:
        """Type into an open file and do not save it."""
        self.scene(f"you type in {CART}, and do not save")
        opened = await self.editor.open(CART)
        await self.editor.open(DISCOUNTS)
        before = opened.document.text
        await self.editor.type(CART, opened.document.line_count - 1, TYPED)
        self._diff(before, opened.document.text, CART)

    async def asking(self) -> None:
        """Ask about the code."""
        question = "where do we retry failed requests?"
        self.scene(f"you ask: {question}")
        answer: Json = await self.editor.ask("attache/session/new", {"cwd": str(self.editor.folder), "mcpServers": []})
        self.session = answer["sessionId"]
        await self._prompt(question)

    async def quick_fix(self) -> None:
        """Pick a quick fix for what was typed: the edit is computed on the unsaved text."""
        self.scene("`json` was never imported: you pick the quick fix")
        opened = self.editor.file(CART)
        before, on_disk = opened.document.text, (self.editor.folder / CART).read_bytes()
        line = next(n for n in range(opened.document.line_count) if "json.dumps" in opened.document.line(n))
        actions = await self._actions(CART, line, _undefined(opened.document.line(line), line))
        action = next((each for each in actions if each["title"].startswith("Attaché: fix")), None)
        if action is None:
            self.say("no fix was offered; offered were: " + ", ".join(each["title"] for each in actions), "red")
            return
        self.say(f"  {action['title']}", "cyan")
        await self._pick(CART, action)
        await self.editor.settled(lambda: opened.document.text != before)
        self._diff(before, opened.document.text, CART)
        untouched = (self.editor.folder / CART).read_bytes() == on_disk
        self.say(f"  on disk: {'not touched' if untouched else 'CHANGED'}", "dim" if untouched else "red")

    async def reviewing(self) -> None:
        """Let the agent clean up a file, then review its change hunk by hunk."""
        request = f"fix {DISCOUNTS}"
        self.scene(f"you ask: {request}")
        opened = self.editor.file(DISCOUNTS)
        before = opened.document.text
        await self._prompt(request)
        await self.editor.settled(lambda: bool(_hunks(opened.diagnostics)))
        self._diff(before, opened.document.text, DISCOUNTS)
        hunks = _hunks(opened.diagnostics)
        self.scene(f"you review: {len(hunks)} pending change{'s' * (len(hunks) != 1)}, in the list of diagnostics")
        for number, word in enumerate(["accept", "reject"]):
            hunks = _hunks(opened.diagnostics)
            if not hunks:
                break
            await self._resolve(hunks[0] if number == 0 else hunks[-1], word)
        self._diff(before, opened.document.text, DISCOUNTS)

    async def _resolve(self, hunk: Json, word: str) -> None:
        opened = self.editor.file(DISCOUNTS)
        count = len(_hunks(opened.diagnostics))
        self.say(f"  line {hunk['range']['start']['line'] + 1}: {hunk['message']}")
        actions = await self._actions(DISCOUNTS, hunk["range"]["start"]["line"], [hunk])
        action = next(each for each in actions if each["title"].startswith(f"Attaché: {word} this"))
        self.say(f"  {action['title']}", "cyan")
        await self._pick(DISCOUNTS, action)
        await self.editor.settled(lambda: len(_hunks(opened.diagnostics)) < count)

    async def testing(self) -> None:
        """Save, and have the tests run: a command asks first."""
        self.scene("you save, and ask: run the tests")
        for path in (CART, DISCOUNTS):
            await self.editor.save(path)
        await self._prompt("run the tests")

    async def undoing(self) -> None:
        """Take everything back with the editor's own undo."""
        self.scene("you press u until nothing is left to undo, and save")
        for path in (CART, DISCOUNTS):
            count = 0
            while await self.editor.undo(path):
                count += 1
            await self.editor.save(path)
            same = (self.editor.folder / path).read_bytes() == (SAMPLE / path).read_bytes()
            verdict = "as it was, byte for byte" if same else "NOT as it was"
            self.say(f"  {path}: {count} steps taken back; {verdict}", "green" if same else "red")

    # ------------------------------------------------------------ means

    async def _prompt(self, text: str) -> None:
        self._said.clear()
        prompt = [{"type": "text", "text": text}]
        await self.editor.ask("attache/session/prompt", {"sessionId": self.session, "prompt": prompt})
        for line in "".join(self._said).strip().splitlines():
            self.say(f"  {line}")

    def _update(self, params: Json) -> None:
        update = params["update"]
        match update["sessionUpdate"]:
            case "agent_message_chunk":
                self._said.append(update["content"]["text"])
            case "tool_call_update" if update.get("status") in {"completed", "failed"}:
                mark = "●" if update["status"] == "completed" else "✗"
                self.say(f"  {mark} {update.get('title') or update['toolCallId']}", "dim")
            case _:
                pass

    def _permission(self, request: Json) -> str:
        call = request["toolCall"]
        self.say(f"  ? {call.get('title', '')}", "yellow")
        options: list[Json] = request["options"]
        chosen = next(option for option in options if option["kind"] == "allow_once")
        self.say(f"    you answer: {chosen['name']}", "cyan")
        return chosen["optionId"]

    async def _actions(self, path: str, line: int, diagnostics: list[Json]) -> list[Json]:
        uri = self.editor.file(path).document.uri
        span = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 200}}
        params: Json = {"textDocument": {"uri": uri}, "range": span, "context": {"diagnostics": diagnostics}}
        return await self.editor.ask("textDocument/codeAction", params) or []

    async def _pick(self, path: str, action: Json) -> None:
        if "edit" not in action and "command" not in action:
            action = await self.editor.ask("codeAction/resolve", action)
        if edit := action.get("edit"):
            await self.editor.apply(edit)
        if command := action.get("command"):
            arguments: list[Any] = command.get("arguments", [])
            await self.editor.ask("workspace/executeCommand", {"command": command["command"], "arguments": arguments})
        del path

    def _diff(self, before: str, after: str, path: str) -> None:
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, n=1, lineterm="")
        for line in list(lines)[2:] or ["  (nothing changed)"]:
            self.console.print(Text(visible(f"  {line}"), style=DIFF_STYLES.get(line[:1], "")), soft_wrap=True)


def _hunks(diagnostics: list[Json]) -> list[Json]:
    return [each for each in diagnostics if each.get("source") == "attache" and each.get("code") == "hunk"]


def _undefined(text: str, line: int) -> list[Json]:
    """Return the diagnostic that any Python linter gives here; the film's editor has none of its own."""
    start = text.index("json")
    span = {"start": {"line": line, "character": start}, "end": {"line": line, "character": start + len("json")}}
    return [{"range": span, "severity": 1, "code": "F821", "source": "ruff", "message": "Undefined name `json`"}]


@app.command()
def demo() -> int:
    """Show the main job, from unsaved typing to undo, on a copy of the sample project."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="attache-demo-") as scratch:
        folder = Path(scratch).resolve() / "shop"
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        good = asyncio.run(_play(folder, console))
    console.print()
    console.print('Now on your own code:  [bold]attache ask "where is …?" --cwd ~/my/repo[/bold]', soft_wrap=True)
    console.print("and in your editor:    [bold]attache doctor[/bold] prints the lines to paste", soft_wrap=True)
    return 0 if good else 1


async def _play(folder: Path, console: Console) -> bool:
    """Play the film and return whether all of it was as it should be."""
    settings = settings_for(folder)
    check_home(settings.home)
    model = await Catalog(settings).choose()
    on = f"model: {model} · a real language server on a copy of the sample project"
    console.print(f"[bold]Attaché[/bold] · {on}", soft_wrap=True)
    editor = Editor(folder)
    await editor.start()
    film = Film(editor, console)
    try:
        for scene in (film.typing, film.asking, film.quick_fix, film.reviewing, film.testing, film.undoing):
            await scene()
    except RpcError as error:
        raise AttacheError(f"the server refused: {error.message}", hint="see: attache doctor") from error
    finally:
        await editor.stop()
    return not film.went_wrong
