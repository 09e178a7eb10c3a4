// What the editor's other extensions find in the open documents, told to the server: its diagnostics tool knows them then.

import * as vscode from "vscode";
import type { Server } from "./server";

/** After a change of the findings; after one of the text, whose findings are still to come. */
const SETTLED = 200;
const TYPED = 900;
const MOST = 200;

export class Findings implements vscode.Disposable {
  private readonly told = new Map<string, string>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly server: Server) {
    this.listeners = [
      vscode.languages.onDidChangeDiagnostics(({ uris }) => uris.forEach((uri) => this.soon(uri, SETTLED))),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.soon(document.uri, TYPED)),
      vscode.window.onDidChangeVisibleTextEditors(() => this.all()),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.told.delete(uri.toString())),
      server.onState((state) => { this.told.clear(); if (state === "ready") this.all(); }),
    ];
  }

  dispose(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    for (const each of this.listeners) each.dispose();
  }

  private all(): void {
    for (const { document } of vscode.window.visibleTextEditors) this.soon(document.uri, SETTLED);
  }

  /** Tell after a pause; what is asked for first does not wait for what is asked for later. */
  private soon(uri: vscode.Uri, pause: number): void {
    const key = uri.toString();
    if (pause === TYPED && this.waiting.has(key)) return;
    clearTimeout(this.waiting.get(key));
    this.waiting.set(key, setTimeout(() => { this.waiting.delete(key); this.tell(key); }, pause));
  }

  /** Only what is seen is told, and what was: the server waits for news of what it was told of once. */
  private tell(key: string): void {
    const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === key);
    const seen = vscode.window.visibleTextEditors.some((each) => each.document === document);
    if (!document || !["file", "untitled"].includes(document.uri.scheme) || !(seen || this.told.has(key))) return;
    const others = vscode.languages.getDiagnostics(document.uri).filter((each) => each.source !== "attache");
    const params = { uri: key, version: document.version, diagnostics: others.slice(0, MOST).map(plainly) };
    const said = JSON.stringify(params);
    if (this.told.get(key) === said || this.server.state !== "ready" || !(others.length || this.told.has(key))) return;
    this.told.set(key, said);
    this.server.tell("attache/diagnostics", params).catch((error: unknown) => this.server.log.warn(String(error)));
  }
}

function plainly({ range, message, severity, source, code }: vscode.Diagnostic): object {
  const [start, end] = [range.start, range.end].map(({ line, character }) => ({ line, character }));
  return { range: { start, end }, message, severity: severity + 1, source, code: typeof code === "object" ? code.value : code };
}
