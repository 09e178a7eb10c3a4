// Bundles the extension and its panel; `--watch` goes on doing so.
import { build, context } from "esbuild";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const minify = !process.argv.includes("--watch");
const shared = { bundle: true, minify, sourcemap: minify ? false : "inline", logLevel: "warning", legalComments: "none" };
const version = JSON.stringify(JSON.parse(readFileSync("package.json", "utf8")).version);
const parts = [
  // Two files: what an idle editor loads, and the language client that only a running server needs.
  { ...shared, entryPoints: { extension: "src/extension.ts", client: "src/client.ts" }, outdir: "dist", platform: "node",
    target: "node18", format: "cjs", supported: { "dynamic-import": false }, external: ["vscode", "./client"], define: { VERSION: version } },
  { ...shared, entryPoints: { panel: "src/panel/main.ts" }, outdir: "dist", platform: "browser", target: "es2022", format: "iife" },
];
const used = new Set();
for (const part of parts) {
  if (!minify) { await (await context(part)).watch(); continue; }
  const { metafile } = await build({ ...part, metafile: true });
  for (const file of Object.keys(metafile.inputs)) {
    const found = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file);
    if (found) used.add(found[0]);
  }
}
// What is bundled keeps its licence beside it.
const notices = [...used].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version} (${license})\n\n${file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
});
if (minify) writeFileSync("dist/NOTICE.txt", notices.join(`\n${"-".repeat(80)}\n\n`));
