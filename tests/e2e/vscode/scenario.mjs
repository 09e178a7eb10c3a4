// What people do with Attaché in VS Code, one thing after another, in a real one: prints a line of JSON for each.
// usage: node scenario.mjs VSIX SERVER SCRATCH SHOTS

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HOSTILE, HUGE } from "./hostile.mjs";
import { start, until } from "./host.mjs";
import { opening, seed } from "./measure.mjs";

const [vsix, program, scratch, shots] = process.argv.slice(2, 6).map((each) => resolve(each));
const here = dirname(fileURLToPath(import.meta.url));
const SAVED = "def total(prices):\n    return sum(prices)\n";
const DOCUMENTED = 'def total(prices):\n    """Add up."""\n    return sum(prices)\n';

const edit = (path, search, replace) => ({ name: "edit", arguments: { path, edits: [{ search, replace }] } });
const document = (path) => edit(path, "    return sum(prices)\n", '    """Add up."""\n    return sum(prices)\n');
const planned = (...states) => ({ name: "plan", arguments: { steps: ["Look at the shop", "Ask which way", "Round"].map((text, at) => ({ text, state: states[at] })) } });
const question = (words, choices) => ({ name: "ask_user", arguments: { question: words, ...(choices ? { choices } : {}) } });
const read = (at) => ({ name: "read", arguments: { path: `hostile/${at}.txt` } });
const TURNS = [
  { when: "How does total work?", thinking: "Let me look. ", tool_calls: [{ name: "read", arguments: { path: "shop.py" } }] },
  { when: "return sum(prices)", text: "It **adds up** the prices, see [shop.py:1](shop.py#L1):\n\n```python\ndef total(prices):\n    return sum(prices)\n```\n\n" + "And it does so in one line. ".repeat(12), delay_seconds: 0.02 },
  { when: "Run it", tool_calls: [{ name: "shell", arguments: { command: "echo done by attache" } }] },
  { when: "done by attache", text: "It ran." },
  { when: "Deny this", tool_calls: [{ name: "shell", arguments: { command: "rm -rf build" } }] },
  { when: "too dangerous", text: "Then I will not." },
  { when: "Document both", tool_calls: [document("shop.py"), document("tax.py")] },
  { when: "shop.py now says", text: "Both are documented." },
  { when: "Round both", tool_calls: [edit("shop.py", "return sum(prices)", "return round(sum(prices))"), edit("tax.py", "return sum(prices)", "return round(sum(prices))")] },
  { when: "return round", text: "Both are rounded." },
  { when: "Plan it", tool_calls: [planned("completed", "in_progress", "pending")] },
  { when: "[>] Ask which way", tool_calls: [question("Which rounding is wanted?", ["to cents", "to whole numbers"])] },
  { when: "the user answers: to whole numbers", tool_calls: [question("In which currency?")] },
  { when: "the user answers: Swiss francs", tool_calls: [planned("completed", "completed", "completed")] },
  { when: "[x] Round", text: "It is all planned." },
  { when: "Tax the rich", tool_calls: [edit("tax.py", "return sum(prices)", "return 2 * sum(prices)")] },
  { when: "2 * sum", text: "They are taxed." },
  { when: "And now?", text: "Now we wait." },
  { when: "Show me a line", text: "Take this:\n\n```python\nTAX = 0.2\n```\n" },
  { when: "What is wrong with broken.json?", tool_calls: [{ name: "diagnostics", arguments: { paths: ["broken.json"] } }] },
  { when: "Value expected", text: "A value is missing, says the editor." },
  { when: "Explain in plain words what this finding means", text: "JSON wants a value there." },
  { when: "Write a commit message", text: "Say what is new in the notes" },
  { when: "mistakes, gaps and risks", text: "`os` is not used." },
  { when: "Slowly", text: "word ".repeat(600), delay_seconds: 0.05, repeat: true },
  { when: "Take your time", text: "one two three ".repeat(400), delay_seconds: 0.03 },
  { when: "Then this", text: "This it is, then." },
  { when: "Rather this", text: "As you edited it." },
  { when: "Look at the picture", text: "It is one pixel." },
  { when: "Are you there again?", text: "I am here again." },
  { when: "hello participant", text: "Hello from **Attaché** in the editor's own chat." },
  { when: "Be hostile", tool_calls: [read(0)] },
  ...HOSTILE.map((text, at) => ({ when: `token ${at};`, text, tool_calls: [read(at + 1)] })),
  { when: `token ${HOSTILE.length};`, text: HUGE },
];

for (const name of ["ws/hostile", "bin"]) mkdirSync(join(scratch, name), { recursive: true });
const folder = join(scratch, "ws");
writeFileSync(join(folder, "shop.py"), SAVED);
writeFileSync(join(folder, "tax.py"), SAVED);
writeFileSync(join(folder, "use.py"), "\n");
writeFileSync(join(folder, "broken.json"), '{ "tax": }\n');
writeFileSync(join(folder, "notes.txt"), "nothing yet\n");
const git = (...args) => execFileSync("git", ["-C", folder, "-c", "user.name=Test", "-c", "user.email=test@example.org", ...args]);
git("init", "-q", "-b", "main");
git("add", ".");
git("commit", "-q", "-m", "Begin");
for (let at = 0; at <= HOSTILE.length; at += 1) writeFileSync(join(folder, `hostile/${at}.txt`), `token ${at};\n`);
writeFileSync(join(scratch, "script.json"), JSON.stringify({ turns: TURNS }));
const launcher = join(scratch, "bin/attache");
writeFileSync(launcher, `#!/bin/sh\necho $$ >> ${join(scratch, "pids")}\nexec ${program} "$@"\n`, { mode: 0o755 });
const env = { ATTACHE_HOME: join(scratch, "state"), ATTACHE_CONFIG: join(scratch, "settings.toml"), ATTACHE_MODEL: "scripted/script",
  ATTACHE_SCRIPT: join(scratch, "script.json") };
writeFileSync(env.ATTACHE_CONFIG, "");
seed(here, folder, env);

const began = Date.now();
const code = await start({ scratch, folder, vsix: [vsix], env, machine: { "attache.server.path": launcher }, shots,
  settings: { "git.enabled": true, "git.autofetch": false, "git.openRepositoryInParentFolders": "never" } });
const { page } = code;
const panel = () => code.panel();
const input = () => panel().locator("textarea");
const buffer = () => page.evaluate(() => [...document.querySelectorAll(".editor-instance .view-line")]
  .sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top)).map((line) => line.textContent.replaceAll("\u00a0", " ")).join("\n"));
const frame = () => code.frame();
const ask = async (text) => { await input().fill(text); await input().press("Enter"); };
const feet = () => panel().locator("article.foot").count();
const idle = () => until(async () => !(await panel().locator(".working").isVisible()), "the run to end", 60);
let failed = 0;

const only = process.env.ATTACHE_ONLY?.split(","); // a step by its name, and "first start" before it
async function check(name, act) {
  if (only && !only.includes(name)) return;
  const from = Date.now();
  try {
    const figures = await act();
    console.log(JSON.stringify({ name, ok: true, seconds: (Date.now() - from) / 1000, ...(figures ?? {}) }));
  } catch (error) {
    failed += 1;
    console.log(JSON.stringify({ name, ok: false, seconds: (Date.now() - from) / 1000, error: String(error.stack ?? error).slice(0, 1500) }));
    await code.shot(`failed-${name.replaceAll(" ", "-")}`);
    await page.keyboard.press("Escape");
  }
}
const equal = (found, wanted, what) => { if (found !== wanted) throw new Error(`${what}: ${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`); };

await check("first start", async () => {
  await code.command("Attaché: Open chat");
  await panel().locator(".suggestion").first().waitFor({ timeout: 60_000 });
  equal(await page.evaluate(() => document.activeElement?.tagName), "IFRAME", "the focus");
  await code.shot("first-start");
});

await check("ask", async () => {
  await ask("How does total work?");
  const lengths = new Set();
  await until(async () => { lengths.add((await panel().locator("article.agent").last().textContent()).length); return lengths.size > 4; }, "the answer to stream");
  await code.shot("streaming");
  await until(feet, "the end");
  equal(await panel().locator("article.tool .mark.done").count(), 1, "tool cards that are done");
  await panel().locator("article.tool summary").click();
  await panel().locator("article.thought summary").click();
  equal(await panel().locator(".code .bar button").allTextContents().then((each) => each.join()), "copy,insert,apply", "what code offers");
  if (!(await panel().locator(".code .hljs-keyword").count())) throw new Error("code is not coloured");
  await code.shot("answered");
});

await check("approval", async () => {
  await ask("Run it");
  await panel().locator("article.ask .choices").waitFor();
  equal(await panel().locator("article.ask .what").textContent(), "run: echo done by attache", "what is asked");
  await code.shot("approval");
  await panel().getByRole("button", { name: "Allow once" }).press("Enter");
  await panel().getByText("It ran.").waitFor();
  await idle();
  await ask("Deny this");
  await panel().getByRole("button", { name: "Deny and say why" }).click();
  await panel().getByLabel("Reason").fill("too dangerous");
  await panel().getByLabel("Reason").press("Enter");
  await panel().getByText("Then I will not.").waitFor();
  equal(await input().inputValue(), "", "the input");
  await idle();
  await code.shot("denied");
});

await check("plan and questions", async () => {
  await ask("Plan it");
  const card = panel().locator("article.ask");
  await card.getByText("Which rounding is wanted?").waitFor();
  equal(await panel().locator(".steps li").allTextContents().then((each) => each.join()), "✓ Look at the shop,▸ Ask which way,○ Round", "the plan");
  equal(await card.getByRole("button").allTextContents().then((each) => each.join()), "to cents,to whole numbers,No answer", "the choices");
  equal(await input().getAttribute("placeholder"), "Your answer, in your own words", "what the input is for");
  await code.shot("question");
  await input().press("Shift+Tab"); // from the input backwards: the last choice is the first thing that is met
  for (let tries = 0; tries < 8 && (await frame().evaluate(() => document.activeElement?.textContent)) !== "to whole numbers"; tries += 1)
    await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await card.getByText("In which currency?").waitFor();
  await input().pressSequentially("Swiss francs");
  equal(await panel().locator("button.primary").textContent(), "Answer", "the button");
  await code.shot("question-in-words");
  await input().press("Enter");
  await panel().getByText("It is all planned.").waitFor();
  await idle();
  equal(await panel().locator(".steps li").allTextContents().then((each) => each.join()), "✓ Look at the shop,✓ Ask which way,✓ Round", "the plan");
  equal(await panel().locator("article.asked summary").allTextContents().then((each) => each.slice(-2).join()), "?Which rounding is wanted? · to whole numbers,?In which currency? · Swiss francs", "what was answered");
  await code.shot("planned");
});

await check("lens", async () => {
  await code.open("shop.py");
  const lens = page.locator(".codelens-decoration a", { hasText: "ask agent" }).first();
  await lens.waitFor({ timeout: 30_000 });
  await lens.click();
  await until(async () => (await input().inputValue()).includes("@shop.py:1"), "the place in the input");
  await code.shot("lens");
  await input().fill("");
});

await check("completion", async () => {
  await input().pressSequentially("Look at @tax");
  await panel().locator("#completions li", { hasText: "@tax.py" }).first().waitFor();
  await code.shot("mentions");
  await input().press("Enter");
  equal(await input().inputValue(), "Look at @tax.py ", "the input");
  await input().fill("");
});

await check("code of an answer is inserted and applied", async () => {
  await code.open("use.py");
  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+Home");
  await ask("Show me a line");
  await panel().getByText("Take this:").waitFor();
  await idle();
  const bar = panel().locator("article.agent .code .bar").last();
  await bar.getByRole("button", { name: "insert" }).click();
  await until(async () => (await buffer()).trim() === "TAX = 0.2", "the code at the cursor");
  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("TAX = 7");
  await page.keyboard.press("Control+A");
  await bar.getByRole("button", { name: "apply" }).click();
  await page.locator(".bulk-edit-panel .edit-checkbox").first().waitFor();
  equal((await buffer()).trim(), "TAX = 7", "the text before it was confirmed");
  await code.shot("apply");
  await page.locator(".bulk-edit-panel .edit-checkbox").first().check();
  await page.locator(".bulk-edit-panel .monaco-button", { hasText: "Apply" }).first().click();
  await until(async () => (await buffer()).trim() === "TAX = 0.2", "the code in place of the selection");
});

await check("findings of other extensions", async () => {
  await code.open("broken.json");
  await page.locator(".squiggly-error").first().waitFor({ timeout: 30_000 });
  await page.waitForTimeout(500);
  await ask("What is wrong with broken.json?");
  await panel().getByText("A value is missing, says the editor.").waitFor();
  await idle();
  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("F8");
  await page.keyboard.press("Escape");
  await until(async () => {
    await page.keyboard.press("Control+.");
    return page.locator(".action-widget .monaco-list-row", { hasText: 'explain "Value expected"' }).first().waitFor({ timeout: 3_000 }).then(() => true);
  }, "the quick fix");
  await code.shot("explain");
  await page.locator(".action-widget .monaco-list-row", { hasText: 'explain "Value expected"' }).first().click();
  await panel().getByText("JSON wants a value there.").waitFor();
  await idle();
  equal((await panel().locator("article.user .words").last().textContent()).includes("broken.json:1"), true, "the place is named");
});

await check("commit message", async () => {
  writeFileSync(join(folder, "notes.txt"), "something new\n");
  await code.command("Source Control: Focus on Changes View");
  const box = page.locator(".scm-view .monaco-editor .view-lines").first();
  await box.waitFor({ timeout: 20_000 });
  await page.locator(".scm-view .monaco-list-row", { hasText: "notes.txt" }).first().waitFor({ timeout: 20_000 });
  await code.command("Attaché: Write the commit message");
  await until(async () => (await box.textContent()).replaceAll("\u00a0", " ").includes("Say what is new in the notes"), "the message in the box");
  await code.shot("commit-message");
  await code.command("Attaché: Open chat");
  await page.waitForTimeout(1_000); // until it has the focus, which it would take from what is opened next
});

await check("quick fix on unsaved text", async () => {
  await code.open("shop.py");
  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("import os\n");
  await until(async () => (await buffer()).startsWith("import os"), "the typing");
  await code.command("Attaché: Review this file");
  await page.locator(".squiggly-warning, .squiggly-error").first().waitFor({ timeout: 20_000 });
  await page.keyboard.press("Control+Home");
  await until(async () => {
    await page.keyboard.press("Control+.");
    return page.locator(".action-widget .monaco-list-row", { hasText: /Attaché: fix.*os.*/ }).first().waitFor({ timeout: 3_000 }).then(() => true);
  }, "the quick fix");
  await code.shot("quick-fix");
  await page.locator(".action-widget .monaco-list-row", { hasText: /Attaché: fix.*os.*/ }).first().click();
  await until(async () => !(await buffer()).includes("import os"), "the fix");
  equal(readFileSync(join(folder, "shop.py"), "utf8"), SAVED, "the disk");
});

await check("hunks accepted and rejected by keys", async () => {
  await code.open("shop.py");
  await ask("Document both");
  await panel().getByText("Both are documented.").waitFor();
  await idle();
  await until(async () => (await buffer()).includes('"""Add up."""'), "the edit in the buffer");
  await panel().locator(".hunks", { hasText: "2 changes in 2 files" }).waitFor();
  await page.locator(".codelens-decoration a", { hasText: "accept" }).first().waitFor();
  await code.shot("hunks");
  await code.command("Attaché: Next change to review");
  await page.keyboard.press("Control+Alt+Shift+,");
  await until(async () => (await page.locator(".tab.active").textContent()).includes("tax.py"), "the other file");
  await page.keyboard.press("Control+Alt+Shift+.");
  await until(async () => (await page.locator(".tab.active").textContent()).includes("shop.py"), "the first file");
  await page.waitForTimeout(300);
  await page.keyboard.press("Control+Alt+Shift+Y");
  await panel().locator(".hunks", { hasText: "1 change in 1 file" }).waitFor();
  equal((await buffer()).trim(), DOCUMENTED.trim(), "the accepted text");
  await page.keyboard.press("Control+Alt+Shift+.");
  await until(async () => (await page.locator(".tab.active").textContent()).includes("tax.py"), "the other file");
  await page.waitForTimeout(300);
  await page.keyboard.press("Control+Alt+Shift+X");
  await panel().locator(".hunks").waitFor({ state: "hidden" });
  await until(async () => (await buffer()).trim() === SAVED.trim(), "the rejected text");
  await code.shot("decided");
});

await check("undo in all files", async () => {
  await code.open("shop.py");
  await ask("Round both");
  await panel().getByText("Both are rounded.").waitFor();
  await idle();
  await until(async () => (await buffer()).includes("round("), "the edit");
  await code.command("Attaché: Undo the last step");
  await until(async () => !(await buffer()).includes("round("), "the text of before");
  await panel().locator("article.change", { hasText: "undone" }).nth(1).waitFor();
  await code.open("tax.py");
  await until(async () => (await buffer()).trim() === SAVED.trim(), "the other file's text of before");
  await code.shot("undone");
});

await check("rewind of files", async () => {
  await code.command("Attaché: New session");
  await panel().locator(".suggestion").first().waitFor();
  await ask("Tax the rich");
  await panel().getByText("They are taxed.").waitFor();
  await idle();
  await code.open("tax.py");
  await until(async () => (await buffer()).includes("2 * sum"), "the edit");
  const said = await panel().locator("article.user").count();
  const last = panel().locator("article.user").last();
  await last.hover();
  await last.getByRole("button", { name: "rewind" }).click();
  const choices = page.locator(".quick-input-widget .monaco-list-row");
  await choices.first().waitFor();
  equal(await choices.locator(".label-name").allTextContents().then((each) => each.join()), "Conversation and files,Conversation,Files", "what may go back");
  await choices.nth(2).click();
  await until(async () => !(await buffer()).includes("2 * sum"), "the file to go back");
  equal(await panel().locator("article.user").count(), said, "what was said");
  await code.shot("files-went-back");
});

await check("ghost text", async () => {
  await code.open("shop.py");
  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\ndef total_of(prices):\nreturn su", { delay: 30 });
  await page.locator(".ghost-text-decoration, .ghost-text").first().waitFor({ timeout: 10_000 });
  await code.shot("ghost-text");
  await page.keyboard.press("Tab");
  await until(async () => (await buffer()).trim().endsWith("return sum(prices)"), "the line to be completed");
});

await check("rewind and fork", async () => {
  await ask("And now?");
  await panel().getByText("Now we wait.").waitFor();
  await idle();
  const said = await panel().locator("article.user").count();
  const last = panel().locator("article.user").last();
  await last.hover();
  await last.getByRole("button", { name: "rewind" }).click();
  const choice = page.locator(".quick-input-widget .monaco-list-row", { hasText: "files stay as they are" });
  await choice.waitFor();
  await code.shot("go-back");
  await choice.click();
  await until(async () => (await panel().locator("article.user").count()) === said - 1, "one message less");
  await until(async () => (await panel().locator("article.agent").count()) > 0, "the rest");
  const first = panel().locator("article.user").first();
  await first.hover();
  await code.shot("rewound");
  await first.getByRole("button", { name: "fork" }).click();
  await until(async () => (await panel().locator("article.user").count()) === 0, "a session that begins before it");
});

await check("sessions found by what was said", async () => {
  await code.command("Attaché: New session");
  await panel().locator(".suggestion").first().waitFor();
  await code.command("Attaché: Search sessions");
  await page.locator('.quick-input-widget input[placeholder^="Search the sessions"]').fill("It is all planned");
  const found = page.locator(".quick-input-widget .monaco-list-row", { hasText: "It is all planned." });
  await found.first().waitFor();
  await code.shot("sessions-found");
  await found.first().click();
  await panel().getByText("It is all planned.").first().waitFor();
});

await check("queue, stop, edit, picture", async () => {
  await code.command("Attaché: New session");
  await panel().locator(".suggestion").first().waitFor();
  await ask("Take your time");
  await until(async () => (await panel().locator("article.agent").last().textContent()).length > 60, "the answer to stream");
  await ask("Then this");
  await panel().locator(".queue", { hasText: "Then this" }).waitFor();
  await code.shot("queued");
  await input().press("Escape");
  await panel().getByText("stopped by you").waitFor();
  await panel().getByText("This it is, then.").waitFor();
  await idle();
  const said = panel().locator("article.user").last();
  await said.hover();
  await said.getByRole("button", { name: "edit" }).click();
  equal(await input().inputValue(), "Then this", "what is edited");
  await ask("Rather this");
  await panel().getByText("As you edited it.").waitFor();
  await idle();
  equal((await panel().locator("article.user .words").allTextContents()).map((each) => each.trim()).join(), "Take your time,Rather this", "what was said in the fork");
  await code.frame().evaluate(() => {
    const bytes = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), (each) => each.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "pixel.png", { type: "image/png" }));
    document.querySelector("textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await panel().locator(".pictures img").waitFor();
  await ask("Look at the picture");
  await panel().getByText("It is one pixel.").waitFor();
  await idle();
  await panel().locator("article.user img").waitFor();
  await code.shot("picture");
});

await check("server killed and recovered", async () => {
  await ask("Slowly");
  await until(async () => (await panel().locator("article.agent").last().textContent()).length > 100, "the answer to stream");
  const pids = readFileSync(join(scratch, "pids"), "utf8").trim().split("\n");
  process.kill(Number(pids.at(-1)), "SIGKILL");
  await panel().locator("article.note", { hasText: "the server ended in the middle of this" }).waitFor();
  const kept = (await panel().locator("article.agent").last().textContent()).length;
  if (kept < 100) throw new Error("what was streamed is gone");
  await code.shot("killed");
  await until(() => readFileSync(join(scratch, "pids"), "utf8").trim().split("\n").length > pids.length, "another server", 30);
  await until(async () => !(await panel().locator(".banner").isVisible()), "the server to be back", 30);
  await ask("Are you there again?");
  await panel().getByText("I am here again.").waitFor();
  await idle();
  await code.shot("recovered");
});

await check("chat participant", async () => {
  const chat = page.locator(".interactive-input-part .monaco-editor").first();
  if (!(await chat.isVisible().catch(() => false))) await code.command("Chat: Open Chat");
  await chat.click();
  await page.keyboard.type("@attache ");
  await page.waitForTimeout(500);
  await page.keyboard.press("Escape");
  await page.keyboard.type("hello participant");
  await page.keyboard.press("Enter");
  await page.locator(".interactive-response", { hasText: "in the editor's own chat" }).waitFor({ timeout: 20_000 });
  await code.shot("participant");
});

await check("no default key is taken", async () => {
  await code.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await code.command("Preferences: Open Default Keyboard Shortcuts (JSON)");
  await page.locator(".tab.active", { hasText: "keybindings" }).waitFor();
  await page.locator(".tab.active").click();
  await page.locator(".editor-instance .view-line").first().click();
  const all = await until(async () => {
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Control+C");
    const text = await page.evaluate(() => navigator.clipboard.readText());
    return text.length > 50_000 && [...text.matchAll(/"key": "([^"]+)",\s*"command": "([^"]+)"/g)];
  }, "the default keys");
  const ours = all.filter(([, , command]) => command.startsWith("attache."));
  const theirs = new Set(all.filter(([, , command]) => !command.startsWith("attache.")).map(([, key]) => key));
  const taken = ours.filter(([, key]) => theirs.has(key)).map(([, key, command]) => `${key} ${command}`);
  await page.keyboard.press("Control+F4");
  if (ours.length < 5) throw new Error(`our keys are not there: ${ours}`);
  equal(taken.join(), "", `keys that VS Code has already, of ${[...theirs].filter((key) => /^ctrl\+shift\+alt\+.$/.test(key)).join(" ")}`);
  return { ours: ours.length, theirs: theirs.size };
});

await check("twenty hostile answers", async () => {
  await code.command("Attaché: New session");
  await panel().locator(".suggestion").first().waitFor();
  code.requests.length = 0;
  await ask("Be hostile");
  await until(feet, "the end", 90);
  for (let at = 0; at < 40; at += 1) await panel().locator(".feed").press("PageUp");
  const seen = await frame().evaluate(async () => {
    const feed = document.querySelector(".feed");
    const bad = new Set();
    let answers = 0;
    for (feed.scrollTop = 0; ; feed.scrollTop += 400) {
      await new Promise((done) => setTimeout(done, 60));
      document.querySelectorAll("article script,article iframe,article svg,article form,article style,article link,article object,article embed,article base,article meta,article video,article img,article [onerror],article [onload],article [onclick],article a[href],article [style*=fixed]").forEach((each) => bad.add(each.outerHTML.slice(0, 100)));
      document.querySelectorAll("article.agent .link, article.agent .dead").forEach((each) => { if (/^(command|javascript|data|file|vscode|vbscript):/.test(each.title)) bad.add(each.title); });
      for (const each of document.querySelectorAll("article.agent .dead")) each.click();
      if (feed.scrollTop + feed.clientHeight >= feed.scrollHeight - 2 || answers++ > 400) break;
    }
    return { bad: [...bad], pwned: window.__pwned ?? null, hidden: /[\u202a-\u202e\u2066-\u2069\u001b]/.test(feed.textContent), items: document.querySelectorAll("article").length };
  });
  const elsewhere = await page.evaluate(() => window.__pwned ?? null);
  const left = code.requests.filter((url) => !url.startsWith(`http://127.0.0.1:${code.port}/`) && !url.startsWith("data:") && !url.startsWith("blob:") && !url.includes("open-vsx.org"));
  await frame().evaluate(() => { document.querySelector(".feed").scrollTop = 0; });
  await page.waitForTimeout(300);
  await code.shot("hostile");
  equal(JSON.stringify([seen.bad, seen.pwned, seen.hidden, elsewhere, left]), JSON.stringify([[], null, false, null, []]), "what got through");
  return { answers: HOSTILE.length + 1, items: seen.items, executed: 0, requests: left.length };
});

await check("another theme", async () => {
  await code.command("Preferences: Toggle between Light/Dark Themes");
  await page.waitForTimeout(1_000);
  await code.shot("light");
  await code.command("Preferences: Toggle between Light/Dark Themes");
});

await check("five thousand messages", async () => {
  const figures = await opening(code, 3);
  await code.shot("five-thousand");
  // On a machine where a hundred messages take a second already, the machine is what is measured: the ratio counts.
  if (figures.ratio > 2 || (figures.large_ms > 1_000 && figures.small_ms < 500)) throw new Error(`too slow: ${JSON.stringify(figures)}`);
  return figures;
});

await check("terminal selection", async () => {
  await code.command("Terminal: Create New Terminal");
  await page.locator(".terminal-wrapper.active .xterm-screen").first().waitFor();
  await page.keyboard.type("echo said by the ter''minal");
  await page.keyboard.press("Enter");
  await until(async () => {
    await code.command("Terminal: Select All");
    await code.command("Attaché: Add terminal selection to chat");
    return (await input().inputValue()).includes("\nsaid by the terminal");
  }, "what the terminal said");
  await code.shot("terminal-selection");
  await input().fill("");
  await code.command("Terminal: Kill the Active Terminal Instance");
});

console.log(JSON.stringify({ name: "page errors", ok: code.errors.length === 0, error: code.errors.join("\n").slice(0, 1000) }));
await code.stop();
console.log(JSON.stringify({ name: "all", ok: failed === 0, seconds: (Date.now() - began) / 1000 }));
process.exit(failed ? 1 : 0);
