// A real VS Code for the tests: code-server with our extension installed, and a browser that uses it.

import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, openSync, writeFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

const HOME = resolve(process.env.ATTACHE_VSCODE ?? ".cache/vscode");
const { chromium } = createRequire(join(HOME, "browser/"))("playwright-core");
const ENTRY = join(HOME, "host/node_modules/code-server/out/node/entry.js");
const NODE = join(HOME, "node/node_modules/node/bin/node");
const SETTINGS = {
  "telemetry.telemetryLevel": "off", "update.mode": "none", "extensions.autoUpdate": false, "extensions.autoCheckUpdates": false,
  "workbench.startupEditor": "none", "git.enabled": false, "security.workspace.trust.enabled": false, "workbench.colorTheme": "Default Dark Modern",
  "editor.minimap.enabled": false, "workbench.tips.enabled": false, "files.autoSave": "off", "chat.commandCenter.enabled": false,
};

const freePort = () => new Promise((done) => {
  const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); });
});

/** Start a VS Code on `folder`; `env` is what its server is started with, `machine` the machine's own settings. */
export async function start({ scratch, folder, vsix = [], env = {}, settings = {}, machine = {}, shots }) {
  const place = (name) => { const made = join(scratch, name); mkdirSync(made, { recursive: true }); return made; };
  const [user, extensions, home] = [place("user"), place("extensions"), place("home")];
  place("user/User");
  writeFileSync(join(user, "User/settings.json"), JSON.stringify({ ...SETTINGS, ...settings }));
  place("user/Machine");
  writeFileSync(join(user, "Machine/settings.json"), JSON.stringify(machine));
  writeFileSync(join(scratch, "config.yaml"), "auth: none\n");
  const log = openSync(join(scratch, "code-server.log"), "a");
  const environment = { ...process.env, HOME: home, ...env };
  const shared = [ENTRY, "--user-data-dir", user, "--extensions-dir", extensions, "--config", join(scratch, "config.yaml")];
  for (const file of vsix) execFileSync(NODE, [...shared, "--install-extension", file], { env: environment, stdio: ["ignore", log, log] });
  const port = await freePort();
  const server = spawn(NODE, [...shared, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check",
    ...(settings["security.workspace.trust.enabled"] ? [] : ["--disable-workspace-trust"])], { env: environment, stdio: ["ignore", log, log], detached: true });
  const browser = await chromium.launch({ executablePath: process.env.ATTACHE_BROWSER, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  context.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  const address = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
  for (let tries = 0; ; tries += 1) {
    try { await page.goto(address, { waitUntil: "domcontentloaded" }); break; } catch (error) {
      if (tries > 60) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
  await page.waitForSelector(".monaco-workbench .activitybar", { timeout: 60_000 });
  if (shots) mkdirSync(shots, { recursive: true });
  let shot = 0;
  return {
    page, context, requests, errors, port,
    async shot(name) {
      if (shots) await page.screenshot({ path: join(shots, `${String((shot += 1)).padStart(2, "0")}-${name}.png`) });
    },
    /** Run a command by its title in the palette; whatever takes the focus meanwhile closes it, and one begins again. */
    async command(title) {
      const input = page.locator(".quick-input-widget .quick-input-filter input[type=text]");
      const row = page.locator(".quick-input-widget .monaco-list-row", { hasText: title }).first();
      await until(async () => { // an extension's commands come a while after the window
        await page.keyboard.press("F1");
        await input.waitFor({ timeout: 2_000 });
        await input.fill(">", { timeout: 1_000 });
        await input.fill(`>${title}`, { timeout: 1_000 });
        await row.waitFor({ timeout: 1_000 });
        await row.click({ timeout: 1_000 });
        return true;
      }, title, 40);
    },
    async open(name) {
      await page.keyboard.press("Control+P");
      const input = page.locator(".quick-input-widget .quick-input-filter input[type=text]");
      await input.waitFor();
      await input.fill(name);
      await page.locator(".quick-input-widget .monaco-list-row", { hasText: name }).first().click();
      await page.locator(".tab.active", { hasText: name }).waitFor();
    },
    /** The panel's own page. */
    panel: () => page.frameLocator('iframe.webview[src*="extensionId=attache.attache"]').frameLocator("iframe#active-frame"),
    frame: () => page.frames().find((frame) => frame.url().includes("fake.html") && frame.parentFrame()?.url().includes("webview")),
    async stop() {
      await browser.close();
      try { process.kill(-server.pid, "SIGTERM"); } catch { /* it has ended */ }
      await new Promise((done) => { server.once("exit", done); setTimeout(done, 3_000); });
      try { process.kill(-server.pid, "SIGKILL"); } catch { /* it has ended */ }
      for (const name of ["extensions", "home"]) rmSync(join(scratch, name), { recursive: true, force: true });
    },
  };
}

/** Wait until `check` returns something; what it throws counts as not yet. */
export async function until(check, what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (let last; ; ) {
    try { const found = await check(); if (found) return found; last = found; } catch (error) { last = error; }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s (${String(last).slice(0, 300)})`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
