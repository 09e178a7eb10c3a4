// Attaché in VS Code: shows what the language server says. What can wait is loaded when it is needed.

import * as vscode from "vscode";
import { ChatView } from "./chat/view";
import { commands } from "./commands";
import { Findings } from "./findings";
import { SERVER_SETTINGS } from "./generated/settings";
import { participant } from "./participant";
import { Review } from "./review";
import { Server } from "./server";
import { Status } from "./status";

/** What the server reads when it starts. */
const RESTARTING = ["attache.server", ...Object.values(SERVER_SETTINGS).map((key) => `attache.${key}`)];
let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): { server: Server } {
  const ours = (server = new Server(context));
  const chat = new ChatView(context, ours);
  const review = new Review(ours, chat);
  context.subscriptions.push(ours, ours.log, review, new Status(ours), new Findings(ours),
    vscode.window.registerWebviewViewProvider("attache.chat", chat, { webviewOptions: { retainContextWhenHidden: true } }));
  commands(context, ours, chat, review);
  participant(context, ours);

  ours.answer("attache/session/request_permission", (request) => chat.permission(request));
  ours.middleware.provideInlineCompletionItems = (document, position, asked, token, next) =>
    vscode.workspace.getConfiguration("attache").get<boolean>("ghostText", true) && document.uri.scheme !== "vscode-chat-input"
      ? next(document, position, asked, token) : undefined;

  context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void ours.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((section) => change.affectsConfiguration(section))) void ours.restart();
    }));
  setTimeout(() => void ours.start(), 0); // behind everything that makes the editor usable
  return { server: ours };
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
