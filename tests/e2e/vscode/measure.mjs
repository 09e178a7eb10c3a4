// How long things take in a real VS Code, told as ratios: long sessions beside short ones, ours beside an empty extension.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { until } from "./host.mjs";

const SMALL = 100;
const LARGE = 5_000;
export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Write a short and a long session into the log. */
export function seed(here, folder, env) {
  for (const [count, title] of [[SMALL, "Small"], [LARGE, "Large"]])
    execFileSync(process.env.ATTACHE_PYTHON, [join(here, "seed.py"), folder, String(count), title], { env: { ...process.env, ...env }, stdio: "inherit" });
}

/** Open both in turn: milliseconds on the wall from the pick to words on the screen, and of those in the panel. */
export async function opening(code, rounds) {
  const frame = code.frame();
  const open = async (title) => {
    await frame.evaluate(() => {
      const painted = (key) => { const from = performance.now(); requestAnimationFrame(() => setTimeout(() => { window[key] = performance.now() - from; })); };
      window.__shown = window.__older = undefined;
      window.addEventListener("message", function measure({ data }) {
        if (data.type === "history" && data.updates.length) painted("__shown");
        if (data.type === "older") painted("__older");
        if (data.type === "older" || data.type === "status") window.removeEventListener("message", measure, true);
      }, true);
    });
    await code.command("Attaché: Search sessions");
    await code.page.locator('.quick-input-widget input[placeholder^="Search the sessions"]').fill(title);
    const row = code.page.locator(".quick-input-widget .monaco-list-row", { hasText: title }).first();
    await row.waitFor();
    const from = Date.now();
    await row.click();
    const panel = await until(() => frame.evaluate(() => window.__shown), "the session");
    const wall = Date.now() - from;
    const older = title.startsWith("Large") ? await until(() => frame.evaluate(() => window.__older), "what came before") : 0;
    return { panel, wall, older, all: Date.now() - from };
  };
  const [small, large] = [[], []];
  for (let round = 0; round < rounds; round += 1) { small.push(await open("Small 0")); large.push(await open("Large 0")); }
  const of = (runs, key) => median(runs.map((run) => run[key]));
  const [rows, filled] = await frame.evaluate(() => [document.querySelectorAll("article").length, document.querySelectorAll("article > *").length]);
  const scrolled = await frame.evaluate(async () => {
    const feed = document.querySelector(".feed");
    const times = [];
    for (let at = 0; at < 60; at += 1) {
      const from = performance.now();
      feed.scrollTop -= 600;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - from);
    }
    return times.sort((a, b) => a - b);
  });
  return {
    small_ms: of(small, "wall"), large_ms: of(large, "wall"), ratio: of(large, "wall") / of(small, "wall"),
    small_panel_ms: of(small, "panel"), large_panel_ms: of(large, "panel"), older_panel_ms: of(large, "older"), large_whole_ms: of(large, "all"),
    rows, filled, scroll_median_ms: scrolled[30], scroll_p95_ms: scrolled[57],
  };
}
