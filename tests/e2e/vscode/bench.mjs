// Measures the extension in a real VS Code and prints one object of figures. usage: node bench.mjs VSIX SERVER SCRATCH VSCE ROUNDS

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { start, until } from "./host.mjs";
import { median, opening, seed } from "./measure.mjs";

const [vsix, program, scratch, vsce] = process.argv.slice(2, 6).map((each) => resolve(each));
const rounds = Number(process.argv[6] ?? 3);
const here = dirname(fileURLToPath(import.meta.url));
const WORDS = 12_000;

/** An extension that does nothing, begun by the same event. */
function empty() {
  const folder = join(scratch, "empty");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", publisher: "nobody", version: "0.0.1", license: "MIT",
    engines: { vscode: "^1.95.0" }, main: "./main.js", activationEvents: ["onStartupFinished"], repository: "https://example.invalid/empty" }));
  writeFileSync(join(folder, "main.js"), "exports.activate = () => {};\n");
  writeFileSync(join(folder, "README.md"), "Nothing.\n");
  writeFileSync(join(folder, "LICENSE"), "MIT\n");
  execFileSync(process.execPath, [vsce, "package", "--no-dependencies", "--out", join(scratch, "empty.vsix")], { cwd: folder, stdio: "ignore" });
  return join(scratch, "empty.vsix");
}

async function activation(code) {
  await code.page.setViewportSize({ width: 1400, height: 4_000 }); // rows out of sight are not there
  await code.command("Developer: Show Running Extensions");
  await code.page.locator(".runtime-extensions-editor .activation-time, .runtime-extension .activation-time").first().waitFor();
  const read = (name) => until(async () => {
    const row = code.page.locator(".runtime-extensions-editor .monaco-list-row", { hasText: name }).first();
    return /(\d+)\s*ms/.exec(await row.locator(".activation-time").textContent())?.[1];
  }, `the activation time of ${name}`);
  const found = { ours: Number(await read("Attaché")), empty: Number(await read("empty")) };
  return found;
}

/** Stream an answer of many words, then open sessions. */
async function talking(code) {
  await code.command("Attaché: Open chat");
  const panel = code.panel();
  await panel.locator(".suggestion").first().waitFor({ timeout: 60_000 });
  await code.frame().evaluate(() => {
    window.__came = [];
    window.__painted = [];
    window.addEventListener("message", ({ data }) => { if (data.type === "update") window.__came.push(performance.now()); });
    new MutationObserver(() => window.__painted.push(performance.now())).observe(document.querySelector(".feed"), { subtree: true, childList: true, characterData: true });
  });
  await panel.locator("textarea").fill("Speak");
  await panel.locator("textarea").press("Enter");
  await panel.locator("article.foot").waitFor({ timeout: 120_000 });
  const busiest = (times) => Math.max(...times.map((from, at) => times.slice(at).filter((time) => time < from + 1_000).length));
  const [came, painted] = await code.frame().evaluate(() => [window.__came, window.__painted]);
  const figures = { words: WORDS, messages_a_second: (1_000 * came.length) / (came.at(-1) - came[0]), updates_a_second: busiest(painted), stream_s: (came.at(-1) - came[0]) / 1_000 };
  return { ...figures, ...(await opening(code, 3)) };
}

const other = empty();
const folder = join(scratch, "ws");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "shop.py"), "def total(prices):\n    return sum(prices)\n");
writeFileSync(join(scratch, "script.json"), JSON.stringify({ turns: [{ when: "Speak", text: "word ".repeat(WORDS), delay_seconds: 0.0003 }] }));
writeFileSync(join(scratch, "settings.toml"), "");
const env = { ATTACHE_HOME: join(scratch, "state"), ATTACHE_CONFIG: join(scratch, "settings.toml"), ATTACHE_MODEL: "scripted/script", ATTACHE_SCRIPT: join(scratch, "script.json") };
seed(here, folder, env);

const activations = [];
let figures;
for (let round = 0; round < rounds; round += 1) {
  const code = await start({ scratch: join(scratch, `run-${round}`), folder, vsix: [vsix, other], env, machine: { "attache.server.path": program } });
  try {
    await code.page.waitForTimeout(3_000);
    if (round === rounds - 1) figures = await talking(code);
    activations.push(await activation(code));
  } finally {
    await code.stop();
  }
}
const of = (key) => median(activations.map((each) => each[key]));
console.log(JSON.stringify({ activation_ms: of("ours"), empty_ms: of("empty"), ...figures }));
process.exit(0);
