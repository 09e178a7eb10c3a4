// Places that answers and prompts name: what `@` offers, and what a link may open.

import * as vscode from "vscode";
import type { Server } from "../server";
import { list, fields, number, words } from "./conversation";
import type { Completion } from "./messages";

const MOST = 12;
const COMMANDS: [string, string][] = [
  ["/new", "begin a new session"], ["/sessions", "search the sessions"], ["/model", "take another model"],
  ["/plan", "read and plan; change nothing"], ["/explore", "read and explain; change nothing"],
  ["/build", "read, edit and run"], ["/export", "open the conversation as a document"], ["/undo", "undo the last step"],
];

/** What can stand in place of `@abc` or `/abc`. */
export async function completions(query: string, server: Server): Promise<Completion[]> {
  const wanted = query.slice(1).toLowerCase();
  if (query.startsWith("/"))
    return COMMANDS.filter(([name]) => name.startsWith(query)).map(([label, detail]) => ({ label, detail, insert: label }));
  const fixed = "@selection".startsWith(query) ? selection() : [];
  const [files, symbols] = await Promise.all([filesLike(wanted), symbolsLike(wanted, server)]);
  return [...fixed, ...files, ...symbols].slice(0, MOST);
}

function selection(): Completion[] {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (!editor) return [];
  const { start, end } = editor.selection;
  const place = `@${vscode.workspace.asRelativePath(editor.document.uri, false)}:${start.line + 1}-${end.line + 1}`;
  return [{ label: "@selection", detail: place.slice(1), insert: place }];
}

async function filesLike(wanted: string): Promise<Completion[]> {
  const open = vscode.workspace.textDocuments.filter((each) => each.uri.scheme === "file").map((each) => each.uri);
  const letters = wanted.replace(/[^\p{L}\p{N}._/-]/gu, "?");
  const found = wanted ? await vscode.workspace.findFiles(`**/*${letters}*`, undefined, MOST) : [];
  const paths = new Set([...open, ...found].map((uri) => vscode.workspace.asRelativePath(uri, false)));
  return [...paths].filter((path) => path.toLowerCase().includes(wanted)).sort((a, b) => a.length - b.length).slice(0, MOST / 2)
    .map((path) => ({ label: `@${path}`, detail: "file", insert: `@${path}` }));
}

async function symbolsLike(wanted: string, server: Server): Promise<Completion[]> {
  if (wanted.length < 2) return [];
  const { hits } = await server.ask<{ hits: unknown }>("attache/index/search", { query: wanted, k: MOST / 2, kind: "symbol" });
  return list(hits).map(fields).map((hit) => {
    const place = `${words(hit["path"])}:${number(hit["start_line"])}`;
    return { label: `@${words(hit["symbol"]) || place}`, detail: place, insert: `@${place}` };
  });
}

/** Open what a link in an answer names: the web by the editor's own question, a file of the workspace, or nothing. */
export async function openLink(href: string): Promise<void> {
  if (/^https?:\/\//i.test(href)) {
    await vscode.env.openExternal(vscode.Uri.parse(href, true));
    return;
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(href) || href.startsWith("//")) throw new Error(`not opened: ${href.slice(0, 100)}`);
  const [path = "", anchor = ""] = href.split("#");
  const line = /^L(\d+)/.exec(anchor)?.[1] ?? /:(\d+)(?:-\d+)?$/.exec(path)?.[1] ?? "0";
  await openPath(decodeURIComponent(path.replace(/:\d+(-\d+)?$/, "")), Number(line));
}

/** Open a file of the workspace; `line` counts from 1, 0 leaves the cursor. */
export async function openPath(path: string, line: number): Promise<void> {
  const roots = vscode.workspace.workspaceFolders ?? [];
  for (const { uri } of roots) {
    const target = path.startsWith("/") ? vscode.Uri.file(path) : vscode.Uri.joinPath(uri, path);
    if (!vscode.workspace.getWorkspaceFolder(target)) continue;
    const there = await vscode.workspace.fs.stat(target).then(() => true, () => false);
    if (!there) continue;
    const at = new vscode.Position(Math.max(line - 1, 0), 0);
    await vscode.window.showTextDocument(target, line ? { selection: new vscode.Range(at, at) } : {});
    return;
  }
  throw new Error(`no such file in this workspace: ${path.slice(0, 200)}`);
}
