// The server's life: found or installed, started, watched, started again with growing pauses, and said in so many words.

import { join } from "node:path";
import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type { Connection } from "./client";
import { fields, words } from "./chat/conversation";
import { find, install, python } from "./find";
import { options } from "./settings";

declare const VERSION: string;

export type State = "starting" | "ready" | "waiting" | "failed";
type Listen = (params: unknown) => unknown;

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const MOST_FAILURES = 6;
/** A server that stood so long is taken for sound: its next end counts as the first. */
const SOUND = 120_000;

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("Attaché", { log: true });
  readonly middleware: Middleware = {};
  state: State = "starting";
  text = "";
  private readonly changed = new vscode.EventEmitter<State>();
  readonly onState = this.changed.event;
  private client: Connection | undefined;
  private readonly listeners = new Map<string, Listen[]>();
  private readonly answers = new Map<string, Listen>();
  private failures = 0;
  private since = 0;
  private timer: NodeJS.Timeout | undefined;
  private starting: Promise<void> | undefined;
  private leaving = false;

  constructor(private readonly context: vscode.ExtensionContext) {}

  on(method: string, listen: Listen): void {
    this.listeners.set(method, [...(this.listeners.get(method) ?? []), listen]);
  }

  answer(method: string, listen: Listen): void {
    this.answers.set(method, listen);
  }

  get features(): string[] {
    const offered = this.client?.initializeResult?.capabilities as Record<string, unknown> | undefined;
    return Object.keys(offered ?? {});
  }

  /** Ask the server. Throws where it cannot be reached or refuses. */
  async ask<T>(method: string, params: object, token?: vscode.CancellationToken): Promise<T> {
    if (this.state === "starting" || this.client) await this.start();
    if (!this.client) throw new Error(this.text || "the server is not running");
    return token ? this.client.sendRequest<T>(method, params, token) : this.client.sendRequest<T>(method, params);
  }

  async tell(method: string, params: object): Promise<void> {
    await this.client?.sendNotification(method, params);
  }

  /** Run one of the server's commands. */
  async command(name: string, about: object = {}): Promise<void> {
    await this.ask("workspace/executeCommand", { command: name, arguments: [about] });
  }

  async start(): Promise<void> {
    if (this.client) return;
    this.starting ??= this.begin().finally(() => { this.starting = undefined; });
    await this.starting;
  }

  async restart(): Promise<void> {
    clearTimeout(this.timer);
    this.failures = 0;
    const client = this.client;
    this.client = undefined;
    await client?.dispose(2_000).catch((error: unknown) => this.log.warn(String(error)));
    await this.start();
  }

  dispose(): void {
    this.leaving = true;
    clearTimeout(this.timer);
  }

  async stop(): Promise<void> {
    this.dispose();
    await this.client?.dispose(2_000);
  }

  private async begin(): Promise<void> {
    this.put("starting", "starting the server");
    try {
      const command = await this.program();
      // Only here is the language client loaded: it is the larger half of the extension.
      const { connect } = await import("./client");
      const client = await connect({
        command,
        args: command.endsWith(".py") ? [] : ["lsp"],
        cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
        env: process.env,
        options: options(),
        log: this.log,
        middleware: this.middleware,
        gone: () => this.gone("the server ended"),
      });
      this.check(client);
      for (const [method, listeners] of this.listeners)
        client.onNotification(method, (params: unknown) => listeners.forEach((listen) => listen(params)));
      for (const [method, listen] of this.answers) client.onRequest(method, (params: unknown) => listen(params));
      this.client = client;
      this.since = Date.now();
      this.log.info(`${command} is ready`);
      this.put("ready", "");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.error(reason);
      this.gone(reason, error instanceof Unfit);
    }
  }

  private async program(): Promise<string> {
    const settings = vscode.workspace.getConfiguration("attache.server");
    const trusted = vscode.workspace.isTrusted;
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
    const own = join(this.context.globalStorageUri.fsPath, `server-${VERSION}`);
    const places = { setting: settings.get("path", ""), folders: trusted ? folders : [], path: process.env["PATH"] ?? "", own };
    const found = await find(places).catch((error: unknown) => { throw new Unfit((error as Error).message); });
    if (found) return found;
    this.put("starting", "installing the server");
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: "Attaché: installing the server" },
      async (progress) => {
        const say = (message: string) => { progress.report({ message }); this.log.info(message); };
        try {
          await install(own, this.context.asAbsolutePath("wheel"), await python(settings.get("python", "")), say);
        } catch (error) {
          throw new Unfit(`the server could not be installed: ${(error as Error).message}`);
        }
        return await find(places) ?? "attache";
      },
    );
  }

  /** Say where server and extension do not fit. */
  private check(client: Connection): void {
    const { serverInfo, capabilities } = client.initializeResult ?? { capabilities: {} };
    const version = serverInfo?.version ?? "unknown";
    const experimental = capabilities.experimental as { attache?: { protocol?: number } } | undefined;
    const spoken = experimental?.attache?.protocol;
    if (serverInfo?.name !== "attache" || spoken !== 1) {
      void client.dispose();
      throw new Unfit(`server ${version} speaks protocol ${spoken ?? "none"}, this extension 1: update the older of the two`);
    }
    if (minor(version) === minor(VERSION)) return;
    const words = `the server is ${version}, the extension ${VERSION}; what only one of them knows will be missing`;
    this.log.warn(words);
    void vscode.window.showWarningMessage(`Attaché: ${words}.`);
  }

  private gone(reason: string, forGood = false): void {
    this.client = undefined;
    if (this.leaving) return;
    if (this.since && Date.now() - this.since > SOUND) this.failures = 0;
    this.since = 0;
    this.failures += 1;
    if (forGood || this.failures >= MOST_FAILURES) {
      this.put("failed", forGood ? reason : `${reason}, ${this.failures} times in a row`);
      return;
    }
    const pause = Math.min(FIRST_PAUSE * 2 ** (this.failures - 1), LONGEST_PAUSE);
    this.put("waiting", `${reason}; starting again in ${pause / 1_000} s`);
    this.timer = setTimeout(() => void this.start(), pause);
  }

  private put(state: State, text: string): void {
    this.state = state;
    this.text = text;
    if (text) this.log.info(text);
    this.changed.fire(state);
  }
}

/** Ask in a session of its own, which changes nothing and is deleted afterwards; return what was answered last. */
export async function aside(server: Server, text: string, token?: vscode.CancellationToken): Promise<string> {
  const { sessionId } = await server.ask<{ sessionId: string }>("attache/session/new", { cwd: "", mcpServers: [] });
  try {
    await server.ask("attache/session/set_mode", { sessionId, modeId: "explore" });
    await server.ask("attache/session/prompt", { sessionId, prompt: [{ type: "text", text }] }, token);
    const { updates } = await server.ask<{ updates: unknown[] }>("attache/session/history", { sessionId });
    const spoken = updates.map(fields).filter((each) => each["sessionUpdate"] === "agent_message_chunk");
    return words(fields(spoken.at(-1)?.["content"])["text"]);
  } finally {
    await server.ask("attache/session/delete", { sessionId });
  }
}

/** Starting again would change nothing. */
class Unfit extends Error {}

const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
