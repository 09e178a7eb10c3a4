// The panel's half in the editor: asks the server what the panel asks for, hands on what the server tells.

import * as vscode from "vscode";
import type { Server } from "../server";
import { Conversation, exported, fields, list, number, words, type File, type Image } from "./conversation";
import { fromPanel, type FromPanel, type ToPanel } from "./messages";
import { completions, openLink, openPath } from "./places";
import { page } from "./page";

type Opened = { sessionId?: string; modes?: unknown; configOptions?: unknown };
type Row = { sessionId: string; title?: string | null; updatedAt?: string; _meta?: unknown };
type Permission = { outcome: { outcome: "selected"; optionId: string } | { outcome: "cancelled" }; _meta?: unknown };
type Found = Row & { excerpt: string };
const KEPT_CHANGES = 200;
const SEARCH_PAUSE = 150;
const SHORTEST_SEARCH = 3;
/** JSON-RPC's code for a request whose connection went away. */
const CUT_SHORT = -32097;
const FRAME = 1000 / 60;
/** Events of a session that are shown at once. */
const LAST = 300;
const WAVED: Permission = { outcome: { outcome: "cancelled" } };

export class ChatView implements vscode.WebviewViewProvider {
  /** The session that is shown; empty until something was said. */
  session = "";
  private view: vscode.WebviewView | undefined;
  private loaded = false;
  private waiting: ToPanel[] = [];
  private running = false;
  private title = "";
  private opening: Promise<string> | undefined;
  private begun = 0;
  private readonly gathered: unknown[] = [];
  private frame: NodeJS.Timeout | undefined;
  private readonly changes = new Map<string, File[]>();
  private readonly questions = new Map<string, (answer: Permission) => void>();
  private readonly before = new Map<string, string>();

  constructor(private readonly context: vscode.ExtensionContext, private readonly server: Server) {
    server.on("attache/session/update", (params) => this.heard(fields(params)));
    server.on("attache/status", (params) => this.status(fields(params)));
    server.on("attache/session/ask", (params) => {
      const { text, send } = fields(params);
      void this.draft(words(text), send === true);
    });
    server.onState(() => this.serverMoved());
    context.subscriptions.push(
      vscode.workspace.registerTextDocumentContentProvider("attache", {
        provideTextDocumentContent: (uri) => this.before.get(uri.toString()) ?? "",
      }),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.loaded = false;
    const root = this.context.extensionUri;
    view.webview.options = { enableScripts: true, enableForms: false, enableCommandUris: false,
      localResourceRoots: [vscode.Uri.joinPath(root, "dist"), vscode.Uri.joinPath(root, "media")] };
    view.webview.onDidReceiveMessage((message: unknown) => this.received(message));
    view.onDidDispose(() => { this.view = undefined; this.loaded = false; });
    view.webview.html = page(view.webview, root);
  }

  /** Put words into the input, behind what stands there, and send them where asked to. */
  async draft(text: string, send = false): Promise<void> {
    // What is sent from the code leaves the cursor where it is; what is still to be written wants it.
    if (send && this.view) this.view.show(true);
    else await vscode.commands.executeCommand("attache.chat.focus");
    if (send) await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
    this.post({ type: "draft", text, send });
  }

  post(message: ToPanel): void {
    this.flush();
    this.deliver(message);
  }

  /** Hand on what happened, gathered to one message a frame however unevenly it comes. */
  private update(update: unknown): void {
    this.gathered.push(update);
    this.frame ??= setTimeout(() => this.flush(), FRAME);
  }

  private flush(): void {
    clearTimeout(this.frame);
    this.frame = undefined;
    if (this.gathered.length) this.deliver({ type: "update", updates: this.gathered.splice(0) });
  }

  private deliver(message: ToPanel): void {
    if (this.loaded) void this.view?.webview.postMessage(message);
    else this.waiting.push(message);
  }

  // ---------------------------------------------------------------- from the panel

  private received(message: unknown): void {
    const asked = fromPanel(message);
    if (!asked) {
      this.server.log.warn(`the panel sent what is no message: ${(JSON.stringify(message) as string | undefined)?.slice(0, 200) ?? typeof message}`);
      return;
    }
    this.act(asked).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.server.log.error(`${asked.type}: ${text}`);
      if ((error as { code?: unknown }).code === CUT_SHORT)
        this.post({ type: "note", text: "the server ended in the middle of this; what it had done is kept", hint: "It starts again by itself; then retry" });
      else this.post({ type: "note", text, hint: "" });
      this.post({ type: "running", running: this.running });
    });
  }

  private async act(asked: FromPanel): Promise<void> {
    switch (asked.type) {
      case "ready": return this.ready();
      case "prompt": return this.prompt(asked.text, asked.images);
      case "steer": await this.server.ask("attache/session/steer", { sessionId: this.session, text: asked.text }); return;
      case "stop": return this.server.tell("attache/session/cancel", { sessionId: this.session });
      case "new": return this.fresh();
      case "sessions": return this.sessions();
      case "pickModel": return this.pickModel();
      case "export": return this.export();
      case "recover": return this.server.restart();
      case "log": return this.server.log.show();
      case "addContext": return this.draft(await attach());
      case "fork": return this.fork(asked.seq);
      case "rewind": return this.goBack(asked.seq);
      case "resend":
        await (asked.fork ? this.fork(asked.seq - 1) : this.rewind(asked.seq - 1));
        return this.draft(asked.text, true);
      case "mode": return this.setMode(asked.mode);
      case "answer": return this.answered(asked.id, { outcome: { outcome: "selected", optionId: asked.option } });
      case "reply": return this.answered(asked.id, said(asked.text));
      case "deny":
        await this.server.command("attache.deny", { approval: asked.id, digest: asked.digest, reason: asked.reason });
        return this.answered(asked.id, WAVED);
      case "link": return openLink(asked.href);
      case "open": return openPath(asked.path, asked.line);
      case "copy": return vscode.env.clipboard.writeText(asked.text);
      case "insert": return insert(asked.text);
      case "apply": return apply(asked.text, asked.path);
      case "compare": return this.compare(asked.change, asked.path);
      case "review": await vscode.commands.executeCommand(REVIEW[asked.what]); return;
      case "complete":
        this.post({ type: "completions", id: asked.id, items: await completions(asked.query, this.server) });
    }
  }

  private async ready(): Promise<void> {
    this.loaded = true;
    const waiting = this.waiting.splice(0);
    this.serverMoved();
    await this.server.start();
    if (this.session) await this.show(this.session);
    else await this.welcome();
    waiting.forEach((message) => this.post(message));
  }

  private async welcome(): Promise<void> {
    const { current } = await this.server.ask<{ current: string }>("attache/model/list", {});
    this.post({ type: "session", id: "", title: "", mode: "", modes: [], model: current });
    const about = current.startsWith("offline")
      ? "No model is set up: answers come from the index and by rules. Find, explain, rename, document, fix what a rule can fix."
      : `${current} answers.`;
    this.post({ type: "suggestions", items: suggestions(), about });
  }

  private async prompt(text: string, images: Image[]): Promise<void> {
    const sessionId = await (this.opening ??= this.opened().finally(() => { this.opening = undefined; }));
    this.running = true;
    this.begun = 0;
    this.title ||= text.split("\n", 1)[0]?.slice(0, 72) ?? "";
    this.post({ type: "titled", title: this.title });
    this.post({ type: "running", running: true });
    const prompt = [...(text ? [{ type: "text", text }] : []), ...images.map((image) => ({ type: "image", ...image }))];
    try {
      await this.server.ask("attache/session/prompt", { sessionId, prompt });
    } finally {
      this.running = false;
      if (sessionId === this.session) {
        this.post({ type: "running", running: false });
        await this.settle(sessionId).catch((error: unknown) => this.server.log.warn(String(error)));
      }
    }
  }

  /** Pieces that only paint may be dropped on the way when the editor is far behind: the log has all of them. */
  private async settle(sessionId: string): Promise<void> {
    if (!this.begun) return;
    const { updates } = await this.history(sessionId, { after: this.begun - 1 });
    this.post({ type: "settled", updates });
  }

  private async opened(): Promise<string> {
    if (this.session) return this.session;
    const answer = await this.server.ask<Opened>("attache/session/new", { cwd: folder(), mcpServers: [] });
    this.session = answer.sessionId ?? "";
    this.introduce(answer);
    return this.session;
  }

  private introduce(answer: Opened): void {
    const modes = fields(answer.modes);
    const model = list(answer.configOptions).map(fields).find((option) => option["id"] === "model");
    this.post({
      type: "session", id: this.session, title: this.title, mode: words(modes["currentModeId"]),
      modes: list(modes["availableModes"]).map((mode) => words(fields(mode)["id"])), model: words(model?.["currentValue"]),
    });
  }

  // ---------------------------------------------------------------- sessions

  async fresh(): Promise<void> {
    this.session = "";
    this.title = "";
    this.post({ type: "history", updates: [] });
    await this.welcome();
    await vscode.commands.executeCommand("attache.chat.focus");
  }

  async show(sessionId: string, title = ""): Promise<void> {
    this.title = title || (sessionId === this.session ? this.title : "");
    this.session = sessionId;
    this.post({ type: "titled", title: this.title });
    // The end first: it is what one looks at. What came before follows, however long it is.
    const { updates, since } = await this.history(sessionId, { last: LAST });
    this.post({ type: "history", updates });
    this.introduce(await this.server.ask<Opened>("attache/session/resume", { sessionId, cwd: folder() }));
    if (since && sessionId === this.session)
      this.post({ type: "older", updates: (await this.history(sessionId, { until: since })).updates });
  }

  private async history(sessionId: string, which: object): Promise<{ updates: unknown[]; since: number }> {
    return this.server.ask("attache/session/history", { sessionId, ...which });
  }

  async sessions(): Promise<void> {
    const { sessions } = await this.server.ask<{ sessions: Row[] }>("attache/session/list", { cwd: folder() });
    const remove = { iconPath: new vscode.ThemeIcon("trash"), tooltip: "Delete with its log" };
    const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { id: string }>();
    const row = (each: Row) => {
      const ours = fields(fields(each._meta)["attache"]);
      const cost = number(ours["costUsd"]);
      return {
        id: each.sessionId, label: each.title ?? "untitled", buttons: [remove],
        description: [words(ours["model"]), words(ours["mode"]), cost ? `$${cost.toFixed(2)}` : ""].filter(Boolean).join(" · "),
        detail: each.updatedAt ? new Date(each.updatedAt).toLocaleString() : "",
      };
    };
    pick.items = sessions.map(row);
    pick.placeholder = sessions.length ? "Search the sessions of this workspace: titles, and all that was said" : "No session yet";
    pick.matchOnDescription = true;
    pick.matchOnDetail = true;
    let latest = "";
    pick.onDidChangeValue(async (query) => {
      latest = query;
      await new Promise((done) => setTimeout(done, SEARCH_PAUSE));
      if (latest !== query) return;
      const asked = { query: query.length < SHORTEST_SEARCH ? "" : query, cwd: folder() };
      const found = await this.server.ask<{ sessions: Found[] }>("attache/session/search", asked);
      if (latest !== query) return;
      const excerpts = new Map(found.sessions.map((each) => [each.sessionId, `$(quote) ${each.excerpt}`]));
      const shown = (each: Row) => ({ ...row(each), detail: excerpts.get(each.sessionId) ?? "", alwaysShow: true });
      pick.items = sessions.map((each) => (excerpts.has(each.sessionId) ? shown(each) : row(each)));
    });
    pick.onDidAccept(() => { const [chosen] = pick.selectedItems; pick.hide(); if (chosen) void this.show(chosen.id, chosen.label); });
    pick.onDidTriggerItemButton(async ({ item }) => {
      await this.server.ask("attache/session/delete", { sessionId: item.id });
      sessions.splice(sessions.findIndex((each) => each.sessionId === item.id), 1);
      pick.items = pick.items.filter((each) => each.id !== item.id);
      if (item.id === this.session) await this.fresh();
    });
    pick.onDidHide(() => pick.dispose());
    pick.show();
  }

  private async fork(seq: number): Promise<void> {
    const meta = { _meta: { attache: { seq: Math.max(seq, 1) } } };
    const answer = await this.server.ask<Opened>("attache/session/fork", { sessionId: this.session, cwd: folder(), ...meta });
    if (answer.sessionId) await this.show(answer.sessionId, this.title);
  }

  /** Let the user say what goes back: what was said, what was edited, or both. */
  private async goBack(seq: number): Promise<void> {
    const both = { label: "Conversation and files", conversation: true, files: true };
    const said = { label: "Conversation", description: "files stay as they are", conversation: true, files: false };
    const files = { label: "Files", description: "what was said stays", conversation: false, files: true };
    const chosen = await vscode.window.showQuickPick([both, said, files], { placeHolder: "What goes back to this moment?" });
    if (!chosen) return;
    const back = await this.rewind(seq, chosen.conversation, chosen.files);
    if (chosen.files) vscode.window.setStatusBarMessage(`Attaché: ${back.length ? back.join(", ") : "no file"} went back`, 8_000);
  }

  private async rewind(seq: number, conversation = true, files = false): Promise<string[]> {
    const params = { sessionId: this.session, seq: Math.max(seq, 1), conversation, files };
    const back = await this.server.ask<{ files?: string[] }>("attache/checkpoint/restore", params);
    if (conversation) await this.show(this.session);
    return back.files ?? [];
  }

  async export(): Promise<void> {
    const { updates } = await this.history(this.session, {});
    const told = new Conversation();
    told.title = this.title;
    updates.forEach((update) => told.apply(update));
    const document = await vscode.workspace.openTextDocument({ language: "markdown", content: exported(told) });
    await vscode.window.showTextDocument(document);
  }

  async setMode(modeId: string): Promise<void> {
    await this.server.ask("attache/session/set_mode", { sessionId: await this.opened(), modeId });
  }

  async pickModel(): Promise<void> {
    type Provider = { name: string; label: string; model: string; ready: boolean };
    const { providers } = await this.server.ask<{ providers: Provider[] }>("attache/model/list", {});
    const other = { label: "$(edit) another…", description: "provider/model" };
    const items = providers.filter((each) => each.ready && each.model)
      .map((each) => ({ label: `${each.name}/${each.model}`, description: each.label }));
    const chosen = await vscode.window.showQuickPick([...items, other], { placeHolder: "Model of this session" });
    const value = chosen === other
      ? await vscode.window.showInputBox({ prompt: "Model, as provider/model", placeHolder: "anthropic/…" }) : chosen?.label;
    if (!value) return;
    const sessionId = await this.opened();
    const answer = await this.server.ask<Opened>("attache/session/set_config_option", { sessionId, configId: "model", value });
    const model = list(answer.configOptions).map(fields).find((option) => option["id"] === "model");
    this.post({ type: "status", model: words(model?.["currentValue"]), mode: "", context: 0, size: 0, shares: {}, tokens: "", cost: 0 });
  }

  // ---------------------------------------------------------------- from the server

  private heard(params: Record<string, unknown>): void {
    const update = fields(params["update"]);
    const ours = fields(fields(update["_meta"])["attache"]);
    const landed = fields(ours["landed"]);
    if (ours["event"] === "change.landed") {
      this.changes.set(words(landed["id"]), list(landed["files"]) as File[]);
      for (const id of [...this.changes.keys()].slice(0, -KEPT_CHANGES)) this.changes.delete(id);
    }
    if (params["sessionId"] !== this.session) return;
    if (ours["event"] === "run.started") this.begun = number(ours["seq"]);
    if (update["sessionUpdate"] === "session_info_update") this.title = words(update["title"]) || this.title;
    this.update(update);
  }

  private status(said: Record<string, unknown>): void {
    if (said["sessionId"] !== this.session) return;
    const tokens = `${number(said["inputTokens"]).toLocaleString("en")} in, ${number(said["outputTokens"]).toLocaleString("en")} out`;
    this.post({
      type: "status", model: words(said["model"]), mode: words(said["mode"]), context: number(said["contextTokens"]),
      size: number(said["contextSize"]), shares: fields(said["contextShares"]) as Record<string, number>, tokens, cost: number(said["costUsd"]),
    });
  }

  private serverMoved(): void {
    const { state, text } = this.server;
    this.post({ type: "server", state, text });
    if (state === "ready" || state === "starting") return;
    for (const id of [...this.questions.keys()]) this.answered(id, WAVED);
    this.running = false;
    this.post({ type: "running", running: false });
  }

  /** A question for the user: shown where the session is shown, else by a dialog of the editor. */
  async permission(request: unknown): Promise<Permission> {
    const asked = fields(request);
    const ours = fields(fields(asked["_meta"])["attache"]);
    const id = words(ours["approvalId"]) || words(fields(asked["toolCall"])["toolCallId"]);
    if (asked["sessionId"] !== this.session || !this.view) return this.dialog(asked, ours);
    this.post({ type: "permission", id, request });
    if (!this.view.visible) void this.remind(words(fields(asked["toolCall"])["title"]));
    return new Promise((resolve) => this.questions.set(id, resolve));
  }

  private answered(id: string, answer: Permission): void {
    this.questions.get(id)?.(answer);
    this.questions.delete(id);
  }

  private async remind(title: string): Promise<void> {
    const show = "Show";
    if (await vscode.window.showInformationMessage(`Attaché asks: ${title}`, show) === show)
      await vscode.commands.executeCommand("attache.chat.focus");
  }

  private async dialog(asked: Record<string, unknown>, ours: Record<string, unknown>): Promise<Permission> {
    if (typeof ours["question"] === "string") return question(asked);
    const rows = list(ours["detail"]).map((pair) => list(pair).map(words).join(": "));
    const detail = [...rows, words(ours["pattern"]) && `Allow for this session covers: ${words(ours["pattern"])}`].join("\n");
    const options = list(asked["options"]).map(fields);
    const title = words(fields(asked["toolCall"])["title"]);
    const chosen = await vscode.window.showWarningMessage(
      `Attaché wants to: ${title}`, { modal: true, detail }, ...options.map((option) => words(option["name"])));
    const option = options.find((each) => each["name"] === chosen);
    return option ? { outcome: { outcome: "selected", optionId: words(option["optionId"]) } } : WAVED;
  }

  private async compare(change: string, path: string): Promise<void> {
    const file = this.changes.get(change)?.find((each) => each.path === path);
    if (!file) return openPath(path, 0);
    const side = (which: string, text: string | null | undefined) => {
      const uri = vscode.Uri.from({ scheme: "attache", path: `/${which}/${path}`, query: change });
      this.before.set(uri.toString(), text ?? "");
      return uri;
    };
    for (const key of [...this.before.keys()].slice(0, -2 * KEPT_CHANGES)) this.before.delete(key);
    await vscode.commands.executeCommand(
      "vscode.diff", side("before", file.oldText), side("after", file.newText), `${path} (this step)`, { preview: true });
  }
}

const REVIEW = {
  show: "attache.hunks.focus", next: "attache.review.next", accept: "attache.review.acceptAll",
  reject: "attache.review.rejectAll", undo: "attache.review.undo",
} as const;

/** An answer in words of the user's own; none at all waves the question away. */
const said = (answer: string): Permission => (answer.trim() ? { ...WAVED, _meta: { attache: { answer } } } : WAVED);

/** What the agent of a session that is not shown wants to know. */
async function question(asked: Record<string, unknown>): Promise<Permission> {
  const title = words(fields(asked["toolCall"])["title"]);
  const options = list(asked["options"]).map(fields).map((each) => ({ label: words(each["name"]), optionId: words(each["optionId"]) }));
  const own = { label: "$(edit) in your own words…", optionId: "" };
  const chosen = options.length ? await vscode.window.showQuickPick([...options, own], { title: "Attaché asks", placeHolder: title, ignoreFocusOut: true }) : own;
  if (chosen === own) return said(await vscode.window.showInputBox({ title: "Attaché asks", prompt: title, ignoreFocusOut: true }) ?? "");
  return chosen ? { outcome: { outcome: "selected", optionId: chosen.optionId } } : WAVED;
}

const folder = (): string => vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";

/** Up to three things worth asking here: what is wrong, what is open, what it all is. */
function suggestions(): string[] {
  const found = vscode.languages.getDiagnostics().flatMap(([uri, each]) => each.map((one) => ({ uri, one })))
    .find(({ one }) => one.severity === vscode.DiagnosticSeverity.Error || one.severity === vscode.DiagnosticSeverity.Warning);
  const open = vscode.window.activeTextEditor?.document.uri;
  const named = (uri: vscode.Uri) => vscode.workspace.asRelativePath(uri, false);
  return [
    ...(found ? [`Fix "${found.one.message.split("\n")[0] ?? ""}" in @${named(found.uri)}:${found.one.range.start.line + 1}`] : []),
    ...(open?.scheme === "file" ? [`Explain @${named(open)}`] : []),
    "Where does this project begin, and what does it do?",
    "Which tests are there, and do they pass?",
  ].slice(0, 3);
}

async function attach(): Promise<string> {
  const files = await vscode.window.showOpenDialog({ canSelectMany: true, openLabel: "Mention" });
  return (files ?? []).map((uri) => `@${vscode.workspace.asRelativePath(uri, false)} `).join("");
}

function editorOfText(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors.find((each) => each.document.uri.scheme === "file");
  if (!editor) throw new Error("no file is open to put it into");
  return editor;
}

async function insert(text: string): Promise<void> {
  const editor = editorOfText();
  await editor.edit((edit) => edit.replace(editor.selection, text));
  await vscode.window.showTextDocument(editor.document, editor.viewColumn);
}

/** Replace the file that the code names, or the selection; shown by the editor for confirmation before anything changes. */
async function apply(text: string, path: string): Promise<void> {
  const root = vscode.workspace.workspaceFolders?.[0]?.uri;
  const edit = new vscode.WorkspaceEdit();
  const label = { label: "Attaché: apply this code", needsConfirmation: true };
  if (path && root && !/(^|[\\/])\.\.([\\/]|$)/.test(path)) {
    const uri = vscode.Uri.joinPath(root, path);
    const document = await vscode.workspace.openTextDocument(uri).then((found) => found, () => undefined);
    if (document) edit.replace(uri, new vscode.Range(0, 0, document.lineCount, 0), text, label);
    else {
      edit.createFile(uri, { ignoreIfExists: true }, label);
      edit.insert(uri, new vscode.Position(0, 0), text, label);
    }
  } else {
    const { document, selection } = editorOfText();
    if (selection.isEmpty) throw new Error("select what it is to replace, then apply");
    edit.replace(document.uri, selection, text, label);
  }
  await vscode.workspace.applyEdit(edit, { isRefactoring: true });
}
