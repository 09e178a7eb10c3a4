// The changes that wait for review: painted in the text, listed in a tree, walked by keys. Deciding is the server's.

import * as vscode from "vscode";
import { list, fields } from "./chat/conversation";
import type { ChatView } from "./chat/view";
import type { Server } from "./server";

export type Hunk = {
  id: string; change_set: string; title: string; step: number; uri: string; path: string; before: string[]; after: string[];
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
};
type Node = { path: string; hunks: Hunk[] } | Hunk;

const MOST_GONE = 120;

export class Review implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private hunks: Hunk[] = [];
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly painted = lined("editorOverviewRuler.addedForeground", "diffEditor.insertedLineBackground");
  private readonly gone = lined("editorOverviewRuler.deletedForeground");
  private readonly tree: vscode.TreeView<Node>;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly server: Server, private readonly chat: ChatView) {
    this.tree = vscode.window.createTreeView("attache.hunks", { treeDataProvider: this, showCollapseAll: true });
    this.listeners = [
      vscode.window.onDidChangeVisibleTextEditors(() => this.paint()),
      vscode.window.onDidChangeTextEditorSelection(() => this.place()),
      vscode.window.onDidChangeActiveTextEditor(() => this.place()),
    ];
    // The server publishes hunks as diagnostics whenever they change: that is the sign to ask for them.
    server.middleware.handleDiagnostics = (uri, diagnostics, next) => {
      next(uri, diagnostics);
      const ours = diagnostics.some((each) => each.source === "attache" && each.code === "hunk");
      if (ours || this.of(uri).length) this.soon();
    };
    server.onState((state) => { if (state === "ready") this.soon(); else if (state !== "starting") this.take([]); });
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const each of [...this.listeners, this.painted, this.gone, this.tree]) each.dispose();
  }

  of(uri: vscode.Uri): Hunk[] {
    return this.hunks.filter((hunk) => vscode.Uri.parse(hunk.uri).toString() === uri.toString());
  }

  /** Go to the next or the previous change, over all files. */
  async go(step: 1 | -1): Promise<void> {
    if (!this.hunks.length) return void vscode.window.setStatusBarMessage("Attaché: no change waits for review", 3_000);
    const editor = vscode.window.activeTextEditor;
    const here = [editor ? vscode.workspace.asRelativePath(editor.document.uri, false) : "", editor?.selection.active.line ?? 0] as const;
    const order = step > 0 ? this.hunks : [...this.hunks].reverse();
    const behind = (hunk: Hunk) => step * (hunk.path === here[0] ? hunk.range.start.line - here[1] : hunk.path > here[0] ? 1 : -1) > 0;
    const target = order.find(behind) ?? order[0];
    if (target) await reveal(target);
  }

  /** Accept or reject the hunk that is given, else the one under the cursor. */
  async decide(decision: "accepted" | "rejected", node?: Node): Promise<void> {
    const chosen = node ? ("hunks" in node ? node.hunks : [node]) : this.here();
    if (!chosen.length) throw new Error("no change stands under the cursor");
    await this.resolve(chosen, decision);
  }

  async all(decision: "accepted" | "rejected"): Promise<void> {
    await this.resolve(this.hunks, decision);
  }

  private async resolve(hunks: Hunk[], decision: "accepted" | "rejected"): Promise<void> {
    await this.server.ask("attache/review/resolve", { hunks: hunks.map((hunk) => hunk.id), decision });
  }

  private here(): Hunk[] {
    const editor = vscode.window.activeTextEditor;
    const line = editor?.selection.active.line ?? -1;
    return editor ? this.of(editor.document.uri).filter(({ range }) => range.start.line <= line && line <= range.end.line).slice(0, 1) : [];
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.server.ask<{ hunks: Hunk[] }>("attache/review/list", {}).then(({ hunks }) => this.take(hunks),
        (error: unknown) => this.server.log.warn(String(error)));
    }, 50);
  }

  private take(hunks: Hunk[]): void {
    this.hunks = list(hunks).filter((hunk): hunk is Hunk => typeof fields(hunk)["id"] === "string")
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.range.start.line - b.range.start.line));
    const files = new Set(this.hunks.map((hunk) => hunk.path)).size;
    this.chat.post({ type: "hunks", changes: this.hunks.length, files });
    this.tree.badge = this.hunks.length ? { value: this.hunks.length, tooltip: `${this.hunks.length} changes to review` } : undefined;
    void vscode.commands.executeCommand("setContext", "attache.hunks", this.hunks.length > 0);
    this.changed.fire(undefined);
    this.paint();
    this.place();
  }

  private place(): void {
    void vscode.commands.executeCommand("setContext", "attache.onHunk", this.here().length > 0);
  }

  private paint(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const here = this.of(editor.document.uri);
      editor.setDecorations(this.painted, here.filter((hunk) => hunk.after.length).map((hunk) => ({ range: span(hunk), hoverMessage: told(hunk) })));
      editor.setDecorations(this.gone, here.filter((hunk) => hunk.before.length).map((hunk) => {
        const line = new vscode.Position(hunk.range.start.line, 0);
        const after = hunk.before.map((text) => text.trim()).join(" ⏎ ");
        return { range: new vscode.Range(line, line.with({ character: 10_000 })), hoverMessage: hunk.after.length ? [] : told(hunk), renderOptions: {
          after: { contentText: `   − ${after.slice(0, MOST_GONE)}${after.length > MOST_GONE ? "…" : ""}`, fontStyle: "italic",
            textDecoration: "line-through", color: new vscode.ThemeColor("editorCodeLens.foreground") } } };
      }));
    }
  }

  getChildren(node?: Node): Node[] {
    if (node) return "hunks" in node ? node.hunks : [];
    const files = new Map<string, Hunk[]>();
    for (const hunk of this.hunks) files.set(hunk.path, [...(files.get(hunk.path) ?? []), hunk]);
    return [...files].map(([path, hunks]) => ({ path, hunks }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if ("hunks" in node) {
      const item = new vscode.TreeItem(node.path, vscode.TreeItemCollapsibleState.Expanded);
      const [first] = node.hunks;
      if (first) item.resourceUri = vscode.Uri.parse(first.uri);
      item.contextValue = "file";
      return item;
    }
    const item = new vscode.TreeItem(`${node.range.start.line + 1}: ${(node.after[0] ?? node.before[0] ?? "").trim() || "blank"}`);
    item.description = `−${node.before.length} +${node.after.length} · step ${node.step} "${node.title}"`;
    item.contextValue = "hunk";
    item.command = { command: "attache.review.reveal", title: "Show", arguments: [node] };
    return item;
  }
}

function lined(ruler: string, background?: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true, overviewRulerLane: vscode.OverviewRulerLane.Left, overviewRulerColor: new vscode.ThemeColor(ruler),
    ...(background ? { backgroundColor: new vscode.ThemeColor(background) } : {}),
  });
}

export async function reveal(hunk: Hunk): Promise<void> {
  const start = new vscode.Position(hunk.range.start.line, 0);
  await vscode.window.showTextDocument(vscode.Uri.parse(hunk.uri), { selection: new vscode.Range(start, start) });
}

function span({ range: { start, end } }: Hunk): vscode.Range {
  return new vscode.Range(start.line, 0, end.line, end.character);
}

/** Whose change this is, and what stood here before. What a model wrote stays words: no link, no command. */
function told(hunk: Hunk): vscode.MarkdownString {
  const hover = new vscode.MarkdownString();
  hover.appendText(`Attaché, step ${hunk.step}: ${hunk.title}`);
  if (hunk.before.length) {
    hover.appendText("\n\nbefore:");
    hover.appendCodeblock(hunk.before.join("").slice(0, 4_000), "");
  }
  return hover;
}
